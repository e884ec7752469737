"""How far is each cycle, as Prefect shows it? A table and a progress bar a cycle, under the same key every time."""

import re
from datetime import datetime

from prefect.artifacts import acreate_progress_artifact, acreate_table_artifact

from dondoc.database import Database
from dondoc.i18n import translate, whole_day, whole_period
from dondoc.settings import Settings
from engine.track import Rate, changed, open_cycles, rates


def changed_since(database: Database, since: datetime | None) -> list[Rate]:
    """The rates of the cycles that changed since a moment, or (None) of all that are open."""
    with database.reading() as session:
        found = rates(session, open_cycles(session) if since is None else changed(session, since))
        session.expunge_all()
        return found


async def show(rate: Rate, office: Settings) -> None:
    """Renews both artifacts of a cycle."""
    key, words = key_of(rate), heading(rate, office)
    done = 100.0 * rate.complete / rate.owed if rate.owed else 100.0
    await acreate_progress_artifact(round(done, 1), key=f"{key}-progress", description=words)
    await acreate_table_artifact(missing(rate, office), key=key, description=words)


def key_of(rate: Rate) -> str:
    """kl01-khoi-annual-report-2024: the same cycle, the same key."""
    return re.sub("[^a-z0-9]+", "-", f"{rate.plan}-{rate.cycle.obligation}-{rate.cycle.period}".lower())


def heading(rate: Rate, office: Settings) -> str:
    """Markdown: what it is and by when, how many are complete and how many of these on time, the way to our page."""
    lang = office.lang
    cycle = f"{rate.cycle.title(lang)}, {whole_period(rate.cycle.period, lang)}"
    counted = "Hạn {day}. Đã nộp {complete}/{owed}, trong đó đúng hạn {on_time}; còn thiếu {missing}."
    told = translate(counted, lang, day=whole_day(rate.due_on, lang), complete=rate.complete, owed=rate.owed,
                     on_time=rate.on_time, missing=sum(each.count for each in rate.missing))  # fmt: skip
    return f"### [{cycle}]({office.url}/cycles/{rate.cycle.id})\n\n{told}"


def missing(rate: Rate, office: Settings) -> list[dict[str, str | int]]:
    """The rows of the table: who is missing under whom. One row says so when nobody is."""
    superior, count, units = (translate(words, office.lang) for words in ("Cấp trên", "Còn thiếu", "Đơn vị"))
    if not rate.missing:
        return [{superior: translate("Không thiếu đơn vị nào", office.lang), count: 0, units: ""}]
    return [{superior: each.superior, count: each.count, units: ", ".join(each.units) or "…"} for each in rate.missing]

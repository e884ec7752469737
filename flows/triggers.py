"""When does what open, as Prefect shows it? One trigger an obligation: its title, its clause, its days, its hash."""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import date
from typing import Final

from sqlmodel import Session, col, func, select

from dondoc.i18n import translate
from dondoc.settings import Settings
from engine.plans import active_plans, sound_timeline
from models.day import CalendarSheet
from models.milestone import MilestoneDay
from models.plan import Revision
from schedules.plan import Obligation
from schedules.plan import Plan as PlanFile
from schedules.timeline import Timeline

TAG: Final = "dondoc"  #: what we registered, and alone may change or remove
MOST: Final = 200  #: a plan with more obligations has one trigger for all of them
WHOLE_PLAN: Final = "all"
MONTHS_AHEAD: Final = 12


@dataclass(frozen=True, slots=True)
class Trigger:
    """A deployment that opens one obligation (None: all of the plan) on its days; the plan is its flow's name."""

    plan: str
    obligation: str | None
    description: str
    tags: tuple[str, ...]
    days: tuple[date, ...]

    @property
    def name(self) -> str:
        return self.obligation or WHOLE_PLAN

    @property
    def hash(self) -> str:
        text = json.dumps(asdict(self), default=str, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def fingerprint(session: Session, today: date, office: Settings) -> str:
    """Of all that the triggers are made from, without compiling anything: the same, and nothing is to be done."""
    revisions = session.exec(
        select(Revision.id, Revision.hash).where(col(Revision.is_active)).order_by(col(Revision.id))
    )
    calendars = session.exec(select(CalendarSheet.code, CalendarSheet.hash).order_by(col(CalendarSheet.code)))
    milestones = session.exec(select(func.count(), func.max(MilestoneDay.id), func.max(MilestoneDay.entered_at))).one()
    where = (f"{today:%Y-%m}", office.url, office.lang, office.zone, office.clock.exists())
    made_from = [*map(tuple, revisions), *map(tuple, calendars), tuple(milestones), where]
    return hashlib.sha256(repr(made_from).encode()).hexdigest()[:16]


def triggers(session: Session, today: date, office: Settings) -> list[Trigger]:
    """Of every active plan, with the opening days from the first of this month to the end of the twelfth after it.

    In a demo they have no days: time passes there when somebody moves it.
    """
    first, after = today.replace(day=1), _months_later(today, MONTHS_AHEAD + 1)
    if office.clock.exists():
        after = first
    found: list[Trigger] = []
    for _, revision, plan in active_plans(session):
        found += of_plan(plan, sound_timeline(session, revision), first, after, office)
    return found


def of_plan(plan: PlanFile, timeline: Timeline, first: date, after: date, office: Settings) -> list[Trigger]:
    """One trigger an obligation, or one for a plan that has too many; opening days in [first, after)."""
    days: dict[str, set[date]] = {each.code: set() for each in plan.obligations}
    for occurrence in timeline.occurrences:
        days[occurrence.obligation.code] |= {day.opens_on for day in occurrence.days if first <= day.opens_on < after}
    if len(plan.obligations) > MOST:
        words = f"**{plan.title.in_(office.lang)}**\n\n{plan.document.in_(office.lang)}"
        every_day = tuple(sorted(set().union(*days.values())))
        return [Trigger(plan.code, None, words, (TAG, plan.code), every_day)]
    return [_of(plan, each, tuple(sorted(days[each.code])), office) for each in plan.obligations]


def _of(plan: PlanFile, obligation: Obligation, days: tuple[date, ...], office: Settings) -> Trigger:
    lang, set_by = office.lang, obligation.cadence.set_by
    periods = obligation.cadence.periods
    kind = "once" if len(periods) == 1 else periods[0].kind if periods else "request"
    by = "văn phòng tự đặt kỳ và hạn" if set_by == "office" else "văn bản định kỳ và hạn"
    lines = [
        f"**{obligation.title.in_(lang)}**",
        "",
        translate("Căn cứ {clause} của {document}", lang, clause="; ".join(obligation.source),
                  document=plan.document.in_(lang)) + "; " + translate(by, lang) + ".",
        "",
        translate("Việc này chỉ để xem: vòng năm phút một lần tự mở mọi đợt đến ngày.", lang),
        "",
        f"[{translate('Mở bảng theo dõi', lang)}]({office.url}/)",
    ]  # fmt: skip
    tags = (TAG, plan.code, f"every:{kind}", f"set-by:{set_by}")
    return Trigger(plan.code, obligation.code, "\n".join(lines), tags, days)


def _months_later(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, 1)

"""Do the triggers say what opens when, and does the work stay the same without them?"""

import asyncio
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from dondoc import clock
from dondoc.database import Database
from dondoc.settings import Settings, settings
from engine.plans import timeline_of
from flows.triggers import MOST, of_plan, triggers
from models.plan import active
from models.step import next_step
from schedules import load
from tests.builders import PLANS, YEARLY, at, everything, province

KHOI = (PLANS / "plans" / "kl01-khoi.yaml").read_text("utf-8")


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """The settings of this process are those of an empty data folder."""
    monkeypatch.setenv("DONDOC_DATA", str(tmp_path))
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "prefect"))
    settings.cache_clear()
    yield settings()
    settings.cache_clear()


def test_a_trigger_tells_its_clause_and_opens_on_the_days_of_the_next_twelve_months(office: Settings) -> None:
    database = Database(office.database)
    database.upgrade()
    province(database, KHOI)
    with database.reading() as session:
        found = {each.name: each for each in triggers(session, date(2022, 8, 20), office)}
    yearly, monthly = found["annual-report"], found["propaganda-guidance"]
    assert yearly.tags == ("dondoc", "kl01-khoi", "every:year", "set-by:document")
    assert "**Báo cáo kết quả hằng năm**\n\nCăn cứ II.8.3; III.2 của Kế hoạch" in yearly.description
    assert yearly.days == (date(2022, 8, 31), date(2023, 8, 31))
    assert monthly.tags[-1] == "set-by:office"
    assert monthly.days == tuple(date(2022 + month // 12, month % 12 + 1, 1) for month in range(7, 20))
    assert len({each.hash for each in found.values()}) == len(found)
    clock.move(office.clock, at("2022-08-20"))
    with database.reading() as session:
        assert not [each for each in triggers(session, date(2022, 8, 20), office) if each.days]
    database.close()


def test_a_plan_with_too_many_obligations_has_one_trigger(office: Settings) -> None:
    head, body = YEARLY.split("obligations:\n")
    many = head + "obligations:\n" + "".join(body.replace("annual-report", f"report-{n}") for n in range(MOST + 1))
    plan, problems = load.parse(many.encode(), "plan.yaml")
    assert plan is not None, problems
    database = Database(office.database)
    database.upgrade()
    province(database, many)
    with database.reading() as session:
        (revision,) = session.scalars(active())
        (found,) = of_plan(plan, timeline_of(session, revision), date(2022, 1, 1), date(2023, 1, 1), office)
    assert (found.name, found.obligation, found.days) == ("all", None, (date(2022, 8, 31),))
    database.close()


@pytest.mark.slow
def test_a_year_without_the_triggers_leaves_the_same_database(
    office: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = {}
    for kept in (True, False):
        folder = tmp_path / str(kept)
        monkeypatch.setenv("DONDOC_DATA", str(folder))
        settings.cache_clear()
        folder.mkdir()
        database = Database(settings().database)
        database.upgrade()
        province(database, KHOI)
        runs = asyncio.run(live(database, settings(), with_triggers=kept))
        assert (runs > 30) == kept
        with database.reading() as session:
            rows[kept] = everything(session)
        database.close()
    assert len(rows[True]["cycle"]) > 30
    assert rows[True] == rows[False]


async def live(database: Database, office: Settings, *, with_triggers: bool) -> int:
    """A year by the bodies of the flows: what is triggered first, then the round. Says how often triggers ran."""
    from flows.opening import opening
    from flows.round import STAGES

    day, runs = date(2021, 10, 1), 0
    with database.reading() as session:
        shown = {each.name: each for each in triggers(session, day, office)}
        (revision,) = session.scalars(active())
        in_order = timeline_of(session, revision).occurrences
    while day < date(2022, 10, 1):
        opening_now = [each.obligation.code for each in in_order if each.opens_on == day]
        for hour in ("00:00", "08:00") if opening_now else ("08:00",):
            now = at(day.isoformat(), hour)
            clock.move(office.clock, now)
            for code in opening_now if with_triggers and hour == "00:00" else ():
                assert day in shown[code].days
                await opening.fn("kl01-khoi", code)
                runs += 1
            for stage in STAGES:
                await stage.fn(database, office, now)
        day = next_day(database, day)
    return runs


def next_day(database: Database, day: date) -> date:
    with database.reading() as session:
        step = session.execute(next_step(at(day.isoformat(), "23:59"))).first()
        days: list[date] = [revision.next_open_on for revision in session.scalars(active())]
    if step is not None:
        days.append(step[0].on)
    return min(days)

"""Does the estimate of a preview promise as many messages as the simulation then sends?"""

from datetime import date
from pathlib import Path

import pytest
from sqlmodel import select

from engine.errors import RefusedError
from engine.estimate import USUAL
from engine.headcount import Headcount
from engine.outlook import ahead, months
from engine.plans import timeline_of
from engine.simulate import live, scratch, settle
from engine.simulated import simulated
from models.milestone import MilestoneDay
from models.plan import Revision
from samples import organisation
from schedules import shipped
from tests.builders import ZONE, at, province, vn_state
from tests.test_milestones import RESOLUTION

FIRST, LAST = date(2022, 9, 1), date(2022, 11, 30)
NEAR = 0.1  #: over the eighteen months from January 2022 no month differs by more than 12 %, and the sum by 1 %


def test_the_months_of_the_bloc_bring_as_many_messages_as_when_it_is_lived_through() -> None:
    file: Path = shipped.plans()["kl01-khoi"]
    with scratch() as database, database.writing() as session:
        settle(
            session, file.read_bytes(), file.name, vn_state(),
            lambda here, now: organisation.load(here, now=now, zone=ZONE), first=FIRST, zone=ZONE,
        )  # fmt: skip
        revision = session.exec(select(Revision)).one()
        heads = Headcount(session, FIRST, revision.plan_id)
        days = ahead(timeline_of(session, revision).occurrences, frozenset(), heads, FIRST)
        estimated = {f"{each.first:%Y-%m}": each for each in months(days, vn_state(), heads, FIRST, USUAL)}
        live(session, vn_state(), first=FIRST, last=LAST, seed=1, zone=ZONE, pace=USUAL, report=lambda _: None)
        lived = simulated(session, first=FIRST, last=LAST, seed=1, zone=ZONE).months
    assert [each.month for each in lived] == ["2022-09", "2022-10", "2022-11"]
    for each in lived:
        assert abs(estimated[each.month].messages / each.messages - 1) < NEAR, each
        assert abs(estimated[each.month].opens / each.opened - 1) < NEAR, each


def test_a_plan_without_valid_dates_is_not_lived_through() -> None:
    first, last, now = date(2022, 1, 1), date(2022, 1, 2), at("2022-01-01")
    with scratch() as database:
        province(database, RESOLUTION, on="2022-01-01")
        with database.writing() as session:
            plan_id = session.exec(select(Revision.plan_id)).one()
            session.add(
                MilestoneDay(
                    plan_id=plan_id, milestone="resolution", period="2022", on=date.max, entered_at=now, by="office"
                )
            )
            with pytest.raises(RefusedError):
                live(session, vn_state(), first=first, last=last, seed=1, zone=ZONE, pace=USUAL, report=lambda _: None)

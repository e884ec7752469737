"""Does the estimate of a preview promise as many messages as the simulation then sends?"""

from datetime import date
from pathlib import Path

from sqlmodel import select

from engine.estimate import USUAL
from engine.headcount import Headcount
from engine.outlook import ahead, months
from engine.plans import timeline_of
from engine.simulate import live, scratch, settle
from engine.simulated import simulated
from models.plan import Revision
from samples import organisation
from schedules import shipped
from tests.builders import ZONE, vn_state

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

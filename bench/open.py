"""W1: how long does it take to open a cycle, against one INSERT ... SELECT of the same rows into the same tables?"""

from functools import partial

from sqlalchemy import text

from bench.ground import OPENS, Figure, Ground, in_turns, rows_of, timed
from dondoc.database import Database
from engine.open import open_due
from models.cycle import Cycle
from models.deadline import Deadline
from tests.builders import ZONE

#: The same columns into the same empty table with the same indexes; the cycle and its deadline are there already.
RAW = """
INSERT INTO task (cycle_id, unit_id, placement_id, receiver_id, deadline_id, state, versions, returns, changed_at)
SELECT 1, placement.unit_id, placement.id, placement.parent_id, 1, 'open', 0, 0, :now
FROM placement
WHERE placement.kind = 'chi-bo' AND placement.valid_from <= :day
AND (placement.valid_to IS NULL OR placement.valid_to > :day) ORDER BY placement.id
"""


def opening(ground: Ground, source: str, units: int, runs: int) -> Figure:
    """`source` has the units and the plan, and nothing open."""
    sides = (partial(ours, units=units), partial(raw, units=units))
    return Figure("W1 open a cycle", ground.name, units, *in_turns(ground, source, *sides, runs))


def ours(database: Database, units: int) -> float:
    def act() -> None:
        with database.writing() as session:
            assert open_due(session, OPENS, ZONE).tasks == units

    seconds = timed(act)
    with database.writing() as session:
        again = open_due(session, OPENS, ZONE)
        assert (again.cycles, again.tasks, again.steps) == (0, 0, 0), again
    assert rows_of(database, "task") == units
    return seconds


def raw(database: Database, units: int) -> float:
    day = OPENS.date()
    with database.writing() as session:
        words = {"title_vi": "Báo cáo", "title_en": "Report", "source": "II.8.3", "opens_on": day, "opened_at": OPENS}
        session.add(Cycle(id=1, plan_id=1, revision_id=1, obligation="report-0", period="2022", issuer_id=1, **words))
        session.flush()
        session.add(Deadline(id=1, cycle_id=1, nominal_on=day, due_on=day, set_by="document", reasons=[]))

    def act() -> None:
        with database.writing() as session:
            given = {"now": OPENS if not database.is_sqlite else str(OPENS.replace(tzinfo=None)), "day": day}
            session.execute(text(RAW), given)

    seconds = timed(act)
    assert rows_of(database, "task") == units
    return seconds

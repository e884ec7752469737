"""W3: how long does it take to fire a step, against one INSERT ... SELECT of the same notices?"""

from functools import partial

from sqlalchemy import text

from bench.ground import OPENS, Figure, Ground, in_turns, rows_of, timed
from dondoc.database import Database
from engine.fire import fire
from engine.open import open_due
from tests.builders import ZONE, at

REMINDER = at("2022-12-17")
RAW = """
INSERT INTO notice (task_id, contact_id, kind, rung, cause, due_on, created_at)
SELECT task.id, contact.id, 'reminder', 'unit.contact', 'step:2', :day, :now
FROM task JOIN contact ON contact.unit_id = task.unit_id
WHERE task.deadline_id = 1 AND task.state IN ('open', 'returned') AND contact.role = 'contact'
AND contact.is_active AND NOT contact.is_bouncing AND contact.email IS NOT NULL
ON CONFLICT (task_id, contact_id, cause) DO NOTHING
"""


def firing(ground: Ground, source: str, tasks: int, runs: int) -> Figure:
    """`source` has the units with a contact each and the plan; the cycle is opened here, and the word of it told."""
    database = Database(source)
    for act in (open_due, fire):  # the notices of the opening stand in the table already
        with database.writing() as session:
            act(session, OPENS, ZONE)
    database.close()
    ground.settle(source)
    sides = (partial(ours, tasks=tasks), partial(raw, tasks=tasks))
    return Figure("W3 fire a step", ground.name, tasks, *in_turns(ground, source, *sides, runs))


def ours(database: Database, tasks: int) -> float:
    def act() -> None:
        with database.writing() as session:
            assert fire(session, REMINDER, ZONE).notices == tasks

    seconds = timed(act)
    with database.writing() as session:
        again = fire(session, REMINDER, ZONE)
        assert (again.steps, again.skipped, again.notices) == (0, 0, 0), again
    assert rows_of(database, "notice") == 2 * tasks
    return seconds


def raw(database: Database, tasks: int) -> float:
    def act() -> None:
        with database.writing() as session:
            now = str(REMINDER.replace(tzinfo=None)) if database.is_sqlite else REMINDER
            session.execute(text(RAW), {"now": now, "day": REMINDER.date()})
            session.execute(text("UPDATE step SET state = 'fired' WHERE id = 2"))

    seconds = timed(act)
    assert rows_of(database, "notice") == 2 * tasks
    return seconds

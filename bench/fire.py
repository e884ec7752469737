"""How long does a step for 10,000 tasks take to fire, against one INSERT ... SELECT? `python -m bench.fire`"""

import sys

from sqlalchemy import text

from bench.ground import OPENS, Ground, compared, grounds, prepare, timed
from dondoc.database import Database
from engine.fire import fire
from engine.open import open_due
from tests.builders import ZONE, at

TASKS = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
RUNS = 9
REMINDER = at("2022-12-17")
RAW = """
INSERT INTO notice (task_id, contact_id, kind, rung, cause, due_on, created_at)
SELECT task.id, contact.id, 'reminder', 'unit.contact', 'step:2', :day, :now
FROM task JOIN contact ON contact.unit_id = task.unit_id
WHERE task.deadline_id = 1 AND task.state IN ('open', 'returned') AND contact.role = 'contact'
AND contact.is_active AND NOT contact.is_bouncing AND contact.email IS NOT NULL
ON CONFLICT (task_id, contact_id, cause) DO NOTHING
"""


def ours(url: str) -> float:
    database = Database(url)

    def act() -> None:
        with database.writing() as session:
            assert fire(session, REMINDER, ZONE).notices == TASKS

    seconds = timed(act)
    with database.writing() as session:
        assert fire(session, REMINDER, ZONE).notices == 0
    database.close()
    return seconds


def raw(url: str) -> float:
    database = Database(url)

    def act() -> None:
        with database.writing() as session:
            now = str(REMINDER.replace(tzinfo=None)) if database.is_sqlite else REMINDER
            given = {"now": now, "day": REMINDER.date()}
            assert session.connection().execute(text(RAW), given).rowcount == TASKS
            session.execute(text("UPDATE step SET state = 'fired' WHERE id = 2"))

    seconds = timed(act)
    database.close()
    return seconds


def measure(ground: Ground) -> None:
    source = ground.make("source")
    database = Database(source)
    database.upgrade()
    prepare(database, TASKS, with_contacts=True)
    with database.writing() as session:
        open_due(session, OPENS, ZONE)
    with database.writing() as session:
        fire(session, OPENS, ZONE)  # the word that it is open; the notices of it stand in the table already
    database.close()
    ground.settle(source)
    mine, theirs = [], []
    for _ in range(RUNS):
        mine.append(ours(ground.copy(source, "ours")))
        theirs.append(raw(ground.copy(source, "raw")))
    compared(ground.name, mine, theirs)


if __name__ == "__main__":
    print(f"fire a step for {TASKS:,} tasks         ours           raw    ratio")
    with grounds() as found:
        for each in found:
            measure(each)

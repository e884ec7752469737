"""Somebody above the unit says "đã biết": they see to it themselves, and until a day the ladder climbs no further."""

from datetime import date, datetime, timedelta
from typing import Final

from sqlmodel import Session

from dondoc.clock import today
from engine.climb import climbs, plan_resumptions
from engine.errors import RefusedError
from engine.submit import locked
from models.acknowledgement import Acknowledgement
from models.cycle import Cycle
from models.deadline import Deadline
from models.entry import append
from models.task import OWING, Task

FARTHEST: Final = timedelta(days=30)  #: longer than that nobody may keep a task from those above
MAX_NOTE: Final = 2_000  #: characters


def acknowledge(
    session: Session, task_id: int, *, until: date, note: str, by: str, now: datetime, zone: str
) -> Acknowledgement:
    """Holds the escalation of one task up to and including a day. The newest one said counts, also when it is shorter.

    Reminders go on, no due day moves, and nobody is told: it is not for the unit to say, who asks for time instead.
    """
    task = locked(session, task_id)
    check(task, until, note, today(now, zone))
    found = Acknowledgement(task_id=task.id, until=until, note=note.strip(), by=by, at=now)
    session.add(found)
    session.flush()
    deadline, cycle = session.get_one(Deadline, task.deadline_id), session.get_one(Cycle, task.cycle_id)
    plan_resumptions(session, deadline, climbs(session, deadline, cycle, now, zone), now, zone)
    append(
        session,
        "acknowledged",
        by=by,
        at=now,
        task_id=task.id,
        cycle_id=cycle.id,
        until=until.isoformat(),
        acknowledgement=found.id,
    )
    return found


def check(task: Task, until: date, note: str, on: date) -> None:
    """Raises RefusedError when the task is owed no more, the day lies too near or too far, or nothing is said."""
    if task.state not in OWING:
        raise RefusedError("refused.not_owed", state=task.state)
    check_day(until, on)
    if not note.strip():
        raise RefusedError("refused.no_words")
    if len(note) > MAX_NOTE:
        raise RefusedError("refused.too_many_words", limit=MAX_NOTE, got=len(note))


def check_day(until: date, on: date) -> None:
    """`on` is today."""
    if not on <= until <= on + FARTHEST:
        raise RefusedError("refused.acknowledged_until", on=until, first=on, last=on + FARTHEST)

"""Somebody above the unit says "đã biết": they see to it themselves, and until a day the ladder climbs no further."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

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
from schedules.calendars import Calendar
from schedules.plan import Offset

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
    (found,) = hold(session, [task], until=until, note=note, by=by, now=now, zone=zone)
    append(session, "acknowledged", by=by, at=now, task_id=task.id, cycle_id=task.cycle_id, **entry_of(found))
    return found


def hold(
    session: Session, tasks: Sequence[Task], *, until: date, note: str, by: str, now: datetime, zone: str
) -> list[Acknowledgement]:
    """The rows alone, for tasks that were checked: what was said of each, in their order, and when it goes on."""
    found = [Acknowledgement(task_id=task.id, until=until, note=note.strip(), by=by, at=now) for task in tasks]
    session.add_all(found)
    session.flush()
    for deadline_id in sorted({task.deadline_id for task in tasks}):
        deadline = session.get_one(Deadline, deadline_id)
        cycle = session.get_one(Cycle, deadline.cycle_id)
        plan_resumptions(session, deadline, climbs(session, deadline, cycle, now, zone), now, zone)
    return found


def entry_of(found: Acknowledgement) -> dict[str, Any]:
    """What the journal keeps of it: the day, and where the words stand."""
    return {"until": found.until.isoformat(), "acknowledgement": found.id}


def check(task: Task, until: date, note: str, on: date) -> None:
    """Raises RefusedError when the task is owed no more, the day lies too near or too far, or nothing is said."""
    if task.state not in OWING:
        raise RefusedError("refused.not_owed", state=task.state)
    check_day(until, on)
    check_words(note)


def check_day(until: date, on: date) -> None:
    """`on` is today."""
    if not on <= until <= on + FARTHEST:
        raise RefusedError("refused.acknowledged_until", on=until, first=on, last=on + FARTHEST)


def check_words(note: str) -> None:
    if not note.strip():
        raise RefusedError("refused.no_words")
    if len(note) > MAX_NOTE:
        raise RefusedError("refused.too_many_words", limit=MAX_NOTE, got=len(note))


def usual_until(calendar: Calendar, on: date) -> date:
    """A working week from `on`."""
    return calendar.after(on, Offset(5, working=True))

"""Somebody above the unit says "đã biết": they see to it themselves, and until a day the ladder climbs no further."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Select, exists, select
from sqlmodel import Session, col

from dondoc.clock import today
from engine.climb import climbs, plan_resumptions
from engine.errors import RefusedError
from engine.fire import RUNGS
from engine.submit import locked
from models.acknowledgement import Acknowledgement, holding_on
from models.contact import Contact, Role
from models.cycle import Cycle, CycleState
from models.deadline import Deadline
from models.entry import append, append_all
from models.notice import Notice, NoticeKind
from models.task import OWING, Task
from models.unit import Unit
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


def acknowledge_below(
    session: Session, contact_id: int, task_ids: Collection[int], *, until: date, note: str, now: datetime, zone: str
) -> None:
    """The same by whoever was told of the tasks, without an account; pressed twice it is said once.

    What was handed in or moved meanwhile is left out. Raises RefusedError when nothing is chosen, or nothing is left.
    """
    if not task_ids:
        raise RefusedError("refused.none_chosen")
    contact = session.get_one(Contact, contact_id, with_for_update=True)
    check_day(until, today(now, zone))
    check_words(note)
    rows = session.execute(behind(contact).where(col(Task.id).in_(task_ids))).all()
    if not rows:
        raise RefusedError("refused.none_behind")
    by, tasks = f"contact:{contact.id}", {row.Task.id: row.Task for row in rows}
    known = session.scalars(holding_on(until, tasks))
    for each in known:
        if (each.until, each.note, each.by) == (until, note.strip(), by):
            del tasks[each.task_id]
    said = hold(session, list(tasks.values()), until=until, note=note, by=by, now=now, zone=zone)
    of = [(each.task_id, tasks[each.task_id].cycle_id, entry_of(each)) for each in said]
    append_all(session, "acknowledged", of, by=by, at=now)


def behind(contact: Contact) -> Select[tuple[Task, Deadline, Cycle, Unit]]:
    """What a letter has told the contact of, as somebody above the unit, and what is still owed by the same day."""
    told = exists().where(
        col(Notice.task_id) == col(Task.id),
        col(Notice.contact_id) == contact.id,
        col(Notice.message_id).is_not(None),
        col(Notice.kind) == NoticeKind.ESCALATION.value,
        col(Notice.rung).in_([rung.value for rung, (whose, role) in RUNGS.items() if _is_above(contact, whose, role)]),
        col(Notice.due_on) == col(Deadline.due_on),
    )
    return (
        select(Task, Deadline, Cycle, Unit)
        .join(Deadline, col(Deadline.id) == col(Task.deadline_id))
        .join(Cycle, col(Cycle.id) == col(Task.cycle_id))
        .join(Unit, col(Unit.id) == col(Task.unit_id))
        .where(told, col(Cycle.state) == CycleState.OPEN.value, col(Task.state).in_([state.value for state in OWING]))
        .order_by(col(Deadline.due_on), col(Cycle.id), col(Task.id))
    )


def _is_above(contact: Contact, whose: str, role: Role) -> bool:
    """Whoever has another role since has nothing more to say in the old one."""
    return whose != "unit" and role == contact.role


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

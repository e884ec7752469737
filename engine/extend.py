"""One unit gets more time, or need not report at all; both are decided, with a reason."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import update
from sqlmodel import Session, col, select

from dondoc.clock import today
from engine.close import finish, take_up
from engine.errors import RefusedError
from engine.open import plan_steps
from engine.plans import calendar_for, obligation_of
from engine.submit import locked
from engine.tell import tell_contacts
from models.ask import AskState, ExtensionAsk
from models.cycle import Cycle
from models.deadline import Deadline, Origin
from models.entry import append
from models.extension import Exemption, Extension
from models.notice import NoticeKind
from models.task import Act, Task, TaskState
from schedules.calendars import ONE_DAY, Calendar
from schedules.plan import Obligation, Offset, Rung, SetBy, Text
from schedules.reason import Reason

FARTHEST: Final = timedelta(days=3660)  #: a day ten years off is a slip of the pen


def extend(
    session: Session,
    task_id: int,
    *,
    by: str,
    due_on: date,
    reason: str,
    document: str | None,
    now: datetime,
    zone: str,
) -> Task:
    """Moves the task to a later due day, shared by all units extended to that day. After the end it unlocks."""
    if not reason.strip():
        raise RefusedError("refused.no_reason")
    task = locked(session, task_id)
    deadline = session.get_one(Deadline, task.deadline_id)
    act = Act.UNLOCK if task.state == TaskState.MISSED else Act.EXTEND
    task.expect(act)
    check_day(due_on, deadline, today(now, zone))
    task.move(act, now)
    moved = move_to(
        session, task, Origin.EXTENSION, due_on, reason=reason, document=document, by=by, now=now, zone=zone
    )
    take_up(session, session.get_one(Cycle, task.cycle_id), moved.id, now)
    grant_wishes(session, [task.id], by=by, now=now)
    session.add(task)
    entry = append(
        session,
        "extended",
        by=by,
        at=now,
        task_id=task.id,
        cycle_id=task.cycle_id,
        was=deadline.due_on.isoformat(),
        due_on=due_on.isoformat(),
        reason=reason.strip(),
        document=document,
    )
    tell_contacts(
        session, task, Rung.UNIT_CONTACT, NoticeKind.EXTENSION_DECIDED, f"entry:{entry.id}", moved.due_on, now
    )
    return task


@dataclass(frozen=True, slots=True)
class Longer:
    """What an extension to a day would give."""

    first_on: date  #: the day by the plan, before any move
    was: date
    due_on: date
    added: int  #: working days after the day in force
    since_first: int  #: working days after the first day
    is_working: bool
    off: Text | None  #: the name of the day off; None on plain weekends
    is_later: bool  #: False: refused, because it is no later than the day in force, or past


def longer(calendar: Calendar, first_on: date, was: date, due_on: date, on: date) -> Longer:
    """The effect of an extension decided on the day `on`, for showing before it is done."""
    check_not_too_far(due_on, was)
    if due_on < was - FARTHEST:
        raise RefusedError("refused.not_later", on=due_on, due_on=was)
    row = calendar.row(due_on)
    return Longer(
        first_on,
        was,
        due_on,
        calendar.working_days(was, due_on),
        calendar.working_days(first_on, due_on),
        calendar.is_working(due_on),
        row.name if row is not None and row.off else None,
        due_on > was and due_on >= on,
    )


def usual_days(calendar: Calendar, was: date, on: date) -> tuple[date, ...]:
    """One week more and two, in working days from today or from the day in force, whichever is later."""
    return tuple(calendar.after(max(was, on), Offset(count, working=True)) for count in (5, 10))


def check_day(due_on: date, deadline: Deadline, on: date) -> None:
    """Raises RefusedError for a day that gives no time, or too much. `on` is today."""
    check_not_too_far(due_on, deadline.due_on)
    # Where hours count, 24:00 of the same day is later too.
    earliest = deadline.due_on if deadline.due_at is not None else deadline.due_on + ONE_DAY
    if due_on < on or due_on < earliest:
        raise RefusedError("refused.not_later", on=due_on, due_on=deadline.due_on)


def check_not_too_far(due_on: date, was: date) -> None:
    """Raises RefusedError for a new due day so long after the one in force that nobody can have meant it."""
    if due_on > was + FARTHEST:
        raise RefusedError("refused.too_far", on=due_on, until=was + FARTHEST)


def grant_wishes(session: Session, task_ids: Sequence[int], *, by: str, now: datetime) -> None:
    """An extension answers the wish for time that waits, whatever way it was decided; the unit may ask again."""
    for start in range(0, len(task_ids), 1000):
        session.execute(
            update(ExtensionAsk)
            .where(
                col(ExtensionAsk.task_id).in_(task_ids[start : start + 1000]),
                col(ExtensionAsk.state) == AskState.WAITING.value,
            )
            .values(state=AskState.GRANTED.value, decided_at=now, decided_by=by)
        )


def exempt(session: Session, task_id: int, *, by: str, reason: str, document: str | None, now: datetime) -> Task:
    """The unit need not report in this cycle."""
    if not reason.strip():
        raise RefusedError("refused.no_reason")
    task = locked(session, task_id)
    task.move(Act.EXEMPT, now)
    session.add(Exemption(task_id=task.id, reason=reason.strip(), document=document, at=now, by=by))
    session.add(task)
    append(
        session,
        "exempted",
        by=by,
        at=now,
        task_id=task.id,
        cycle_id=task.cycle_id,
        reason=reason.strip(),
        document=document,
    )
    finish(session, session.get_one(Cycle, task.cycle_id), now)
    return task


def move_to(
    session: Session,
    task: Task,
    origin: Origin,
    due_on: date,
    *,
    reason: str,
    document: str | None,
    by: str,
    now: datetime,
    zone: str,
) -> Deadline:
    """The task gets another deadline of its cycle; the first unit moved to that day makes it, with its ladder."""
    old = session.get_one(Deadline, task.deadline_id)
    cycle = session.get_one(Cycle, task.cycle_id)
    new = deadline_on(session, cycle, old, origin, due_on, now, zone)
    session.add(
        Extension(
            task_id=task.id,
            from_deadline_id=old.id,
            to_deadline_id=new.id,
            from_on=old.due_on,
            to_on=due_on,
            reason=reason.strip(),
            document=document,
            at=now,
            by=by,
        )
    )
    task.deadline_id = new.id
    session.flush()
    return new


def deadline_on(
    session: Session, cycle: Cycle, old: Deadline, origin: Origin, due_on: date, now: datetime, zone: str
) -> Deadline:
    """The deadline of a cycle for what was moved to a day; the first one moved there makes it."""
    query = select(Deadline).where(
        col(Deadline.cycle_id) == cycle.id,
        col(Deadline.level) == old.level,
        col(Deadline.origin) == origin.value,
        col(Deadline.due_on) == due_on,
    )
    return session.exec(query).first() or _deadline(session, cycle, old, origin, due_on, now, zone)


def _deadline(
    session: Session, cycle: Cycle, old: Deadline, origin: Origin, due_on: date, now: datetime, zone: str
) -> Deadline:
    obligation, calendar = obligation_of(session, cycle), calendar_for(session, cycle)
    grace = _grace(obligation, old.level, cycle.period)
    new = Deadline(
        cycle_id=cycle.id,
        level=old.level,
        origin=origin,
        nominal_on=due_on,
        due_on=due_on,
        grace_until=None if grace is None else calendar.after(due_on, grace),
        is_provisional=calendar.is_provisional(due_on),
        set_by=SetBy.OFFICE,
        reasons=[Reason.of(f"moved.{origin.value}", was=old.due_on, day=due_on).as_json()],
    )
    session.add(new)
    session.flush()
    on = today(now, zone)
    plan_steps(session, new, obligation, calendar, on, on, zone, is_first=False)
    return new


def _grace(obligation: Obligation, level: str, period: str) -> Offset | None:
    """As long as the plan gives for this period to this level or variant."""
    cadence = next((each.cadence for each in obligation.variants if each.name == level), obligation.cadence)
    exception = next((each for each in cadence.exceptions if each.period.label == period), None)
    return (exception and exception.grace) or cadence.grace

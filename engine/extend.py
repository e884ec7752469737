"""One unit gets more time, or need not report at all; both are decided, with a reason."""

from datetime import date, datetime

from sqlmodel import Session, col, select

from dondoc.clock import today
from engine.close import finish, take_up
from engine.errors import RefusedError
from engine.open import plan_steps
from engine.plans import calendar_for, obligation_of
from engine.submit import locked
from engine.tell import tell_contacts
from models.cycle import Cycle
from models.deadline import Deadline, Origin
from models.entry import append
from models.extension import Exemption, Extension
from models.notice import NoticeKind
from models.task import Act, Task, TaskState
from schedules.plan import Obligation, Offset, Rung, SetBy
from schedules.reason import Reason


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
    if due_on < today(now, zone) or due_on <= deadline.due_on:
        raise RefusedError("refused.not_later", on=due_on, due_on=deadline.due_on)
    task.move(act, now)
    moved = move_to(
        session, task, Origin.EXTENSION, due_on, reason=reason, document=document, by=by, now=now, zone=zone
    )
    take_up(session, session.get_one(Cycle, task.cycle_id), moved.id, now)
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
    query = select(Deadline).where(
        col(Deadline.cycle_id) == cycle.id,
        col(Deadline.level) == old.level,
        col(Deadline.origin) == origin.value,
        col(Deadline.due_on) == due_on,
    )
    new = session.exec(query).first() or _deadline(session, cycle, old, origin, due_on, now, zone)
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

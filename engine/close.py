"""When is a cycle over? It closes when no task is open any more, or by hand."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, exists, func, or_, select, update
from sqlmodel import Session, col

from engine.errors import RefusedError
from models.cycle import Cycle, CycleState
from models.deadline import Deadline
from models.entry import append
from models.link import Link
from models.step import Step, StepKind, StepState
from models.task import OWING, UNFINISHED, Task, TaskState

CYCLE_CLOSED: Final = "step.cycle_closed"  #: why the rest of a ladder was skipped
#: What is done late rather than not at all.
NEVER_SKIPPED: Final = (StepKind.ESCALATE, StepKind.RESUME, StepKind.CLOSE)
LINK_LIFE: Final = timedelta(days=14)  #: how long a unit's link still opens its receipt after the cycle closed


def finish(session: Session, cycle: Cycle, now: datetime) -> bool:
    """Closes the cycle when nothing in it is unfinished. Every act that ends a task calls it."""
    unfinished = exists().where(
        col(Task.cycle_id) == cycle.id, col(Task.state).in_([state.value for state in UNFINISHED])
    )
    session.flush()
    if cycle.state != CycleState.OPEN or session.scalar(select(unfinished)):
        return False
    end(session, cycle, now)
    append(session, "closed", by="system", at=now, cycle_id=cycle.id)
    return True


def take_up(session: Session, cycle: Cycle, deadline_id: int, now: datetime) -> None:
    """Opens a closed cycle again, because a task of this deadline was reopened or unlocked; its links live on.

    So does what was left of the deadline's ladder, unless it has been taken up before: the reminders still to come,
    every rung (none is skipped) and the end.
    """
    if cycle.state == CycleState.CLOSED:
        cycle.state, cycle.closed_at = CycleState.OPEN, None
        session.add(cycle)
        reopen_links(session, cycle)
    session.execute(
        update(Step)
        .where(
            col(Step.deadline_id) == deadline_id,
            col(Step.state) == StepState.SKIPPED.value,
            col(Step.why) == CYCLE_CLOSED,
            or_(col(Step.at) > now, col(Step.kind).in_([kind.value for kind in NEVER_SKIPPED])),
        )
        .values(state=StepState.PLANNED.value, why=None)
    )


def has_ended(session: Session, deadline_id: int, now: datetime) -> bool:
    """Whether the time of grace is over: nothing more is taken in for this deadline."""
    end = exists().where(
        col(Step.deadline_id) == deadline_id, col(Step.kind) == StepKind.CLOSE.value, col(Step.at) <= now
    )
    return bool(session.scalar(select(end)))


def miss(session: Session, where: ColumnElement[bool], now: datetime) -> None:
    """What is still owed among these tasks is missed."""
    session.execute(
        update(Task)
        .where(where, col(Task.state).in_([state.value for state in OWING]))
        .values(state=TaskState.MISSED.value, changed_at=now)
    )
    session.expire_all()


def close_cycle(session: Session, cycle_id: int, *, by: str, note: str, now: datetime) -> Cycle:
    """Closes by hand: what is still owed is missed. Refused while something waits for review."""
    cycle = open_cycle(session, cycle_id)
    waiting = session.scalar(
        select(func.count())
        .select_from(Task)
        .where(col(Task.cycle_id) == cycle.id, col(Task.state) == TaskState.SUBMITTED.value)
    )
    if waiting:
        raise RefusedError("refused.awaiting_review", count=waiting)
    miss(session, col(Task.cycle_id) == cycle.id, now)
    end(session, cycle, now)
    append(session, "closed", by=by, at=now, cycle_id=cycle.id, note=note)
    return cycle


def open_cycle(session: Session, cycle_id: int) -> Cycle:
    """The cycle, locked. Raises RefusedError when there is none, or it is over."""
    cycle = session.get(Cycle, cycle_id, with_for_update=True)
    if cycle is None:
        raise RefusedError("refused.no_cycle", id=cycle_id)
    if cycle.state != CycleState.OPEN:
        raise RefusedError("refused.cycle_not_open", state=cycle.state)
    return cycle


def end(session: Session, cycle: Cycle, now: datetime) -> None:
    """The cycle is closed, what was still planned is skipped, and the links expire."""
    cycle.state, cycle.closed_at = CycleState.CLOSED, now
    session.add(cycle)
    session.execute(
        update(Step)
        .where(
            col(Step.deadline_id).in_(select(col(Deadline.id)).where(col(Deadline.cycle_id) == cycle.id)),
            col(Step.state) == StepState.PLANNED.value,
        )
        .values(state=StepState.SKIPPED.value, why=CYCLE_CLOSED)
    )
    session.execute(update(Link).where(_of_cycle(cycle)).values(expires_on=(now + LINK_LIFE).date()))


def reopen_links(session: Session, cycle: Cycle) -> None:
    session.execute(update(Link).where(_of_cycle(cycle)).values(expires_on=None))


def _of_cycle(cycle: Cycle) -> ColumnElement[bool]:
    return col(Link.task_id).in_(select(col(Task.id)).where(col(Task.cycle_id) == cycle.id))

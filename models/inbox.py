"""What waits for somebody? The groups of the inbox as conditions and named queries; who may act comes on top."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, select, text, true
from sqlalchemy.orm import aliased
from sqlmodel import col

from models.ask import ContactCorrection, ExtensionAsk, waiting_corrections, waiting_extensions
from models.board import has_passed
from models.contact import Contact, Role, holding
from models.cycle import Cycle
from models.deadline import Deadline
from models.message import Message, MessageState
from models.notice import Notice
from models.plan import Plan
from models.step import Step, StepKind, StepState
from models.task import OWING, Task, TaskState
from models.unit import Placement, Unit, subtree


class Group(StrEnum):
    REVIEW = "review"  #: a first version waits
    AGAIN = "again"  #: came back: returned and handed in again
    OVERDUE = "overdue"
    ESCALATED = "escalated"  #: of those: has climbed above the unit itself
    ASKS = "asks"  #: a unit asks for time, or says that it is somebody else's
    UNDELIVERED = "undelivered"  #: the last message to a contact did not arrive, or perhaps did not
    UNREACHABLE = "unreachable"  #: units that owe and have nobody who can be told
    OWING = "owing"  #: whoever still owes, late or not: for reminding a whole cycle


#: The groups that are sets of tasks, on which bulk acts work.
OF_TASKS: Final = (Group.REVIEW, Group.AGAIN, Group.OVERDUE, Group.ESCALATED, Group.OWING)
FAILED: Final = (MessageState.REFUSED, MessageState.BOUNCED, MessageState.UNKNOWN)
#: Written out, because SQLite takes a partial index only for words that it sees.
_IS_UNFINISHED: Final = text("task.state IN ('open', 'submitted', 'returned')")
_ARRIVED: Final = (MessageState.SENT.value, MessageState.DELIVERED.value, MessageState.READ.value)
_OWING: Final = tuple(state.value for state in OWING)


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What a reader keeps of a group; None and empty keep everything."""

    plan: str = ""  #: its code
    cycle_id: int | None = None
    path: str = ""  #: units at or below it, as they stood when the task was opened
    unit_ids: Sequence[int] | None = None

    @property
    def tasks(self) -> ColumnElement[bool]:
        """The condition on task rows, whatever else is joined to them."""
        parts: list[ColumnElement[bool]] = [true()]
        if self.plan:
            cycles = select(col(Cycle.id)).join(Plan, col(Plan.id) == col(Cycle.plan_id))
            parts.append(col(Task.cycle_id).in_(cycles.where(col(Plan.code) == self.plan)))
        if self.cycle_id is not None:
            parts.append(col(Task.cycle_id) == self.cycle_id)
        if self.path:
            parts.append(col(Task.placement_id).in_(select(col(Placement.id)).where(subtree(self.path))))
        if self.unit_ids is not None:
            parts.append(col(Task.unit_id).in_(self.unit_ids))
        return and_(*parts)


def in_group(group: Group, today: date, now: datetime) -> ColumnElement[bool]:
    """The condition on task rows, whatever else is joined to them."""
    state = col(Task.state)
    passed = exists().where(col(Deadline.id) == col(Task.deadline_id), has_passed(today, now)).correlate(Task)
    match group:
        case Group.REVIEW:
            is_in = and_(state == TaskState.SUBMITTED.value, col(Task.returns) == 0)
        case Group.AGAIN:
            is_in = and_(state == TaskState.SUBMITTED.value, col(Task.returns) > 0)
        case Group.OVERDUE:
            is_in = and_(state.in_(_OWING), passed)
        case Group.ESCALATED:
            is_in = and_(state.in_(_OWING), col(Task.deadline_id).in_(_climbed()))
        case Group.OWING:
            is_in = state.in_(_OWING)
        case _:
            raise ValueError(f"expected a group of tasks ({', '.join(OF_TASKS)}), got {group}")
    return and_(_IS_UNFINISHED, is_in)


def counts(
    reviewed: ColumnElement[bool],
    chased: ColumnElement[bool],
    contacts: ColumnElement[bool],
    units: ColumnElement[bool],
    today: date,
    now: datetime,
) -> Select[Any]:
    """How much is in each group, in one row whose columns are named as the groups.

    `reviewed` and `chased` are conditions on tasks, `contacts` one on contacts, `units` one on Task.unit_id.
    """
    rights = {Group.REVIEW: reviewed, Group.AGAIN: reviewed, Group.OVERDUE: chased, Group.ESCALATED: chased}
    of_tasks = [
        func.coalesce(func.sum(case((and_(right, in_group(group, today, now)), 1), else_=0)), 0).label(group.value)
        for group, right in rights.items()
    ]
    tasks = select(*of_tasks).select_from(Task).where(_IS_UNFINISHED).subquery()
    asks = select(func.count()).select_from(asked_for_time(chased).order_by(None).subquery()).scalar_subquery()
    corrections = select(func.count()).select_from(corrected(contacts).order_by(None).subquery()).scalar_subquery()
    failed = select(func.count()).select_from(undelivered(contacts).order_by(None).subquery()).scalar_subquery()
    silent = select(func.count()).select_from(unreachable(units).order_by(None).subquery()).scalar_subquery()
    return select(
        *tasks.c,
        (asks + corrections).label(Group.ASKS.value),
        failed.label(Group.UNDELIVERED.value),
        silent.label(Group.UNREACHABLE.value),
    ).select_from(tasks)


def listed(where: ColumnElement[bool], *, by_waiting: bool) -> Select[Any]:
    """Tasks with what a row says of them: (Task, Unit, Deadline, Cycle, above: name of the superior).

    `by_waiting`: who has waited longest for review first; else the longest due first.
    """
    above = aliased(Unit)
    order = col(Task.changed_at) if by_waiting else col(Deadline.due_on)
    return (
        select(Task, Unit, Deadline, Cycle, col(above.name).label("above"))
        .join(Unit, col(Unit.id) == col(Task.unit_id))
        .join(Deadline, col(Deadline.id) == col(Task.deadline_id))
        .join(Cycle, col(Cycle.id) == col(Task.cycle_id))
        .join(Placement, col(Placement.id) == col(Task.placement_id))
        .join(above, col(above.id) == col(Placement.parent_id), isouter=True)
        .where(where)
        .order_by(order, col(Unit.name), col(Task.id))
    )


def asked_for_time(where: ColumnElement[bool]) -> Select[tuple[ExtensionAsk]]:
    """The wishes that wait. `where` is a condition on the task."""
    return waiting_extensions().where(where)


def corrected(where: ColumnElement[bool]) -> Select[tuple[ContactCorrection]]:
    """The "not me" that wait. `where` is a condition on the contact."""
    return waiting_corrections().join(Contact, col(Contact.id) == col(ContactCorrection.contact_id)).where(where)


def undelivered(where: ColumnElement[bool]) -> Select[Any]:
    """Messages that failed or may have failed, while something they told of is still owed and no later one arrived.

    Rows (Message, Contact), the newest first. `where` is a condition on the contact.
    """
    newer = aliased(Message)
    is_owed = exists().where(
        col(Notice.message_id) == col(Message.id), col(Task.id) == col(Notice.task_id), col(Task.state).in_(_OWING)
    )
    arrived = exists().where(
        col(newer.contact_id) == col(Message.contact_id),
        col(newer.id) > col(Message.id),
        col(newer.state).in_(_ARRIVED),
    )
    return (
        select(Message, Contact)
        .join(Contact, col(Contact.id) == col(Message.contact_id))
        .where(
            text("message.state IN ('refused', 'bounced', 'unknown')"),
            is_owed.correlate(Message),
            ~arrived.correlate(Message),
            where,
        )
        .order_by(col(Message.id).desc())
    )


def unreachable(where: ColumnElement[bool]) -> Select[Any]:
    """Units that owe and have no contact who can be told: (unit_id, tasks). `where` is a condition on Task.unit_id."""
    reachable = holding(Role.CONTACT).whereclause
    assert reachable is not None
    told = exists().where(col(Contact.unit_id) == col(Task.unit_id), reachable).correlate(Task)
    return (
        select(col(Task.unit_id), func.count().label("tasks"))
        .where(_IS_UNFINISHED, col(Task.state).in_(_OWING), ~told, where)
        .group_by(col(Task.unit_id))
        .order_by(func.count().desc(), col(Task.unit_id))
    )


def _climbed() -> Select[tuple[int]]:
    """The deadlines of which an escalation went out to somebody above the unit."""
    return select(col(Step.deadline_id)).where(
        col(Step.kind) == StepKind.ESCALATE.value,
        col(Step.state) == StepState.FIRED.value,
        ~col(Step.rung).startswith("unit."),
    )

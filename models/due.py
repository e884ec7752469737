"""What is due when? The opened work of some days: of one unit task by task, or of plans deadline by deadline."""

from collections.abc import Collection
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, case, func, select
from sqlmodel import col

from models.board import Reach, placed, shown_state
from models.cycle import Cycle
from models.deadline import Deadline
from models.entry import Entry
from models.task import Task, TaskState

#: What neither has to come nor is waited for.
_NOT_ASKED = (TaskState.EXEMPTED.value, TaskState.CANCELLED.value)


def of_unit(
    unit_id: int, plan_ids: Collection[int], first: date, after: date, today: date, now: datetime, reach: Reach
) -> Select[Any]:
    """Rows (Cycle, Deadline, task_id, shown, entries): `entries` of the journal about the task, which only grow."""
    entries = select(func.count()).select_from(Entry).where(col(Entry.task_id) == col(Task.id)).correlate(Task)
    return (
        select(
            Cycle,
            Deadline,
            col(Task.id).label("task_id"),
            shown_state(today, now).label("shown"),
            entries.scalar_subquery().label("entries"),
        )
        .join(Task, col(Task.cycle_id) == col(Cycle.id))
        .join(Deadline, col(Deadline.id) == col(Task.deadline_id))
        .where(col(Task.unit_id) == unit_id, col(Task.state) != TaskState.CANCELLED.value, *placed(reach))
        .where(col(Cycle.plan_id).in_(plan_ids), col(Deadline.due_on) >= first, col(Deadline.due_on) < after)
        .order_by(col(Deadline.due_on), col(Cycle.id))
    )


def of_plans(plan_ids: Collection[int], first: date, after: date, reach: Reach) -> Select[Any]:
    """Rows (Cycle, Deadline, tasks, accepted): the days that the plans set, and those decided for some units."""
    return (
        select(
            Cycle,
            Deadline,
            func.sum(case((col(Task.state).in_(_NOT_ASKED), 0), else_=1)).label("tasks"),
            func.sum(case((col(Task.state) == TaskState.ACCEPTED.value, 1), else_=0)).label("accepted"),
        )
        .join(Task, col(Task.cycle_id) == col(Cycle.id))
        .join(Deadline, col(Deadline.id) == col(Task.deadline_id))
        .where(col(Cycle.plan_id).in_(plan_ids), col(Deadline.due_on) >= first, col(Deadline.due_on) < after)
        .where(*placed(reach))
        .group_by(col(Cycle.id), col(Deadline.id))
        .order_by(col(Deadline.due_on), col(Cycle.id), col(Deadline.id))
    )


def opened(plan_ids: Collection[int]) -> Select[Any]:
    """What was opened at all: (plan_id, obligation, period)."""
    return select(col(Cycle.plan_id), col(Cycle.obligation), col(Cycle.period)).where(col(Cycle.plan_id).in_(plan_ids))

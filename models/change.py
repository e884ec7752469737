"""What has changed since a page was drawn? The tasks and cycles that the journal names after an entry."""

from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import aliased
from sqlmodel import col

from models.cycle import Cycle
from models.entry import Entry, JournalHead
from models.task import Task
from models.unit import Placement

#: More entries than this are not looked through one by one: then anything may have changed.
MOST: Final = 500


def newest() -> Select[tuple[int]]:
    """The number of the last entry."""
    return select(col(JournalHead.number))


def changed(after: int) -> Select[Any]:
    """What the entries after a number name: (task_id, cycle_id, plan_id), each None where the entry names none."""
    cycle_id = func.coalesce(col(Entry.cycle_id), col(Task.cycle_id))
    return (
        select(col(Entry.task_id), cycle_id.label("cycle_id"), col(Cycle.plan_id))
        .select_from(Entry)
        .join(Task, col(Task.id) == col(Entry.task_id), isouter=True)
        .join(Cycle, col(Cycle.id) == cycle_id, isouter=True)
        .where(col(Entry.id) > after)
        .distinct()
        .limit(MOST + 1)
    )


def tasks_among(ids: Collection[int], seen: Any) -> Select[tuple[int]]:
    """Those of these tasks that `seen` lets through; it is given the columns with the paths of unit and receiver."""
    receiver = aliased(Placement)
    return (
        select(col(Task.id))
        .join(Placement, col(Placement.id) == col(Task.placement_id))
        .join(receiver, (receiver.unit_id == Task.receiver_id) & receiver.valid_to.is_(None), isouter=True)  # type: ignore[union-attr]
        .where(col(Task.id).in_(ids), seen((col(Placement.path), col(receiver.path))))
    )


def cycles_among(ids: Collection[int], seen: ColumnElement[bool]) -> Select[tuple[int]]:
    """Those of these cycles of which a task at a path that may be seen exists."""
    return (
        select(col(Task.cycle_id))
        .join(Placement, col(Placement.id) == col(Task.placement_id))
        .where(col(Task.cycle_id).in_(ids), seen)
        .distinct()
    )

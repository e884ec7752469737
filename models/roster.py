"""Which units are there, can they be told, what do they owe? The named queries of the unit pages."""

from collections.abc import Collection
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Case, ColumnElement, Select, and_, case, exists, extract, func, literal, select
from sqlalchemy.orm import aliased
from sqlmodel import col

from models.board import has_passed, shown_state
from models.contact import Contact, Role, is_reachable
from models.cycle import Cycle
from models.deadline import Deadline
from models.task import OWING, Task
from models.unit import Placement, Unit, valid


class Reach(StrEnum):
    """Whether a unit's own contacts get what is sent."""

    OK = "ok"
    NO_CONTACT = "no_contact"
    NO_ADDRESS = "no_address"
    BOUNCING = "bouncing"  #: every address that there is was refused for good


def reach() -> Case[str]:
    """The Reach of the unit of a Placement row."""
    mine = and_(
        col(Contact.unit_id) == col(Placement.unit_id), col(Contact.role) == Role.CONTACT.value, col(Contact.is_active)
    )
    return case(
        (exists().where(mine, is_reachable()).correlate(Placement), literal(Reach.OK.value)),
        (~exists().where(mine).correlate(Placement), literal(Reach.NO_CONTACT.value)),
        (~exists().where(mine, col(Contact.email).is_not(None)).correlate(Placement), literal(Reach.NO_ADDRESS.value)),
        else_=literal(Reach.BOUNCING.value),
    )


def units(on: date, *where: ColumnElement[bool]) -> Select[Any]:
    """The units of a day. Rows (unit_id, code, name, kind, path, parent_id, reach, below): the units right below it."""
    child = aliased(Placement)
    below = (
        select(func.count())
        .select_from(child)
        .where(col(child.parent_id) == col(Placement.unit_id), valid(on, child))
        .correlate(Placement)
        .scalar_subquery()
    )
    return (
        select(
            col(Unit.id).label("unit_id"),
            col(Unit.code),
            col(Unit.name),
            col(Placement.kind),
            col(Placement.path),
            col(Placement.parent_id),
            reach().label("reach"),
            below.label("below"),
        )
        .join(Unit, col(Unit.id) == col(Placement.unit_id))
        .where(valid(on, Placement), *where)
    )


def kinds(on: date, *where: ColumnElement[bool]) -> Select[tuple[str]]:
    return select(col(Placement.kind)).where(valid(on, Placement), *where).distinct().order_by(col(Placement.kind))


def owing(today: date, now: datetime, unit_ids: Collection[int] | None = None) -> Select[Any]:
    """Rows (unit_id, owed, overdue) of the units that owe something; of all, or of these."""
    late = func.sum(case((has_passed(today, now), 1), else_=0))
    query = (
        select(col(Task.unit_id), func.count().label("owed"), late.label("overdue"))
        .join(Deadline, col(Deadline.id) == col(Task.deadline_id))
        .where(col(Task.state).in_([state.value for state in OWING]))
        .group_by(col(Task.unit_id))
    )
    return query if unit_ids is None else query.where(col(Task.unit_id).in_(unit_ids))


def contacts_of(unit_ids: Collection[int]) -> Select[tuple[Contact]]:
    """The active contacts who hand reports in."""
    return (
        select(Contact)
        .where(col(Contact.unit_id).in_(unit_ids), col(Contact.is_active), col(Contact.role) == Role.CONTACT.value)
        .order_by(col(Contact.id))
    )


def years_of(unit_id: int) -> Select[Any]:
    """Rows (year, tasks) of the years in which something of the unit was or is due, the newest first."""
    year = extract("year", col(Deadline.due_on))
    return (
        select(year.label("year"), func.count().label("tasks"))
        .join(Task, col(Task.deadline_id) == col(Deadline.id))
        .where(col(Task.unit_id) == unit_id)
        .group_by(year)
        .order_by(year.desc())
    )


def tasks_of(unit_id: int, year: int, today: date, now: datetime) -> Select[Any]:
    """Rows (Task, Cycle, Deadline, shown) of what was or is due in a year, the latest first."""
    return (
        select(Task, Cycle, Deadline, shown_state(today, now).label("shown"))
        .join(Cycle, col(Cycle.id) == col(Task.cycle_id))
        .join(Deadline, col(Deadline.id) == col(Task.deadline_id))
        .where(col(Task.unit_id) == unit_id, col(Deadline.due_on) >= date(year, 1, 1))
        .where(col(Deadline.due_on) <= date(year, 12, 31))
        .order_by(col(Deadline.due_on).desc(), col(Task.id).desc())
    )

"""Whom does a timeline concern? Of its rows those that one unit owes, as the unit stands on each opening day."""

from collections.abc import Iterable
from datetime import date

from sqlmodel import Session, col

from engine.errors import RefusedError
from models.unit import Placement, matching, unit_by_code
from schedules.audience import Audience
from schedules.timeline import Row


def rows_of(session: Session, rows: Iterable[Row], unit_code: str, plan_id: int | None) -> list[Row]:
    """The rows whose audience the unit belongs to. `plan_id` None: no milestone was entered for anybody."""
    unit = unit_by_code(session, unit_code)
    if unit is None:
        raise RefusedError("refused.no_unit", unit=unit_code)
    return [row for row in rows if _belongs(session, unit.id, row.day.who, row.occurrence.opens_on, plan_id)]


def _belongs(session: Session, unit_id: int, who: Audience, on: date, plan_id: int | None) -> bool:
    found = matching(who, on, plan_id).where(col(Placement.unit_id) == unit_id)
    return session.scalars(found).first() is not None

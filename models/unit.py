"""Who is there? Units, and from day to day their place in the tree and their kind."""

from datetime import date
from typing import Any, Final

from sqlalchemy import ColumnElement, Index, Select, and_, exists, false, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import Field, Session, SQLModel, col

from models.columns import PATH
from models.milestone import milestone_day
from schedules.audience import Audience

BEYOND: Final = ":"  #: sorts after every digit: [path, path + BEYOND) is the subtree


class Unit(SQLModel, table=True):
    """A unit keeps its id and code through every move; what it was on a day says its Placement."""

    id: int = Field(default=None, primary_key=True)
    code: str = Field(unique=True)
    name: str


class UnitTag(SQLModel, table=True):
    """A lasting property that an audience may ask for."""

    __tablename__ = "unit_tag"
    unit_id: int = Field(foreign_key="unit.id", primary_key=True)
    tag: str = Field(primary_key=True)


class Placement(SQLModel, table=True):
    """Where a unit stands and what kind it is, from `valid_from` up to, not including, `valid_to`."""

    __table_args__ = (Index("ix_placement_path", "path"),)
    id: int = Field(default=None, primary_key=True)
    unit_id: int = Field(foreign_key="unit.id", index=True)
    parent_id: int | None = Field(default=None, foreign_key="unit.id", index=True)
    path: str = Field(sa_type=PATH)  #: ids of the units from the root to this one, eight digits and a dot each
    kind: str
    valid_from: date
    valid_to: date | None = None  #: None: still valid


def path_of(unit_id: int, parent_path: str = "") -> str:
    return f"{parent_path}{unit_id:08}."


def units_above(path: str) -> list[int]:
    """The ids of the units above the last one of a path, from the root down."""
    return [int(each) for each in path.split(".")[:-2]]


def subtree(path: str) -> ColumnElement[bool]:
    """Placements at or below a path: a range, which an index answers and LIKE on PostgreSQL may not."""
    return and_(col(Placement.path) >= path, col(Placement.path) < path + BEYOND)


def valid(on: date, placement: Any = Placement) -> ColumnElement[bool]:
    """The placements in force on a day."""
    return and_(placement.valid_from <= on, or_(placement.valid_to.is_(None), placement.valid_to > on))


def matching(audience: Audience, on: date, plan_id: int | None = None) -> Select[tuple[Placement]]:
    """The placements, as of that day, of the units that belong to an audience: the only evaluator of Audience.

    `plan_id` says whose milestones an audience that waits for one means.
    """
    return select(Placement).where(valid(on, Placement), _belongs(audience, on, plan_id)).order_by(col(Placement.id))


def unit_by_code(session: Session, code: str) -> Unit | None:
    return session.scalars(select(Unit).where(col(Unit.code) == code)).first()


def placement_on(session: Session, unit_id: int, on: date) -> Placement | None:
    """Where a unit stood on a day; None when it was not there."""
    return session.scalars(select(Placement).where(col(Placement.unit_id) == unit_id, valid(on, Placement))).first()


def _belongs(audience: Audience, on: date, plan_id: int | None) -> ColumnElement[bool]:
    parts: list[ColumnElement[bool]] = []
    if audience.kinds:
        parts.append(col(Placement.kind).in_(sorted(audience.kinds)))
    if audience.tags:
        parts.append(
            exists().where(UnitTag.unit_id == Placement.unit_id, col(UnitTag.tag).in_(sorted(audience.tags)))  # type: ignore[arg-type]
        )
    if audience.units:
        parts.append(col(Placement.unit_id).in_(select(Unit.id).where(col(Unit.code).in_(sorted(audience.units)))))  # type: ignore[call-overload]
    if audience.under:
        parts.append(_under(audience.under, on))
    if audience.both is not None:
        parts.append(_belongs(audience.both, on, plan_id))
    if audience.reached is not None:
        parts.append(
            milestone_day(plan_id, audience.reached.milestone, audience.reached.period, col(Placement.unit_id))
            == audience.reached.on
        )
    if not parts:
        return false()  # an audience of nobody in particular is a mistake, never the whole organisation
    return and_(*parts, *(~_belongs(each, on, plan_id) for each in audience.minus))


def _under(codes: frozenset[str], on: date) -> ColumnElement[bool]:
    top, unit = aliased(Placement), aliased(Unit)
    return exists().where(
        unit.id == top.unit_id,  # type: ignore[arg-type]
        col(unit.code).in_(sorted(codes)),
        valid(on, top),
        col(Placement.path) >= col(top.path),
        col(Placement.path) < col(top.path) + BEYOND,
    )

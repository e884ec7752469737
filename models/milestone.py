"""Has it happened? The day of a milestone, for all units of a plan or for one."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Index, Select, func, select, text
from sqlmodel import Field, SQLModel, col

from models.columns import Moment


class MilestoneDay(SQLModel, table=True):
    """A unit's own day goes before the day for all (`unit_id` None)."""

    __tablename__ = "milestone_day"
    __table_args__ = (
        Index("uq_milestone_unit", "plan_id", "milestone", "period", "unit_id", unique=True),
        Index(  # a NULL differs from every NULL, so the index above would let a second day for all in
            "uq_milestone_all",
            "plan_id",
            "milestone",
            "period",
            unique=True,
            sqlite_where=text("unit_id IS NULL"),
            postgresql_where=text("unit_id IS NULL"),
        ),
    )
    id: int = Field(default=None, primary_key=True)
    plan_id: int = Field(foreign_key="plan.id")
    milestone: str
    period: str
    unit_id: int | None = Field(default=None, foreign_key="unit.id")
    on: date
    entered_at: datetime = Field(sa_type=Moment)
    by: str


def milestone_day(plan_id: int | None, milestone: str, period: str, unit_id: Any) -> ColumnElement[date | None]:
    """The day that counts for a unit: its own, else the one for all, else NULL."""
    day = (
        select(MilestoneDay.on)  # type: ignore[call-overload]
        .where(
            col(MilestoneDay.plan_id) == plan_id,
            col(MilestoneDay.milestone) == milestone,
            col(MilestoneDay.period) == period,
        )
        .correlate_except(MilestoneDay)
    )
    own = day.where(col(MilestoneDay.unit_id) == unit_id).scalar_subquery()
    for_all = day.where(col(MilestoneDay.unit_id).is_(None)).scalar_subquery()
    return func.coalesce(own, for_all)


def entered(plan_id: int) -> Select[tuple[str, str, date]]:
    """The distinct days of a plan's milestones: (milestone, period, day)."""
    return (
        select(col(MilestoneDay.milestone), col(MilestoneDay.period), col(MilestoneDay.on))
        .where(col(MilestoneDay.plan_id) == plan_id)
        .distinct()
    )

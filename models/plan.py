"""Which plans are in force? A plan, and each version of its file that was applied."""

from datetime import date, datetime
from functools import lru_cache

from sqlalchemy import BindParameter, Index, Select, select, text
from sqlmodel import Field, SQLModel, col

from models.columns import Moment
from schedules import load
from schedules.plan import Plan as PlanFile


class Plan(SQLModel, table=True):
    id: int = Field(default=None, primary_key=True)
    code: str = Field(unique=True)
    title_vi: str
    title_en: str


class Revision(SQLModel, table=True):
    """A version of a plan's file as applied; the text never changes afterwards."""

    __table_args__ = (
        Index(
            "uq_revision_active",
            "plan_id",
            unique=True,
            sqlite_where=text("is_active"),
            postgresql_where=text("is_active"),
        ),
        Index("uq_revision_number", "plan_id", "number", unique=True),
    )
    id: int = Field(default=None, primary_key=True)
    plan_id: int = Field(foreign_key="plan.id")
    number: int
    text: str
    hash: str  #: SHA-256 of the text
    calendar: str  #: code of the calendar that it counts by, taken from the text
    applied_at: datetime = Field(sa_type=Moment)
    by: str
    reason: str | None = None
    agreed_by: str | None = None  #: the second person
    restores: int | None = None  #: number of the revision whose text this one brings back
    from_on: date  #: adoption: what was due before this day is not opened
    is_active: bool = True
    next_open_on: date  #: before this day the open pass has nothing to look at


@lru_cache(maxsize=64)
def parsed(text: str) -> PlanFile:
    """The plan as a revision's text says it."""
    plan, problems = load.parse(text.encode(), "revision")
    if plan is None:  # it was valid when it was applied: the language has changed since
        raise ValueError("; ".join(problem.text("en") for problem in problems))
    return plan


def active() -> Select[tuple[Revision]]:
    return select(Revision).where(col(Revision.is_active)).order_by(col(Revision.plan_id))


def to_open(on: date | BindParameter[date]) -> Select[tuple[Revision]]:
    """The active revisions that may have something to open on a day."""
    return active().where(col(Revision.next_open_on) <= on)

"""By when? The due days of a cycle: one a level, one a day that units were extended to, one a milestone's day."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import JSON, UniqueConstraint
from sqlmodel import Field, SQLModel

from models.columns import Moment
from schedules.plan import SetBy


class Origin(StrEnum):
    PLAN = "plan"
    MILESTONE = "milestone"
    EXTENSION = "extension"
    RETURN = "return"  #: a return that set its own date


FIXED: Final = (Origin.PLAN, Origin.MILESTONE)  #: the days of the plan; the others were decided for some units


class Deadline(SQLModel, table=True):
    """Shared by all tasks with the same due day for the same cause; each task has exactly one."""

    __table_args__ = (UniqueConstraint("cycle_id", "level", "origin", "due_on"),)
    id: int = Field(default=None, primary_key=True)
    cycle_id: int = Field(foreign_key="cycle.id")
    level: str = ""  #: name of the level or variant; empty for the plain case
    origin: str = Origin.PLAN
    nominal_on: date  #: by the rule alone, before rolling
    due_on: date  #: on time until 24:00 of this day in the organisation's zone
    due_at: datetime | None = Field(default=None, sa_type=Moment)  #: on time until this moment of `due_on`
    grace_until: date | None = None  #: taken, but late; None: until the cycle is closed by hand
    is_provisional: bool = False
    set_by: str
    reasons: list[dict[str, Any]] = Field(sa_type=JSON)

    def has_passed(self, on: date, now: datetime) -> bool:
        """Whether what comes in now is late. `on` is the day of `now` in the organisation's zone."""
        return on > self.due_on or (self.due_at is not None and now > self.due_at)

    @property
    def is_office_set(self) -> bool:
        """The plan's day, which its document does not give; not one that was decided for some units."""
        return self.set_by == SetBy.OFFICE and self.origin in FIXED

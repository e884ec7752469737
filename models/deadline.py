"""By when? The due days of a cycle: one a level, one a day that units were extended to, one a milestone's day."""

from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, UniqueConstraint
from sqlmodel import Field, SQLModel


class Origin(StrEnum):
    PLAN = "plan"
    MILESTONE = "milestone"
    EXTENSION = "extension"
    RETURN = "return"  #: a return that set its own date


class Deadline(SQLModel, table=True):
    """Shared by all tasks with the same due day for the same cause; each task has exactly one."""

    __table_args__ = (UniqueConstraint("cycle_id", "level", "origin", "due_on"),)
    id: int = Field(default=None, primary_key=True)
    cycle_id: int = Field(foreign_key="cycle.id")
    level: str = ""  #: name of the level or variant; empty for the plain case
    origin: str = Origin.PLAN
    nominal_on: date  #: by the rule alone, before rolling
    due_on: date  #: on time until 24:00 of this day in the organisation's zone
    grace_until: date | None = None  #: taken, but late; None: until the cycle is closed by hand
    is_provisional: bool = False
    set_by: str
    reasons: list[dict[str, Any]] = Field(sa_type=JSON)

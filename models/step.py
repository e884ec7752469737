"""What happens when? The planned moments of a deadline, and what each of them did."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BindParameter, Index, Select, UniqueConstraint, select, text
from sqlmodel import Field, SQLModel, col

from models.columns import Moment
from models.cycle import Cycle, CycleState
from models.deadline import Deadline


class StepKind(StrEnum):
    REMIND = "remind"
    DUE = "due"
    ESCALATE = "escalate"
    RESUME = "resume"  #: "đã biết" has ended: the rungs that it held are told
    CLOSE = "close"  #: the end of grace: what is still open is missed


class StepState(StrEnum):
    PLANNED = "planned"
    FIRED = "fired"
    SKIPPED = "skipped"  #: its moment passed while nobody looked, or before the plan was adopted
    REPLACED = "replaced"  #: its deadline was moved


class Step(SQLModel, table=True):
    __table_args__ = (
        UniqueConstraint("deadline_id", "kind", "ordinal"),
        Index(
            "ix_step_planned", "at", sqlite_where=text("state = 'planned'"), postgresql_where=text("state = 'planned'")
        ),
    )
    id: int = Field(default=None, primary_key=True)
    deadline_id: int = Field(foreign_key="deadline.id")
    kind: str
    ordinal: int  #: 1, 2, ... within its kind
    rung: str  #: who is told; empty for close
    on: date  #: the day it was planned for, in the organisation's zone
    at: datetime = Field(sa_type=Moment)  #: when it may fire; an escalation that had to wait fires later than planned
    state: str = StepState.PLANNED
    fired_at: datetime | None = Field(default=None, sa_type=Moment)
    why: str | None = None  #: code of the reason for skipping or waiting
    counts: dict[str, Any] | None = Field(default=None, sa_type=JSON)  #: told, submitted, accepted, ...: they add up


def due_steps(now: datetime | BindParameter[datetime]) -> Select[tuple[Step, Deadline, Cycle]]:
    """The steps whose moment has come, of open cycles that are not paused, in the order of their moments."""
    return (
        select(Step, Deadline, Cycle)
        .join(Deadline, col(Deadline.id) == col(Step.deadline_id))
        .join(Cycle, col(Cycle.id) == col(Deadline.cycle_id))
        .where(
            col(Step.state) == StepState.PLANNED.value,
            col(Step.at) <= now,
            col(Cycle.state) == CycleState.OPEN.value,
            col(Cycle.paused_at).is_(None),
        )
        .order_by(col(Step.at), col(Step.id))
    )


def next_step(after: datetime) -> Select[tuple[Step, Cycle]]:
    """The first planned step after a moment."""
    return (
        select(Step, Cycle)
        .join(Deadline, col(Deadline.id) == col(Step.deadline_id))
        .join(Cycle, col(Cycle.id) == col(Deadline.cycle_id))
        .where(
            col(Step.state) == StepState.PLANNED.value,
            col(Step.at) > after,
            col(Cycle.state) == CycleState.OPEN.value,
            col(Cycle.paused_at).is_(None),
        )
        .order_by(col(Step.at), col(Step.id))
        .limit(1)
    )

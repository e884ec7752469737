"""What was opened? A cycle: one obligation for one period, with its words and dates copied in."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from models.columns import Moment


class CycleState(StrEnum):
    OPEN = "open"
    CLOSED = "closed"  #: no task is open any more
    CANCELLED = "cancelled"


class Cycle(SQLModel, table=True):
    """Unique by (plan, obligation, period): that is what opens a cycle once."""

    __table_args__ = (
        UniqueConstraint("plan_id", "obligation", "period"),
        Index("ix_cycle_state", "state", sqlite_where=text("state = 'open'"), postgresql_where=text("state = 'open'")),
    )
    id: int = Field(default=None, primary_key=True)
    plan_id: int = Field(foreign_key="plan.id")
    revision_id: int = Field(foreign_key="revision.id")
    obligation: str
    period: str
    title_vi: str
    title_en: str
    source: str  #: clauses, joined by "; "
    issuer_id: int = Field(foreign_key="unit.id")
    state: str = CycleState.OPEN
    opens_on: date
    opened_at: datetime = Field(sa_type=Moment)
    closed_at: datetime | None = Field(default=None, sa_type=Moment)
    paused_at: datetime | None = Field(default=None, sa_type=Moment)  #: no step fires while set
    pause_note: str | None = None

    def title(self, lang: str) -> str:
        return self.title_en if lang == "en" else self.title_vi

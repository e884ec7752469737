"""What was opened? A cycle: one obligation for one period, with its words and dates copied in."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Index, Select, UniqueConstraint, func, select, text
from sqlmodel import Field, SQLModel, col

from dondoc.i18n import whole_period
from models.columns import Moment
from models.deadline import Deadline, Origin
from models.task import OWING, Task
from models.unit import Placement, Unit

ADHOC: Final = "adhoc:"  #: how the period of every request begins


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

    def heading(self, lang: str) -> str:
        """The title with the period; a request has none, and is told from others of its kind by the name."""
        if self.period.startswith(ADHOC):
            return f"{self.title(lang)} ({self.period.removeprefix(ADHOC)})"
        return f"{self.title(lang)}, {whole_period(self.period, lang)}"


def extended(cycle_id: int) -> Select[Any]:
    """Those of a cycle who owe still and were given more time, counted by superior: (code, tasks)."""
    return (
        select(col(Unit.code), func.count().label("tasks"))
        .select_from(Task)
        .join(Deadline, col(Deadline.id) == col(Task.deadline_id))
        .join(Placement, col(Placement.id) == col(Task.placement_id))
        .join(Unit, col(Unit.id) == col(Placement.parent_id), isouter=True)
        .where(
            col(Task.cycle_id) == cycle_id,
            col(Task.state).in_([state.value for state in OWING]),
            col(Deadline.origin) == Origin.EXTENSION.value,
        )
        .group_by(col(Unit.code))
    )

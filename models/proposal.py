"""What shall come into force? A plan, a calendar or a sheet of units, as somebody proposed it and another decides."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from models.columns import Moment


class Policy(StrEnum):
    """What becomes of the cycles that are open when their dates change."""

    KEEP = "keep"  #: they keep their days
    MOVE = "move"  #: they move; who was told a later day than the new one is told, the others are not
    TELL = "tell"  #: they move, and everybody who was told a day is told the new one


class ProposalKind(StrEnum):
    PLAN = "plan"
    CALENDAR = "calendar"


class ProposalState(StrEnum):
    WAITING = "waiting"
    APPLIED = "applied"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class Proposal(SQLModel, table=True):
    """One at most waits for a plan or a calendar."""

    __table_args__ = (
        Index(
            "uq_proposal_waiting",
            "kind",
            "code",
            unique=True,
            sqlite_where=text("state = 'waiting'"),
            postgresql_where=text("state = 'waiting'"),
        ),
    )
    id: int = Field(default=None, primary_key=True)
    kind: str  #: plan, calendar or units
    code: str  #: of the plan or the calendar; of units the SHA-256 of the text
    text: str
    policy: str  #: what becomes of cycles that are open: keep, move or tell
    from_on: date | None = None  #: day of adoption; None: the day on which it is applied
    diff_hash: str  #: of the effect that the proposer saw
    reason: str
    by: str
    at: datetime = Field(sa_type=Moment)
    state: str = ProposalState.WAITING
    decided_by: str | None = None
    decided_at: datetime | None = Field(default=None, sa_type=Moment)
    note: str | None = None  #: why it was refused

"""Who came by, and how often? Buckets that limit attempts, and the log of visits by link."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from models.columns import Moment


class RateBucket(SQLModel, table=True):
    """A token bucket: `level` tokens were left at `at`; more run in with time."""

    __tablename__ = "rate_bucket"
    key: str = Field(primary_key=True)  #: what is limited: sign-in:<login>, link:<address>
    level: float
    at: datetime = Field(sa_type=Moment)


class Visit(SQLModel, table=True):
    """One use of a unit's link. Pruned after a year."""

    __tablename__ = "access_log"
    id: int = Field(default=None, primary_key=True)
    contact_id: int = Field(foreign_key="contact.id", index=True)
    task_id: int | None = Field(default=None, foreign_key="task.id", index=True)
    at: datetime = Field(sa_type=Moment)
    act: str  #: opened, saved, submitted, asked, corrected, acknowledged, downloaded
    network: str  #: the address, cut to its network: 203.0.113.0/24
    agent: str

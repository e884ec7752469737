"""What did a unit ask for? More time, or another person to be written to; the office decides."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import Index, Select, select, text
from sqlmodel import Field, SQLModel, col

from models.columns import Moment
from models.task import Task, TaskState


class AskState(StrEnum):
    WAITING = "waiting"
    GRANTED = "granted"
    REFUSED = "refused"


class ExtensionAsk(SQLModel, table=True):
    """A unit's wish for a later day; one waits at a time."""

    __tablename__ = "extension_ask"
    __table_args__ = (
        Index(
            "uq_extension_ask_waiting",
            "task_id",
            unique=True,
            sqlite_where=text("state = 'waiting'"),
            postgresql_where=text("state = 'waiting'"),
        ),
    )
    id: int = Field(default=None, primary_key=True)
    task_id: int = Field(foreign_key="task.id", index=True)
    contact_id: int = Field(foreign_key="contact.id")
    until: date
    reason: str
    at: datetime = Field(sa_type=Moment)
    state: str = AskState.WAITING
    decided_at: datetime | None = Field(default=None, sa_type=Moment)
    decided_by: str | None = None
    answer: str | None = None  #: why not


class ContactCorrection(SQLModel, table=True):
    """ "Not me": who should be written to instead. Until it is decided the old contact is told as before."""

    __tablename__ = "contact_correction"
    __table_args__ = (
        Index(
            "uq_contact_correction_waiting",
            "contact_id",
            unique=True,
            sqlite_where=text("state = 'waiting'"),
            postgresql_where=text("state = 'waiting'"),
        ),
    )
    id: int = Field(default=None, primary_key=True)
    contact_id: int = Field(foreign_key="contact.id", index=True)
    name: str | None = None  #: None: they do not know who
    email: str | None = None
    note: str | None = None
    at: datetime = Field(sa_type=Moment)
    state: str = AskState.WAITING
    decided_at: datetime | None = Field(default=None, sa_type=Moment)
    decided_by: str | None = None


def waiting_extensions() -> Select[tuple[ExtensionAsk]]:
    """Wishes that the office can still decide: the task is owed, or was missed. Oldest first."""
    open_to_it = [TaskState.OPEN.value, TaskState.RETURNED.value, TaskState.MISSED.value]
    return (
        select(ExtensionAsk)
        .join(Task, col(Task.id) == col(ExtensionAsk.task_id))
        .where(col(ExtensionAsk.state) == AskState.WAITING.value, col(Task.state).in_(open_to_it))
        .order_by(col(ExtensionAsk.at), col(ExtensionAsk.id))
    )


def waiting_corrections() -> Select[tuple[ContactCorrection]]:
    """ "Not me" that nobody has looked into yet. Oldest first."""
    return (
        select(ContactCorrection)
        .where(col(ContactCorrection.state) == AskState.WAITING.value)
        .order_by(col(ContactCorrection.at), col(ContactCorrection.id))
    )

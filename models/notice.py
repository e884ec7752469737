"""What is to be told? One thing for one contact about one task, once."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from models.columns import Moment


class NoticeKind(StrEnum):
    OPENED = "opened"
    REMINDER = "reminder"
    DUE_TODAY = "due_today"
    OVERDUE = "overdue"
    ESCALATION = "escalation"
    RETURNED = "returned"
    ACCEPTED = "accepted"
    EXTENSION_DECIDED = "extension_decided"
    DATE_MOVED = "date_moved"
    RECEIPT = "receipt"


class Notice(SQLModel, table=True):
    """Unique by (task, contact, cause): firing twice tells once."""

    __table_args__ = (
        UniqueConstraint("task_id", "contact_id", "cause"),
        Index(
            "ix_notice_waiting",
            "contact_id",
            sqlite_where=text("message_id IS NULL AND dropped IS NULL"),
            postgresql_where=text("message_id IS NULL AND dropped IS NULL"),
        ),
        Index(
            "ix_notice_held",
            "held_until",
            sqlite_where=text("message_id IS NULL AND dropped IS NULL"),
            postgresql_where=text("message_id IS NULL AND dropped IS NULL"),
        ),
        Index("ix_notice_message", "message_id"),
    )
    id: int = Field(default=None, primary_key=True)
    task_id: int = Field(foreign_key="task.id")
    contact_id: int = Field(foreign_key="contact.id")
    kind: str
    rung: str  #: in which capacity the contact is told: unit.contact, superior.secretariat, ...
    cause: str  #: step:12 or entry:345
    due_on: date  #: the due day as told
    created_at: datetime = Field(sa_type=Moment)
    message_id: int | None = Field(default=None, foreign_key="message.id")
    dropped: str | None = None  #: code of the reason why it was never sent
    held: str | None = None  #: code of the reason why it waits
    held_until: datetime | None = Field(default=None, sa_type=Moment)  #: None: it waits for nothing but the next pass

"""What did a contact type so far? A draft of a task's report; handing in ends it."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, UniqueConstraint
from sqlmodel import Field, SQLModel

from models.columns import Moment


class Draft(SQLModel, table=True):
    """Answers as typed, wrong ones too; files as {name, hash, size, media_type}."""

    __table_args__ = (UniqueConstraint("task_id", "contact_id"),)
    id: int = Field(default=None, primary_key=True)
    task_id: int = Field(foreign_key="task.id")
    contact_id: int = Field(foreign_key="contact.id")
    answers: dict[str, Any] = Field(sa_type=JSON)
    files: list[dict[str, Any]] = Field(sa_type=JSON)
    saved_at: datetime = Field(sa_type=Moment)

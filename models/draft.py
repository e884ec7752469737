"""What did a contact type so far? A draft of a task's report; handing in ends it."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, UniqueConstraint
from sqlmodel import Field, Session, SQLModel, col, select

from models.columns import Moment
from models.files import StoredFile


class Draft(SQLModel, table=True):
    """Answers as typed, wrong ones too; files as {name, hash, size, media_type}."""

    __table_args__ = (UniqueConstraint("task_id", "contact_id"),)
    id: int = Field(default=None, primary_key=True)
    task_id: int = Field(foreign_key="task.id")
    contact_id: int = Field(foreign_key="contact.id")
    answers: dict[str, Any] = Field(sa_type=JSON)
    files: list[dict[str, Any]] = Field(sa_type=JSON)
    saved_at: datetime = Field(sa_type=Moment)

    @property
    def stored(self) -> tuple[StoredFile, ...]:
        return tuple(StoredFile(**file) for file in self.files)


def draft_of(session: Session, task_id: int, contact_id: int) -> Draft | None:
    query = select(Draft).where(col(Draft.task_id) == task_id, col(Draft.contact_id) == contact_id)
    return session.exec(query).first()

"""What was said about a task? Notes and records of telephone calls: chasing is mostly telephone."""

from datetime import date, datetime
from enum import StrEnum

from sqlmodel import Field, SQLModel

from models.columns import Moment


class NoteKind(StrEnum):
    NOTE = "note"
    CALL = "call"


class Note(SQLModel, table=True):
    """Free words, so they stand here and not in the journal, which nothing can be erased from."""

    id: int = Field(default=None, primary_key=True)
    task_id: int = Field(foreign_key="task.id", index=True)
    kind: str  #: a NoteKind
    text: str
    with_whom: str | None = None  #: who was on the telephone
    promised_on: date | None = None  #: the day that they promised
    by: str
    at: datetime = Field(sa_type=Moment)

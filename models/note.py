"""What was said about a task? Notes and records of telephone calls: chasing is mostly telephone."""

from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import Select, select
from sqlmodel import Field, SQLModel, col

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


def notes_of(task_id: int) -> Select[tuple[Note]]:
    """The newest first."""
    return select(Note).where(col(Note.task_id) == task_id).order_by(col(Note.id).desc())


def promise(notes: Sequence[Note]) -> Note | None:
    """The newest promise among the notes of a task, which stand with the newest first; an older one is void."""
    return next((note for note in notes if note.promised_on is not None), None)

"""What was handed in? Numbered versions with their answers and files, and what the receiver said of each."""

from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, UniqueConstraint
from sqlmodel import Field, SQLModel

from models.columns import Moment


class Way(StrEnum):
    LINK = "link"
    PAPER = "paper"
    EOFFICE = "eoffice"
    HAND = "hand"  #: entered on the command line


class Submission(SQLModel, table=True):
    """A version of a task's report. `received_on` is the day that counts, `at` the moment of the click."""

    __table_args__ = (UniqueConstraint("task_id", "number"),)
    id: int = Field(default=None, primary_key=True)
    task_id: int = Field(foreign_key="task.id")
    number: int
    way: str
    at: datetime = Field(sa_type=Moment)
    received_on: date
    due_on: date  #: the due day that this version had to meet
    due_at: datetime | None = Field(default=None, sa_type=Moment)  #: the moment that it had to meet, where hours count
    by: str  #: contact:12, or who recorded it
    answers: dict[str, Any] = Field(sa_type=JSON)
    document: str | None = None  #: number of the paper, where there is one
    key: str = Field(unique=True)  #: the form's idempotency key: a double tap makes one submission
    receipt: str = Field(unique=True)  #: code on the receipt, such as 7K4M-2PXC
    is_withdrawn: bool = False

    @property
    def came_late(self) -> bool:
        """Paper is known by its day alone, so the hour holds for what was handed in here."""
        if self.received_on != self.due_on or self.due_at is None or self.way in (Way.PAPER, Way.EOFFICE):
            return self.received_on > self.due_on
        return self.at > self.due_at


class SubmissionFile(SQLModel, table=True):
    __tablename__ = "submission_file"
    id: int = Field(default=None, primary_key=True)
    submission_id: int = Field(foreign_key="submission.id", index=True)
    name: str  #: as the unit named it, for showing only
    hash: str  #: SHA-256 of the content; the file lies under this name
    size: int  #: bytes
    media_type: str


class ReviewVerdict(StrEnum):
    ACCEPTED = "accepted"
    RETURNED = "returned"
    REOPENED = "reopened"  #: an acceptance that was undone


class Review(SQLModel, table=True):
    id: int = Field(default=None, primary_key=True)
    submission_id: int = Field(foreign_key="submission.id", index=True)
    verdict: str
    reason: str | None = None  #: never missing on a return
    due_on: date | None = None  #: the day that a return set
    does_not_count: bool = False  #: returned as no report at all
    at: datetime = Field(sa_type=Moment)
    by: str


def is_late(versions: Sequence[tuple[bool, bool]]) -> bool | None:
    """The verdict on the versions (came late, counts); None when none counts.

    On time: each version came on or before the day it had to meet. A version that was returned as no report at all is
    as if it had never come: it neither keeps nor wins a day, and wipes no lateness either.
    """
    late = [came_late for came_late, counts in versions if counts]
    return any(late) if late else None

"""What was decided for one unit? Extensions (a move to another deadline) and exemptions."""

from datetime import date, datetime

from sqlalchemy import ColumnElement, and_, exists
from sqlalchemy.orm import aliased
from sqlmodel import Field, SQLModel, col

from models.columns import Moment
from models.deadline import FIXED, Deadline
from models.task import OWING, Task


class Extension(SQLModel, table=True):
    """A task's move from one deadline of its cycle to another; the original date stays visible here.

    It was decided for one unit, or the dates of the whole cycle changed.
    """

    id: int = Field(default=None, primary_key=True)
    task_id: int = Field(foreign_key="task.id", index=True)
    from_deadline_id: int = Field(foreign_key="deadline.id", index=True)
    to_deadline_id: int = Field(foreign_key="deadline.id")
    from_on: date
    to_on: date
    reason: str
    document: str | None = None
    at: datetime = Field(sa_type=Moment)
    by: str


class Exemption(SQLModel, table=True):
    id: int = Field(default=None, primary_key=True)
    task_id: int = Field(foreign_key="task.id", index=True)
    reason: str
    document: str | None = None
    at: datetime = Field(sa_type=Moment)
    by: str


def is_left() -> ColumnElement[bool]:
    """Of a deadline: a change of dates has led its tasks to another day, and nobody owes anything by it any more."""
    new = aliased(Deadline)
    led_away = exists().where(
        col(Extension.from_deadline_id) == col(Deadline.id),
        col(new.id) == col(Extension.to_deadline_id),
        col(new.origin).in_([origin.value for origin in FIXED]),
    )
    owing = exists().where(
        col(Task.deadline_id) == col(Deadline.id), col(Task.state).in_([state.value for state in OWING])
    )
    return and_(led_away.correlate(Deadline), ~owing.correlate(Deadline))

"""Who has said "đã biết"? It holds the climbing of one task's escalation until a day."""

from collections.abc import Iterable
from datetime import date, datetime

from sqlalchemy import ColumnElement, Select, exists, func, select
from sqlalchemy.orm import Mapped, aliased
from sqlmodel import Field, SQLModel, col

from models.columns import Moment


class Acknowledgement(SQLModel, table=True):
    """The newest of a task counts."""

    id: int = Field(default=None, primary_key=True)
    task_id: int = Field(foreign_key="task.id", index=True)
    until: date  #: up to and including this day no rung is told
    note: str
    by: str
    at: datetime = Field(sa_type=Moment)


def is_held(task_id: Mapped[int], on: date) -> ColumnElement[bool]:
    """Whether the acknowledgement of a task of the query holds on a day."""
    said = aliased(Acknowledgement)
    newest = select(func.max(col(said.id))).where(col(said.task_id) == task_id).correlate_except(said)
    return exists().where(col(Acknowledgement.id) == newest.scalar_subquery(), col(Acknowledgement.until) >= on)


def holding_on(on: date, task_ids: Iterable[int]) -> Select[tuple[Acknowledgement]]:
    """Of these tasks the acknowledgements that hold on a day, one a task."""
    newest = (
        select(func.max(Acknowledgement.id))
        .where(col(Acknowledgement.task_id).in_(list(task_ids)))
        .group_by(col(Acknowledgement.task_id))
    )
    return select(Acknowledgement).where(col(Acknowledgement.id).in_(newest), col(Acknowledgement.until) >= on)

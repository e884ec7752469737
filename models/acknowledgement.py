"""Who has said "đã biết"? It holds the climbing of one task's escalation until a day."""

from datetime import date, datetime

from sqlmodel import Field, SQLModel

from models.columns import Moment


class Acknowledgement(SQLModel, table=True):
    id: int = Field(default=None, primary_key=True)
    task_id: int = Field(foreign_key="task.id", index=True)
    until: date  #: up to and including this day no rung is told
    note: str
    by: str
    at: datetime = Field(sa_type=Moment)

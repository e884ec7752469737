"""What was decided for one unit? Extensions (a move to another deadline) and exemptions."""

from datetime import date, datetime

from sqlmodel import Field, SQLModel

from models.columns import Moment


class Extension(SQLModel, table=True):
    """A task's move from one deadline of its cycle to another; the original date stays visible here."""

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

"""When did the engine last look? One row, renewed by every round."""

from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Field, Session, SQLModel

from models.columns import Moment

LATE: Final = timedelta(minutes=15)  #: rounds come every five minutes: three were missed


class LastRound(SQLModel, table=True):
    __tablename__ = "last_round"
    id: int = Field(default=1, primary_key=True)
    at: datetime = Field(sa_type=Moment)  #: the engine's time: the demo clock's in a playground
    cycles: int
    tasks: int
    steps: int
    notices: int
    messages: int


def last_round(session: Session) -> LastRound | None:
    return session.get(LastRound, 1)

"""Whose work goes on where? Units that were merged into others, split off from them, or left them their work."""

from datetime import date
from enum import StrEnum

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel


class Succession(StrEnum):
    MERGE = "merge"
    SPLIT = "split"
    CLOSE = "close"  #: the heir took over


class Lineage(SQLModel, table=True):
    """From a day on, work of one unit goes on in another."""

    __table_args__ = (UniqueConstraint("from_unit_id", "to_unit_id", "on"),)
    id: int = Field(default=None, primary_key=True)
    from_unit_id: int = Field(foreign_key="unit.id", index=True)
    to_unit_id: int = Field(foreign_key="unit.id", index=True)
    way: str
    on: date  #: the first day of what is new

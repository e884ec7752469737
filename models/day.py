"""Which days are off? The calendars as applied: a sheet each, and a row for every day off or make-up day."""

from datetime import date

from sqlalchemy import JSON
from sqlmodel import Field, Session, SQLModel, col, select

from schedules.calendars import Calendar, Day
from schedules.plan import Text


class CalendarSheet(SQLModel, table=True):
    __tablename__ = "calendar_sheet"
    code: str = Field(primary_key=True)
    title_vi: str
    title_en: str
    decided: list[int] = Field(sa_type=JSON)  #: years whose days off were entered from a decision
    version: int = 1  #: grows with every change of a row


class CalendarDay(SQLModel, table=True):
    __tablename__ = "calendar_day"
    calendar: str = Field(foreign_key="calendar_sheet.code", primary_key=True)
    on: date = Field(primary_key=True)
    is_off: bool
    name_vi: str
    name_en: str
    source: str
    decision: str | None = None


def calendar_of(session: Session, code: str) -> Calendar:
    """The calendar as applied. Raises LookupError when there is none with this code."""
    sheet = session.get(CalendarSheet, code)
    if sheet is None:
        raise LookupError(f"expected an applied calendar, got {code!r}")
    rows = session.exec(select(CalendarDay).where(col(CalendarDay.calendar) == code).order_by(col(CalendarDay.on)))
    days = {row.on: Day(row.on, row.is_off, Text(row.name_vi, row.name_en), row.source, row.decision) for row in rows}
    return Calendar(code, Text(sheet.title_vi, sheet.title_en), days, frozenset(sheet.decided))

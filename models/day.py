"""Which days are off? The calendars as applied: a sheet each, and a row for every day off or make-up day."""

import hashlib
from datetime import date, datetime

from sqlalchemy import JSON, func
from sqlmodel import Field, Session, SQLModel, col, select

from models.columns import Moment
from schedules.calendars import Calendar, Day
from schedules.plan import Text


class CalendarSheet(SQLModel, table=True):
    __tablename__ = "calendar_sheet"
    code: str = Field(primary_key=True)
    title_vi: str
    title_en: str
    decided: list[int] = Field(sa_type=JSON)  #: years whose days off were entered from a decision
    hash: str  #: SHA-256 of what it says: another day off is another hash


class CalendarDay(SQLModel, table=True):
    __tablename__ = "calendar_day"
    calendar: str = Field(foreign_key="calendar_sheet.code", primary_key=True)
    on: date = Field(primary_key=True)
    is_off: bool
    name_vi: str
    name_en: str
    source: str
    decision: str | None = None


class CalendarVersion(SQLModel, table=True):
    """A calendar as it was applied; it never changes afterwards."""

    __tablename__ = "calendar_version"
    calendar: str = Field(foreign_key="calendar_sheet.code", primary_key=True)
    number: int = Field(primary_key=True)
    text: str  #: as a file
    hash: str
    applied_at: datetime = Field(sa_type=Moment)
    by: str
    reason: str | None = None
    agreed_by: str | None = None  #: the second person


#: Calendars by hash, as values: the same content is the same calendar, in whichever database it lies.
_READ: dict[str, Calendar] = {}


def calendar_of(session: Session, code: str) -> Calendar:
    """The calendar as applied. Raises LookupError when there is none with this code."""
    hash_ = session.exec(select(CalendarSheet.hash).where(col(CalendarSheet.code) == code)).first()
    if hash_ is None:
        raise LookupError(f"expected an applied calendar, got {code!r}")
    if hash_ not in _READ:
        _READ[hash_] = _read(session, code)
    return _READ[hash_]


def next_version(session: Session, code: str) -> int:
    last = session.exec(select(func.max(CalendarVersion.number)).where(col(CalendarVersion.calendar) == code)).one()
    return (last or 0) + 1


def hash_of(calendar: Calendar) -> str:
    days = sorted(calendar.days.values(), key=lambda day: day.on)
    return hashlib.sha256(repr((calendar.code, calendar.title, sorted(calendar.decided), days)).encode()).hexdigest()


def _read(session: Session, code: str) -> Calendar:
    sheet = session.get_one(CalendarSheet, code)
    rows = session.exec(select(CalendarDay).where(col(CalendarDay.calendar) == code).order_by(col(CalendarDay.on)))
    days = {row.on: Day(row.on, row.is_off, Text(row.name_vi, row.name_en), row.source, row.decision) for row in rows}
    return Calendar(code, Text(sheet.title_vi, sheet.title_en), days, frozenset(sheet.decided))

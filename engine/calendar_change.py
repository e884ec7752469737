"""What would a day off change? Every date of every active plan that counts by the calendar, both ways; then as a plan."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from engine.preview import Moved
from models.day import CalendarVersion
from models.proposal import Policy
from schedules.calendars import Calendar, Day


@dataclass(frozen=True, slots=True)
class CalendarPreview:
    calendar: Calendar
    base: str | None  #: hash of the calendar in force; None: there is none
    added: tuple[Day, ...]  #: rows that are new or say something else
    dropped: tuple[Day, ...]  #: rows that are gone or said something else
    changes: tuple[Moved, ...]  #: of all active plans that count by it, in the order of their days
    diff_hash: str


def preview_calendar(session: Session, calendar: Calendar, *, now: datetime, zone: str) -> CalendarPreview:
    raise NotImplementedError


def apply_calendar_change(
    session: Session,
    calendar: Calendar,
    *,
    diff_hash: str,
    policy: Policy,
    by: str,
    reason: str,
    now: datetime,
    zone: str,
    agreed_by: str | None = None,
) -> CalendarVersion:
    """Raises RefusedError("refused.diff_changed") when another diff holds now."""
    raise NotImplementedError


def restore_calendar(
    session: Session,
    code: str,
    number: int,
    *,
    diff_hash: str,
    policy: Policy,
    by: str,
    reason: str,
    now: datetime,
    zone: str,
    agreed_by: str | None = None,
) -> CalendarVersion:
    """Brings a version back."""
    raise NotImplementedError

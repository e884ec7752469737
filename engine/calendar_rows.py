"""How is a calendar edited? Rows put in and taken out, checked as a file is; nothing is written here."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date

from sqlmodel import Session

from engine.errors import InvalidPlanError, RefusedError
from models.day import calendar_of
from schedules import load
from schedules.calendars import Calendar, Day
from schedules.plan import Text
from schedules.written import as_file


@dataclass(frozen=True, slots=True)
class NewRow:
    """A row as it is typed: a day off, or a weekend day that is worked."""

    on: date
    off: bool
    vi: str
    en: str
    source: str
    decision: str


def edited(
    session: Session, code: str, rows: Sequence[NewRow], dropped: Collection[date], decided: Collection[int] | None
) -> Calendar:
    """The calendar in force with rows put in (over those of the same day) and taken out; `decided` None: as it was.

    Raises RefusedError for a row without a name or a source, InvalidPlanError for what no calendar file may say.
    """
    try:
        calendar = calendar_of(session, code)
    except LookupError:
        raise RefusedError("refused.no_calendar", calendar=code) from None
    days = {on: day for on, day in calendar.days.items() if on not in dropped}
    for row in rows:
        if not row.vi.strip() or not row.source.strip():
            raise RefusedError("refused.bare_day", on=row.on)
        name = Text(row.vi.strip(), row.en.strip() or row.vi.strip())
        days[row.on] = Day(row.on, row.off, name, row.source.strip(), row.decision.strip() or None)
    found = replace(calendar, days=days, decided=frozenset(calendar.decided if decided is None else decided))
    checked, problems = load.parse_calendar(as_file(found).encode(), f"{code}.yaml")
    if checked is None:
        raise InvalidPlanError([each for each in problems if each.is_error])
    return checked

"""Which words does the organisation know? Its units, kinds and tags, for checking a plan against them."""

from sqlmodel import Session, select

from models.day import CalendarSheet, calendar_of
from models.unit import Placement, Unit, UnitTag
from schedules.calendars import Calendar
from schedules.reader import Known


def known(session: Session) -> Known | None:
    """None while there are no units: then nothing can be checked."""
    units = frozenset(session.exec(select(Unit.code)))
    if not units:
        return None
    kinds = frozenset(session.exec(select(Placement.kind).distinct()))
    return Known(units, kinds, frozenset(session.exec(select(UnitTag.tag).distinct())))


def calendars(session: Session) -> dict[str, Calendar]:
    """The calendars that are applied, by code."""
    return {code: calendar_of(session, code) for code in session.exec(select(CalendarSheet.code))}

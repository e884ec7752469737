"""On which day? A rule, a period and a calendar give the nominal day, the rolled day, and why."""

from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from schedules import periods
from schedules.calendars import Calendar
from schedules.periods import Period
from schedules.plan import (
    Anchor,
    BeforeStart,
    BeforeSuperior,
    DayOf,
    Due,
    EndOf,
    OnDay,
    Relative,
    Roll,
    Rule,
    StartOf,
)
from schedules.reason import Reason

#: Gives the days of a named event (a milestone, or another obligation's due day) for a period; () while unknown.
Events = Callable[[str, Period], tuple[date, ...]]
ONE_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Resolved:
    """A due day with its proof. `event_on` is the day of the event that it was counted from, if there was one."""

    nominal_on: date
    due_on: date
    reasons: tuple[Reason, ...]
    event_on: date | None = None


def resolve(
    due: Due, default_roll: Roll, period: Period, calendar: Calendar, events: Events, superior_on: date | None = None
) -> tuple[Resolved, ...]:
    """The due days of a rule for a period: one, or one for each distinct day of the event it hangs on, or none yet."""
    how = default_roll if due.roll is None else due.roll
    return tuple(
        _rolled(nominal, stretch, reason, how, calendar, event_on)
        for nominal, stretch, reason, event_on in _nominal(due.rule, period, calendar, events, superior_on)
    )


def stretch_of(anchor: Anchor, period: Period) -> Period:
    """The stretch of the calendar that an anchor means: relative names count in the year the period begins in."""
    year = period.start.year + anchor.year
    match anchor.ref[0]:
        case "p":
            return period if not anchor.year else periods.of(period.kind, period.start.replace(year=year))
        case "y":
            return periods.parse(f"{year}")
        case "Q" | "H":
            return periods.parse(f"{year}-{anchor.ref}")
        case "M":
            return periods.parse(f"{year}-{int(anchor.ref[1:]):02}")
        case _:
            return periods.parse(anchor.ref)


_Day = tuple[date, tuple[date, date], Reason, date | None]


def _nominal(
    rule: Rule, period: Period, calendar: Calendar, events: Events, superior_on: date | None
) -> tuple[_Day, ...]:
    """(nominal day, the half-open stretch that modified_next keeps to, the first reason, the event's day)."""
    match rule:
        case EndOf(anchor):
            stretch = stretch_of(anchor, period)
            return (_day(stretch.last, stretch, Reason.of("rule.end_of", stretch=stretch.label, day=stretch.last)),)
        case StartOf(anchor):
            stretch = stretch_of(anchor, period)
            return (_day(stretch.start, stretch, Reason.of("rule.start_of", stretch=stretch.label, day=stretch.start)),)
        case BeforeStart(anchor):
            stretch = stretch_of(anchor, period)
            day = stretch.start - ONE_DAY
            return (
                (day, (date.min, stretch.start), Reason.of("rule.before_start", stretch=stretch.label, day=day), None),
            )  # fmt: skip
        case DayOf(number, of, year):
            month = _month(of, year, period)
            last = monthrange(month.start.year, month.start.month)[1]
            day = month.start.replace(day=min(number, last))
            return (_day(day, month, Reason.of("rule.day_of", number=number, month=month.label, day=day)),)
        case OnDay(day):
            return (_day(day, periods.of("month", day), Reason.of("rule.on", day=day)),)
        case Relative(event, offset):
            word = "after" if offset.count > 0 else "before" if offset.count < 0 else "with"
            code = f"rule.{word}" + ("_working" if offset.working and offset.count else "")
            return tuple(
                (
                    day := calendar.after(on, offset),
                    (date.min, date.max),
                    Reason.of(code, event=event, event_on=on, count=abs(offset.count), day=day),
                    on,
                )
                for on in events(event, period)
            )
        case BeforeSuperior(offset):
            if superior_on is None:
                return ()
            day = calendar.after(superior_on, offset)
            code = "rule.before_superior" + ("_working" if offset.working else "")
            reason = Reason.of(code, count=abs(offset.count), superior_on=superior_on, day=day)
            return ((day, (date.min, superior_on), reason, None),)


def _day(day: date, stretch: Period, reason: Reason) -> _Day:
    return day, (stretch.start, stretch.end), reason, None


def _month(of: str, year: int, period: Period) -> Period:
    match of:
        case "first_month":
            return periods.of("month", period.start)
        case "last_month":
            return periods.of("month", period.last)
        case "next_month":
            return periods.of("month", period.end)
        case _:
            return stretch_of(Anchor(of, year), period)


def _rolled(
    nominal: date, stretch: tuple[date, date], reason: Reason, how: Roll, calendar: Calendar, event_on: date | None
) -> Resolved:
    due = calendar.roll(nominal, how, stretch)
    reasons = [reason]
    if due != nominal:
        reasons.append(Reason.of("roll.moved", how=how, off=nominal, why=_why_off(nominal, calendar), day=due))
    elif calendar.is_working(nominal):
        reasons.append(Reason.of("roll.working_day", day=nominal))
    else:
        # The document's own words decide; with roll: none a day off stays the due day, and that is worth a remark.
        reasons.append(Reason.of("roll.kept_day_off", day=nominal, why=_why_off(nominal, calendar)))
    if calendar.is_provisional(due):
        reasons.append(Reason.of("calendar.provisional", calendar=calendar.code, year=due.year))
    return Resolved(nominal, due, tuple(reasons), event_on)


def _why_off(day: date, calendar: Calendar) -> str:
    row = calendar.row(day)
    return "weekend" if row is None else row.name.vi

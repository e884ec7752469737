"""On which day? A rule, a period and a calendar give the nominal day, the rolled day, and why."""

from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

from schedules import periods
from schedules.calendars import PREVIOUS_WORKING, Calendar
from schedules.periods import Period
from schedules.plan import (
    AfterCutoff,
    AfterOpening,
    Anchor,
    BeforeStart,
    BeforeSuperior,
    DayOf,
    Due,
    EndOf,
    HoursAfterOpening,
    LastWorkingDay,
    Offset,
    OnDay,
    Plain,
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
    due_at: datetime | None = None  #: where hours count: on time until this moment of `due_on`, in UTC


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rules of one period may count from."""

    period: Period
    calendar: Calendar
    events: Events
    cutoff_on: date  #: the last day that the data covers
    superior_on: date | None = None  #: the due day of the level above
    opened_at: datetime | None = None  #: of a request: when it was opened, in the organisation's zone


def resolve(due: Due, default_roll: Roll, facts: Facts) -> tuple[Resolved, ...]:
    """The due days of a rule for a period: one, or one for each distinct day of the event it hangs on, or none yet."""
    how = default_roll if due.roll is None else due.roll
    if isinstance(due.rule, HoursAfterOpening):
        how = Roll.NONE  # hours run on: what is wanted within 48 hours is not wanted after the holidays
    at = _moment(due.rule, facts)
    return tuple(
        replace(_rolled(nominal, stretch, reason, how, facts.calendar, event_on), due_at=at)
        for nominal, stretch, reason, event_on in _nominal(due.rule, facts)
    )


def _moment(rule: Rule, facts: Facts) -> datetime | None:
    if isinstance(rule, HoursAfterOpening) and facts.opened_at is not None:
        return facts.opened_at.astimezone(UTC) + timedelta(hours=rule.hours)
    return None


def stretch_of(anchor: Anchor, period: Period) -> Period:
    """The stretch of the calendar that an anchor means: relative names count in the year the period begins in."""
    year = period.start.year + anchor.year
    match anchor.ref[0]:
        case "p":
            return period.moved(anchor.year) if anchor.year else period
        case "y":
            return periods.parse(f"{year}")
        case "Q" | "H":
            return periods.parse(f"{year}-{anchor.ref}")
        case "M":
            return periods.parse(f"{year}-{int(anchor.ref[1:]):02}")
        case _:
            return periods.parse(anchor.ref)


_Day = tuple[date, tuple[date, date], Reason, date | None]


def plain_day(rule: Plain, period: Period) -> date:
    return _plain(rule, period)[0]


def _nominal(rule: Rule, facts: Facts) -> tuple[_Day, ...]:
    """(nominal day, the half-open stretch that modified_next keeps to, the first reason, the event's day)."""
    match rule:
        case LastWorkingDay(anchor):
            return (_last_working_day(stretch_of(anchor, facts.period), facts.calendar),)
        case AfterCutoff(offset):
            return (_counted("rule.after_cutoff", "cutoff_on", facts.cutoff_on, offset, facts.calendar),)
        case AfterOpening(offset):
            on = facts.opened_at.date() if facts.opened_at else None
            return () if on is None else (
                _counted("rule.after_opening", "opened_on", on, offset, facts.calendar),
            )  # fmt: skip
        case HoursAfterOpening(hours):
            return () if facts.opened_at is None else (_hours_later(facts.opened_at, hours),)
        case Relative(event, offset):
            word = "after" if offset.count > 0 else "before" if offset.count < 0 else "with"
            code = f"rule.{word}" + ("_working" if offset.working and offset.count else "")
            return tuple(
                (
                    day := facts.calendar.after(on, offset),
                    (date.min, date.max),
                    Reason.of(code, event=event, event_on=on, count=abs(offset.count), day=day),
                    on,
                )
                for on in facts.events(event, facts.period)
            )
        case BeforeSuperior(offset):
            if facts.superior_on is None:
                return ()
            day = facts.calendar.after(facts.superior_on, offset)
            code = "rule.before_superior" + ("_working" if offset.working else "")
            reason = Reason.of(code, count=abs(offset.count), superior_on=facts.superior_on, day=day)
            return ((day, (date.min, facts.superior_on), reason, None),)
        case _:
            return (_plain(rule, facts.period),)


def _plain(rule: Plain, period: Period) -> _Day:
    match rule:
        case EndOf(anchor):
            stretch = stretch_of(anchor, period)
            return _day(stretch.last, stretch, Reason.of("rule.end_of", stretch=stretch.label, day=stretch.last))
        case StartOf(anchor):
            stretch = stretch_of(anchor, period)
            return _day(stretch.start, stretch, Reason.of("rule.start_of", stretch=stretch.label, day=stretch.start))
        case BeforeStart(anchor):
            stretch = stretch_of(anchor, period)
            day = stretch.start - ONE_DAY
            reason = Reason.of("rule.before_start", stretch=stretch.label, day=day)
            return day, (date.min, stretch.start), reason, None
        case DayOf(number, of, year):
            month = _month(of, year, period)
            if number is None:
                return _day(month.last, month, Reason.of("rule.end_of", stretch=month.label, day=month.last))
            last = monthrange(month.start.year, month.start.month)[1]
            day = month.start.replace(day=min(number, last))
            return _day(day, month, Reason.of("rule.day_of", number=number, month=month.label, day=day))
        case OnDay(day):
            return _day(day, periods.of("month", day), Reason.of("rule.on", day=day))


def _last_working_day(stretch: Period, calendar: Calendar) -> _Day:
    day = stretch.last if calendar.is_working(stretch.last) else calendar.after(stretch.last, PREVIOUS_WORKING)
    return _day(day, stretch, Reason.of("rule.last_working_day_of", stretch=stretch.label, day=day))


def _counted(code: str, name: str, on: date, offset: Offset, calendar: Calendar) -> _Day:
    day = calendar.after(on, offset)
    code += "_working" if offset.working else ""
    return day, (date.min, date.max), Reason.of(code, **{name: on}, count=offset.count, day=day), None


def _hours_later(opened_at: datetime, hours: int) -> _Day:
    """The day within which the hours end: midnight is the end of the day before, not the first moment of the next."""
    moment = (opened_at.astimezone(UTC) + timedelta(hours=hours)).astimezone(opened_at.tzinfo)
    is_midnight = moment.time() == datetime.min.time()
    day = moment.date() - ONE_DAY if is_midnight else moment.date()
    reason = Reason.of(
        "rule.hours_after_opening",
        count=hours,
        opened_on=opened_at.date(),
        opened_hour=f"{opened_at:%H:%M}",
        hour="24:00" if is_midnight else f"{moment:%H:%M}",
        day=day,
    )
    return day, (date.min, date.max), reason, None


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

"""What do the next months bring? The due days ahead with whom they concern, and how many messages that makes."""

from calendar import monthrange
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

from engine.estimate import Estimate
from engine.headcount import Headcount
from notifications.pace import Pace
from schedules.calendars import Calendar
from schedules.ladder import moments
from schedules.timeline import Occurrence, Row

MONTHS: Final = 18


@dataclass(frozen=True, slots=True)
class Ahead:
    """A due day of the months ahead."""

    row: Row
    units: int
    is_open: bool  #: its cycle was opened: the day is what `move` would make of it


@dataclass(frozen=True, slots=True)
class Month:
    """What one month brings, if the units hand in as those of the simulation do."""

    first: date
    opens: int  #: tasks
    due: int  #: tasks
    messages: int  #: as engine.letters counts them


def ahead(
    occurrences: Iterable[Occurrence], opened: frozenset[tuple[str, str]], heads: Headcount, first: date
) -> tuple[Ahead, ...]:
    """The days due from `first` on, for 18 months. `opened` are the obligations and periods that were opened."""
    last = months_later(first, MONTHS)
    found = [
        Ahead(Row(each, day), heads.units(day.who), (each.obligation.code, each.period.label) in opened)
        for each in occurrences
        for day in each.days
        if first <= day.due_on < last
    ]
    return tuple(sorted(found, key=_in_order))


def months(days: Iterable[Ahead], calendar: Calendar, heads: Headcount, first: date, pace: Pace) -> tuple[Month, ...]:
    """The months of those days, from the one that `first` lies in."""
    opens, due = Counter[date](), Counter[date]()
    starts = [months_later(_month(first), number) for number in range(MONTHS)]
    estimate = Estimate(calendar, first, months_later(starts[-1], 1), pace)
    for each in days:
        day, obligation = each.row.day, each.row.occurrence.obligation
        opens_on = day.opens_on if each.is_open else max(day.opens_on, first)
        opens[_month(opens_on)] += 0 if each.is_open else each.units
        due[_month(day.due_on)] += each.units
        parts = heads.parts(day.who)
        estimate.reported(parts, opens_on, day.due_on)
        for step in moments(obligation.ladder, opens_on, day.due_on, day.grace_until, calendar):
            if step.on >= first and step.rung is not None:
                estimate.step(parts, step.rung, step.on, opens_on, day.due_on)
    messages = estimate.by_month(heads.superiors)
    return tuple(Month(start, opens[start], due[start], round(messages.get(start, 0))) for start in starts)


def months_later(day: date, count: int) -> date:
    """The same day so many months later, or the last of that month where it is too short."""
    number = day.year * 12 + day.month - 1 + count
    last = monthrange(number // 12, number % 12 + 1)[1]
    return date(number // 12, number % 12 + 1, min(day.day, last))


def _month(day: date) -> date:
    return day.replace(day=1)


def _in_order(each: Ahead) -> tuple[date, str, str, str]:
    return (
        each.row.day.due_on,
        each.row.occurrence.obligation.code,
        each.row.occurrence.period.label,
        each.row.day.level,
    )

"""Is this a working day? Days off and make-up days, each with its decision, and the arithmetic over them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from schedules.plan import Offset, Roll, Text

ONE_DAY: Final = timedelta(days=1)
NEXT_WORKING: Final = Offset(1, working=True)
PREVIOUS_WORKING: Final = Offset(-1, working=True)


@dataclass(frozen=True, slots=True)
class Day:
    """A row of a calendar: a day off, or a weekend day that is worked to make up for one."""

    on: date
    off: bool
    name: Text
    source: str  #: the law or the announcement that says so
    decision: str | None = None  #: number and date of the decision, where known


@dataclass(frozen=True, slots=True)
class Calendar:
    """Saturdays and Sundays are off unless a row says they are worked (Labour Code 2019, Art. 111-112).

    A year that is not in `decided` has no entered decision: its dates are provisional.
    """

    code: str
    title: Text
    days: Mapping[date, Day]
    decided: frozenset[int]

    def is_working(self, day: date) -> bool:
        row = self.days.get(day)
        return day.weekday() < 5 if row is None else not row.off

    def is_provisional(self, day: date) -> bool:
        return day.year not in self.decided

    def row(self, day: date) -> Day | None:
        return self.days.get(day)

    def after(self, day: date, offset: Offset) -> date:
        """The day that lies so far from `day`, which itself is not counted; 0 is the day itself.

        Raises OverflowError when it lies outside the years 1 to 9999.
        """
        try:
            if not offset.working:
                return day + timedelta(days=offset.count)
            step = ONE_DAY if offset.count > 0 else -ONE_DAY
            reached, left = day, abs(offset.count)
            while left:
                reached += step
                left -= self.is_working(reached)
        except OverflowError as error:
            way = "before" if offset.count < 0 else "after"
            raise OverflowError(f"expected a day of the years 1 to 9999, got {offset} {way} {day}") from error
        return reached

    def working_days(self, first: date, last: date) -> int:
        """How many working days lie after `first` up to and including `last`; negative when last is earlier."""
        if last < first:
            return -self.working_days(last, first)
        days = (first + timedelta(days=n) for n in range(1, (last - first).days + 1))
        return sum(self.is_working(day) for day in days)

    def distance(self, first: date, last: date) -> Offset:
        """How far `last` lies after `first`, to be kept from another day: in working days where there are any."""
        working = self.working_days(first, last)
        return Offset(working, working=True) if working else Offset((last - first).days)

    def roll(self, day: date, how: Roll, period: tuple[date, date]) -> date:
        """Moves a day off to a working day. `period` is the rule's stretch, half-open, that modified_next keeps to.

        Raises ValueError when modified_next finds no working day there on either side of the day.
        """
        if how is Roll.NONE or self.is_working(day):
            return day
        if how is Roll.PREVIOUS:
            return self.after(day, PREVIOUS_WORKING)
        following = self.after(day, NEXT_WORKING)
        if how is Roll.NEXT or period[0] <= following < period[1]:
            return following
        preceding = self.after(day, PREVIOUS_WORKING)
        if period[0] <= preceding < period[1]:
            return preceding
        raise ValueError(
            f"expected a working day from {period[0]} to before {period[1]} for {day}, "
            f"got {preceding} before it and {following} after it in calendar {self.code}"
        )

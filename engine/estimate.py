"""How many messages would that make? What the simulation draws unit by unit, summed up in shares of all units.

A contact gets at most one message a moment, however much there is to say: what the calendar says in the morning, the
receipts when a unit hands in, what was accepted when it is reviewed. So the shares of the units that are told nothing
are multiplied, and never more goes to one than the pace allows in seven days.
"""

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Collection, Hashable, Iterator, Mapping
from datetime import date, timedelta
from enum import Enum, auto
from functools import cache
from typing import Final

from engine.habits import EARLY, LATE, RETURNED, REVIEWED, owing
from notifications.pace import Pace
from schedules.calendars import Calendar
from schedules.plan import Rung

WEEK: Final = timedelta(days=7)
MARGIN: Final = timedelta(days=60)  #: before and after, for what is handed in early or late
AGAIN: Final = 5  #: working days after which a returned report comes in again
USUAL: Final = Pace()
Part = Hashable


class At(Enum):
    """The moments of a day at which a unit may be told, and whom of it."""

    MORNING = auto()
    RECEIPT = auto()
    REVIEW = auto()
    HEAD = auto()


class Estimate:
    """Takes due days and their steps in, and says what they make."""

    def __init__(self, calendar: Calendar, first: date, after: date, pace: Pace) -> None:
        """The messages of the days in [first, after)."""
        self.first, self.after, self.pace = first, after, pace
        days = ((first - MARGIN) + timedelta(days=n) for n in range((after - first + 2 * MARGIN).days))
        self.days = [day for day in days if calendar.is_working(day)]
        self.sizes: dict[Part, int] = {}
        self.untold: defaultdict[tuple[Part, At, int], float] = defaultdict(lambda: 1.0)  #: shares of a part's units
        #: late units, by working day, of which the issuer is told (True) or who stands above
        self.above = defaultdict[tuple[bool, int], float](float)
        #: how many due days a part has on a working day, and how many working days before they were opened
        self.reports = Counter[tuple[Part, int, int]]()

    def reported(self, parts: Mapping[Part, int], opens_on: date, due_on: date) -> None:
        """Each of these units hands in, is told that it arrived, and some days later what became of it."""
        self.sizes |= parts
        due = self._last(due_on)
        for part in parts:
            self.reports[part, due, min(max(due - self._index(opens_on), 0), EARLY)] += 1

    def step(self, parts: Mapping[Part, int], rung: Rung, on: date, opens_on: date, due_on: date) -> None:
        """A step tells those who owe still; before the opening day is over that is everybody."""
        self.sizes |= parts
        index = self._index(on)
        share = owing(index - self._last(due_on)) if on > opens_on else 1.0
        if rung in (Rung.UNIT_CONTACT, Rung.UNIT_HEAD):
            at = At.MORNING if rung is Rung.UNIT_CONTACT else At.HEAD
            for part in parts:
                self.untold[part, at, index] *= 1 - share
        else:
            is_issuer = rung in (Rung.ISSUER_SECRETARIAT, Rung.ISSUER_STANDING)
            self.above[is_issuer, index] += share * sum(parts.values())

    def by_month(self, superiors: int) -> Mapping[date, float]:
        """`superiors` is how many units have others below them: their late units are one letter to each."""
        self._report()
        found, days = defaultdict[date, float](float), defaultdict[Part, set[int]](set)
        for part, _, index in self.untold:
            days[part].add(index)
        for part, indexes in days.items():
            for index, count in self._to_one(part, indexes):
                self._add(found, index, self.sizes[part] * count)
        for (is_issuer, index), late in self.above.items():
            self._add(found, index, min(late, 1) if is_issuer else _reached(late, superiors))
        return found

    def _add(self, found: defaultdict[date, float], index: int, count: float) -> None:
        if count and self.first <= self.days[index] < self.after:
            found[self.days[index].replace(day=1)] += count

    def _report(self) -> None:
        for (part, due, opened), count in self.reports.items():
            for (at, away), share in _profile(opened).items():
                index = due + away
                if 0 <= index < len(self.days) and self.days[index] >= self.first:
                    self.untold[part, at, index] *= (1 - share) ** count

    def _to_one(self, part: Part, indexes: Collection[int]) -> Iterator[tuple[int, float]]:
        """By working day, the messages to a unit of the part; what is too much for its contact waits for the next."""
        sent: list[tuple[date, float]] = []
        for index in sorted(indexes):
            day, told = self.days[index], {at: 1 - self.untold.get((part, at, index), 1.0) for at in At}
            head = told.pop(At.HEAD)  # another contact
            week = sum(count for on, count in sent[-7:] if day - on < WEEK)
            count = max(min(sum(told.values()), self.pace.a_day, self.pace.a_week - week), 0)
            sent.append((day, count))
            yield index, count + head

    def _index(self, day: date) -> int:
        """Of the working day on which is told what a day brings: itself or the next one."""
        return min(bisect_left(self.days, day), len(self.days) - 1)

    def _last(self, day: date) -> int:
        """Of the working day on which is done what a day asks for: itself or the one before."""
        return max(bisect_right(self.days, day) - 1, 0)


def _reached(late: float, superiors: int) -> float:
    """Of so many superiors those who have one of the late units below them."""
    return superiors * (1 - (1 - 1 / superiors) ** late) if superiors else 0


@cache
def _profile(opened: int) -> Mapping[tuple[At, int], float]:
    """The shares of units that are told of their report, by the working days after the due day.

    It was opened so many working days before: who would be earlier hands in then. A returned one is reminded once.
    """
    found = defaultdict[tuple[At, int], float](float)
    for away in range(1 - EARLY, LATE + 1):
        came, share = max(away, -opened), owing(away) - owing(away + 1)
        found[At.RECEIPT, came] += share
        for days in range(1, REVIEWED + 1):
            at, part = came + days, share / REVIEWED
            again = part * RETURNED / 100
            found[At.REVIEW, at] += part
            found[At.MORNING, at + AGAIN - 1] += again
            found[At.RECEIPT, at + AGAIN] += again
            found[At.REVIEW, at + AGAIN + REVIEWED] += again
    return found

"""What is the work about? A period of the calendar: its label, its first day, the day after its last."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import total_ordering
from typing import Final

SHAPES: Final = "2023, 2023-H1, 2023-Q2, 2023-06, 2021..2023"
MONTHS: Final = {"year": 12, "half": 6, "quarter": 3, "month": 1}
_LABEL: Final = re.compile(r"(?P<year>[0-9]{4})(?:-(?:H(?P<half>[12])|Q(?P<quarter>[1-4])|(?P<month>0[1-9]|1[0-2])))?")


@total_ordering
@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of whole months, half-open: `start` belongs to it, `end` does not.

    `kind` is year, half, quarter, month or span (several years); `label` is the text that `parse` reads back.
    """

    kind: str
    start: date
    end: date
    label: str

    def __lt__(self, other: "Period") -> bool:
        return (self.start, self.end, self.label) < (other.start, other.end, other.label)

    @property
    def last(self) -> date:
        """The last day that belongs to the period."""
        return self.end - timedelta(days=1)

    def __contains__(self, day: date) -> bool:
        return self.start <= day < self.end

    def covers(self, other: "Period") -> bool:
        return self.start <= other.start and other.end <= self.end

    @property
    def part(self) -> str:
        """The name within its year: Q3, H1, M06, year; a span has its label."""
        return {"half": self.label[5:], "quarter": self.label[5:], "month": "M" + self.label[5:]}.get(
            self.kind, "year" if self.kind == "year" else self.label
        )

    def next(self) -> "Period":
        if self.kind == "span":
            raise ValueError(f"a span of years has no next period: {self.label}")
        return of(self.kind, self.end)


def of(kind: str, day: date) -> Period:
    """The period of this kind that holds the day. Raises ValueError in the year 9999, whose end no date can name."""
    if day.year == date.max.year:
        raise ValueError(f"expected a day before {date.max.year}-01-01, got {day}")
    length = MONTHS[kind]
    number = (day.month - 1) // length
    start = date(day.year, number * length + 1, 1)
    label = {
        "year": f"{day.year:04}",
        "half": f"{day.year:04}-H{number + 1}",
        "quarter": f"{day.year:04}-Q{number + 1}",
        "month": f"{day.year:04}-{number + 1:02}",
    }[kind]
    return Period(kind, start, _months_later(start, length), label)


def parse(label: str) -> Period:
    """The period of a label. Raises ValueError when it is none of the SHAPES."""
    first, dots, last = label.partition("..")
    if dots:
        return span(_single(first), _single(last), label)
    return _single(label)


def span(first: Period, last: Period, label: str) -> Period:
    """From the start of one period to the end of another. Raises ValueError when they are out of order."""
    if first.kind != last.kind or last < first:
        raise ValueError(f"expected a range of two periods of one kind, first to last, got {label}")
    return Period("span", first.start, last.end, label)


def within(kind: str, outer: Period) -> Iterator[Period]:
    """The periods of this kind that lie whole within the outer one, in order."""
    day = outer.start
    while day < outer.end:
        each = of(kind, day)
        if outer.covers(each):
            yield each
        day = each.end


def _single(label: str) -> Period:
    match = _LABEL.fullmatch(label)
    if match is None or match["year"] == "0000":
        raise ValueError(f"expected a period such as {SHAPES}, got {label}")
    year = int(match["year"])
    if match["half"]:
        return of("half", date(year, int(match["half"]) * 6, 1))
    if match["quarter"]:
        return of("quarter", date(year, int(match["quarter"]) * 3, 1))
    if match["month"]:
        return of("month", date(year, int(match["month"]), 1))
    return of("year", date(year, 1, 1))


def _months_later(start: date, months: int) -> date:
    total = start.month - 1 + months
    return date(start.year + total // 12, total % 12 + 1, 1)

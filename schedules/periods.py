"""What is the work about? A period of the calendar: its label, its first day, the day after its last."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import total_ordering
from typing import Final

SHAPES: Final = "2023, 2023-H1, 2023-9M, 2023-Q2, 2023-06, 2021..2023"
MONTHS: Final = {"year": 12, "half": 6, "quarter": 3, "month": 1}  #: the kinds that tile the year
_NINE_MONTHS: Final = 9
_LABEL: Final = re.compile(
    r"(?P<year>[0-9]{4})(?:-(?:H(?P<half>[12])|(?P<nine>9M)|Q(?P<quarter>[1-4])|(?P<month>0[1-9]|1[0-2])))?"
)
_SLUG: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@total_ordering
@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of whole months, half-open: `start` belongs to it, `end` does not.

    `kind` is year, half, nine_months, quarter, month or span (several years); `label` is the text that `parse` reads
    back. One of kind adhoc is the day on which something was asked for: its label does not say which.
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
        """The name within its year: Q3, H1, 9M, M06, year; a span and a request have their label."""
        match self.kind:
            case "half" | "nine_months" | "quarter":
                return self.label[5:]
            case "month":
                return "M" + self.label[5:]
            case "year":
                return "year"
            case _:
                return self.label

    def next(self) -> "Period":
        """The next of its kind: it begins where this one ends, but for nine months, which begin with the year."""
        if self.kind == "span":
            raise ValueError(f"a span of years has no next period: {self.label}")
        if self.kind == "adhoc":
            raise ValueError(f"what is asked for once has no next period: {self.label}")
        if self.kind == "nine_months":
            return of(self.kind, date(self.start.year + 1, 1, 1))
        return of(self.kind, self.end)

    def moved(self, years: int) -> "Period":
        """The same stretch so many years later (or earlier)."""
        if self.kind != "span":
            return of(self.kind, self.start.replace(year=self.start.year + years))
        first, _, last = self.label.partition("..")
        return parse("..".join(parse(label).moved(years).label for label in (first, last)))


def of(kind: str, day: date) -> Period:
    """The period of this kind that holds the day.

    Raises ValueError in the year 9999, whose end no date can name, and for a day after the nine months of its year.
    """
    if day.year == date.max.year:
        raise ValueError(f"expected a day before {date.max.year}-01-01, got {day}")
    if kind == "nine_months":
        if day.month > _NINE_MONTHS:
            raise ValueError(f"expected a day of the first nine months of its year, got {day}")
        return Period(kind, date(day.year, 1, 1), date(day.year, _NINE_MONTHS + 1, 1), f"{day.year:04}-9M")
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
    if kind == "nine_months":
        nines = (of(kind, date(year, 1, 1)) for year in range(outer.start.year, outer.last.year + 1))
        yield from (each for each in nines if outer.covers(each))
        return
    day = outer.start
    while day < outer.end:
        each = of(kind, day)
        if outer.covers(each):
            yield each
        day = each.end


def years_within(count: int, outer: Period) -> Iterator[Period]:
    """Stretches of so many years, counted from the first whole year of the outer one; a rest is left out."""
    years = list(within("year", outer))
    for first, last in zip(years[::count], years[count - 1 :: count], strict=False):
        yield span(first, last, f"{first.label}..{last.label}")


def adhoc(slug: str, on: date) -> Period:
    """What was asked for on a day, under a name of its own. Raises ValueError when the name is no code."""
    if not _SLUG.fullmatch(slug):
        raise ValueError(f"expected a name of lower case letters a-z, digits and “-”, got {slug}")
    return Period("adhoc", on, on + timedelta(days=1), f"adhoc:{slug}")


def _single(label: str) -> Period:
    match = _LABEL.fullmatch(label)
    if match is None or match["year"] == "0000":
        raise ValueError(f"expected a period such as {SHAPES}, got {label}")
    year = int(match["year"])
    if match["nine"]:
        return of("nine_months", date(year, 1, 1))
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

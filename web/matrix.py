"""What stands in the matrix? Columns, rows of cells, and branches summed up; values without rows or clock."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Final

from dondoc.i18n import short_day, translate
from web.states import STATES

PRESSING: Final = ("overdue", "missed")
FINISHED: Final = ("accepted", "missed", "none")


@dataclass(frozen=True, slots=True)
class Cell:
    """One task."""

    task_id: int
    state: str
    is_late: bool | None  #: the verdict so far
    late_days: int  #: working days since the due day; 0 while it is not overdue
    due_on: date
    is_extended: bool

    @property
    def is_pressing(self) -> bool:
        return self.state in PRESSING

    def words(self, lang: str) -> str:
        return _words(lang, self.state, bool(self.is_late), self.late_days, self.due_on if self.is_extended else None)


@dataclass(slots=True)
class Sum:
    """Tasks of a branch in a column, or of several together."""

    states: Counter[str] = field(default_factory=Counter)
    on_time: int = 0
    late: int = 0

    def add(self, other: "Sum") -> "Sum":
        self.states.update(other.states)
        self.on_time += other.on_time
        self.late += other.late
        return self

    @property
    def tasks(self) -> int:
        return self.states.total() - self.states["none"]

    @property
    def accepted(self) -> int:
        return self.states["accepted"]

    @property
    def waiting(self) -> int:
        """How many tasks still wait for their unit or for review."""
        return sum(count for state, count in self.states.items() if state not in FINISHED)

    @property
    def share(self) -> int | None:
        """Percent on time of what came or should have come; None when nothing was due yet."""
        due = self.on_time + self.late + sum(self.states[state] for state in PRESSING)
        return self.on_time * 100 // due if due else None

    @property
    def bars(self) -> list[tuple[str, int, int]]:
        """(class, start, length) of each stretch of the bar; what is not due yet is left blank."""
        found: list[tuple[str, int, int]] = []
        start = 0
        for state, look in STATES.items():
            if look.bar and self.states[state]:
                found.append((look.bar, start, self.states[state]))
                start += self.states[state]
        return found


@dataclass(frozen=True, slots=True)
class Column:
    """One cycle. `sums` by branch: a piece of the path, `direct` or `self`."""

    cycle_id: int
    obligation: str
    period: str
    title: str
    source: str
    due_on: date
    is_office_set: bool  #: the document gives no day
    sums: Mapping[str, Sum]

    def sum_of(self, branches: Sequence[str] | None = None) -> Sum:
        """The branches together; None: all of them."""
        total = Sum()
        for branch, each in self.sums.items():
            if branches is None or branch in branches:
                total.add(each)
        return total


@dataclass(frozen=True, slots=True)
class Row:
    """A unit with its cells, one a column; None where nothing is asked of it."""

    unit_id: int
    code: str
    name: str
    above: str  #: name of its superior, where units of several stand together; else empty
    has_units: bool
    cells: list[Cell | None]

    @property
    def due(self) -> list[Cell]:
        """What came in or should have."""
        return [cell for cell in self.cells if cell and (cell.is_late is not None or cell.is_pressing)]

    @property
    def on_time(self) -> int:
        return sum(cell.is_late is False for cell in self.due)

    @property
    def pressing(self) -> int:
        return sum(cell is not None and cell.is_pressing for cell in self.cells)


@dataclass(frozen=True, slots=True)
class Roll:
    """A branch summed up, one sum a column."""

    name: str
    code: str  #: of the superior whose own board it is; empty: this board's
    sums: Sequence[Sum]

    @property
    def total(self) -> Sum:
        total = Sum()
        for each in self.sums:
            total.add(each)
        return total


@lru_cache(maxsize=10_000)  # a board of 4,000 cells says a dozen different things
def _words(lang: str, state: str, is_late: bool, late_days: int, extended_to: date | None) -> str:
    if late_days:
        return translate("quá hạn {n} ngày làm việc", lang, n=late_days)
    if state == "accepted" and is_late:
        return translate("đã nhận, nộp trễ", lang)
    if state == "not_due" and extended_to:
        return translate("gia hạn đến {day}", lang, day=short_day(extended_to))
    return translate(f"shown.{state}", lang).lower()


def groups(columns: Sequence[Column]) -> list[tuple[Column, int]]:
    """The obligations over the columns: (first column, how many columns)."""
    found: list[tuple[Column, int]] = []
    for column in columns:
        if found and found[-1][0].obligation == column.obligation:
            found[-1] = (found[-1][0], found[-1][1] + 1)
        else:
            found.append((column, 1))
    return found

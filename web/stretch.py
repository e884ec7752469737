"""Between which days? Two typed days of a filter, and the page of a list that goes back from the newest."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from dondoc.clock import moment
from web import words

ONE_DAY: Final = timedelta(days=1)
#: Beyond these a moment of some zone has no year in UTC; as a limit such a day is none.
EARLIEST: Final = date.min + ONE_DAY
LATEST: Final = date.max - 2 * ONE_DAY


@dataclass(frozen=True, slots=True)
class Stretch:
    """From the beginning of a day to the end of another; None is open."""

    first: date | None
    last: date | None

    def moments(self, zone: str) -> tuple[datetime | None, datetime | None]:
        """Half-open, in UTC."""
        start = moment(self.first, "00:00", zone) if self.first and self.first > EARLIEST else None
        end = moment(self.last + ONE_DAY, "00:00", zone) if self.last and self.last < LATEST else None
        return start, end


def stretch_of(given: Any) -> Stretch:
    """What is no day is not looked at: the field shows it, and the list is as long as without."""
    first, last = (words.read_day(str(given[name])) if name in given else None for name in ("from", "to"))
    return Stretch(first, last)


def number_of(text: str | None) -> int | None:
    """The number of a row that an address names; None when it names none."""
    found = text is not None and text.isascii() and text.isdigit() and len(text) < 11
    return min(int(text or 0), 2**31 - 1) if found else None

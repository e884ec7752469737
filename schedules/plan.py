"""What does a plan say? The values that a schedule file becomes; load.py makes them, timeline.py compiles them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from schedules.audience import Audience
from schedules.periods import Period

MOST_FILES: Final = 10
EMPTY: Final[Mapping[str, "PeriodException"]] = MappingProxyType({})


class SetBy(StrEnum):
    DOCUMENT = "document"  #: the date stands in the document
    OFFICE = "office"  #: the document leaves it open; the office chose it


class Roll(StrEnum):
    """What happens to a due day that is a day off (Civil Code 2015, Art. 148(5) is `next`)."""

    NONE = "none"
    NEXT = "next"
    PREVIOUS = "previous"
    MODIFIED_NEXT = "modified_next"  #: next, unless that leaves the rule's period, then previous


class Every(StrEnum):
    YEAR = "year"
    HALF = "half"
    NINE_MONTHS = "nine_months"  #: January to September
    QUARTER = "quarter"
    MONTH = "month"
    TERM = "term"  #: the plan's own term, once
    REQUEST = "request"  #: no periods: opened by hand, and due so long after that


@dataclass(frozen=True, slots=True)
class Text:
    """Words in both languages of the interface."""

    vi: str
    en: str

    def in_(self, lang: str) -> str:
        return self.en if lang == "en" else self.vi


@dataclass(frozen=True, slots=True)
class Offset:
    """A distance from a day; negative is before. The first day is not counted (Civil Code 2015, Art. 147)."""

    count: int
    working: bool = False

    def __str__(self) -> str:
        return f"{abs(self.count)} {'working ' if self.working else ''}days"


@dataclass(frozen=True, slots=True)
class Anchor:
    """A stretch of the calendar that a rule names: `Q3`, `H1`, `M12`, `year`, `period`, or absolute `2023-Q2`.

    Relative names count in the year in which the period begins, plus `year` (so -1 is the year before).
    """

    ref: str
    year: int = 0


@dataclass(frozen=True, slots=True)
class EndOf:
    anchor: Anchor


@dataclass(frozen=True, slots=True)
class StartOf:
    anchor: Anchor


@dataclass(frozen=True, slots=True)
class BeforeStart:
    """Before a stretch, exclusive: before December is 30 November at the latest."""

    anchor: Anchor


@dataclass(frozen=True, slots=True)
class DayOf:
    """A day of a month: `of` is first_month, last_month, next_month (the month after the period) or M1..M12."""

    day: int | None  #: None: the last one
    of: str
    year: int = 0


@dataclass(frozen=True, slots=True)
class LastWorkingDay:
    anchor: Anchor


@dataclass(frozen=True, slots=True)
class OnDay:
    on: date


@dataclass(frozen=True, slots=True)
class Relative:
    """Counted from a milestone of the same period or from another obligation's due day (same period label)."""

    event: str
    offset: Offset


@dataclass(frozen=True, slots=True)
class AfterCutoff:
    """Counted from the last day that the data covers (Decree 09/2019/NĐ-CP, Art. 8(5): at least one working day)."""

    offset: Offset


@dataclass(frozen=True, slots=True)
class AfterOpening:
    """Of a request: counted from the day on which it was opened."""

    offset: Offset


@dataclass(frozen=True, slots=True)
class HoursAfterOpening:
    """Of an urgent request: hours from the moment of opening, through nights and days off."""

    hours: int


@dataclass(frozen=True, slots=True)
class BeforeSuperior:
    """A level of a chain: this many (working) days before the due day of the level above."""

    offset: Offset


@dataclass(frozen=True, slots=True)
class BeforeDue:
    """An opening: this far before the due day (after rolling)."""

    offset: Offset


#: A rule that needs nothing but the period.
Plain = EndOf | StartOf | BeforeStart | DayOf | OnDay
Rule = Plain | LastWorkingDay | AfterCutoff | AfterOpening | HoursAfterOpening | Relative | BeforeSuperior
Opening = BeforeDue | Plain | LastWorkingDay | AfterCutoff | AfterOpening | Relative


@dataclass(frozen=True, slots=True)
class Due:
    rule: Rule
    roll: Roll | None = None  #: None: the plan's default


@dataclass(frozen=True, slots=True)
class Window:
    """Which days the data covers, where they are not the period's own; what is None is not said here.

    `cutoff_day` 14 is from the 15th of the month before the period to the 14th of its last month; `first` and `last`
    are nearer; a cumulative one begins where that of the whole year does.
    """

    cutoff_day: int | None = None
    is_cumulative: bool | None = None
    first: Plain | None = None
    last: Plain | None = None

    def over(self, other: "Window | None") -> "Window":
        """What an exception says, laid over what the obligation says."""
        return self if other is None else Window(
            other.cutoff_day if self.cutoff_day is None else self.cutoff_day,
            other.is_cumulative if self.is_cumulative is None else self.is_cumulative,
            self.first or other.first,
            self.last or other.last,
        )  # fmt: skip


class Rung(StrEnum):
    """Who is told when a step fires."""

    UNIT_CONTACT = "unit.contact"
    UNIT_HEAD = "unit.head"
    SUPERIOR_SECRETARIAT = "superior.secretariat"
    SUPERIOR_HEAD = "superior.head"
    ISSUER_SECRETARIAT = "issuer.secretariat"
    ISSUER_STANDING = "issuer.standing"


@dataclass(frozen=True, slots=True)
class Remind:
    """One reminder (`times` 1), or one `every` so far after the due day, at most `times` times."""

    offset: Offset
    times: int = 1


@dataclass(frozen=True, slots=True)
class Escalate:
    after: Offset
    to: Rung


@dataclass(frozen=True, slots=True)
class Ladder:
    remind: tuple[Remind, ...] = ()
    escalate: tuple[Escalate, ...] = ()


class FieldType(StrEnum):
    TEXT = "text"
    LONG_TEXT = "long_text"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class Field:
    """One question of the form. `target` is a quota to strive for ("phấn đấu"): falling short is shown, not refused."""

    name: str
    type: FieldType
    label: Text
    help: Text | None = None
    required: bool = True
    target: int | None = None


@dataclass(frozen=True, slots=True)
class FileRule:
    types: tuple[str, ...] = ("pdf", "docx", "xlsx", "odt", "ods", "jpg", "png")
    required: bool = False
    max: int = MOST_FILES  #: how many files a report may have


@dataclass(frozen=True, slots=True)
class PeriodException:
    """What differs in one period, and the clause that says so (None: the period's own rule, no departure from one)."""

    period: Period
    why: str | None
    due: Due | None = None
    opens: Opening | None = None
    grace: Offset | None = None
    skip: bool = False
    set_by: SetBy | None = None
    window: Window | None = None


@dataclass(frozen=True, slots=True)
class Cadence:
    """Which periods, and the three rules that give their dates."""

    periods: tuple[Period, ...]
    due: Due
    opens: Opening
    grace: Offset | None
    set_by: SetBy
    exceptions: tuple[PeriodException, ...] = ()
    window: Window | None = None  #: None: the data covers the period itself
    is_on_request: bool = False  #: no periods: it is opened by hand


@dataclass(frozen=True, slots=True)
class Level:
    """One level of a chain, from the top down; the first carries the obligation's own due rule."""

    name: str
    who: Audience
    due: Due


@dataclass(frozen=True, slots=True)
class Variant:
    """Another cadence for some units of the obligation; they are subtracted from the main one."""

    name: str
    who: Audience
    cadence: Cadence
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Receiver:
    """To whom the report goes: the superior (None) or a named unit; `via` receives and reviews in its place."""

    to: str | None = None
    via: str | None = None


@dataclass(frozen=True, slots=True)
class Obligation:
    code: str
    title: Text
    source: tuple[str, ...]  #: clauses of the document, as it counts them: II.8.3
    who: Audience
    cadence: Cadence
    ladder: Ladder
    at: str  #: hour of the steps, "HH:MM" in the organisation's zone
    receiver: Receiver = Receiver()
    levels: tuple[Level, ...] = ()
    variants: tuple[Variant, ...] = ()
    valid_from: date | None = None  #: an occurrence counts when its nominal due day lies within (inclusive)
    valid_to: date | None = None
    fields: tuple[Field, ...] = ()
    file: FileRule | None = None
    help: Text | None = None

    @property
    def is_on_request(self) -> bool:
        """Whether it may be asked for by hand, of all its units or of a variant's."""
        return any(each.is_on_request for each in (self.cadence, *(each.cadence for each in self.variants)))


@dataclass(frozen=True, slots=True)
class Milestone:
    """A dated event that is entered later, once a year, for all units or for one."""

    code: str
    title: Text


@dataclass(frozen=True, slots=True)
class Plan:
    code: str
    title: Text
    document: Text
    issuer: str
    calendar: str
    term: Period
    roll: Roll
    obligations: tuple[Obligation, ...]
    milestones: tuple[Milestone, ...] = ()
    note: Text | None = field(default=None)

    def obligation(self, code: str) -> Obligation:
        return next(each for each in self.obligations if each.code == code)

"""How are dates written? Due rules, openings, distances and the ladder, read into the values of plan.py."""

import re
from collections.abc import Callable
from difflib import get_close_matches
from typing import Final, TypeVar

from schedules import nodes, periods
from schedules.nodes import Node, Scalar, excerpt
from schedules.plan import (
    AfterCutoff,
    AfterOpening,
    Anchor,
    BeforeDue,
    BeforeStart,
    BeforeSuperior,
    DayOf,
    Due,
    EndOf,
    Escalate,
    HoursAfterOpening,
    Ladder,
    LastWorkingDay,
    Offset,
    OnDay,
    Opening,
    Plain,
    Relative,
    Remind,
    Roll,
    Rule,
    Rung,
    StartOf,
)
from schedules.problem import meant
from schedules.reader import SOME_DAY, YEARS, Entries, Reader

Step = TypeVar("Step", Remind, Escalate)

FARTHEST: Final = 3660  #: days of a distance: ten years
MOST_TIMES: Final = 60  #: repetitions of one reminder
MOST_HOURS: Final = 720  #: of an urgent request: thirty days
CUTOFF: Final = "cutoff"  #: the last day that the data covers
OPENED: Final = "opened"  #: when a request was opened
LAST: Final = "last"  #: the last day of a month
UNREAD: Final = OnDay(SOME_DAY)  #: stands in for a rule that cannot be read
NOWHERE: Final = Anchor("year")  #: stands in for a stretch that cannot be read

PARTS: Final = ("Q1", "Q2", "Q3", "Q4", "H1", "H2", *(f"M{month}" for month in range(1, 13)), "year", "period")
MONTHS: Final = ("first_month", "last_month", "next_month", *(f"M{month}" for month in range(1, 13)))
_LONGEST: Final = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}

_DISTANCE: Final = r"(?P<count>[0-9]{1,5}) (?P<working>working )?days?"
_WORDS: Final = ["working", "day", "days", "before", "after", "due", "every", "at", "most", "times", "superior"]
_OFFSET: Final = re.compile(_DISTANCE)
_OPENING: Final = re.compile(f"{_DISTANCE} before due")
_LEVEL: Final = re.compile(f"{_DISTANCE} before superior")
_DUE_DAY: Final = re.compile("due day")
_REMIND: Final = re.compile(f"{_DISTANCE} (?P<side>before|after)")
_REPEAT: Final = re.compile(f"every {_DISTANCE} at most (?P<times>[0-9]{{1,5}}) times?")

# Which word makes the rule, and what may stand beside it.
BESIDE: Final = {
    "end_of": ("year",),
    "start_of": ("year",),
    "before": ("year", "days", "working_days"),
    "last_working_day_of": ("year",),
    "day": ("of", "year"),
    "date": (),
    "on": (),
    "after": ("days", "working_days", "hours"),
}
RULE_KEYS: Final = (
    "end_of", "start_of", "before", "last_working_day_of", "day", "of", "date", "on", "after", "year", "days",
    "working_days", "hours",
)  # fmt: skip
WINDOW_RULE_KEYS: Final = ("end_of", "start_of", "before", "day", "of", "date", "year")


def is_reserved(name: str) -> bool:
    """Does a name look like a stretch of the calendar, so that `before: NAME` would have two readings?"""
    is_absolute = re.fullmatch(r"[0-9]{4}(-([hq]?[0-9]+|9m))?", name)
    return name.upper() in PARTS or name in ("year", "period") or is_absolute is not None


class Names:
    """The names of the plan that rules may hang on, and which obligation hangs on which."""

    def __init__(self, milestones: set[str], obligations: set[str]) -> None:
        self.milestones = milestones
        self.obligations = obligations
        self.hangs: list[tuple[str, str, Node]] = []


class Rules:
    """Reads the rules of one obligation."""

    def __init__(self, reader: Reader, names: Names, obligation: str) -> None:
        self.reader = reader
        self.names = names
        self.obligation = obligation

    def due(self, node: Node, *, on_request: bool = False) -> Due:
        """A request is due so long after its opening, and nothing else is."""
        due = self._due(node)
        is_after_opening = isinstance(due.rule, AfterOpening | HoursAfterOpening)
        if is_after_opening and not on_request:
            self.reader.error(node, "problem.opened-without-request")
        elif on_request and not is_after_opening and due.rule is not UNREAD:
            self.reader.error(node, "problem.request-due")
        return due

    def _due(self, node: Node) -> Due:
        if not isinstance(node, nodes.Mapping):
            self.reader.error(node, "problem.bad-due", got=excerpt(node))
            return Due(UNREAD)
        entries = self.reader.entries(node, (*RULE_KEYS, "roll"))
        roll = entries.get("roll")
        if "roll" in entries and "hours" in entries:
            self.reader.error(entries.keys["roll"], "problem.not-beside", key="roll", head="hours")
        return Due(self._rule(entries), self.reader.choice(roll, Roll) if roll else None)

    def opening(self, node: Node) -> Opening:
        if isinstance(node, nodes.Mapping):
            rule = self._rule(self.reader.entries(node, RULE_KEYS))
            assert not isinstance(rule, BeforeSuperior)
            if isinstance(rule, AfterOpening | HoursAfterOpening):
                self.reader.error(node, "problem.opened-without-request")
                return UNREAD
            return rule
        return BeforeDue(before(self.reader, node, _OPENING, "problem.bad-opening", least=0))

    def plain(self, node: Node) -> Plain | None:
        """A rule that needs no calendar and no event, as the days of a window are given by."""
        rule = self._rule(self.reader.entries(node, WINDOW_RULE_KEYS))
        is_unread = rule is UNREAD or (isinstance(rule, EndOf | StartOf | BeforeStart) and rule.anchor is NOWHERE)
        return rule if isinstance(rule, Plain) and not is_unread else None

    def superior(self, node: Node) -> Due:
        """The due day of a level: so long before that of the level above, or a rule of its own."""
        if isinstance(node, nodes.Mapping):
            return self.due(node)
        return Due(BeforeSuperior(before(self.reader, node, _LEVEL, "problem.bad-level-due")))

    def _rule(self, entries: Entries) -> Rule:
        heads = [key for key in BESIDE if key in entries]
        if len(heads) != 1:
            if heads or entries.is_complete:
                self.reader.error(entries.at, "problem.not-one-rule", allowed=", ".join(BESIDE), got=", ".join(heads))
            return UNREAD
        head = heads[0]
        for key, at, _ in entries:
            if key not in (head, "roll", *BESIDE[head]):
                self.reader.error(at, "problem.not-beside", key=key, head=head)
        node = entries.values[head]
        match head:
            case "end_of":
                return EndOf(self._anchor(node, entries))
            case "start_of":
                return StartOf(self._anchor(node, entries))
            case "before":
                return self._before(node, entries)
            case "last_working_day_of":
                return LastWorkingDay(self._anchor(node, entries))
            case "day":
                return self._day_of(entries)
            case "date":
                day = self.reader.day(node)
                return OnDay(day) if day else UNREAD
            case "on":
                return Relative(self._event(node, milestone=True), Offset(0))
            case _:
                return self._after(node, entries)

    def _after(self, node: Node, entries: Entries) -> Rule:
        word = node.text if isinstance(node, Scalar) else ""
        hours = entries.get("hours")
        if word == OPENED:
            if hours is None:
                return AfterOpening(self._distance(entries, 1, "problem.hours-or-days"))
            if "days" in entries or "working_days" in entries:
                self.reader.error(entries.at, "problem.hours-or-days")
            return HoursAfterOpening(self.reader.number(hours, 1, MOST_HOURS))
        if hours:
            self.reader.error(entries.keys["hours"], "problem.not-beside", key="hours", head=f"after: {excerpt(node)}")
        if word == CUTOFF:
            return AfterCutoff(self._distance(entries, 1))
        return Relative(self._event(node), self._distance(entries, 1))

    def _before(self, node: Node, entries: Entries) -> Rule:
        """Before a stretch of the calendar, or so far before a named event: the name decides."""
        counted = "days" in entries or "working_days" in entries
        word = node.text if isinstance(node, Scalar) else ""
        named = word in self.names.milestones or word in self.names.obligations
        if not counted and not named:
            return BeforeStart(self._anchor(node, entries))
        if "year" in entries:
            self.reader.error(entries.keys["year"], "problem.not-beside", key="year", head=f"before: {excerpt(node)}")
        return Relative(self._event(node), self._distance(entries, -1))

    def _anchor(self, node: Node, entries: Entries) -> Anchor:
        word = self.reader.word(node, "problem.bad-stretch")
        year = self._year(entries)
        if word is None:
            return NOWHERE
        if word.text in PARTS:
            return Anchor(word.text, year)
        try:
            absolute = periods.parse(word.text)
        except ValueError:
            absolute = None
        if absolute is None or absolute.kind == "span":
            alike = meant(word.text, [*PARTS, *self.names.milestones])
            self.reader.error(node, "problem.bad-stretch", got=excerpt(node), **alike)
            return NOWHERE
        if absolute.start.year not in YEARS:
            self.reader.error(node, "problem.far-year", got=excerpt(node), first=YEARS[0], last=YEARS[-1])
            return NOWHERE
        if "year" in entries:
            self.reader.error(entries.keys["year"], "problem.year-of-absolute", got=word.text)
        return Anchor(word.text)

    def _day_of(self, entries: Entries) -> DayOf:
        of_node = entries.get("of")
        if of_node is None:
            self.reader.error(entries.keys["day"], "problem.missing-key", key="of")
        of = (self.reader.one_of(of_node, MONTHS) if of_node else None) or "last_month"
        longest = _LONGEST.get(int(of[1:]), 31) if of.startswith("M") else 31
        day = entries.values["day"]
        if isinstance(day, Scalar) and day.text == LAST:
            return DayOf(None, of, self._year(entries))
        return DayOf(self.reader.number(day, 1, longest, "problem.bad-day-of-month"), of, self._year(entries))

    def _year(self, entries: Entries) -> int:
        node = entries.get("year")
        return self.reader.number(node, -20, 20) if node else 0

    def _event(self, node: Node, *, milestone: bool = False) -> str:
        allowed = self.names.milestones if milestone else self.names.milestones | self.names.obligations
        code = "problem.unknown-milestone" if milestone else "problem.unknown-event"
        word = self.reader.word(node, code)
        if word is None:
            return ""
        if word.text not in allowed:
            self.reader.error(node, code, got=excerpt(node), **meant(word.text, sorted(allowed)))
        elif word.text in self.names.obligations:
            self.names.hangs.append((self.obligation, word.text, node))
        return word.text

    def _distance(self, entries: Entries, sign: int, code: str = "problem.days-or-working-days") -> Offset:
        days, working = entries.get("days"), entries.get("working_days")
        if (days and working) or not (days or working):
            self.reader.error(entries.at, code)
            return Offset(sign)
        node = days or working
        assert node is not None
        return Offset(sign * self.reader.number(node, 1, FARTHEST), working=days is None)


def before(reader: Reader, node: Node, shape: re.Pattern[str], code: str, *, least: int = 1) -> Offset:
    """A distance before something, as a negative offset."""
    offset = _match(reader, node, (shape,), code, least)
    return Offset(-int(offset["count"]), bool(offset["working"])) if offset else Offset(-1)


def distance(reader: Reader, node: Node, *, least: int = 1) -> Offset:
    """`10 days` or `3 working days`."""
    offset = _match(reader, node, (_OFFSET,), "problem.bad-distance", least)
    return Offset(int(offset["count"]), bool(offset["working"])) if offset else Offset(1)


def ladder(reader: Reader, remind: Node | None, escalate: Node | None, default: Ladder) -> Ladder:
    """Each half that is given replaces that half of the default."""
    return Ladder(
        default.remind if remind is None else _all(reader, remind, _remind),
        default.escalate if escalate is None else _all(reader, escalate, _escalate),
    )


def _all(reader: Reader, node: Node, read: Callable[[Reader, Node], Step]) -> tuple[Step, ...]:
    return tuple(read(reader, item) for item in reader.items(node))


def _remind(reader: Reader, node: Node) -> Remind:
    found = _match(reader, node, (_DUE_DAY, _REMIND, _REPEAT), "problem.bad-remind", 1)
    if not found:
        return Remind(Offset(0))
    count, working = int(found["count"]), bool(found["working"])
    if "times" not in found:
        return Remind(Offset(-count if found["side"] == "before" else count, working))
    times = int(found["times"])
    if not 1 <= times <= MOST_TIMES:
        reader.error(node, "problem.bad-times", got=times, most=MOST_TIMES)
    return Remind(Offset(count, working), times)


def _escalate(reader: Reader, node: Node) -> Escalate:
    entries = reader.entries(node, ("after", "to"), ("after", "to"))
    after, to = entries.get("after"), entries.get("to")
    rung = reader.choice(to, Rung) if to else None
    return Escalate(distance(reader, after) if after else Offset(1), rung or Rung.UNIT_HEAD)


def _match(
    reader: Reader, node: Node, shapes: tuple[re.Pattern[str], ...], code: str, least: int
) -> dict[str, str] | None:
    """The parts of a distance in words; misspelt words are guessed for the message only."""
    word = reader.word(node, code)
    if word is None:
        return None
    text = " ".join(word.text.split())
    found = _fullmatch(text, shapes)
    if found is None:
        guess = " ".join(_spelt(each) for each in text[:80].split())
        hint = {"meant": guess} if _fullmatch(guess, shapes) else {}
        reader.error(node, code, got=excerpt(node), **hint)
    elif found and not least <= int(found["count"]) <= FARTHEST:
        reader.error(node, "problem.bad-count", got=excerpt(node), least=least, most=FARTHEST)
    return found


def _fullmatch(text: str, shapes: tuple[re.Pattern[str], ...]) -> dict[str, str] | None:
    found = next((match for shape in shapes if (match := shape.fullmatch(text))), None)
    return found.groupdict() if found else None


def _spelt(word: str) -> str:
    return word if word.isdigit() else next(iter(get_close_matches(word.lower(), _WORDS, n=1, cutoff=0.6)), word)

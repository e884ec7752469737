"""What does a file say? Plans and calendars, read whole or refused with every problem and its place."""

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Final, Literal, TypeVar

from schedules import nodes
from schedules.cadences import SOME_PERIOD
from schedules.calendars import Calendar, Day
from schedules.nodes import LARGEST, Node, Scalar, Unreadable
from schedules.obligations import Defaults, milestones, obligations, warn_reminders
from schedules.periods import Period
from schedules.plan import Ladder, Plan, Roll, Text
from schedules.problem import Problem, Severity
from schedules.reader import SOME_DAY, YEARS, Entries, Known, Reader, TooMany
from schedules.rules import Names, distance, ladder

Value = TypeVar("Value", Plan, Calendar)

PLAN_KEYS: Final = (
    "plan", "title", "document", "issuer", "calendar", "term", "note", "defaults", "milestones", "obligations"
)  # fmt: skip
PLAN_REQUIRED: Final = ("plan", "title", "issuer", "calendar", "term", "defaults", "obligations")
DEFAULT_KEYS: Final = ("opens", "roll", "at", "grace", "remind", "escalate")
DEFAULT_REQUIRED: Final = ("opens", "roll")
CALENDAR_KEYS: Final = ("calendar", "title", "decided", "days")
ROW_KEYS: Final = ("on", "off", "name", "source", "decision")
ROW_REQUIRED: Final = ROW_KEYS[:-1]
_OF_A_PLAN: Final = re.compile(rb"^(plan|obligations|issuer|term)[ ]*:", re.MULTILINE)
_OF_A_CALENDAR: Final = re.compile(rb"^(days|decided)[ ]*:", re.MULTILINE)


def read(path: Path, known: Known | None = None) -> tuple[Plan | None, list[Problem]]:
    """The plan of a file, or None with all that is wrong; units, kinds and tags are checked when they are `known`."""
    return _from_file(path, lambda data, name: parse(data, name, known))


def parse(text: bytes, name: str, known: Known | None = None) -> tuple[Plan | None, list[Problem]]:
    """As `read`, from bytes; `name` is the file that the problems tell of."""
    return _parse(text, name, known, _plan)


def read_calendar(path: Path) -> tuple[Calendar | None, list[Problem]]:
    return _from_file(path, parse_calendar)


def parse_calendar(text: bytes, name: str) -> tuple[Calendar | None, list[Problem]]:
    return _parse(text, name, None, _calendar)


def sort_of(file: Path | bytes) -> Literal["plan", "calendar"]:
    """Which of the two a file means to be, told by its first keys; what cannot be read counts as a plan."""
    if isinstance(file, Path):
        try:
            if not file.is_file():
                return "plan"
            with file.open("rb") as opened:
                file = opened.read(LARGEST)
        except (OSError, ValueError):
            return "plan"
    return "calendar" if _OF_A_CALENDAR.search(file) and not _OF_A_PLAN.search(file) else "plan"


def _from_file(
    path: Path, parse_: Callable[[bytes, str], tuple[Value | None, list[Problem]]]
) -> tuple[Value | None, list[Problem]]:
    """A file that is missing or too large is refused before it is read."""
    name = str(path)
    try:
        if not path.exists():
            return None, [Problem(name, 1, 1, Severity.ERROR, "problem.missing-file")]
        if not path.is_file():
            return None, [Problem(name, 1, 1, Severity.ERROR, "problem.not-a-file")]
        if (size := path.stat().st_size) > LARGEST:
            params = {"limit": LARGEST, "got": size}
            return None, [Problem(name, 1, 1, Severity.ERROR, "problem.too-large", params)]
        return parse_(path.read_bytes(), name)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        return None, [Problem(name, 1, 1, Severity.ERROR, "problem.unreadable-file", {"got": reason})]
    except ValueError:
        return None, [Problem(name, 1, 1, Severity.ERROR, "problem.missing-file")]


def _parse(
    data: bytes, name: str, known: Known | None, make: Callable[[Reader, Node], Value]
) -> tuple[Value | None, list[Problem]]:
    reader = Reader(name, known)
    try:
        value = make(reader, nodes.compose(data, name))
    except Unreadable as unreadable:
        return None, unreadable.problems
    except TooMany:
        return None, reader.problems
    problems = reader.problems
    return (None if any(each.is_error for each in problems) else value), problems


def _plan(reader: Reader, root: Node) -> Plan:
    entries = reader.entries(root, PLAN_KEYS, PLAN_REQUIRED)
    get = entries.get
    term_node, issuer, note, dates, owed = (get(key) for key in ("term", "issuer", "note", "milestones", "obligations"))
    term = reader.period(term_node, ("year", "span")) if term_node else None
    roll, defaults = _defaults(reader, entries, term)
    names = Names(_names(dates), _names(owed))
    return Plan(
        code=_code(reader, get("plan")),
        title=_text(reader, get("title")),
        document=_text(reader, get("document") or get("title")),
        issuer=reader.outside(issuer, "unit") if issuer else "",
        calendar=_code(reader, get("calendar")),
        term=term or SOME_PERIOD,
        roll=roll,
        milestones=milestones(reader, dates) if dates else (),
        obligations=obligations(reader, owed, names, defaults) if owed else (),
        note=reader.text(note) if note else None,
    )


def _defaults(reader: Reader, plan: Entries, term: Period | None) -> tuple[Roll, Defaults]:
    node = plan.get("defaults")
    entries = reader.entries(node, DEFAULT_KEYS, DEFAULT_REQUIRED, plan.keys["defaults"]) if node else Entries(plan.at)
    get = entries.get
    rolled, hour, grace, remind = get("roll"), get("at"), get("grace"), get("remind")
    own = ladder(reader, remind, get("escalate"), Ladder())
    if remind and grace:
        warn_reminders(reader, remind, own, distance(reader, grace, least=0), grace)
    return (reader.choice(rolled, Roll) if rolled else None) or Roll.NONE, Defaults(
        term, entries, own, reader.hour(hour) if hour else "08:00"
    )


def _calendar(reader: Reader, root: Node) -> Calendar:
    entries = reader.entries(root, CALENDAR_KEYS, CALENDAR_KEYS)
    decided, rows = entries.get("decided"), entries.get("days")
    days: dict[date, Day] = {}
    for item in reader.items(rows) if rows else ():
        day = _row(reader, item)
        if day is None:
            continue
        if day.on in days:
            reader.error(item, "problem.duplicate-day", got=day.on.isoformat())
        days[day.on] = day
    return Calendar(
        code=_code(reader, entries.get("calendar")),
        title=_text(reader, entries.get("title")),
        days=days,
        decided=frozenset(
            reader.number(each, YEARS[0], YEARS[-1]) for each in (reader.items(decided) if decided else ())
        ),
    )


def _row(reader: Reader, node: Node) -> Day | None:
    """One day; Monday to Friday are worked by themselves, so that such a row is a slip of the date."""
    entries = reader.entries(node, ROW_KEYS, ROW_REQUIRED)
    on, off, source, decision = (entries.get(key) for key in ("on", "off", "source", "decision"))
    day = reader.day(on) if on else None
    row = Day(
        day or SOME_DAY,
        reader.yes(off) if off else True,
        _text(reader, entries.get("name")),
        reader.line(source) if source else "",
        reader.line(decision) if decision else None,
    )
    if day and off and on and not row.off and day.weekday() < 5:
        reader.error(on, "problem.worked-weekday", got=day.isoformat())
    return row if day else None


def _names(node: Node | None) -> set[str]:
    return (
        {key.text for key, _ in node.entries if isinstance(key, Scalar)} if isinstance(node, nodes.Mapping) else set()
    )


def _code(reader: Reader, node: Node | None) -> str:
    return reader.code(node) if node else ""


def _text(reader: Reader, node: Node | None) -> Text:
    return reader.text(node) if node else Text("", "")

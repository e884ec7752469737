"""How are nodes read into values? The small words of the language, each checked where it stands.

A word that cannot be read is reported and stood in for, so that reading goes on and all problems come at once;
what was read is thrown away when any problem is an error.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final, TypeVar

from schedules import nodes, periods
from schedules.nodes import Listing, Node, Scalar, excerpt
from schedules.periods import Period
from schedules.plan import Text
from schedules.problem import Problem, Severity, meant

Choice = TypeVar("Choice", bound=StrEnum)

MOST_PROBLEMS: Final = 200  #: nobody reads more; the rest is only announced
YEARS: Final = range(1900, 2200)
SOME_DAY: Final = date(2000, 1, 1)

CODE_SHAPE: Final = r"[a-z0-9]+(-[a-z0-9]+)*"
DAY_SHAPE: Final = r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
FIELD_SHAPE: Final = r"[a-z][a-z0-9_]*"
HOUR_SHAPE: Final = r"([01][0-9]|2[0-3]):[0-5][0-9]"
_CODE: Final = re.compile(CODE_SHAPE)
_DAY: Final = re.compile(DAY_SHAPE)
_FIELD: Final = re.compile(FIELD_SHAPE)
_HOUR: Final = re.compile(HOUR_SHAPE)
_NUMBER: Final = re.compile(r"-?[0-9]{1,9}")


class TooMany(Exception):
    """There are so many problems that further reading helps nobody."""


@dataclass(frozen=True, slots=True)
class Known:
    """The words that stand outside of the plan, as the organisation knows them."""

    units: frozenset[str]
    kinds: frozenset[str]
    tags: frozenset[str]


@dataclass(slots=True, eq=False)
class Entries:
    """The entries of a mapping by key; `at` is where a missing one is missed.

    `is_complete` when nothing had to be left out, so that what is missing was really not written; `misspelt` are
    the keys that unknown ones seem to mean: those are not missed as well.
    """

    at: Node
    is_complete: bool = True
    values: dict[str, Node] = field(default_factory=dict)
    keys: dict[str, Node] = field(default_factory=dict)
    misspelt: set[str] = field(default_factory=set)

    def get(self, key: str) -> Node | None:
        return self.values.get(key)

    def lacks(self, *keys: str) -> bool:
        return not any(key in self.values or key in self.misspelt for key in keys)

    def __contains__(self, key: str) -> bool:
        return key in self.values

    def __iter__(self) -> Iterator[tuple[str, Node, Node]]:
        """Name, where the name stands, value."""
        return ((name, self.keys[name], value) for name, value in self.values.items())


class Reader:
    """Reads nodes of one file and collects what is wrong with them."""

    def __init__(self, name: str, known: Known | None = None) -> None:
        self.name = name
        self.known = known
        self.found: dict[tuple[int, int, str, str], Problem] = {}

    @property
    def problems(self) -> list[Problem]:
        return sorted(self.found.values(), key=lambda each: (each.line, each.column, each.code))

    def report(self, at: Node, severity: Severity, code: str, /, **params: str | int) -> None:
        """Once a place: what an alias or a variant repeats is read again."""
        if len(self.found) >= MOST_PROBLEMS:
            self.found.setdefault((at.line, at.column, "problem.too-many", ""), self.too_many(at))
            raise TooMany
        problem = Problem(self.name, at.line, at.column, severity, code, params)
        self.found.setdefault((at.line, at.column, code, str(params.get("key", ""))), problem)

    def too_many(self, at: Node) -> Problem:
        return Problem(self.name, at.line, at.column, Severity.ERROR, "problem.too-many", {"limit": MOST_PROBLEMS})

    def error(self, at: Node, code: str, /, **params: str | int) -> None:
        self.report(at, Severity.ERROR, code, **params)

    def warn(self, at: Node, code: str, /, **params: str | int) -> None:
        self.report(at, Severity.WARNING, code, **params)

    def entries(
        self, node: Node, allowed: tuple[str, ...] | None, required: tuple[str, ...] = (), at: Node | None = None
    ) -> Entries:
        """The entries of a mapping; `allowed` None takes any key (names of the file's own)."""
        entries = Entries(at or node)
        if not isinstance(node, nodes.Mapping):
            self.error(node, "problem.not-a-mapping", got=excerpt(node))
            entries.is_complete = False
            return entries
        for key, value in node.entries:
            if not isinstance(key, Scalar) or key.is_nothing:
                self.error(key, "problem.not-a-key", got=excerpt(key))
            elif key.text in entries:
                self.error(key, "problem.duplicate-key", key=nodes.shorten(key.text), line=entries.keys[key.text].line)
            elif allowed is not None and key.text not in allowed:
                self.unknown(key, "problem.unknown-key", allowed, key=nodes.shorten(key.text))
                entries.misspelt.update(meant(key.text, list(allowed)).values())
            else:
                entries.values[key.text] = value
                entries.keys[key.text] = key
        entries.is_complete = len(entries.values) == len(node.entries)
        for key_name in required:
            if entries.lacks(key_name):
                self.error(entries.at, "problem.missing-key", key=key_name)
        return entries

    def named(
        self, node: Node, allowed: tuple[str, ...], required: tuple[str, ...] = ()
    ) -> Iterator[tuple[str, Node, Entries]]:
        """Mappings under names of the file's own: name, where it stands, entries. What is no mapping is left out."""
        for name, at, value in self.entries(node, None):
            entries = self.entries(value, allowed, required, at)
            if isinstance(value, nodes.Mapping):
                yield name, at, entries

    def unknown(self, node: Scalar, code: str, allowed: tuple[str, ...], **params: str | int) -> None:
        self.error(node, code, allowed=", ".join(allowed), **params, **meant(node.text, list(allowed)))

    def items(self, node: Node) -> list[Node]:
        if isinstance(node, Listing):
            return node.items
        self.error(node, "problem.not-a-list", got=excerpt(node))
        return []

    def one_or_more(self, node: Node) -> list[Node]:
        """A single value is a list of one."""
        return node.items if isinstance(node, Listing) and node.items else [node]

    def word(self, node: Node, code: str = "problem.not-a-text", **params: str | int) -> Scalar | None:
        """The scalar, when there is one with something in it; else the problem that says what was expected."""
        if isinstance(node, Scalar) and not node.is_nothing and node.text.strip():
            return node
        self.error(node, code, got=excerpt(node), **params)
        return None

    def line(self, node: Node) -> str:
        """Text of one line."""
        word = self.word(node)
        return " ".join(word.text.split()) if word else ""

    def text(self, node: Node) -> Text:
        """Words in both languages, each on one line."""
        if not isinstance(node, nodes.Mapping):
            self.error(node, "problem.not-both-languages", got=excerpt(node))
            return Text("", "")
        for key, value in node.entries:
            if isinstance(key, Scalar) and key.text not in ("vi", "en") and _is_nothing(value):
                self.error(key, "problem.comma", got=excerpt(key))
                return Text("", "")
        entries = self.entries(node, ("vi", "en"))
        for lang in ("vi", "en"):
            if entries.lacks(lang):
                self.error(node, "problem.missing-translation", key=lang)
        vi, en = entries.get("vi"), entries.get("en")
        return Text(self.line(vi) if vi else "", self.line(en) if en else "")

    def code(self, node: Node) -> str:
        """A name that the file gives: lower case letters without marks, digits, hyphens."""
        word = self.word(node, "problem.bad-code")
        if word and not (_CODE.fullmatch(word.text) and len(word.text) <= 64):
            self.error(node, "problem.bad-code", got=excerpt(node))
        return word.text if word else ""

    def field_name(self, node: Node) -> None:
        if not (isinstance(node, Scalar) and _FIELD.fullmatch(node.text) and len(node.text) <= 64):
            self.error(node, "problem.bad-field-name", got=excerpt(node))

    def outside(self, node: Node, sort: str) -> str:
        """The code of a unit, a kind or a tag, which the file only names; `sort` is unit, kind or tag."""
        word = self.word(node, f"problem.bad-{sort}")
        if word is None:
            return ""
        if self.known:
            known: Mapping[str, frozenset[str]] = {
                "unit": self.known.units, "kind": self.known.kinds, "tag": self.known.tags
            }  # fmt: skip
            if word.text not in known[sort]:
                self.error(word, f"problem.unknown-{sort}", got=excerpt(word), **meant(word.text, known[sort]))
        return word.text

    def choice(self, node: Node, among: type[Choice]) -> Choice | None:
        found = self.one_of(node, tuple(each.value for each in among))
        return among(found) if found else None

    def one_of(self, node: Node, allowed: tuple[str, ...]) -> str | None:
        word = self.word(node, "problem.bad-choice", allowed=", ".join(allowed))
        if word is None or word.text in allowed:
            return word.text if word else None
        self.unknown(word, "problem.bad-choice", allowed, got=excerpt(word))
        return None

    def yes(self, node: Node) -> bool:
        if isinstance(node, Scalar) and node.text in ("true", "false") and not node.quoted:
            return node.text == "true"
        self.error(node, "problem.not-true-or-false", got=excerpt(node))
        return False

    def number(self, node: Node, least: int, most: int, code: str = "problem.bad-number") -> int:
        word = self.word(node, code, least=least, most=most)
        if word is None:
            return least
        if _NUMBER.fullmatch(word.text) and not word.quoted and least <= int(word.text) <= most:
            return int(word.text)
        self.error(node, code, got=excerpt(node), least=least, most=most)
        return least

    def day(self, node: Node) -> date | None:
        word = self.word(node, "problem.bad-day")
        if word is None:
            return None
        match = _DAY.fullmatch(word.text)
        if match is None:
            self.error(node, "problem.bad-day", got=excerpt(node))
            return None
        try:
            day = date(int(match[1]), int(match[2]), int(match[3]))
        except ValueError:
            self.error(node, "problem.impossible-day", got=excerpt(node))
            return None
        if day.year not in YEARS:
            self.error(node, "problem.far-year", got=excerpt(node), first=YEARS[0], last=YEARS[-1])
            return None
        return day

    def hour(self, node: Node) -> str:
        word = self.word(node, "problem.bad-hour")
        if word and not _HOUR.fullmatch(word.text):
            self.error(node, "problem.bad-hour", got=excerpt(node))
        return word.text if word else ""

    def period(
        self, node: Node, kinds: tuple[str, ...] = ("year", "half", "nine_months", "quarter", "month", "span")
    ) -> Period | None:
        """A period, or a range of periods of one sort as one span."""
        code = "problem.bad-period" if "month" in kinds else "problem.bad-years"
        word = self.word(node, code)
        if word is None:
            return None
        try:
            period = periods.parse(word.text) if word.text.isascii() else None
        except ValueError:
            period = None
        if period is None or period.kind not in kinds:
            self.error(node, code, got=excerpt(node))
            return None
        if period.start.year not in YEARS or period.last.year not in YEARS:
            self.error(node, "problem.far-year", got=excerpt(node), first=YEARS[0], last=YEARS[-1])
            return None
        return period


def _is_nothing(node: Node) -> bool:
    return isinstance(node, Scalar) and node.is_nothing

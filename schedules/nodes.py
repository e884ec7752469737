"""Where does each word of a file stand? YAML bytes become nodes that know their line and column."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from schedules.problem import Coded, Problem, Severity

LARGEST: Final = 1_000_000  #: bytes of a file; the longest shipped plan has some 30,000
DEEPEST: Final = 32  #: mappings and lists within one another
MOST_ALIASES: Final = 50
MOST_SHOWN: Final = 100  #: tabs or control characters that are told one by one
MOST_REPEATED: Final = 10_000  #: values that all aliases together may repeat

# What YAML does not allow in a file, and the line breaks that editors do not count as lines.
_CONTROL: Final = re.compile(
    "[^\t\n\\x20-\\x7e\\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
_TABBED: Final = re.compile(r"^ *(\t)[ \t]*[^ \t\n]", re.MULTILINE)


@dataclass(slots=True, eq=False)
class Scalar:
    """A word as it was written: `no`, 010 and 12:30 stay text."""

    line: int
    column: int
    text: str
    quoted: bool

    @property
    def is_nothing(self) -> bool:
        return not self.quoted and self.text in ("", "~", "null")


@dataclass(slots=True, eq=False)
class Listing:
    line: int
    column: int
    items: "list[Node]"


@dataclass(slots=True, eq=False)
class Mapping:
    line: int
    column: int
    entries: "list[tuple[Node, Node]]"


Node = Scalar | Listing | Mapping


class Unreadable(Exception):
    """The file cannot be read as one YAML document; it carries the problems that say why."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(*problems)
        self.problems = list(problems)


def compose(data: bytes, name: str) -> Node:
    """The one document of a file. Raises Unreadable when it is not UTF-8 YAML within the limits above."""
    text = _decode(data, name)
    try:
        return _Composer(text, name).document()
    except MarkedYAMLError as error:
        raise Unreadable(*_syntax(text, name, error)) from error
    except YAMLError as error:
        raise Unreadable(_problem(name, 1, 1, "problem.syntax", got=str(error))) from error


def excerpt(node: Node) -> str:
    """What came, in short: the word itself, or its sort."""
    match node:
        case Mapping():
            return Coded("got.mapping")
        case Listing():
            return Coded("got.list")
        case Scalar() if node.is_nothing or not node.text:
            return Coded("got.nothing")
        case Scalar():
            return shorten(node.text)


def shorten(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= 60 else words[:59] + "…"


def _problem(name: str, line: int, column: int, code: str, /, **params: str | int) -> Problem:
    return Problem(name, line, column, Severity.ERROR, code, params)


def _decode(data: bytes, name: str) -> str:
    """Text with \\n line ends in the composed form (NFC), so that a unit's name typed on a Mac is the same name."""
    if len(data) > LARGEST:
        raise Unreadable(_problem(name, 1, 1, "problem.too-large", limit=LARGEST, got=len(data)))
    data = data.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line, column = _place(data[: error.start].decode(), error.start)
        byte = f"0x{data[error.start]:02x}"
        raise Unreadable(_problem(name, line, column, "problem.not-utf8", got=byte)) from error
    text = unicodedata.normalize("NFC", text)
    found = [
        _problem(name, *_place(text, match.start()), "problem.control-character", got=f"U+{ord(match[0]):04X}")
        for match in islice(_CONTROL.finditer(text), MOST_SHOWN)
    ]
    if found:
        raise Unreadable(*found)
    return text


def _place(text: str, index: int) -> tuple[int, int]:
    """Line and column, from 1, of a character."""
    before = text[:index]
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def _syntax(text: str, name: str, error: MarkedYAMLError) -> Iterator[Problem]:
    """The first fault of the syntax; all of the tabs, when a tab is the fault."""
    mark, start = error.problem_mark, error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    rows = text.split("\n")
    row = rows[line - 1] if line <= len(rows) else ""
    context = error.context or ""
    tabs = [_place(text, match.start(1)) for match in islice(_TABBED.finditer(text), MOST_SHOWN)]
    if "\t" in row and any(tab[0] == line for tab in tabs):
        yield from (_problem(name, *tab, "problem.tab") for tab in tabs)
    elif row[column - 1 : column] == "\t":
        yield _problem(name, line, column, "problem.tab")
    elif start and ("flow mapping" in context or "flow sequence" in context):
        bracket = "{" if "mapping" in context else "["
        yield _problem(name, start.line + 1, start.column + 1, "problem.unclosed-bracket", bracket=bracket, line=line)
    elif start and "quoted scalar" in context and "end of stream" in (error.problem or ""):
        yield _problem(name, start.line + 1, start.column + 1, "problem.unclosed-quote")
    elif "block mapping" in context or "block collection" in context:
        yield _problem(name, line, column, "problem.indentation", got=shorten(row))
    elif "mapping values are not allowed" in (error.problem or ""):
        yield _problem(name, line, column, "problem.colon", got=shorten(row))
    elif row[column - 1 :].strip():
        yield _problem(name, line, column, "problem.syntax", got=shorten(row[column - 1 :]))
    else:
        yield _problem(name, line, column, "problem.syntax", got=Coded("got.end"))


class _Composer:
    """Builds the nodes from the events of the parser (the C one where installed), keeping the limits on the way."""

    def __init__(self, text: str, name: str) -> None:
        self.events: Iterator[Any] = YAML(typ="safe").parse(text)
        self.name = name
        self.anchors: dict[str, tuple[Node, int]] = {}
        self.made = self.aliases = self.repeated = 0

    def document(self) -> Node:
        root: Node | None = None
        for event in self.events:
            if isinstance(event, DocumentStartEvent):
                if root is not None:
                    raise self.refuse(event, "problem.several-documents")
                root = self.node(next(self.events), 1)
        if root is None or (isinstance(root, Scalar) and root.is_nothing):
            raise Unreadable(_problem(self.name, 1, 1, "problem.empty-file"))
        return root

    def node(self, event: Any, depth: int) -> Node:
        if isinstance(event, AliasEvent):
            return self.alias(event)
        self.made += 1
        before = self.made + self.repeated
        if event.tag is not None and event.tag != "!":
            raise self.refuse(
                event, "problem.yaml-tag", got=shorten(str(event.tag).replace("tag:yaml.org,2002:", "!!"))
            )
        if depth > DEEPEST:
            raise self.refuse(event, "problem.too-deep", limit=DEEPEST)
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        made: Node
        if isinstance(event, ScalarEvent):
            made = Scalar(line, column, event.value, quoted=bool(event.style))
        elif isinstance(event, SequenceStartEvent):
            made = Listing(line, column, list(self.children(SequenceEndEvent, depth)))
        elif isinstance(event, MappingStartEvent):
            children = self.children(MappingEndEvent, depth)
            made = Mapping(line, column, [(key, next(children)) for key in children])
        else:
            raise self.refuse(event, "problem.syntax", got=Coded("got.end"))
        if event.anchor:
            self.anchors[event.anchor] = made, self.made + self.repeated - before + 1
        return made

    def children(self, end: type[object], depth: int) -> Iterator[Node]:
        while not isinstance(event := next(self.events), end):
            yield self.node(event, depth + 1)

    def alias(self, event: Any) -> Node:
        """The node that an alias repeats; one that stands within its own anchor is not known yet, so never a loop."""
        if event.anchor not in self.anchors:
            raise self.refuse(event, "problem.unknown-alias", got=shorten(f"*{event.anchor}"))
        node, size = self.anchors[event.anchor]
        self.aliases += 1
        self.repeated += size
        if self.aliases > MOST_ALIASES or self.repeated > MOST_REPEATED:
            raise self.refuse(event, "problem.too-many-aliases", limit=MOST_ALIASES, repeated=MOST_REPEATED)
        return node

    def refuse(self, event: Any, code: str, /, **params: str | int) -> Unreadable:
        mark = event.start_mark
        return Unreadable(_problem(self.name, mark.line + 1, mark.column + 1, code, **params))

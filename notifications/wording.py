"""In which words is a letter of a kind said? Shipped in both languages; an office may put its own in their place.

A wording is a template: its first line is the subject, what follows stands below the greeting. It speaks a small part
of Jinja, names and conditions, so that no text of an office can reach into the program or keep it busy. Dates, lists,
links and proof are not in it: the layouts add them to every letter.
"""

import difflib
import re
from collections.abc import Iterator, Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from schedules.reason import Reason

TEMPLATES: Final = Path(__file__).parent / "templates"
MOST_TEXT: Final = 4_000  #: characters of a wording
MOST_SUBJECT: Final = 300  #: characters of a subject once it is filled; what is longer is cut, as is the text
DEPTH: Final = 20  #: of conditions in one another
MOST_SHOWN: Final = 60  #: characters of a line that cannot be read
_OPENING: Final = re.compile(r"\{[{%#]")
_CLOSING: Final[Mapping[str, str]] = {"{{": "}}", "{%": "%}", "{#": "#}"}
_IF: Final = re.compile(r"\{%[-+]?\s*(if|endif)\b")
_ANY: Final = ("name", "office", "title", "source", "document", "due", "day")
_UNIT: Final = (*_ANY, "unit")
#: What a wording of each kind may name.
NAMES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "opened": (*_UNIT, "left", "days", "grace"),
        "reminder": (*_UNIT, "left", "days", "grace"),
        "due_today": (*_UNIT, "grace"),
        "overdue": (*_UNIT, "late", "days", "grace", "next_day", "next_whom"),
        "escalation": (*_UNIT, "late", "days", "grace", "next_day", "next_whom"),
        "chased": (*_ANY, "units", "n", "is_late"),
        "returned": (*_UNIT, "reason", "does_not_count"),
        "accepted": _UNIT,
        "extension_decided": (*_UNIT, "new_day", "old_day", "reason", "decision"),
        "extension_refused": (*_UNIT, "asked_day", "reason"),
        "date_moved": (*_UNIT, "new_day", "old_day", "reason", "decision"),
        "cancelled": (*_UNIT, "reason", "heir"),
        "unreviewed": (*_ANY, "units", "n"),
        "bounced": ("name", "office", "unit", "person", "address"),
        "receipt": (*_UNIT, "receipt", "received", "version", "came_late"),
        "digest": ("name", "office", "unit", "n", "owed", "lists", "told", "units"),
    }
)
KINDS: Final = tuple(NAMES)
_FILTERS: Final = MappingProxyType({"lower_first": lambda words: f"{words}"[:1].lower() + f"{words}"[1:]})
_ALLOWED: Final = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Const,
    nodes.If,
    nodes.CondExpr,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Filter,
)


@dataclass(frozen=True, slots=True)
class Said:
    """A wording, filled. `text` is plain paragraphs, with an empty line between them."""

    subject: str
    text: str


class InvalidWordingError(Exception):
    """What is wrong with a wording, all of it; each reason names its line."""

    def __init__(self, problems: tuple[Reason, ...]) -> None:
        super().__init__("; ".join(problem.code for problem in problems))
        self.problems = problems


def shipped(kind: str, lang: str) -> str:
    """As it came with the program."""
    return _read(kind, lang)


@dataclass(frozen=True, slots=True)
class Wordings:
    """Those of an office, by kind and language; what is not among them is said as shipped."""

    texts: Mapping[tuple[str, str], str] = field(default_factory=dict)
    is_trial: bool = False  #: whether a text that cannot be filled is an error; else the shipped one stands in for it

    def say(self, kind: str, lang: str, values: Mapping[str, object]) -> Said:
        """What an upgrade has made invalid must not keep a letter back."""
        text = self.texts.get((kind, lang))
        if text is not None:
            with nullcontext() if self.is_trial else suppress(TemplateError, TypeError, ValueError):
                return filled(text, values)
        return filled(shipped(kind, lang), values)


def filled(text: str, values: Mapping[str, object]) -> Said:
    """Raises TemplateError or TypeError for what `read` would refuse or cannot see, ValueError without a subject."""
    subject, rest = (template.render(values).strip() for template in _compiled(text))
    if not subject:
        raise ValueError("expected a subject in the first line, got none")
    return Said(_cut(" ".join(subject.split()), MOST_SUBJECT), _cut(rest, MOST_TEXT))


def read(kind: str, text: str) -> None:
    """Raises InvalidWordingError unless it is of the language and names nothing but what its kind has."""
    if len(text) > MOST_TEXT:
        raise InvalidWordingError((Reason.of("wording.too_long", most=MOST_TEXT, got=len(text)),))
    problems: list[Reason] = []
    for part in _parts(text):
        try:
            problems += _problems(kind, _environment().parse(part), 0)
        except TemplateSyntaxError as error:
            problems.append(_unread(part, error))
        except RecursionError:
            problems.append(Reason.of("wording.deep", line=1))
    if problems:
        raise InvalidWordingError(tuple(problems))


def _parts(text: str) -> tuple[str, str]:
    """Subject and text, each a template of its own; the second keeps the numbers of its lines."""
    subject, _, rest = text.partition("\n")
    return subject, f"\n{rest}"


def _unread(part: str, error: TemplateSyntaxError) -> Reason:
    """The parser's own words come last, as a detail: they are English, and of a tag left open it names another line."""
    openings, ifs = list(_OPENING.finditer(part)), []
    for each, after in zip(openings, [*(later.start() for later in openings[1:]), len(part)], strict=True):
        if _CLOSING[each[0]] not in part[each.end() : after]:
            return _at("wording.unclosed", part, each.start(), error)
    for tag in _IF.finditer(part):
        if tag[1] == "if":
            ifs.append(tag.start())
        elif ifs:
            ifs.pop()
    if ifs:
        return _at("wording.no_endif", part, ifs[-1], error)
    line = re.split(r"\r\n|\r|\n", part)[error.lineno - 1].strip()
    return Reason.of("wording.syntax", line=error.lineno, got=_cut(line, MOST_SHOWN), why=error.message or "")


def _at(code: str, part: str, place: int, error: TemplateSyntaxError) -> Reason:
    got = _cut(part[place:].partition("\n")[0].strip(), MOST_SHOWN)
    return Reason.of(code, line=part.count("\n", 0, place) + 1, got=got, why=error.message or "")


def _problems(kind: str, node: nodes.Node, depth: int) -> Iterator[Reason]:
    line = node.lineno or 1
    if depth > 3 * DEPTH:
        yield Reason.of("wording.deep", line=line)
        return
    if not isinstance(node, _ALLOWED):
        yield Reason.of("wording.not_allowed", line=line, got=type(node).__name__.lower())
        return
    if isinstance(node, nodes.Name) and node.name not in NAMES[kind]:
        near = difflib.get_close_matches(node.name, NAMES[kind], 1)
        code = "wording.name_near" if near else "wording.name"
        yield Reason.of(code, line=line, got=node.name, allowed=", ".join(near or NAMES[kind]))
    if isinstance(node, nodes.Filter) and (node.name not in _FILTERS or node.args or node.kwargs):
        yield Reason.of("wording.not_allowed", line=line, got=node.name)
    for inner in node.iter_child_nodes():
        yield from _problems(kind, inner, depth + 1)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


@lru_cache(maxsize=256)
def _compiled(text: str) -> tuple[Template, Template]:
    subject, rest = (_environment().from_string(part) for part in _parts(text))
    return subject, rest


@lru_cache
def _read(kind: str, lang: str) -> str:
    return (TEMPLATES / lang / f"{kind}.j2").read_text("utf-8")


@lru_cache
def _environment() -> ImmutableSandboxedEnvironment:
    """Makes plain words, which the layouts escape."""
    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals.clear()
    filters: Any = dict(_FILTERS)
    environment.filters = filters
    environment.tests.clear()
    return environment

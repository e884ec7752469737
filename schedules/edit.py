"""How is one value of a file changed, and nothing else? The text with that place rewritten, comments and order kept."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Any, Final, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from schedules.words import Value, named, written

Keys: TypeAlias = tuple[str, ...]
Plain: TypeAlias = str | list["Plain"] | dict[str, "Plain"]

STEP: Final = "  "
_COMMENT: Final = re.compile(r"(?:^|(?<=[ \t]))#.*$", re.MULTILINE)


class NotClean(Exception):
    """The place cannot be rewritten without touching something else; nothing was changed. `keys`: which place."""

    def __init__(self, keys: Keys) -> None:
        super().__init__(".".join(keys))
        self.keys = keys


@dataclass(slots=True, eq=False)
class Span:
    """A value and where it stands: from `start` up to `end`, in characters."""

    start: int
    end: int
    says: Plain
    entries: "dict[str, tuple[Span, Span]]" = field(default_factory=dict)
    items: "list[Span]" = field(default_factory=list)
    is_block: bool = False  #: by indentation, on lines of its own
    is_alias: bool = False

    @property
    def is_scalar(self) -> bool:
        return isinstance(self.says, str) and not self.is_alias


@lru_cache(maxsize=3)
def read(text: str) -> Span:
    """The document of a text, which nobody changes: it is asked for again and again. NotClean: it cannot be read."""
    try:
        return _Spans(text).document()
    except (YAMLError, StopIteration, RecursionError) as error:
        raise NotClean(()) from error


def edited(text: str, changes: Mapping[Keys, Value | None], order: Mapping[str, Sequence[str]] | None = None) -> str:
    """The text with these values in their places, None: without the key. What stands there already is not touched.

    `order` says for a parent key after which of its keys a new one is put. Raises NotClean when the outcome would say
    anything else than was asked for, or a comment would be lost: an anchor that others use, for example.
    """
    made = text
    for keys, value in changes.items():
        made = _set(made, read(made), keys, value, order or {})
    if made != text and not _is_just(text, made, changes):
        raise NotClean(tuple(changes)[-1])
    return made


def plain(value: Value | None) -> Plain:
    """A value as a file says it: all words."""
    match value:
        case None:
            return ""
        case bool() | int():
            return written(value)
        case str():
            return value
        case Mapping():
            return {key: plain(each) for key, each in value.items()}
        case _:
            return [plain(each) for each in value]


def _set(text: str, root: Span, keys: Keys, value: Value | None, order: Mapping[str, Sequence[str]]) -> str:
    """Down to the deepest mapping of these keys that is there, and there the rest of them."""
    parents, at = [root], 0
    for key in keys[:-1]:
        found = parents[-1].entries.get(key)
        if found is None or found[1].is_alias or not isinstance(found[1].says, dict):
            break
        parents.append(found[1])
        at += 1
    parent, key, rest = parents[-1], keys[at], keys[at + 1 :]
    if not isinstance(parent.says, dict):
        raise NotClean(keys)
    found = parent.entries.get(key)
    if found is None:
        if value is None:
            return text
        near = order.get(keys[at - 1] if at else "", ())
        return _insert(text, parent, key, _nested(rest, value), near)
    if value is None and not rest:
        return _remove(text, parent, key)
    was = found[1].says
    whole: Any = value if not rest else _changed(was if isinstance(was, dict) else {}, rest, value)
    return _replace(text, *found, whole)


def _nested(keys: Keys, value: Value) -> Value:
    for key in reversed(keys):
        value = {key: value}
    return value


def _changed(was: Mapping[str, Plain], keys: Keys, value: Value | None) -> dict[str, Any]:
    """The mapping with a value deep in it."""
    made: dict[str, Any] = dict(was)
    if len(keys) > 1:
        below = made.get(keys[0])
        made[keys[0]] = _changed(below if isinstance(below, dict) else {}, keys[1:], value)
    elif value is None:
        made.pop(keys[0], None)
    else:
        made[keys[0]] = value
    return made


def _replace(text: str, key: Span, old: Span, value: Value) -> str:
    if old.says == plain(value) and not (old.is_scalar and old.start == old.end):
        return text
    if isinstance(value, Mapping) and old.entries and not old.is_alias and set(value) & set(old.entries):
        return _rewrite(text, old, value)
    if isinstance(value, Sequence) and not isinstance(value, str) and value and old.items and old.is_block:
        return _relist(text, old, value)
    start, end = (old.start, old.end) if old.start < old.end else (key.end + 1, key.end + 1)
    new = _flow(text, old, value)
    if old.is_block or old.start == old.end:  # onto the line of its key
        start, new = key.end + 1, f" {new}"
    lost = _comments(text, start, end)
    made = text[:start] + new + text[end:]
    return _lifted(made, _line(made, key.start), lost, _indent(text, key.start))


def _flow(text: str, old: Span, value: Value) -> str:
    """A list keeps the spelling of the items that stay."""
    if not isinstance(value, Sequence) or isinstance(value, str) or old.is_alias:
        return written(value)
    spelt = {str(each.says): text[each.start : each.end] for each in old.items if each.is_scalar}
    return "[" + ", ".join(spelt.get(str(plain(each)), written(each)) for each in value) + "]"


def _rewrite(text: str, old: Span, value: Mapping[str, Value]) -> str:
    """A mapping key by key, from the last one up, so that the places before it stay right."""
    for name, (key, was) in sorted(old.entries.items(), key=lambda each: -each[1][0].start):
        if name in value:
            text = _replace(text, key, was, value[name])
    fresh = {name: each for name, each in value.items() if name not in old.entries}
    gone = [name for name in old.entries if name not in value]
    begins = old.start
    for name in gone:
        text = _remove(text, _at(text, begins), name)
    for name, each in fresh.items():
        text = _insert(text, _at(text, begins), name, each, ())
    return text


def _at(text: str, start: int) -> Span:
    """The mapping that begins there, read anew."""

    def within(span: Span) -> Iterator[Span]:
        yield span
        for _, each in span.entries.values():
            yield from within(each)
        for each in span.items:
            yield from within(each)

    found = next((each for each in within(read(text)) if each.start == start and isinstance(each.says, dict)), None)
    if found is None:
        raise NotClean(())
    return found


def _relist(text: str, old: Span, value: Sequence[Value]) -> str:
    """A block list: the lines of the items that stay are kept, those of others give way to new ones."""
    dashes = [text.rindex("-", 0, each.start) for each in old.items]
    indent = _indent(text, dashes[0])
    ends = [_line_end(text, each.end) for each in old.items]
    starts = [_line(text, dashes[0]), *(end + 1 for end in ends[:-1])]
    if any(text[_line(text, dash) : dash].strip() for dash in dashes):
        raise NotClean(())
    lines: list[str] = []
    was, new = [_key(each.says) for each in old.items], [_key(plain(each)) for each in value]
    for what, first, last, from_, to in SequenceMatcher(None, was, new, autojunk=False).get_opcodes():
        if what == "equal":
            lines += [text[starts[at] : ends[at]] for at in range(first, last)]
            continue
        for at in range(first, last):
            lines += [f"{indent}{each}" for each in _comments(text, starts[at], ends[at])]
        lines += [f"{indent}- {written(each)}" for each in value[from_:to]]
    return text[: starts[0]] + "\n".join(lines) + text[ends[-1] :]


def _key(says: Plain) -> str:
    return repr(sorted(says.items()) if isinstance(says, dict) else says)


def _insert(text: str, parent: Span, key: str, value: Value, order: Sequence[str]) -> str:
    if not parent.is_block:
        said = f"{named(key)}: {written(value)}"
        if not parent.entries:
            return text[: parent.start + 1] + said + text[parent.start + 1 :]
        last = max(each.end for _, each in parent.entries.values())
        return f"{text[:last]}, {said}{text[last:]}"
    indent = _indent(text, next(iter(parent.entries.values()))[0].start)
    if indent.strip():  # the keys of a list's item, whose first one stands behind the dash
        raise NotClean((key,))
    before = [name for name in parent.entries if name in order[: order.index(key)]] if key in order else []
    after = parent.entries[before[-1]] if before else list(parent.entries.values())[-1]
    place = _line_end(text, max(after[0].end, after[1].end))
    lines = f"\n{indent}{named(key)}:"
    if _is_ladder(value):
        lines += "".join(f"\n{indent}{STEP}- {written(each)}" for each in value)  # type: ignore[union-attr]
    else:
        lines += f" {written(value)}"
    return text[:place] + lines + text[place:]


def _is_ladder(value: Value) -> bool:
    """A list of mappings reads better with a line each."""
    is_list = isinstance(value, Sequence) and not isinstance(value, str)
    return is_list and bool(value) and all(isinstance(each, Mapping) for each in value)  # type: ignore[union-attr]


def _remove(text: str, parent: Span, name: str) -> str:
    key, old = parent.entries[name]
    if len(parent.entries) == 1:
        raise NotClean((name,))
    end = max(key.end, old.end)
    if parent.is_block:
        start, end = _line(text, key.start), _line_end(text, end)
        if text[start : key.start].strip():
            raise NotClean((name,))
        kept = "".join(f"{text[start : key.start]}{each}\n" for each in _comments(text, key.start, end))
        return text[:start] + kept + text[min(end + 1, len(text)) :]
    names = list(parent.entries)
    at = names.index(name)
    if at + 1 < len(names):
        return text[: key.start] + text[parent.entries[names[at + 1]][0].start :]
    above = parent.entries[names[at - 1]]
    return text[: max(above[0].end, above[1].end)] + text[end:]


def _comments(text: str, start: int, end: int) -> list[str]:
    return [each for at, each in _all_comments(text) if start <= at < end]


def _all_comments(text: str) -> Iterator[tuple[int, str]]:
    """What stands behind a # outside of every word."""
    words: list[tuple[int, int]] = []

    def gather(span: Span) -> None:
        if span.is_scalar and span.end > span.start:
            words.append((span.start, span.end))
        for key, each in span.entries.values():
            words.append((key.start, key.end))
            gather(each)
        for each in span.items:
            gather(each)

    gather(read(text))
    for found in _COMMENT.finditer(text):
        if not any(start < found.start() < end for start, end in words):
            yield found.start(), found[0].rstrip()


def _lifted(text: str, place: int, comments: Sequence[str], indent: str) -> str:
    return text[:place] + "".join(f"{indent}{each}\n" for each in comments) + text[place:]


def _indent(text: str, place: int) -> str:
    return text[_line(text, place) : place]


def _line(text: str, place: int) -> int:
    return text.rfind("\n", 0, place) + 1


def _line_end(text: str, place: int) -> int:
    found = text.find("\n", place)
    return len(text) if found < 0 else found


def _is_just(text: str, made: str, changes: Mapping[Keys, Value | None]) -> bool:
    """Does the new text say what the old one did but for these values, and keep its comments?"""
    wanted = read(text).says
    assert isinstance(wanted, dict)
    for keys, value in changes.items():
        wanted = _changed(wanted, keys, plain(value) if value is not None else None)
    return read(made).says == wanted and _counted(text) == _counted(made)


def _counted(text: str) -> Counter[str]:
    return Counter(each for _, each in _all_comments(text))


class _Spans:
    """Builds the spans from the events of the parser."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.events: Iterator[Any] = YAML(typ="safe").parse(text)
        self.anchors: dict[str, Span] = {}

    def document(self) -> Span:
        for event in self.events:
            if isinstance(event, DocumentStartEvent):
                return self.value(next(self.events))
        raise NotClean(())

    def value(self, event: Any) -> Span:
        start, end = event.start_mark.index, event.end_mark.index
        if isinstance(event, AliasEvent):
            if event.anchor not in self.anchors:
                raise NotClean(())
            return Span(start, end, self.anchors[event.anchor].says, is_alias=True)
        if isinstance(event, ScalarEvent):
            while end > start and self.text[end - 1] in " \n":  # a block scalar takes the line ends after it
                end -= 1
            made = Span(start, end, event.value)
        elif isinstance(event, SequenceStartEvent):
            made = self.sequence(event, start)
        elif isinstance(event, MappingStartEvent):
            made = self.mapping(event, start)
        else:
            raise NotClean(())
        if event.anchor:
            self.anchors[event.anchor] = made
        return made

    def sequence(self, event: Any, start: int) -> Span:
        items: list[Span] = []
        while not isinstance(inner := next(self.events), SequenceEndEvent):
            items.append(self.value(inner))
        end = inner.end_mark.index if event.flow_style else max((each.end for each in items), default=start)
        return Span(start, end, [each.says for each in items], items=items, is_block=not event.flow_style)

    def mapping(self, event: Any, start: int) -> Span:
        entries: dict[str, tuple[Span, Span]] = {}
        says: dict[str, Plain] = {}
        while not isinstance(inner := next(self.events), MappingEndEvent):
            key, each = self.value(inner), self.value(next(self.events))
            if not isinstance(key.says, str) or key.says in entries or key.is_alias:
                raise NotClean(())
            entries[key.says], says[key.says] = (key, each), each.says
        ends = [max(key.end, each.end) for key, each in entries.values()]
        end = inner.end_mark.index if event.flow_style else max(ends, default=start)
        return Span(start, end, says, entries=entries, is_block=not event.flow_style)

"""What is owed, and by whom? The milestones and obligations of a plan file, read into the values of plan.py."""

from collections import deque
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from graphlib import CycleError, TopologicalSorter
from typing import Final

from schedules import cadences, nodes
from schedules.audience import Audience
from schedules.cadences import Cadences
from schedules.nodes import Node, excerpt
from schedules.periods import Period
from schedules.plan import (
    MOST_FILES,
    BeforeSuperior,
    Due,
    Field,
    FieldType,
    FileRule,
    Ladder,
    Level,
    Milestone,
    Obligation,
    Offset,
    Receiver,
    Remind,
    Roll,
    Text,
    Variant,
)
from schedules.reader import Entries, Reader
from schedules.rules import CUTOFF, OPENED, Names, Rules, is_reserved, ladder

KEYS: Final = (
    "title", "help", "source", "set_by", "who", "to", "via", "every", "in", "only", "once", "window", "opens", "due",
    "grace", "except", "valid", "levels", "variants", "remind", "escalate", "at", "fields", "file",
)  # fmt: skip
WHO_KEYS: Final = ("kinds", "tags", "units", "under")
LEVEL_KEYS: Final = ("who", "due", "roll")
VARIANT_KEYS: Final = ("who", *cadences.KEYS, "why")
FIELD_KEYS: Final = ("type", "label", "help", "required", "target")
_SORTS: Final = {"kinds": "kind", "tags": "tag", "units": "unit", "under": "unit"}
HIGHEST_TARGET: Final = 999_999_999


@dataclass(frozen=True, slots=True)
class Defaults:
    """What the plan says for all of its obligations; of `entries` a cadence takes opens and grace."""

    term: Period | None
    entries: Entries
    ladder: Ladder
    at: str


def milestones(reader: Reader, node: Node) -> tuple[Milestone, ...]:
    found = []
    for code, at, entries in reader.named(node, ("title",), ("title",)):
        name(reader, at)
        found.append(Milestone(code, _title(reader, entries)))
    return tuple(found)


def name(reader: Reader, at: Node) -> str:
    """A name that rules may use; one that looks like a stretch of the calendar is refused."""
    code = reader.code(at)
    if is_reserved(code):
        reader.error(at, "problem.reserved-name", got=code)
    elif code in (CUTOFF, OPENED):
        reader.error(at, "problem.word-of-rules", allowed=f"{CUTOFF}, {OPENED}", got=code)
    return code


def obligations(reader: Reader, node: Node, names: Names, defaults: Defaults) -> tuple[Obligation, ...]:
    if isinstance(node, nodes.Mapping) and not node.entries:
        reader.error(node, "problem.empty-list", key="obligations")
    found = tuple(
        _obligation(reader, at, entries, names, defaults)
        for _, at, entries in reader.named(node, KEYS, ("title", "source"))
    )
    _refuse_circles(reader, names)
    _refuse_strangers(reader, names, found)
    return found


def _obligation(reader: Reader, at: Node, entries: Entries, names: Names, defaults: Defaults) -> Obligation:
    code = name(reader, at)
    if code in names.milestones:
        reader.error(at, "problem.duplicate-name", got=code)
    rules = Rules(reader, names, code)
    read = Cadences(reader, rules, defaults.term, defaults.entries)
    cadence = read.read(entries)
    levels = _levels(reader, entries.get("levels"), cadence.due, rules)
    if levels and cadence.is_on_request:
        reader.error(entries.keys["levels"], "problem.not-beside", key="levels", head="every: request")
    valid_from, valid_to = _valid(reader, entries.get("valid"))
    hour, help_, file = entries.get("at"), entries.get("help"), entries.get("file")
    own = ladder(reader, entries.get("remind"), entries.get("escalate"), defaults.ladder)
    warn_reminders(reader, entries.get("remind"), own, cadence.grace, entries.keys.get("grace", at))
    return Obligation(
        code=code,
        title=_title(reader, entries),
        source=_source(reader, entries.get("source")),
        who=_who(reader, entries, bool(levels)),
        cadence=cadence,
        ladder=own,
        at=reader.hour(hour) if hour else defaults.at,
        receiver=_receiver(reader, entries),
        levels=levels,
        variants=_variants(reader, entries, read),
        valid_from=valid_from,
        valid_to=valid_to,
        fields=_fields(reader, entries.get("fields")),
        file=_file(reader, file) if file else None,
        help=reader.text(help_) if help_ else None,
    )


def _title(reader: Reader, entries: Entries) -> Text:
    node = entries.get("title")
    return reader.text(node) if node else Text("", "")


def _source(reader: Reader, node: Node | None) -> tuple[str, ...]:
    return tuple(reader.line(each) for each in reader.one_or_more(node)) if node else ()


def _who(reader: Reader, entries: Entries, has_levels: bool) -> Audience:
    node = entries.get("who")
    if node:
        return _audience(reader, node, entries.keys["who"])
    if not has_levels and entries.lacks("who", "levels"):
        reader.error(entries.at, "problem.missing-key", key="who")
    return Audience()


def _audience(reader: Reader, node: Node, at: Node) -> Audience:
    """Everyone is no audience: the file names who owes."""
    entries = reader.entries(node, (*WHO_KEYS, "except"))
    minus = entries.get("except")
    excepted = reader.one_or_more(minus) if minus else []
    outside = tuple(_parts(reader, reader.entries(each, WHO_KEYS), each) for each in excepted)
    return _parts(reader, entries, at, outside)


def _parts(reader: Reader, entries: Entries, at: Node, minus: tuple[Audience, ...] = ()) -> Audience:
    parts: dict[str, frozenset[str]] = {}
    for key, _, node in entries:
        if key in _SORTS:
            items = reader.items(node)
            if isinstance(node, nodes.Listing) and not items:
                reader.error(node, "problem.empty-list", key=key)
            parts[key] = frozenset(reader.outside(each, _SORTS[key]) for each in items)
    if not parts and entries.is_complete:
        reader.error(at, "problem.empty-audience", allowed=", ".join(WHO_KEYS))
    none: frozenset[str] = frozenset()
    kinds, tags, units, under = (parts.get(key, none) for key in WHO_KEYS)
    return Audience(kinds, tags, units, under, minus)


def _receiver(reader: Reader, entries: Entries) -> Receiver:
    to, via = entries.get("to"), entries.get("via")
    is_superior = to is None or (isinstance(to, nodes.Scalar) and to.text == "superior")
    return Receiver(
        None if is_superior or to is None else reader.outside(to, "unit"), reader.outside(via, "unit") if via else None
    )


def _valid(reader: Reader, node: Node | None) -> tuple[date | None, date | None]:
    if node is None:
        return None, None
    entries = reader.entries(node, ("from", "to"))
    first, last = entries.get("from"), entries.get("to")
    if first is None and last is None and isinstance(node, nodes.Mapping) and not node.entries:
        reader.error(node, "problem.empty-list", key="valid")
    start, end = reader.day(first) if first else None, reader.day(last) if last else None
    if start and end and last and end < start:
        reader.error(last, "problem.ends-before-start", start=start.isoformat(), got=end.isoformat())
    return start, end


def _levels(reader: Reader, node: Node | None, due: Due, rules: Rules) -> tuple[Level, ...]:
    """From the top down: the first has the obligation's own due rule, the others so much before the one above."""
    if node is None:
        return ()
    found: list[Level] = []
    if isinstance(node, nodes.Mapping) and len(node.entries) < 2:
        reader.error(node, "problem.one-level")
    for code, at, entries in reader.named(node, LEVEL_KEYS, ("who",)):
        reader.code(at)
        who = _audience(reader, entries.values["who"], entries.keys["who"]) if "who" in entries else Audience()
        found.append(Level(code, who, due if not found else _level_due(reader, entries, rules)))
        for key in ("due", "roll"):
            if len(found) == 1 and key in entries:
                reader.error(entries.keys[key], "problem.first-level", key=key)
    return tuple(found)


def _level_due(reader: Reader, entries: Entries, rules: Rules) -> Due:
    due, roll = entries.get("due"), entries.get("roll")
    if due is None:
        if entries.lacks("due"):
            reader.error(entries.at, "problem.level-without-due")
        return Due(BeforeSuperior(Offset(-1)))
    rule = rules.superior(due)
    if roll and isinstance(due, nodes.Mapping):
        reader.error(entries.keys["roll"], "problem.not-beside", key="roll", head="due: {…}")
    return Due(rule.rule, reader.choice(roll, Roll)) if roll else rule


def _variants(reader: Reader, obligation: Entries, read: Cadences) -> tuple[Variant, ...]:
    node = obligation.get("variants")
    found = []
    for code, at, entries in reader.named(node, VARIANT_KEYS, ("who",)) if node else ():
        reader.code(at)
        who, why = entries.get("who"), entries.get("why")
        audience = _audience(reader, who, entries.keys["who"]) if who else Audience()
        found.append(Variant(code, audience, read.read(entries, obligation), reader.line(why) if why else None))
    return tuple(found)


def _fields(reader: Reader, node: Node | None) -> tuple[Field, ...]:
    found = []
    for code, at, entries in reader.named(node, FIELD_KEYS, ("type", "label")) if node else ():
        reader.field_name(at)
        sort, label, help_ = entries.get("type"), entries.get("label"), entries.get("help")
        required, target = entries.get("required"), entries.get("target")
        type_ = reader.choice(sort, FieldType) if sort else None
        if target and type_ and type_ is not FieldType.NUMBER:
            reader.error(entries.keys["target"], "problem.not-beside", key="target", head=f"type: {type_}")
        found.append(
            Field(
                code,
                type_ or FieldType.TEXT,
                reader.text(label) if label else Text("", ""),
                reader.text(help_) if help_ else None,
                required=reader.yes(required) if required else True,
                target=reader.number(target, 0, HIGHEST_TARGET) if target else None,
            )
        )
    return tuple(found)


def _file(reader: Reader, node: Node) -> FileRule:
    entries = reader.entries(node, ("types", "required", "max"))
    types, required, most = entries.get("types"), entries.get("required"), entries.get("max")
    rule = FileRule()
    if types:
        named = tuple(reader.one_of(each, rule.types) or "" for each in reader.items(types))
        if isinstance(types, nodes.Listing) and not named:
            reader.error(types, "problem.empty-list", key="types")
        rule = FileRule(named)
    return FileRule(
        rule.types,
        required=reader.yes(required) if required else rule.required,
        max=reader.number(most, 1, MOST_FILES) if most else rule.max,
    )


def warn_reminders(reader: Reader, node: Node | None, own: Ladder, grace: Offset | None, graced: Node) -> None:
    """What is surely not meant: two reminders on one day, one after the end of grace.

    Working days are compared with working days, and with days only where they are later on any calendar.
    """
    told: dict[tuple[int, bool], Remind] = {}
    items = node.items if isinstance(node, nodes.Listing) else []
    for place, remind in zip(items or [graced] * len(own.remind), own.remind, strict=True):
        moments = [(remind.offset.count * time, remind.offset.working) for time in range(1, remind.times + 1)]
        moments = [(count, working and count != 0) for count, working in moments]
        if items and any(moment in told for moment in moments):
            reader.warn(place, "problem.reminders-on-one-day", got=excerpt(place))
        told.update(dict.fromkeys(moments, remind))
        last, working = moments[-1]
        if grace is not None and last > max(grace.count, 0) and (working or not grace.working):
            reader.warn(place, "problem.reminder-after-grace", grace=str(grace), reminder=str(Offset(last, working)))


def _refuse_circles(reader: Reader, names: Names) -> None:
    """Due days that hang on one another have no date. Each circle is told once, where its first obligation hangs."""
    hangs: dict[str, dict[str, Node]] = {}
    held: dict[str, set[str]] = {}
    for code, on, node in names.hangs:
        hangs.setdefault(code, {}).setdefault(on, node)
        held.setdefault(on, set()).add(code)
    stuck = _stuck(hangs) & _stuck(held)
    told: set[str] = set()
    for start in hangs:
        circle = _circle(start, hangs, stuck) if start in stuck and start not in told else []
        if circle:
            told.update(circle)
            reader.error(hangs[start][circle[1]], "problem.circle", got=" → ".join(circle))


def _refuse_strangers(reader: Reader, names: Names, found: tuple[Obligation, ...]) -> None:
    """A rule hangs on the due day of the same period, so two obligations without a common one give no date ever."""
    labels = {each.code: [period.label for period in _periods(each)] for each in found}
    on_request = {each.code for each in found if each.cadence.is_on_request}
    for code, on, node in names.hangs:
        own, others = labels.get(code), labels.get(on)
        if on in on_request:
            reader.error(node, "problem.hangs-on-request", got=on)
        elif own and others and not set(own) & set(others):
            reader.error(
                node, "problem.no-common-period", got=on, own=cadences.listed(own), others=cadences.listed(others)
            )


def _periods(obligation: Obligation) -> list[Period]:
    """Its own and those of its variants."""
    found = [cadence.periods for cadence in (obligation.cadence, *(each.cadence for each in obligation.variants))]
    return sorted({period for periods in found for period in periods})


def _stuck(hangs: Mapping[str, Collection[str]]) -> set[str]:
    """The obligations on a circle, or with a way to one."""
    sorter = TopologicalSorter(hangs)
    with suppress(CycleError):
        sorter.prepare()
    free: set[str] = set()
    while ready := sorter.get_ready():
        free.update(ready)
        sorter.done(*ready)
    return set(hangs) - free


def _circle(start: str, hangs: dict[str, dict[str, Node]], among: set[str]) -> list[str]:
    """The shortest way from an obligation back to itself."""
    came_from: dict[str, str] = {}
    waiting = deque([start])
    while waiting and start not in came_from:
        code = waiting.popleft()
        for following in hangs[code]:
            if following in among and following not in came_from:
                came_from[following] = code
                waiting.append(following)
    if start not in came_from:
        return []
    way = [start]
    while way[-1] != start or len(way) == 1:
        way.append(came_from[way[-1]])
    return way[::-1]

"""What would an import change? Each change on a line of its own, before and after, as a person wants to see it."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import date
from enum import StrEnum

from engine.believe import Belief
from engine.sheets import Line, Person
from engine.tree import FOREVER, Stretch


class What(StrEnum):
    UNIT_ADDED = "unit_added"
    RENAMED = "renamed"
    MOVED = "moved"  #: under another unit
    KIND = "kind"
    ENDS = "ends"
    IS_BACK = "is_back"  #: was there once, and is there again
    TAGS = "tags"
    CONTACT_ADDED = "contact_added"
    CONTACT_CHANGED = "contact_changed"
    CONTACT_GONE = "contact_gone"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that a line of the file changes. `before` and `after`: codes, names or tags; empty for nothing."""

    what: What
    line: int
    code: str
    name: str
    before: str = ""
    after: str = ""
    on: date | None = None  #: from which day; None: at once
    role: str = ""  #: of a contact
    along: int = 0  #: how many units below move along
    owed: int = 0  #: open tasks of a unit that ends: what is still owed on that day is cancelled


def changes(held: Belief) -> tuple[Change, ...]:
    """In the order of the file; nothing when it says what is already known."""
    along = Counter(
        above for places in held.wanted.values() for above in {code for place in places for code in place.codes[:-1]}
    )
    return tuple(change for line in held.said for change in _of_line(held, line, along))


def altering(found: Iterable[Change]) -> list[Change]:
    """Those that alter what is there already, not only add to it: who reads of it later asks why."""
    found = list(found)
    fresh = {change.code for change in found if change.what is What.UNIT_ADDED}
    return [change for change in found if change.code not in fresh and change.what is not What.CONTACT_ADDED]


def effect_hash(found: Iterable[Change]) -> str:
    """SHA-256 over everything that was shown: another row, day or address is another."""
    rows = [[str(each) for each in astuple(change)] for change in found]
    return hashlib.sha256(json.dumps(rows, ensure_ascii=False).encode()).hexdigest()


def _of_line(held: Belief, line: Line, along: Mapping[str, int]) -> Iterator[Change]:
    """`along`: by code, the units below whose places change."""
    unit = held.known.get(line.code)

    def change(what: What, before: str = "", after: str = "", **more: object) -> Change:
        return Change(what, line.row.line, line.code, line.name, before, after, **more)  # type: ignore[arg-type]

    if unit is None or not held.before.get(line.code):  # or known by an order that was called off, and never there
        stretch = held.after[line.code][-1]
        yield change(What.UNIT_ADDED, after=stretch.parent or "", on=stretch.start)
    if unit is not None:
        if line.name != unit.name:
            yield change(What.RENAMED, unit.name, line.name)
        had, has = held.before[line.code], held.after[line.code]
        for what, before, after, on in _turns(had, has):
            more = {What.MOVED: {"along": along.get(line.code, 0)}, What.ENDS: {"owed": held.owed.get(line.code, 0)}}
            yield change(what, before, after, on=on, **more.get(what, {}))
    tags = unit.tags if unit else frozenset()
    if line.tags is not None and line.tags != tags:
        yield change(What.TAGS, " ".join(sorted(tags)), " ".join(sorted(line.tags)))
    for role, person in line.people.items():
        old = unit.contacts.get(role) if unit else None
        if old is None and person is not None:
            yield change(What.CONTACT_ADDED, after=_who(person), role=role)
        elif old is not None and person is None:
            yield change(What.CONTACT_GONE, before=_told(old.name, old.email, old.lang), role=role)
        elif old is not None and person is not None:
            before, after = (
                _told(old.name, old.email, old.lang),
                _told(person.name, person.email, person.lang or old.lang),
            )
            if before != after:
                yield change(What.CONTACT_CHANGED, before, after, role=role)


def _turns(had: Sequence[Stretch], has: Sequence[Stretch]) -> Iterator[tuple[What, str, str, date]]:
    """What the last stretch says that the one before the import did not."""
    if list(had) == list(has) or not had or not has:
        return
    last, new = had[-1], has[-1]
    on = max(last.start, new.start)  # one that takes the place of the last may only go on with that before it
    if new.start > last.end:
        yield What.IS_BACK, "", new.parent or "", new.start
    elif new.end == FOREVER != last.end:
        yield What.IS_BACK, "", new.parent or "", last.end  # the day on which it would have ended
    if new.parent != last.parent:
        yield What.MOVED, last.parent or "", new.parent or "", on
    if new.kind != last.kind:
        yield What.KIND, last.kind, new.kind, on
    if new.end not in (last.end, FOREVER):
        yield What.ENDS, "", "", new.end


def _who(person: Person) -> str:
    return _told(person.name, person.email, person.lang)


def _told(name: str, email: str | None, lang: str | None) -> str:
    return ", ".join(each for each in (name, email, lang if lang != "vi" else None) if each)

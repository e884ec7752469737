"""How does the tree grow? What each unit was from day to day, and the places of all below it that follow from that."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import pairwise
from typing import Any, Final

from sqlalchemy import Connection, Select, bindparam, insert, update
from sqlalchemy import Row as SqlRow
from sqlalchemy import select as select_columns
from sqlmodel import Session, SQLModel, col
from sqlmodel import select as rows

from models.contact import Contact
from models.unit import Placement, Unit, UnitTag, path_of

FOREVER: Final = date.max
DEEPEST: Final = 20  #: levels of the tree


@dataclass(frozen=True, slots=True)
class Stretch:
    """From `start` up to, not including, `end`: under which code (None: at the top) and as what kind."""

    parent: str | None
    kind: str
    start: date
    end: date = FOREVER

    def goes_on_as(self, more: "Stretch") -> bool:
        return (self.parent, self.kind, self.end) == (more.parent, more.kind, more.start)


@dataclass(slots=True)
class Known:
    """A unit as the database has it."""

    id: int
    name: str
    tags: frozenset[str] = frozenset()
    placements: list[SqlRow[Any]] = field(default_factory=list)  #: in order of time
    contacts: dict[str, SqlRow[Any]] = field(default_factory=dict)  #: the first active one of each role, no delegate


def take_turns(session: Session) -> None:
    """Whoever changes the tree does so alone, to the end of the transaction: what it read is what it changes.

    The first unit's row is the turnstile. On SQLite every writer is alone anyway.
    """
    session.exec(rows(Unit).order_by(col(Unit.id)).limit(1).with_for_update(key_share=True)).all()


def known_units(session: Session, people_of: Collection[str] | None = None) -> dict[str, Known]:
    """All units by code, with everything that a row can change; contacts of these units alone, or of all."""
    # Plain rows instead of objects: with 52,000 units the objects alone would take seconds.
    read = session.connection().execute
    units = {row.id: (row.code, Known(row.id, row.name)) for row in read(_every(Unit).order_by(col(Unit.id)))}
    for tag in read(_every(UnitTag)):
        units[tag.unit_id][1].tags |= {tag.tag}
    for placement in read(_every(Placement).order_by(col(Placement.valid_from))):
        units[placement.unit_id][1].placements.append(placement)
    own = _every(Contact).where(col(Contact.is_active), col(Contact.stands_for).is_(None)).order_by(col(Contact.id))
    ids = [id_ for id_, (code, _) in units.items() if people_of is None or code in people_of]
    for some in parts(ids):
        for contact in read(own.where(col(Contact.unit_id).in_(some))):
            units[contact.unit_id][1].contacts.setdefault(contact.role, contact)
    return dict(units.values())


def known_branch(session: Session, tops: Iterable[str], others: Iterable[str] = ()) -> dict[str, Known]:
    """The units of these codes, whatever ever hung below `tops`, and all that ever stood above any of them.

    That is all that a change of `tops` can touch; of tags and contacts it says nothing.
    """
    by_code = select_columns(col(Unit.id)).where(col(Unit.code).in_([*tops]))
    ids = set(session.scalars(by_code))
    ids |= _closure(session, ids, col(Placement.unit_id), col(Placement.parent_id))
    ids |= set(session.scalars(select_columns(col(Unit.id)).where(col(Unit.code).in_([*others]))))
    ids |= _closure(session, ids, col(Placement.parent_id), col(Placement.unit_id))
    read = session.connection().execute
    units: dict[int, tuple[str, Known]] = {}
    for some in parts(sorted(ids)):
        for row in read(_every(Unit).where(col(Unit.id).in_(some)).order_by(col(Unit.id))):
            units[row.id] = row.code, Known(row.id, row.name)
    for some in parts(sorted(ids)):
        for row in read(_every(Placement).where(col(Placement.unit_id).in_(some)).order_by(col(Placement.valid_from))):
            units[row.unit_id][1].placements.append(row)
    return dict(units.values())


def _closure(session: Session, start: Iterable[int], wanted: Any, given: Any) -> set[int]:
    """All that is reached from `start` by placements, step by step: from a column to another one of the same row."""
    found, fresh = set[int](), set(start)
    while fresh:
        reached = set[int]()
        for some in parts(sorted(fresh)):
            query = select_columns(wanted).where(given.in_(some), wanted.is_not(None)).distinct()
            reached |= set(session.scalars(query))
        fresh = reached - found
        found |= fresh
    return found


def history_of(known: Mapping[str, Known]) -> dict[str, list[Stretch]]:
    """What each unit was by its own doing: placements that differ only by what happened above it are one stretch."""
    codes = {unit.id: code for code, unit in known.items()}
    history: dict[str, list[Stretch]] = {code: [] for code in known}
    for code, unit in known.items():
        for each in unit.placements:
            parent = codes[each.parent_id] if each.parent_id is not None else None
            stretch = Stretch(parent, each.kind, each.valid_from, each.valid_to or FOREVER)
            join(history[code], stretch)
    return history


def join(stretches: list[Stretch], more: Stretch) -> None:
    """Adds a stretch, to the last one when it only goes on with it."""
    if stretches and stretches[-1].goes_on_as(more):
        stretches[-1] = replace(stretches[-1], end=more.end)
    else:
        stretches.append(more)


@dataclass(frozen=True, slots=True)
class Way:
    """From `start` up to `end`: the codes from the top down to a unit."""

    start: date
    end: date
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """What becomes a Placement."""

    stretch: Stretch
    codes: tuple[str, ...]


#: Told of a fault: the unit, the code of the fault (circle, parent-gone, too-deep), its parameters.
Report = Callable[[str, str, Mapping[str, str | int]], None]


class Growth:
    """The tree as it will have been from day to day, each unit's stretches cut where something above it changes."""

    def __init__(self, history: Mapping[str, Sequence[Stretch]], report: Report) -> None:
        self.history, self._report = history, report
        self._reported: set[tuple[str, str]] = set()

    def below(self, codes: Iterable[str]) -> list[str]:
        """The units and whatever ever hung below them."""
        children: dict[str, list[str]] = {}
        for code, stretches in self.history.items():
            for parent in {each.parent for each in stretches} - {None}:
                children.setdefault(str(parent), []).append(code)
        found = dict.fromkeys(codes)
        waiting = list(found)
        while waiting:
            fresh = [code for code in children.get(waiting.pop(), ()) if code not in found]
            found.update(dict.fromkeys(fresh))
            waiting += fresh
        return list(found)

    def places(self, code: str) -> Iterator[Place]:
        """The places of a unit, in order of time. Reports a circle, a gap above it, and too many levels."""
        for stretch in self.history[code]:
            gone = self._gap(stretch)
            if gone is not None:
                self._say(code, "parent-gone", parent=str(stretch.parent), on=f"{gone}")
                continue
            for way in self._ways(stretch.parent, stretch.start, stretch.end, (code,)):
                yield Place(replace(stretch, start=way.start, end=way.end), (*way.codes, code))

    def _ways(self, code: str | None, start: date, end: date, seen: tuple[str, ...]) -> Iterator[Way]:
        """From the top down to a unit, each as long as it lasts; `seen` are the units on the way up to it."""
        if code is None:
            yield Way(start, end, ())
        elif code == seen[0]:
            self._say(code, "circle", got=" → ".join((*seen, code)))
        elif len(seen) == DEEPEST:
            self._say(seen[0], "too-deep", limit=DEEPEST)
        elif code not in seen:  # else a circle above, of which this unit is no part: those in it say so
            for stretch in self.history[code]:
                since, until = max(start, stretch.start), min(end, stretch.end)
                if since < until:
                    for way in self._ways(stretch.parent, since, until, (*seen, code)):
                        yield Way(way.start, way.end, (*way.codes, code))

    def _gap(self, stretch: Stretch) -> date | None:
        """The first day of a stretch on which the unit above is not there."""
        if stretch.parent is None:
            return None
        day = stretch.start
        for each in self.history[stretch.parent]:
            if each.start <= day < each.end:
                day = each.end
        return day if day < stretch.end else None

    def _say(self, code: str, fault: str, /, **params: str | int) -> None:
        if (code, fault) not in self._reported:
            self._reported.add((code, fault))
            self._report(code, fault, params)


def write_places(
    connection: Connection,
    known: Mapping[str, Known],
    wanted: Mapping[str, Sequence[Place]],
    ids: Mapping[str, int],
) -> int:
    """A placement that a task may stand on keeps its id and its first day; only its end and path are written over."""
    fresh: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    for code, places in wanted.items():
        had = {each.valid_from: each for each in known[code].placements} if code in known else {}
        for stretch, codes in joined(places, had):
            row = {
                "parent_id": ids[stretch.parent] if stretch.parent is not None else None,
                "path": "".join(path_of(ids[each]) for each in codes),
                "kind": stretch.kind,
                "valid_to": None if stretch.end == FOREVER else stretch.end,
            }
            old = had.get(stretch.start)
            if old is None:
                fresh.append({"unit_id": ids[code], "valid_from": stretch.start, **row})
            elif any(getattr(old, name) != value for name, value in row.items()):
                changed.append({"id": old.id, **row})
    add_rows(connection, Placement, fresh)
    change_rows(connection, Placement, changed)
    return len(fresh) + len(changed)


def joined(places: Sequence[Place], at: Collection[date] = ()) -> Iterator[tuple[Stretch, tuple[str, ...]]]:
    """The places with neighbours that say the same joined, but begun anew on each of the days given."""
    whole: list[Place] = []
    for place in places:
        last = whole[-1] if whole else None
        if last and last.codes == place.codes and last.stretch.goes_on_as(place.stretch):
            whole[-1] = Place(replace(last.stretch, end=place.stretch.end), place.codes)
        else:
            whole.append(place)
    for place in whole:
        stretch = place.stretch
        days = [stretch.start, *sorted(day for day in at if stretch.start < day < stretch.end), stretch.end]
        for start, end in pairwise(days):
            yield replace(stretch, start=start, end=end), place.codes


def add_rows(connection: Connection, table: type[SQLModel], rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        connection.execute(insert(table), rows)


def change_rows(connection: Connection, table: type[SQLModel], rows: Sequence[Mapping[str, Any]]) -> None:
    """Writes over the columns named, in the row of each `id`."""
    if rows:
        names = [name for name in rows[0] if name != "id"]
        column: Any = col(table.id)  # type: ignore[attr-defined]
        statement = update(table).where(column == bindparam("of")).values({n: bindparam(f"to_{n}") for n in names})
        connection.execute(statement, [{"of": row["id"], **{f"to_{n}": row[n] for n in names}} for row in rows])


def _every(table: type[SQLModel]) -> Select[Any]:
    """All columns of a table."""
    return select_columns(table.__table__)  # type: ignore[attr-defined]


def parts(ids: Sequence[int]) -> list[Sequence[int]]:
    """Ids in portions that a statement may name one by one: SQLite allows 32,766 parameters."""
    return [ids[start : start + 1000] for start in range(0, len(ids), 1000)]

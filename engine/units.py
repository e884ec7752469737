"""How do units come in? A whole sheet of units, their places and contacts, or none of it; and the tree out."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from itertools import pairwise
from typing import Any, Final

from sqlalchemy import Connection, Select, bindparam, delete, func, insert, update
from sqlalchemy import Row as SqlRow
from sqlalchemy import select as select_columns
from sqlmodel import Session, SQLModel, col, select

from dondoc.clock import today
from dondoc.i18n import LANGUAGES
from engine.sheets import BadRows, Line, Row, lines, read_rows
from models.contact import Contact
from models.entry import append
from models.task import UNFINISHED, Task
from models.unit import Placement, Unit, UnitTag, path_of, valid
from schedules.problem import Problem, meant

__all__ = ["BadRows", "Imported", "import_units", "read_rows", "tree"]

FOREVER: Final = date.max
DEEPEST: Final = 20  #: levels of the tree


@dataclass(frozen=True, slots=True)
class Imported:
    """How many rows of each were added or changed; all zero when the file says what is already known."""

    units: int
    placements: int
    contacts: int


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
    contacts: dict[str, SqlRow[Any]] = field(default_factory=dict)  #: the first active one of each role


def import_units(session: Session, rows: Sequence[Row], *, by: str, now: datetime, zone: str) -> Imported:
    """Brings the units of the rows in, all or nothing; units that the rows do not name stay as they are.

    A changed name, tag or contact is written over. A changed parent or kind begins on the row's `valid_from` (empty:
    today) and leaves what was before as it stood; whatever hangs below moves along. An empty `valid_to` says nothing,
    so that an old file opens no unit again that was closed since.

    Raises BadRows with every fault of every line; nothing was written then.
    """
    session.flush()
    day = today(now, zone)
    said, problems = lines(rows)
    known = _known(session)
    history = _history(known)
    codes = history.keys() | {line.code for line in said}
    changed = []
    for line in said:
        before = history.get(line.code, [])
        # A unit whose line is refused is taken as being there all the time: what hangs below it is not to blame.
        after = before or [Stretch(None, line.kind, date.min)]
        if _has_parent(line, codes, problems) and line.is_placed:
            believed = _after(line, before, known.get(line.code), day)
            if isinstance(believed, Problem):
                problems.append(believed)
            else:
                after = believed
        if after != before:
            history[line.code] = after
            changed.append(line.code)
    growth = _Growth(history, {line.code: line for line in said}, problems)
    wanted = {code: list(growth.places(code)) for code in growth.below(changed)}
    problems += _still_owing(session, [line for line in said if line.code in wanted], known, day)
    if problems:
        raise BadRows(problems)
    imported = _write(session, said, known, wanted)
    if imported != Imported(0, 0, 0):
        counts = {"units": imported.units, "placements": imported.placements, "contacts": imported.contacts}
        append(session, "import", by=by, at=now, file=rows[0].file, **counts)
    session.expire_all()  # what was loaded before does not know of the rows just written
    return imported


def tree(session: Session, on: date) -> Iterator[tuple[int, Placement, Unit]]:
    """The units of a day from the top down, each with its depth (0 at the top), children right after their parent."""
    query = (
        select(Placement, Unit)
        .join(Unit, col(Unit.id) == col(Placement.unit_id))
        .where(valid(on, Placement))
        .order_by(col(Placement.path))
    )
    for placement, unit in session.exec(query):
        yield placement.path.count(".") - 1, placement, unit


def _known(session: Session) -> dict[str, Known]:
    """All units by code, with everything that a row can change."""
    # Plain rows instead of objects: with 52,000 units the objects alone would take seconds.
    read = session.connection().execute
    units = {row.id: (row.code, Known(row.id, row.name)) for row in read(_every(Unit).order_by(col(Unit.id)))}
    for tag in read(_every(UnitTag)):
        units[tag.unit_id][1].tags |= {tag.tag}
    for placement in read(_every(Placement).order_by(col(Placement.valid_from))):
        units[placement.unit_id][1].placements.append(placement)
    for contact in read(_every(Contact).where(col(Contact.is_active)).order_by(col(Contact.id))):
        units[contact.unit_id][1].contacts.setdefault(contact.role, contact)
    return dict(units.values())


def _every(table: type[SQLModel]) -> Select[Any]:
    """All columns of a table."""
    return select_columns(table.__table__)  # type: ignore[attr-defined]


def _history(known: Mapping[str, Known]) -> dict[str, list[Stretch]]:
    """What each unit was by its own doing: placements that differ only by what happened above it are one stretch."""
    codes = {unit.id: code for code, unit in known.items()}
    history: dict[str, list[Stretch]] = {code: [] for code in known}
    for code, unit in known.items():
        for each in unit.placements:
            parent = codes[each.parent_id] if each.parent_id is not None else None
            stretch = Stretch(parent, each.kind, each.valid_from, each.valid_to or FOREVER)
            _join(history[code], stretch)
    return history


def _join(stretches: list[Stretch], more: Stretch) -> None:
    """Adds a stretch, to the last one when it only goes on with it."""
    if stretches and stretches[-1].goes_on_as(more):
        stretches[-1] = replace(stretches[-1], end=more.end)
    else:
        stretches.append(more)


def _has_parent(line: Line, codes: Iterable[str], problems: list[Problem]) -> bool:
    """Whether the unit above can be found; none is needed at the top."""
    if line.parent is None or not line.row.is_whole:
        return True
    if line.parent == line.code:
        problems.append(line.row.problem("parent", "sheet.own-parent", got=line.parent))
    elif line.parent not in codes:
        alike = meant(line.parent, frozenset(codes))
        problems.append(line.row.problem("parent", "sheet.unknown-parent", got=line.parent, **alike))
    return line.parent != line.code and line.parent in codes


def _after(line: Line, before: Sequence[Stretch], unit: Known | None, day: date) -> list[Stretch] | Problem:
    """The unit's history once the line is believed, or in what the line contradicts what has been."""
    end = line.valid_to or FOREVER
    if not before or unit is None:
        start = line.valid_from or day
        if end <= start:
            return line.row.problem("valid_to", "sheet.ends-first", start=f"{start}", got=f"{end}")
        return [Stretch(line.parent, line.kind, start, end)]
    last = before[-1]
    since = unit.placements[-1].valid_from  # what happened above it counts too: nothing is slipped in before that
    is_back = line.valid_from is not None and line.valid_from >= last.end
    if (line.parent, line.kind) == (last.parent, last.kind) and not is_back:
        if line.valid_from not in (None, last.start):
            return line.row.problem("valid_from", "sheet.moved-start", start=f"{last.start}", got=f"{line.valid_from}")
        if line.valid_to is None:
            return list(before)
        if line.valid_to <= since:
            return line.row.problem("valid_to", "sheet.ends-first", start=f"{since}", got=f"{end}")
        return [*before[:-1], replace(last, end=line.valid_to)]
    start = line.valid_from or day
    end = line.valid_to or (last.end if start < last.end else FOREVER)
    if start <= since:
        return line.row.problem("valid_from", "sheet.change-too-early", since=f"{since}", got=f"{start}")
    if end <= start:
        return line.row.problem("valid_to", "sheet.ends-first", start=f"{start}", got=f"{end}")
    after = [*before[:-1], replace(last, end=min(last.end, start))]
    _join(after, Stretch(line.parent, line.kind, start, end))
    return after


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


class _Growth:
    """The tree as it will have been from day to day, each unit's stretches cut where something above it changes."""

    def __init__(
        self, history: Mapping[str, Sequence[Stretch]], said: Mapping[str, Line], problems: list[Problem]
    ) -> None:
        self.history, self.said, self.problems = history, said, problems
        self.reported: set[tuple[str, str]] = set()

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
            gone = self.gap(stretch)
            if gone is not None:
                self.report(code, "sheet.parent-gone", "valid_to", parent=str(stretch.parent), on=f"{gone}")
                continue
            for way in self.ways(stretch.parent, stretch.start, stretch.end, (code,)):
                yield Place(replace(stretch, start=way.start, end=way.end), (*way.codes, code))

    def ways(self, code: str | None, start: date, end: date, seen: tuple[str, ...]) -> Iterator[Way]:
        """From the top down to a unit, each as long as it lasts; `seen` are the units on the way up to it."""
        if code is None:
            yield Way(start, end, ())
        elif code == seen[0]:
            self.report(code, "sheet.circle", "", got=" → ".join((*seen, code)))
        elif len(seen) == DEEPEST:
            self.report(seen[0], "sheet.too-deep", "parent", limit=DEEPEST)
        elif code not in seen:  # else a circle above, of which this unit is no part: those in it say so
            for stretch in self.history[code]:
                since, until = max(start, stretch.start), min(end, stretch.end)
                if since < until:
                    for way in self.ways(stretch.parent, since, until, (*seen, code)):
                        yield Way(way.start, way.end, (*way.codes, code))

    def gap(self, stretch: Stretch) -> date | None:
        """The first day of a stretch on which the unit above is not there."""
        if stretch.parent is None:
            return None
        day = stretch.start
        for each in self.history[stretch.parent]:
            if each.start <= day < each.end:
                day = each.end
        return day if day < stretch.end else None

    def report(self, code: str, problem: str, above: str, /, **params: str | int) -> None:
        """At the line of the unit; of one that the file does not name, at column `above` of the nearest one above."""
        if (code, problem) in self.reported:
            return
        self.reported.add((code, problem))
        key, at = "parent", code
        for _ in range(DEEPEST):
            if at in self.said or not above:
                break
            key, at = above, self.history[at][-1].parent or at
        if at in self.said and self.said[at].is_placed:
            self.problems.append(self.said[at].row.problem(key, problem, unit=code, **params))


def _still_owing(session: Session, said: Sequence[Line], known: Mapping[str, Known], day: date) -> Iterator[Problem]:
    """Units that the file closes while they still have unfinished tasks: those need an heir or a note first."""
    closing = {known[line.code].id: line for line in said if line.code in known and (line.valid_to or FOREVER) <= day}
    query = (
        select(Task.unit_id, func.count())
        .where(col(Task.unit_id).in_(closing), col(Task.state).in_(UNFINISHED))
        .group_by(col(Task.unit_id))
    )
    if closing:
        for unit_id, count in session.exec(query):
            yield closing[unit_id].row.problem("valid_to", "sheet.still-owing", tasks=count)


def _write(
    session: Session, said: Sequence[Line], known: Mapping[str, Known], wanted: Mapping[str, Sequence[Place]]
) -> Imported:
    connection = session.connection()
    fresh = [line for line in said if line.code not in known]
    _add(connection, Unit, [{"code": line.code, "name": line.name} for line in fresh])
    ids = {code: id_ or 0 for code, id_ in session.exec(select(Unit.code, Unit.id))}
    renamed = [line for line in said if line.code in known and line.name != known[line.code].name]
    _change(connection, Unit, [{"id": ids[line.code], "name": line.name} for line in renamed])
    tagged = _tags(connection, said, known, ids)
    return Imported(
        len({line.code for line in (*fresh, *renamed)} | tagged),
        _placements(connection, known, wanted, ids),
        _contacts(connection, said, known, ids),
    )


def _tags(connection: Connection, said: Sequence[Line], known: Mapping[str, Known], ids: Mapping[str, int]) -> set[str]:
    """The codes of the units whose tags changed."""
    gone: list[tuple[int, str]] = []
    fresh: list[dict[str, Any]] = []
    changed = set()
    for line in said:
        had = known[line.code].tags if line.code in known else frozenset()
        if line.tags is not None and line.tags != had:
            changed.add(line.code)
            gone += [(ids[line.code], tag) for tag in sorted(had - line.tags)]
            fresh += [{"unit_id": ids[line.code], "tag": tag} for tag in sorted(line.tags - had)]
    where = (col(UnitTag.unit_id) == bindparam("of_unit"), col(UnitTag.tag) == bindparam("of_tag"))
    if gone:
        connection.execute(delete(UnitTag).where(*where), [{"of_unit": unit, "of_tag": tag} for unit, tag in gone])
    _add(connection, UnitTag, fresh)
    return changed


def _placements(
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
        for stretch, codes in _cut(places, had):
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
    _add(connection, Placement, fresh)
    _change(connection, Placement, changed)
    return len(fresh) + len(changed)


def _cut(places: Sequence[Place], at: Collection[date]) -> Iterator[tuple[Stretch, tuple[str, ...]]]:
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


def _contacts(connection: Connection, said: Sequence[Line], known: Mapping[str, Known], ids: Mapping[str, int]) -> int:
    """The file speaks of one contact a role. A role whose cells are empty has nobody any more."""
    fresh: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    for line in said:
        held = known[line.code].contacts if line.code in known else {}
        row: dict[str, Any]
        for role, person in line.people.items():
            old = held.get(role)
            if old is None:
                if person is not None:
                    lang = person.lang or LANGUAGES[0]
                    row = {"unit_id": ids[line.code], "role": role, "is_active": True, "is_bouncing": False}
                    fresh.append({**row, "name": person.name, "email": person.email, "lang": lang})
                continue
            is_new_address = person is not None and person.email != old.email
            row = {
                "name": person.name if person else old.name,
                "email": person.email if person else old.email,
                "lang": (person.lang if person else None) or old.lang,
                "is_active": person is not None,
                "is_bouncing": old.is_bouncing and not is_new_address,
            }
            if any(getattr(old, name) != value for name, value in row.items()):
                changed.append({"id": old.id, **row})
    _add(connection, Contact, fresh)
    _change(connection, Contact, changed)
    return len(fresh) + len(changed)


def _add(connection: Connection, table: type[SQLModel], rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        connection.execute(insert(table), rows)


def _change(connection: Connection, table: type[SQLModel], rows: Sequence[Mapping[str, Any]]) -> None:
    """Writes over the columns named, in the row of each `id`."""
    if rows:
        names = [name for name in rows[0] if name != "id"]
        column: Any = col(table.id)  # type: ignore[attr-defined]
        statement = update(table).where(column == bindparam("of")).values({n: bindparam(f"to_{n}") for n in names})
        connection.execute(statement, [{"of": row["id"], **{f"to_{n}": row[n] for n in names}} for row in rows])

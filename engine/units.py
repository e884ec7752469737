"""How do units come in? A whole sheet of units, their places and contacts, or none of it; and the tree out."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func
from sqlmodel import Session, col, select

from dondoc.clock import today
from dondoc.i18n import LANGUAGES
from engine.access import Actor
from engine.believe import Belief, believe
from engine.changes import Change, What, altering, changes, effect_hash
from engine.contacts import renew_ways, shut_ways
from engine.errors import RefusedError
from engine.redirect import redirect
from engine.sheets import BadRows, Line, Row, read_rows
from engine.tell import reachable_of, tell_what_is_owed
from engine.tree import Known, add_rows, change_rows, parts, take_turns, write_places
from models.contact import Contact
from models.entry import append, append_all
from models.notice import Notice, release_ways
from models.unit import Placement, Unit, UnitTag, valid

__all__ = ["BadRows", "Imported", "import_units", "read_rows", "tree"]


@dataclass(frozen=True, slots=True)
class Imported:
    """How many rows of each were added or changed; all zero when the file says what is already known."""

    units: int
    placements: int
    contacts: int


def import_units(
    session: Session,
    rows: Sequence[Row],
    *,
    by: str,
    now: datetime,
    zone: str,
    reason: str = "",
    actor: Actor | None = None,
    expected_hash: str | None = None,
) -> Imported:
    """Brings the units of the rows in, all or nothing; units that the rows do not name stay as they are.

    A changed name, tag or contact is written over. A changed parent or kind begins on the row's `valid_from` (empty:
    today) and leaves what was before as it stood; whatever hangs below moves along. An empty `valid_to` says nothing,
    so that an old file opens no unit again that was closed since.

    The journal keeps the whole, and beside it each thing that was there already and changed. That needs a reason; what
    is only added does not.

    An `actor` brings in no units but their own. Raises BadRows with every fault of every line; RefusedError when the
    changes are no longer those whose hash was shown, or lack a reason. Nothing was written then.
    """
    session.flush()
    take_turns(session)
    held = believe(session, rows, now=now, zone=zone, actor=actor)
    found, reason = changes(held), reason.strip()
    altered = altering(found)
    if expected_hash is not None and effect_hash(found) != expected_hash:
        raise RefusedError("refused.effect_changed")
    if altered and not reason:
        raise RefusedError("refused.no_reason")
    imported, acts, unheard = _write(session, held, now)
    if imported != Imported(0, 0, 0):
        counts = {"units": imported.units, "placements": imported.placements, "contacts": imported.contacts}
        entry = append(session, "import", by=by, at=now, file=rows[0].file, note=reason, **counts)
        why = {"note": reason, "of_import": entry.id}
        tell_what_is_owed(session, unheard, f"entry:{entry.id}", now)
        for act, things in (*_acts(held, altered, today(now, zone)).items(), *acts.items()):
            append_all(session, act, [(None, None, thing | why) for thing in things], by=by, at=now)
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


#: By act: what the journal keeps of each thing.
Acts = Mapping[str, list[dict[str, Any]]]


def _acts(held: Belief, altered: Sequence[Change], on: date) -> Acts:
    """What becomes of units that were there already. Their places change by acts of their own: no order that may be
    called off (engine/coming.py) but a line of a sheet, which the next sheet changes.
    """
    acts: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    moved = dict[str, dict[str, Any]]()
    for each in altered:
        turn = {"unit": each.code, "before": each.before, "after": each.after}
        match each.what:
            case What.RENAMED:
                acts["unit_renamed"].append(turn | {"on": on.isoformat()})
            case What.TAGS:
                acts["unit_tagged"].append(turn)
            case What.MOVED | What.KIND | What.IS_BACK if each.on is not None:
                had, has = held.before[each.code][-1], held.after[each.code][-1]
                place = {"on": each.on.isoformat(), "before": had.parent, "after": has.parent}
                move = moved.setdefault(each.code, {"unit": each.code, **place, "kind": [had.kind, has.kind]})
                move["along"] = move.get("along", 0) + each.along
            case What.ENDS if each.on is not None:
                acts["sheet_ended"].append({"unit": each.code, "on": each.on.isoformat()})
    if moved:
        acts["sheet_moved"] = [*moved.values()]
    return acts


def _write(session: Session, held: Belief, now: datetime) -> tuple[Imported, Acts, Sequence[int]]:
    """The rows; how many, what the journal keeps of the contacts, and who of them could not be told before."""
    connection, said, known = session.connection(), held.said, held.known
    fresh = [line for line in said if line.code not in known]
    add_rows(connection, Unit, [{"code": line.code, "name": line.name} for line in fresh])
    ids = {code: id_ or 0 for code, id_ in session.exec(select(Unit.code, Unit.id))}
    renamed = [line for line in said if line.code in known and line.name != known[line.code].name]
    change_rows(connection, Unit, [{"id": ids[line.code], "name": line.name} for line in renamed])
    tagged = _tags(connection, said, known, ids)
    places = write_places(connection, known, held.wanted, ids)
    contacts, acts, unheard = _contacts(session, said, known, ids, now)
    return Imported(len({line.code for line in (*fresh, *renamed)} | tagged), places, contacts), acts, unheard


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
    add_rows(connection, UnitTag, fresh)
    return changed


def _contacts(
    session: Session,
    said: Sequence[Line],
    known: Mapping[str, Known],
    ids: Mapping[str, int],
    now: datetime,
) -> tuple[int, Acts, Sequence[int]]:
    """The file speaks of one contact a role. A role whose cells are empty has nobody any more.

    As where contacts are kept one by one, an old address or a contact who has left opens nothing any more.
    """
    fresh: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    gone, moved = list[int](), list[int]()
    acts: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
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
                "valid_from": old.valid_from if person else None,
                "is_bouncing": old.is_bouncing and not is_new_address,
            }
            differs = sorted(name for name, value in row.items() if getattr(old, name) != value)
            told = {"unit": line.code, "contact": old.id, "role": role}
            if differs:
                changed.append({"id": old.id, **row})
            if person is None:
                gone.append(old.id)
                acts["contact_retired"].append(told)
            elif differs:
                acts["contact_changed"].append(told | {"changed": differs})
            if person is not None and is_new_address:
                moved.append(old.id)
    could, last = reachable_of(session, moved), session.scalar(select(func.max(Contact.id))) or 0
    add_rows(session.connection(), Contact, fresh)
    change_rows(session.connection(), Contact, changed)
    shut_ways(session, gone, now)
    renew_ways(session, moved)
    for some in parts(moved):
        release_ways(session, col(Notice.contact_id).in_(some))
    redirect(session, moved, now)
    came = {ids[line.code] for line in said if line.code in known} & {row["unit_id"] for row in fresh}
    unheard = [id_ for id_ in moved if id_ not in could]
    for some in parts(sorted(came)):
        new = col(Contact.id) > last, col(Contact.unit_id).in_(some)
        unheard += session.exec(select(Contact.id).where(*new).order_by(col(Contact.id))).all()
    return len(fresh) + len(changed), acts, unheard

"""How do units come in? A whole sheet of units, their places and contacts, or none of it; and the tree out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete
from sqlmodel import Session, col, select

from dondoc.i18n import LANGUAGES
from engine.access import Actor
from engine.believe import Belief, believe
from engine.changes import changes, effect_hash
from engine.contacts import renew_ways, shut_ways
from engine.errors import RefusedError
from engine.sheets import BadRows, Line, Row, read_rows
from engine.tree import Known, add_rows, change_rows, parts, take_turns, write_places
from models.contact import Contact
from models.entry import append
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
    actor: Actor | None = None,
    expected_hash: str | None = None,
) -> Imported:
    """Brings the units of the rows in, all or nothing; units that the rows do not name stay as they are.

    A changed name, tag or contact is written over. A changed parent or kind begins on the row's `valid_from` (empty:
    today) and leaves what was before as it stood; whatever hangs below moves along. An empty `valid_to` says nothing,
    so that an old file opens no unit again that was closed since.

    An `actor` brings in no units but their own. Raises BadRows with every fault of every line; RefusedError when the
    changes are no longer those whose hash was shown. Nothing was written then.
    """
    session.flush()
    take_turns(session)
    held = believe(session, rows, now=now, zone=zone, actor=actor)
    if expected_hash is not None and effect_hash(changes(held)) != expected_hash:
        raise RefusedError("refused.effect_changed")
    imported = _write(session, held, now)
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


def _write(session: Session, held: Belief, now: datetime) -> Imported:
    connection, said, known = session.connection(), held.said, held.known
    fresh = [line for line in said if line.code not in known]
    add_rows(connection, Unit, [{"code": line.code, "name": line.name} for line in fresh])
    ids = {code: id_ or 0 for code, id_ in session.exec(select(Unit.code, Unit.id))}
    renamed = [line for line in said if line.code in known and line.name != known[line.code].name]
    change_rows(connection, Unit, [{"id": ids[line.code], "name": line.name} for line in renamed])
    tagged = _tags(connection, said, known, ids)
    return Imported(
        len({line.code for line in (*fresh, *renamed)} | tagged),
        write_places(connection, known, held.wanted, ids),
        _contacts(session, said, known, ids, now),
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
    add_rows(connection, UnitTag, fresh)
    return changed


def _contacts(
    session: Session,
    said: Sequence[Line],
    known: Mapping[str, Known],
    ids: Mapping[str, int],
    now: datetime,
) -> int:
    """The file speaks of one contact a role. A role whose cells are empty has nobody any more.

    As where contacts are kept one by one, an old address or a contact who has left opens nothing any more.
    """
    fresh: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    gone, moved = list[int](), list[int]()
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
            if any(getattr(old, name) != value for name, value in row.items()):
                changed.append({"id": old.id, **row})
            if person is None:
                gone.append(old.id)
            elif is_new_address:
                moved.append(old.id)
    add_rows(session.connection(), Contact, fresh)
    change_rows(session.connection(), Contact, changed)
    shut_ways(session, gone, now)
    renew_ways(session, moved)
    for some in parts(moved):
        release_ways(session, col(Notice.contact_id).in_(some))
    return len(fresh) + len(changed)

"""Who cannot be told, whose address stands for several contacts, who leaves soon? What an admin looks over."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, func, select
from sqlmodel import Session, col

from dondoc.clock import today
from engine.access import Actor, seen
from models import roster
from models.contact import Contact
from models.unit import Placement, Unit, valid

SOON: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Doubled:
    """An address under which several contacts are told."""

    way: Literal["email", "phone"]
    address: str
    held: tuple[tuple[Contact, Unit], ...]

    @property
    def is_within_one_unit(self) -> bool:
        return len({unit.id for _, unit in self.held}) == 1


def unreachable(session: Session, actor: Actor, *, now: datetime, zone: str) -> Sequence[Any]:
    """The units of today, as far as the actor sees them, that nobody can be told of: rows of roster.units."""
    where = (seen(actor), roster.reach() != roster.Reach.OK.value)
    return session.execute(roster.units(today(now, zone), *where).order_by(col(Unit.name), col(Unit.code))).all()


def doubled(session: Session, actor: Actor, *, now: datetime, zone: str) -> list[Doubled]:
    """Addresses and telephones that several active contacts of today's units share, in order."""
    plain = func.replace(func.replace(func.replace(col(Contact.phone), " ", ""), ".", ""), "-", "")
    ways: tuple[tuple[Literal["email", "phone"], ColumnElement[Any]], ...] = (
        ("email", func.lower(col(Contact.email))),
        ("phone", plain),
    )
    found = []
    for way, key in ways:
        where = _active(actor, now, zone)
        several = _of_today(select(key)).where(*where, key.is_not(None)).group_by(key).having(func.count() > 1)
        rows = _of_today(select(key, Contact, Unit)).where(*where, key.in_(several))
        groups: defaultdict[str, list[tuple[Contact, Unit]]] = defaultdict(list)
        for address, contact, unit in session.execute(rows.order_by(key, col(Unit.name), col(Contact.id))):
            groups[address].append((contact, unit))
        found += [Doubled(way, address, tuple(held)) for address, held in groups.items()]
    return found


def leaving(session: Session, actor: Actor, *, now: datetime, zone: str) -> Sequence[Any]:
    """Rows (Contact, Unit) of who is told for less than a month longer, the first to go first."""
    where = (*_active(actor, now, zone), col(Contact.valid_to) <= today(now, zone) + SOON)
    return session.execute(
        _of_today(select(Contact, Unit)).where(*where).order_by(col(Contact.valid_to), col(Unit.name), col(Contact.id))
    ).all()


def _of_today(query: Any) -> Any:
    return (
        query.select_from(Contact)
        .join(Unit, col(Unit.id) == col(Contact.unit_id))
        .join(Placement, col(Placement.unit_id) == col(Unit.id))
    )


def _active(actor: Actor, now: datetime, zone: str) -> tuple[Any, ...]:
    return (col(Contact.is_active), valid(today(now, zone), Placement), seen(actor))

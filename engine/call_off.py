"""An order for a coming day is called off before that day: the tree is again what it would have been without it.

Until the day nothing but the tree and the lineage was written, so that there is no open work, no contact and no name
to give back. What was ordered later on top of it is called off first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import delete, or_
from sqlmodel import Session, col, select

from dondoc.clock import today
from engine.coming import CALLED_OFF, MOVE, ORDERS, ends, is_called_off
from engine.errors import RefusedError
from engine.reorganise import refuse_growth
from engine.tree import (
    FOREVER,
    Growth,
    Known,
    Place,
    Stretch,
    history_of,
    joined,
    known_branch,
    parts,
    take_turns,
    write_places,
)
from models.entry import Entry, append
from models.lineage import Lineage
from models.unit import Placement, Unit


@dataclass(frozen=True)
class Return:
    """What calling an order off brings back."""

    order: Entry
    on: date
    goes_on: tuple[str, ...]  #: the codes of the units that do not end
    never_begins: tuple[str, ...]
    stays: tuple[str, ...]  #: the units that are not put elsewhere
    along: int  #: how many more stay with them
    lineage: tuple[int, ...]
    contacts: bool  #: those of the units that do not end were to become contacts of the heir
    known: Mapping[str, Known]
    wanted: Mapping[str, Sequence[Place]]


def preview(session: Session, number: int, *, now: datetime, zone: str) -> Return:
    """What `call_off` would do; nothing is written. Raises RefusedError where it would."""
    order = session.get(Entry, number)
    if order is None or order.act not in ORDERS:
        raise RefusedError("refused.no_order", got=number)
    if is_called_off(session, order):
        raise RefusedError("refused.called_off", number=number)
    data, on = order.data, date.fromisoformat(order.data["on"])
    if on <= today(now, zone):
        raise RefusedError("refused.day_has_come", on=on)
    moved: dict[str, str | None] = {data["unit"]: data["after"]} if order.act == MOVE else data.get("below", {})
    ending = ends(order)
    fresh: list[str] = data.get("fresh", [])
    touched = [*moved, *ending, *fresh]
    known = known_branch(session, touched)
    history = history_of(known)
    for code in ending:
        until = data.get("until", {}).get(code)
        history[code] = _without_end(history[code], code, on, date.fromisoformat(until) if until else FOREVER)
    for code, parent in moved.items():
        history[code] = _without_move(history[code], code, on, parent)
    for code in fresh:
        if [(each.start, each.end) for each in history[code]] != [(on, FOREVER)]:
            raise RefusedError("refused.built_upon", unit=code, on=on)
        history[code] = []
    growth = Growth(history, refuse_growth)
    wanted = {code: list(growth.places(code)) for code in growth.below(touched)}
    return Return(
        order=order,
        on=on,
        goes_on=tuple(ending),
        never_begins=tuple(fresh),
        stays=tuple(moved),
        along=len(wanted) - len(touched),
        lineage=_lineage(session, order, on, fresh),
        contacts=data.get("with_contacts", False),
        known=known,
        wanted=wanted,
    )


def call_off(session: Session, number: int, *, reason: str, by: str, now: datetime, zone: str) -> Entry:
    """Does it, all or nothing. Raises RefusedError when the day has come, or when something was built upon it since."""
    reason = reason.strip()
    if not reason:
        raise RefusedError("refused.no_reason")
    take_turns(session)
    found = preview(session, number, now=now, zone=zone)
    session.flush()
    connection = session.connection()
    day, gone = today(now, zone), set[int]()  # places of days to come: no task stands on them yet
    for code, places in found.wanted.items():
        starts = {stretch.start for stretch, _ in joined(places)}
        unit = found.known[code]
        gone |= {each.id for each in unit.placements if each.valid_from > day and each.valid_from not in starts}
        unit.placements = [each for each in unit.placements if each.id not in gone]
    for row in list(session):
        if isinstance(row, Placement):
            session.expunge(row)  # it does not know of what is written now, or goes
    for some in parts(sorted(gone)):
        connection.execute(delete(Placement).where(col(Placement.id).in_(some)))
    write_places(connection, found.known, found.wanted, {code: unit.id for code, unit in found.known.items()})
    session.execute(delete(Lineage).where(col(Lineage.id).in_(found.lineage)))
    return append(
        session,
        CALLED_OFF,
        by=by,
        at=now,
        unit=found.order.data["unit"],
        order=number,
        on=found.on.isoformat(),
        note=reason,
    )


def _without_end(stretches: Sequence[Stretch], code: str, on: date, until: date) -> list[Stretch]:
    if not stretches or stretches[-1].end != on:
        raise RefusedError("refused.built_upon", unit=code, on=on)
    return [*stretches[:-1], replace(stretches[-1], end=until)]


def _without_move(stretches: Sequence[Stretch], code: str, on: date, parent: str | None) -> list[Stretch]:
    """The stretch before goes on for as long as the one that began on the day would have."""
    last = stretches[-1] if stretches else None
    if last is None or len(stretches) < 2 or (last.start, last.parent, stretches[-2].end) != (on, parent, on):
        raise RefusedError("refused.built_upon", unit=code, on=on)
    return [*stretches[:-2], replace(stretches[-2], end=last.end)]


def _lineage(session: Session, order: Entry, on: date, fresh: Sequence[str]) -> tuple[int, ...]:
    """The lines that the order wrote. Raises RefusedError where work of others is to go to a unit that never begins."""
    data = order.data
    codes = select(Unit.id, Unit.code).where(col(Unit.code).in_([*data.get("units", []), data.get("heir"), *fresh]))
    ids = {code: id_ for id_, code in session.exec(codes)}
    froms, begins = [ids[code] for code in data.get("units", [])], {ids[code]: code for code in fresh}
    to = [*begins, *(id_ for code, id_ in ids.items() if code == data.get("heir"))]
    theirs = or_(col(Lineage.from_unit_id).in_([*froms, *begins]), col(Lineage.to_unit_id).in_(begins))
    lines = session.exec(select(Lineage).where(theirs)).all()
    own = {line.id for line in lines if line.from_unit_id in froms and line.to_unit_id in to and line.on == on}
    for line in lines:
        code = begins.get(line.to_unit_id) or begins.get(line.from_unit_id)
        if line.id not in own and code is not None:
            raise RefusedError("refused.built_upon", unit=code, on=line.on)
    return tuple(sorted(own))

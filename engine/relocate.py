"""A unit moves under another one, becomes of another kind, or gets another name; it keeps its code and its history."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from dondoc.clock import today
from engine import coming
from engine.errors import RefusedError
from engine.hand_over import go_along
from engine.names import former_names
from engine.reorganise import check_name, moved, refuse_growth
from engine.sheets import CODE
from engine.tree import Growth, Known, Place, history_of, known_branch, parts, take_turns, write_places
from models.entry import Entry, append
from models.task import UNFINISHED, Task
from models.unit import Placement, Unit, placement_on, unit_by_code

_UNFINISHED = [state.value for state in UNFINISHED]


@dataclass(frozen=True, slots=True)
class Move:
    """Where a unit stands from a day on; `parent` None: at the top. Empty `kind`: as before."""

    code: str
    on: date
    parent: str | None
    kind: str = ""
    follows: bool = False  #: what is open on the day moves along: the new superior receives it and sees it
    name: str = ""  #: from the same day on; empty: as before


@dataclass(frozen=True)
class Moving:
    """What a move does. The hash is over everything that is shown."""

    move: Move
    unit: Unit
    before: Unit | None  #: above it until then
    after: Unit | None
    kind_before: str
    name: str | None  #: that it gets
    along: int  #: how many units below move along
    tasks: int  #: open tasks of the unit and of all below
    received: int  #: those of the unit itself that the old superior receives
    is_ahead: bool
    known: Mapping[str, Known]
    wanted: Mapping[str, Sequence[Place]]

    @cached_property
    def hash(self) -> str:
        move = self.move
        told = [move.code, f"{move.on}", move.parent, move.kind, move.follows, self.kind_before]
        told += [self.unit.name, self.name] if self.name else []
        counts = [self.before.id if self.before else None, self.along, self.tasks, self.received, self.is_ahead]
        return hashlib.sha256(json.dumps([*told, *counts], ensure_ascii=False).encode()).hexdigest()


def preview(session: Session, move: Move, *, now: datetime, zone: str) -> Moving:
    """What `apply` would do; nothing is written. Raises RefusedError where it would."""
    known = known_branch(session, [move.code], [move.parent] if move.parent else [])
    if move.code not in known:
        raise RefusedError("refused.no_unit", unit=move.code)
    if move.parent is not None and move.parent not in known:
        raise RefusedError("refused.no_unit", unit=move.parent)
    if move.kind and not CODE.fullmatch(move.kind):
        raise RefusedError("refused.bad_code", got=move.kind[:40])
    history = history_of(known)
    had = history[move.code]
    if not had:
        raise RefusedError("refused.unit_not_there", unit=move.code, on=move.on)
    last = had[-1]
    kind = move.kind or last.kind
    if (move.parent, kind) == (last.parent, last.kind):
        raise RefusedError("refused.nothing_moves", unit=move.code)
    is_ahead = move.on > today(now, zone)
    history[move.code] = moved(had, known[move.code], move.code, move.on, move.parent, kind)
    growth = Growth(history, refuse_growth)
    wanted = {code: list(growth.places(code)) for code in growth.below([move.code])}
    ids = [known[code].id for code in wanted]
    unit = session.get_one(Unit, known[move.code].id)
    name = _checked_name(session, unit, move.name, move.on, today(now, zone), zone) if move.name.strip() else None
    return Moving(
        move=move,
        unit=unit,
        before=session.get_one(Unit, known[last.parent].id) if last.parent else None,
        after=session.get_one(Unit, known[move.parent].id) if move.parent else None,
        kind_before=last.kind,
        name=name,
        along=len(wanted) - 1,
        tasks=_open(session, ids),
        received=_open(session, [unit.id], known[last.parent].id) if last.parent else 0,
        is_ahead=is_ahead,
        known=known,
        wanted=wanted,
    )


def apply(
    session: Session,
    move: Move,
    *,
    reason: str,
    by: str,
    now: datetime,
    zone: str,
    expected_hash: str | None = None,
) -> Entry:
    """Does it. Raises RefusedError when the effect is no longer the one that was shown."""
    reason = reason.strip()
    if not reason:
        raise RefusedError("refused.no_reason")
    take_turns(session)
    found = preview(session, move, now=now, zone=zone)
    if expected_hash is not None and found.hash != expected_hash:
        raise RefusedError("refused.effect_changed")
    session.flush()
    write_places(session.connection(), found.known, found.wanted, {code: unit.id for code, unit in found.known.items()})
    for row in list(session):
        if isinstance(row, Placement):
            session.expire(row)  # it does not know of what was just written
    if move.follows and not found.is_ahead:
        go_along(session, found.unit.id, found.before.id if found.before else None, today(now, zone), now)
    named: dict[str, Any] = {"name": found.name} if found.name else {}
    entry = append(
        session,
        "unit_moved",
        by=by,
        at=now,
        unit=move.code,
        on=move.on.isoformat(),
        before=found.before.code if found.before else None,
        after=move.parent,
        kind=[found.kind_before, move.kind or found.kind_before],
        along=found.along,
        follows=move.follows,
        note=reason,
        **named,
    )
    if found.name and not found.is_ahead:
        take_name(session, found.unit, found.name, on=move.on, reason=reason, by=by, now=now)
    return entry


def rename(
    session: Session, code: str, name: str, *, on: date | None = None, reason: str, by: str, now: datetime, zone: str
) -> Entry:
    """Another name from a day on, today unless it is said; papers of the days before keep the old one.

    For a day to come it is an order: the unit takes the name in the first round of that day (engine/new_day.py).
    """
    take_turns(session)
    unit = unit_by_code(session, code)
    if unit is None:
        raise RefusedError("refused.no_unit", unit=code)
    session.refresh(unit)  # it may have been read before another's turn
    reason, day = reason.strip(), today(now, zone)
    on = on or day
    name = _checked_name(session, unit, name, on, day, zone)
    if not reason:
        raise RefusedError("refused.no_reason")
    if on > day:
        return append(session, coming.RENAME, by=by, at=now, unit=code, on=on.isoformat(), name=name, note=reason)
    return take_name(session, unit, name, on=on, reason=reason, by=by, now=now)


def keep_order(session: Session, order: Entry, unit: Unit, *, now: datetime, zone: str) -> bool:
    """The name that an order gave a unit for a day that has come; False for none, or one that it has no more.

    An order is kept once. Whoever renamed the unit since, from that day or a later one on, had the last word; a unit
    that was no more on the day keeps the name that it had.
    """
    on = date.fromisoformat(order.data["on"])
    name = order.data.get("name")
    if name is None or name == unit.name or placement_on(session, unit.id, on) is None:
        return False
    for former in former_names(session, unit, zone):
        if former.entry.id == order.id or (former.until >= on and former.entry.id > order.id):
            return False
    take_name(session, unit, name, on=on, reason=order.data["note"], by="system", now=now, order=order.id)
    return True


def take_name(
    session: Session, unit: Unit, name: str, *, on: date, reason: str, by: str, now: datetime, **of: Any
) -> Entry:
    before, unit.name = unit.name, name
    session.add(unit)
    return append(
        session,
        "unit_renamed",
        by=by,
        at=now,
        unit=unit.code,
        before=before,
        after=name,
        on=on.isoformat(),
        note=reason,
        **of,
    )


def _checked_name(session: Session, unit: Unit, name: str, on: date, today: date, zone: str) -> str:
    """The name as it is kept. Raises RefusedError when the unit has it then anyway, or is not there then."""
    name = check_name(name)
    ahead = [each for each in coming.names(session, unit.code, today) if each.data["on"] <= on.isoformat()]
    if name == (ahead[-1].data["name"] if ahead else unit.name):
        raise RefusedError("refused.same_name", unit=unit.code)
    if on > today and placement_on(session, unit.id, on) is None:
        raise RefusedError("refused.unit_not_there", unit=unit.code, on=on)
    since = max((former.until for former in former_names(session, unit, zone)), default=on)
    if on < since:
        raise RefusedError("refused.name_too_early", since=since, got=on)
    return name


def _open(session: Session, unit_ids: Sequence[int], receiver: int | None = None) -> int:
    """How many open tasks these units have, of all or of those that one unit receives."""
    count = 0
    for some in parts(unit_ids):
        query = select(func.count()).select_from(Task).where(col(Task.unit_id).in_(some))
        query = query.where(col(Task.state).in_(_UNFINISHED))
        count += session.scalar(query if receiver is None else query.where(col(Task.receiver_id) == receiver)) or 0
    return count

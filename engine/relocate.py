"""A unit moves under another one, becomes of another kind, or gets another name; it keeps its code and its history."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

from sqlalchemy import func
from sqlmodel import Session, col, select

from dondoc.clock import today
from engine.errors import RefusedError
from engine.hand_over import go_along
from engine.names import former_names
from engine.reorganise import check_name, moved, refuse_growth
from engine.sheets import CODE
from engine.tree import Growth, Known, Place, history_of, known_branch, parts, take_turns, write_places
from models.entry import Entry, append
from models.task import UNFINISHED, Task
from models.unit import Placement, Unit, unit_by_code

_UNFINISHED = [state.value for state in UNFINISHED]


@dataclass(frozen=True, slots=True)
class Move:
    """Where a unit stands from a day on; `parent` None: at the top. Empty `kind`: as before."""

    code: str
    on: date
    parent: str | None
    kind: str = ""
    follows: bool = False  #: what is open on the day moves along: the new superior receives it and sees it


@dataclass(frozen=True)
class Moving:
    """What a move does. The hash is over everything that is shown."""

    move: Move
    unit: Unit
    before: Unit | None  #: above it until then
    after: Unit | None
    kind_before: str
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
    return Moving(
        move=move,
        unit=unit,
        before=session.get_one(Unit, known[last.parent].id) if last.parent else None,
        after=session.get_one(Unit, known[move.parent].id) if move.parent else None,
        kind_before=last.kind,
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
    return append(
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
    )


def rename(
    session: Session, code: str, name: str, *, on: date | None = None, reason: str, by: str, now: datetime, zone: str
) -> Entry:
    """Another name from a day on, today unless it is said; papers of the days before keep the old one.

    A day to come is refused: a unit has one name, that of today.
    """
    unit = unit_by_code(session, code)
    if unit is None:
        raise RefusedError("refused.no_unit", unit=code)
    name, reason, day = check_name(name), reason.strip(), today(now, zone)
    on = on or day
    if not reason:
        raise RefusedError("refused.no_reason")
    if name == unit.name:
        raise RefusedError("refused.same_name", unit=code)
    if on > day:
        raise RefusedError("refused.name_ahead", today=day, got=on)
    since = max((former.until for former in former_names(session, unit, zone)), default=on)
    if on < since:
        raise RefusedError("refused.name_too_early", since=since, got=on)
    before, unit.name = unit.name, name
    session.add(unit)
    return append(
        session, "unit_renamed", by=by, at=now, unit=code, before=before, after=name, on=on.isoformat(), note=reason
    )


def _open(session: Session, unit_ids: Sequence[int], receiver: int | None = None) -> int:
    """How many open tasks these units have, of all or of those that one unit receives."""
    count = 0
    for some in parts(unit_ids):
        query = select(func.count()).select_from(Task).where(col(Task.unit_id).in_(some))
        query = query.where(col(Task.state).in_(_UNFINISHED))
        count += session.scalar(query if receiver is None else query.where(col(Task.receiver_id) == receiver)) or 0
    return count

"""Units merge, split or close on a day: their places end, and what is open goes where it was decided.

The day may lie ahead. The tree and the lineage are written at once, the open work changes hands in the first round of
that day (engine/new_day.py), since until then the unit still works on it.
"""

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cached_property
from typing import Any

from sqlmodel import Session, col, select

from dondoc.clock import today
from engine.coming import ACTS
from engine.contacts import MAX_TEXT
from engine.errors import RefusedError
from engine.hand_over import Fate, Outcome, awaited, fates, follow, owed_by, pass_on, received, settle, tell
from engine.sheets import CODE
from engine.tree import (
    Growth,
    Known,
    Place,
    Stretch,
    add_rows,
    history_of,
    join,
    known_branch,
    parts,
    take_turns,
    write_places,
)
from models.contact import Contact, Role, is_reachable
from models.entry import Entry, append
from models.lineage import Lineage, Succession
from models.task import UNFINISHED, Task
from models.unit import Placement, Unit, unit_by_code


@dataclass(frozen=True, slots=True)
class Fresh:
    """A unit that begins, beside the first of those that are reorganised; `kind` empty: of the same kind."""

    code: str
    name: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be done, from which day on (the first on which it holds)."""

    way: Succession
    units: tuple[str, ...]  #: which end; of a split: which is split
    on: date
    heir: str | None = None  #: goes on with their work; of a split: the first new unit unless another is named
    fresh: tuple[Fresh, ...] = ()
    stays: bool = False  #: the unit that is split goes on beside the new ones
    tasks: Mapping[int, str] = field(default_factory=dict)  #: where an open task goes instead; empty: it is cancelled
    below: Mapping[str, str] = field(default_factory=dict)  #: where a unit right below goes instead
    with_contacts: bool = False  #: the contacts become contacts of the heir too

    @property
    def ends(self) -> tuple[str, ...]:
        """Which of the units end."""
        if self.way is Succession.SPLIT:
            return () if self.stays else self.units
        return tuple(code for code in self.units if code != self.heir)

    @property
    def beside(self) -> tuple[str, ...]:
        """Beside which units others begin, or which end: what is above them changes too."""
        return (*self.ends, *(self.units[:1] if self.fresh else ()))


@dataclass(frozen=True)
class Effect:
    """All that an order does. The hash is over everything that is shown: another task, unit or day is another.

    Where a task or a unit below goes is no part of it, as that is chosen where it is shown.
    """

    order: Order
    units: tuple[Unit, ...]
    ends: tuple[Unit, ...]
    heirs: tuple[str, ...]  #: the codes that work may go to, the first by default
    fates: tuple[Fate, ...]
    owed: Collection[tuple[str, int]]  #: which heirs have a task of their own in which of those cycles
    below: tuple[tuple[Unit, str | None], ...]  #: units right below, and under which code they stand then
    along: int  #: how many units change their place with them
    received: int  #: open tasks of other units that the ending ones would have received
    receiver: str | None  #: who receives them then
    awaited: tuple[tuple[Unit, date], ...]  #: whose work the ending ones were still to go on with: the heir does
    contacts: tuple[Contact, ...]  #: who become contacts of the heir; of a day ahead whoever is there then does
    silent: tuple[str, ...]  #: the heirs, by code, without a contact who can be told, even with those who come
    is_ahead: bool  #: the day is still to come: open work changes hands then
    known: Mapping[str, Known]
    wanted: Mapping[str, Sequence[Place]]

    @cached_property
    def hash(self) -> str:
        order = self.order
        fresh = [[each.code, each.name, each.kind] for each in order.fresh]
        tasks = [[fate.task.id, fate.task.state] for fate in self.fates]
        below = [unit.code for unit, _ in self.below]
        contacts = [[each.id, each.name, each.email] for each in self.contacts]
        told = [order.way, order.units, f"{order.on}", order.heir, fresh, order.stays, self.is_ahead]
        awaited = [[unit.code, f"{on}"] for unit, on in self.awaited]
        shown = [*told, tasks, sorted(self.owed), below, self.along, self.received, awaited, contacts, self.silent]
        text = json.dumps(shown, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()


def preview(session: Session, order: Order, *, now: datetime, zone: str) -> Effect:
    """What `apply` would do; nothing is written. Raises RefusedError where it would."""
    day = today(now, zone)
    ahead = order.on > day
    units = tuple(_unit(session, code) for code in dict.fromkeys(order.units))
    if not units:
        raise RefusedError("refused.nothing_to_merge")
    is_split = order.way is Succession.SPLIT
    heir = order.heir or (order.fresh[0].code if order.fresh else None)
    known = known_branch(session, order.units, [*(each.code for each in order.fresh), *([heir] if heir else [])])
    for each in order.fresh:
        if each.code in known and not known[each.code].placements:
            del known[each.code]  # an order that was called off had named it: it never began
    ends = tuple(unit for unit in units if unit.code in order.ends)
    _check(order, heir, units, ends, known)
    history = history_of(known)
    if nowhere := next((unit for unit in units if not history[unit.code]), None):
        raise RefusedError("refused.unit_not_there", unit=nowhere.code, on=order.on)
    first = known[units[0].code]
    for fresh in order.fresh:
        _check_fresh(fresh, known)
        there = _stretch(history, units[0].code, order.on)
        history[fresh.code] = [Stretch(there.parent, fresh.kind or there.kind, order.on)]
    heirs = tuple(dict.fromkeys(code for code in (heir, *(each.code for each in order.fresh)) if code))
    for code in heirs:
        _stretch(history, code, order.on)
        _stretch(history, code, max(order.on, day))  # of an order for a day past: they are still there to do the work
    allowed = {*heirs, "", *(unit.code for unit in units if unit not in ends)}
    if wrong := next((code for code in (*order.tasks.values(), *order.below.values()) if code not in allowed), None):
        raise RefusedError("refused.not_an_heir", heirs=", ".join(heirs), got=wrong)
    below = _reattach(history, known, order, ends, heir)
    for unit in ends:
        history[unit.code] = _ended(history[unit.code], known[unit.code], unit.code, order.on)
    growth = Growth(history, refuse_growth)
    changed = [*(unit.code for unit in ends), *(each.code for each in order.fresh), *(code for code, _ in below)]
    wanted = {code: list(growth.places(code)) for code in growth.below(changed)}
    keeper = units[0].code if is_split and order.stays else None
    found = fates(session, ends or units, heir, order.tasks, keeper)
    ids, ending = [unit.id for unit in ends], {unit.code for unit in ends}
    coming = awaited(session, ids, day)
    if heir is None and coming:
        before, line = coming[0]
        raise RefusedError("refused.heir_awaited", unit=units[0].code, before=before.code, on=line.on)
    by_id = {unit.id: unit for unit in _units(session, [known[code].id for code, _ in below])}
    parent = first.placements[-1].parent_id if first.placements else None
    above = next((code for code, unit in known.items() if unit.id == parent), None)
    contacts = to_take(session, ids, known[heir].id if heir in known else None) if order.with_contacts and heir else ()
    return Effect(
        order=order,
        units=units,
        ends=ends,
        heirs=heirs,
        fates=found,
        owed=owed_by(session, heirs, {fate.cycle.id for fate in found}),
        below=tuple((by_id[known[code].id], to) for code, to in below),
        along=len([code for code in wanted if code in known and code not in ending]),
        received=received(session, ids) if ids else 0,
        receiver=heir or above,
        awaited=tuple((before, line.on) for before, line in coming),
        contacts=contacts,
        silent=_silent(session, heirs, contacts),
        is_ahead=ahead,
        known=known,
        wanted=wanted,
    )


def apply(
    session: Session,
    order: Order,
    *,
    reason: str,
    by: str,
    now: datetime,
    zone: str,
    expected_hash: str | None = None,
) -> Entry:
    """Does it, all or nothing. Raises RefusedError when the effect is no longer the one that was shown.

    What was handed in stays for review. Of what is still owed the heirs' contacts are told; the old links end.
    """
    reason = reason.strip()
    if not reason:
        raise RefusedError("refused.no_reason")
    take_turns(session)
    mine = select(Unit.id).where(col(Unit.code).in_(order.units))
    open_tasks = (col(Task.unit_id).in_(mine), col(Task.state).in_([state.value for state in UNFINISHED]))
    session.exec(select(Task).where(*open_tasks).order_by(col(Task.id)).with_for_update()).all()
    effect = preview(session, order, now=now, zone=zone)
    if expected_hash is not None and effect.hash != expected_hash:
        raise RefusedError("refused.effect_changed")
    ids, contacts = _write(session, effect)
    heirs = {code: session.get_one(Unit, ids[code]) for code in effect.heirs}
    day, settled = today(now, zone), []
    if not effect.is_ahead:
        settled = settle(session, effect.fates, heirs, day, now)
        pass_on(session, [unit.id for unit in effect.ends], ids.get(effect.receiver or ""), day, now)
        follow(session, [ids[code] for code in _moved(effect)], day)
    entry = append(
        session,
        ACTS[order.way],
        by=by,
        at=now,
        unit=effect.units[0].code,
        units=[unit.code for unit in effect.units],
        ends=[unit.code for unit in effect.ends],
        on=order.on.isoformat(),
        heir=effect.heirs[0] if effect.heirs else None,
        fresh=[each.code for each in order.fresh],
        below={unit.code: to for unit, to in effect.below},
        until=_until(effect),
        tasks={f"{fate.task.id}": fate.heir or "" for fate in effect.fates if fate.task.id in order.tasks},
        contacts=contacts,
        with_contacts=order.with_contacts,
        note=reason,
        inherited=[fate.task.id for fate in settled if fate.outcome is Outcome.GOES],
        cancelled=[fate.task.id for fate in settled if fate.outcome is not Outcome.GOES],
    )
    tell(session, settled, entry, now)
    return entry


def _write(session: Session, effect: Effect) -> tuple[dict[str, int], list[int]]:
    """The new units, the places, the lineage and the contacts; says code -> id, and the ids of the contacts."""
    order = effect.order
    session.flush()
    connection = session.connection()
    names = {each.code: " ".join(each.name.split()) for each in order.fresh}
    for unit in session.exec(select(Unit).where(col(Unit.code).in_(names))).all():
        unit.name = names.pop(unit.code)  # an order that was called off had named it
        session.add(unit)
    session.flush()
    add_rows(connection, Unit, [{"code": code, "name": name} for code, name in names.items()])
    fresh = select(Unit.code, Unit.id).where(col(Unit.code).in_([each.code for each in order.fresh]))
    ids = {code: unit.id for code, unit in effect.known.items()} | dict(session.exec(fresh).all())
    write_places(connection, effect.known, effect.wanted, ids)
    for row in list(session):
        if isinstance(row, Placement):
            session.expire(row)  # it does not know of what was just written
    for unit in effect.ends or effect.units:
        session.add_all(
            Lineage(from_unit_id=unit.id, to_unit_id=ids[code], way=order.way.value, on=order.on)
            for code in (effect.heirs if order.way is Succession.SPLIT else effect.heirs[:1])
        )
        session.flush()
    taken = take(session, effect.contacts, ids[effect.heirs[0]]) if effect.contacts and not effect.is_ahead else []
    return ids, [contact.id for contact in taken]


def _until(effect: Effect) -> dict[str, str]:
    """The days on which the units that end would have ended anyway; whoever calls the order off needs them."""
    last = {unit.code: effect.known[unit.code].placements[-1].valid_to for unit in effect.ends}
    return {code: day.isoformat() for code, day in last.items() if day is not None}


def _moved(effect: Effect) -> list[str]:
    """The units below whose places changed."""
    ends = {unit.code for unit in effect.ends}
    return [code for code in effect.wanted if code in effect.known and code not in ends]


def _check(
    order: Order,
    heir: str | None,
    units: Sequence[Unit],
    ends: Sequence[Unit],
    known: Mapping[str, Known],
) -> None:
    fresh = {each.code for each in order.fresh}
    if heir is not None and heir not in known and heir not in fresh:
        raise RefusedError("refused.no_unit", unit=heir)
    if order.way is Succession.CLOSE and heir == units[0].code:
        raise RefusedError("refused.unit_not_there", unit=heir, on=order.on)
    if order.way is Succession.MERGE and (heir is None or not ends or len({*(unit.code for unit in units), heir}) < 2):
        raise RefusedError("refused.nothing_to_merge")
    if order.way is Succession.SPLIT and (len(order.fresh) + order.stays < 2 or not order.fresh):
        raise RefusedError("refused.nothing_to_split")
    if order.way is Succession.SPLIT and len({each.code for each in order.fresh}) < len(order.fresh):
        raise RefusedError("refused.unit_known", unit=order.fresh[0].code)


def _check_fresh(fresh: Fresh, known: Mapping[str, Known]) -> None:
    if not CODE.fullmatch(fresh.code):
        raise RefusedError("refused.bad_code", got=fresh.code[:40])
    if fresh.code in known:
        raise RefusedError("refused.unit_known", unit=fresh.code)
    check_name(fresh.name)
    if fresh.kind and not CODE.fullmatch(fresh.kind):
        raise RefusedError("refused.bad_code", got=fresh.kind[:40])


def check_name(name: str) -> str:
    """The name of a unit as it is kept. Raises RefusedError."""
    name = " ".join(name.split())
    if not name:
        raise RefusedError("refused.no_unit_name")
    if len(name) > MAX_TEXT:
        raise RefusedError("refused.too_many_words", limit=MAX_TEXT, got=len(name))
    return name


def _reattach(
    history: dict[str, list[Stretch]],
    known: Mapping[str, Known],
    order: Order,
    ends: Sequence[Unit],
    heir: str | None,
) -> list[tuple[str, str | None]]:
    """Puts the units right below under another, from the day on; says which, and under whom."""
    ending = {unit.code for unit in ends}
    parents = {unit.code: history[unit.code][-1].parent for unit in ends}
    found: list[tuple[str, str | None]] = []
    for code, stretches in list(history.items()):
        above = stretches[-1].parent if stretches else None
        if code not in known or code in ending:
            continue
        is_below = above in ending and stretches[-1].end > order.on
        is_chosen = code in order.below and above in {*order.units}
        if not is_below and not (is_chosen and order.below[code] != above):
            continue
        to = order.below.get(code) or heir
        if to == code:
            to = parents[str(above)]
            while to in ending:
                to = parents[str(to)]
        elif to is None:
            raise RefusedError("refused.units_below", unit=above, below=code)
        history[code] = moved(stretches, known[code], code, order.on, to, stretches[-1].kind)
        found.append((code, to))
    return found


def moved(
    stretches: Sequence[Stretch], unit: Known, code: str, on: date, parent: str | None, kind: str
) -> list[Stretch]:
    """The history of a unit that stands under another, or is of another kind, from a day on."""
    last = stretches[-1]
    after = _ended(stretches, unit, code, on)
    join(after, Stretch(parent, kind, on, last.end))
    return after


def _ended(stretches: Sequence[Stretch], unit: Known, code: str, on: date) -> list[Stretch]:
    if not stretches or stretches[-1].end <= on:
        raise RefusedError("refused.unit_not_there", unit=code, on=on)
    since = unit.placements[-1].valid_from  # what happened above it counts too: nothing is slipped in before that
    if on <= since:
        raise RefusedError("refused.too_early", unit=code, since=since, on=on)
    return [*stretches[:-1], replace(stretches[-1], end=on)]


def _stretch(history: Mapping[str, Sequence[Stretch]], code: str, on: date) -> Stretch:
    found = next((each for each in history[code] if each.start <= on < each.end), None)
    if found is None:
        raise RefusedError("refused.unit_not_there", unit=code, on=on)
    return found


def refuse_growth(code: str, fault: str, params: Mapping[str, str | int]) -> None:
    """A tree that cannot be: a circle, a unit without the one above it, too many levels."""
    raise RefusedError(f"refused.tree-{fault}", unit=code, **params)


def to_take(session: Session, unit_ids: Sequence[int], heir_id: int | None) -> tuple[Contact, ...]:
    """The active contacts of the units whose address the heir does not have in that role; delegates stay behind."""
    query = select(Contact).where(col(Contact.is_active), col(Contact.stands_for).is_(None)).order_by(col(Contact.id))
    own = session.exec(query.where(col(Contact.unit_id) == heir_id)) if heir_id is not None else ()
    has = {(contact.role, contact.email) for contact in own}
    taken = []
    for contact in session.exec(query.where(col(Contact.unit_id).in_(unit_ids))):
        if (contact.role, contact.email) not in has:
            has.add((contact.role, contact.email))
            taken.append(contact)
    return tuple(taken)


def _silent(session: Session, heirs: Sequence[str], coming: Sequence[Contact]) -> tuple[str, ...]:
    """The heirs at which nobody can be told; who is `coming` comes to the first."""
    told = (col(Contact.role) == Role.CONTACT.value, is_reachable())
    query = select(Unit.code).join(Contact, col(Contact.unit_id) == col(Unit.id))
    heard = set(session.exec(query.where(col(Unit.code).in_(heirs), *told)))
    ids = [each.id for each in coming]
    if ids and session.exec(select(Contact.id).where(col(Contact.id).in_(ids), *told)).first():
        heard.add(heirs[0])
    return tuple(code for code in heirs if code not in heard)


def take(session: Session, contacts: Sequence[Contact], heir_id: int, **others: Any) -> list[Contact]:
    """They become contacts of the heir too, as they are but for `others`."""
    without = {"id", "unit_id", "stands_for", *others}
    taken = [Contact(unit_id=heir_id, **others, **each.model_dump(exclude=without)) for each in contacts]
    session.add_all(taken)
    session.flush()
    return taken


def _units(session: Session, ids: Sequence[int]) -> Iterator[Unit]:
    for some in parts(ids):
        yield from session.exec(select(Unit).where(col(Unit.id).in_(some)))


def _unit(session: Session, code: str) -> Unit:
    unit = unit_by_code(session, code)
    if unit is None:
        raise RefusedError("refused.no_unit", unit=code)
    return unit

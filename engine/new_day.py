"""What changes by itself with a new day? Contacts begin and leave, units take the names that were ordered for it, and
the work of units that ended changes hands.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, bindparam, case, exists, false, or_
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from dondoc.clock import moment, today
from engine.coming import MOVE, RENAME, due, ends
from engine.contacts import keep_days
from engine.hand_over import Fate, Outcome, fates, follow, go_along, goes_on, pass_on, received, settle, tell
from engine.relocate import keep_order
from engine.reorganise import take, to_take
from models.contact import Contact
from models.entry import OF_NO_TASK, Entry, append
from models.last_round import LastRound, last_round
from models.lineage import Lineage
from models.task import OWING, UNFINISHED, Task
from models.unit import BEYOND, Placement, Unit, placement_on, subtree, unit_by_code, valid

_OWING: Final = [state.value for state in OWING]
_IS_OPEN: Final = col(Task.state).in_([state.value for state in UNFINISHED])
_RECEIVERS: Final = select(Task.receiver_id).where(_IS_OPEN)
_COMES: Final = and_(
    ~col(Contact.is_active),
    col(Contact.valid_from) <= bindparam("on"),
    or_(col(Contact.valid_to).is_(None), col(Contact.valid_to) > bindparam("on")),
)
_LEAVES: Final = and_(col(Contact.is_active), col(Contact.valid_to) <= bindparam("on"))
_later, _below, _after, _now = aliased(Placement), aliased(Placement), aliased(Placement), aliased(Placement)
#: Something open lies below it that its end moved to another place, of a unit that is still there to follow.
_MOVED_BELOW: Final = exists().where(
    col(_below.path) > col(Placement.path),
    col(_below.path) < col(Placement.path) + BEYOND,
    col(_below.valid_to) == col(Placement.valid_to),
    exists().where(col(_after.unit_id) == col(_below.unit_id), col(_after.valid_from) == col(_below.valid_to)),
    exists().where(col(_now.unit_id) == col(_below.unit_id), valid(bindparam("on"), _now)),  # type: ignore[arg-type]
    exists().where(col(Task.placement_id) == col(_below.id), col(Task.unit_id) == col(_below.unit_id), _IS_OPEN),
)
#: The places that ended since then.
_LEFT: Final = and_(col(Placement.valid_to) <= bindparam("on"), col(Placement.valid_to) > bindparam("since"))
#: The units that are no more, not those that only moved, with work that is to change hands. However long ago: a sheet
#: that ends them today comes after the first round of the day, and so may an order that waited for its turn.
_ENDED: Final = and_(
    col(Placement.valid_to) <= bindparam("on"),
    ~exists().where(col(_later.unit_id) == col(Placement.unit_id), col(_later.valid_from) >= col(Placement.valid_to)),
    or_(
        exists().where(
            col(Task.unit_id) == col(Placement.unit_id),
            col(Task.state).in_(_OWING),
            # What was handed in when the unit ended may be sent back since: that is between those two, not to be ended.
            or_(col(Task.versions) == 0, col(Placement.valid_to) > bindparam("since")),
        ),
        col(Placement.unit_id).in_(_RECEIVERS),
        _MOVED_BELOW,
    ),
)
#: Units that moved with open work, or that others split off from: the order may say where work goes.
_ORDERED: Final = or_(
    exists().where(_LEFT, exists().where(col(Task.unit_id) == col(Placement.unit_id), _IS_OPEN)),
    exists().where(col(Lineage.on) <= bindparam("on"), col(Lineage.on) > bindparam("since")),
)
#: Units that are to take another name, moving or not.
_NAMED: Final = exists().where(
    OF_NO_TASK,
    col(Entry.act).in_((MOVE, RENAME)),
    col(Entry.data)["name"].as_string().is_not(None),
    col(Entry.data)["on"].as_string() <= bindparam("on_text"),
    col(Entry.data)["on"].as_string() > bindparam("since_text"),
)
#: Whether the first round of a day has anything to do here. CASE, unlike AND, keeps SQLite from looking any further in
#: the rounds after it.
IS_NEW_DAY: Final[ColumnElement[bool]] = case(
    (exists().where(col(LastRound.at) >= bindparam("midnight")), false()),
    else_=or_(exists().where(or_(_COMES, _LEAVES)), exists().where(_ENDED), _ORDERED, _NAMED),
)


def asked(session: Session, now: datetime, zone: str) -> dict[str, Any]:
    """What IS_NEW_DAY has to be told."""
    on, last = today(now, zone), last_round(session)
    since = min(today(last.at, zone), on) if last is not None else date.min
    texts = {"on_text": on.isoformat(), "since_text": since.isoformat()}
    return {"on": on, "since": since, "midnight": moment(on, "00:00", zone), **texts}


def begin(session: Session, now: datetime, zone: str) -> int:
    """Brings contacts and open work up to the day; says how much changed. A second call changes nothing."""
    told = asked(session, now, zone)
    if not session.scalar(select(IS_NEW_DAY), told):
        return 0
    contacts = session.exec(select(Contact).where(or_(_COMES, _LEAVES)).order_by(col(Contact.id)), params=told).all()
    for contact in contacts:
        keep_days(session, contact, now, zone)
    on = told["on"]
    orders = due(session, told["since"], on)
    given = sum(_carry_out(session, order, on, now, zone) for order in orders)
    ended = session.exec(select(Placement).where(_ENDED).order_by(col(Placement.id)), params=told).all()
    days = [placement.valid_to for placement in ended if placement.valid_to is not None]
    late = due(session, min(days) - timedelta(days=1), on) if days else ()
    by_end = {(code, order.data["on"]): order for order in late for code in ends(order)}
    for placement in ended:
        _hand_over(session, placement, by_end, on, now)
    return len(contacts) + given + len(ended)


def _carry_out(session: Session, order: Entry, on: date, now: datetime, zone: str) -> bool:
    """What an order gave a unit, a name or contacts, or gave away of its work while it goes on: moved along, or to its
    parts.
    """
    unit = unit_by_code(session, order.data["unit"])
    day = date.fromisoformat(order.data["on"])
    if unit is None or today(order.at, zone) >= day:
        return False
    if ends(order):
        return bool(order.data.get("with_contacts")) and _bring_contacts(session, order, day, on, now, zone)
    is_named = keep_order(session, order, unit, now=now, zone=zone)
    if order.act == RENAME or placement_on(session, unit.id, on) is None:
        return is_named
    if order.act == MOVE:
        if not order.data.get("follows"):  # older entries do not say
            return is_named
        before = unit_by_code(session, order.data["before"]) if order.data["before"] else None
        count = go_along(session, unit.id, before.id if before else None, on, now)
        if count:
            append(
                session,
                "work_moved_along",
                by="system",
                at=now,
                unit=unit.code,
                on=day.isoformat(),
                order=order.id,
                tasks=count,
            )
        return is_named or count > 0
    chosen = _chosen(session, order, on)
    settled = _settle(session, unit, None, chosen, on, now, keeper=unit.code)
    if settled:
        _record(session, unit, day, order, settled, now, heir=None, received=0, receiver=None)
    return bool(settled)


def _bring_contacts(session: Session, order: Entry, day: date, on: date, now: datetime, zone: str) -> bool:
    """Who is a contact of the units that the order ended becomes one of whoever goes on with their work.

    A unit that another order ended before the day is none of them.
    """
    named = unit_by_code(session, order.data["heir"])
    heir = goes_on(session, named, on) if named else None
    ended = select(Unit.id).join(Placement, col(Placement.unit_id) == col(Unit.id)).order_by(col(Unit.id))
    ids = session.exec(ended.where(col(Unit.code).in_(ends(order)), col(Placement.valid_to) == day)).all()
    if heir is None:
        return False
    taken = take(session, to_take(session, ids, heir.id), heir.id, valid_from=day, is_active=False)
    for contact in taken:
        keep_days(session, contact, now, zone)
    return bool(taken)


def _hand_over(
    session: Session, ended: Placement, by_end: Mapping[tuple[str, str], Entry], on: date, now: datetime
) -> None:
    """What a unit still owes on the day it is no more goes where its end was ordered to give it, or ends.

    `by_end` has the orders by the unit that they end and the day; units that a sheet ends are not in it.
    """
    assert ended.valid_to is not None
    unit = session.get_one(Unit, ended.unit_id)
    heir = goes_on(session, unit, on)
    above = session.get(Unit, ended.parent_id) if ended.parent_id else None
    receiver = heir or (goes_on(session, above, on) if above else None)
    order = by_end.get((unit.code, ended.valid_to.isoformat()))
    settled = _settle(session, unit, heir, _chosen(session, order, on), on, now)
    passed = received(session, [unit.id])
    pass_on(session, [unit.id], receiver.id if receiver else None, on, now)
    below = select(Placement.unit_id).where(subtree(ended.path), col(Placement.valid_to) == ended.valid_to)
    follow(session, [unit_id for unit_id in session.exec(below) if unit_id != unit.id], on)
    code = receiver.code if receiver else None
    _record(
        session,
        unit,
        ended.valid_to,
        order,
        settled,
        now,
        heir=heir.code if heir else None,
        received=passed,
        receiver=code,
    )


def _settle(
    session: Session,
    unit: Unit,
    heir: Unit | None,
    chosen: Mapping[int, Unit | None],
    on: date,
    now: datetime,
    keeper: str | None = None,
) -> list[Fate]:
    codes = {task: each.code if each else "" for task, each in chosen.items()}
    found = fates(session, [unit], heir.code if heir else None, codes, keeper)
    return settle(session, found, {each.code: each for each in (heir, *chosen.values()) if each}, on, now)


def _record(
    session: Session,
    unit: Unit,
    day: date,
    order: Entry | None,
    settled: Sequence[Fate],
    now: datetime,
    *,
    heir: str | None,
    received: int,
    receiver: str | None,
) -> None:
    entry = append(
        session,
        "work_handed_over",
        by="system",
        at=now,
        unit=unit.code,
        on=day.isoformat(),
        order=order.id if order else None,
        inherited=[fate.task.id for fate in settled if fate.outcome is Outcome.GOES],
        cancelled=[fate.task.id for fate in settled if fate.outcome is not Outcome.GOES],
        heir=heir,
        received=received,
        receiver=receiver,
    )
    tell(session, settled, entry, now)


def _chosen(session: Session, order: Entry | None, on: date) -> dict[int, Unit | None]:
    """Who goes on with the tasks that the order gave apart (None: nobody), where who it named has not ended too."""
    found: dict[int, Unit | None] = {}
    for task, code in (order.data.get("tasks", {}) if order else {}).items():
        named = unit_by_code(session, code) if code else None
        heir = goes_on(session, named, on) if named else None
        if heir or not code:
            found[int(task)] = heir
    return found

"""What becomes of the open work of a unit that is no more? It goes to an heir, or ends; what was handed in stays."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, case, exists, func, or_, update
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from engine.close import finish
from engine.errors import RefusedError
from engine.tell import tell_contacts
from engine.tree import parts
from models.contact import Contact, Role, holding
from models.cycle import Cycle
from models.deadline import Deadline
from models.entry import Entry
from models.lineage import Lineage
from models.link import Link
from models.notice import Notice, NoticeKind
from models.task import OWING, UNFINISHED, Act, Task, TaskState
from models.unit import Placement, Unit, placement_on, subtree, valid
from schedules.plan import Rung

_UNFINISHED = [state.value for state in UNFINISHED]


class Outcome(StrEnum):
    GOES = "goes"  #: the heir owes it from then on
    CANCELLED = "cancelled"  #: nobody owes it
    OWED_ALREADY = "owed_already"  #: the heir has a task in that cycle: this one is cancelled
    WAITS = "waits"  #: handed in: it stays for review
    STAYS = "stays"  #: with the unit, which goes on


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of one open task; `heir` is the code of the unit that was chosen for it.

    `goes_on`: its unit is still there afterwards, whoever owes the task then.
    """

    task: Task
    cycle: Cycle
    deadline: Deadline
    unit: Unit
    outcome: Outcome
    heir: str | None
    goes_on: bool


def fates(
    session: Session, units: Sequence[Unit], heir: str | None, chosen: Mapping[int, str], keeper: str | None = None
) -> tuple[Fate, ...]:
    """What becomes of each open task of these units; nothing is written.

    `heir` goes on with all that `chosen` (by task: a code, or nothing for nobody) does not give to somebody else. A
    task that nothing is chosen for stays when its unit goes on itself (`keeper`: its code).
    """
    ids = [unit.id for unit in units]
    by_id = {unit.id: unit for unit in units}
    rows = session.execute(
        select(Task, Cycle, Deadline)
        .join(Cycle, col(Cycle.id) == col(Task.cycle_id))
        .join(Deadline, col(Deadline.id) == col(Task.deadline_id))
        .where(col(Task.unit_id).in_(ids), col(Task.state).in_(_UNFINISHED))
        .order_by(col(Deadline.due_on), col(Task.id))
    ).all()
    wanted = {task.id: chosen.get(task.id, keeper or heir or "") for task, _, _ in rows}
    has = owed_by(session, set(wanted.values()), {task.cycle_id for task, _, _ in rows})
    found = []
    for task, cycle, deadline in rows:
        to = wanted[task.id]
        if task.state not in OWING:
            outcome = Outcome.WAITS
        elif to == by_id[task.unit_id].code:
            outcome = Outcome.STAYS
        elif not to:
            outcome = Outcome.CANCELLED
        elif (to, cycle.id) in has:
            outcome = Outcome.OWED_ALREADY
        else:
            has.add((to, cycle.id))
            outcome = Outcome.GOES
        unit = by_id[task.unit_id]
        found.append(Fate(task, cycle, deadline, unit, outcome, to or None, unit.code in (keeper, heir)))
    return tuple(found)


def settle(session: Session, found: Iterable[Fate], heirs: Mapping[str, Unit], on: date, now: datetime) -> list[Fate]:
    """Gives the tasks to their heirs or cancels them; says which changed. A unit that owes one no more opens none of
    it, but that which is there still and whose task nobody took.

    Raises RefusedError when an heir is not there on the day.
    """
    settled = [fate for fate in found if fate.outcome not in (Outcome.WAITS, Outcome.STAYS)]
    places = {code: _place(session, unit, on) for code, unit in heirs.items()}
    above = {fate.task.placement_id for fate in settled if fate.outcome is Outcome.GOES}
    superior = {each.id: each.parent_id for each in session.exec(select(Placement).where(col(Placement.id).in_(above)))}
    for fate in settled:
        task = fate.task
        if fate.outcome is Outcome.GOES:
            place = places[fate.heir or ""]
            if task.receiver_id in (superior[task.placement_id], place.unit_id):
                task.receiver_id = place.parent_id
            task.unit_id, task.placement_id = place.unit_id, place.id
        else:
            task.move(Act.CANCEL, now)
        session.add(task)
    session.flush()
    _revoke_links(session, [fate for fate in settled if fate.outcome is Outcome.GOES or not fate.goes_on], now)
    return settled


def tell(session: Session, settled: Iterable[Fate], entry: Entry, now: datetime) -> None:
    """The contacts of the heirs are told what they owe from now on, those of units that go on what they owe no more.

    Cycles with nothing left close.
    """
    cause = f"entry:{entry.id}"
    for fate in settled:
        if fate.outcome is Outcome.GOES:
            tell_contacts(session, fate.task, Rung.UNIT_CONTACT, NoticeKind.OPENED, cause, fate.deadline.due_on, now)
        if fate.goes_on:
            _tell_taken(session, fate, cause, now)
    for cycle in {fate.cycle.id: fate.cycle for fate in settled}.values():
        finish(session, cycle, now)


def _tell_taken(session: Session, fate: Fate, cause: str, now: datetime) -> None:
    """As when a plan asks for it no more (engine/move.py): whoever was told of the task, or is about to be."""
    told = exists().where(
        col(Notice.task_id) == fate.task.id, col(Notice.contact_id) == col(Contact.id), col(Notice.dropped).is_(None)
    )
    who = session.scalars(holding(Role.CONTACT).where(col(Contact.unit_id) == fate.unit.id, told)).all()
    session.add_all(
        Notice(
            task_id=fate.task.id,
            contact_id=contact.id,
            kind=NoticeKind.CANCELLED,
            rung=Rung.UNIT_CONTACT,
            cause=cause,
            due_on=fate.deadline.due_on,
            created_at=now,
        )
        for contact in who
    )
    session.flush()


def goes_on(session: Session, unit: Unit, on: date) -> Unit | None:
    """Who goes on with the work of a unit that is no more: its heir, or whoever followed an heir that is gone too."""
    found: Unit | None = unit
    gone = set[int]()
    while found is not None and found.id not in gone and placement_on(session, found.id, on) is None:
        gone.add(found.id)
        places = select(func.max(Placement.valid_to)).where(
            col(Placement.unit_id) == found.id, col(Placement.valid_to) <= on
        )
        heirs = select(Unit).join(Lineage, col(Lineage.to_unit_id) == col(Unit.id)).order_by(col(Lineage.id))
        ended = col(Lineage.on) == places.scalar_subquery()
        found = session.exec(heirs.where(col(Lineage.from_unit_id) == found.id, ended)).first()
    return found if found is not None and found.id not in gone else None


def awaited(session: Session, unit_ids: Sequence[int], day: date) -> list[tuple[Unit, Lineage]]:
    """Whose work these units are to go on with from a day after this one; of a split the first part does."""
    first = aliased(Lineage)
    earlier = exists().where(
        col(first.from_unit_id) == col(Lineage.from_unit_id),
        col(first.on) == col(Lineage.on),
        col(first.id) < col(Lineage.id),
    )
    ends = exists().where(
        col(Placement.unit_id) == col(Lineage.from_unit_id), col(Placement.valid_to) == col(Lineage.on)
    )
    query = select(Unit, Lineage).join(Lineage, col(Lineage.from_unit_id) == col(Unit.id))
    query = query.where(col(Lineage.to_unit_id).in_(unit_ids), col(Lineage.on) > day, ends, ~earlier)
    return list(session.exec(query.order_by(col(Lineage.on), col(Lineage.id))))


def received(session: Session, unit_ids: Sequence[int]) -> int:
    """How many open tasks these units receive: of others, and what was handed in among themselves."""
    return session.scalar(select(func.count()).select_from(Task).where(*_received(unit_ids))) or 0


def pass_on(session: Session, unit_ids: Sequence[int], to: int | None, on: date, now: datetime) -> None:
    """What these units would have received is received by another unit; None: by nobody but the office.

    What that unit owes itself is received by whoever is above it on the day: nobody reviews their own report.
    """
    place = placement_on(session, to, on) if to is not None else None
    above = place.parent_id if place is not None else None
    session.execute(
        update(Task)
        .where(*_received(unit_ids))
        .values(receiver_id=case((col(Task.unit_id) == to, above), else_=to), changed_at=now)
        .execution_options(synchronize_session="fetch")
    )


def follow(session: Session, unit_ids: Sequence[int], on: date) -> int:
    """The open tasks of units that were moved stand from now on where their units stand; says how many did not yet."""
    count = 0
    for some in parts(unit_ids):
        there = (
            select(Placement.id)
            .where(col(Placement.unit_id) == col(Task.unit_id), valid(on, Placement))
            .correlate(Task)
            .scalar_subquery()
        )
        moved: Any = session.execute(
            update(Task)
            .where(col(Task.unit_id).in_(some), col(Task.state).in_(_UNFINISHED), there != col(Task.placement_id))
            .values(placement_id=there)
            .execution_options(synchronize_session="fetch")
        )
        count += moved.rowcount
    return count


def go_along(session: Session, unit_id: int, before: int | None, on: date, now: datetime) -> int:
    """The open work of a unit that was moved, and of all below it, goes along; says how many tasks that concerns.

    What the superior `before` would have received is received by the superior of the day.
    """
    place = placement_on(session, unit_id, on)
    if place is None:
        return 0
    moved: Any = session.execute(
        update(Task)
        .where(col(Task.unit_id) == unit_id, col(Task.state).in_(_UNFINISHED))
        .where(
            col(Task.receiver_id).is_not_distinct_from(before), col(Task.receiver_id).is_distinct_from(place.parent_id)
        )
        .values(receiver_id=place.parent_id, changed_at=now)
        .execution_options(synchronize_session="fetch")
    )
    ids = session.exec(select(Placement.unit_id).where(subtree(place.path), valid(on, Placement))).all()
    passed: int = moved.rowcount
    return max(follow(session, ids, on), passed)


def _place(session: Session, unit: Unit, on: date) -> Placement:
    place = placement_on(session, unit.id, on)
    if place is None:
        raise RefusedError("refused.unit_not_there", unit=unit.code, on=on)
    return place


def _received(unit_ids: Sequence[int]) -> tuple[ColumnElement[bool], ...]:
    return (
        col(Task.receiver_id).in_(unit_ids),
        or_(col(Task.unit_id).not_in(unit_ids), col(Task.state) == TaskState.SUBMITTED.value),
        col(Task.state).in_(_UNFINISHED),
    )


def owed_by(session: Session, codes: Collection[str], cycle_ids: Collection[int]) -> set[tuple[str, int]]:
    """Which of these units have a task in which of these cycles."""
    query = (
        select(Unit.code, Task.cycle_id)
        .join(Task, col(Task.unit_id) == col(Unit.id))
        .where(col(Unit.code).in_(codes), col(Task.cycle_id).in_(cycle_ids))
    )
    return {(code, cycle_id) for code, cycle_id in session.exec(query)}


def _revoke_links(session: Session, settled: Sequence[Fate], now: datetime) -> None:
    """The contacts of a unit that owes a task no more open none of it."""
    for unit_id in {fate.unit.id for fate in settled}:
        ids = [fate.task.id for fate in settled if fate.unit.id == unit_id]
        session.execute(
            update(Link)
            .where(
                col(Link.task_id).in_(ids),
                col(Link.contact_id).in_(select(Contact.id).where(col(Contact.unit_id) == unit_id)),
                col(Link.revoked_at).is_(None),
            )
            .values(revoked_at=now)
            .execution_options(synchronize_session=False)
        )

"""A unit closes: its place ends on a day, and its open tasks go to the heir or end with a note."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import update
from sqlmodel import Session, col, select

from engine.close import finish
from engine.errors import RefusedError
from engine.tell import tell_contacts
from models.contact import Contact
from models.cycle import Cycle
from models.deadline import Deadline
from models.entry import append
from models.link import Link
from models.notice import NoticeKind
from models.task import OWING, UNFINISHED, Act, Task
from models.unit import Placement, Unit, placement_on, unit_by_code, valid
from schedules.plan import Rung


@dataclass(frozen=True, slots=True)
class Closing:
    """What becomes of a unit's open tasks when it closes."""

    unit: Unit
    placement: Placement
    heir: Unit | None
    heir_placement: Placement | None
    inherited: tuple[Task, ...]  #: still owed, from then on by the heir
    cancelled: tuple[Task, ...]  #: nobody owes them: no heir, or the heir owes the same already
    waiting: tuple[Task, ...]  #: handed in: they stay for review


def closing(session: Session, unit_code: str, *, on: date, heir_code: str | None) -> Closing:
    """What `close_unit` would do; nothing is written. Raises RefusedError where it would."""
    unit = _unit(session, unit_code)
    placement = placement_on(session, unit.id, on)
    if placement is None:
        raise RefusedError("refused.unit_not_there", unit=unit_code, on=on)
    below = session.scalars(
        select(Placement).where(col(Placement.parent_id) == unit.id, valid(on, Placement)).limit(1)
    ).first()
    if below is not None:
        raise RefusedError("refused.units_below", unit=unit_code, below=session.get_one(Unit, below.unit_id).code)
    heir = _unit(session, heir_code) if heir_code is not None else None
    heir_placement = placement_on(session, heir.id, on) if heir is not None else None
    if heir is not None and (heir_placement is None or heir.id == unit.id):
        raise RefusedError("refused.unit_not_there", unit=heir_code, on=on)
    unfinished = session.exec(
        select(Task)
        .where(col(Task.unit_id) == unit.id, col(Task.state).in_([state.value for state in UNFINISHED]))
        .order_by(col(Task.id))
    ).all()
    owed = [task for task in unfinished if task.state in OWING]
    theirs = set[int]()
    if heir is not None:
        cycles = select(Task.cycle_id).where(
            col(Task.unit_id) == heir.id, col(Task.cycle_id).in_([task.cycle_id for task in owed])
        )
        theirs = set(session.exec(cycles))
    return Closing(
        unit,
        placement,
        heir,
        heir_placement,
        inherited=tuple(task for task in owed if heir is not None and task.cycle_id not in theirs),
        cancelled=tuple(task for task in owed if heir is None or task.cycle_id in theirs),
        waiting=tuple(task for task in unfinished if task.state not in OWING),
    )


def close_unit(
    session: Session, unit_code: str, *, on: date, heir_code: str | None, note: str, by: str, now: datetime
) -> int:
    """Ends the unit from `on` (the first day without it); says how many open tasks that settled.

    What was handed in stays for review. What is still owed goes to the heir, unless the heir owes the same already;
    then, and without an heir, it is cancelled with the note. The heir's contacts are told, the old links end.
    """
    if not note.strip():
        raise RefusedError("refused.no_reason")
    owed = (col(Task.unit_id) == _unit(session, unit_code).id, col(Task.state).in_([state.value for state in OWING]))
    session.exec(select(Task).where(*owed).order_by(col(Task.id)).with_for_update()).all()
    found = closing(session, unit_code, on=on, heir_code=heir_code)
    found.placement.valid_to = on
    session.add(found.placement)
    for task in found.inherited:
        assert found.heir_placement is not None
        if task.receiver_id == found.placement.parent_id:
            task.receiver_id = found.heir_placement.parent_id
        task.unit_id, task.placement_id = found.heir_placement.unit_id, found.heir_placement.id
        session.add(task)
    for task in found.cancelled:
        task.move(Act.CANCEL, now)
        session.add(task)
    settled = (*found.inherited, *found.cancelled)
    session.flush()
    _revoke_links(session, found.unit, settled, now)
    entry = append(
        session,
        "unit_closed",
        by=by,
        at=now,
        unit=unit_code,
        on=on.isoformat(),
        heir=heir_code,
        note=note.strip(),
        inherited=[task.id for task in found.inherited],
        cancelled=[task.id for task in found.cancelled],
    )
    for task in found.inherited:
        due_on = session.get_one(Deadline, task.deadline_id).due_on
        tell_contacts(session, task, Rung.UNIT_CONTACT, NoticeKind.OPENED, f"entry:{entry.id}", due_on, now)
    for cycle_id in {task.cycle_id for task in settled}:
        finish(session, session.get_one(Cycle, cycle_id), now)
    return len(settled)


def _revoke_links(session: Session, unit: Unit, tasks: Sequence[Task], now: datetime) -> None:
    """The contacts of a unit that is no more open none of the tasks that were settled."""
    session.execute(
        update(Link)
        .where(
            col(Link.task_id).in_([task.id for task in tasks]),
            col(Link.contact_id).in_(select(Contact.id).where(col(Contact.unit_id) == unit.id)),
            col(Link.revoked_at).is_(None),
        )
        .values(revoked_at=now)
    )


def _unit(session: Session, code: str) -> Unit:
    unit = unit_by_code(session, code)
    if unit is None:
        raise RefusedError("refused.no_unit", unit=code)
    return unit

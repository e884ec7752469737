"""Who is told of one act on one task? A notice for each reachable contact of a rung, once for its cause."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlmodel import Session, col, select

from engine.tree import parts
from models.contact import Contact, Role, holding, is_reachable
from models.cycle import Cycle, CycleState
from models.deadline import Deadline
from models.notice import Notice, NoticeKind
from models.task import OWING, Task
from schedules.plan import Rung


def tell_contacts(
    session: Session, task: Task, rung: Rung, kind: NoticeKind, cause: str, due_on: date, now: datetime
) -> int:
    """Notices for the unit's contacts of the rung's role; says how many. The cause is the act's Entry, so it is new."""
    role = Role(rung.value.partition(".")[2])
    reachable = session.scalars(holding(role).where(col(Contact.unit_id) == task.unit_id)).all()
    session.add_all(
        Notice(
            task_id=task.id,
            contact_id=contact.id,
            kind=kind,
            rung=rung,
            cause=cause,
            due_on=due_on,
            created_at=now,
        )
        for contact in reachable
    )
    session.flush()
    return len(reachable)


def tell_what_is_owed(session: Session, contact_ids: Sequence[int], cause: str, now: datetime) -> None:
    """Who of these reports for a unit and can be told is told of all that was opened to it and is still owed, as if it
    opened now.
    """
    session.flush()
    can_be_told = holding(Role.CONTACT).whereclause
    assert can_be_told is not None
    owed = (
        select(col(Task.id), col(Contact.id), col(Deadline.due_on))
        .join(Contact, col(Contact.unit_id) == col(Task.unit_id))
        .join(Deadline, col(Deadline.id) == col(Task.deadline_id))
        .join(Cycle, col(Cycle.id) == col(Task.cycle_id))
        .where(col(Cycle.state) == CycleState.OPEN.value, can_be_told)
        .where(col(Task.state).in_([state.value for state in OWING]))
        .order_by(col(Task.id), col(Contact.id))
    )
    for some in parts(contact_ids):
        session.add_all(
            Notice(
                task_id=task_id,
                contact_id=contact_id,
                kind=NoticeKind.OPENED,
                rung=Rung.UNIT_CONTACT,
                cause=cause,
                due_on=due_on,
                created_at=now,
            )
            for task_id, contact_id, due_on in session.exec(owed.where(col(Contact.id).in_(some))).all()
        )
    session.flush()


def reachable_of(session: Session, contact_ids: Sequence[int]) -> set[int]:
    """Who of these can be told at all."""
    session.flush()
    query = select(col(Contact.id)).where(is_reachable())
    return {id_ for some in parts(contact_ids) for id_ in session.exec(query.where(col(Contact.id).in_(some)))}

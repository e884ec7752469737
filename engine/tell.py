"""Who is told of one act on one task? A notice for each reachable contact of a rung, once for its cause."""

from datetime import date, datetime

from sqlmodel import Session, col, select

from models.contact import Contact, Role, holding
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


def tell_what_is_owed(session: Session, contact: Contact, cause: str, now: datetime) -> None:
    """Whoever comes to a unit is told of all that was opened to it and is still owed, as if it opened now."""
    owed = session.exec(
        select(Task, Deadline)
        .join(Deadline, col(Deadline.id) == col(Task.deadline_id))
        .join(Cycle, col(Cycle.id) == col(Task.cycle_id))
        .where(col(Cycle.state) == CycleState.OPEN.value, col(Task.unit_id) == contact.unit_id)
        .where(col(Task.state).in_([state.value for state in OWING]))
    ).all()
    session.add_all(
        Notice(
            task_id=task.id,
            contact_id=contact.id,
            kind=NoticeKind.OPENED,
            rung=Rung.UNIT_CONTACT,
            cause=cause,
            due_on=deadline.due_on,
            created_at=now,
        )
        for task, deadline in owed
    )
    session.flush()

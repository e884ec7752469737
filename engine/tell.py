"""Who is told of one act on one task? A notice for each reachable contact of a rung, once for its cause."""

from datetime import date, datetime

from sqlmodel import Session, col

from models.contact import Contact, Role, holding
from models.notice import Notice, NoticeKind
from models.task import Task
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

"""What becomes of an address that is refused for good? Nothing more is sent to it; whoever is above is told once."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import func, update
from sqlmodel import Session, col, select

from dondoc.clock import today
from models.address import Address, AddressState
from models.contact import Contact, Role, holding, is_reachable
from models.deadline import Deadline
from models.entry import append
from models.message import Message
from models.notice import Notice, NoticeKind
from models.task import Task
from models.unit import Unit, placement_on, units_above
from notifications.channels.by_channel import MAIL
from schedules.plan import Rung


def give_up(session: Session, message: Message, now: datetime, zone: str) -> bool:
    """Marks the address of a message, unless it was mended meanwhile; False when it was dead before."""
    if message.channel in MAIL:
        dead = update(Contact).where(
            col(Contact.id) == message.contact_id, col(Contact.email) == message.address, ~col(Contact.is_bouncing)
        )
        is_new = bool(session.connection().execute(dead.values(is_bouncing=True)).rowcount)
    else:
        names = ("contact_id", "channel", "account", "address")
        way = update(Address).where(*(getattr(Address, name) == getattr(message, name) for name in names))
        way = way.where(col(Address.state) == AddressState.WORKING.value)
        is_new = bool(session.connection().execute(way.values(state=AddressState.BOUNCING.value)).rowcount)
        # What Zalo refuses goes by e-mail: somebody has to act only where nothing is left.
        is_left = select(col(Contact.id)).where(col(Contact.id) == message.contact_id, is_reachable())
        if is_new and session.scalar(is_left) is not None:
            return True
    if is_new:
        _tell_above(session, message, now, zone)
    return is_new


def _tell_above(session: Session, message: Message, now: datetime, zone: str) -> None:
    """A notice for the nearest secretariat above the unit that can be told; the inbox has the rest."""
    contact = session.get_one(Contact, message.contact_id, populate_existing=True)
    unit = session.get_one(Unit, contact.unit_id)
    known: dict[str, Any] = {"unit": unit.code, "contact": contact.id, "role": contact.role, "message": message.id}
    entry = append(session, "contact_bounced", by="system", at=now, **known)
    told_of = (
        select(Task, Deadline)
        .join(Deadline, col(Deadline.id) == col(Task.deadline_id))
        .where(
            col(Task.id)
            == select(func.min(Notice.task_id)).where(col(Notice.message_id) == message.id).scalar_subquery()
        )
    )
    row = session.exec(told_of).first()
    if row is None:
        return
    task, deadline = row
    session.add_all(
        Notice(
            task_id=task.id,
            contact_id=each.id,
            kind=NoticeKind.BOUNCED,
            rung=Rung.SUPERIOR_SECRETARIAT,
            cause=f"entry:{entry.id}",
            due_on=deadline.due_on,
            created_at=now,
        )
        for each in _above(session, unit.id, today(now, zone))
    )
    session.flush()


def _above(session: Session, unit_id: int, on: date) -> list[Contact]:
    placement = placement_on(session, unit_id, on)
    uppers = units_above(placement.path) if placement is not None else []
    found = session.scalars(holding(Role.SECRETARIAT).where(col(Contact.unit_id).in_(uppers))).all()
    for upper in reversed(uppers):
        if nearest := [each for each in found if each.unit_id == upper]:
            return nearest
    return []

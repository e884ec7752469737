"""Where does what waits go when the address that it was to go to holds no more? Where its contact is told now."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import and_, exists, or_, update
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from engine.tree import parts
from models.address import Address, AddressState, ways_of
from models.contact import Contact
from models.message import IS_UNSENT, Message, MessageState, drop
from models.notice import IS_WAITING, Notice, NoticeKind

_MAIL: Final = ("email", "eml")
_OPENED: Final = NoticeKind.OPENED.value


def redirect(session: Session, contact_ids: Sequence[int], now: datetime) -> None:
    """Letters carry the links of today: none goes to an address that one of these contacts no longer has.

    A sender that had claimed one finds its claim gone. What would need other words, or is a copy with nobody to keep
    it, is dropped; its notices wait again.
    """
    session.flush()
    for some in parts(contact_ids):
        waiting = (
            select(Message, Contact)
            .join(Contact, col(Contact.id) == col(Message.contact_id))
            .where(col(Message.contact_id).in_(some), IS_UNSENT, col(Message.sending_at).is_(None))
        )
        rows = session.execute(waiting.with_for_update(), execution_options={"populate_existing": True}).all()
        ways = session.scalars(ways_of({contact.id for _, contact in rows})).all() if rows else []
        for message, contact in rows:
            _redirect(session, message, contact, [way for way in ways if way.contact_id == contact.id], now)
    session.flush()


def pass_back(session: Session, delegate_id: int, principal_id: int) -> None:
    """What a delegate who leaves was not told yet is told whom they stood in for, unless these are told it anyway."""
    session.flush()
    mine = col(Message.contact_id) == delegate_id, IS_UNSENT, col(Message.sending_at).is_(None)
    unsent = session.exec(select(Message).where(*mine).with_for_update()).all()
    for message in unsent:
        _give_back(session, message)
    known = aliased(Notice)
    is_known = exists().where(
        col(known.contact_id) == principal_id,
        col(known.task_id) == col(Notice.task_id),
        or_(
            col(known.cause) == col(Notice.cause),
            and_(col(known.dropped).is_(None), *(col(each.kind) == _OPENED for each in (known, Notice))),
        ),
    )
    session.execute(
        update(Notice)
        .where(col(Notice.contact_id) == delegate_id, IS_WAITING, ~is_known.correlate(Notice))
        .values(contact_id=principal_id, held_until=None)
        .execution_options(synchronize_session=False)
    )
    session.flush()


def _redirect(session: Session, message: Message, contact: Contact, ways: Sequence[Address], now: datetime) -> None:
    if message.channel in _MAIL:
        if message.address == contact.email:
            return
        if contact.email is None:
            _give_back(session, message)
            return
        message.address = contact.email
    else:
        if any(_goes_by(message, way) and way.address == message.address for way in ways):
            return
        working = [way for way in ways if way.state == AddressState.WORKING]
        way = next((each for each in working if _goes_by(message, each)), working[0] if working else None)
        if way is not None:
            message.channel, message.account, message.address = way.channel, way.account, way.address
        elif contact.has_mail:
            message.channel, message.account, message.address = _MAIL[0], "", contact.email or ""
        else:  # nobody is left to be told: the round drops it, as it does for everybody who cannot be reached
            return
    message.state, message.try_after, message.lease_until = MessageState.QUEUED, now, None
    # That it was tried stays known: what was not counts as sent on somebody's word, whatever day it speaks of.
    message.tries = min(message.tries, 1)
    session.add(message)


def _give_back(session: Session, message: Message) -> None:
    told: Any = session.execute(update(Notice).where(col(Notice.message_id) == message.id).values(message_id=None))
    if told.rowcount:
        drop(session, {message.id})
        session.expire(message)
    else:  # a copy: what it stands beside has been told
        message.state = MessageState.DROPPED
        session.add(message)


def _goes_by(message: Message, way: Address) -> bool:
    return (way.channel, way.account) == (message.channel, message.account)

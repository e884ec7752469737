"""A message that failed is sent again, because somebody says so: the address was mended, or the risk is taken."""

from datetime import datetime
from typing import Final

from sqlmodel import Session, col, select

from engine.errors import RefusedError
from models.address import AddressState, ways_of
from models.contact import Contact
from models.entry import append
from models.inbox import FAILED
from models.message import Message, MessageState
from models.notice import Notice, release_ways

RETRIED: Final = "retried"


def may_replace(message: Message, other: Message) -> bool:
    """Whether a message may go again although this one went out instead of it, or beside it: only if neither arrived.

    What stands in for a refused message has its notices, and goes again itself.
    """
    return message.state == MessageState.UNKNOWN and other.state in (MessageState.REFUSED, MessageState.BOUNCED)


def try_again(
    session: Session, message_id: int, *, by: str, may_arrive_twice: bool, now: datetime, as_it_was: bool = False
) -> Message:
    """The message waits for the next round again, for the address that its contact has now: the e-mail before all.

    One whose outcome is unknown may have arrived: whoever sends it again has to know that. What is no longer so is
    still dropped before it goes out, and what asks in the words of an earlier day is worded anew, unless it is to go
    `as_it_was`.
    """
    message = session.get(Message, message_id, with_for_update=True, populate_existing=True)
    if message is None:
        raise RefusedError("refused.no_message", id=message_id)
    if message.state not in FAILED:
        raise RefusedError("refused.message_not_failed", state=message.state)
    other = session.exec(select(Message).where(col(Message.instead_of) == message_id)).first()
    if other is not None and not may_replace(message, other):
        raise RefusedError("refused.message_replaced")
    if message.state == MessageState.UNKNOWN and not may_arrive_twice:
        raise RefusedError("refused.may_arrive_twice")
    contact = session.get_one(Contact, message.contact_id, with_for_update=True, populate_existing=True)
    way = session.scalars(ways_of([contact.id])).first()
    if not contact.is_active or (contact.email is None and way is None):
        raise RefusedError("refused.no_address_now")
    was = message.state
    # What was marked as broken is tried again, else the round would drop it as unreachable; a refusal marks it anew.
    if contact.email is not None:
        contact.is_bouncing = False
        message.channel, message.account, message.address = "email", "", contact.email
    elif way is not None:
        way.state = AddressState.WORKING
        message.channel, message.account, message.address = way.channel, way.account, way.address
        session.add(way)
    release_ways(session, col(Notice.contact_id) == contact.id)
    # What has no try counts as sent on somebody's word: notifications/dissolve.py leaves its words alone.
    message.state, message.try_after, message.tries = MessageState.QUEUED, now, 0 if as_it_was else 1
    message.lease_until = message.sending_at = message.sent_at = None
    session.add(contact)
    session.add(message)
    append(session, RETRIED, by=by, at=now, message=message.id, contact=contact.id, was=was)
    return message

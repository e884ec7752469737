"""What one way has refused goes out by the contact's next: which is that, and as which message?"""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from sqlmodel import Session, col

from models.address import ways_of
from models.contact import Contact
from models.message import Attempt, Message
from models.notice import Notice
from notifications.channels.by_channel import MAIL
from notifications.plain import plain


@dataclass(frozen=True, slots=True)
class Way:
    """Where a message can go."""

    channel: str
    account: str
    address: str


def next_way(session: Session, message_id: int, now: datetime) -> Way | None:
    """The contact's first way that works and was not tried for this yet; e-mail comes last. None: there is none."""
    message: Message | None = session.get_one(Message, message_id)
    assert message is not None
    contact, tried = session.get_one(Contact, message.contact_id), set[Way]()
    while message is not None:
        tried.add(Way(message.channel, message.account, message.address))
        message = session.get(Message, message.instead_of) if message.instead_of is not None else None
    if not contact.is_active:
        return None
    for each in session.scalars(ways_of([contact.id])):
        way = Way(each.channel, each.account, each.address)
        if each.is_open(now) and way not in tried:
            return way
    has_mail = contact.has_mail and not any(way.channel in MAIL for way in tried)
    return Way(MAIL[0], "", contact.email or "") if has_mail else None


def send_otherwise(session: Session, message_id: int, way: Way, now: datetime) -> Message:
    """A message of its own, with all that the refused one tells; its words are as old as they are."""
    refused = session.get_one(Message, message_id, populate_existing=True)
    tries = session.scalar(select(func.count()).where(col(Attempt.message_id) == refused.id))
    reference = f"{refused.reference} by {way.channel} {way.account} {way.address} after {tries}"
    other = Message(
        contact_id=refused.contact_id,
        channel=way.channel,
        account=way.account,
        address=way.address,
        reference=hashlib.sha256(reference.encode()).hexdigest()[:32],
        subject=refused.subject,
        text=plain(refused.html) if way.channel in MAIL else refused.text,
        html=refused.html,
        created_at=refused.created_at,
        try_after=now,
        is_urgent=refused.is_urgent,
        instead_of=refused.id,
    )
    session.add(other)
    session.flush()
    session.execute(update(Notice).where(col(Notice.message_id) == refused.id).values(message_id=other.id))
    return other

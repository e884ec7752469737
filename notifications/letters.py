"""What goes out? The rows of some messages as letters, with all that is never stored: links, signs, calendar events."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, func, select
from sqlmodel import Session, col

from models.contact import Contact
from models.link import Link, UnitLink, contact_token, return_token, token, unit_token
from models.message import Message
from models.notice import Notice
from models.task import Task
from notifications.channels.carrier import Letter
from notifications.events import read_events
from notifications.render import ALL_DUTIES, fill_links


def read_letters(session: Session, ids: Sequence[int], now: datetime, key: bytes) -> list[Letter]:
    """In the order in which they wait."""
    tokens: defaultdict[int, dict[int, str]] = defaultdict(dict)
    links = (
        select(col(Notice.message_id), Link)
        .join(Link, and_(col(Link.task_id) == col(Notice.task_id), col(Link.contact_id) == col(Notice.contact_id)))
        .where(col(Notice.message_id).in_(ids))
    )
    for message_id, link in session.execute(links):
        tokens[message_id][link.task_id] = token(key, link)
    all_duties = (
        select(col(Message.id), UnitLink)
        .join(UnitLink, col(UnitLink.contact_id) == col(Message.contact_id))
        .where(col(Message.id).in_(ids))
    )
    for message_id, unit_link in session.execute(all_duties):
        tokens[message_id][ALL_DUTIES] = unit_token(key, unit_link)
    cycles = (
        select(col(Notice.message_id), func.min(Task.cycle_id), func.max(Task.cycle_id))
        .join(Task, col(Task.id) == col(Notice.task_id))
        .where(col(Notice.message_id).in_(ids))
        .group_by(col(Notice.message_id))
    )
    threads = {message_id: first for message_id, first, last in session.execute(cycles) if first == last}
    events = read_events(session, ids, now)
    rows = session.execute(
        select(Message, Contact)
        .join(Contact, col(Contact.id) == col(Message.contact_id))
        .where(col(Message.id).in_(ids))
        .order_by(col(Message.try_after), col(Message.id))
    )
    return [
        Letter(
            message_id=message.id,
            reference=message.reference,
            thread=f"{message.contact_id}-{threads[message.id]}" if message.id in threads else None,
            at=now,
            address=message.address,
            name=contact.name,
            subject=message.subject,
            text=fill_links(message.text, tokens[message.id]),
            html=fill_links(message.html, tokens[message.id]),
            channel=message.channel,
            account=message.account,
            short=fill_links(message.text, tokens[message.id]),
            data={"name": contact.name[:30], "subject": message.subject[:100]},
            events=events.get(message.id, ()),
            returns_to=return_token(key, message.id),
            objects_by=contact_token(key, contact.id, message.address),
        )
        for message, contact in rows
    ]

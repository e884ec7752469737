"""What goes out? The rows of some messages as letters, with all that is never stored: links, signs, calendar events."""

import re
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

from sqlalchemy import and_, func, select
from sqlmodel import Session, col

from dondoc.i18n import short_day
from models.contact import Contact
from models.link import Link, UnitLink, below_token, contact_token, return_token, token, unit_token
from models.message import IN_TURN, Message
from models.notice import Notice
from models.task import Task
from models.unit import Unit
from notifications.channels.by_channel import MAIL
from notifications.channels.carrier import Letter
from notifications.events import read_events
from notifications.plain import plain
from notifications.render import ALL_DUTIES, BELOW, fill_links

_LINK: Final = re.compile(r"https?://\S+")
_REFERENCE: Final = re.compile(r"\b[0-9a-f]{32}\b")  #: stands at the end of every letter, and in no chat


def read_letters(session: Session, ids: Sequence[int], now: datetime, key: bytes) -> list[Letter]:
    """In the order in which they wait. What stands beside another message, or in for it, may tell its notices."""
    beside = select(col(Message.id), col(Message.instead_of)).where(
        col(Message.id).in_(ids), col(Message.instead_of).is_not(None)
    )
    others = dict(session.execute(beside).tuples().all())
    told_ids = [*ids, *others.values()]
    tokens: defaultdict[int, dict[int, str]] = defaultdict(dict)
    links = (
        select(col(Notice.message_id), Link)
        .join(Link, and_(col(Link.task_id) == col(Notice.task_id), col(Link.contact_id) == col(Notice.contact_id)))
        .where(col(Notice.message_id).in_(told_ids))
    )
    for message_id, link in session.execute(links):
        tokens[message_id][link.task_id] = token(key, link)
    all_duties = (
        select(col(Message.id), UnitLink)
        .join(UnitLink, col(UnitLink.contact_id) == col(Message.contact_id))
        .where(col(Message.id).in_(told_ids))
    )
    for message_id, unit_link in session.execute(all_duties):
        tokens[message_id] |= {ALL_DUTIES: unit_token(key, unit_link), BELOW: below_token(key, unit_link)}
    cycles = (
        select(col(Notice.message_id), func.min(Task.cycle_id), func.max(Task.cycle_id), func.min(Notice.due_on))
        .join(Task, col(Task.id) == col(Notice.task_id))
        .where(col(Notice.message_id).in_(told_ids))
        .group_by(col(Notice.message_id))
    )
    told = session.execute(cycles).all()
    threads = {message_id: first for message_id, first, last, _ in told if first == last}
    due_days = {message_id: due_on for message_id, _, _, due_on in told}
    events = read_events(session, told_ids, now)
    rows = session.execute(
        select(Message, Contact, col(Unit.name))
        .join(Contact, col(Contact.id) == col(Message.contact_id))
        .join(Unit, col(Unit.id) == col(Contact.unit_id))
        .where(col(Message.id).in_(ids))
        .order_by(*IN_TURN)
    )
    return [
        Letter(
            message_id=message.id,
            reference=message.reference,
            thread=f"{message.contact_id}-{threads[of]}" if of in threads else None,
            at=now,
            address=message.address,
            name=contact.name,
            subject=message.subject,
            text=text,
            html=fill_links(message.html, tokens[of]),
            channel=message.channel,
            account=message.account,
            short=text,
            data=data_of(contact.name, unit, message.subject, due_days.get(of), text),
            events=events.get(of, ()),
            returns_to=return_token(key, message.id),
            objects_by=contact_token(key, contact.id, message.address),
        )
        for message, contact, unit in rows
        for of in (message.id if message.id in due_days else others.get(message.id, message.id),)
        for text in (fill_links(_words(message), tokens[of]),)
    ]


def _words(message: Message) -> str:
    """What was worded for a chat, and goes by mail now since that way has ended, is the whole letter there."""
    is_whole = _REFERENCE.search(message.text) is not None
    return message.text if message.channel not in MAIL or is_whole or not message.html else plain(message.html)


def data_of(name: str, unit: str, subject: str, due_on: date | None, text: str) -> dict[str, str]:
    """What a template message of Zalo may name, each as long as Zalo lets a parameter of its type be."""
    link = _LINK.search(text)
    values = {"name": (name, 30), "unit": (unit, 50), "subject": (subject, 100)}
    values["due"] = (short_day(due_on) if due_on is not None else "", 20)
    values["link"] = (link[0] if link is not None else "", 200)
    return {key: value if len(value) <= most else f"{value[: most - 1]}…" for key, (value, most) in values.items()}

"""What a chat took stands on record by e-mail too: as which message?"""

import re
from collections.abc import Sequence
from html import escape
from typing import Final

from sqlalchemy import select
from sqlmodel import Session, col

from dondoc.i18n import short_day, translate
from models.contact import Contact
from models.message import Message, on_record
from notifications.channels.by_channel import MAIL
from notifications.item import Office
from notifications.plain import plain

_BODY: Final = re.compile(r"<body[^>]*>")
_LOOK: Final = (
    "margin:0;padding:12px 24px;font-family:'Segoe UI',Roboto,'Noto Sans',Arial,sans-serif;"
    "font-size:14px;line-height:22px;color:#4f4e4a;text-align:center"
)


def put_on_record(session: Session, ids: Sequence[int], office: Office) -> None:
    """For each of these messages that a chat has, or may have, the whole letter to its contact's e-mail, once.

    It tells the same notices, and stands beside them: they stay with the message to the chat.
    """
    if not office.keeps_record or not ids:
        return
    rows = session.execute(
        select(Message, Contact)
        .join(Contact, col(Contact.id) == col(Message.contact_id))
        .where(col(Message.id).in_(ids), col(Message.channel).not_in(MAIL))
        .order_by(col(Message.id))
    ).all()
    references = [on_record(message.reference) for message, _ in rows]
    there = set(session.scalars(select(col(Message.reference)).where(col(Message.reference).in_(references))))
    for (message, contact), reference in zip(rows, references, strict=True):
        if contact.has_mail and reference not in there:
            session.add(_copy(message, contact, reference, office))
    session.flush()


def _copy(message: Message, contact: Contact, reference: str, office: Office) -> Message:
    """Says what it is before all else, so that nobody does a thing twice for two messages."""
    lang, channel = contact.lang, translate(f"channel.{message.channel}", contact.lang)
    day = short_day(office.today)
    said = translate("Bản lưu của tin gửi ngày {day} qua {channel}.", lang, day=day, channel=channel)
    html = _BODY.sub(lambda body: f'{body[0]}\n<p style="{_LOOK}">{escape(said)}</p>', message.html, count=1)
    return Message(
        contact_id=contact.id,
        channel=office.channel,
        address=contact.email or "",
        reference=reference,
        subject=translate("Bản lưu: {subject}", lang, subject=message.subject),
        text=plain(html),
        html=html,
        created_at=office.now,
        try_after=office.now,
        is_urgent=message.is_urgent,
        instead_of=message.id,
    )

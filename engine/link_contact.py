"""How does a contact come to be told by Zalo? A code from their own page, sent from their own chat; and back again.

Nobody types in an account or a number for somebody else: who sends the code from a chat shows that it is theirs.
"""

import hashlib
import hmac
import re
import secrets
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, func, update
from sqlmodel import Session, col, select

from engine.errors import RefusedError
from engine.redirect import redirect
from engine.tell import reachable_of, tell_what_is_owed
from models.address import Address, AddressState, LinkCode, WebhookEvent
from models.contact import Contact
from models.entry import Entry, append
from models.notice import Notice, release_ways
from models.unit import Unit

CODE_LIFE: Final = timedelta(minutes=15)
DIGITS: Final = 8
MOST_WRONG: Final = 5  #: wrong codes from one chat within an hour
QUIET: Final = timedelta(hours=1)
_WRONG: Final = "wrong"
_CODE: Final = re.compile(rf"(?:LIEN ?KET ?)?((?:[0-9] ?){{{DIGITS}}})")
_STOP: Final = ("HUY", "STOP")

Heard = Literal["linked", "unlinked", "wrong", "too_many", "unknown", "nothing"]


@dataclass(frozen=True, slots=True)
class Chat:
    """Where somebody writes from: their chat with the bot, or their id within an OA."""

    channel: str
    account: str
    address: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a chat is told; `contact` is who was linked."""

    heard: Heard
    lang: str = "vi"
    contact: str = ""
    unit: str = ""


def new_code(session: Session, contact_id: int, *, key: bytes, now: datetime) -> str:
    """A code that links one chat to this contact within a quarter of an hour; the one before it ends."""
    contact = session.get(Contact, contact_id, with_for_update=True)
    if contact is None or not contact.is_active:
        raise RefusedError("refused.no_contact", id=contact_id)
    mine = (col(LinkCode.contact_id) == contact_id, col(LinkCode.used_at).is_(None))
    session.execute(update(LinkCode).where(*mine, col(LinkCode.expires_at) > now).values(expires_at=now))
    live = set(session.exec(select(LinkCode.hash).where(col(LinkCode.expires_at) > now)))
    while True:
        code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
        if _hash(key, code) not in live:
            break
    session.add(LinkCode(contact_id=contact_id, hash=_hash(key, code), expires_at=now + CODE_LIFE))
    session.flush()
    return code


def hear(session: Session, chat: Chat, text: str, *, once: str, key: bytes, now: datetime) -> Answer | None:
    """What somebody wrote to the bot or the OA. `once` names the message: at its second coming there is no answer."""
    seen = f"text\t{chat.channel}\t{chat.account}\t{once}"
    if session.get(WebhookEvent, seen) is not None:
        return None
    session.add(WebhookEvent(key=seen, at=now))
    touch(session, chat, now)
    words = " ".join(_plain(text).split())
    if words in _STOP:
        return Answer("unlinked" if unlink_chat(session, chat, at=now, now=now) else "nothing")
    found = _CODE.fullmatch(words)
    if found is None:
        return Answer("unknown")
    prefix = f"{_WRONG}\t{chat.channel}\t{chat.account}\t{chat.address}\t"
    wrong = select(func.count()).where(
        col(WebhookEvent.key) >= prefix, col(WebhookEvent.key) < f"{prefix}\x7f", col(WebhookEvent.at) > now - QUIET
    )
    if (session.scalar(wrong) or 0) >= MOST_WRONG:
        return Answer("too_many")
    linked = _link(session, chat, found[1].replace(" ", ""), key, now)
    if linked is None:
        session.add(WebhookEvent(key=f"{prefix}{once}", at=now))
        session.flush()
        return Answer("wrong")
    return linked


def touch(session: Session, chat: Chat, now: datetime) -> None:
    """A sign of life: an OA may write for seven days after it, and what was refused there before is tried again."""
    session.execute(update(Address).where(*_is(chat)).values(heard_at=now))
    bouncing = col(Address.state) == AddressState.BOUNCING.value
    for address in session.exec(select(Address).where(*_is(chat), bouncing)).all():
        _revive(session, address, now)
    release_ways(session, col(Notice.contact_id).in_(select(Address.contact_id).where(*_is(chat))))


def follow(session: Session, chat: Chat, *, is_end: bool, at: datetime, now: datetime) -> None:
    """Somebody began to follow the OA `at`, or has left it. It may be told again, even after they came back."""
    seen = "\t".join(["left" if is_end else "followed", chat.channel, chat.account, chat.address, at.isoformat()])
    if session.get(WebhookEvent, seen) is not None:
        return
    session.add(WebhookEvent(key=seen, at=at))
    if is_end:
        unlink_chat(session, chat, at=at, now=now)
    else:
        touch(session, chat, now)


def unlink_chat(session: Session, chat: Chat, *, at: datetime, now: datetime) -> int:
    """Whoever writes there wants no more since `at`, or has left the OA; how many contacts this was.

    Who has consented after that keeps their link.
    """
    holds = (col(Address.state) != AddressState.ENDED.value, col(Address.consent_at) <= at)
    addresses = session.exec(select(Address).where(*_is(chat), *holds)).all()
    for address in addresses:
        _end(session, address, f"contact:{address.contact_id}", now)
    return len(addresses)


def unlink(session: Session, address_id: int, *, by: str, now: datetime) -> Address:
    """The office, or the contact on their page, ends it."""
    address = session.get(Address, address_id, with_for_update=True, populate_existing=True)
    if address is None:
        raise RefusedError("refused.no_way", id=address_id)
    if address.state != AddressState.ENDED:
        _end(session, address, by, now)
    return address


def _link(session: Session, chat: Chat, code: str, key: bytes, now: datetime) -> Answer | None:
    valid = (
        col(LinkCode.hash) == _hash(key, code),
        col(LinkCode.used_at).is_(None),
        col(LinkCode.expires_at) > now,
    )
    row = session.exec(select(LinkCode).where(*valid).with_for_update()).first()
    contact = session.get(Contact, row.contact_id) if row is not None else None
    if row is None or contact is None or not contact.is_active:
        return None
    was_reachable = reachable_of(session, [contact.id])
    row.used_at = now
    session.add(row)
    unit = session.get_one(Unit, contact.unit_id)
    given: dict[str, Any] = {
        "state": AddressState.WORKING.value,
        "consent_at": now,
        "consent_source": "code",
        "heard_at": now,
    }
    known = None
    same = (col(Address.contact_id) == contact.id, col(Address.channel) == chat.channel)
    for address in session.exec(select(Address).where(*same, col(Address.account) == chat.account)).all():
        if address.address == chat.address:
            known = address
        else:  # one chat a person: who changes telephones is not told twice
            address.state = AddressState.ENDED
            session.add(address)
    link = known or Address(
        contact_id=contact.id, channel=chat.channel, account=chat.account, address=chat.address, **given
    )
    for name, value in given.items():
        setattr(link, name, value)
    session.add(link)
    session.flush()
    release_ways(session, col(Notice.contact_id) == contact.id)
    redirect(session, [contact.id], now)
    entry = _journal(session, "contact_linked", link, f"contact:{contact.id}", now)
    if not was_reachable:
        tell_what_is_owed(session, [contact.id], f"entry:{entry.id}", now)
    return Answer("linked", contact.lang, contact.name, unit.name)


def _revive(session: Session, address: Address, now: datetime) -> None:
    """The consent is that of before. Who could be told nothing meanwhile is told what is owed."""
    was_reachable = reachable_of(session, [address.contact_id])
    address.state = AddressState.WORKING
    session.add(address)
    entry = _journal(session, "contact_linked", address, f"contact:{address.contact_id}", now)
    if not was_reachable:
        tell_what_is_owed(session, [address.contact_id], f"entry:{entry.id}", now)


def _end(session: Session, address: Address, by: str, now: datetime) -> None:
    address.state = AddressState.ENDED
    session.add(address)
    session.flush()
    redirect(session, [address.contact_id], now)
    _journal(session, "contact_unlinked", address, by, now)


def _journal(session: Session, act: str, address: Address, by: str, now: datetime) -> Entry:
    contact = session.get_one(Contact, address.contact_id)
    data: dict[str, Any] = {
        "unit": session.get_one(Unit, contact.unit_id).code,
        "contact": contact.id,
        "channel": address.channel,
    }
    return append(session, act, by=by, at=now, **data)


def _is(chat: Chat) -> tuple[ColumnElement[bool], ...]:
    return (
        col(Address.channel) == chat.channel,
        col(Address.account) == chat.account,
        col(Address.address) == chat.address,
    )


def _hash(key: bytes, code: str) -> str:
    """Keyed: so few digits could all be tried out against a bare hash."""
    return hmac.new(key, f"link-code:{code}".encode(), hashlib.sha256).hexdigest()


def _plain(text: str) -> str:
    """Upper case without accents: liên kết is LIEN KET."""
    split = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    return "".join(letter for letter in split if not unicodedata.combining(letter)).upper()

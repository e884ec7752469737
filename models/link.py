"""Who may open this task without an account? Capability links: the token is computed, never stored."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from datetime import date, datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, Session, SQLModel, col, select

from models.columns import Moment
from models.contact import Contact


class Link(SQLModel, table=True):
    """One contact's way to one task. A new generation ends all tokens of the older ones."""

    __table_args__ = (UniqueConstraint("task_id", "contact_id"),)
    id: int = Field(default=None, primary_key=True)
    task_id: int = Field(foreign_key="task.id")
    contact_id: int = Field(foreign_key="contact.id")
    generation: int = 1
    expires_on: date | None = None  #: set when the cycle closes; None: while it is open
    revoked_at: datetime | None = Field(default=None, sa_type=Moment)


class UnitLink(SQLModel, table=True):
    """One contact's way to all duties of the unit, or to what is behind below it; each has a token of its own.

    Lasts until it is revoked or the contact leaves.
    """

    __tablename__ = "unit_link"
    id: int = Field(default=None, primary_key=True)
    contact_id: int = Field(foreign_key="contact.id", unique=True)
    generation: int = 1
    revoked_at: datetime | None = Field(default=None, sa_type=Moment)


def token(key: bytes, link: Link) -> str:
    """`<link id>-<signature>`: 256 bits of HMAC-SHA-256 over task, contact and generation."""
    return _signed(key, link.id, f"link:{link.task_id}:{link.contact_id}:{link.generation}")


def unit_token(key: bytes, link: UnitLink) -> str:
    """The same for all duties of the contact's unit."""
    return _signed(key, link.id, f"unit:{link.contact_id}:{link.generation}")


def below_token(key: bytes, link: UnitLink) -> str:
    """The same for what is behind below the contact's unit, as far as the contact was told of it."""
    return _signed(key, link.id, f"below:{link.contact_id}:{link.generation}")


def contact_token(key: bytes, contact_id: int, email: str | None) -> str:
    """The way to say that this address is the wrong one; it ends when the contact has another."""
    return _signed(key, contact_id, f"contact:{contact_id}:{email}")


def return_token(key: bytes, message_id: int) -> str:
    """What names a message in the address that it comes back to: mail servers may write that in small letters."""
    return f"{message_id}-{hmac.new(key, f'return:{message_id}'.encode(), hashlib.sha256).hexdigest()[:24]}"


def returned_message(key: bytes, given: str) -> int | None:
    """The number of the message that this names; None when it is forged."""
    number = _number(given)
    if number is None or not hmac.compare_digest(return_token(key, number).encode(), given.lower().encode()):
        return None
    return number


def find(session: Session, key: bytes, given: str, today: date) -> Link | None:
    """The link of a token, or None when it is unknown, forged, revoked or expired (the answers look alike)."""
    number = _number(given)
    link = session.exec(select(Link).where(col(Link.id) == number)).first() if number is not None else None
    if link is None or not hmac.compare_digest(token(key, link).encode(), given.encode()):
        return None
    return link if opens(link, today) else None


def find_unit(
    session: Session, key: bytes, given: str, signed: Callable[[bytes, UnitLink], str] = unit_token
) -> UnitLink | None:
    """The link of a unit's token, or None. `signed`: which of its tokens it is."""
    number = _number(given)
    link = session.exec(select(UnitLink).where(col(UnitLink.id) == number)).first() if number is not None else None
    if link is None or not hmac.compare_digest(signed(key, link).encode(), given.encode()):
        return None
    return link if link.revoked_at is None else None


def find_contact(session: Session, key: bytes, given: str) -> Contact | None:
    """Who was written to by the letter with this token, or None; whoever has left has nothing more to say."""
    number = _number(given)
    contact = session.get(Contact, number) if number is not None else None
    if contact is None or not contact.is_active:
        return None
    expected = contact_token(key, contact.id, contact.email)
    return contact if hmac.compare_digest(expected.encode(), given.encode()) else None


def opens(link: Link, today: date) -> bool:
    """Neither revoked nor expired."""
    return link.revoked_at is None and (link.expires_on is None or today <= link.expires_on)


def _signed(key: bytes, id_: int, text: str) -> str:
    signature = hmac.new(key, text.encode(), hashlib.sha256).digest()
    return f"{id_}-{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def _number(given: str) -> int | None:
    number, dash, _ = given.partition("-")
    return int(number) if dash and number.isascii() and number.isdigit() and len(number) <= 18 else None

"""Who may open this task without an account? Capability links: the token is computed, never stored."""

import base64
import hashlib
import hmac
from datetime import date, datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, Session, SQLModel, col, select

from models.columns import Moment


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
    """One contact's way to all duties of the unit; lasts until it is revoked or the contact leaves."""

    __tablename__ = "unit_link"
    id: int = Field(default=None, primary_key=True)
    contact_id: int = Field(foreign_key="contact.id", unique=True)
    generation: int = 1
    revoked_at: datetime | None = Field(default=None, sa_type=Moment)


def token(key: bytes, link: Link) -> str:
    """`<link id>-<signature>`: 256 bits of HMAC-SHA-256 over task, contact and generation."""
    text = f"link:{link.task_id}:{link.contact_id}:{link.generation}".encode()
    signature = hmac.new(key, text, hashlib.sha256).digest()
    return f"{link.id}-{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def find(session: Session, key: bytes, given: str, today: date) -> Link | None:
    """The link of a token, or None when it is unknown, forged, revoked or expired (the answers look alike)."""
    number, dash, _ = given.partition("-")
    if not dash or not number.isascii() or not number.isdigit() or len(number) > 18:
        return None
    link = session.exec(select(Link).where(col(Link.id) == int(number))).first()
    if link is None or not hmac.compare_digest(token(key, link).encode(), given.encode()):
        return None
    if link.revoked_at is not None or (link.expires_on is not None and link.expires_on < today):
        return None
    return link

"""Who is told? The contacts of a unit, by role."""

from datetime import date
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Index, Select, and_, exists, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import Field, SQLModel, col

from models.address import Address, AddressState


class Role(StrEnum):
    CONTACT = "contact"  #: đầu mối: hands reports in
    HEAD = "head"  #: người đứng đầu
    SECRETARIAT = "secretariat"  #: văn phòng, ban tham mưu: chases the units below
    STANDING = "standing"  #: thường trực


class Contact(SQLModel, table=True):
    """Personal data (name, address) stands here alone; the journal names contacts by id."""

    __table_args__ = (Index("ix_contact_unit_role", "unit_id", "role"),)
    id: int = Field(default=None, primary_key=True)
    unit_id: int = Field(foreign_key="unit.id")
    role: str  #: a Role
    name: str
    email: str | None = None
    phone: str | None = None  #: for calling, never for sending
    lang: str = "vi"
    is_active: bool = True
    valid_from: date | None = None  #: None: since ever
    valid_to: date | None = None  #: the first day without them; None: for good
    stands_for: int | None = Field(default=None, foreign_key="contact.id")  #: whose delegate this is
    is_bouncing: bool = False  #: the address was refused for good; nothing more is sent to it

    @property
    def has_mail(self) -> bool:
        """Whether e-mail reaches them; other ways stand in Address."""
        return self.is_active and not self.is_bouncing and self.email is not None


def is_reachable(contact: Any = Contact) -> ColumnElement[bool]:
    """Whether a contact row can be told at all: by e-mail, or by another way that works."""
    way = exists().where(col(Address.contact_id) == contact.id, col(Address.state) == AddressState.WORKING.value)
    mail = and_(~contact.is_bouncing, contact.email.is_not(None))
    return and_(contact.is_active, or_(mail, way.correlate(contact)))


@cache
def holding(role: Role) -> Select[tuple[Contact]]:
    """Reachable contacts with a role: the delegate in place of whom they stand for, as long as they can be told."""
    delegate = aliased(Contact)
    spared = select(col(delegate.stands_for)).where(col(delegate.stands_for).is_not(None), is_reachable(delegate))
    return select(Contact).where(col(Contact.role) == role, is_reachable(), col(Contact.id).not_in(spared))

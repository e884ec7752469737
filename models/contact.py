"""Who is told? The contacts of a unit, by role."""

from datetime import date
from enum import StrEnum

from sqlalchemy import Index, Select, select
from sqlmodel import Field, SQLModel, col


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
    def is_reachable(self) -> bool:
        return self.is_active and not self.is_bouncing and self.email is not None


def holding(role: Role) -> Select[tuple[Contact]]:
    """Reachable contacts with a role."""
    return select(Contact).where(
        col(Contact.role) == role,
        col(Contact.is_active),
        ~col(Contact.is_bouncing),
        col(Contact.email).is_not(None),
    )

"""How else is a contact reached? Addresses beside the e-mail, each with the consent that allows it."""

from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import Index, Select, UniqueConstraint, select, text
from sqlmodel import Field, SQLModel, col

from models.columns import Moment

#: How the names of the secrets begin that hold the address of another service.
SERVICE: Final = "apprise-"
#: An Official Account may write for so long after it has heard from somebody.
WINDOW: Final = timedelta(days=7)


class AddressState(StrEnum):
    WORKING = "working"
    BOUNCING = "bouncing"  #: refused for good by the other side
    ENDED = "ended"  #: unlinked, by the contact or by the office


class Address(SQLModel, table=True):
    """A chat, a follower, a telephone number; the e-mail stands with the contact, as the last resort and the record."""

    __table_args__ = (
        UniqueConstraint("contact_id", "channel", "account", "address"),
        Index("ix_address_who", "channel", "account", "address"),
    )
    id: int = Field(default=None, primary_key=True)
    contact_id: int = Field(foreign_key="contact.id")
    channel: str  #: zalobot, zalooa, zalozns, apprise
    account: str = ""  #: alias of the bot or OA that it belongs to
    address: str  #: chat id, user id within the OA, 84xxxxxxxxx, or the name of a secret that holds an Apprise URL
    place: int = 1  #: in the order in which the contact wants to be reached; the e-mail comes after all
    state: str = AddressState.WORKING
    consent_at: datetime = Field(sa_type=Moment)
    consent_source: str  #: how the consent was given: code, paper, office
    heard_at: datetime | None = Field(
        default=None, sa_type=Moment
    )  #: last sign of life: Zalo answers within seven days

    def is_open(self, now: datetime) -> bool:
        """Whether a message may be tried this way."""
        return self.state == AddressState.WORKING and not self.is_silent(now)

    def is_silent(self, now: datetime) -> bool:
        """Whether the Official Account may not write, because they have not for so long."""
        return self.channel == "zalooa" and (self.heard_at is None or now - self.heard_at > WINDOW)


def ways_of(contact_ids: Collection[int]) -> Select[tuple[Address]]:
    """The ways beside e-mail that still hold or are broken, contact by contact, in the order of each."""
    return (
        select(Address)
        .where(col(Address.contact_id).in_(contact_ids), col(Address.state) != AddressState.ENDED.value)
        .order_by(col(Address.contact_id), col(Address.place), col(Address.id))
    )


class LinkCode(SQLModel, table=True):
    """A code that a contact sends from a chat, to link it; works once."""

    __tablename__ = "link_code"
    id: int = Field(default=None, primary_key=True)
    contact_id: int = Field(foreign_key="contact.id", index=True)
    hash: str = Field(index=True)  #: SHA-256
    expires_at: datetime = Field(sa_type=Moment)
    used_at: datetime | None = Field(default=None, sa_type=Moment)


class WebhookEvent(SQLModel, table=True):
    """An event that came in, so that its second coming is none."""

    __tablename__ = "webhook_event"
    __table_args__ = (
        Index("ix_webhook_event_open", "at", sqlite_where=text("is_open"), postgresql_where=text("is_open")),
    )
    key: str = Field(primary_key=True)
    at: datetime = Field(sa_type=Moment)
    is_open: bool = False  #: came before what it tells of was written; looked at again

"""What is really sent? The notices of one contact, bundled, on one channel; and each try to send them."""

import hashlib
from collections.abc import Set
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import (
    ColumnElement,
    Index,
    String,
    and_,
    bindparam,
    cast,
    exists,
    literal_column,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.orm import aliased
from sqlmodel import Field, Session, SQLModel, col

from models.columns import Moment


class MessageState(StrEnum):
    QUEUED = "queued"
    DEFERRED = "deferred"  #: waits for `try_after`
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    UNKNOWN = "unknown"  #: the other side may have it (AMBIGUOUS); never sent again blindly
    REFUSED = "refused"
    BOUNCED = "bounced"
    DROPPED = "dropped"  #: what it told was no longer so before it could be sent


class Outcome(StrEnum):
    """How a try ended; each class has its own consequence."""

    SENT = "sent"
    RETRY = "retry"  #: try again soon
    DEFER = "defer"  #: try again much later
    RECIPIENT = "recipient"  #: this address is refused for good
    ELSEWHERE = "elsewhere"  #: not by this way now: by the next one, or again tomorrow when there is none
    PAYLOAD = "payload"  #: this message is refused for good
    CONFIG = "config"  #: our own settings are wrong: every message waits
    AMBIGUOUS = "ambiguous"  #: no answer after the content went out


class Message(SQLModel, table=True):
    """The outbox row. Its text has a placeholder where a link stands; the token is put in while sending, never kept."""

    __table_args__ = (
        Index(
            "ix_message_waiting",
            "try_after",
            sqlite_where=text("state IN ('queued', 'deferred')"),
            postgresql_where=text("state IN ('queued', 'deferred')"),
        ),
        Index(
            "ix_message_failed",
            "id",
            sqlite_where=text("state IN ('refused', 'bounced', 'unknown')"),
            postgresql_where=text("state IN ('refused', 'bounced', 'unknown')"),
        ),
    )
    id: int = Field(default=None, primary_key=True)
    contact_id: int = Field(foreign_key="contact.id", index=True)
    channel: str
    account: str = ""  #: alias of the bot or OA
    address: str
    reference: str = Field(unique=True)  #: made from the notices it carries: the same notices make one message
    state: str = MessageState.QUEUED
    subject: str
    text: str
    html: str
    created_at: datetime = Field(sa_type=Moment)
    try_after: datetime = Field(sa_type=Moment)
    lease_until: datetime | None = Field(default=None, sa_type=Moment)  #: claimed by a sender until then
    sending_at: datetime | None = Field(default=None, sa_type=Moment)  #: written just before the content goes out
    tries: int = 0
    sent_at: datetime | None = Field(default=None, sa_type=Moment)
    provider_id: str | None = Field(default=None, index=True)  #: what the other side calls it
    is_urgent: bool = False  #: goes out at night and on days off too
    instead_of: int | None = Field(
        default=None, foreign_key="message.id"
    )  #: whose notices it carries on another channel
    arrived_at: datetime | None = Field(default=None, sa_type=Moment)
    read_at: datetime | None = Field(default=None, sa_type=Moment)


class Attempt(SQLModel, table=True):
    id: int = Field(default=None, primary_key=True)
    message_id: int = Field(foreign_key="message.id", index=True)
    number: int
    at: datetime = Field(sa_type=Moment)
    outcome: str
    code: str | None = None
    answer: str | None = None  #: the other side's words, without secrets


#: Written out, because SQLite takes a partial index only for words that it sees.
IS_UNSENT: Final[ColumnElement[bool]] = col(Message.state).in_(
    [literal_column(f"'{state.value}'") for state in (MessageState.QUEUED, MessageState.DEFERRED)]
)
#: In which order messages go out: what is urgent first.
IN_TURN: Final = (col(Message.is_urgent).desc(), col(Message.try_after), col(Message.id))


def is_on_record() -> ColumnElement[bool]:
    """Stands beside a message to a chat, as the copy by e-mail; what is there instead of a refused one does not."""
    other = aliased(Message)
    was_taken = and_(col(other.id) == col(Message.instead_of), col(other.state) != MessageState.REFUSED.value)
    return exists().where(was_taken).correlate(Message)


def on_record(reference: str) -> str:
    """The reference of the copy of a message: there is an index of references, and none of `instead_of`."""
    return hashlib.sha256(f"{reference} on record".encode()).hexdigest()[:32]


def is_to_try(now: datetime) -> ColumnElement[bool]:
    """Due, and nobody is at it: a lease that ran out before the content is no more than a delay."""
    return and_(
        IS_UNSENT,
        col(Message.try_after) <= now,
        col(Message.sending_at).is_(None),
        or_(col(Message.lease_until).is_(None), col(Message.lease_until) <= now),
    )


def drop(session: Session, ids: Set[int]) -> None:
    """The same notices make the same reference: it is left to the message that tells them instead."""
    if not ids:
        return
    one = update(Message).where(col(Message.id) == bindparam("b_id"))
    freed = col(Message.reference) + "-" + cast(col(Message.id), String)
    session.connection().execute(one.values(state=MessageState.DROPPED.value), [{"b_id": id_} for id_ in ids])
    refused, last = set[int](), ids
    while last:
        before = session.scalars(select(col(Message.instead_of)).where(col(Message.id).in_(last)))
        last = {id_ for id_ in before if id_ is not None}
        refused |= last
    session.connection().execute(one.values(reference=freed), [{"b_id": id_} for id_ in ids | refused])

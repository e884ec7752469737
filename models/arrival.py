"""What became of a message afterwards? The other side says so later: twice, in any order, or before we know its id."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from sqlalchemy import and_, or_, text, update
from sqlmodel import Session, col, select

from models.address import WebhookEvent
from models.message import Message, MessageState

#: An event about a message that is still unknown after this long is about none of ours.
PATIENCE: Final = timedelta(days=2)
_SEEN: Final = "seen"
Fate = Literal["arrived", "seen"]


@dataclass(frozen=True, slots=True)
class Arrival:
    """`ours` is the id that we gave the message, `theirs` what the other side calls it; either may be empty."""

    fate: Fate
    channels: Collection[str]
    theirs: str
    ours: str = ""

    @property
    def key(self) -> str:
        """Holds all of it, so that an event can be looked at again."""
        return "\t".join([self.fate, ",".join(self.channels), self.theirs, self.ours])

    @classmethod
    def of(cls, key: str) -> "Arrival":
        fate, channels, theirs, ours = key.split("\t")
        return cls("seen" if fate == _SEEN else "arrived", channels.split(","), theirs, ours)


def note(session: Session, arrival: Arrival, at: datetime) -> bool:
    """Takes it in once; says whether it was new."""
    if session.get(WebhookEvent, arrival.key) is not None:
        return False
    session.add(WebhookEvent(key=arrival.key, at=at, is_open=not _apply(session, arrival, at)))
    session.flush()
    return True


def settle(session: Session, now: datetime) -> None:
    """Looks again at what came before its message was written as sent."""
    # Written out, because SQLite takes a partial index only for words that it sees.
    waiting = select(WebhookEvent).where(text("is_open")).order_by(col(WebhookEvent.at))
    for event in session.exec(waiting).all():
        if _apply(session, Arrival.of(event.key), event.at) or now - event.at > PATIENCE:
            event.is_open = False
            session.add(event)
    session.flush()


def _apply(session: Session, arrival: Arrival, at: datetime) -> bool:
    """A later state is never taken back by an earlier one. False while there is no message to write it to."""
    names = [col(Message.provider_id) == arrival.theirs] if arrival.theirs else []
    if arrival.ours:
        names.append(col(Message.reference) == arrival.ours)
    # A message that is being sent right now gets its state from its sender first.
    waits = (MessageState.QUEUED.value, MessageState.DEFERRED.value)
    at_hand = or_(col(Message.state).not_in(waits), and_(col(Message.lease_until).is_(None), col(Message.tries) > 0))
    query = select(Message).where(or_(*names), col(Message.channel).in_(arrival.channels), at_hand)
    message = session.exec(query.with_for_update()).first() if names else None
    if message is None:
        return False
    is_read = arrival.fate == _SEEN or message.state == MessageState.READ
    values: dict[str, object] = {
        "state": (MessageState.READ if is_read else MessageState.DELIVERED).value,
        "arrived_at": message.arrived_at or at,
        "sent_at": message.sent_at or message.sending_at or at,
    }
    if arrival.fate == _SEEN:
        values["read_at"] = message.read_at or at
    if arrival.theirs:
        values["provider_id"] = arrival.theirs
    session.execute(update(Message).where(col(Message.id) == message.id).values(**values))
    return True

"""What becomes of a message once a try has ended? An Attempt, its new state, and what follows from a refusal."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, bindparam, func, insert, select, update
from sqlmodel import Session, col

from models.arrival import settle
from models.message import Attempt, Message, MessageState, Outcome
from notifications.channels.by_channel import MAIL
from notifications.channels.carrier import Result
from notifications.dead import give_up
from notifications.item import Office
from notifications.on_record import put_on_record
from notifications.otherwise import Way, next_way, send_otherwise

CONFIG_WAIT: Final = timedelta(minutes=15)
DEFER_WAIT: Final = timedelta(hours=6)
ONE_DAY: Final = timedelta(days=1)
FIRST_WAIT: Final = timedelta(minutes=5)  #: doubled with every try
LONGEST_WAIT: Final = timedelta(hours=12)
MOST_TRIES: Final = 16  #: four to five days in all, as RFC 5321, 4.5.4.1 advises
#: How a message's new state is counted.
_COUNTED: Final = {
    MessageState.SENT: "sent",
    MessageState.QUEUED: "retried",
    MessageState.DEFERRED: "retried",
    MessageState.REFUSED: "refused",
    MessageState.UNKNOWN: "unknown",
}
#: A chat has it, or may have it.
_WITH_CHAT: Final = (MessageState.SENT, MessageState.UNKNOWN)
#: The other side has said more of it than that it was taken in.
_KNOWN: Final = (MessageState.DELIVERED, MessageState.READ, MessageState.BOUNCED)
#: Made once, since they run for every ten letters.
_TRIED: Final = select(
    col(Message.id),
    col(Message.state),
    col(Message.lease_until),
    col(Message.tries),
    col(Message.sending_at),
    col(Message.contact_id),
    col(Message.address),
    col(Message.channel),
    col(Message.account),
    select(func.count()).where(col(Attempt.message_id) == col(Message.id)).scalar_subquery().label("attempts"),
).where(col(Message.id).in_(bindparam("ids", expanding=True)))
_WRITTEN: Final = ("state", "tries", "try_after", "lease_until", "sending_at", "sent_at", "provider_id")
_BECOMES: Final = (
    update(Message).where(col(Message.id) == bindparam("b_id")).values({name: bindparam(name) for name in _WRITTEN})
)


def record(
    session: Session, results: Mapping[int, Result], office: Office, lease: datetime | None = None
) -> Counter[str]:
    """An Attempt and the new state of each message; counted by what became of it.

    With the `lease` under which they were tried, a message that somebody else has claimed since, or has an end, keeps
    its state unless it is gone: what a slow sender says late would have it sent twice.
    """
    if not results:
        return Counter()
    now, connection = office.now, session.connection()
    rows = connection.execute(_TRIED, {"ids": list(results)}).all()
    attempts = [
        {
            "message_id": row.id,
            "number": row.attempts + 1,
            "at": now,
            "outcome": results[row.id].outcome,
            "code": results[row.id].code,
            "answer": results[row.id].answer,
        }
        for row in rows
    ]
    connection.execute(insert(Attempt), attempts)
    rows = [row for row in rows if _counts(results[row.id].outcome, row, lease)]
    if not rows:
        return Counter()
    others = {
        row.id: next_way(session, row.id, now)
        for row in rows
        if row.channel not in MAIL and _is_refused(results[row.id].outcome, row.tries)
    }
    became = [{"b_id": row.id, **_becomes(results[row.id], row, others.get(row.id), now)} for row in rows]
    connection.execute(_BECOMES, became)
    for row in rows:
        if results[row.id].outcome is Outcome.RECIPIENT:
            give_up(session, session.get_one(Message, row.id), now, office.zone)
    for row, each in zip(rows, became, strict=True):
        other = others.get(row.id)
        if each["state"] == MessageState.REFUSED and other is not None:
            send_otherwise(session, row.id, other, now)
    if any(row.channel not in MAIL for row in rows):
        put_on_record(session, [each["b_id"] for each in became if each["state"] in _WITH_CHAT], office)
        settle(session, now)
    return Counter(_COUNTED[each["state"]] for each in became)


def _counts(outcome: Outcome, message: Row[Any], lease: datetime | None) -> bool:
    if outcome is Outcome.SENT:
        return message.state not in _KNOWN
    is_ours = lease is None or message.lease_until == lease
    return is_ours and message.state in (MessageState.QUEUED, MessageState.DEFERRED)


def _is_refused(outcome: Outcome, tries: int) -> bool:
    """Whether this way may be at its end, so that the next one is looked for."""
    if outcome in (Outcome.RETRY, Outcome.DEFER):
        return tries + 1 >= MOST_TRIES
    return outcome not in (Outcome.SENT, Outcome.AMBIGUOUS)


def _becomes(result: Result, message: Row[Any], other: Way | None, now: datetime) -> dict[str, Any]:
    """What a try makes of its message: the same columns for every outcome, so that one statement writes them all.

    `other`: by which way it can go instead.
    """
    tries = message.tries + (result.outcome is not Outcome.CONFIG)  # our own fault costs the message no try
    columns = {
        "state": MessageState.QUEUED,
        "tries": tries,
        "try_after": now,
        "lease_until": None,
        "sending_at": None,
        "sent_at": None,
        "provider_id": None,
    }
    match result.outcome:
        case Outcome.SENT:
            done = {"state": MessageState.SENT, "sent_at": now, "provider_id": result.provider_id}
            return {**columns, "sending_at": now, **done}
        case Outcome.AMBIGUOUS:
            return {**columns, "state": MessageState.UNKNOWN, "sending_at": message.sending_at}
        case Outcome.CONFIG if other is None:
            return {**columns, "try_after": now + CONFIG_WAIT}
        case Outcome.ELSEWHERE if other is None and tries < MOST_TRIES:
            return {**columns, "state": MessageState.DEFERRED, "try_after": result.try_after or now + ONE_DAY}
        case Outcome.RETRY if tries < MOST_TRIES:
            return {**columns, "try_after": now + min(FIRST_WAIT * 2 ** (tries - 1), LONGEST_WAIT)}
        case Outcome.DEFER if tries < MOST_TRIES:
            return {**columns, "state": MessageState.DEFERRED, "try_after": result.try_after or now + DEFER_WAIT}
        case _:
            return {**columns, "state": MessageState.REFUSED}

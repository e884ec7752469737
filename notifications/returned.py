"""What becomes of letters that came back? Each is counted against its message; a dead address is given up."""

import logging
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from sqlalchemy import select
from sqlalchemy.exc import DataError
from sqlmodel import Session, col

from dondoc.database import Database
from models.address import WebhookEvent
from models.link import returned_message
from models.message import Attempt, Message, MessageState, Outcome
from notifications import dsn
from notifications.channels.by_channel import MAIL
from notifications.channels.mailbox import Mailbox
from notifications.dead import give_up
from notifications.dsn import Fate, Report

Taken = Literal["dead", "lost", "delayed", "again", "forged", "early"]
#: As what kind of try a report is kept.
_OUTCOMES: Final = {Fate.DEAD: Outcome.RECIPIENT, Fate.LOST: Outcome.PAYLOAD, Fate.DELAYED: Outcome.RETRY}
_GONE: Final = (MessageState.SENT, MessageState.DELIVERED, MessageState.UNKNOWN)
_WENT_OUT: Final = (Outcome.SENT, Outcome.AMBIGUOUS)
_BEING_SENT: Final = (MessageState.QUEUED, MessageState.DEFERRED)
logger = logging.getLogger("dondoc.notifications")


@dataclass(frozen=True, slots=True)
class Came:
    """How many mails were what; `other` are answers of people and robots, `early` those left for the next time."""

    dead: int = 0
    lost: int = 0
    delayed: int = 0
    again: int = 0
    forged: int = 0
    early: int = 0
    other: int = 0


def take_back(database: Database, mailbox: Mailbox, key: bytes, now: datetime, zone: str) -> Came:
    """Looks through the mailbox. Raises MailboxError; what was taken until then stays taken.

    Anybody may write to it: a mail that breaks on reading is put away with the rest, and the log says so.
    """
    counts = Counter[str]()
    for letter in mailbox.letters():
        taken: Taken | Literal["other"] = "other"
        try:
            report = dsn.read(letter.content, mailbox.address)
            if report is not None:
                with database.writing() as session:
                    taken = take(session, report, key, now, zone)
        except (ValueError, LookupError, DataError):
            logger.exception("a mail that came back cannot be read; it is passed over")
        counts[taken] += 1
        if taken != "early":
            letter.put_away()
    if counts:
        logger.info("mails that came back: %s", dict(counts))
    return Came(**counts)


def take(session: Session, report: Report, key: bytes, now: datetime, zone: str) -> Taken:
    """Once each time it went out: a report that was read before a crash, and is there again, changes nothing.

    Of a message that was sent again, a report about another address than its own now may be about the one before.
    """
    number = returned_message(key, report.token)
    message = None
    if number is not None:
        message = session.get(Message, number, with_for_update=True, populate_existing=True)
    if message is None:
        return "forged"
    if message.state in _BEING_SENT and message.lease_until is not None:
        return "early"  # its sender has not written yet that it is gone
    outcomes = session.scalars(select(col(Attempt.outcome)).where(col(Attempt.message_id) == message.id)).all()
    sent = sum(outcome in _WENT_OUT for outcome in outcomes)
    # A report about somebody else is about an address that the contact's own one forwards to.
    is_about = not report.recipients or message.address.lower() in report.recipients
    if sent > 1 and not is_about:
        return "again"
    fate = report.fate if is_about or report.fate is not Fate.DEAD else Fate.LOST
    seen = f"return\t{message.id}\t{sent}\t{is_about}\t{fate}\t{report.status}"
    if session.get(WebhookEvent, seen) is not None:
        return "again"
    session.add(WebhookEvent(key=seen, at=now))
    tried = Attempt(
        message_id=message.id,
        number=len(outcomes) + 1,
        at=now,
        outcome=_OUTCOMES[fate],
        code=report.status or None,
        answer=report.words or None,
    )
    session.add(tried)
    if fate is not Fate.DELAYED and message.state in _GONE:
        message.state = MessageState.BOUNCED
        session.add(message)
    session.flush()
    if fate is Fate.DEAD and message.channel in MAIL:
        give_up(session, message, now, zone)
    return fate.value

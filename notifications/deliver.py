"""How do the notices that wait become messages, and get out? Each once, whatever breaks on the way.

Its steps, each in transactions of its own, so that a crash between any two of them is mended by the next call:
1. what a dead sender left between content and outcome is unknown: never sent again blindly;
2. a message that still waits and has lost a reason, or was worded on an earlier day, is dissolved: the notices left
   over wait again;
3. the waiting notices become messages, a row each before anything is sent;
4. what is due is sent (send.py).
"""

import gc
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, between, bindparam, exists, func, insert, literal, or_, select
from sqlmodel import Session, col

from dondoc.database import Database, insert_new
from models import notice
from models.contact import Contact
from models.link import Link, UnitLink
from models.message import IS_UNSENT, Message, MessageState, is_to_try
from models.notice import IS_ANY_FREE, IS_WAITING, Notice
from models.task import Task
from models.wording import in_use
from notifications import pipeline
from notifications.channels.by_channel import MAIL, ByChannel
from notifications.channels.carrier import Carrier
from notifications.dissolve import dissolve
from notifications.item import Office
from notifications.pace import Pace
from notifications.pipeline import Batch, Bundle
from notifications.send import Clock, recover, send
from notifications.waiting import ASKING, LOOKS_BACK, read_waiting
from notifications.wording import Wordings

CONTACTS: Final = 500  #: whose notices are read and rendered at a time
#: Whether anything is to be told or sent `now`.
IS_TO_DELIVER: Final = or_(IS_ANY_FREE, exists().where(IS_UNSENT, col(Message.try_after) <= bindparam("now")))


@dataclass(frozen=True, slots=True)
class Delivered:
    """What a call did: messages made, notices dropped and held; messages by what their tries came to."""

    messages: int = 0
    sent: int = 0
    retried: int = 0
    refused: int = 0
    unknown: int = 0
    dropped: int = 0
    held: int = 0


def deliver(
    database: Database,
    carrier: Carrier,
    now: datetime,
    *,
    zone: str,
    url: str,
    key: bytes,
    pace: Pace | None = None,
    clock: Clock | None = None,
) -> Delivered:
    """Makes messages of the notices that wait and sends what is due. A second call with the same `now` adds nothing.

    `pace` None: at once, as in an office that knows neither night nor budget. `clock` tells how late it is when a wave
    begins; None: time stands still meanwhile.
    """
    with database.reading() as session:
        if not session.scalar(select(IS_TO_DELIVER), {"now": now}):
            return Delivered()
        wordings = Wordings(in_use(session))
    office = Office(carrier.channel, carrier.reply_address, url.rstrip("/"), zone, now, wordings=wordings, pace=pace)
    if isinstance(carrier, ByChannel):
        office = replace(office, channels=frozenset(carrier.others), keeps_record=carrier.keeps_record)
    counts = Counter(unknown=recover(database, office), dropped=dissolve(database, is_to_try(now), now, zone))
    counts.update(queue(database, office))
    counts.update(send(database, carrier, office, key, clock))
    return Delivered(**counts)


def queue(database: Database, office: Office) -> Counter[str]:
    """Reads and renders some contacts' notices, then writes their messages, until none is left that waits."""
    counts, after = Counter[str](), 0
    while True:
        with _uncollected():
            with database.reading() as session:
                waiting = read_waiting(session, after, CONTACTS, office.now)
            if not waiting:
                return counts
            batch = pipeline.run(waiting, office)
            first, after = waiting[0].contact.id, waiting[-1].contact.id
            with database.writing() as session:
                counts.update(_write(session, batch, between(col(Notice.contact_id), first, after), office.now))
        if len({each.contact.id for each in waiting}) < CONTACTS:
            return counts


@contextmanager
def _uncollected() -> Iterator[None]:
    """All rows of a part live until it is written: looking for garbage among them takes longer than making them."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _write(session: Session, batch: Batch, read: ColumnElement[bool], now: datetime) -> Counter[str]:
    """Message rows for the bundles whose notices all still wait; another sender may have been quicker."""
    still = set(session.scalars(select(col(Notice.id)).where(IS_WAITING, read).with_for_update()))
    dropped = [each for each in batch.dropped if each.notice_id in still]
    held = [each for each in batch.held if each.notice_id in still]
    merged = [each for each in batch.merged if each.notice_id in still]
    bundles = [each for each in batch.bundles if all(waiting.notice.id in still for waiting in each.waiting)]
    told = [waiting.notice.id for each in bundles for waiting in each.waiting]
    _write_each(session, {each.notice_id: {"dropped": each.why} for each in dropped})
    _write_each(session, {each.notice_id: {"held": each.hold.why, "held_until": each.hold.until} for each in held})
    _write_each(session, {each.notice_id: {"held": each.why} for each in merged})
    if bundles:
        # What comes after the last message so far is of these bundles, one a contact: there is one writer at a time.
        last = session.scalar(select(func.max(Message.id))) or 0
        _add(session, bundles, now)
        new = col(Message.contact_id) == col(Notice.contact_id), col(Message.id) > last
        notice.write(session, told, message_id=select(col(Message.id)).where(*new).scalar_subquery())
        _ensure_links(session, last)
    return Counter(messages=len(bundles), dropped=len(dropped), held=len(held))


def _write_each(session: Session, wanted: Mapping[int, Mapping[str, Any]]) -> None:
    """Most are written the same: one statement for these."""
    same = defaultdict[tuple[tuple[str, Any], ...], list[int]](list)
    for notice_id, values in wanted.items():
        same[tuple(values.items())].append(notice_id)
    for columns, ids in same.items():
        notice.write(session, ids, **dict(columns))


def _add(session: Session, bundles: Sequence[Bundle], now: datetime) -> None:
    """A message for each of the bundles. It does not ask for their ids: that would take several times as long."""
    tries = _tries_before(session, [each.contact.id for each in bundles], now)
    rows = [
        {
            "contact_id": each.contact.id,
            "channel": each.channel,
            "account": each.account,
            "address": each.address,
            "reference": each.reference,
            "state": MessageState.QUEUED.value,
            "subject": each.rendered.subject,
            "text": each.rendered.text if each.channel in MAIL else each.rendered.short,
            "html": each.rendered.html,
            "created_at": now,
            "try_after": now,
            "tries": tries.get((each.contact.id, each.channel, each.address), 0),
            "is_urgent": each.is_urgent,
        }
        for each in bundles
        if each.rendered is not None
    ]
    session.connection().execute(insert(Message), rows)


def _tries_before(session: Session, contact_ids: Sequence[int], now: datetime) -> dict[tuple[int, str, str], int]:
    """By contact and way: the tries of a last message that was dissolved, else no dead address would be given up."""
    last = (
        select(func.max(Message.id))
        .where(col(Message.contact_id).in_(contact_ids), col(Message.try_after) > now - LOOKS_BACK)
        .group_by(col(Message.contact_id))
    )
    query = select(col(Message.contact_id), col(Message.channel), col(Message.address), col(Message.tries)).where(
        col(Message.id).in_(last), col(Message.state) == MessageState.DROPPED.value
    )
    return {(contact, channel, address): tries for contact, channel, address, tries in session.execute(query)}


def _ensure_links(session: Session, last: int) -> None:
    """A link for each task that a unit's own contact is told of, and one to all duties or to what is behind below."""
    told, is_own = col(Notice.message_id) > last, col(Notice.rung).startswith("unit.")
    own = (
        select(col(Notice.task_id), col(Notice.contact_id), literal(1))
        .join(Task, col(Task.id) == col(Notice.task_id))
        .join(Contact, and_(col(Contact.id) == col(Notice.contact_id), col(Contact.unit_id) == col(Task.unit_id)))
        .where(told, is_own)
        .distinct()
    )
    insert_new(session, Link, ("task_id", "contact_id", "generation"), own, unless=("task_id", "contact_id"))
    asked = or_(is_own, col(Notice.kind).in_([kind.value for kind in ASKING]))
    all_duties = select(col(Notice.contact_id), literal(1)).where(told, asked).distinct()
    insert_new(session, UnitLink, ("contact_id", "generation"), all_duties, unless=("contact_id",))

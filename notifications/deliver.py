"""How does a message get out once? A row before anything is sent, a claim with a lease, an outcome for every try.

Its steps, each a transaction of its own, so that a crash between any two of them is mended by the next call:
1. what a dead sender left between content and outcome is unknown: never sent again blindly;
2. a message that still waits and has lost a reason, or was worded on an earlier day, is dissolved: the notices left
   over wait again;
3. the waiting notices become messages;
4. messages are claimed, a wave at a time;
5. just before the content of some goes out, `sending_at` is written for them, if the claim is still ours;
6. the outcome of each try is written.
"""

import gc
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Row,
    String,
    and_,
    between,
    bindparam,
    cast,
    exists,
    func,
    insert,
    literal,
    literal_column,
    or_,
    select,
    update,
)
from sqlmodel import Session, col

from dondoc.clock import moment, today
from dondoc.database import Database, insert_new
from models.arrival import settle
from models.contact import Contact, is_reachable
from models.cycle import Cycle
from models.day import calendar_of
from models.deadline import Deadline
from models.link import Link, UnitLink
from models.message import Attempt, Message, MessageState, Outcome
from models.notice import IS_ANY_FREE, IS_WAITING, Notice
from models.plan import Revision
from models.task import Task
from models.wording import in_use
from notifications import pipeline
from notifications.channels.by_channel import MAIL, ByChannel
from notifications.channels.carrier import Carrier, Letter, Result
from notifications.dead import give_up
from notifications.item import Office
from notifications.letters import read_letters
from notifications.otherwise import Way, next_way, send_otherwise
from notifications.pace import Pace
from notifications.pipeline import UNREACHABLE, Batch, Bundle, moot
from notifications.waiting import ASKING, LOOKS_BACK, read_waiting
from notifications.wording import Wordings

CONTACTS: Final = 500  #: whose notices are read and rendered at a time
WAVE: Final = 500  #: messages claimed at a time
LEASE: Final = timedelta(minutes=4)  #: what a killed sender had claimed goes out with the next round
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
#: Written out, because SQLite takes a partial index only for words that it sees.
IS_UNSENT: Final[ColumnElement[bool]] = col(Message.state).in_(
    [literal_column(f"'{state.value}'") for state in (MessageState.QUEUED, MessageState.DEFERRED)]
)
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
    database: Database, carrier: Carrier, now: datetime, *, zone: str, url: str, key: bytes, pace: Pace | None = None
) -> Delivered:
    """Makes messages of the notices that wait and sends what is due. A second call with the same `now` adds nothing.

    `pace` None: at once, as in an office that knows neither night nor budget.
    """
    with database.reading() as session:
        if not session.scalar(select(IS_TO_DELIVER), {"now": now}):
            return Delivered()
        wordings = Wordings(in_use(session))
    others = frozenset(carrier.others) if isinstance(carrier, ByChannel) else frozenset()
    office = Office(carrier.channel, carrier.reply_address, url.rstrip("/"), zone, now, others, wordings, pace)
    counts = Counter(unknown=recover(database, now), dropped=dissolve(database, now, zone))
    counts.update(queue(database, office))
    postpone(database, office)
    counts.update(send(database, carrier, now, key))
    return Delivered(**counts)


def recover(database: Database, now: datetime) -> int:
    """A lease ran out after `sending_at`: the other side may have the message. Says how many."""
    lost = and_(IS_UNSENT, col(Message.sending_at).is_not(None), col(Message.lease_until) <= now)
    with database.writing() as session:
        ids = session.scalars(select(col(Message.id)).where(lost).with_for_update()).all()
        return _record(session, dict.fromkeys(ids, Result(Outcome.AMBIGUOUS, "lease")), now)["unknown"]


def dissolve(database: Database, now: datetime, zone: str) -> int:
    """Asks of each message that waits for another try whether all that it tells still holds. Says how many do not.

    What asks and was worded on an earlier day is judged and worded anew: it may say "today" of a day that is over.
    What asks for a cycle that was paused meanwhile waits again.
    """
    begins = moment(today(now, zone), "00:00", zone)
    was_tried = exists().where(col(Attempt.message_id) == col(Message.id), col(Attempt.outcome) != Outcome.CONFIG.value)
    # Sent again because somebody said so (engine/retry.py), it has failed and no try is counted: it goes as it is.
    is_old = and_(col(Message.created_at) < begins, or_(col(Message.tries) > 0, ~was_tried))
    with database.reading() as session:
        rows = session.execute(
            select(Notice, Task, Deadline, Cycle, is_reachable(), is_old)
            .join(Message, col(Message.id) == col(Notice.message_id))
            .join(Task, col(Task.id) == col(Notice.task_id))
            .join(Deadline, col(Deadline.id) == col(Task.deadline_id))
            .join(Cycle, col(Cycle.id) == col(Task.cycle_id))
            .join(Contact, col(Contact.id) == col(Notice.contact_id))
            .where(_is_free(now))
        ).all()
    reasons = [
        (notice, moot(notice, task, deadline.due_on, cycle) if can_be_told else UNREACHABLE)
        for notice, task, deadline, cycle, can_be_told, _ in rows
    ]
    stale = {notice.message_id for notice, why in reasons if why}
    stale |= {
        notice.message_id
        for notice, _, _, cycle, _, was_before in rows
        if notice.kind in ASKING and (was_before or cycle.paused_at is not None)
    }
    if not stale:
        return 0
    with database.writing() as session:
        gone = set(session.scalars(select(col(Message.id)).where(_is_free(now)).with_for_update())) & stale
        if not gone:
            return 0
        _drop(session, gone)
        for notice, why in reasons:
            if notice.message_id in gone:
                told = {"dropped": why} if why else {"message_id": None}
                session.execute(update(Notice).where(col(Notice.id) == notice.id).values(**told))
    return sum(why is not None and notice.message_id in gone for notice, why in reasons)


def _drop(session: Session, ids: set[int]) -> None:
    """The same notices make the same reference: it is left to the message that tells them instead."""
    one = update(Message).where(col(Message.id) == bindparam("b_id"))
    freed = col(Message.reference) + "-" + cast(col(Message.id), String)
    session.connection().execute(one.values(state=MessageState.DROPPED.value), [{"b_id": id_} for id_ in ids])
    instead = select(col(Message.id), col(Message.instead_of)).where(col(Message.instead_of).is_not(None))
    before = dict(session.execute(instead).tuples().all())
    refused = {before[id_] for id_ in ids if id_ in before}
    while more := {before[id_] for id_ in refused if id_ in before} - refused:
        refused |= more
    session.connection().execute(one.values(reference=freed), [{"b_id": id_} for id_ in ids | refused])


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


def postpone(database: Database, office: Office) -> None:
    """What is due in a quiet hour waits for the next decent one, unless it is urgent: a server was down, or we were."""
    if office.pace is None:
        return
    with database.reading() as session:
        codes = session.scalars(select(col(Revision.calendar)).distinct().order_by(col(Revision.calendar))).all()
        free = {code: office.pace.next_decent(office.now, calendar_of(session, code), office.zone) for code in codes}
    for code, at in free.items():
        if at > office.now:
            with database.writing() as session:
                session.execute(update(Message).where(_is_postponed(code, office.now)).values(try_after=at))


def _is_postponed(calendar: str, now: datetime) -> ColumnElement[bool]:
    """Waits, is not urgent, and tells of a plan that keeps this calendar."""
    of_calendar = (
        exists()
        .where(col(Notice.message_id) == col(Message.id), col(Revision.calendar) == calendar)
        .where(col(Task.id) == col(Notice.task_id), col(Cycle.id) == col(Task.cycle_id))
        .where(col(Revision.id) == col(Cycle.revision_id))
        .correlate(Message)
    )
    return and_(_is_free(now), ~col(Message.is_urgent), of_calendar)


def send(database: Database, carrier: Carrier, now: datetime, key: bytes, wave: int = WAVE) -> Counter[str]:
    """Claims and sends wave by wave, until nothing is due, or nothing of a wave got through."""
    counts = Counter[str]()
    while letters := claim(database, now, key, wave):
        tries = Tries(database, now)
        for letter, result in carrier.send(letters, tries.before_content):
            tries.results[letter.message_id] = result
        tries.write()
        counts.update(tries.counts)
        if set(tries.counts) <= {"retried"}:
            break
    return counts


def claim(database: Database, now: datetime, key: bytes, wave: int = WAVE) -> list[Letter]:
    """The next wave of what is due, leased to us, with the links filled in.

    There is one writer at a time on both databases: workers that claim in turns get different messages.
    """
    due = select(col(Message.id)).where(_is_free(now)).order_by(col(Message.try_after), col(Message.id)).limit(wave)
    with database.writing() as session:
        leased = (
            update(Message)
            .where(col(Message.id).in_(due), _is_free(now))
            .values(lease_until=now + LEASE)
            .returning(col(Message.id))
        )
        ids = session.scalars(leased, execution_options={"synchronize_session": False}).all()
    if not ids:
        return []
    with database.reading() as session:
        return read_letters(session, ids, now, key)


class Tries:
    """What the tries of one wave came to; written with the next leave to send, so that both cost one commit."""

    def __init__(self, database: Database, now: datetime) -> None:
        self._database, self._now = database, now
        self.results: dict[int, Result] = {}
        self.counts = Counter[str]()

    def before_content(self, letters: Sequence[Letter]) -> set[int]:
        """Commits `sending_at` for the letters whose lease is still this one; the ids of those."""
        with self._database.writing() as session:
            self._write(session)
            leave = (
                update(Message)
                .where(
                    col(Message.id).in_([letter.message_id for letter in letters]),
                    col(Message.lease_until) == self._now + LEASE,
                    col(Message.sending_at).is_(None),
                    IS_UNSENT,
                )
                .values(sending_at=self._now)
                .returning(col(Message.id))
            )
            return set(session.scalars(leave, execution_options={"synchronize_session": False}))

    def write(self) -> None:
        with self._database.writing() as session:
            self._write(session)

    def _write(self, session: Session) -> None:
        self.counts.update(_record(session, self.results, self._now))
        self.results = {}


def _is_free(now: datetime) -> ColumnElement[bool]:
    """Due, and nobody is at it: a lease that ran out before the content is no more than a delay."""
    return and_(
        IS_UNSENT,
        col(Message.try_after) <= now,
        col(Message.sending_at).is_(None),
        or_(col(Message.lease_until).is_(None), col(Message.lease_until) <= now),
    )


def _write(session: Session, batch: Batch, read: ColumnElement[bool], now: datetime) -> Counter[str]:
    """Message rows for the bundles whose notices all still wait; another sender may have been quicker."""
    still = set(session.scalars(select(col(Notice.id)).where(IS_WAITING, read).with_for_update()))
    dropped = [{"b_id": each.notice_id, "b_why": each.why} for each in batch.dropped if each.notice_id in still]
    held = [
        {"b_id": each.notice_id, "b_why": each.hold.why, "b_until": each.hold.until}
        for each in batch.held
        if each.notice_id in still
    ]
    merged = [{"b_id": each.notice_id, "b_why": each.why} for each in batch.merged if each.notice_id in still]
    bundles = [each for each in batch.bundles if all(waiting.notice.id in still for waiting in each.waiting)]
    messages = _add(session, bundles, now)
    told = [
        {"b_id": waiting.notice.id, "b_message": message_id}
        for message_id, each in zip(messages, bundles, strict=True)
        for waiting in each.waiting
    ]
    one = update(Notice).where(col(Notice.id) == bindparam("b_id"))
    if dropped:
        session.connection().execute(one.values(dropped=bindparam("b_why")), dropped)
    if held:
        session.connection().execute(one.values(held=bindparam("b_why"), held_until=bindparam("b_until")), held)
    if merged:
        session.connection().execute(one.values(held=bindparam("b_why")), merged)
    if told:
        session.connection().execute(one.values(message_id=bindparam("b_message")), told)
        _ensure_links(session, messages)
    return Counter(messages=len(messages), dropped=len(dropped), held=len(held))


def _add(session: Session, bundles: Sequence[Bundle], now: datetime) -> Sequence[int]:
    """A message for each of the bundles; their ids."""
    if not bundles:
        return []
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
    new = insert(Message).returning(col(Message.id), sort_by_parameter_order=True)
    return session.connection().execute(new, rows).scalars().all()


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


def _ensure_links(session: Session, message_ids: Sequence[int]) -> None:
    """A link for each task that a unit's own contact is told of, and one to all duties of the unit."""
    told = (col(Notice.message_id).in_(message_ids), col(Notice.rung).startswith("unit."))
    own = select(col(Notice.task_id), col(Notice.contact_id), literal(1)).where(*told).distinct()
    insert_new(session, Link, ("task_id", "contact_id", "generation"), own, unless=("task_id", "contact_id"))
    all_duties = select(col(Notice.contact_id), literal(1)).where(*told).distinct()
    insert_new(session, UnitLink, ("contact_id", "generation"), all_duties, unless=("contact_id",))


def _record(session: Session, results: Mapping[int, Result], now: datetime) -> Counter[str]:
    """An Attempt and the new state of each message; counted by what became of it."""
    if not results:
        return Counter()
    so_far = select(func.count()).where(col(Attempt.message_id) == col(Message.id)).scalar_subquery()
    rows = session.execute(
        select(
            col(Message.id),
            col(Message.tries),
            col(Message.sending_at),
            col(Message.contact_id),
            col(Message.address),
            col(Message.channel),
            col(Message.account),
            so_far.label("attempts"),
        ).where(col(Message.id).in_(results))
    ).all()
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
    session.connection().execute(insert(Attempt), attempts)
    others = {
        row.id: next_way(session, row.id, now)
        for row in rows
        if row.channel not in MAIL and _is_refused(results[row.id].outcome, row.tries)
    }
    became = [{"b_id": row.id, **_becomes(results[row.id], row, others.get(row.id), now)} for row in rows]
    session.connection().execute(
        update(Message)
        .where(col(Message.id) == bindparam("b_id"))
        .values({name: bindparam(name) for name in became[0] if name != "b_id"}),
        became,
    )
    for row in rows:
        if results[row.id].outcome is Outcome.RECIPIENT:
            give_up(session, session.get_one(Message, row.id), now)
    for row, each in zip(rows, became, strict=True):
        other = others.get(row.id)
        if each["state"] == MessageState.REFUSED and other is not None:
            send_otherwise(session, row.id, other, now)
    settle(session, now)
    return Counter(_COUNTED[each["state"]] for each in became)


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

"""How does a message get out once? A claim with a lease, a word before its content, an outcome for every try.

Channels do not wait for each other: each sends its own messages, wave by wave, what is urgent first. A wave has the
moment at which it begins, and is judged at that moment: by then a report may have come in, or the evening. Its steps,
each a transaction of its own, so that a crash between any two of them is mended by the next call:
1. what is not urgent waits when the hour is quiet;
2. messages are claimed;
3. those that have lost a reason, or their cycle is paused, are dissolved;
4. just before the content of some goes out, `sending_at` is written for them, if the claim is still ours;
5. the outcome of each try is written.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, bindparam, select, update
from sqlmodel import Session, col

from dondoc.database import Database
from models.message import IN_TURN, IS_UNSENT, Message, Outcome, is_to_try
from notifications.channels.by_channel import MAIL
from notifications.channels.carrier import Carrier, Letter, Result
from notifications.dissolve import dissolve, postpone
from notifications.item import Office
from notifications.letters import read_letters
from notifications.record import record

WAVE: Final = 500  #: messages claimed at a time
LEASE: Final = timedelta(minutes=4)  #: what a killed sender had claimed goes out with the next round
WITHIN: Final = timedelta(minutes=1)  #: results are written, also when no letter asks to go

Clock = Callable[[], datetime]
#: Channels that one carrier serves: they fail together.
Channels = tuple[str, ...]
#: What came of their waves, and False once nothing of one got through, or it outlasted its lease: the rest waits.
_Done = tuple[Counter[str], bool]


def recover(database: Database, office: Office) -> int:
    """A lease ran out after `sending_at`: the other side may have the message. Says how many; none is sent again."""
    lost = and_(IS_UNSENT, col(Message.sending_at).is_not(None), col(Message.lease_until) <= office.now)
    with database.writing() as session:
        ids = session.scalars(select(col(Message.id)).where(lost).with_for_update()).all()
        return record(session, dict.fromkeys(ids, Result(Outcome.AMBIGUOUS, "lease")), office)["unknown"]


def send(
    database: Database, carrier: Carrier, office: Office, key: bytes, clock: Clock | None = None, wave: int = WAVE
) -> Counter[str]:
    """Sends until nothing is due, or every channel that is left has failed; what one refuses another may take.

    Without a `clock` time stands still; one that is behind the office's moment is not believed.
    """

    def moment() -> datetime:
        return office.now if clock is None else max(office.now, clock())

    def work(channels: Channels) -> _Done:
        return _send_by(channels, database, carrier, office, key, moment, wave)

    counts, failed = Counter[str](), set[Channels]()
    while channels := sorted(_due(database, moment()) - failed):
        for each, (sent, is_working) in zip(channels, _side_by_side(work, channels), strict=True):
            counts.update(sent)
            if not is_working:
                failed.add(each)
    return counts


def _side_by_side(work: Callable[[Channels], _Done], channels: Sequence[Channels]) -> list[_Done]:
    """The work of each channel in a thread of its own, that of a single one in this."""
    if len(channels) == 1:
        return [work(channels[0])]
    with ThreadPoolExecutor(len(channels)) as pool:
        # Each in a copy of what is known here: the journal says in which run something was done.
        ends = [pool.submit(copy_context().run, work, each) for each in channels]
    return [end.result() for end in ends]


def _due(database: Database, now: datetime) -> set[Channels]:
    """By which channels anything waits to be sent."""
    with database.reading() as session:
        found = session.scalars(select(col(Message.channel)).where(is_to_try(now)).distinct())
        return {MAIL if channel in MAIL else (channel,) for channel in found}


def _send_by(
    channels: Channels,
    database: Database,
    carrier: Carrier,
    office: Office,
    key: bytes,
    moment: Clock,
    wave: int,
) -> _Done:
    counts = Counter[str]()
    while True:
        here = replace(office, now=moment())
        postpone(database, here)
        ids = claim(database, here.now, wave, channels)
        if not ids:
            return counts, True
        is_ours = _is_ours(ids, here.now + LEASE)
        counts["dropped"] += dissolve(database, is_ours, here.now, here.zone)
        tries = Tries(database, here, moment)
        with database.reading() as session:
            left = session.scalars(select(col(Message.id)).where(is_ours)).all()
            letters = read_letters(session, left, here.now, key)
        for letter, result in carrier.send(letters, tries.before_content):
            tries.keep(letter, result)
        tries.write()
        counts.update(tries.counts)
        if letters and (set(tries.counts) <= {"retried"} or tries.is_late):
            return counts, False


def claim(database: Database, now: datetime, wave: int = WAVE, channels: Channels | None = None) -> Sequence[int]:
    """The next wave of what is due by some channels, or by any, leased to us.

    There is one writer at a time on both databases: workers that claim in turns get different messages.
    """
    chosen = is_to_try(now) if channels is None else and_(is_to_try(now), col(Message.channel).in_(channels))
    due = select(col(Message.id)).where(chosen).order_by(*IN_TURN).limit(wave)
    leased = (
        update(Message)
        .where(col(Message.id).in_(due), is_to_try(now))
        .values(lease_until=now + LEASE)
        .returning(col(Message.id))
    )
    with database.writing() as session:
        return session.scalars(leased, execution_options={"synchronize_session": False}).all()


def _is_ours(ids: Any, lease: Any) -> ColumnElement[bool]:
    """Claimed at this moment, not taken by anybody since, and its content has not gone out."""
    return and_(
        col(Message.id).in_(ids), col(Message.lease_until) == lease, col(Message.sending_at).is_(None), IS_UNSENT
    )


#: Made once, since it runs for every ten letters.
_LEAVE: Final = (
    update(Message)
    .where(_is_ours(bindparam("ids", expanding=True), bindparam("lease")))
    .values(sending_at=bindparam("b_at"))
    .returning(col(Message.id))
)


class Tries:
    """What the tries of one wave came to; written with the next leave to send, so that both cost one commit.

    A server that puts off every letter lets none ask for leave: then they are written when a minute is over.
    """

    def __init__(self, database: Database, office: Office, moment: Clock | None = None) -> None:
        self._database, self._office, self._now = database, office, office.now
        self._moment = moment or (lambda: office.now)
        self._written_at, self._lease = office.now, office.now + LEASE
        self._results: dict[int, Result] = {}
        self.counts = Counter[str]()
        self.is_late = False  #: the lease ran out meanwhile

    def keep(self, letter: Letter, result: Result) -> None:
        self._results[letter.message_id] = result
        if self._moment() >= self._written_at + WITHIN:
            self.write()

    def before_content(self, letters: Sequence[Letter]) -> set[int]:
        """Commits `sending_at` for the letters whose lease is still this one; the ids of those."""
        self.is_late = self.is_late or self._moment() >= self._lease
        with self._database.writing() as session:
            self._write(session)
            if self.is_late:
                return set()
            ids = [letter.message_id for letter in letters]
            return set(session.connection().scalars(_LEAVE, {"ids": ids, "lease": self._lease, "b_at": self._now}))

    def write(self) -> None:
        with self._database.writing() as session:
            self._write(session)

    def _write(self, session: Session) -> None:
        self._written_at = self._moment()
        here = replace(self._office, now=self._written_at)
        self.counts.update(record(session, self._results, here, self._lease))
        self._results = {}

"""Is a day without a mail server survived? Nothing lost, nothing twice, nothing about what was done meanwhile."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
from sqlmodel import Session, col, select

from dondoc.database import Database
from engine import submit
from engine.round import run
from models.contact import Contact
from models.message import Attempt, Message, MessageState, Outcome
from models.notice import Notice, NoticeKind
from notifications.channels.email import EmailCarrier
from tests.builders import ANSWERS, ZONE, at, province, task_of
from tests.sinks import free_port, running

KEY = b"a key of thirty-two bytes, or so"
URL = "https://dondoc.example.org"
DOWN, UP = at("2025-09-30", "08:00"), at("2025-10-01", "08:00")  #: the due day; the next rung climbs as it comes back
HOUR = timedelta(hours=1)
#: How a server is away, what each try comes to, and how many tries a message has in a day.
WAYS = {
    "nobody listens": (None, Outcome.RETRY, 8),
    "the server is closing": ("421 4.3.2 Service shutting down", Outcome.RETRY, 8),
    "the disk is full": ("452 4.3.1 Insufficient system storage", Outcome.DEFER, 4),
    "the password has changed": ("530 5.7.0 Authentication required", Outcome.CONFIG, 12),
}


class Always(dict[str, list[str]]):
    """The same answer to every recipient."""

    def __init__(self, answer: str) -> None:
        super().__init__()
        self.answer = answer

    def get(self, key: str, default: object = None) -> list[str]:
        return [self.answer]


@contextmanager
def away(port: int, answer: str | None) -> Iterator[None]:
    if answer is None:
        yield
        return
    with running(port) as sink:
        sink.to_rcpt = Always(answer)
        yield
        assert sink.mails == []


def round_at(database: Database, port: int, now: datetime) -> None:
    carrier = EmailCarrier(f"smtp://127.0.0.1:{port}", "dondoc@example.org", "Văn phòng")
    run(database, carrier, now, zone=ZONE, url=URL, key=KEY)


def hand_in(session: Session, unit: str, now: datetime) -> None:
    task = task_of(session, unit, "2025")
    submit.submit(session, task.id, by="contact:1", answers=ANSWERS, files=[], key=unit, now=now, zone=ZONE)


@pytest.mark.parametrize("way", WAYS)
def test_a_day_without_a_server_loses_nothing_and_doubles_nothing(database: Database, way: str) -> None:
    answer, outcome, most_tries = WAYS[way]
    province(database, on="2025-08-01")
    port = free_port()
    with running(port) as sink:
        for day in ("2025-09-01", "2025-09-16", "2025-09-23", "2025-09-25"):
            round_at(database, port, at(day))
        earlier = len(sink.mails)
    with away(port, answer):
        for hour in range(0, 24, 2):
            now = DOWN + hour * HOUR
            if hour == 6:
                with database.writing() as session:
                    hand_in(session, "stc", now)
            round_at(database, port, now)
    with database.reading() as session:
        waiting = select(Message).where(
            col(Message.state).in_([MessageState.QUEUED.value, MessageState.DEFERRED.value])
        )
        assert len(session.exec(waiting).all()) == 5  # four units and the receipt
        tries = session.exec(select(Attempt).where(col(Attempt.at) >= DOWN)).all()
        assert {each.outcome for each in tries} == {outcome}
        assert max(Counter(each.message_id for each in tries).values()) <= most_tries
    with running(port) as sink:
        for hour in range(0, 13, 2):  # the longest wait between two tries
            round_at(database, port, UP + hour * HOUR)
        came = Counter(mail["Message-ID"] for mail in sink.mails)
        to_stc = [mail["Subject"].partition(":")[0] for mail in sink.to("contact.stc@example.org")]
    assert set(came.values()) == {1}
    with database.reading() as session:
        messages = {each.id: each for each in session.exec(select(Message))}
        assert {each.state for each in messages.values()} <= {MessageState.SENT, MessageState.DROPPED}
        sent = [each for each in messages.values() if each.state == MessageState.SENT]
        assert len(sent) == earlier + sum(came.values())
        for notice in session.exec(select(Notice)):
            told = notice.message_id is not None and messages[notice.message_id].state == MessageState.SENT
            assert told is (notice.dropped is None), (notice.kind, notice.dropped)
        dropped = session.exec(
            select(Notice.kind, Contact.email, Notice.dropped)
            .join(Contact, col(Contact.id) == col(Notice.contact_id))
            .where(col(Notice.dropped).is_not(None))
        ).all()
    # The reminder of the day on which the report came in; everything else was told, the receipt too.
    assert dropped == [(NoticeKind.DUE_TODAY, "contact.stc@example.org", "moot.submitted")]
    assert [subject.partition(" ")[0] for subject in to_stc] == ["Giấy"]


def test_a_server_that_goes_away_with_the_content_is_not_asked_twice(database: Database) -> None:
    province(database, on="2025-08-01")
    port, now = free_port(), at("2025-09-01")
    with running(port) as sink:
        sink.to_content = [None]
        round_at(database, port, now)
    for hour in range(1, 24, 4):
        round_at(database, port, now + hour * HOUR)
    with running(port) as again:
        round_at(database, port, now + 36 * HOUR)
    came = Counter(mail["Message-ID"] for mail in [*sink.mails, *again.mails])
    assert (len(came), set(came.values())) == (5, {1})
    with database.reading() as session:
        states = Counter(session.exec(select(Message.state)).all())
    assert states == {MessageState.SENT: 4, MessageState.UNKNOWN: 1}

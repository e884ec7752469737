"""Does what is sent again, or by another way, say what is so today?"""

from datetime import datetime

import pytest

from dondoc.database import Database
from engine.retry import try_again
from models.message import Message, MessageState
from notifications.otherwise import Way, send_otherwise
from tests.builders import at, province, step_round
from tests.sinks import Sink, running
from tests.test_deliver import STC, rows, send

REMINDED, TODAY = at("2025-09-23"), at("2025-09-29")
REFUSED = "554 5.6.0 Message content rejected"


def subject_to_stc(sink: Sink) -> str:
    (mail,) = sink.to(STC)
    sink.mails.clear()
    return str(mail["Subject"])


@pytest.fixture
def refused(database: Database) -> int:
    """A reminder of 23/09 that was refused to a unit whose report is due on 30/09."""
    province(database, on="2025-08-01")
    with running() as sink:
        for day in ("2025-09-01", "2025-09-16"):
            step_round(database, at(day))
            send(database, sink.url, at(day))
        step_round(database, REMINDED)
        sink.to_content = [REFUSED] * 5
        assert send(database, sink.url, REMINDED).refused == 5
    last = [message for message in rows(database, Message) if message.address == STC][-1]
    assert "Còn 5 ngày làm việc" in last.subject
    return int(last.id)


def again(database: Database, message_id: int, now: datetime, *, as_it_was: bool = False) -> None:
    with database.writing() as session:
        try_again(session, message_id, by="office", may_arrive_twice=False, now=now, as_it_was=as_it_was)


def test_what_is_sent_again_on_a_later_day_says_what_is_left_on_that_day(database: Database, refused: int) -> None:
    again(database, refused, TODAY)
    with running() as sink:
        assert send(database, sink.url, TODAY).sent == 1
        assert "Còn 1 ngày làm việc" in subject_to_stc(sink)


def test_what_is_to_go_as_it_was_keeps_its_words(database: Database, refused: int) -> None:
    again(database, refused, TODAY, as_it_was=True)
    with running() as sink:
        assert send(database, sink.url, TODAY).sent == 1
        assert "Còn 5 ngày làm việc" in subject_to_stc(sink)


def test_what_is_sent_again_on_the_same_day_is_the_same_message(database: Database, refused: int) -> None:
    again(database, refused, REMINDED)
    with running() as sink:
        assert send(database, sink.url, REMINDED).sent == 1
        (mail,) = sink.to(STC)
    assert mail["Message-ID"] == f"<{rows(database, Message)[refused - 1].reference}@example.org>"


def test_what_goes_by_another_way_on_a_later_day_is_worded_anew(database: Database, refused: int) -> None:
    with database.writing() as session:
        other = send_otherwise(session, refused, Way("email", "", STC), TODAY)
    with running() as sink:
        assert send(database, sink.url, TODAY).sent == 1
        assert "Còn 1 ngày làm việc" in subject_to_stc(sink)
    assert rows(database, Message)[other.id - 1].state == MessageState.DROPPED

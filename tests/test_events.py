"""Does a letter put the right days into its reader's calendar, and does an event move with its day?"""

from datetime import date

import pytest
from sqlmodel import col, select

from dondoc.database import Database
from engine import extend, review
from engine.reorganise import Fresh, Order
from models.contact import Contact
from models.lineage import Succession
from models.message import Message
from models.notice import Notice, NoticeKind
from models.task import TaskState
from tests.builders import act_of, at, province, step_round, task_of
from tests.sinks import Sink, running
from tests.test_deliver import OPENED, OVERDUE, STC, hand_in, send
from tests.test_icalendar import read
from tests.test_reorganise import done


@pytest.fixture
def opened(database: Database) -> Database:
    province(database, on="2025-08-01")
    step_round(database, OPENED)
    return database


def events(sink: Sink, address: str = STC) -> list[dict[str, str]]:
    """Of each mail to the address, in their order; nothing for one that has no calendar."""
    found = []
    for mail in sink.to(address):
        parts = [part for part in mail.walk() if part.get_content_type() == "text/calendar"]
        for part in parts:
            payload = part.get_payload(decode=True)
            assert isinstance(payload, bytes)
            found.append(dict(read(payload.decode())))
        if not parts:
            found.append({})
    return found


def task_id(database: Database, unit: str = "stc") -> int:
    with database.reading() as session:
        return task_of(session, unit, "2025").id


def test_an_event_keeps_its_name_and_moves_with_the_day(opened: Database) -> None:
    with running() as sink:
        send(opened, sink.url)
        step_round(opened, at("2025-09-16"))
        send(opened, sink.url, at("2025-09-16"))
        act_of(
            opened, extend.extend, task_id(opened), "2025-09-17", due_on=date(2025, 10, 15), reason="Bão", document=None
        )
        send(opened, sink.url, at("2025-09-17", "10:00"))
        act_of(
            opened, extend.extend, task_id(opened), "2025-09-18", due_on=date(2025, 10, 31), reason="Bão", document=None
        )
        send(opened, sink.url, at("2025-09-18", "10:00"))
    found = events(sink)
    assert [each["DTSTART;VALUE=DATE"] for each in found] == ["20250930", "20250930", "20251015", "20251031"]
    assert [each["SEQUENCE"] for each in found] == ["0", "0", "1", "2"]
    assert {each["UID"] for each in found} == {f"task-{task_id(opened)}@example.org"}
    assert found[0]["SUMMARY"] == "Hạn nộp: Báo cáo kết quả hằng năm, năm 2025"
    assert "/s/" not in str(found)


def test_what_is_handed_in_is_withdrawn_once_and_comes_back_with_its_return(opened: Database) -> None:
    with running() as sink:
        send(opened, sink.url)
        hand_in(opened, "stc", at("2025-09-10"))
        send(opened, sink.url, at("2025-09-10"))
        act_of(opened, review.send_back, task_id(opened), "2025-09-11", reason="Thiếu biểu", due_on=date(2025, 10, 7))
        send(opened, sink.url, at("2025-09-11", "10:00"))
        hand_in(opened, "stc", at("2025-09-12"))
        send(opened, sink.url, at("2025-09-12", "10:00"))
        act_of(opened, review.accept, task_id(opened), "2025-09-15")
        send(opened, sink.url, at("2025-09-15", "10:00"))
    found = events(sink)
    assert [each.get("STATUS") for each in found] == ["CONFIRMED", "CANCELLED", "CONFIRMED", "CANCELLED", None]
    assert [each["SEQUENCE"] for each in found[:4]] == ["0", "1", "2", "3"]
    assert [each["DTSTART;VALUE=DATE"] for each in found[:4]] == ["20250930", "20250930", "20251007", "20251007"]
    assert len({each["UID"] for each in found[:4]}) == 1
    assert found[1]["SUMMARY"] == "Đã nộp: Báo cáo kết quả hằng năm, năm 2025"
    assert ["TRIGGER" in each for each in found[:4]] == [True, False, True, False]
    assert {each["METHOD"] for each in found[:4]} == {"PUBLISH"}


def test_what_nobody_asks_for_any_more_is_withdrawn(opened: Database) -> None:
    with running() as sink:
        send(opened, sink.url)
        with opened.writing() as session:
            task = task_of(session, "stc", "2025")
            task.state = TaskState.CANCELLED
            told = session.exec(select(Notice).where(col(Notice.task_id) == task.id)).first()
            assert told is not None
            fields = told.model_dump(exclude={"id", "message_id", "kind", "cause"})
            session.add(Notice(kind=NoticeKind.CANCELLED, cause="entry:999", **fields))
        send(opened, sink.url, at("2025-09-10"))
    (first, then) = events(sink)
    assert (then["UID"], then["SEQUENCE"], then["STATUS"]) == (first["UID"], "1", "CANCELLED")
    assert then["SUMMARY"] == "Không phải nộp nữa: Báo cáo kết quả hằng năm, năm 2025"


def test_what_a_part_of_the_unit_hands_in_instead_is_withdrawn(opened: Database) -> None:
    task, part, day = task_id(opened), Fresh("tc-b", "Chi bộ B"), date(2025, 9, 10)
    with running() as sink:
        send(opened, sink.url)
        order = Order(Succession.SPLIT, ("stc",), day, None, (part,), stays=True, tasks={task: "tc-b"})
        done(opened, order, f"{day}")
        send(opened, sink.url, at(f"{day}"))
    (first, then) = events(sink)
    assert (then["UID"], then["SEQUENCE"], then["STATUS"]) == (first["UID"], "1", "CANCELLED")
    assert then["SUMMARY"] == "Không phải nộp nữa: Báo cáo kết quả hằng năm, năm 2025"


def test_what_was_never_told_is_not_withdrawn(opened: Database) -> None:
    hand_in(opened, "stc", at("2025-09-10"))
    with running() as sink:
        send(opened, sink.url, at("2025-09-10"))
    assert events(sink) == [{}]  # the receipt alone: that it was open had become moot


def test_what_a_chat_told_is_withdrawn_by_the_letter_of_record(opened: Database) -> None:
    with running() as sink:
        send(opened, sink.url)
        with opened.writing() as session:
            session.exec(select(Message).where(col(Message.address) == STC)).one().channel = "zalobot"
        hand_in(opened, "stc", at("2025-09-10"))
        send(opened, sink.url, at("2025-09-10"))
    assert [each["STATUS"] for each in events(sink)] == ["CONFIRMED", "CANCELLED"]


def test_units_to_chase_are_nobodys_own_days(opened: Database) -> None:
    with running() as sink:
        send(opened, sink.url)
        for now in (at("2025-10-01"), OVERDUE):
            step_round(opened, now)
            send(opened, sink.url, now)
    lists = events(sink, "secretariat.duk@example.org")
    assert lists
    assert not any(lists)


def test_an_event_speaks_the_language_of_its_reader(opened: Database) -> None:
    with opened.writing() as session:
        session.exec(select(Contact).where(col(Contact.email) == STC)).one().lang = "en"
    with running() as sink:
        send(opened, sink.url)
    (event,) = events(sink)
    assert event["SUMMARY"] == "Due: Yearly report, 2025"

"""Does a letter put the right days into its reader's calendar, and does an event move with its day?"""

from datetime import date

import pytest
from sqlmodel import col, select

from dondoc.database import Database
from engine import extend, review
from models.contact import Contact
from tests.builders import act_of, at, province, step_round, task_of
from tests.sinks import Sink, running
from tests.test_deliver import OPENED, OVERDUE, STC, hand_in, send
from tests.test_icalendar import read


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


def test_what_is_done_or_somebody_elses_is_no_event(opened: Database) -> None:
    with running() as sink:
        send(opened, sink.url)
        hand_in(opened, "stc", at("2025-09-10"))
        send(opened, sink.url, at("2025-09-10"))
        act_of(opened, review.send_back, task_id(opened), "2025-09-11", reason="Thiếu biểu", due_on=date(2025, 10, 7))
        send(opened, sink.url, at("2025-09-11", "10:00"))
        assert [each.get("DTSTART;VALUE=DATE") for each in events(sink)] == ["20250930", None, "20251007"]
        for now in (at("2025-10-01"), OVERDUE):
            step_round(opened, now)
            send(opened, sink.url, now)
    lists = events(sink, "secretariat.duk@example.org")
    assert lists
    assert not any(lists)  # units to chase are nobody's own days


def test_an_event_speaks_the_language_of_its_reader(opened: Database) -> None:
    with opened.writing() as session:
        session.exec(select(Contact).where(col(Contact.email) == STC)).one().lang = "en"
    with running() as sink:
        send(opened, sink.url)
    (event,) = events(sink)
    assert event["SUMMARY"] == "Due: Yearly report, 2025"

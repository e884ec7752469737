"""Does a calendar program read what we write? Folding and escaping of RFC 5545, read back by rules of its own."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.icalendar import WIDTH, Event, written

NOW = datetime(2025, 9, 23, 1, tzinfo=UTC)
EVENT = Event("task-7", 1, date(2025, 12, 31), "Hạn nộp: Báo cáo", "Căn cứ mục II.8.3.")


def read(text: str) -> list[tuple[str, str]]:
    """(name with its parameters, value) line by line, unfolded and unescaped as the RFC says."""
    lines = text.replace("\r\n ", "").removesuffix("\r\n").split("\r\n")
    pairs = [line.partition(":")[::2] for line in lines]
    return [(name, unescaped(value)) for name, value in pairs]


def unescaped(value: str) -> str:
    letters, rest = "", value
    while rest:
        letter, rest = rest[0], rest[1:]
        if letter == "\\":
            letter, rest = {"n": "\n"}.get(rest[0], rest[0]), rest[1:]
        letters += letter
    return letters


def test_a_due_day_lasts_the_whole_day_and_reminds_the_morning_before() -> None:
    event = Event("task-7", 2, date(2025, 12, 31), "Báo cáo", "Mục II", alarm=timedelta(hours=16))
    assert read(written([event], "example.org", NOW)) == [
        ("BEGIN", "VCALENDAR"),
        ("VERSION", "2.0"),
        ("PRODID", "-//dondoc//vi"),
        ("METHOD", "PUBLISH"),
        ("BEGIN", "VEVENT"),
        ("UID", "task-7@example.org"),
        ("SEQUENCE", "2"),
        ("DTSTAMP", "20250923T010000Z"),
        ("DTSTART;VALUE=DATE", "20251231"),
        ("DTEND;VALUE=DATE", "20260101"),
        ("SUMMARY", "Báo cáo"),
        ("DESCRIPTION", "Mục II"),
        ("STATUS", "CONFIRMED"),
        ("TRANSP", "TRANSPARENT"),
        ("BEGIN", "VALARM"),
        ("ACTION", "DISPLAY"),
        ("DESCRIPTION", "Báo cáo"),
        ("TRIGGER", "-PT960M"),
        ("END", "VALARM"),
        ("END", "VEVENT"),
        ("END", "VCALENDAR"),
    ]


def test_where_hours_count_the_event_is_a_moment() -> None:
    event = Event(
        "task-7", 0, date(2025, 9, 24), "Báo cáo nhanh", "Mục II.4", at=datetime(2025, 9, 24, 7, 30, tzinfo=UTC)
    )
    found = dict(read(written([event], "example.org", NOW)))
    assert found["DTSTART"] == "20250924T073000Z"
    assert "DTEND;VALUE=DATE" not in found


def test_what_is_over_is_the_same_event_cancelled() -> None:
    over = replace(EVENT, sequence=2, is_over=True, is_tentative=True)
    found = dict(read(written([over], "example.org", NOW)))
    assert (found["UID"], found["SEQUENCE"], found["STATUS"]) == ("task-7@example.org", "2", "CANCELLED")


@given(st.text(min_size=1, max_size=300))
def test_words_come_back_as_they_were_and_no_line_is_too_long(words: str) -> None:
    text = written([Event("task-7", 0, date(2025, 12, 31), words, words)], "example.org", NOW)
    assert max(len(line.encode()) for line in text.split("\r\n")) <= WIDTH
    assert "\n" not in text.replace("\r\n", "")
    seen = "".join(letter if letter.isprintable() or letter == "\n" else " " for letter in words_of(words))
    assert dict(read(text))["SUMMARY"] == seen


def words_of(words: str) -> str:
    return words.replace("\r\n", "\n").replace("\r", "\n")


@pytest.mark.parametrize(
    "evil", ["x\r\nEND:VEVENT\r\nBEGIN:VEVENT", "x\nATTACH:https://example.org", "x\x0bURL:y\x85z"]
)
def test_no_word_of_a_title_begins_a_line(evil: str) -> None:
    lines = [
        name for name, _ in read(written([Event("task-7", 0, date(2025, 12, 31), evil, evil)], "example.org", NOW))
    ]
    assert lines == [name for name, _ in read(written([EVENT], "example.org", NOW))]

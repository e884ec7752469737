"""Does the calendar say what is due, opened or still to open, and which days do not count; to each what is theirs?"""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from dondoc.database import Database
from engine import extend, revise
from models.user import UserRole
from notifications.icalendar import WIDTH
from tests.builders import YEARLY, act_of, at, hand_in, vn_state
from tests.desk import Desk, busied, opened_desk, sqlite_desk

DEEP = YEARLY.replace("doan-the]", "doan-the, chi-bo-truc-thuoc]")


@pytest.fixture
def desk(sqlite_template: Path, tmp_path: Path) -> Iterator[Desk]:
    with sqlite_desk(sqlite_template, tmp_path) as desk:
        yield desk


@pytest.fixture
def desk_anywhere(database: Database, tmp_path: Path) -> Iterator[Desk]:
    with opened_desk(database, tmp_path / "data") as desk:
        yield desk


def extended(desk: Desk, task: int, due_on: date) -> None:
    act_of(desk.database, extend.extend, task, "2021-12-20", due_on=due_on, reason="Bão", document=None)


def listed(text: str) -> list[tuple[str, str]]:
    """(day, words on how it stands) of the list of due days."""
    dues = text.partition('id="dues"')[2].partition('id="off"')[0]
    found = re.findall(r'<li[^>]*><time datetime="([\d-]+)">.*?</p>\s*<p>(.*?)</p></div></li>', dues, re.DOTALL)
    return [(day, " ".join(re.sub(r"<[^>]+>", " ", words).split())) for day, words in found]


def test_the_year_of_the_plans_tells_how_many_were_accepted(desk_anywhere: Desk) -> None:
    busied(desk_anywhere)
    assert listed(desk_anywhere.get("/calendar?year=2021").text) == [("2021-12-31", "1 trên 3 đã nhận")]
    assert listed(desk_anywhere.get("/calendar?year=2022").text) == [
        ("2022-01-07", "Dời cho 1 đơn vị: 0 trên 1 đã nhận"),
        ("2022-01-14", "Dời cho 1 đơn vị: 0 trên 1 đã nhận"),
        ("2022-09-30", "chưa mở, mở 31/08/2022"),
    ]


def test_what_is_not_opened_yet_stands_there_with_its_day_of_opening(desk_anywhere: Desk) -> None:
    text = desk_anywhere.get("/calendar?year=2022").text
    assert listed(text) == [("2022-09-30", "chưa mở, mở 31/08/2022")]
    assert 'href="/cycles/' not in text.partition("<main")[2]


def test_the_year_of_a_unit_shows_its_own_tasks_and_days(desk_anywhere: Desk) -> None:
    desk = desk_anywhere
    extended(desk, desk.task_id("cam"), date(2022, 1, 8))
    hand_in(desk.database, desk.task_id("stc"), "2021-12-20")
    assert listed(desk.get("/calendar?year=2021&unit=stc").text) == [("2021-12-31", "● Đã nộp đúng hạn")]
    assert listed(desk.get("/calendar?year=2021&unit=cam").text) == []
    assert listed(desk.get("/calendar?year=2022&unit=cam").text) == [
        ("2022-01-08", "… Chưa đến hạn"), ("2022-09-30", "chưa mở, mở 31/08/2022"),
    ]  # fmt: skip


def test_a_unit_that_nothing_is_asked_of_has_an_empty_year(desk_anywhere: Desk) -> None:
    text = desk_anywhere.get("/calendar?year=2022&unit=snv-1").text
    assert listed(text) == []
    assert "Không có hạn nào trong năm 2022." in text


def test_days_off_stand_with_their_name_and_decision(desk: Desk) -> None:
    text = desk.get("/calendar?year=2022").text
    assert 'class="off " title="' in text
    row = next(row for row in vn_state().days.values() if row.on == date(2022, 4, 30) or row.on == date(2022, 5, 2))
    assert row.name.vi in text
    assert (row.decision or row.source) in text


def test_a_year_without_a_decision_says_that_it_is_provisional(desk: Desk) -> None:
    assert "tạm tính" not in desk.get("/calendar?year=2022").text
    with desk.database.writing() as session:
        revise.apply_calendar(
            session, replace(vn_state(), decided=frozenset({2021})), by="office", now=at("2021-12-20")
        )
    text = desk.get("/calendar?year=2022").text
    assert "Năm 2022 chưa có quyết định ngày nghỉ" in text
    assert "tạm tính: năm này chưa có quyết định ngày nghỉ" in text


def test_the_months_ahead_draw_what_runs_and_what_is_planned(desk: Desk) -> None:
    text = desk.get("/calendar").text
    assert re.findall(r'<rect class="(running|planned|done)"', text) == ["running", "planned"]
    assert 'aria-label="năm 2021: 31/12/2021; năm 2022: 30/09/2022"' in text


def test_a_unit_is_found_by_a_part_of_its_name(desk: Desk) -> None:
    assert "Lịch năm 2021 của Đảng bộ Sở Y tế" in desk.get("/calendar", params={"unit": "so y te"}).text
    text = desk.get("/calendar", params={"unit": "so noi vu"}).text
    assert re.findall(r'<a class="btn quiet" href="/calendar\?unit=([\w-]+)', text) == ["snv-2", "snv-1", "snv"]
    assert "Không có đơn vị nào" in desk.get("/calendar", params={"unit": "nowhere"}).text


def test_a_reader_finds_no_unit_outside_their_own(database: Database, tmp_path: Path) -> None:
    with opened_desk(database, tmp_path / "data", plan=DEEP) as desk:
        own = desk.seen_by(UserRole.VIEWER, "snv")
        assert listed(own.get("/calendar?year=2021").text) == [("2021-12-31", "0 trên 3 đã nhận")]
        for name in ("stc", "Sở Tài chính"):
            text = own.get("/calendar", params={"unit": name}).text
            assert "Không có đơn vị nào" in text
            assert "Chi bộ Sở Tài chính" not in text
        assert own.get("/calendar.ics?unit=stc").status_code == 404
        assert own.get("/calendar.ics?unit=snv-1").status_code == 200


def test_a_strange_address_is_answered_with_a_page(desk_anywhere: Desk) -> None:
    for query in ("year=0", "year=99999", "year=x", "plan=nowhere", "unit=%00", "unit=%25", "year=2100", "year=2000"):
        assert desk_anywhere.get(f"/calendar?{query}").status_code == 200, query


def test_an_office_without_plans_says_what_to_do_next(sqlite_template: Path, tmp_path: Path) -> None:
    with sqlite_desk(sqlite_template, tmp_path) as desk:
        assert "Chưa có kế hoạch nào" in desk.get("/calendar?plan=nowhere").text


# For the reader's own calendar program


def unfolded(content: bytes) -> list[str]:
    return content.decode().replace("\r\n ", "").split("\r\n")


def test_the_file_holds_an_event_a_due_day_that_stays_itself_when_it_moves(desk: Desk) -> None:
    def event() -> dict[str, str]:
        lines = unfolded(desk.get("/calendar.ics?unit=stc").content)
        first = lines[lines.index("BEGIN:VEVENT") : lines.index("END:VEVENT")]
        return dict(line.split(":", 1) for line in first)

    before = event()
    assert before["UID"] == "kl01.annual-report.2021.stc@office.example.org"
    assert (before["DTSTART;VALUE=DATE"], before["DTEND;VALUE=DATE"]) == ("20211231", "20220101")
    assert before["SUMMARY"] == "Báo cáo kết quả hằng năm\\, năm 2021"
    assert before["URL"].endswith(f"/tasks/{desk.task_id('stc')}")
    extended(desk, desk.task_id("stc"), date(2022, 1, 14))
    after = event()
    assert after["UID"] == before["UID"]
    assert after["DTSTART;VALUE=DATE"] == "20220114"
    assert int(after["SEQUENCE"]) > int(before["SEQUENCE"])


def test_what_is_not_opened_yet_is_tentative_and_becomes_the_same_event(desk: Desk) -> None:
    text = desk.get("/calendar.ics?unit=stc").text
    assert re.findall(r"STATUS:(\w+)", text) == ["CONFIRMED", "TENTATIVE"]
    assert "UID:kl01.annual-report.2022.stc@office.example.org" in text


def test_no_line_of_the_file_is_longer_than_programs_read(desk: Desk) -> None:
    answer = desk.get("/calendar.ics?unit=stc")
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="stc.ics"'
    assert max(len(line) for line in answer.content.split(b"\r\n")) <= WIDTH
    assert answer.content.endswith(b"END:VCALENDAR\r\n")
    assert desk.get("/calendar.ics?unit=nowhere").status_code == 404

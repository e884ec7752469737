"""Does the board show who owes what, in few queries, and do its sums agree with the rows?"""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from itertools import product
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import event
from sqlmodel import col, select

from dondoc import alphabet, clock
from dondoc.database import Database
from engine import extend, review, revise, sign_in
from engine.shown import shown
from models.board import shown_state
from models.deadline import Deadline
from models.task import Task, TaskState
from models.unit import Placement, path_of
from models.user import UserRole, UserScope
from schedules.calendars import Day
from schedules.plan import Text
from tests.builders import YEARLY, ZONE, act_of, at, hand_in, step_round, unit_id, vn_state
from tests.desk import SESSION, Desk, busied, opened_desk, sqlite_desk
from web import board as pages
from web import words

#: The yearly report, owed by the cells as well.
DEEP = YEARLY.replace("doan-the]", "doan-the, chi-bo-truc-thuoc]")


@pytest.fixture
def busy(sqlite_template: Path, tmp_path: Path) -> Iterator[Desk]:
    with sqlite_desk(sqlite_template, tmp_path) as desk:
        yield busied(desk)


@pytest.fixture
def busy_anywhere(database: Database, tmp_path: Path) -> Iterator[Desk]:
    """The same on each kind of database."""
    with opened_desk(database, tmp_path / "data") as desk:
        yield busied(desk)


def cells(text: str) -> dict[str, str]:
    """What the board says in words, by unit; one column."""
    rows = re.findall(r'<tr id="u\d+">\s*<th scope="row">(.*?)</th>(.*?)</tr>', text, re.DOTALL)
    found = {}
    for head, body in rows:
        name = re.findall(r'title="([^"]+)"', head)[0]
        found[name] = re.findall(r'<span class="vh">([^<]+)</span>', body)[0]
    return found


def test_each_cell_says_how_the_unit_stands(busy_anywhere: Desk) -> None:
    assert cells(busy_anywhere.get("/?year=2021").text) == {
        "Chi bộ Cảng vụ": "gia hạn đến 14/01/2022",
        "Chi bộ Sở Tài chính": "đã nhận",
        "Chi bộ Thanh tra tỉnh": "không yêu cầu",
        "Đảng bộ Sở Nội vụ": "nộp trễ",
        "Đảng bộ Sở Y tế": "trả lại",
        "Đoàn Khối các cơ quan tỉnh": "quá hạn 2 ngày làm việc",
    }


def test_the_day_at_the_head_is_the_plans_although_some_were_extended(busy: Desk) -> None:
    assert "<small>31/12</small>" in busy.get("/?year=2021").text


def test_what_is_still_open_stands_on_the_board_of_this_year_too(busy: Desk) -> None:
    assert len(cells(busy.get("/").text)) == 6


def test_the_top_counts_what_needs_somebody_today_and_leads_to_it(busy: Desk) -> None:
    shown_ = busy.get("/").text
    counts = dict(re.findall(r'href="([^"]+)"><b[^>]*>([^<]+)</b> <span>', shown_))
    assert counts == {
        "/?year=all&amp;state=submitted": "1",
        "/?year=all&amp;state=overdue": "1",
        "/?year=all&amp;state=not_due": "7/1",
    }
    assert list(cells(busy.get("/?year=all&state=submitted").text)) == ["Đảng bộ Sở Nội vụ"]
    assert list(cells(busy.get("/?year=all&state=overdue").text)) == ["Đoàn Khối các cơ quan tỉnh"]


@pytest.mark.parametrize("find", ["so noi vu", "SỞ NỘI", "  sở   nội vụ ", "snv"])
def test_a_unit_is_found_without_accents_and_by_its_code(busy: Desk, find: str) -> None:
    found = cells(busy.get("/", params={"find": find}).text)
    assert "Đảng bộ Sở Nội vụ" in found
    assert "Chi bộ Sở Tài chính" not in found


def test_a_search_reaches_the_units_below_and_names_their_superior(busy: Desk) -> None:
    shown_ = busy.get("/", params={"find": "thanh tra so"}).text
    assert list(cells(shown_)) == ["Chi bộ Thanh tra Sở Nội vụ"]
    assert '<small class="above">Đảng bộ Sở Nội vụ</small>' in shown_


def test_overdue_units_come_first_when_asked_for(busy: Desk) -> None:
    assert next(iter(cells(busy.get("/?order=overdue").text))) == "Đoàn Khối các cơ quan tỉnh"


def test_a_strange_address_is_answered_with_a_page(busy_anywhere: Desk) -> None:
    for query in (
        "superior=nowhere", "plan=nowhere", "year=1900", "year=x", "page=99", f"page={10**40}", f"page={'9' * 5000}",
        f"year={'9' * 5000}", "page=٣", "state=nothing",
        "find=%00'%25", "superior=%00&plan=%00", "unknown=1",
    ):  # fmt: skip
        assert busy_anywhere.get(f"/?{query}").status_code == 200, query


def test_an_office_where_nothing_was_opened_says_what_to_do_next(database: Database, tmp_path: Path) -> None:
    with opened_desk(database, tmp_path / "data", opened="2021-10-02") as desk:
        assert "Chưa có đợt nào mở" in desk.get("/").text


def test_one_rule_shows_a_task_in_python_and_in_the_database(busy_anywhere: Desk) -> None:
    busy = busy_anywhere
    days = (date(2021, 12, 1), date(2022, 1, 5), date(2022, 2, 1))
    with busy.database.writing() as session:
        task = session.get_one(Task, busy.task_id("doan-khoi"))
        for state, is_late, on in product(TaskState, (None, False, True), days):
            now = at(on.isoformat())
            task.state, task.is_late = state, is_late
            session.add(task)
            session.flush()
            query = select(Task, Deadline, shown_state(on, now))
            joined = query.join(Deadline, col(Deadline.id) == col(Task.deadline_id))
            for each, deadline, code in session.execute(joined):
                one = shown(each, deadline, on, vn_state(), now)
                assert (one.state, one.is_missed) == (code.replace("missed", "overdue"), code == "missed")
        session.rollback()


@pytest.fixture
def deep(database: Database, tmp_path: Path) -> Iterator[Desk]:
    """The same province, where the cells report as well."""
    with opened_desk(database, tmp_path / "data", plan=DEEP) as desk:
        hand_in(database, desk.task_id("snv-1"), "2021-12-20")
        act_of(database, review.accept, desk.task_id("snv-1"), "2021-12-20")
        yield desk


def test_branches_are_summed_up_and_lead_to_their_own_board(deep: Desk) -> None:
    text = deep.get("/").text
    rolls = re.findall(r'<tr class="roll">.*?</tr>', text, re.DOTALL)
    names = [re.findall(r'title="([^"]+)"', roll)[0] for roll in rolls]
    assert names == ["Tất cả các cấp", "Các đơn vị trực thuộc", "Đảng bộ Sở Nội vụ"]
    sums = [re.findall(r"(\d+)<small>/(\d+)</small>", roll) for roll in rolls]
    assert sums == [[("1", "8")], [("0", "6")], [("1", "2")]]
    assert 'href="/?superior=snv"' in rolls[2]
    below = deep.get("/?superior=snv").text
    assert list(cells(below)) == ["Đảng bộ Sở Nội vụ", "Chi bộ Thanh tra Sở Nội vụ", "Chi bộ Văn phòng Sở Nội vụ"]


def test_a_filter_by_state_reaches_every_level(deep: Desk) -> None:
    text = deep.get("/?state=accepted").text
    assert list(cells(text)) == ["Chi bộ Văn phòng Sở Nội vụ"]
    assert '<small class="above">Đảng bộ Sở Nội vụ</small>' in text


def test_a_unit_that_moved_shows_its_task_where_it_stood_at_opening(deep: Desk) -> None:
    with deep.database.writing() as session:
        place = session.exec(select(Placement).where(col(Placement.unit_id) == unit_id(session, "snv-1"))).one()
        syt = session.exec(select(Placement).where(col(Placement.unit_id) == unit_id(session, "syt"))).one()
        place.valid_to = date(2021, 12, 15)
        later: dict[str, Any] = {
            "parent_id": syt.unit_id,
            "path": path_of(place.unit_id, syt.path),
            "valid_from": place.valid_to,
        }
        session.add(Placement(unit_id=place.unit_id, kind=place.kind, **later))
    rolls = re.findall(r'<tr class="roll">.*?</tr>', deep.get("/").text, re.DOTALL)
    assert [re.findall(r'title="([^"]+)"', roll)[0] for roll in rolls][2:] == ["Đảng bộ Sở Nội vụ"]
    assert "Chi bộ Văn phòng Sở Nội vụ" in cells(deep.get("/?superior=snv&year=2021").text)


def test_a_page_holds_at_most_so_many_cells(deep: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = list(cells(deep.get("/").text))
    monkeypatch.setattr(pages, "MAX_CELLS", 4)
    found = [name for number in (1, 2, 3) for name in cells(deep.get(f"/?page={number}").text)]
    assert found == whole
    assert 'href="/?page=2"' in deep.get("/").text


def test_a_search_that_finds_very_many_units_shows_so_many_and_says_that_there_are_more(
    deep: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "5 đơn vị" in deep.get("/?find=chi").text
    monkeypatch.setattr(pages, "MAX_CELLS", 3)
    for query in ("find=chi", "find=chi&order=overdue"):
        text = deep.get(f"/?{query}").text
        assert "3+ đơn vị" in text, query
        assert len(cells(text)) == 3, query


@pytest.mark.parametrize("unit", [None, "snv"])
@pytest.mark.parametrize(
    "path", ["/?", "/?find=thanh%20tra&", "/?state=overdue&", "/?order=overdue&", "/?superior=snv&"]
)
def test_the_board_needs_at_most_four_queries(deep: Desk, path: str, unit: str | None) -> None:
    """In a real office that had its round, besides those of the session and the frame; a late round costs one more."""
    deep.into_real_time()
    clerk = deep.seen_by(UserRole.SECRETARIAT, unit)
    clerk.get(f"{path}year=2021")  # the first time it reads the calendar too
    frame = selects(deep, lambda: clerk.get("/account"))
    board = selects(deep, lambda: clerk.get(f"{path}year=2021"))
    own = [each for each in board if each not in frame]
    assert 1 <= len(own) <= 4, own


def selects(desk: Desk, ask: Callable[[], httpx.Response]) -> list[str]:
    """The queries of one answer."""
    statements: list[str] = []

    def note(*given: Any) -> None:
        if given[2].startswith("SELECT"):
            statements.append(given[2])

    event.listen(desk.database.engine, "before_cursor_execute", note)
    assert ask().status_code == 200
    event.remove(desk.database.engine, "before_cursor_execute", note)
    return statements


def test_another_day_off_is_seen_at_once(busy: Desk) -> None:
    assert "quá hạn 2 ngày làm việc" in busy.get("/").text
    with busy.database.writing() as session:
        days = dict(vn_state().days) | {
            date(2022, 1, 4): Day(date(2022, 1, 4), True, Text("Nghỉ bão", "Storm"), "Quyết định mẫu")
        }
        revise.apply_calendar(session, replace(vn_state(), days=days), by="office", now=at("2022-01-05"))
    assert "quá hạn 1 ngày làm việc" in busy.get("/").text


def test_names_stand_in_the_order_of_the_alphabet() -> None:
    names = ["Chi bộ 10", "Đoàn", "Ân", "Chi bộ 2", "An", "Dân", "Ăn", "Ông", "Ơn", "On", "Án", "ba"]
    assert sorted(names, key=alphabet.order) == [
        "An", "Án", "Ăn", "Ân", "ba", "Chi bộ 2", "Chi bộ 10", "Dân", "Đoàn", "On", "Ông", "Ơn",
    ]  # fmt: skip


def test_the_heads_of_columns_name_another_year_only() -> None:
    heads = [words.short_period(label, "vi", 2025) for label in ("2025", "2025-08", "2024-08", "2025-H2", "2021..2023")]
    assert heads == ["2025", "T8", "T8/24", "6T cuối", "2021–23"]


# Days that the office set


@pytest.fixture
def office_set(sqlite_template: Path, tmp_path: Path) -> Iterator[Desk]:
    """The same province, whose document gives no day for the report."""
    plan = YEARLY.replace("    source: II.8.3\n", "    source: II.8.3\n    set_by: office\n")
    with sqlite_desk(sqlite_template, tmp_path / "office-set", plan=plan) as desk:
        yield desk


@pytest.mark.parametrize(
    ("lang", "mark", "reason"),
    [
        ("vi", "văn phòng đặt, văn bản không ghi ngày", "Văn bản không ấn định ngày; văn phòng đặt"),
        ("en", "set by the office, the document gives no day", "The document leaves the day open; the office set it"),
    ],
)
def test_a_day_of_the_office_is_marked_wherever_it_stands(
    office_set: Desk, busy: Desk, lang: str, mark: str, reason: str
) -> None:
    for desk, is_marked in ((office_set, True), (busy, False)):
        for path in ("/", "/cycles/1", f"/tasks/{desk.task_id()}"):
            assert (mark in desk.get(f"{path}?lang={lang}").text) is is_marked, path
        for path in ("/cycles/1", f"/tasks/{desk.task_id()}", desk.link("doan-khoi")):
            assert (reason in desk.get(f"{path}?lang={lang}").text) is is_marked, path


def test_the_head_of_the_column_and_the_legend_carry_the_mark(office_set: Desk) -> None:
    page = office_set.get("/").text
    assert '<small>31/12<span aria-hidden="true">*</span><span class="vh"> văn phòng đặt' in page
    assert '<b aria-hidden="true">*</b> Văn phòng đặt' in page


def test_a_day_that_was_extended_is_no_setting_of_the_plan(office_set: Desk) -> None:
    task = office_set.task_id("cam")
    act_of(
        office_set.database, extend.extend, task, "2021-12-20", due_on=date(2022, 1, 14), reason="Bão", document=None
    )
    assert "văn bản không ghi ngày" not in office_set.get(f"/tasks/{task}").text.lower()


# Several plans


def test_the_plan_that_most_needs_somebody_stands_first_and_its_links_stay_with_it(busy: Desk) -> None:
    assert "?plan=kl" not in busy.get("/").text.partition('<form class="filters"')[0]
    with busy.database.writing() as session:
        text = YEARLY.replace("plan: kl01", "plan: kl02").encode()
        revise.apply_plan(session, text, "kl02.yaml", by="office", now=at("2021-10-01"), zone=ZONE)
    step_round(busy.database, at("2022-01-05"))
    page = busy.get("/").text
    assert '<option value="kl02" selected>' in page
    assert 'href="/?plan=kl02&amp;year=all&amp;state=overdue"' in page
    assert '<option value="kl01" selected>' in busy.get("/?plan=kl01").text


# Who sees what


OUTSIDE = ("Tỉnh ủy", "Đảng ủy Khối", "Sở Y tế", "Sở Tài chính", "Cảng vụ", "Thanh tra tỉnh", "Đoàn Khối")


@pytest.mark.parametrize(
    "query", ["", "year=all", "state=not_due&year=all", "find=chi", "find=so", "order=overdue", "superior=snv-1"]
)
def test_a_secretary_sees_their_own_tree_and_no_name_besides(deep: Desk, query: str) -> None:
    text = deep.seen_by(UserRole.SECRETARIAT, "snv").get(f"/?{query}").text
    assert "Sở Nội vụ" in text
    assert not [name for name in OUTSIDE if name in text.partition("<main")[2]]


def test_the_board_of_a_secretary_begins_at_their_unit_and_counts_what_is_theirs(deep: Desk) -> None:
    deep.move_clock("2022-01-05")
    own = deep.seen_by(UserRole.SECRETARIAT, "snv")
    text = own.get("/").text
    assert list(cells(text)) == ["Đảng bộ Sở Nội vụ", "Chi bộ Thanh tra Sở Nội vụ", "Chi bộ Văn phòng Sở Nội vụ"]
    assert re.findall(r'<b class="danger">(\d+)</b>', text) == ["2"]
    assert re.findall(r'<b class="danger">(\d+)</b>', deep.get("/").text) == ["7"]
    assert "Không có đơn vị này" in own.get("/?superior=duk").text
    assert own.get("/?superior=duk").text.count("Không có") == own.get("/?superior=nowhere").text.count("Không có")


def test_whoever_has_a_role_at_two_units_chooses_between_them(deep: Desk) -> None:
    both = deep.user(UserRole.VIEWER, "snv-1")
    with deep.database.writing() as session:
        session.add(UserScope(user_id=both.id, role=UserRole.VIEWER, unit_id=unit_id(session, "syt")))
        token = sign_in.begin(session, both, agent="test", now=clock.now(), is_whole=True)
    headers = {"cookie": f"{SESSION}={token}"}
    text = deep.get("/", headers=headers).text
    assert list(cells(text)) == ["Đảng bộ Sở Y tế"]
    assert '<option value="snv-1">Chi bộ Văn phòng Sở Nội vụ</option>' in text
    assert list(cells(deep.get("/?superior=snv-1", headers=headers).text)) == ["Chi bộ Văn phòng Sở Nội vụ"]


def test_a_plan_that_asks_nothing_of_ones_units_is_not_there(busy: Desk) -> None:
    assert "Chưa có đợt nào mở" in busy.seen_by(UserRole.VIEWER, "snv-1").get("/").text

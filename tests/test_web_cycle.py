"""Does the page of a cycle show each reader their part of it, and pause it for those who may?"""

import re
from collections.abc import Iterator
from contextvars import copy_context
from datetime import date
from pathlib import Path

import pytest

from engine.note import write_note
from engine.review import accept
from models.cycle import Cycle
from models.entry import Entry, acting_run
from models.note import NoteKind
from models.step import Step
from models.user import UserRole
from tests.builders import act_of, at, step_round
from tests.desk import Desk, busied, sqlite_desk


@pytest.fixture
def desk(sqlite_template: Path, tmp_path: Path) -> Iterator[Desk]:
    """6 January, after a round: the first two rungs of the yearly report have fired."""
    with sqlite_desk(sqlite_template, tmp_path) as desk:
        busied(desk)
        for day in ("2022-01-04", "2022-01-06"):
            step_round(desk.database, at(day))
        desk.move_clock("2022-01-06")
        yield desk


def names(page: str) -> list[str]:
    return re.findall(r'<th scope="row"><a href="/tasks/\d+">([^<]+)', page)


def test_each_step_says_what_it_did_and_the_counts_add_up(desk: Desk) -> None:
    page = desk.get("/cycles/1").text
    fired = [step for step in desk.all_of(Step) if step.state == "fired" and step.deadline_id == 1]
    assert page.count("= 6 nhiệm vụ") == len(fired)
    assert "Báo 5<br>Không tới được 1<br>" in page


def test_a_step_leads_to_the_run_that_fired_it(desk: Desk) -> None:
    def in_a_run() -> None:
        acting_run.set("3f6f1d2e-0000-4000-8000-000000000000")
        step_round(desk.database, at("2022-01-11"))

    assert "/v2/runs/flow-run/" not in desk.get("/cycles/1").text
    copy_context().run(in_a_run)
    fired = [each for each in desk.all_of(Entry) if each.act == "fired" and each.cycle_id == 1 and each.run]
    assert desk.get("/cycles/1").text.count("/v2/runs/flow-run/3f6f1d2e-") == len(fired) > 0


def test_the_next_step_says_when_and_for_how_many(desk: Desk) -> None:
    page = desk.get("/cycles/1").text
    assert re.search(r"Bước kế tiếp, lúc 08:00 \(GMT\+7\)<br>Dự kiến 1", page)


def test_progress_counts_the_extended_apart(desk: Desk) -> None:
    progress = re.search(r'aria-labelledby="progress".*?</section>', desk.get("/cycles/1").text, re.DOTALL)
    assert progress is not None
    row = re.findall(r"<tr><th scope=\"row\">.*?</tr>", progress[0], re.DOTALL)[0]
    assert re.findall(r'<td class="num">(?:<b[^>]*>)?(\d*)', row) == ["1", "1", "1", "1", "1"]


def test_who_holds_it_up_carries_what_is_known(desk: Desk) -> None:
    with desk.database.writing() as session:
        write_note(
            session,
            desk.task_id("doan-khoi"),
            kind=NoteKind.CALL,
            text="Đã gọi",
            with_whom="Văn thư",
            promised_on=date(2022, 1, 10),
            by="office",
            now=at("2022-01-06"),
            zone="Asia/Ho_Chi_Minh",
        )
    page = desk.get("/cycles/1?state=blocking").text
    assert sorted(names(page)) == ["Chi bộ Cảng vụ", "Đoàn Khối các cơ quan tỉnh", "Đảng bộ Sở Y tế"]
    assert "hứa nộp thứ Hai 10/01/2022" in page
    assert "“Thiếu”" in page
    assert "Đôn đốc 04/01/2022 08:00 (GMT+7)" in page


def test_who_was_late_is_found_also_once_it_was_accepted(desk: Desk) -> None:
    late = ["Đảng bộ Sở Nội vụ"]
    assert names(desk.get("/cycles/1?state=submitted_late").text) == late
    act_of(desk.database, accept, desk.task_id("snv"), "2022-01-06", "10:00")
    page = desk.get("/cycles/1?state=submitted_late").text
    assert names(page) == late
    assert 'aria-current="true">Nộp trễ <span class="count">1</span>' in page
    board = desk.get("/?year=2021&state=submitted_late").text
    assert late[0] in board
    assert "Đoàn Khối các cơ quan tỉnh" not in board.partition("<table")[2]


def test_the_cycle_leads_to_reminding_whoever_owes(desk: Desk) -> None:
    page = desk.get("/cycles/1").text
    found = re.search(r'href="(/bulk[^"]*)">Nhắc 3 đơn vị', page)
    assert found is not None
    effect = desk.get(found[1].replace("&amp;", "&")).text
    assert "Gửi 2 tin" in effect or "đã nhắc" in effect.lower()
    assert 'name="back" value="/cycles/1"' in effect


def test_a_pause_needs_a_reason_is_journaled_and_holds_every_step(desk: Desk) -> None:
    assert desk.post("/cycles/1/pause", {"note": " "}).status_code == 422
    done = desk.post("/cycles/1/pause", {"note": "Chờ ý kiến Thường trực"})
    assert (done.status_code, done.headers["location"].partition("?done=")[0]) == (303, "/cycles/1")
    assert "Đã ghi: tạm dừng đợt." in desk.get(done.headers["location"]).text
    page = desk.get("/cycles/1").text
    assert "Đang tạm dừng từ 09:00, thứ Năm 06/01/2022 (GMT+7)." in page
    assert "Chờ ý kiến Thường trực" in page
    assert "tạm dừng, không chạy" in page
    assert "Nhắc 3 đơn vị" not in page
    assert [entry.data for entry in desk.all_of(Entry) if entry.act == "paused"] == [{"note": "Chờ ý kiến Thường trực"}]
    assert step_round(desk.database, at("2022-01-17"))[1].steps == 0
    assert desk.post("/cycles/1/resumption", {"note": ""}).status_code == 303
    assert desk.all_of(Cycle)[0].paused_at is None
    assert step_round(desk.database, at("2022-01-17"))[1].steps > 0


def test_pausing_twice_is_refused_and_what_was_typed_stays(desk: Desk) -> None:
    desk.post("/cycles/1/pause", {"note": "Một"})
    refused = desk.post("/cycles/1/pause", {"note": "Hai lần"})
    assert refused.status_code == 422
    assert "gặp đợt đã tạm dừng" in refused.text


def test_a_secretary_below_sees_the_ladder_and_their_own_unit_alone(desk: Desk) -> None:
    below = desk.seen_by(UserRole.SECRETARIAT, "snv")
    page = below.get("/cycles/1").text
    assert names(page) == ["Đảng bộ Sở Nội vụ"]
    assert "Nhắc lần 1" in page
    for hidden in ("Báo 6", "= 6 nhiệm vụ", "Chi bộ Sở Tài chính", "14/01/2022", "Tạm dừng đợt này", "đơn vị</a>"):
        assert hidden not in page, hidden
    assert below.post("/cycles/1/pause", {"note": "Không"}).status_code == 403


@pytest.mark.parametrize("role", [UserRole.VIEWER, UserRole.REVIEWER])
def test_who_does_not_chase_neither_pauses_nor_reminds(desk: Desk, role: UserRole) -> None:
    other = desk.seen_by(role)
    page = other.get("/cycles/1").text
    assert "Tạm dừng" not in page
    assert "/bulk" not in page
    assert other.post("/cycles/1/pause", {"note": "Không"}).status_code == 403


def test_a_cycle_of_others_is_not_there(desk: Desk) -> None:
    assert desk.seen_by(UserRole.SECRETARIAT, "snv-1").get("/cycles/1").status_code == 404
    assert desk.get("/cycles/99").status_code == 404
    for query in ("page=x", f"page={10**30}", "page=-1", "state=nothing"):
        assert desk.get(f"/cycles/1?{query}").status_code == 200

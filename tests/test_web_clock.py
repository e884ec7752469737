"""Does the demo clock move as time does, and is a late round told on every page of the office?"""

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from dondoc import clock
from engine.round import run
from models.last_round import LATE, LastRound, last_round
from models.message import Message
from models.step import Step, StepState
from models.task import TaskState
from notifications.channels import carrier_for
from tests.builders import at, step_round
from tests.desk import URL, Desk, answers, sqlite_desk


@pytest.fixture
def desk(sqlite_template: Path, tmp_path: Path) -> Iterator[Desk]:
    with sqlite_desk(sqlite_template, tmp_path, on="2021-12-10") as desk:
        yield desk


def press(desk: Desk, to: str, back: str = "/", shown: str | None = None) -> str:
    """Presses a button of the bar; says where that leads."""
    moment = shown or clock.now(desk.settings.clock).isoformat()
    answer = desk.post("/clock", {"to": to, "from": moment, "back": back})
    assert answer.status_code == 303
    return answer.headers["location"]


def read_clock(desk: Desk) -> str:
    return clock.now(desk.settings.clock).isoformat()


def round_at(desk: Desk, day: str, hour: str) -> None:
    """A real round of the engine."""
    settings = desk.settings
    moment = at(day, hour)
    run(desk.database, carrier_for(settings), moment, zone=settings.zone, url=URL, key=desk.key)


# The bar


def test_the_bar_shows_the_time_and_names_the_next_step(desk: Desk) -> None:
    page = desk.get("/cycles/1?lang=vi").text
    assert "09:00, thứ Sáu 10/12/2021 (GMT+7)" in page
    assert "Đến bước kế tiếp: 17/12, nhắc lần 1" in page
    assert 'title="Báo cáo kết quả hằng năm, năm 2021"' in page
    assert "To the next step: 17/12, reminder 1" in desk.get("/?lang=en").text


def test_a_step_that_concerns_nobody_any_more_is_no_stop(desk: Desk) -> None:
    with desk.database.writing() as session:
        for task in desk.all_of(type(desk.task())):
            task.state = TaskState.ACCEPTED
            session.merge(task)
    assert "Đến bước kế tiếp: 31/08, mở đợt mới" in desk.get("/").text


def test_a_day_is_the_same_hour_of_the_next_and_a_week_that_of_seven_days_later(desk: Desk) -> None:
    press(desk, "day")
    assert read_clock(desk) == at("2021-12-11", "09:00").isoformat()
    press(desk, "week")
    assert read_clock(desk) == at("2021-12-18", "09:00").isoformat()


def test_every_step_on_the_way_fires_at_its_own_moment(desk: Desk) -> None:
    press(desk, "week")
    press(desk, "week")
    press(desk, "week")
    fired = {step.kind + str(step.ordinal): step for step in desk.all_of(Step) if step.state == StepState.FIRED}
    assert list(fired) == ["remind0", "remind1", "remind2", "remind3", "due4"]
    assert all(step.fired_at == step.at for name, step in fired.items() if name != "remind0")
    assert [str(message.created_at)[:10] for message in desk.all_of(Message)][-1] == "2021-12-31"


def test_the_next_step_is_the_one_that_the_button_named(desk: Desk) -> None:
    assert press(desk, "next") == "/"
    assert read_clock(desk) == at("2021-12-17", "08:00").isoformat()
    page = desk.get("/").text
    assert "Đến bước kế tiếp: 24/12, nhắc lần 2" in page
    assert "Vừa qua: 0 đợt mở, 5 thông báo" in page
    desk.move_clock("2021-12-18")
    assert "Vừa qua" not in desk.get("/").text


def test_a_newcomer_sees_a_cycle_fall_due_climb_and_end_and_the_next_one_open(desk: Desk) -> None:
    named = []
    for _ in range(9):
        press(desk, "next")
        named.append(desk.get("/").text.partition("Đến bước kế tiếp: ")[2].partition("<")[0])
    assert named == [
        "24/12, nhắc lần 2",
        "28/12, nhắc lần 3",
        "31/12, ngày hạn",
        "04/01, đôn đốc lần 1",
        "06/01, đôn đốc lần 2",
        "17/01, đôn đốc lần 3",
        "31/01, hết hạn nhận",
        "31/08, mở đợt mới",
        "16/09, nhắc lần 1",
    ]
    assert {task.state for task in desk.all_of(type(desk.task()))} == {TaskState.MISSED, TaskState.OPEN}


def test_a_walk_leaves_what_rounds_around_the_clock_would_leave(
    desk: Desk, sqlite_template: Path, tmp_path: Path
) -> None:
    for _ in range(4):
        press(desk, "week")
    with sqlite_desk(sqlite_template, tmp_path / "other", on="2021-12-10") as other:
        moment = at("2021-12-10", "12:00")
        while moment < at("2022-01-07", "09:00"):  # at midnight, at 4, 8, 12 ...
            step_round(other.database, moment)
            moment += timedelta(hours=4)
        other_steps = [(step.kind, step.ordinal, step.state, step.counts) for step in other.all_of(Step)]
        other_notices = len(other.rows()["notice"])
    assert [(step.kind, step.ordinal, step.state, step.counts) for step in desk.all_of(Step)] == other_steps
    assert len(desk.rows()["notice"]) == other_notices


# A press


def test_the_second_of_two_taps_moves_nothing(desk: Desk) -> None:
    shown = read_clock(desk)
    press(desk, "day", shown=shown)
    before = desk.rows()
    press(desk, "day", shown=shown)
    assert read_clock(desk) == at("2021-12-11", "09:00").isoformat()
    assert desk.rows() == before


def test_ten_presses_at_once_are_one(desk: Desk) -> None:
    shown = read_clock(desk)
    with desk.served() as url:

        def tap() -> None:
            data = {"to": "week", "from": shown, "back": "/"}
            httpx.post(f"{url}/clock", data=data, headers={"sec-fetch-site": "same-origin"}, timeout=60)

        taps = [threading.Thread(target=tap) for _ in range(10)]
        for each in taps:
            each.start()
        for each in taps:
            each.join()
    assert read_clock(desk) == at("2021-12-17", "09:00").isoformat()


def test_an_unknown_button_moves_nothing(desk: Desk) -> None:
    shown = read_clock(desk)
    assert press(desk, "year") == "/"
    assert press(desk, "") == "/"
    assert read_clock(desk) == shown


@pytest.mark.parametrize(
    ("back", "where"),
    [
        ("/cycles/1?state=overdue", "/cycles/1?state=overdue"),
        ("/", "/"),
        ("", "/"),
        ("https://example.com/", "/"),
        ("//example.com/", "/"),
        ("/\\example.com/", "/"),
        ("/\t/example.com/", "/"),
        ("javascript:alert(1)", "/"),
    ],
)
def test_a_press_leads_back_to_its_page_and_never_to_another_site(desk: Desk, back: str, where: str) -> None:
    assert press(desk, "day", back) == where


def test_the_bar_knows_the_page_it_stands_on(desk: Desk) -> None:
    assert 'name="back" value="/?year=all&amp;state=overdue"' in desk.get("/?year=all&state=overdue").text
    refused = desk.post(f"/tasks/{desk.task_id()}/exemption", {"reason": ""})
    assert refused.status_code == 422
    assert f'name="back" value="/tasks/{desk.task_id()}"' in refused.text


def test_real_time_cannot_be_moved(desk: Desk) -> None:
    headers = desk.into_real_time()
    before = desk.rows()
    data = {"to": "week", "from": clock.now().isoformat(), "back": "/"}
    refused = desk.post("/clock", data, headers=headers)
    assert refused.status_code == 422
    assert "chạy theo giờ thật" in refused.text
    assert desk.rows() == before
    assert not desk.settings.clock.exists()


def test_another_site_cannot_press(desk: Desk) -> None:
    shown = read_clock(desk)
    data = {"to": "day", "from": shown, "back": "/"}
    assert desk.post("/clock", data, headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert read_clock(desk) == shown


def test_reading_a_page_moves_nothing(desk: Desk) -> None:
    before, shown = desk.rows(), read_clock(desk)
    for path in ("/", "/cycles/1", f"/tasks/{desk.task_id()}"):
        desk.get(path)
    assert desk.get("/clock").status_code == 405
    assert (desk.rows(), read_clock(desk)) == (before, shown)


def test_a_unit_never_sees_the_clock_or_the_engines_troubles(desk: Desk) -> None:
    page = desk.get(desk.link()).text
    assert "Đồng hồ thử" not in page
    assert "Chưa có vòng nào chạy" not in page


# The red bar


def test_before_the_first_round_every_page_says_what_to_do(desk: Desk) -> None:
    for path in ("/", "/cycles/1", f"/tasks/{desk.task_id()}"):
        page = desk.get(path).text
        assert "Chưa có vòng nào chạy." in page
        assert "dondoc serve" in page
        assert "dondoc round" in page
    assert "No round has run yet." in desk.get("/?lang=en").text


def test_a_round_makes_the_red_bar_go_and_sixteen_minutes_bring_it_back(desk: Desk) -> None:
    round_at(desk, "2021-12-10", "09:00")
    assert 'class="alarm"' not in desk.get("/").text
    desk.move_clock("2021-12-10", "09:15")
    assert 'class="alarm"' not in desk.get("/").text
    desk.move_clock("2021-12-10", "09:16")
    page = desk.get("/").text
    assert "Vòng gần nhất chạy lúc 09:00, thứ Sáu 10/12/2021 (GMT+7)." in page
    round_at(desk, "2021-12-10", "09:16")
    assert 'class="alarm"' not in desk.get("/").text


def test_after_a_walk_nothing_is_late(desk: Desk) -> None:
    press(desk, "week")
    assert 'class="alarm"' not in desk.get("/").text


def test_in_a_real_office_the_wall_clock_decides(desk: Desk) -> None:
    headers = desk.into_real_time()
    none = {"cycles": 0, "tasks": 0, "steps": 0, "notices": 0, "messages": 0}
    for ago, is_late in ((LATE * 2, True), (LATE / 2, False)):
        with desk.database.writing() as session:
            session.merge(LastRound(at=clock.now() - ago, **none))
        page = desk.get("/", headers=headers).text
        assert ('class="alarm"' in page) is is_late
        assert "Đồng hồ thử" not in page


def test_handing_in_works_while_the_round_is_late(desk: Desk) -> None:
    with desk.database.reading() as session:
        assert last_round(session) is None
    assert desk.post(desk.link(), answers()).status_code == 303

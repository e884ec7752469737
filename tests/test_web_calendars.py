"""Does the page of a calendar show what a day more or less would move, both ways, before it moves?"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlmodel import select

from dondoc import clock
from engine import sign_in
from models.day import CalendarDay, CalendarVersion
from models.proposal import Proposal
from models.user import User, UserRole
from tests.builders import YEARLY
from tests.desk import SESSION, Desk, shown_hash, sqlite_desk

#: Rolled to the next working day, so that a day off on its due day moves it.
ROLLED = YEARLY.replace("roll: none", "roll: next")
OFF = {
    "on_1": "31/12/2021",
    "off_1": "yes",
    "vi_1": "Nghỉ thêm cuối năm",
    "en_1": "Extra day off",
    "source_1": "Thông báo của Thủ tướng",
}
REASON = "Thông báo ngày nghỉ bổ sung"


@pytest.fixture
def desk(sqlite_template: Path, tmp_path: Path) -> Iterator[Desk]:
    with sqlite_desk(sqlite_template, tmp_path, plan=ROLLED) as desk:
        yield desk


def days(desk: Desk, year: int = 2021) -> set[str]:
    with desk.database.reading() as session:
        return {f"{each.on}" for each in session.exec(select(CalendarDay)) if each.on.year == year}


def signed_in(desk: Desk, user: User) -> Desk:
    """The same office in the browser of a certain user."""
    other = Desk(desk.database, desk.settings, desk.app)
    with desk.database.writing() as session:
        token = sign_in.begin(session, user, agent="test", now=clock.now(), is_whole=True)
    other.cookies.set(SESSION, token, domain="office.example.org")
    return other


def test_a_day_off_shows_what_it_moves_and_is_marked_without_a_decision(desk: Desk) -> None:
    page = desk.get("/calendars/vn-state/preview", params=OFF).text
    assert "thứ Sáu 31/12/2021" in page
    assert "thứ Ba 04/01/2022" in page
    assert "chưa ghi số" in page
    assert "kl01" in page
    assert "2021-12-31" not in days(desk)


def test_what_was_shown_is_applied_and_taken_back_the_same_way(desk: Desk) -> None:
    page = desk.get("/calendars/vn-state/preview", params=OFF).text
    form = {**OFF, "hash": shown_hash(page), "policy": "tell", "reason": REASON}
    done = desk.post("/calendars/vn-state/application", form)
    assert done.status_code == 303
    sheet = desk.get(done.headers["location"]).text
    assert "Đã ghi: áp dụng lịch." in sheet
    assert REASON in sheet
    assert "2021-12-31" in days(desk)
    back = desk.get("/calendars/vn-state/preview", params={"drop": "2021-12-31"}).text
    assert "sớm 4 ngày" in back
    with desk.database.reading() as session:
        first = min(session.exec(select(CalendarVersion.number)))
    restored = desk.get("/calendars/vn-state/preview", params={"restore": f"{first}"}).text
    assert "sớm 4 ngày" in restored
    form = {"restore": f"{first}", "hash": shown_hash(restored), "policy": "move", "reason": "Nhầm"}
    assert desk.post("/calendars/vn-state/application", form).status_code == 303
    assert "2021-12-31" not in days(desk)
    sheet = desk.get("/calendars/vn-state").text
    assert sheet.count("đang dùng") == 1  # the last, though the first says the same
    assert f"restore={first}" in sheet


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ({"on_1": "32/12/2021"}, "32/12/2021"),
        ({"on_1": ""}, "gặp chỗ trống"),
        ({"vi_1": ""}, "cần tên và nguồn"),
        ({"source_1": " "}, "cần tên và nguồn"),
        ({"years": "2026 và"}, "các năm như 2026"),
        ({"on_1": "27/12/2021", "off_1": "no"}, "27/12/2021"),
    ],
)
def test_a_row_that_cannot_be_is_refused_and_changes_nothing(desk: Desk, bad: dict[str, str], said: str) -> None:
    before = days(desk)
    page = desk.get("/calendars/vn-state/preview", params=OFF | bad)
    assert said in page.text
    refused = desk.post("/calendars/vn-state/application", {**OFF, **bad, "hash": "x", "reason": REASON})
    assert refused.status_code == 422
    assert days(desk) == before


def test_a_second_person_agrees_with_what_they_saw_and_nobody_with_their_own(desk: Desk) -> None:
    desk.into_real_time()
    chief, second = (signed_in(desk, desk.user(UserRole.ADMIN, login=login)) for login in ("first", "second"))
    page = chief.get("/calendars/vn-state/preview", params=OFF | {"on_1": "31/12/2035"}).text
    form = {**OFF, "on_1": "31/12/2035", "hash": shown_hash(page), "policy": "tell", "reason": REASON, "second": "yes"}
    made = chief.post("/calendars/vn-state/application", form)
    assert made.headers["location"] == "/proposals/1"
    own = chief.get("/proposals/1").text
    assert "Rút lại" in own
    assert "Đồng ý và áp dụng" not in own
    assert chief.post("/proposals/1/agreement", {"hash": shown_hash(page)}).status_code == 422
    assert days(desk, 2035) == set()
    seen = second.get("/proposals/1").text
    assert "thứ Hai 31/12/2035" in seen
    assert second.post("/proposals/1/refusal", {"note": " "}).status_code == 422
    assert second.post("/proposals/1/agreement", {"hash": "other"}).status_code == 422
    assert second.post("/proposals/1/agreement", {"hash": shown_hash(seen)}).status_code == 303
    assert days(desk, 2035) == {"2035-12-31"}
    assert [each.state for each in desk.all_of(Proposal)] == ["applied"]
    assert "đã áp dụng" in chief.get("/proposals/1").text


def test_calendars_are_looked_at_by_admins_and_changed_by_those_of_everything(desk: Desk) -> None:
    desk.into_real_time()
    assert desk.seen_by(UserRole.SECRETARIAT).get("/calendars").status_code == 403
    local = desk.seen_by(UserRole.ADMIN, "snv")
    assert "vn-state" in local.get("/calendars").text
    assert "Xem những hạn nào dời" not in local.get("/calendars/vn-state").text
    assert local.post("/calendars/vn-state/application", {**OFF, "hash": "x", "reason": REASON}).status_code == 403
    assert local.get("/calendars/nothing").status_code == 404

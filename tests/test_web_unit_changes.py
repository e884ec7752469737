"""Do the pages list the changes of units to come, and call one off with a reason, by whoever may?"""

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlmodel import col, select

from engine import new_day, relocate
from engine.access import Actor, Right, Scope, actor_of, may_units, place_of_unit
from engine.relocate import Move
from engine.sheet_out import sheet_of_units
from models.entry import Entry
from models.task import TaskState
from models.unit import Unit
from models.user import User, UserRole, UserScope
from tests.builders import ZONE, at, task_of, unit_id
from tests.desk import Desk, sqlite_desk
from tests.test_web_reorganise import hidden, way_of
from tests.test_web_units import id_of_unit


@pytest.fixture
def desk(sqlite_template: Path, tmp_path: Path) -> Iterator[Desk]:
    with sqlite_desk(sqlite_template, tmp_path) as desk:
        yield desk


def ordered(desk: Desk, code: str, way: str, asked: dict[str, str]) -> int:
    """Looked at and ordered; the number of the order."""
    path = way_of(desk, code, way)
    shown = desk.get(path, params=asked).text
    answer = desk.post(path, asked | {"hash": hidden(shown, "hash"), "reason": "QĐ 12/2021"})
    assert answer.status_code == 303, answer.text
    return int(answer.headers["location"].partition("?done=")[2])


MERGER = {"on": "25/12/2021", "units": "stt", "fresh_code": "tt-tc", "fresh_name": "Thanh tra - Tài chính"}


def test_a_coming_change_is_listed_and_called_off_with_a_reason(desk: Desk) -> None:
    assert "Không có thay đổi nào sắp tới" in desk.get("/units/changes").text
    number = ordered(desk, "stc", "merge", MERGER | {"contacts": "1"})
    address = f"/units/changes/{number}"
    for page in ("/units/changes", f"/units/{id_of_unit(desk, 'stc')}", f"/units/{id_of_unit(desk, 'tt-tc')}"):
        shown = desk.get(page).text
        assert f'href="{address}"' in shown, page
        assert "“QĐ 12/2021”" in shown, page
    assert "hoạt động từ 25/12/2021" in desk.get(f"/units/{id_of_unit(desk, 'tt-tc')}").text
    before = desk.rows()
    shown = desk.get(address).text
    assert desk.rows() == before
    for told in ("Vẫn hoạt động như trước:", "Không thành lập nữa:", "Đầu mối của đơn vị cũ không thành đầu mối"):
        assert told in shown, told
    refused = desk.post(address, {"reason": " "})
    assert (refused.status_code, "Cần một lý do" in refused.text) == (422, True)
    done = desk.post(address, {"reason": "QĐ 13/2021"})
    assert (done.status_code, done.headers["location"].partition("?")[0]) == (303, "/units/changes")
    told = desk.get(done.headers["location"]).text
    assert "Đã ghi: bãi bỏ thay đổi đơn vị." in told
    assert "Không có thay đổi nào sắp tới" in told
    shown = desk.get(f"/units/{id_of_unit(desk, 'stc')}").text
    assert address not in shown
    assert "Sáp nhập vào" not in shown
    assert "không thành lập" in desk.get(f"/units/{id_of_unit(desk, 'tt-tc')}").text
    again = desk.post(address, {"reason": "x"})
    assert (again.status_code, "đã được bãi bỏ" in again.text) == (422, True)
    ordered(desk, "stc", "merge", MERGER)


def test_once_the_day_has_come_nothing_is_called_off(desk: Desk) -> None:
    number = ordered(desk, "stc", "close", {"on": "", "heir": "stt"})
    answer = desk.post(f"/units/changes/{number}", {"reason": "x"})
    assert (answer.status_code, "thay đổi đã có hiệu lực" in answer.text) == (422, True)
    assert "Bãi bỏ thay đổi này" not in desk.get(f"/units/changes/{number}").text
    assert desk.get("/units/changes/1").status_code == 404
    assert desk.get("/units/changes/99999").status_code == 404


def test_a_coming_name_is_listed_and_called_off_alone_or_with_a_move(desk: Desk) -> None:
    page = f"/units/{id_of_unit(desk, 'stc')}"
    answer = desk.post(f"{page}/name", {"name": "Chi bộ Tài chính", "since": "25/12/2021", "why": "QĐ 9/2021"})
    number = answer.headers["location"].partition("?done=")[2]
    shown = " ".join(desk.get(answer.headers["location"]).text.split())
    assert "Đã ghi: định ngày đổi tên đơn vị." in shown
    assert "<h1>Chi bộ Sở Tài chính</h1>" in shown
    assert "Đổi tên, từ ngày 25/12/2021" in shown
    assert "→ Chi bộ Tài chính" in shown
    asked = {"on": "26/12/2021", "parent": "syt", "kind": "", "called": "Chi bộ Tài chính Y tế"}
    assert "<b>Chi bộ Tài chính Y tế</b>" in desk.get(way_of(desk, "stc", "move"), params=asked).text
    moved = ordered(desk, "stc", "move", asked)
    listed = desk.get("/units/changes").text
    assert ("“QĐ 9/2021”" in listed, "tên mới: Chi bộ Tài chính Y tế" in listed) == (True, True)
    for order, name in ((moved, "Chi bộ Tài chính Y tế"), (number, "Chi bộ Tài chính")):
        assert f"Không đổi tên thành {name} nữa." in desk.get(f"/units/changes/{order}").text
        assert desk.post(f"/units/changes/{order}", {"reason": "QĐ 10"}).status_code == 303
    assert "Không có thay đổi nào sắp tới" in desk.get("/units/changes").text
    assert desk.seen_by(UserRole.ADMIN, "syt").get(f"/units/changes/{number}").status_code == 404


def test_only_who_could_have_ordered_it_calls_it_off(desk: Desk) -> None:
    number = ordered(desk, "snv-1", "move", {"on": "25/12/2021", "parent": "syt", "kind": ""})
    inner = ordered(desk, "snv-2", "close", {"on": "26/12/2021", "heir": "snv"})
    admin, clerk = desk.seen_by(UserRole.ADMIN, "snv"), desk.seen_by(UserRole.SECRETARIAT, "duk")
    shown = admin.get("/units/changes").text
    assert "cần người quản trị cấp trên" in shown
    assert f'href="/units/changes/{inner}"' in shown
    assert f'href="/units/changes/{number}"' not in shown
    assert admin.post(f"/units/changes/{number}", {"reason": "x"}).status_code == 403
    assert clerk.post(f"/units/changes/{inner}", {"reason": "x"}).status_code == 403
    assert desk.seen_by(UserRole.ADMIN, "stc").get(f"/units/changes/{inner}").status_code == 404
    assert admin.post(f"/units/changes/{inner}", {"reason": "QĐ"}).status_code == 303
    with desk.database.reading() as session:
        assert session.exec(select(Entry.data).where(col(Entry.act) == "change_called_off")).one()["order"] == inner


def test_a_task_is_given_apart_for_a_day_to_come(desk: Desk) -> None:
    with desk.database.reading() as session:
        task = task_of(session, "stc", "2021").id
    path = way_of(desk, "stc", "close")
    shown = desk.get(path, params={"on": "25/12/2021", "heir": "snv-1"}).text
    assert f'<select name="task-{task}"' in shown
    ordered(desk, "stc", "close", {"on": "25/12/2021", "heir": "snv-1", f"task-{task}": ""})
    with desk.database.writing() as session:
        new_day.begin(session, at("2021-12-24"), ZONE)
        assert task_of(session, "stc", "2021").state == TaskState.OPEN
        new_day.begin(session, at("2021-12-25"), ZONE)
        assert task_of(session, "stc", "2021").state == TaskState.CANCELLED


def test_the_pages_of_coming_changes_speak_english(desk: Desk) -> None:
    number = ordered(desk, "snv", "move", {"on": "25/12/2021", "parent": "syt", "kind": "chi-bo-co-so"})
    assert "Coming changes of units" in desk.get("/units/changes?lang=en").text
    assert "Call this change off" in desk.get(f"/units/changes/{number}?lang=en").text


def test_the_second_of_two_admins_is_told_what_the_first_did(desk: Desk) -> None:
    path = way_of(desk, "stc", "close")
    asked = {"on": "", "heir": "stt"}
    shown = desk.get(path, params=asked).text
    form = asked | {"hash": hidden(shown, "hash"), "stand": hidden(shown, "stand"), "reason": "QĐ 1"}
    desk.post(f"/tasks/{desk.task_id('syt')}/exemption", {"reason": "Không liên quan"})
    desk.post(f"/tasks/{desk.task_id()}/exemption", {"reason": "Mới lập"})
    answer = desk.post(path, form)
    assert answer.status_code == 422
    assert re.findall(r"“(.*?)”", answer.text.partition("Từ lúc bạn xem")[2].partition("</div>")[0]) == ["Mới lập"]
    again = form | {"hash": hidden(answer.text, "hash"), "stand": hidden(answer.text, "stand")}
    ordered(desk, "stt", "merge", {"on": "", "units": "stc", "heir": "stt"})
    gone = desk.post(path, again)
    assert (gone.status_code, "sáp nhập đơn vị “QĐ 12/2021”" in gone.text) == (422, True)


def test_rights_change_hands_with_the_day_of_a_move_and_not_with_the_order(desk: Desk) -> None:
    own, other = desk.seen_by(UserRole.SECRETARIAT, "snv"), desk.seen_by(UserRole.ADMIN, "syt")
    above = desk.seen_by(UserRole.ADMIN, "duk")
    unit, task = id_of_unit(desk, "snv"), desk.task_id("snv")
    pages = (f"/tasks/{task}", f"/units/{unit}", f"/units/{unit}/changes/close")

    def seen() -> list[list[int]]:
        return [[each.get(page).status_code for page in pages] for each in (own, other, above)]

    before, told = seen(), sheet_of(desk, "syt")
    assert before[1] == [404, 404, 404]
    with desk.database.writing() as session:
        move = Move("snv", date(2022, 12, 1), "syt", follows=True)
        relocate.apply(session, move, reason="QĐ", by="user:1", now=at("2021-12-20"), zone=ZONE)
    assert seen() == before
    assert sheet_of(desk, "syt") == told
    with desk.database.reading() as session:
        user = session.exec(select(UserScope).where(col(UserScope.unit_id) == unit)).first()
        assert user is not None
        days = (date(2022, 11, 30), date(2022, 12, 1))
        scopes = [actor_of(session, session.get_one(User, user.user_id), day).scopes for day in days]
        mine = [scope.path for each in scopes for scope in each]
        for day, path in zip(days, mine, strict=True):
            actor = Actor("user:9", "", (Scope(UserRole.ADMIN, path),), on=day)
            known = set(session.exec(select(Unit.id).where(may_units(actor, Right.SEE, col(Unit.id)))))
            assert unit in known
            assert place_of_unit(session, unit, day).own == path
        assert len(set(mine)) == 2


def sheet_of(desk: Desk, code: str) -> list[str]:
    with desk.database.reading() as session:
        day = date(2021, 12, 20)
        path = place_of_unit(session, unit_id(session, code), day).own
        admin = Actor("user:9", "", (Scope(UserRole.ADMIN, path),), on=day)
        return [row[0] for row in sheet_of_units(session, day, actor=admin)]


def test_whoever_is_above_today_orders_nothing_for_a_day_on_which_another_is(desk: Desk) -> None:
    with desk.database.writing() as session:
        move = Move("snv-1", date(2022, 12, 1), "syt", follows=True)
        relocate.apply(session, move, reason="QĐ", by="user:1", now=at("2021-12-20"), zone=ZONE)
    page = f"/units/{id_of_unit(desk, 'snv-1')}/changes/close"
    above = desk.seen_by(UserRole.ADMIN, "snv")
    assert above.get(page, params={"on": "05/01/2022"}).status_code == 200
    assert above.get(page, params={"on": "05/01/2023"}).status_code == 404
    assert above.post(page, {"on": "05/01/2023", "reason": "QĐ", "hash": "x"}).status_code == 404

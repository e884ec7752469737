"""Do the admin's unit pages show what would happen, task by task, before it happens, and do just that?"""

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook  # type: ignore[import-untyped]
from sqlmodel import col, select

from models.contact import Contact
from models.entry import Entry, append
from models.task import Task
from models.unit import Placement, Unit, placement_on
from models.user import User, UserRole, UserScope
from tests.builders import at, task_of, unit_id
from tests.desk import Desk, sqlite_desk
from tests.test_web_units import contact_of, id_of_unit

HEAD = "code,name,kind,parent,valid_from,contact_name,contact_email\n"
BASE = "Chi bộ Sở Tài chính"


@pytest.fixture
def desk(sqlite_template: Path, tmp_path: Path) -> Iterator[Desk]:
    with sqlite_desk(sqlite_template, tmp_path) as desk:
        yield desk


def hidden(text: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', text)
    assert found is not None, name
    return found[1]


def way_of(desk: Desk, code: str, way: str) -> str:
    return f"/units/{id_of_unit(desk, code)}/changes/{way}"


# From a file


def sent(desk: Desk, text: str | bytes, name: str = "don-vi.csv") -> Any:
    content = text if isinstance(text, bytes) else text.encode()
    return desk.post("/units/import", files={"file": (name, content, "text/csv")})


def test_a_sheet_is_looked_at_and_then_brought_in_as_it_was_shown(desk: Desk) -> None:
    before = desk.rows()
    lines = "stc,Chi bộ Tài chính,chi-bo-co-so,duk,,,\nsnv-1,Chi bộ Văn phòng Sở Nội vụ,chi-bo-co-so,syt,2021-12-25,,\n"
    answer = sent(
        desk, f"{HEAD}{lines}moi,Chi bộ Mới,chi-bo-co-so,duk,2022-01-01,Văn thư Mới,van-thu.moi@example.org\n"
    )
    assert answer.status_code == 303
    shown = desk.get(answer.headers["location"]).text
    assert desk.rows() == before
    for told in (f"{BASE} → <b>Chi bộ Tài chính</b>", "snv → <b>syt</b>", "chi-bo-truc-thuoc → <b>chi-bo-co-so</b>"):
        assert told in shown
    for told in ("25/12/2021", "01/01/2022", "<b>Văn thư Mới, van-thu.moi@example.org</b>", "Nhập 7 thay đổi"):
        assert told in shown, told
    form = {name: hidden(shown, name) for name in ("file", "name", "hash")} | {"reason": "QĐ 12"}
    assert desk.post("/units/import/application", form).status_code == 303
    with desk.database.reading() as session:
        assert session.get_one(Unit, unit_id(session, "stc")).name == "Chi bộ Tài chính"
        assert contact_of(session, "moi").email == "van-thu.moi@example.org"
    again = desk.post("/units/import/application", form)
    assert again.status_code == 422
    assert "Tệp không có gì mới" in again.text


def test_one_bad_line_of_five_thousand_brings_nothing_in_and_every_bad_line_is_listed(desk: Desk) -> None:
    good = [f"u-{number},Chi bộ {number},chi-bo-co-so,duk,,," for number in range(5000)]
    good[1233] = "u-1233,,chi-bo-co-so,duk,,,"
    answer = sent(desk, HEAD + "\n".join(good))
    shown = desk.get(answer.headers["location"])
    assert shown.status_code == 422
    assert "Tệp có 1 chỗ sai, nên không dòng nào được nhập." in shown.text
    assert '<th scope="row" class="num">1235</th><td>Cột name: cần điền, nhận ô trống.</td>' in shown.text
    good[7], good[4999] = "Sai,X,x,duk,,,", "u-9,Y,y,khong-co,,,"
    shown = desk.get(sent(desk, HEAD + "\n".join(good)).headers["location"])
    assert re.findall(r'class="num">(\d+)<', shown.text) == ["9", "1235", "5001"]
    with desk.database.reading() as session:
        assert len(session.exec(select(Unit)).all()) == 10


def test_a_workbook_is_taken_and_what_is_no_sheet_is_refused(desk: Desk, tmp_path: Path) -> None:
    book = Workbook()
    for row in (["mã", "tên", "loại", "cấp trên"], ["moi", "Chi bộ Mới", "chi-bo-co-so", "duk"]):
        book.active.append(row)
    book.save(tmp_path / "don-vi.xlsx")
    answer = sent(desk, (tmp_path / "don-vi.xlsx").read_bytes(), "đơn vị.xlsx")
    assert "Nhập 1 thay đổi" in desk.get(answer.headers["location"]).text
    bad = sent(desk, b"PK\x03\x04 nothing", "x.xlsx")
    assert (bad.status_code, "một bảng XLSX đọc được" in bad.text) == (422, True)
    assert sent(desk, "a,b\n1,2\n").status_code == 422
    assert "chưa chọn tệp nào" in desk.post("/units/import", {}).text
    assert desk.get(f"/units/import?file={'0' * 64}&name=x.csv").status_code == 404
    assert desk.get("/units/import?file=../../key&name=x.csv").status_code == 404


def test_what_has_changed_since_it_was_shown_is_not_brought_in(desk: Desk) -> None:
    shown = desk.get(sent(desk, f"{HEAD}stc,Chi bộ Tài chính,chi-bo-co-so,duk,,,\n").headers["location"]).text
    with desk.database.writing() as session:
        session.get_one(Unit, unit_id(session, "stc")).name = "Chi bộ Khác"
    form = {name: hidden(shown, name) for name in ("file", "name", "hash")} | {"reason": "QĐ 12"}
    answer = desk.post("/units/import/application", form)
    assert answer.status_code == 422
    assert "Chi bộ Khác → <b>Chi bộ Tài chính</b>" in answer.text
    assert desk.post("/units/import/application", form | {"hash": hidden(answer.text, "hash")}).status_code == 303


def test_a_sheet_that_ends_units_ahead_shows_what_they_still_owe(desk: Desk) -> None:
    path = way_of(desk, "stt", "merge")
    asked = {"on": "25/12/2021", "units": "stt", "heir": "snv-1"}
    shown = desk.get(path, params=asked).text
    assert desk.post(path, asked | {"hash": hidden(shown, "hash"), "reason": "QĐ"}).status_code == 303
    head = "code,name,kind,parent,valid_to\n"
    lines = f"stc,{BASE},chi-bo-co-so,duk,2021-12-21\n"
    lines += "snv-1,Chi bộ Văn phòng Sở Nội vụ,chi-bo-truc-thuoc,snv,2022-01-15\n"
    lines += "snv-2,Chi bộ Thanh tra Sở Nội vụ,chi-bo-truc-thuoc,snv,2022-01-15\n"
    shown = desk.get(sent(desk, head + lines).headers["location"]).text
    assert shown.count("1 việc đang mở: chưa xong thì hủy") == 2
    form = {name: hidden(shown, name) for name in ("file", "name", "hash")} | {"reason": "QĐ 12"}
    desk.post(f"/tasks/{desk.task_id()}/exemption", {"reason": "Mới lập"})
    answer = desk.post("/units/import/application", form)
    assert (answer.status_code, answer.text.count("1 việc đang mở: chưa xong thì hủy")) == (422, 1)
    path = way_of(desk, "snv-1", "merge")
    assert "việc của Chi bộ Thanh tra tỉnh, nhận từ 25/12/2021, cũng do Chi bộ Thanh tra Sở Nội vụ làm tiếp" in (
        desk.get(path, params={"on": "", "units": "snv-2", "heir": "snv-2"}).text
    )


def test_an_admin_of_a_branch_brings_in_that_branch_alone(desk: Desk) -> None:
    admin = desk.seen_by(UserRole.ADMIN, "snv")
    mine = "snv-3,Chi bộ Ba,chi-bo-truc-thuoc,snv,,,\n"
    assert "Nhập 1 thay đổi" in admin.get(sent(admin, HEAD + mine).headers["location"]).text
    for line in ("stc,Của tôi,chi-bo-co-so,duk,,,\n", "moi,Mới,chi-bo-co-so,duk,,,\n", "top,Mới,tinh-uy,,,,\n"):
        shown = admin.get(sent(admin, HEAD + mine + line).headers["location"])
        assert (shown.status_code, "thuộc quyền quản trị của bạn" in shown.text) == (422, True), line
    moved = "snv-1,Chi bộ Văn phòng Sở Nội vụ,chi-bo-truc-thuoc,syt,2021-12-25,,\n"
    assert admin.get(sent(admin, HEAD + moved).headers["location"]).status_code == 422


# Merging, splitting, closing


def test_a_new_unit_takes_the_contacts_unless_told_not_to_and_one_that_nobody_hears_for_is_named(desk: Desk) -> None:
    path, ticked = way_of(desk, "stc", "merge"), 'name="contacts" value="1" checked'
    assert 'name="contacts"' not in desk.get(path).text
    asked: dict[str, Any] = {"on": "", "units": "stt", "fresh_code": "moi", "fresh_name": "Chi bộ Mới"}
    shown = desk.get(path, params=asked).text
    assert (ticked in shown, "người thành đầu mối" in shown, "Không báo được cho ai" in shown) == (True, True, False)
    shown = desk.get(path, params=asked | {"contacts_of": hidden(shown, "contacts_of")}).text
    assert (ticked in shown, "người thành đầu mối" in shown) == (False, False)
    assert '<dt>Không báo được cho ai</dt><dd><b class="warn">Chi bộ Mới</b>' in shown
    shown = desk.get(path, params={"on": "", "units": "stt", "heir": "stt"}).text
    assert (ticked in shown, "Không báo được cho ai" in shown) == (False, False)
    parts: dict[str, Any] = {"on": "", "fresh_code": ["tc-a", "tc-b"], "fresh_name": ["Chi bộ A", "Chi bộ B"]}
    shown = desk.get(way_of(desk, "stc", "split"), params=parts).text
    assert ticked in shown
    assert '<b class="warn">Chi bộ B</b>' in shown
    shown = desk.get(way_of(desk, "stc", "split"), params=parts | {"stays": "1"}).text
    assert 'name="contacts"' not in shown
    assert '<b class="warn">Chi bộ A, Chi bộ B</b>' in shown


def test_a_merger_shows_each_open_task_and_does_what_was_shown(desk: Desk) -> None:
    path = way_of(desk, "stc", "merge")
    before = desk.rows()
    assert "Xem trước tác động" in desk.get(path).text
    asked = {"on": "20/12/2021", "units": "stt", "fresh_code": "tt-tc", "fresh_name": "Thanh tra - Tài chính"}
    shown = desk.get(path, params=asked | {"contacts": "1"}).text
    assert desk.rows() == before
    for told in (
        '<option value="tt-tc" selected>giao cho Thanh tra - Tài chính</option>',
        "hủy: Thanh tra - Tài chính đã có việc này",
        "4 người thành đầu mối",
    ):
        assert told in shown, told
    assert "Sáp nhập 2 đơn vị" in shown
    form = asked | {"contacts": "1", "hash": hidden(shown, "hash")}
    refused = desk.post(path, form)
    assert (refused.status_code, hidden(refused.text, "units")) == (422, "stt")
    done = desk.post(path, form | {"reason": "QĐ 12/2021"})
    address, _, number = done.headers["location"].partition("?done=")
    assert (done.status_code, address) == (303, f"/units/{id_of_unit(desk, 'tt-tc')}")
    page = desk.get(done.headers["location"]).text
    assert f"Nhận sáp nhập {BASE} từ 20/12/2021" in page
    assert "Đã ghi: sáp nhập đơn vị." in page
    assert f'href="/journal?number={number}"' in page
    old = desk.get(f"/units/{id_of_unit(desk, 'stc')}").text
    assert "Sáp nhập vào Thanh tra - Tài chính từ 20/12/2021" in old
    assert "“QĐ 12/2021”" in old
    assert "changes/merge" not in old


def test_a_task_is_decided_on_apart(desk: Desk) -> None:
    path = way_of(desk, "stc", "split")
    with desk.database.reading() as session:
        task = task_of(session, "stc", "2021").id
    parts = {"on": "", "fresh_code": ["tc-a", "tc-b"], "fresh_name": ["Chi bộ A", "Chi bộ B"]}
    shown = desk.get(path, params=parts).text
    assert "selected>giao cho Chi bộ A" in shown
    shown = desk.get(path, params=parts | {f"task-{task}": ""}).text
    assert "selected>không ai: hủy, kèm lý do" in shown
    shown = desk.get(path, params=parts | {f"task-{task}": "tc-b"}).text
    assert "selected>giao cho Chi bộ B" in shown
    form: Any = parts | {f"task-{task}": "tc-b", "hash": hidden(shown, "hash"), "reason": "QĐ"}
    assert desk.post(path, form).status_code == 303
    with desk.database.reading() as session:
        assert session.get_one(Task, task).unit_id == unit_id(session, "tc-b")


def test_what_is_chosen_on_the_preview_is_done_without_looking_again(desk: Desk) -> None:
    path = way_of(desk, "snv", "split")
    with desk.database.reading() as session:
        task = task_of(session, "snv", "2021").id
    parts: Any = {"on": "", "fresh_code": ["nv-a", "nv-b"], "fresh_name": ["A", "B"]}
    shown = desk.get(path, params=parts).text
    chosen = {f"task-{task}": "nv-b", "below-snv-1": "nv-a", "below-snv-2": "nv-b"}
    assert desk.post(path, parts | chosen | {"hash": hidden(shown, "hash"), "reason": "QĐ"}).status_code == 303
    with desk.database.reading() as session:
        assert session.get_one(Task, task).unit_id == unit_id(session, "nv-b")


def test_units_below_are_given_to_one_of_the_parts(desk: Desk) -> None:
    path = way_of(desk, "snv", "split")
    parts = {"on": "", "fresh_code": ["nv-a", "nv-b"], "fresh_name": ["A", "B"], "below-snv-2": "nv-b"}
    shown = desk.get(path, params=parts).text
    assert 'name="below-snv-1"' in shown
    form: Any = parts | {"hash": hidden(shown, "hash"), "reason": "QĐ"}
    assert desk.post(path, form).status_code == 303
    with desk.database.reading() as session:
        place = placement_on(session, unit_id(session, "snv-2"), date(2021, 12, 20))
        assert place is not None
        assert place.parent_id == unit_id(session, "nv-b")


def test_closing_without_an_heir_cancels_with_the_reason(desk: Desk) -> None:
    path = way_of(desk, "stc", "close")
    shown = desk.get(path, params={"on": ""}).text
    assert "<b>hủy</b>" in shown
    done = desk.post(path, {"hash": hidden(shown, "hash"), "reason": "Giải thể", "on": ""})
    assert "Đã ghi: cho đơn vị thôi hoạt động." in desk.get(done.headers["location"]).text
    assert "“Giải thể”" in desk.get(f"/units/{id_of_unit(desk, 'stc')}").text
    assert "Không có" not in desk.get("/journal?act=unit_closed").text


def test_a_circle_is_refused_with_what_was_typed(desk: Desk) -> None:
    shown = desk.get(way_of(desk, "duk", "merge"), params={"on": "", "units": "stc", "heir": "snv-1"})
    assert "cây không có vòng" in shown.text
    assert hidden(shown.text, "heir") == "snv-1"
    shown = desk.get(way_of(desk, "snv", "move"), params={"on": "", "parent": "snv-1"})
    assert "cây không có vòng" in shown.text
    assert "31/02/2021" in desk.get(way_of(desk, "snv", "move"), params={"on": "31/02/2021"}).text


def test_two_admins_at_once_see_what_the_other_did(desk: Desk) -> None:
    path = way_of(desk, "stc", "close")
    first = hidden(desk.get(path, params={"on": "", "heir": "stt"}).text, "hash")
    desk.post(f"/tasks/{desk.task_id()}/exemption", {"reason": "Mới lập"})
    answer = desk.post(path, {"on": "", "heir": "stt", "hash": first, "reason": "QĐ"})
    assert answer.status_code == 422
    assert "từ lúc đó đã có thay đổi" in answer.text
    assert "Không có việc nào đang mở" in answer.text


# Moving, renaming


def test_a_move_says_who_moves_along_and_a_name_changes_at_once(desk: Desk) -> None:
    path = way_of(desk, "snv", "move")
    asked = {"on": "01/02/2022", "parent": "syt", "kind": "dang-bo-co-so"}
    shown = desk.get(path, params=asked).text
    for told in ("Đảng ủy Khối các cơ quan tỉnh → <b>Đảng bộ Sở Y tế</b>", "2 đơn vị bên dưới", "Chuyển 3 đơn vị"):
        assert told in shown, told
    assert desk.post(path, asked | {"hash": hidden(shown, "hash"), "reason": "QĐ"}).status_code == 303
    with desk.database.reading() as session:
        place = placement_on(session, unit_id(session, "snv-1"), date(2022, 2, 1))
        assert place is not None
        assert f"{unit_id(session, 'syt'):08}." in place.path
    name = f"/units/{id_of_unit(desk, 'stc')}/name"
    assert desk.post(name, {"name": "Chi bộ Tài chính", "why": ""}).status_code == 422
    assert desk.post(name, {"name": "Chi bộ Tài chính", "why": "QĐ 9"}).status_code == 303
    assert "<h1>Chi bộ Tài chính</h1>" in desk.get(f"/units/{id_of_unit(desk, 'stc')}").text


def test_only_who_manages_all_units_concerned_may_change_them(desk: Desk) -> None:
    admin, clerk = desk.seen_by(UserRole.ADMIN, "snv"), desk.seen_by(UserRole.SECRETARIAT, "duk")
    mine, theirs = way_of(desk, "snv-1", "merge"), way_of(desk, "stc", "close")
    assert admin.get(mine, params={"on": "", "units": "snv-2"}).status_code == 200
    assert admin.get(mine, params={"on": "", "units": "stc"}).status_code == 404
    assert admin.get(mine, params={"on": "", "units": "snv-2", "heir": "duk"}).status_code == 404
    assert admin.get(theirs).status_code == 404
    assert admin.get(way_of(desk, "snv-1", "move"), params={"on": "", "parent": ""}).status_code == 403
    assert clerk.get(theirs).status_code == 403
    assert clerk.post(theirs, {"reason": "x"}).status_code == 403
    assert "changes/close" not in clerk.get(f"/units/{id_of_unit(desk, 'stc')}").text
    assert desk.get(f"/units/{id_of_unit(desk, 'stc')}/changes/eat").status_code == 404


@pytest.mark.parametrize(
    ("way", "asked"),
    [
        ("merge", {"units": "snv-1", "fresh_code": "moi", "fresh_name": "Đảng bộ Mới"}),
        ("merge", {"units": "snv-1", "heir": "snv-1"}),
        ("split", {"fresh_code": "moi", "fresh_name": "Đảng bộ Mới", "stays": "1"}),
        ("close", {"heir": "snv-1"}),
    ],
)
def test_an_admin_of_a_branch_begins_and_ends_nothing_at_its_edge(desk: Desk, way: str, asked: dict[str, str]) -> None:
    admin, before = desk.seen_by(UserRole.ADMIN, "snv"), desk.rows()
    path, asked = way_of(desk, "snv", way), {"on": "", **asked}
    shown = desk.get(path, params=asked)
    assert admin.get(path, params=asked).status_code == 403
    assert admin.post(path, asked | {"hash": hidden(shown.text, "hash"), "reason": "QĐ"}).status_code == 403
    assert desk.rows() == before
    merged = {"on": "", "units": "snv-1", "heir": "snv"}
    assert admin.get(way_of(desk, "snv", "merge"), params=merged).status_code == 200


def test_an_admin_of_two_branches_moves_no_top_from_one_to_the_other(desk: Desk) -> None:
    admin = desk.seen_by(UserRole.ADMIN, "snv")
    with desk.database.writing() as session:
        scope = session.exec(select(UserScope).where(col(UserScope.unit_id) == unit_id(session, "snv"))).one()
        session.add(UserScope(user_id=scope.user_id, role=scope.role, unit_id=unit_id(session, "syt")))
    asked = {"on": "", "parent": "syt"}
    assert admin.get(way_of(desk, "snv", "move"), params=asked).status_code == 403
    assert admin.get(way_of(desk, "snv-1", "move"), params=asked).status_code == 200


# Contacts with days


def test_a_contact_comes_on_a_day_and_stands_in_until_another(desk: Desk) -> None:
    unit = f"/units/{id_of_unit(desk, 'stc')}"
    with desk.database.reading() as session:
        principal = contact_of(session, "stc").id
    person = {
        "role": "contact",
        "name": "Phó",
        "email": "pho.stc@example.org",
        "lang": "vi",
        "stands_for": f"{principal}",
    }
    refused = desk.post(f"{unit}/contacts", person)
    assert (refused.status_code, "ngày kết thúc của việc thay" in refused.text) == (422, True)
    days = {"valid_from": "24/12/2021", "valid_to": "03/01/2022"}
    assert desk.post(f"{unit}/contacts", person | days).status_code == 303
    shown = desk.get(unit).text
    assert "thay contact Chi bộ Sở Tài chính" in shown
    assert "từ 24/12/2021" in shown
    with desk.database.reading() as session:
        assert session.exec(select(Contact.is_active).where(col(Contact.name) == "Phó")).one() is False
    bad = desk.post(f"{unit}/contacts", person | days | {"valid_from": "x/12"})
    assert (bad.status_code, 'value="x/12"' in bad.text) == (422, True)


def test_contacts_to_look_at_are_listed(desk: Desk) -> None:
    with desk.database.writing() as session:
        contact_of(session, "stt").email = contact_of(session, "stc").email
        contact_of(session, "syt").valid_to = date(2022, 1, 10)
    shown = desk.get("/units/contacts").text
    for told in ("Chi bộ Cảng vụ", "contact.stc@example.org", "09/01/2022"):
        assert told in shown, told
    mine = desk.seen_by(UserRole.SECRETARIAT, "snv").get("/units/contacts").text
    assert "Chi bộ Cảng vụ" not in mine
    assert "contact.stc@example.org" not in mine


# Access review


def test_the_review_lists_who_may_what_and_is_marked_by_somebody_else(desk: Desk) -> None:
    chief = desk.seen_by(UserRole.ADMIN)
    other = desk.user(UserRole.SECRETARIAT, "duk", login="duk.vt")
    shown = chief.get("/people/review").text
    assert "duk.vt" in shown
    assert "chưa lần nào" in shown
    assert chief.post(f"/people/{other.id}/review").status_code == 303
    with desk.database.reading() as session:
        user = session.get_one(User, other.id)
        assert user.reviewed_at is not None
        assert user.reviewed_by is not None
        assert session.exec(select(Entry.data).where(col(Entry.act) == "user_reviewed")).one() == {"user": other.id}
    assert f'action="/people/{other.id}/review"' not in chief.get("/people/review").text
    own = next(each.id for each in desk.all_of(User) if each.login == "admin.all")
    assert chief.post(f"/people/{own}/review").status_code == 422
    assert chief.post("/people/999/review").status_code == 404
    chief.post(f"/people/{other.id}/scopes", {"role": "viewer", "unit": "tinh-uy"})
    assert f'action="/people/{other.id}/review"' in chief.get("/people/review").text


def test_the_review_as_a_sheet_has_a_line_a_role_and_the_last_sign_in(desk: Desk) -> None:
    chief = desk.seen_by(UserRole.ADMIN)
    other = desk.user(UserRole.SECRETARIAT, "duk", login="duk.vt")
    with desk.database.writing() as session:
        session.get_one(User, other.id).name = "=cmd"
        append(session, "signed_in", by=f"user:{other.id}", at=at("2021-12-19"))
    text = chief.get("/people/review.csv").text
    assert "duk.vt,'=cmd,1,văn phòng,duk,0,2021-12-19,," in text
    assert desk.seen_by(UserRole.ADMIN, "snv").get("/people/review.csv").text.count("\n") == 2


def test_every_admin_page_speaks_english(desk: Desk) -> None:
    code = re.compile(r"\b(role|reach|fate|import|refused|lineage|user_role|done)\.[a-z_]+(?=[\s<,.])")
    pages = [way_of(desk, "stc", "close") + "?on=&heir=stt", way_of(desk, "snv", "move") + "?on=&parent=syt"]
    pages += [
        way_of(desk, "snv", "split") + "?on=&fresh_code=a&fresh_name=A&stays=1",
        "/units/import",
        "/units/contacts",
    ]
    for path in [*pages, "/people/review"]:
        for lang in ("vi", "en"):
            shown = desk.get(f"{path}{'&' if '?' in path else '?'}lang={lang}")
            assert shown.status_code == 200
            assert code.search(re.sub(r'(value|name|href|accept)="[^"]*"', "", shown.text)) is None, path
    desk.seen_by(UserRole.ADMIN, "snv")
    assert '<th scope="col">Reviewed</th>' in desk.get("/people/review?lang=en").text
    assert "What becomes of it" in desk.get(pages[0] + "&lang=en").text
    assert len(desk.all_of(Placement)) == 10

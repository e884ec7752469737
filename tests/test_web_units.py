"""Do the unit pages find who can be told and who owes, and keep the contacts of those whom the reader keeps?"""

import csv
import io
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlmodel import Session, col, select

from engine import reorganise
from engine.reorganise import Order
from engine.sheets import rows_of
from engine.units import import_units
from models.ask import ContactCorrection
from models.contact import Contact
from models.entry import Entry
from models.lineage import Succession
from models.roster import Reach, reach
from models.unit import Placement, path_of
from models.user import UserRole
from tests.builders import ZONE, add_units, at, unit_id
from tests.desk import Desk, sqlite_desk

PERSON = {"role": "contact", "name": "Văn thư Cảng vụ", "email": "van-thu.cam@example.org", "phone": "", "lang": "vi"}


@pytest.fixture
def desk(sqlite_template: Path, tmp_path: Path) -> Iterator[Desk]:
    """On 5 January: everybody's report of 2021 is overdue."""
    with sqlite_desk(sqlite_template, tmp_path, on="2022-01-05") as desk:
        yield desk


def id_of_unit(desk: Desk, code: str) -> int:
    with desk.database.reading() as session:
        return unit_id(session, code)


def contact_of(session: Session, unit: str, role: str = "contact") -> Contact:
    query = select(Contact).where(col(Contact.unit_id) == unit_id(session, unit), col(Contact.role) == role)
    return session.exec(query).one()


def names(text: str) -> list[str]:
    """The units of the list, in their order."""
    return re.findall(r'<th scope="row"><a href="/units/\d+">([^<]+)</a>', text)


# The list


def test_the_tree_opens_branch_by_branch_in_the_order_of_the_alphabet(desk: Desk) -> None:
    assert names(desk.get("/units").text) == ["Tỉnh ủy"]
    assert names(desk.get("/units?under=tinh-uy").text) == ["Đảng ủy Khối các cơ quan tỉnh"]
    assert names(desk.get("/units?under=duk").text) == [
        "Chi bộ Cảng vụ",
        "Chi bộ Sở Tài chính",
        "Chi bộ Thanh tra tỉnh",
        "Đảng bộ Sở Nội vụ",
        "Đảng bộ Sở Y tế",
        "Đoàn Khối các cơ quan tỉnh",
    ]
    assert desk.get("/units?under=nobody").status_code == 404


@pytest.mark.parametrize("typed", ["thanh tra", "THANH  TRA", "Thanh tra", "thanh tra "])
def test_a_search_finds_on_all_levels_with_or_without_accents(desk: Desk, typed: str) -> None:
    found = desk.get("/units", params={"find": typed}).text
    assert names(found) == ["Chi bộ Thanh tra Sở Nội vụ", "Chi bộ Thanh tra tỉnh"]
    assert names(desk.get("/units", params={"find": typed, "under": "snv"}).text) == ["Chi bộ Thanh tra Sở Nội vụ"]
    assert names(desk.get("/units", params={"find": "snv-1"}).text) == ["Chi bộ Văn phòng Sở Nội vụ"]
    assert "Không có gì khớp" in desk.get("/units", params={"find": "không có"}).text


def test_who_cannot_be_told_stands_out_and_can_be_filtered(desk: Desk) -> None:
    with desk.database.writing() as session:
        contact_of(session, "stc").email = None
        contact_of(session, "snv").is_bouncing = True
        contact_of(session, "syt").is_active = False
    for code, units in (
        ("no_contact", ["Chi bộ Cảng vụ", "Đảng bộ Sở Y tế", "Tỉnh ủy"]),
        ("no_address", ["Chi bộ Sở Tài chính"]),
        ("bouncing", ["Đảng bộ Sở Nội vụ"]),
    ):
        assert names(desk.get(f"/units?reach={code}").text) == units
    assert len(names(desk.get("/units?reach=ok").text)) == 5
    with desk.database.reading() as session:
        of_snv = select(reach()).where(col(Placement.unit_id) == unit_id(session, "snv"))
        assert session.execute(of_snv).scalar_one() == Reach.BOUNCING


def test_a_second_contact_who_can_be_told_is_enough(desk: Desk) -> None:
    with desk.database.writing() as session:
        contact_of(session, "stc").is_bouncing = True
        second = Contact(unit_id=unit_id(session, "stc"), role="contact", name="Phó", email="pho.stc@example.org")
        session.add(second)
    assert names(desk.get("/units?reach=bouncing").text) == []


def test_what_is_owed_and_overdue_is_counted_for_each_unit(desk: Desk) -> None:
    shown = desk.get("/units?owing=overdue").text
    assert "Chi bộ Sở Tài chính" in names(shown)
    assert "Chi bộ Văn phòng Sở Nội vụ" not in names(shown)
    assert shown.count("1 báo cáo") == len(names(shown)) == 6
    desk.post(f"/tasks/{desk.task_id()}/exemption", {"reason": "x"})
    assert "Chi bộ Sở Tài chính" not in names(desk.get("/units?owing=owed").text)


def test_kinds_are_offered_and_filter(desk: Desk) -> None:
    assert '<option value="doan-the">' in desk.get("/units").text
    assert names(desk.get("/units?kind=doan-the").text) == ["Đoàn Khối các cơ quan tỉnh"]


def test_the_csv_is_the_list_without_formulas(desk: Desk) -> None:
    with desk.database.writing() as session:
        contact_of(session, "stc").name = "=HYPERLINK(A1)"
        contact_of(session, "stc").phone = "+84 24 3825 1234"
    answer = desk.get("/units.csv?under=duk")
    assert answer.headers["content-disposition"] == 'attachment; filename="don-vi-2022-01-05.csv"'
    assert answer.content.startswith(b"\xef\xbb\xbf")
    lines = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [line["code"] for line in lines] == ["cam", "stc", "stt", "snv", "syt", "doan-khoi"]
    assert lines[0] | {} == {
        "code": "cam", "name": "Chi bộ Cảng vụ", "kind": "chi-bo-co-so", "parent": "duk", "reach": "no_contact",
        "owed": "1", "overdue": "1", "contact": "", "email": "", "phone": "",
    }  # fmt: skip
    assert (lines[1]["contact"], lines[1]["phone"]) == ("'=HYPERLINK(A1)", "'+84 24 3825 1234")


def test_a_large_branch_comes_in_pages_with_few_questions_to_the_database(desk: Desk) -> None:
    with desk.database.writing() as session:
        add_units(session, {f"x{n}": (f"Chi bộ {n}", "chi-bo-co-so", "syt", "contact") for n in range(250)})
    asked: list[str] = []
    event.listen(desk.database.engine, "before_cursor_execute", lambda *call: asked.append(call[2]))
    first = desk.get("/units?under=syt").text
    assert len([each for each in asked if each.startswith("SELECT")]) <= 16
    assert names(first)[:3] == ["Chi bộ 0", "Chi bộ 1", "Chi bộ 2"]
    assert len(names(first)) == 100
    last = desk.get("/units?under=syt&page=3").text
    assert (len(names(last)), names(last)[-1]) == (50, "Chi bộ 249")
    assert names(desk.get("/units?under=syt&page=99").text) == names(last)
    assert len(desk.get("/units.csv?under=syt").text.splitlines()) == 251


def test_a_reader_sees_their_own_branch_alone(desk: Desk) -> None:
    below = desk.seen_by(UserRole.VIEWER, "snv")
    assert names(below.get("/units").text) == ["Đảng bộ Sở Nội vụ"]
    everywhere = below.get("/units?find=chi").text
    assert names(everywhere) == ["Chi bộ Thanh tra Sở Nội vụ", "Chi bộ Văn phòng Sở Nội vụ"]
    for path in ("/units", "/units?find=o", "/units.csv?find=o", "/units?owing=owed"):
        shown = below.get(path).text
        assert "Tài chính" not in shown
        assert "Khối" not in shown
    for path in ("/units?under=duk", f"/units/{id_of_unit(desk, 'stc')}", "/units/999"):
        assert below.get(path).status_code == 404


# One unit


def test_the_page_of_a_unit_shows_its_tasks_by_year_with_their_states(desk: Desk) -> None:
    shown = desk.get(f"/units/{id_of_unit(desk, 'stc')}").text
    assert re.search(rf'href="/tasks/{desk.task_id()}">Báo cáo kết quả hằng năm, năm 2021</a>', shown)
    assert "Quá hạn" in shown
    assert re.search(r"2021 <span class=\"count\">1</span>", shown)
    assert desk.get(f"/units/{id_of_unit(desk, 'stc')}?year=1999").status_code == 200


def test_what_a_unit_owed_elsewhere_is_not_named_where_it_stands_now(desk: Desk) -> None:
    """The task keeps the place of its opening: it is seen from there, by its own page and by the unit's."""
    with desk.database.writing() as session:
        [before] = session.exec(select(Placement).where(col(Placement.unit_id) == unit_id(session, "stc")))
        [syt] = session.exec(select(Placement).where(col(Placement.unit_id) == unit_id(session, "syt")))
        before.valid_to = date(2021, 12, 15)
        path = path_of(before.unit_id, syt.path)
        now: dict[str, Any] = {
            "kind": before.kind,
            "parent_id": syt.unit_id,
            "path": path,
            "valid_from": before.valid_to,
        }
        session.add(Placement(unit_id=before.unit_id, **now))
    page, task = f"/units/{before.unit_id}?year=2021", f"/tasks/{desk.task_id('stc')}"
    assert f'href="{task}"' in desk.get(page).text
    reader = desk.seen_by(UserRole.VIEWER, "syt")
    assert reader.get(task).status_code == 404
    assert f'href="{task}"' not in reader.get(page).text


def test_a_contact_comes_changes_leaves_and_returns_on_the_page(desk: Desk) -> None:
    page = f"/units/{id_of_unit(desk, 'cam')}"
    back = desk.post(f"{page}/contacts", PERSON).headers["location"]
    assert re.fullmatch(rf"{page}\?done=\d+#contacts", back)
    assert "Đã ghi: thêm đầu mối." in desk.get(back).text
    contact = desk.all_of(Contact)[-1]
    assert desk.post(f"{page}/contacts/{contact.id}", PERSON | {"phone": "0901 234 567"}).status_code == 303
    assert 'href="tel:0901234567"' in desk.get(page).text
    silent = desk.post(f"{page}/contacts/{contact.id}/retirement", {"why": ""})
    assert (silent.status_code, "Cần một lý do" in silent.text, 'value="Văn thư Cảng vụ"' in silent.text) == (
        422,
        True,
        True,
    )
    assert desk.post(f"{page}/contacts/{contact.id}/retirement", {"why": "Nghỉ hưu, QĐ 9"}).status_code == 303
    assert "thôi nhận tin" in desk.get(page).text
    assert "“Nghỉ hưu, QĐ 9”" in desk.get("/journal").text
    assert desk.post(f"{page}/contacts/{contact.id}/return").status_code == 303
    assert [entry.act for entry in desk.all_of(Entry)[-4:]] == [
        "contact_added", "contact_changed", "contact_retired", "contact_restored",
    ]  # fmt: skip


def test_a_contact_that_is_refused_keeps_what_was_typed(desk: Desk) -> None:
    page, before = f"/units/{id_of_unit(desk, 'cam')}", desk.rows()
    refused = desk.post(f"{page}/contacts", PERSON | {"email": "van-thu"})
    assert refused.status_code == 422
    assert "Cần một địa chỉ thư như van-thu.stc@example.org, gặp “van-thu”." in refused.text
    assert 'value="Văn thư Cảng vụ"' in refused.text
    assert desk.rows() == before


def test_a_contact_is_changed_on_the_page_of_its_own_unit_alone(desk: Desk) -> None:
    with desk.database.reading() as session:
        contact = contact_of(session, "stc")
    page, before = f"/units/{id_of_unit(desk, 'snv')}", desk.rows()
    assert desk.post(f"{page}/contacts/{contact.id}", PERSON).status_code == 404
    assert desk.post(f"{page}/contacts/{contact.id}/retirement").status_code == 404
    assert desk.rows() == before


@pytest.mark.parametrize(
    ("role", "unit", "keeps"),
    [
        (UserRole.SECRETARIAT, "duk", True),
        (UserRole.SECRETARIAT, "stc", True),
        (UserRole.REVIEWER, "duk", False),
        (UserRole.VIEWER, "duk", False),
    ],
)
def test_contacts_are_kept_by_secretariats(desk: Desk, role: UserRole, unit: str, keeps: bool) -> None:
    page, reader = f"/units/{id_of_unit(desk, 'stc')}", desk.seen_by(role, unit)
    shown = reader.get(page)
    assert shown.status_code == 200
    assert (f'action="{page}/contacts"' in shown.text) is keeps
    count = len(desk.all_of(Contact))
    assert reader.post(f"{page}/contacts", PERSON).status_code == (303 if keeps else 403)
    assert len(desk.all_of(Contact)) == count + keeps


def test_who_only_looks_reads_no_telephone_number(desk: Desk) -> None:
    with desk.database.writing() as session:
        contact_of(session, "stc").phone = "024 3825 1234"
    viewer = desk.seen_by(UserRole.VIEWER, "duk")
    for path in (f"/units/{id_of_unit(desk, 'stc')}", "/units?find=tai+chinh", "/units.csv?find=tai+chinh"):
        shown = viewer.get(path).text
        assert "3825" not in shown
        assert "024 •••• 234" in shown
        assert "024 3825 1234" in desk.get(path).text


def test_what_a_contact_said_of_itself_stands_beside_it(desk: Desk) -> None:
    with desk.database.writing() as session:
        contact = contact_of(session, "stc")
        session.add(ContactCorrection(contact_id=contact.id, name="Chị Hoa", note="đã nghỉ", at=at("2022-01-04")))
    shown = desk.get(f"/units/{id_of_unit(desk, 'stc')}").text
    assert "Nên gửi cho: Chị Hoa" in shown
    viewer = desk.seen_by(UserRole.VIEWER, "duk")
    assert "Chị Hoa" not in viewer.get(f"/units/{id_of_unit(desk, 'stc')}").text


def test_a_closed_unit_says_since_when_for_what_and_who_goes_on(desk: Desk) -> None:
    with desk.database.writing() as session:
        order, now = Order(Succession.CLOSE, ("stc",), date(2022, 1, 5), "snv-1"), at("2022-01-05")
        reorganise.apply(session, order, reason="Sáp nhập theo QĐ 12", by="office", now=now, zone=ZONE)
    shown = desk.get(f"/units/{id_of_unit(desk, 'stc')}").text
    assert "không còn hoạt động" in shown
    assert "Thôi hoạt động từ thứ Tư 05/01/2022" in shown
    assert "việc giao cho snv-1" in shown
    assert "“Sáp nhập theo QĐ 12”" in shown
    assert "đến hết ngày 04/01/2022" in shown
    assert "Chi bộ Sở Tài chính" not in names(desk.get("/units?find=tai").text)


def test_a_unit_that_a_file_ended_says_why(desk: Desk) -> None:
    rows = rows_of("units.csv", b"code,name,kind,parent,valid_to\nstt,STT,chi-bo-co-so,duk,2022-01-05\n")
    with desk.database.writing() as session:
        import_units(session, rows, by="office", now=at("2021-12-20"), zone=ZONE, reason="QĐ 12")
    desk.move_clock("2022-01-06")
    shown = desk.get(f"/units/{id_of_unit(desk, 'stt')}").text
    assert "Thôi hoạt động từ thứ Tư 05/01/2022" in shown
    assert "“QĐ 12”" in shown.partition("Báo cáo phải nộp")[0]


def test_every_page_speaks_english(desk: Desk) -> None:
    code = re.compile(r"\b(role|reach|visit|shown|nav|change|refused|way)\.[a-z_]+(?=[\s<,.])")
    for path in ("/units", "/units?reach=no_contact", f"/units/{id_of_unit(desk, 'stc')}"):
        for lang in ("vi", "en"):
            shown = desk.get(f"{path}{'&' if '?' in path else '?'}lang={lang}").text
            assert code.search(re.sub(r'value="[^"]*"', "", shown)) is None
    assert "Reports that it owes" in desk.get(f"/units/{id_of_unit(desk, 'stc')}?lang=en").text

"""Can an admin bring units in, merge them, and review who may what in a real browser, with JavaScript and without?"""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect
from sqlmodel import Session, col, select

from engine import reorganise
from engine.reorganise import Order
from models.contact import Contact
from models.lineage import Lineage, Succession
from models.task import TaskState
from models.unit import Unit, placement_on
from models.user import UserRole
from tests.builders import ZONE, at, task_of, unit_id
from tests.test_web_browser import PHONE, SCREEN, Office, office

__all__ = ["office"]
SCRIPTS = pytest.mark.parametrize("with_scripts", [True, False], ids=["scripts", "no scripts"])
HEAD = "code,name,kind,parent,contact_name,contact_email\n"


@SCRIPTS
def test_a_file_is_mended_looked_at_and_brought_in(office: Office, tmp_path: Path, with_scripts: bool) -> None:
    context: dict[str, Any] = {**SCREEN, "java_script_enabled": with_scripts}
    sheet = tmp_path / "don-vi.csv"
    sheet.write_text(f"{HEAD}moi,,chi-bo-co-so,duk,Văn thư Mới,van-thu.moi@example.org\n", encoding="utf-8")
    desk = office.open("/units", **context)
    desk.get_by_role("link", name="Nhập từ tệp").click()
    desk.get_by_label("Tệp CSV (UTF-8) hoặc XLSX").set_input_files(sheet)
    desk.get_by_role("button", name="Xem trước thay đổi").click()
    expect(desk.get_by_role("alert").last).to_contain_text("Tệp có 1 chỗ sai, nên không dòng nào được nhập.")
    expect(desk.get_by_role("row", name="2 Cột name: cần điền, nhận ô trống.")).to_be_visible()
    sheet.write_text(f"{HEAD}moi,Chi bộ Mới,chi-bo-co-so,duk,Văn thư Mới,van-thu.moi@example.org\n", encoding="utf-8")
    desk.get_by_label("Tệp CSV (UTF-8) hoặc XLSX").set_input_files(sheet)
    desk.get_by_role("button", name="Xem trước thay đổi").click()
    expect(desk.get_by_role("row", name="Chi bộ Mới").first).to_contain_text("đơn vị mới")
    desk.get_by_role("button", name="Nhập 2 thay đổi").click()
    assert {"moi"} <= {unit.code for unit in office.desk.all_of(Unit)}


@SCRIPTS
def test_two_units_become_one_and_each_open_task_is_decided(office: Office, with_scripts: bool) -> None:
    context: dict[str, Any] = {**SCREEN, "java_script_enabled": with_scripts}
    with office.desk.database.reading() as session:
        stc = session.exec(select(Unit.id).where(col(Unit.code) == "stc")).one()
    desk = office.open(f"/units/{stc}", **context)
    desk.get_by_role("link", name="Sáp nhập").click()
    desk.get_by_label("Sáp nhập với").fill("stt")
    desk.get_by_label("Mã", exact=True).fill("tt-tc")
    desk.get_by_label("Tên", exact=True).fill("Chi bộ Thanh tra - Tài chính")
    desk.get_by_role("button", name="Xem trước tác động").click()
    expect(desk.get_by_label("Đầu mối của đơn vị cũ")).to_be_checked()
    expect(desk.get_by_role("row", name="Chi bộ Sở Tài chính")).to_contain_text("giao cho Chi bộ Thanh tra - Tài chính")
    desk.get_by_role("button", name="Sáp nhập 2 đơn vị").click()
    expect(desk.get_by_role("alert").last).to_contain_text("Cần một lý do")
    desk.get_by_label("Lý do, số quyết định").fill("QĐ 12/2021")
    desk.get_by_role("button", name="Sáp nhập 2 đơn vị").click()
    expect(desk.get_by_role("heading", name="Chi bộ Thanh tra - Tài chính")).to_be_visible()
    expect(desk.locator("main")).to_contain_text("Nhận sáp nhập Chi bộ Sở Tài chính từ")
    with office.desk.database.reading() as session:
        assert task_of(session, "tt-tc", "2021").state == TaskState.OPEN


def address_of(office: Office, code: str) -> str:
    with office.desk.database.reading() as session:
        return f"/units/{unit_id(session, code)}"


@SCRIPTS
def test_a_unit_is_split_and_its_work_and_what_lies_below_are_given_apart(office: Office, with_scripts: bool) -> None:
    context: dict[str, Any] = {**SCREEN, "java_script_enabled": with_scripts}
    desk = office.open(address_of(office, "snv"), **context)
    desk.get_by_role("link", name="Tách").click()
    for place, (code, name) in enumerate((("nv-a", "Đảng bộ Nội vụ A"), ("nv-b", "Đảng bộ Nội vụ B"))):
        desk.get_by_label("Mã", exact=True).nth(place).fill(code)
        desk.get_by_label("Tên", exact=True).nth(place).fill(name)
    desk.get_by_role("button", name="Xem trước tác động").click()
    desk.get_by_label("Giao cho: Báo cáo kết quả hằng năm").select_option("nv-b")
    desk.get_by_label("Về dưới: Chi bộ Thanh tra Sở Nội vụ").select_option("nv-b")
    desk.get_by_label("Lý do, số quyết định").fill("QĐ 14/2021")
    desk.get_by_role("button", name="Tách thành 2 đơn vị").click()
    expect(desk.get_by_role("status")).to_contain_text("Đã ghi: tách đơn vị.")
    for name in ("A", "B"):
        expect(desk.locator("main")).to_contain_text(f"Tách ra Đảng bộ Nội vụ {name} từ 20/12/2021")
    desk.get_by_role("link", name="nv-b").click()
    expect(desk.locator("main")).to_contain_text("Tách ra từ Đảng bộ Sở Nội vụ từ 20/12/2021")
    expect(desk.get_by_role("link", name="Báo cáo kết quả hằng năm, năm 2021")).to_be_visible()
    with office.desk.database.reading() as session:
        assert task_of(session, "nv-b", "2021").state == TaskState.OPEN
        parts = [unit_id(session, code) for code in ("nv-a", "nv-b")]
        assert [place_of(session, code).parent_id for code in ("snv-1", "snv-2")] == parts


def test_a_unit_moves_with_what_lies_below_and_its_open_work(office: Office) -> None:
    desk = office.open(address_of(office, "snv"), **SCREEN)
    desk.get_by_role("link", name="Chuyển, đổi tên").click()
    desk.get_by_label("Cấp trên (mã)").fill("syt")
    desk.get_by_label("Việc đang mở đi theo").check()
    desk.get_by_role("button", name="Xem trước tác động").click()
    expect(desk.get_by_role("complementary")).to_contain_text("1 việc cấp trên mới sẽ nhận")
    desk.locator("#m-reason").fill("QĐ 15/2021")
    desk.get_by_role("button", name="Chuyển 3 đơn vị").click()
    expect(desk.get_by_role("status")).to_contain_text("Đã ghi: chuyển đơn vị.")
    expect(desk.locator(".log").first).to_contain_text("dưới Đảng bộ Sở Y tế")
    with office.desk.database.reading() as session:
        above = unit_id(session, "syt")
        assert place_of(session, "snv").parent_id == above
        assert task_of(session, "snv", "2021").receiver_id == above
        assert place_of(session, "snv-1").path.startswith(place_of(session, "snv").path)


def test_a_unit_gets_another_name(office: Office) -> None:
    desk = office.open(f"{address_of(office, 'stc')}/changes/move", **SCREEN)
    desk.get_by_label("Tên mới", exact=True).fill("Chi bộ Tài chính")
    form = desk.locator("form[action$=name]")
    form.get_by_role("button", name="Đổi tên").click()
    expect(desk.get_by_role("alert").last).to_contain_text("Cần một lý do")
    expect(desk.get_by_label("Tên mới", exact=True)).to_have_value("Chi bộ Tài chính")
    form.get_by_label("Lý do, số quyết định").fill("QĐ 9/2021")
    form.get_by_role("button", name="Đổi tên").click()
    expect(desk.get_by_role("heading", name="Chi bộ Tài chính", exact=True)).to_be_visible()
    expect(desk.locator("main")).to_contain_text("Chi bộ Sở Tài chính")
    assert "Chi bộ Tài chính" in {unit.name for unit in office.desk.all_of(Unit)}
    desk.get_by_role("link", name="Chuyển, đổi tên").click()
    desk.get_by_label("Tên mới", exact=True).fill("Chi bộ Tài chính - Đầu tư")
    form.get_by_label("Tên mới từ ngày").fill("05/01/2022")
    form.get_by_label("Lý do, số quyết định").fill("QĐ 10/2021")
    form.get_by_role("button", name="Đổi tên").click()
    expect(desk.locator(".note.care")).to_contain_text("Đổi tên, từ ngày 05/01/2022")
    expect(desk.get_by_role("heading", name="Chi bộ Tài chính", exact=True)).to_be_visible()


@SCRIPTS
def test_a_unit_is_to_close_and_that_is_called_off(office: Office, with_scripts: bool) -> None:
    context: dict[str, Any] = {**SCREEN, "java_script_enabled": with_scripts}
    desk = office.open(address_of(office, "stc"), **context)
    desk.get_by_role("link", name="Cho thôi hoạt động").click()
    desk.get_by_label("Ngày đầu tiên có hiệu lực").fill("05/01/2022")
    desk.get_by_label("Đơn vị kế thừa (mã)").fill("snv-1")
    desk.get_by_role("button", name="Xem trước tác động").click()
    desk.get_by_label("Giao cho: Báo cáo kết quả hằng năm").select_option("")
    desk.get_by_label("Lý do, số quyết định").fill("QĐ 16/2021")
    desk.get_by_role("button", name="Cho thôi hoạt động").click()
    expect(desk.locator(".note.care")).to_contain_text("Thôi hoạt động, từ ngày 05/01/2022")
    with office.desk.database.reading() as session:
        assert place_of(session, "stc", date(2022, 1, 5)) is None
        assert [line.on for line in session.exec(select(Lineage))] == [date(2022, 1, 5)]
    desk.goto(office.url + "/units")
    desk.get_by_role("link", name="Thay đổi sắp tới").click()
    desk.get_by_role("row", name="Chi bộ Sở Tài chính").get_by_role("link", name="Bãi bỏ").click()
    desk.get_by_label("Lý do, số quyết định").fill("QĐ 17/2021")
    desk.get_by_role("button", name="Bãi bỏ thay đổi này").click()
    expect(desk.get_by_role("status")).to_contain_text("Đã ghi: bãi bỏ thay đổi đơn vị.")
    expect(desk.locator("main")).to_contain_text("Không có thay đổi nào sắp tới.")
    with office.desk.database.reading() as session:
        assert place_of(session, "stc", date(2022, 1, 5)).valid_to is None
        assert session.exec(select(Lineage)).all() == []
        assert task_of(session, "stc", "2021").state == TaskState.OPEN


def test_a_unit_closes_and_its_work_goes_to_its_heir(office: Office) -> None:
    desk = office.open(f"{address_of(office, 'stc')}/changes/close", **SCREEN)
    desk.get_by_label("Đơn vị kế thừa (mã)").fill("snv-1")
    desk.get_by_role("button", name="Xem trước tác động").click()
    desk.get_by_label("Lý do, số quyết định").fill("QĐ 18/2021")
    desk.get_by_role("button", name="Cho thôi hoạt động").click()
    expect(desk.get_by_role("heading", name="Chi bộ Văn phòng Sở Nội vụ")).to_be_visible()
    expect(desk.locator("main")).to_contain_text("Kế thừa việc của Chi bộ Sở Tài chính từ 20/12/2021")
    desk.goto(office.url + address_of(office, "stc"))
    expect(desk.locator("main")).to_contain_text("Việc do Chi bộ Văn phòng Sở Nội vụ kế thừa từ 20/12/2021")
    expect(desk.locator("main")).to_contain_text("không còn hoạt động")
    with office.desk.database.reading() as session:
        assert task_of(session, "snv-1", "2021").state == TaskState.OPEN
        assert place_of(session, "stc") is None


def place_of(session: Session, code: str, on: date = date(2021, 12, 20)) -> Any:
    return placement_on(session, unit_id(session, code), on)


@SCRIPTS
def test_somebody_stands_in_for_a_contact_for_some_days(office: Office, with_scripts: bool) -> None:
    context: dict[str, Any] = {**SCREEN, "java_script_enabled": with_scripts}
    with office.desk.database.reading() as session:
        stc = session.exec(select(Unit.id).where(col(Unit.code) == "stc")).one()
    desk = office.open(f"/units/{stc}", **context)
    desk.get_by_text("Thêm đầu mối").click()
    form = desk.locator("form[action$=contacts]")
    form.get_by_label("Tên gọi").fill("Phó văn thư")
    form.get_by_label("Thư điện tử").fill("pho.stc@example.org")
    form.get_by_text("Theo ngày, hoặc thay người khác").click()
    form.get_by_label("Thôi nhận tin từ ngày").fill("05/01/2031")
    form.get_by_label("Nhận tin thay cho").select_option(index=1)
    form.get_by_role("button", name="Thêm").click()
    expect(desk.locator("#contacts")).to_contain_text("đến hết ngày 04/01/2031")
    assert office.desk.all_of(Contact)[-1].stands_for is not None


def test_an_admin_looks_over_who_may_what(office: Office) -> None:
    office.desk.user(UserRole.SECRETARIAT, "duk", login="duk.vt")
    desk = office.open("/people", **SCREEN)
    desk.get_by_role("link", name="Rà soát quyền").click()
    row = desk.get_by_role("row", name="duk.vt")
    expect(row).to_contain_text("chưa lần nào")
    row.get_by_role("button", name="Đã xem, giữ nguyên").click()
    expect(row.get_by_role("button")).to_have_count(0)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_pages_of_a_reorganisation_fit_a_phone(office: Office, theme: str) -> None:
    page = office.open("/health", color_scheme=theme, **PHONE)
    with office.desk.database.writing() as session:
        order = Order(Succession.CLOSE, ("doan-khoi",), date(2022, 1, 5), "stt")
        number = reorganise.apply(session, order, reason="QĐ", by="office", now=at("2021-12-20"), zone=ZONE).id
    paths = ["/units/changes", f"/units/changes/{number}", address_of(office, "doan-khoi")]
    paths += ["/units/import", "/units/contacts", "/people/review", "/units/3/changes/merge", "/units/3/changes/move"]
    for path in (*paths, "/units/3/changes/close?on=&heir=stt", "/units/4/changes/split?on=&fresh_code=a&fresh_name=A"):
        for lang in ("vi", "en"):
            page.goto(f"{office.url}{path}{'&' if '?' in path else '?'}lang={lang}")
            assert page.evaluate("document.documentElement.scrollWidth") <= 360, path

"""Can an admin bring units in, merge them, and review who may what in a real browser, with JavaScript and without?"""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect
from sqlmodel import col, select

from models.contact import Contact
from models.task import TaskState
from models.unit import Unit
from models.user import UserRole
from tests.builders import task_of
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
    desk.get_by_label("Đầu mối của đơn vị cũ").check()
    desk.get_by_role("button", name="Xem trước tác động").click()
    expect(desk.get_by_role("row", name="Chi bộ Sở Tài chính")).to_contain_text("giao cho Chi bộ Thanh tra - Tài chính")
    desk.get_by_role("button", name="Sáp nhập 2 đơn vị").click()
    expect(desk.get_by_role("alert").last).to_contain_text("Cần một lý do")
    desk.get_by_label("Lý do, số quyết định").fill("QĐ 12/2021")
    desk.get_by_role("button", name="Sáp nhập 2 đơn vị").click()
    expect(desk.get_by_role("heading", name="Chi bộ Thanh tra - Tài chính")).to_be_visible()
    expect(desk.locator("main")).to_contain_text("Nhận sáp nhập Chi bộ Sở Tài chính từ")
    with office.desk.database.reading() as session:
        assert task_of(session, "tt-tc", "2021").state == TaskState.OPEN


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
    paths = ("/units/import", "/units/contacts", "/people/review", "/units/3/changes/merge", "/units/3/changes/move")
    for path in (*paths, "/units/3/changes/close?on=&heir=stt", "/units/4/changes/split?on=&fresh_code=a&fresh_name=A"):
        for lang in ("vi", "en"):
            page.goto(f"{office.url}{path}{'&' if '?' in path else '?'}lang={lang}")
            assert page.evaluate("document.documentElement.scrollWidth") <= 360, path

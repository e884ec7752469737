"""Can a clerk find a unit, see that nobody can be told, and mend it in a real browser, with JavaScript and without?"""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from models.contact import Contact
from tests.test_web_browser import PHONE, SCREEN, Office, office

__all__ = ["office"]
SCRIPTS = pytest.mark.parametrize("with_scripts", [True, False], ids=["scripts", "no scripts"])


@SCRIPTS
def test_a_unit_without_a_contact_is_found_and_gets_one(office: Office, with_scripts: bool) -> None:
    context: dict[str, Any] = {**SCREEN, "java_script_enabled": with_scripts}
    desk = office.open("/", **context)
    desk.get_by_role("navigation", name="Trang chính").get_by_role("link", name="Đơn vị").click()
    desk.get_by_label("Tìm").fill("cang vu")
    desk.get_by_label("Liên lạc").select_option("không có đầu mối")
    desk.get_by_role("button", name="Lọc").click()
    desk.get_by_role("link", name="Chi bộ Cảng vụ").click()
    expect(desk.locator(".page-head")).to_contain_text("không có đầu mối")
    desk.get_by_text("Thêm đầu mối").click()
    form = desk.locator("form[action$=contacts]")
    form.get_by_label("Tên gọi").fill("Văn thư Chi bộ Cảng vụ")
    form.get_by_label("Thư điện tử").fill("van-thu")
    form.get_by_role("button", name="Thêm").click()
    expect(desk.locator(".note.stop")).to_contain_text("gặp “van-thu”")
    expect(form.get_by_label("Tên gọi")).to_have_value("Văn thư Chi bộ Cảng vụ")
    form.get_by_label("Thư điện tử").fill("van-thu.cam@example.org")
    form.get_by_role("button", name="Thêm").click()
    expect(desk.locator(".page-head")).not_to_contain_text("không có đầu mối")
    assert office.desk.all_of(Contact)[-1].email == "van-thu.cam@example.org"


@SCRIPTS
def test_from_the_top_of_the_tree_to_a_report_on_a_phone(office: Office, with_scripts: bool) -> None:
    context: dict[str, Any] = {**PHONE, "java_script_enabled": with_scripts}
    phone = office.open("/units", **context)
    phone.get_by_role("link", name=re.compile("^1 đơn vị.*Tỉnh ủy$")).tap()
    phone.get_by_role("link", name=re.compile("^6 đơn vị.*Đảng ủy Khối")).tap()
    phone.get_by_role("link", name="Chi bộ Sở Tài chính").tap()
    phone.get_by_role("link", name="Báo cáo kết quả hằng năm, năm 2021").tap()
    expect(phone.get_by_role("heading", name="Chi bộ Sở Tài chính: Báo cáo kết quả hằng năm")).to_be_visible()


HEAD = "code,name,kind,parent,contact_name,contact_email\n"
GOOD = "stc,Chi bộ Tài chính,chi-bo-co-so,duk,Văn thư,van-thu.stc@example.org\n"


def chosen(page: Page, lines: str) -> None:
    page.get_by_label("Tệp CSV").set_input_files(
        {"name": "don-vi.csv", "mimeType": "text/csv", "buffer": f"{HEAD}{lines}".encode()}
    )
    page.get_by_role("button", name="Xem trước thay đổi").click()


@SCRIPTS
def test_a_file_is_mended_looked_at_and_brought_in_with_its_reason(office: Office, with_scripts: bool) -> None:
    context: dict[str, Any] = {**SCREEN, "java_script_enabled": with_scripts}
    desk = office.open("/units/import", **context)
    chosen(desk, f"{GOOD}cam,,chi-bo-co-so,duk,,\nstt,X,chi-bo-co-so,dukk,,\n")
    expect(desk.get_by_role("row")).to_have_count(3)
    rows = desk.get_by_role("row").all_inner_texts()
    assert [row.split("\t") for row in rows[1:]] == [
        ["3", "Cột name: cần điền, nhận ô trống."],
        ["4", 'Cột parent: cần mã có trong tệp hoặc đã có trong hệ thống, nhận "dukk"; ý là “duk”?'],
    ]
    chosen(desk, GOOD)
    desk.get_by_role("button", name="Nhập 2 thay đổi").click()
    expect(desk.locator(".note.stop")).to_contain_text("Cần một lý do")
    desk.get_by_label("Lý do, số quyết định").fill("QĐ 15")
    desk.get_by_role("button", name="Nhập 2 thay đổi").click()
    expect(desk.locator(".note.done")).to_contain_text("nhập đơn vị")
    desk.goto(f"{office.url}/units/3")
    expect(desk.get_by_role("heading", level=1)).to_have_text("Chi bộ Tài chính")
    expect(desk.locator("section", has=desk.get_by_role("heading", name="Vị trí"))).to_contain_text("“QĐ 15”")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("lang", ["vi", "en"])
def test_the_unit_pages_fit_a_phone(office: Office, theme: str, lang: str) -> None:
    page = office.open("/health", color_scheme=theme, **PHONE)
    page.goto(f"{office.url}/units/import")
    chosen(page, GOOD)
    shown = page.url.removeprefix(office.url)
    paths = ("/units", "/units?under=duk", "/units?find=chi&reach=ok", "/units/3", "/units/7", "/units/contacts", shown)
    for path in (*paths, "/units/import"):
        page.goto(f"{office.url}{path}{'&' if '?' in path else '?'}lang={lang}")
        page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
        small = page.evaluate(
            """() => [...document.querySelectorAll("main a, main button, main input:not([type=hidden]), main select")]
                .filter(each => !each.closest(".skip, .vh") && each.getClientRects().length)
                .filter(each => !each.matches("[type=checkbox], [type=radio]"))
                .filter(each => each.getBoundingClientRect().height < 24)
                .map(each => each.outerHTML.slice(0, 120))"""
        )
        assert small == [], path

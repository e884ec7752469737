"""Can an admin type a plan, fill in its form and bring a file in, in a real browser, with JavaScript and without?"""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from models.plan_draft import PlanDraft
from tests.builders import YEARLY
from tests.test_web_browser import PHONE, SCREEN, Office, office

__all__ = ["office"]
SCRIPTS = pytest.mark.parametrize("with_scripts", [True, False], ids=["scripts", "no scripts"])
LATER = YEARLY.replace("due: {end_of: Q3}", "due: {end_of: M10}")


def draft(office: Office) -> str:
    (found,) = office.desk.all_of(PlanDraft)
    return str(found.text)


def editor(office: Office) -> Page:
    desk = office.open("/", **SCREEN)
    desk.get_by_role("navigation", name="Trang chính").get_by_role("link", name="Kế hoạch").click()
    desk.get_by_role("link", name="Thực hiện Kết luận 01-KL/TW").click()
    expect(desk.locator(".cm-content")).to_contain_text("plan: kl01")
    return desk


def test_a_slip_is_marked_in_its_line_while_it_is_typed_and_gone_when_it_is_mended(office: Office) -> None:
    desk = editor(office)
    expect(desk.locator("#counts")).to_have_text("không có lỗi")
    desk.get_by_text("every", exact=True).dblclick()
    desk.keyboard.type("evry")
    problems = desk.locator("#problems")
    expect(problems).to_contain_text("evry")
    expect(desk.locator(".cm-lintRange-error").first).to_have_text("evry")
    expect(desk.locator("#unsaved")).to_have_text("chưa lưu")
    link = problems.get_by_role("link", name=re.compile("^dòng 22, cột [0-9]+$"))
    link.first.click()
    expect(desk.locator(".cm-activeLine")).to_contain_text("evry: year")
    desk.get_by_text("evry", exact=True).first.dblclick()
    desk.keyboard.type("every")
    expect(desk.locator("#counts")).to_have_text("không có lỗi")
    expect(desk.locator(".cm-lintRange-error")).to_have_count(0)
    expect(desk.locator("#unsaved")).to_be_empty()


def test_words_are_offered_and_explained_where_they_may_stand(office: Office) -> None:
    desk = editor(office)
    desk.get_by_text("every", exact=True).hover()
    expect(desk.locator(".cm-tooltip-hover")).to_contain_text("Bao lâu một lần")
    desk.get_by_text("due: {end_of: Q3}", exact=True).click()
    desk.keyboard.press("End")
    desk.keyboard.type("\n")
    desk.keyboard.press("Control+Space")
    offered = desk.get_by_role("listbox")
    expect(offered.get_by_role("option", name="grace")).to_be_visible()
    expect(offered.get_by_role("option", name="decided")).to_have_count(0)
    desk.keyboard.type("valid: {fr")
    expect(offered.get_by_role("option")).to_have_text(["from"])
    desk.keyboard.press("Escape")
    desk.keyboard.press("Control+z")
    desk.keyboard.press("Control+End")
    desk.keyboard.press("Escape")
    desk.keyboard.press("Tab")  # out of the field, not into the text
    expect(desk.get_by_role("button", name="Lưu và xem các ngày")).to_be_focused()


def test_a_draft_typed_with_scripts_is_kept_letter_for_letter_and_can_be_thrown_away(office: Office) -> None:
    desk = editor(office)
    desk.get_by_role("textbox", name="Nội dung kế hoạch").press("Control+End")
    desk.keyboard.insert_text("  # Chờ văn bản mới “ẤỄ”\n")
    desk.get_by_role("button", name="Lưu nháp").click()
    expect(desk.get_by_text("bạn đang sửa một bản nháp")).to_be_visible()
    assert draft(office) == YEARLY + "  # Chờ văn bản mới “ẤỄ”\n"
    desk.get_by_role("button", name="Bỏ bản nháp").click()
    expect(desk.get_by_text("bạn đang sửa một bản nháp")).to_be_hidden()
    assert office.desk.all_of(PlanDraft) == []


def test_without_scripts_the_text_is_typed_into_a_plain_field_and_every_problem_is_told(office: Office) -> None:
    desk = office.open("/plans/kl01", java_script_enabled=False, **SCREEN)
    field = desk.get_by_label("Nội dung kế hoạch")
    expect(field).to_have_value(YEARLY)
    field.fill(YEARLY.replace("every: year", "evry: year"))
    desk.get_by_role("button", name="Lưu nháp").click()
    expect(desk.locator("#problems")).to_contain_text("evry")
    field.fill(LATER)
    desk.get_by_role("button", name="Lưu nháp").click()
    expect(desk.locator("#counts")).to_have_text("không có lỗi")
    assert draft(office) == LATER


@SCRIPTS
def test_a_form_changes_who_when_and_the_ladder_on_a_phone(office: Office, with_scripts: bool) -> None:
    context: dict[str, Any] = {**PHONE, "java_script_enabled": with_scripts}
    phone = office.open("/plans/kl01/form", **context)
    phone.get_by_label("doan-the").uncheck()
    phone.get_by_label("ngày", exact=True).check()
    phone.get_by_label("ngày trong tháng").fill("25")
    phone.get_by_role("button", name="Ghi vào bản nháp").tap()
    expect(phone.locator("main [role=alert]")).to_contain_text("Hạn: dòng được chọn còn thiếu")
    expect(phone.get_by_label("ngày trong tháng")).to_have_value("25")
    phone.get_by_label("tháng", exact=True).select_option("tháng cuối của kỳ")
    own = phone.get_by_role("group", name="Nhắc", exact=True)
    own.get_by_label("lúc nào").first.select_option("đúng ngày hạn")
    phone.get_by_role("button", name="Ghi vào bản nháp").tap()
    expect(phone.get_by_text("bạn đang sửa một bản nháp")).to_be_visible()
    expected = YEARLY.replace("due: {end_of: Q3}", "due: {day: 25, of: last_month}").replace(", doan-the]", "]")
    exception = "    except: {2021: {due: {end_of: M12}, why: II.8.3}}\n"
    assert draft(office) == expected.replace(exception, exception + "    remind: [due day]\n")


@SCRIPTS
def test_a_file_from_elsewhere_with_a_known_code_asks_first(office: Office, tmp_path: Path, with_scripts: bool) -> None:
    file = tmp_path / "kl01.yaml"
    file.write_text(LATER, encoding="utf-8")
    desk = office.open("/plans", java_script_enabled=with_scripts, **SCREEN)
    desk.get_by_label("Tệp YAML").set_input_files(file)
    desk.get_by_role("button", name="Nhập tệp").click()
    expect(desk.locator("main [role=alert]")).to_contain_text("Kế hoạch kl01 đã có ở đây")
    assert office.desk.all_of(PlanDraft) == []
    desk.get_by_role("button", name="Nhập thành bản nháp của kl01").click()
    expect(desk.get_by_text("bạn đang sửa một bản nháp")).to_be_visible()
    assert draft(office) == LATER
    with desk.expect_download() as download:
        desk.get_by_role("link", name="Tải tệp YAML").click()
    assert Path(download.value.path()).read_text(encoding="utf-8") == LATER


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("lang", ["vi", "en"])
def test_the_pages_of_plans_fit_a_phone(office: Office, theme: str, lang: str) -> None:
    page = office.open("/health", color_scheme=theme, **PHONE)
    for path in ("/plans", "/plans/kl01", "/plans/kl01/form", "/plans/kl01/form?of=defaults"):
        page.goto(f"{office.url}{path}{'&' if '?' in path else '?'}lang={lang}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
        small = page.evaluate(
            """() => [...document.querySelectorAll("main a, main button, main input:not([type=hidden]), main select")]
                .filter(each => !each.closest(".skip, .vh, .cm-editor") && each.getClientRects().length)
                .filter(each => !each.matches("[type=checkbox], [type=radio]"))
                .filter(each => each.getBoundingClientRect().height < 24)
                .map(each => each.outerHTML.slice(0, 120))"""
        )
        assert small == [], path

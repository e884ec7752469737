"""Is the board a place to work in: found by whoever only has the page, moved in by keys, up to date by itself?"""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from engine import extend
from models.user import UserRole
from tests.builders import act_of, at, hand_in, id_of, step_round
from tests.test_web_browser import SCREEN, Office, office  # noqa: F401

WITH_AND_WITHOUT = pytest.mark.parametrize("context", [{}, {"java_script_enabled": False}], ids=["js", "no-js"])


@dataclass
class Hand:
    """A person at a page: every click and every choice is counted."""

    page: Page
    clicks: int = 0

    def click(self, what: Locator) -> None:
        self.clicks += 1
        what.click()

    def choose(self, what: Locator, label: str) -> None:
        self.clicks += 1
        what.select_option(label=label)


def in_october(office: Office) -> None:  # noqa: F811
    """The report of 2023 was due on 30 September; on 5 October one came in time, one late, the others did not."""
    database = office.desk.database
    for day in ("2022-09-05", "2023-09-05"):
        step_round(database, at(day))
    hand_in(database, id_of(database, "stc", "2023"), "2023-09-20")
    hand_in(database, id_of(database, "snv", "2023"), "2023-10-04")
    office.desk.move_clock("2023-10-05")


@WITH_AND_WITHOUT
def test_three_clicks_tell_who_is_late_and_why_that_date(office: Office, context: dict[str, Any]) -> None:  # noqa: F811
    in_october(office)
    hand = Hand(office.open("/", **SCREEN, **context))
    hand.click(hand.page.get_by_role("columnheader", name="2023").get_by_role("link"))
    late = hand.page.get_by_role("row").filter(has_text=re.compile("Quá hạn 4 ngày|nộp trễ", re.IGNORECASE))
    for name in ("Đảng bộ Sở Y tế", "Chi bộ Cảng vụ", "Đoàn Khối các cơ quan tỉnh", "Đảng bộ Sở Nội vụ"):
        expect(late.filter(has_text=name).first).to_be_visible()
    expect(late.filter(has_text="Chi bộ Sở Tài chính")).to_have_count(0)
    hand.click(late.get_by_role("link", name="Chi bộ Cảng vụ"))
    expect(hand.page.get_by_role("heading", name="Vì sao hạn là 30/09/2023")).to_be_visible()
    assert hand.clicks <= 3


@WITH_AND_WITHOUT
def test_three_clicks_lead_to_another_week_for_one_unit(office: Office, context: dict[str, Any]) -> None:  # noqa: F811
    in_october(office)
    hand = Hand(office.open("/", **SCREEN, **context))
    row = hand.page.get_by_role("row").filter(has_text="Chi bộ Cảng vụ")
    hand.click(row.get_by_role("link", name="quá hạn 4 ngày làm việc"))
    panel = hand.page.get_by_role("region", name="Gia hạn")
    panel.get_by_label("Đến hết ngày").fill("12/10/2023")
    panel.get_by_label("Lý do").fill("Bão số 6.")
    hand.click(panel.get_by_role("button", name="Gia hạn"))
    expect(hand.page.get_by_text("đã gia hạn").first).to_be_visible()
    assert hand.clicks <= 3
    hand.page.goto(office.url)
    expect(row.get_by_role("link", name="gia hạn đến 12/10/2023")).to_be_visible()


@WITH_AND_WITHOUT
def test_filters_stand_in_the_address_and_stay_on_the_way_back(office: Office, context: dict[str, Any]) -> None:  # noqa: F811
    in_october(office)
    page = office.open("/", **SCREEN, **context)
    page.get_by_label("Năm").select_option("2023")
    page.get_by_label("Xếp").select_option("overdue")
    page.get_by_label("Tìm đơn vị").fill("so y te")
    page.get_by_role("button", name="Lọc").click()
    address = page.url
    assert "find=so+y+te" in urlsplit(address).query
    cell = page.get_by_role("row").filter(has_text="Đảng bộ Sở Y tế").get_by_role("link", name="quá hạn")
    cell.first.click()
    page.go_back()
    assert page.url == address
    expect(page.get_by_label("Tìm đơn vị")).to_have_value("so y te")


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.closest('tr').querySelector('.unit').innerText.split('\\n')[0]"))


def test_keys_move_in_the_matrix_by_one_tab_stop(office: Office) -> None:  # noqa: F811
    in_october(office)
    page = office.open("/?year=all", **SCREEN)
    page.get_by_role("region", name="Bảng đơn vị và kỳ").focus()
    for _ in range(4):  # the heads of the columns, then the one stop of the cells
        page.keyboard.press("Tab")
        if page.evaluate("!!document.activeElement.closest('tbody')"):
            break
    assert page.locator(".matrix tbody a[tabindex='0']").count() == 1
    page.keyboard.press("Control+Home")
    first = focused(page)
    page.keyboard.press("ArrowDown")
    second = focused(page)
    assert first != second
    page.keyboard.press("End")
    expect(page.locator(":focus")).to_have_attribute("id", re.compile("^t"))
    assert focused(page) == second
    page.keyboard.press("Control+End")
    last = focused(page)
    page.keyboard.press("PageUp")
    assert focused(page) == first
    page.keyboard.press("PageDown")
    assert focused(page) == last
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=re.compile(last))).to_be_visible()


def test_single_keys_find_go_and_explain_unless_they_are_switched_off(office: Office) -> None:  # noqa: F811
    page = office.open("/", **SCREEN)
    page.keyboard.press("/")
    expect(page.get_by_label("Tìm đơn vị")).to_be_focused()
    page.keyboard.type("g?")
    expect(page.get_by_label("Tìm đơn vị")).to_have_value("g?")
    page.locator("h1").click()
    page.keyboard.press("?")
    keys = page.get_by_role("region", name="Phím tắt")
    expect(keys).to_be_visible()
    keys.get_by_label("Dùng các phím một ký tự").uncheck()
    page.keyboard.press("Escape")
    expect(keys).to_be_hidden()
    page.locator("h1").click()
    page.keyboard.press("?")
    expect(keys).to_be_hidden()
    page.reload()
    page.keyboard.press("/")
    expect(page.get_by_label("Tìm đơn vị")).not_to_be_focused()
    page.get_by_role("button", name="Phím tắt").click()
    keys.get_by_label("Dùng các phím một ký tự").check()
    page.keyboard.press("Escape")
    page.goto(f"{office.url}/cycles/1")
    page.keyboard.press("g")
    page.keyboard.press("b")
    expect(page.get_by_role("heading", name="Hôm nay cần bạn")).to_be_visible()


def test_a_cell_changes_by_itself_and_leaves_what_the_clerk_is_doing_alone(office: Office) -> None:  # noqa: F811
    page = office.open("/", **SCREEN)
    page.evaluate("window.kept = true")
    page.get_by_label("Tìm đơn vị").fill("dang go")
    page.get_by_text("Cách tính").click()
    cell = page.locator(f"#t{office.desk.task_id('stc')}")
    cell.focus()
    expect(cell).to_have_attribute("title", "chưa đến hạn")
    hand_in(office.desk.database, office.desk.task_id("stc"), "2021-12-20")
    expect(cell).to_have_attribute("title", "đã nộp đúng hạn")
    expect(page.get_by_role("link", name="1 chờ duyệt")).to_be_visible()
    expect(cell).to_be_focused()
    expect(page.get_by_label("Tìm đơn vị")).to_have_value("dang go")
    expect(page.get_by_text("15 nhiệm vụ; 80%")).to_be_visible()
    assert page.locator(".matrix tbody a[tabindex='0']").count() == 1
    act_of(
        office.desk.database, extend.exempt, office.desk.task_id("stt"), "2021-12-20", reason="Mới lập", document=None
    )
    expect(page.locator(f"#t{office.desk.task_id('stt')}")).to_have_attribute("title", "không yêu cầu")
    assert page.evaluate("window.kept")


def test_a_board_that_stood_hidden_catches_up_when_it_is_looked_at(office: Office) -> None:  # noqa: F811
    page = office.open("/", **SCREEN)
    with page.expect_request("**/live?**"):
        page.reload()
    page.evaluate("Object.defineProperty(document, 'hidden', {value: true, configurable: true})")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    hand_in(office.desk.database, office.desk.task_id("stc"), "2021-12-20")
    with page.expect_response("**/live?**"):
        page.evaluate("Object.defineProperty(document, 'hidden', {value: false, configurable: true})")
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator(f"#t{office.desk.task_id('stc')}")).to_have_attribute("title", "đã nộp đúng hạn")


def test_without_a_stream_the_board_says_that_it_no_longer_follows(
    office: Office,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("web.live.MAX_LISTENERS", 0)
    page = office.open("/", **SCREEN)
    expect(page.get_by_text("Trang không còn tự cập nhật.")).to_be_visible()
    office.faults.clear()  # the browser itself writes the 503 of the stream down


@WITH_AND_WITHOUT
def test_a_view_is_kept_put_first_and_dropped(office: Office, context: dict[str, Any]) -> None:  # noqa: F811
    token = office.desk.signed_in(UserRole.SECRETARIAT)
    page = office.browser.new_context(**SCREEN, **context).new_page()
    page.context.add_cookies([{"name": "dondoc", "value": token, "url": office.url}])
    page.goto(f"{office.url}/?state=not_due&year=all")
    page.get_by_text("Cách xem", exact=True).click()
    page.get_by_placeholder("Tên cách xem").fill("Còn nợ")
    page.get_by_role("button", name="Lưu cách xem").click()
    expect(page.locator(".menu [aria-current]")).to_have_text("Còn nợ")
    page.goto(office.url)
    assert urlsplit(page.url).query == ""
    page.get_by_text("Cách xem", exact=True).click()
    page.get_by_role("button", name=re.compile("Mở đầu")).click()
    expect(page.locator(".menu [aria-pressed=true]")).to_have_count(1)
    page.goto(office.url)
    assert urlsplit(page.url).query == "year=all&state=not_due"
    page.get_by_role("link", name="Bỏ lọc").click()
    expect(page).to_have_url(f"{office.url}/?year=all")
    page.get_by_text("Cách xem", exact=True).click()
    page.get_by_role("button", name=re.compile("^Bỏ ?: Còn nợ")).click()
    expect(page.get_by_role("link", name="Còn nợ")).to_have_count(0)
    page.goto(office.url)
    expect(page).to_have_url(f"{office.url}/")


@WITH_AND_WITHOUT
def test_the_calendar_leads_from_a_day_to_its_task(office: Office, context: dict[str, Any]) -> None:  # noqa: F811
    page = office.open("/", **SCREEN, **context)
    page.get_by_role("navigation", name="Trang chính").get_by_role("link", name="Lịch").click()
    page.get_by_label("Đơn vị").fill("cang vu")
    page.get_by_role("button", name="Xem", exact=True).click()
    expect(page.get_by_role("heading", name="Lịch năm 2021 của Chi bộ Cảng vụ")).to_be_visible()
    page.get_by_role("table", name="Tháng 12").get_by_role("link", name=re.compile("^31")).click()
    due = page.locator("#on-2021-12-31")
    expect(due).to_be_in_viewport()
    due.get_by_role("link", name="Báo cáo kết quả hằng năm").click()
    expect(page.get_by_role("heading", name=re.compile("^Chi bộ Cảng vụ"))).to_be_visible()

"""Do the journeys work in a real browser: on a phone, at the desk, without JavaScript, in the dark?"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from models.submission import Submission
from models.task import TaskState
from tests.builders import hand_in
from tests.desk import PDF, Desk, sqlite_desk

PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True}
SCREEN: dict[str, Any] = {"viewport": {"width": 1366, "height": 768}}
FILE: Any = {"name": "Báo cáo năm.pdf", "mimeType": "application/pdf", "buffer": PDF}


@dataclass
class Office:
    """The served pages, and a browser that notes what must not happen."""

    desk: Desk
    url: str
    browser: Browser
    faults: list[str]

    def open(self, path: str, **context: Any) -> Page:
        page = self.browser.new_context(**{"locale": "vi-VN", **context}).new_page()
        page.on("console", self.note)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("request", lambda request: self.watch(request.url))
        page.goto(self.url + path)
        return page

    def note(self, message: ConsoleMessage) -> None:
        # A 4xx page that was asked for on purpose is logged as an error too.
        if message.type in {"error", "warning"} and "the server responded with a status of 4" not in message.text:
            self.faults.append(message.text)

    def watch(self, url: str) -> None:
        if not url.startswith((self.url + "/", "data:")):
            self.faults.append(url)


@pytest.fixture
def office(browser: Browser, sqlite_template: Path, tmp_path: Path) -> Iterator[Office]:
    with sqlite_desk(sqlite_template, tmp_path) as desk, desk.served() as url:
        office = Office(desk, url, browser, [])
        yield office
        for context in browser.contexts:
            context.close()
        assert office.faults == []


def fill(page: Page, results: str = "Tổ chức 4 buổi sinh hoạt.") -> None:
    page.get_by_label("Số đảng viên đã học").fill("86")
    page.get_by_label("Kết quả nổi bật").fill(results)


def test_a_phone_hands_in_a_file_and_the_office_accepts(office: Office) -> None:
    phone = office.open(office.desk.link(), **PHONE)
    fill(phone)
    phone.get_by_label("Chọn tệp").set_input_files(FILE)
    phone.get_by_role("button", name="Gửi báo cáo").tap()
    expect(phone.get_by_role("heading", name="Giấy báo nhận")).to_be_visible()
    code = phone.locator("#code").inner_text()
    desk = office.open("/", **SCREEN)
    desk.get_by_role("link", name="chờ duyệt").click()
    desk.get_by_role("link", name="đã nộp đúng hạn").click()
    expect(desk.get_by_text(code)).to_be_visible()
    with desk.expect_download() as download:
        desk.get_by_role("link", name="Báo cáo năm.pdf").click()
    assert Path(download.value.path()).read_bytes() == PDF
    desk.get_by_role("button", name="Nhận bản 1").click()
    expect(desk.locator(".page-head .state")).to_have_text(re.compile("Đã nhận"))
    phone.goto(office.url + office.desk.link())
    expect(phone.get_by_text("Bản 1 đã được nhận.")).to_be_visible()


def test_a_returned_report_comes_back_filled_in_and_is_accepted_the_second_time(office: Office) -> None:
    link, task = office.desk.link(), f"/tasks/{office.desk.task_id()}"
    phone = office.open(link, **PHONE)
    fill(phone)
    phone.get_by_label("Chọn tệp").set_input_files(FILE)
    phone.get_by_role("button", name="Gửi báo cáo").tap()
    expect(phone.get_by_role("heading", name="Giấy báo nhận")).to_be_visible()
    desk = office.open(task, **SCREEN)
    desk.get_by_label("Lý do trả lại").fill("Thiếu 01 cá nhân điển hình.")
    desk.get_by_label("Hạn nộp lại").fill("04/01/2022")
    desk.get_by_role("button", name="Trả lại").click()
    expect(desk.locator(".page-head .state")).to_have_text(re.compile("Trả lại"))
    phone.goto(office.url + link)
    reason = phone.get_by_text("Thiếu 01 cá nhân điển hình.")
    expect(reason).to_be_in_viewport()
    expect(phone.get_by_label("Số đảng viên đã học")).to_have_value("86")
    phone.get_by_label("Kết quả nổi bật").fill("Đã bổ sung.")
    phone.get_by_role("button", name="Gửi báo cáo").tap()
    expect(phone.get_by_text("Đã nhận bản 2 của báo cáo.")).to_be_visible()
    expect(phone.get_by_text("Báo cáo năm.pdf")).to_be_visible()
    desk.goto(office.url + task)
    desk.get_by_role("button", name="Nhận bản 2").click()
    expect(desk.locator(".page-head .state")).to_have_text(re.compile("Đã nhận"))
    assert office.desk.task().state == TaskState.ACCEPTED


def test_two_taps_on_the_button_make_one_submission(office: Office) -> None:
    phone = office.open(office.desk.link(), **PHONE)
    fill(phone)
    phone.get_by_role("button", name="Gửi báo cáo").dblclick(no_wait_after=True)
    expect(phone.get_by_role("heading", name="Giấy báo nhận")).to_be_visible()
    assert [each.number for each in office.desk.all_of(Submission)] == [1]


def test_the_second_of_two_tabs_is_led_to_the_receipt(office: Office) -> None:
    link = office.desk.link()
    first, second = office.open(link, **PHONE), office.open(link, **PHONE)
    for tab in (first, second):
        fill(tab)
        tab.get_by_role("button", name="Gửi báo cáo").tap()
        expect(tab.get_by_role("button", name="Gửi báo cáo")).to_be_hidden()  # answered: the other one comes after
    expect(second.get_by_role("heading", name="Việc này không làm được nữa")).to_be_visible()
    second.get_by_role("link", name="Xem tình hình hiện nay").tap()
    expect(second.get_by_text("đang chờ duyệt")).to_be_visible()
    assert len(office.desk.all_of(Submission)) == 1


def test_mistakes_are_shown_beside_their_fields_and_nothing_typed_is_lost(office: Office) -> None:
    phone = office.open(office.desk.link(), **PHONE)
    phone.get_by_label("Số đảng viên đã học").fill("nhiều lắm")
    phone.get_by_label("Kết quả nổi bật").fill("Dòng một\nDòng hai")
    phone.get_by_label("Chọn tệp").set_input_files(FILE)
    phone.get_by_role("button", name="Gửi báo cáo").tap()
    field = phone.get_by_label("Số đảng viên đã học")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description("! Cần một số nguyên không âm, gặp “nhiều lắm”.")
    expect(field).to_have_value("nhiều lắm")
    expect(phone.get_by_label("Kết quả nổi bật")).to_have_value("Dòng một\nDòng hai")
    field.fill("86")
    phone.get_by_role("button", name="Gửi báo cáo").tap()
    expect(phone.get_by_text("Báo cáo năm.pdf").first).to_be_visible()


def test_too_large_a_file_is_told_beside_what_was_typed(office: Office, tmp_path: Path) -> None:
    large = tmp_path / "anh.pdf"
    large.write_bytes(b"%PDF-1.7" + b"\0" * (22 * 1024 * 1024))
    phone = office.open(office.desk.link(), java_script_enabled=False, **PHONE)
    fill(phone)
    phone.get_by_label("Chọn tệp").set_input_files(large)
    phone.get_by_role("button", name="Gửi báo cáo").tap()
    expect(phone.get_by_text("anh.pdf: Cần tệp không quá 20 MB.")).to_be_visible()
    expect(phone.get_by_label("Số đảng viên đã học")).to_have_value("86")


def test_everything_works_without_javascript(office: Office) -> None:
    phone = office.open(office.desk.link(), java_script_enabled=False, **PHONE)
    fill(phone)
    phone.get_by_role("button", name="Gửi báo cáo").tap()
    expect(phone.get_by_role("heading", name="Giấy báo nhận")).to_be_visible()
    desk = office.open(f"/tasks/{office.desk.task_id()}", java_script_enabled=False, **SCREEN)
    desk.get_by_role("button", name="Nhận bản 1").click()
    expect(desk.locator(".page-head .state")).to_have_text(re.compile("Đã nhận"))
    expect(desk.get_by_role("button", name="Sáng / tối")).to_be_hidden()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("lang", ["vi", "en"])
def test_no_page_scrolls_sideways_on_a_phone_or_offers_too_small_a_target(
    office: Office, theme: str, lang: str
) -> None:
    link, task = office.desk.link("snv"), office.desk.task_id()
    hand_in(office.desk.database, task, "2021-12-20")
    page = office.open("/health", color_scheme=theme, **PHONE)
    for path in ("/", f"/tasks/{task}", "/cycles/1", link, f"{office.desk.link()}/receipt", "/s/wrong", "/nowhere"):
        page.goto(f"{office.url}{path}?lang={lang}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
        small = page.evaluate(
            """() => [...document.querySelectorAll("a, button, input:not([type=hidden]), select, summary")]
                .filter(each => !each.closest(".skip, .vh") && each.getClientRects().length)
                .filter(each => !each.matches("[type=checkbox], [type=radio]"))
                .filter(each => each.getBoundingClientRect().height < 24)
                .map(each => each.outerHTML.slice(0, 120))"""
        )
        assert small == [], path


def test_the_switch_keeps_the_dark_when_the_page_is_opened_again(office: Office) -> None:
    page = office.open("/", color_scheme="light", **SCREEN)
    page.get_by_role("button", name="Sáng / tối").click()
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"

"""Can a clerk clear a morning's inbox, with JavaScript and without, at the desk and on a phone?"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from models.message import Message, MessageState
from models.notice import Notice
from models.task import TaskState
from tests.builders import at, hand_in, step_round
from tests.desk import busied, sqlite_desk
from tests.test_web_browser import PHONE, SCREEN, Office

WITH_AND_WITHOUT = pytest.mark.parametrize("java_script_enabled", [True, False], ids=["js", "no-js"])


@pytest.fixture
def office(browser: Browser, sqlite_template: Path, tmp_path: Path) -> Iterator[Office]:
    """10 January: snv waits for review, doan-khoi and syt are overdue, cam has time until the 14th."""
    with sqlite_desk(sqlite_template, tmp_path) as desk:
        busied(desk)
        step_round(desk.database, at("2022-01-06"))
        desk.move_clock("2022-01-10")
        with desk.served() as url:
            office = Office(desk, url, browser, [])
            yield office
            for context in browser.contexts:
                context.close()
            assert office.faults == []


def reminded(office: Office) -> int:
    """Notices that a person, and no step, sent."""
    return sum(each.kind == "reminder" and each.cause.startswith("entry:") for each in office.desk.all_of(Notice))


@WITH_AND_WITHOUT
def test_two_late_units_are_chosen_and_reminded(office: Office, java_script_enabled: bool) -> None:
    page = office.open("/inbox?group=overdue", java_script_enabled=java_script_enabled, **SCREEN)
    page.get_by_label("Chọn Đoàn Khối các cơ quan tỉnh").check()
    page.get_by_label("Chọn Đảng bộ Sở Y tế").check()
    page.get_by_role("button", name="Nhắc", exact=True).click()
    expect(page.get_by_role("heading", name="Nhắc 2 việc: xem trước")).to_be_visible()
    expect(page.get_by_text("contact.syt@example.org")).to_be_visible()
    assert reminded(office) == 0
    page.get_by_role("button", name="Gửi 2 tin").click()
    expect(page.get_by_text("Đã nhắc 2 việc.")).to_be_visible()
    assert reminded(office) == 2


@WITH_AND_WITHOUT
def test_all_that_the_filter_finds_gets_a_week_more(office: Office, java_script_enabled: bool) -> None:
    page = office.open("/inbox?group=overdue", java_script_enabled=java_script_enabled, **SCREEN)
    page.get_by_label("Chọn tất cả 2 theo bộ lọc").check()
    page.get_by_role("button", name="Gia hạn").click()
    page.get_by_label("Đến hết ngày").fill("17/01/2022")
    page.get_by_label("Lý do").fill("Mưa bão")
    page.get_by_role("button", name="Xem trước tác động").click()
    expect(page.get_by_role("cell", name="31/12/2021 → 17/01/2022")).to_be_visible()
    expect(page.get_by_label("Lý do")).to_have_value("Mưa bão")
    page.get_by_role("button", name="Gia hạn 2 việc").click()
    expect(page.get_by_text("Đã gia hạn 2 việc.")).to_be_visible()
    expect(page.get_by_text("Không có việc nào ở đây")).to_be_visible()


@WITH_AND_WITHOUT
def test_what_changed_meanwhile_is_shown_before_anything_is_done(office: Office, java_script_enabled: bool) -> None:
    page = office.open(
        "/bulk?act=exempt&group=overdue&all=1&back=/inbox", java_script_enabled=java_script_enabled, **SCREEN
    )
    page.get_by_label("Lý do").fill("Chia tách")
    hand_in(office.desk.database, office.desk.task_id("syt"), "2022-01-10", key="meanwhile")
    page.get_by_role("button", name="Miễn 2 việc").click()
    expect(page.locator(".note.stop")).to_contain_text("từ lúc đó đã có thay đổi")
    assert office.desk.task("doan-khoi").state == TaskState.OPEN
    page.get_by_role("button", name="Miễn 1 việc").click()
    expect(page.get_by_text("Đã miễn 1 việc.")).to_be_visible()
    assert office.desk.task("doan-khoi").state == TaskState.EXEMPTED


def test_two_clicks_on_the_button_do_it_once(office: Office) -> None:
    page = office.open(f"/bulk?act=remind&task={office.desk.task_id('doan-khoi')}", **SCREEN)
    page.get_by_role("button", name="Gửi 1 tin").dblclick(no_wait_after=True)
    expect(page).to_have_url(re.compile("done="))
    assert reminded(office) == 1


def test_a_version_is_accepted_from_a_phone(office: Office) -> None:
    phone = office.open("/inbox", **PHONE)
    phone.get_by_label("Chọn Đảng bộ Sở Nội vụ").check()
    phone.get_by_role("button", name="Nhận", exact=True).tap()
    phone.get_by_role("button", name="Nhận 1 bản").tap()
    expect(phone.get_by_text("Đã nhận 1 bản nộp.")).to_be_visible()
    assert office.desk.task("snv").state == TaskState.ACCEPTED


def test_a_list_is_worked_by_keys(office: Office) -> None:
    page = office.open("/inbox?group=overdue", **SCREEN)
    boxes = page.locator("input[name=task]")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(boxes.nth(0)).to_be_checked()
    expect(page.get_by_text("Đã chọn 1")).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("Shift+X")
    expect(boxes.nth(1)).to_be_checked()
    expect(page.get_by_text("Đã chọn 2")).to_be_visible()
    page.keyboard.press("k")
    expect(boxes.nth(0)).to_be_focused()
    page.get_by_label("Tìm đơn vị").fill("jxk")
    expect(page.get_by_label("Tìm đơn vị")).to_have_value("jxk")
    page.get_by_label("Chọn cả trang").uncheck()
    expect(boxes.nth(0)).not_to_be_checked()


@WITH_AND_WITHOUT
def test_a_cycle_is_paused_and_resumed(office: Office, java_script_enabled: bool) -> None:
    page = office.open("/cycles/1", java_script_enabled=java_script_enabled, **SCREEN)
    page.get_by_role("button", name="Tạm dừng").click()
    expect(page.locator(".note.stop")).to_contain_text("Cần một lý do")
    page.get_by_label("Lý do").fill("Chờ ý kiến")
    page.get_by_role("button", name="Tạm dừng").click()
    expect(page.get_by_text("Đang tạm dừng từ 09:00, thứ Hai 10/01/2022 (GMT+7).")).to_be_visible()
    page.get_by_role("button", name="Chạy lại").click()
    expect(page.get_by_role("button", name="Tạm dừng")).to_be_visible()
    page.get_by_role("link", name="Nhật ký của đợt").click()
    expect(page.get_by_text("“Chờ ý kiến”")).to_be_visible()


@WITH_AND_WITHOUT
def test_a_message_that_may_have_arrived_is_sent_again_knowingly(office: Office, java_script_enabled: bool) -> None:
    with office.desk.database.writing() as session:
        notice = next(each for each in office.desk.all_of(Notice) if each.task_id == office.desk.task_id("doan-khoi"))
        message = Message(
            contact_id=notice.contact_id,
            channel="email",
            address="contact.doan-khoi@example.org",
            reference="lost",
            state=MessageState.UNKNOWN,
            subject="Nhắc nộp báo cáo",
            text="Nội dung",
            html="",
            created_at=at("2022-01-09"),
            try_after=at("2022-01-09"),
        )
        session.add(message)
        session.flush()
        notice.message_id = message.id
        session.merge(notice)
    page = office.open("/inbox", java_script_enabled=java_script_enabled, **SCREEN)
    page.get_by_role("link", name="Xem tin").click()
    page.get_by_label("Tôi biết tin có thể tới hai lần").check()
    page.get_by_role("button", name="Gửi lại").click()
    expect(page.get_by_role("heading", name="Chờ gửi")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("lang", ["vi", "en"])
def test_none_of_it_scrolls_sideways_or_offers_too_small_a_target(office: Office, theme: str, lang: str) -> None:
    page = office.open("/health", color_scheme=theme, **PHONE)
    task = office.desk.task_id("doan-khoi")
    for path in PATHS:
        page.goto(f"{office.url}{path.format(task=task)}{'&' if '?' in path else '?'}lang={lang}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
        assert small(page) == [], path


PATHS = (
    "/inbox", "/inbox?group=overdue", "/inbox?group=unreachable&find=cang", "/cycles/1", "/messages", "/journal",
    "/bulk?act=extend&task={task}&due_on=15/1/2022", "/bulk?act=remind&group=owing&cycle=1&all=1",
)  # fmt: skip


def small(page: Page) -> list[str]:
    """Targets less than 24 pixels high."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll("a, button, input:not([type=hidden]), select, summary, .hit")]
            .filter(each => !each.closest(".skip, .vh") && each.checkVisibility())
            .filter(each => !each.matches("[type=checkbox], [type=radio]"))
            .filter(each => each.getBoundingClientRect().height < 24)
            .map(each => each.outerHTML.slice(0, 120))"""
    )
    return found

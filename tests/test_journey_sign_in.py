"""Does the way in work in a real browser, with JavaScript and without: an admin, a clerk, a playground's roles?"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyotp
import pytest
from playwright.sync_api import Browser, Page, expect

from dondoc import clock
from engine import people
from engine.access import everything
from models.user import User, UserRole
from tests.desk import PASSWORD, Desk, quick_passwords, sqlite_desk
from tests.test_web_browser import PHONE, SCREEN, Office

SCRIPTS = [pytest.param(True, id="script"), pytest.param(False, id="no-script")]


@pytest.fixture
def office(
    browser: Browser, sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Office]:
    """A real office."""
    quick_passwords(monkeypatch)
    with sqlite_desk(sqlite_template, tmp_path) as desk, desk.served() as url:
        desk.settings.clock.unlink()
        office = Office(desk, url, browser, [])
        yield office
        for context in browser.contexts:
            context.close()
        assert office.faults == []


def invitation(desk: Desk, user: User) -> str:
    with desk.database.writing() as session:
        found = session.get_one(User, user.id)
        return f"/invite/{people.invite(session, everything('office', ''), found, now=clock.now())}"


def choose_password(page: Page) -> None:
    page.get_by_label("Mật khẩu mới", exact=True).fill(PASSWORD)
    page.get_by_label("Nhập lại mật khẩu mới").fill(PASSWORD)
    page.get_by_role("button", name="Đặt mật khẩu và vào").click()


def set_up_code(page: Page) -> str:
    """Scans the picture, so to speak; says its secret."""
    page.get_by_text("Khoá để nhập bằng tay").click()
    secret = page.locator("ol code").inner_text().replace(" ", "")
    page.get_by_label("Mã 6 chữ số").fill(pyotp.TOTP(secret).at(clock.now()))
    page.get_by_role("button", name="Xong").click()
    return secret


def sign_in(page: Page, login: str) -> None:
    page.get_by_label("Tên đăng nhập").fill(login)
    page.get_by_label("Mật khẩu").fill(PASSWORD)
    page.get_by_role("button", name="Đăng nhập").click()


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_first_admin_comes_in_invites_a_clerk_who_comes_in_on_a_phone(office: Office, script: bool) -> None:
    context: dict[str, Any] = {"java_script_enabled": script}
    first = office.desk.user(UserRole.ADMIN, login="quan-tri")
    desk = office.open(invitation(office.desk, first), **SCREEN, **context)
    choose_password(desk)
    expect(desk.get_by_role("heading", name="Đặt xác thực hai lớp")).to_be_visible()
    set_up_code(desk)
    expect(desk.get_by_role("heading", name="Mã dự phòng")).to_be_visible()
    assert desk.locator(".codes li").count() == 10
    desk.get_by_role("link", name="Tôi đã cất các mã").click()
    expect(desk).to_have_url(f"{office.url}/")
    desk.locator(".who-menu > summary").click()
    desk.get_by_role("link", name="Người dùng").click()
    desk.get_by_label("Tên hoặc chức danh").fill("Văn thư Sở Nội vụ")
    desk.get_by_label("Tên đăng nhập").fill("vt.snv")
    desk.get_by_label("Ở đơn vị, và mọi đơn vị bên dưới").select_option(label="Đảng bộ Sở Nội vụ (snv)")
    desk.get_by_role("button", name="Thêm và lấy liên kết mời").click()
    link = desk.locator("code.link").inner_text()
    desk.reload()
    expect(desk.get_by_role("heading", name="Văn thư Sở Nội vụ")).to_be_visible()
    assert desk.locator("code.link").count() == 0
    phone = office.open(urlsplit(link).path, **PHONE, **context)
    choose_password(phone)
    expect(phone.get_by_role("heading", name="Hôm nay cần bạn")).to_be_visible()
    expect(phone.get_by_role("rowheader", name=re.compile("Đảng bộ Sở Nội vụ"))).to_be_visible()
    assert phone.get_by_text("Chi bộ Sở Tài chính").count() == 0


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_clerk_signs_in_where_they_wanted_to_go_changes_the_password_and_signs_out(
    office: Office, script: bool
) -> None:
    office.desk.user(UserRole.SECRETARIAT, "duk", login="van-phong")
    page = office.open("/?year=2021&state=overdue", **SCREEN, java_script_enabled=script)
    page.get_by_label("Tên đăng nhập").fill("van-phong")
    page.get_by_label("Mật khẩu").fill("không phải câu này")
    page.get_by_role("button", name="Đăng nhập").click()
    expect(page.get_by_role("alert")).to_have_text("Tên đăng nhập hoặc mật khẩu không đúng.")
    expect(page.get_by_label("Tên đăng nhập")).to_have_value("van-phong")
    sign_in(page, "van-phong")
    expect(page).to_have_url(f"{office.url}/?year=2021&state=overdue")
    page.locator(".who-menu > summary").click()
    page.get_by_role("link", name="Tài khoản của tôi").click()
    page.get_by_label("Mật khẩu đang dùng").fill(PASSWORD)
    for label in ("Mật khẩu mới", "Nhập lại mật khẩu mới"):
        page.get_by_label(label, exact=True).fill("một câu hoàn toàn khác")
    page.get_by_role("button", name="Đổi mật khẩu").click()
    expect(page.get_by_role("heading", name="Tài khoản của tôi")).to_be_visible()
    page.get_by_role("main").get_by_role("button", name="Đăng xuất").click()
    expect(page.get_by_role("heading", name="Vào văn phòng")).to_be_visible()
    sign_in(page, "van-phong")
    expect(page.get_by_role("alert")).to_be_visible()


def test_a_form_that_was_open_for_too_long_loses_nothing(office: Office) -> None:
    office.desk.user(UserRole.SECRETARIAT, "duk", login="van-phong")
    page = office.open("/account", **SCREEN)
    sign_in(page, "van-phong")
    page.get_by_label("Tên", exact=True).fill("Văn phòng Đảng ủy Khối")
    page.context.clear_cookies()
    page.get_by_role("button", name="Lưu thay đổi").click()
    expect(page.get_by_role("heading", name="Phiên làm việc đã hết")).to_be_visible()
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Đăng nhập ở thẻ mới").click()
    sign_in(opened.value, "van-phong")
    expect(opened.value.get_by_role("heading", name="Hôm nay cần bạn")).to_be_visible()
    page.go_back()
    expect(page.get_by_label("Tên", exact=True)).to_have_value("Văn phòng Đảng ủy Khối")
    page.get_by_role("button", name="Lưu thay đổi").click()
    expect(page.locator(".who-menu > summary")).to_have_text("Văn phòng Đảng ủy Khối")


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_playground_is_seen_through_each_role(office: Office, script: bool) -> None:
    office.desk.move_clock("2022-01-05")
    page = office.open("/?year=2021", **SCREEN, java_script_enabled=script)
    expect(page.get_by_role("rowheader", name="Chi bộ Sở Tài chính")).to_be_visible()
    page.locator("#trial").select_option(label="Văn phòng của Đảng bộ Sở Nội vụ")
    page.get_by_role("button", name="Đổi vai").click()
    expect(page).to_have_url(f"{office.url}/?year=2021")
    assert page.get_by_text("Chi bộ Sở Tài chính").count() == 0
    page.get_by_role("button", name="+1 ngày").click()
    expect(page.locator(".clock time")).to_contain_text("06/01/2022")
    page.locator("#trial").select_option(label="Người chỉ xem")
    page.get_by_role("button", name="Đổi vai").click()
    expect(page.get_by_role("rowheader", name="Chi bộ Sở Tài chính")).to_be_visible()
    page.locator(".who-menu > summary").click()
    assert page.get_by_role("link", name="Người dùng").count() == 0

"""Can a clerk chase, decide and record on the task page in a real browser, with JavaScript and without?"""

import re
from datetime import date
from typing import Any

import pytest
from playwright.sync_api import expect

from engine import review
from models.contact import Contact
from models.note import Note
from models.submission import SubmissionFile
from models.task import TaskState
from tests.builders import act_of, hand_in
from tests.test_web_browser import FILE, PHONE, SCREEN, Office, office

__all__ = ["office"]
SCRIPTS = pytest.mark.parametrize("with_scripts", [True, False], ids=["scripts", "no scripts"])


def screen(with_scripts: bool) -> dict[str, Any]:
    return {**SCREEN, "java_script_enabled": with_scripts}


@SCRIPTS
def test_a_call_is_written_down_and_its_promise_stands_on_top(office: Office, with_scripts: bool) -> None:
    with office.desk.database.writing() as session:
        for contact in office.desk.all_of(Contact):
            contact.phone = "024 3825 1234"
            session.merge(contact)
    desk = office.open(f"/tasks/{office.desk.task_id()}", **screen(with_scripts))
    expect(desk.get_by_role("link", name="024 3825 1234").first).to_have_attribute("href", "tel:02438251234")
    desk.get_by_label("Ai nghe máy").fill("Văn thư Chi bộ Sở Tài chính")
    desk.get_by_label("Nội dung trao đổi").fill("Đang chờ ký")
    desk.get_by_label("Hứa nộp ngày").fill("24/12/2021")
    desk.get_by_role("button", name="Ghi lại").click()
    expect(desk.locator(".page-head")).to_contain_text("hứa nộp thứ Sáu 24/12/2021")
    expect(desk.get_by_role("heading", name="Cuộc gọi và ghi chú")).to_be_visible()
    assert [each.kind for each in office.desk.all_of(Note)] == ["call"]


@SCRIPTS
def test_an_extension_is_tried_and_then_given(office: Office, with_scripts: bool) -> None:
    desk = office.open(f"/tasks/{office.desk.task_id()}", **screen(with_scripts))
    day, effect = desk.get_by_label("Đến hết ngày"), desk.locator("#extend-effect")
    expect(day).to_have_value("10/01/2022")
    day.fill("15/01/2022")
    if not with_scripts:
        desk.get_by_role("button", name="Xem thử").click()
    expect(effect).to_have_text(
        re.compile("Thứ Bảy 15/01/2022, thêm 9 ngày làm việc sau hạn 31/12/2021; là ngày nghỉ cuối tuần")
    )
    day.fill("14/01/2022")
    desk.locator("#extend-reason").fill("Bão số 9")
    desk.locator("#extend").locator("..").get_by_role("button", name="Gia hạn").click()
    expect(desk.get_by_role("heading", name="Vì sao hạn là 14/01/2022")).to_be_visible()
    expect(desk.locator(".chain")).to_contain_text("“Bão số 9”")


@SCRIPTS
def test_a_paper_is_recorded_with_its_scan(office: Office, with_scripts: bool) -> None:
    desk = office.open(f"/tasks/{office.desk.task_id()}", **screen(with_scripts))
    desk.get_by_label("Ngày nhận").fill("20/12/2021")
    desk.get_by_label("Bản chụp (nếu có)").set_input_files(FILE)
    desk.get_by_role("button", name="Ghi nhận").click()
    expect(desk.locator(".note.stop")).to_contain_text("Cần số văn bản")
    expect(desk.get_by_text("Đã giữ: Báo cáo năm.pdf")).to_be_visible()
    desk.get_by_label("Số văn bản").fill("Số 05-BC/CB")
    desk.get_by_role("button", name="Ghi nhận").click()
    expect(desk.locator(".page-head .state")).to_have_text(re.compile("Đã nộp đúng hạn"))
    assert [each.name for each in office.desk.all_of(SubmissionFile)] == ["Báo cáo năm.pdf"]


@SCRIPTS
def test_two_versions_are_compared_as_chosen(office: Office, with_scripts: bool) -> None:
    task = office.desk.task_id()
    for number in range(3):
        hand_in(office.desk.database, task, "2021-12-20", key=f"{number}")
        if number < 2:
            given: dict[str, Any] = {"reason": "Thiếu", "due_on": date(2022, 1, 7)}
            act_of(office.desk.database, review.send_back, task, "2021-12-20", **given)
    desk = office.open(f"/tasks/{task}", **screen(with_scripts))
    expect(desk.get_by_role("heading", name="Bản nộp 3, so với bản 2")).to_be_visible()
    desk.get_by_label("So bản").select_option("1")
    desk.get_by_role("button", name="So sánh").click()
    expect(desk.get_by_role("heading", name="Bản nộp 3, so với bản 1")).to_be_visible()


@SCRIPTS
def test_a_link_is_revoked_and_opens_nothing(office: Office, with_scripts: bool) -> None:
    link = office.desk.link()
    desk = office.open(f"/tasks/{office.desk.task_id()}", **screen(with_scripts))
    desk.get_by_text("Liên kết của đơn vị").click()
    desk.get_by_role("button", name="Thu hồi liên kết").click()
    desk.get_by_text("Liên kết của đơn vị").click()
    expect(desk.get_by_text("đã thu hồi")).to_be_visible()
    phone = office.open(link, **PHONE)
    expect(phone.get_by_role("heading", name="Liên kết không dùng được")).to_be_visible()


def test_the_keys_lead_to_accept_return_and_extend_but_never_while_typing(office: Office) -> None:
    task = office.desk.task_id()
    desk = office.open(f"/tasks/{task}", **SCREEN)
    desk.keyboard.press("e")
    expect(desk.get_by_label("Đến hết ngày")).to_be_focused()
    hand_in(office.desk.database, task, "2021-12-20")
    desk.reload()
    desk.keyboard.press("r")
    expect(desk.get_by_label("Lý do trả lại")).to_be_focused()
    desk.keyboard.type("nre")
    expect(desk.get_by_label("Lý do trả lại")).to_have_value("nre")
    desk.get_by_label("Lý do trả lại").blur()
    desk.evaluate("document.documentElement.dataset.letters = 'off'")
    desk.keyboard.press("n")
    expect(desk.get_by_role("button", name="Nhận bản 1")).not_to_be_focused()
    desk.evaluate("delete document.documentElement.dataset.letters")
    desk.keyboard.press("n")
    expect(desk.get_by_role("button", name="Nhận bản 1")).to_be_focused()
    desk.keyboard.press("Enter")
    expect(desk.locator(".page-head .state")).to_have_text(re.compile("Đã nhận"))
    assert office.desk.task().state == TaskState.ACCEPTED

"""Can an admin see which dates move, move them, take it back and ask a second person, in a real browser?"""

import pytest
from playwright.sync_api import Page, expect

from models.day import CalendarDay
from models.plan import Revision
from models.plan_draft import PlanDraft
from models.proposal import Proposal
from tests.builders import YEARLY, at
from tests.test_web_browser import PHONE, SCREEN, Office, office

__all__ = ["office"]
SCRIPTS = pytest.mark.parametrize("with_scripts", [True, False], ids=["scripts", "no scripts"])
LATER = YEARLY.replace("except: {2021: {due: {end_of: M12}", "except: {2021: {due: {day: 20, of: M1, year: 1}")


def typed(office: Office, text: str) -> None:
    """A draft as the editor would have kept it."""
    with office.desk.database.writing() as session:
        base = session.get_one(Revision, 1).hash
        session.add(PlanDraft(plan="kl01", by="office", text=text, base=base, saved_at=at("2021-12-20")))


@SCRIPTS
def test_a_date_is_seen_moved_and_taken_back(office: Office, with_scripts: bool) -> None:
    typed(office, LATER)
    desk = office.open("/plans/kl01", java_script_enabled=with_scripts, **SCREEN)
    desk.get_by_role("button", name="Lưu và xem các ngày").click()
    row = desk.get_by_role("row").filter(has_text="năm 2021")
    expect(row).to_contain_text("31/12/2021")
    expect(row).to_contain_text("thứ Năm 20/01/2022")
    expect(row).to_contain_text("đợt đang mở")
    desk.get_by_role("radio", name="Dời và báo").check()
    desk.get_by_role("textbox", name="Lý do").fill("Cho lùi báo cáo năm đầu")
    desk.get_by_role("button", name="Áp dụng").click()
    expect(desk.get_by_text("Đã ghi: áp dụng kế hoạch.")).to_be_visible()
    expect(desk.get_by_text("Cho lùi báo cáo năm đầu")).to_be_visible()
    desk.get_by_role("link", name="Bản 1", exact=True).click()
    desk.get_by_role("link", name="Xem lại để khôi phục bản này").click()
    expect(desk.get_by_text("sớm 20 ngày")).to_be_visible()
    desk.get_by_role("textbox", name="Lý do").fill("Nhầm")
    desk.get_by_role("button", name="Khôi phục bản 1").click()
    expect(desk.get_by_text("khôi phục bản 1")).to_be_visible()
    assert [each.is_active for each in office.desk.all_of(Revision)] == [False, False, True]


def test_a_proposal_waits_for_a_second_person_and_can_be_withdrawn(office: Office) -> None:
    typed(office, LATER)
    desk = office.open("/plans/kl01/preview", **PHONE)
    desk.get_by_role("textbox", name="Lý do").fill("Cho lùi báo cáo năm đầu")
    desk.get_by_role("checkbox", name="Nhờ người thứ hai").check()
    desk.get_by_role("button", name="Áp dụng").click()
    expect(desk.get_by_role("heading", name="Đề nghị áp dụng kế hoạch kl01")).to_be_visible()
    desk.goto(f"{office.url}/plans")
    desk.get_by_role("link", name="Chờ người thứ hai: kl01").click()
    desk.get_by_role("button", name="Rút lại").click()
    expect(desk.get_by_text("đã rút lại")).to_be_visible()
    assert [each.state for each in office.desk.all_of(Proposal)] == ["withdrawn"]
    assert [each.text for each in office.desk.all_of(PlanDraft)] == [LATER]


@SCRIPTS
def test_a_day_off_is_put_into_a_calendar_after_its_effect_was_seen(office: Office, with_scripts: bool) -> None:
    desk = office.open("/plans", java_script_enabled=with_scripts, **SCREEN)
    desk.get_by_role("link", name="Lịch ngày nghỉ").click()
    desk.get_by_role("link", name="Lịch nghỉ của cơ quan nhà nước").click()
    fill(desk, {"Ngày, dòng 1": "27/12/2021", "Tên tiếng Việt, dòng 1": "Nghỉ bão", "Nguồn, dòng 1": "Công điện"})
    desk.get_by_role("button", name="Xem những hạn nào dời").click()
    expect(desk.get_by_text("Nghỉ bão")).to_be_visible()
    expect(desk.get_by_text("chưa ghi số")).to_be_visible()
    desk.get_by_role("link", name="Sửa lại").click()
    fill(desk, {"Số quyết định, dòng 1": "01/CĐ-TTg"})
    desk.get_by_role("button", name="Xem những hạn nào dời").click()
    desk.get_by_role("textbox", name="Lý do").fill("Bão số 9")
    desk.get_by_role("button", name="Áp dụng").click()
    expect(desk.get_by_text("Đã ghi: áp dụng lịch.")).to_be_visible()
    with office.desk.database.reading() as session:
        added = session.get_one(CalendarDay, ("vn-state", at("2021-12-27").date()))
        assert (added.name_vi, added.decision) == ("Nghỉ bão", "01/CĐ-TTg")


def fill(desk: Page, fields: dict[str, str]) -> None:
    for name, value in fields.items():
        desk.get_by_label(name, exact=True).fill(value)

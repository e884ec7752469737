"""Can an admin see which dates move, move them, take it back and ask a second person, in a real browser?"""

from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlmodel import select

from engine.revise import apply_plan
from models.day import CalendarDay
from models.plan import Revision
from models.plan_draft import PlanDraft
from models.proposal import Proposal
from models.task import Task
from models.user import UserRole
from tests.builders import YEARLY, ZONE, at, step_round
from tests.test_web_browser import PHONE, SCREEN, Office, office
from tests.test_web_milestones import PLAN as CONGRESS

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


def admin(office: Office, unit: str | None, **context: Any) -> Page:
    """The browser of an admin who has signed in."""
    page = office.open("/health", **context)
    page.context.add_cookies(
        [{"name": "dondoc", "value": office.desk.signed_in(UserRole.ADMIN, unit), "url": office.url}]
    )
    return page


def proposed(office: Office, first: Page) -> None:
    typed(office, LATER)
    with office.desk.database.writing() as session:
        (draft,) = session.exec(select(PlanDraft))
        draft.by = "user:1"
    first.goto(f"{office.url}/plans/kl01/preview")
    first.get_by_role("textbox", name="Lý do").fill("Cho lùi báo cáo năm đầu")
    first.get_by_role("checkbox", name="Nhờ người thứ hai").check()
    first.get_by_role("button", name="Áp dụng").click()
    expect(first.get_by_role("heading", name="Chờ người thứ hai")).to_be_visible()


@SCRIPTS
def test_a_second_person_sees_what_the_first_one_saw_and_agrees(office: Office, with_scripts: bool) -> None:
    first = admin(office, None, java_script_enabled=with_scripts, **SCREEN)
    proposed(office, first)
    expect(first.get_by_role("button", name="Đồng ý và áp dụng")).to_have_count(0)
    second = admin(office, "tinh-uy", java_script_enabled=with_scripts, **SCREEN)
    second.goto(f"{office.url}/plans")
    second.get_by_role("link", name="Chờ người thứ hai: kl01").click()
    expect(second.get_by_role("row").filter(has_text="đợt đang mở")).to_contain_text("muộn 20 ngày")
    expect(second.locator(".diff")).to_contain_text("+    except: {2021: {due: {day: 20, of: M1, year: 1}")
    expect(second.get_by_role("heading", name="18 tháng tới")).to_be_visible()
    second.get_by_role("button", name="Đồng ý và áp dụng").click()
    row = second.get_by_role("row").filter(has_text="Bản 2")
    expect(row).to_contain_text("đang dùng")
    expect(row).to_contain_text("admin tinh-uy đồng ý")
    first.reload()
    expect(first.locator(".page-head")).to_contain_text("đã áp dụng")


@SCRIPTS
def test_a_second_person_refuses_and_the_draft_is_its_writers_again(office: Office, with_scripts: bool) -> None:
    first = admin(office, None, java_script_enabled=with_scripts, **PHONE)
    proposed(office, first)
    second = admin(office, "tinh-uy", java_script_enabled=with_scripts, **PHONE)
    second.goto(f"{office.url}/proposals/1")
    second.get_by_label("Vì sao không đồng ý").fill("Chưa có văn bản của Trung ương")
    second.get_by_role("button", name="Không đồng ý").click()
    first.reload()
    expect(first.get_by_text("Chưa có văn bản của Trung ương")).to_be_visible()
    first.goto(f"{office.url}/plans/kl01")
    expect(first.get_by_text("bạn đang sửa một bản nháp")).to_be_visible()
    assert [each.is_active for each in office.desk.all_of(Revision)] == [True]


@SCRIPTS
@pytest.mark.parametrize(("unit", "count"), [("", 5), ("stc", 1)], ids=["for all", "for one unit"])
def test_the_day_of_a_milestone_is_entered_after_what_hangs_on_it_was_seen(
    office: Office, with_scripts: bool, unit: str, count: int
) -> None:
    now = at("2021-12-20")
    with office.desk.database.writing() as session:
        text = CONGRESS.replace("plan: kl01", "plan: dai-hoi").encode()
        apply_plan(session, text, "dai-hoi.yaml", by="office", now=now, zone=ZONE)
    desk = office.open("/plans/dai-hoi", java_script_enabled=with_scripts, **SCREEN)
    desk.get_by_role("link", name="Mốc", exact=True).click()
    expect(desk.get_by_role("heading", name="Đang chờ mốc")).to_be_visible()
    fill(desk, {"Kỳ": "2022", "Ngày xảy ra": "10/01/2022", "Đơn vị": unit})
    desk.get_by_role("button", name="Xem những hạn mở theo").click()
    row = desk.get_by_role("row").filter(has_text="Báo cáo sau đại hội")
    expect(row).to_contain_text("thứ Năm 20/01/2022")
    expect(row.get_by_role("cell").last).to_have_text(f"{count} đơn vị")
    desk.get_by_role("button", name="Nhập mốc này").click()
    expect(desk.get_by_text("Đã ghi: nhập mốc.")).to_be_visible()
    expect(desk.get_by_role("table", name="Mốc đã nhập")).to_contain_text("thứ Hai 10/01/2022")
    step_round(office.desk.database, at("2022-01-10"))
    assert sum(each.deadline_id != 1 for each in office.desk.all_of(Task)) == count


@SCRIPTS
def test_a_day_off_is_put_into_a_calendar_after_its_effect_was_seen_and_taken_out_again(
    office: Office, with_scripts: bool
) -> None:
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
    desk.get_by_role("listitem").filter(has_text="Bản 1").get_by_role("link").click()
    expect(desk.get_by_text("− thứ Hai 27/12/2021: nghỉ, Nghỉ bão")).to_be_visible()
    desk.get_by_role("textbox", name="Lý do").fill("Bão đổi hướng")
    desk.get_by_role("button", name="Áp dụng").click()
    expect(desk.get_by_text("Bão đổi hướng")).to_be_visible()
    with office.desk.database.reading() as session:
        assert session.get(CalendarDay, ("vn-state", at("2021-12-27").date())) is None


def fill(desk: Page, fields: dict[str, str]) -> None:
    for name, value in fields.items():
        desk.get_by_label(name, exact=True).fill(value)

"""Can whoever is told of late units say "đã biết" from the letter, on a phone, and is nobody told above them then?"""

import re

from playwright.sync_api import expect
from sqlmodel import col, select

from models.notice import Notice, NoticeKind
from models.task import Task
from models.unit import Unit
from tests.test_web_behind import SECRETARIAT, chased
from tests.test_web_browser import PHONE, Office, office

__all__ = ["office"]
FINANCE, HOME = "Chi bộ Sở Tài chính", "Đảng bộ Sở Nội vụ"


def told_above(office: Office) -> set[str]:
    """Of which units the standing committee was told."""
    query = (
        select(Unit.name)
        .join(Task, col(Task.unit_id) == col(Unit.id))
        .join(Notice, col(Notice.task_id) == col(Task.id))
        .where(col(Notice.kind) == NoticeKind.ESCALATION.value, col(Notice.rung) == "issuer.standing")
    )
    with office.desk.database.reading() as session:
        return set(session.exec(query))


def test_a_letter_leads_to_the_list_and_what_is_known_climbs_no_further(office: Office) -> None:
    path = chased(office.desk, "2022-01-04", "2022-01-06")[SECRETARIAT]
    page = office.open(path, **PHONE)
    expect(page.get_by_role("heading", name="Đơn vị chưa nộp báo cáo")).to_be_visible()
    boxes = page.get_by_role("checkbox")
    expect(boxes).to_have_count(6)
    assert not any(box.is_checked() for box in boxes.all())
    page.get_by_label("Cách giải quyết").fill("Đã gọi.")
    page.get_by_role("button", name="Đã biết").tap()
    expect(page.get_by_role("alert")).to_contain_text("Cần chọn ít nhất một đơn vị")
    assert not any(box.is_checked() for box in boxes.all())
    page.get_by_label("Cách giải quyết").fill(" ")
    page.get_by_label(re.compile(FINANCE)).check()
    page.get_by_label("Ngày cuối tạm dừng").fill("18/01/2022")
    page.get_by_role("button", name="Đã biết").tap()
    expect(page.get_by_role("alert")).to_contain_text("Cần nội dung")
    expect(page.get_by_label(re.compile(FINANCE))).to_be_checked()
    expect(page.get_by_label(re.compile(HOME))).not_to_be_checked()
    page.get_by_label("Cách giải quyết").fill("Đã gọi, chờ số liệu kiểm kê.")
    page.get_by_role("button", name="Đã biết").tap()
    expect(page.get_by_text("đã biết đến hết 18/01")).to_be_visible()
    expect(page.get_by_label(re.compile(FINANCE))).not_to_be_checked()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    chased(office.desk, "2022-01-17")
    assert HOME in told_above(office)
    assert FINANCE not in told_above(office)
    chased(office.desk, "2022-01-18", "2022-01-19")
    assert FINANCE in told_above(office)

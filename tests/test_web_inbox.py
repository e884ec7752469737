"""Does the inbox show what waits for this user, and lead to a bulk act that is confirmed as it was shown?"""

import html
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlmodel import col, select

from engine.ask import ask_extension, correct_contact
from models.ask import AskState, ContactCorrection, ExtensionAsk
from models.contact import Contact
from models.deadline import Deadline
from models.entry import Entry
from models.link import Link
from models.notice import Notice
from models.task import TaskState
from models.user import UserRole
from tests.builders import ZONE, at, hand_in, task_of
from tests.desk import Desk, busied, sqlite_desk
from web import inbox

NOW = at("2022-01-05", "08:30")


@pytest.fixture
def desk(sqlite_template: Path, tmp_path: Path) -> Iterator[Desk]:
    """5 January: snv came late and waits, doan-khoi is overdue, syt is returned, cam extended, stt exempt."""
    with sqlite_desk(sqlite_template, tmp_path) as desk:
        yield busied(desk)


def panels(page: str) -> dict[str, str]:
    """By group, its part of the page."""
    found = re.finditer(r'<section class="panel" id="(\w+)".*?</section>', page, re.DOTALL)
    return {panel[1]: panel[0] for panel in found}


def names(text: str) -> list[str]:
    return re.findall(r'<th scope="row"><a href="/tasks/\d+">([^<]+)', text)


def form_of(page: str) -> dict[str, Any]:
    """What the confirming form would send."""
    form = re.search(r'<form class="stack" method="post" action="/bulk">.*?</form>', page, re.DOTALL)
    assert form is not None
    fields: dict[str, Any] = {}
    for tag in re.findall(r"<input[^>]*>", form[0]):
        attributes = {name: html.unescape(value) for name, value in re.findall(r'([\w-]+)="([^"]*)"', tag)}
        if attributes.get("type") == "checkbox" and " checked" not in tag:
            continue
        known = fields.setdefault(attributes["name"], [])
        known.append(attributes.get("value", ""))
    for name, text in re.findall(r'<textarea[^>]*name="(\w+)"[^>]*>([^<]*)</textarea>', form[0]):
        fields[name] = [html.unescape(text)]
    return fields


def ids(desk: Desk, *units: str) -> str:
    return "&".join(f"task={desk.task_id(unit)}" for unit in units)


def overdue_all(desk: Desk) -> None:
    """10 January: whoever owes is late, but for cam."""
    desk.move_clock("2022-01-10")


def test_each_group_stands_in_its_panel(desk: Desk) -> None:
    shown = panels(desk.get("/inbox").text)
    assert {group: names(text) for group, text in shown.items() if names(text)} == {
        "review": ["Đảng bộ Sở Nội vụ"],
        "overdue": ["Đoàn Khối các cơ quan tỉnh"],
    }
    assert "Chi bộ Cảng vụ" in shown["unreachable"]


def test_a_group_alone_shows_all_of_it_and_its_tabs_count(desk: Desk) -> None:
    page = desk.get("/inbox?group=overdue").text
    assert list(panels(page)) == ["overdue"]
    tabs = dict(re.findall(r'href="/inbox\?group=(\w+)"[^>]*>[^<]*<span class="count[^"]*">(\d+)', page))
    assert tabs == {
        "review": "1",
        "again": "0",
        "escalated": "0",
        "overdue": "1",
        "asks": "0",
        "undelivered": "0",
        "unreachable": "1",
    }


def test_a_row_says_how_late_it_is_and_when_the_unit_was_last_asked(desk: Desk) -> None:
    row = panels(desk.get("/inbox").text)["overdue"]
    assert "trễ 2 ngày làm việc" in row
    assert "Báo mở 01/12/2021 08:00" in row


def test_a_version_that_waits_says_when_it_came_and_how_long_it_has_waited(desk: Desk) -> None:
    row = panels(desk.get("/inbox").text)["review"]
    assert "bản 1" in row
    assert "nộp 04/01/2022 09:00" in row
    assert "chờ 1 ngày làm việc" in row
    assert "Nộp trễ" in row


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("find=doan khoi", 1), ("find=snv", 0), ("superior=duk", 1), ("superior=snv", 0), ("superior=nowhere", 0),
        ("plan=kl01", 1), ("plan=other", 0), ("cycle=1", 1), ("cycle=99", 0), ("cycle=x", 0), ("page=99", 0),
        ("find=%00", 1), (f"page={10**40}", 1),
    ],
)  # fmt: skip
def test_the_filter_is_the_address(desk: Desk, query: str, found: int) -> None:
    page = desk.get(f"/inbox?group=overdue&{query}")
    assert page.status_code == 200
    assert len(names(page.text)) == found


def test_the_navigation_counts_what_waits_and_forgets_nothing_that_was_done(desk: Desk) -> None:
    def count() -> str:
        found = re.search(r'<a href="/inbox"[^>]*>[^<]*(?:<span class="count">(\d+))?', desk.get("/messages").text)
        return found[1] if found else ""

    assert count() == "3"
    desk.post(f"/tasks/{desk.task_id('snv')}/acceptance")
    assert count() == "2"


def test_an_empty_inbox_says_so(desk: Desk) -> None:
    viewer = desk.seen_by(UserRole.VIEWER)
    assert "Không có việc nào cần bạn" in viewer.get("/inbox").text


def test_the_inbox_needs_a_handful_of_queries_whatever_it_holds(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    overdue_all(desk)
    desk.get("/inbox")
    statements: list[str] = []
    event.listen(desk.database.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    counts = []
    for height in (1, 5):
        monkeypatch.setattr(inbox, "PAGE", height)
        statements.clear()
        desk.get("/inbox?group=overdue")
        counts.append(sum(each.startswith("SELECT") for each in statements))
    assert counts[0] == counts[1] <= 18


# Bulk acts


def test_the_preview_shows_the_effect_and_changes_nothing(desk: Desk) -> None:
    rows = desk.rows()
    for act in ("remind", "accept", "extend", "exempt", "acknowledge"):
        page = desk.get(f"/bulk?act={act}&{ids(desk, 'snv', 'doan-khoi', 'stt')}")
        assert page.status_code == 200
    assert desk.rows() == rows


def test_reminding_shows_whom_and_where_and_sends_it(desk: Desk) -> None:
    page = desk.get(f"/bulk?act=remind&{ids(desk, 'doan-khoi', 'cam', 'stc')}").text
    assert "contact.doan-khoi@example.org" in page
    assert "Không có đầu mối nào nhận được tin" in page
    assert "Báo cáo đã được nhận" in page
    assert "Gửi 1 tin" in page
    done = desk.post("/bulk", form_of(page))
    assert done.status_code == 303
    back = desk.get(done.headers["location"]).text
    assert "Đã nhắc 1 việc." in back
    assert "2 việc bị bỏ qua." in back
    assert [each.kind for each in desk.all_of(Notice)][-1] == "reminder"


def test_who_was_told_today_is_skipped_unless_that_is_wished(desk: Desk) -> None:
    address = f"/bulk?act=remind&{ids(desk, 'doan-khoi')}"
    desk.post("/bulk", form_of(desk.get(address).text))
    again = desk.get(address).text
    assert "Đã nhắc lúc 09:00 (GMT+7)" in again
    assert "Gửi" not in re.findall(r'<button class="btn main"[^>]*>([^<]*)', again)[0]
    wished = desk.get(f"{address}&again=1").text
    assert desk.post("/bulk", form_of(wished)).status_code == 303
    assert sum(each.kind == "reminder" for each in desk.all_of(Notice)) == 2


def test_all_that_the_filter_means_is_extended(desk: Desk) -> None:
    overdue_all(desk)
    address = "/bulk?act=extend&group=overdue&all=1&back=/inbox?group=overdue"
    first = desk.get(address).text
    assert "Gia hạn 2 việc" not in re.findall(r"<button[^>]*>([^<]*)", first)  # no day was chosen yet
    page = desk.get(f"{address}&due_on=15/01/2022&reason=Bão").text
    assert "Thứ Bảy 15/01/2022 là ngày nghỉ." in page
    form = form_of(page)
    done = desk.post("/bulk", form)
    assert (done.status_code, done.headers["location"].partition("done")[0]) == (303, "/inbox?group=overdue&")
    with desk.database.reading() as session:
        for unit in ("doan-khoi", "syt"):
            deadline = session.get_one(Deadline, task_of(session, unit, "2021").deadline_id)
            assert deadline.due_on == date(2022, 1, 15)


def test_a_set_that_changed_is_refused_with_the_new_effect_and_nothing_typed_is_lost(desk: Desk) -> None:
    overdue_all(desk)
    form = form_of(desk.get("/bulk?act=exempt&group=overdue&all=1&document=CV 9").text)
    hand_in(desk.database, desk.task_id("syt"), "2022-01-10", key="late")
    rows = desk.rows()
    refused = desk.post("/bulk", {**form, "reason": "Chia tách"})
    assert refused.status_code == 422
    assert desk.rows() == rows
    assert "từ lúc đó đã có thay đổi" in refused.text
    assert "Chia tách" in refused.text
    assert "CV 9" in refused.text
    again = form_of(refused.text)
    assert again["hash"] != form["hash"]
    assert desk.post("/bulk", again).status_code == 303
    assert desk.task("doan-khoi").state == TaskState.EXEMPTED
    assert desk.task("syt").state == TaskState.SUBMITTED


def test_who_cannot_be_told_is_named_before_a_cycle_opens(desk: Desk) -> None:
    desk.move_clock("2022-08-17")  # two weeks before the report for 2022 opens
    shown = desk.get("/inbox").text
    assert re.search(r"Báo cáo kết quả hằng năm, năm 2022 · mở 31/08/2022: <a[^>]*>Chi bộ Cảng vụ</a>", shown)
    assert "Sắp mở" in desk.get("/inbox?group=unreachable").text
    assert "Sắp mở" not in desk.get("/inbox?group=review").text
    assert "Sắp mở" not in desk.seen_by(UserRole.SECRETARIAT, "snv").get("/inbox").text
    desk.move_clock("2022-08-16")
    assert "Sắp mở" not in desk.get("/inbox").text


def test_many_tasks_are_acknowledged_at_once_and_say_so_in_their_line(desk: Desk) -> None:
    form = form_of(desk.get(f"/bulk?act=acknowledge&back=/inbox&{ids(desk, 'doan-khoi', 'snv')}").text)
    assert form["until"] == ["12/01/2022"]  # a working week from today
    answer = desk.post("/bulk", form | {"reason": ["Đã thống nhất với đơn vị."]})
    assert answer.status_code == 303
    shown = desk.get(answer.headers["location"]).text
    assert "Đã biết 1 việc; tạm dừng đôn đốc." in shown
    assert "1 việc bị bỏ qua." in shown
    assert "đã biết đến hết 12/01/2022" in panels(shown)["overdue"]


def test_two_taps_do_it_once(desk: Desk) -> None:
    form = form_of(desk.get(f"/bulk?act=accept&{ids(desk, 'snv')}").text)
    first, second = desk.post("/bulk", form), desk.post("/bulk", form)
    assert (first.status_code, first.headers["location"]) == (second.status_code, second.headers["location"])
    assert sum(entry.act == "accepted_many" for entry in desk.all_of(Entry)) == 1


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("act=exempt&reason=", "Cần một lý do, gặp chỗ trống."),
        ("act=extend&due_on=31/02/2022&reason=Bão", "Cần một ngày như 10/10/2025, gặp “31/02/2022”."),
        ("act=extend&reason=Bão", "Cần một ngày, gặp chỗ trống."),
        ("act=accept", "mọi việc đã chọn đều bị bỏ qua"),
    ],
)
def test_what_is_missing_is_said_and_nothing_is_done(desk: Desk, query: str, said: str) -> None:
    page = desk.get(f"/bulk?{query}&{ids(desk, 'doan-khoi')}")
    rows = desk.rows()
    refused = desk.post("/bulk", form_of(page.text))
    assert refused.status_code == 422
    assert said in refused.text
    assert desk.rows() == rows


def test_a_strange_address_chooses_nothing(desk: Desk) -> None:
    for query in ("", "act=nothing", "act=remind&task=x&task=-1&task=99999999999", "group=asks&all=1", "group=x&all=1"):
        page = desk.get(f"/bulk?{query}")
        assert page.status_code == 200, query
        assert "Chưa chọn việc nào" in page.text, query


@pytest.mark.parametrize("back", ["//evil.example.org", "https://evil.example.org/", "/\\evil.example.org", "x"])
def test_no_address_of_others_is_gone_to(desk: Desk, back: str) -> None:
    form = form_of(desk.get(f"/bulk?act=accept&{ids(desk, 'snv')}").text)
    done = desk.post("/bulk", {**form, "back": back})
    assert done.headers["location"].startswith(f"/tasks/{desk.task_id('snv')}?done=")


def test_a_secretary_below_decides_on_nothing_of_its_own(desk: Desk) -> None:
    below = desk.seen_by(UserRole.SECRETARIAT, "snv")
    page = below.get(f"/bulk?act=accept&{ids(desk, 'snv', 'stc')}").text
    assert "không thuộc quyền của bạn" in page
    assert "Chi bộ Sở Tài chính" not in page
    assert names(below.get("/inbox").text) == []


# What units ask


@pytest.fixture
def asked(desk: Desk) -> Desk:
    """Đoàn Khối asks for time until 20 January, and says that it is somebody else's."""
    with desk.database.writing() as session:
        task = task_of(session, "doan-khoi", "2021")
        contact = session.exec(select(Contact).where(col(Contact.email) == "contact.doan-khoi@example.org")).one()
        link = Link(task_id=task.id, contact_id=contact.id)
        session.add(link)
        session.flush()
        ask_extension(session, link, until=date(2022, 1, 20), reason="Bão số 9", now=NOW, zone=ZONE)
        correct_contact(session, link, name="Văn thư mới", email="moi@example.org", note="Đã đổi", now=NOW)
    return desk


def test_asks_wait_in_the_inbox_with_what_they_say(asked: Desk) -> None:
    panel = panels(asked.get("/inbox").text)["asks"]
    for said in ("Bão số 9", "20/01/2022", "hạn 31/12/2021", "Văn thư mới", "moi@example.org"):
        assert said in panel


def test_a_wish_is_granted_for_the_units_own_reason(asked: Desk) -> None:
    page = asked.get("/asks/1").text
    assert "thêm 13 ngày làm việc" in page
    assert 'value="20/01/2022"' in page
    done = asked.post("/asks/1/grant", {"due_on": "18/01/2022"})
    assert (done.status_code, done.headers["location"].partition("&done=")[0]) == (303, "/inbox?group=asks")
    told = asked.get(done.headers["location"]).text
    assert "Đã ghi: gia hạn." in told
    assert "1 thông báo sẽ đi trong vòng gửi kế tiếp." in told
    assert asked.all_of(ExtensionAsk)[0].state == AskState.GRANTED
    with asked.database.reading() as session:
        deadline = session.get_one(Deadline, task_of(session, "doan-khoi", "2021").deadline_id)
        assert deadline.due_on == date(2022, 1, 18)
    assert "Đã chấp thuận" in asked.get("/asks/1").text
    assert asked.post("/asks/1/grant", {"due_on": "19/01/2022"}).status_code == 422


def test_a_wish_is_refused_with_an_answer_alone(asked: Desk) -> None:
    assert asked.post("/asks/1/refusal", {"answer": " "}).status_code == 422
    assert asked.post("/asks/1/refusal", {"answer": "Tỉnh ủy cần ngay"}).status_code == 303
    assert asked.all_of(ExtensionAsk)[0].answer == "Tỉnh ủy cần ngay"


def test_a_wrong_day_is_told_and_what_was_typed_stays(asked: Desk) -> None:
    refused = asked.post("/asks/1/grant", {"due_on": "1/1/2020", "reason": "Vì sao", "document": "CV 1"})
    assert refused.status_code == 422
    for typed in ("1/1/2020", "Vì sao", "CV 1"):
        assert typed in refused.text


def test_another_contact_takes_over_or_the_old_one_stays(asked: Desk) -> None:
    assert "Đã đổi" in asked.get("/corrections/1").text
    assert asked.post("/corrections/1/application", {"name": "", "email": ""}).status_code == 422
    done = asked.post("/corrections/1/application", {"name": "Văn thư mới", "email": "moi@example.org"})
    assert done.status_code == 303
    assert asked.all_of(Contact)[-1].email == "moi@example.org"
    assert asked.post("/corrections/1/refusal").status_code == 422
    assert asked.all_of(ContactCorrection)[0].state == AskState.GRANTED


def test_a_cycle_is_named_to_those_who_see_some_of_it(desk: Desk) -> None:
    tag = '<span class="tag">Báo cáo kết quả hằng năm'
    assert tag in desk.seen_by(UserRole.VIEWER, "snv").get("/inbox?cycle=1").text
    assert tag not in desk.seen_by(UserRole.VIEWER, "snv-1").get("/inbox?cycle=1").text


@pytest.mark.parametrize("path", ["/asks/1", "/corrections/1"])
def test_an_ask_is_nothing_to_those_elsewhere(asked: Desk, path: str) -> None:
    assert asked.seen_by(UserRole.SECRETARIAT, "snv").get(path).status_code == 404
    assert asked.seen_by(UserRole.SECRETARIAT, "duk").get(path).status_code == 200
    assert asked.get("/asks/99").status_code == 404

"""Does the task page show what may be done, do it, and tell why when it may not?"""

import hashlib
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from models.deadline import Deadline
from models.submission import Review, Submission, Way
from models.task import OWING, TRANSITIONS, Act, TaskState
from tests.builders import hand_in
from tests.desk import PDF, Desk, answers, sqlite_desk, upload

#: act -> the sub-resource that its form posts to
FORMS = {
    Act.ACCEPT: "acceptance",
    Act.RETURN: "return",
    Act.EXTEND: "extension",
    Act.UNLOCK: "extension",
    Act.EXEMPT: "exemption",
    Act.RECORD: "record",
    Act.REOPEN: "reopening",
    Act.WITHDRAW: "withdrawal",
}


@pytest.fixture
def desk(sqlite_template: Path, tmp_path: Path) -> Iterator[Desk]:
    with sqlite_desk(sqlite_template, tmp_path) as desk:
        yield desk


@pytest.fixture
def page(desk: Desk) -> str:
    return f"/tasks/{desk.task_id()}"


@pytest.fixture
def submitted(desk: Desk, page: str) -> str:
    """The page of a task that waits for review."""
    hand_in(desk.database, desk.task_id(), "2021-12-20")
    return page


@pytest.mark.parametrize("state", TaskState)
def test_the_page_offers_exactly_the_acts_that_the_state_allows(desk: Desk, submitted: str, state: TaskState) -> None:
    with desk.database.writing() as session:
        task = desk.task()
        task.state = state
        session.merge(task)
    shown = desk.get(submitted).text
    offered = set(re.findall(rf'action="{submitted}/(\w+)"', shown))
    owing = {"acknowledgement"} if state in OWING else set()
    assert offered == {"notes"} | owing | {FORMS[act] for act in TRANSITIONS[state] if act in FORMS}


def test_accepting_goes_back_to_the_page_which_says_so(desk: Desk, submitted: str) -> None:
    done = desk.post(f"{submitted}/acceptance")
    assert (done.status_code, done.headers["location"].partition("?done=")[0]) == (303, submitted)
    assert "Đã ghi: nhận." in desk.get(done.headers["location"]).text
    assert "Đã nhận" in desk.get(submitted).text
    assert desk.task().state == TaskState.ACCEPTED
    assert [(each.verdict, each.by) for each in desk.all_of(Review)] == [("accepted", "office")]


def test_an_act_that_came_too_late_names_what_may_be_done_now(desk: Desk, submitted: str) -> None:
    desk.post(f"{submitted}/acceptance")
    before = desk.rows()
    refused = desk.post(f"{submitted}/return", {"reason": "muộn rồi"})
    assert refused.status_code == 409
    assert "Báo cáo này: đã nhận." in refused.text
    assert re.search(r"Việc làm được lúc này:\s*mở lại", refused.text)
    assert f'href="{submitted}"' in refused.text
    assert desk.rows() == before


def test_returning_needs_a_reason_and_keeps_the_rest_that_was_typed(desk: Desk, submitted: str) -> None:
    before = desk.rows()
    refused = desk.post(f"{submitted}/return", {"reason": " ", "due_on": "28/12/2021", "does_not_count": "1"})
    assert refused.status_code == 422
    assert "Cần một lý do, gặp chỗ trống." in refused.text
    assert 'value="28/12/2021"' in refused.text
    assert re.search(r'name="does_not_count" value="1" checked', refused.text)
    assert desk.rows() == before


@pytest.mark.parametrize(
    ("typed", "due_on"),
    [("5/1/2022", date(2022, 1, 5)), ("3-1-2022", date(2022, 1, 3)), ("2022-01-03", date(2022, 1, 3))],
)
def test_returning_takes_a_day_as_people_write_it(desk: Desk, submitted: str, typed: str, due_on: date) -> None:
    assert desk.post(f"{submitted}/return", {"reason": "Thiếu số liệu", "due_on": typed}).status_code == 303
    assert desk.all_of(Review)[0].due_on == due_on
    assert desk.task().state == TaskState.RETURNED
    shown = desk.get(submitted).text
    assert "“Thiếu số liệu”" in shown
    assert "Trả lại" in shown


@pytest.mark.parametrize("typed", ["30/2/2022", "mai", "12/28/2021", "1/1/22"])
def test_a_day_that_is_none_is_refused(desk: Desk, submitted: str, typed: str) -> None:
    refused = desk.post(f"{submitted}/return", {"reason": "Thiếu", "due_on": typed})
    assert refused.status_code == 422
    assert f"Cần một ngày như 10/10/2025, gặp “{typed}”." in refused.text
    assert "Thiếu</textarea>" in refused.text


def test_extending_moves_the_day_and_the_page_still_tells_the_old_one(desk: Desk, page: str) -> None:
    assert desk.post(f"{page}/extension", {"due_on": "", "reason": "Bão"}).status_code == 422
    given = {"due_on": "14/01/2022", "reason": "Bão số 9", "document": "CV 12-CV/ĐUK"}
    assert desk.post(f"{page}/extension", given).status_code == 303
    shown = desk.get(page).text
    for words in (
        "hết ngày thứ Sáu 14/01/2022",
        "Ngày cuối của tháng 12/2021",
        "“Bão số 9”",
        "CV 12-CV/ĐUK",
        "đã gia hạn",
    ):
        assert words in shown


def test_exempting_and_reopening(desk: Desk, page: str) -> None:
    assert desk.post(f"{page}/exemption", {"reason": "Đơn vị mới lập"}).status_code == 303
    assert "Không yêu cầu" in desk.get(page).text
    assert desk.post(f"{page}/reopening", {"reason": ""}).status_code == 422
    assert desk.post(f"{page}/reopening", {"reason": "Nhầm đơn vị"}).status_code == 303
    assert desk.task().state == TaskState.OPEN


def test_a_paper_counts_from_the_day_it_was_received(desk: Desk, page: str) -> None:
    desk.move_clock("2022-01-04")
    given = {"received_on": "31/12/2021", "document": "Số 05-BC/CB", "way": "eoffice"}
    assert desk.post(f"{page}/record", given).status_code == 303
    submission = desk.all_of(Submission)[0]
    assert (submission.received_on, submission.document, submission.way) == (
        date(2021, 12, 31), "Số 05-BC/CB", Way.EOFFICE,
    )  # fmt: skip
    assert desk.task().is_late is False
    assert "Đã nộp đúng hạn" in desk.get(page).text


def test_the_page_compares_versions_and_gives_their_files_as_attachments(desk: Desk, page: str) -> None:
    link = desk.link()
    desk.post(link, answers(), files=upload("Báo cáo “quý”.pdf"))
    desk.post(f"{page}/return", {"reason": "Thiếu", "due_on": "05/01/2022"})
    desk.post(link, answers(key="2", studied="1"))
    shown = desk.get(page).text
    assert "Bản nộp 2, so với bản 1" in shown
    assert re.search(r'<b class="good">86</b>\s*trên 2', shown)
    assert re.search(r'<b class="warn">1</b>\s*trên 2', shown)
    file = desk.get("/files/1")
    assert hashlib.sha256(file.content).hexdigest() == hashlib.sha256(PDF).hexdigest()
    assert file.headers["content-disposition"].startswith("attachment; filename*=UTF-8''B%C3%A1o")
    assert file.headers["content-type"] == "application/pdf"
    assert file.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert file.headers["x-content-type-options"] == "nosniff"


def test_the_page_says_who_was_told_and_what_happened(desk: Desk, submitted: str) -> None:
    shown = desk.get(submitted).text
    assert "contact.stc@example.org" in shown
    assert "chờ gửi" in shown
    assert re.search(r"Hệ thống</b>\s*mở đợt", shown)
    assert re.search(r"nộp\s*bản 1", shown)


def test_every_state_and_every_recorded_act_has_words_in_both_languages(desk: Desk, page: str) -> None:
    link = desk.link()
    desk.post(link, answers(), files=upload())
    desk.post(f"{page}/return", {"reason": "Thiếu", "due_on": "05/01/2022"})
    desk.post(f"{page}/extension", {"due_on": "14/01/2022", "reason": "Bão"})
    desk.post(f"{page}/record", {"received_on": "20/12/2021", "document": "Số 1"})
    desk.post(f"{page}/acceptance")
    desk.post(f"{page}/reopening", {"reason": "Nhầm"})
    code = re.compile(
        r"\b(shown|state|act|done|notice|rung|way|verdict|message|origin|count|status|cycle_is|step|file|form|moot|rule"
        r"|roll|moved|answer|refused)\.[a-z_0-9]+(?=[\s<,.])"
    )
    for path in ("/", "/?state=submitted", page, "/cycles/1", link, f"{link}/receipt", "/nowhere"):
        for lang in ("vi", "en"):
            found = code.search(
                re.sub(r"<code>.*?</code>", "", desk.get(f"{path}{'&' if '?' in path else '?'}lang={lang}").text)
            )
            assert found is None, (path, lang, found)


def test_the_cycle_shows_its_ladder_with_counts_and_who_holds_it_up(desk: Desk, submitted: str) -> None:
    shown = desk.get("/cycles/1").text
    assert "Hạn: hết ngày thứ Sáu 31/12/2021" in shown
    assert "Báo 5" in shown
    assert "Không tới được 1" in shown
    assert "Bước kế tiếp, lúc 08:00" in shown
    assert "1 trên 6" not in shown
    assert "Chi bộ Sở Tài chính" in shown
    only = desk.get("/cycles/1?state=submitted_on_time").text
    assert "Chi bộ Sở Tài chính" in only
    assert "Đảng bộ Sở Y tế" not in only.split('id="tasks"')[1]
    assert desk.get("/cycles/99").status_code == 404


def test_own_due_days_stand_apart_from_the_plans(desk: Desk, page: str) -> None:
    desk.post(f"{page}/extension", {"due_on": "14/01/2022", "reason": "Bão"})
    shown = desk.get("/cycles/1").text
    assert len(desk.all_of(Deadline)) == 2
    assert shown.index("Hạn: hết ngày thứ Sáu 31/12/2021") < shown.index("Hạn riêng")
    assert "Hết ngày thứ Sáu 14/01/2022" in shown

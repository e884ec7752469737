"""Does the task page show each reader what is theirs: versions, calls, links, the day an extension would give?"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from engine import submit
from models.contact import Contact
from models.link import Link
from models.submission import Submission, SubmissionFile, Way
from models.task import TaskState
from models.user import UserRole
from tests.builders import ANSWERS, act_of, at, hand_in, step_round
from tests.desk import PDF, Desk, answers, sqlite_desk, upload

OTHER = PDF.replace(b"endobj", b"endobj\n")
CALL = {"kind": "call", "with_whom": "Văn thư", "text": "Đang chờ ký", "promised_on": "24/12/2021"}


@pytest.fixture
def desk(sqlite_template: Path, tmp_path: Path) -> Iterator[Desk]:
    with sqlite_desk(sqlite_template, tmp_path) as desk:
        yield desk


@pytest.fixture
def page(desk: Desk) -> str:
    return f"/tasks/{desk.task_id()}"


def returned(desk: Desk, page: str, day: str = "07/01/2022") -> None:
    assert desk.post(f"{page}/return", {"reason": "Thiếu", "due_on": day}).status_code == 303


def three_versions(desk: Desk, page: str) -> None:
    """The first accepted and reopened, the second returned, the third waits."""
    for key, changes in (("1", {}), ("2", {"studied": "85"}), ("3", {"studied": "85", "results": "Tổ chức 5 buổi."})):
        given: dict[str, Any] = ANSWERS | changes
        act_of(desk.database, submit.submit, desk.task_id(), "2021-12-20", answers=given, files=(), key=key, by="x")
        if key == "1":
            desk.post(f"{page}/acceptance")
            desk.post(f"{page}/reopening", {"reason": "Nhầm"})
        if key != "3":
            returned(desk, page)


# Versions


def test_the_newest_version_stands_beside_the_last_that_was_accepted(desk: Desk, page: str) -> None:
    three_versions(desk, page)
    shown = desk.get(page).text
    assert "Bản nộp 3, so với bản 1" in shown
    assert "2 chỗ khác" in shown
    assert re.search(r"<del>4</del>.*<ins>5</ins>", shown, re.DOTALL)


def test_any_two_versions_can_be_compared_in_either_order(desk: Desk, page: str) -> None:
    three_versions(desk, page)
    for query in ("?old=1&new=2", "?old=2&new=1"):
        shown = desk.get(f"{page}{query}").text
        assert "Bản nộp 2, so với bản 1" in shown
        assert "1 chỗ khác" in shown
    same = desk.get(f"{page}?old=2&new=2").text
    assert "Bản nộp 2</h2>" in same
    assert desk.get(f"{page}?old=99&new=x").status_code == 200


def test_files_are_new_the_same_or_gone(desk: Desk, page: str) -> None:
    link = desk.link()
    desk.post(link, answers(), files=upload("a.pdf"))
    returned(desk, page)
    desk.post(link, answers(key="2"), files=upload("ky.pdf", OTHER))
    shown = desk.get(page).text
    assert [re.sub(r"\s+", " ", each) for each in re.findall(r'Tệp <span class="tag warn">(\w+)', shown)] == [
        "mới", "bỏ",
    ]  # fmt: skip
    files = desk.all_of(SubmissionFile)
    assert {f"/files/{each.id}" for each in files} <= set(re.findall(r'href="(/files/\d+)"', shown))


# Calls


def test_a_call_is_kept_and_its_promise_stands_on_top_until_it_is_met(desk: Desk, page: str) -> None:
    assert desk.post(f"{page}/notes", CALL).status_code == 303
    shown = desk.get(page).text
    assert re.search(r'class="tag warn">hứa nộp thứ Sáu 24/12/2021', shown)
    assert "nghe máy: Văn thư" in shown
    assert "Đang chờ ký" in shown
    desk.move_clock("2021-12-27")
    assert "đã qua ngày hứa" in desk.get(page).text
    hand_in(desk.database, desk.task_id(), "2021-12-27")
    assert 'class="tag warn">hứa nộp' not in desk.get(page).text
    assert "đã qua ngày hứa" not in desk.get(page).text


def test_what_somebody_knows_about_stands_on_top_until_its_day(desk: Desk, page: str) -> None:
    assert 'value="27/12/2021"' in desk.get(page).text  # a working week from today
    said = {"until": "24/12/2021", "note": "Chờ số liệu kiểm kê"}
    assert desk.post(f"{page}/acknowledgement", said).status_code == 303
    shown = desk.get(page).text
    assert "đã biết đến hết thứ Sáu 24/12/2021" in shown
    assert "Văn phòng, 20/12/2021: “Chờ số liệu kiểm kê”" in shown
    assert re.search(r"đã biết, tạm dừng đôn đốc.*đến hết 24/12/2021", shown)
    desk.move_clock("2021-12-25")
    assert '<span class="tag">đã biết' not in desk.get(page).text


def test_a_day_beyond_thirty_is_refused_and_keeps_what_was_typed(desk: Desk, page: str) -> None:
    before = desk.rows()
    refused = desk.post(f"{page}/acknowledgement", {"until": "20/01/2022", "note": "Chờ số liệu"})
    assert refused.status_code == 422
    assert "Cần một ngày từ thứ Hai 20/12/2021 đến thứ Tư 19/01/2022, gặp thứ Năm 20/01/2022." in refused.text
    assert "Chờ số liệu</textarea>" in refused.text
    assert 'value="20/01/2022"' in refused.text
    assert desk.rows() == before


def test_a_call_that_is_refused_keeps_what_was_typed(desk: Desk, page: str) -> None:
    before = desk.rows()
    refused = desk.post(f"{page}/notes", CALL | {"with_whom": "", "promised_on": "24/12/2021"})
    assert refused.status_code == 422
    assert "Cần tên người đã nghe máy, gặp chỗ trống." in refused.text
    assert "Đang chờ ký</textarea>" in refused.text
    assert 'value="24/12/2021"' in refused.text
    assert desk.rows() == before


# Extension


def test_the_form_offers_a_week_more_and_says_what_it_gives(desk: Desk, page: str) -> None:
    shown = desk.get(page).text
    assert 'name="due_on" inputmode="numeric" placeholder="ngày/tháng/năm" value="10/01/2022"' in shown
    assert "Thứ Hai 10/01/2022, thêm 5 ngày làm việc sau hạn 31/12/2021." in shown


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("15/01/2022", "Thứ Bảy 15/01/2022, thêm 9 ngày làm việc sau hạn 31/12/2021; là ngày nghỉ cuối tuần"),
        ("3/1/2022", "là ngày nghỉ (Nghỉ bù"),
        ("20/12/2021", "không muộn hơn hạn đang dùng"),
        ("mai", "Cần một ngày như 10/10/2025, gặp “mai”."),
        ("31/12/9999", "Cần một hạn không sau"),
        ("1/1/0001", "gặp thứ Hai 01/01/1."),
    ],
)
def test_a_day_can_be_tried_before_it_is_given(desk: Desk, page: str, typed: str, said: str) -> None:
    before = desk.rows()
    answer = desk.get(f"{page}/extension", params={"due_on": typed})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert said in answer.text
    whole = desk.get(page, params={"due_on": typed, "reason": "Bão số 9"})
    assert whole.status_code == 200
    assert f'value="{typed}"' in whole.text
    assert "Bão số 9</textarea>" in whole.text
    assert desk.rows() == before


def test_a_second_extension_is_counted_from_the_first_day_too(desk: Desk, page: str) -> None:
    desk.post(f"{page}/extension", {"due_on": "07/01/2022", "reason": "Bão"})
    said = desk.get(f"{page}/extension", params={"due_on": "14/01/2022"}).text
    assert (
        said
        == "Thứ Sáu 14/01/2022, thêm 5 ngày làm việc sau hạn 07/01/2022; so với hạn gốc 31/12/2021 là 9 ngày làm việc."
    )
    assert desk.get(f"{page}/extension?lang=en", params={"due_on": "14/01/2022"}).status_code == 200


def test_why_this_date_tells_who_moved_it_and_for_what(desk: Desk, page: str) -> None:
    given = {"due_on": "14/01/2022", "reason": "Bão số 9", "document": "CV 12-CV/ĐUK"}
    desk.post(f"{page}/extension", given)
    why = desk.get(page).text.split('id="why"')[1].split("</section>")[0]
    assert why.index("31/12/2021") < why.index("Gia hạn từ thứ Sáu 31/12/2021 đến thứ Sáu 14/01/2022")
    assert re.search(r"Văn phòng, 20/12/2021: .*“Bão số 9”.*CV 12-CV/ĐUK", why, re.DOTALL)


# Paper


def test_a_paper_may_bring_its_figures_and_its_scan(desk: Desk, page: str) -> None:
    given = {"received_on": "20/12/2021", "document": "Số 05-BC/CB", "answer-studied": "80"}
    assert desk.post(f"{page}/record", given, files=upload("ban-chup.pdf")).status_code == 303
    (submission,), (file,) = desk.all_of(Submission), desk.all_of(SubmissionFile)
    assert (submission.way, submission.answers) == (Way.PAPER, {"studied": 80})
    assert file.name == "ban-chup.pdf"


def test_a_scan_need_not_be_chosen_again_when_something_else_was_wrong(desk: Desk, page: str) -> None:
    refused = desk.post(f"{page}/record", {"received_on": "20/12/2021", "document": ""}, files=upload("ban-chup.pdf"))
    assert refused.status_code == 422
    assert "Đã giữ: ban-chup.pdf" in refused.text
    sealed = re.search(r'name="kept" value="([^"]+)"', refused.text)
    assert sealed is not None
    given = {"received_on": "20/12/2021", "document": "Số 05-BC/CB", "kept": sealed[1]}
    assert desk.post(f"{page}/record", given).status_code == 303
    assert [each.name for each in desk.all_of(SubmissionFile)] == ["ban-chup.pdf"]


def test_a_scan_that_is_none_is_refused_and_the_rest_stays(desk: Desk, page: str) -> None:
    before = desk.rows()
    refused = desk.post(f"{page}/record", {"document": "Số 05-BC/CB"}, files=upload("virus.exe", b"MZ"))
    assert refused.status_code == 422
    assert 'value="Số 05-BC/CB"' in refused.text
    assert desk.rows() == before


def test_a_version_is_withdrawn_with_a_reason(desk: Desk, page: str) -> None:
    hand_in(desk.database, desk.task_id(), "2021-12-20")
    assert desk.post(f"{page}/withdrawal", {"reason": "Đơn vị gửi nhầm"}).status_code == 303
    assert desk.task().state == TaskState.OPEN
    assert "đã rút" in desk.get(page).text


# Links


def test_a_link_is_shut_and_renewed_and_its_visits_are_shown(desk: Desk, page: str) -> None:
    address = desk.link()
    assert desk.get(address).status_code == 200
    (link,) = desk.all_of(Link)
    shown = desk.get(page).text
    assert "1 lần vào" in shown
    assert desk.post(f"{page}/links/{link.id}/revocation").status_code == 303
    assert desk.get(address).status_code == 404
    assert "đã thu hồi" in desk.get(page).text
    assert desk.post(f"{page}/links/{link.id}/renewal").status_code == 303
    assert desk.get(address).status_code == 404
    assert desk.get(desk.link()).status_code == 200
    journal = " ".join(re.sub(r"<[^>]+>", "", desk.get(page).text).split())
    assert "Văn phòng cấp liên kết mới contact Chi bộ Sở Tài chính" in journal


def test_the_link_of_another_task_cannot_be_shut_from_here(desk: Desk, page: str) -> None:
    desk.link("snv")
    (link,) = desk.all_of(Link)
    assert desk.post(f"{page}/links/{link.id}/revocation").status_code == 404
    assert desk.all_of(Link)[0].revoked_at is None


# Who may what


@pytest.fixture
def called(desk: Desk) -> Desk:
    """The contact of the finance office has a telephone, and its report waits for review."""
    with desk.database.writing() as session:
        for contact in desk.all_of(Contact):
            contact.phone = "024 3825 1234"
            session.merge(contact)
    hand_in(desk.database, desk.task_id(), "2021-12-20")
    return desk


@pytest.mark.parametrize(
    ("role", "unit", "forms", "phone"),
    [
        (UserRole.SECRETARIAT, "duk", {"acceptance", "return", "withdrawal", "notes"}, "024 3825 1234"),
        (UserRole.REVIEWER, "duk", {"acceptance", "return"}, "024 3825 1234"),
        (UserRole.VIEWER, "duk", set(), "024 •••• 234"),
        (UserRole.SECRETARIAT, "stc", set(), "024 3825 1234"),
    ],
)
def test_a_button_that_would_be_refused_is_not_shown(
    called: Desk, page: str, role: UserRole, unit: str, forms: set[str], phone: str
) -> None:
    reader = called.seen_by(role, unit)
    shown = reader.get(page).text
    assert set(re.findall(rf'action="{page}/(\w+)"', shown)) == forms
    assert phone in shown
    before = called.rows()
    for form in {
        "acceptance",
        "return",
        "withdrawal",
        "notes",
        "acknowledgement",
        "extension",
        "exemption",
        "record",
    } - forms:
        assert reader.post(f"{page}/{form}", CALL | {"reason": "x"}).status_code in (403, 409, 422)
    after = called.rows()
    assert {name: rows for name, rows in after.items() if name != "session"} == {
        name: rows for name, rows in before.items() if name != "session"
    }


def test_a_stranger_does_not_learn_that_the_task_exists(called: Desk, page: str) -> None:
    stranger = called.seen_by(UserRole.SECRETARIAT, "snv")
    for answer in (stranger.get(page), stranger.get("/tasks/999"), stranger.post(f"{page}/acceptance")):
        assert answer.status_code == 404
        assert "Tài chính" not in answer.text


def test_who_stands_below_reads_of_the_people_above_only_their_office(called: Desk, page: str) -> None:
    with called.database.writing() as session:
        task = called.task()
        task.state = TaskState.OPEN
        session.merge(task)
    called.move_clock("2022-01-10")
    for day in ("2022-01-04", "2022-01-10"):  # the ladder climbs to the secretariat above
        step_round(called.database, at(day))
    assert "secretariat.duk@example.org" in called.get(page).text
    below = called.seen_by(UserRole.SECRETARIAT, "stc").get(page).text
    assert "secretariat.duk@example.org" not in below
    assert "contact.stc@example.org" in below


def test_the_page_asks_the_database_as_often_for_much_as_for_little(desk: Desk, page: str) -> None:
    asked: list[str] = []
    event.listen(desk.database.engine, "before_cursor_execute", lambda *call: asked.append(call[2]))

    def count() -> int:
        asked.clear()
        assert desk.get(page).status_code == 200
        return len([each for each in asked if each.startswith("SELECT")])

    desk.link()
    hand_in(desk.database, desk.task_id(), "2021-12-20")
    returned(desk, page)
    desk.post(f"{page}/notes", CALL)
    few = count()
    assert few <= 40
    desk.post(f"{page}/withdrawal", {"reason": "x"})
    for number in range(3):
        hand_in(desk.database, desk.task_id(), "2021-12-20", key=f"again {number}")
        returned(desk, page, f"1{number}/01/2022")
        desk.post(f"{page}/notes", CALL)
    assert count() <= few

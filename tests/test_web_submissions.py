"""Can a unit hand in from its link, once, with everything it typed kept, while reading changes nothing?"""

import hashlib
import re
from collections.abc import AsyncIterator, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from dondoc.database import Database
from engine import review
from models.files import path_of
from models.submission import Submission, SubmissionFile
from models.task import TaskState
from tests.builders import act_of, at
from tests.desk import PDF, Desk, answers, opened_desk, sqlite_desk, upload


@pytest.fixture
def desk(sqlite_template: Path, tmp_path: Path) -> Iterator[Desk]:
    with sqlite_desk(sqlite_template, tmp_path) as desk:
        yield desk


@pytest.fixture
def anywhere(database: Database, tmp_path: Path) -> Iterator[Desk]:
    """A desk on each kind of database."""
    with opened_desk(database, tmp_path / "data") as desk:
        yield desk


def test_the_form_says_what_for_whom_by_when_and_why(desk: Desk) -> None:
    shown = desk.get(desk.link()).text
    for words in (
        "Báo cáo kết quả hằng năm, năm 2021",
        "Gửi riêng cho Chi bộ Sở Tài chính",
        "hết ngày thứ Sáu 31/12/2021",
        "còn 9 ngày làm việc",
        "mục II.8.3",
        "Ngày cuối của tháng 12/2021",
        "phấn đấu 2",
        "PDF, DOCX. Một tệp, tới 20 MB.",
    ):
        assert words in shown


def test_a_robot_that_reads_the_link_a_hundred_times_changes_nothing(anywhere: Desk) -> None:
    desk = anywhere
    link = desk.link()
    before = desk.rows()
    for _ in range(25):
        for method in ("GET", "HEAD"):
            assert desk.ask(method, link, headers={"user-agent": "SafeLinks"}).status_code == 200
            assert desk.ask(method, f"{link}/receipt").status_code == 303
    assert desk.rows() == before
    assert not desk.settings.files.exists()


def test_a_report_with_a_file_gets_a_receipt_with_its_fingerprint(anywhere: Desk) -> None:
    desk = anywhere
    link = desk.link()
    sent = desk.post(link, answers(), files=upload())
    assert (sent.status_code, sent.headers["location"]) == (303, f"{link}/receipt")
    receipt = desk.get(f"{link}/receipt").text
    submission = desk.all_of(Submission)[0]
    assert submission.receipt in receipt
    assert f'data-hash="{hashlib.sha256(PDF).hexdigest()}"' in receipt
    assert "Đúng hạn, trước 9 ngày làm việc" in receipt
    assert submission.answers == {"studied": 86, "results": "Tổ chức 4 buổi sinh hoạt chuyên đề."}
    assert submission.by.startswith("contact:")
    file = desk.all_of(SubmissionFile)[0]
    assert path_of(desk.settings.files, file.hash).read_bytes() == PDF
    assert (file.name, file.media_type) == ("bao-cao.pdf", "application/pdf")


def test_afterwards_the_link_shows_the_receipt_and_no_form(desk: Desk) -> None:
    link = desk.link()
    desk.post(link, answers())
    shown = desk.get(link).text
    assert "<form" not in shown
    assert desk.all_of(Submission)[0].receipt in shown
    assert "đang chờ duyệt" in shown
    act_of(desk.database, review.accept, desk.task_id(), "2021-12-21")
    assert "Bản 1 đã được nhận." in desk.get(link).text


def test_a_double_tap_makes_one_submission_and_the_same_receipt(desk: Desk) -> None:
    link = desk.link()
    first, second = (desk.post(link, answers()) for _ in range(2))
    assert first.headers["location"] == second.headers["location"]
    assert second.status_code == 303
    assert len(desk.all_of(Submission)) == 1


def test_a_second_tab_is_told_that_the_report_is_in(desk: Desk) -> None:
    link = desk.link()
    keys = [re.findall(r'name="key" value="([^"]+)"', desk.get(link).text)[0] for _ in range(2)]
    assert keys[0] != keys[1]
    assert desk.post(link, answers(key=keys[0])).status_code == 303
    late = desk.post(link, answers(key=keys[1], results="Bản của thẻ thứ hai"))
    assert late.status_code == 409
    assert "đã nộp, chờ duyệt" in late.text
    assert f'href="{link}"' in late.text
    assert len(desk.all_of(Submission)) == 1


def test_mistakes_are_said_field_by_field_and_keep_what_was_typed(desk: Desk) -> None:
    link = desk.link()
    sent = desk.post(link, answers(studied="nhiều", results=" "), files=upload())
    assert sent.status_code == 422
    assert '<span class="err" id="e-studied">Cần một số nguyên không âm, gặp “nhiều”.</span>' in sent.text
    assert '<span class="err" id="e-results">Cần một câu trả lời, gặp chỗ trống.</span>' in sent.text
    assert 'value="nhiều"' in sent.text
    assert 'name="key" value="tab-1"' in sent.text
    assert desk.all_of(Submission) == []


def test_a_file_that_was_uploaded_with_mistakes_goes_along_the_next_time(desk: Desk) -> None:
    link = desk.link()
    sent = desk.post(link, answers(studied=""), files=upload("Báo cáo.pdf"))
    kept = re.findall(r'name="kept" value="([^"]+)"', sent.text)[0]
    assert "Báo cáo.pdf" in sent.text
    assert desk.post(link, answers(kept=kept)).status_code == 303
    assert [file.name for file in desk.all_of(SubmissionFile)] == ["Báo cáo.pdf"]


def test_odd_characters_are_kept_clean(anywhere: Desk) -> None:
    sent = anywhere.post(anywhere.link(), answers(results=" Ke\u0302\u0301t\0 quả\r\n<b>tốt</b> ", key="a\0b"))
    assert sent.status_code == 303
    assert anywhere.all_of(Submission)[0].answers["results"] == "Kết quả\n<b>tốt</b>"
    assert "&lt;b&gt;tốt&lt;/b&gt;" in anywhere.get(f"/tasks/{anywhere.task_id()}").text


def test_a_kept_file_under_another_seal_is_left_out(desk: Desk) -> None:
    sent = desk.post(desk.link(), answers(studied=""), files=upload())
    kept = re.findall(r'name="kept" value="([^"]+)"', sent.text)[0]
    assert desk.post(desk.link("snv"), answers(kept=kept)).status_code == 303
    assert desk.all_of(SubmissionFile) == []


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("bao-cao.exe", PDF, "Cần tệp PDF, DOCX, gặp tệp .exe."),
        ("bao-cao.pdf", b"MZ not a pdf", "Cần một tệp PDF lành lặn; nội dung tệp này không phải PDF."),
        ("bao-cao.pdf", b"", "Cần một tệp có nội dung, gặp tệp rỗng."),
        ("bao-cao.png", b"\x89PNG\r\n\x1a\n", "Cần tệp PDF, DOCX, gặp tệp .png."),
    ],
)
def test_a_wrong_file_is_refused_in_words_beside_all_other_mistakes(
    desk: Desk, name: str, content: bytes, said: str
) -> None:
    sent = desk.post(desk.link(), answers(studied=""), files=upload(name, content))
    assert sent.status_code == 422
    assert f'<span class="err" id="e-file">{said}</span>' in sent.text
    assert 'id="e-studied"' in sent.text
    assert not desk.settings.files.exists()


def test_too_large_a_file_is_refused_with_a_page_whether_its_size_is_declared_or_not(desk: Desk) -> None:
    link, size = desk.link(), 22 * 1024 * 1024
    declared = desk.post(link, answers(), files=upload(content=PDF + b"\0" * size))

    async def pieces() -> AsyncIterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n'
        for _ in range(size // 65536):
            yield b"\0" * 65536

    undeclared = desk.ask("POST", link, headers={"content-type": "multipart/form-data; boundary=x"}, content=pieces())
    for answer in (declared, undeclared):
        assert answer.status_code == 413
        assert "Mỗi tệp tới 20 MB." in answer.text
    assert desk.all_of(Submission) == []


def test_a_returned_report_shows_the_reason_and_comes_back_filled_in(desk: Desk) -> None:
    link = desk.link()
    desk.post(link, answers(), files=upload())
    given: dict[str, Any] = {"reason": "Thiếu số liệu <mục II.5.1>.", "due_on": date(2022, 1, 4)}
    act_of(desk.database, review.send_back, desk.task_id(), "2021-12-21", **given)
    form = desk.get(link).text
    assert form.index("Bản 1 được trả lại ngày 21/12/2021.") < form.index("Hạn nộp")
    assert "“Thiếu số liệu &lt;mục II.5.1&gt;.”" in form
    assert "hết ngày thứ Ba 04/01/2022" in form
    assert 'value="86"' in form
    assert "Tổ chức 4 buổi sinh hoạt chuyên đề.</textarea>" in form
    kept = re.findall(r'name="kept" value="([^"]+)"', form)[0]
    assert desk.post(link, answers(key="tab-2", kept=kept)).status_code == 303
    assert [(each.number, each.due_on) for each in desk.all_of(Submission)] == [
        (1, date(2021, 12, 31)),
        (2, date(2022, 1, 4)),
    ]
    assert [file.name for file in desk.all_of(SubmissionFile)] == ["bao-cao.pdf"] * 2


def test_wrong_expired_and_revoked_links_look_alike(desk: Desk) -> None:
    good = desk.link()
    expired = desk.link("snv", expires_on=date(2021, 12, 19))
    revoked = desk.link("syt", revoked_at=at("2021-12-19"))
    forged = good[:-4] + ("AAAA" if not good.endswith("AAAA") else "BBBB")
    older = desk.link("stt")
    desk.link("stt", generation=2)
    wrong = ["/s/x", "/s/1-", "/s/999999-abc", "/s/-1-abc", "/s/%00", forged, expired, revoked, older]
    for method in ("GET", "POST"):
        seen = {(desk.ask(method, path).status_code, desk.ask(method, path).text) for path in wrong}
        assert [status for status, _ in seen] == [404]
    assert {desk.get(f"{path}/receipt").status_code for path in wrong} == {404}
    assert desk.get(good).status_code == 200


def test_a_link_lasts_through_its_last_day(desk: Desk) -> None:
    assert desk.get(desk.link(expires_on=date(2021, 12, 20))).status_code == 200


def test_after_the_end_the_link_says_so_instead_of_offering_a_form(desk: Desk) -> None:
    link = desk.link()
    with desk.database.writing() as session:
        task = desk.task()
        task.state = TaskState.MISSED
        session.merge(task)
    shown = desk.get(link)
    assert shown.status_code == 200
    assert "<form" not in shown.text
    assert "Báo cáo này: không nộp." in shown.text


def test_an_overdue_form_says_how_late_and_until_when_it_is_taken(desk: Desk) -> None:
    link = desk.link()
    desk.move_clock("2022-01-05")
    shown = desk.get(link).text
    assert "đã quá hạn 2 ngày làm việc" in shown
    assert "Vẫn nhận đến hết ngày Chủ nhật 30/01/2022, tính là nộp trễ." in shown
    desk.post(link, answers())
    assert "Nộp trễ: hạn là 31/12/2021" in desk.get(f"{link}/receipt").text


def test_the_contacts_language_comes_first_and_a_choice_stays(desk: Desk) -> None:
    link = desk.link()
    assert 'lang="vi"' in desk.get(link, headers={"accept-language": "en-US"}).text
    assert "Send the report" in desk.get(f"{link}?lang=en").text
    assert "Send the report" in desk.get(link).text
    assert link.removeprefix("/s/") not in desk.get(f"{link}?lang=vi").text.split("<main")[0]

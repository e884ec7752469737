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
from models.draft import Draft
from models.files import path_of
from models.submission import Submission, SubmissionFile
from models.task import TaskState
from models.visit import Visit
from tests.builders import YEARLY, act_of, at
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
        "PDF, DOCX. Mỗi tệp tới 20 MB, nhiều nhất 10 tệp.",
    ):
        assert words in shown


def test_robots_that_read_the_link_a_hundred_times_change_nothing_and_it_still_works(anywhere: Desk) -> None:
    desk = anywhere
    link = desk.link()
    before = desk.rows()
    for number in range(25):
        robot = {"user-agent": ("SafeLinks", "BarracudaCentral", "Mimecast", "GoogleImageProxy")[number % 4]}
        for method in ("GET", "HEAD"):
            assert desk.ask(method, link, headers=robot).status_code == 200
            assert desk.ask(method, f"{link}/receipt", headers=robot).status_code == 303
            for page in ("extension", "contact"):
                assert desk.ask(method, f"{link}/{page}", headers=robot).status_code == 200
    after = desk.rows()
    assert len(after.pop("access_log")) == 4  # each robot is noted once an hour
    assert after == {name: rows for name, rows in before.items() if name != "access_log"}
    assert not desk.settings.files.exists()
    assert desk.post(link, answers()).status_code == 303


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
    assert 'id="report"' not in shown
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


def test_who_goes_back_and_sends_something_else_gets_no_receipt_for_it(desk: Desk) -> None:
    """A browser that keeps the sent form shows it again with its key: what is mended there must not vanish."""
    link = desk.link()
    assert desk.post(link, answers()).status_code == 303
    mended = answers(results="Bản đã sửa")
    assert desk.post(link, mended).status_code == 409
    act_of(desk.database, review.send_back, desk.task_id(), "2021-12-20", reason="Thiếu", due_on=None)
    assert desk.post(link, mended).status_code == 303
    assert desk.post(link, mended).status_code == 303
    assert [each.answers["results"] for each in desk.all_of(Submission)] == [answers()["results"], "Bản đã sửa"]


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
    assert f'<p class="err"><b>{name}</b>: {said}</p>' in sent.text
    assert 'id="e-studied"' in sent.text
    assert not desk.settings.files.exists()


def test_too_large_a_file_is_refused_beside_what_was_typed(desk: Desk) -> None:
    sent = desk.post(desk.link(), answers(), files=upload(content=PDF + b"\n" * (20 * 1024 * 1024)))
    assert sent.status_code == 422
    assert "Cần tệp không quá 20 MB." in sent.text
    assert 'value="86"' in sent.text


def test_too_large_a_request_is_refused_with_a_page_whether_its_size_is_declared_or_not(desk: Desk) -> None:
    link, size = desk.link(), 52 * 1024 * 1024
    start = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n'

    async def pieces() -> AsyncIterator[bytes]:
        yield start
        for _ in range(size // 65536):
            yield b"\0" * 65536

    kind = {"content-type": "multipart/form-data; boundary=x"}
    declared = desk.ask("POST", link, headers=kind | {"content-length": str(len(start) + size)}, content=pieces())
    undeclared = desk.ask("POST", link, headers=kind, content=pieces())
    for answer in (declared, undeclared):
        assert answer.status_code == 413
        assert "Mỗi tệp tới 20 MB." in answer.text
    assert desk.all_of(Submission) == []


def several(*names: str) -> list[tuple[str, tuple[str, bytes, str]]]:
    return [("file", (name, PDF[:-6] + name.encode() + b"\n%%EOF\n", "application/pdf")) for name in names]


def test_several_files_go_along_and_each_has_its_fingerprint(desk: Desk) -> None:
    link = desk.link()
    assert desk.post(link, answers(), files=several("a.pdf", "Phụ lục.pdf")).status_code == 303
    assert [file.name for file in desk.all_of(SubmissionFile)] == ["a.pdf", "Phụ lục.pdf"]
    assert desk.get(f"{link}/receipt").text.count("data-hash") == 2


def test_one_bad_file_among_good_ones_is_named_and_the_good_ones_are_kept(desk: Desk) -> None:
    link = desk.link()
    sent = desk.post(link, answers(), files=[*several("a.pdf", "b.pdf"), ("file", ("c.pdf", b"MZ", ""))])
    assert sent.status_code == 422
    assert "<b>c.pdf</b>: Cần một tệp PDF lành lặn" in sent.text
    assert kept_in(sent.text) == kept_in(desk.get(link).text) != []
    assert desk.post(link, answers() | {"kept": kept_in(sent.text)}).status_code == 303  # type: ignore[arg-type]
    assert [file.name for file in desk.all_of(SubmissionFile)] == ["a.pdf", "b.pdf"]


def test_too_many_files_are_refused_in_words(desk: Desk) -> None:
    sent = desk.post(desk.link(), answers(), files=several(*(f"{number}.pdf" for number in range(11))))
    assert sent.status_code == 422
    assert "Cần tối đa 10 tệp, gặp 11." in sent.text


def test_where_the_plan_takes_one_file_the_new_one_takes_the_place_of_the_old(
    sqlite_template: Path, tmp_path: Path
) -> None:
    plan = YEARLY.replace("file: {types: [pdf, docx]}", "file: {types: [pdf], max: 1}")
    with sqlite_desk(sqlite_template, tmp_path, plan=plan) as desk:
        link = desk.link()
        assert "PDF. Một tệp, tới 20 MB." in desk.get(link).text
        sent = desk.post(link, answers(studied=""), files=several("a.pdf"))
        assert "Tệp mới thay tệp ở trên." in sent.text
        given = answers() | {"kept": kept_in(sent.text)}
        assert desk.post(link, given, files=several("b.pdf")).status_code == 303  # type: ignore[arg-type]
        assert [file.name for file in desk.all_of(SubmissionFile)] == ["b.pdf"]


def kept_in(page: str) -> list[str]:
    return re.findall(r'name="kept" value="([^"]+)"', page)


# What was typed is kept


def test_a_draft_is_kept_wrong_or_right_and_fills_the_form_again(anywhere: Desk) -> None:
    desk = anywhere
    link = desk.link()
    saved = desk.post(f"{link}/draft", answers(studied="nhiều"), files=upload())
    assert (saved.status_code, saved.headers["location"]) == (303, f"{link}#saved")
    form = desk.get(link).text
    assert 'value="nhiều"' in form
    assert "Đã lưu nháp 09:00, 20/12 (GMT+7)" in form
    assert len(kept_in(form)) == 1
    assert desk.all_of(Submission) == []
    given = answers() | {"kept": kept_in(form)}
    assert desk.post(link, given).status_code == 303  # type: ignore[arg-type]
    assert [file.name for file in desk.all_of(SubmissionFile)] == ["bao-cao.pdf"]
    assert desk.all_of(Draft) == []


def test_a_refused_try_is_kept_as_a_draft(desk: Desk) -> None:
    link = desk.link()
    desk.post(link, answers(studied="nhiều", results="Dòng một\nDòng hai"), files=upload())
    form = desk.get(link).text
    assert 'value="nhiều"' in form
    assert "Dòng một\nDòng hai</textarea>" in form
    assert len(kept_in(form)) == 1


def test_a_file_that_is_no_longer_ticked_leaves_the_draft(desk: Desk) -> None:
    link = desk.link()
    desk.post(f"{link}/draft", answers(), files=upload())
    desk.post(f"{link}/draft", answers())
    assert kept_in(desk.get(link).text) == []


def test_the_pages_script_gets_the_parts_that_changed(desk: Desk) -> None:
    link = desk.link()
    good = desk.post(f"{link}/draft", answers(), files=upload(), headers={"x-part": "1"})
    assert good.status_code == 200
    assert "<html" not in good.text
    assert "Đã lưu nháp" in good.text
    assert len(kept_in(good.text)) == 1
    bad = desk.post(f"{link}/draft", answers(), files=upload("a.exe"), headers={"x-part": "1"})
    assert bad.status_code == 422
    assert "gặp tệp .exe" in bad.text


def test_a_draft_with_a_bad_file_keeps_the_answers_and_says_what_is_wrong(desk: Desk) -> None:
    link = desk.link()
    sent = desk.post(f"{link}/draft", answers(results="Đã viết"), files=upload("a.exe"))
    assert sent.status_code == 422
    assert "gặp tệp .exe" in sent.text
    assert "Đã viết" in desk.get(link).text


def test_a_file_whose_content_is_gone_has_to_be_chosen_again(desk: Desk) -> None:
    link = desk.link()
    desk.post(f"{link}/draft", answers(), files=upload())
    given = answers() | {"kept": kept_in(desk.get(link).text)}
    path_of(desk.settings.files, hashlib.sha256(PDF).hexdigest()).unlink()
    sent = desk.post(link, given)  # type: ignore[arg-type]
    assert sent.status_code == 422
    assert "Cần chọn lại tệp này" in sent.text


def test_after_the_report_is_in_no_draft_is_taken(desk: Desk) -> None:
    link = desk.link()
    desk.post(link, answers())
    assert desk.post(f"{link}/draft", answers()).status_code == 409
    assert desk.all_of(Draft) == []


def test_who_came_by_is_noted_with_the_network_alone(desk: Desk) -> None:
    link = desk.link()
    for _ in range(3):
        desk.get(link, headers={"user-agent": "Mozilla/5.0"})
    desk.post(f"{link}/draft", answers())
    desk.post(link, answers())
    found = desk.all_of(Visit)
    assert [each.act for each in found] == ["opened", "saved", "submitted"]
    assert {each.network for each in found} == {"127.0.0.0/24"}
    assert {each.task_id for each in found} == {desk.task_id()}


def test_a_browser_inside_another_program_is_told_how_to_leave_it(desk: Desk) -> None:
    link = desk.link()
    zalo = {"user-agent": "Mozilla/5.0 (Linux; Android 13) AppleWebKit/537.36 Chrome/120 Mobile Zalo android/12"}
    shown = desk.get(link, headers=zalo).text
    assert "Mở bằng trình duyệt" in shown
    assert f'value="http://office.example.org{link}"' in shown
    assert "Mở bằng trình duyệt" not in desk.get(link).text


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
    seen = {(answer.status_code, answer.text) for path in wrong for answer in [desk.get(path)]}
    assert [status for status, _ in seen] == [404]
    assert [desk.post(path).status_code for path in wrong[:3]] == [404] * 3
    assert [
        desk.get(f"{path}/{page}").status_code
        for path, page in zip(wrong, ("receipt", "extension", "contact"), strict=False)
    ] == [404] * 3
    assert desk.get(good).status_code == 200


def test_who_tries_wrong_links_is_slowed_down_and_right_ones_still_open(desk: Desk) -> None:
    found = [desk.get(f"/s/{number}-wrong").status_code for number in range(25)]
    assert found[:20] == [404] * 20
    assert 429 in found[20:]
    assert int(desk.get("/s/1-wrong").headers["retry-after"]) > 0
    assert desk.get(desk.link()).status_code == 200


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

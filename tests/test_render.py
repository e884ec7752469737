"""Is every message right in both languages, and safe whatever was typed into it?"""

from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from typing import Any

import pytest

from models.contact import Contact
from models.extension import Extension
from models.notice import NoticeKind
from models.step import Step, StepKind
from models.submission import Review, ReviewVerdict, Submission, SubmissionFile, Way
from models.task import TaskState
from notifications.item import Office
from notifications.render import BELOW, Rendered, fill_links, render_bundle
from notifications.waiting import Waiting
from tests.builders import ZONE, at
from tests.notices import DUE, OFFICE, person, waiting

REFERENCE = "4f1c"
VOID = {"meta", "br"}
#: What people and files are called, in whatever language they are told of.
GIVEN = (
    "Đảng ủy Khối các cơ quan tỉnh",
    "Chi bộ số 1",
    "Văn thư",
    "Thiếu biểu",
    "Thiếu chữ ký",
    "báo cáo",
    "Bão",
    "lũ",
    "ĐUK",
)


def told(*notices: Waiting, contact: Contact | None = None, day: str = "2025-09-23", lang: str = "vi") -> Rendered:
    contact = contact or person(1)
    contact.lang = lang
    office = Office(OFFICE.channel, OFFICE.reply_address, OFFICE.url, ZONE, at(day))
    return render_bundle(contact, notices, office, REFERENCE)


def full(kind: NoticeKind, **more: Any) -> Waiting:
    """A notice with everything that its kind may speak of."""
    step = Step(deadline_id=1, kind=StepKind.ESCALATE, ordinal=2, rung="issuer.standing", on=DUE, at=at("2025-10-14"))
    received: dict[str, Any] = {
        "way": Way.LINK,
        "at": at("2025-10-03", "08:14"),
        "received_on": date(2025, 10, 3),
        "due_on": DUE,
    }
    review: dict[str, Any] = {
        "verdict": ReviewVerdict.RETURNED,
        "reason": "Thiếu biểu <2>.\nThiếu chữ ký.",
        "at": at("2025-09-22"),
    }
    moved: dict[str, Any] = {"from_on": date(2025, 9, 15), "to_on": DUE, "reason": "Bão & lũ", "document": "12-CV/ĐUK"}
    return replace(
        waiting(kind=kind, state=TaskState.RETURNED if kind is NoticeKind.RETURNED else TaskState.OPEN, **more),
        next_step=step,
        submission=Submission(
            id=1, task_id=1, number=2, by="contact:1", answers={}, key="k", receipt="7K4M-2PXC", **received
        ),
        files=(
            SubmissionFile(submission_id=1, name="<b>báo cáo</b>.pdf", hash="3f9a" * 16, size=4120, media_type="x"),
        ),
        review=Review(submission_id=1, does_not_count=True, by="office", **review)
        if kind is NoticeKind.RETURNED
        else None,
        extension=Extension(task_id=1, from_deadline_id=1, to_deadline_id=2, at=at("2025-09-20"), by="office", **moved),
    )


SUBJECTS = {
    NoticeKind.OPENED: ("Mở nhận báo cáo: {}", "Open for reporting: {}"),
    NoticeKind.REMINDER: ("Còn 5 ngày làm việc: {}", "5 working days left: {}"),
    NoticeKind.DUE_TODAY: ("Hôm nay là hạn nộp: {}", "Due today: {}"),
    NoticeKind.OVERDUE: ("Quá hạn 3 ngày làm việc: {}", "3 working days overdue: {}"),
    NoticeKind.ESCALATION: (
        "Đơn vị chưa nộp, quá hạn 3 ngày làm việc: {}",
        "Your unit has not reported, 3 working days overdue: {}",
    ),
    NoticeKind.RETURNED: ("Trả lại để bổ sung: {}", "Returned for completion: {}"),
    NoticeKind.ACCEPTED: ("Báo cáo đã được nhận: {}", "Report accepted: {}"),
    NoticeKind.EXTENSION_DECIDED: ("Gia hạn đến 30/09/2025: {}", "Extended to 30/09/2025: {}"),
    NoticeKind.DATE_MOVED: ("Đổi hạn sang 30/09/2025: {}", "Due day moved to 30/09/2025: {}"),
    NoticeKind.CANCELLED: ("Không phải nộp nữa: {}", "No longer owed: {}"),
    NoticeKind.RECEIPT: ("Giấy báo nhận 7K4M-2PXC: {}", "Receipt 7K4M-2PXC: {}"),
}
DAYS = {NoticeKind.DUE_TODAY: "2025-09-30", NoticeKind.OVERDUE: "2025-10-03", NoticeKind.ESCALATION: "2025-10-03"}


@pytest.mark.parametrize("kind", SUBJECTS)
@pytest.mark.parametrize("lang", ["vi", "en"])
def test_every_kind_about_a_report_has_its_subject_its_text_and_its_page(kind: NoticeKind, lang: str) -> None:
    rendered = told(full(kind), day=DAYS.get(kind, "2025-09-23"), lang=lang)
    title = "Báo cáo kết quả hằng năm, năm 2025" if lang == "vi" else "Yearly report, 2025"
    assert rendered.subject == SUBJECTS[kind][lang == "en"].format(title)
    for words in (rendered.text, rendered.html):
        assert title in words
        assert "II.8.3" in words
        assert words.count("https://dondoc.example.org/s/[[link:1]]") == 1
        assert "dondoc@example.org" in words
        assert REFERENCE in words
        assert "None" not in words
    if lang == "en":
        words = rendered.text
        for name in GIVEN:
            words = words.replace(name, "")
        assert words.isascii()


def test_a_date_is_written_whole_and_says_what_comes_next() -> None:
    text = told(full(NoticeKind.OVERDUE), day="2025-10-03").text
    assert "Hạn nộp: hết ngày thứ Ba 30/09/2025 (GMT+7)" in text
    assert "Nếu chưa nộp, thứ Ba 14/10/2025 sẽ báo Thường trực cơ quan ban hành." in text


def test_a_receipt_proves_what_arrived_and_when() -> None:
    text = told(full(NoticeKind.RECEIPT)).text
    assert "[Đã nộp, trễ hạn]" in text
    assert "Mã nhận: 7K4M-2PXC\nNhận lúc: 08:14, thứ Sáu 03/10/2025 (GMT+7)\n" in text
    assert "SHA-256 " + "3f9a" * 16 in text


def test_a_return_begins_with_its_reason() -> None:
    text = told(full(NoticeKind.RETURNED)).text
    assert "> Thiếu biểu <2>.\n> Thiếu chữ ký.\n" in text
    assert text.index("Thiếu biểu") < text.index("Hạn nộp lại")
    assert "Bản vừa rồi không tính là đã nộp." in text


@pytest.mark.parametrize(
    ("day", "status"),
    [
        ("2025-09-29", "Còn 1 ngày làm việc"),
        ("2025-09-30", "Hạn nộp là hôm nay"),
        ("2025-10-01", "Quá hạn 1 ngày làm việc"),
        ("2025-10-06", "Quá hạn 4 ngày làm việc"),  # 4 and 5 October are a weekend
    ],
)
def test_a_reminder_that_goes_out_late_says_how_things_stand(day: str, status: str) -> None:
    assert f"[{status}]" in told(waiting(), day=day).text


def test_a_unit_sees_one_task_once_and_the_most_urgent_word_of_it() -> None:
    notices = [waiting(kind=kind, cause=f"step:{n}") for n, kind in enumerate([NoticeKind.OPENED, NoticeKind.REMINDER])]
    rendered = told(*notices)
    assert rendered.subject.startswith("Còn 5 ngày làm việc")
    assert rendered.text.count("[[link:1]]") == 1


def test_several_tasks_are_one_digest() -> None:
    mine = person(1)
    second = waiting(2, mine)
    second = replace(second, unit=waiting(1).unit)
    rendered = told(waiting(1, mine), second, contact=mine)
    assert rendered.subject == "Chi bộ số 1: 2 việc cần lưu ý"  # no total: more may be owed than the letter tells
    assert [rendered.text.count(f"[[link:{n}]]") for n in (1, 2)] == [1, 1]


def test_a_list_of_late_units_has_one_link_to_all_of_them_and_the_latest_come_first() -> None:
    boss = person(9)
    rows = [waiting(n, boss, kind=NoticeKind.ESCALATION, rung="superior.secretariat") for n in (1, 2, 3)]
    later = replace(rows[1], deadline=rows[1].deadline.model_copy(update={"due_on": date(2025, 9, 26)}))
    rendered = told(rows[0], later, rows[2], rows[0], contact=boss, day="2025-10-03")
    assert rendered.subject == "3 đơn vị chưa nộp, đã quá hạn: Báo cáo kết quả hằng năm, năm 2025"
    lines = [line for line in rendered.text.splitlines() if line[:2] in {"1.", "2.", "3."}]
    assert lines == [
        "1. Chi bộ số 2: Quá hạn 5 ngày làm việc",
        "2. Chi bộ số 1: Quá hạn 3 ngày làm việc",
        "3. Chi bộ số 3: Quá hạn 3 ngày làm việc",
    ]
    assert rendered.html.count("[[link:") == 1
    assert 'href="https://dondoc.example.org/tasks/2"' in rendered.html
    assert 'href="https://dondoc.example.org/k/[[link:-1]]#cycle-1"' in rendered.html
    assert fill_links(rendered.short, {BELOW: "7-abc"}).endswith("https://dondoc.example.org/k/7-abc#cycle-1")


def test_what_people_typed_is_shown_and_never_run() -> None:
    returned = full(NoticeKind.RETURNED).review
    assert returned is not None
    returned.reason = "<script>alert(1)</script> {{ 7 * 7 }} & [[link:5]]"
    rendered = told(replace(full(NoticeKind.RETURNED), review=returned))
    assert "<script" not in rendered.html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; {{ 7 * 7 }} &amp; [[link:5]]" in rendered.html
    assert "&lt;b&gt;báo cáo&lt;/b&gt;.pdf" in told(full(NoticeKind.RECEIPT)).html
    # A mark that somebody typed is no way to another unit's token.
    assert fill_links(rendered.text, {1: "1-token"}).count("[[link:5]]") == 1
    assert "/s/1-token" in fill_links(rendered.text, {1: "1-token"})


@pytest.mark.parametrize("kind", NoticeKind)
def test_the_page_is_whole_and_asks_nobody_for_anything(kind: NoticeKind) -> None:
    class Reader(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.open: list[str] = []

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            assert tag not in {"script", "img", "link", "iframe", "form", "style"}
            assert not {name for name, _ in attrs} & {"src", "background", "onclick"}
            assert all("url(" not in (value or "") for _, value in attrs)
            if tag not in VOID:
                self.open.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert self.open.pop() == tag

    reader = Reader()
    reader.feed(told(full(kind)).html)
    assert reader.open == []

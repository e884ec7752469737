"""Does the comparison of two versions say what changed, and nothing else?"""

from collections.abc import Sequence
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from engine.versions import Change, Words, base_of, compare
from models.submission import Review, ReviewVerdict, Submission, SubmissionFile
from schedules.plan import Field, FieldType, Text
from tests.builders import at

FIELDS = (
    Field("studied", FieldType.NUMBER, Text("Số đảng viên", "Members")),
    Field("results", FieldType.LONG_TEXT, Text("Kết quả", "Results")),
)
TEXTS = st.text("ab ổ\n", max_size=40)


def version(number: int, *, is_withdrawn: bool = False, **answers: object) -> Submission:
    return Submission(
        id=number,
        task_id=1,
        number=number,
        way="link",
        at=at("2021-12-20"),
        received_on=date(2021, 12, 20),
        due_on=date(2021, 12, 31),
        by="contact:1",
        answers=answers,
        key=f"{number}",
        receipt=f"{number}",
        is_withdrawn=is_withdrawn,
    )


def file(name: str, content: str) -> SubmissionFile:
    return SubmissionFile(submission_id=1, name=name, hash=content, size=1, media_type="application/pdf")


def review(verdict: ReviewVerdict) -> Review:
    return Review(submission_id=1, verdict=verdict, at=at("2021-12-20"), by="office")


def said(pieces: Sequence[Words]) -> list[tuple[str, str]]:
    return [(each.change.value, each.text) for each in pieces]


def test_a_number_that_rose_and_a_sentence_that_grew() -> None:
    old = version(1, studied=86, results="Tổ chức 4 buổi.")
    new = version(2, studied=87, results="Tổ chức 5 buổi.")
    studied, results = compare(FIELDS, old, new, {}).answers
    assert (studied.change, studied.was, studied.now) == (Change.CHANGED, 86, 87)
    assert said(results.old) == [("same", "Tổ chức "), ("gone", "4"), ("same", " buổi.")]
    assert said(results.new) == [("same", "Tổ chức "), ("new", "5"), ("same", " buổi.")]


def test_what_stayed_is_called_the_same_and_counted_as_no_change() -> None:
    found = compare(FIELDS, version(1, studied=86), version(2, studied=86), {})
    assert [each.change for each in found.answers] == [Change.SAME, Change.SAME]
    assert found.changes == 0


def test_an_answer_that_came_or_went_and_one_that_the_plan_does_not_know() -> None:
    found = compare(FIELDS, version(1, results="x", old_name=1), version(2, studied=3), {})
    assert {each.name: each.change for each in found.answers} == {
        "studied": Change.NEW,
        "results": Change.GONE,
        "old_name": Change.GONE,
    }
    assert found.answers[-1].field is None


def test_files_are_known_by_their_content_whatever_they_are_called() -> None:
    files = {1: [file("a.pdf", "1"), file("b.pdf", "2")], 2: [file("ban-ky.pdf", "1"), file("c.pdf", "3")]}
    found = compare((), version(1), version(2), files).files
    assert [(each.change, each.old and each.old.name, each.new and each.new.name) for each in found] == [
        (Change.SAME, "a.pdf", "ban-ky.pdf"),
        (Change.NEW, None, "c.pdf"),
        (Change.GONE, "b.pdf", None),
    ]


def test_a_version_is_held_against_the_last_that_was_accepted_else_the_last_before() -> None:
    versions = [version(1), version(2), version(3, is_withdrawn=True), version(4)]
    assert base_of(versions, {}, 4) is versions[1]
    assert base_of(versions, {1: [review(ReviewVerdict.ACCEPTED), review(ReviewVerdict.REOPENED)]}, 4) is versions[0]
    assert base_of(versions, {}, 1) is None


@given(old=TEXTS, new=TEXTS)
def test_the_pieces_put_together_are_the_texts(old: str, new: str) -> None:
    (found,) = compare((), version(1, text=old), version(2, text=new), {}).answers
    assert "".join(each.text for each in found.old) == old
    assert "".join(each.text for each in found.new) == new
    assert [each.text for each in found.old if each.change is Change.SAME] == [
        each.text for each in found.new if each.change is Change.SAME
    ]

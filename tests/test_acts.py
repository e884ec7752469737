"""Do the acts on one task write what design §5 says, refuse the rest, and judge late and on time rightly?"""

from datetime import date
from typing import Any

import pytest
from sqlmodel import col, select

from dondoc.database import Database
from engine import extend, record, review, submit
from engine.errors import RefusedError
from models.deadline import Deadline, Origin
from models.entry import Entry, breaks
from models.extension import Exemption, Extension
from models.files import StoredFile
from models.notice import Notice, NoticeKind
from models.submission import Review, Submission, SubmissionFile, Way
from models.task import IllegalActError, Task, TaskState
from tests.builders import (
    ANSWERS,
    YEARLY,
    act_of,
    at,
    everything,
    hand_in,
    id_of,
    province,
    step_round,
)
from tests.plans import taken

PAGE = StoredFile("báo cáo.pdf", "ab" * 32, 1234, "application/pdf")


@pytest.fixture
def task_id(database: Database) -> int:
    """The finance cell's report for 2021: open since 1 December, due on 31 December, taken until 30 January."""
    province(database)
    step_round(database, at("2021-12-01"))
    return id_of(database, "stc")


def test_handing_in_writes_the_version_its_file_the_entry_and_the_receipt(database: Database, task_id: int) -> None:
    given = {"by": "contact:1", "answers": ANSWERS, "files": [PAGE], "key": "a tap"}
    act_of(database, submit.submit, task_id, "2021-12-20", "23:59", **given)
    with database.reading() as session:
        version = session.exec(select(Submission)).one()
        assert (version.number, version.way, version.by) == (1, "link", "contact:1")
        assert (version.received_on, version.due_on) == (date(2021, 12, 20), date(2021, 12, 31))
        assert version.answers == {"studied": 86, "results": ANSWERS["results"]}
        file = session.exec(select(SubmissionFile)).one()
        assert (file.name, file.hash, file.size) == (PAGE.name, PAGE.hash, PAGE.size)
        task = session.get_one(Task, task_id)
        assert (task.state, task.versions, task.is_late) == ("submitted", 1, False)
        entry = session.exec(select(Entry).where(col(Entry.task_id) == task_id)).one()
        assert (entry.act, entry.by, entry.data["files"], entry.data["late"]) == (
            "submitted",
            "contact:1",
            [PAGE.hash],
            False,
        )
        receipt = session.exec(select(Notice).where(col(Notice.kind) == NoticeKind.RECEIPT.value)).one()
        assert (receipt.task_id, receipt.cause) == (task_id, f"entry:{entry.id}")
        assert list(breaks(session)) == []


def test_the_same_key_again_is_the_same_submission(database: Database, task_id: int) -> None:
    first = hand_in(database, task_id, "2021-12-20", key="a tap")
    with database.reading() as session:
        before = everything(session)
    again = hand_in(database, task_id, "2021-12-21", key="a tap")
    assert (again.id, again.receipt) == (first.id, first.receipt)
    with database.reading() as session:
        assert everything(session) == before
    other = id_of(database, "snv")
    with pytest.raises(RefusedError) as refused:
        hand_in(database, other, "2021-12-21", key="a tap")
    assert refused.value.reason.code == "refused.key_of_another_task"


def test_receipts_differ_and_can_be_read_out_on_the_telephone(database: Database, task_id: int) -> None:
    codes = {hand_in(database, id_of(database, unit), "2021-12-20").receipt for unit in ("stc", "snv", "syt")}
    assert len(codes) == 3
    assert all(len(code) == 14 and not set(code) & set("01IOl") for code in codes)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("86", 86),
        (" 86 ", 86),
        (86, 86),
        ("1.868", 1868),
        ("1 868 000", 1868000),
        ("0", 0),
        ("1.5", None),
        ("1,5", None),
        ("1.86", None),
        (86.5, None),
        ("12.34.567", None),
        ("1.868 000", None),
        ("-3", None),
        ("٣", None),
        ("1234567890123", None),
        ("nhiều", None),
    ],
)
def test_a_number_is_what_vietnam_writes_for_one_and_never_a_guess(given: object, kept: int | None) -> None:
    obligation = taken(YEARLY).obligation("annual-report")
    answers = {"studied": given, "results": "tốt"}
    if kept is None:
        with pytest.raises(submit.InvalidAnswersError) as refused:
            submit.checked(obligation, answers, (), is_strict=True)
        assert {name: reason.code for name, reason in refused.value.problems.items()} == {"studied": "answer.number"}
    else:
        assert submit.checked(obligation, answers, (), is_strict=True)["studied"] == kept


def test_every_wrong_answer_is_named_at_once(database: Database, task_id: int) -> None:
    answers: dict[str, object] = {"studied": "", "results": "x" * 10_001, "colour": "đỏ"}
    with pytest.raises(submit.InvalidAnswersError) as refused:
        act_of(database, submit.submit, task_id, "2021-12-20", answers=answers, files=(), key="k")
    assert {name: reason.code for name, reason in refused.value.problems.items()} == {
        "studied": "answer.required",
        "results": "answer.too_long",
        "colour": "answer.unknown",
    }


# The verdict


@pytest.mark.parametrize(
    ("day", "hour", "late"),
    [("2021-12-31", "23:59", False), ("2022-01-01", "00:00", True), ("2022-01-30", "23:59", True)],
)
def test_on_time_lasts_until_midnight_of_the_due_day_in_the_organisations_zone(
    database: Database, task_id: int, day: str, hour: str, late: bool
) -> None:
    hand_in(database, task_id, day, hour)
    assert standing(database, task_id) == (TaskState.SUBMITTED, late)


def test_after_the_end_nothing_is_taken_even_before_the_round_has_closed(database: Database, task_id: int) -> None:
    with pytest.raises(RefusedError) as refused:
        hand_in(database, task_id, "2022-01-31", "00:02")
    assert (refused.value.reason.code, dict(refused.value.reason.params)) == ("refused.ended", {"until": "2022-01-30"})
    assert standing(database, task_id) == (TaskState.OPEN, None)


def test_a_return_with_a_day_gives_the_next_version_until_that_day(database: Database, task_id: int) -> None:
    hand_in(database, task_id, "2021-12-30")
    send_back(database, task_id, "2022-01-04", due_on=date(2022, 1, 10))
    assert standing(database, task_id) == (TaskState.RETURNED, False)
    assert due_of(database, task_id) == (date(2022, 1, 10), Origin.RETURN, date(2022, 2, 9))
    hand_in(database, task_id, "2022-01-10")
    assert standing(database, task_id) == (TaskState.SUBMITTED, False)


def test_a_version_after_the_day_of_its_return_is_late_and_so_is_the_whole(database: Database, task_id: int) -> None:
    hand_in(database, task_id, "2021-12-30")
    send_back(database, task_id, "2022-01-04", due_on=date(2022, 1, 10))
    hand_in(database, task_id, "2022-01-11")
    assert standing(database, task_id) == (TaskState.SUBMITTED, True)


def test_a_return_before_the_due_day_keeps_that_day(database: Database, task_id: int) -> None:
    hand_in(database, task_id, "2021-12-10")
    send_back(database, task_id, "2021-12-15", due_on=None)
    assert due_of(database, task_id) == (date(2021, 12, 31), Origin.PLAN, date(2022, 1, 30))
    hand_in(database, task_id, "2021-12-31")
    assert standing(database, task_id) == (TaskState.SUBMITTED, False)


def test_a_return_shortens_nobodys_time(database: Database, task_id: int) -> None:
    hand_in(database, task_id, "2021-12-10")
    for due_on in (date(2021, 12, 15), date(2021, 12, 30)):
        assert refusal(send_back, database, task_id, "2021-12-15", due_on=due_on) == "refused.due_sooner"
        given = {"due_on": due_on, "does_not_count": True}
        assert refusal(send_back, database, task_id, "2021-12-15", **given) == "refused.due_sooner"
    send_back(database, task_id, "2021-12-15", due_on=date(2021, 12, 31))
    assert due_of(database, task_id) == (date(2021, 12, 31), Origin.PLAN, date(2022, 1, 30))
    hand_in(database, task_id, "2021-12-31")
    send_back(database, task_id, "2022-01-04", due_on=date(2022, 1, 4))  # the day has passed: any from today on
    assert due_of(database, task_id)[:2] == (date(2022, 1, 4), Origin.RETURN)
    hand_in(database, task_id, "2022-01-04")
    send_back(database, task_id, "2022-01-04", due_on=date(2022, 1, 20))
    hand_in(database, task_id, "2022-01-05")
    assert refusal(send_back, database, task_id, "2022-01-06", due_on=date(2022, 1, 19)) == "refused.due_sooner"


def test_a_return_gives_no_day_that_nobody_can_mean(database: Database, task_id: int) -> None:
    hand_in(database, task_id, "2021-12-10")
    for due_on in (date.max, date(9990, 12, 31), date(2032, 1, 9)):
        assert refusal(send_back, database, task_id, "2021-12-15", due_on=due_on) == "refused.too_far"


def test_a_return_after_the_due_day_must_set_a_day_that_has_not_passed(database: Database, task_id: int) -> None:
    hand_in(database, task_id, "2021-12-30")
    assert refusal(send_back, database, task_id, "2022-01-04", due_on=None) == "refused.return_needs_day"
    assert refusal(send_back, database, task_id, "2022-01-04", due_on=date(2022, 1, 3)) == "refused.due_in_past"
    assert (
        refusal(send_back, database, task_id, "2022-01-04", due_on=date(2022, 1, 9), reason=" ") == "refused.no_reason"
    )


def test_an_empty_page_wins_no_days(database: Database, task_id: int) -> None:
    """Returned as no report at all: the next version has to meet the day that the empty one had to meet."""
    hand_in(database, task_id, "2021-12-31", "23:58")
    send_back(database, task_id, "2022-01-04", due_on=None, does_not_count=True)
    assert standing(database, task_id) == (TaskState.RETURNED, None)
    hand_in(database, task_id, "2022-01-05")
    assert standing(database, task_id) == (TaskState.SUBMITTED, True)


def test_an_empty_page_wins_no_days_even_with_time_until_a_later_day(database: Database, task_id: int) -> None:
    hand_in(database, task_id, "2021-12-31", "23:58")
    send_back(database, task_id, "2022-01-04", due_on=date(2022, 1, 20), does_not_count=True)
    hand_in(database, task_id, "2022-01-05", "09:00")
    send_back(database, task_id, "2022-01-06", due_on=date(2022, 1, 25), does_not_count=True)
    hand_in(database, task_id, "2022-01-07")
    assert standing(database, task_id) == (TaskState.SUBMITTED, True)


def test_an_empty_page_wipes_no_lateness(database: Database, task_id: int) -> None:
    hand_in(database, task_id, "2022-01-05")
    send_back(database, task_id, "2022-01-06", due_on=date(2022, 1, 20))
    hand_in(database, task_id, "2022-01-07")
    send_back(database, task_id, "2022-01-08", due_on=None, does_not_count=True)
    assert standing(database, task_id) == (TaskState.RETURNED, True)
    hand_in(database, task_id, "2022-01-09")
    assert standing(database, task_id) == (TaskState.SUBMITTED, True)


def test_an_empty_page_in_good_time_leaves_the_unit_its_day(database: Database, task_id: int) -> None:
    hand_in(database, task_id, "2021-12-10")
    send_back(database, task_id, "2021-12-11", due_on=None, does_not_count=True)
    hand_in(database, task_id, "2021-12-31")
    assert standing(database, task_id) == (TaskState.SUBMITTED, False)


def test_after_the_end_a_return_must_leave_time_to_answer(database: Database, task_id: int) -> None:
    hand_in(database, task_id, "2022-01-05")
    given = {"due_on": None, "does_not_count": True}
    assert refusal(send_back, database, task_id, "2022-02-10", **given) == "refused.return_needs_day"


def test_a_withdrawn_version_is_as_if_it_had_never_come(database: Database, task_id: int) -> None:
    hand_in(database, task_id, "2022-01-05")
    act_of(database, submit.withdraw, task_id, "2022-01-06", reason="nhầm tệp")
    assert standing(database, task_id) == (TaskState.OPEN, None)
    hand_in(database, task_id, "2022-01-07")
    with database.reading() as session:
        numbers = session.exec(
            select(Submission.number, Submission.is_withdrawn).order_by(col(Submission.number))
        ).all()
        assert list(numbers) == [(1, True), (2, False)]
    send_back(database, task_id, "2022-01-08", due_on=date(2022, 1, 20))
    hand_in(database, task_id, "2022-01-09")
    act_of(database, submit.withdraw, task_id, "2022-01-10", reason="nhầm tệp")
    assert standing(database, task_id) == (TaskState.RETURNED, True)


def test_nobody_withdraws_what_could_not_be_handed_in_again(database: Database, task_id: int) -> None:
    hand_in(database, task_id, "2021-12-30")
    given = {"reason": "nhầm"}
    assert refusal(act_of, database, submit.withdraw, task_id, "2022-01-31", "00:01", **given) == "refused.ended"


# Paper


def test_of_a_paper_the_day_counts_on_which_it_was_received(database: Database, task_id: int) -> None:
    given: dict[str, Any] = {"received_on": date(2021, 12, 31), "document": " 45-BC/CB ", "way": Way.PAPER}
    act_of(database, record.record, task_id, "2022-01-12", **given)
    assert standing(database, task_id) == (TaskState.SUBMITTED, False)
    with database.reading() as session:
        version = session.exec(select(Submission)).one()
        assert (version.received_on, version.document, version.way) == (date(2021, 12, 31), "45-BC/CB", "paper")


def test_a_paper_that_came_in_time_may_be_recorded_after_the_end(database: Database, task_id: int) -> None:
    step_round(database, at("2022-01-31"))
    assert standing(database, task_id) == (TaskState.MISSED, None)
    given: dict[str, Any] = {"document": "45-BC/CB", "way": Way.EOFFICE}
    late = {"received_on": date(2022, 1, 31)} | given
    assert refusal(act_of, database, record.record, task_id, "2022-02-05", **late) == "refused.ended"
    act_of(database, record.record, task_id, "2022-02-05", received_on=date(2022, 1, 30), **given)
    assert standing(database, task_id) == (TaskState.SUBMITTED, True)


def test_a_paper_needs_its_number_and_a_day_that_has_come(database: Database, task_id: int) -> None:
    given: dict[str, Any] = {"way": Way.PAPER, "document": "45", "received_on": date(2021, 12, 13)}
    asked = (record.record, task_id, "2021-12-12")
    assert refusal(act_of, database, *asked, **given) == "refused.received_in_future"
    given |= {"document": " ", "received_on": date(2021, 12, 12)}
    assert refusal(act_of, database, *asked, **given) == "refused.no_document"


# Review


def test_accepting_tells_the_unit_and_keeps_the_lateness(database: Database, task_id: int) -> None:
    hand_in(database, task_id, "2022-01-05")
    act_of(database, review.accept, task_id, "2022-01-06", note="đạt")
    assert standing(database, task_id) == (TaskState.ACCEPTED, True)
    with database.reading() as session:
        assert [(each.verdict, each.reason) for each in session.exec(select(Review))] == [("accepted", "đạt")]
        assert len(session.exec(select(Notice).where(col(Notice.kind) == NoticeKind.ACCEPTED.value)).all()) == 1


def test_an_acceptance_is_undone_with_a_reason_and_the_version_waits_again(database: Database, task_id: int) -> None:
    hand_in(database, task_id, "2021-12-20")
    act_of(database, review.accept, task_id, "2021-12-21")
    assert refusal(act_of, database, review.reopen, task_id, "2021-12-22", reason="") == "refused.no_reason"
    act_of(database, review.reopen, task_id, "2021-12-22", reason="nhầm đơn vị")
    assert standing(database, task_id) == (TaskState.SUBMITTED, False)


# Extension and exemption


def test_two_units_extended_to_one_day_share_one_deadline_with_its_own_ladder(database: Database, task_id: int) -> None:
    other = id_of(database, "snv")
    for each, day in ((task_id, "2021-12-20"), (other, "2021-12-27")):
        act_of(database, extend.extend, each, day, due_on=date(2022, 1, 14), reason="bão lụt", document="3-QĐ/ĐUK")
    assert due_of(database, task_id) == (date(2022, 1, 14), Origin.EXTENSION, date(2022, 2, 13))
    with database.reading() as session:
        assert session.get_one(Task, task_id).deadline_id == session.get_one(Task, other).deadline_id
        moves = session.exec(select(Extension).order_by(col(Extension.id))).all()
        assert {(move.from_on, move.to_on, move.document) for move in moves} == {
            (date(2021, 12, 31), date(2022, 1, 14), "3-QĐ/ĐUK")
        }
        told = session.exec(select(Notice).where(col(Notice.kind) == NoticeKind.EXTENSION_DECIDED.value)).all()
        assert [notice.due_on for notice in told] == [date(2022, 1, 14)] * 2
    hand_in(database, task_id, "2022-01-14")
    assert standing(database, task_id) == (TaskState.SUBMITTED, False)


def test_an_extension_after_the_end_unlocks(database: Database, task_id: int) -> None:
    step_round(database, at("2022-01-31"))
    act_of(database, extend.extend, task_id, "2022-02-10", due_on=date(2022, 2, 20), reason="bão", document=None)
    assert standing(database, task_id) == (TaskState.OPEN, None)
    hand_in(database, task_id, "2022-02-20")
    assert standing(database, task_id) == (TaskState.SUBMITTED, False)


def test_an_extension_goes_forward_and_has_a_reason(database: Database, task_id: int) -> None:
    for due_on in (date(2021, 12, 31), date(2021, 12, 20)):
        given: dict[str, Any] = {"due_on": due_on, "reason": "bão", "document": None}
        assert refusal(act_of, database, extend.extend, task_id, "2021-12-05", **given) == "refused.not_later"
    given = {"due_on": date(2022, 1, 9), "reason": " ", "document": None}
    assert refusal(act_of, database, extend.extend, task_id, "2021-12-05", **given) == "refused.no_reason"
    given = {"due_on": date(2022, 1, 9), "reason": "bão", "document": None}
    assert refusal(act_of, database, extend.extend, task_id, "2022-01-10", **given) == "refused.not_later"


def test_a_moved_task_has_the_grace_of_its_own_variant_and_period(database: Database) -> None:
    far = "{who: {units: [stt]}, grace: 5 days, except: {2021: {due: {end_of: M12}, why: II.8.3}}, why: II.8.4}"
    plan = YEARLY.replace("II.8.3}}\n", "II.8.3, grace: 12 days}}\n")
    plan = plan.replace("    fields:\n", f"    variants:\n      far: {far}\n    fields:\n")
    province(database, plan)
    step_round(database, at("2021-12-01"))
    for unit, grace in (("stc", date(2022, 1, 22)), ("stt", date(2022, 1, 15))):
        task_id = id_of(database, unit)
        act_of(database, extend.extend, task_id, "2021-12-20", due_on=date(2022, 1, 10), reason="bão", document=None)
        assert due_of(database, task_id)[2] == grace, unit


def test_an_exempted_unit_owes_nothing_and_may_owe_again(database: Database, task_id: int) -> None:
    given: dict[str, Any] = {"reason": "mới thành lập", "document": "7-QĐ/ĐUK"}
    act_of(database, extend.exempt, task_id, "2021-12-15", **given)
    assert standing(database, task_id) == (TaskState.EXEMPTED, None)
    with database.reading() as session:
        assert [each.document for each in session.exec(select(Exemption))] == ["7-QĐ/ĐUK"]
    act_of(database, review.reopen, task_id, "2021-12-16", reason="nhầm đơn vị")
    assert standing(database, task_id) == (TaskState.OPEN, None)


def test_who_owes_again_after_the_end_has_missed_it_and_can_be_unlocked(database: Database, task_id: int) -> None:
    act_of(database, extend.exempt, task_id, "2021-12-15", reason="mới thành lập", document=None)
    step_round(database, at("2022-01-31"))
    act_of(database, review.reopen, task_id, "2022-02-16", reason="nhầm đơn vị")
    assert standing(database, task_id) == (TaskState.MISSED, None)
    act_of(database, extend.extend, task_id, "2022-02-17", due_on=date(2022, 2, 28), reason="x", document=None)
    assert standing(database, task_id) == (TaskState.OPEN, None)


def send_back(database: Database, task_id: int, day: str, *, due_on: date | None, **given: Any) -> None:
    act_of(database, review.send_back, task_id, day, due_on=due_on, **({"reason": "thiếu số liệu"} | given))


def refusal(act: Any, *args: Any, **given: Any) -> str:
    with pytest.raises((RefusedError, IllegalActError)) as refused:
        act(*args, **given)
    assert isinstance(refused.value, RefusedError)
    return refused.value.reason.code


def standing(database: Database, task_id: int) -> tuple[str, bool | None]:
    with database.reading() as session:
        task = session.get_one(Task, task_id)
        return task.state, task.is_late


def due_of(database: Database, task_id: int) -> tuple[date, str, date | None]:
    with database.reading() as session:
        deadline = session.get_one(Deadline, session.get_one(Task, task_id).deadline_id)
        return deadline.due_on, deadline.origin, deadline.grace_until

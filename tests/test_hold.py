"""When does a notice wait, why, and until when? Nothing is lost by it."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from dondoc.clock import today
from models.notice import NoticeKind
from models.task import TaskState
from notifications import hold, pipeline
from notifications.hold import Hold
from notifications.item import Office
from notifications.pace import Pace
from notifications.waiting import ASKING, Above, Sent, Waiting
from tests.builders import ZONE, at, vn_state
from tests.notices import DUE, OFFICE, person, waiting

PACED = replace(OFFICE, pace=Pace())
STEP, ENTRY = "step:1", "entry:1"
MONDAY = at("2025-09-29", "08:00")
TUESDAY = at("2025-09-23", "08:00")


def office(now: datetime, pace: Pace | None = None) -> Office:
    return replace(OFFICE, now=now, pace=pace or Pace())


def due(day: date, **notice: Any) -> Waiting:
    each = waiting(due_on=day, **notice)
    each.deadline.due_on = day
    return each


@pytest.mark.parametrize(
    ("now", "free"),
    [
        (at("2025-09-23", "07:29"), at("2025-09-23", "07:30")),
        (at("2025-09-23", "07:30"), at("2025-09-23", "07:30")),
        (at("2025-09-23", "17:59"), at("2025-09-23", "17:59")),
        (at("2025-09-23", "18:00"), at("2025-09-24", "07:30")),
        (at("2025-09-26", "23:59"), at("2025-09-29", "07:30")),  # Friday night
        (at("2025-08-30", "10:00"), at("2025-09-03", "07:30")),  # National Day, 1 and 2 September
        (at("2025-04-26", "10:00"), at("2025-04-26", "10:00")),  # a Saturday worked for 2 May
    ],
)
def test_what_somebody_did_is_told_in_decent_hours_of_working_days(now: datetime, free: datetime) -> None:
    held = hold.by_hours(waiting(kind=NoticeKind.RECEIPT, cause=ENTRY), office(now))
    assert (held.until if held else now) == free
    assert held is None or held.why == hold.QUIET


def test_what_the_calendar_says_waits_for_the_hour_of_the_digest() -> None:
    early = at("2025-09-23", "07:45")
    assert hold.by_hours(waiting(cause=STEP), office(early)) == Hold(hold.QUIET, at("2025-09-23", "08:00"))
    assert hold.by_hours(waiting(cause=ENTRY), office(early)) is None
    assert hold.by_hours(waiting(cause=STEP), office(at("2025-09-26", "19:00"))) == Hold(hold.QUIET, MONDAY)


def test_an_office_without_quiet_hours_has_no_days_off_either() -> None:
    none = Pace(hours=None)
    assert hold.by_hours(waiting(cause=ENTRY), office(at("2025-09-27", "03:00"), none)) is None
    assert none.next_day(at("2025-09-26", "20:00"), vn_state(), ZONE, "08:00") == at("2025-09-27", "08:00")


@pytest.mark.parametrize(
    ("day", "kind", "rung", "now", "is_urgent"),
    [
        (DUE, NoticeKind.REMINDER, "unit.contact", TUESDAY, False),
        (DUE, NoticeKind.DUE_TODAY, "unit.contact", at("2025-09-30", "21:00"), True),
        (DUE, NoticeKind.DUE_TODAY, "superior.secretariat", at("2025-09-30", "21:00"), False),
        (date(2025, 9, 28), NoticeKind.REMINDER, "unit.contact", at("2025-09-26", "20:00"), True),  # due on Sunday
        (date(2025, 9, 29), NoticeKind.REMINDER, "unit.contact", at("2025-09-26", "20:00"), False),
        (DUE, NoticeKind.OVERDUE, "unit.contact", at("2025-10-01", "21:00"), False),
        (DUE, NoticeKind.RETURNED, "unit.contact", at("2025-09-26", "20:00"), True),  # two working days are left
        (DUE, NoticeKind.RETURNED, "unit.contact", at("2025-09-25", "20:00"), False),
        (DUE, NoticeKind.RETURNED, "unit.contact", at("2025-10-01", "20:00"), False),
        (DUE, NoticeKind.RECEIPT, "unit.contact", at("2025-09-30", "21:00"), False),
    ],
)
def test_urgent_is_what_would_come_too_late(
    day: date, kind: NoticeKind, rung: str, now: datetime, is_urgent: bool
) -> None:
    each = due(day, kind=kind, rung=rung)
    assert hold.is_urgent(each, office(now)) is is_urgent
    assert (hold.by_hours(each, office(now)) is None) is (is_urgent or now == TUESDAY)


def test_where_hours_count_everything_that_asks_is_urgent() -> None:
    each = due(date(2025, 9, 24), kind=NoticeKind.OPENED)
    each.deadline.due_at = at("2025-09-24", "03:00")
    for now in (at("2025-09-23", "23:00"), at("2025-09-24", "04:00")):
        assert hold.by_hours(each, office(now)) is None
        assert hold.by_hours(replace(each, notice=waiting(kind=NoticeKind.RECEIPT).notice), office(now)) is not None


def test_a_second_digest_waits_for_the_next_working_day() -> None:
    now = at("2025-09-26", "14:00")
    had = (Sent(at("2025-09-26", "08:00"), is_digest=True),)
    assert hold.by_digest(replace(waiting(cause=STEP), sent=had), office(now)) == Hold(hold.DIGEST, MONDAY)
    assert hold.by_digest(replace(waiting(cause=ENTRY), sent=had), office(now)) is None
    assert (
        hold.by_digest(replace(due(date(2025, 9, 26), cause=STEP), sent=had), office(now)) is None
    )  # today is the day
    for other in (Sent(at("2025-09-26", "08:00"), is_digest=False), Sent(at("2025-09-25", "23:59"), is_digest=True)):
        assert hold.by_digest(replace(waiting(cause=STEP), sent=(other,)), office(now)) is None


def test_the_budget_of_a_day_and_of_seven_days_holds_what_is_over() -> None:
    now, few = at("2025-09-23", "14:00"), Pace(a_day=2, a_week=4)
    tomorrow = at("2025-09-24", "08:00")

    def held(*sent: str) -> Hold | None:
        each = replace(waiting(cause=ENTRY), sent=tuple(Sent(at(day, "09:00"), is_digest=False) for day in sent))
        return hold.by_budget([each], office(now, few))

    assert held("2025-09-23", "2025-09-22") is None
    assert held("2025-09-23", "2025-09-23") == Hold(hold.DAY, tomorrow)
    assert held("2025-09-22", "2025-09-20", "2025-09-18", "2025-09-17") == Hold(hold.WEEK, tomorrow)
    assert held("2025-09-22", "2025-09-20", "2025-09-18", "2025-09-16") is None  # seven days ago


def test_what_is_urgent_is_over_no_budget() -> None:
    sent = tuple(Sent(at("2025-09-30", "09:00"), is_digest=True) for _ in range(20))
    urgent = replace(due(DUE, cause=STEP), sent=sent)
    other = replace(waiting(2, urgent.contact, cause=ENTRY, kind=NoticeKind.RECEIPT), sent=sent)
    now = office(at("2025-09-30", "14:00"))
    assert hold.by_budget([other], now) is not None
    assert hold.by_budget([other, urgent], now) is None


def test_a_paused_cycle_asks_for_nothing_and_still_tells_what_was_decided() -> None:
    each = waiting(cause=STEP)
    each.cycle.paused_at = TUESDAY
    told = replace(each, notice=waiting(kind=NoticeKind.ACCEPTED, cause=ENTRY).notice)
    for pace in (Pace(), None):
        held = hold.by_above(each, replace(OFFICE, pace=pace))
        assert held is not None
        assert (held.why, held.until > OFFICE.now) == (hold.PAUSED, True)
        assert hold.by_above(told, replace(OFFICE, pace=pace)) is None


CLIMBING: dict[str, Any] = {"cause": STEP, "kind": NoticeKind.ESCALATION, "rung": "superior.secretariat"}


def test_an_escalation_waits_while_somebody_has_said_that_it_is_known() -> None:
    each = replace(waiting(**CLIMBING), known_until=date(2025, 9, 23))
    assert hold.by_above(each, PACED) == Hold(hold.ACKNOWLEDGED, at("2025-09-24", "08:00"))
    assert hold.by_above(each, office(at("2025-09-24", "08:00"))) is None


def test_a_superior_whose_report_waits_for_review_is_not_told_of_those_below() -> None:
    each = replace(waiting(**CLIMBING), above=Above(is_under_review=True))
    assert hold.by_above(each, PACED) == Hold(hold.REVIEW_ABOVE, at("2025-09-24", "08:00"))
    assert hold.by_above(waiting(**CLIMBING), PACED) is None


@pytest.mark.parametrize("above", [Above(is_under_review=True), Above(more=timedelta(days=6))])
def test_whatever_is_above_it_the_unit_itself_is_asked(above: Above) -> None:
    for kind in ASKING:
        for rung in ("unit.contact", "unit.head"):
            each = replace(waiting(cause=STEP, kind=kind, rung=rung), above=above)
            assert hold.by_above(each, PACED) is None


@pytest.mark.parametrize("above", [Above(is_under_review=True), Above(more=timedelta(days=60))])
def test_nobody_waits_for_what_is_above_until_it_is_too_late(above: Above) -> None:
    each = replace(waiting(**CLIMBING), above=replace(above, ends_at=at("2025-09-29", "08:00")))
    assert hold.by_above(each, office(at("2025-09-25", "08:00"))) is not None
    assert hold.by_above(each, office(at("2025-09-26", "08:00"))) is None  # a Friday


def test_an_escalation_comes_as_much_later_as_the_superior_may_be() -> None:
    each = replace(waiting(**CLIMBING), above=Above(more=timedelta(days=6)))
    made = today(each.notice.created_at, ZONE)
    for day in range(6):
        now = at((made + timedelta(days=day)).isoformat())
        held = hold.by_above(each, office(now))
        assert held is not None
        assert held.why == hold.EXTENDED_ABOVE
        assert held.until <= each.notice.created_at + timedelta(days=6)
    assert hold.by_above(each, office(each.notice.created_at + timedelta(days=6))) is None


def test_every_notice_is_told_held_or_dropped_and_each_but_the_told_has_a_reason() -> None:
    boss = person(7)
    night = office(at("2025-09-23", "22:00"))
    notices = [
        waiting(1, boss, cause=STEP),
        waiting(2, boss, cause=ENTRY, kind=NoticeKind.RECEIPT),
        waiting(3, boss, cause=STEP, state=TaskState.ACCEPTED),
        due(date(2025, 9, 23), cause=STEP),
        waiting(5, person(5, email=None)),
    ]
    notices[3] = replace(waiting(4, boss, cause=STEP, due_on=date(2025, 9, 23)), deadline=notices[3].deadline)
    batch = pipeline.run(notices, night)
    (bundle,) = batch.bundles
    assert [each.notice.id for each in bundle.waiting] == [4]
    assert bundle.is_urgent
    assert {each.notice_id: each.hold.why for each in batch.held} == {1: hold.QUIET, 2: hold.QUIET}
    assert {each.notice_id: each.why for each in batch.dropped} == {3: "moot.accepted", 5: "unreachable"}


def test_of_two_reminders_of_one_task_the_graver_has_the_words() -> None:
    first, later = waiting(1), waiting(1, cause="step:2", kind=NoticeKind.OVERDUE)
    later.notice.id = 2
    batch = pipeline.run([first, later], OFFICE)
    assert [each.notice.id for each in batch.bundles[0].waiting] == [1, 2]
    assert [(each.notice_id, each.why) for each in batch.merged] == [(1, "merged.graver")]

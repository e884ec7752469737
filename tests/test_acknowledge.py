"""Does "đã biết" hold the climbing of one task until its day, and does it go on afterwards as if it had fired then?"""

from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import col, select

from dondoc.clock import moment
from dondoc.database import Database
from engine import extend
from engine.acknowledge import FARTHEST, MAX_NOTE, acknowledge
from engine.climb import Span, spans, when_told
from engine.errors import RefusedError
from engine.fire import Fired
from engine.pause import pause, resume
from engine.revise import apply_calendar
from engine.submit import withdraw
from models.acknowledgement import Acknowledgement, holding_on
from models.contact import Contact
from models.cycle import Cycle
from models.entry import Entry, breaks
from models.notice import Notice, NoticeKind
from models.step import Step, StepKind, StepState
from models.task import Task
from schedules.calendars import Day
from schedules.plan import Text
from tests.builders import (
    YEARLY,
    ZONE,
    act_of,
    assert_counts_add_up,
    at,
    everything,
    hand_in,
    id_of,
    province,
    step_round,
    vn_state,
)

#: The rungs of the report for 2021, due on Friday 31 December: the head, the secretariat above, the standing committee.
RUNGS = ("2022-01-04", "2022-01-06", "2022-01-17")
WORDS: dict[str, Any] = {"note": "Đơn vị chờ số liệu kiểm kê, đã thống nhất."}


@pytest.fixture
def task_id(database: Database) -> int:
    """The finance cell's report for 2021, which nobody hands in; without an end."""
    province(database, YEARLY.replace("  grace: 30 days\n", ""))
    step_round(database, at("2021-12-01"))
    step_round(database, at("2021-12-31"))
    return id_of(database, "stc")


def say(database: Database, task_id: int, day: str, until: str, hour: str = "09:00", **given: Any) -> Acknowledgement:
    return act_of(
        database, acknowledge, task_id, day, hour, until=date.fromisoformat(until), **WORDS | given
    )  # fmt: skip


def live(database: Database, first: str, last: str) -> None:
    """A round every morning."""
    on = date.fromisoformat(first)
    while on <= date.fromisoformat(last):
        step_round(database, at(on.isoformat()))
        on += timedelta(days=1)


def rungs(database: Database, task_id: int) -> dict[str, str]:
    """What was told of the task on which day, by the role of who was told."""
    query = (
        select(Notice.created_at, Contact.role)
        .join(Contact, col(Contact.id) == col(Notice.contact_id))
        .where(col(Notice.task_id) == task_id, col(Notice.kind) == NoticeKind.ESCALATION.value)
    )
    with database.reading() as session:
        return {
            f"{created_at + timedelta(hours=7):%Y-%m-%d}": role
            for created_at, role in session.exec(query.order_by(col(Notice.id)))
        }


def steps(database: Database, kind: StepKind, unit: str = "stc") -> list[Step]:
    with database.reading() as session:
        deadline = session.get_one(Task, id_of(database, unit)).deadline_id
        query = select(Step).where(col(Step.deadline_id) == deadline, col(Step.kind) == kind.value)
        return list(session.exec(query.order_by(col(Step.ordinal))))


# The act


def test_what_was_said_is_kept_and_the_journal_has_the_day_alone(database: Database, task_id: int) -> None:
    said = say(database, task_id, "2022-01-03", "2022-01-10", note=" Đã biết, đang xử lý. ", by="user:3")
    with database.reading() as session:
        kept = session.get_one(Acknowledgement, said.id)
        assert (kept.task_id, kept.until, kept.note, kept.by, kept.at) == (
            task_id, date(2022, 1, 10), "Đã biết, đang xử lý.", "user:3", at("2022-01-03", "09:00"),
        )  # fmt: skip
        entry = session.exec(select(Entry).where(col(Entry.task_id) == task_id)).one()
        assert (entry.act, entry.by, entry.data) == (
            "acknowledged", "user:3", {"until": "2022-01-10", "acknowledgement": said.id},
        )  # fmt: skip
        assert list(breaks(session)) == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"until": date(2022, 1, 2)}, "refused.acknowledged_until"),
        ({"until": date(2022, 1, 3) + FARTHEST + timedelta(days=1)}, "refused.acknowledged_until"),
        ({"note": " "}, "refused.no_words"),
        ({"note": "x" * (MAX_NOTE + 1)}, "refused.too_many_words"),
    ],
)
def test_without_words_or_beyond_thirty_days_it_is_refused(
    database: Database, task_id: int, changes: dict[str, Any], code: str
) -> None:
    given = {"until": date(2022, 1, 10), **WORDS} | changes
    with database.reading() as session:
        before = everything(session)
    with pytest.raises(RefusedError) as refused:
        act_of(database, acknowledge, task_id, "2022-01-03", **given)
    assert refused.value.reason.code == code
    with database.reading() as session:
        assert everything(session) == before


@pytest.mark.parametrize("until", [date(2022, 1, 3), date(2022, 1, 3) + FARTHEST])
def test_today_and_the_thirtieth_day_are_taken(database: Database, task_id: int, until: date) -> None:
    act_of(database, acknowledge, task_id, "2022-01-03", until=until, **WORDS)


def test_of_what_is_owed_no_more_nobody_says_it(database: Database, task_id: int) -> None:
    hand_in(database, task_id, "2022-01-03")
    with pytest.raises(RefusedError) as refused:
        say(database, task_id, "2022-01-03", "2022-01-10")
    assert refused.value.reason.code == "refused.not_owed"
    with pytest.raises(RefusedError) as refused:
        say(database, 999, "2022-01-03", "2022-01-10")
    assert refused.value.reason.code == "refused.no_task"


def test_the_newest_is_the_one_that_counts(database: Database, task_id: int) -> None:
    say(database, task_id, "2022-01-03", "2022-01-20")
    second = say(database, task_id, "2022-01-04", "2022-01-05")
    with database.reading() as session:
        assert [each.id for each in session.scalars(holding_on(date(2022, 1, 5), [task_id]))] == [second.id]
        assert session.scalars(holding_on(date(2022, 1, 6), [task_id])).all() == []
        assert session.scalars(holding_on(date(2022, 1, 5), [task_id + 1])).all() == []


# What it holds


def test_no_rung_is_told_until_its_day_and_afterwards_each_keeps_its_distance(database: Database, task_id: int) -> None:
    say(database, task_id, "2022-01-03", "2022-01-07")  # Friday
    live(database, "2022-01-04", "2022-02-28")
    # The secretariat two working days after the head, the standing committee seven after that, as they were planned.
    assert rungs(database, task_id) == {"2022-01-10": "head", "2022-01-12": "secretariat", "2022-01-21": "standing"}
    assert set(rungs(database, id_of(database, "snv"))) == set(RUNGS)  # the others climb as ever
    assert_counts_add_up(database)
    assert [step.counts and step.counts["held"] for step in steps(database, StepKind.ESCALATE)] == [1, 1, 1]
    assert [(str(step.on), step.rung, step.counts) for step in steps(database, StepKind.RESUME)] == [
        ("2022-01-10", "unit.head", {"told": 1, "unreachable": 0, "moved": 0, "unheld": 5}),
        ("2022-01-12", "superior.secretariat", {"told": 1, "unreachable": 0, "moved": 0, "unheld": 5}),
        ("2022-01-21", "issuer.standing", {"told": 1, "unreachable": 0, "moved": 0, "unheld": 5}),
    ]


def test_what_was_told_before_stays_told_and_is_not_told_again(database: Database, task_id: int) -> None:
    live(database, "2022-01-04", "2022-01-04")
    say(database, task_id, "2022-01-05", "2022-01-07")
    live(database, "2022-01-05", "2022-02-28")
    assert rungs(database, task_id) == {"2022-01-04": "head", "2022-01-10": "secretariat", "2022-01-19": "standing"}


def test_a_hold_between_two_rungs_changes_nothing(database: Database, task_id: int) -> None:
    say(database, task_id, "2022-01-06", "2022-01-12")
    live(database, "2022-01-04", "2022-02-28")
    assert tuple(rungs(database, task_id)) == RUNGS
    assert steps(database, StepKind.RESUME) == []


def test_it_can_be_prolonged_and_cut_short(database: Database, task_id: int) -> None:
    say(database, task_id, "2022-01-03", "2022-01-07")
    live(database, "2022-01-04", "2022-01-07")
    say(database, task_id, "2022-01-07", "2022-01-14")
    live(database, "2022-01-08", "2022-01-12")
    assert rungs(database, task_id) == {}
    say(database, task_id, "2022-01-12", "2022-01-12")
    live(database, "2022-01-13", "2022-02-28")
    assert rungs(database, task_id) == {"2022-01-13": "head", "2022-01-17": "secretariat", "2022-01-26": "standing"}
    assert_counts_add_up(database)
    resumed = steps(database, StepKind.RESUME)  # nothing is left of the day that was drawn out
    assert [str(step.on) for step in resumed] == ["2022-01-13", "2022-01-17", "2022-01-26"]


def test_what_is_handed_in_meanwhile_is_not_told(database: Database, task_id: int) -> None:
    say(database, task_id, "2022-01-03", "2022-01-07")
    live(database, "2022-01-04", "2022-01-07")
    hand_in(database, task_id, "2022-01-07")
    live(database, "2022-01-08", "2022-01-12")
    assert rungs(database, task_id) == {}
    act_of(database, withdraw, task_id, "2022-01-12", reason="Nhầm tệp")
    live(database, "2022-01-13", "2022-02-28")
    # As for everybody: what fired while a version waited is past; what comes keeps its distance.
    assert rungs(database, task_id) == {"2022-01-21": "standing"}
    assert_counts_add_up(database)


def test_an_extension_starts_another_ladder_which_it_holds_too(database: Database, task_id: int) -> None:
    say(database, task_id, "2022-01-03", "2022-01-28")
    given: dict[str, Any] = {"due_on": date(2022, 1, 14), "reason": "Bão số 9", "document": None}
    act_of(database, extend.extend, task_id, "2022-01-04", **given)
    live(database, "2022-01-05", "2022-02-28")
    # Over Tết, 31 January to 4 February.
    assert rungs(database, task_id) == {"2022-02-07": "head", "2022-02-09": "secretariat", "2022-02-18": "standing"}
    assert_counts_add_up(database)


def test_several_units_go_on_in_one_step_each_with_its_own_rungs(database: Database, task_id: int) -> None:
    other = id_of(database, "snv")
    say(database, task_id, "2022-01-03", "2022-01-10")
    live(database, "2022-01-04", "2022-01-04")
    say(database, other, "2022-01-05", "2022-01-10")
    live(database, "2022-01-05", "2022-01-11")
    assert rungs(database, task_id) == {"2022-01-11": "head"}
    assert rungs(database, other) == {"2022-01-04": "head", "2022-01-11": "secretariat"}
    (step,) = [step for step in steps(database, StepKind.RESUME) if step.state == StepState.FIRED]
    assert step.counts is not None
    assert (step.counts["told"], step.counts["unheld"]) == (2, 4)
    assert_counts_add_up(database)


def test_a_unit_that_nobody_can_reach_is_counted_so_when_it_goes_on(database: Database, task_id: int) -> None:
    silent = id_of(database, "cam")
    say(database, silent, "2022-01-03", "2022-01-07")
    live(database, "2022-01-04", "2022-01-12")
    told = {step.rung: step.counts for step in steps(database, StepKind.RESUME) if step.counts}
    assert {rung: counts["unreachable"] for rung, counts in told.items()} == {
        "unit.head": 1, "superior.secretariat": 0,
    }  # fmt: skip
    assert rungs(database, silent) == {"2022-01-12": "secretariat"}
    assert_counts_add_up(database)


def test_a_round_repeated_tells_nothing_twice(database: Database, task_id: int) -> None:
    say(database, task_id, "2022-01-03", "2022-01-07")
    live(database, "2022-01-04", "2022-01-09")
    assert step_round(database, at("2022-01-10"))[1] == Fired(steps=1, notices=1)
    assert step_round(database, at("2022-01-10"))[1] == Fired()


# After an outage, a pause, a new calendar


def test_after_an_outage_it_goes_on_with_the_distance_from_that_day(database: Database, task_id: int) -> None:
    say(database, task_id, "2022-01-03", "2022-01-07")
    live(database, "2022-01-04", "2022-01-07")
    live(database, "2022-01-12", "2022-02-28")
    assert rungs(database, task_id) == {"2022-01-12": "head", "2022-01-14": "secretariat", "2022-01-25": "standing"}


def test_an_outage_over_the_whole_hold_fires_the_rungs_late_and_holds_none(database: Database, task_id: int) -> None:
    say(database, task_id, "2022-01-03", "2022-01-07")
    live(database, "2022-01-20", "2022-02-28")
    assert list(rungs(database, task_id)) == list(rungs(database, id_of(database, "snv")))
    assert steps(database, StepKind.RESUME) == []


def test_a_paused_cycle_goes_on_when_it_is_resumed(database: Database, task_id: int) -> None:
    def of_cycle(verb: Any, day: str) -> None:
        with database.writing() as session:
            cycle = session.exec(select(Cycle.id)).one()
            verb(session, cycle, by="office", note="Kiểm tra", now=at(day, "10:00"))

    say(database, task_id, "2022-01-03", "2022-01-07")
    live(database, "2022-01-04", "2022-01-07")
    of_cycle(pause, "2022-01-07")
    live(database, "2022-01-08", "2022-01-13")
    assert rungs(database, task_id) == {}
    of_cycle(resume, "2022-01-13")
    live(database, "2022-01-14", "2022-02-28")
    assert rungs(database, task_id) == {"2022-01-14": "head", "2022-01-18": "secretariat", "2022-01-27": "standing"}


def test_a_calendar_that_changes_meanwhile_loses_no_rung(database: Database, task_id: int) -> None:
    say(database, task_id, "2022-01-03", "2022-01-07")
    live(database, "2022-01-04", "2022-01-07")
    off = Day(date(2022, 1, 10), True, Text("Nghỉ bão", "Storm"), "Thông báo mẫu")
    calendar = replace(vn_state(), days={**vn_state().days, off.on: off})
    with database.writing() as session:
        apply_calendar(session, calendar, by="office", now=at("2022-01-07", "12:00"))
    live(database, "2022-01-08", "2022-02-28")
    assert set(rungs(database, task_id).values()) == {"head", "secretariat", "standing"}
    assert len(rungs(database, task_id)) == 3


# The reckoning alone

DAYS = st.integers(0, 60).map(lambda count: date(2022, 1, 3) + timedelta(days=count))


@given(
    st.lists(DAYS, min_size=1, max_size=4, unique=True).map(sorted),
    st.lists(st.tuples(DAYS, st.integers(0, 30)), max_size=4),
)
def test_no_rung_falls_into_a_hold_and_they_stay_in_order_and_apart(
    fired: list[date], said: list[tuple[date, int]]
) -> None:
    calendar = vn_state()
    ladder = [
        Step(id=n, deadline_id=1, kind="escalate", ordinal=n, rung="unit.head", on=on, at=of(on), fired_at=of(on))
        for n, on in enumerate(fired)
    ]
    known = [
        Acknowledgement(task_id=1, until=on + timedelta(days=days), note="", by="office", at=of(on, "09:00"))
        for on, days in sorted(said)
    ]
    held = spans(known, calendar, "08:00", ZONE)
    found = when_told(ladder, held, {}, calendar, "08:00", ZONE, of(date(2023, 1, 1)))
    for rung in found:
        assert not any(span.start <= rung.at < span.end for span in held)
        assert rung.at >= of(rung.step.on)
        assert rung.is_held == (rung.at != of(rung.step.on))
    for before, rung in pairwise(found):
        assert rung.at > before.at
        if before.is_held:
            assert calendar.working_days(day(before.at), day(rung.at)) >= calendar.working_days(
                before.step.on, rung.step.on
            )


def test_a_newer_word_ends_the_older_one() -> None:
    known = [
        Acknowledgement(task_id=1, until=date(2022, 1, 20), note="", by="office", at=at("2022-01-03")),
        Acknowledgement(task_id=1, until=date(2022, 1, 7), note="", by="office", at=at("2022-01-06")),
    ]
    assert spans(known, vn_state(), "08:00", ZONE) == [
        Span(at("2022-01-03"), at("2022-01-06")),
        Span(at("2022-01-06"), at("2022-01-10")),
    ]


def of(on: date, hour: str = "08:00") -> datetime:
    return moment(on, hour, ZONE)


def day(when: datetime) -> date:
    return (when + timedelta(hours=7)).date()

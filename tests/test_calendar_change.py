"""Does a day off move what was shown, both ways? And what one person proposed, does a second one decide?"""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlmodel import col, select

from dondoc.database import Database
from engine import proposals
from engine.calendar_change import (
    CalendarPreview,
    apply_calendar_change,
    preview_calendar,
    restore_calendar,
    version_of,
)
from engine.errors import RefusedError
from engine.open import open_due
from engine.plans import active_revision, stuck
from engine.preview import preview
from engine.revise import apply_calendar, apply_plan
from models.cycle import Cycle, CycleState
from models.day import CalendarVersion, calendar_of
from models.deadline import Deadline
from models.notice import NoticeKind
from models.plan import Revision
from models.proposal import Policy, Proposal, ProposalKind, ProposalState
from models.task import Task
from schedules import load
from schedules.calendars import Calendar, Day
from schedules.diff import Way
from schedules.plan import Text
from schedules.written import as_file
from tests.builders import YEARLY, ZONE, at, province, step_round, vn_state
from tests.test_milestones import CHAIN
from tests.test_revise import LATER, due_days, send, told_of
from tests.test_revise import applied as text_applied

ROLLING = YEARLY.replace("roll: none", "roll: next")
NEW_YEARS_EVE = Day(date(2021, 12, 31), True, Text("Nghỉ", "Off"), "Công văn 12")
WITH_EVE = replace(vn_state(), days={**vn_state().days, NEW_YEARS_EVE.on: NEW_YEARS_EVE})
NOW = at("2021-12-05")


@pytest.fixture
def opened(database: Database) -> Database:
    """The yearly report of 2021, rolled to working days, is open and was told; due on 31/12/2021."""
    province(database, ROLLING)
    step_round(database, at("2021-12-01", "09:00"))
    send(database)
    return database


def seen_of(database: Database, calendar: Calendar) -> CalendarPreview:
    with database.reading() as session:
        return preview_calendar(session, calendar, now=NOW, zone=ZONE)


def applied(database: Database, calendar: Calendar, policy: Policy) -> CalendarPreview:
    seen = seen_of(database, calendar)
    with database.writing() as session:
        apply_calendar_change(
            session, calendar, diff_hash=seen.diff_hash, policy=policy, by="user:1", reason="Công văn", now=NOW,
            zone=ZONE,
        )  # fmt: skip
    return seen


def code_of(database: Database, act: Any, *given: Any, **more: Any) -> str:
    with pytest.raises(RefusedError) as refused, database.writing() as session:
        act(session, *given, **more)
    return refused.value.reason.code


def test_a_day_off_shows_what_moves_and_moves_it(opened: Database) -> None:
    seen = applied(opened, WITH_EVE, Policy.TELL)
    assert seen.added == (NEW_YEARS_EVE,)
    assert seen.dropped == ()
    (moved,) = [each for each in seen.changes if each.change.way is Way.MOVED]
    assert moved.change.before is not None
    assert moved.change.after is not None
    assert (moved.change.before.due_on, moved.change.after.due_on) == (date(2021, 12, 31), date(2022, 1, 4))
    assert (moved.plan, moved.units, moved.told) == ("kl01", 6, 5)
    assert set(due_days(opened).values()) == {date(2022, 1, 4)}
    assert len(told_of(opened, NoticeKind.DATE_MOVED)) == 5


def test_a_day_that_is_no_more_off_moves_back_and_is_told(opened: Database) -> None:
    applied(opened, WITH_EVE, Policy.TELL)
    send(opened)
    seen = applied(opened, vn_state(), Policy.MOVE)
    assert seen.dropped == (NEW_YEARS_EVE,)
    assert set(due_days(opened).values()) == {date(2021, 12, 31)}
    assert [on for _, on in told_of(opened, NoticeKind.DATE_MOVED)].count(date(2021, 12, 31)) == 5


def test_kept_cycles_keep_their_days_and_the_next_ones_follow(opened: Database) -> None:
    applied(opened, WITH_EVE, Policy.KEEP)
    assert set(due_days(opened).values()) == {date(2021, 12, 31)}
    with opened.reading() as session:
        assert not calendar_of(session, "vn-state").is_working(NEW_YEARS_EVE.on)


def test_a_reminder_in_working_days_moves_with_the_calendar(opened: Database) -> None:
    """The due day stays: 29 December is off, and three working days before is now the 27th."""
    off = replace(NEW_YEARS_EVE, on=date(2021, 12, 29))
    seen = applied(opened, replace(vn_state(), days={**vn_state().days, off.on: off}), Policy.MOVE)
    assert [each.change.way for each in seen.changes] == [Way.LADDER]
    assert set(due_days(opened).values()) == {date(2021, 12, 31)}


def test_every_version_is_kept_and_comes_back(opened: Database) -> None:
    applied(opened, WITH_EVE, Policy.MOVE)
    with opened.reading() as session:
        first = version_of(session, "vn-state", 1)
    assert first == vn_state()
    seen = seen_of(opened, first)
    with opened.writing() as session:
        restore_calendar(
            session, "vn-state", 1, diff_hash=seen.diff_hash, policy=Policy.MOVE, by="user:1", reason="Nhầm", now=NOW,
            zone=ZONE,
        )  # fmt: skip
    with opened.reading() as session:
        versions = session.exec(select(CalendarVersion).order_by(col(CalendarVersion.number))).all()
        assert [(each.number, each.reason) for each in versions] == [(1, None), (2, "Công văn"), (3, "Nhầm")]
        assert calendar_of(session, "vn-state") == vn_state()
    assert set(due_days(opened).values()) == {date(2021, 12, 31)}


def test_a_calendar_from_before_versions_is_its_own_first_one(opened: Database) -> None:
    with opened.writing() as session:
        for version in session.exec(select(CalendarVersion)):
            session.delete(version)
    applied(opened, WITH_EVE, Policy.KEEP)
    with opened.reading() as session:
        assert version_of(session, "vn-state", 1) == vn_state()
        assert session.get_one(CalendarVersion, ("vn-state", 1)).applied_at == at("2021-10-01")


def test_a_calendar_that_changed_meanwhile_is_refused(opened: Database) -> None:
    seen = seen_of(opened, WITH_EVE)
    off = replace(NEW_YEARS_EVE, on=date(2021, 12, 30))
    applied(opened, replace(vn_state(), days={**vn_state().days, off.on: off}), Policy.KEEP)
    given: dict[str, Any] = {"diff_hash": seen.diff_hash, "policy": Policy.KEEP, "by": "user:1", "reason": "x"}
    assert code_of(opened, apply_calendar_change, WITH_EVE, **given, now=NOW, zone=ZONE) == "refused.diff_changed"


def test_what_a_day_off_cancelled_is_owed_again_when_the_day_is_taken_out(database: Database) -> None:
    """The last working day of the year counts from the 31st on: with that day off nothing is due in 2021."""
    text = YEARLY.replace("2021: {due: {end_of: M12}", "2021: {due: {last_working_day_of: M12}")
    province(database, text.replace("    every: year\n", "    every: year\n    valid: {from: 2021-12-31}\n"))
    step_round(database, at("2021-12-01", "09:00"))
    send(database)
    gone = applied(database, WITH_EVE, Policy.TELL)
    assert [each.change.way for each in gone.changes] == [Way.DROPPED]
    assert states(database) == {"cancelled"}
    back = applied(database, vn_state(), Policy.TELL)
    assert [(each.change.way, each.units) for each in back.changes] == [(Way.ADDED, 6)]
    assert states(database) == {"open"}
    assert set(due_days(database).values()) == {date(2021, 12, 31)}
    with database.reading() as session:
        assert session.exec(select(Cycle.state)).one() == CycleState.OPEN


def states(database: Database) -> set[str]:
    with database.reading() as session:
        return set(session.exec(select(Task.state)))


def test_a_plan_that_an_unseen_calendar_made_impossible_is_mended_by_a_new_text(database: Database) -> None:
    text = CHAIN.replace("due: 3 working days before superior", "due: 3 days before superior, roll: next")
    province(database, text)
    off = replace(NEW_YEARS_EVE, on=date(2022, 12, 23))  # a Friday: the lowest level rolls onto the one above
    with database.writing() as session:
        apply_calendar(
            session, replace(vn_state(), days={**vn_state().days, off.on: off}), by="office", now=at("2021-11-01")
        )
    with database.reading() as session:
        assert [code for code, _ in stuck(session, NOW.date())] == ["kl01"]
    text_applied(database, CHAIN)
    with database.reading() as session:
        assert stuck(session, NOW.date()) == []


@pytest.mark.parametrize("state", [CycleState.OPEN, CycleState.CLOSED])
def test_a_text_that_is_superseded_stops_no_calendar(database: Database, state: CycleState) -> None:
    """Its cycle keeps its days; the text in force has valid ones."""
    good = CHAIN.replace("2022..2022", "2022..2023")
    province(database, good.replace("due: 3 working days before superior", "due: 3 days before superior, roll: next"))
    step_round(database, at("2022-12-02"))
    now = at("2022-12-03")
    with database.writing() as session:
        apply_plan(session, good.encode(), "kl01.yaml", by="office", now=now, zone=ZONE)
        for cycle in session.exec(select(Cycle)):
            cycle.state = state
    before = due_days(database), states(database)
    off = replace(NEW_YEARS_EVE, on=date(2022, 12, 23))
    calendar = replace(vn_state(), days={**vn_state().days, off.on: off})
    with database.writing() as session:
        seen = preview_calendar(session, calendar, now=now, zone=ZONE)
        apply_calendar_change(
            session,
            calendar,
            diff_hash=seen.diff_hash,
            policy=Policy.TELL,
            by="office",
            reason="Công văn 12",
            now=now,
            zone=ZONE,
        )
    assert (due_days(database), states(database)) == before


def test_days_stop_being_provisional_when_their_year_is_decided(database: Database) -> None:
    province(database, ROLLING)
    undecided = replace(vn_state(), decided=vn_state().decided - {2021})
    with database.writing() as session:
        apply_calendar(session, undecided, by="office", now=at("2021-11-01"))
    with database.writing() as session:
        open_due(session, at("2021-12-01"), ZONE)
    with database.reading() as session:
        assert session.exec(select(Deadline.is_provisional)).one()
    applied(database, vn_state(), Policy.KEEP)
    with database.reading() as session:
        assert not session.exec(select(Deadline.is_provisional)).one()


def test_a_calendar_is_written_as_it_is_read() -> None:
    calendar, problems = load.parse_calendar(as_file(vn_state()).encode(), "vn-state.yaml")
    assert (calendar, problems) == (vn_state(), [])
    empty = Calendar("none", Text('A "quoted": title', "x"), {}, frozenset())
    assert load.parse_calendar(as_file(empty).encode(), "none.yaml") == (empty, [])


def proposed(database: Database, kind: ProposalKind = ProposalKind.PLAN) -> tuple[int, str]:
    """What user:1 proposes, and the hash of its effect."""
    text = LATER.encode() if kind is ProposalKind.PLAN else as_file(WITH_EVE).encode()
    with database.writing() as session:
        _, holds = proposals.effect_now(session, kind, text, "x.yaml", now=NOW, zone=ZONE)
        proposal = proposals.propose(
            session, kind, text, "x.yaml", diff_hash=holds, policy=Policy.TELL, by="user:1", reason="Công văn",
            now=NOW, zone=ZONE,
        )  # fmt: skip
        return proposal.id, holds


def test_a_proposal_changes_nothing_until_a_second_person_agrees(opened: Database) -> None:
    id_, holds = proposed(opened)
    assert set(due_days(opened).values()) == {date(2021, 12, 31)}
    assert code_of(opened, proposals.agree, id_, diff_hash=holds, by="user:1", now=NOW, zone=ZONE) == (
        "refused.own_proposal"
    )
    with opened.writing() as session:
        assert [each.id for each in proposals.waiting(session)] == [id_]
        proposals.agree(session, id_, diff_hash=holds, by="user:2", now=NOW, zone=ZONE)
    assert set(due_days(opened).values()) == {date(2022, 1, 14)}
    with opened.reading() as session:
        revision = active_revision(session, "kl01")
        assert revision is not None
        assert (revision.by, revision.agreed_by) == ("user:1", "user:2")
        assert session.get_one(Proposal, id_).state == ProposalState.APPLIED
    assert code_of(opened, proposals.agree, id_, diff_hash=holds, by="user:2", now=NOW, zone=ZONE) == (
        "refused.proposal_decided"
    )


def test_a_proposed_calendar_is_agreed_to_as_well(opened: Database) -> None:
    id_, holds = proposed(opened, ProposalKind.CALENDAR)
    with opened.writing() as session:
        proposals.agree(session, id_, diff_hash=holds, by="user:2", now=NOW, zone=ZONE)
    assert set(due_days(opened).values()) == {date(2022, 1, 4)}
    with opened.reading() as session:
        assert session.get_one(CalendarVersion, ("vn-state", 2)).agreed_by == "user:2"
        assert session.get_one(Proposal, id_).decided_by == "user:2"


def test_who_agrees_agrees_to_what_holds_now(opened: Database) -> None:
    id_, holds = proposed(opened)
    applied(opened, WITH_EVE, Policy.MOVE)
    assert code_of(opened, proposals.agree, id_, diff_hash=holds, by="user:2", now=NOW, zone=ZONE) == (
        "refused.diff_changed"
    )
    with opened.writing() as session:
        now = preview(session, LATER.encode(), "kl01.yaml", now=NOW, zone=ZONE).diff_hash
        proposals.agree(session, id_, diff_hash=now, by="user:2", now=NOW, zone=ZONE)
    with opened.reading() as session:
        assert len(session.exec(select(Revision)).all()) == 2
        assert session.exec(select(Task)).first() is not None


def test_one_proposal_waits_at_a_time_and_is_refused_or_withdrawn_by_the_right_person(opened: Database) -> None:
    id_, _ = proposed(opened)
    with pytest.raises(RefusedError) as refused:
        proposed(opened)
    assert refused.value.reason.code == "refused.proposal_waits"
    assert code_of(opened, proposals.withdraw, id_, by="user:2", now=NOW) == "refused.not_own_proposal"
    assert code_of(opened, proposals.refuse, id_, note="Không", by="user:1", now=NOW) == "refused.own_proposal"
    with opened.writing() as session:
        proposals.refuse(session, id_, note="Sai căn cứ", by="user:2", now=NOW)
    other, _ = proposed(opened)
    with opened.writing() as session:
        proposals.withdraw(session, other, by="user:1", now=NOW)
        assert [session.get_one(Proposal, each).state for each in (id_, other)] == ["refused", "withdrawn"]
    assert code_of(opened, proposals.withdraw, 999, by="user:1", now=NOW) == "refused.no_proposal"

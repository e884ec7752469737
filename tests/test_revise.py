"""Does a change of dates do what was shown? Previews against rows, told days, restores, and two people at once."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import select as columns
from sqlmodel import col, select

from dondoc.database import Database
from engine import extend, review
from engine.errors import RefusedError
from engine.preview import Moved, Preview, preview
from engine.revise import apply, restore, text_of
from models.contact import Contact
from models.cycle import Cycle, CycleState
from models.deadline import Deadline
from models.entry import Entry, breaks
from models.message import Message, MessageState
from models.notice import Notice, NoticeKind
from models.proposal import Policy
from models.step import Step, StepState
from models.task import Task, TaskState
from models.unit import Unit
from notifications.item import Office, item_of
from notifications.render import render_bundle
from notifications.waiting import read_waiting
from schedules.diff import Part, Way
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
)

REASON = "Công văn số 12"
LATER = YEARLY.replace("2021: {due: {end_of: M12}", "2021: {due: {date: 2022-01-14}")
EARLIER = YEARLY.replace("2021: {due: {end_of: M12}", "2021: {due: {date: 2021-12-24}")
GONE = YEARLY.replace("in: 2021..2025", "in: 2022..2025").replace(
    "    except: {2021: {due: {end_of: M12}, why: II.8.3}}\n", ""
)


@pytest.fixture
def opened(database: Database) -> Database:
    """The yearly report of 2021 is open and was told; due on 31/12/2021."""
    province(database)
    step_round(database, at("2021-12-01", "09:00"))
    send(database)
    return database


def send(database: Database) -> None:
    """Every notice that waits is a message that went out."""
    with database.writing() as session:
        for notice in session.exec(
            select(Notice).where(col(Notice.message_id).is_(None), col(Notice.dropped).is_(None))
        ):
            message = Message(
                contact_id=notice.contact_id, channel="email", address="", reference=f"r{notice.id}",
                state=MessageState.SENT, subject="", text="", html="", created_at=notice.created_at,
                try_after=notice.created_at,
            )  # fmt: skip
            session.add(message)
            session.flush()
            notice.message_id = message.id
            session.add(notice)


def shown(database: Database, text: str, day: str = "2021-12-05", from_on: date | None = None) -> Preview:
    with database.reading() as session:
        return preview(session, text.encode(), "plan.yaml", now=at(day), zone=ZONE, from_on=from_on)


def applied(
    database: Database, text: str, policy: Policy = Policy.MOVE, day: str = "2021-12-05", **given: Any
) -> Preview:
    """Looks, then applies what was shown."""
    seen = shown(database, text, day, given.get("from_on"))
    with database.writing() as session:
        apply(
            session, text.encode(), "plan.yaml", diff_hash=seen.diff_hash, policy=policy, by="user:1", reason=REASON,
            now=at(day), zone=ZONE, **given,
        )  # fmt: skip
    return seen


def brought_back(database: Database, number: int, policy: Policy = Policy.MOVE, day: str = "2021-12-06") -> None:
    with database.reading() as session:
        text = text_of(session, "kl01", number)
    seen = shown(database, text.decode(), day)
    with database.writing() as session:
        restore(
            session, "kl01", number, diff_hash=seen.diff_hash, policy=policy, by="user:1", reason=REASON, now=at(day),
            zone=ZONE,
        )  # fmt: skip


def of_cycles(seen: Preview) -> list[Moved]:
    return [each for each in seen.changes if each.cycle_id is not None]


def due_days(database: Database) -> dict[str, date]:
    """By unit, the day of its task of 2021."""
    with database.reading() as session:
        rows = (
            columns(col(Unit.code), col(Deadline.due_on))
            .join(Task, col(Task.unit_id) == col(Unit.id))
            .join(Deadline, col(Deadline.id) == col(Task.deadline_id))
            .where(col(Task.state) != TaskState.CANCELLED.value)
        )
        return dict(session.execute(rows).tuples().all())


def told_of(database: Database, kind: NoticeKind) -> list[tuple[str, date]]:
    with database.reading() as session:
        rows = columns(col(Contact.email), col(Notice.due_on)).join(Notice, col(Notice.contact_id) == col(Contact.id))
        return sorted((str(email), on) for email, on in session.execute(rows.where(col(Notice.kind) == kind.value)))


def refusal(database: Database, text: str, diff_hash: str, day: str = "2021-12-05") -> str:
    with pytest.raises(RefusedError) as refused, database.writing() as session:
        apply(
            session, text.encode(), "plan.yaml", diff_hash=diff_hash, policy=Policy.MOVE, by="user:2", reason=REASON,
            now=at(day), zone=ZONE,
        )  # fmt: skip
    return refused.value.reason.code


def test_a_moved_day_is_shown_with_its_units_those_told_and_those_handed_in(opened: Database) -> None:
    hand_in(opened, id_of(opened, "stc"), "2021-12-03")
    seen = shown(opened, LATER)
    (moved,) = of_cycles(seen)
    assert moved.change.way is Way.MOVED
    # Six units owe it; the port's branch has nobody who could be told.
    assert moved.as_json() == {
        "obligation": "annual-report", "period": "2021", "level": "", "from": "2021-12-31", "to": "2022-01-14",
        "units": 6, "told": 5, "submitted": 1,
    }  # fmt: skip
    assert [each.change.way for each in seen.changes] == [Way.MOVED]


def test_keep_leaves_every_row_of_what_is_open(opened: Database) -> None:
    with opened.reading() as session:
        before = {table: everything(session)[table] for table in ("cycle", "deadline", "step", "task", "notice")}
    applied(opened, LATER, Policy.KEEP)
    with opened.reading() as session:
        assert {table: everything(session)[table] for table in before} == before


def test_move_takes_those_who_owe_and_leaves_those_who_handed_in(opened: Database) -> None:
    hand_in(opened, id_of(opened, "stc"), "2021-12-03")
    applied(opened, LATER)
    days = due_days(opened)
    assert days.pop("stc") == date(2021, 12, 31)
    assert set(days.values()) == {date(2022, 1, 14)}
    assert_counts_add_up(opened)


def test_a_later_day_is_told_only_when_asked_to(opened: Database) -> None:
    applied(opened, LATER)
    assert told_of(opened, NoticeKind.DATE_MOVED) == []


def test_all_who_were_told_a_day_are_told_the_new_one_when_asked_to(opened: Database) -> None:
    applied(opened, LATER, Policy.TELL)
    units = ["contact.doan-khoi", "contact.snv", "contact.stc", "contact.stt", "contact.syt"]
    assert told_of(opened, NoticeKind.DATE_MOVED) == [(f"{each}@example.org", date(2022, 1, 14)) for each in units]


def test_an_earlier_day_is_told_in_any_case(opened: Database) -> None:
    seen = applied(opened, EARLIER)
    (moved,) = of_cycles(seen)
    assert (moved.told, moved.told_later) == (5, 5)
    assert {on for _, on in told_of(opened, NoticeKind.DATE_MOVED)} == {date(2021, 12, 24)}
    assert len(told_of(opened, NoticeKind.DATE_MOVED)) == 5
    with opened.reading() as session:
        entry = session.exec(select(Entry).where(col(Entry.act) == "dates_moved")).one()
    assert (entry.data["tasks"], entry.data["told"], entry.data["unreachable"]) == (6, 5, 0)


@pytest.mark.parametrize("policy", [Policy.MOVE, Policy.TELL])
def test_a_grace_that_ends_earlier_is_told_as_an_earlier_day_is(opened: Database, policy: Policy) -> None:
    """The due day stays; letters said until when a late report is taken."""
    hand_in(opened, id_of(opened, "stc"), "2021-12-03")
    applied(opened, YEARLY.replace("grace: 30 days", "grace: 3 days"), policy)
    told = [f"contact.{unit}@example.org" for unit in ("doan-khoi", "snv", "stt", "syt")]
    assert told_of(opened, NoticeKind.DATE_MOVED) == [(each, date(2021, 12, 31)) for each in told]
    with opened.reading() as session:
        assert session.exec(select(Deadline)).one().grace_until == date(2022, 1, 3)
        entry = session.exec(select(Entry).where(col(Entry.act) == "ladder_changed")).one()
        assert (entry.data["tasks"], entry.data["told"]) == (5, 4)
        waiting = read_waiting(session, 0, 100, at("2021-12-05"))
    office = Office("email", "", "https://dondoc.example.org", ZONE, at("2021-12-05"))
    told_once = [each for each in waiting if each.notice.kind == NoticeKind.DATE_MOVED]
    rendered = render_bundle(told_once[0].contact, told_once[:1], office, "r")
    letter = rendered.text
    assert rendered.subject.startswith("Đổi thời gian nhận báo cáo trễ: ")
    assert "[Thời gian nhận báo cáo trễ đã đổi]" in letter
    assert "Hạn nộp: hết ngày thứ Sáu 31/12/2021" in letter
    assert "Vẫn nhận đến hết ngày thứ Hai 03/01/2022" in letter
    assert f"Lý do: {REASON}" in letter
    assert "Hạn cũ" not in letter


def test_a_letter_of_a_grace_tells_the_day_that_moved_before_without_a_word(opened: Database) -> None:
    applied(opened, LATER, Policy.MOVE)
    applied(opened, LATER.replace("grace: 30 days", "grace: 20 days"), Policy.MOVE, day="2021-12-06")
    with opened.reading() as session:
        waiting = read_waiting(session, 0, 100, at("2021-12-06"))
    office = Office("email", "", "https://dondoc.example.org", ZONE, at("2021-12-06"))
    items = [item_of(each, "vi", office) for each in waiting if each.notice.kind == NoticeKind.DATE_MOVED]
    assert {(each.was_on, each.told_on) for each in items} == {(date(2021, 12, 31), date(2022, 1, 14))}


def test_a_grace_that_ends_later_is_told_only_when_asked_to(opened: Database) -> None:
    applied(opened, YEARLY.replace("grace: 30 days", "grace: 40 days"), Policy.MOVE)
    assert told_of(opened, NoticeKind.DATE_MOVED) == []
    applied(opened, YEARLY.replace("grace: 30 days", "grace: 50 days"), Policy.TELL)
    assert len(told_of(opened, NoticeKind.DATE_MOVED)) == 5


def test_a_later_day_with_an_earlier_end_of_its_grace_is_told_in_any_case(opened: Database) -> None:
    applied(opened, LATER.replace("grace: 30 days", "grace: 3 days"), Policy.MOVE)
    assert len(told_of(opened, NoticeKind.DATE_MOVED)) == 5


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        (EARLIER, (4, 4)),
        (LATER, (4, 0)),
        (GONE, (4, 4)),
        (YEARLY.replace("14 days before, ", ""), (0, 0)),
        (YEARLY.replace("grace: 30 days", "grace: 3 days"), (4, 4)),
        (YEARLY.replace("grace: 30 days", "grace: 40 days"), (4, 0)),
    ],
)
def test_as_many_are_told_as_the_preview_says(opened: Database, text: str, numbers: tuple[int, int]) -> None:
    """Of five who were told one has handed in: for them nothing changes."""
    hand_in(opened, id_of(opened, "stc"), "2021-12-03")
    (moved,) = of_cycles(shown(opened, text))
    assert (moved.told, moved.to_tell, moved.told_later) == (5, *numbers)
    with opened.reading() as session:
        before = len(session.exec(select(Notice)).all())
    applied(opened, text, Policy.TELL)
    with opened.reading() as session:
        assert len(session.exec(select(Notice)).all()) - before == moved.to_tell


@pytest.mark.parametrize(
    ("gone", "told"),
    [
        (["contact.stc"], "head.stc"),
        (["contact.stc", "head.stc"], "secretariat.duk"),
        (["contact.stc", "head.stc", "secretariat.duk"], None),
    ],
)
@pytest.mark.parametrize(("text", "kind"), [(EARLIER, NoticeKind.DATE_MOVED), (GONE, NoticeKind.CANCELLED)])
def test_a_unit_whose_contact_is_gone_does_not_lose_its_day_in_silence(
    opened: Database, gone: list[str], told: str | None, text: str, kind: NoticeKind
) -> None:
    with opened.writing() as session:
        for contact in session.exec(select(Contact).where(col(Contact.email).in_([f"{x}@example.org" for x in gone]))):
            contact.is_active = False
            session.add(contact)
    (moved,) = of_cycles(applied(opened, text))
    reached = 4 if told is None else 5
    assert (moved.told, moved.to_tell, moved.told_later, moved.unreachable) == (5, reached, reached, 5 - reached)
    others = [f"contact.{unit}@example.org" for unit in ("doan-khoi", "snv", "stt", "syt")]
    own = [f"{told}@example.org"] if told else []
    assert [email for email, _ in told_of(opened, kind)] == sorted([*others, *own])
    with opened.reading() as session:
        entry = session.exec(select(Entry).where(col(Entry.act).in_(["dates_moved", "tasks_cancelled"]))).one()
    assert (entry.data["told"], entry.data["unreachable"]) == (reached, 5 - reached)


def test_a_message_on_its_way_that_would_be_dropped_is_made_good(opened: Database) -> None:
    """Its old day is moot, so that without another word the contact would have heard nothing at all."""
    with opened.writing() as session:
        for message in session.exec(select(Message)):
            message.state = MessageState.QUEUED
            session.add(message)
    applied(opened, LATER)
    assert len(told_of(opened, NoticeKind.DATE_MOVED)) == 5


def test_a_word_that_waits_says_the_new_day(database: Database) -> None:
    province(database)
    step_round(database, at("2021-12-01", "09:00"))
    applied(database, LATER, day="2021-12-01")
    assert {on for _, on in told_of(database, NoticeKind.OPENED)} == {date(2022, 1, 14)}
    assert told_of(database, NoticeKind.DATE_MOVED) == []


def test_extended_and_returned_days_stay(opened: Database) -> None:
    act_of(
        opened,
        extend.extend,
        id_of(opened, "syt"),
        "2021-12-02",
        due_on=date(2022, 1, 7),
        reason="Mưa lũ",
        document=None,
    )
    hand_in(opened, id_of(opened, "snv"), "2021-12-02")
    act_of(opened, review.send_back, id_of(opened, "snv"), "2021-12-03", reason="Thiếu", due_on=date(2022, 1, 10))
    applied(opened, EARLIER)
    days = due_days(opened)
    assert (days["syt"], days["snv"], days["stc"]) == (date(2022, 1, 7), date(2022, 1, 10), date(2021, 12, 24))


def test_a_day_that_is_past_never_changes(opened: Database) -> None:
    seen = applied(opened, LATER, day="2022-01-03")
    assert seen.changes == ()
    assert set(due_days(opened).values()) == {date(2021, 12, 31)}


def test_nothing_moves_into_the_past(opened: Database) -> None:
    past = YEARLY.replace("2021: {due: {end_of: M12}", "2021: {due: {date: 2021-12-10}")
    with opened.reading() as session:
        before = {table: everything(session)[table] for table in ("cycle", "deadline", "step", "task", "notice")}
    seen = applied(opened, past, Policy.TELL, day="2021-12-20")
    (stays,) = of_cycles(seen)
    assert (stays.change.way, stays.change.parts[-1], stays.units) == (Way.STAYS, Part.STAYS, 6)
    assert (stays.change.after.due_on, stays.told) == (date(2021, 12, 10), 5)  # type: ignore[union-attr]
    with opened.reading() as session:
        assert {table: everything(session)[table] for table in before} == before


def test_the_ladder_goes_on_from_the_new_day(opened: Database) -> None:
    applied(opened, LATER)
    with opened.reading() as session:
        steps = columns(col(Step.on), col(Step.state), col(Deadline.due_on))
        rows = session.execute(steps.join(Deadline, col(Deadline.id) == col(Step.deadline_id))).all()
    old = {state for _, state, due in rows if due == date(2021, 12, 31)}
    assert old == {StepState.FIRED, StepState.REPLACED}
    planned = [on for on, state, due in rows if due == date(2022, 1, 14) and state == StepState.PLANNED]
    assert min(planned) == date(2021, 12, 31)
    step_round(opened, at("2022-01-14", "09:00"))
    assert {on for _, on in told_of(opened, NoticeKind.DUE_TODAY)} == {date(2022, 1, 14)}


def test_a_changed_ladder_replaces_what_has_not_fired(opened: Database) -> None:
    text = YEARLY.replace("[14 days before, 7 days before, 3 working days before, due day]", "[5 days before]")
    seen = applied(opened, text)
    (changed,) = of_cycles(seen)
    assert changed.change.way is Way.LADDER
    with opened.reading() as session:
        steps = session.exec(select(Step).where(col(Step.kind) == "remind").order_by(col(Step.on))).all()
    assert [(step.on, step.state) for step in steps] == [
        (date(2021, 12, 1), StepState.FIRED), (date(2021, 12, 26), StepState.PLANNED)
    ]  # fmt: skip


def test_an_open_cycle_whose_period_is_gone_goes_on_when_kept(opened: Database) -> None:
    applied(opened, GONE, Policy.KEEP)
    assert set(due_days(opened).values()) == {date(2021, 12, 31)}


@pytest.mark.parametrize("policy", [Policy.MOVE, Policy.TELL])
def test_an_open_cycle_whose_period_is_gone_is_cancelled_and_told(opened: Database, policy: Policy) -> None:
    hand_in(opened, id_of(opened, "stc"), "2021-12-03")
    seen = applied(opened, GONE, policy)
    (gone,) = of_cycles(seen)
    assert (gone.change.way, gone.units, gone.told, gone.submitted) == (Way.DROPPED, 6, 5, 1)
    assert due_days(opened) == {"stc": date(2021, 12, 31)}
    assert len(told_of(opened, NoticeKind.CANCELLED)) == 4
    with opened.reading() as session:
        assert session.exec(select(Cycle)).one().state == CycleState.OPEN
    act_of(opened, review.accept, id_of(opened, "stc"), "2021-12-06")
    with opened.reading() as session:
        assert session.exec(select(Cycle)).one().state == CycleState.CLOSED


def test_what_was_dropped_comes_back_with_its_work(opened: Database) -> None:
    before = due_days(opened)
    applied(opened, GONE)
    with opened.reading() as session:
        assert session.exec(select(Cycle)).one().state == CycleState.CANCELLED
    brought_back(opened, 1)
    assert due_days(opened) == before
    with opened.reading() as session:
        assert session.exec(select(Cycle)).one().state == CycleState.OPEN
        planned = session.scalars(columns(col(Step.on)).where(col(Step.state) == StepState.PLANNED.value)).all()
        assert list(breaks(session)) == []
    assert min(planned) == date(2021, 12, 17)


def test_others_who_owe_it_now_join_and_leave(opened: Database) -> None:
    text = YEARLY.replace("[dang-bo-co-so, chi-bo-co-so, doan-the]", "[dang-bo-co-so, chi-bo-truc-thuoc]")
    seen = applied(opened, text)
    assert sorted((each.change.way, each.units) for each in of_cycles(seen)) == [(Way.ADDED, 2), (Way.DROPPED, 4)]
    assert set(due_days(opened)) == {"snv", "syt", "snv-1", "snv-2"}
    assert [email for email, _ in told_of(opened, NoticeKind.OPENED) if "snv-" in email] == [
        "contact.snv-1@example.org", "contact.snv-2@example.org"
    ]  # fmt: skip


def test_a_variant_takes_its_units_to_its_own_day(opened: Database) -> None:
    text = (
        YEARLY
        + """\
    variants:
      party-committees:
        who: {kinds: [dang-bo-co-so]}
        every: year
        in: 2021..2025
        due: {date: 2022-01-20}
        why: II.9
"""
    )
    text = text.replace(
        "due: {date: 2022-01-20}", "due: {end_of: Q3}\n        except: {2021: {due: {date: 2022-01-20}, why: II.9}}"
    )
    applied(opened, text)
    days = due_days(opened)
    assert {code for code, on in days.items() if on == date(2022, 1, 20)} == {"snv", "syt"}
    assert days["stc"] == date(2021, 12, 31)


def test_a_cycle_that_kept_its_day_is_left_alone_until_its_own_dates_change(opened: Database) -> None:
    applied(opened, LATER, Policy.KEEP)
    other = LATER.replace("due: {end_of: Q3}", "due: {end_of: M10}")
    seen = applied(opened, other)
    assert of_cycles(seen) == []
    assert {each.change.period for each in seen.changes} == {"2022", "2023", "2024", "2025"}
    assert set(due_days(opened).values()) == {date(2021, 12, 31)}

"""Does everything go out at a decent hour, in one digest a day, and nothing that waits for another reason?"""

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlmodel import Session, col, select

from dondoc.database import Database
from engine import extend, pause, review, submit
from engine.acknowledge import acknowledge
from models.message import Message, MessageState
from models.notice import Notice, held, next_free
from models.task import Task
from models.unit import Unit
from notifications.deliver import (
    IS_TO_DELIVER,
    Delivered,
    queue,
)
from notifications.item import Office
from notifications.pace import Pace
from tests.builders import YEARLY, ZONE, at, province, step_round, task_of
from tests.sinks import free_port, running
from tests.test_deliver import (
    OPENED,
    OVERDUE,
    STC,
    URL,
    hand_in,
    night,
    opened,
    queued,
    rows,
    send,
)

__all__ = ["opened"]


def test_what_comes_at_night_goes_out_in_the_morning_as_one_digest(database: Database) -> None:
    province(database, on="2025-08-01")
    late, morning = at("2025-09-04", "22:00"), at("2025-09-05", "08:00")
    step_round(database, late)
    hand_in(database, "stc", late)
    with running() as sink:
        assert night(late, database, sink.url) == Delivered(held=5, dropped=1)
        with database.reading() as session:
            assert not session.scalar(select(IS_TO_DELIVER), {"now": at("2025-09-05", "07:29")})
            assert session.scalar(next_free(late)) == at("2025-09-05", "07:30")  # the receipt
            assert [tuple(row) for row in session.execute(held(late))] == [("held.quiet", 5, at("2025-09-05", "07:30"))]
        assert night(at("2025-09-05", "07:30"), database, sink.url) == Delivered(messages=1, sent=1)
        assert night(morning, database, sink.url) == Delivered(messages=4, sent=4)
        assert night(morning + timedelta(days=30), database, sink.url) == Delivered()
    assert all(each.message_id for each in rows(database, Notice) if each.dropped is None)


def test_a_server_that_was_down_all_day_is_not_tried_at_night(database: Database) -> None:
    province(database, on="2025-08-01")
    day, evening = at("2025-09-04", "17:55"), at("2025-09-04", "18:00")
    step_round(database, day)
    assert night(day, database, f"smtp://127.0.0.1:{free_port()}") == Delivered(messages=5, retried=5)
    with running() as sink:
        assert night(evening, database, sink.url) == Delivered()
        with database.reading() as session:
            assert not session.scalar(select(IS_TO_DELIVER), {"now": at("2025-09-05", "07:29")})
        assert night(at("2025-09-05", "08:00"), database, sink.url) == Delivered(messages=5, sent=5)


def test_what_is_urgent_is_tried_at_night_too(database: Database) -> None:
    province(database, on="2025-08-01")
    step_round(database, OPENED)
    queued(database, OPENED)
    due_day, evening = at("2025-09-30"), at("2025-09-30", "20:00")
    step_round(database, due_day)
    assert night(due_day, database, f"smtp://127.0.0.1:{free_port()}").messages == 5
    with running() as sink:
        assert night(evening, database, sink.url).sent == 5
    assert {mail["Subject"].partition(":")[0] for mail in sink.mails} == {"Hôm nay là hạn nộp"}
    assert {each.is_urgent for each in rows(database, Message) if each.state == MessageState.SENT} == {True}


def test_a_pause_holds_what_was_not_yet_sent_and_its_end_lets_it_go(database: Database) -> None:
    province(database, on="2025-08-01")
    step_round(database, at("2025-09-04", "22:00"))
    day = at("2025-09-05")
    with database.writing() as session:
        pause.pause(session, 1, by="office", note="Chờ hướng dẫn mới.", now=at("2025-09-04", "22:30"))
    with running() as sink:
        assert night(day, database, sink.url) == Delivered(held=5)
        assert night(day, database, sink.url) == Delivered()
        with database.writing() as session:
            pause.resume(session, 1, by="office", note="", now=day)
        assert night(day, database, sink.url) == Delivered(messages=5, sent=5)


def test_the_fourth_message_of_a_day_waits_and_is_merged_with_the_next(database: Database) -> None:
    province(database, on="2025-08-01")
    step_round(database, OPENED)
    with running() as sink:
        send(database, sink.url)
        sink.mails.clear()
        for hour in range(8, 14):
            now = at("2025-09-10", f"{hour:02}:30")
            hand_in(database, "stc", now)
            with database.writing() as session:
                task_id = task_of(session, "stc", "2025").id
                submit.withdraw(session, task_id, by="contact:1", reason="Nhầm tệp.", now=now)
            night(now, database, sink.url)
        assert len(sink.to(STC)) == 3
        assert night(at("2025-09-11"), database, sink.url) == Delivered(messages=1, sent=1)
    assert len(sink.to(STC)) == 4
    assert not [each for each in rows(database, Notice) if each.message_id is None and each.dropped is None]


@pytest.fixture
def levels(database: Database) -> Database:
    """Snv and its two cells owe the same report; all have been told of its opening."""
    below = YEARLY.replace("chi-bo-co-so, doan-the]", "chi-bo-truc-thuoc]")
    province(database, below, on="2025-08-01")
    step_round(database, OPENED)
    queued(database)
    return database


def why_held(database: Database, now: datetime) -> dict[str, set[str]]:
    """By the code of the unit, why what is asked of it waits."""
    queue(database, Office("email", "dondoc@example.org", URL, ZONE, now, pace=Pace()))
    with database.reading() as session:
        waiting = (
            select(Unit.code, Notice.held)
            .join(Task, col(Task.unit_id) == col(Unit.id))
            .join(Notice, col(Notice.task_id) == col(Task.id))
            .where(col(Notice.held_until) > now, col(Notice.message_id).is_(None))
        )
        found: dict[str, set[str]] = {}
        for unit, why in session.exec(waiting):
            found.setdefault(unit, set()).add(str(why))
    return found


CELLS = {"snv-1", "snv-2"}


def test_cells_are_asked_while_the_report_above_them_waits_for_its_review_and_nobody_above_is_told(
    levels: Database,
) -> None:
    hand_in(levels, "snv", at("2025-09-15"))
    for day in ("2025-09-16", "2025-09-30", "2025-10-01"):
        step_round(levels, at(day))
        assert why_held(levels, at(day)) == {}
    step_round(levels, OVERDUE)
    assert why_held(levels, OVERDUE) == {cell: {"held.review_above"} for cell in CELLS}
    with levels.writing() as session:
        review.accept(session, task_of(session, "snv", "2025").id, by="office", now=OVERDUE)
    assert why_held(levels, at("2025-10-06")) == {}


def extended(database: Database, *days: str) -> None:
    """Snv was given more time till each of the days in turn; its cells were told on time till the third rung."""
    with database.writing() as session:
        for day in days:
            extend.extend(
                session,
                task_of(session, "snv", "2025").id,
                by="office",
                due_on=at(day).date(),
                reason="Bão",
                document=None,
                now=at("2025-09-10"),
                zone=ZONE,
            )
    queued(database, at("2025-09-10"))
    for day in ("2025-09-16", "2025-09-30", "2025-10-01"):
        step_round(database, at(day))
        assert not CELLS & why_held(database, at(day)).keys()
    step_round(database, OVERDUE)


def test_who_is_above_cells_is_told_as_much_later_as_the_unit_between_them_may_be(levels: Database) -> None:
    extended(levels, "2025-10-10", "2025-10-20")  # twenty days later, of which the last extension is ten
    for day in ("2025-10-03", "2025-10-14", "2025-10-22"):
        held_now = why_held(levels, at(day))
        assert {held_now[cell] == {"held.extended_above"} for cell in CELLS} == {True}
    assert not CELLS & why_held(levels, at("2025-10-23")).keys()


def test_who_is_above_cells_is_told_before_their_grace_ends(levels: Database) -> None:
    extended(levels, "2025-12-15")
    assert why_held(levels, at("2025-10-29")).keys() >= CELLS
    assert not CELLS & why_held(levels, at("2025-10-30")).keys()  # on the 31st it would be moot
    told = [each for each in rows(levels, Notice) if each.rung == "superior.secretariat" and each.message_id]
    assert len(told) >= len(CELLS)


def test_what_waits_for_a_server_while_its_cycle_is_paused_waits_for_the_cycle(opened: Database) -> None:
    send(opened, f"smtp://127.0.0.1:{free_port()}")
    paused, later = OPENED + timedelta(minutes=1), OPENED + timedelta(hours=1)
    with opened.writing() as session:
        pause.pause(session, task_of(session, "stc", "2025").cycle_id, by="office", note="Bão", now=paused)
    with running() as sink:
        assert send(opened, sink.url, later) == Delivered(held=5)
        assert not sink.mails


def test_what_is_known_before_it_is_told_is_told_when_the_word_is_over(opened: Database) -> None:
    for day in ("2025-09-30", "2025-10-01"):
        step_round(opened, at(day))
        queued(opened, at(day))
    step_round(opened, OVERDUE)
    with opened.writing() as session:
        task, until = task_of(session, "stc", "2025"), at("2025-10-20").date()
        acknowledge(session, task.id, until=until, note="Đã gọi", by="user:1", now=OVERDUE, zone=ZONE)
    for day in ("2025-10-03", "2025-10-20"):
        assert why_held(opened, at(day)) == {"stc": {"held.acknowledged"}}
    assert why_held(opened, at("2025-10-21")) == {}


def test_what_is_urgent_is_not_the_digest_of_its_day(opened: Database) -> None:
    first = Office("email", "dondoc@example.org", URL, ZONE, at("2025-09-03"), pace=Pace())
    queue(opened, first)  # the office is closed until the third
    reminder = at("2025-09-16")
    step_round(opened, reminder)
    with opened.writing() as session:
        asked = message_to_stc(session)
        asked.created_at, asked.is_urgent = reminder, True
        session.add(asked)
    queue(opened, replace(first, now=reminder))
    assert Counter(each.address for each in rows(opened, Message))[STC] == 2


def message_to_stc(session: Session) -> Message:
    return session.exec(select(Message).where(col(Message.address) == STC)).one()

"""Does a letter of a moved date say what differs from what its reader was last told, however often it moved?"""

from datetime import date

import pytest
from sqlmodel import col, select

from dondoc.database import Database
from models.notice import Notice, NoticeKind
from models.proposal import Policy
from notifications import pipeline
from notifications.item import Office, item_of
from notifications.waiting import read_waiting
from tests.builders import YEARLY, ZONE, at, province, step_round
from tests.test_revise import EARLIER, LATER, applied, brought_back, send

LATEST = LATER.replace("2022-01-14", "2022-01-21")
OLD, EARLY, LATE, LAST = (date(2021, 12, 31), date(2021, 12, 24), date(2022, 1, 14), date(2022, 1, 21))


@pytest.fixture
def opened(database: Database) -> Database:
    """The yearly report of 2021 is open and was told; due on 31/12/2021."""
    province(database)
    step_round(database, at("2021-12-01", "09:00"))
    send(database)
    return database


def said(database: Database, day: str = "2021-12-06") -> tuple[set[tuple[date | None, date]], set[str]]:
    """From which day to which the letters speak of, each contact's once, and why the others are not sent."""
    now = at(day, "09:00")
    with database.reading() as session:
        waiting = read_waiting(session, 0, 100, now)
    office = Office("email", "", "https://dondoc.example.org", ZONE, now)
    batch = pipeline.run(waiting, office)
    told = [each for bundle in batch.bundles for each in bundle.waiting if each.notice.kind == NoticeKind.DATE_MOVED]
    assert len({each.contact.id for each in told}) == len(told)
    items = [item_of(each, "vi", office) for each in told]
    return {(each.was_on, each.told_on) for each in items}, {each.why for each in batch.dropped}


@pytest.mark.parametrize(
    ("texts", "expected", "dropped"),
    [
        ([EARLIER], {(OLD, EARLY)}, set()),
        ([LATER, LATEST], {(OLD, LAST)}, {"moot.moved_again"}),
        ([EARLIER, LATER], {(OLD, LATE)}, {"moot.moved_again"}),
        ([LATER, EARLIER, LATEST], {(OLD, LAST)}, {"moot.moved_again"}),
        ([EARLIER, YEARLY], set(), {"moot.moved_again", "moot.moved_back"}),
        ([LATER, YEARLY], set(), {"moot.moved_again", "moot.moved_back"}),
        ([LATER, EARLIER, YEARLY], set(), {"moot.moved_again", "moot.moved_back"}),
        ([YEARLY.replace("grace: 30 days", "grace: 3 days")], {(OLD, OLD)}, set()),
        (
            [EARLIER, YEARLY.replace("grace: 30 days", "grace: 3 days")],
            {(OLD, OLD)},
            {"moot.moved_again"},
        ),
        ([YEARLY.replace("grace: 30 days", "grace: 3 days"), YEARLY], set(), {"moot.moved_again", "moot.moved_back"}),
    ],
)
def test_of_several_moves_that_wait_the_last_says_what_is_new(
    opened: Database, texts: list[str], expected: set[tuple[date, date]], dropped: set[str]
) -> None:
    for text in texts:
        applied(opened, text, Policy.TELL)
    assert said(opened) == (expected, dropped)


def test_a_move_that_waits_and_is_undone_unsaid_tells_nothing(opened: Database) -> None:
    """Nobody is told of the way back, and so nobody may be told of the way there."""
    applied(opened, EARLIER, Policy.MOVE)
    brought_back(opened, 1, Policy.MOVE)
    assert said(opened) == (set(), {"moot.moved_back"})


def test_a_move_that_was_told_is_taken_back_in_words(opened: Database) -> None:
    applied(opened, EARLIER, Policy.TELL)
    send(opened)
    brought_back(opened, 1, Policy.TELL)
    assert said(opened) == ({(EARLY, OLD)}, set())


def test_a_move_that_nobody_was_told_of_is_no_old_day(opened: Database) -> None:
    applied(opened, LATER, Policy.MOVE)
    applied(opened, LATEST, Policy.TELL)
    assert said(opened) == ({(OLD, LAST)}, set())


def test_an_older_word_that_was_held_longer_is_not_said_after_the_newer_one(opened: Database) -> None:
    applied(opened, EARLIER, Policy.TELL)
    with opened.writing() as session:
        first = session.exec(select(Notice).where(col(Notice.kind) == NoticeKind.DATE_MOVED)).all()
        for notice in first:
            notice.held_until = at("2021-12-07")
            session.add(notice)
    brought_back(opened, 1, Policy.TELL)
    assert said(opened) == (set(), {"moot.moved_back"})
    assert said(opened, "2021-12-08") == (set(), {"moot.moved_again", "moot.moved_back"})


def test_whoever_never_heard_of_the_report_hears_of_it_with_the_day_that_holds_again(opened: Database) -> None:
    applied(opened, EARLIER, Policy.TELL)
    with opened.writing() as session:  # the letter of the opening had not gone when the day moved
        for notice in session.exec(select(Notice).where(col(Notice.kind) == NoticeKind.OPENED)):
            notice.message_id, notice.dropped = None, "moot.moved"
            session.add(notice)
    brought_back(opened, 1, Policy.TELL)
    words, dropped = said(opened)
    assert words
    assert "moot.moved_back" not in dropped

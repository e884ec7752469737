"""Do the buckets run empty, and full again?"""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlmodel import Session, select

from dondoc.database import Database
from engine.limits import FORGOTTEN, Limit, give_back, take
from models.visit import RateBucket
from tests.builders import at

NOW = at("2026-11-20")
THREE = Limit("try", 3, timedelta(minutes=3))
FREE = timedelta()


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    with database.writing() as session:
        yield session


def test_so_many_may_come_at_once_and_the_next_one_waits(session: Session) -> None:
    assert [take(session, THREE, "a", NOW) for _ in range(3)] == [FREE] * 3
    assert take(session, THREE, "a", NOW) == timedelta(minutes=1)
    assert take(session, THREE, "b", NOW) == FREE


def test_one_runs_in_with_time_and_never_more_than_there_is_room_for(session: Session) -> None:
    for _ in range(3):
        take(session, THREE, "a", NOW)
    assert take(session, THREE, "a", NOW + timedelta(seconds=59)) == timedelta(seconds=1)
    assert take(session, THREE, "a", NOW + timedelta(minutes=1)) == FREE
    assert take(session, THREE, "a", NOW + timedelta(minutes=1)) > FREE
    later = NOW + timedelta(hours=3)
    assert [take(session, THREE, "a", later) for _ in range(4)] == [FREE, FREE, FREE, timedelta(minutes=1)]


def test_who_keeps_trying_waits_no_longer_than_who_waits(session: Session) -> None:
    for _ in range(20):
        take(session, THREE, "a", NOW)
    assert take(session, THREE, "a", NOW + timedelta(minutes=1)) == FREE


def test_a_clock_that_went_back_fills_nothing(session: Session) -> None:
    for _ in range(3):
        take(session, THREE, "a", NOW)
    assert take(session, THREE, "a", NOW - timedelta(days=1)) == timedelta(minutes=1)


def test_what_is_given_back_can_be_taken_again_and_no_more(session: Session) -> None:
    take(session, THREE, "a", NOW)
    for _ in range(5):
        give_back(session, THREE, "a", NOW)
    assert [take(session, THREE, "a", NOW) for _ in range(4)][-1] > FREE


def test_buckets_that_nobody_uses_are_forgotten(session: Session) -> None:
    take(session, THREE, "a", NOW)
    take(session, THREE, "b", NOW + FORGOTTEN + timedelta(minutes=1))
    assert [bucket.key for bucket in session.exec(select(RateBucket))] == ["try:b"]

"""Does the database keep its promises: readers cannot write, writers lose nothing, SQLite runs in the safe mode?"""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import col, select

from dondoc.database import Database, journal_mode
from engine.close import close_cycle
from engine.submit import locked
from models.cycle import Cycle
from models.entry import append, breaks
from models.unit import Unit
from tests.builders import at, everything, hand_in, id_of, province, step_round
from tests.conftest import Postgres


@pytest.mark.parametrize(
    ("version", "mode"),
    [
        ((3, 6, 23), "delete"),
        ((3, 40, 1), "delete"),
        ((3, 44, 5), "delete"),
        ((3, 44, 6), "wal"),
        ((3, 45, 0), "delete"),
        ((3, 50, 6), "delete"),
        ((3, 50, 7), "wal"),
        ((3, 51, 0), "delete"),
        ((3, 51, 2), "delete"),
        ((3, 51, 3), "wal"),
        ((3, 52, 0), "wal"),
        ((4, 0, 0), "wal"),
    ],
)
def test_write_ahead_logging_is_used_where_the_reset_race_is_mended(version: tuple[int, int, int], mode: str) -> None:
    assert journal_mode(version) == mode


def test_an_sqlite_connection_is_durable_patient_and_holds_foreign_keys(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'a.sqlite'}")
    with database.reading() as session:
        asked = ("journal_mode", "synchronous", "busy_timeout", "foreign_keys")
        found = [session.execute(text(f"PRAGMA {name}")).scalar_one() for name in asked]
    database.close()
    assert found == [journal_mode(sqlite3.sqlite_version_info), 2, 30_000, 1]


@pytest.mark.postgres
def test_a_postgresql_connection_compiles_no_statement(postgres: Postgres) -> None:
    database = Database(postgres.url("postgres"))
    with database.reading() as session:
        assert session.execute(text("SHOW jit")).scalar_one() == "off"
    database.close()


def test_reading_refuses_to_write_and_the_connection_writes_again_afterwards(database: Database) -> None:
    for _ in range(2):
        with database.reading() as session:
            session.add(Unit(code="x", name="X"))
            with pytest.raises(DBAPIError, match=r"readonly|read-only"):
                session.flush()
    with database.writing() as session:
        session.add(Unit(code="y", name="Y"))
    with database.reading() as session:
        assert [unit.code for unit in session.exec(select(Unit))] == ["y"]


def test_reading_sees_one_state_while_another_writes(database: Database) -> None:
    with database.writing() as session:
        session.add(Unit(code="a", name="A"))
    if database.is_sqlite and journal_mode() == "delete":
        return  # the writer waits for the reader there: nothing to see
    with database.reading() as session:
        assert len(session.exec(select(Unit)).all()) == 1
        with database.writing() as other:
            other.add(Unit(code="b", name="B"))
        assert len(session.exec(select(Unit)).all()) == 1


def test_an_error_rolls_everything_back(database: Database) -> None:
    with database.reading() as session:
        before = everything(session)

    def fail() -> None:
        with database.writing() as session:
            session.add(Unit(code="x", name="X"))
            append(session, "tried", by="office", at=at("2021-12-01"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with database.reading() as session:
        assert everything(session) == before


def test_two_hundred_concurrent_changes_of_one_row_lose_none(database: Database) -> None:
    with database.writing() as session:
        session.add(Unit(code="a", name="0"))

    def count_up(number: int) -> None:
        with database.writing() as session:
            unit = session.exec(select(Unit).where(col(Unit.code) == "a")).one()
            unit.name = str(int(unit.name) + 1)
            session.add(unit)
            append(session, "counted", by="office", at=at("2021-12-01"), number=number)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(count_up, range(200)))
    with database.reading() as session:
        assert session.exec(select(Unit.name)).one() == "200"
        assert list(breaks(session)) == []


def test_a_round_and_a_unit_that_hands_in_wait_for_each_other_without_deadlock(database: Database) -> None:
    """The unit holds its task and wants the journal; the round would hold the journal and want the task."""
    province(database)
    step_round(database, at("2021-12-01"))
    task_id, begun, now = id_of(database, "stc"), Event(), at("2022-01-31")
    entered = Event()

    def act() -> None:
        with database.writing() as session:
            task = locked(session, task_id)
            begun.set()
            entered.wait(0.2)  # lets the round come as far as it can
            append(session, "looked", by="contact:1", at=now, task_id=task.id, cycle_id=task.cycle_id)

    def write_then_end_tasks() -> None:
        begun.wait()
        with database.writing() as session:
            append(session, "looked", by="system", at=now)
            entered.set()
            close_cycle(session, session.exec(select(Cycle.id)).one(), by="office", note="x", now=now)

    with ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(act), threads.submit(write_then_end_tasks)]:
            done.result()
    with database.reading() as session:
        assert list(breaks(session)) == []


def test_a_double_tap_at_the_same_moment_is_one_submission(database: Database) -> None:
    province(database)
    step_round(database, at("2021-12-01"))
    task_id = id_of(database, "stc")
    with ThreadPoolExecutor(6) as threads:
        taken = list(threads.map(lambda _: hand_in(database, task_id, "2021-12-02", key="tap"), range(6)))
    assert len({submission.id for submission in taken}) == 1


def test_rounds_at_the_same_moment_open_and_fire_once(database: Database) -> None:
    province(database)
    with ThreadPoolExecutor(4) as threads:
        done = list(threads.map(lambda _: step_round(database, at("2021-12-01")), range(4)))
    assert sorted(opened.tasks for opened, _ in done) == [0, 0, 0, 6]
    assert sorted(fired.notices for _, fired in done) == [0, 0, 0, 5]
    with database.reading() as session:
        assert session.exec(select(col(Cycle.opens_on))).one() == date(2021, 12, 1)
        assert list(breaks(session)) == []

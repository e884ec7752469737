"""Does a round begin whenever one of its parts has something to do, and only then?"""

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlmodel import select

from dondoc.database import Database
from engine.doctor import examine
from engine.plans import stuck
from engine.revise import apply_plan
from engine.round import Round, is_anything, run
from models.cycle import Cycle
from models.last_round import last_round
from models.message import Message, MessageState
from models.milestone import MilestoneDay
from models.plan import Plan
from models.task import Task, TaskState
from notifications.channels.eml import EmlCarrier
from tests.builders import YEARLY, ZONE, at, everything, hand_in, id_of, province
from tests.test_milestones import RESOLUTION

OPENED = at("2021-12-01")
BETWEEN = at("2021-12-02")
NOTHING = Round(0, 0, 0, 0, 0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "messages"


def go(database: Database, folder: Path, now: datetime) -> Round:
    carrier = EmlCarrier(folder, "dondoc@example.org", "dondoc")
    return run(database, carrier, now, zone=ZONE, url="https://dondoc.example.org", key=b"k" * 32)


def opened(database: Database, folder: Path) -> None:
    province(database)
    go(database, folder, OPENED)
    assert not is_anything(database, BETWEEN, ZONE)


def test_an_opening_day_that_has_come_begins_it(database: Database, folder: Path) -> None:
    province(database)
    go(database, folder, OPENED - timedelta(days=1))  # looks for the first time, and finds out when to look again
    assert not is_anything(database, OPENED - timedelta(days=1), ZONE)
    assert is_anything(database, OPENED, ZONE)


def test_a_step_whose_moment_has_come_begins_it(database: Database, folder: Path) -> None:
    opened(database, folder)
    assert not is_anything(database, at("2021-12-17", "07:59"), ZONE)
    assert is_anything(database, at("2021-12-17", "08:00"), ZONE)


def test_a_cycle_that_nobody_closed_begins_it(database: Database, folder: Path) -> None:
    opened(database, folder)
    with database.writing() as session:
        session.execute(update(Task).values(state=TaskState.ACCEPTED.value))  # by no act of ours
    assert is_anything(database, BETWEEN, ZONE)
    go(database, folder, BETWEEN)
    assert not is_anything(database, BETWEEN, ZONE)


def test_a_notice_that_waits_begins_it(database: Database, folder: Path) -> None:
    opened(database, folder)
    hand_in(database, id_of(database, "stc"), "2021-12-02")
    assert is_anything(database, BETWEEN, ZONE)
    assert go(database, folder, BETWEEN).messages == 1
    assert not is_anything(database, BETWEEN, ZONE)


def test_a_message_that_is_to_be_tried_again_begins_it_when_its_time_has_come(database: Database, folder: Path) -> None:
    opened(database, folder)
    with database.writing() as session:
        session.execute(update(Message).values(state=MessageState.QUEUED.value, try_after=BETWEEN))
    assert not is_anything(database, BETWEEN - timedelta(seconds=1), ZONE)
    assert is_anything(database, BETWEEN, ZONE)


def test_a_quiet_round_writes_down_that_it_was_there_and_nothing_else(database: Database, folder: Path) -> None:
    opened(database, folder)
    with database.reading() as session:
        before = everything(session)
    assert go(database, folder, BETWEEN) == NOTHING
    with database.reading() as session:
        last, after = last_round(session), everything(session)
    assert last is not None
    assert last.at == BETWEEN
    assert [name for name in before if before[name] != after[name]] == ["last_round"]


def test_a_plan_whose_dates_cannot_be_worked_out_stops_no_other_and_is_named(database: Database, folder: Path) -> None:
    province(database)
    bad = at("2021-10-01")
    with database.writing() as session:
        text = RESOLUTION.replace("plan: kl01", "plan: a-stuck").encode()
        plan = apply_plan(session, text, "stuck.yaml", by="office", now=bad, zone=ZONE)
        day = date.max  # ten working days after it there is no day any more
        session.add(
            MilestoneDay(
                plan_id=plan.plan_id, milestone="resolution", period="2022", on=day, entered_at=bad, by="office"
            )
        )
        text = YEARLY.replace("plan: kl01", "plan: z-sound").encode()
        apply_plan(session, text, "sound.yaml", by="office", now=bad, zone=ZONE)
    for _ in range(2):
        go(database, folder, OPENED)
        with database.reading() as session:
            assert set(session.exec(select(Plan.code).join(Cycle))) == {"kl01", "z-sound"}
            ((code, error),) = stuck(session, OPENED.date())
            assert (code, error.reason.code) == ("a-stuck", "problem.uncompilable")
            assert [each for each, _ in examine(session, OPENED, ZONE).stuck] == ["a-stuck"]
    with database.writing() as session:
        session.delete(session.exec(select(MilestoneDay)).one())
    go(database, folder, OPENED)
    with database.reading() as session:
        assert stuck(session, OPENED.date()) == []

"""Do the sample units go on living when the demo clock moves, as they would have in their history?"""

import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlmodel import Session, col

from dondoc import clock
from dondoc.database import Database
from dondoc.keys import secret_key
from dondoc.settings import Settings
from engine.round import Round, run
from engine.walk import walk
from models.cycle import Cycle
from models.submission import Submission
from models.task import Task, TaskState
from models.unit import Unit
from notifications.channels import carrier_for
from samples.history import demo, straight
from samples.life import Life
from tests.builders import ZONE, at

STARTED, ENDED = "2021-12-17", "2022-01-07"
First = tuple[str, str, str, date]


def played(folder: Path, until: str) -> Settings:
    settings = Settings.model_validate({"data": folder, "zone": ZONE})
    demo(settings, date.fromisoformat(until), straight(lambda _: None))
    return settings


@pytest.fixture(scope="module")
def beginning(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return played(tmp_path_factory.mktemp("life") / "beginning", STARTED).data


@pytest.fixture
def settings(beginning: Path, tmp_path: Path) -> Settings:
    shutil.copytree(beginning, tmp_path / "data")
    return Settings.model_validate({"data": tmp_path / "data", "zone": ZONE})


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    database = Database(settings.database)
    yield database
    database.close()


def go(database: Database, settings: Settings, to: str, life: Life | None) -> None:
    """Moves the clock as the page does."""
    carrier, key = carrier_for(settings), secret_key(settings.key)

    def live(moment: datetime) -> Round:
        clock.move(settings.clock, moment)
        if life:
            life(moment)
        return run(database, carrier, moment, zone=ZONE, url=settings.url, key=key)

    walk(database, clock.now(settings.clock), at(to, "08:15"), zone=ZONE, live=live)


def firsts(session: Session) -> set[First]:
    """The first versions: who, of what, when."""
    rows = session.execute(
        select(col(Unit.code), col(Cycle.obligation), col(Cycle.period), col(Submission.received_on))
        .join(Task, col(Task.unit_id) == col(Unit.id))
        .join(Cycle, col(Cycle.id) == col(Task.cycle_id))
        .join(Submission, col(Submission.task_id) == col(Task.id))
        .where(col(Submission.number) == 1)
    )
    return {(row[0], row[1], row[2], row[3]) for row in rows}


def states(database: Database) -> Counter[str]:
    with database.reading() as session:
        return Counter(session.scalars(select(col(Task.state))))


def test_whoever_would_have_handed_in_by_then_has_and_is_reviewed(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    before = states(database)
    go(database, settings, ENDED, Life(database, settings))
    history = Database(played(tmp_path / "history", ENDED).database)
    with database.reading() as session, history.reading() as other:
        assert firsts(session) == firsts(other)
    history.close()
    after = states(database)
    assert after[TaskState.ACCEPTED] > before[TaskState.ACCEPTED] + 40  # reviewed as well
    assert after[TaskState.OPEN] > 0  # some stay silent


def test_another_process_goes_on_where_the_first_one_ended(database: Database, settings: Settings) -> None:
    for day in ("2021-12-24", "2021-12-30", ENDED):
        go(database, settings, day, Life(database, settings))
    with database.reading() as session:
        in_pieces = firsts(session)
        newest = session.scalar(select(func.max(Submission.received_on)))
    assert newest is not None
    assert newest > date(2021, 12, 30)
    assert len(in_pieces) == len({each[:3] for each in in_pieces})


def test_without_them_nobody_hands_in(database: Database, settings: Settings) -> None:
    with database.reading() as session:
        before = firsts(session)
    go(database, settings, "2021-12-24", None)
    with database.reading() as session:
        assert firsts(session) == before

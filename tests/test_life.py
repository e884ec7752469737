"""Do the sample units go on living when the demo clock moves, as they would have in their history?"""

import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import literal, select
from sqlmodel import col

from dondoc import clock
from dondoc.database import Database
from dondoc.keys import secret_key
from dondoc.settings import Settings
from engine.round import Round, run
from engine.walk import walk
from models.cycle import Cycle
from models.deadline import Deadline
from models.extension import Exemption, Extension
from models.milestone import MilestoneDay
from models.submission import Review, Submission
from models.task import Task, TaskState
from models.unit import Unit
from notifications.channels import carrier_for
from samples.history import demo, straight
from samples.life import Life
from tests.builders import HEAD, ZONE, at, province, step_round

WAITING = (
    HEAD
    + """\
milestones:
  resolution: {title: {vi: Nghị quyết, en: Resolution}}
obligations:
  ethics:
    title: {vi: Rà soát chuẩn mực, en: Review of standards}
    source: II.3.3
    who: {kinds: [dang-bo-co-so]}
    every: year
    in: 2022..2025
    opens: {on: resolution}
    due: {after: resolution, working_days: 10}
"""
)
#: Over the end of the year: some ask for more time, one is let off, some answer what was sent back.
STARTED, ENDED = "2021-12-20", "2022-01-08"
Row = tuple[Any, ...]


def played(folder: Path, until: str) -> Settings:
    settings = Settings.model_validate({"data": folder, "zone": ZONE})
    demo(settings, date.fromisoformat(until), straight(lambda _: None))
    return settings


@pytest.fixture(scope="module")
def beginning(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return played(tmp_path_factory.mktemp("life") / "beginning", STARTED).data


@pytest.fixture(scope="module")
def in_history(tmp_path_factory: pytest.TempPathFactory) -> list[Row]:
    """What would have happened until then."""
    database = Database(played(tmp_path_factory.mktemp("history") / "history", ENDED).database)
    told = story(database)
    database.close()
    return told


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


def story(database: Database) -> list[Row]:
    """What people did on which day: versions, reviews, decisions; and where each task stands."""
    tasks = (
        select(col(Unit.code), col(Cycle.obligation), col(Cycle.period))
        .select_from(Task)
        .join(Unit, col(Unit.id) == col(Task.unit_id))
        .join(Cycle, col(Cycle.id) == col(Task.cycle_id))
    )
    submitted = tasks.join(Submission, col(Submission.task_id) == col(Task.id))
    queries = [
        submitted.add_columns(literal("hands in"), col(Submission.number), col(Submission.at)),
        submitted.join(Review, col(Review.submission_id) == col(Submission.id)).add_columns(
            col(Review.verdict), col(Submission.number), col(Review.at), col(Review.due_on)
        ),
        tasks.join(Extension, col(Extension.task_id) == col(Task.id)).add_columns(
            literal("is moved"), col(Extension.to_on), col(Extension.at)
        ),
        tasks.join(Exemption, col(Exemption.task_id) == col(Task.id)).add_columns(
            literal("is let off"), col(Exemption.at)
        ),
        tasks.join(Deadline, col(Deadline.id) == col(Task.deadline_id)).add_columns(
            literal("stands"), col(Task.state), col(Task.is_late), col(Deadline.due_on)
        ),
    ]
    with database.reading() as session:
        return sorted(
            (
                tuple(clock.today(each, ZONE) if isinstance(each, datetime) else each for each in row)
                for query in queries
                for row in session.execute(query)
            ),
            key=repr,
        )


def states(database: Database) -> Counter[str]:
    with database.reading() as session:
        return Counter(session.scalars(select(col(Task.state))))


def test_they_live_on_as_they_would_have_in_their_history(
    database: Database, settings: Settings, in_history: list[Row]
) -> None:
    before = states(database)
    go(database, settings, ENDED, Life(database, settings))
    assert story(database) == in_history
    told = Counter(word for row in in_history for word in row if isinstance(word, str))
    assert min(told[word] for word in ("returned", "is moved", "is let off")) > 0
    after = states(database)
    assert after[TaskState.ACCEPTED] > before[TaskState.ACCEPTED] + 40  # reviewed as well
    assert after[TaskState.OPEN] > 0  # some stay silent


def test_it_makes_no_difference_how_often_the_pages_are_started_anew(
    database: Database, settings: Settings, in_history: list[Row]
) -> None:
    day = date.fromisoformat(STARTED)
    while day < date.fromisoformat(ENDED):
        day += timedelta(days=1)
        go(database, settings, day.isoformat(), Life(database, settings))
    assert story(database) == in_history


def test_what_a_person_handed_in_is_left_to_persons(database: Database, settings: Settings) -> None:
    with database.reading() as session:
        waiting = select(Submission).join(Task, col(Task.id) == col(Submission.task_id))
        version = session.scalars(waiting.where(col(Task.state) == TaskState.SUBMITTED.value)).first()
    assert version is not None
    with database.writing() as session:
        session.get_one(Submission, version.id).key = "a person's own form"
    go(database, settings, "2021-12-29", Life(database, settings))
    with database.reading() as session:
        assert session.get_one(Task, version.task_id).state == TaskState.SUBMITTED


def test_without_them_nobody_hands_in(database: Database, settings: Settings) -> None:
    before = [row for row in story(database) if "hands in" in row]
    go(database, settings, "2022-01-04", None)
    assert [row for row in story(database) if "hands in" in row] == before


def test_the_office_enters_the_milestones_of_a_year_on_their_day_or_at_the_first_look_after_it(
    sqlite_template: Path, tmp_path: Path
) -> None:
    settings = Settings.model_validate({"data": tmp_path, "zone": ZONE})
    shutil.copyfile(sqlite_template, tmp_path / "dondoc.sqlite")
    database = Database(settings.database)
    province(database, WAITING, "2021-10-01")

    def entered_at(*looks: datetime) -> list[tuple[str, date]]:
        life = Life(database, settings)
        for now in looks:
            life(now)
        for_all = select(col(MilestoneDay.period), col(MilestoneDay.on)).where(col(MilestoneDay.unit_id).is_(None))
        with database.reading() as session:
            return list(session.execute(for_all.order_by(col(MilestoneDay.id))).tuples())

    assert entered_at(at("2021-12-01", "15:00"), at("2022-01-20", "07:00")) == []
    assert entered_at(at("2022-01-20", "08:00")) == [("2022", date(2022, 1, 20))]
    opened, _ = step_round(database, at("2022-01-20", "08:00"))
    assert (opened.cycles, opened.tasks) == (1, 2)
    assert entered_at(at("2022-01-20", "15:00"), at("2022-01-21", "15:00")) == [("2022", date(2022, 1, 20))]
    assert entered_at(at("2023-02-01", "00:00"))[1:] == [("2023", date(2023, 1, 27))]  # after Tết
    database.close()

"""Is the sample's history what the engine's acts would have made of it, and is a playground never half made?"""

import shutil
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import pytest
from sqlmodel import col, func, select

from dondoc import clock
from dondoc.database import Database
from dondoc.settings import Settings
from engine.errors import RefusedError
from models.day import calendar_of
from models.deadline import Deadline, Origin
from models.entry import breaks
from models.message import Message, MessageState
from models.submission import Review, ReviewVerdict, Submission
from models.task import Task, TaskState
from notifications.channels.eml import EmlCarrier
from samples.history import Month, Player, demo, is_played, straight
from tests.builders import YEARLY, ZONE, everything, province

#: More units than the province has, so that one asks for more time, and a month for each of their habits to show.
MONTHLY = YEARLY.replace("every: year\n    in: 2021..2025", "every: month\n    in: 2021-11..2022-12").replace(
    "due: {end_of: Q3}\n    except: {2021: {due: {end_of: M12}, why: II.8.3}}", "due: {end_of: period}"
)
UNITS: dict[str, tuple[str, str, str | None, str]] = {
    "duk": ("Đảng ủy Khối", "dang-uy-khoi", None, "contact head secretariat standing")
} | {f"u{n}": (f"Chi bộ {n}", "chi-bo-co-so", "duk", "contact head") for n in range(30)}


def lived(template: Path, folder: Path, *, one_by_one: bool) -> Database:
    """Half a year in the life of thirty cells."""
    shutil.copyfile(template, folder / "dondoc.sqlite")
    database = Database(f"sqlite:///{folder / 'dondoc.sqlite'}")
    province(database, MONTHLY, "2021-10-01", UNITS)
    player = Player(
        database, Settings.model_validate({"data": folder}), EmlCarrier(folder, "a@example.org", "a"), one_by_one
    )
    player.live(date(2021, 10, 1), date(2022, 3, 1))
    return database


@pytest.fixture(scope="module")
def at_once(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = lived(sqlite_template, tmp_path_factory.mktemp("at-once"), one_by_one=False)
    yield database
    database.close()


@pytest.mark.slow
def test_acts_at_once_leave_the_same_rows_as_the_acts_one_by_one(
    at_once: Database, sqlite_template: Path, tmp_path: Path
) -> None:
    one_by_one = lived(sqlite_template, tmp_path, one_by_one=True)
    with one_by_one.reading() as session, at_once.reading() as other:
        assert list(breaks(other)) == []
        rows, same = everything(session), everything(other)
    one_by_one.close()
    assert len(rows["submission"]) > 100
    for table in rows:
        assert rows[table] == same[table], table


@pytest.mark.slow
def test_history_has_a_bit_of_everything_and_reviewers_keep_their_days_off(at_once: Database) -> None:
    with at_once.reading() as session:
        states = dict(session.exec(select(Task.state, func.count()).group_by(Task.state)).all())
        assert {TaskState.ACCEPTED, TaskState.OPEN, TaskState.MISSED} <= states.keys()
        late = dict(session.exec(select(Task.is_late, func.count()).group_by(col(Task.is_late))).all())
        assert late[False] > 4 * late[True] > 0
        extended = session.exec(select(Deadline).where(Deadline.origin == Origin.EXTENSION)).all()
        assert len({each.cycle_id for each in extended}) >= 3
        assert session.exec(select(Review).where(Review.verdict == ReviewVerdict.RETURNED)).all()
        calendar = calendar_of(session, "vn-state")
        for table in (Review, Submission):
            assert all(calendar.is_working(clock.today(at, ZONE)) for at in session.exec(select(table.at)))
        waiting = select(Message).where(col(Message.state) != MessageState.SENT.value)
        assert session.exec(waiting).all() == []


def test_a_start_that_was_killed_is_begun_anew_or_brought_to_its_end(tmp_path: Path) -> None:
    office, beside = Settings.model_validate({"data": tmp_path / "demo"}), tmp_path / ".demo.making"
    (office.data / "prefect").mkdir(parents=True)  # its server was started first, to show how history is played
    beside.mkdir()
    (beside / "dondoc.sqlite").write_text("half played")
    told: list[str] = []

    def killed(months: Sequence[Month], _: Database) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        demo(office, date(2021, 10, 4), killed)
    assert not is_played(office)
    demo(office, date(2021, 10, 4), straight(told.append))
    assert told == ["tháng 10/2021: 2 đợt, 120 nhiệm vụ, 0 bản nộp, 61 tin"]
    assert sorted(path.name for path in office.data.iterdir() if path.name != "messages") == [
        "clock", "dondoc.sqlite", "key", "prefect", "zalo"
    ]  # fmt: skip
    assert not beside.exists()
    beside.mkdir()
    (office.data / "clock").replace(beside / "clock")  # as if it had been killed while moving
    assert not is_played(office)
    demo(office, date(2021, 10, 4), killed)
    assert is_played(office)
    assert clock.now(office.clock) == clock.moment(date(2021, 10, 4), "08:15", ZONE)
    assert not beside.exists()


def test_somebodys_office_is_no_playground(tmp_path: Path) -> None:
    (tmp_path / "dondoc.sqlite").touch()
    with pytest.raises(RefusedError):
        is_played(Settings.model_validate({"data": tmp_path}))

"""Does trouble around the program end in clear words, with nothing half done and nothing doubled?"""

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event
from sqlmodel import col, select

from dondoc import clock
from dondoc.cli import main
from dondoc.database import Database
from dondoc.lock import TakenError, held
from models.message import Message
from models.notice import Notice
from models.step import Step, StepKind, StepState
from tests.builders import at, everything, province, task_of
from tests.conftest import Postgres

ROOT = Path(__file__).parent.parent
NOBODY = 65534
ANSWERS = ("--answer", "studied=86", "--answer", "results=Tổ chức 4 buổi.")
Ask = Callable[..., str]


@pytest.fixture
def office(database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Database:
    """The small province on the day on which the yearly report of 2021 opens, by its demo clock."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DONDOC_DATABASE_URL", database.url)
    (tmp_path / "data").mkdir()
    stand(at("2021-12-01"))
    province(database)
    return database


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Ask:
    def ask(*words: str) -> str:
        code = main(words)
        output = capsys.readouterr()
        assert (code, output.err) == (0, "")
        return output.out

    return ask


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Ask:
    def ask(*words: str) -> str:
        assert main(words) == 1
        output = capsys.readouterr()
        assert output.out == ""
        return output.err

    return ask


def stand(moment: Any) -> None:
    clock.move(Path("data") / "clock", moment)


def rows(database: Database) -> dict[str, list[Any]]:
    with database.reading() as session:
        return everything(session)


# The folder and the disk


@contextmanager
def as_somebody_else() -> Iterator[None]:
    """Without the rights of root, for whom no folder is closed."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def closed(sqlite_template: Path, monkeypatch: pytest.MonkeyPatch, say: Ask) -> Iterator[Path]:
    """A data folder with an office, which its user may read and nothing more."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        data.mkdir()
        (data / "dondoc.sqlite").write_bytes(sqlite_template.read_bytes())
        database = Database(f"sqlite:///{data}/dondoc.sqlite")
        province(database)
        database.close()
        monkeypatch.chdir(folder)
        stand(at("2021-12-01"))
        # Whatever a command imports is imported now: afterwards not even Python's own folder may be open to the reader.
        for words in (
            ("status",),
            ("doctor",),
            ("round", "--now", "2021-11-01"),
            ("messages", "test", "a@example.org"),
        ):
            say(*words)
        monkeypatch.setenv("DONDOC_DATA", "other")
        say("init")
        monkeypatch.delenv("DONDOC_DATA")
        shutil.rmtree(data / "messages")
        for path, mode in ((folder, 0o755), (data / "key", 0o644), (data / "dondoc.sqlite", 0o444), (data, 0o555)):
            os.chmod(path, mode)  # noqa: PTH101  # the folder of tempfile is a str
        yield data
        data.chmod(0o755)


def test_a_read_only_folder_is_named_and_can_still_be_looked_at(closed: Path, say: Ask, refused: Ask) -> None:
    with as_somebody_else():
        said = refused("round")
        assert said.startswith("cơ sở dữ liệu không dùng được: attempt to write a readonly database\n")
        assert "Thư mục dữ liệu (DONDOC_DATA) cần ghi được" in said
        assert "0 đợt" in say("status")
        assert f"! thư mục dữ liệu {closed} không ghi được" in say("doctor")
        said = refused("messages", "test", "van-thu.stc@example.org")
        assert "messages: Permission denied\nThư mục dữ liệu (DONDOC_DATA) cần ghi được" in said


def test_a_new_office_in_a_closed_folder_is_refused(
    closed: Path, refused: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DONDOC_DATA", str(closed / "new"))
    with as_somebody_else():
        assert "new: Permission denied" in refused("init")
        assert "new: Permission denied" in refused("demo", "--no-serve")


@contextmanager
def full_disk() -> Iterator[None]:
    """No SQLite file may grow: what the database says is what it says of a full disk."""

    def limit(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA max_page_count = 1")

    event.listen(Engine, "connect", limit)
    try:
        yield
    finally:
        event.remove(Engine, "connect", limit)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_full_disk_undoes_the_round_and_the_next_one_completes_it(office: Database, say: Ask, refused: Ask) -> None:
    with full_disk():
        said = refused("round")
    assert said.startswith("cơ sở dữ liệu không dùng được: database or disk is full\nĐĩa đầy")
    assert "nguyên vẹn" in say("db", "check")
    assert "nguyên vẹn" in say("audit", "verify")
    say("round")
    assert_once(office)


def test_a_file_that_does_not_fit_leaves_nothing_behind(office: Database, say: Ask, tmp_path: Path) -> None:
    say("round")
    with office.reading() as session:
        task = str(task_of(session, "stc", "2021").id)
    (tmp_path / "report.pdf").write_bytes(b"%PDF-1.7 " + bytes(300_000) + b" %%EOF")
    before = rows(office)
    command = [sys.executable, "-m", "dondoc", "task", "submit", task, *ANSWERS, "--file", "report.pdf"]
    env = {"PYTHONPATH": str(ROOT), "DONDOC_DATABASE_URL": office.url, "PYTHONDONTWRITEBYTECODE": "1"}

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    ran = subprocess.run(
        command,
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=limit,
    )
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "File too large\nĐĩa đầy" in ran.stderr
    assert rows(office) == before
    assert [path for path in (tmp_path / "data" / "files").rglob("*") if path.is_file()] == []


def test_the_doctor_sees_a_disk_that_is_nearly_full(
    office: Database, say: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dondoc.cli import care

    assert "chỉ còn" not in say("doctor")
    monkeypatch.setattr(care, "LITTLE", 10**12)
    assert "! đĩa của" in say("doctor")


def test_a_key_that_is_none_is_told(office: Database, refused: Ask) -> None:
    (Path("data") / "key").write_bytes(b"short")
    assert "expected a key of 32 bytes, got 5" in refused("round")


# The clock


def life(template: Path, folder: Path, days: list[date]) -> dict[str, Any]:
    """What an office has done after a round on each of these days, whatever their order."""
    folder.mkdir()
    path = folder / "dondoc.sqlite"
    path.write_bytes(template.read_bytes())
    database = Database(f"sqlite:///{path}")
    province(database)
    os.environ["DONDOC_DATA"] = str(folder)
    try:
        for day in days:
            clock.move(folder / "clock", at(day.isoformat(), "08:00"))
            assert main(("round", "--json")) == 0
    finally:
        del os.environ["DONDOC_DATA"]
    with database.reading() as session:
        told = session.exec(select(Notice.task_id, Notice.contact_id, Notice.kind, Notice.rung)).all()
        steps = session.exec(select(Step.deadline_id, Step.kind, Step.ordinal, Step.state)).all()
        messages = session.exec(select(Message.reference)).all()
    database.close()
    return {"told": sorted(told), "steps": sorted(steps), "messages": sorted(messages)}


def test_a_clock_that_jumps_a_day_back_and_forward_doubles_and_loses_nothing(
    sqlite_template: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    days = [date(2021, 12, 1) + timedelta(days=count) for count in (0, 1, 15, 16, 17, 23, 24, 28, 30, 31, 33, 34, 36)]
    straight = life(sqlite_template, tmp_path / "straight", days)
    jumping = [moment for day in days for moment in (day, day - timedelta(days=1), day)]
    assert life(sqlite_template, tmp_path / "jumping", jumping) == straight
    assert len(straight["told"]) > 20
    capsys.readouterr()


def test_the_doctor_tells_rounds_that_never_came_are_late_or_lie_in_the_future(office: Database, say: Ask) -> None:
    assert "! chưa có vòng nào" in say("doctor")
    stand(at("2021-12-02", "08:00"))
    say("round")
    assert "! vòng cuối" not in say("doctor")
    stand(at("2021-12-02", "08:15"))
    assert "! vòng cuối" not in say("doctor")
    stand(at("2021-12-02", "08:16"))
    assert "! vòng cuối đã quá 15 phút (08:16, thứ Năm 02/12/2021 (GMT+7))" in say("doctor")
    stand(at("2021-12-01", "08:00"))
    assert "đồng hồ của máy đã lùi" in say("doctor")
    say("round")
    assert "! vòng cuối" not in say("doctor")


# A database server that goes away


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
@pytest.mark.parametrize("moment", ["INSERT INTO task", "INSERT INTO notice", "UPDATE message", "INSERT INTO attempt"])
def test_a_server_restarted_in_the_middle_of_a_round_costs_that_round_alone(
    office: Database, postgres: Postgres, say: Ask, refused: Ask, moment: str
) -> None:
    gone: list[str] = []

    def restart(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.lstrip().startswith(moment) and not gone:
            gone.append(statement)
            postgres.restart()

    event.listen(Engine, "before_cursor_execute", restart)
    try:
        said = refused("round")
    finally:
        event.remove(Engine, "before_cursor_execute", restart)
    assert "Máy chủ cơ sở dữ liệu đã ngắt giữa chừng; không có gì dở dang" in said
    say("round")
    stand(at("2021-12-01", "08:20"))  # a message that was claimed waits for its lease
    say("round")
    assert not any(json.loads(say("round", "--json")).values())
    assert_once(office)
    assert "nguyên vẹn" in say("audit", "verify")


def assert_once(database: Database) -> None:
    """One word that the work is open to each of the five who can be told, by one message each."""
    with database.reading() as session:
        is_opening = (col(Step.kind) == StepKind.REMIND.value, col(Step.ordinal) == 0)
        assert session.exec(select(Step).where(*is_opening)).one().state == StepState.FIRED
        told = session.exec(select(Notice.message_id)).all()
        assert len(told) == len(set(told)) == 5
        assert set(told) == set(session.exec(select(Message.id)).all())


# Two on one folder


def test_a_second_serve_on_one_data_folder_is_refused(office: Database, refused: Ask) -> None:
    with held(Path("data")):
        assert "một dondoc khác đang chạy trên thư mục này" in refused("serve")
        assert "một dondoc khác đang chạy trên thư mục này" in refused("demo", "--no-serve")


def test_everything_together_needs_a_port_that_is_known_before(office: Database, refused: Ask) -> None:
    assert "--port: cần một cổng từ 1 đến 65535, gặp 0" in refused("serve", "--port", "0")


def test_what_a_holder_started_does_not_hold_the_folder(tmp_path: Path) -> None:
    with held(tmp_path):
        child = subprocess.Popen(["sleep", "60"])
        with pytest.raises(TakenError), held(tmp_path):
            pytest.fail("held twice")
    try:
        with held(tmp_path):
            assert list(tmp_path.iterdir()) == []
    finally:
        child.kill()
        child.wait()

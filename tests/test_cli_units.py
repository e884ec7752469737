"""Does the command that closes a unit show what would happen before it does it?"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from dondoc import clock
from dondoc.cli import main
from dondoc.database import Database
from tests.builders import at, province, step_round, task_of

Say = Callable[..., tuple[int, str, str]]


@pytest.fixture
def database(
    sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Database:  # fmt: skip
    """The sample province on 20 December 2021, in the data folder of the commands."""
    (tmp_path / "dondoc.sqlite").write_bytes(sqlite_template.read_bytes())
    monkeypatch.setenv("DONDOC_DATA", str(tmp_path))
    clock.move(tmp_path / "clock", at("2021-12-20"))
    database = Database(f"sqlite:///{tmp_path / 'dondoc.sqlite'}")
    province(database)
    step_round(database, at("2021-12-01"))
    return database


@pytest.fixture
def say(database: Database, capsys: pytest.CaptureFixture[str]) -> Say:
    def ask(*words: str) -> tuple[int, str, str]:
        code = main(words)
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return ask


def test_closing_shows_what_becomes_of_each_open_task_and_does_nothing_yet(say: Say, database: Database) -> None:
    code, out, _ = say("units", "close", "stc", "--heir", "snv-1")
    assert code == 0
    head, row, last = out.splitlines()
    assert head == "Chi bộ Sở Tài chính (stc) thôi hoạt động từ 20/12/2021; 1 nhiệm vụ chưa xong:"
    assert row.split("  ")[-1] == "giao cho Chi bộ Văn phòng Sở Nội vụ"
    assert last == "Chưa làm gì. Thêm --yes để làm."
    with database.reading() as session:
        assert task_of(session, "stc", "2021").state == "open"


def test_with_yes_the_heir_owes_it(say: Say, database: Database) -> None:
    assert say("units", "close", "stc", "--heir", "snv-1", "--yes")[1].endswith("Đã làm.\n")
    with database.reading() as session:
        assert task_of(session, "snv-1", "2021").state == "open"
    assert "stc" not in say("units", "tree")[1].split()


def test_an_heir_who_owes_the_same_gets_nothing_more(say: Say) -> None:
    assert say("units", "close", "stc", "--heir", "stt")[1].splitlines()[1].endswith("hủy")


def test_without_an_heir_a_note_says_why_it_falls_away(say: Say, database: Database) -> None:
    code, _, err = say("units", "close", "stc")
    assert (code, "--heir" in err, "--note" in err) == (2, True, True)
    assert say("units", "close", "stc", "--note", "Giải thể theo QĐ 12", "--yes")[0] == 0
    with database.reading() as session:
        assert task_of(session, "stc", "2021").state == "cancelled"


def test_what_waits_for_review_stays(say: Say) -> None:
    assert say("task", "submit", "1", "--answer", "studied=86", "--answer", "results=x")[0] == 0
    assert say("units", "close", "stc", "--note", "x")[1].splitlines()[1].endswith("đã nộp, chờ duyệt: giữ nguyên")


def test_a_unit_with_units_below_is_refused(say: Say) -> None:
    code, out, err = say("units", "close", "snv", "--heir", "stc")
    assert (code, out) == (1, "")
    assert "snv-1" in err


def test_a_task_shows_the_acts_that_have_a_command_with_its_name(say: Say) -> None:
    line = next(line for line in say("task", "show", "1")[1].splitlines() if "có thể" in line)
    assert line.strip() == (
        "có thể: nộp (submit), ghi nhận bản giấy (record), gia hạn (extend), miễn (exempt)"
    )  # fmt: skip
    assert "cancel" in json.loads(say("task", "show", "1", "--json")[1])["allowed"]

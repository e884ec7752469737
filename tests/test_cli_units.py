"""Does the command that closes a unit show what would happen before it does it?"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlmodel import col, select

from dondoc import clock
from dondoc.cli import main
from dondoc.database import Database
from models.contact import Contact
from tests.builders import at, province, step_round, task_of, unit_id

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
    assert row.split("  ")[-1] == "giao cho snv-1"
    assert last == "Chưa làm gì. Thêm --yes để làm."
    with database.reading() as session:
        assert task_of(session, "stc", "2021").state == "open"


def test_with_yes_the_heir_owes_it(say: Say, database: Database) -> None:
    assert say("units", "close", "stc", "--heir", "snv-1", "--yes")[1].endswith("Đã làm.\n")
    with database.reading() as session:
        assert task_of(session, "snv-1", "2021").state == "open"
    assert "stc" not in say("units", "tree")[1].split()


def test_an_heir_who_owes_the_same_gets_nothing_more(say: Say) -> None:
    assert say("units", "close", "stc", "--heir", "stt")[1].splitlines()[1].endswith("hủy: stt đã có việc này")


def test_without_an_heir_a_note_says_why_it_falls_away(say: Say, database: Database) -> None:
    code, _, err = say("units", "close", "stc")
    assert (code, "--heir" in err, "--note" in err) == (2, True, True)
    assert say("units", "close", "stc", "--note", "Giải thể theo QĐ 12", "--yes")[0] == 0
    with database.reading() as session:
        assert task_of(session, "stc", "2021").state == "cancelled"


def test_what_waits_for_review_stays(say: Say) -> None:
    assert say("task", "submit", "1", "--answer", "studied=86", "--answer", "results=x")[0] == 0
    assert say("units", "close", "stc", "--note", "x")[1].splitlines()[1].endswith("đã nộp, chờ duyệt: giữ nguyên")


def test_a_unit_with_units_below_closes_only_in_favour_of_an_heir(say: Say) -> None:
    code, out, err = say("units", "close", "snv", "--note", "x")
    assert (code, out) == (1, "")
    assert "snv-1" in err
    assert say("units", "close", "snv", "--heir", "stc", "--yes")[0] == 0
    assert "    stc  Chi bộ Sở Tài chính  (chi-bo-co-so)\n      snv-1  " in say("units", "tree")[1]


def test_units_merge_split_and_move_after_a_look(say: Say, database: Database) -> None:
    words = ("units", "merge", "stc", "stt", "--into", "tt-tc", "--name", "Chi bộ Thanh tra - Tài chính")
    shown = say(*words, "--reason", "QĐ 12")[1].splitlines()
    assert shown[0].startswith("stc, stt sáp nhập vào tt-tc từ 20/12/2021; 2 nhiệm vụ chưa xong")
    assert [line.split("  ")[-1] for line in shown[1:3]] == ["giao cho tt-tc", "hủy: tt-tc đã có việc này"]
    assert "tt-tc" not in say("units", "tree")[1]
    assert say(*words, "--reason", "QĐ 12", "--yes")[0] == 0
    with database.reading() as session:
        assert task_of(session, "tt-tc", "2021").state == "open"
    parts = ("--into", "snv-3=Chi bộ Ba", "--into", "snv-4=Chi bộ Bốn")
    told = say("units", "split", "snv-1", *parts, "--reason", "QĐ 13", "--yes")[1]
    assert told.splitlines()[0].startswith("snv-1 tách thành snv-3, snv-4")
    day = ("--on", "2022-01-01")
    told = say("units", "move", "snv-3", "--under", "syt", *day, "--reason", "QĐ 14", "--yes")[1]
    assert "Đảng bộ Sở Nội vụ → Đảng bộ Sở Y tế" in told
    assert "syt  Đảng bộ Sở Y tế  (dang-bo-co-so)\n      snv-3" in say("units", "tree", "--on", "2022-01-01")[1]
    assert say("units", "rename", "syt", "Đảng bộ Y tế", "--reason", "QĐ 15")[1] == "Đảng bộ Sở Y tế → Đảng bộ Y tế\n"
    assert say("units", "rename", "syt", "Y tế", *day, "--reason", "QĐ 16")[1] == "Y tế, từ 01/01/2022\n"
    named = ("units", "move", "snv-4", "--under", "syt", *day, "--name", "Chi bộ 4", "--reason", "QĐ 17", "--yes")
    assert "Chi bộ Bốn → Chi bộ 4" in say(*named)[1].splitlines()
    listed = say("units", "changes")[1]
    assert ("syt; tên mới: Y tế  " in listed, "snv-4, snv, syt; tên mới: Chi bộ 4  " in listed) == (True, True)
    number = next(line.split()[0] for line in listed.splitlines() if "Y tế" in line)
    assert "Không mang tên mới nữa: syt" in say("units", "call-off", number, "--reason", "QĐ 18", "--yes")[1]
    assert say("units", "close", "tt-tc", "--note", "x", "--give", "sai")[0] == 2


def test_who_cannot_be_told_is_listed(say: Say, database: Database) -> None:
    with database.writing() as session:
        for code in ("stc", "stt"):
            id_ = unit_id(session, code)
            contact = session.exec(
                select(Contact).where(col(Contact.unit_id) == id_, col(Contact.role) == "head")
            ).one()
            contact.email = "Chung@example.org" if code == "stc" else "chung@example.org"
    told = json.loads(say("units", "contacts", "--json")[1])
    assert [each["unit"] for each in told["unreachable"]] == ["cam", "tinh-uy"]
    held = [{"unit": "stc", "role": "head"}, {"unit": "stt", "role": "head"}]
    assert told["doubled"] == [{"way": "email", "address": "chung@example.org", "contacts": held}]
    assert "chung@example.org  stc (người đứng đầu), stt (người đứng đầu)" in say("units", "contacts")[1]


def test_an_import_can_be_looked_at_first(say: Say, tmp_path: Path) -> None:
    sheet = tmp_path / "units.csv"
    sheet.write_text("code,name,kind,parent\nstc,Chi bộ Tài chính,chi-bo-co-so,duk\nmoi,Mới,chi-bo-co-so,duk\n")
    shown = say("units", "import", str(sheet), "--preview")[1]
    assert "2     stc  đổi tên     Chi bộ Sở Tài chính → Chi bộ Tài chính" in shown
    assert "Chi bộ Tài chính" not in say("units", "tree")[1]
    assert "cần một lý do" in "".join(map(str, say("units", "import", str(sheet))))
    say("units", "import", str(sheet), "--reason", "QĐ 12")
    assert say("units", "import", str(sheet), "--preview")[1] == "Tệp không có gì mới.\n"


def test_a_task_shows_the_acts_that_have_a_command_with_its_name(say: Say) -> None:
    line = next(line for line in say("task", "show", "1")[1].splitlines() if "có thể" in line)
    assert line.strip() == (
        "có thể: nộp (submit), ghi nhận bản giấy (record), gia hạn (extend), miễn (exempt)"
    )  # fmt: skip
    assert "cancel" in json.loads(say("task", "show", "1", "--json")[1])["allowed"]


def test_a_coming_change_is_listed_shown_and_called_off(say: Say, database: Database) -> None:
    assert say("units", "changes")[1] == "Không có thay đổi nào sắp tới.\n"
    assert say("units", "close", "stc", "--on", "2022-01-05", "--heir", "stt", "--yes")[0] == 0
    (found,) = json.loads(say("units", "changes", "--json")[1])
    assert (found["act"], found["unit"], found["on"], found["heir"]) == ("unit_closed", "stc", "2022-01-05", "stt")
    number = f"{found['number']}"
    assert "05/01/2022  Thôi hoạt động  stc, stt" in say("units", "changes")[1]
    shown = say("units", "call-off", number, "--reason", "QĐ 13")[1].splitlines()
    assert shown[1:] == ["Vẫn hoạt động như trước: stc", "Chưa làm gì. Thêm --yes để làm."]
    assert say("units", "call-off", number, "--reason", "QĐ 13", "--yes")[1].endswith("Đã làm.\n")
    assert json.loads(say("units", "changes", "--json")[1]) == []
    code, _, err = say("units", "call-off", number, "--reason", "QĐ 13", "--yes")
    assert (code, "đã được bãi bỏ" in err) == (1, True)
    assert say("units", "call-off", "1", "--reason", "x")[0] == 1

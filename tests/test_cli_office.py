"""Does the command line do what the engine does: a new office, its plans and units, the acts, the rounds, the care?"""

import json
import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from sqlalchemy import text as sql

from dondoc import clock
from dondoc.cli import main
from dondoc.database import Database
from models.contact import Contact
from models.entry import append
from notifications.channels.email import EmailCarrier
from schedules import shipped
from tests.builders import ZONE, at, province, task_of
from tests.sinks import QUEUED, free_port, running

ROOT = Path(__file__).parent.parent
UNITS = str(ROOT / "samples" / "units.csv")
PLAN = str(shipped.plans()["kl01-khoi"])
NOTHING = {"cycles": 0, "tasks": 0, "steps": 0, "notices": 0, "messages": 0}
NO_TRIES = {"sent": 0, "waiting": 0, "refused": 0, "unknown": 0}
ANSWERS = ("--answer", "studied=86", "--answer", "results=Tổ chức 4 buổi sinh hoạt chuyên đề.")
Say = Callable[..., str]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Say:
    """What a command that is taken prints; here is an empty folder."""
    monkeypatch.chdir(tmp_path)

    def ask(*words: str) -> str:
        code = main(words)
        output = capsys.readouterr()
        assert (code, output.err) == (0, "")
        return output.out

    return ask


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Say:
    monkeypatch.chdir(tmp_path)

    def ask(*words: str) -> str:
        assert main(words) == 1
        output = capsys.readouterr()
        assert output.out == ""
        return output.err

    return ask


@pytest.fixture
def playground(database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Database:
    """The small province on the day on which the yearly report of 2021 opens, by its demo clock."""
    province(database)
    (tmp_path / "data").mkdir()
    clock.move(tmp_path / "data" / "clock", at("2021-12-01"))
    monkeypatch.setenv("DONDOC_DATABASE_URL", database_url)
    return database


@pytest.fixture
def task(playground: Database, say: Say) -> str:
    """The number of the finance department's yearly report."""
    say("round")
    with playground.reading() as session:
        return str(task_of(session, "stc", "2021").id)


def told(output: str) -> Any:
    return json.loads(output)


# A new office


def test_a_new_office_has_its_folder_key_tables_and_calendar_and_says_what_comes_next(say: Say, tmp_path: Path) -> None:
    first = say("init")
    assert "dondoc units import" in first
    invitation = re.compile(r"Liên kết mời cho admin: http://127\.0\.0\.1:8000/invite/\S+\n")
    assert invitation.search(first)
    assert "dondoc messages test" in first
    data = tmp_path / "data"
    key = (data / "key").read_bytes()
    assert (data.stat().st_mode & 0o777, (data / "key").stat().st_mode & 0o777) == (0o700, 0o600)
    again = say("init")  # a second time changes nothing but the way in, which nobody has taken so far
    assert invitation.sub("", again) == invitation.sub("", first)
    assert again != first
    assert (data / "key").read_bytes() == key
    assert "không có gì thay đổi" in say("calendars", "apply", str(shipped.calendars()["vn-state"]))
    assert say("db", "check") == "Cơ sở dữ liệu nguyên vẹn.\n"


def test_a_folder_with_something_else_in_it_is_left_alone(refused: Say, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "thesis.txt").write_text("mine")
    assert "cần một thư mục trống" in refused("init")
    assert "cần một thư mục trống" in refused("demo", "--no-serve")
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["thesis.txt"]


def test_a_new_office_is_refused_on_tables_of_a_newer_program_and_with_a_key_that_is_none(
    say: Say, refused: Say, tmp_path: Path
) -> None:
    say("init")
    (tmp_path / "data" / "key").write_bytes(b"short")
    assert "expected a key of 32 bytes" in refused("init")
    (tmp_path / "data" / "key").write_bytes(bytes(32))
    database = Database(f"sqlite:///{tmp_path}/data/dondoc.sqlite")
    with database.writing() as session:
        session.execute(sql("UPDATE alembic_version SET version_num = '9999'"))
    database.close()
    assert "mới hơn chương trình" in refused("init")


def test_a_playground_never_becomes_an_office(playground: Database, refused: Say) -> None:
    assert "là một sân thử" in refused("init")


def test_units_then_plan_come_in_and_a_second_time_changes_nothing(say: Say, refused: Say) -> None:
    say("init")
    assert "duk" in refused("plans", "apply", PLAN)  # its issuer is not there yet
    assert "Chưa có kế hoạch" in say("plans", "list")
    count = len(Path(UNITS).read_text(encoding="utf-8").splitlines()) - 1
    assert say("units", "import", UNITS).startswith(f"Thêm hoặc đổi: {count} đơn vị")
    assert say("units", "import", UNITS) == "Thêm hoặc đổi: 0 đơn vị, 0 vị trí, 0 đầu mối.\n"
    assert say("units", "tree", "--on", "2021-12-01").splitlines()[:2] == [
        "tinh-uy  Tỉnh ủy  (tinh-uy)",
        "  duk  Đảng ủy Khối các cơ quan tỉnh  (dang-uy-khoi)",
    ]
    applied = say("plans", "apply", PLAN, "--from", "2021-10-01", "--reason", "thử")
    assert applied == "Kế hoạch kl01-khoi: bản 1 có hiệu lực, áp dụng từ 01/10/2021.\n"
    assert say("plans", "apply", PLAN, "--from", "2021-10-01") == "Kế hoạch kl01-khoi: không có gì thay đổi.\n"
    assert "kl01-khoi" in say("plans", "list")
    assert told(say("check", "--json", PLAN))["problems"] == []


def test_a_sheet_or_a_plan_with_faults_is_refused_whole_with_every_place(
    say: Say, refused: Say, tmp_path: Path
) -> None:
    say("init")
    (tmp_path / "bad.csv").write_text("code,name,kind,parent\na,A,x,\nb,,x,a\nc,C,x,nobody\n", encoding="utf-8")
    found = refused("units", "import", "bad.csv").splitlines()
    assert [line.split(" ")[0] for line in found] == ["bad.csv:3:2:", "bad.csv:4:4:"]
    assert say("units", "tree") == ""
    found = refused("plans", "apply", str(ROOT / "tests" / "data" / "bad" / "twelve.yaml")).splitlines()
    assert len(found) == 12
    assert "none.yaml: No such file" in refused("plans", "apply", "none.yaml")
    assert "none.csv: No such file" in refused("units", "import", "none.csv")
    assert "none.yaml:1:1" in refused("calendars", "apply", "none.yaml")


# The database


def test_tables_that_are_missing_older_or_newer_are_named_with_the_remedy(
    say: Say, refused: Say, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "dondoc.sqlite").touch()
    assert "chưa có bảng; tạo bảng: dondoc db upgrade" in refused("status")
    assert say("db", "upgrade") == "Các bảng đã được nâng cấp.\n"
    assert "không có gì phải làm" in say("db", "upgrade")
    database = Database(f"sqlite:///{tmp_path}/data/dondoc.sqlite")
    with database.writing() as session:
        session.execute(sql("UPDATE alembic_version SET version_num = '9999'"))
    database.close()
    assert "mới hơn chương trình" in refused("status")
    assert "mới hơn chương trình" in refused("db", "upgrade")
    (tmp_path / "data" / "dondoc.sqlite").write_bytes(b"no database at all" * 100)
    assert "cơ sở dữ liệu không dùng được" in refused("status")


def test_a_database_server_that_is_not_there_is_no_traceback(refused: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DONDOC_DATABASE_URL", "postgresql+psycopg://nobody@127.0.0.1:9/none")
    assert refused("status").startswith("cơ sở dữ liệu không dùng được")
    monkeypatch.setenv("DONDOC_DATABASE_URL", "not an address")
    assert refused("status").startswith("DONDOC_DATABASE_URL: cần một địa chỉ")


# Rounds


def test_a_round_prints_what_it_added_and_a_second_one_adds_nothing(playground: Database, say: Say) -> None:
    added = told(say("round", "--json"))
    tries = {name: added.pop(name) for name in NO_TRIES}
    assert tries == NO_TRIES | {"sent": added["messages"]}
    assert {name: count > 0 for name, count in added.items()} == dict.fromkeys(NOTHING, True)
    assert (added["cycles"], added["tasks"]) == (1, 6)
    assert told(say("round", "--json")) == NOTHING | NO_TRIES
    assert "Thêm: 0 đợt" in say("round")


def test_a_round_says_what_went_out_and_what_waits_and_status_since_when_and_why(
    playground: Database, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    carrier = EmailCarrier(f"smtp://127.0.0.1:{port}", "dondoc@example.org", "Văn phòng")
    monkeypatch.setattr("dondoc.cli.rounds.channels_of", lambda *_: carrier)
    assert "Gửi: 0 tin đã đi, 5 tin còn chờ, 0 tin bị từ chối, 0 tin không rõ." in say("round")
    for command in (("status",), ("status", "--plan", "kl01")):
        shown = say(*command)
        assert "trong đó 5 tin chưa đi" in shown
        assert "5 tin qua e-mail: máy chủ chưa nhận" in shown
        assert "từ 08:00" in shown
    (waits,) = told(say("status", "--json"))["retried"]
    assert (waits["channel"], waits["outcome"], waits["messages"]) == ("email", "retry", 5)
    clock.move(Path("data") / "clock", at("2021-12-01", "12:00"))
    with running(port) as sink:
        assert "Gửi: 5 tin đã đi, 0 tin còn chờ" in say("round")
    assert len(sink.mails) == 5
    assert "Đang chờ" not in say("status")
    assert told(say("status", "--json"))["unsent"] == 0


def test_the_parts_of_a_round_add_up_to_it(playground: Database, say: Say) -> None:
    opened = told(say("open", "--json"))
    fired = told(say("fire", "--json"))
    delivered = told(say("deliver", "--json"))
    assert (opened["cycles"], opened["notices"]) == (1, 0)
    assert (fired["cycles"], fired["notices"]) == (0, 5)
    assert NOTHING | NO_TRIES | dict.fromkeys(("messages", "sent"), delivered["messages"]) == delivered
    assert delivered["messages"] > 0
    assert [told(say(part, "--json")) for part in ("open", "fire")] == [NOTHING] * 2
    assert [told(say(part, "--json")) for part in ("deliver", "round")] == [NOTHING | NO_TRIES] * 2


def test_another_moment_is_taken_from_a_playground_alone(playground: Database, say: Say, refused: Say) -> None:
    assert (
        told(say("round", "--now", "2021-11-30T23:59", "--json")) == NOTHING | NO_TRIES
    )  # the organisation's own zone
    assert told(say("round", "--now", "2021-11-30T17:00+00:00", "--json"))["cycles"] == 1
    (Path("data") / "clock").unlink()
    assert "--now cần một đồng hồ thử" in refused("round", "--now", "2021-12-02")


def test_status_has_the_keys_of_the_contract(task: str, say: Say, refused: Say) -> None:
    found = told(say("status", "--json"))
    assert list(found) == ["cycles", "tasks", "overdue", "notices", "messages", "unsent", "retried"]
    assert (found["cycles"], found["tasks"]["open"], found["overdue"]) == (1, 6, [])
    clock.move(Path("data") / "clock", at("2022-01-05"))
    late = told(say("status", "--plan", "kl01", "--json"))["overdue"]
    assert {(each["due_on"], each["late_days"]) for each in late} == {("2021-12-31", 2)}
    assert len(late) == 6
    assert "Quá hạn" in say("status")
    assert "cần mã một kế hoạch" in refused("status", "--plan", "none")


# Acts


def test_a_report_goes_in_is_returned_comes_again_is_accepted_and_reopened(task: str, say: Say, refused: Say) -> None:
    assert "Mã nhận:" in say("task", "submit", task, *ANSWERS, "--key", "k1")
    assert "Mã nhận:" in say("task", "submit", task, *ANSWERS, "--key", "k1")  # the same key: the same version
    wrong = refused("task", "submit", task, *ANSWERS)
    state, allowed = "đã nộp, chờ duyệt", "nhận, trả lại, rút lại, huỷ"
    assert wrong == f"nhiệm vụ {task} đang ở trạng thái “{state}”: không thể nộp; có thể: {allowed}\n"
    assert "bị trả lại" in say("task", "return", task, "--reason", "thiếu số liệu", "--due", "2022-01-14")
    assert "14/01/2022" in say("task", "show", task)
    say("task", "submit", task, *ANSWERS)
    assert "đã nhận" in say("task", "accept", task)
    assert "chờ duyệt" in say("task", "reopen", task, "--reason", "nhầm")
    assert "bị trả lại" in say("task", "withdraw", task, "--reason", "nộp nhầm tệp")
    shown = told(say("task", "show", task, "--json"))
    assert [(each["number"], each["is_withdrawn"]) for each in shown["versions"]] == [(1, False), (2, True)]
    assert shown["extensions"][0]["to_on"] == "2022-01-14"
    assert say("audit", "verify").startswith("Chuỗi nhật ký nguyên vẹn")


def test_an_act_in_a_process_of_its_own_finds_every_table(task: str, say: Say, database_url: str) -> None:
    for words in (
        ("task", "submit", task, *ANSWERS),
        ("task", "accept", task),
        ("cycle", "close", "1", "--note", "xong"),
    ):
        command = [sys.executable, "-m", "dondoc", *words]
        env = {"PYTHONPATH": str(ROOT), "DONDOC_DATABASE_URL": database_url}
        ran = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        assert (ran.returncode, ran.stderr) == (0, "")


def test_answers_are_refused_by_name_and_a_file_is_kept_by_its_hash(task: str, say: Say, refused: Say) -> None:
    lines = refused("task", "submit", task, "--answer", "studied=many", "--answer", "colour=red").splitlines()
    assert sorted(line.split(":")[0] for line in lines) == ["colour", "results", "studied"]
    assert "none.pdf: No such file" in refused("task", "submit", task, *ANSWERS, "--file", "none.pdf")
    Path("report.pdf").write_bytes(b"%PDF-1.7 %%EOF")
    say("task", "submit", task, *ANSWERS, "--file", "report.pdf")
    (kept,) = told(say("task", "show", task, "--json"))["versions"][0]["files"]
    assert (Path("data") / "files" / kept["hash"][:2] / kept["hash"]).read_bytes() == b"%PDF-1.7 %%EOF"


def test_extension_exemption_and_paper_are_decided_by_hand(task: str, say: Say, refused: Say) -> None:
    assert "20/01/2022" in say("task", "extend", task, "--due", "2022-01-20", "--reason", "bão", "--document", "12-CV")
    explained = told(say("explain", "kl01", "annual-report", "2021", "--unit", "stc", "--json"))
    assert explained["task"]["deadline"]["due_on"] == "2022-01-20"
    assert explained["rows"][0]["due_on"] == "2021-12-31"
    assert "31/12/2021 → 20/01/2022: bão (12-CV)" in say("explain", "kl01", "annual-report", "2021", "--unit", "stc")
    assert "cần một hạn từ hôm nay trở đi" in refused("task", "extend", task, "--due", "2021-12-02", "--reason", "x")
    assert "cần ngày nhận không sau hôm nay" in refused(
        "task", "record", task, "--received", "2021-12-02", "--document", "7"
    )
    assert "chờ duyệt" in say("task", "record", task, "--received", "2021-12-01", "--document", "7-BC/CB")
    say("task", "return", task, "--reason", "thiếu dấu")
    assert "được miễn" in say("task", "exempt", task, "--reason", "sáp nhập")


def test_acts_on_nothing_are_refused_in_words(task: str, refused: Say) -> None:
    assert refused("task", "show", "99999") == "cần số một nhiệm vụ đã có, gặp 99999\n"
    assert refused("task", "accept", "99999") == "cần số một nhiệm vụ đã có, gặp 99999\n"
    assert refused("cycle", "close", "99999", "--note", "x") == "cần số một đợt đã có, gặp 99999\n"
    assert refused("task", "exempt", task, "--reason", " ") == "cần một lý do, gặp chỗ trống\n"


def test_a_task_is_acknowledged_by_hand(task: str, say: Say, refused: Say) -> None:
    held = "  đã biết đến hết 20/12/2021: Chờ số liệu"
    assert held in say("task", "acknowledge", task, "--until", "2021-12-20", "--note", "Chờ số liệu").splitlines()
    shown = say("task", "show", task)
    assert held in shown.splitlines()
    assert "đã biết, tạm dừng đôn đốc  2021-12-20" in shown
    assert "cần nội dung" in refused("task", "acknowledge", task, "--until", "2021-12-20", "--note", " ")


def test_the_journal_of_a_task_names_who_acted(playground: Database, task: str, say: Say) -> None:
    with playground.writing() as session:
        contact = session.get(Contact, 1)
        assert contact is not None
        name, by = contact.name, f"contact:{contact.id}"
        append(session, "acknowledged", by=by, at=at("2021-12-02"), task_id=int(task), cycle_id=1)
    shown = say("task", "show", task)
    assert f"  {name}  " in shown
    assert by not in shown


def test_a_cycle_is_paused_resumed_and_closed_by_hand(task: str, say: Say, refused: Say) -> None:
    assert say("cycle", "pause", "1", "--note", "bão") == "Đợt 1 đã tạm dừng.\n"
    assert "đã tạm dừng" in refused("cycle", "pause", "1", "--note", "bão")
    assert say("cycle", "resume", "1", "--note", "hết bão") == "Đợt 1 đã tiếp tục.\n"
    assert say("cycle", "close", "1", "--note", "xong") == "Đợt 1 đã đóng.\n"
    assert told(say("status", "--json"))["tasks"]["missed"] == 6
    assert "cần một đợt đang mở" in refused("cycle", "close", "1", "--note", "xong")


def test_a_milestone_is_entered_once(say: Say, refused: Say) -> None:
    say("init")
    say("units", "import", UNITS)
    say("plans", "apply", PLAN, "--from", "2021-10-01")
    words = ("milestones", "enter", "kl01-khoi", "leadership-resolution", "2023")
    entered = say(*words, "2023-01-12", "--unit", "stc")
    assert entered == "Mốc leadership-resolution, kỳ 2023: 12/01/2023.\n"
    assert say(*words, "2023-01-12", "--unit", "stc") == entered
    assert "12/01/2023" in refused(*words, "2023-01-13", "--unit", "stc")
    assert "leadership-resolution" in refused("milestones", "enter", "kl01-khoi", "none", "2023", "2023-01-12")
    rows = told(say("timeline", "kl01-khoi", "--unit", "stc", "--json"))
    assert [row["due_on"] for row in rows if row["obligation"] == "ethics-review"] == ["2023-01-12"]
    others = told(say("timeline", "kl01-khoi", "--unit", "snv", "--json"))
    assert [row["due_on"] for row in others if row["obligation"] == "ethics-review"] == []


# Care


def test_the_doctor_names_what_somebody_should_look_at(task: str, say: Say, playground: Database) -> None:
    healthy = say("doctor")
    assert "! cam: không báo được" in healthy
    assert "! đợt" not in healthy
    with playground.writing() as session:
        session.execute(sql("UPDATE deadline SET due_on = '2021-12-30'"))
    clock.move(Path("data") / "clock", at("2030-03-01"))
    ill = say("doctor")
    assert "! đợt 1 (annual-report 2021): hạn đã mở 2021-12-30" in ill
    assert "chưa có quyết định cho 2030, 2031" in ill


def test_who_cannot_be_told_of_what_opens_soon_is_named_before_it_opens(playground: Database, say: Say) -> None:
    clock.move(Path("data") / "clock", at("2021-11-20"))
    assert "! annual-report 2021 mở 01/12/2021: không báo được cam" in say("doctor")
    assert "Sắp mở mà có đơn vị không báo được" in say("status")
    clock.move(Path("data") / "clock", at("2021-12-02"))
    say("round")
    assert "Sắp mở" not in say("status")


def test_the_doctor_names_each_message_that_may_have_arrived(task: str, say: Say, playground: Database) -> None:
    assert "không rõ" not in say("doctor")
    with playground.writing() as session:
        session.execute(sql("UPDATE message SET state = 'unknown' WHERE address = 'contact.stc@example.org'"))
        (reference,) = session.execute(sql("SELECT reference FROM message WHERE state = 'unknown'")).one()
    found = say("doctor")
    assert "! 1 tin không rõ đã đến chưa; không tự gửi lại\n    08:00, thứ Tư 01/12/2021 (GMT+7)" in found
    assert "contact.stc@example.org  “" in found
    assert f"<{reference}@example.org>" in found


def test_a_journal_that_was_touched_is_told(task: str, playground: Database, refused: Say) -> None:
    with playground.writing() as session:
        if playground.is_sqlite:
            for (name,) in session.execute(sql("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
                session.execute(sql(f'DROP TRIGGER "{name}"'))
        else:
            session.execute(sql("ALTER TABLE entry DISABLE TRIGGER USER"))
        session.execute(sql("UPDATE entry SET \"by\" = 'nobody' WHERE id = 2"))
    assert "Chuỗi nhật ký bị đứt" in refused("audit", "verify")


# Messages


def test_a_trial_letter_says_what_the_mail_server_answered(
    say: Say, refused: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    say("init")
    with running() as sink:
        monkeypatch.setenv("DONDOC_SMTP_URL", sink.url)
        monkeypatch.setenv("DONDOC_MAIL_FROM", "dondoc@duk.example.org")
        taken = say("messages", "test", "van-thu.stc@example.org")
        assert "Máy chủ thư đã nhận thư gửi van-thu.stc@example.org." in taken
        assert f"Câu trả lời: 250 {QUEUED.partition(' ')[2]}" in taken
        (mail,) = sink.to("van-thu.stc@example.org")
        assert mail["From"].addresses[0].addr_spec == "dondoc@duk.example.org"
        body = mail.get_body(("plain",))
        assert body is not None
        assert "dondoc@duk.example.org" in body.get_content()
        sink.to_rcpt["nobody@example.org"] = ["550 5.1.1 No such user here"]
        said = refused("messages", "test", "nobody@example.org")
        assert said == "Chưa gửi được: địa chỉ này bị từ chối hẳn\nCâu trả lời: 550 5.1.1 No such user here\n"
        sink.to_rcpt["van-thu.stc@example.org"] = ["554 5.7.1 Relay access denied"]
        assert "cách đặt kênh gửi chưa đúng" in refused("messages", "test", "van-thu.stc@example.org")
        assert "expected an address" in refused("messages", "test", "no address")
    assert "Chưa gửi được: máy chủ thư chưa nhận lúc này" in refused("messages", "test", "van-thu.stc@example.org")
    for wrong in ("https://me:secret@mail.example.org", "smtp://me:secret@mail.example.org:mail"):
        monkeypatch.setenv("DONDOC_SMTP_URL", wrong)
        said = refused("messages", "test", "van-thu.stc@example.org")
        assert said.startswith("DONDOC_SMTP_URL: ")
        assert "secret" not in said


def test_a_trial_letter_without_a_server_is_a_file_and_writes_no_row(say: Say, tmp_path: Path) -> None:
    say("init")
    told = say("messages", "test", "van-thu.stc@example.org")
    (file,) = (tmp_path / "data" / "messages").iterdir()
    assert file.name in told
    assert say("status").startswith("0 đợt, 0 thông báo, 0 tin")


# Pages


def test_the_pages_say_where_they_are_once_they_answer(say: Say, tmp_path: Path) -> None:
    say("init")
    command = [sys.executable, "-m", "dondoc", "web", "--port", "0"]
    env = {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "DONDOC_LOG_LEVEL": "WARNING"}
    with subprocess.Popen(command, cwd=tmp_path, env=env, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            assert select.select([running.stdout], [], [], 30)[0]
            address = running.stdout.readline().removeprefix("web ").strip()
            with urlopen(f"{address}/health") as answer:
                assert answer.status == 200
            taken = [*command[:-1], address.rpartition(":")[2]]
            second = subprocess.run(taken, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
            assert (second.returncode, second.stdout) == (1, "")
            assert "Address already in use" in second.stderr
        finally:
            os.kill(running.pid, signal.SIGTERM)
        assert running.wait(10) == 0


def test_the_demo_plays_history_once_and_leaves_a_clock(say: Say, tmp_path: Path) -> None:
    assert "Sân thử:" in say("demo", "--no-serve", "--until", "2021-10-04")
    written = (tmp_path / "data" / "clock").read_text()
    assert clock.today(clock.now(tmp_path / "data" / "clock"), ZONE) == date(2021, 10, 4)
    say("demo", "--no-serve", "--until", "2021-12-31")
    assert (tmp_path / "data" / "clock").read_text() == written
    assert told(say("status", "--json"))["cycles"] > 0

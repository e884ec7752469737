"""Does a preview show what was really told, as it was told, and never somebody's way in?"""

import json
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import col, select

from dondoc.cli import main
from dondoc.database import Database
from dondoc.settings import Settings
from engine import extend, review
from models.ask import ExtensionAsk
from models.contact import Contact
from models.message import Message
from models.notice import Notice
from models.wording import Wording, in_use
from notifications.deliver import queue
from notifications.item import Office
from notifications.preview import HIDDEN, Preview, frame_of, preview
from notifications.wording import KINDS
from tests.builders import ZONE, act_of, at, hand_in, province, step_round, task_of

NOW = at("2025-10-20")
#: Runs `dondoc messages ...`; its exit code and what it printed.
Say = Callable[..., tuple[int, str, str]]
#: The rounds of the life below; of the two units without a report one is late for good.
ROUNDS = ("2025-09-01", "2025-09-16", "2025-09-23", "2025-09-30", "2025-10-01", "2025-10-03", "2025-10-14")
LATE, LIVELY = "stt", "stc"


def lived(database: Database, days: tuple[str, ...] = ROUNDS) -> None:
    """A unit hands in, is sent back and accepted, another one has more time, the others are late."""
    province(database, on="2025-08-01")
    acts: dict[str, Callable[[], object]] = {
        "2025-09-16": lambda: hand_in(database, task(database, LIVELY), "2025-09-17"),
        "2025-09-23": lambda: act_of(
            database, review.send_back, task(database, LIVELY), "2025-09-24", reason="Thiếu biểu 2", due_on=None
        ),
        "2025-09-30": lambda: hand_in(database, task(database, LIVELY), "2025-09-30", "10:00"),
        "2025-10-01": lambda: act_of(database, review.accept, task(database, LIVELY), "2025-10-02"),
        "2025-10-03": lambda: act_of(
            database,
            extend.extend,
            task(database, "syt"),
            "2025-10-04",
            due_on=date(2025, 10, 31),
            reason="Mưa lũ",
            document=None,
        ),
    }
    for day in days:
        step_round(database, at(day))
        acts.get(day, lambda: None)()
        queue(database, Office("email", "vp@example.org", "https://dondoc.example.org", ZONE, at(day, "11:00")))
    queue(database, Office("email", "vp@example.org", "https://dondoc.example.org", ZONE, at("2025-10-15")))


def task(database: Database, unit: str) -> int:
    with database.reading() as session:
        return task_of(session, unit, "2025").id


def look(database: Database, kind: str, lang: str = "vi", task_id: int | None = None) -> Preview | None:
    with database.reading() as session:
        frame = frame_of(session, Settings.model_validate({"url": "https://dondoc.example.org/"}), NOW)
        return preview(session, kind, lang, frame, task_id)


TOLD = {
    "opened": "Mở nhận báo cáo: ",
    "reminder": "Còn 5 ngày làm việc: ",
    "due_today": "Hôm nay là hạn nộp: ",
    "escalation": "Đơn vị chưa nộp, quá hạn 1 ngày làm việc: ",
    "returned": "Trả lại để bổ sung: ",
    "accepted": "Báo cáo đã được nhận: ",
    "extension_decided": "Gia hạn đến 31/10/2025: ",
    "receipt": "Giấy báo nhận ",
}


def test_a_preview_shows_what_was_told_as_of_then(database: Database) -> None:
    lived(database)
    with database.reading() as session:
        sent = {(message.subject, message.text) for message in session.exec(select(Message))}
    for kind, begins in TOLD.items():
        found = look(database, kind)
        assert found is not None
        assert found.task_id is not None, kind
        assert found.rendered.subject.startswith(begins), kind
        assert found.rendered.subject in {subject for subject, _ in sent}
        whole = f"{found.rendered.text}{found.rendered.html}{found.rendered.short}"
        assert HIDDEN in whole
        assert "[[link:" not in whole
    reason = look(database, "returned")
    assert reason is not None
    assert "> Thiếu biểu 2" in reason.rendered.text


def test_a_list_shows_all_its_units(database: Database) -> None:
    lived(database)
    found = look(database, "chased")
    assert found is not None
    for unit in ("Chi bộ Thanh tra tỉnh", "Đảng bộ Sở Nội vụ"):
        assert unit in found.rendered.text
    english = look(database, "chased", "en")
    assert english is not None
    assert english.rendered.subject.startswith("Overdue, ")


def test_a_task_that_was_never_told_so_is_shown_as_it_would_be(database: Database) -> None:
    lived(database)
    late = task(database, LATE)
    for kind, begins in {
        "reminder": "Còn ",
        "overdue": "Quá hạn 3 ngày làm việc: ",
        "escalation": "Đơn vị chưa nộp, quá hạn ",
    }.items():
        found = look(database, kind, task_id=late)
        assert found is not None
        assert found.rendered.subject.startswith(begins)
        assert "Chi bộ Thanh tra tỉnh" in found.name
    for kind in ("receipt", "returned", "accepted", "extension_decided", "extension_refused", "digest"):
        assert look(database, kind, task_id=late) is None


def test_what_was_never_told_is_shown_to_whom_and_when_the_ladder_would_tell_it(database: Database) -> None:
    """The head hears on the first working day after the due day, not the clerk who had the last letter."""
    lived(database, ("2025-09-01", "2025-09-16"))
    found = look(database, "escalation")
    assert found is not None
    assert found.is_example
    with database.reading() as session:
        head = select(Contact).where(col(Contact.name) == found.name)
        assert session.exec(head).one().role == "head"
    assert found.at.astimezone(ZoneInfo(ZONE)).date() == date(2025, 10, 1)
    told = re.findall(r"(\d\d/\d\d/2025) sẽ báo", found.rendered.text)
    assert told == ["03/10/2025"]
    late = look(database, "overdue")
    assert late is not None
    assert late.is_example
    assert late.at.astimezone(ZoneInfo(ZONE)).date() == date(2025, 10, 3)
    shown = look(database, "opened")
    assert shown is not None
    assert not shown.is_example


def test_a_refusal_is_not_taken_for_an_extension_nor_the_other_way_round(database: Database) -> None:
    lived(database)
    late, at_noon = task(database, LATE), at("2025-10-15", "12:00")
    with database.writing() as session:
        contact = session.exec(select(Notice.contact_id).where(col(Notice.task_id) == late)).first()
        assert contact is not None
        asked: dict[str, Any] = {
            "task_id": late,
            "contact_id": contact,
            "until": date(2025, 11, 15),
            "reason": "Chờ số liệu",
        }
        session.add(ExtensionAsk(**asked, at=NOW, state="refused", answer="Đã gia hạn rồi", decided_at=at_noon))
        told: dict[str, Any] = {"task_id": late, "contact_id": contact, "kind": "extension_decided", "cause": "entry:9"}
        session.add(Notice(**told, rung="unit.contact", due_on=date(2025, 9, 30), created_at=at_noon))
    refused, extended = look(database, "extension_refused"), look(database, "extension_decided")
    assert refused is not None
    assert extended is not None
    assert refused.task_id == late
    assert "Lý do: Đã gia hạn rồi" in refused.rendered.text
    assert extended.task_id == task(database, "syt")


@pytest.mark.parametrize("kind", KINDS)
def test_where_nothing_was_told_there_is_an_example(database: Database, kind: str) -> None:
    found = look(database, kind, "en")
    assert found is not None
    assert found.task_id is None
    assert look(database, kind, task_id=1) is None


# On the command line


@pytest.fixture
def say(
    database: Database,
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Say:
    (tmp_path / "clock").write_text(NOW.isoformat())
    monkeypatch.setenv("DONDOC_DATA", str(tmp_path))
    monkeypatch.setenv("DONDOC_DATABASE_URL", database_url)
    monkeypatch.setenv("DONDOC_LANG", "en")

    def ask(*words: str) -> tuple[int, str, str]:
        code = main(["messages", *words])
        told = capsys.readouterr()
        return code, told.out, told.err

    return ask


def test_the_command_prints_the_letter_of_each_channel(database: Database, say: Say) -> None:
    lived(database)
    code, out, _ = say("preview", "returned", "--lang", "vi")
    assert code == 0
    assert "Subject: Trả lại để bổ sung: Báo cáo kết quả hằng năm, năm 2025" in out
    assert "> Thiếu biểu 2" in out
    assert "Kính gửi" in say("preview", "returned", "--lang", "vi", "--channel", "zalooa")[1]
    assert "\ndue: 30/09/2025\n" in say("preview", "returned", "--lang", "en", "--channel", "zalozns")[1]
    assert say("preview", "returned", "--html")[1].startswith("<!doctype html>")
    told = json.loads(say("preview", "returned", "--lang", "en", "--json")[1])
    assert told["subject"] == "Returned for completion: Yearly report, 2025"
    assert set(told) == {"kind", "lang", "task", "at", "name", "subject", "text", "html", "short", "data", "is_example"}
    assert told["task"] == task(database, LIVELY)


def test_the_command_refuses_what_is_no_letter_and_what_there_is_nothing_of(
    say: Say,
) -> None:
    code, out, err = say("preview", "nothing")
    assert (code, out) == (1, "")
    assert "opened, reminder, " in err
    code, out, err = say("preview", "receipt", "--task", "77")
    assert (code, out) == (1, "")
    assert "task 77" in err
    assert "(An example" in say("preview", "receipt")[1]


def test_words_are_put_shown_and_restored_by_the_command(database: Database, say: Say, tmp_path: Path) -> None:
    own = tmp_path / "overdue.txt"
    own.write_text("{{ late }}: {{ title }}\r\n\r\nXin nộp ngay.\r\n", "utf-8")
    assert say("wording", "overdue", "--lang", "vi", "--put", str(own))[0] == 0
    assert say("wording", "overdue", "--lang", "vi")[1] == "{{ late }}: {{ title }}\n\nXin nộp ngay.\n"
    assert "Xin nộp ngay." in say("preview", "overdue", "--lang", "vi")[1]
    assert "Đến nay" in say("wording", "overdue", "--lang", "vi", "--restore")[1]
    own.write_text("{{ late }}\n\n{{ titel }} {{ 1 + 1 }}\n", "utf-8")
    code, _, err = say("wording", "overdue", "--put", str(own))
    assert code == 1
    assert err.splitlines() == [
        f"{own}: line 3: this letter has no “titel”; is it “title”?",
        f"{own}: line 3: “add” is not allowed; there are only names in double braces, if/elif/else and comparisons",
    ]
    own.write_bytes(b"\xff\xfe")
    assert "expected a UTF-8 file" in say("wording", "overdue", "--put", str(own))[2]
    for missing in (tmp_path / "nope.txt", tmp_path):
        code, _, err = say("wording", "overdue", "--put", str(missing))
        assert code == 1
        assert err.startswith(f"{missing}: expected a file that can be read, got none (")
    with database.reading() as session:
        assert in_use(session) == {}


def test_doctor_names_words_that_an_upgrade_has_made_invalid(
    database: Database, say: Say, capsys: pytest.CaptureFixture[str]
) -> None:
    with database.writing() as session:
        session.add(Wording(kind="reminder", lang="vi", text="{{ gone_name }}", by="office", at=NOW))
    main(["doctor"])
    assert "! the words of the letter reminder (vi) can no longer be used" in capsys.readouterr().out

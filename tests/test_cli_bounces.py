"""Does the command line read what came back, alone and in a round, and say what is missing?"""

import asyncio
import json
import socket
from pathlib import Path

import pytest

from dondoc.cli import main
from dondoc.database import Database
from dondoc.settings import Settings
from models.link import return_token
from models.message import MessageState
from notifications.channels.mailbox import MailboxError
from notifications.returned import Came
from tests.builders import province, step_round
from tests.imap import mailbox
from tests.sinks import free_port, running, signed_in_as
from tests.test_deliver import KEY, OPENED, STC, message_to, send
from tests.test_returned import contact_of, report


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Database:
    """Letters went out; the settings name no mailbox yet."""
    for name, value in {"DATA": tmp_path, "BOUNCE_ADDRESS": "bounce@example.org"}.items():
        monkeypatch.setenv(f"DONDOC_{name}", str(value))
    (tmp_path / "key").write_bytes(KEY)
    database = Database(Settings().database)  # type: ignore[call-arg,unused-ignore]
    database.upgrade()
    province(database, on="2025-08-01")
    step_round(database, OPENED)
    with running() as sink:
        send(database, sink.url)
    return database


def test_what_came_back_is_counted(
    office: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with mailbox() as box:
        box.put(report(return_token(KEY, message_to(office, STC).id)), b"Subject: hello\r\n\r\n")
        monkeypatch.setenv("DONDOC_BOUNCE_IMAP", box.url())
        assert main(["messages", "bounces"]) == 0
        assert capsys.readouterr().out.startswith(
            "Thư trả về: 1 địa chỉ hỏng, 0 thư không tới, 0 thư còn chậm; 1 thư khác"
        )
        assert main(["messages", "bounces", "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert list(found) == ["dead", "lost", "delayed", "again", "forged", "early", "other"]
        assert sum(found.values()) == 0


def test_a_round_reads_it_too_and_does_not_wait_for_a_mailbox_that_is_away(
    office: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "returned"
    folder.mkdir()
    (folder / "1.eml").write_bytes(report(return_token(KEY, message_to(office, STC).id)))
    monkeypatch.setenv("DONDOC_BOUNCE_FOLDER", str(folder))
    assert main(["round", "--json"]) == 0
    assert contact_of(office).is_bouncing
    assert message_to(office, STC).state == MessageState.BOUNCED
    monkeypatch.setenv("DONDOC_BOUNCE_IMAP", f"imap://bounce:geheim@127.0.0.1:{free_port()}/INBOX")
    assert main(["round", "--json"]) == 0
    assert "geheim" not in str(capsys.readouterr())


def test_what_cannot_be_read_is_said(
    office: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["messages", "bounces"]) == 1
    assert "cần DONDOC_BOUNCE_ADDRESS" in capsys.readouterr().err
    monkeypatch.setenv("DONDOC_BOUNCE_FOLDER", str(tmp_path / "nowhere"))
    assert main(["messages", "bounces"]) == 1
    assert "không đọc được hộp thư trả về" in capsys.readouterr().err
    monkeypatch.setenv("DONDOC_BOUNCE_IMAP", "imaps://bounce:geheim@")
    assert main(["messages", "bounces"]) == 1
    said = capsys.readouterr().err
    assert "DONDOC_BOUNCE_IMAP" in said
    assert "geheim" not in said


def test_the_doctor_calls_both_servers_and_changes_nothing(
    office: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with mailbox() as box, running() as sink:
        box.put(b"Subject: hello\r\n\r\n")
        monkeypatch.setenv("DONDOC_BOUNCE_IMAP", box.url())
        monkeypatch.setenv("DONDOC_SMTP_URL", sink.url)
        assert main(["doctor"]) == 0
        assert (box.seen, sink.mails) == (set(), [])
        assert box.said == ["CAPABILITY", "LOGIN", "SELECT", "LOGOUT"]
    said = capsys.readouterr().out
    assert "Kênh gửi: SMTP" in said
    assert "máy chủ thư" not in said
    assert "hộp thư" not in said


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")  # it is 127.0.0.1
def test_the_doctor_says_which_server_does_not_let_us_in_and_why(
    office: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    options = {"authenticator": signed_in_as("dondoc", "right"), "auth_required": True, "auth_require_tls": False}
    closed = free_port()
    with mailbox() as box, running(**options) as sink:
        for smtp, imap, why_smtp, why_imap in (
            (f"dondoc:geheim@127.0.0.1:{sink.port}", box.url("geheim"), "535", "AUTHENTICATIONFAILED"),
            (f"dondoc:gehe%C3%ADm@127.0.0.1:{sink.port}", box.url("gehe%C3%ADm"), "plain ASCII", "plain ASCII"),
            (f"dondoc:geheim@127.0.0.1:{closed}", f"imap://b:geheim@127.0.0.1:{closed}", "refused", "refused"),
            (f"dondoc:right@127.0.0.1:{sink.port}", f"{box.url()}/Elsewhere", "", "no such folder"),
        ):
            monkeypatch.setenv("DONDOC_SMTP_URL", f"smtp://{smtp}")
            monkeypatch.setenv("DONDOC_BOUNCE_IMAP", imap)
            assert main(["doctor"]) == 0
            said = capsys.readouterr().out
            (of_mailbox,) = (line for line in said.splitlines() if "hộp thư trả về" in line)
            assert why_imap in of_mailbox
            of_smtp = [line for line in said.splitlines() if "máy chủ thư" in line]
            assert [why_smtp in line for line in of_smtp] == ([True] if why_smtp else [])
            assert "gehe" not in said
    monkeypatch.delenv("DONDOC_BOUNCE_IMAP")
    monkeypatch.setenv("DONDOC_BOUNCE_FOLDER", str(tmp_path / "nowhere"))
    assert main(["doctor"]) == 0
    assert f"! không đọc được hộp thư trả về: expected a folder, got none at {tmp_path}" in capsys.readouterr().out


def test_the_doctor_does_not_wait_for_a_server_that_says_nothing(
    office: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("notifications.channels.look.SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        where = f"127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setenv("DONDOC_SMTP_URL", f"smtp://{where}")
        monkeypatch.setenv("DONDOC_BOUNCE_IMAP", f"imap://b:geheim@{where}")
        assert main(["doctor"]) == 0
    said = capsys.readouterr().out
    assert f"! máy chủ thư không nhận: {where}: " in said
    assert f"! không đọc được hộp thư trả về: {where}: timed out" in said


def test_the_round_under_prefect_reads_it_and_fails_when_it_cannot(
    office: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows.round import takes_back  # Prefect is slow to import

    folder = tmp_path / "returned"
    folder.mkdir()
    (folder / "1.eml").write_bytes(report(return_token(KEY, message_to(office, STC).id)))
    monkeypatch.setenv("DONDOC_BOUNCE_FOLDER", str(folder))
    assert asyncio.run(takes_back.fn(office, Settings(), OPENED)) == Came(dead=1)  # type: ignore[call-arg,unused-ignore]
    monkeypatch.setenv("DONDOC_BOUNCE_FOLDER", str(tmp_path / "nowhere"))
    with pytest.raises(MailboxError, match="nowhere"):
        asyncio.run(takes_back.fn(office, Settings(), OPENED))  # type: ignore[call-arg,unused-ignore]

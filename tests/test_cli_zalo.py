"""Are the tokens of an Official Account brought in without being shown, and is a dead one told of?"""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from dondoc.cli import main
from dondoc.database import Database
from dondoc.keys import seal_of, secret_key
from models.address import Address
from models.zalo import ZaloAccount
from tests.builders import at, province
from tests.zalo import ALIAS, BOT_TOKEN, running, secrets_in

ADD = ["zalo", "add", ALIAS, "--app", "app-1", "--oa", "oa-1"]


@pytest.fixture
def office(sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Database:
    (tmp_path / "dondoc.sqlite").write_bytes(sqlite_template.read_bytes())
    (tmp_path / "clock").write_text(at("2025-09-01").isoformat())
    folder = secrets_in(tmp_path / "secrets")
    for name in ("access", "refresh"):
        (folder / f"zalo-{ALIAS}-{name}").write_text(f"the {name} token\n")
    monkeypatch.setenv("DONDOC_DATA", str(tmp_path))
    monkeypatch.setenv("DONDOC_SECRETS", str(folder))
    monkeypatch.setenv("DONDOC_LANG", "en")
    return Database(f"sqlite:///{tmp_path / 'dondoc.sqlite'}")


def account(database: Database) -> ZaloAccount:
    with database.reading() as session:
        return session.exec(select(ZaloAccount)).one()


def test_tokens_come_from_the_secrets_folder_and_are_kept_sealed(
    office: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(ADD) == 0
    kept = account(office)
    assert seal_of(secret_key(tmp_path / "key"), "zalo").decrypt(kept.refresh_token.encode()) == b"the refresh token"
    assert "token" not in f"{kept.access_token}{kept.refresh_token}"
    told = capsys.readouterr()
    assert f"/hooks/zalo/{ALIAS}" in told.out
    assert "the refresh token" not in f"{told.out}{told.err}"


def test_an_alarm_is_told_by_status_and_doctor_until_new_tokens_come(
    office: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    main(ADD)
    with office.writing() as session:
        session.get_one(ZaloAccount, ALIAS).alarm = "consent"
    capsys.readouterr()
    for command in (["zalo", "status"], ["doctor"]):
        main(command)
        assert "consent again" in capsys.readouterr().out
    assert main(["zalo", "tokens", ALIAS]) == 0
    capsys.readouterr()
    main(["zalo", "status", "--json"])
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["alias"], row["oa"], row["trouble"]) == (ALIAS, "oa-1", None)


def test_zalo_is_told_where_the_bot_is_heard_and_says_no_to_an_address_of_a_local_network(
    office: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["zalo", "bot"]) == 1  # a playground, and there is no stand-in
    with running() as zalo:
        monkeypatch.setenv("DONDOC_ZALO_URL", zalo.url)
        assert main(["zalo", "bot"]) == 1
        assert "400 Bad request" in capsys.readouterr().err
        monkeypatch.setenv("DONDOC_URL", "https://dondoc.example.org/")
        assert main(["zalo", "bot"]) == 0
        bot = zalo.state.bots[BOT_TOKEN]
        assert (bot.webhook, bot.secret) == ("https://dondoc.example.org/hooks/zalobot", "bot-webhook-secret")
        (tmp_path / "secrets" / "zalobot-webhook").unlink()
        assert main(["zalo", "bot"]) == 1
    told = capsys.readouterr()
    assert "no_secret zalobot-webhook" in told.err
    assert BOT_TOKEN not in f"{told.out}{told.err}"


def test_doctor_says_that_a_stand_in_has_what_zalo_should_have(
    office: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["doctor"])
    assert "DONDOC_ZALO_URL" not in capsys.readouterr().out
    monkeypatch.setenv("DONDOC_ZALO_URL", "http://127.0.0.1:8090")
    main(["doctor"])
    assert "! Zalo: no message reaches Zalo, they go to http://127.0.0.1:8090" in capsys.readouterr().out


def test_doctor_names_the_secrets_that_are_missing_and_zalo_when_it_does_not_answer(
    office: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def told() -> list[str]:
        capsys.readouterr()
        assert main(["doctor"]) == 0
        return [line for line in capsys.readouterr().out.splitlines() if "no_secret" in line or "not answer" in line]

    province(office)
    main(ADD)
    given: dict[str, Any] = {"address": "chat-1", "consent_at": at("2025-09-01"), "consent_source": "code"}
    with office.writing() as session:
        session.add(Address(contact_id=1, channel="zalobot", **given))
    with running() as zalo:
        monkeypatch.setenv("DONDOC_ZALO_URL", zalo.url)
        assert told() == []
        monkeypatch.setenv("DONDOC_SECRETS", str(tmp_path / "none"))
        names = ["zalobot-token", f"zalo-{ALIAS}-app"]
        assert [line.split(":")[0] for line in told()] == [f"! no_secret {name}" for name in names]
    monkeypatch.setenv("DONDOC_SECRETS", str(tmp_path / "secrets"))
    (line,) = told()
    assert line.startswith(f"! Zalo does not answer: {zalo.url}: ")


def test_what_cannot_be_is_refused(office: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["zalo", "tokens", ALIAS]) == 1
    main(ADD)
    assert main(ADD) == 1
    (tmp_path / "secrets" / "zalo-Ox-access").write_text("a")
    (tmp_path / "secrets" / "zalo-Ox-refresh").write_text("b")
    assert main(["zalo", "add", "Ox", "--app", "1", "--oa", "2"]) == 1
    assert "expected a short name" in capsys.readouterr().err

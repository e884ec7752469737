"""Does `dondoc users` keep those who may sign in?"""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from dondoc import clock
from dondoc.cli import main
from dondoc.database import Database
from engine import sign_in
from tests.builders import UNITS, add_units
from tests.desk import PASSWORD, quick_passwords

Say = Callable[..., str]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Say:
    """What a command that is taken prints; here is a new office with the units of tests/builders.py."""
    monkeypatch.chdir(tmp_path)
    quick_passwords(monkeypatch)

    def ask(*words: str) -> str:
        code = main(words)
        output = capsys.readouterr()
        assert (code, output.err) == (0, ""), words
        return output.out

    ask("init")
    database = office()
    with database.writing() as session:
        add_units(session, UNITS)
    database.close()
    return ask


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Say:
    def ask(*words: str) -> str:
        assert main(words) == 1, words
        return capsys.readouterr().err

    return ask


def office() -> Database:
    return Database(f"sqlite:///{Path.cwd() / 'data' / 'dondoc.sqlite'}")


def token(printed: str) -> str:
    return str(re.findall(r"/invite/(\S+)", printed)[0])


def test_a_user_is_added_with_a_role_at_a_unit_and_an_invitation(say: Say) -> None:
    printed = say("users", "add", "vt.stc", "--name", "Văn thư Sở Tài chính", "--role", "secretariat", "--unit", "stc")
    database = office()
    sign_in.choose_password(database, token(printed), PASSWORD, PASSWORD, agent="", now=clock.now())
    database.close()
    found = {each["login"]: each for each in json.loads(say("users", "list", "--json"))}
    assert found["vt.stc"] == {
        "login": "vt.stc",
        "name": "Văn thư Sở Tài chính",
        "active": True,
        "password": True,
        "second_factor": False,
        "roles": [{"role": "secretariat", "unit": "stc"}],
    }
    assert found["admin"]["roles"] == [{"role": "admin", "unit": None}]
    assert re.search(r"vt\.stc +Văn thư Sở Tài chính +văn phòng: stc +chỉ có mật khẩu", say("users", "list"))


def test_a_lost_invitation_is_replaced(say: Say) -> None:
    first, second = (token(say("users", "invite", "admin")) for _ in range(2))
    database = office()
    with database.reading() as session:
        assert sign_in.invited(session, first, clock.now()) is None
        assert sign_in.invited(session, second, clock.now()) is not None
    database.close()


def test_an_office_whose_admin_has_come_in_prints_no_other_way_in(say: Say) -> None:
    database = office()
    sign_in.choose_password(
        database, token(say("users", "invite", "admin")), PASSWORD, PASSWORD, agent="", now=clock.now()
    )
    database.close()
    printed = say("init")
    assert "/invite/" not in printed
    assert "dondoc users invite" in printed


def test_roles_are_given_and_taken(say: Say) -> None:
    say("users", "add", "xem", "--name", "Người xem", "--role", "viewer")
    say("users", "scope", "xem", "--role", "reviewer", "--unit", "duk")
    say("users", "scope", "xem", "--role", "viewer", "--remove")
    found = {each["login"]: each["roles"] for each in json.loads(say("users", "list", "--json"))}
    assert found["xem"] == [{"role": "reviewer", "unit": "duk"}]


def test_a_user_is_disabled_and_enabled(say: Say, refused: Say) -> None:
    say("users", "add", "xem", "--name", "Người xem", "--role", "viewer")
    say("users", "disable", "xem")
    assert "đã khoá" in say("users", "list")
    assert "bị khoá" in refused("users", "invite", "xem")
    say("users", "disable", "xem", "--enable")
    assert "/invite/" in say("users", "invite", "xem")


def test_what_cannot_be_is_refused(say: Say, refused: Say) -> None:
    assert "không có người dùng ai-do" in refused("users", "invite", "ai-do")
    assert "không có đơn vị xyz" in refused("users", "add", "ab", "--name", "A", "--role", "viewer", "--unit", "xyz")
    assert "tên đăng nhập" in refused("users", "add", "Ấ", "--name", "A", "--role", "viewer").lower()
    assert "cuối cùng" in refused("users", "disable", "admin")
    assert len(json.loads(say("users", "list", "--json"))) == 1

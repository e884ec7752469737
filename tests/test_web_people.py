"""Who keeps whom? Users, their roles at units, and what an admin of a part may do."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, select

from dondoc import clock
from engine import people
from engine.access import Actor, Right, Scope, everything, paths_of
from engine.errors import RefusedError
from models.entry import Entry, breaks
from models.user import SignIn, User, UserRole, UserScope
from tests.builders import at, unit_id
from tests.desk import URL, Desk, quick_passwords, sqlite_desk

NOW = at("2026-11-20")
CLERK = everything("office", "")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    quick_passwords(monkeypatch)


@pytest.fixture
def desk(sqlite_template: Path, tmp_path: Path) -> Iterator[Desk]:
    """A real office."""
    with sqlite_desk(sqlite_template, tmp_path) as desk:
        desk.settings.clock.unlink()
        yield desk


@pytest.fixture
def chief(desk: Desk) -> Desk:
    return desk.seen_by(UserRole.ADMIN)


@pytest.fixture
def part(desk: Desk) -> Desk:
    """An admin of one base committee."""
    return desk.seen_by(UserRole.ADMIN, "snv")


def number(desk: Desk, login: str) -> int:
    with desk.database.reading() as session:
        return session.exec(select(User).where(col(User.login) == login)).one().id


def scopes(desk: Desk, login: str) -> list[tuple[str, int | None]]:
    with desk.database.reading() as session:
        return [(each.role, each.unit_id) for each in people.scopes_of(session, number(desk, login))]


def place(desk: Desk, code: str) -> int:
    with desk.database.reading() as session:
        return unit_id(session, code)


NEW = {"login": "vt.syt", "name": "Văn thư Sở Y tế", "email": "", "role": "secretariat", "unit": "syt"}


def test_a_new_user_gets_a_link_that_is_shown_once(desk: Desk, chief: Desk) -> None:
    answer = chief.post("/people", NEW)
    path = f"/people/{number(desk, 'vt.syt')}"
    assert (answer.status_code, answer.headers["location"]) == (303, path)
    chief.cookies.set("__Host-once", once(answer.headers["set-cookie"]), domain="office.example.org")
    shown = chief.get(path)
    (link,) = re.findall(rf"{URL}(/invite/[\w-]+)<", shown.text)
    assert "Max-Age=0" in shown.headers["set-cookie"]
    chief.cookies.delete("__Host-once")
    assert "/invite/" not in chief.get(path).text
    assert Desk(desk.database, desk.settings, desk.app).get(link).status_code == 200
    assert scopes(desk, "vt.syt") == [("secretariat", place(desk, "syt"))]


def once(header: str) -> str:
    return str(re.findall(r"__Host-once=([^;]+)", header)[0])


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"login": "Á"}, "tên đăng nhập gồm"),
        ({"login": "admin.all"}, "đã có người dùng"),
        ({"name": ""}, "tên gồm 1 đến"),
        ({"role": "chairman"}, "cần một vai"),
        ({"unit": "nowhere"}, "không có đơn vị"),
    ],
)
def test_what_is_wrong_is_told_beside_what_was_typed(chief: Desk, changes: dict[str, str], says: str) -> None:
    answer = chief.post("/people", NEW | changes)
    assert answer.status_code == 422
    assert says in answer.text.lower()
    assert 'value="vt.syt"' in answer.text or "login" in changes


def test_roles_are_given_and_taken(desk: Desk, chief: Desk) -> None:
    chief.post("/people", NEW)
    path = f"/people/{number(desk, 'vt.syt')}"
    for _ in range(2):  # a second time changes nothing
        chief.post(f"{path}/scopes", {"role": "reviewer", "unit": "snv"})
    assert scopes(desk, "vt.syt") == [("secretariat", place(desk, "syt")), ("reviewer", place(desk, "snv"))]
    with desk.database.reading() as session:
        given = session.exec(select(UserScope).where(col(UserScope.role) == "secretariat")).one()
    chief.post(f"{path}/scopes/{given.id}/removal")
    assert scopes(desk, "vt.syt") == [("reviewer", place(desk, "snv"))]


def test_a_disabled_user_is_out_and_the_link_is_gone_until_enabled_again(desk: Desk, chief: Desk) -> None:
    chief.post("/people", NEW)
    user_id = number(desk, "vt.syt")
    browser = Desk(desk.database, desk.settings, desk.app)
    with desk.database.writing() as session:
        token = people.invite(session, CLERK, session.get_one(User, user_id), now=clock.now())
    chief.post(f"/people/{user_id}/disabling")
    assert browser.get(f"/invite/{token}").status_code == 404
    assert "đã bị khoá" in chief.post(f"/people/{user_id}/invitation").text
    chief.post(f"/people/{user_id}/enabling")
    assert chief.post(f"/people/{user_id}/invitation").status_code == 303


def test_an_admin_ends_all_sessions_and_takes_a_lost_second_factor_away(desk: Desk, chief: Desk) -> None:
    other = desk.seen_by(UserRole.SECRETARIAT, "duk")
    user_id = number(desk, "secretariat.duk")
    assert other.get("/").status_code == 200
    chief.post(f"/people/{user_id}/sessions/end")
    assert other.get("/").status_code == 303
    with desk.database.writing() as session:
        session.get_one(User, user_id).totp = "sealed"
    chief.post(f"/people/{user_id}/second-factor/removal")
    with desk.database.reading() as session:
        assert session.get_one(User, user_id).totp is None


def test_the_last_admin_of_everything_stays(desk: Desk, chief: Desk) -> None:
    own = f"/people/{number(desk, 'admin.all')}"
    with desk.database.reading() as session:
        scope = people.scopes_of(session, number(desk, "admin.all"))[0].id
    for path in (f"{own}/disabling", f"{own}/scopes/{scope}/removal"):
        answer = chief.post(path)
        assert (answer.status_code, "quản trị toàn bộ cuối cùng" in answer.text) == (422, True)
    chief.post("/people", NEW | {"login": "second", "role": "admin", "unit": "*"})
    answer = chief.post(f"{own}/scopes/{scope}/removal")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert chief.get("/people").status_code == 403


def test_an_admin_of_a_part_sees_and_keeps_the_users_of_that_part_alone(desk: Desk, part: Desk) -> None:
    desk.user(UserRole.SECRETARIAT, "snv-1")
    desk.user(UserRole.SECRETARIAT, "syt")
    both = desk.user(UserRole.VIEWER, "snv-2")
    with desk.database.writing() as session:
        session.add(UserScope(user_id=both.id, role="viewer", unit_id=place(desk, "stc")))
    nobody = desk.user(None)
    shown = part.get("/people").text
    assert "secretariat.snv-1" in shown
    assert not any(login in shown for login in ("secretariat.syt", "viewer.snv-2", "nobody.all"))
    assert part.get(f"/people/{number(desk, 'secretariat.snv-1')}").status_code == 200
    for user_id in (number(desk, "secretariat.syt"), both.id, nobody.id):
        assert part.get(f"/people/{user_id}").status_code == 404
        for below in ("", "/invitation", "/disabling", "/sessions/end", "/scopes", "/second-factor/removal"):
            answer = part.post(f"/people/{user_id}{below}", {"role": "viewer", "unit": "snv-1", "name": "x"})
            assert answer.status_code == 404


def test_an_admin_of_a_part_gives_no_role_beyond_it(desk: Desk, part: Desk) -> None:
    offered = part.get("/people").text
    assert 'value="snv-1"' in offered
    assert not any(f'value="{code}"' in offered for code in ("*", "duk", "syt"))
    for unit in ("*", "duk", "syt", "tinh-uy"):
        answer = part.post("/people", NEW | {"unit": unit})
        assert (answer.status_code, "nằm ngoài" in answer.text) == (422, True), unit
    assert part.post("/people", NEW | {"unit": "snv-2", "role": "admin"}).status_code == 303
    beyond = part.post(f"/people/{number(desk, 'vt.syt')}/scopes", {"role": "viewer", "unit": "duk"})
    assert beyond.status_code == 422


def test_a_link_that_an_admin_of_a_part_saw_opens_no_role_beyond_it(desk: Desk) -> None:
    desk.user(UserRole.ADMIN, "snv")
    snv = Actor("user:9", "", (Scope(UserRole.ADMIN, path_of(desk, "snv")),))
    browser, now = Desk(desk.database, desk.settings, desk.app), clock.now()
    with desk.database.writing() as session:
        grants = [(UserRole.VIEWER, place(desk, "snv-1"))]
        user = people.add(session, snv, login="vt.snv", name="Văn thư", grants=grants, now=now)
        token = people.invite(session, snv, user, now=now)
        people.give(session, CLERK, user, UserRole.VIEWER, place(desk, "snv-2"), now=now)
    assert browser.get(f"/invite/{token}").status_code == 200
    with desk.database.writing() as session:
        people.give(session, CLERK, session.get_one(User, user.id), UserRole.SECRETARIAT, None, now=now)
    assert browser.get(f"/invite/{token}").status_code == 404


def test_somebody_without_any_role_is_kept_by_chiefs_alone(desk: Desk) -> None:
    user = desk.user(None)
    snv = Actor("user:9", "", (Scope(UserRole.ADMIN, path_of(desk, "snv")),))
    with desk.database.writing() as session:
        mine = session.get_one(User, user.id)
        assert people.keeps(session, CLERK, mine)
        with pytest.raises(RefusedError):  # giving a role would be taking the account over
            people.give(session, snv, mine, UserRole.VIEWER, place(desk, "snv-1"), now=NOW)
        with pytest.raises(RefusedError):
            people.add(session, snv, login="nowhere", name="x", grants=[], now=NOW)


def path_of(desk: Desk, code: str) -> str:
    with desk.database.reading() as session:
        return paths_of(session, [unit_id(session, code)], CLERK.on)[unit_id(session, code)]


def test_every_act_stands_in_the_journal_without_a_name(desk: Desk, chief: Desk) -> None:
    chief.post("/people", NEW)
    user_id = number(desk, "vt.syt")
    for act in ("scopes", "invitation", "disabling", "enabling", ""):
        chief.post(
            f"/people/{user_id}{f'/{act}' if act else ''}", {"role": "viewer", "unit": "stc", "name": "Tên khác"}
        )
    with desk.database.reading() as session:
        assert list(breaks(session)) == []
        found = list(session.exec(select(Entry).where(col(Entry.by) == f"user:{number(desk, 'admin.all')}")))
    own = [entry.act for entry in found if entry.act != "signed_in"]
    assert own == ["user_added", "scope_given", "user_invited", "scope_given", "user_invited", "user_disabled",
                   "user_enabled", "user_changed"]  # fmt: skip
    told = repr([entry.data for entry in found])
    assert not any(word in told for word in ("vt.syt", "Văn thư", "Tên khác", "@"))


# One's own account


def test_everybody_keeps_their_own_name_language_and_sessions(desk: Desk) -> None:
    own = desk.seen_by(UserRole.VIEWER, "stc")
    times: dict[str, Any]
    other, times = desk.user(UserRole.VIEWER, "syt"), {"created_at": clock.now(), "seen_at": clock.now()}
    with desk.database.writing() as session:
        session.add(SignIn(hash="x", user_id=number(desk, "viewer.stc"), agent="Zalo Android", **times))
        strange = SignIn(hash="y", user_id=other.id, agent="", **times)
        session.add(strange)
        session.flush()
        strange_id = strange.id
    shown = own.get("/account").text
    assert "Zalo, Android" in shown
    assert "phiên này" in shown
    assert own.post(f"/account/sessions/{strange_id}/end").status_code == 303
    assert own.post("/account/sessions/end").status_code == 303
    with desk.database.reading() as session:
        ended = {each.hash: each.ended_at is not None for each in session.exec(select(SignIn))}
    assert (ended["x"], ended["y"]) == (True, False)
    assert own.get("/account").status_code == 200
    own.post("/account", {"name": "Người mới", "lang": "en"})
    assert "My account" in own.get("/account").text
    assert own.post("/account", {"name": "", "lang": "en"}).status_code == 422


def test_a_viewer_keeps_nobody(desk: Desk) -> None:
    viewer = desk.seen_by(UserRole.VIEWER)
    assert viewer.get("/people").status_code == 403
    assert "/people" not in viewer.get("/account").text
    assert not Actor("x", "", ()).holds(Right.SEE)

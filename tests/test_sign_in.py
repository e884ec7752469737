"""Who gets in, for how long, and with what? Passwords, sessions, second factors, invitations."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pyotp
import pytest
from sqlmodel import col, select

from dondoc import clock
from dondoc.database import Database
from engine import people, second_factor, sign_in
from engine.access import everything
from engine.errors import RefusedError
from engine.sign_in import Lasting, Visitor
from models.entry import Entry, breaks
from models.user import Invitation, RecoveryCode, SignIn, User, UserRole
from tests.builders import at
from tests.desk import PASSWORD, SESSION, URL, Desk, quick_passwords, sqlite_desk

NOW = at("2026-11-20")
LASTING = Lasting(timedelta(minutes=30), timedelta(hours=12))
KEY = bytes(32)
OTHER = "một câu khác hẳn để nhớ"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    quick_passwords(monkeypatch)


@pytest.fixture
def desk(sqlite_template: Path, tmp_path: Path) -> Iterator[Desk]:
    """A real office."""
    with sqlite_desk(sqlite_template, tmp_path) as desk:
        desk.settings.clock.unlink()
        yield desk


def add(database: Database, login: str = "van-thu", password: str | None = PASSWORD, role: str = "viewer") -> int:
    """A user with a password."""
    with database.writing() as session:
        grants = [(UserRole(role), None)]
        clerk = everything("office", "")
        user = people.add(session, clerk, login=login, name="Văn thư", grants=grants, now=NOW)
        token = people.invite(session, clerk, user, now=NOW)
    if password:
        sign_in.choose_password(database, token, password, password, agent="", now=NOW)
    return user.id


def enter(database: Database, login: str = "van-thu", password: str = PASSWORD, now: datetime = NOW) -> str:
    return sign_in.enter(database, login, password, network="203.0.113.7", agent="Firefox", now=now)


def whose(database: Database, token: str, now: datetime = NOW) -> Visitor | None:
    with database.reading() as session:
        return sign_in.whose(session, token, LASTING, now)


def known(database: Database, token: str, now: datetime = NOW) -> Visitor:
    found = whose(database, token, now)
    assert found is not None
    return found


def acts(database: Database) -> list[Entry]:
    with database.reading() as session:
        assert list(breaks(session)) == []
        return list(session.exec(select(Entry).order_by(col(Entry.id))))


# Sessions


def test_a_session_ends_when_it_is_not_used_and_after_its_life_in_any_case(database: Database) -> None:
    add(database)
    token = enter(database)
    assert whose(database, token, NOW + timedelta(minutes=29)) is not None
    assert whose(database, token, NOW + timedelta(minutes=30)) is None
    used = NOW
    while used < NOW + timedelta(hours=12) - timedelta(minutes=25):
        used += timedelta(minutes=25)
        sign_in.see(database, known(database, token, used).sign_in, used)
    assert whose(database, token, NOW + timedelta(hours=12) - timedelta(seconds=1)) is not None
    assert whose(database, token, NOW + timedelta(hours=12)) is None


def test_use_is_written_down_once_a_minute(database: Database) -> None:
    add(database)
    token = enter(database)
    seen = []
    for seconds in (10, 59, 60, 70, 121):
        moment = NOW + timedelta(seconds=seconds)
        sign_in.see(database, known(database, token, moment).sign_in, moment)
        seen.append(known(database, token, moment).sign_in.seen_at - NOW)
    assert [each.total_seconds() for each in seen] == [0, 0, 60, 60, 121]


def test_what_is_kept_of_a_token_lets_nobody_in(database: Database) -> None:
    add(database)
    token = enter(database)
    with database.reading() as session:
        row = session.exec(select(SignIn).order_by(col(SignIn.id).desc())).first()
    assert row is not None
    assert len(token) >= 43
    assert token not in repr(row)
    assert whose(database, row.hash) is None
    assert whose(database, "") is None


def test_the_journal_names_users_by_number_and_nobody_who_was_not_let_in(database: Database) -> None:
    user_id = add(database)
    enter(database)
    for login in ("van-thu", "somebody.else"):
        with pytest.raises(RefusedError):
            enter(database, login, "wrong password!")
    found = acts(database)
    assert [entry.act for entry in found[-3:]] == ["signed_in", "sign_in_refused", "sign_in_refused"]
    assert found[-3].by == f"user:{user_id}"
    assert [entry.data["user"] for entry in found[-2:]] == [user_id, None]
    told = repr([(entry.by, entry.data) for entry in found])
    assert not any(word in told for word in ("van-thu", "Văn thư", "somebody", "wrong", "203.0.113"))


def test_a_login_has_no_capitals_and_a_password_no_second_form(database: Database) -> None:
    add(database)
    assert enter(database, "Van-Thu")
    with pytest.raises(RefusedError):
        enter(database, password=PASSWORD.upper())


def test_too_many_attempts_wait_alike_whether_the_login_is_known_or_not(database: Database) -> None:
    add(database)
    told = []
    for login in ("van-thu", "nobody-at-all"):
        for _ in range(10):
            with pytest.raises(RefusedError) as refused:
                enter(database, login, "wrong password!")
            assert refused.value.reason.code == "sign_in.wrong"
        with pytest.raises(RefusedError) as refused:
            enter(database, login)  # the right one has to wait as well
        told.append(refused.value.text("vi"))
    assert told[0] == told[1]
    assert "thử lại sau 1 phút" in told[0]
    assert enter(database, now=NOW + timedelta(minutes=1))


def test_right_passwords_use_no_attempts_up(database: Database) -> None:
    add(database)
    assert len({enter(database) for _ in range(12)}) == 12


def test_a_disabled_user_is_out_at_once(database: Database) -> None:
    user_id = add(database)
    token = enter(database)
    with database.writing() as session:
        people.disable(session, everything("office", ""), session.get_one(User, user_id), now=NOW)
    assert whose(database, token) is None
    with pytest.raises(RefusedError) as refused:
        enter(database)
    assert refused.value.reason.code == "sign_in.wrong"


def test_another_password_ends_the_other_sessions_and_not_this_one(database: Database) -> None:
    add(database)
    here, there = enter(database), enter(database)
    with pytest.raises(RefusedError):
        sign_in.change_password(database, known(database, here), "wrong password!", OTHER, OTHER, now=NOW)
    with pytest.raises(RefusedError):
        sign_in.change_password(database, known(database, here), PASSWORD, OTHER, OTHER + "!", now=NOW)
    sign_in.change_password(database, known(database, here), PASSWORD, OTHER, OTHER, now=NOW)
    assert (whose(database, here) is not None, whose(database, there)) == (True, None)
    with pytest.raises(RefusedError):
        enter(database)
    assert enter(database, password=OTHER)


# Invitations


def test_an_invitation_works_once_for_three_days_and_until_the_next_one(database: Database) -> None:
    user_id = add(database, password=None)
    clerk = everything("office", "")
    with database.writing() as session:
        user = session.get_one(User, user_id)
        older = people.invite(session, clerk, user, now=NOW)
        newer = people.invite(session, clerk, user, now=NOW)
        assert older not in repr(session.exec(select(Invitation)).all())
    for token, now in ((older, NOW), (newer, NOW + timedelta(days=3)), ("", NOW)):
        with pytest.raises(RefusedError, match="invitation"):
            sign_in.choose_password(database, token, PASSWORD, PASSWORD, agent="", now=now)
    with pytest.raises(RefusedError, match="12 to 256"):
        sign_in.choose_password(database, newer, "short", "short", agent="", now=NOW)
    session_token = sign_in.choose_password(database, newer, PASSWORD, PASSWORD, agent="", now=NOW)
    assert known(database, session_token).user.id == user_id
    with pytest.raises(RefusedError, match="invitation"):
        sign_in.choose_password(database, newer, OTHER, OTHER, agent="", now=NOW)


def test_a_forgotten_password_is_replaced_and_the_second_factor_stays(database: Database) -> None:
    user_id, secret, _codes = admin(database)
    before = enter(database, "chief")
    with database.writing() as session:
        token = people.invite(session, everything("office", ""), session.get_one(User, user_id), now=NOW)
    fresh = sign_in.choose_password(database, token, OTHER, OTHER, agent="", now=NOW)
    assert whose(database, before) is None
    assert not known(database, fresh).is_whole
    later = NOW + timedelta(minutes=5)
    assert known(database, give(database, fresh, code(secret, later), later), later).is_whole


# The second factor


def admin(database: Database) -> tuple[int, str, list[str]]:
    """An admin who has set up a second factor: number, secret, recovery codes."""
    user_id = add(database, "chief", role="admin")
    visitor = known(database, enter(database, "chief"))
    secret, sealed = second_factor.proposed(KEY, user_id, NOW)
    _, codes = sign_in.set_up_code(database, visitor, sealed, code(secret, NOW), "", key=KEY, now=NOW)
    return user_id, secret, codes


def code(secret: str, moment: datetime) -> str:
    return pyotp.TOTP(secret).at(moment)


def give(database: Database, token: str, typed: str, now: datetime) -> str:
    return sign_in.give_code(database, known(database, token, now), typed, key=KEY, now=now)


def test_an_admin_is_not_in_before_a_second_factor_is_set_up(database: Database) -> None:
    add(database, "chief", role="admin")
    add(database, "clerk", role="secretariat")
    assert not known(database, enter(database, "chief")).is_whole
    assert known(database, enter(database, "clerk")).is_whole


def test_a_code_works_once_and_thirty_seconds_to_either_side(database: Database) -> None:
    _, secret, _ = admin(database)
    for minutes, shift, is_right in ((2, 0, True), (4, -30, True), (6, 30, True), (8, -60, False), (10, 60, False)):
        now = NOW + timedelta(minutes=minutes)
        typed = code(secret, now + timedelta(seconds=shift))
        token = enter(database, "chief", now=now)
        if not is_right:
            with pytest.raises(RefusedError, match="code"):
                give(database, token, typed, now)
            continue
        assert known(database, give(database, token, f"{typed[:3]} {typed[3:]}", now), now).is_whole
        again = enter(database, "chief", now=now)
        with pytest.raises(RefusedError, match="code"):
            give(database, again, typed, now)


def test_the_second_step_changes_the_token(database: Database) -> None:
    _, secret, _ = admin(database)
    now = NOW + timedelta(minutes=2)
    first = enter(database, "chief", now=now)
    second = give(database, first, code(secret, now), now)
    assert second != first
    assert whose(database, first, now) is None


def test_codes_cannot_be_tried_through(database: Database) -> None:
    _, secret, _ = admin(database)
    now = NOW + timedelta(minutes=2)
    token = enter(database, "chief", now=now)
    told = []
    for number in range(6):
        with pytest.raises(RefusedError) as refused:
            give(database, token, f"{number:06}", now)
        told.append(refused.value.reason.code)
    assert told == ["sign_in.wrong_code"] * 5 + ["sign_in.too_many"]
    with pytest.raises(RefusedError):
        give(database, token, code(secret, now), now)


def test_a_recovery_code_opens_once_however_it_is_typed(database: Database) -> None:
    _, _, codes = admin(database)
    assert len(set(codes)) == 10
    now = NOW + timedelta(minutes=2)
    token = enter(database, "chief", now=now)
    assert give(database, token, f" {codes[3].upper()} ", now)
    with pytest.raises(RefusedError):
        give(database, enter(database, "chief", now=now), codes[3], now)
    with database.reading() as session:
        assert second_factor.codes_left(session, 1) == 9
        kept = repr(session.exec(select(RecoveryCode)).all())
    assert not any(each in kept or each.replace("-", "") in kept for each in codes)


def test_the_secret_is_kept_sealed_and_opens_with_the_offices_key_alone(database: Database) -> None:
    user_id, secret, _ = admin(database)
    with database.reading() as session:
        kept = session.get_one(User, user_id).totp
    assert kept is not None
    assert secret not in kept
    _, sealed = second_factor.proposed(KEY, user_id, NOW)
    assert second_factor.opened(KEY, user_id, sealed, NOW) is not None
    assert second_factor.opened(KEY, user_id + 1, sealed, NOW) is None
    assert second_factor.opened(bytes([1] * 32), user_id, sealed, NOW) is None
    assert second_factor.opened(KEY, user_id, sealed, NOW + timedelta(hours=1)) is None
    assert second_factor.opened(KEY, user_id, kept, NOW) is None


def test_who_has_not_given_the_code_cannot_set_up_another_factor(database: Database) -> None:
    user_id, _, _ = admin(database)
    half = known(database, enter(database, "chief"))
    secret, sealed = second_factor.proposed(KEY, user_id, NOW)
    with pytest.raises(RefusedError, match="present app"):
        sign_in.set_up_code(database, half, sealed, code(secret, NOW), PASSWORD, key=KEY, now=NOW)
    half.user.totp = None  # as a request read it that began before the factor was set up on another device
    with pytest.raises(RefusedError, match="present app"):
        sign_in.set_up_code(database, half, sealed, code(secret, NOW), "", key=KEY, now=NOW)


def test_another_phone_needs_the_password_and_the_other_sessions_its_code(database: Database) -> None:
    user_id, old, _ = admin(database)
    now = NOW + timedelta(minutes=2)
    here = give(database, enter(database, "chief", now=now), code(old, now), now)
    later = now + timedelta(minutes=2)
    there = give(database, enter(database, "chief", now=later), code(old, later), later)
    secret, sealed = second_factor.proposed(KEY, user_id, later)
    visitor = known(database, here, later)
    with pytest.raises(RefusedError, match="password"):
        sign_in.set_up_code(database, visitor, sealed, code(secret, later), "wrong", key=KEY, now=later)
    fresh, _ = sign_in.set_up_code(database, visitor, sealed, code(secret, later), PASSWORD, key=KEY, now=later)
    assert known(database, fresh, later).is_whole
    assert whose(database, here) is None
    assert not known(database, there, later).is_whole


def test_an_admin_cannot_do_without_and_others_can(database: Database) -> None:
    _, secret, _ = admin(database)
    now = NOW + timedelta(minutes=2)
    visitor = known(database, give(database, enter(database, "chief", now=now), code(secret, now), now), now)
    with pytest.raises(RefusedError, match="admin"):
        sign_in.remove_code(database, visitor, PASSWORD, now=now)
    user_id = add(database, "clerk", role="secretariat")
    clerk = known(database, enter(database, "clerk"))
    fresh, sealed = second_factor.proposed(KEY, user_id, NOW)
    sign_in.set_up_code(database, clerk, sealed, code(fresh, NOW), PASSWORD, key=KEY, now=NOW)
    assert not known(database, enter(database, "clerk")).is_whole
    sign_in.remove_code(database, clerk, PASSWORD, now=NOW)
    assert known(database, enter(database, "clerk")).is_whole


# The pages


def form(desk: Desk, login: str, password: str = PASSWORD, **more: str) -> httpx.Response:
    return desk.post("/sign-in", {"login": login, "password": password, **more})


def keep(desk: Desk, answer: httpx.Response) -> str:
    """Puts the session's cookie into the browser, as https would; says its token."""
    name, _, token = answer.headers["set-cookie"].partition(";")[0].partition("=")
    assert name == SESSION
    desk.cookies.set(SESSION, token, domain="office.example.org")
    return token


def test_the_sign_in_leads_back_to_the_page_that_was_asked_for(desk: Desk) -> None:
    add(desk.database)
    asked = desk.get("/?state=overdue&year=2021")
    assert (asked.status_code, asked.headers["location"]) == (303, "/sign-in?next=%2F%3Fstate%3Doverdue%26year%3D2021")
    shown = desk.get(asked.headers["location"]).text
    assert 'name="next" value="/?state=overdue&amp;year=2021"' in shown
    answer = form(desk, "van-thu", next="/?state=overdue&year=2021")
    assert (answer.status_code, answer.headers["location"]) == (303, "/?state=overdue&year=2021")
    keep(desk, answer)
    assert "Văn thư" in desk.get("/").text


def test_the_cookie_is_for_https_this_host_and_no_script(desk: Desk) -> None:
    add(desk.database)
    cookie = form(desk, "van-thu").headers["set-cookie"]
    assert cookie.startswith("__Host-dondoc=")
    assert {"HttpOnly", "Secure", "SameSite=lax", "Path=/", "Max-Age=43200"} <= set(cookie.split("; "))
    assert "domain" not in cookie.lower()
    own = desk.post("/sign-in", {"login": "van-thu", "password": PASSWORD}, headers={"host": "127.0.0.1:8000"})
    assert own.headers["set-cookie"].startswith("dondoc=")
    assert "Secure" not in own.headers["set-cookie"]


@pytest.mark.parametrize("to", ["//evil.example", "https://evil.example", "/\\evil.example", "/a\r\nb", "evil"])
def test_the_sign_in_leads_to_no_other_site(desk: Desk, to: str) -> None:
    add(desk.database)
    assert form(desk, "van-thu", next=to).headers["location"] == "/"


def test_a_wrong_password_and_an_unknown_login_look_alike(desk: Desk) -> None:
    add(desk.database)
    known_, unknown = (form(desk, login, "wrong password!") for login in ("van-thu", "van-thx"))
    assert (known_.status_code, unknown.status_code) == (422, 422)
    assert known_.text.replace("van-thu", "van-thx") == unknown.text
    assert known_.headers.keys() == unknown.headers.keys()
    assert "wrong password!" not in known_.text


def test_too_many_attempts_are_told_so(desk: Desk) -> None:
    for _ in range(10):
        form(desk, "van-thu", "wrong password!")
    answer = form(desk, "van-thu", "wrong password!")
    assert answer.status_code == 429
    assert "thử lại sau 1 phút" in answer.text


def test_an_admin_sets_up_the_second_factor_first_and_sees_the_recovery_codes_once(desk: Desk) -> None:
    add(desk.database, "chief", role="admin")
    keep(desk, form(desk, "chief", next="/people"))
    for path in ("/", "/people", "/account"):
        assert desk.get(path).headers["location"].startswith("/account/second-factor?next=")
    assert desk.post("/people", {"login": "x"}).status_code == 401
    shown = desk.get("/account/second-factor?next=/people").text
    secret = re.findall(r"<code>([A-Z2-7 ]+)</code>", shown)[0].replace(" ", "")
    sealed = re.findall(r'name="sealed" value="([^"]+)"', shown)[0]
    wrong = desk.post("/account/second-factor", {"sealed": sealed, "code": "000000", "next": "/people"})
    assert wrong.status_code == 422
    assert sealed in wrong.text  # the same picture: it has been scanned already
    given = {"sealed": sealed, "code": code(secret, clock.now()), "next": "/people"}
    done = desk.post("/account/second-factor", given)
    assert (done.status_code, done.headers["location"]) == (303, "/account/recovery-codes")
    cookies = dict(each.partition(";")[0].split("=", 1) for each in done.headers.get_list("set-cookie"))
    assert desk.get("/people").headers["location"].startswith("/sign-in")  # under the token of before
    desk.cookies.set(SESSION, cookies[SESSION], domain="office.example.org")
    assert "-" in second_factor_codes(desk, cookies["__Host-once"])[0]
    desk.cookies.delete("__Host-once")
    assert desk.get("/account/recovery-codes").headers["location"] == "/account"
    assert desk.get("/people").status_code == 200


def second_factor_codes(desk: Desk, kept: str) -> list[str]:
    desk.cookies.set("__Host-once", kept, domain="office.example.org")
    shown = desk.get("/account/recovery-codes")
    assert 'href="/people"' in shown.text
    assert "Max-Age=0" in shown.headers["set-cookie"]
    return re.findall(r"<li><code>([^<]+)</code>", shown.text)


def test_signing_out_ends_this_session_alone(desk: Desk) -> None:
    add(desk.database)
    there = enter(desk.database, now=clock.now())
    here = keep(desk, form(desk, "van-thu"))
    answer = desk.post("/sign-out")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    now = clock.now()
    assert (whose(desk.database, here, now), whose(desk.database, there, now) is not None) == (None, True)
    assert desk.get("/").status_code == 303


def test_an_invitation_is_opened_pressed_and_gone(desk: Desk) -> None:
    user_id = add(desk.database, password=None)
    with desk.database.writing() as session:
        token = people.invite(session, everything("office", ""), session.get_one(User, user_id), now=clock.now())
    path = f"/invite/{token}"
    for _ in range(3):  # a mail scanner reads it first
        assert desk.get(path).status_code == 200
    differ = desk.post(path, {"password": PASSWORD, "again": OTHER})
    assert (differ.status_code, "không giống nhau" in differ.text) == (422, True)
    keep(desk, desk.post(path, {"password": PASSWORD, "again": PASSWORD}))
    assert desk.get("/").status_code == 200
    assert desk.get(path).status_code == 404
    assert desk.post(path, {"password": PASSWORD, "again": PASSWORD}).status_code == 404


def test_an_act_after_the_session_says_that_nothing_was_done(desk: Desk) -> None:
    answer = desk.post("/tasks/1/acceptance")
    assert answer.status_code == 401
    assert "Chưa có gì được ghi" in answer.text
    partial = desk.get("/", headers={"hx-request": "true"})
    assert (partial.status_code, partial.headers["hx-redirect"]) == (401, "/sign-in")


def test_who_tries_links_has_to_slow_down_and_a_right_one_still_opens(desk: Desk) -> None:
    link = desk.link()
    found = [desk.get(f"/{way}/{number}-AAAA").status_code for number in range(11) for way in ("s", "invite")]
    assert found == [404] * 20 + [429] * 2
    assert desk.get(link).status_code == 200


def test_a_playground_needs_no_sign_in_and_takes_one(desk: Desk) -> None:
    desk.move_clock("2022-01-05")
    assert desk.get("/people").status_code == 200
    add(desk.database)
    keep(desk, form(desk, "van-thu"))
    assert desk.get("/people").status_code == 403


def test_plain_http_to_another_machine_is_warned_of(desk: Desk) -> None:
    assert "https" in desk.get("/sign-in").text
    assert URL.startswith("http:")
    assert "https" not in desk.get("/sign-in", headers={"host": "127.0.0.1:8000"}).text

"""Does the fake answer as Zalo does? Each check in the order in which Zalo makes it."""

import base64
import hashlib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from samples.fake_zalo.state import Code, Consumed, Fault
from tests.builders import at
from tests.zalo import APP, BOT_TOKEN, CHAT, FOLLOWER, PHONE, Zalo, running

LETTER = {"recipient": {"user_id": FOLLOWER}, "message": {"text": "Xin chào"}}


@pytest.fixture
def zalo() -> Iterator[Zalo]:
    with running() as zalo:
        yield zalo


def post(zalo: Zalo, path: str, token: str = "", **given: Any) -> httpx.Response:
    with httpx.Client(base_url=zalo.url, headers={"access_token": token} if token else {}) as client:
        return client.post(path, **given)


def refresh(zalo: Zalo, token: str, secret: str = APP.secret, grant: str = "refresh_token") -> httpx.Response:
    form = {"refresh_token": token, "app_id": APP.app_id, "grant_type": grant}
    return post(zalo, "/v4/oa/access_token", data=form, headers={"secret_key": secret})


def consult(zalo: Zalo, token: str, text: str = "Xin chào", to: str = FOLLOWER) -> int:
    given = {"recipient": {"user_id": to}, "message": {"text": text}}
    return int(post(zalo, "/v3.0/oa/message/cs", token, json=given).json()["error"])


def template(zalo: Zalo, token: str, **changes: Any) -> dict[str, Any]:
    given = {"phone": PHONE, "template_id": "t-1", "template_data": {"name": "A", "subject": "B"}} | changes
    return dict(post(zalo, "/message/template", token, json=given).json())


def test_a_refresh_turns_the_pair_over_and_kills_both_old_tokens(zalo: Zalo) -> None:
    access, old = zalo.state.issue(APP.app_id)
    pair = refresh(zalo, old).json()
    assert pair["expires_in"] == "90000"
    assert consult(zalo, access) == -216
    assert consult(zalo, pair["access_token"]) == 0


@pytest.mark.parametrize(("mode", "answer"), [("empty", b""), ("-14014", b"-14014"), ("-14020", b"-14020")])
def test_a_refresh_token_works_once(zalo: Zalo, mode: Consumed, answer: bytes) -> None:
    zalo.state.consumed_answer = mode
    _, old = zalo.state.issue(APP.app_id)
    refresh(zalo, old)
    again = refresh(zalo, old)
    assert again.status_code == 200
    assert answer in again.content
    assert bool(again.content) == bool(answer)


def test_whoever_refreshes_wrongly_is_told_why(zalo: Zalo) -> None:
    _, token = zalo.state.issue(APP.app_id)
    assert refresh(zalo, token, secret="wrong").json()["error"] == -14004
    assert refresh(zalo, token, grant="password").json()["error"] == -14018
    assert post(zalo, "/v4/oa/access_token", json={}).json()["error"] == -14004
    assert post(zalo, "/v4/oa/refresh_token").json()["error"] == "404"
    assert refresh(zalo, token).json()["access_token"]


def test_a_code_needs_its_verifier_and_lives_ten_minutes(zalo: Zalo) -> None:
    challenge = base64.urlsafe_b64encode(hashlib.sha256(b"v").digest()).rstrip(b"=").decode()
    form = {"code": "c", "app_id": APP.app_id, "grant_type": "authorization_code", "code_verifier": "v"}
    headers = {"secret_key": APP.secret}
    for verifier, age in (("w", 0), ("v", 11), ("v", 9)):
        zalo.state.codes["c"] = Code(APP.app_id, challenge, zalo.clock.at - timedelta(minutes=age))
        answer = post(zalo, "/v4/oa/access_token", data=form | {"code_verifier": verifier}, headers=headers).json()
        assert answer.get("error") == (-14005 if (verifier, age) != ("v", 9) else None)


def test_an_expired_access_token_is_told_apart_unless_it_is_not(zalo: Zalo) -> None:
    access, _ = zalo.state.issue(APP.app_id)
    zalo.clock.at += timedelta(hours=26)
    assert consult(zalo, access) == -220
    zalo.state.tells_expired = False
    assert consult(zalo, access) == -216
    assert template(zalo, access)["error"] == -124


def test_an_oa_writes_only_to_whom_it_may(zalo: Zalo) -> None:
    access, _ = zalo.state.issue(APP.app_id)
    assert (
        post(zalo, "/v3.0/oa/message/cs", json=LETTER, headers={"authorization": f"Bearer {access}"}).json()["error"]
        == -216
    )
    assert consult(zalo, access, to="nobody") == -201
    assert consult(zalo, access, "x" * 2001) == -210
    zalo.clock.at += timedelta(days=7, seconds=1)
    access, _ = zalo.state.issue(APP.app_id)
    assert consult(zalo, access) == -230
    zalo.state.users[FOLLOWER].last_interaction = None
    assert consult(zalo, access) == -232
    zalo.state.users[FOLLOWER].is_blocked = True
    assert consult(zalo, access) == -244
    assert post(zalo, "/v3.0/oa/message/transaction", access, json=LETTER).json()["error"] == -233
    assert zalo.state.sent == []


def test_a_template_message_is_checked_from_the_number_to_the_quota(zalo: Zalo) -> None:
    access, _ = zalo.state.issue(APP.app_id)
    assert template(zalo, access, phone="12")["error"] == -108
    assert template(zalo, access, template_id="t-2")["error"] == -109
    assert template(zalo, access, template_data={"name": "A"})["error"] == -1122
    assert template(zalo, access, template_data={"name": "A" * 31, "subject": "B"})["error"] == -1121
    assert template(zalo, access, phone="84911111111")["error"] == -118
    zalo.state.day_quota = 1
    answer = template(zalo, access, tracking_id="m-1")
    assert answer["data"]["quota"] == {"dailyQuota": "1", "remainingQuota": "0"}
    assert template(zalo, access)["error"] == -144
    assert [each.tracking_id for each in zalo.state.sent] == ["m-1"]


@pytest.mark.parametrize(("hour", "error"), [("21:59", 0), ("22:00", -133), ("05:59", -133), ("06:00", 0)])
def test_no_template_message_at_night(zalo: Zalo, hour: str, error: int) -> None:
    zalo.clock.at = at("2025-09-02", hour)
    access, _ = zalo.state.issue(APP.app_id)
    assert template(zalo, access)["error"] == error


def test_a_bot_writes_to_whoever_wrote_to_it(zalo: Zalo) -> None:
    way = f"/bot{BOT_TOKEN}"
    sent = post(zalo, f"{way}/sendMessage", json={"chat_id": CHAT, "text": "Xin chào"}).json()
    assert sent["result"]["message_id"] == zalo.state.to(CHAT)[0].message_id
    assert post(zalo, f"{way}/sendMessage", json={"chat_id": "nobody", "text": "x"}).json()["error_code"] == 400
    assert post(zalo, f"{way}/sendMessage", json={"chat_id": CHAT, "text": ""}).json()["error_code"] == 400
    assert post(zalo, "/bot9:wrong/getMe").status_code == 401
    assert post(zalo, f"{way}/getUpdates").json()["error_code"] == 408
    given = {"url": "https://office.example.org/hooks/zalobot", "secret_token": "12345678"}
    assert post(zalo, f"{way}/setWebhook", json=given).json()["ok"]
    assert post(zalo, f"{way}/getUpdates").json()["error_code"] == 400
    zalo.state.bots[BOT_TOKEN].month_left = 0
    assert post(zalo, f"{way}/sendMessage", json={"chat_id": CHAT, "text": "x"}).status_code == 429
    assert not any(BOT_TOKEN in path for path in zalo.state.calls)


def test_a_fault_comes_once_and_may_take_the_message_first(zalo: Zalo) -> None:
    access, _ = zalo.state.issue(APP.app_id)
    zalo.state.faults["/v3.0/oa/message/cs"] = [Fault(429, html="<html>"), Fault(drop=True, is_accepted=True)]
    assert post(zalo, "/v3.0/oa/message/cs", access, json=LETTER).status_code == 429
    assert zalo.state.sent == []
    with pytest.raises(httpx.HTTPError):
        post(zalo, "/v3.0/oa/message/cs", access, json=LETTER)
    assert len(zalo.state.sent) == 1


def test_its_page_shows_what_was_sent_and_takes_no_word_for_markup(zalo: Zalo) -> None:
    zalo.state.accept("zalobot", CHAT, "<b>Hạn</b> 30/09")
    shown = httpx.get(zalo.url).text
    assert "&lt;b&gt;Hạn&lt;/b&gt; 30/09" in shown

"""Does the fake answer as Zalo does? Each check in the order in which Zalo makes it."""

import base64
import hashlib
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from samples.fake_zalo.__main__ import state_of
from samples.fake_zalo.state import Code, Consumed, Fault, Template
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


def get(zalo: Zalo, path: str, token: str = "", **query: str) -> Any:
    return httpx.get(f"{zalo.url}{path}", params=query, headers={"access_token": token} if token else {}).json()


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
    assert refresh(zalo, "unheard of").json()["error"] == -14014
    assert refresh(zalo, token).json()["access_token"]
    _, token = zalo.state.issue(APP.app_id)
    zalo.state.grants[token] = (APP.app_id, "revoked")
    assert refresh(zalo, token).json()["error"] == -14014
    form = {"refresh_token": token, "app_id": "other", "grant_type": "refresh_token"}
    answer = post(zalo, "/v4/oa/access_token", data=form, headers={"secret_key": APP.secret}).json()
    assert answer["error"] == -14002


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
    zalo.state.users[FOLLOWER].is_follower = False
    assert consult(zalo, access) == -213
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
    assert template(zalo, access, mode="development")["error"] == -127
    zalo.state.day_quota = 1
    answer = template(zalo, access, tracking_id="m-1")
    assert answer["data"]["quota"] == {"dailyQuota": "1", "remainingQuota": "0"}
    assert template(zalo, access)["error"] == -144
    zalo.state.day_quota, zalo.state.templates["t-1"].day_quota = 9, 1
    assert template(zalo, access)["error"] == -147
    zalo.state.templates |= {"t-3": Template({}, "PENDING_REVIEW"), "t-4": Template({}, "DISABLE")}
    assert [template(zalo, access, template_id=each)["error"] for each in ("t-3", "t-4")] == [-131, -146]
    assert [each.tracking_id for each in zalo.state.sent] == ["m-1"]


def test_a_hash_stands_for_a_number(zalo: Zalo) -> None:
    access, _ = zalo.state.issue(APP.app_id)
    given = {"template_id": "t-1", "template_data": {"name": "A", "subject": "B"}, "tracking_id": "m-1"}

    def ask(phone: str) -> Any:
        hashed = hashlib.sha256(phone.encode()).hexdigest()
        return post(zalo, "/message/template/hashphone", access, json=given | {"hash_phone": hashed}).json()

    assert ask(PHONE)["data"]["msg_id"] == zalo.state.to(PHONE)[0].message_id
    assert ask("84911111111")["error"] == -118
    assert post(zalo, "/message/template/hashphone", access, json=given | {"phone": PHONE}).json()["error"] == -108


def test_what_was_sent_and_what_may_be_sent_can_be_asked_for(zalo: Zalo) -> None:
    access, _ = zalo.state.issue(APP.app_id)
    zalo.state.templates["t-2"] = Template({}, status="DISABLE")
    sent = template(zalo, access)["data"]["msg_id"]
    assert get(zalo, "/message/status", access, message_id=sent)["data"]["status"] == 1
    assert get(zalo, "/message/status", access, message_id="other")["data"]["status"] == -1
    assert get(zalo, "/message/quota", access)["data"]["remainingQuota"] == "499"
    info = get(zalo, "/template/info/v2", access, template_id="t-1")["data"]
    assert (info["status"], [each["maxLength"] for each in info["listParams"]]) == ("ENABLE", [30, 200])
    listed = get(zalo, "/template/all", access, offset="0", limit="100")
    assert ([each["templateId"] for each in listed["data"]], listed["metadata"]) == (["t-1", "t-2"], {"total": 2})
    assert get(zalo, "/template/all", access, offset="0", limit="9", status="4")["metadata"] == {"total": 1}
    for wrong in ({"status": "ENABLE", "limit": "9"}, {"limit": "101"}):
        assert get(zalo, "/template/all", access, offset="0", **wrong)["error"] == -132
    assert get(zalo, "/template/all", "no token")["error"] == -124


def test_an_oa_knows_itself_its_users_and_their_last_sign_of_life(zalo: Zalo) -> None:
    access, _ = zalo.state.issue(APP.app_id)
    assert get(zalo, "/v2.0/oa/getoa", access)["data"]["oa_id"] == APP.oa_id
    asked = {"data": json.dumps({"user_id": FOLLOWER})}
    assert get(zalo, "/v3.0/oa/user/detail", access, **asked)["data"]["user_is_follower"]
    assert get(zalo, "/v3.0/oa/user/detail", access, data="{}")["error"] == -201
    quota = post(zalo, "/v3.0/oa/quota/message", access, json={"user_id": FOLLOWER}).json()["data"]
    assert quota["last_interaction"] == str(int(zalo.clock.at.timestamp() * 1000))
    for path in ("/v3.0/oa/other", "/message/template"):
        assert get(zalo, path, access)["error"] == 404


def test_a_template_goes_to_a_user_of_the_oa_too(zalo: Zalo) -> None:
    access, _ = zalo.state.issue(APP.app_id)
    given = {"user_id": FOLLOWER, "template_id": "t-1", "template_data": {"name": "A", "subject": "B"}}
    path = "/v3.0/oa/message/template"
    sent = post(zalo, path, access, json=given).json()["data"]["message_id"]
    assert [each.message_id for each in zalo.state.to(FOLLOWER)] == [sent]
    assert post(zalo, path, access, json=given | {"user_id": "nobody"}).json()["error"] == -201
    assert post(zalo, path, access, json=given | {"template_id": "t-2"}).json()["error"] == -201
    zalo.state.templates["t-1"].by_uid = False
    assert post(zalo, path, access, json=given).json()["error"] == -249


def test_a_group_is_written_to_at_any_time(zalo: Zalo) -> None:
    access, _ = zalo.state.issue(APP.app_id)
    zalo.state.groups["g-1"] = "Tổ văn thư"

    def ask(group: str, text: str) -> Any:
        given = {"recipient": {"group_id": group}, "message": {"text": text}}
        return post(zalo, "/v3.0/oa/group/message", access, json=given).json()

    assert ask("g-1", "Xin chào")["data"]["message_id"] == zalo.state.to("g-1")[0].message_id
    assert (ask("g-2", "Xin chào")["error"], ask("g-1", "")["error"]) == (-201, -201)
    assert ask("g-1", "x" * 2001)["error"] == -210
    assert "Tổ văn thư" in httpx.get(zalo.url).text


def test_a_file_is_sent_up_first_and_forgotten_after_seven_days(zalo: Zalo) -> None:
    access, _ = zalo.state.issue(APP.app_id)
    up = "/v2.0/oa/upload"
    file = post(zalo, f"{up}/file", access, files={"file": ("Báo cáo.pdf", b"%PDF")}).json()["data"]["token"]
    image = post(zalo, f"{up}/image", access, files={"file": ("a.png", b"PNG")}).json()["data"]["attachment_id"]

    def send(attachment: dict[str, Any]) -> int:
        given = {"recipient": {"user_id": FOLLOWER}, "message": {"attachment": attachment}}
        return int(post(zalo, "/v3.0/oa/message/cs", access, json=given).json()["error"])

    media = {"template_type": "media", "elements": [{"media_type": "image", "attachment_id": image}]}
    assert send({"type": "file", "payload": {"token": file}}) == 0
    assert send({"type": "template", "payload": media}) == 0
    assert send({"type": "file", "payload": {"token": "other"}}) == -100
    assert send({"type": "file"}) == -201
    assert [each.text for each in zalo.state.to(FOLLOWER)] == ["[Báo cáo.pdf]", "[a.png]"]
    assert post(zalo, f"{up}/file", access, files={"file": ("a.exe", b"MZ")}).json()["error"] == -201
    assert post(zalo, f"{up}/file", access, data={"other": "field"}).json()["error"] == -201
    assert post(zalo, f"{up}/image", access, files={"file": ("a.png", b"x" * 1_048_577)}).json()["error"] == -210
    assert post(zalo, f"{up}/image", files={"file": ("a.png", b"PNG")}).json()["error"] == -216
    zalo.clock.at += timedelta(days=7, seconds=1)
    access, _ = zalo.state.issue(APP.app_id)
    zalo.state.users[FOLLOWER].last_interaction = zalo.clock()
    assert send({"type": "file", "payload": {"token": file}}) == -100


def test_who_asks_too_often_in_a_minute_is_told_so_and_how_often_is_left(zalo: Zalo) -> None:
    access, _ = zalo.state.issue(APP.app_id)
    zalo.state.minute_limit = 2
    answers = [post(zalo, "/v3.0/oa/message/cs", access, json=LETTER) for _ in range(3)]
    assert [each.json()["error"] for each in answers] == [0, 0, -32]
    assert [each.headers["x-ratelimit-remain"] for each in answers] == ["1", "0", "0"]
    assert {each.headers["x-ratelimit-limit"] for each in answers} == {"2"}
    assert template(zalo, access)["error"] == -32
    zalo.clock.at += timedelta(minutes=1)
    assert consult(zalo, access) == 0
    assert "x-ratelimit-limit" not in post(zalo, "/v3.0/oa/message/cs", "no token", json=LETTER).headers


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
    photo = {"chat_id": CHAT, "photo": "https://office.example.org/a.png", "caption": "Sơ đồ"}
    assert post(zalo, f"{way}/sendPhoto", json=photo).json()["ok"]
    assert post(zalo, f"{way}/sendPhoto", json=photo | {"photo": "a.png"}).json()["error_code"] == 400
    assert zalo.state.to(CHAT)[1].text == "Sơ đồ\n[https://office.example.org/a.png]"
    assert post(zalo, f"{way}/sendChatAction", json={"chat_id": CHAT, "action": "typing"}).json() == {"ok": True}
    assert post(zalo, "/bot9:wrong/getMe").status_code == 401
    assert post(zalo, f"{way}/getMe").json()["result"]["can_join_groups"] is False
    assert post(zalo, f"{way}/getWebhookInfo").status_code == post(zalo, f"{way}/unheardOf").status_code == 404
    assert post(zalo, f"{way}/getUpdates").json()["error_code"] == 408
    given = {"url": "https://office.example.org/hooks/zalobot", "secret_token": "12345678"}
    for url in ("http://office.example.org/", "https://localhost/", "https://192.168.1.2/", "https://127.0.0.1:8000/"):
        assert post(zalo, f"{way}/setWebhook", json=given | {"url": url}).json()["error_code"] == 400
    assert post(zalo, f"{way}/setWebhook", json=given | {"secret_token": "short"}).json()["error_code"] == 400
    zalo.state.bots[BOT_TOKEN].updates = [{"n": 1}, {"n": 2}]
    assert get(zalo, f"{way}/getUpdates")["result"] == {"n": 1}
    assert post(zalo, f"{way}/setWebhook", json=given).json()["ok"]
    assert post(zalo, f"{way}/getUpdates").json()["error_code"] == 400
    assert post(zalo, f"{way}/getWebhookInfo").json()["result"]["url"] == given["url"]
    assert post(zalo, f"{way}/deleteWebhook").json()["result"]["url"] == ""
    assert get(zalo, f"{way}/getUpdates")["result"] == {"n": 2}
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
    zalo.state.faults["/v3.0/oa/message/cs"] = [Fault(delay=0.3, is_accepted=True)] * 2
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{zalo.url}/v3.0/oa/message/cs", json=LETTER, headers={"access_token": access}, timeout=0.1)
    assert consult(zalo, access) == 0
    assert len(zalo.state.sent) == 3


def test_its_page_shows_what_was_sent_and_takes_no_word_for_markup(zalo: Zalo) -> None:
    zalo.state.accept("zalobot", CHAT, "<b>Hạn</b> 30/09")
    shown = httpx.get(zalo.url).text
    assert "&lt;b&gt;Hạn&lt;/b&gt; 30/09" in shown


def test_by_hand_it_makes_the_secrets_that_an_office_lacks_and_leaves_the_others(tmp_path: Path) -> None:
    (tmp_path / "zalobot-token").write_text("7:own\n")
    state = state_of(tmp_path, "duk", "http://127.0.0.1:8000")
    assert list(state.bots) == ["7:own"]
    again = state_of(tmp_path, "duk", "http://127.0.0.1:8000")
    assert (again.apps, again.hook_secret) == (state.apps, state.hook_secret)
    refresh_token = (tmp_path / "zalo-duk-refresh").read_text().strip()
    with running(state=again) as zalo:
        form = {"refresh_token": refresh_token, "app_id": "app-fake", "grant_type": "refresh_token"}
        headers = {"secret_key": (tmp_path / "zalo-duk-app").read_text().strip()}
        pair = post(zalo, "/v4/oa/access_token", data=form, headers=headers).json()
        assert consult(zalo, pair["access_token"], to="somebody linked before") == 0
    assert {path.stat().st_mode & 0o077 for path in tmp_path.iterdir() if path.name != "zalobot-token"} == {0}

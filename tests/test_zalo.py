"""Does a message reach Zalo once, whatever Zalo answers, and does nobody lose the tokens?"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from signal import SIGKILL
from typing import Any

import pytest
from apprise import Apprise
from sqlmodel import select

from dondoc.database import Database
from dondoc.keys import Secrets
from engine.zalo_account import trouble
from models.message import Outcome
from models.zalo import ZaloAccount
from notifications.channels import carriers_for
from notifications.channels.by_channel import ByChannel
from notifications.channels.carrier import Letter, Result
from notifications.channels.zalo_plugin import ZaloAsset, ZaloDesk
from notifications.channels.zalo_tokens import LEASE, Tokens
from notifications.channels.zalo_wire import Hosts, fitted
from samples.fake_zalo.state import Consumed, Fault
from tests.builders import at
from tests.zalo import (
    ALIAS,
    APP,
    BOT_TOKEN,
    CHAT,
    FOLLOWER,
    KEY,
    PHONE,
    Zalo,
    link_account,
    refresh,
    running,
    settings_for,
)

DAY = "2025-09-01"
CONSULT, TEMPLATE, REFRESH = "/v3.0/oa/message/cs", "/message/template", "/v4/oa/access_token"
ADDRESSES = {"zalobot": CHAT, "zalooa": FOLLOWER, "zalozns": PHONE}


@dataclass
class Wire:
    """The carriers of an office that speak to the fake."""

    zalo: Zalo
    database: Database
    carriers: ByChannel
    secrets: Secrets

    def send(self, *letters: Letter) -> list[Result]:
        return [result for _, result in self.carriers.send(letters, lambda asked: {each.message_id for each in asked})]

    def account(self) -> ZaloAccount:
        with self.database.reading() as session:
            return session.exec(select(ZaloAccount)).one()

    def tokens(self) -> Tokens:
        return Tokens(self.database, KEY, self.zalo.url, self.secrets)

    def refreshes(self) -> int:
        return self.zalo.state.calls.count(REFRESH)


@pytest.fixture
def wire(database: Database, tmp_path: Path) -> Iterator[Wire]:
    with running() as zalo:
        settings = settings_for(database, zalo, tmp_path)
        link_account(database, zalo)
        carriers = carriers_for(settings, database, KEY, lambda: zalo.clock.at)
        yield Wire(zalo, database, carriers, Secrets(settings.secrets))


@pytest.fixture
def sqlite_wire(sqlite_template: Path, tmp_path: Path) -> Iterator[Wire]:
    """For what cannot differ between databases."""
    path = tmp_path / "dondoc.sqlite"
    path.write_bytes(sqlite_template.read_bytes())
    database = Database(f"sqlite:///{path}")
    with running() as zalo:
        settings = settings_for(database, zalo, tmp_path)
        link_account(database, zalo)
        yield Wire(zalo, database, carriers_for(settings, database, KEY), Secrets(settings.secrets))
    database.close()


def letter(channel: str = "zalooa", number: int = 1, now: datetime | None = None, **changes: Any) -> Letter:
    given: dict[str, Any] = {"subject": "Nhắc", "text": "Xin nộp", "html": "", "short": "Nhắc: xin nộp báo cáo"}
    given |= {"address": ADDRESSES[channel], "account": ALIAS, "data": {"name": "Văn thư", "subject": "Nhắc"}}
    given |= {"message_id": number, "reference": f"m-{number}", "thread": None, "name": "", "channel": channel}
    return Letter(**{**given, "at": now or at(DAY), **changes})


@pytest.mark.parametrize("channel", ADDRESSES)
def test_each_way_gives_the_id_that_zalo_calls_the_message(sqlite_wire: Wire, channel: str) -> None:
    (result,) = sqlite_wire.send(letter(channel))
    (sent,) = sqlite_wire.zalo.state.sent
    assert (result.outcome, result.provider_id) == (Outcome.SENT, sent.message_id)
    assert (sent.channel, sent.to) == (channel, ADDRESSES[channel])


def test_a_letter_that_the_gate_holds_back_goes_nowhere(sqlite_wire: Wire) -> None:
    assert list(sqlite_wire.carriers.send([letter(), letter("zalobot")], lambda asked: set())) == []
    assert sqlite_wire.zalo.state.sent == []


def test_characters_are_counted_as_zalo_does(sqlite_wire: Wire) -> None:
    text = unicodedata.normalize("NFD", "ế" * 2000)
    assert len(text) > 2000
    (result,) = sqlite_wire.send(letter(short=text))
    assert result.outcome is Outcome.SENT
    assert sqlite_wire.zalo.state.sent[0].text == "ế" * 2000


def test_what_is_too_long_ends_at_a_whole_line() -> None:
    text = "\n".join(f"Chi bộ số {number}: quá hạn" for number in range(200))
    short = fitted(text)
    assert len(short) <= 2000
    assert short.splitlines()[-1] == "…"
    assert set(short.splitlines()[:-1]) <= set(text.splitlines())


@pytest.mark.parametrize(
    ("channel", "route", "body", "outcome"),
    [
        ("zalobot", "/bot/sendMessage", {"ok": False, "description": "x", "error_code": "401"}, Outcome.CONFIG),
        ("zalobot", "/bot/sendMessage", {"ok": False, "description": "chat not found", "error_code": 400}, "recipient"),
        ("zalobot", "/bot/sendMessage", {"ok": False, "description": "text", "error_code": 400}, Outcome.PAYLOAD),
        ("zalobot", "/bot/sendMessage", {"ok": False, "description": "x", "error_code": 429}, Outcome.RETRY),
        ("zalooa", CONSULT, {"error": -32, "message": "limit"}, Outcome.RETRY),
        ("zalooa", CONSULT, {"error": -213, "message": "x"}, Outcome.RECIPIENT),
        ("zalooa", CONSULT, {"error": -201, "message": "user_id is invalid!"}, Outcome.RECIPIENT),
        ("zalooa", CONSULT, {"error": -201, "message": "text"}, Outcome.PAYLOAD),
        ("zalooa", CONSULT, {"error": -230, "message": "x"}, Outcome.ELSEWHERE),
        ("zalooa", CONSULT, {"error": "-224", "message": "x"}, Outcome.CONFIG),
        ("zalozns", TEMPLATE, {"error": -118, "message": "x"}, Outcome.RECIPIENT),
        ("zalozns", TEMPLATE, {"error": -114, "message": "x"}, Outcome.ELSEWHERE),
        ("zalozns", TEMPLATE, {"error": -1121, "message": "x"}, Outcome.PAYLOAD),
        ("zalozns", TEMPLATE, {"error": -115, "message": "x"}, Outcome.CONFIG),
        ("zalozns", TEMPLATE, {"error": -100, "message": "x"}, Outcome.RETRY),
    ],
)
def test_each_refusal_has_its_class(
    sqlite_wire: Wire, channel: str, route: str, body: dict[str, Any], outcome: str
) -> None:
    sqlite_wire.zalo.state.faults[route] = [Fault(body=body)]
    (result,) = sqlite_wire.send(letter(channel))
    assert result.outcome == outcome
    assert result.code == str(body.get("error", body.get("error_code")))
    assert sqlite_wire.zalo.state.sent == []


@pytest.mark.parametrize(
    ("channel", "route"), [("zalobot", "/bot/sendMessage"), ("zalooa", CONSULT), ("zalozns", TEMPLATE)]
)
@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (Fault(429, html="<html>429</html>"), Outcome.RETRY),
        (Fault(502, html="<html>502</html>"), Outcome.RETRY),
        (Fault(504, html="<html>504</html>"), Outcome.AMBIGUOUS),
        (Fault(drop=True, is_accepted=True), Outcome.AMBIGUOUS),
    ],
)
def test_no_answer_from_zalo_itself_is_told_apart(
    sqlite_wire: Wire, channel: str, route: str, fault: Fault, outcome: Outcome
) -> None:
    sqlite_wire.zalo.state.faults[route] = [fault]
    assert [each.outcome for each in sqlite_wire.send(letter(channel))] == [outcome]


def test_a_nul_in_what_zalo_says_is_dropped(sqlite_wire: Wire) -> None:
    """PostgreSQL keeps none."""
    sqlite_wire.zalo.state.faults[CONSULT] = [Fault(200, {"error": -32, "message": "too\x00many"})]
    assert sqlite_wire.send(letter())[0].answer == "too many"


def test_quota_and_night_put_off_to_the_next_morning(sqlite_wire: Wire) -> None:
    sqlite_wire.zalo.state.day_quota = 0
    (result,) = sqlite_wire.send(letter("zalozns", 7))
    assert (result.outcome, result.code) == (Outcome.DEFER, "-144")
    assert result.try_after == at("2025-09-02", "06:12")
    sqlite_wire.zalo.state.day_quota = 9
    for hour, morning in (("23:00", "2025-09-02"), ("05:00", "2025-09-01")):
        now = sqlite_wire.zalo.clock.at = at("2025-09-01", hour)
        (result,) = sqlite_wire.send(letter("zalozns", 7, now))
        assert (result.code, result.try_after) == ("-133", at(morning, "06:12"))


def test_a_zalo_that_is_down_keeps_nobody_waiting(sqlite_wire: Wire) -> None:
    sqlite_wire.zalo.state.faults[CONSULT] = [Fault(503, html="x") for _ in range(9)]
    results = sqlite_wire.send(*(letter(number=number) for number in range(9)))
    assert {each.outcome for each in results} == {Outcome.RETRY}
    assert sqlite_wire.zalo.state.calls.count(CONSULT) == 3


def test_a_channel_that_is_not_set_up_costs_no_try(sqlite_wire: Wire) -> None:
    (result,) = sqlite_wire.send(letter(channel="zalooa", account="other"))
    assert (result.outcome, result.code) == (Outcome.CONFIG, "no_account")
    bare = ByChannel(sqlite_wire.carriers.mail, {})
    assert [each for _, each in bare.send([letter()], lambda asked: {1})] == [
        Result(Outcome.CONFIG, "no_channel", "zalooa")
    ]


def test_no_result_and_no_address_says_a_secret(sqlite_wire: Wire) -> None:
    results = sqlite_wire.send(letter("zalobot"), letter("zalooa"))
    asset = ZaloAsset()
    asset.zalo = ZaloDesk(Hosts.at(sqlite_wire.zalo.url), sqlite_wire.tokens(), sqlite_wire.secrets)
    service = Apprise.instantiate(f"zalooa://{ALIAS}/{FOLLOWER}", asset=asset)
    assert service.notify(body="Xin chào", title="Nhắc")
    assert sqlite_wire.zalo.state.sent[-1].text.split() == ["Nhắc", "Xin", "chào"]
    told = f"{results}{service.url()}{service.results}"
    assert f"zalooa://{ALIAS}/{FOLLOWER}" in told
    for secret in (BOT_TOKEN, APP.secret, *sqlite_wire.zalo.state.access):
        assert secret not in told


def test_a_bot_that_cannot_be_reached_does_not_give_its_token_away(sqlite_wire: Wire, tmp_path: Path) -> None:
    with running() as gone:
        settings = settings_for(sqlite_wire.database, gone, tmp_path)
    lost = carriers_for(settings, sqlite_wire.database, KEY)
    ((_, result),) = lost.send([letter("zalobot")], lambda asked: {1})
    assert (result.outcome, result.code) == (Outcome.RETRY, "connect")
    assert BOT_TOKEN not in str(result)


# The pair of tokens


def test_a_token_is_turned_over_before_it_ends(wire: Wire) -> None:
    now = wire.zalo.clock.at = at(DAY) + timedelta(hours=21)
    assert wire.send(letter(now=now))[0].outcome is Outcome.SENT
    account = wire.account()
    assert (wire.refreshes(), account.refreshing_at, account.refreshed_at) == (1, None, now)
    wire.send(letter(now=now))
    assert wire.refreshes() == 1


@pytest.mark.parametrize("channel", ["zalooa", "zalozns"])
@pytest.mark.parametrize("way", ["unknown", "expired"])
def test_a_token_that_dies_among_others_is_renewed_once_and_nothing_is_lost(wire: Wire, channel: str, way: str) -> None:
    def dies() -> None:
        for each in state.access.values():
            each.expires_at = wire.zalo.clock.at
        if way == "unknown":
            state.access.clear()

    state, route = wire.zalo.state, {"zalooa": CONSULT, "zalozns": TEMPLATE}[channel]
    state.faults[route] = [Fault(is_accepted=True, then=dies)]
    results = wire.send(*(letter(channel, number) for number in range(3)))
    assert [each.outcome for each in results] == [Outcome.SENT] * 3
    assert (wire.refreshes(), len(state.sent), state.calls.count(route)) == (1, 3, 4)


def test_of_workers_that_refresh_at_once_exactly_one_asks(wire: Wire, tmp_path: Path) -> None:
    now = wire.zalo.clock.at = at(DAY) + timedelta(hours=30)
    forks = get_context("spawn")
    ready, answers = forks.Barrier(3), forks.Queue()
    given = (wire.database.url, wire.zalo.url, tmp_path / "secrets", now, ready, answers)
    workers = [forks.Process(target=refresh, args=given) for _ in range(3)]
    for each in workers:
        each.start()
    got = [answers.get() for _ in workers]
    for each in workers:
        each.join()
    assert wire.refreshes() == 1
    assert {each for each in got if isinstance(each, str)} == set(wire.zalo.state.access)
    assert all(each.code == "refreshing" for each in got if isinstance(each, Result))
    assert wire.account().refreshing_at is None


def test_a_wave_that_began_before_another_does_not_refresh_beside_it(wire: Wire) -> None:
    """Three minutes after its own beginning it turns the pair over; meanwhile the other begins."""
    began = at(DAY) + timedelta(hours=21)
    late = wire.zalo.clock.at = began + timedelta(minutes=3)
    got = list[str | Result]()
    meanwhile = Fault(is_accepted=True, then=lambda: got.append(wire.tokens().access(ALIAS, late)))
    wire.zalo.state.faults[REFRESH] = [meanwhile]
    assert wire.send(letter(now=began))[0].outcome is Outcome.SENT
    assert got == [Result(Outcome.RETRY, "refreshing")]
    assert (wire.refreshes(), wire.account().refreshed_at) == (1, late)


def test_a_worker_killed_after_the_rotation_is_seen_and_the_alarm_follows(wire: Wire, tmp_path: Path) -> None:
    now = wire.zalo.clock.at = at(DAY) + timedelta(hours=30)
    forks = get_context("spawn")
    given = (wire.database.url, wire.zalo.url, tmp_path / "secrets", now, forks.Barrier(1), forks.Queue())
    worker = forks.Process(target=refresh, args=given)
    wire.zalo.state.faults[REFRESH] = [Fault(drop=True, is_accepted=True, then=worker.kill)]
    worker.start()
    worker.join()
    assert (worker.exitcode, wire.account().refreshing_at) == (-SIGKILL, now)
    assert trouble(wire.account(), now + LEASE) == "zalo.alarm.broken"
    later = wire.zalo.clock.at = now + LEASE
    assert wire.send(letter(now=later))[0].outcome is Outcome.CONFIG
    assert trouble(wire.account(), later) == "zalo.alarm.consent"
    assert wire.refreshes() == 2


def test_a_refused_token_that_somebody_has_replaced_is_not_refreshed_again(wire: Wire) -> None:
    old = wire.tokens().access(ALIAS, at(DAY))
    assert isinstance(old, str)
    fresh = wire.tokens().renew(ALIAS, old, at(DAY))
    assert wire.tokens().renew(ALIAS, old, at(DAY)) == fresh
    assert wire.refreshes() == 1


@pytest.mark.parametrize("mode", ["empty", "-14014", "-14020"])
def test_a_consumed_refresh_token_raises_the_alarm_and_is_not_tried_again(sqlite_wire: Wire, mode: Consumed) -> None:
    state = sqlite_wire.zalo.state
    state.consumed_answer = mode
    state.grants = {token: (app, "consumed") for token, (app, _) in state.grants.items()}
    state.access.clear()
    for _ in range(2):
        assert sqlite_wire.send(letter())[0].outcome is Outcome.CONFIG
    account = sqlite_wire.account()
    assert (account.alarm, account.alarm_at, account.refreshing_at) == ("consent", at(DAY), None)
    assert sqlite_wire.refreshes() == 1
    assert state.sent == []


def test_an_answer_lost_after_the_rotation_stays_to_be_seen_until_it_is_an_alarm(wire: Wire) -> None:
    wire.zalo.state.access.clear()
    wire.zalo.state.faults[REFRESH] = [Fault(drop=True, is_accepted=True)]
    assert wire.send(letter())[0].outcome is Outcome.RETRY
    assert (wire.account().refreshing_at, wire.account().alarm) == (at(DAY), None)
    assert wire.send(letter())[0].code == "refreshing"
    later = wire.zalo.clock.at = at(DAY) + LEASE
    assert wire.send(letter(now=later))[0].outcome is Outcome.CONFIG
    assert wire.account().alarm == "consent"
    assert wire.refreshes() == 2


@pytest.mark.parametrize(
    "fault",
    [
        Fault(502, html="<html>"),
        Fault(503, {"message": "Service temporarily unavailable"}),
        Fault(500, {"error": 500, "message": "internal"}),
        Fault(429, {"message": "too many"}),
        Fault(200, {"error": -32, "message": "limit"}),
    ],
)
def test_a_server_of_tokens_in_trouble_is_no_alarm(sqlite_wire: Wire, fault: Fault) -> None:
    sqlite_wire.zalo.state.access.clear()
    sqlite_wire.zalo.state.faults[REFRESH] = [fault]
    assert sqlite_wire.send(letter())[0].outcome is Outcome.RETRY
    later = at(DAY) + LEASE
    assert sqlite_wire.account().alarm is None
    assert sqlite_wire.send(letter(now=later))[0].outcome is Outcome.SENT


def test_tokens_are_kept_sealed(sqlite_wire: Wire) -> None:
    kept = str(sqlite_wire.account().model_dump())
    for token in (*sqlite_wire.zalo.state.access, *sqlite_wire.zalo.state.grants):
        assert token not in kept
    stranger = Tokens(sqlite_wire.database, b"x" * 32, sqlite_wire.zalo.url, sqlite_wire.secrets)
    assert stranger.access(ALIAS, at(DAY)) == Result(Outcome.CONFIG, "key")

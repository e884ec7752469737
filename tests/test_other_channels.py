"""Does a message go out by whatever service a secret names, and is its no understood without telling the secret?"""

import logging
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from dondoc.keys import Secrets
from models.message import Outcome
from notifications.channels.carrier import Letter, Result
from notifications.channels.other import OtherCarrier
from tests.builders import at
from tests.sinks import free_port

PASSWORD = "secret-of-the-gateway"


@dataclass
class Gateway:
    """A server of this machine that takes JSON, and answers as it is told."""

    port: int
    status: int = 200  #: 0: it breaks off without an answer
    got: list[bytes] = field(default_factory=list)


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            here.got.append(self.rfile.read(int(self.headers["content-length"])))
            if here.status:
                self.send_response(here.status)
                self.send_header("content-length", "0")
                self.end_headers()
            else:
                self.connection.shutdown(socket.SHUT_RDWR)

        def log_message(self, *_: Any) -> None:
            """Keeps quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    here = Gateway(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield here
    server.shutdown()
    thread.join()
    server.server_close()


def letter_to(name: str, number: int = 1) -> Letter:
    given: dict[str, Any] = {"subject": "Nhắc", "text": "dài", "html": "", "short": "Xin nộp báo cáo", "thread": None}
    return Letter(number, f"m-{number}", at=at("2025-09-01"), address=name, name="", channel="apprise", **given)


def carrier_to(folder: Path, port: int) -> OtherCarrier:
    (folder / "apprise-sms").write_text(f"json://office:{PASSWORD}@127.0.0.1:{port}/notify\n")
    (folder / "apprise-nonsense").write_text("nosuchservice://x\n")
    return OtherCarrier(Secrets(folder))


def send(folder: Path, port: int, *, name: str = "sms", may_go: bool = True) -> list[Result]:
    carrier = carrier_to(folder, port)
    return [result for _, result in carrier.send([letter_to(name)], lambda asked: {1} if may_go else set())]


def test_what_it_takes_is_sent_with_the_words_for_a_chat(gateway: Gateway, tmp_path: Path) -> None:
    assert send(tmp_path, gateway.port) == [Result(Outcome.SENT)]
    (body,) = gateway.got
    assert "Xin nộp báo cáo" in body.decode("unicode_escape", "ignore") or "Xin nộp báo cáo".encode() in body
    assert send(tmp_path, gateway.port, may_go=False) == []
    assert len(gateway.got) == 1


@pytest.mark.parametrize(
    ("status", "outcome", "code"),
    [
        (500, Outcome.RETRY, "500"),
        (429, Outcome.RETRY, "429"),
        (403, Outcome.ELSEWHERE, "403"),
        (0, Outcome.AMBIGUOUS, "apprise"),
    ],
)
def test_its_no_is_understood(gateway: Gateway, tmp_path: Path, status: int, outcome: Outcome, code: str) -> None:
    gateway.status = status
    assert send(tmp_path, gateway.port) == [Result(outcome, code)]


def test_a_server_that_is_down_has_nothing_and_is_asked_again(tmp_path: Path) -> None:
    (result,) = send(tmp_path, free_port())
    assert (result.outcome, result.code) == (Outcome.RETRY, "connect")
    assert PASSWORD not in str(result)


def test_a_server_that_is_down_is_looked_for_once_a_wave(gateway: Gateway, tmp_path: Path) -> None:
    carrier = carrier_to(tmp_path, free_port())
    results = carrier.send(
        [letter_to("sms"), letter_to("sms", 2)], lambda asked: {letter.message_id for letter in asked}
    )
    assert next(results)[1] == Result(Outcome.RETRY, "connect")
    carrier_to(tmp_path, gateway.port)  # here it is again, and the second does not ask
    assert next(results)[1] == Result(Outcome.RETRY, "connect")
    assert gateway.got == []


def test_nothing_that_apprise_says_of_a_secret_reaches_the_log(
    gateway: Gateway, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    gateway.status = 500
    send(tmp_path, gateway.port)
    (tmp_path / "apprise-slack").write_text(f"slack://{PASSWORD}/bad\n")
    assert send(tmp_path, gateway.port, name="slack")[0].outcome is Outcome.CONFIG
    assert caplog.records == []
    logging.getLogger("apprise").warning("of somebody else")
    assert caplog.messages == ["of somebody else"]


@pytest.mark.parametrize("name", ["telegram", "nonsense", "../sms"])
def test_an_address_that_names_no_service_waits_for_the_office(tmp_path: Path, name: str) -> None:
    assert send(tmp_path, 9, name=name) == [Result(Outcome.CONFIG, "no_secret", f"apprise-{name}")]

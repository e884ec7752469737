"""Does one command keep everything alive, and leave nothing behind?"""

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest

from dondoc.keys import password, secret_key
from dondoc.serve import children, own
from dondoc.settings import Settings
from flows import environment
from flows.orphans import die_with

Answer = TypeVar("Answer")

# Answers 200 to everything, after leaving its process id in the folder.
WEB = """
import http.server, os, pathlib, sys

class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

    def log_message(self, *words):
        pass

server = http.server.HTTPServer(("127.0.0.1", int(sys.argv[2])), Ready)
(pathlib.Path(sys.argv[1]) / f"web.{os.getpid()}").touch()
print("xin chào")
server.serve_forever()
"""
# Does not listen to SIGTERM, and neither does a child of its own.
STUBBORN = """
import os, pathlib, signal, subprocess, sys

signal.signal(signal.SIGTERM, signal.SIG_IGN)
inner = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
for pid in (os.getpid(), inner.pid):
    (pathlib.Path(sys.argv[1]) / f"stubborn.{pid}").touch()
signal.pause()
"""
SERVE = f"""
import os, sys
from dondoc.serve import Child, serve

python, folder, port, also = (sys.executable, "-uc"), sys.argv[1], sys.argv[2], sys.argv[3:]
url = f"http://127.0.0.1:{{port}}"
children = [Child("web", (*python, {WEB!r}, folder, port), url + "/health", url)]
children += [Child("stubborn", (*python, {STUBBORN!r}, folder)) for word in also if word == "stubborn"]
codes = [word for word in also if word.isdigit()]
before = Child("before", (*python, f"print('chơi'); raise SystemExit({{codes[0]}})")) if codes else None
sys.exit(serve(children, os.environ, "en", before))
"""


@pytest.fixture
def port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        free: int = listener.getsockname()[1]
        return free


@contextmanager
def serving(folder: Path, port: int, *also: str) -> Iterator[subprocess.Popen[str]]:
    """The supervisor over small stand-ins, in a process of its own."""
    command = [sys.executable, "-c", SERVE, str(folder), str(port), *also]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8")
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def until(asked: Callable[[], Answer]) -> Answer:
    """Asks again until the answer is not empty; 20 seconds is never, here."""
    never = time.monotonic() + 20
    while not (answer := asked()):
        assert time.monotonic() < never, "it did not happen"
        time.sleep(0.02)
    return answer


def said(process: subprocess.Popen[str], words: str) -> str:
    """Reads the output up to the line with these words."""
    assert process.stdout is not None
    for line in process.stdout:
        if words in line:
            return line
    raise AssertionError(f"the output ended without {words!r}")


def born(folder: Path, name: str) -> set[int]:
    return {int(path.suffix[1:]) for path in folder.glob(f"{name}.*")}


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_crashed_child_is_started_again_and_the_address_is_printed_when_it_answers(tmp_path: Path, port: int) -> None:
    with serving(tmp_path, port) as supervisor:
        assert said(supervisor, "xin chào") == "    web | xin chào\n"
        assert said(supervisor, "http") == f"web http://127.0.0.1:{port}\n"
        (first,) = born(tmp_path, "web")
        os.kill(first, signal.SIGKILL)
        assert said(supervisor, "again") == "    web | ended (code -9); starts again in 1 seconds\n"
        (second,) = until(lambda: born(tmp_path, "web") - {first})
        assert is_alive(second)
        os.kill(second, signal.SIGKILL)
        assert said(supervisor, "again") == "    web | ended (code -9); starts again in 2 seconds\n"


@pytest.mark.parametrize(
    ("number", "also"), [(signal.SIGTERM, ["stubborn"]), (signal.SIGINT, [])], ids=["SIGTERM", "SIGINT"]
)
def test_told_to_stop_everything_is_gone_within_five_seconds(
    tmp_path: Path, port: int, number: signal.Signals, also: list[str]
) -> None:
    with serving(tmp_path, port, *also) as supervisor:
        said(supervisor, f"web http://127.0.0.1:{port}")
        until(lambda: len(born(tmp_path, "stubborn")) == 2 * len(also))
        supervisor.send_signal(number)
        supervisor.communicate(timeout=5)
        assert supervisor.returncode == 0
    assert born(tmp_path, "web")
    assert not [pid for name in ("web", "stubborn") for pid in born(tmp_path, name) if is_alive(pid)]


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's death signal is Linux's own")
def test_a_killed_supervisor_leaves_no_children(tmp_path: Path, port: int) -> None:
    with serving(tmp_path, port) as supervisor:
        said(supervisor, f"web http://127.0.0.1:{port}")
        (web,) = born(tmp_path, "web")
        assert is_alive(web)
        supervisor.kill()
        until(lambda: not is_alive(web))


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's death signal is Linux's own")
def test_a_child_whose_parent_died_before_the_kernel_was_told_ends_too() -> None:
    for parent, code in ((os.getpid(), 0), (1, -signal.SIGKILL)):
        child = subprocess.run([sys.executable, "-c", ""], check=False, preexec_fn=partial(die_with, parent))
        assert child.returncode == code


def test_what_comes_first_has_ended_before_the_others_start(tmp_path: Path, port: int) -> None:
    with serving(tmp_path, port, "0", "stubborn") as supervisor:
        said(supervisor, "chơi")
        said(supervisor, f"web http://127.0.0.1:{port}")  # only now: the addresses are told when the others start
        until(lambda: born(tmp_path, "stubborn"))
        supervisor.terminate()
        supervisor.communicate(timeout=5)
        assert supervisor.returncode == 0


def test_when_what_comes_first_fails_so_does_everything(tmp_path: Path, port: int) -> None:
    with serving(tmp_path, port, "3", "stubborn") as supervisor:
        output, _ = supervisor.communicate(timeout=20)
    assert " before | ended (code 3)\n" in output
    assert supervisor.returncode == 1
    assert not born(tmp_path, "stubborn")


def test_a_taken_port_is_named_before_anything_starts(tmp_path: Path, port: int) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        with serving(tmp_path, port, "stubborn") as supervisor:
            output, errors = supervisor.communicate(timeout=20)
    assert supervisor.returncode == 1
    assert errors == (
        f"web: the port of http://127.0.0.1:{port} is taken by another program; "
        "choose another one (--port, --prefect-port)\n"
    )
    assert output == ""
    assert not born(tmp_path, "*")


def office(folder: Path, **changed: Any) -> Settings:
    return Settings(data=folder, **changed)


def test_the_three_children_stand_on_prefects_server(tmp_path: Path) -> None:
    prefect, web, flows = children(office(tmp_path, host="0.0.0.0", port=8123, prefect_port=4321))
    assert prefect.argv[1:] == ("-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", "4321")
    assert (prefect.url, prefect.ready_url) == ("http://127.0.0.1:4321", "http://127.0.0.1:4321/api/health")
    assert web.argv[1:] == ("-m", "dondoc", "web")
    assert (web.url, web.ready_url) == ("http://0.0.0.0:8123", "http://127.0.0.1:8123/health")
    assert flows.argv[1:] == ("-m", "dondoc", "flows")
    assert flows.ready_url is None


def test_the_children_read_the_settings_that_the_command_line_gave(tmp_path: Path) -> None:
    given = own(office(tmp_path, url="http://127.0.0.1:8123", port=8123, smtp_url="smtp://a:b@127.0.0.1"))
    assert (given["DONDOC_URL"], given["DONDOC_PORT"]) == ("http://127.0.0.1:8123", "8123")
    assert given["DONDOC_SMTP_URL"] == "smtp://a:b@127.0.0.1"
    assert "DONDOC_DATABASE_URL" not in given


def test_prefect_is_closed_to_others_and_calls_nobody(tmp_path: Path) -> None:
    here = office(tmp_path, url="https://dondoc.example.org/office", prefect_port=4321)
    said_once = environment(here)
    assert said_once["PREFECT_SERVER_API_AUTH_STRING"] == f"dondoc:{password(tmp_path / 'prefect' / 'password')}"
    assert said_once["PREFECT_API_AUTH_STRING"] == said_once["PREFECT_SERVER_API_AUTH_STRING"]
    assert said_once["PREFECT_SERVER_CORS_ALLOWED_ORIGINS"] == "https://dondoc.example.org"
    assert said_once["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"
    assert said_once["DO_NOT_TRACK"] == "1"
    assert said_once["PREFECT_HOME"] == str(tmp_path / "prefect")
    assert environment(here) == said_once


@pytest.mark.parametrize(
    ("known", "then"),
    [("", "127.0.0.1"), (".example.org", ".example.org,127.0.0.1"), ("127.0.0.1,localhost", "127.0.0.1,localhost")],
)
def test_the_way_to_this_machine_leads_through_no_proxy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: str, then: str
) -> None:
    monkeypatch.setenv("NO_PROXY", known)
    monkeypatch.delenv("no_proxy", raising=False)
    said = environment(office(tmp_path))
    assert (said["NO_PROXY"], said["no_proxy"]) == (then, then)


def test_many_who_ask_at_once_get_one_key_that_only_its_owner_may_read(tmp_path: Path) -> None:
    path = tmp_path / "office" / "key"
    with ThreadPoolExecutor(16) as pool:
        keys = set(pool.map(lambda _: secret_key(path), range(64)))
    assert len(keys) == 1
    assert keys == {path.read_bytes()}
    assert len(path.read_bytes()) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["key"]
    assert secret_key(tmp_path / "another") not in keys


def test_half_a_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(b"short")
    with pytest.raises(ValueError, match="expected a key of 32 bytes, got 5"):
        secret_key(path)

"""What does an office look like that `dondoc serve` keeps alive? Its processes, and whom they talk to.

Everything is killed at once here; who is left of it is found by the data folder in its environment.
"""

import ast
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from random import Random
from typing import Any, Final, TypeVar

import httpx

from dondoc.keys import password

Answer = TypeVar("Answer")
ROOT: Final = Path(__file__).parent.parent
NEVER: Final = 300.0  #: seconds after which what was waited for does not happen any more

#: Loaded by every Python process of the office, before anything else: writes down each name that is looked up and each
#: address that is called.
WITNESS: Final = """
import os, sys

log = os.open(os.environ["WITNESS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
names = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}
calls = {"socket.connect", "socket.sendto", "socket.sendmsg"}

def saw(event, words):
    if event in names or event in calls:
        os.write(log, f"{event} {words[event in calls]!r}\\n".encode())

sys.addaudithook(saw)

# A playground writes its letters into files; the days of this one pass too, but its letters must go out.
if "flows" in sys.orig_argv or "round" in sys.orig_argv:
    from notifications import channels
    from notifications.channels.email import EmailCarrier

    def carrier_for(settings):
        return EmailCarrier(settings.smtp_url.get_secret_value(), settings.mail_from, settings.mail_name)

    channels.carrier_for = carrier_for
"""


def until(asked: Callable[[], Answer]) -> Answer:
    """Asks again until the answer is not empty."""
    never = time.monotonic() + NEVER
    while not (answer := asked()):
        assert time.monotonic() < never, "it did not happen"
        time.sleep(0.05)
    return answer


def lasting_port() -> int:
    """One that stays free while nobody listens: below those that the system gives to whoever asks for any."""
    random = Random()
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as listener:
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


@dataclass
class Served:
    """One data folder over the lives of its `dondoc serve`; the ports stay the same."""

    folder: Path
    smtp_url: str
    proxy: str = "http://127.0.0.1:9"
    port: int = field(default_factory=lasting_port)
    prefect_port: int = field(default_factory=lasting_port)
    process: "subprocess.Popen[bytes] | None" = None
    #: as a browser that knows of no proxy
    client: httpx.Client = field(default_factory=lambda: httpx.Client(verify=False, trust_env=False, timeout=20))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.folder.parent / "serve.log"

    @property
    def witness(self) -> Path:
        return self.folder.parent / "witness.log"

    @property
    def env(self) -> dict[str, str]:
        """With a proxy for everything, as many an office has; nobody may ask it for the way to this machine."""
        foreign = ("PREFECT_", "DONDOC_", "NO_PROXY", "NO_PROXY".lower())
        clean = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"), self.proxy)
        site = self.folder.parent / "site"
        site.mkdir(exist_ok=True)
        (site / "sitecustomize.py").write_text(WITNESS)
        own = {
            "DONDOC_DATA": str(self.folder),
            "DONDOC_URL": self.url,
            "DONDOC_SMTP_URL": self.smtp_url,
            "DONDOC_QUIET": "",  # the tests' days are not all working days
            "PYTHONPATH": f"{site}{os.pathsep}{ROOT}",
            "WITNESS": str(self.witness),
        }
        return {**clean, **proxies, **own}

    def start(self) -> None:
        ports = ("--port", str(self.port), "--prefect-port", str(self.prefect_port))
        command = (sys.executable, "-m", "dondoc", "serve", *ports)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=self.env, stdout=log, stderr=log, start_new_session=True
            )

    def kill(self) -> None:
        """SIGKILL to the process group. The children, who have groups of their own, must go with it."""
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text("utf-8")[-5000:]
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        until(lambda: not self.alive())

    def end(self) -> int:
        """What it says when it is told to end; nobody may be left of it."""
        assert self.process is not None
        self.process.terminate()
        code = self.process.wait(20)
        until(lambda: not self.alive())
        return code

    def clear(self) -> None:
        """Leaves nothing alive, whatever happened."""
        for pid in self.alive():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if self.process is not None:
            self.process.wait()
        self.client.close()

    def alive(self) -> dict[int, str]:
        """The command line of every process of this office."""
        mark, found = f"DONDOC_DATA={self.folder}\0".encode(), {}
        for each in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (each / "environ").read_bytes() and (words := (each / "cmdline").read_bytes()):
                    found[int(each.name)] = words.replace(b"\0", b" ").decode()
            except OSError:
                continue  # it ended just now, or is another's
        return found

    def pid_of(self, words: str) -> int:
        return next(pid for pid, command in self.alive().items() if words in command)

    def say(self, *words: str) -> str:
        """What a command on this folder prints."""
        command = (sys.executable, "-m", "dondoc", *words)
        ran = subprocess.run(command, cwd=ROOT, env=self.env, capture_output=True, text=True, check=False)
        assert (ran.returncode, ran.stderr) == (0, ""), (words, ran.stderr)
        return ran.stdout

    def prefect(self, method: str, path: str, words: dict[str, Any] | None = None) -> Any:
        """Asks again while its database is busy. Raises httpx.TransportError while its server is not there."""
        login = ("dondoc", password(self.folder / "prefect" / "password"))
        url = f"http://127.0.0.1:{self.prefect_port}/api{path}"

        def asked() -> list[httpx.Response]:
            answer = self.client.request(method, url, json=words, auth=login)
            return [] if answer.status_code == 503 else [answer]

        (answer,) = until(asked)
        answer.raise_for_status()
        return answer.json() if answer.content else None


@contextmanager
def again_and_again(act: Callable[[], object], seconds: float) -> Iterator[list[Exception]]:
    """Does it in a thread while the block lasts, and at the end of it; what failed is left in the list."""
    failed: list[Exception] = []
    over = threading.Event()

    def work() -> None:
        while not over.wait(seconds):
            try:
                act()
            except Exception as error:  # noqa: BLE001  # whoever asks decides what may fail
                failed.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield failed
    finally:
        over.set()
        thread.join()


@contextmanager
def listening(port: int = 0) -> Iterator[tuple[int, list[bytes]]]:
    """Takes whoever comes and what it says, and never answers: a proxy to be avoided, or a server that hangs."""
    heard: list[bytes] = []
    taken: list[socket.socket] = []
    listener = until(lambda: _listener(port))
    assert listener is not None

    def hear() -> None:
        while True:
            try:
                taken.append(listener.accept()[0])
                taken[-1].settimeout(1)
                heard.append(taken[-1].recv(200))
            except TimeoutError:
                heard.append(b"")
            except OSError:
                return

    thread = threading.Thread(target=hear)
    thread.start()
    try:
        yield listener.getsockname()[1], heard
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
        for each in (*taken, listener):
            each.close()


def _listener(port: int) -> socket.socket | None:
    try:
        return socket.create_server(("127.0.0.1", port))
    except OSError:
        return None


def called(lines: str) -> set[str]:
    """Of a witness: the hosts that were looked up or called."""
    found = set()
    for line in lines.splitlines():
        event, _, words = line.partition(" ")
        given = ast.literal_eval(words)
        host = given[0] if isinstance(given, tuple) else given
        if host and not (
            event == "socket.connect" and isinstance(given, str | bytes)
        ):  # a path: a socket of this machine
            found.add(host if isinstance(host, str) else host.decode())
    return found


def is_here(host: str) -> bool:
    """This machine, by number or name."""
    try:
        return ip_address(host).is_loopback or ip_address(host).is_unspecified
    except ValueError:
        return host in {"localhost", socket.gethostname()}


def connections(pids: dict[int, str]) -> set[tuple[str, str, int]]:
    """(protocol, host, port) at the other end of every socket that these processes hold, as the kernel tells it."""
    found: set[tuple[str, str, int]] = set()
    for pid in pids:
        held = set()
        try:
            for each in Path(f"/proc/{pid}/fd").iterdir():
                kind, _, inode = str(each.readlink()).partition(":[")
                if kind == "socket":
                    held.add(inode.rstrip("]"))
            for protocol in ("tcp", "tcp6", "udp", "udp6"):
                table = Path(f"/proc/{pid}/net/{protocol}").read_text("ascii")
                found |= {(protocol, host, port) for inode, host, port in others(table) if inode in held}
        except OSError:
            continue  # it ended just now
    return found


def others(table: str) -> Iterator[tuple[str, str, int]]:
    """(inode, host, port) of every line of /proc/net/tcp and its like; words of four bytes, each in our own order."""
    for line in table.splitlines()[1:]:
        words = line.split()
        host, _, port = words[2].partition(":")
        packed = b"".join(bytes.fromhex(host[at : at + 8])[::-1] for at in range(0, len(host), 8))
        address = ip_address(packed)
        mapped = getattr(address, "ipv4_mapped", None)
        yield words[9], str(mapped or address), int(port, 16)

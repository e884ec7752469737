"""How does all of it run with one command? `dondoc serve`: three children, restarted after a crash, ended together."""

import asyncio
import contextlib
import errno
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final
from urllib.parse import urlsplit

from pydantic import SecretStr

from dondoc.i18n import translate
from dondoc.settings import Settings
from flows import environment
from flows.orphans import die_with

FIRST_WAIT: Final = 1.0  # seconds before a crashed child is started again; doubles with each crash
LONGEST_WAIT: Final = 30.0
STEADY_SECONDS: Final = 60.0  # a child that lived this long has recovered: its next wait is the first one again
#: On SIGTERM: the children that stand on others first, then the ground they stood on; together under 5 seconds.
STOP_SECONDS: Final = 2.8
GROUND_SECONDS: Final = 0.8


@dataclass(frozen=True)
class Child:
    """A process to keep alive. `ready_url` answers 200 when it is ready; `url` is what people open."""

    name: str
    argv: Sequence[str]
    ready_url: str | None = None
    url: str | None = None


def main(settings: Settings, first: Sequence[str] | None = None) -> int:
    """Runs everything until SIGTERM or SIGINT; 1 when a port is taken.

    `first` is a module with its arguments, to run to its end beside Prefect's server before the others start.
    """
    prefect = environment(settings)
    message = "Mật khẩu của Prefect (dondoc:...) nằm trong tệp {home}/password"
    _write(translate(message, settings.lang, home=prefect["PREFECT_HOME"]))
    before = Child(first[0].rpartition(".")[2], (sys.executable, "-m", *first)) if first else None
    return serve(children(settings), {**os.environ, **own(settings), **prefect}, settings.lang, before)


def own(settings: Settings) -> dict[str, str]:
    """The settings as the children read them: what was given on the command line holds for them too."""
    return {f"DONDOC_{name.upper()}": _plain(value) for name, value in settings if value is not None}


def children(settings: Settings) -> list[Child]:
    """Prefect's server first: the others stand on it."""
    python = (sys.executable, "-m")
    prefect = f"http://127.0.0.1:{settings.prefect_port}"
    web = f"http://{_bracketed(settings.host)}:{settings.port}"
    listen = ("--host", "127.0.0.1", "--port", str(settings.prefect_port))
    return [
        Child("prefect", (*python, "prefect", "server", "start", *listen), f"{prefect}/api/health", prefect),
        Child("web", (*python, "dondoc", "web"), f"{settings.here}/health", web),
        Child("flows", (*python, "dondoc", "flows")),
    ]


def serve(children: Sequence[Child], env: Mapping[str, str], lang: str, before: Child | None = None) -> int:
    """Keeps the children alive until told to stop; the first is the ground of the others and stopped last.

    What comes `before` the others is run once; when it fails, so does everything.
    """
    taken = [child for child in children if child.url and not _is_free(child.url)]
    for child in taken:
        message = "{name}: cổng của {url} đã có chương trình khác dùng; hãy chọn cổng khác (--port, --prefect-port)"
        sys.stderr.write(translate(message, lang, name=child.name, url=child.url) + "\n")
    return 1 if taken else asyncio.run(_supervise(children, env, lang, before))


async def _supervise(children: Sequence[Child], env: Mapping[str, str], lang: str, before: Child | None) -> int:
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    ground, *others = [_Keeper(child, env, lang) for child in children]
    first = _Keeper(before, env, lang) if before else None
    code = 0
    async with asyncio.TaskGroup() as group:
        working = [group.create_task(ground.keep())]
        if first is not None:
            code = await _once(first, told)
        if code:
            told.set()
        if not told.is_set():
            working += [group.create_task(keeper.keep()) for keeper in others]
            working.append(group.create_task(_announce(children)))
        await told.wait()
        await asyncio.gather(*(keeper.stop(STOP_SECONDS) for keeper in others))
        await ground.stop(GROUND_SECONDS)
        for task in working:
            task.cancel()
    return code


async def _once(first: "_Keeper", told: asyncio.Event) -> int:
    """Its exit code; 0 as well when we were told to stop in the middle of it."""
    async with asyncio.TaskGroup() as group:
        living, stopped = group.create_task(first.live()), group.create_task(told.wait())
        await asyncio.wait([living, stopped], return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if told.is_set():
            await first.stop(0)
            return 0
    if code := living.result():
        _say(first.child.name, translate("đã dừng (mã {code})", first.lang, code=code))
    return 1 if code else 0


class _Keeper:
    """One child over its lives."""

    def __init__(self, child: Child, env: Mapping[str, str], lang: str) -> None:
        self.child = child
        self.env = env
        self.lang = lang
        self.process: asyncio.subprocess.Process | None = None
        self.stopping = asyncio.Event()

    async def keep(self) -> None:
        clock = asyncio.get_running_loop().time
        wait = FIRST_WAIT
        while not self.stopping.is_set():
            born = clock()
            code = await self.live()
            if self.stopping.is_set():
                return
            wait = FIRST_WAIT if clock() - born > STEADY_SECONDS else wait
            message = "đã dừng (mã {code}); chạy lại sau {wait:.0f} giây"
            _say(self.child.name, translate(message, self.lang, code=code, wait=wait))
            await asyncio.sleep(wait)
            wait = min(wait * 2, LONGEST_WAIT)

    async def live(self) -> int:
        """One life, from its start to its exit code."""
        # A session of its own: Ctrl-C reaches us alone, and whatever the child started ends with it.
        self.process = process = await asyncio.create_subprocess_exec(
            *self.child.argv,
            env=self.env,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=partial(die_with, os.getpid()),
        )
        async with asyncio.TaskGroup() as group:
            group.create_task(self._read(process))
            try:
                return await process.wait()
            finally:
                _signal_group(process, signal.SIGKILL)

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        rest = b""
        while chunk := await process.stdout.read(65536):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                _say(self.child.name, line.decode(errors="replace").rstrip())
        if rest:
            _say(self.child.name, rest.decode(errors="replace").rstrip())

    async def stop(self, seconds: float) -> None:
        self.stopping.set()
        process = self.process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), seconds)
        _signal_group(process, signal.SIGKILL)
        await process.wait()


async def _announce(children: Sequence[Child]) -> None:
    """Prints where to look, once everything really answers."""
    for child in children:
        while child.ready_url and not await _answers(child.ready_url):
            await asyncio.sleep(0.2)
    for child in reversed(children):
        if child.url:
            _write(f"{child.name} {child.url}")


async def _answers(url: str) -> bool:
    address = urlsplit(url)
    try:
        async with asyncio.timeout(2):
            reader, writer = await asyncio.open_connection(address.hostname, address.port)
            request = f"GET {address.path} HTTP/1.1\r\nHost: {address.netloc}\r\nConnection: close\r\n\r\n"
            writer.write(request.encode())
            status = await reader.readline()
            writer.close()
    except (OSError, TimeoutError):
        return False
    return status.split()[1:2] == [b"200"]


def _is_free(url: str) -> bool:
    address = urlsplit(url)
    family = socket.AF_INET6 if address.hostname and ":" in address.hostname else socket.AF_INET
    with socket.socket(family) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((address.hostname, address.port))
        except OSError as problem:
            if problem.errno == errno.EADDRINUSE:
                return False
            raise
    return True


def _say(name: str, line: str) -> None:
    if line:
        _write(f"{name:>7} | {line}")


def _write(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _signal_group(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _plain(value: object) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host

"""What do tests stand on? Real databases, a real browser, and a count of what this machine could not run."""

import asyncio
import gc
import os
import shutil
import socket
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import hypothesis
import psycopg
import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from sqlalchemy import Engine, event
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.util import LRUCache

from dondoc.database import Database

CHROMIUM_ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]

MEMORY = Path("/dev/shm")
ROOM = 2 << 30  #: bytes; what a whole run leaves lying about until its end is a third of it

# The same examples in every run, so that bin/test says the same thing twice; to look further:
# --hypothesis-profile=explore.
hypothesis.settings.register_profile("steady", deadline=None, derandomize=True)
hypothesis.settings.register_profile("explore", deadline=None, max_examples=1000, print_blob=True)
hypothesis.settings.load_profile("steady")


def postgres_folder() -> Path | None:
    """The folder of PostgreSQL's own programs: Debian keeps them out of PATH, the highest version wins."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    return next((folder for folder in folders if (folder / "postgres").exists()), None)


def chromium() -> str | None:
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((path for path in map(shutil.which, names) if path), None)


NEEDS = {"postgres": postgres_folder, "browser": chromium}
MISSING = [name for name, find in NEEDS.items() if not find()]
REQUIRED = [name for name in os.environ.get("DONDOC_TEST_REQUIRE", "").split(",") if name]


def pytest_configure() -> None:
    live_in_memory()
    share_statements()
    absent = [name for name in REQUIRED if name in MISSING or name not in NEEDS]
    if absent:
        raise pytest.UsageError(f"DONDOC_TEST_REQUIRE={','.join(REQUIRED)}, but not found here: {', '.join(absent)}")
    # No test may depend on how the developer's own dondoc is set up.
    for name in [name for name in os.environ if name.startswith("DONDOC_") and not name.startswith("DONDOC_TEST_")]:
        del os.environ[name]


def share_statements() -> None:
    """Each test has engines of its own; without this, each would work out anew the SQL of every statement.

    In an office, one engine lives as long as its process, so there as here a statement is met many times.
    """
    known: LRUCache[Any, Any] = LRUCache(5000)
    kind = {"__eq__": lambda one, other: type(one) is type(other), "__hash__": lambda one: hash(type(one))}
    for name, meant in kind.items():
        setattr(DefaultDialect, name, meant)
    event.listen(Engine, "engine_connect", lambda connection: setattr(connection.engine, "_compiled_cache", known))


def live_in_memory() -> None:
    """Thousands of small databases are made and thrown away: a disk took longer over them than all tests together."""
    if "TMPDIR" not in os.environ and MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM:
        os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")
        for name in MISSING:
            if item.get_closest_marker(name):
                item.add_marker(pytest.mark.skip(reason=f"{name} is not installed"))
    # What waits for servers and browsers first: begun last, such a file would keep one worker long after the others.
    long = {item.path for item in items if item.get_closest_marker("slow") or item.get_closest_marker("browser")}
    items.sort(key=lambda item: item.path not in long)


def pytest_collection_finish() -> None:
    """What is imported by now stays: to look for garbage in it again and again took a third of the time."""
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Leaves the line for bin/test to end with; a file, because the workers' reports meet only here."""
    assert config.cache is not None
    line = config.cache.mkdir("dondoc") / "not-run"
    skipped = terminalreporter.getreports("skipped")
    counts = Counter(name for report in skipped for name in MISSING if name in report.keywords)
    missed = ", ".join(f"{name} {counts[name]}" for name in MISSING if counts[name])
    line.write_text(f"NOT RUN: {missed}\n" if missed else "", encoding="utf-8")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty file; copying it is far quicker than migrating again."""
    path = tmp_path_factory.mktemp("sqlite") / "template.sqlite"
    migrate(f"sqlite:///{path}")
    return path


@dataclass(frozen=True)
class Postgres:
    """A server of this test session alone, on 127.0.0.1."""

    port: int
    restart: Callable[[], None]  #: breaks every connection off, and waits until the server is back

    def url(self, name: str) -> str:
        return f"postgresql+psycopg://dondoc@127.0.0.1:{self.port}/{name}"

    def execute(self, statement: str) -> None:
        address = f"host=127.0.0.1 port={self.port} user=dondoc dbname=postgres"
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(statement.encode())


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    programs = postgres_folder()
    assert programs is not None
    # PostgreSQL refuses to run as root, and pytest's own folders are closed to anybody else.
    owner = "nobody" if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="dondoc-postgres-"))
    if owner:
        shutil.chown(folder, owner)

    def run(program: str, *arguments: str) -> None:
        command = [str(programs / program), *arguments, "-D", str(folder / "data")]
        subprocess.run(command, check=True, user=owner, cwd=folder, stdout=subprocess.DEVNULL)

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    try:
        # A collation of people, not of bytes: a query that leans on byte order fails here and not in an office.
        order = ["--encoding=UTF8", "--locale=C", "--locale-provider=icu", "--icu-locale=vi"]
        run("initdb", "--username=dondoc", "--auth=trust", "--no-sync", *order)
        listen = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"
        # Tests kill clients, never the server or the machine: it need not wait for the disk.
        listen += " -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
        listen += " -c wal_level=minimal -c max_wal_senders=0 -c max_wal_size=64MB"
        run("pg_ctl", "start", "--wait", f"--log={folder / 'log'}", "-o", listen)
        try:
            yield Postgres(port, partial(run, "pg_ctl", "restart", "--wait", "--mode=fast", f"--log={folder / 'log'}"))
        finally:
            run("pg_ctl", "stop", "--mode=fast")
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgres_template(postgres: Postgres) -> str:
    """A migrated, empty database to copy; nobody may be connected to it while it is copied."""
    postgres.execute("CREATE DATABASE template")
    migrate(postgres.url("template"))
    return "template"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database of this test alone on each engine: migrated when the test asks for `database`, else empty."""
    migrated = "database" in request.fixturenames
    if request.param == "sqlite":
        path = tmp_path / "dondoc.sqlite"
        if migrated:
            shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    template = request.getfixturevalue("postgres_template") if migrated else "template1"
    # Takes along what the template has warmed up already; the log would have to be written and read back.
    server.execute(f"CREATE DATABASE test TEMPLATE {template} STRATEGY file_copy")
    yield server.url("test")
    server.execute("DROP DATABASE test WITH (FORCE)")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """The migrated, empty database of this test."""
    database = Database(database_url)
    yield database
    database.close()


def migrate(url: str) -> None:
    database = Database(url)
    database.upgrade()
    database.close()


@pytest.fixture(scope="session")
def running_chromium() -> Iterator[tuple[Browser, asyncio.AbstractEventLoop]]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_ARGUMENTS)
        loop = asyncio.get_running_loop()
        asyncio._set_running_loop(None)
        yield browser, loop
        asyncio._set_running_loop(loop)
        browser.close()


@pytest.fixture
def browser(running_chromium: tuple[Browser, asyncio.AbstractEventLoop]) -> Iterator[Browser]:
    """The session's browser; its contexts are closed after each test.

    Playwright marks its event loop as running in this thread for as long as it lives; between browser tests the mark
    is taken away, so that any other test may have a loop of its own.
    """
    browser, loop = running_chromium
    asyncio._set_running_loop(loop)
    yield browser
    for context in browser.contexts:
        context.close()
    asyncio._set_running_loop(None)


@pytest.fixture
def page(browser: Browser) -> Page:
    """A desk: a fresh context without cookies."""
    return browser.new_context(locale="vi-VN").new_page()


@pytest.fixture
def phone(browser: Browser) -> Page:
    """A phone in the hand of a unit's contact."""
    return browser.new_context(
        locale="vi-VN", viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True
    ).new_page()

"""What do the benchmarks stand on? The same units in fresh databases of both kinds, and times told as a table."""

import math
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import psycopg
from sqlalchemy import insert, text

from dondoc.database import Database
from engine import revise
from models.contact import Contact, Role
from models.unit import Placement, Unit, path_of
from tests.builders import ZONE, at, vn_state
from tests.conftest import postgres_folder
from tests.sinks import free_port

REGIONS = 34
#: what --database may say
DATABASES = {"sqlite": ["SQLite"], "postgresql": ["PostgreSQL"], "both": ["SQLite", "PostgreSQL"]}
HEAD = """\
plan: bench
title: {vi: Đo, en: Measure}
document: {vi: Đo, en: Measure}
issuer: tinh
calendar: vn-state
term: 2022..2022
defaults:
  opens: 30 days before due
  roll: none
  grace: 30 days
  remind: [14 days before, 7 days before, 3 working days before, due day]
  escalate: [{after: 1 working day, to: unit.head}, {after: 3 working days, to: superior.secretariat}]
obligations:
"""
OBLIGATION = """\
  report-%d:
    title: {vi: Báo cáo, en: Report}
    source: II.8.3
    who: {kinds: [chi-bo]}
    once: {period: 2022}
    due: {end_of: M12}
"""
OPENS = at("2022-12-01")


def prepare(database: Database, units: int, obligations: int = 1, *, with_contacts: bool = False) -> None:
    """A root, 34 regions, so many units below them, one contact each if asked; the plan applied, nothing opened."""
    with database.writing() as session:
        codes = ["tinh", *(f"vung-{number}" for number in range(REGIONS)), *(f"cb-{number}" for number in range(units))]
        session.execute(insert(Unit), [{"id": n, "code": code, "name": code} for n, code in enumerate(codes, 1)])
        root, places = path_of(1), []
        for number, code in enumerate(codes, 1):
            region = None if number == 1 else 1 if number <= REGIONS + 1 else 2 + number % REGIONS
            above = "" if region is None else root if region == 1 else path_of(region, root)
            kind = "chi-bo" if code.startswith("cb-") else "cap-tren"
            place = {"unit_id": number, "parent_id": region, "path": path_of(number, above), "kind": kind}
            places.append(place | {"valid_from": date(2020, 1, 1), "valid_to": None})
        session.execute(insert(Placement), places)
        if with_contacts:
            ids = range(REGIONS + 2, len(codes) + 1)
            session.execute(
                insert(Contact),
                [{"unit_id": n, "role": Role.CONTACT, "name": f"{n}", "email": f"{n}@example.org"} for n in ids],
            )
        revise.apply_calendar(session, vn_state(), by="office", now=at("2022-01-01"))
        plan = HEAD + "".join(OBLIGATION % number for number in range(obligations))
        revise.apply_plan(session, plan.encode(), "bench.yaml", by="office", now=at("2022-01-01"), zone=ZONE)


@dataclass
class Ground:
    """A place where databases are made and copied; `copy` starts each measurement from the same rows."""

    name: str
    make: Callable[[str], str]
    copy: Callable[[str, str], str]
    settle: Callable[[str], None] = field(default=lambda _: None)


@dataclass(frozen=True, slots=True)
class Figure:
    """What a work of one size took, in seconds: ours and the raw side's, which ran in turns."""

    work: str
    ground: str
    size: int
    ours: list[float]
    raw: list[float]
    load: float = field(default_factory=lambda: os.getloadavg()[0])

    @property
    def medians(self) -> tuple[float, float]:
        """Ours, raw."""
        return statistics.median(self.ours), statistics.median(self.raw)

    @property
    def ratio(self) -> float:
        """The median over the pairs, which ran one right after the other."""
        return statistics.median(mine / theirs for mine, theirs in zip(self.ours, self.raw, strict=True))


def slope(sizes: list[int], seconds: list[float]) -> float:
    """How fast the time grows: the exponent that fits best by least squares of the logarithms; 0 flat, 1 linear."""
    return statistics.linear_regression(list(map(math.log, sizes)), list(map(math.log, seconds))).slope


@contextmanager
def grounds(names: Collection[str] = ("SQLite", "PostgreSQL")) -> Iterator[list[Ground]]:
    """SQLite in a temporary folder, and PostgreSQL as shipped (fsync on) when its programs are here."""
    with tempfile.TemporaryDirectory(prefix="dondoc-bench-", dir=os.environ.get("DONDOC_BENCH_DIR")) as folder:
        found = [_sqlite(Path(folder))] if "SQLite" in names else []
        programs = postgres_folder()
        if programs is None or "PostgreSQL" not in names:
            print("PostgreSQL: not measured", file=sys.stderr)
            yield found
            return
        with _server(programs) as ground:
            yield [*found, ground]


def _sqlite(folder: Path) -> Ground:
    def make(name: str) -> str:
        return f"sqlite:///{folder / name}.sqlite"

    def copy(source: str, name: str) -> str:
        shutil.copyfile(source.removeprefix("sqlite:///"), folder / f"{name}.sqlite")
        return make(name)

    return Ground("SQLite", make, copy)


@contextmanager
def _server(programs: Path) -> Iterator[Ground]:
    owner = "nobody" if os.geteuid() == 0 else None
    folder, port = Path(tempfile.mkdtemp(prefix="dondoc-bench-")), free_port()
    if owner:
        shutil.chown(folder, owner)

    def run(program: str, *arguments: str) -> None:
        command = [str(programs / program), *arguments, "-D", str(folder / "data")]
        subprocess.run(command, check=True, user=owner, cwd=folder, stdout=subprocess.DEVNULL)

    def url(name: str) -> str:
        return f"postgresql+psycopg://dondoc@127.0.0.1:{port}/{name}"

    def execute(statement: str, name: str = "postgres") -> None:
        address = f"host=127.0.0.1 port={port} user=dondoc dbname={name}"
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(statement.encode())

    def make(name: str) -> str:
        execute(f"CREATE DATABASE {name}")
        return url(name)

    def copy(source: str, name: str) -> str:
        execute(f"DROP DATABASE IF EXISTS {name}")
        execute(f"CREATE DATABASE {name} TEMPLATE {source.rpartition('/')[2]} STRATEGY file_copy")
        execute("CHECKPOINT")
        return url(name)

    try:
        run("initdb", "--username=dondoc", "--auth=trust", "--encoding=UTF8", "--locale=C")
        memory = "-c shared_buffers=1GB -c max_wal_size=4GB"
        listen = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} {memory}"
        run("pg_ctl", "start", "--wait", f"--log={folder / 'log'}", "-o", listen)
        try:
            yield Ground("PostgreSQL", make, copy, lambda name: execute("VACUUM ANALYZE", name.rpartition("/")[2]))
        finally:
            run("pg_ctl", "stop", "--mode=fast")
    finally:
        shutil.rmtree(folder)


def in_turns(
    ground: Ground, source: str, ours: Callable[[Database], float], raw: Callable[[Database], float], runs: int
) -> tuple[list[float], list[float]]:
    """Seconds of both sides, each time from a fresh copy of the source.

    The engines stay, as in a process that runs for weeks and has its statements compiled: the first pair is left out.
    """
    sides = [("ours", ours), ("raw", raw)]
    engines = {name: Database(ground.copy(source, name)) for name, _ in sides}
    seconds: dict[str, list[float]] = {name: [] for name, _ in sides}
    for _ in range(runs + 1):
        for name, act in sides:
            engines[name].close()
            ground.copy(source, name)
            with engines[name].reading() as session:
                session.execute(text("SELECT 1"))
            seconds[name].append(act(engines[name]))
    for engine in engines.values():
        engine.close()
    return seconds["ours"][1:], seconds["raw"][1:]


def rows_of(database: Database, table: str) -> int:
    with database.reading() as session:
        return int(session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def timed(act: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    begun = clock()
    act()
    return clock() - begun

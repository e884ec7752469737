"""How long does the board take on the server? `python -m bench.board [--tasks small|large] [--database …] [DATA …]`

Small: 168 units by 24 months. Large: 1,000,000 tasks, 41,650 units on three levels below the top. Both with a history
of every state. Then, when DATA is the folder of a demonstration that was played, its own boards. Two of the queries are
the demo clock's: a real office has none.
"""

import argparse
import asyncio
import gc
import os
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import httpx
from sqlalchemy import case, event, insert, null, select, update
from sqlmodel import col

from bench.ground import DATABASES, HEAD, Ground, grounds
from dondoc import clock
from dondoc.database import Database
from dondoc.settings import Settings
from engine import revise
from engine.open import open_due
from models.cycle import Cycle, CycleState
from models.last_round import LastRound
from models.task import UNFINISHED, Task, TaskState
from models.unit import Placement, Unit, path_of
from tests.builders import ZONE, at, vn_state
from web.app import create_app

RUNS = 200
MOST_SECONDS = 15  #: for one page
OFFICES = {
    "small": ((168,), ["/?year=all", "/?year=all&order=overdue", "/?year=all&find=12"]),
    "large": (
        (34, 25, 49),
        [
            "/",
            "/?year=all",
            "/?superior=a-1",
            "/?superior=a-1-1&year=all",
            "/?state=overdue",
            "/?find=12-12",
            "/?superior=a-1&find=12-12",
            "/cycles/24",
            "/cycles/24?state=overdue",
            "/tasks/1",
            "/inbox",
        ],
    ),
}  #: how many units stand below each, level by level; the pages
MONTHLY = """\
  report:
    title: {vi: Báo cáo tháng, en: Monthly report}
    source: II.8.3
    who: {kinds: [chi-bo]}
    every: month
    due: {end_of: period}
"""
NOW = at("2023-12-26", "09:00")
OPEN_SINCE = "2023-10"  #: the cycles before it are closed
#: Of a hundred tasks so many are in this state; (state, is_late)
MIX = ((80, "accepted", False), (8, "accepted", True), (4, "submitted", False), (2, "submitted", True),
       (2, "missed", None), (2, "returned", False), (2, "exempted", None))  # fmt: skip


def tree(levels: tuple[int, ...]) -> Iterator[tuple[int, int | None, str, str, str]]:
    """(id, superior, code, path, kind) from the top down; only the lowest owe a report."""
    above, number = [(1, "a", path_of(1))], 1
    yield 1, None, "a", path_of(1), "cap-tren"
    for depth, width in enumerate(levels, 1):
        below = []
        for superior, code, path in above:
            for place in range(1, width + 1):
                number += 1
                own = (number, f"{code}-{place}", path_of(number, path))
                yield number, superior, *own[1:], "chi-bo" if depth == len(levels) else "cap-tren"
                below.append(own)
        above = below


def prepare(database: Database, levels: tuple[int, ...]) -> int:
    """Two years of months. Says how many tasks that makes."""
    units = list(tree(levels))
    since = {"valid_from": date(2020, 1, 1), "valid_to": None}
    with database.writing() as session:
        names = [{"id": each[0], "code": each[2], "name": f"Chi bộ cơ quan chuyên môn số {each[2]}"} for each in units]
        places = [
            {"unit_id": number, "parent_id": superior, "path": path, "kind": kind} | since
            for number, superior, _, path, kind in units
        ]
        session.execute(insert(Unit), names)
        session.execute(insert(Placement), places)
        revise.apply_calendar(session, vn_state(), by="office", now=at("2021-12-01"))
        plan = HEAD.replace("2022..2022", "2022..2023").replace("issuer: tinh", "issuer: a") + MONTHLY
        revise.apply_plan(session, plan.encode(), "bench.yaml", by="office", now=at("2021-12-01"), zone=ZONE)
        tasks = open_due(session, NOW, ZONE).tasks
        lot, upper, states, verdicts = col(Task.id) * 37 % 100, 0, [], []
        for share, state, is_late in MIX:
            upper += share
            states.append((lot < upper, state))
            verdicts.append((lot < upper, is_late))
        found = {"state": case(*states), "is_late": case(*verdicts, else_=null())}
        session.execute(update(Task).values(found | {"versions": 1}), execution_options={"synchronize_session": False})
        is_past = col(Cycle.period) < OPEN_SINCE
        session.execute(update(Cycle).where(is_past).values(state=CycleState.CLOSED.value, closed_at=NOW))
        ended = (col(Task.cycle_id).in_(select(col(Cycle.id)).where(is_past)), col(Task.state).in_(UNFINISHED))
        session.execute(
            update(Task).where(*ended).values(state=TaskState.MISSED.value, is_late=None),
            execution_options={"synchronize_session": False},
        )
        session.merge(LastRound(at=NOW, cycles=0, tasks=0, steps=0, notices=0, messages=0))
    return tasks


def measure(name: str, database: Database, data: Path, paths: list[str]) -> None:
    settings = Settings.model_validate({"data": data, "database_url": database.url, "zone": ZONE})
    app, queries = create_app(database, settings), list[str]()
    event.listen(database.engine, "before_cursor_execute", lambda *given: queries.append(given[2]))

    gc.freeze()  # as web/listen.py

    async def ask() -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
            for path in paths:
                answer = await client.get(path)  # the first time it reads the calendar too
                assert answer.status_code == 200, answer.text
                queries.clear()
                times, processor = list[float](), list[float]()
                while len(times) < RUNS and (sum(times) < MOST_SECONDS * 1000 or len(times) < 3):
                    begun, used = time.perf_counter(), time.process_time()
                    await client.get(path)
                    times.append((time.perf_counter() - begun) * 1000)
                    processor.append((time.process_time() - used) * 1000)
                runs = len(times)
                (median, p95), (_, own) = (
                    (sorted(each)[runs // 2], sorted(each)[runs * 95 // 100]) for each in (times, processor)
                )
                selects = sum(each.startswith("SELECT") for each in queries) / runs
                cells, size = answer.text.count("<td"), len(answer.content) // 1000
                print(
                    f"{name:<12} {path:<26} {cells:>6,} cells {size:>5,} kB {median:>6.0f} ms {p95:>6.0f} ms "
                    f"{own:>6.0f} ms {selects:>4.1f} queries {runs:>4} runs, load {os.getloadavg()[0]:.1f}",
                    flush=True,
                )

    asyncio.run(ask())


def of_ground(ground: Ground, folder: Path, size: str) -> None:
    levels, paths = OFFICES[size]
    url = ground.make(f"board_{size}")
    database = Database(url)
    database.upgrade()
    tasks = prepare(database, levels)
    ground.settle(url)
    clock.move(folder / "clock", NOW)
    print(f"{ground.name}: {tasks:,} tasks")
    measure(ground.name, database, folder, paths)
    database.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", choices=OFFICES, action="append", help="which office; small when none is named")
    parser.add_argument("--database", choices=DATABASES, default="both")
    parser.add_argument("played", nargs="*", type=Path, metavar="DATA")
    given = parser.parse_args()
    print("the whole answer, in process: median, p95, p95 of our own processor time")
    with grounds(DATABASES[given.database]) as found, tempfile.TemporaryDirectory() as scratch:
        for ground in found:
            for size in given.tasks or ["small"]:
                of_ground(ground, Path(scratch), size)
    for played in given.played:
        its = Database(f"sqlite:///{played / 'dondoc.sqlite'}")
        measure("demo", its, played, ["/", "/?year=all", "/?state=overdue&year=all", "/?find=chi+bo", "/cycles/1"])
        its.close()


if __name__ == "__main__":
    main()

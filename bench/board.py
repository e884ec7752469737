"""How long does the board take on the server? `python -m bench.board [DATA]`

168 units by 24 months with a history of every state; then, when DATA is the folder of a demonstration that was played,
its own boards. Two of the queries are the demo clock's: a real office has none.
"""

import asyncio
import gc
import os
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import httpx
from sqlalchemy import event, update
from sqlmodel import col

from bench.ground import HEAD, Ground, grounds
from dondoc import clock
from dondoc.database import Database
from dondoc.settings import Settings
from engine import revise
from engine.open import open_due
from models.last_round import LastRound
from models.task import Task
from models.unit import Placement, Unit, path_of
from tests.builders import ZONE, at, vn_state
from web.app import create_app

UNITS = 168
RUNS = 200
MONTHLY = """\
  report:
    title: {vi: Báo cáo tháng, en: Monthly report}
    source: II.8.3
    who: {kinds: [chi-bo]}
    every: month
    due: {end_of: period}
"""
NOW = at("2023-12-26", "09:00")
#: Of a hundred tasks so many are in this state; (state, is_late)
MIX = ((80, "accepted", False), (8, "accepted", True), (4, "submitted", False), (2, "submitted", True),
       (2, "missed", None), (2, "returned", False), (2, "exempted", None))  # fmt: skip


def prepare(database: Database) -> None:
    """A committee with 168 cells and two years of months."""
    with database.writing() as session:
        for number in range(UNITS + 1):
            name = "Đảng ủy" if number == 0 else f"Chi bộ cơ quan chuyên môn số {number}"
            session.add(Unit(id=number + 1, code=f"cb-{number}" if number else "tinh", name=name))
        session.flush()
        for number in range(UNITS + 1):
            path, kind = (path_of(number + 1, path_of(1)), "chi-bo") if number else (path_of(1), "dang-uy")
            above = 1 if number else None
            since = date(2020, 1, 1)
            session.add(Placement(unit_id=number + 1, parent_id=above, path=path, kind=kind, valid_from=since))
        revise.apply_calendar(session, vn_state(), by="office", now=at("2021-12-01"))
        plan = HEAD.replace("2022..2022", "2022..2023") + MONTHLY
        revise.apply_plan(session, plan.encode(), "bench.yaml", by="office", now=at("2021-12-01"), zone=ZONE)
        open_due(session, NOW, ZONE)
        upper = 0
        for share, state, is_late in MIX:
            lower, upper = upper, upper + share
            chosen = (col(Task.id) * 37 % 100 >= lower, col(Task.id) * 37 % 100 < upper)
            session.execute(update(Task).where(*chosen).values(state=state, is_late=is_late, versions=1))
        session.merge(LastRound(at=NOW, cycles=0, tasks=0, steps=0, notices=0, messages=0))


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
                times, processor = [], []
                for _ in range(RUNS):
                    begun, used = time.perf_counter(), time.process_time()
                    await client.get(path)
                    times.append((time.perf_counter() - begun) * 1000)
                    processor.append((time.process_time() - used) * 1000)
                (median, p95), (_, own) = (
                    (sorted(each)[RUNS // 2], sorted(each)[RUNS * 95 // 100]) for each in (times, processor)
                )
                selects = sum(each.startswith("SELECT") for each in queries) / RUNS
                cells, size = answer.text.count("<td"), len(answer.content) // 1000
                print(
                    f"{name:<12} {path:<26} {cells:>6,} cells {size:>5,} kB {median:>6.0f} ms {p95:>6.0f} ms "
                    f"{own:>6.0f} ms {selects:>4.1f} queries   load {os.getloadavg()[0]:.1f}"
                )

    asyncio.run(ask())


def of_ground(ground: Ground, folder: Path) -> None:
    url = ground.make("board")
    database = Database(url)
    database.upgrade()
    prepare(database)
    ground.settle(url)
    clock.move(folder / "clock", NOW)
    measure(ground.name, database, folder, ["/?year=all", "/?year=all&order=overdue", "/?year=all&find=12"])
    database.close()


if __name__ == "__main__":
    print("the whole answer, in process: median, p95, p95 of our own processor time")
    with grounds() as found, tempfile.TemporaryDirectory() as scratch:
        for each in found:
            of_ground(each, Path(scratch))
    for played in map(Path, sys.argv[1:]):
        its = Database(f"sqlite:///{played / 'dondoc.sqlite'}")
        measure("demo", its, played, ["/", "/?year=all", "/?state=overdue&year=all", "/?find=chi+bo", "/cycles/1"])
        its.close()

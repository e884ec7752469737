"""W2: what does a round cost that has nothing to do, against one look into an index with the bare driver?

A round asks one question and writes down that it was there: both are told, the question alone too.
"""

import gc
import os
import sqlite3
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

from bench.ground import OPENS, Figure, Ground, prepare, timed
from dondoc.database import Database
from engine.fire import fire
from engine.open import open_due
from engine.round import Round, is_anything, run
from notifications.channels.eml import EmlCarrier
from tests.builders import ZONE, at

RUNS = 300
WARM_UP = 20  #: PostgreSQL keeps a plan from the sixth time on
QUIET = at("2022-12-02")
MOST_UNITS = 50_000
LOOK = "SELECT 1 FROM step WHERE state = 'planned' AND at <= {} LIMIT 1"
MARK = "UPDATE last_round SET at = {} WHERE id = 1"
NOTHING = Round(0, 0, 0, 0, 0)


def quiet(ground: Ground, tasks: int) -> list[Figure]:
    units = min(tasks, MOST_UNITS)
    obligations = tasks // units
    url = ground.make(f"quiet_{tasks}")
    database = Database(url)
    database.upgrade()
    prepare(database, units, obligations)
    for act in (open_due, fire):
        with database.writing() as session:
            done = act(session, OPENS, ZONE)
            assert getattr(done, "tasks", tasks) == tasks
    ground.settle(url)
    carrier, now = EmlCarrier(Path(os.devnull), "dondoc@example.org", ""), QUIET

    def next_now() -> datetime:
        nonlocal now
        now += timedelta(seconds=1)
        return now

    def look() -> None:
        assert not is_anything(database, next_now(), ZONE)

    def whole() -> None:
        done = run(database, carrier, next_now(), zone=ZONE, url="https://dondoc.example.org", key=b"k" * 32)
        assert done == NOTHING, done

    execute, begin = _driver(url)

    def raw_look() -> None:
        assert execute(LOOK, str(next_now().replace(tzinfo=None))).fetchone() is None

    def raw_whole() -> None:
        raw_look()
        execute(begin)
        execute(MARK, str(next_now().replace(tzinfo=None)))
        execute("COMMIT")

    figures = []
    for name, mine, theirs in (("W2 look, nothing due", look, raw_look), ("W2 quiet round", whole, raw_whole)):
        gc.disable()  # so short a time would mostly tell in which of the runs the collector came by
        for _ in range(WARM_UP):
            mine()
            theirs()
        pairs = [(timed(mine), timed(theirs)) for _ in range(RUNS)]
        gc.enable()
        figures.append(Figure(name, ground.name, tasks, [each for each, _ in pairs], [each for _, each in pairs]))
    database.close()
    return figures


def _driver(url: str) -> tuple[Callable[..., Any], str]:
    """One warm connection, prepared statements, the same durability; and how its transactions begin."""
    if url.startswith("sqlite"):
        file = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        file.execute("PRAGMA synchronous = full")
        return lambda words, *given: file.execute(words.format("?"), given), "BEGIN IMMEDIATE"
    server = psycopg.connect(url.replace("+psycopg", ""), autocommit=True)
    return lambda words, *given: server.execute(words.format("%s"), given, prepare=True), "BEGIN"

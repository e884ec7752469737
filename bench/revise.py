"""How long does it take to see what an edit moves? `python -m bench.revise`

A plan of 300 obligations is edited so that all their days move, for 52,000 units; then the same while some cycles are
open and told. Beside the time stand the statements: the units are counted by the database, never read one by one.
"""

import argparse
import os
from time import process_time

from sqlalchemy import event

from bench.ground import DATABASES, HEAD, Ground, grounds, prepare, timed
from dondoc.database import Database
from engine import revise
from engine.fire import fire
from engine.open import open_due
from engine.preview import Preview, preview
from tests.builders import ZONE, at

UNITS, OBLIGATIONS = 52_000, 300
RUNS = 3
OBLIGATION = """\
  report-%d:
    title: {vi: Báo cáo số %d, en: Report %d}
    source: II.8.3
    who: {kinds: [chi-bo]}
    every: %s
    due: {day: %d, of: next_month, roll: next}
"""
NOW = at("2022-06-01")


def text_of(shift: int, count: int = OBLIGATIONS) -> bytes:
    """The plan, or the first obligations of it, with every due day so many days later."""
    cadences = ("month", "quarter", "half", "year")
    words = (OBLIGATION % (each, each, each, cadences[each % 4], 1 + (each + shift) % 28) for each in range(count))
    head = HEAD.replace("plan: bench", "plan: many").replace("2022..2022", "2021..2025")
    return (head + "".join(words)).encode()


def prepared(ground: Ground, opened: int) -> Database:
    """The units and the plan; of what opens by then so many cycles, each with a task and a notice a unit."""
    source = ground.make(f"revise_{opened}")
    database = Database(source)
    database.upgrade()
    prepare(database, UNITS, with_contacts=True)
    with database.writing() as session:
        few = text_of(0, opened or OBLIGATIONS)
        revise.apply_plan(session, few, "many.yaml", by="office", now=NOW, zone=ZONE)
    if opened:
        with database.writing() as session:
            open_due(session, NOW, ZONE)
            fire(session, NOW, ZONE)
            revise.apply_plan(session, text_of(0), "many.yaml", by="office", now=NOW, zone=ZONE)
    ground.settle(source)
    return database


def measure(ground: Ground, opened: int) -> None:
    database = prepared(ground, opened)
    statements, seconds, cpu, seen = list[str](), list[float](), list[float](), list[Preview]()
    event.listen(database.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))

    def look() -> None:
        with database.reading() as session:
            seen.append(preview(session, text_of(1), "many.yaml", now=NOW, zone=ZONE))

    for _ in range(RUNS):
        begun = process_time()
        seconds.append(timed(look))
        cpu.append(process_time() - begun)
    told = sum(each.told for each in seen[-1].changes)
    print(
        f"{ground.name:<11} {len(seen[-1].changes):>6,} changes, {told:>9,} told: {min(seconds):>6.2f} s,"
        f" {min(cpu):>6.2f} s of our processor, {len(statements) // RUNS} statements; load {os.getloadavg()[0]:.1f}",
        flush=True,
    )
    database.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=DATABASES, default="both")
    given = parser.parse_args()
    with grounds(DATABASES[given.database]) as found:
        for ground in found:
            for opened in (0, 10):
                measure(ground, opened)


if __name__ == "__main__":
    main()

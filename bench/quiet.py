"""What does a round cost that has nothing to do, with 10,000 and with 1,000,000 open tasks? `python -m bench.quiet`

The least of all runs counts: so short a time is mostly disturbed by what else the machine does.
"""

import gc
import os
from pathlib import Path

from bench.ground import OPENS, Ground, grounds, prepare, timed
from dondoc.database import Database
from engine.fire import fire
from engine.open import open_due
from engine.round import run
from notifications.channels.eml import EmlCarrier
from tests.builders import ZONE, at

RUNS = 200
QUIET = at("2022-12-02")
SIZES = ((10_000, 1), (50_000, 20))  #: units and obligations


def measure(ground: Ground, units: int, obligations: int) -> None:
    url = ground.make(f"quiet_{units}")
    database = Database(url)
    database.upgrade()
    prepare(database, units, obligations)
    for act in (open_due, fire):
        with database.writing() as session:
            done = act(session, OPENS, ZONE)
            assert getattr(done, "tasks", units * obligations) == units * obligations
    ground.settle(url)
    carrier = EmlCarrier(Path(os.devnull), "dondoc@example.org", "")

    def looked() -> None:
        with database.writing() as session:
            assert open_due(session, QUIET, ZONE).cycles == 0
            assert fire(session, QUIET, ZONE).steps == 0

    def whole() -> None:
        run(database, carrier, QUIET, zone=ZONE, url="https://dondoc.example.org", key=b"k" * 32)

    gc.disable()
    for act in (looked, whole):
        act()
    times = [min(timed(act) for _ in range(RUNS)) * 1000 for act in (looked, whole)]
    gc.enable()
    database.close()
    tasks = units * obligations
    print(
        f"{ground.name:<12} {tasks:>9,} tasks {times[0]:>9.2f} ms {times[1]:>9.2f} ms   load {os.getloadavg()[0]:.1f}"
    )


if __name__ == "__main__":
    print("a round with nothing due      open + fire   whole round")
    with grounds() as found:
        for each in found:
            for units, obligations in SIZES:
                measure(each, units, obligations)

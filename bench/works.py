"""How fast are the works that grow, as ratios to the raw database in one run? `python -m bench.works`

W1 opens a cycle, W2 is a round with nothing due, W3 fires a step, W6 compiles a plan. Both sides run in turns, from
copies of the same rows; what they wrote is counted, and a second pass has to add nothing. Times are told, never judged.
"""

import argparse
import json
from collections import defaultdict
from dataclasses import asdict
from pathlib import Path

from bench.compile import compiling
from bench.fire import firing
from bench.ground import DATABASES, Figure, Ground, grounds, prepare, slope
from bench.open import opening
from bench.quiet import quiet
from dondoc.database import Database

WORKS = ("open", "quiet", "fire", "compile")
UNITS = (1_000, 10_000, 52_000, 300_000)  #: of W1 and W3
OPEN_TASKS = (10_000, 100_000, 1_000_000)  #: of W2


def by_units(ground: Ground, units: int, works: list[str]) -> list[Figure]:
    """W1 and W3 stand on the same units."""
    runs = 9 if units <= 10_000 else 5 if units <= 52_000 else 3
    source = ground.make(f"units_{units}")
    database = Database(source)
    database.upgrade()
    prepare(database, units, with_contacts=True)
    database.close()
    ground.settle(source)
    found = [opening(ground, source, units, runs)] if "open" in works else []
    return found + ([firing(ground, source, units, runs)] if "fire" in works else [])


def tell(figure: Figure) -> None:
    ours, raw = (seconds * 1000 for seconds in figure.medians)
    print(
        f"{figure.work:<28} {figure.ground:<12} {figure.size:>9,} {ours:>11.3f} ms {raw:>11.3f} ms"
        f" {figure.ratio:>7.2f} x {min(figure.ours) * 1000:>11.3f} ms {min(figure.raw) * 1000:>11.3f} ms"
        f" {len(figure.ours):>5} runs, load {figure.load:.1f}",
        flush=True,
    )


def tell_growth(figures: list[Figure]) -> None:
    print("\nt ~ size^slope, fitted to the medians by least squares of the logarithms: 0 is flat, 1 is linear")
    print(f"{'':<41} {'sizes':>20} {'ours':>7} {'raw':>7} {'each, at the largest':>24}")
    series = defaultdict(list)
    for figure in figures:
        series[figure.work, figure.ground].append(figure)
    for (work, ground), several in series.items():
        sizes = [each.size for each in several]
        if len(set(sizes)) > 1:
            ours, raw = (slope(sizes, list(side)) for side in zip(*(each.medians for each in several), strict=True))
            one = several[-1].medians[0] / sizes[-1] * 1e6
            stretch = f"{sizes[0]:,} to {sizes[-1]:,}"
            print(f"{work:<28} {ground:<12} {stretch:>20} {ours:>7.2f} {raw:>7.2f} {one:>21.2f} µs")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--works", default=",".join(WORKS), help="of them some, with commas")
    parser.add_argument("--database", choices=DATABASES, default="both")
    parser.add_argument("--sizes", default="", help="units of W1 and W3, open tasks of W2, with commas")
    parser.add_argument("--json", type=Path, help="a file that every run's seconds are written to")
    given = parser.parse_args()
    works, sizes = given.works.split(","), [int(size) for size in given.sizes.split(",") if size]
    figures: list[Figure] = []

    def add(found: list[Figure]) -> None:
        figures.extend(found)
        for each in found:
            tell(each)

    print(f"{'':<28} {'':<12} {'size':>9} {'ours':>14} {'raw':>14} {'ratio':>9} {'ours, least':>14} {'raw, least':>14}")
    if {"open", "quiet", "fire"} & set(works):
        with grounds(DATABASES[given.database]) as found:
            for ground in found:
                for size in sizes or UNITS:
                    add(by_units(ground, size, works))
                for size in sizes or OPEN_TASKS:
                    if "quiet" in works:
                        add(quiet(ground, size))
    if "compile" in works:
        add(compiling())
    tell_growth(figures)
    if given.json:
        given.json.write_text(json.dumps([asdict(each) | {"ratio": each.ratio} for each in figures], indent=1))


if __name__ == "__main__":
    main()

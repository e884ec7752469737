"""How is history played where Prefect shows it? `python -m samples.play DAY`, a child of `dondoc demo`."""

import sys
from collections.abc import Sequence
from datetime import date

from dondoc.database import Database
from dondoc.settings import settings
from flows.history import play
from samples.history import Month, demo


def main(until: date) -> None:
    office = settings()

    def through(months: Sequence[Month], database: Database) -> None:
        play(months, database, office, lambda line: print(line, flush=True))  # noqa: T201  # relayed to the terminal

    demo(office, until, through)


if __name__ == "__main__":
    main(date.fromisoformat(sys.argv[1]))

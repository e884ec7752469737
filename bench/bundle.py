"""How long does it take to make messages of 52,000 notices? `python -m bench.bundle [NOTICES]`

Three ways: each for a contact of its own, so that as many letters are written; all held for the night; and all for
the 34 secretariats above, as lists of names. Beside it the bare writing of the same rows, and what it costs to see that
nothing is due while all are held.
"""

import argparse
import os
import time
from collections.abc import Callable
from datetime import datetime
from typing import Final

from sqlalchemy import insert, text
from sqlmodel import col, select

from bench.ground import DATABASES, OPENS, REGIONS, Ground, grounds, prepare, rows_of, timed
from dondoc.database import Database
from engine.fire import Fired, fire
from engine.open import Opened, open_due
from engine.round import is_anything, remember
from models.contact import Contact, Role
from models.message import Message
from models.unit import Placement
from notifications.deliver import Delivered, queue
from notifications.item import Office
from notifications.pace import Pace
from tests.builders import ZONE, at

NIGHT: Final = at("2022-12-01", "22:00")
CLIMBED: Final = (at("2023-01-03"), at("2023-01-05"))  #: the first and the third working day after the due day
LOOKS: Final = 101  #: of which the middle one counts
COLUMNS: Final = [column.name for column in Message.__table__.columns if column.name != "id"]  # type: ignore[attr-defined]


def bundling(ground: Ground, notices: int) -> None:
    source = ground.make(f"bundle_{notices}")
    database = Database(source)
    database.upgrade()
    prepare(database, notices, with_contacts=True)
    _add_secretariats(database)
    _live(database, OPENS)
    database.close()
    ground.settle(source)
    by_day = Database(ground.copy(source, "by_day"))
    _tell(ground, "a letter each", notices, lambda: _queue(by_day, OPENS, messages=notices))
    _tell(ground, "  the bare rows of these", notices, lambda: _write_again(by_day, notices))
    by_day.close()
    by_night = Database(ground.copy(source, "by_night"))
    _tell(ground, "held for the night", notices, lambda: _queue(by_night, NIGHT, held=notices))
    remember(by_night, NIGHT, Opened(), Fired(), Delivered())  # the first look of a day asks whose day begins
    looks = sorted(timed(lambda: _look(by_night)) for _ in range(LOOKS))
    print(
        f"  a look while these are held    {ground.name:<12} {notices:>7,} notices {looks[LOOKS // 2] * 1000:>8.2f} ms"
    )
    by_night.close()
    above = Database(ground.copy(source, "above"))
    with above.writing() as session:
        session.execute(text("UPDATE notice SET dropped = 'moot.moved'"))
    for day in CLIMBED:
        _live(above, day)
    with above.writing() as session:
        session.execute(text("UPDATE notice SET dropped = 'moot.moved' WHERE rung != 'superior.secretariat'"))
    _tell(ground, f"lists of {REGIONS} secretariats", notices, lambda: _queue(above, CLIMBED[-1], messages=REGIONS))
    above.close()


def _add_secretariats(database: Database) -> None:
    with database.writing() as session:
        regions = session.scalars(select(Placement.unit_id).where(col(Placement.parent_id) == 1)).all()
        session.execute(
            insert(Contact),
            [
                {"unit_id": n, "role": Role.SECRETARIAT, "name": f"VP {n}", "email": f"vp.{n}@example.org"}
                for n in regions
            ],
        )


def _live(database: Database, now: datetime) -> None:
    for act in (open_due, fire):
        with database.writing() as session:
            act(session, now, ZONE)


def _queue(database: Database, now: datetime, **expected: int) -> None:
    office = Office("email", "dondoc@example.org", "https://dondoc.example.org", ZONE, now, pace=Pace())
    counts = queue(database, office)
    assert {name: count for name, count in counts.items() if count} == expected, counts


def _look(database: Database) -> None:
    assert not is_anything(database, NIGHT, ZONE)


def _write_again(database: Database, count: int) -> None:
    """The same rows once more by INSERT ... SELECT, and each notice's message."""
    columns = ", ".join(f'"{name}"' for name in COLUMNS)
    values = columns.replace('"reference"', "reference || '-'")
    with database.writing() as session:
        session.execute(text(f"INSERT INTO message ({columns}) SELECT {values} FROM message"))
        session.execute(text(f"UPDATE notice SET message_id = message_id + {count} WHERE message_id IS NOT NULL"))
    assert rows_of(database, "message") == 2 * count


def _tell(ground: Ground, name: str, notices: int, act: Callable[[], object]) -> None:
    began = time.process_time()
    seconds = timed(act)
    ours = f"{time.process_time() - began:.2f} s of our processor, load {os.getloadavg()[0]:.1f}"
    print(f"{name:<32} {ground.name:<12} {notices:>7,} notices {seconds:>8.2f} s, {ours}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("notices", type=int, nargs="?", default=52_000)
    parser.add_argument("--database", choices=DATABASES, default="both")
    given = parser.parse_args()
    with grounds(DATABASES[given.database]) as found:
        for ground in found:
            bundling(ground, given.notices)


if __name__ == "__main__":
    main()

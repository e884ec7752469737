"""How long does it take to open a cycle for 52,000 units, against one INSERT ... SELECT? `python -m bench.open`"""

import sys

from sqlalchemy import text

from bench.ground import OPENS, Ground, compared, grounds, prepare, timed
from dondoc.database import Database
from engine.open import open_due
from models.plan import Revision
from tests.builders import ZONE

UNITS = int(sys.argv[1]) if len(sys.argv) > 1 else 52_000
RUNS = 7
#: The same columns into the same empty table with the same indexes; the cycle and its deadline are there already.
RAW = """
INSERT INTO task (cycle_id, unit_id, placement_id, receiver_id, deadline_id, state, versions, returns, changed_at)
SELECT 1, placement.unit_id, placement.id, placement.parent_id, 1, 'open', 0, 0, :now
FROM placement
WHERE placement.kind = 'chi-bo' AND placement.valid_from <= :day
AND (placement.valid_to IS NULL OR placement.valid_to > :day) ORDER BY placement.id
"""


def ours(url: str) -> float:
    database = Database(url)
    with database.reading() as session:
        session.get_one(Revision, 1)

    def act() -> None:
        with database.writing() as session:
            assert open_due(session, OPENS, ZONE).tasks == UNITS

    seconds = timed(act)
    database.close()
    return seconds


def raw(url: str) -> float:
    database = Database(url)
    with database.writing() as session:
        values = "1, 1, 'report-0', '2022', 'Báo cáo', 'Report', 'II.8.3', 1, 'open', :day, :now"
        columns = "plan_id, revision_id, obligation, period, title_vi, title_en, source, issuer_id, state"
        columns += ", opens_on, opened_at"
        session.execute(text(f"INSERT INTO cycle ({columns}) VALUES ({values})"), {"day": OPENS.date(), "now": OPENS})
        columns = "cycle_id, level, origin, nominal_on, due_on, is_provisional, set_by, reasons"
        values = "1, '', 'plan', :day, :day, false, 'document', '[]'"
        session.execute(text(f"INSERT INTO deadline ({columns}) VALUES ({values})"), {"day": OPENS.date()})

    def act() -> None:
        with database.writing() as session:
            given = {"now": OPENS if not database.is_sqlite else str(OPENS.replace(tzinfo=None)), "day": OPENS.date()}
            assert session.connection().execute(text(RAW), given).rowcount == UNITS

    seconds = timed(act)
    database.close()
    return seconds


def measure(ground: Ground) -> None:
    source = ground.make("source")
    database = Database(source)
    database.upgrade()
    prepare(database, UNITS)
    database.close()
    ground.settle(source)
    mine, theirs = [], []
    for _ in range(RUNS):
        mine.append(ours(ground.copy(source, "ours")))
        theirs.append(raw(ground.copy(source, "raw")))
    compared(ground.name, mine, theirs)


if __name__ == "__main__":
    print(f"open a cycle for {UNITS:,} units        ours           raw    ratio")
    with grounds() as found:
        for each in found:
            measure(each)

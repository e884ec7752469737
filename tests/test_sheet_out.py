"""Is the sheet that goes out the one that comes in? Brought back it changes nothing, elsewhere it makes the same."""

import csv
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from dondoc.database import Database
from engine.access import Actor, Scope
from engine.sheet_out import COLUMNS, csv_of, sheet_of_units
from engine.sheets import Row, rows_of
from engine.units import Imported, import_units
from models.unit import placement_on, unit_by_code
from models.user import UserRole
from samples import organisation
from tests.builders import ZONE, at

NOW = at("2021-10-01")
DAY = date(2021, 10, 1)
LATER = """\
code,name,kind,parent,valid_from,valid_to,contact_name,contact_email
stc,"=Sở ""Tài chính"", mới",dang-bo-co-so,duk,2021-12-01,2022-06-01,@Văn thư,van-thu.moi@example.org
snv,'-Nội vụ,dang-bo-co-so,duk,,,,
"""


def brought(database: Database, *sheets: bytes) -> Imported:
    """What the last one changed."""
    *first, last = (rows_of("units.csv", data) for data in sheets)
    for rows in first:
        bring(database, rows)
    return bring(database, last)


def bring(database: Database, rows: Sequence[Row]) -> Imported:
    with database.writing() as session:
        return import_units(session, rows, by="office", reason="Rà soát", now=NOW, zone=ZONE)


def sheet(database: Database, on: date = DAY, actor: Actor | None = None) -> list[tuple[str, ...]]:
    with database.reading() as session:
        return [COLUMNS, *sheet_of_units(session, on, actor=actor)]


def test_what_goes_out_comes_in_again_unchanged_and_makes_the_same_tree_elsewhere(
    database: Database, tmp_path: Path
) -> None:
    brought(database, organisation.UNITS.read_bytes(), LATER.encode())
    out = sheet(database)
    assert '=Sở "Tài chính", mới' in {row[1] for row in out}
    assert brought(database, csv_of(out)) == Imported(0, 0, 0)
    elsewhere = Database(f"sqlite:///{tmp_path}/elsewhere.sqlite")
    elsewhere.upgrade()
    brought(elsewhere, csv_of(out))
    assert sheet(elsewhere) == out


def test_no_cell_is_a_formula(database: Database) -> None:
    brought(database, organisation.UNITS.read_bytes(), LATER.encode())
    cells = [cell for row in csv.reader(csv_of(sheet(database)).decode("utf-8-sig").splitlines()) for cell in row]
    assert '\'=Sở "Tài chính", mới' in cells
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]


def test_who_is_no_longer_there_is_left_out(database: Database) -> None:
    brought(database, organisation.UNITS.read_bytes(), LATER.encode())
    assert "stc" in {row[0] for row in sheet(database, date(2022, 5, 31))}
    assert "stc" not in {row[0] for row in sheet(database, date(2022, 6, 1))}


def test_an_admin_of_a_branch_gets_that_branch(database: Database) -> None:
    brought(database, organisation.UNITS.read_bytes())
    with database.reading() as session:
        unit = unit_by_code(session, "snv")
        place = placement_on(session, unit.id, DAY) if unit else None
        assert place is not None
        path = place.path
    codes = [row[0] for row in sheet(database, actor=Actor("user:9", "", (Scope(UserRole.ADMIN, path),)))[1:]]
    assert codes[0] == "snv"
    assert len(codes) > 1
    assert all(code.startswith("snv") for code in codes)
    assert not sheet(database, actor=Actor("user:9", "", (Scope(UserRole.SECRETARIAT, ""),)))[1:]

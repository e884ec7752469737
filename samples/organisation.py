"""Who is there in the demonstration? A province with the bloc of its agencies, a town, a district; and a city.

The bloc has 60 base organisations and their 200 cells; below the town's, the district's and the city's committees stand
those whom their directives address. Kinds say what a plan's audiences mean, so the bloc's are not used elsewhere: its
plan names kinds of the whole organisation.

No people: every contact is a role at example.org. One cell has no contact at all, one base organisation closes in the
middle of the term and one appears, so that what a real office meets is met here first.
"""

from datetime import datetime
from pathlib import Path
from typing import Final

from sqlmodel import Session

from engine.units import Imported, import_units, read_rows

UNITS: Final = Path(__file__).parent / "units.csv"


def load(session: Session, *, now: datetime, zone: str, without: str | None = None) -> Imported:
    """Brings the sample organisation in, or all of it but one kind; a second time it changes nothing."""
    rows = [row for row in read_rows(UNITS) if row.words["kind"] != without]
    return import_units(session, rows, by="system", now=now, zone=zone)

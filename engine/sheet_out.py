"""How would a sheet say what is there? The units as rows that change nothing when they are brought in again."""

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Final

from sqlmodel import Session

from engine.access import Actor, Right, can, standing
from engine.access import Place as Where
from engine.sheets import PARTS, ROLES, harmless
from engine.tree import FOREVER, history_of, known_units

COLUMNS: Final = (
    *("code", "name", "kind", "parent", "tags", "valid_from", "valid_to"),
    *(f"{role}_{part}" for role in ROLES for part in PARTS),
)


def sheet_of_units(session: Session, on: date, *, actor: Actor | None = None) -> Iterator[tuple[str, ...]]:
    """The words of COLUMNS for each unit that is there on that day or will be, those above before those below.

    A unit that is to move is told as it will stand. An `actor` gets the units that are theirs to change.
    """
    known = known_units(session)
    history = history_of(known)
    for code, unit in sorted(known.items(), key=lambda each: [place.path for place in each[1].placements[-1:]]):
        last = history[code][-1] if history[code] else None
        if last is None or last.end <= on:
            continue
        place = standing(unit.placements, on)
        if actor is not None and place is not None and not can(actor, Right.MANAGE, Where(place.path)):
            continue
        end = "" if last.end == FOREVER else f"{last.end}"
        people = (unit.contacts.get(role) for role in ROLES)
        told = (getattr(person, part) or "" if person else "" for person in people for part in PARTS)
        yield code, unit.name, last.kind, last.parent or "", " ".join(sorted(unit.tags)), f"{last.start}", end, *told


def csv_of(rows: Iterable[Iterable[object]]) -> bytes:
    """A CSV file in UTF-8 that a spreadsheet opens; no cell of it is a formula."""
    text = io.StringIO()
    csv.writer(text).writerows([harmless(f"{cell}") for cell in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")

"""What is to change in the tree on a day to come? The orders, as the journal keeps them, less those called off.

The tree itself is written when an order is given (engine/reorganise.py); which units belong to one order, who gave it
and why, what was chosen for each task, and the name that a unit is to get, stands in its entry alone.
"""

from collections.abc import Sequence
from datetime import date
from typing import Final

from sqlalchemy import ColumnElement, and_, select
from sqlmodel import Session, col
from sqlmodel import select as rows

from models.entry import OF_NO_TASK, Entry
from models.lineage import Succession

#: What each way of reorganising is called in the journal.
ACTS: Final = {Succession.CLOSE: "unit_closed", Succession.MERGE: "units_merged", Succession.SPLIT: "unit_split"}
MOVE: Final = "unit_moved"
RENAME: Final = "rename_ordered"
ORDERS: Final = (*ACTS.values(), MOVE, RENAME)
CALLED_OFF: Final = "change_called_off"


def orders(session: Session, today: date) -> Sequence[Entry]:
    """Those whose day is to come, the nearest first."""
    day = col(Entry.data)["on"].as_string()
    stands = _stands(*ORDERS)
    return session.exec(rows(Entry).where(stands, day > today.isoformat()).order_by(day, col(Entry.id))).all()


def due(session: Session, since: date, until: date) -> Sequence[Entry]:
    """Those whose day came after one day and up to another, in their order."""
    day = col(Entry.data)["on"].as_string()
    stands = _stands(*ORDERS)
    come = rows(Entry).where(stands, day > since.isoformat(), day <= until.isoformat())
    return session.exec(come.order_by(day, col(Entry.id))).all()


def order_of_end(session: Session, code: str, on: date) -> Entry | None:
    """The order by which a unit ends on a day; None when none did: a sheet can end units too."""
    given = rows(Entry).where(_stands(*ACTS.values()), col(Entry.data)["on"].as_string() == on.isoformat())
    return next((entry for entry in session.exec(given) if code in ends(entry)), None)


def names(session: Session, code: str, today: date) -> Sequence[Entry]:
    """Those of the coming orders that give a unit another name."""
    return [each for each in orders(session, today) if each.data["unit"] == code and "name" in each.data]


def ends(order: Entry) -> list[str]:
    """The units that the order ends; older entries name the one that was closed."""
    if order.act in (MOVE, RENAME):
        return []
    found: list[str] = order.data.get("ends", [order.data["unit"]])
    return found


def concerned(order: Entry) -> list[str]:
    """The codes of all units that the order names: those that change, and those beside or above them."""
    data = order.data
    named = [data["unit"], *data.get("units", []), data.get("heir"), *data.get("fresh", [])]
    named += [data.get("before"), data.get("after"), *data.get("below", {}), *data.get("below", {}).values()]
    return [code for code in dict.fromkeys(named) if code]


def beside(order: Entry) -> list[str]:
    """The units that the order ends, or beside the first of which others begin: what is above them changes too."""
    return [*ends(order), *([order.data["unit"]] if order.data.get("fresh") else [])]


def is_called_off(session: Session, order: Entry) -> bool:
    return session.exec(rows(Entry.id).where(col(Entry.id) == order.id, _stands(order.act))).first() is None


def _stands(*acts: str) -> ColumnElement[bool]:
    """The condition on entries: an order that nobody called off."""
    gone = select(col(Entry.data)["order"].as_integer()).where(OF_NO_TASK, col(Entry.act) == CALLED_OFF)
    # Most entries are of a task; of the others an act is found by its index.
    return and_(OF_NO_TASK, col(Entry.act).in_(acts), col(Entry.id).not_in(gone))

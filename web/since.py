"""What did others do to these units since somebody looked at them? Told where an act is refused for that."""

from collections.abc import Collection, Sequence
from typing import Final

from sqlalchemy import or_, select
from sqlmodel import Session, col
from sqlmodel import select as rows

from engine.coming import ORDERS, concerned
from models.entry import Entry
from models.task import Task
from models.unit import Unit

MOST: Final = 5
_READ: Final = 200  #: entries looked through; what came after that many is told by the page itself


def since(session: Session, number: int, codes: Collection[str]) -> Sequence[Entry]:
    """The first entries after the one of this number that concern the units of these codes, or a task of theirs."""
    ids = select(col(Unit.id)).where(col(Unit.code).in_(codes))
    tasks = select(col(Task.id)).where(or_(col(Task.unit_id).in_(ids), col(Task.receiver_id).in_(ids)))
    later = rows(Entry).where(col(Entry.id) > number, or_(col(Entry.task_id).in_(tasks), col(Entry.task_id).is_(None)))
    found = session.exec(later.order_by(col(Entry.id)).limit(_READ))
    return [entry for entry in found if entry.task_id or {*_units(entry)} & {*codes}][:MOST]


def _units(entry: Entry) -> Sequence[str]:
    return concerned(entry) if entry.act in ORDERS else [entry.data.get("unit", "")]

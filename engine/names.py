"""What was a unit called on a day? A unit has the name of today; the journal keeps each one that it gave up."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlmodel import Session, col, select

from dondoc.clock import today
from models.entry import OF_NO_TASK, Entry
from models.unit import Unit


@dataclass(frozen=True, slots=True)
class Former:
    """A name that a unit gave up, and the entry that says who decided so and why."""

    name: str
    until: date  #: the first day on which it no longer held
    entry: Entry  #: the order, where the day of the name was still to come when it was given


def former_names(session: Session, unit: Unit, zone: str) -> Sequence[Former]:
    """The oldest first."""
    renamed = (col(Entry.act) == "unit_renamed", col(Entry.data)["unit"].as_string() == unit.code)
    entries = session.exec(select(Entry).where(OF_NO_TASK, *renamed).order_by(col(Entry.id))).all()
    decided = [session.get_one(Entry, entry.data.get("order", entry.id)) for entry in entries]
    return [Former(entry.data["before"], _day(entry, zone), by) for entry, by in zip(entries, decided, strict=True)]


def name_on(session: Session, unit: Unit, on: date, zone: str) -> str:
    """What stood on the papers of that day."""
    return next((each.name for each in former_names(session, unit, zone) if each.until > on), unit.name)


def _day(entry: Entry, zone: str) -> date:
    """Before a name could have a day of its own it held at once."""
    return date.fromisoformat(entry.data["on"]) if "on" in entry.data else today(entry.at, zone)

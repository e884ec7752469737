"""Who hears what was decided about a task? The unit's contact; else its head, else who chases it from above."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, exists, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import col

from engine.fire import RUNGS
from models.contact import Contact, holding
from models.task import Task
from models.unit import Placement
from schedules.plan import Rung

#: Who is told a change of days: whoever comes first and can be told.
LADDER: Final = (Rung.UNIT_CONTACT, Rung.UNIT_HEAD, Rung.SUPERIOR_SECRETARIAT)
_place: Final = aliased(Placement)  #: its own, as conditions on tasks speak of placements too


def hearers(which: ColumnElement[bool], rungs: Sequence[Rung], rung: Rung) -> Select[tuple[int, int]]:
    """The tasks `which`, each with the contacts of a rung, where nobody of the rungs before it can be told."""
    return (
        select(col(Task.id), col(Contact.id))
        .join(_place, col(_place.id) == col(Task.placement_id))
        .join(Contact, col(Contact.unit_id) == _unit_of(rung))
        .where(which, _is_of(rung), *(~_has(each) for each in rungs[: rungs.index(rung)]))
    )


def can_hear(rungs: Sequence[Rung] = LADDER) -> ColumnElement[bool]:
    """The condition on tasks: there is somebody who can be told."""
    return or_(*(_has(each) for each in rungs))


def _has(rung: Rung) -> ColumnElement[bool]:
    found = exists().where(col(Contact.unit_id) == _unit_of(rung), _is_of(rung))
    return found.where(col(_place.id) == col(Task.placement_id)).correlate(Task)


def _is_of(rung: Rung) -> ColumnElement[bool]:
    who = holding(RUNGS[rung][1]).whereclause
    assert who is not None
    return who


def _unit_of(rung: Rung) -> Any:
    return col(Task.unit_id) if RUNGS[rung][0] == "unit" else col(_place.parent_id)

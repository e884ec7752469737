"""Of what opens soon, who could not be told? Looked at before it opens, while there is time to find somebody."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, select, true
from sqlmodel import Session, col

from dondoc.clock import today
from engine.plans import plan_of, sound_timeline
from models.cycle import Cycle
from models.plan import Revision, active
from models.roster import Reach, reach
from models.unit import Placement, Unit, matching, valid
from schedules.audience import Audience
from schedules.plan import Obligation
from schedules.timeline import DueDay

SOON: Final = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Silent:
    """A unit without a contact who can be told; `reach` says what is missing."""

    id: int
    code: str
    name: str
    reach: str


@dataclass(frozen=True, slots=True)
class Opening:
    """A cycle of the next days that units owe whom nobody can tell."""

    plan: str
    obligation: Obligation
    period: str
    opens_on: date
    units: tuple[Silent, ...]  #: by name


def opening_soon(
    session: Session, now: datetime, zone: str, where: ColumnElement[bool] | None = None
) -> tuple[Opening, ...]:
    """What opens within two weeks for units that cannot be told, the first first.

    `where` is a condition on placements: the units that somebody answers for. Where everybody can be told, and where
    nothing opens, that is two questions to the database.
    """
    on, mine = today(now, zone), true() if where is None else where
    near = session.scalars(active().where(col(Revision.next_open_on) <= on + SOON)).all()
    silent = reach() != Reach.OK.value
    if not near or session.scalar(select(col(Placement.id)).where(valid(on), silent, mine).limit(1)) is None:
        return ()
    found = [each for revision in near for each in _of_plan(session, revision, on, silent & mine)]
    return tuple(sorted(found, key=lambda each: (each.opens_on, each.plan, each.obligation.code, each.period)))


def _of_plan(session: Session, revision: Revision, on: date, silent: ColumnElement[bool]) -> Iterator[Opening]:
    timeline = sound_timeline(session, revision)
    if not timeline.occurrences:
        return
    plan = plan_of(session, revision.id)
    cycles = select(col(Cycle.obligation), col(Cycle.period)).where(col(Cycle.plan_id) == revision.plan_id)
    opened = set(session.execute(cycles).tuples())
    known: dict[tuple[Audience, date], list[Silent]] = {}

    def units(day: DueDay) -> list[Silent]:
        key = (day.who, day.opens_on)
        if key not in known:
            who = matching(day.who, day.opens_on, revision.plan_id).join(Unit, col(Unit.id) == col(Placement.unit_id))
            columns = (col(Unit.id), col(Unit.code), col(Unit.name), reach())
            known[key] = [Silent(*row) for row in session.execute(who.where(silent).with_only_columns(*columns))]
        return known[key]

    for occurrence in timeline.occurrences:
        label = occurrence.period.label
        if (occurrence.obligation.code, label) in opened:
            continue
        days = [day for day in occurrence.days if day.due_on >= revision.from_on and on < day.opens_on <= on + SOON]
        found = {each.id: each for day in days for each in units(day)}
        if found:
            told = tuple(sorted(found.values(), key=lambda each: (each.name, each.code)))
            yield Opening(plan.code, occurrence.obligation, label, min(day.opens_on for day in days), told)

"""What falls due in these days? What was opened, as it stands, and what is still to be opened, as it compiles today."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Select, literal, union_all
from sqlalchemy import select as select_rows
from sqlmodel import Session, col

from engine.access import Actor, Right, seen
from engine.plans import active_plans, sound_timeline
from models import due
from models.board import Reach
from models.deadline import FIXED
from models.plan import Plan, Revision
from models.unit import Placement, matching
from schedules.plan import SetBy
from schedules.timeline import DueDay, Occurrence


@dataclass(frozen=True, slots=True)
class Due:
    """A due day, of a unit or of all that the reader sees."""

    on: date
    opens_on: date
    plan: Plan
    obligation: str
    title_vi: str
    title_en: str
    source: str
    period: str
    level: str
    is_provisional: bool  #: the days off of its year have not been decided
    is_office_set: bool
    is_moved: bool  #: decided for some units: an extension, or a return with a day of its own
    sequence: int  #: grows with every change
    cycle_id: int | None = None  #: None: not opened yet
    task_id: int | None = None
    state: str | None = None  #: as shown, of a unit's task
    tasks: int = 0
    accepted: int = 0

    def title(self, lang: str) -> str:
        return self.title_en if lang == "en" else self.title_vi


def falls_due(
    session: Session,
    actor: Actor,
    first: date,
    after: date,
    *,
    today: date,
    now: datetime,
    plan_code: str = "",
    unit_id: int | None = None,
) -> list[Due]:
    """In [first, after), in order: of one plan or all active ones, of one unit or of all that the actor sees."""
    plans = [each for each in active_plans(session) if plan_code in ("", each[0].code)]
    reach = None if "" in actor.paths(Right.SEE) else seen(actor)
    by_id = {plan.id: plan for plan, _, _ in plans}
    found = list(_opened(session, by_id, unit_id, first, after, today, now, reach))
    known = {tuple(row) for row in session.execute(due.opened(by_id))}
    for plan, revision, _ in plans:
        found += _to_open(session, plan, revision, known, unit_id, max(first, today), after, today)
    return sorted(found, key=lambda each: (each.on, each.plan.id, each.obligation, each.level))


def _opened(
    session: Session,
    plans: dict[int, Plan],
    unit_id: int | None,
    first: date,
    after: date,
    today: date,
    now: datetime,
    reach: Reach,
) -> Iterator[Due]:
    query: Select[tuple[object, ...]] = (
        due.of_plans(plans, first, after, reach)
        if unit_id is None
        else due.of_unit(unit_id, plans, first, after, today, now, reach)
    )
    for row in session.execute(query):
        cycle, deadline = row.Cycle, row.Deadline
        yield Due(
            deadline.due_on,
            cycle.opens_on,
            plans[cycle.plan_id],
            cycle.obligation,
            cycle.title_vi,
            cycle.title_en,
            cycle.source,
            cycle.period,
            deadline.level,
            deadline.is_provisional,
            deadline.is_office_set,
            deadline.origin not in FIXED,
            1000 + (0 if unit_id is None else row.entries),
            cycle.id,
            None if unit_id is None else row.task_id,
            None if unit_id is None else row.shown,
            row.tasks if unit_id is None else 1,
            row.accepted if unit_id is None else 0,
        )


def _to_open(
    session: Session,
    plan: Plan,
    revision: Revision,
    known: Collection[tuple[object, ...]],
    unit_id: int | None,
    first: date,
    after: date,
    today: date,
) -> Iterator[Due]:
    first = max(first, revision.from_on)
    waiting = [
        (occurrence, day)
        for occurrence in sound_timeline(session, revision).occurrences
        if (plan.id, occurrence.obligation.code, occurrence.period.label) not in known
        for day in occurrence.days
        if first <= day.due_on < after
    ]
    asked = waiting if unit_id is None else _asked(session, waiting, unit_id, today, plan.id)
    for occurrence, day in asked:
        obligation = occurrence.obligation
        yield Due(
            day.due_on,
            day.opens_on,
            plan,
            obligation.code,
            obligation.title.vi,
            obligation.title.en,
            "; ".join(obligation.source),
            occurrence.period.label,
            day.level,
            day.is_provisional,
            day.set_by is SetBy.OFFICE,
            False,
            revision.number,
        )


def _asked(
    session: Session, waiting: list[tuple[Occurrence, DueDay]], unit_id: int, today: date, plan_id: int
) -> list[tuple[Occurrence, DueDay]]:
    """Those that ask something of the unit as it stands today, found in one query."""
    audiences = list(dict.fromkeys(day.who for _, day in waiting))
    if not audiences:
        return []
    belongs = [
        select_rows(literal(number)).where(
            matching(who, today, plan_id).where(col(Placement.unit_id) == unit_id).order_by(None).exists()
        )
        for number, who in enumerate(audiences)
    ]
    theirs = {audiences[number] for number in session.execute(union_all(*belongs)).scalars()}
    return [(occurrence, day) for occurrence, day in waiting if day.who in theirs]

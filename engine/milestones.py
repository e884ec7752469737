"""A milestone happened: what hangs on it gets its date."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import ColumnElement, exists, func, or_
from sqlalchemy import select as select_rows
from sqlmodel import Session, col, select

from dondoc.clock import today
from engine.errors import RefusedError
from engine.plans import active_revision, locked_revision, milestones_of, plan_of, refused_dates
from engine.preview import Moved, lines_of
from models.cycle import Cycle
from models.day import calendar_of
from models.deadline import Deadline, Origin
from models.entry import append
from models.milestone import MilestoneDay
from models.plan import Plan, Revision
from models.task import Task
from models.unit import Placement, Unit, matching, unit_by_code
from schedules import periods
from schedules.audience import Reached
from schedules.diff import Change, compare
from schedules.timeline import Waiting, compiled


@dataclass(frozen=True, slots=True)
class Hanging:
    """What the day of a milestone would open."""

    days: tuple[Moved, ...]  #: due days, with how many units each concerns
    from_on: date  #: what was due before it is not opened
    past: tuple[Change, ...]  #: what is therefore not opened
    own: tuple[tuple[str, date], ...]  #: units that keep a day of their own, by name
    hash: str  #: of these, of the plan's revision and of all days of this milestone that were entered before

    @property
    def is_outside(self) -> bool:
        """Nothing of this period waits for the milestone, whatever its day."""
        return not self.days and not self.past


def enter(
    session: Session,
    plan_code: str,
    milestone: str,
    period: str,
    on: date,
    *,
    unit_code: str | None,
    by: str,
    now: datetime,
    zone: str = "UTC",
    diff_hash: str | None = None,
) -> MilestoneDay:
    """Enters the day, for one unit or for all; the next round opens what waits for it.

    The same day again changes nothing. Another day is refused: tasks may have been opened by the first one, and
    moving a date is an act of its own (an extension). With the hash of what somebody was shown (`hangs_on` in the same
    zone) it raises RefusedError("refused.diff_changed") when something else would open by now.
    """
    locked_revision(session, plan_code)
    revision, label, unit_id = _known(session, plan_code, milestone, period, unit_code)
    known_day = session.exec(
        select(MilestoneDay).where(
            *_of(revision.plan_id, milestone, label),
            col(MilestoneDay.unit_id).is_(None) if unit_id is None else col(MilestoneDay.unit_id) == unit_id,
        )
    ).first()
    if known_day is not None:
        if known_day.on == on:
            return known_day
        raise RefusedError("refused.milestone_entered", milestone=milestone, period=label, on=known_day.on)
    # Dates that cannot be are refused here: else no round could work them out any more.
    would = hangs_on(session, plan_code, milestone, period, on, unit_code=unit_code, now=now, zone=zone)
    if diff_hash is not None and would.hash != diff_hash:
        raise RefusedError("refused.diff_changed", what=milestone)
    day = MilestoneDay(
        plan_id=revision.plan_id, milestone=milestone, period=label, unit_id=unit_id, on=on, entered_at=now, by=by
    )
    session.add(day)
    revision.next_open_on = date.min
    session.add(revision)
    append(
        session,
        "milestone_entered",
        by=by,
        at=now,
        plan=plan_code,
        milestone=milestone,
        period=label,
        on=on.isoformat(),
        unit=unit_code,
    )
    return day


def take_back(session: Session, plan_id: int, day_id: int, *, reason: str, by: str, now: datetime) -> None:
    """A day that was entered by mistake; refused once something was opened by it."""
    if not reason.strip():
        raise RefusedError("refused.no_reason")
    day = session.get(MilestoneDay, day_id, with_for_update=True)
    if day is None or day.plan_id != plan_id:
        raise RefusedError("refused.no_milestone_day", id=day_id)
    plan = session.get_one(Plan, plan_id)
    if _is_opened(session, plan, day):
        raise RefusedError("refused.milestone_opened", milestone=day.milestone, on=day.on)
    append(
        session,
        "milestone_taken_back",
        by=by,
        at=now,
        plan=plan.code,
        milestone=day.milestone,
        period=day.period,
        on=day.on.isoformat(),
        reason=reason.strip(),
    )
    session.delete(day)
    session.flush()


def hangs_on(
    session: Session,
    plan_code: str,
    milestone: str,
    period: str,
    on: date,
    *,
    unit_code: str | None,
    now: datetime,
    zone: str,
) -> Hanging:
    """What entering this day would open; nothing is written.

    Raises RefusedError where `enter` would for what is not known here.
    """
    revision, label, unit_id = _known(session, plan_code, milestone, period, unit_code)
    plan, calendar = plan_of(session, revision.id), calendar_of(session, revision.calendar)
    entered, key = milestones_of(session, revision.plan_id), (milestone, label)
    others = frozenset(each for each in entered.get(key, ()) if each != on)
    with refused_dates():
        was = compiled(plan, calendar, {**entered, key: others})
        becomes = compiled(plan, calendar, {**entered, key: others | {on}})
    of_it = select(MilestoneDay).where(*_of(revision.plan_id, milestone, label)).order_by(col(MilestoneDay.id))
    known = [(each.unit_id, each.on) for each in session.exec(of_it)]
    own = [each for each, _ in known if each is not None]
    names = select(col(Unit.name), col(MilestoneDay.on)).where(col(Unit.id) == col(MilestoneDay.unit_id))
    names = names.where(*_of(revision.plan_id, milestone, label)).order_by(col(Unit.name))
    which = col(Placement.unit_id).not_in(own) if unit_id is None else col(Placement.unit_id) == unit_id
    days = tuple(
        Moved(plan_code, change, None, _count(session, revision.plan_id, change, which, today(now, zone)))
        for change in compare(was, becomes, revision.from_on)
        if change.after is not None
    )
    past = tuple(
        change
        for change in compare(was, becomes, date.min)
        if change.after is not None and change.after.due_on < revision.from_on
    )
    kept = tuple(session.exec(names)) if unit_id is None else ()
    said = [revision.id, unit_id, [[each, f"{day}"] for each, day in known], lines_of(days)]
    hash_ = hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()
    return Hanging(days, revision.from_on, past, kept, hash_)


def days_of(session: Session, plan_id: int) -> Sequence[tuple[MilestoneDay, Unit | None]]:
    """What was entered, the newest first."""
    query = select(MilestoneDay, Unit).join(Unit, col(Unit.id) == col(MilestoneDay.unit_id), isouter=True)
    return session.exec(query.where(col(MilestoneDay.plan_id) == plan_id).order_by(col(MilestoneDay.id).desc())).all()


def waiting_of(session: Session, revision: Revision) -> tuple[tuple[Waiting, int], ...]:
    """What waits for the day of a milestone for all, and how many units have one of their own; empty for a stuck plan.

    The days of some units give what hangs on the milestone a date, and the others wait still.
    """
    entered = session.exec(select(MilestoneDay).where(col(MilestoneDay.plan_id) == revision.plan_id)).all()
    own = Counter((each.milestone, each.period) for each in entered if each.unit_id is not None)
    for_all = {(each.milestone, each.period): frozenset({each.on}) for each in entered if each.unit_id is None}
    try:
        with refused_dates():
            timeline = compiled(plan_of(session, revision.id), calendar_of(session, revision.calendar), for_all)
    except RefusedError:
        return ()
    return tuple((each, own[each.milestone, each.period.label]) for each in timeline.waiting)


def _is_opened(session: Session, plan: Plan, day: MilestoneDay) -> bool:
    """Whether a cycle has a due day that hangs on this one by the text of today or by that which opened the cycle."""
    opened_by = select(Cycle.revision_id).where(col(Cycle.plan_id) == plan.id)
    texts = select(Revision).where(col(Revision.plan_id) == plan.id)
    texts = texts.where(or_(col(Revision.is_active), col(Revision.id).in_(opened_by)))
    hanging = {each for revision in session.exec(texts).all() for each in _hanging(session, revision, day)}
    query = (
        select_rows(col(Cycle.obligation), col(Cycle.period), col(Deadline.level), col(Deadline.nominal_on))
        .join(Deadline, col(Deadline.cycle_id) == col(Cycle.id))
        .where(col(Cycle.plan_id) == plan.id, col(Deadline.origin) == Origin.MILESTONE.value)
    )
    return not hanging.isdisjoint(tuple(row) for row in session.execute(query))


def _hanging(session: Session, revision: Revision, day: MilestoneDay) -> Iterator[tuple[str, str, str, date]]:
    """Obligation, period, level and nominal day; nothing hangs on a day by which no dates can be."""
    reached = Reached(day.milestone, day.period, day.on)
    alone = {(day.milestone, day.period): frozenset({day.on})}
    try:
        with refused_dates():
            timeline = compiled(plan_of(session, revision.id), calendar_of(session, revision.calendar), alone)
    except RefusedError:
        return
    for occurrence in timeline.occurrences:
        for due in occurrence.days:
            if due.who.reached == reached:
                yield occurrence.obligation.code, occurrence.period.label, due.level, due.nominal_on


def _count(session: Session, plan_id: int, change: Change, which: ColumnElement[bool], on: date) -> int:
    """How many of these units would owe it, once the milestone is reached; whoever owes it already keeps its day."""
    assert change.after is not None
    has_task = (
        exists()
        .where(col(Task.unit_id) == col(Placement.unit_id), col(Cycle.id) == col(Task.cycle_id))
        .where(col(Cycle.plan_id) == plan_id)
        .where(col(Cycle.obligation) == change.obligation, col(Cycle.period) == change.period)
    )
    who = matching(replace(change.after.who, reached=None), on).where(which, ~has_task).order_by(None)
    return session.scalar(select(func.count()).select_from(who.subquery())) or 0


def _known(
    session: Session, plan_code: str, milestone: str, period: str, unit_code: str | None
) -> tuple[Revision, str, int | None]:
    """The active revision, the period's label and the unit's id."""
    revision = active_revision(session, plan_code)
    if revision is None:
        raise RefusedError("refused.no_plan", plan=plan_code)
    plan = plan_of(session, revision.id)
    if milestone not in {each.code for each in plan.milestones}:
        known = ", ".join(each.code for each in plan.milestones)
        raise RefusedError("refused.no_milestone", milestone=milestone, known=known)
    try:
        label = periods.parse(period).label
    except ValueError:
        raise RefusedError("refused.no_period", period=period, shapes=periods.SHAPES) from None
    unit = unit_by_code(session, unit_code) if unit_code is not None else None
    if unit_code is not None and unit is None:
        raise RefusedError("refused.no_unit", unit=unit_code)
    return revision, label, unit.id if unit is not None else None


def _of(plan_id: int, milestone: str, label: str) -> tuple[ColumnElement[bool], ...]:
    return (
        col(MilestoneDay.plan_id) == plan_id,
        col(MilestoneDay.milestone) == milestone,
        col(MilestoneDay.period) == label,
    )

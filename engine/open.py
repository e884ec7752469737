"""What opens now? Occurrences become cycles: dates and reasons copied into rows, one task a unit."""

import logging
from dataclasses import astuple, dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import Select, bindparam, exists, literal, select
from sqlmodel import Session, col
from sqlmodel import select as rows

from dondoc.clock import moment, today
from dondoc.database import insert_new
from engine.close import end, take_up
from engine.errors import RefusedError
from engine.plans import plan_of, refused_dates, timeline_of
from models.cycle import Cycle, CycleState
from models.day import calendar_of
from models.deadline import Deadline, Origin
from models.entry import append
from models.milestone import MilestoneDay
from models.plan import Plan, Revision, to_open
from models.step import Step, StepKind, StepState
from models.task import Task, TaskState
from models.unit import Placement, Unit, matching, unit_by_code
from schedules.calendars import Calendar
from schedules.ladder import moments
from schedules.plan import Obligation
from schedules.plan import Plan as PlanFile
from schedules.timeline import DueDay, Occurrence

logger = logging.getLogger("dondoc.engine")

NEVER: Final = date.max
#: Whether anything may be to open `on` a day.
IS_TO_OPEN: Final = to_open(bindparam("on")).exists()
TASK_COLUMNS: Final = (
    "cycle_id", "unit_id", "placement_id", "receiver_id", "deadline_id", "state", "versions", "returns", "changed_at"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Opened:
    """How many rows were added, and how many plans could not open anything."""

    cycles: int = 0
    tasks: int = 0
    steps: int = 0
    stuck: int = 0

    def __add__(self, other: "Opened") -> "Opened":
        return Opened(*(one + more for one, more in zip(astuple(self), astuple(other), strict=True)))


def open_due(session: Session, now: datetime, zone: str) -> Opened:
    """Opens every occurrence whose opening day has come, of every active plan; what is open stays as it is.

    A plan whose dates cannot be worked out opens nothing and stops no other: it is tried again each time, and named
    (`engine.plans.stuck`) until it is mended.
    """
    on, opened = today(now, zone), Opened()
    for revision in session.scalars(to_open(on)).all():
        code = session.get_one(Plan, revision.plan_id).code
        try:
            with refused_dates(), session.begin_nested():
                opened += _open_plan(session, revision, on, now, zone)
        except RefusedError as error:
            logger.warning("plan %s opens nothing: %s", code, error, exc_info=True)
            opened += Opened(stuck=1)
    return opened


def open_obligation(session: Session, plan_code: str, obligation: str | None, now: datetime, zone: str) -> Opened:
    """The same for one obligation of one plan, or for all of that plan."""
    on, opened = today(now, zone), Opened()
    of_plan = select(col(Plan.id)).where(col(Plan.code) == plan_code)
    for revision in session.scalars(to_open(on).where(col(Revision.plan_id).in_(of_plan))).all():
        opened += _open_plan(session, revision, on, now, zone, only=obligation)
    return opened


def _open_plan(
    session: Session, revision: Revision, on: date, now: datetime, zone: str, only: str | None = None
) -> Opened:
    plan = plan_of(session, revision.id)
    calendar = calendar_of(session, plan.calendar)
    known = {
        (cycle.obligation, cycle.period): cycle
        for cycle in session.exec(rows(Cycle).where(col(Cycle.plan_id) == revision.plan_id))
    }
    opened, next_open_on = Opened(), NEVER
    for occurrence in timeline_of(session, revision).occurrences:
        cycle = known.get((occurrence.obligation.code, occurrence.period.label))
        days = [day for day in occurrence.days if day.due_on >= revision.from_on]
        if cycle is not None:  # it is open: the rows are the truth; only a milestone entered since adds to them
            days = [day for day in days if day.milestone]
        later = [day.opens_on for day in days if day.milestone and day.opens_on > on]
        days = [day for day in days if not (day.milestone and day.opens_on > on)]
        if days and min(day.opens_on for day in days) > on:
            later.append(min(day.opens_on for day in days))
            days = []
        next_open_on = min([next_open_on, *later])
        if days and only in (None, occurrence.obligation.code):
            opened += open_days(session, revision, plan, occurrence, days, cycle, calendar, now, zone)
    if only is None:
        revision.next_open_on = next_open_on
        session.add(revision)
    return opened


def _is_there(session: Session, cycle: Cycle, day: DueDay) -> Deadline | None:
    query = rows(Deadline).where(
        col(Deadline.cycle_id) == cycle.id,
        col(Deadline.level) == day.level,
        col(Deadline.origin) == Origin.MILESTONE.value,
        col(Deadline.due_on) == day.due_on,
    )
    return session.exec(query).first()


def _joining(who: Select[tuple[Placement]], cycle: Cycle, day: DueDay, *, is_there: bool) -> Select[tuple[Placement]]:
    """Those of a milestone's day who join a cycle that is open: they have no task in it.

    A day that is there already was opened for all whom it concerned; since then only a unit's own day may have been
    entered.
    """
    who = who.where(~exists().where(col(Task.cycle_id) == cycle.id, col(Task.unit_id) == col(Placement.unit_id)))
    if not is_there or day.who.reached is None:
        return who
    own = exists().where(
        col(MilestoneDay.plan_id) == cycle.plan_id,
        col(MilestoneDay.milestone) == day.who.reached.milestone,
        col(MilestoneDay.period) == day.who.reached.period,
        col(MilestoneDay.unit_id) == col(Placement.unit_id),
    )
    return who.where(own)


def open_days(
    session: Session,
    revision: Revision,
    plan: PlanFile,
    occurrence: Occurrence,
    days: list[DueDay],
    cycle: Cycle | None,
    calendar: Calendar,
    now: datetime,
    zone: str,
    *,
    by: str = "system",
) -> Opened:
    """One cycle, or the new milestone days of one: Deadlines, Steps, Tasks, Entry, in the caller's transaction."""
    is_new = cycle is None
    obligation, on = occurrence.obligation, today(now, zone)
    cycle = cycle or _cycle(session, revision, plan, occurrence, now)
    steps = tasks = 0
    due = set()
    for day in days:
        who = matching(day.who, on, cycle.plan_id)
        deadline = None if is_new else _is_there(session, cycle, day)
        if not is_new:
            who = _joining(who, cycle, day, is_there=deadline is not None)
            if not session.scalar(select(who.exists())):
                continue
        if deadline is not None:
            take_up(session, cycle, deadline.id, now)
        else:
            deadline = new_deadline(session, cycle, day)
            steps += plan_steps(session, deadline, obligation, calendar, day.opens_on, revision.from_on, zone)
        tasks += open_tasks(session, cycle, deadline, obligation, who, now)
        due.add(day.due_on.isoformat())
    if tasks:
        cycle.state, cycle.closed_at = CycleState.OPEN, None
    elif is_new:
        end(session, cycle, now)  # nobody matched: nothing to wait for
    else:
        return Opened()
    append(
        session,
        "opened" if is_new else "widened",
        by=by,
        at=now,
        cycle_id=cycle.id,
        obligation=cycle.obligation,
        period=cycle.period,
        due=sorted(due),
        tasks=tasks,
    )
    return Opened(int(is_new), tasks, steps)


def new_deadline(session: Session, cycle: Cycle, day: DueDay) -> Deadline:
    deadline = Deadline(
        cycle_id=cycle.id,
        level=day.level,
        origin=Origin.MILESTONE if day.milestone else Origin.PLAN,
        nominal_on=day.nominal_on,
        due_on=day.due_on,
        due_at=day.due_at,
        grace_until=day.grace_until,
        is_provisional=day.is_provisional,
        set_by=day.set_by.value,
        reasons=[reason.as_json() for reason in day.reasons],
    )
    session.add(deadline)
    session.flush()
    return deadline


def _cycle(session: Session, revision: Revision, plan: PlanFile, occurrence: Occurrence, now: datetime) -> Cycle:
    issuer = unit_by_code(session, plan.issuer)
    if issuer is None:
        raise LookupError(f"expected the issuer {plan.issuer!r} of plan {plan.code} among the units")
    cycle = Cycle(
        plan_id=revision.plan_id,
        revision_id=revision.id,
        obligation=occurrence.obligation.code,
        period=occurrence.period.label,
        title_vi=occurrence.obligation.title.vi,
        title_en=occurrence.obligation.title.en,
        source="; ".join(occurrence.obligation.source),
        issuer_id=issuer.id,
        opens_on=occurrence.opens_on,
        opened_at=now,
    )
    session.add(cycle)
    session.flush()
    return cycle


def plan_steps(
    session: Session,
    deadline: Deadline,
    obligation: Obligation,
    calendar: Calendar,
    opens_on: date,
    from_on: date,
    zone: str,
    is_first: bool = True,
) -> int:
    """Writes the ladder of a deadline. `from_on` is the day of adoption (or of a move to this deadline).

    What lies before it: reminders are recorded as skipped, and no escalation comes sooner than that day plus the
    rung's own patience. The word that the work is open goes out with the first deadline alone.
    """
    ladder = moments(obligation.ladder, opens_on, deadline.due_on, deadline.grace_until, calendar)
    patience = sorted(calendar.after(from_on, each.after) for each in obligation.ladder.escalate)
    steps = []
    for each in ladder:
        is_opening = each.kind == StepKind.REMIND and each.ordinal == 0
        if is_opening and not is_first:
            continue
        on, state, why = each.on, StepState.PLANNED, None
        if is_opening:
            on = max(on, from_on)
        elif each.kind == StepKind.ESCALATE:
            on = max(on, patience[each.ordinal - 1])
        elif each.kind in (StepKind.REMIND, StepKind.DUE) and on < from_on:
            state, why = StepState.SKIPPED, "step.before_adoption"
        hour = "00:00" if each.kind == StepKind.CLOSE else obligation.at
        steps.append(
            Step(
                deadline_id=deadline.id,
                kind=each.kind,
                ordinal=each.ordinal,
                rung=each.rung or "",
                on=on,
                at=moment(on, hour, zone),
                state=state,
                why=why,
            )
        )
    session.add_all(steps)
    session.flush()
    return len(steps)


def open_tasks(
    session: Session,
    cycle: Cycle,
    deadline: Deadline,
    obligation: Obligation,
    who: Select[tuple[Placement]],
    now: datetime,
) -> int:
    """One INSERT ... SELECT of the units that match."""
    receiver = obligation.receiver.via or obligation.receiver.to
    receiver_id = (
        col(Placement.parent_id)
        if receiver is None
        else select(Unit.id).where(col(Unit.code) == receiver).scalar_subquery()  # type: ignore[call-overload]
    )
    columns = who.with_only_columns(
        literal(cycle.id),
        col(Placement.unit_id),
        col(Placement.id),
        receiver_id,
        literal(deadline.id),
        literal(TaskState.OPEN.value),
        literal(0),
        literal(0),
        literal(now, Task.__table__.c.changed_at.type),  # type: ignore[attr-defined]
    )
    return insert_new(session, Task, TASK_COLUMNS, columns, unless=("cycle_id", "unit_id"))

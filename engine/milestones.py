"""A milestone happened: what hangs on it gets its date."""

from datetime import date, datetime

from sqlmodel import Session, col, select

from engine.errors import RefusedError
from engine.plans import active_revision, plan_of
from models.entry import append
from models.milestone import MilestoneDay
from models.unit import unit_by_code
from schedules import periods


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
) -> MilestoneDay:
    """Enters the day, for one unit or for all; the next round opens what waits for it.

    The same day again changes nothing. Another day is refused: tasks may have been opened by the first one, and
    moving a date is an act of its own (an extension).
    """
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
    unit_id = unit.id if unit is not None else None
    known_day = session.exec(
        select(MilestoneDay).where(
            col(MilestoneDay.plan_id) == revision.plan_id,
            col(MilestoneDay.milestone) == milestone,
            col(MilestoneDay.period) == label,
            col(MilestoneDay.unit_id).is_(None) if unit_id is None else col(MilestoneDay.unit_id) == unit_id,
        )
    ).first()
    if known_day is not None:
        if known_day.on == on:
            return known_day
        raise RefusedError("refused.milestone_entered", milestone=milestone, period=label, on=known_day.on)
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

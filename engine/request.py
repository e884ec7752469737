"""What was asked for just now? An obligation `every: request` is opened by hand, under a name of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from dondoc.clock import today
from engine.errors import RefusedError
from engine.open import Opened, open_days
from engine.plans import active_revision, calendar_for, plan_of
from models.cycle import ADHOC, Cycle
from models.day import calendar_of
from models.deadline import Deadline
from models.step import Step, StepKind
from schedules.timeline import NotOpenedError, Occurrence, adhoc


@dataclass(frozen=True, slots=True)
class Requested:
    """The cycle of a request, its due days in order, and what opening it added."""

    cycle: Cycle
    deadlines: tuple[Deadline, ...]
    opened: Opened


def open_request(
    session: Session,
    plan_code: str,
    obligation: str,
    slug: str,
    *,
    by: str,
    now: datetime,
    zone: str,
    title: str | None = None,
) -> Requested:
    """Opens the request now: a cycle as any other, whose period is `adhoc:slug`. The name opens once.

    `title` stands in place of the obligation's. Its contacts are told in the next round, at whatever hour that is.
    """
    revision, on = active_revision(session, plan_code), today(now, zone)
    if revision is None:
        raise RefusedError("refused.no_plan", plan=plan_code)
    plan = plan_of(session, revision.id)
    calendar = calendar_of(session, plan.calendar)
    try:
        occurrence = adhoc(plan, obligation, slug, now, calendar, zone)
    except NotOpenedError as error:
        raise RefusedError(error.reason.code, **dict(error.reason.params)) from error
    if revision.from_on > on:
        raise RefusedError("refused.not_in_force", plan=plan_code, from_on=revision.from_on)
    known = request_named(session, revision.plan_id, obligation, occurrence.period.label)
    if known is not None:
        raise RefusedError("refused.requested", name=slug, cycle=known.id, on=today(known.opened_at, zone))
    opened = open_days(session, revision, plan, occurrence, list(occurrence.days), None, calendar, now, zone, by=by)
    cycle = request_named(session, revision.plan_id, obligation, occurrence.period.label)
    if cycle is None or not opened.tasks:
        raise RefusedError("refused.nobody_concerned", obligation=obligation, on=on)
    if title is not None:
        if not title.strip():
            raise RefusedError("refused.no_title")
        cycle.title_vi = cycle.title_en = title.strip()
        session.add(cycle)
    deadlines = session.exec(
        select(Deadline).where(col(Deadline.cycle_id) == cycle.id).order_by(col(Deadline.due_on), col(Deadline.level))
    ).all()
    _tell_at_once(session, deadlines, now)
    return Requested(cycle, tuple(deadlines), opened)


def request_named(session: Session, plan_id: int, obligation: str, period: str) -> Cycle | None:
    """The cycle that was opened under this name (`adhoc:flood-3`)."""
    of_name = (col(Cycle.plan_id) == plan_id, col(Cycle.obligation) == obligation, col(Cycle.period) == period)
    return session.exec(select(Cycle).where(*of_name)).first()


def requests(session: Session, plan_id: int, obligation: str) -> list[str]:
    """The names that were opened so far, as periods, in order."""
    of_obligation = (col(Cycle.plan_id) == plan_id, col(Cycle.obligation) == obligation)
    query = select(Cycle.period).where(*of_obligation, col(Cycle.period).startswith(ADHOC, autoescape=True))
    return list(session.exec(query.order_by(col(Cycle.id))))


def occurrence_of(session: Session, cycle: Cycle, zone: str) -> Occurrence:
    """What the request's dates were compiled to when it was opened."""
    plan, slug = plan_of(session, cycle.revision_id), cycle.period.removeprefix(ADHOC)
    return adhoc(plan, cycle.obligation, slug, cycle.opened_at, calendar_for(session, cycle), zone)


def _tell_at_once(session: Session, deadlines: Sequence[Deadline], now: datetime) -> None:
    """The word that the work is open does not wait for the plan's hour: of 48 hours it would cost a night."""
    opening = select(Step).where(
        col(Step.deadline_id).in_([each.id for each in deadlines]),
        col(Step.kind) == StepKind.REMIND.value,
        col(Step.ordinal) == 0,
        col(Step.at) > now,
    )
    for step in session.exec(opening):
        step.at = now
        session.add(step)

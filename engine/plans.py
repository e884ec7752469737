"""What do the active plans say? Revisions read back into values, compiled once per calendar and milestones."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from sqlmodel import Session, col, select

from engine.errors import RefusedError
from models import milestone
from models.cycle import Cycle
from models.day import calendar_of
from models.plan import Plan, Revision, active, parsed, to_open
from schedules.calendars import Calendar
from schedules.plan import Obligation
from schedules.plan import Plan as PlanFile
from schedules.timeline import CollapsedChainError, Milestones, Timeline, compiled


def plan_of(session: Session, revision_id: int) -> PlanFile:
    """The plan as this revision's text says it."""
    return parsed(session.get_one(Revision, revision_id).text)


def obligation_of(session: Session, cycle: Cycle) -> Obligation:
    """The obligation by which the cycle was opened, whatever the plan says today."""
    return plan_of(session, cycle.revision_id).obligation(cycle.obligation)


def calendar_for(session: Session, cycle: Cycle) -> Calendar:
    return calendar_of(session, session.get_one(Revision, cycle.revision_id).calendar)


def active_plans(session: Session) -> list[tuple[Plan, Revision, PlanFile]]:
    return [
        (session.get_one(Plan, revision.plan_id), revision, parsed(revision.text))
        for revision in session.scalars(active())
    ]


def active_revision(session: Session, code: str) -> Revision | None:
    query = select(Revision).join(Plan, col(Plan.id) == col(Revision.plan_id))
    return session.exec(query.where(col(Plan.code) == code, col(Revision.is_active))).first()


def locked_revision(session: Session, code: str) -> Revision | None:
    """The active revision of a plan that is there; its row is locked until the end of the transaction."""
    session.exec(select(Plan.id).where(col(Plan.code) == code).with_for_update()).first()
    return active_revision(session, code)


def milestones_of(session: Session, plan_id: int) -> Milestones:
    days: defaultdict[tuple[str, str], set[date]] = defaultdict(set)
    for code, period, on in session.execute(milestone.entered(plan_id)):
        days[code, period].add(on)
    return {key: frozenset(value) for key, value in days.items()}


@contextmanager
def refused_dates() -> Iterator[None]:
    """Dates that cannot be, or lean on what is not there, are a refusal of whatever asks for them."""
    try:
        yield
    except CollapsedChainError as error:
        raise RefusedError(error.reason.code, **dict(error.reason.params)) from error
    except (ValueError, OverflowError, LookupError) as error:
        raise RefusedError("problem.uncompilable", got=error) from error


def timeline_of(session: Session, revision: Revision) -> Timeline:
    """Everything that the revision says, with the calendar and the milestones of this moment."""
    return compiled_of(session, revision, calendar_of(session, revision.calendar))


def sound_timeline(session: Session, revision: Revision, calendar: Calendar | None = None) -> Timeline:
    """The same, by a calendar if one is given; empty for a plan that is stuck: what looks at all goes on without it."""
    try:
        with refused_dates():
            return compiled_of(session, revision, calendar or calendar_of(session, revision.calendar))
    except RefusedError:
        return Timeline((), ())


def stuck(session: Session, on: date | None = None) -> list[tuple[str, RefusedError]]:
    """The codes of the plans whose dates cannot be worked out, and why: no round opens anything of them.

    With a day, only of those that are to be looked through on it: a round that could writes down when to look again.
    """
    found = []
    for revision in session.scalars(active() if on is None else to_open(on)).all():
        try:
            with refused_dates():
                timeline_of(session, revision)
        except RefusedError as error:
            found.append((session.get_one(Plan, revision.plan_id).code, error))
    return found


def compiled_of(session: Session, revision: Revision, calendar: Calendar) -> Timeline:
    """Everything that the revision says by some calendar."""
    return compiled(parsed(revision.text), calendar, milestones_of(session, revision.plan_id))

"""How far has a task's escalation climbed? The rungs of its ladder, held while somebody has said "đã biết"."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from typing import Final

from sqlalchemy import func, select
from sqlmodel import Session, col
from sqlmodel import select as rows

from dondoc.clock import moment, today
from engine.plans import calendar_for, obligation_of
from models.acknowledgement import Acknowledgement
from models.cycle import Cycle
from models.deadline import Deadline
from models.step import Step, StepKind, StepState
from models.task import OWING, Task
from schedules.calendars import Calendar
from schedules.plan import Offset

ONE_WORKING_DAY: Final = Offset(1, working=True)


@dataclass(frozen=True, slots=True)
class Span:
    """From the moment at which somebody said "đã biết" to the one at which escalation goes on."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Rung:
    """A rung that has fired, and when it is told of one task."""

    step: Step
    at: datetime
    is_held: bool  #: later than it fired for the others of its deadline


def climbs(
    session: Session, deadline: Deadline, cycle: Cycle, now: datetime, zone: str, firing: Step | None = None
) -> dict[int, list[Rung]]:
    """By task that is owed and was ever acknowledged: the rungs of its deadline that have fired, or fire now."""
    known: defaultdict[int, list[Acknowledgement]] = defaultdict(list)
    said = (
        rows(Acknowledgement)
        .join(Task, col(Task.id) == col(Acknowledgement.task_id))
        .where(col(Task.deadline_id) == deadline.id, col(Task.state).in_([state.value for state in OWING]))
    )
    for each in session.exec(said.order_by(col(Acknowledgement.task_id), col(Acknowledgement.id))):
        known[each.task_id].append(each)
    if not known:
        return {}
    fired = rows(Step).where(col(Step.deadline_id) == deadline.id, col(Step.state) == StepState.FIRED.value)
    steps = session.exec(fired.order_by(col(Step.ordinal))).all()
    rungs = [step for step in steps if step.kind == StepKind.ESCALATE] + ([firing] if firing is not None else [])
    resumed = {step.at: step.fired_at for step in steps if step.kind == StepKind.RESUME and step.fired_at is not None}
    calendar, hour = calendar_for(session, cycle), obligation_of(session, cycle).at
    return {
        task_id: when_told(rungs, spans(said, calendar, hour, zone), resumed, calendar, hour, zone, now)
        for task_id, said in known.items()
    }


def spans(known: Sequence[Acknowledgement], calendar: Calendar, hour: str, zone: str) -> list[Span]:
    """What one task's acknowledgements hold, the oldest first: each until its day is over or a newer one was said."""
    found = []
    for each, newer in zip_longest(known, known[1:]):
        end = moment(calendar.after(each.until, ONE_WORKING_DAY), hour, zone)
        found.append(Span(each.at, end if newer is None else min(end, newer.at)))
    return found


def when_told(
    rungs: Iterable[Step],
    held: Sequence[Span],
    resumed: dict[datetime, datetime],
    calendar: Calendar,
    hour: str,
    zone: str,
    now: datetime,
) -> list[Rung]:
    """No rung within a span; after one they follow each other at the distance that was planned between them.

    `resumed` has, by the moment at which escalation was to go on, the one at which it really did.
    """
    found: list[Rung] = []
    for step in rungs:
        fired_at = at = step.fired_at or now
        if found and found[-1].is_held:
            last = found[-1]
            on = calendar.after(today(last.at, zone), calendar.distance(last.step.on, step.on))
            at = max(at, moment(on, hour, zone))
        while True:
            after = next((span.end for span in held if span.start <= at < span.end), None)
            if after is None and at != fired_at:
                after = resumed.get(at, at)
            if after is None or after == at:
                break
            at = after
        found.append(Rung(step, at, at != fired_at))
    return found


def plan_resumptions(
    session: Session, deadline: Deadline, found: dict[int, list[Rung]], now: datetime, zone: str
) -> None:
    """For each task the moment at which its next held rung is told, once for all tasks of the deadline.

    Nothing is left of what was planned for a word that has been taken back or drawn out since.
    """
    coming: dict[datetime, str] = {}
    for rungs in found.values():
        after = next((rung for rung in rungs if rung.at > now), None)
        if after is not None:
            coming.setdefault(after.at, after.step.rung)
    of_kind = (col(Step.deadline_id) == deadline.id, col(Step.kind) == StepKind.RESUME.value)
    planned = session.exec(rows(Step).where(*of_kind, col(Step.state) == StepState.PLANNED.value)).all()
    for step in planned:
        if step.at > now and step.at not in coming:
            session.delete(step)
    for at in {step.at for step in planned} & coming.keys():
        del coming[at]
    if not coming:
        return
    ordinal = session.scalar(select(func.coalesce(func.max(Step.ordinal), 0)).where(*of_kind)) or 0
    for at in sorted(coming):
        ordinal += 1
        session.add(
            Step(
                deadline_id=deadline.id,
                kind=StepKind.RESUME,
                ordinal=ordinal,
                rung=coming[at],
                on=today(at, zone),
                at=at,
            )
        )
    session.flush()

"""What is due now? Steps fire: notices for the tasks they still concern, or the end of what was not handed in."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, bindparam, exists, func, literal, select
from sqlmodel import Session, col
from sqlmodel import select as rows

from dondoc.clock import moment, today
from dondoc.database import insert_new
from engine.climb import climbs, plan_resumptions
from engine.close import finish, miss
from engine.plans import calendar_for, obligation_of
from models.acknowledgement import Acknowledgement
from models.contact import Contact, Role, holding
from models.cycle import Cycle, CycleState
from models.deadline import Deadline
from models.entry import append
from models.extension import Extension
from models.notice import Notice, NoticeKind
from models.step import Step, StepKind, StepState, due_steps
from models.task import OWING, Task, TaskState
from models.unit import Placement
from schedules.plan import Rung

#: Whether anything is due `now`.
IS_DUE: Final = due_steps(bindparam("now")).exists()
#: rung -> (whose contacts: the unit's, its superior's or the issuer's; with which role)
RUNGS: Final = {
    Rung.UNIT_CONTACT: ("unit", Role.CONTACT),
    Rung.UNIT_HEAD: ("unit", Role.HEAD),
    Rung.SUPERIOR_SECRETARIAT: ("superior", Role.SECRETARIAT),
    Rung.SUPERIOR_HEAD: ("superior", Role.HEAD),
    Rung.ISSUER_SECRETARIAT: ("issuer", Role.SECRETARIAT),
    Rung.ISSUER_STANDING: ("issuer", Role.STANDING),
}
REVIEWER: Final = "receiver.secretariat"  #: who is told instead, once the unit has handed in
SOME: Final = 1_000  #: tasks named one by one in a statement: SQLite allows 32,766 parameters
NOTICE_COLUMNS: Final = ("task_id", "contact_id", "kind", "rung", "cause", "due_on", "created_at")


@dataclass(frozen=True, slots=True)
class Fired:
    """How many steps fired, how many were skipped, how many notices that made."""

    steps: int = 0
    skipped: int = 0
    notices: int = 0

    def __add__(self, other: "Fired") -> "Fired":
        return Fired(self.steps + other.steps, self.skipped + other.skipped, self.notices + other.notices)


def fire(session: Session, now: datetime, zone: str) -> Fired:
    """Fires what is due. After an outage: the end first, then the latest missed reminder, then one rung a deadline."""
    if not session.scalar(select(IS_DUE), {"now": now}):
        return Fired()
    return remind(session, now, zone) + escalate(session, now, zone)


def remind(session: Session, now: datetime, zone: str) -> Fired:
    """The ends of grace, then the reminders: of several that were missed the latest goes out."""
    fired = skipped = notices = 0
    for steps, deadline, cycle in _due(session, now, (StepKind.CLOSE, StepKind.REMIND, StepKind.DUE)):
        for step in (each for each in steps if each.kind == StepKind.CLOSE and cycle.state == CycleState.OPEN):
            _end(session, step, deadline, cycle, now)
            fired += 1
        if cycle.state != CycleState.OPEN:  # it closed with its last end, and the rest of its ladder with it
            continue
        reminders = [each for each in steps if each.kind != StepKind.CLOSE]
        for step in reminders[:-1]:
            step.state, step.fired_at, step.why = StepState.SKIPPED, now, "step.missed"
            session.add(step)
            skipped += 1
        for step in reminders[-1:]:
            notices += _tell(session, step, deadline, cycle, now, zone)
            fired += 1
            if step.on < today(now, zone):
                skipped += _skip_rest_of_day(session, deadline, now, zone)
    return Fired(fired, skipped, notices)


def _skip_rest_of_day(session: Session, deadline: Deadline, now: datetime, zone: str) -> int:
    """What is told late, as of work that opened late, is told as what it is today: a second time adds nothing."""
    later = rows(Step).where(
        col(Step.deadline_id) == deadline.id,
        col(Step.kind).in_([StepKind.REMIND.value, StepKind.DUE.value]),
        col(Step.state) == StepState.PLANNED.value,
        col(Step.on) == today(now, zone),
    )
    skipped = session.exec(later).all()
    for step in skipped:
        step.state, step.fired_at, step.why = StepState.SKIPPED, now, "step.told_already"
        session.add(step)
    return len(skipped)


def escalate(session: Session, now: datetime, zone: str) -> Fired:
    """The rungs whose moment has come; none is skipped, and none comes sooner after the one before it than planned."""
    fired = notices = 0
    for steps, deadline, cycle in _due(session, now, (StepKind.ESCALATE, StepKind.RESUME)):
        for step in steps:
            if step.at > now:  # it was moved: the rung before it has only now been told
                break
            fired += 1
            if step.kind == StepKind.RESUME:
                notices += _go_on(session, step, deadline, cycle, now, zone)
                continue
            notices += _tell(session, step, deadline, cycle, now, zone)
            _keep_distance(session, step, deadline, cycle, now, zone)
    return Fired(steps=fired, notices=notices)


def _due(session: Session, now: datetime, kinds: tuple[StepKind, ...]) -> list[tuple[list[Step], Deadline, Cycle]]:
    """The steps of these kinds whose moment has come, by deadline."""
    due: defaultdict[int, list[tuple[Step, Deadline, Cycle]]] = defaultdict(list)
    for step, deadline, cycle in session.execute(
        due_steps(now).where(col(Step.kind).in_([str(kind) for kind in kinds]))
    ):
        due[step.deadline_id].append((step, deadline, cycle))
    return [([step for step, _, _ in group], group[0][1], group[0][2]) for group in due.values()]


def _tell(session: Session, step: Step, deadline: Deadline, cycle: Cycle, now: datetime, zone: str) -> int:
    """Tells the tasks still concerned; of those that somebody has said "đã biết" about it goes on later."""
    is_rung = step.kind == StepKind.ESCALATE
    known = climbs(session, deadline, cycle, now, zone, step) if is_rung else {}
    held = sum(rungs[-1].at > now for rungs in known.values())
    others = ~exists().where(col(Acknowledgement.task_id) == col(Task.id)) if known else None
    told, unreachable = _tell_some(session, step, deadline, cycle, now, zone, others)
    for some in _parts([task_id for task_id, rungs in known.items() if rungs[-1].at <= now]):
        counts = _tell_some(session, step, deadline, cycle, now, zone, col(Task.id).in_(some))
        told, unreachable = told + counts[0], unreachable + counts[1]
    _done(session, step, deadline, cycle, now, unreachable=unreachable, held=held)
    if known:
        plan_resumptions(session, deadline, known, now, zone)
    return told + (_tell_reviewers(session, step, deadline, cycle, now) if is_rung else 0)


def _tell_reviewers(session: Session, step: Step, deadline: Deadline, cycle: Cycle, now: datetime) -> int:
    """What waits for its review climbs no further: a rung above the unit tells the reviewer of it, and nobody else."""
    if RUNGS[Rung(step.rung)][0] == "unit":
        return 0
    who = (
        select(
            col(Task.id),
            col(Contact.id),
            literal(NoticeKind.UNREVIEWED.value),
            literal(REVIEWER),
            literal(f"step:{step.id}"),
            literal(deadline.due_on),
            literal(now, Notice.__table__.c.created_at.type),  # type: ignore[attr-defined]
        )
        .select_from(Task)
        .join(Contact, col(Contact.unit_id) == func.coalesce(col(Task.receiver_id), cycle.issuer_id))
        .where(
            col(Task.deadline_id) == deadline.id,
            col(Task.state) == TaskState.SUBMITTED.value,
            *_reachable(Role.SECRETARIAT),
        )
    )
    return insert_new(session, Notice, NOTICE_COLUMNS, who, unless=("task_id", "contact_id", "cause"))


def _go_on(session: Session, step: Step, deadline: Deadline, cycle: Cycle, now: datetime, zone: str) -> int:
    """What "đã biết" has held is told; the rungs after it keep their distance from today."""
    before = session.scalar(
        select(func.max(col(Step.fired_at))).where(
            col(Step.deadline_id) == deadline.id, col(Step.kind) == StepKind.RESUME.value
        )
    )
    step.state, step.fired_at = StepState.FIRED, now
    session.add(step)
    session.flush()
    known = climbs(session, deadline, cycle, now, zone)
    told: defaultdict[tuple[int, bool], list[int]] = defaultdict(list)
    by_id: dict[int, Step] = {}
    for task_id, rungs in known.items():
        due = [each for each in rungs if each.is_held and (before is None or each.at > before) and each.at <= now]
        for each in due:
            by_id[each.step.id] = each.step
            told[each.step.id, each is due[-1]].append(task_id)
    notices = unreachable = 0
    for (step_id, is_last), task_ids in told.items():
        for some in _parts(task_ids):
            rung = by_id[step_id]
            made, nobody = _tell_some(session, rung, deadline, cycle, now, zone, col(Task.id).in_(some))
            notices, unreachable = notices + made, unreachable + (nobody if is_last else 0)
    gone_on = {task_id for task_ids in told.values() for task_id in task_ids}
    held = sum(any(each.at > now for each in rungs) for task_id, rungs in known.items() if task_id not in gone_on)
    _done(session, step, deadline, cycle, now, unreachable=unreachable, held=held, concerned=len(gone_on) + held)
    plan_resumptions(session, deadline, known, now, zone)
    return notices


def _tell_some(
    session: Session,
    step: Step,
    deadline: Deadline,
    cycle: Cycle,
    now: datetime,
    zone: str,
    some: ColumnElement[bool] | None = None,
) -> tuple[int, int]:
    """One INSERT ... SELECT of the tasks concerned x the contacts of the rung: notices, and tasks without a contact."""
    whose, role = RUNGS[Rung(step.rung)]
    concerned = [col(Task.deadline_id) == deadline.id, col(Task.state).in_([state.value for state in OWING])]
    concerned += [] if some is None else [some]
    at_unit = _unit_column(whose, cycle)
    who = (
        select(
            col(Task.id),
            col(Contact.id),
            literal(_kind(step, deadline, today(now, zone), now).value),
            literal(step.rung),
            literal(f"step:{step.id}"),
            literal(deadline.due_on),
            literal(now, Notice.__table__.c.created_at.type),  # type: ignore[attr-defined]
        )
        .select_from(Task)
        .join(Placement, col(Placement.id) == col(Task.placement_id))
        .join(Contact, col(Contact.unit_id) == at_unit)
        .where(*concerned, *_reachable(role))
    )
    told = insert_new(session, Notice, NOTICE_COLUMNS, who, unless=("task_id", "contact_id", "cause"))
    unreachable = session.scalar(
        select(func.count())
        .select_from(Task)
        .join(Placement, col(Placement.id) == col(Task.placement_id))
        .where(*concerned, ~exists().where(col(Contact.unit_id) == at_unit, *_reachable(role)))
    )
    return told, unreachable or 0


def _end(session: Session, step: Step, deadline: Deadline, cycle: Cycle, now: datetime) -> None:
    """The end of grace: what is still owed is missed."""
    miss(session, col(Task.deadline_id) == deadline.id, now)
    _done(session, step, deadline, cycle, now)
    finish(session, cycle, now)


def _done(
    session: Session,
    step: Step,
    deadline: Deadline,
    cycle: Cycle,
    now: datetime,
    *,
    unreachable: int = 0,
    held: int = 0,
    concerned: int | None = None,
) -> None:
    """Marks the step with counts that add up to all the tasks that its deadline ever had.

    `concerned` are those of the owing tasks that the step is about; None: all.
    """
    by_state: dict[str, int] = dict(
        session.execute(
            select(col(Task.state), func.count())
            .where(col(Task.deadline_id) == deadline.id)
            .group_by(col(Task.state))
            .order_by(col(Task.state))  # else PostgreSQL counts in the order it likes
        )
        .tuples()
        .all()
    )
    moved = session.scalar(
        select(func.count(func.distinct(Extension.task_id)))
        .join(Task, col(Task.id) == col(Extension.task_id))
        .where(col(Extension.from_deadline_id) == deadline.id, col(Task.deadline_id) != deadline.id)
    )
    owing = sum(by_state.pop(state.value, 0) for state in OWING)
    told = (owing if concerned is None else concerned) - unreachable - held
    aside = {"held": held, "unheld": owing - told - unreachable - held}
    counts = {"told": told, "unreachable": unreachable, "moved": moved or 0, **by_state}
    counts |= {name: count for name, count in aside.items() if count}
    step.state, step.fired_at, step.counts = StepState.FIRED, now, counts
    session.add(step)
    append(
        session,
        "fired",
        by="system",
        at=now,
        cycle_id=cycle.id,
        step=step.id,
        kind=step.kind,
        ordinal=step.ordinal,
        rung=step.rung,
        due=deadline.due_on.isoformat(),
        **counts,
    )


def _keep_distance(session: Session, rung: Step, deadline: Deadline, cycle: Cycle, now: datetime, zone: str) -> None:
    """Each rung that follows fires no sooner than the one before it plus the distance planned between them."""
    query = rows(Step).where(
        col(Step.deadline_id) == deadline.id,
        col(Step.kind) == StepKind.ESCALATE.value,
        col(Step.state) == StepState.PLANNED.value,
    )
    calendar, hour = calendar_for(session, cycle), obligation_of(session, cycle).at
    before, on = rung.on, today(now, zone)
    for step in session.exec(query.order_by(col(Step.ordinal))):
        before, on = step.on, max(calendar.after(on, calendar.distance(before, step.on)), step.on)
        if on > step.on:
            step.at = max(step.at, moment(on, hour, zone))
            step.why = "step.kept_distance"
            session.add(step)


def _kind(step: Step, deadline: Deadline, on: date, now: datetime) -> NoticeKind:
    if step.kind == StepKind.ESCALATE:
        return NoticeKind.ESCALATION
    if deadline.has_passed(on, now):
        return NoticeKind.OVERDUE
    if on == deadline.due_on:
        return NoticeKind.DUE_TODAY
    return NoticeKind.OPENED if step.ordinal == 0 else NoticeKind.REMINDER


def _parts(ids: list[int]) -> Iterator[list[int]]:
    return (ids[start : start + SOME] for start in range(0, len(ids), SOME))


def _unit_column(whose: str, cycle: Cycle) -> Any:
    return {
        "unit": col(Task.unit_id),
        "superior": col(Placement.parent_id),
        "issuer": literal(cycle.issuer_id),
    }[whose]


def _reachable(role: Role) -> tuple[ColumnElement[bool], ...]:
    where = holding(role).whereclause
    return () if where is None else (where,)

"""How do open cycles follow a change of dates? Their owing tasks move in sums, with their ladders and who is told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, case, delete, exists, func, insert, literal, or_, select, update
from sqlmodel import Session, SQLModel, col

from dondoc.clock import moment, today
from dondoc.database import insert_new
from engine.close import CYCLE_CLOSED, end, finish, reopen_links
from engine.fire import NOTICE_COLUMNS
from engine.hearers import LADDER, can_hear, hearers
from engine.open import new_deadline, open_tasks, plan_steps
from engine.transfers import Transfer
from models.contact import Contact
from models.cycle import Cycle, CycleState
from models.deadline import FIXED, Deadline, Origin
from models.entry import Entry, append
from models.extension import Extension
from models.message import Message, MessageState
from models.notice import Notice, NoticeKind
from models.plan import Revision
from models.proposal import Policy
from models.step import Step, StepKind, StepState
from models.task import OWING, UNFINISHED, Task, TaskState
from models.unit import matching
from schedules.calendars import Calendar
from schedules.diff import Change
from schedules.ladder import moments
from schedules.plan import Obligation, Rung
from schedules.timeline import DueDay, Occurrence

MOVED: Final = "step.moved"  #: why the rest of a ladder was replaced
_EXTENSION: Final = ("task_id", "from_deadline_id", "to_deadline_id", "from_on", "to_on", "reason", "at", "by")
_UNSENT: Final = (MessageState.QUEUED.value, MessageState.DEFERRED.value)
#: What would tell the old day, if it has not gone out yet.
_TELLS_A_DAY: Final = (NoticeKind.OPENED, NoticeKind.REMINDER, NoticeKind.DUE_TODAY, NoticeKind.DATE_MOVED)
_OWING: Final = col(Task.state).in_([state.value for state in OWING])


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided about the open cycles, and by whom."""

    policy: Policy
    by: str
    reason: str
    calendar: Calendar
    revision: Revision | None  #: what they follow from now on; None: the calendar alone changed
    now: datetime
    zone: str

    @property
    def today(self) -> date:
        return today(self.now, self.zone)


def move(session: Session, transfers: Sequence[Transfer], decision: Decision) -> int:
    """Moves the open cycles, each with an Entry for every day; says how many tasks that touched."""
    touched = 0
    for _, group in groupby(sorted(transfers, key=lambda each: each.cycle.id), lambda each: each.cycle.id):
        own = list(group)
        # A day that others move away from is free before somebody moves to it.
        for each in sorted(own, key=_emptied_first):
            touched += _one(session, each, decision)
        session.expire_all()
        _settle(session, own, decision)
    return touched


def _emptied_first(each: Transfer) -> tuple[int, int]:
    if each.row is None or each.after is None:
        return (0, 0)
    day = each.row.due_on.toordinal()
    return (1, -day) if each.after.due_on > each.row.due_on else (2, day)


def _one(session: Session, each: Transfer, decision: Decision) -> int:
    if each.row is None:
        return _join(session, each, decision)
    if each.is_back:
        return _bring_back(session, each, each.row, decision)
    which = and_(col(Task.deadline_id) == each.row.id, _OWING, each.which)
    count = session.scalar(select(func.count()).select_from(Task).where(which)) or 0
    if not count:
        return 0
    if each.after is None or each.occurrence is None:
        return _cancel(session, each, each.row, which, count, decision)
    is_first = _is_unopened(session, each.row)
    target = _target(session, each.cycle, each.row, each.occurrence, each.after, is_first, decision)
    told = _to_tell(decision.policy, each.change)
    if target.id != each.row.id:
        _shift(session, each, each.row, target, which, told, count, decision)
    elif told is None:
        _say(session, "ladder_changed", each, decision, tasks=count)
    else:
        told = and_(which, told)
        entry = _say(session, "ladder_changed", each, decision, tasks=count, **_reached(session, told))
        _tell(session, told, NoticeKind.DATE_MOVED, entry, target.due_on, decision.now)
    return count


def _shift(
    session: Session,
    each: Transfer,
    row: Deadline,
    target: Deadline,
    which: ColumnElement[bool],
    to_tell: ColumnElement[bool] | None,
    count: int,
    decision: Decision,
) -> None:
    """The tasks hang on another deadline: an Extension each, so that the day they had stays visible."""
    told = and_(which, to_tell) if to_tell is not None else None
    entry = _say(session, "dates_moved", each, decision, tasks=count, **_reached(session, told))
    columns = (
        col(Task.id),
        literal(row.id),
        literal(target.id),
        literal(row.due_on),
        literal(target.due_on),
        literal(decision.reason),
        literal(decision.now, _type(Extension, "at")),
        literal(decision.by),
    )
    session.execute(insert(Extension).from_select(list(_EXTENSION), select(*columns).where(which)))
    if told is not None:
        _tell(session, told, NoticeKind.DATE_MOVED, entry, target.due_on, decision.now)
    waiting = and_(col(Notice.message_id).is_(None), col(Notice.dropped).is_(None), col(Notice.kind).in_(_TELLS_A_DAY))
    session.execute(  # what has not been said yet says the new day
        update(Notice)
        .where(waiting, col(Notice.task_id).in_(select(col(Task.id)).where(which)))
        .values(due_on=target.due_on)
        .execution_options(synchronize_session=False)
    )
    _set(session, which, deadline_id=target.id)


def _cancel(
    session: Session, each: Transfer, row: Deadline, which: ColumnElement[bool], count: int, decision: Decision
) -> int:
    """Nobody asks for it any more; whoever was asked is told."""
    told = and_(which, _was_told())
    entry = _say(session, "tasks_cancelled", each, decision, tasks=count, **_reached(session, told))
    _tell(session, told, NoticeKind.CANCELLED, entry, row.due_on, decision.now)
    _set(session, which, state=TaskState.CANCELLED.value, changed_at=decision.now)
    return count


def _bring_back(session: Session, each: Transfer, row: Deadline, decision: Decision) -> int:
    """What a revision cancelled is owed again, from where it stood."""
    assert each.occurrence is not None
    assert each.after is not None
    which = and_(col(Task.deadline_id) == row.id, each.which)
    target = row
    if row.origin in FIXED:
        target = _target(session, each.cycle, row, each.occurrence, each.after, False, decision)
    else:
        _plan_again(session, row, each.occurrence.obligation, decision.today, False, decision)
    each.cycle.state, each.cycle.closed_at = CycleState.OPEN, None
    session.add(each.cycle)
    reopen_links(session, each.cycle)
    entry = _say(session, "tasks_brought_back", each, decision, tasks=each.counts.units)
    _tell(session, which, NoticeKind.OPENED, entry, target.due_on, decision.now)
    state = case((col(Task.returns) > 0, TaskState.RETURNED.value), else_=TaskState.OPEN.value)
    _set(session, which, state=state, deadline_id=target.id, changed_at=decision.now)
    return each.counts.units


def _join(session: Session, each: Transfer, decision: Decision) -> int:
    """Units that owe it by the new plan get a task in the cycle that is open."""
    assert each.occurrence is not None
    assert each.after is not None
    cycle, on = each.cycle, today(each.cycle.opened_at, decision.zone)
    target = _target(session, cycle, None, each.occurrence, each.after, True, decision)
    who = matching(each.after.who, on, cycle.plan_id).where(each.which)
    last = session.scalar(select(func.max(col(Task.id)))) or 0
    count = open_tasks(session, cycle, target, each.occurrence.obligation, who, decision.now)
    entry = _say(session, "tasks_added", each, decision, tasks=count)
    if not _is_unopened(session, target):
        new = and_(col(Task.cycle_id) == cycle.id, col(Task.id) > last)
        _tell(session, new, NoticeKind.OPENED, entry, target.due_on, decision.now)
    return count


def _target(
    session: Session,
    cycle: Cycle,
    row: Deadline | None,
    occurrence: Occurrence,
    after: DueDay,
    is_first: bool,
    decision: Decision,
) -> Deadline:
    """The deadline of that day, with its ladder planned from now on."""
    origin = Origin.MILESTONE if after.milestone else Origin.PLAN
    query = select(Deadline).where(
        col(Deadline.cycle_id) == cycle.id,
        col(Deadline.level) == after.level,
        col(Deadline.origin) == origin.value,
        col(Deadline.due_on) == after.due_on,
    )
    known = session.scalars(query).first()
    obligation, on = occurrence.obligation, decision.today
    if known is None:
        made = new_deadline(session, cycle, after)
        plan_steps(session, made, obligation, decision.calendar, after.opens_on, on, decision.zone, is_first)
        return made
    if row is None and known.grace_until == after.grace_until:
        return known  # others are there already, and its ladder stands
    known.nominal_on, known.grace_until = after.nominal_on, after.grace_until
    known.is_provisional, known.set_by = after.is_provisional, after.set_by.value
    known.reasons = [reason.as_json() for reason in after.reasons]
    session.add(known)
    _plan_again(session, known, obligation, after.opens_on, is_first or _is_unopened(session, known), decision)
    return known


def _plan_again(
    session: Session, deadline: Deadline, obligation: Obligation, opens_on: date, is_first: bool, decision: Decision
) -> None:
    """What has not fired of a ladder is replaced by what the new one still has to come."""
    unfired = or_(
        col(Step.state).in_([StepState.PLANNED.value, StepState.REPLACED.value]),
        and_(col(Step.state) == StepState.SKIPPED.value, col(Step.why) == CYCLE_CLOSED),
    )
    session.execute(delete(Step).where(col(Step.deadline_id) == deadline.id, unfired))
    session.expire_all()
    kept = select(col(Step.kind), func.max(Step.ordinal)).where(col(Step.deadline_id) == deadline.id)
    last: dict[str, int] = dict(session.execute(kept.group_by(col(Step.kind))).tuples().all())
    ladder = moments(obligation.ladder, opens_on, deadline.due_on, deadline.grace_until, decision.calendar)
    for each in ladder:
        hour = "00:00" if each.kind == StepKind.CLOSE else obligation.at
        at = moment(each.on, hour, decision.zone)
        is_opening = each.kind == StepKind.REMIND and each.ordinal == 0
        if (is_opening and (each.kind in last or not is_first)) or (at <= decision.now and not is_opening):
            continue
        ordinal = each.ordinal + max(last.get(each.kind, 0), 0)
        session.add(
            Step(deadline_id=deadline.id, kind=each.kind, ordinal=ordinal, rung=each.rung or "", on=each.on, at=at)
        )
    session.flush()


def _settle(session: Session, own: Sequence[Transfer], decision: Decision) -> None:
    """What nobody hangs on any more fires no more; a cycle that nobody owes is over."""
    cycle = session.get_one(Cycle, own[0].cycle.id)
    rows = {each.row.id for each in own if each.row is not None}
    unfinished = exists().where(
        col(Task.deadline_id) == col(Step.deadline_id), col(Task.state).in_([state.value for state in UNFINISHED])
    )
    session.execute(
        update(Step)
        .where(col(Step.deadline_id).in_(rows), col(Step.state) == StepState.PLANNED.value, ~unfinished)
        .values(state=StepState.REPLACED.value, why=MOVED)
        .execution_options(synchronize_session=False)
    )
    session.expire_all()
    if decision.revision is not None and any(each.occurrence is not None for each in own):
        cycle.revision_id = decision.revision.id
        session.add(cycle)
    states = set(session.scalars(select(col(Task.state)).where(col(Task.cycle_id) == cycle.id).distinct()))
    if states <= {TaskState.CANCELLED.value, TaskState.EXEMPTED.value}:
        end(session, cycle, decision.now)
        cycle.state = CycleState.CANCELLED
        session.flush()
    else:
        finish(session, cycle, decision.now)


def _was_told() -> ColumnElement[bool]:
    """Told, or about to be: a notice is there."""
    return exists().where(col(Notice.task_id) == col(Task.id), col(Notice.dropped).is_(None))


def _to_tell(policy: Policy, change: Change) -> ColumnElement[bool] | None:
    """With `tell` all who were told a day. Else those who were told a later one, or whose message is on its way.

    Letters say as well until when a late report is taken: who was told a day was told that one too. A message that has
    not gone out is dropped when its day is no longer so: without this they would hear nothing. None: nobody.
    """
    if not change.is_of_days:
        return None
    if policy is Policy.TELL or change.ends_sooner:
        return _was_told()
    assert change.after is not None
    day = change.after.due_on
    if change.before is not None and change.before.due_on == day:
        return None
    notice = exists().where(col(Notice.task_id) == col(Task.id), col(Notice.dropped).is_(None))
    return or_(
        notice.where(col(Notice.due_on) > day),
        notice.where(col(Message.id) == col(Notice.message_id), col(Message.state).in_(_UNSENT)),
    )


def _reached(session: Session, which: ColumnElement[bool] | None) -> dict[str, int]:
    """Of how many tasks somebody is told, and of how many somebody should be and nobody can."""
    if which is None:
        return {"told": 0, "unreachable": 0}
    wanted = session.scalar(select(func.count()).select_from(Task).where(which)) or 0
    told = session.scalar(select(func.count()).select_from(Task).where(which, can_hear())) or 0
    return {"told": told, "unreachable": wanted - told}


def _tell(
    session: Session, which: ColumnElement[bool], kind: NoticeKind, entry: Entry, due_on: date, now: datetime
) -> None:
    """What takes something back reaches somebody if anybody can be reached; what is asked, the unit's own contact."""
    rungs = (Rung.UNIT_CONTACT,) if kind is NoticeKind.OPENED else LADDER
    for rung in rungs:
        columns = (
            col(Task.id),
            col(Contact.id),
            literal(kind.value),
            literal(rung.value),
            literal(f"entry:{entry.id}"),
            literal(due_on),
            literal(now, _type(Notice, "created_at")),
        )
        who = hearers(which, rungs, rung).with_only_columns(*columns)
        insert_new(session, Notice, NOTICE_COLUMNS, who, unless=("task_id", "contact_id", "cause"))


def _say(session: Session, act: str, each: Transfer, decision: Decision, **counts: int) -> Entry:
    before, after = each.change.before, each.after
    graces: dict[str, Any] = {
        name: day.grace_until.isoformat() if day is not None and day.grace_until is not None else None
        for name, day in (("grace_was", before), ("grace_until", after))
    }
    return append(
        session,
        act,
        by=decision.by,
        at=decision.now,
        cycle_id=each.cycle.id,
        level=each.change.level,
        was=each.row.due_on.isoformat() if each.row is not None else None,
        due_on=after.due_on.isoformat() if after is not None else None,
        policy=decision.policy.value,
        reason=decision.reason,
        **graces,
        **counts,
    )


def _is_unopened(session: Session, deadline: Deadline) -> bool:
    """Whether the word that the work is open has still to go out."""
    query = exists().where(
        col(Step.deadline_id) == deadline.id,
        col(Step.kind) == StepKind.REMIND.value,
        col(Step.ordinal) == 0,
        col(Step.state) == StepState.PLANNED.value,
    )
    return bool(session.scalar(select(query)))


def _set(session: Session, which: ColumnElement[bool], **values: object) -> None:
    session.execute(update(Task).where(which).values(**values).execution_options(synchronize_session=False))


def _type(table: type[SQLModel], column: str) -> Any:
    return table.__table__.c[column].type  # type: ignore[attr-defined]

"""How does the office stand? Cycles, tasks by state, what is overdue, how much was told and sent."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import ColumnElement, func
from sqlalchemy import select as select_rows
from sqlmodel import Session, col, select

from dondoc.clock import today
from engine.ahead import Opening, opening_soon
from engine.errors import RefusedError
from engine.plans import calendar_for
from models.board import has_passed
from models.cycle import Cycle, CycleState
from models.deadline import Deadline
from models.message import IS_UNSENT, Attempt, Message, Outcome
from models.notice import Notice, held
from models.plan import Plan
from models.task import OWING, Task, TaskState
from models.unit import Unit

#: After what a message is tried again.
WAITING: Final = (Outcome.RETRY, Outcome.DEFER, Outcome.CONFIG, Outcome.ELSEWHERE)


@dataclass(frozen=True, slots=True)
class Overdue:
    """A task of an open cycle that is still owed after its due day; `late_days` are working days."""

    task: int
    unit: str
    plan: str
    obligation: str
    period: str
    due_on: date
    late_days: int


@dataclass(frozen=True, slots=True)
class Waits:
    """So many notices wait for the same reason; `until` the first of them is looked at again."""

    why: str
    notices: int
    until: datetime


@dataclass(frozen=True, slots=True)
class Retried:
    """So many messages were tried and wait for another try: the outcome and code of the last one, since the first."""

    channel: str
    outcome: str
    code: str | None
    messages: int
    since: datetime
    until: datetime  #: when the first of them is tried again


@dataclass(frozen=True, slots=True)
class Status:
    """Cycles ever opened, tasks by state (every state, in the order of their life), the longest overdue first."""

    cycles: int
    tasks: dict[str, int]
    overdue: tuple[Overdue, ...]
    notices: int
    messages: int
    unsent: int  #: of the messages
    held: tuple[Waits, ...]
    retried: tuple[Retried, ...]
    ahead: tuple[Opening, ...]  #: what opens soon for units that cannot be told

    def as_json(self) -> dict[str, object]:
        overdue = [{**asdict(each), "due_on": each.due_on.isoformat()} for each in self.overdue]
        return {
            "cycles": self.cycles,
            "tasks": self.tasks,
            "overdue": overdue,
            "notices": self.notices,
            "messages": self.messages,
            "unsent": self.unsent,
            "retried": [
                {**asdict(each), "since": each.since.isoformat(), "until": each.until.isoformat()}
                for each in self.retried
            ],
        }


def status(session: Session, now: datetime, zone: str, plan_code: str | None = None) -> Status:
    """As of now; of one plan, or of all. A message counts for a plan when it carries a notice about it."""
    if plan_code is not None and session.exec(select(Plan.id).where(col(Plan.code) == plan_code)).first() is None:
        raise RefusedError("refused.no_plan", plan=plan_code)
    of_plan: list[ColumnElement[bool]] = [] if plan_code is None else [col(Plan.code) == plan_code]
    tasks = (
        select(Task.state, func.count())
        .join(Cycle, col(Cycle.id) == col(Task.cycle_id))
        .join(Plan, col(Plan.id) == col(Cycle.plan_id))
    )
    by_state = dict(session.exec(tasks.where(*of_plan).group_by(col(Task.state))).all())
    cycles = select(func.count()).select_from(Cycle).join(Plan, col(Plan.id) == col(Cycle.plan_id))
    notices = (
        select(func.count(), func.count(func.distinct(Notice.message_id)))
        .select_from(Notice)
        .join(Task, col(Task.id) == col(Notice.task_id))
        .join(Cycle, col(Cycle.id) == col(Task.cycle_id))
        .join(Plan, col(Plan.id) == col(Cycle.plan_id))
    )
    told, sent = session.exec(notices.where(*of_plan)).one()
    if plan_code is None:
        sent = session.exec(select(func.count()).select_from(Message)).one()
    return Status(
        session.exec(cycles.where(*of_plan)).one(),
        {state.value: by_state.get(state.value, 0) for state in TaskState},
        _overdue(session, now, zone, of_plan),
        told,
        sent,
        unsent(session, of_plan),
        _held(session, now, of_plan),
        _retried(session, of_plan),
        tuple(each for each in opening_soon(session, now, zone) if plan_code in (None, each.plan)),
    )


def unsent(session: Session, of_plan: Sequence[ColumnElement[bool]] = ()) -> int:
    """How many messages are still to be sent, tried before or not."""
    return session.exec(select(func.count()).select_from(Message).where(*_unsent(of_plan))).one()


def _held(session: Session, now: datetime, of_plan: list[ColumnElement[bool]]) -> tuple[Waits, ...]:
    query = (
        held(now)
        .join(Task, col(Task.id) == col(Notice.task_id))
        .join(Cycle, col(Cycle.id) == col(Task.cycle_id))
        .join(Plan, col(Plan.id) == col(Cycle.plan_id))
    )
    return tuple(Waits(*row) for row in session.execute(query.where(*of_plan)).tuples())


def _unsent(of_plan: Sequence[ColumnElement[bool]]) -> list[ColumnElement[bool]]:
    if not of_plan:
        return [IS_UNSENT]
    carried = (
        select(Notice.message_id)
        .join(Task, col(Task.id) == col(Notice.task_id))
        .join(Cycle, col(Cycle.id) == col(Task.cycle_id))
        .join(Plan, col(Plan.id) == col(Cycle.plan_id))
    )
    return [IS_UNSENT, col(Message.id).in_(carried.where(*of_plan))]


def _retried(session: Session, of_plan: list[ColumnElement[bool]]) -> tuple[Retried, ...]:
    tries = (
        select_rows(func.min(Attempt.at).label("since"), func.max(Attempt.id).label("last"))
        .join(Message, col(Message.id) == col(Attempt.message_id))
        .where(*_unsent(of_plan))
        .group_by(col(Attempt.message_id))
        .subquery()
    )
    same = col(Message.channel), col(Attempt.outcome), col(Attempt.code)
    query = (
        select_rows(*same, func.count(), func.min(tries.c.since), func.min(col(Message.try_after)))
        .join(Message, col(Message.id) == col(Attempt.message_id))
        .join(tries, tries.c.last == col(Attempt.id))
        .where(col(Attempt.outcome).in_([outcome.value for outcome in WAITING]))
        .group_by(*same)
        .order_by(func.min(tries.c.since), *same)
    )
    return tuple(Retried(*row) for row in session.execute(query).tuples())


def _overdue(session: Session, now: datetime, zone: str, of_plan: list[ColumnElement[bool]]) -> tuple[Overdue, ...]:
    on = today(now, zone)
    query = (
        select_rows(Task, Deadline, Cycle, col(Unit.code), col(Plan.code))
        .join(Deadline, col(Deadline.id) == col(Task.deadline_id))
        .join(Cycle, col(Cycle.id) == col(Task.cycle_id))
        .join(Plan, col(Plan.id) == col(Cycle.plan_id))
        .join(Unit, col(Unit.id) == col(Task.unit_id))
        .where(
            col(Task.state).in_([state.value for state in OWING]),
            has_passed(on, now),
            col(Cycle.state) == CycleState.OPEN.value,
            *of_plan,
        )
        .order_by(col(Deadline.due_on), col(Cycle.id), col(Unit.code))
    )
    late: dict[int, int] = {}  # by deadline: the days of years are counted once, not once for every unit
    found = []
    for task, deadline, cycle, unit, plan in session.execute(query).tuples():
        if deadline.id not in late:
            late[deadline.id] = calendar_for(session, cycle).working_days(deadline.due_on, on)
        found.append(Overdue(task.id, unit, plan, cycle.obligation, cycle.period, deadline.due_on, late[deadline.id]))
    return tuple(found)

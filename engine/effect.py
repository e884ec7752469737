"""What exactly would a bulk act do? Row by row: done or skipped and why, who is told where, which day becomes which."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cached_property
from typing import Final

from sqlalchemy import ColumnElement, select
from sqlmodel import Session, col
from sqlmodel import select as rows

from dondoc.clock import today
from engine.access import Actor, Right, may_tasks
from engine.errors import RefusedError
from engine.extend import check_day
from engine.plans import calendar_for
from engine.remind import reachable_contacts, told_today, told_when
from models.contact import Contact
from models.cycle import Cycle
from models.deadline import Deadline
from models.submission import Submission
from models.task import OWING, Act, Task, TaskState
from models.unit import Unit
from schedules.reason import Reason


class BulkAct(StrEnum):
    REMIND = "remind"
    ACCEPT = "accept"
    EXTEND = "extend"
    EXEMPT = "exempt"
    ACKNOWLEDGE = "acknowledge"


#: Who may do it to a task.
NEEDED: Final = {
    BulkAct.REMIND: Right.CHASE,
    BulkAct.ACCEPT: Right.REVIEW,
    BulkAct.EXTEND: Right.CHASE,
    BulkAct.EXEMPT: Right.CHASE,
    BulkAct.ACKNOWLEDGE: Right.CHASE,
}
#: Of which nobody is told.
SILENT: Final = (BulkAct.EXEMPT, BulkAct.ACKNOWLEDGE)


@dataclass(frozen=True, slots=True)
class Params:
    """What the act is told beside the tasks, as far as it changes what happens."""

    due_on: date | None = None  #: of an extension: the new day; None while it is not chosen yet
    is_again: bool = False  #: of a reminder: also those who were told of it today


@dataclass(frozen=True, slots=True)
class Told:
    """A contact who gets a message; `why_not` when it is left out."""

    contact: Contact
    why_not: Reason | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One task: done when there is no `why_not`."""

    task: Task
    unit: Unit
    cycle: Cycle
    deadline: Deadline
    told: tuple[Told, ...]
    why_not: Reason | None

    @property
    def to_tell(self) -> list[Contact]:
        return [] if self.why_not else [each.contact for each in self.told if each.why_not is None]


@dataclass(frozen=True)
class Effect:
    """The whole of it. The hash is over everything that was shown: another row, day, address or reason is another."""

    act: BulkAct
    params: Params
    rows: tuple[Row, ...]
    is_day_off: bool  #: the new day is one, by the calendar of some of them

    @cached_property
    def done(self) -> list[Row]:
        return [row for row in self.rows if row.why_not is None]

    @cached_property
    def skipped(self) -> list[Row]:
        return [row for row in self.rows if row.why_not is not None]

    @cached_property
    def contacts(self) -> dict[int, Contact]:
        """Who gets a message: one each, whatever it tells of."""
        return {contact.id: contact for row in self.rows for contact in row.to_tell}

    @cached_property
    def notices(self) -> int:
        return sum(len(row.to_tell) for row in self.rows)

    @cached_property
    def has_told_today(self) -> bool:
        """Whether somebody is left out because of a message of today."""
        return any(each.why_not is not None for row in self.rows for each in row.told)

    @cached_property
    def hash(self) -> str:
        due_on = self.params.due_on.isoformat() if self.params.due_on else None
        lines = sorted(_line(row) for row in self.rows)
        text = json.dumps([self.act, due_on, self.params.is_again, lines], ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def preview(
    session: Session,
    act: BulkAct,
    chosen: ColumnElement[bool],
    params: Params,
    *,
    actor: Actor,
    now: datetime,
    zone: str,
) -> Effect:
    """The effect on the chosen tasks, as far as the actor sees them. `chosen` is a condition on task rows alone."""
    seen = chosen & may_tasks(actor, Right.SEE)
    query = (
        select(Task, Unit, Cycle, Deadline, may_tasks(actor, NEEDED[act]).label("may"))
        .join(Unit, col(Unit.id) == col(Task.unit_id))
        .join(Cycle, col(Cycle.id) == col(Task.cycle_id))
        .join(Deadline, col(Deadline.id) == col(Task.deadline_id))
        .where(seen)
        .order_by(col(Unit.name), col(Cycle.id), col(Task.id))
    )
    found = session.execute(query).all()
    contacts = reachable_contacts(session, seen) if act not in SILENT else {}
    told = told_today(session, seen, now, zone) if act is BulkAct.REMIND and not params.is_again else {}
    on = today(now, zone)
    made = []
    for task, unit, cycle, deadline, may in found:
        told_of = tuple(
            Told(contact, _already(told.get((task.id, contact.id)), zone)) for contact in contacts.get(unit.id, ())
        )
        why_not = Reason.of("bulk.no_right") if not may else _why_not(act, params, task, cycle, deadline, told_of, on)
        made.append(Row(task, unit, cycle, deadline, told_of, why_not))
    return Effect(act, params, tuple(made), _is_day_off(session, params.due_on, (row.cycle for row in made)))


def versions(session: Session, effect: Effect) -> Mapping[int, Submission]:
    """By task, the version that an acceptance would accept: the newest that was not withdrawn."""
    ids = [row.task.id for row in effect.done]
    found: dict[int, Submission] = {}
    for start in range(0, len(ids), 1000):
        query = rows(Submission).where(
            col(Submission.task_id).in_(ids[start : start + 1000]), ~col(Submission.is_withdrawn)
        )
        found |= {each.task_id: each for each in session.exec(query.order_by(col(Submission.number)))}
    return found


def _why_not(
    act: BulkAct, params: Params, task: Task, cycle: Cycle, deadline: Deadline, told: tuple[Told, ...], on: date
) -> Reason | None:
    match act:
        case BulkAct.REMIND:
            if task.state not in OWING:
                return _in_state(task)
            if cycle.paused_at is not None:
                return Reason.of("bulk.paused")
            if not told:
                return Reason.of("bulk.unreachable")
            return told[0].why_not if all(each.why_not for each in told) else None
        case BulkAct.ACCEPT:
            return None if Act.ACCEPT in task.allowed else _in_state(task)
        case BulkAct.EXTEND:
            if {Act.EXTEND, Act.UNLOCK}.isdisjoint(task.allowed):
                return _in_state(task)
            return _bad_day(params.due_on, deadline, on)
        case BulkAct.EXEMPT:
            return None if Act.EXEMPT in task.allowed else _in_state(task)
        case BulkAct.ACKNOWLEDGE:
            return None if task.state in OWING else _in_state(task)


def _in_state(task: Task) -> Reason:
    return Reason.of("bulk.state", state=TaskState(task.state).value)


def _bad_day(due_on: date | None, deadline: Deadline, on: date) -> Reason | None:
    try:
        if due_on is not None:
            check_day(due_on, deadline, on)
    except RefusedError as error:
        return error.reason
    return None


def _already(at: datetime | None, zone: str) -> Reason | None:
    return Reason.of("bulk.told_today", at=told_when(at, zone)) if at is not None else None


def _is_day_off(session: Session, due_on: date | None, cycles: Iterable[Cycle]) -> bool:
    if due_on is None:
        return False
    by_revision = {cycle.revision_id: cycle for cycle in cycles}
    return any(not calendar_for(session, cycle).is_working(due_on) for cycle in by_revision.values())


def _line(row: Row) -> list[object]:
    task, deadline = row.task, row.deadline
    return [
        task.id,
        task.state,
        task.versions,
        task.deadline_id,
        deadline.due_on.isoformat(),
        _coded(row.why_not),
        [[each.contact.id, each.contact.email, _coded(each.why_not)] for each in row.told],
    ]


def _coded(reason: Reason | None) -> list[object] | None:
    return [reason.code, [list(each) for each in reason.params]] if reason else None

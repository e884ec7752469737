"""Why is this the day of this task? The reasons of its first deadline, then of each move since."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlmodel import Session, col, select

from engine.proof import in_words
from models.deadline import Deadline
from models.extension import Extension
from models.task import Task
from schedules.calendars import Calendar
from schedules.plan import Plan


@dataclass(frozen=True, slots=True)
class Proved:
    """One link of the proof."""

    code: str
    params: Mapping[str, str]
    gives: date | None  #: the day that it leads to
    move: Extension | None  #: what was decided for this unit, where it was
    plan: Plan
    calendar: Calendar

    def text(self, lang: str) -> str:
        return in_words(self.code, self.params, self.plan, self.calendar, lang)


def proof(session: Session, task: Task, deadline: Deadline, plan: Plan, calendar: Calendar) -> list[Proved]:
    """In the order in which the links came about; the last day is the one in force."""
    found = []
    for each, move in _deadlines(session, task, deadline):
        for reason in each.reasons:
            day = reason["params"].get("day")
            gives = date.fromisoformat(day) if day else None
            found.append(Proved(reason["code"], reason["params"], gives, move, plan, calendar))
    return found


def deadline_reasons(session: Session, task: Task, deadline: Deadline) -> list[dict[str, Any]]:
    """As {code, params}, in the order in which they came about."""
    return [reason for each, _ in _deadlines(session, task, deadline) for reason in each.reasons]


def _deadlines(session: Session, task: Task, deadline: Deadline) -> Sequence[tuple[Deadline, Extension | None]]:
    """The deadlines that the task has had, each with the move that led to it."""
    moves = session.exec(select(Extension).where(col(Extension.task_id) == task.id).order_by(col(Extension.id))).all()
    if not moves:
        return [(deadline, None)]
    ids = {move.from_deadline_id for move in moves} | {move.to_deadline_id for move in moves}
    known = {each.id: each for each in session.exec(select(Deadline).where(col(Deadline.id).in_(ids)))}
    return [(known[moves[0].from_deadline_id], None), *((known[move.to_deadline_id], move) for move in moves)]

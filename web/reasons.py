"""Why is this the day of this task? The reasons of its first deadline, then of each move since."""

from typing import Any

from sqlmodel import Session, col, select

from models.deadline import Deadline
from models.extension import Extension
from models.task import Task


def deadline_reasons(session: Session, task: Task, deadline: Deadline) -> list[dict[str, Any]]:
    """As {code, params}, in the order in which they came about."""
    moves = session.exec(select(Extension).where(col(Extension.task_id) == task.id).order_by(col(Extension.id))).all()
    if not moves:
        return deadline.reasons
    ids = {move.from_deadline_id for move in moves} | {move.to_deadline_id for move in moves}
    known = {each.id: each for each in session.exec(select(Deadline).where(col(Deadline.id).in_(ids)))}
    path = [moves[0].from_deadline_id, *(move.to_deadline_id for move in moves)]
    return [reason for id_ in path for reason in known[id_].reasons]

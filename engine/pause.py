"""May a cycle wait? It is paused and resumed by hand, with a note; meanwhile no step of it fires."""

from datetime import datetime

from sqlmodel import Session, col, select

from engine.close import open_cycle
from engine.errors import RefusedError
from models.cycle import Cycle
from models.entry import append
from models.notice import Notice, release
from models.task import Task


def pause(session: Session, cycle_id: int, *, by: str, note: str, now: datetime) -> Cycle:
    """No step fires until it is resumed; units may still hand in, and no due day moves."""
    cycle = open_cycle(session, cycle_id)
    if cycle.paused_at is not None:
        raise RefusedError("refused.already_paused")
    if not note.strip():
        raise RefusedError("refused.no_reason")
    cycle.paused_at, cycle.pause_note = now, note.strip()
    session.add(cycle)
    append(session, "paused", by=by, at=now, cycle_id=cycle.id, note=note.strip())
    return cycle


def resume(session: Session, cycle_id: int, *, by: str, note: str, now: datetime) -> Cycle:
    """What fell into the pause is caught up as after an outage: the latest reminder, every rung, the end."""
    cycle = open_cycle(session, cycle_id)
    if cycle.paused_at is None:
        raise RefusedError("refused.not_paused")
    cycle.paused_at = cycle.pause_note = None
    session.add(cycle)
    release(session, col(Notice.task_id).in_(select(col(Task.id)).where(col(Task.cycle_id) == cycle.id)))
    append(session, "resumed", by=by, at=now, cycle_id=cycle.id, note=note.strip())
    return cycle

"""A unit's link is shut, or given out anew: the letters that went out before open nothing any more."""

from datetime import datetime

from sqlmodel import Session, col, select

from engine.errors import RefusedError
from models.entry import append
from models.link import Link
from models.task import Task


def revoke_link(session: Session, task_id: int, contact_id: int, *, by: str, now: datetime) -> Link:
    """Nobody gets in with it until it is renewed, not even by the next letter."""
    link = _locked(session, task_id, contact_id)
    if link.revoked_at is None:
        link.revoked_at = now
        session.add(link)
        _journal(session, "link_revoked", link, by, now)
    return link


def renew_link(session: Session, task_id: int, contact_id: int, *, by: str, now: datetime) -> Link:
    """Ends the tokens that went out; the next letter carries the new one."""
    link = _locked(session, task_id, contact_id)
    link.generation, link.revoked_at = link.generation + 1, None
    session.add(link)
    _journal(session, "link_renewed", link, by, now)
    return link


def _locked(session: Session, task_id: int, contact_id: int) -> Link:
    query = select(Link).where(col(Link.task_id) == task_id, col(Link.contact_id) == contact_id)
    link = session.exec(query.with_for_update(), execution_options={"populate_existing": True}).first()
    if link is None:
        raise RefusedError("refused.no_link", contact=contact_id)
    return link


def _journal(session: Session, act: str, link: Link, by: str, now: datetime) -> None:
    cycle_id = session.get_one(Task, link.task_id).cycle_id
    append(session, act, by=by, at=now, task_id=link.task_id, cycle_id=cycle_id, contact=link.contact_id)

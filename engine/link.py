"""A unit's way in is shut or renewed by the office, and every use of it is noted."""

import ipaddress
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Literal

from sqlalchemy import exists, update
from sqlmodel import Session, col, select

from engine.close import LINK_LIFE
from engine.errors import RefusedError
from models.contact import Contact
from models.cycle import Cycle
from models.entry import append
from models.link import Link, UnitLink
from models.task import Task
from models.visit import Visit

#: What is repeated within an hour, from the same network with the same program, is one visit.
QUIET: Final = timedelta(hours=1)
MAX_AGENT: Final = 200
Visited = Literal["opened", "saved", "submitted", "asked", "corrected", "acknowledged"]


def revoke(session: Session, link_id: int, *, by: str, now: datetime) -> Link:
    """Nobody gets in by this link any more, nor by the one to all duties of the contact's unit that stands on it."""
    link = _locked(session, link_id)
    if link.revoked_at is None:
        link.revoked_at = now
        session.add(link)
        _shut_unit_link(session, link.contact_id)
        _journal(session, "link_revoked", link, by, now)
    return link


def renew(session: Session, link_id: int, *, by: str, now: datetime) -> Link:
    """A new generation: all addresses so far are shut, the next message carries the new one."""
    link = _locked(session, link_id)
    link.generation, link.revoked_at = link.generation + 1, None
    session.add(link)
    _shut_unit_link(session, link.contact_id)
    _journal(session, "link_renewed", link, by, now)
    return link


def own_link(session: Session, contact_id: int, task_id: int) -> Link:
    """The contact's way to a task of their own unit, made when it is not there yet."""
    contact, task = session.get_one(Contact, contact_id, with_for_update=True), session.get(Task, task_id)
    if task is None or task.unit_id != contact.unit_id:
        raise RefusedError("refused.no_task", id=task_id)
    known = session.exec(select(Link).where(col(Link.task_id) == task.id, col(Link.contact_id) == contact.id)).first()
    if known is not None:
        return known
    cycle = session.get_one(Cycle, task.cycle_id)
    ended = (cycle.closed_at + LINK_LIFE).date() if cycle.closed_at is not None else None
    link = Link(task_id=task.id, contact_id=contact.id, expires_on=ended)
    session.add(link)
    session.flush()
    return link


def note_visit(
    session: Session, contact_id: int, task_id: int | None, act: Visited, *, address: str, agent: str, now: datetime
) -> None:
    """Who came by. A page opened or a draft saved again and again within the hour is noted once."""
    network, agent = network_of(address), agent[:MAX_AGENT]
    same = (
        col(Visit.contact_id) == contact_id,
        col(Visit.task_id) == task_id if task_id is not None else col(Visit.task_id).is_(None),
        col(Visit.act) == act,
        col(Visit.network) == network,
        col(Visit.agent) == agent,
        col(Visit.at) > now - QUIET,
        col(Visit.at) <= now,
    )
    if act in ("opened", "saved") and session.scalar(select(exists().where(*same))):
        return
    session.add(Visit(contact_id=contact_id, task_id=task_id, at=now, act=act, network=network, agent=agent))
    session.flush()


def visits(session: Session, task_id: int, limit: int = 50) -> Sequence[Visit]:
    """The last uses of the links to a task, newest first."""
    query = select(Visit).where(col(Visit.task_id) == task_id)
    return session.exec(query.order_by(col(Visit.at).desc(), col(Visit.id).desc()).limit(limit)).all()


def network_of(address: str) -> str:
    """The address without its last part: 203.0.113.0/24, 2001:db8:1::/48; empty when it is none."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    found = getattr(found, "ipv4_mapped", None) or found
    return str(ipaddress.ip_network((found, 24 if found.version == 4 else 48), strict=False))


def _locked(session: Session, link_id: int) -> Link:
    link = session.get(Link, link_id, with_for_update=True, populate_existing=True)
    if link is None:
        raise RefusedError("refused.no_link", id=link_id)
    return link


def _shut_unit_link(session: Session, contact_id: int) -> None:
    session.execute(
        update(UnitLink)
        .where(col(UnitLink.contact_id) == contact_id)
        .values(generation=col(UnitLink.generation) + 1)
        .execution_options(synchronize_session=False)
    )


def _journal(session: Session, act: str, link: Link, by: str, now: datetime) -> None:
    task = session.get_one(Task, link.task_id)
    append(session, act, by=by, at=now, task_id=task.id, cycle_id=task.cycle_id, contact=link.contact_id)

"""Whom would a message about these tasks reach, and who was asked for them today already?"""

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func, select
from sqlmodel import Session, col

from dondoc.clock import moment, today
from dondoc.i18n import zone_name
from models.contact import Contact, Role, holding
from models.notice import Notice, NoticeKind
from models.task import Task

#: What asks a unit for its report: a second one on the same day is one too many.
ASKED: Final = (
    NoticeKind.OPENED,
    NoticeKind.REMINDER,
    NoticeKind.DUE_TODAY,
    NoticeKind.OVERDUE,
    NoticeKind.ESCALATION,
)
ONE_DAY: Final = timedelta(days=1)


def reachable_contacts(session: Session, chosen: ColumnElement[bool]) -> dict[int, list[Contact]]:
    """By unit, those who can be told of the chosen tasks. `chosen` is a condition on task rows alone."""
    query = holding(Role.CONTACT).where(col(Contact.unit_id).in_(select(col(Task.unit_id)).where(chosen)))
    found: defaultdict[int, list[Contact]] = defaultdict(list)
    for contact in session.scalars(query.order_by(col(Contact.id))):
        found[contact.unit_id].append(contact)
    return found


def told_today(
    session: Session, chosen: ColumnElement[bool], now: datetime, zone: str
) -> dict[tuple[int, int], datetime]:
    """By task and contact, when they were last asked on this day of the organisation's zone."""
    start = moment(today(now, zone), "00:00", zone)
    query = (
        select(col(Notice.task_id), col(Notice.contact_id), func.max(Notice.created_at))
        .join(Task, col(Task.id) == col(Notice.task_id))
        .where(
            chosen,
            col(Notice.kind).in_([kind.value for kind in ASKED]),
            col(Notice.created_at) >= start,
            col(Notice.created_at) < start + ONE_DAY,
            col(Notice.dropped).is_(None),
        )
        .group_by(col(Notice.task_id), col(Notice.contact_id))
    )
    return {(task_id, contact_id): at for task_id, contact_id, at in session.execute(query)}


def told_when(at: datetime, zone: str) -> str:
    """08:00 (GMT+7)."""
    local = at.astimezone(ZoneInfo(zone))
    return f"{local:%H:%M} ({zone_name(local)})"

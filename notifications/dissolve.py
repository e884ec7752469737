"""Does what waits to be sent still hold? It may be so no more, its words may be of yesterday, or it may be night."""

from collections import defaultdict
from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, or_, select, update
from sqlmodel import col

from dondoc.clock import moment, today
from dondoc.database import Database
from models import notice
from models.acknowledgement import is_held
from models.contact import Contact, is_reachable
from models.cycle import Cycle
from models.day import calendar_of
from models.deadline import Deadline
from models.message import Attempt, Message, Outcome, drop, is_to_try
from models.notice import Notice, NoticeKind
from models.plan import Revision
from models.task import Task
from notifications.item import Office
from notifications.pipeline import GIVEN_AWAY, UNREACHABLE, moot
from notifications.waiting import ASKING, OWN


def dissolve(database: Database, waiting: ColumnElement[bool], now: datetime, zone: str) -> int:
    """Asks of each message that waits whether all that it tells still holds. Says how many notices do not.

    What asks and was worded on an earlier day is judged and worded anew: it may say "today" of a day that is over.
    What asks for a cycle that was paused meanwhile waits again, as does what is told above of a task of which somebody
    has said "đã biết" meanwhile. `waiting` is a condition on messages; what is not so any more when they are dissolved
    stays as it is.
    """
    begins = moment(today(now, zone), "00:00", zone)
    was_tried = exists().where(col(Attempt.message_id) == col(Message.id), col(Attempt.outcome) != Outcome.CONFIG.value)
    # Sent again as it was because somebody said so (engine/retry.py), it has been tried and no try is counted.
    is_old = and_(col(Message.created_at) < begins, or_(col(Message.tries) > 0, ~was_tried))
    is_known = and_(col(Notice.kind) == NoticeKind.ESCALATION.value, is_held(col(Task.id), today(now, zone)))
    is_paused = col(Cycle.paused_at).is_not(None)
    given_away = and_(
        col(Notice.rung).startswith(OWN),
        col(Contact.unit_id) != col(Task.unit_id),
        col(Notice.kind) != NoticeKind.CANCELLED.value,  # which tells just that
    )
    told, moved, state = (col(each) for each in (Notice.due_on, Deadline.due_on, Task.state))
    with database.reading() as session:
        rows = session.execute(
            select(col(Notice.id), col(Notice.message_id), col(Notice.kind), told, state, moved, col(Cycle.state))
            .add_columns(given_away, is_reachable(), or_(is_old, is_paused, is_known))
            .join(Message, col(Message.id) == col(Notice.message_id))
            .join(Task, col(Task.id) == col(Notice.task_id))
            .join(Deadline, col(Deadline.id) == col(Task.deadline_id))
            .join(Cycle, col(Cycle.id) == col(Task.cycle_id))
            .join(Contact, col(Contact.id) == col(Notice.contact_id))
            .where(waiting)
        ).all()
    of, whys, stale = defaultdict[int, list[int]](list), dict[int, str | None](), set[int]()
    for notice_id, message_id, kind, told_on, task, due_on, cycle, is_elsewhere, can_be_told, is_to_wait in rows:
        if is_elsewhere:
            why: str | None = GIVEN_AWAY
        else:
            why = moot(kind, told_on, task, due_on, cycle) if can_be_told else UNREACHABLE
        of[message_id].append(notice_id)
        whys[notice_id] = why
        if why or (kind in ASKING and is_to_wait):
            stale.add(message_id)
    if not stale:
        return 0
    by_why = defaultdict[str | None, list[int]](list)
    with database.writing() as session:
        gone = set(session.scalars(select(col(Message.id)).where(waiting).with_for_update())) & stale
        for notice_id in (notice_id for message_id in gone for notice_id in of[message_id]):
            by_why[whys[notice_id]].append(notice_id)
        drop(session, gone)
        for why, ids in by_why.items():
            notice.write(session, ids, **({"dropped": why} if why else {"message_id": None}))
    return sum(len(ids) for why, ids in by_why.items() if why)


def postpone(database: Database, office: Office) -> None:
    """What is due in a quiet hour waits for the next decent one, unless it is urgent: a server was down, or we were."""
    if office.pace is None:
        return
    with database.reading() as session:
        codes = session.scalars(select(col(Revision.calendar)).distinct().order_by(col(Revision.calendar))).all()
        free = {code: office.pace.next_decent(office.now, calendar_of(session, code), office.zone) for code in codes}
    for code, at in free.items():
        if at > office.now:
            with database.writing() as session:
                session.execute(update(Message).where(_is_postponed(code, office.now)).values(try_after=at))


def _is_postponed(calendar: str, now: datetime) -> ColumnElement[bool]:
    """Waits, is not urgent, and tells of a plan that keeps this calendar."""
    of_calendar = (
        exists()
        .where(
            col(Notice.message_id).in_([col(Message.id), col(Message.instead_of)]), col(Revision.calendar) == calendar
        )
        .where(col(Task.id) == col(Notice.task_id), col(Cycle.id) == col(Task.cycle_id))
        .where(col(Revision.id) == col(Cycle.revision_id))
        .correlate(Message)
    )
    return and_(is_to_try(now), ~col(Message.is_urgent), of_calendar)

"""Which due days does a message put into its reader's calendar? Those of the reader's own unit that are to come."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from sqlalchemy import select
from sqlmodel import Session, col

from dondoc.i18n import translate, whole_period
from models.contact import Contact
from models.cycle import Cycle
from models.deadline import Deadline
from models.notice import Notice, NoticeKind
from models.task import OWING, Task
from notifications.icalendar import Event

#: What tells a day by which something has to be done.
_TELLS_A_DAY: Final = (
    NoticeKind.OPENED,
    NoticeKind.REMINDER,
    NoticeKind.DUE_TODAY,
    NoticeKind.RETURNED,
    NoticeKind.EXTENSION_DECIDED,
    NoticeKind.DATE_MOVED,
)
_EVE: Final = timedelta(hours=16)  #: eight o'clock of the morning before
_HOURS: Final = timedelta(hours=2)  #: before a moment, where hours count


def read_events(session: Session, message_ids: Sequence[int], now: datetime) -> dict[int, tuple[Event, ...]]:
    """By message, as the rows are now. No link is in an event: calendars are shared sooner than letters."""
    rows = session.execute(
        select(col(Notice.message_id), Task, Deadline, Cycle, Contact)
        .join(Task, col(Task.id) == col(Notice.task_id))
        .join(Deadline, col(Deadline.id) == col(Task.deadline_id))
        .join(Cycle, col(Cycle.id) == col(Task.cycle_id))
        .join(Contact, col(Contact.id) == col(Notice.contact_id))
        .where(
            col(Notice.message_id).in_(message_ids),
            col(Notice.rung).startswith("unit."),
            col(Notice.kind).in_([kind.value for kind in _TELLS_A_DAY]),
            col(Task.state).in_([state.value for state in OWING]),
            col(Deadline.due_on) >= (now - timedelta(days=1)).date(),  # no zone is further behind
        )
        .order_by(col(Deadline.due_on), col(Notice.id))
    ).all()
    moves = _moves(session, {task.id for _, task, *_ in rows}, {contact.id for *_, contact in rows})
    events: defaultdict[int, dict[int, Event]] = defaultdict(dict)
    for message_id, task, deadline, cycle, contact in rows:
        told = [*moves[task.id, contact.id], deadline.due_on]
        title = f"{cycle.title(contact.lang)}, {whole_period(cycle.period, contact.lang)}"
        events[message_id][task.id] = Event(
            name=f"task-{task.id}",
            sequence=sum(before != after for before, after in pairwise(told)),
            on=deadline.due_on,
            summary=translate("Hạn nộp: {title}", contact.lang, title=title),
            description=translate(
                "Căn cứ mục {source}. Liên kết để nộp ở trong thư đôn đốc.", contact.lang, source=cycle.source
            ),
            at=deadline.due_at,
            is_tentative=deadline.is_provisional,
            alarm=_EVE if deadline.due_at is None else _HOURS,
        )
    return {message_id: tuple(by_task.values()) for message_id, by_task in events.items()}


def _moves(session: Session, task_ids: set[int], contact_ids: set[int]) -> defaultdict[tuple[int, int], list[object]]:
    """The due days of each task as each contact was told them, one after the other."""
    told: defaultdict[tuple[int, int], list[object]] = defaultdict(list)
    rows = session.execute(
        select(col(Notice.task_id), col(Notice.contact_id), col(Notice.due_on))
        .where(col(Notice.task_id).in_(task_ids), col(Notice.contact_id).in_(contact_ids))
        .order_by(col(Notice.id))
    )
    for task_id, contact_id, due_on in rows:
        told[task_id, contact_id].append(due_on)
    return told

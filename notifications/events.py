"""Which due days does a message put into its reader's calendar? Those of the reader's own unit that are to come.

Who took one over expects no reminder of what is done: the letter that says that the report came in, or is not asked for
any more, withdraws it.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Final

from sqlalchemy import and_, or_, select
from sqlmodel import Session, col

from dondoc.i18n import translate
from models.contact import Contact
from models.cycle import Cycle
from models.deadline import Deadline
from models.notice import Notice, NoticeKind
from models.task import OWING, Task, TaskState
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
#: What tells that nothing has to be done by it any more.
_ENDS_A_DAY: Final = (NoticeKind.RECEIPT, NoticeKind.ACCEPTED, NoticeKind.CANCELLED)
_EVE: Final = timedelta(hours=16)  #: eight o'clock of the morning before
_HOURS: Final = timedelta(hours=2)  #: before a moment, where hours count


def read_events(session: Session, message_ids: Sequence[int], now: datetime) -> dict[int, tuple[Event, ...]]:
    """By message, as the rows are now. No link is in an event: calendars are shared sooner than letters."""
    is_theirs = col(Contact.unit_id) == col(Task.unit_id)  # it may have gone to another unit since
    is_owed = and_(col(Task.state).in_([state.value for state in OWING]), is_theirs)
    tells, ends = (col(Notice.kind).in_([kind.value for kind in kinds]) for kinds in (_TELLS_A_DAY, _ENDS_A_DAY))
    rows = session.execute(
        select(
            col(Notice.id),
            col(Notice.message_id),
            col(Notice.task_id),
            col(Notice.contact_id),
            col(Task.state),
            is_owed,
            col(Contact.lang),
            Deadline,
            Cycle,
        )
        .join(Task, col(Task.id) == col(Notice.task_id))
        .join(Deadline, col(Deadline.id) == col(Task.deadline_id))
        .join(Cycle, col(Cycle.id) == col(Task.cycle_id))
        .join(Contact, col(Contact.id) == col(Notice.contact_id))
        .where(
            col(Notice.message_id).in_(message_ids),
            col(Notice.rung).startswith("unit."),
            or_(and_(tells, is_owed), and_(ends, ~is_owed)),
            col(Deadline.due_on) >= (now - timedelta(days=1)).date(),  # no zone is further behind
        )
        .order_by(col(Deadline.due_on), col(Notice.id))
    ).all()
    told = _told(session, {row.task_id for row in rows}, {row.contact_id for row in rows})
    events: defaultdict[int, dict[int, Event]] = defaultdict(dict)
    for notice_id, message_id, task_id, contact_id, state, is_still, lang, deadline, cycle in rows:
        so_far, is_over = told[task_id, contact_id], not is_still
        if is_over and not _has_it(so_far, notice_id):
            continue
        sequence = _moves(so_far, deadline.due_on, is_over)
        events[message_id][task_id] = _event(f"task-{task_id}", sequence, state, is_over, deadline, cycle, lang)
    return {message_id: tuple(by_task.values()) for message_id, by_task in events.items()}


def _event(name: str, sequence: int, state: str, is_over: bool, deadline: Deadline, cycle: Cycle, lang: str) -> Event:
    title = cycle.heading(lang)
    if is_over:
        is_in = state in (TaskState.SUBMITTED, TaskState.ACCEPTED)
        words = translate("Đã nộp: {title}" if is_in else "Không phải nộp nữa: {title}", lang, title=title)
        why = translate("Căn cứ mục {source}. Không còn việc phải làm vào ngày này.", lang, source=cycle.source)
        return Event(name, sequence, deadline.due_on, words, why, deadline.due_at, is_over=True)
    return Event(
        name=name,
        sequence=sequence,
        on=deadline.due_on,
        summary=translate("Hạn nộp: {title}", lang, title=title),
        description=translate("Căn cứ mục {source}. Liên kết để nộp ở trong thư đôn đốc.", lang, source=cycle.source),
        at=deadline.due_at,
        is_tentative=deadline.is_provisional,
        alarm=_EVE if deadline.due_at is None else _HOURS,
    )


@dataclass(frozen=True, slots=True)
class _Told:
    """What one notice said of the day. `is_told`: in a message to the unit's own contact, which brings the event."""

    notice_id: int
    due_on: date
    is_over: bool
    is_told: bool


def _told(session: Session, task_ids: set[int], contact_ids: set[int]) -> defaultdict[tuple[int, int], list[_Told]]:
    """Of each task as each contact was told it, one after the other."""
    told: defaultdict[tuple[int, int], list[_Told]] = defaultdict(list)
    columns = (Notice.task_id, Notice.contact_id, Notice.id, Notice.due_on, Notice.kind, Notice.rung, Notice.message_id)
    rows = session.execute(
        select(*(col(column) for column in columns))
        .where(col(Notice.task_id).in_(task_ids), col(Notice.contact_id).in_(contact_ids))
        .order_by(col(Notice.id))
    )
    for task_id, contact_id, notice_id, due_on, kind, rung, message_id in rows:
        is_own = rung.startswith("unit.") and kind in (*_TELLS_A_DAY, *_ENDS_A_DAY)
        said = _Told(notice_id, due_on, kind in _ENDS_A_DAY, is_own and message_id is not None)
        told[task_id, contact_id].append(said)
    return told


def _has_it(told: Sequence[_Told], notice_id: int) -> bool:
    """Whether the event still stood in the contact's calendar before this notice."""
    before = [each.is_over for each in told if each.is_told and each.notice_id < notice_id]
    return bool(before) and not before[-1]


def _moves(told: Sequence[_Told], due_on: date, is_over: bool) -> int:
    """How often the event has changed. It never shrinks: notices are only added."""
    states = [*((each.due_on, each.is_over) for each in told), (due_on, is_over)]
    return sum(before != after for before, after in pairwise(states))

"""What is new in a date that moved? Only what differs from the day that its reader was last told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Final

from sqlalchemy import select
from sqlmodel import Session, col

from models.deadline import Deadline
from models.entry import Entry
from models.extension import Extension
from models.notice import Notice, NoticeKind

MOVED_AGAIN: Final = "moot.moved_again"
MOVED_BACK: Final = "moot.moved_back"
_SAYS_A_DAY: Final = (
    NoticeKind.OPENED,
    NoticeKind.REMINDER,
    NoticeKind.DUE_TODAY,
    NoticeKind.OVERDUE,
    NoticeKind.ESCALATION,
    NoticeKind.RETURNED,
    NoticeKind.EXTENSION_DECIDED,
    NoticeKind.DATE_MOVED,
)


@dataclass(frozen=True, slots=True)
class Before:
    """What the reader of a moved date knows: by the last message that told of a day, else as it was before it moved."""

    on: date
    is_grace_other: bool = False  #: a late report is taken until another day than before
    is_last: bool = True  #: the day has not moved again since

    def moot(self, on: date) -> str | None:
        """The code of the reason why it has no words of its own; `on` is the day that it tells."""
        if not self.is_last:
            return MOVED_AGAIN
        return MOVED_BACK if self.on == on and not self.is_grace_other else None


def known_before(
    session: Session, notices: Sequence[tuple[Notice, Deadline]], extensions: Mapping[int, Sequence[Extension]]
) -> dict[int, Before]:
    """By notice of a moved date; `extensions` by task, oldest first."""
    deadlines = {each.id: deadline for each, deadline in notices}
    moved = [each for each, _ in notices if each.kind == NoticeKind.DATE_MOVED]
    if not moved:
        return {}
    rows = session.scalars(
        select(Notice)
        .where(
            col(Notice.task_id).in_({each.task_id for each in moved}),
            col(Notice.contact_id).in_({each.contact_id for each in moved}),
            col(Notice.kind).in_([kind.value for kind in _SAYS_A_DAY]),
        )
        .order_by(col(Notice.task_id), col(Notice.contact_id), col(Notice.id))
    )
    of = {key: list(group) for key, group in groupby(rows, lambda row: (row.task_id, row.contact_id))}
    entries = _entries(session, [each for group in of.values() for each in group])
    found = {}
    for notice in moved:
        group = of[notice.task_id, notice.contact_id]
        told = max((each for each in group if _was_told(each, notice)), key=_in_turn, default=None)
        moves = [each for each in group if each.kind == NoticeKind.DATE_MOVED]
        new = [each for each in moves if each.id <= notice.id and (told is None or each.id > told.id)]
        on = told.due_on if told is not None else _day_before(new[0], extensions.get(notice.task_id, ()))
        is_grace_other = _is_grace_other([entries[each.cause] for each in new], notice, deadlines[notice.id])
        # Whose opening letter was overtaken by the move has to hear of the report at all.
        is_heard = any(each.dropped is None and each.kind != NoticeKind.DATE_MOVED for each in group)
        found[notice.id] = Before(on, is_grace_other or not is_heard, moves[-1].id == notice.id)
    return found


def _in_turn(notice: Notice) -> tuple[int, int]:
    return notice.message_id or 0, notice.id


def _was_told(each: Notice, before: Notice) -> bool:
    is_told = each.message_id is not None and each.dropped is None
    return is_told and (before.message_id is None or _in_turn(each)[0] < before.message_id)


def _day_before(notice: Notice, extensions: Sequence[Extension]) -> date:
    """Where the reader was told no day yet: the one that held before the first of what they have to hear."""
    return next((each.from_on for each in extensions if each.at >= notice.created_at), notice.due_on)


def _entries(session: Session, notices: Sequence[Notice]) -> dict[str, Entry]:
    """By the cause of a moved date, the entry of the journal that it comes from."""
    moved = [each for each in notices if each.kind == NoticeKind.DATE_MOVED]
    causes = {int(each.cause.partition(":")[2]): each.cause for each in moved}
    return {causes[each.id]: each for each in session.scalars(select(Entry).where(col(Entry.id).in_(causes)))}


def _is_grace_other(entries: Sequence[Entry], notice: Notice, deadline: Deadline) -> bool:
    """Whether it ends on another day than before the first of them; of those of old, that do not say it, by their act.

    The way back to the day of before may have been taken without a word: what waits goes by what holds now.
    """
    if not entries:
        return False
    first, last = entries[0].data, entries[-1].data
    if "grace_was" not in first or "grace_until" not in last:
        return any(each.act == "ladder_changed" for each in entries)
    until = last["grace_until"]
    if notice.message_id is None and notice.due_on == deadline.due_on:
        until = deadline.grace_until.isoformat() if deadline.grace_until is not None else None
    return bool(first["grace_was"] != until)

"""What is to be told? One thing for one contact about one task, once."""

from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Index,
    Select,
    UniqueConstraint,
    and_,
    bindparam,
    func,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.selectable import Exists
from sqlmodel import Field, Session, SQLModel, col

from models.columns import Moment


class NoticeKind(StrEnum):
    OPENED = "opened"
    REMINDER = "reminder"
    DUE_TODAY = "due_today"
    OVERDUE = "overdue"
    ESCALATION = "escalation"
    RETURNED = "returned"
    ACCEPTED = "accepted"
    EXTENSION_DECIDED = "extension_decided"
    DATE_MOVED = "date_moved"
    CANCELLED = "cancelled"
    RECEIPT = "receipt"
    UNREVIEWED = "unreviewed"  #: handed in, and nobody has looked at it: told to whoever reviews
    BOUNCED = "bounced"  #: an address below is dead


NO_WAY: Final = "held.no_way"  #: none of the contact's ways is open now
AT_ONCE: Final = 1000  #: rows that one statement names
FROM_STEP: Final = "step:"  #: how the cause begins of what the calendar says; the others come from somebody's act


class Notice(SQLModel, table=True):
    """Unique by (task, contact, cause): firing twice tells once."""

    __table_args__ = (
        UniqueConstraint("task_id", "contact_id", "cause"),
        Index(
            "ix_notice_waiting",
            "contact_id",
            sqlite_where=text("message_id IS NULL AND dropped IS NULL"),
            postgresql_where=text("message_id IS NULL AND dropped IS NULL"),
        ),
        Index(
            "ix_notice_held",
            "held_until",
            sqlite_where=text("message_id IS NULL AND dropped IS NULL"),
            postgresql_where=text("message_id IS NULL AND dropped IS NULL"),
        ),
        Index("ix_notice_message", "message_id"),
    )
    id: int = Field(default=None, primary_key=True)
    task_id: int = Field(foreign_key="task.id")
    contact_id: int = Field(foreign_key="contact.id")
    kind: str
    rung: str  #: in which capacity the contact is told: unit.contact, superior.secretariat, ...
    cause: str  #: step:12 or entry:345
    due_on: date  #: the due day as told
    created_at: datetime = Field(sa_type=Moment)
    message_id: int | None = Field(default=None, foreign_key="message.id")
    dropped: str | None = None  #: code of the reason why it was never sent
    held: str | None = None  #: code of the reason why it waits
    held_until: datetime | None = Field(default=None, sa_type=Moment)  #: None: it waits for nothing but the next pass


#: Without a message and not dropped: what the indexes of the waiting notices hold.
IS_WAITING: Final[ColumnElement[bool]] = and_(col(Notice.message_id).is_(None), col(Notice.dropped).is_(None))


class ByMoment(Exists):
    """EXISTS by the index of the moments: by itself SQLite takes the messages' and walks past all that is held."""

    inherit_cache = True


@compiles(ByMoment, "sqlite")
def _by_moment(found: ByMoment, compiler: SQLCompiler, **given: Any) -> str:
    words: str = compiler.visit_unary(found, **given)  # type: ignore[no-untyped-call]
    return words.replace("FROM notice ", "FROM notice INDEXED BY ix_notice_held ")


#: Whether any is free `now`: two looks into an index, however many are held.
IS_ANY_FREE: Final[ColumnElement[bool]] = or_(
    ByMoment().where(IS_WAITING, col(Notice.held_until).is_(None)),
    ByMoment().where(IS_WAITING, col(Notice.held_until) <= bindparam("now")),
)


def is_free(now: datetime) -> ColumnElement[bool]:
    """It waits for nothing but the next pass."""
    return and_(IS_WAITING, or_(col(Notice.held_until).is_(None), col(Notice.held_until) <= now))


def write(session: Session, ids: Sequence[int], **values: Any) -> None:
    """The same columns for many notices, some statements for all of them: each statement costs as much as its rows."""
    for first in range(0, len(ids), AT_ONCE):
        some = col(Notice.id).in_(ids[first : first + AT_ONCE])
        session.connection().execute(update(Notice).where(some).values(**values))


def release(session: Session, chosen: ColumnElement[bool]) -> None:
    """What was held is looked at with the next pass: the reason may have gone. `chosen` is a condition on notices."""
    session.execute(update(Notice).where(IS_WAITING, chosen).values(held_until=None))


def release_ways(session: Session, contacts: ColumnElement[bool]) -> None:
    """What was held for want of a way: there may be one now. `contacts` is a condition on the notices' contacts."""
    release(session, and_(col(Notice.held) == NO_WAY, contacts))


def next_free(after: datetime) -> Select[tuple[datetime | None]]:
    """When the first of the held notices comes free after a moment."""
    return select(func.min(col(Notice.held_until))).where(IS_WAITING, col(Notice.held_until) > after)


def held(now: datetime) -> Select[Any]:
    """Why notices wait: the code of each reason, how many, and when the first of them comes free."""
    return (
        select(col(Notice.held), func.count(), func.min(col(Notice.held_until)))
        .where(IS_WAITING, col(Notice.held_until) > now)
        .group_by(col(Notice.held))
        .order_by(col(Notice.held))
    )

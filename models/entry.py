"""Who did what when? The journal: append-only, each entry hashed together with the one before it."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import JSON, Index, text
from sqlmodel import Field, Session, SQLModel, col, select

from models.columns import Moment

GENESIS: Final = "0" * 64
#: The flow run that acts here and now; None when a person does.
acting_run: Final[ContextVar[str | None]] = ContextVar("acting_run", default=None)


class Entry(SQLModel, table=True):
    """One entry an act, also when the act touched many rows. Persons appear by id only (contact:12, user:3)."""

    __table_args__ = (
        # task_id is always NULL in it: with it SQLite finds this index more telling than that of task_id alone.
        Index(
            "ix_entry_act",
            "task_id",
            "act",
            sqlite_where=text("task_id IS NULL"),
            postgresql_where=text("task_id IS NULL"),
        ),
    )
    id: int = Field(default=None, primary_key=True)  #: consecutive: a gap is a break
    at: datetime = Field(sa_type=Moment)
    by: str  #: system, contact:12, office
    act: str
    task_id: int | None = Field(default=None, foreign_key="task.id", index=True)
    cycle_id: int | None = Field(default=None, foreign_key="cycle.id", index=True)
    data: dict[str, Any] = Field(sa_type=JSON)
    previous: str
    hash: str
    run: str | None = None  #: Prefect's id of the flow run behind an automatic act; only for looking, so not hashed


#: Of no task, as an order to reorganise: with this condition an act is found by its index.
OF_NO_TASK: Final = col(Entry.task_id).is_(None)


class JournalHead(SQLModel, table=True):
    """The last entry's number and hash; one row, locked by whoever appends."""

    __tablename__ = "journal_head"
    id: int = Field(primary_key=True)
    number: int
    hash: str


def append(
    session: Session,
    act: str,
    *,
    by: str,
    at: datetime,
    task_id: int | None = None,
    cycle_id: int | None = None,
    **data: Any,
) -> Entry:
    """Adds an entry in the caller's transaction. The head is locked from here on: call it late."""
    (entry,) = append_all(session, act, [(task_id, cycle_id, data)], by=by, at=at)
    return entry


def append_all(
    session: Session,
    act: str,
    of: Iterable[tuple[int | None, int | None, Mapping[str, Any]]],
    *,
    by: str,
    at: datetime,
) -> list[Entry]:
    """One act on many things: an entry each, (task, cycle, data), in their order. The head is locked, as above."""
    query = select(JournalHead).where(col(JournalHead.id) == 1).with_for_update()
    head = session.exec(query, execution_options={"populate_existing": True}).one()
    entries = []
    for task_id, cycle_id, data in of:
        entry = Entry(
            id=head.number + 1,
            at=at,
            by=by,
            act=act,
            task_id=task_id,
            cycle_id=cycle_id,
            data=dict(data),
            previous=head.hash,
            hash="",
            run=acting_run.get(),
        )
        entry.hash = digest(entry)
        head.number, head.hash = entry.id, entry.hash
        entries.append(entry)
    session.add_all(entries)
    session.add(head)
    session.flush()
    return entries


def digest(entry: Entry) -> str:
    """SHA-256 over the previous hash and the canonical JSON of the entry."""
    row = [
        entry.id,
        entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        entry.by,
        entry.act,
        entry.task_id,
        entry.cycle_id,
        entry.data,
    ]
    text = json.dumps(row, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{entry.previous}{text}".encode()).hexdigest()


def breaks(session: Session) -> Iterator[str]:
    """What is wrong with the chain, in order; nothing when it is whole."""
    previous, number = GENESIS, 0
    for entry in session.exec(select(Entry).order_by(col(Entry.id)).execution_options(yield_per=1000)):
        number += 1
        if entry.id != number:
            yield f"expected entry {number}, got {entry.id}"
            number = entry.id or number
        if entry.previous != previous:
            yield f"entry {entry.id}: expected the previous hash {previous[:12]}, got {entry.previous[:12]}"
        if entry.hash != digest(entry):
            yield f"entry {entry.id}: expected the hash {digest(entry)[:12]}, got {entry.hash[:12]}"
        previous = entry.hash
    head = session.exec(select(JournalHead)).one()
    if (head.number, head.hash) != (number, previous):
        yield f"expected the head at entry {head.number} ({head.hash[:12]}), got {number} ({previous[:12]})"

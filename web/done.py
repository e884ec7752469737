"""What has just been done? The journal's entry of it, told once on the page that one comes back to."""

from dataclasses import dataclass
from typing import Final

from fastapi import Request
from sqlalchemy import func
from sqlmodel import Session, col, select

from engine.access import Actor
from engine.bulk import SET_ACTS
from models.entry import Entry, JournalHead
from models.notice import Notice

#: What the address says it with; another user's entry is not told.
DONE: Final = "done"


@dataclass(frozen=True, slots=True)
class Told:
    """An act, and how many are told of it."""

    entry: Entry
    notices: int

    @property
    def is_of_set(self) -> bool:
        return self.entry.act in SET_ACTS.values()


def stand(session: Session) -> int:
    """The number of the journal's last entry, asked before an act."""
    return session.get_one(JournalHead, 1).number


def after(session: Session, actor: Actor, address: str, before: int, act: str | None = None) -> str:
    """The address of a page, which tells there what the actor did in this transaction; as it is when that is nothing.

    `before` is where the journal stood at the beginning: the act's own entry is the first since, or that named `act`.
    """
    own = select(col(Entry.id)).where(col(Entry.id) > before, col(Entry.by) == actor.by).order_by(col(Entry.id))
    own = own if act is None else own.where(col(Entry.act) == act)
    number = session.scalar(own.limit(1))
    return address if number is None else f"{address}{'&' if '?' in address else '?'}{DONE}={number}"


def told_done(session: Session, request: Request, actor: Actor) -> Told | None:
    """What the entry says that the address names, when it is this user's own."""
    number = request.query_params.get(DONE, "")
    if not number.isascii() or not number.isdigit() or len(number) > 9:
        return None
    entry = session.get(Entry, int(number))
    if entry is None or entry.by != actor.by:
        return None
    return Told(entry, entry.data.get("notices") or _notices(session, entry))


def _notices(session: Session, entry: Entry) -> int:
    told = select(func.count()).where(col(Notice.task_id) == entry.task_id, col(Notice.cause) == f"entry:{entry.id}")
    return session.scalar(told) or 0 if entry.task_id is not None else 0

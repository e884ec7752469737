"""What has just been done? The entry of a bulk act, told once on the page that one comes back to."""

from typing import Final

from fastapi import Request
from sqlmodel import Session

from engine.access import Actor
from engine.bulk import SET_ACTS
from models.entry import Entry

#: What the address says it with; another user's entry is not told.
DONE: Final = "done"


def told_done(session: Session, request: Request, actor: Actor) -> Entry | None:
    """The entry that the address names, when it is of this user's own bulk act."""
    number = request.query_params.get(DONE, "")
    if not number.isascii() or not number.isdigit() or len(number) > 9:
        return None
    entry = session.get(Entry, int(number))
    return entry if entry is not None and entry.by == actor.by and entry.act in SET_ACTS.values() else None

"""Somebody notes what was said about a task: a remark, or a telephone call with the day that was promised."""

from datetime import date, datetime
from typing import Final

from sqlmodel import Session

from dondoc.clock import today
from engine.errors import RefusedError
from models.entry import append
from models.note import Note, NoteKind
from models.task import Task

MAX_NOTE: Final = 4_000  #: characters
MAX_NAME: Final = 200


def write_note(
    session: Session,
    task_id: int,
    *,
    kind: NoteKind,
    text: str,
    with_whom: str | None = None,
    promised_on: date | None = None,
    by: str,
    now: datetime,
    zone: str,
) -> Note:
    """Keeps the words beside the task; the journal knows only that there are some, and the promised day.

    A call needs who was on the telephone, and says something: in words, or by the day that was promised.
    """
    words, name = text.strip(), (with_whom or "").strip()
    if kind is NoteKind.CALL and not name:
        raise RefusedError("refused.no_one_called")
    if not words and not (kind is NoteKind.CALL and promised_on):
        raise RefusedError("refused.no_words")
    for length, limit in ((len(words), MAX_NOTE), (len(name), MAX_NAME)):
        if length > limit:
            raise RefusedError("refused.too_many_words", limit=limit, got=length)
    if promised_on is not None and promised_on < today(now, zone):
        raise RefusedError("refused.promised_in_past", on=promised_on)
    task = session.get(Task, task_id)
    if task is None:
        raise RefusedError("refused.no_task", id=task_id)
    is_call = kind is NoteKind.CALL
    note = Note(
        task_id=task.id,
        kind=kind,
        text=words,
        with_whom=name if is_call else None,
        promised_on=promised_on if is_call else None,
        by=by,
        at=now,
    )
    session.add(note)
    session.flush()
    promised = {"promised_on": promised_on.isoformat()} if is_call and promised_on else {}
    act = "called" if is_call else "noted"
    append(session, act, by=by, at=now, task_id=task.id, cycle_id=task.cycle_id, note=note.id, **promised)
    return note

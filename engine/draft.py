"""What a contact typed so far is kept, wrong or right; nobody is told, and the task stays as it is."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from engine.errors import RefusedError
from engine.limits import UPLOAD, give_back, take
from engine.submit import locked
from models.draft import Draft, draft_of
from models.files import StoredFile
from models.link import Link
from models.task import Act


def admit(session: Session, task_id: int, size: int, *, wall: datetime) -> None:
    """Before a file is written that nothing names yet. Raises RefusedError when there were too many for this task.

    Whoever has a link could fill the disk with tries; what they leave lying goes within days, and so long it counts.
    """
    if take(session, UPLOAD, str(task_id), wall, size):
        raise _too_much()


def not_written(session: Session, task_id: int, size: int, *, wall: datetime) -> None:
    """What was admitted and then did not get onto the disk counts for nothing."""
    give_back(session, UPLOAD, str(task_id), wall, size)


def save(
    session: Session, link: Link, *, answers: Mapping[str, object], files: Sequence[StoredFile], now: datetime
) -> Draft:
    """Writes over what was kept. Raises IllegalActError when the task takes nothing in any more, and RefusedError when
    the drafts of the task together would hold more than one task may.
    """
    locked(session, link.task_id).expect(Act.SUBMIT)
    others = select(Draft).where(col(Draft.task_id) == link.task_id, col(Draft.contact_id) != link.contact_id)
    held = {file.hash: file.size for other in session.exec(others) for file in other.stored}
    if files and sum((held | {file.hash: file.size for file in files}).values()) > UPLOAD.count:
        raise _too_much()
    typed: dict[str, Any] = {"answers": dict(answers), "files": [asdict(file) for file in files], "saved_at": now}
    draft = draft_of(session, link.task_id, link.contact_id)
    if draft is None:
        draft = Draft(task_id=link.task_id, contact_id=link.contact_id, **typed)
    else:
        draft.sqlmodel_update(typed)
    session.add(draft)
    session.flush()
    return draft


def _too_much() -> RefusedError:
    return RefusedError("refused.too_much", limit=UPLOAD.count // (1024 * 1024))

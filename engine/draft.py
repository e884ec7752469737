"""What a contact typed so far is kept, wrong or right; nobody is told, and the task stays as it is."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlmodel import Session

from engine.submit import locked
from models.draft import Draft, draft_of
from models.files import StoredFile
from models.link import Link
from models.task import Act


def save(
    session: Session, link: Link, *, answers: Mapping[str, object], files: Sequence[StoredFile], now: datetime
) -> Draft:
    """Writes over what was kept. Raises IllegalActError when the task takes nothing in any more."""
    locked(session, link.task_id).expect(Act.SUBMIT)
    typed: dict[str, Any] = {"answers": dict(answers), "files": [asdict(file) for file in files], "saved_at": now}
    draft = draft_of(session, link.task_id, link.contact_id)
    if draft is None:
        draft = Draft(task_id=link.task_id, contact_id=link.contact_id, **typed)
    else:
        draft.sqlmodel_update(typed)
    session.add(draft)
    session.flush()
    return draft

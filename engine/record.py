"""A report came on paper or by e-office: the day it was received counts, not the click."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from sqlmodel import Session

from dondoc.clock import today
from engine.close import take_up
from engine.errors import RefusedError
from engine.submit import locked, take_in
from models.cycle import Cycle
from models.files import StoredFile
from models.submission import Submission, Way
from models.task import Act


def record(
    session: Session,
    task_id: int,
    *,
    by: str,
    received_on: date,
    document: str,
    way: Way,
    now: datetime,
    zone: str,
    answers: Mapping[str, object] | None = None,
    files: Sequence[StoredFile] = (),
) -> Submission:
    """Enters a submission with its received-on and document number; also after the end, when it came before it."""
    if received_on > today(now, zone):
        raise RefusedError("refused.received_in_future", on=received_on)
    if not document.strip():
        raise RefusedError("refused.no_document")
    task = locked(session, task_id)
    task.expect(Act.RECORD)
    take_up(session, session.get_one(Cycle, task.cycle_id), task.deadline_id, now)
    return take_in(
        session,
        task,
        Act.RECORD,
        by=by,
        answers=answers or {},
        files=files,
        key=f"record:{task_id}:{task.versions + 1}:{document.strip()}",
        way=way,
        received_on=received_on,
        document=document.strip(),
        now=now,
    )

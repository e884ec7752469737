"""A unit hands in, or takes back before it is reviewed."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Final

from sqlalchemy import delete
from sqlmodel import Session, col, select

from dondoc.clock import today
from engine.close import has_ended
from engine.errors import RefusedError
from engine.plans import obligation_of
from engine.tell import tell_contacts
from models.cycle import Cycle
from models.deadline import Deadline, Origin
from models.draft import Draft
from models.entry import append
from models.files import StoredFile
from models.notice import NoticeKind
from models.submission import Review, Submission, SubmissionFile, Way, is_late
from models.task import Act, Task
from schedules.plan import Field, FieldType, Obligation, Rung
from schedules.reason import Reason

ALPHABET: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  #: no 0/O, no 1/I: a receipt code is read out on the telephone
MAX_TEXT: Final = 10_000  #: characters in one answer
#: Up to twelve digits. 1.868 is how Vietnam writes thousands; 1.5 is no whole number, and never 15.
WHOLE_NUMBER: Final = re.compile(r"[0-9]{1,12}|[0-9]{1,3}(?:([. ])[0-9]{3})(?:\1[0-9]{3}){0,2}")


class InvalidAnswersError(RefusedError):
    """Some answers are missing or wrong; `problems` says which, by field name."""

    def __init__(self, problems: Mapping[str, Reason]) -> None:
        self.problems = dict(problems)
        super().__init__("refused.answers", fields=", ".join(problems))


def submit(
    session: Session,
    task_id: int,
    *,
    by: str,
    answers: Mapping[str, object],
    files: Sequence[StoredFile],
    key: str,
    now: datetime,
    zone: str,
    way: Way = Way.LINK,
) -> Submission:
    """Takes the next version of a report in. The same key again is the same submission: nothing is added."""
    known = _by_key(session, key, task_id)  # a second tap has waited for the one writer's lock, and finds the first
    if known is not None:
        return known
    task = locked(session, task_id)
    on = today(now, zone)
    return take_in(
        session,
        task,
        Act.SUBMIT,
        by=by,
        answers=answers,
        files=files,
        key=key,
        way=way,
        received_on=on,
        document=None,
        now=now,
    )


def take_in(
    session: Session,
    task: Task,
    act: Act,
    *,
    by: str,
    answers: Mapping[str, object],
    files: Sequence[StoredFile],
    key: str,
    way: Way,
    received_on: date,
    document: str | None,
    now: datetime,
) -> Submission:
    """Submission n, its files, the new state and verdict, the Entry, the receipt: what every way in has in common."""
    cycle = session.get_one(Cycle, task.cycle_id)
    deadline = session.get_one(Deadline, task.deadline_id)
    task.expect(act)
    if deadline.grace_until is not None and received_on > deadline.grace_until:
        raise RefusedError("refused.ended", until=deadline.grace_until)
    obligation = obligation_of(session, cycle)
    kept = checked(obligation, answers, files, is_strict=act is Act.SUBMIT)
    due_on, due_at = _due_to_meet(session, task, deadline)
    task.move(act, now)
    task.versions += 1
    submission = Submission(
        task_id=task.id,
        number=task.versions,
        way=way,
        at=now,
        received_on=received_on,
        due_on=due_on,
        due_at=due_at,
        by=by,
        answers=kept,
        document=document,
        key=key,
        receipt=receipt_code(task.id, key),
    )
    session.add(submission)
    session.flush()
    session.add_all(
        SubmissionFile(
            submission_id=submission.id, name=file.name, hash=file.hash, size=file.size, media_type=file.media_type
        )
        for file in files
    )
    session.execute(delete(Draft).where(col(Draft.task_id) == task.id))
    task.is_late = verdict(session, task)
    session.add(task)
    entry = append(
        session,
        "submitted",
        by=by,
        at=now,
        task_id=task.id,
        cycle_id=cycle.id,
        number=submission.number,
        way=submission.way,
        received_on=received_on.isoformat(),
        late=task.is_late,
        files=[file.hash for file in files],
    )
    tell_contacts(session, task, Rung.UNIT_CONTACT, NoticeKind.RECEIPT, f"entry:{entry.id}", deadline.due_on, now)
    return submission


def withdraw(session: Session, task_id: int, *, by: str, reason: str, now: datetime) -> Task:
    """Takes the version that waits for review back; the unit stands where it stood before.

    Refused after the end: the unit could not hand in again.
    """
    task = locked(session, task_id)
    task.expect(Act.WITHDRAW)
    if has_ended(session, task.deadline_id, now):
        raise RefusedError("refused.ended", until=session.get_one(Deadline, task.deadline_id).grace_until)
    submission = latest(session, task)
    task.move(Act.WITHDRAW, now)
    submission.is_withdrawn = True
    session.add(submission)
    session.flush()
    task.is_late = verdict(session, task)
    session.add(task)
    append(
        session,
        "withdrawn",
        by=by,
        at=now,
        task_id=task.id,
        cycle_id=task.cycle_id,
        number=submission.number,
        reason=reason,
    )
    return task


def locked(session: Session, task_id: int) -> Task:
    """The task, locked against other acts until the transaction ends."""
    task = session.get(Task, task_id, with_for_update=True, populate_existing=True)
    if task is None:
        raise RefusedError("refused.no_task", id=task_id)
    return task


def latest(session: Session, task: Task) -> Submission:
    """The newest version that was not withdrawn."""
    found = _newest(session, task)
    if found is None:
        raise RefusedError("refused.nothing_submitted", task=task.id)
    return found


def verdict(session: Session, task: Task) -> bool | None:
    """Late, on time, or None while nothing counts: over all versions of the task in order."""
    session.flush()
    empty = set(
        session.exec(
            select(Review.submission_id)
            .join(Submission, col(Submission.id) == col(Review.submission_id))
            .where(col(Submission.task_id) == task.id, col(Review.does_not_count))
        )
    )
    versions = session.exec(
        select(Submission)
        .where(col(Submission.task_id) == task.id, ~col(Submission.is_withdrawn))
        .order_by(col(Submission.number))
    )
    return is_late([(each.came_late, each.id not in empty) for each in versions])


def checked(
    obligation: Obligation, answers: Mapping[str, object], files: Sequence[StoredFile], *, is_strict: bool
) -> dict[str, object]:
    """The answers as they are kept, numbers as int. Raises InvalidAnswersError with every problem at once.

    A paper that is recorded (`is_strict` False) may leave fields out, and its scan go along: the paper itself is the
    report.
    """
    kept: dict[str, object] = {}
    problems: dict[str, Reason] = {}
    for name in answers.keys() - {field.name for field in obligation.fields}:
        problems[name] = Reason.of("answer.unknown", name=name)
    for field in obligation.fields:
        found = _answer(field, answers.get(field.name), is_strict)
        if isinstance(found, Reason):
            problems[field.name] = found
        elif found is not None:
            kept[field.name] = found
    if is_strict and files and obligation.file is None:
        problems["file"] = Reason.of("answer.no_file_expected")
    if is_strict and obligation.file is not None and obligation.file.required and not files:
        problems["file"] = Reason.of("answer.file_required")
    if problems:
        raise InvalidAnswersError(problems)
    return kept


def receipt_code(task_id: int, key: str) -> str:
    """Sixty bits of the submission's own key, in groups that can be read out: 7K4M-2PXC-9QRT."""
    digest = hashlib.sha256(f"receipt:{task_id}:{key}".encode()).digest()
    number = int.from_bytes(digest[:8], "big")
    letters = "".join(ALPHABET[(number >> (5 * place)) & 31] for place in range(12))
    return f"{letters[:4]}-{letters[4:8]}-{letters[8:]}"


def _due_to_meet(session: Session, task: Task, deadline: Deadline) -> tuple[date, datetime | None]:
    """The due day that the next version has to meet, and the moment where hours count.

    What was returned as no report at all is as if it had never come: the version after it has to meet the same day,
    also when the return gave time until a later one. Else an empty page would win days.
    """
    if deadline.origin == Origin.RETURN and (last := _newest(session, task)) is not None:
        review = session.exec(
            select(Review).where(col(Review.submission_id) == last.id).order_by(col(Review.id).desc())
        ).first()
        if review is not None and review.does_not_count:
            return last.due_on, last.due_at
    return deadline.due_on, deadline.due_at


def _newest(session: Session, task: Task) -> Submission | None:
    query = select(Submission).where(col(Submission.task_id) == task.id, ~col(Submission.is_withdrawn))
    return session.exec(query.order_by(col(Submission.number).desc())).first()


def _answer(field: Field, given: object, is_strict: bool) -> object:
    """The value that is kept, a Reason why not, or None for a permitted gap."""
    text = str(given).strip() if given is not None else ""
    if not text:
        return Reason.of("answer.required") if field.required and is_strict else None
    if field.type is FieldType.NUMBER:
        if not WHOLE_NUMBER.fullmatch(text):
            return Reason.of("answer.number", got=text[:40])
        return int(re.sub("[. ]", "", text))
    if len(text) > MAX_TEXT:
        return Reason.of("answer.too_long", limit=MAX_TEXT, got=len(text))
    return text


def _by_key(session: Session, key: str, task_id: int) -> Submission | None:
    known = session.exec(select(Submission).where(col(Submission.key) == key)).first()
    if known is not None and known.task_id != task_id:
        raise RefusedError("refused.key_of_another_task", task=task_id)
    return known

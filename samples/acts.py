"""How do many units hand in at once? As the acts of the engine do one by one, in a few statements for all of them.

Only the plainest of acts are here, for the sample history alone: a first version by link, and its acceptance. What the
rows come to be is held to the acts themselves by tests/test_history.py, down to the last hash of the journal.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, insert, select
from sqlmodel import Session, SQLModel, col

from dondoc.clock import today
from engine.close import finish
from engine.submit import checked, receipt_code
from models.contact import Contact, Role, holding
from models.cycle import Cycle
from models.deadline import Deadline
from models.entry import Entry, JournalHead, acting_run, digest
from models.notice import Notice, NoticeKind
from models.submission import Review, ReviewVerdict, Submission, Way
from models.task import Act, Task
from schedules.plan import Obligation, Rung

BY_UNIT: Final = "system"
BY_OFFICE: Final = "office"
#: A task that is open, its deadline, what is asked of its unit and what it fills in.
FirstVersion = tuple[Task, Deadline, Obligation, dict[str, object]]
#: A task, its deadline, what the journal says.
Told = tuple[Task, Deadline, dict[str, Any]]
_ENTRY: Final = ("id", "at", "by", "act", "task_id", "cycle_id", "data", "previous", "hash", "run")


def key_of(task_id: int, number: int) -> str:
    """The key under which a unit of the sample hands a version in."""
    return f"sample:{task_id}:{number}"


def hand_in(session: Session, given: Sequence[FirstVersion], now: datetime, zone: str) -> None:
    """As engine.submit.submit for each of these tasks, which are open and have no version yet, in their order."""
    on = today(now, zone)
    submissions, told = [], list[Told]()
    for task, deadline, obligation, answers in given:
        task.move(Act.SUBMIT, now)
        task.versions, task.is_late = 1, on > deadline.due_on
        session.add(task)
        key = key_of(task.id, 1)
        submissions.append({
            "task_id": task.id, "number": 1, "way": Way.LINK.value, "at": now, "received_on": on,
            "due_on": deadline.due_on, "by": BY_UNIT, "answers": checked(obligation, answers, (), is_strict=True),
            "document": None, "key": key, "receipt": receipt_code(task.id, key), "is_withdrawn": False,
        })  # fmt: skip
        data = {"number": 1, "way": Way.LINK.value, "received_on": on.isoformat(), "late": task.is_late, "files": []}
        told.append((task, deadline, data))
    _insert(session, Submission, submissions)
    _tell(session, "submitted", BY_UNIT, NoticeKind.RECEIPT, told, now)


def accept(session: Session, cycle: Cycle, waiting: Sequence[tuple[Task, Deadline]], now: datetime) -> None:
    """As engine.review.accept for each of these tasks of a cycle, which wait for review, in their order."""
    ids = [task.id for task, _ in waiting]
    newest = select(col(Submission.task_id), func.max(Submission.id)).where(col(Submission.task_id).in_(ids))
    versions = dict(session.execute(newest.group_by(col(Submission.task_id))).tuples().all())
    reviews, told = [], list[Told]()
    for task, deadline in waiting:
        task.move(Act.ACCEPT, now)
        session.add(task)
        reviews.append({
            "submission_id": versions[task.id], "verdict": ReviewVerdict.ACCEPTED.value, "reason": None,
            "due_on": None, "does_not_count": False, "at": now, "by": BY_OFFICE,
        })  # fmt: skip
        told.append((task, deadline, {"number": task.versions, "late": task.is_late}))
    _insert(session, Review, reviews)
    _tell(session, "accepted", BY_OFFICE, NoticeKind.ACCEPTED, told, now)
    finish(session, cycle, now)


def _tell(
    session: Session,
    act: str,
    by: str,
    kind: NoticeKind,
    acts: Sequence[Told],
    now: datetime,
) -> None:
    """The entries, each hashed together with the one before it, and the notices that they cause."""
    contacts = _contacts(session, [task.unit_id for task, _, _ in acts])
    head = session.get_one(JournalHead, 1)
    entries, notices = [], []
    for task, deadline, told in acts:
        entry = Entry(
            id=head.number + 1, at=now, by=by, act=act, task_id=task.id, cycle_id=task.cycle_id, data=told,
            previous=head.hash, hash="", run=acting_run.get(),
        )  # fmt: skip
        head.number, head.hash = head.number + 1, digest(entry)
        entry.hash = head.hash
        entries.append({name: getattr(entry, name) for name in _ENTRY})
        notices += [
            {"task_id": task.id, "contact_id": contact, "kind": kind.value, "rung": Rung.UNIT_CONTACT.value,
             "cause": f"entry:{entry.id}", "due_on": deadline.due_on, "created_at": now}
            for contact in contacts[task.unit_id]
        ]  # fmt: skip
    session.add(head)
    _insert(session, Entry, entries)
    _insert(session, Notice, notices)
    session.flush()


def _contacts(session: Session, unit_ids: Sequence[int]) -> defaultdict[int, list[int]]:
    """Unit -> its reachable contacts."""
    found: defaultdict[int, list[int]] = defaultdict(list)
    query = holding(Role.CONTACT).where(col(Contact.unit_id).in_(unit_ids)).order_by(col(Contact.id))
    for contact in session.scalars(query):
        found[contact.unit_id].append(contact.id)
    return found


def _insert(session: Session, table: type[SQLModel], rows: list[dict[str, Any]]) -> None:
    if rows:
        session.connection().execute(insert(table), rows)

"""What happened to one task? Its deadline with the proof, what was handed in, decided and said, from first to last."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlmodel import Session, col, or_, select

from dondoc.clock import today
from engine.access import Actor, Place, Right, can
from engine.errors import RefusedError
from engine.plans import calendar_for
from engine.shown import Shown, shown
from models.acknowledgement import Acknowledgement, holding_on
from models.contact import Contact
from models.cycle import Cycle
from models.deadline import Deadline
from models.entry import Entry
from models.extension import Extension
from models.notice import Notice
from models.plan import Plan
from models.submission import Review, Submission, SubmissionFile
from models.task import Act, Task
from models.unit import Unit, unit_by_code
from models.user import User

#: act -> what it takes; an act that is not here happens by itself or is the unit's own.
RIGHT_FOR: Final[Mapping[Act, Right]] = {
    Act.ACCEPT: Right.REVIEW,
    Act.RETURN: Right.REVIEW,
    Act.REOPEN: Right.REVIEW,
    Act.EXTEND: Right.CHASE,
    Act.UNLOCK: Right.CHASE,
    Act.EXEMPT: Right.CHASE,
    Act.RECORD: Right.CHASE,
    Act.WITHDRAW: Right.CHASE,
}


def permitted(actor: Actor, task: Task, place: Place) -> tuple[Act, ...]:
    """The acts that the task's state allows and that are this actor's to do."""
    return tuple(act for act in task.allowed if act in RIGHT_FOR and can(actor, RIGHT_FOR[act], place))


@dataclass(frozen=True, slots=True)
class Dossier:
    """One task with its rows, each list in order of time."""

    plan: Plan
    cycle: Cycle
    task: Task
    unit: Unit
    receiver: Unit | None
    deadline: Deadline
    shown: Shown
    versions: tuple[tuple[Submission, tuple[SubmissionFile, ...], tuple[Review, ...]], ...]
    extensions: tuple[Extension, ...]
    notices: tuple[Notice, ...]
    entries: tuple[Entry, ...]
    known: Acknowledgement | None  #: "đã biết" that still holds
    names: Mapping[str, str]  #: of the contacts and users that the journal knows by number alone

    def as_json(self) -> dict[str, object]:
        deadline, task, cycle = self.deadline, self.task, self.cycle
        return {
            "id": task.id,
            "plan": self.plan.code,
            "cycle": cycle.id,
            "obligation": cycle.obligation,
            "period": cycle.period,
            "unit": self.unit.code,
            "receiver": self.receiver.code if self.receiver else None,
            "state": task.state,
            "shown": self.shown.state.value,
            "late": task.is_late,
            "late_days": self.shown.late_days,
            "allowed": [act.value for act in task.allowed],
            "deadline": {
                "level": deadline.level,
                "origin": deadline.origin,
                "due_on": deadline.due_on.isoformat(),
                "due_at": deadline.due_at.isoformat() if deadline.due_at else None,
                "grace_until": deadline.grace_until.isoformat() if deadline.grace_until else None,
                "provisional": deadline.is_provisional,
                "set_by": deadline.set_by,
                "reasons": deadline.reasons,
            },
            "extensions": [
                _plain(each, "from_on", "to_on", "reason", "document", "at", "by") for each in self.extensions
            ],
            "versions": [_version(*each) for each in self.versions],
            "notices": [_plain(each, "kind", "rung", "due_on", "created_at", "dropped") for each in self.notices],
            "entries": [_plain(each, "id", "at", "by", "act", "data") for each in self.entries],
        }


def dossier(session: Session, task_id: int, now: datetime, zone: str) -> Dossier:
    """Everything about a task as it stands now."""
    task = session.get(Task, task_id)
    if task is None:
        raise RefusedError("refused.no_task", id=task_id)
    cycle, deadline = session.get_one(Cycle, task.cycle_id), session.get_one(Deadline, task.deadline_id)
    versions = session.exec(
        select(Submission).where(col(Submission.task_id) == task.id).order_by(col(Submission.number))
    ).all()
    ids = [each.id for each in versions]
    files: defaultdict[int, list[SubmissionFile]] = defaultdict(list)
    for file in session.exec(
        select(SubmissionFile).where(col(SubmissionFile.submission_id).in_(ids)).order_by(col(SubmissionFile.id))
    ):
        files[file.submission_id].append(file)
    reviews: defaultdict[int, list[Review]] = defaultdict(list)
    for review in session.exec(select(Review).where(col(Review.submission_id).in_(ids)).order_by(col(Review.id))):
        reviews[review.submission_id].append(review)
    of_task = or_(col(Entry.task_id) == task.id, (col(Entry.cycle_id) == cycle.id) & col(Entry.task_id).is_(None))
    entries = tuple(session.exec(select(Entry).where(of_task).order_by(col(Entry.id))))
    return Dossier(
        session.get_one(Plan, cycle.plan_id),
        cycle,
        task,
        session.get_one(Unit, task.unit_id),
        session.get(Unit, task.receiver_id) if task.receiver_id is not None else None,
        deadline,
        shown(task, deadline, today(now, zone), calendar_for(session, cycle), now),
        tuple((each, tuple(files[each.id]), tuple(reviews[each.id])) for each in versions),
        tuple(session.exec(select(Extension).where(col(Extension.task_id) == task.id).order_by(col(Extension.id)))),
        tuple(session.exec(select(Notice).where(col(Notice.task_id) == task.id).order_by(col(Notice.id)))),
        entries,
        session.scalars(holding_on(today(now, zone), [task.id])).first(),
        _names(session, {entry.by for entry in entries}),
    )


def _names(session: Session, acting: Collection[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for prefix, table in (("contact:", Contact), ("user:", User)):
        ids = {int(by.removeprefix(prefix)) for by in acting if by.startswith(prefix)}
        rows = session.exec(select(table.id, table.name).where(col(table.id).in_(ids))) if ids else ()
        found |= {f"{prefix}{id_}": name for id_, name in rows}
    return found


def task_of(session: Session, plan_id: int, obligation: str, period: str, unit_code: str) -> Task | None:
    """The unit's task in the cycle of an obligation and a period; None while there is none."""
    unit = unit_by_code(session, unit_code)
    if unit is None:
        raise RefusedError("refused.no_unit", unit=unit_code)
    of_cycle = (col(Cycle.plan_id) == plan_id, col(Cycle.obligation) == obligation, col(Cycle.period) == period)
    query = select(Task).join(Cycle, col(Cycle.id) == col(Task.cycle_id))
    return session.exec(query.where(*of_cycle, col(Task.unit_id) == unit.id)).first()


def _version(
    submission: Submission, files: tuple[SubmissionFile, ...], reviews: tuple[Review, ...]
) -> Mapping[str, object]:
    names = ("number", "way", "at", "received_on", "due_on", "by", "document", "receipt", "is_withdrawn", "answers")
    return {
        **_plain(submission, *names),
        "files": [_plain(each, "name", "hash", "size", "media_type") for each in files],
        "reviews": [_plain(each, "verdict", "reason", "due_on", "does_not_count", "at", "by") for each in reviews],
    }


def _plain(row: Any, *names: str) -> dict[str, object]:
    """These columns; days and moments as ISO text."""
    values = ((name, getattr(row, name)) for name in names)
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in values}

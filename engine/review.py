"""The receiver accepts a version, sends it back with a reason, or undoes an acceptance."""

from datetime import date, datetime

from sqlmodel import Session

from dondoc.clock import today
from engine.close import finish, has_ended, take_up
from engine.errors import RefusedError
from engine.extend import check_not_too_far, move_to
from engine.submit import latest, locked, verdict
from engine.tell import tell_contacts
from models.cycle import Cycle
from models.deadline import Deadline, Origin
from models.entry import append
from models.notice import NoticeKind
from models.submission import Review, ReviewVerdict
from models.task import OWING, Act, Task, TaskState
from schedules.plan import Rung


def accept(session: Session, task_id: int, *, by: str, now: datetime, note: str | None = None) -> Task:
    """Accepts the version that waits; the cycle closes when it was the last one."""
    task = locked(session, task_id)
    task.expect(Act.ACCEPT)
    submission = latest(session, task)
    task.move(Act.ACCEPT, now)
    session.add(Review(submission_id=submission.id, verdict=ReviewVerdict.ACCEPTED, reason=note, at=now, by=by))
    session.add(task)
    entry = append(
        session,
        "accepted",
        by=by,
        at=now,
        task_id=task.id,
        cycle_id=task.cycle_id,
        number=submission.number,
        late=task.is_late,
    )
    due_on = session.get_one(Deadline, task.deadline_id).due_on
    tell_contacts(session, task, Rung.UNIT_CONTACT, NoticeKind.ACCEPTED, f"entry:{entry.id}", due_on, now)
    finish(session, session.get_one(Cycle, task.cycle_id), now)
    return task


def send_back(
    session: Session,
    task_id: int,
    *,
    by: str,
    reason: str,
    due_on: date | None,
    now: datetime,
    zone: str,
    does_not_count: bool = False,
) -> Task:
    """Returns the version that waits. A new due day moves the task to a deadline of its own, never to an earlier one.

    Without one the old day stays; when that has passed already, a new day is asked for, since the unit could not be
    on time any more. `does_not_count`: no report at all ("không tính là đã nộp"), so no new day is owed for it, unless
    the end has come: then the unit could not answer at all.
    """
    on = today(now, zone)
    if not reason.strip():
        raise RefusedError("refused.no_reason")
    task = locked(session, task_id)
    deadline = session.get_one(Deadline, task.deadline_id)
    task.expect(Act.RETURN)
    if due_on is not None and due_on < on:
        raise RefusedError("refused.due_in_past", on=due_on)
    if due_on is not None and due_on < deadline.due_on:
        raise RefusedError("refused.due_sooner", on=due_on, due_on=deadline.due_on)
    if due_on is not None:
        check_not_too_far(due_on, deadline.due_on)
    last_on = deadline.grace_until if does_not_count else deadline.due_on
    if due_on is None and last_on is not None and last_on < on:
        raise RefusedError("refused.return_needs_day", on=last_on)
    submission = latest(session, task)
    task.move(Act.RETURN, now)
    task.returns += 1
    session.add(
        Review(
            submission_id=submission.id,
            verdict=ReviewVerdict.RETURNED,
            reason=reason.strip(),
            due_on=due_on,
            does_not_count=does_not_count,
            at=now,
            by=by,
        )
    )
    if due_on is not None and (due_on != deadline.due_on or deadline.due_at is not None):
        deadline = move_to(
            session, task, Origin.RETURN, due_on, reason=reason, document=None, by=by, now=now, zone=zone
        )
    task.is_late = verdict(session, task)
    session.add(task)
    entry = append(
        session,
        "returned",
        by=by,
        at=now,
        task_id=task.id,
        cycle_id=task.cycle_id,
        number=submission.number,
        reason=reason.strip(),
        due_on=deadline.due_on.isoformat(),
        does_not_count=does_not_count,
    )
    tell_contacts(session, task, Rung.UNIT_CONTACT, NoticeKind.RETURNED, f"entry:{entry.id}", deadline.due_on, now)
    return task


def reopen(session: Session, task_id: int, *, by: str, reason: str, now: datetime) -> Task:
    """Undoes an acceptance (the version waits again) or an exemption (the unit owes again).

    A unit that owes again after the end has missed it; an extension unlocks that.
    """
    if not reason.strip():
        raise RefusedError("refused.no_reason")
    task = locked(session, task_id)
    was = task.state
    task.move(Act.REOPEN, now)
    if was == TaskState.ACCEPTED:
        submission = latest(session, task)
        session.add(
            Review(submission_id=submission.id, verdict=ReviewVerdict.REOPENED, reason=reason.strip(), at=now, by=by)
        )
    cycle = session.get_one(Cycle, task.cycle_id)
    take_up(session, cycle, task.deadline_id, now)
    if task.state in OWING and has_ended(session, task.deadline_id, now):
        task.move(Act.MISS, now)
    session.add(task)
    append(
        session,
        "reopened",
        by=by,
        at=now,
        task_id=task.id,
        cycle_id=task.cycle_id,
        was=was,
        now=task.state,
        reason=reason.strip(),
    )
    finish(session, cycle, now)
    return task

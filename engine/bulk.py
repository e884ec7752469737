"""One act on many tasks: it does exactly what was shown, or nothing and shows what has changed."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, insert
from sqlmodel import Session, col, select

from dondoc.clock import today
from engine.access import Actor
from engine.acknowledge import check_day, check_words, entry_of, hold
from engine.close import finish, take_up
from engine.effect import BulkAct, Effect, Params, Row, preview, versions
from engine.errors import RefusedError
from engine.extend import deadline_on, grant_wishes
from models.cycle import Cycle
from models.deadline import Deadline, Origin
from models.entry import Entry, append, append_all
from models.extension import Exemption, Extension
from models.notice import Notice, NoticeKind
from models.submission import Review, ReviewVerdict
from models.task import Act, TaskState
from schedules.plan import Rung

MAX_TEXT: Final = 2_000  #: characters of a reason: it stands in one entry for each task
#: How the journal calls the act on the whole set; each task has its own entry too, but for a reminder.
SET_ACTS: Final = {
    BulkAct.REMIND: "reminded",
    BulkAct.ACCEPT: "accepted_many",
    BulkAct.EXTEND: "extended_many",
    BulkAct.EXEMPT: "exempted_many",
    BulkAct.ACKNOWLEDGE: "acknowledged_many",
}
_RECENT: Final = 200  #: entries in which the first of two taps is looked for


class EffectChangedError(RefusedError):
    """What would happen now is not what was shown; nothing was written."""

    def __init__(self, effect: Effect) -> None:
        self.effect = effect
        super().__init__("refused.effect_changed")


@dataclass(frozen=True, slots=True)
class Decision:
    """Why, as every decided change needs it."""

    reason: str = ""
    document: str | None = None
    until: date | None = None  #: of "đã biết": its last day


def apply(
    session: Session,
    act: BulkAct,
    chosen: ColumnElement[bool],
    params: Params,
    decision: Decision,
    *,
    expected_hash: str,
    key: str,
    actor: Actor,
    now: datetime,
    zone: str,
) -> Entry:
    """Does it to every task that the effect does not skip; the entry of the whole. The same key again is the same act.

    Raises EffectChangedError when the effect is not the one whose hash was shown.
    """
    known = _by_key(session, key, actor.by) if key else None  # without one no tap is known to be the second
    if known is not None:
        return known
    _check(act, params, decision, today(now, zone))
    effect = preview(session, act, chosen, params, actor=actor, now=now, zone=zone)
    if effect.hash != expected_hash:
        raise EffectChangedError(effect)
    if not effect.done:
        raise RefusedError("refused.nothing_to_do")
    return _DO[act](session, effect, decision, key, actor.by, now, zone)


def _check(act: BulkAct, params: Params, decision: Decision, on: date) -> None:
    if act in (BulkAct.EXTEND, BulkAct.EXEMPT) and not decision.reason.strip():
        raise RefusedError("refused.no_reason")
    if len(decision.reason) > MAX_TEXT:
        raise RefusedError("refused.too_many_words", limit=MAX_TEXT, got=len(decision.reason))
    if act is BulkAct.EXTEND and params.due_on is None:
        raise RefusedError("form.day_missing")
    if act is BulkAct.ACKNOWLEDGE:
        if decision.until is None:
            raise RefusedError("form.day_missing")
        check_day(decision.until, on)
        check_words(decision.reason)


def _by_key(session: Session, key: str, by: str) -> Entry | None:
    query = select(Entry).order_by(col(Entry.id).desc()).limit(_RECENT)
    recent = (entry for entry in session.exec(query) if entry.act in SET_ACTS.values() and entry.by == by)
    return next((entry for entry in recent if entry.data.get("key") == key), None)


def _remind(
    session: Session, effect: Effect, _decision: Decision, key: str, by: str, now: datetime, _zone: str
) -> Entry:
    entry = _of_set(session, effect, effect.notices, key, by, now)
    cause = f"entry:{entry.id}"
    _tell(session, ((row, cause) for row in effect.done), NoticeKind.REMINDER, now)
    return entry


def _accept(
    session: Session, effect: Effect, _decision: Decision, key: str, by: str, now: datetime, _zone: str
) -> Entry:
    waiting = versions(session, effect)
    for row in effect.done:
        row.task.move(Act.ACCEPT, now)
        session.add(Review(submission_id=waiting[row.task.id].id, verdict=ReviewVerdict.ACCEPTED, at=now, by=by))
    told = _entries(
        session,
        "accepted",
        effect,
        lambda row: {"number": waiting[row.task.id].number, "late": row.task.is_late},
        by,
        now,
    )
    notices = _tell(session, told, NoticeKind.ACCEPTED, now)
    return _end(session, effect, notices, key, by, now)


def _extend(session: Session, effect: Effect, decision: Decision, key: str, by: str, now: datetime, zone: str) -> Entry:
    due_on = effect.params.due_on
    assert due_on is not None
    moved: dict[int, Deadline] = {}
    for row in effect.done:
        old, task = row.deadline, row.task
        task.move(Act.UNLOCK if task.state == TaskState.MISSED else Act.EXTEND, now)
        if old.id not in moved:
            moved[old.id] = deadline_on(session, row.cycle, old, Origin.EXTENSION, due_on, now, zone)
            take_up(session, row.cycle, moved[old.id].id, now)
        task.deadline_id = moved[old.id].id
        session.add(
            Extension(
                task_id=task.id,
                from_deadline_id=old.id,
                to_deadline_id=task.deadline_id,
                from_on=old.due_on,
                to_on=due_on,
                reason=decision.reason.strip(),
                document=decision.document,
                at=now,
                by=by,
            )
        )
    grant_wishes(session, [row.task.id for row in effect.done], by=by, now=now)
    words = {"due_on": due_on.isoformat(), "reason": decision.reason.strip(), "document": decision.document}
    told = _entries(session, "extended", effect, lambda row: {"was": row.deadline.due_on.isoformat(), **words}, by, now)
    notices = _tell(session, told, NoticeKind.EXTENSION_DECIDED, now, due_on)
    return _end(session, effect, notices, key, by, now, due_on=due_on.isoformat(), reason=words["reason"])


def _exempt(
    session: Session, effect: Effect, decision: Decision, key: str, by: str, now: datetime, _zone: str
) -> Entry:
    reason, document = decision.reason.strip(), decision.document
    for row in effect.done:
        row.task.move(Act.EXEMPT, now)
        session.add(Exemption(task_id=row.task.id, reason=reason, document=document, at=now, by=by))
    _entries(session, "exempted", effect, lambda _row: {"reason": reason, "document": document}, by, now)
    return _end(session, effect, 0, key, by, now, reason=reason)


def _acknowledge(
    session: Session, effect: Effect, decision: Decision, key: str, by: str, now: datetime, zone: str
) -> Entry:
    until = decision.until
    assert until is not None
    tasks = [row.task for row in effect.done]
    said = {
        each.task_id: entry_of(each)
        for each in hold(session, tasks, until=until, note=decision.reason, by=by, now=now, zone=zone)
    }
    _entries(session, "acknowledged", effect, lambda row: said[row.task.id], by, now)
    return _of_set(session, effect, 0, key, by, now, until=until.isoformat())


_DO: Final[Mapping[BulkAct, Callable[..., Entry]]] = {
    BulkAct.REMIND: _remind,
    BulkAct.ACCEPT: _accept,
    BulkAct.EXTEND: _extend,
    BulkAct.EXEMPT: _exempt,
    BulkAct.ACKNOWLEDGE: _acknowledge,
}


def _entries(
    session: Session, act: str, effect: Effect, data: Callable[[Row], Mapping[str, Any]], by: str, now: datetime
) -> list[tuple[Row, str]]:
    """The entry that each task has of its own, as if it had been decided alone; each row with its cause."""
    session.flush()
    of = [(row.task.id, row.cycle.id, data(row)) for row in effect.done]
    entries = append_all(session, act, of, by=by, at=now)
    return [(row, f"entry:{entry.id}") for row, entry in zip(effect.done, entries, strict=True)]


def _tell(
    session: Session, told: Iterable[tuple[Row, str]], kind: NoticeKind, now: datetime, due_on: Any = None
) -> int:
    notices = [
        {
            "task_id": row.task.id,
            "contact_id": contact.id,
            "kind": kind.value,
            "rung": Rung.UNIT_CONTACT.value,
            "cause": cause,
            "due_on": due_on or row.deadline.due_on,
            "created_at": now,
        }
        for row, cause in told
        for contact in row.to_tell
    ]
    if notices:
        session.connection().execute(insert(Notice), notices)
    return len(notices)


def _end(session: Session, effect: Effect, notices: int, key: str, by: str, now: datetime, **more: object) -> Entry:
    """The entry of the whole; cycles close in which nothing is left."""
    entry = _of_set(session, effect, notices, key, by, now, **more)
    cycles: dict[int, Cycle] = {row.cycle.id: row.cycle for row in effect.done}
    for cycle in cycles.values():
        finish(session, cycle, now)
    return entry


def _of_set(session: Session, effect: Effect, notices: int, key: str, by: str, now: datetime, **more: object) -> Entry:
    only = effect.done[0] if len(effect.done) == 1 else None
    return append(
        session,
        SET_ACTS[effect.act],
        by=by,
        at=now,
        task_id=only.task.id if only and effect.act is BulkAct.REMIND else None,
        cycle_id=only.cycle.id if only and effect.act is BulkAct.REMIND else None,
        tasks=len(effect.done),
        skipped=len(effect.skipped),
        notices=notices,
        effect=effect.hash,
        key=key,
        **more,
    )

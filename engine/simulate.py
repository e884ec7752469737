"""What would happen? A plan, lived through on a virtual clock in a scratch database by units whose doings are drawn.

The engine itself opens, fires, returns, extends and closes, and the stages of notifications say what would be one
message. Only what nearly every unit does, handing in and being accepted, is written for all units of a moment at once;
a test holds that to the acts one by one. Nothing is rendered and nothing is sent.
"""

import hashlib
import heapq
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import IntEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from sqlalchemy import and_, bindparam, event, exists, false, insert, literal, select, update
from sqlalchemy.orm import aliased
from sqlmodel import Session, SQLModel, col

from dondoc.clock import moment, today
from dondoc.database import Database, insert_new
from engine import extend, habits, review
from engine.close import finish
from engine.fire import NOTICE_COLUMNS, fire
from engine.open import open_due
from engine.plans import stuck
from engine.revise import apply_calendar, apply_plan
from models.address import Address
from models.contact import Contact, Role, holding
from models.cycle import Cycle
from models.deadline import Deadline
from models.entry import append
from models.message import Message, MessageState
from models.milestone import MilestoneDay
from models.notice import Notice, NoticeKind, next_free
from models.plan import Revision, active
from models.step import next_step
from models.submission import Review, ReviewVerdict, Submission, Way
from models.task import TRANSITIONS, UNFINISHED, Act, Task, TaskState
from models.unit import Placement, Unit, UnitTag
from notifications.deliver import CONTACTS
from notifications.item import Office
from notifications.pace import Pace
from notifications.pipeline import Batch, Bundle, stages
from notifications.waiting import read_waiting
from schedules.calendars import Calendar
from schedules.plan import Offset, Rung

HANDED_IN_AT: Final = "10:00"  #: hour of the working day at which units hand in
DECIDED_AT: Final = "15:00"  #: hour at which receivers review and offices extend
MANY: Final = 5_000  #: tasks in one statement: SQLite allows 32,766 parameters
ONE_DAY: Final = timedelta(days=1)
Report = Callable[[date], None]

_ONE: Final = update(Notice).where(col(Notice.id) == bindparam("of"))
_DROP: Final = _ONE.values(dropped=bindparam("to"))
_HOLD: Final = _ONE.values(held=bindparam("to"), held_until=bindparam("until"))
_TELL: Final = _ONE.values(message_id=bindparam("to"))
_MESSAGES: Final = (
    insert(Message)
    .values(state=MessageState.SENT.value, subject="", text="", html="", tries=0)
    .returning(col(Message.id), sort_by_parameter_order=True)
)
_OTHER: Final = aliased(Task)
_UNFINISHED: Final = exists().where(
    col(_OTHER.cycle_id) == col(Task.cycle_id), col(_OTHER.state).in_([state.value for state in UNFINISHED])
)


class Doing(IntEnum):
    """What units and their receivers do; at the same moment in this order."""

    EXTEND = 1
    HAND_IN = 2
    REVIEW = 3


@contextmanager
def scratch() -> Iterator[Database]:
    """An empty database of the newest tables in a temporary folder, which is gone afterwards."""
    with TemporaryDirectory(prefix="dondoc-") as folder:
        database = Database(f"sqlite:///{Path(folder) / 'scratch.sqlite'}")
        event.listen(database.engine, "connect", _keep_in_memory)
        try:
            database.upgrade()
            yield database
        finally:
            database.close()


def settle(
    session: Session,
    text: bytes,
    name: str,
    calendar: Calendar,
    units: Callable[[Session, datetime], object],
    *,
    first: date,
    zone: str,
) -> Revision:
    """Brings in what a life needs, as if the plan were adopted on the morning of `first`. `units` brings the units in.

    What the engine refuses (no such issuer, bad lines of units) is refused here as well.
    """
    now = moment(first, "00:00", zone)
    units(session, now)
    apply_calendar(session, calendar, by="office", now=now)
    return apply_plan(session, text, name, by="office", now=now, zone=zone)


def copy_units(office: Session, here: Session) -> None:
    """The units of an office, with all their places, contacts and ways to reach them, as it has them."""
    for table in (Unit, UnitTag, Placement, Contact, Address):
        _copy(here, table, office.execute(select(_table(table))).mappings())


def copy_milestones(office: Session, here: Session, of_plan: int, plan_id: int) -> None:
    """The days of a plan's milestones that an office has entered, as far as the units are there too."""
    entered = select(MilestoneDay, col(Unit.code)).join(Unit, col(Unit.id) == col(MilestoneDay.unit_id), isouter=True)
    ids = dict(here.execute(select(col(Unit.code), col(Unit.id))).tuples().all())
    for day, code in office.execute(entered.where(col(MilestoneDay.plan_id) == of_plan)):
        if code is None or code in ids:
            own = {"id": None, "plan_id": plan_id, "unit_id": ids.get(code)}
            _copy(here, MilestoneDay, [day.model_dump() | own])


def live(
    session: Session, calendar: Calendar, *, first: date, last: date, seed: int, zone: str, pace: Pace, report: Report
) -> None:
    """Lives from the first moment of `first` to the end of `last`, moment by moment; the rows tell what happened.

    The messages go out at the office's `pace`, by the ways of each contact that the rows have.
    The session holds the units and one applied plan, and nothing was opened yet. `report` is told each day of a
    round. The same rows and the same seed make the same life. Raises RefusedError for a plan without valid dates.
    """
    for _, error in stuck(session):
        raise error
    life = _Life(session, calendar, seed, zone, pace, frozenset(session.scalars(select(col(Address.channel)))))
    now, end = moment(first, "00:00", zone), moment(last + ONE_DAY, "00:00", zone)
    while now < end:
        report(today(now, zone))
        life.act(now)
        life.round(now)
        now = life.next_moment(now, end)


@dataclass
class _Life:
    session: Session
    calendar: Calendar
    seed: int
    zone: str
    pace: Pace
    channels: frozenset[str]  #: beside e-mail
    #: when who does what: the moments in order, and the tasks of each
    moments: list[tuple[datetime, Doing]] = field(default_factory=list)
    tasks: defaultdict[tuple[datetime, Doing], list[int]] = field(default_factory=lambda: defaultdict(list))
    #: what a task's draws are made from: its unit, obligation and period, never its number
    names: dict[int, str] = field(default_factory=dict)
    seen: int = 0

    def round(self, now: datetime) -> None:
        """As engine.round, up to the messages; nobody else is there, so that one transaction does for all."""
        if open_due(self.session, now, self.zone).tasks:
            self.look_ahead(now)
        fire(self.session, now, self.zone)
        bundle_waiting(self.session, Office("email", "", "", self.zone, now, self.channels, pace=self.pace))

    def next_moment(self, now: datetime, end: datetime) -> datetime:
        """When something is next: a step, an opening, a notice that was held, or a unit or an office that acts."""
        step = self.session.execute(next_step(now)).first()
        opening = min(revision.next_open_on for revision in self.session.scalars(active()))
        found = [moment(opening, "00:00", self.zone)] if opening < today(end, self.zone) else []
        found += [step[0].at] if step is not None else []
        free_at = self.session.scalar(next_free(now))
        found += [free_at] if free_at is not None else []
        found += [self.moments[0][0]] if self.moments else []
        return min([*found, end])

    def look_ahead(self, now: datetime) -> None:
        """Draws what each newly opened task's unit will do."""
        opened = (
            select(col(Task.id), col(Unit.code), col(Cycle.obligation), col(Cycle.period), col(Deadline.due_on))
            .join(Unit, col(Unit.id) == col(Task.unit_id))
            .join(Cycle, col(Cycle.id) == col(Task.cycle_id))
            .join(Deadline, col(Deadline.id) == col(Task.deadline_id))
            .where(col(Task.id) > self.seen)
            .order_by(col(Task.id))
        )
        for task_id, unit, obligation, period, due_on in self.session.execute(opened).all():
            self.seen = task_id
            self.names[task_id] = f"{unit}:{obligation}:{period}"
            is_slow = self.draw(unit) % 100 < habits.SLOW
            share, days = self.draw(self.names[task_id]) % 100, self.draw(self.names[task_id], "days")
            silent, late, longer = habits.SHARES[is_slow]
            if share < silent:
                continue
            if share < late:
                self.plan(Doing.HAND_IN, task_id, self.working(due_on, 1 + days % habits.LATE), now)
            elif share < longer:
                self.plan(Doing.EXTEND, task_id, self.working(due_on, -2), now)
            else:
                self.plan(Doing.HAND_IN, task_id, self.working(due_on, -(days % habits.EARLY)), now)

    def plan(self, doing: Doing, task_id: int, day: date, after: datetime) -> None:
        """Puts down what will be done on a day, or, when that is over, on the next working day."""
        hour = HANDED_IN_AT if doing is Doing.HAND_IN else DECIDED_AT
        at = moment(max(day, self.working(today(after, self.zone), 0)), hour, self.zone)
        if at <= after:
            at = moment(self.working(today(after, self.zone), 1), hour, self.zone)
        if (at, doing) not in self.tasks:
            heapq.heappush(self.moments, (at, doing))
        self.tasks[at, doing].append(task_id)

    def working(self, day: date, count: int) -> date:
        """The working day so far from `day`; 0 is the day itself, or the last one before a day off."""
        if count == 0 and not self.calendar.is_working(day):
            count = -1
        return self.calendar.after(day, Offset(count, working=True))

    def draw(self, *parts: str) -> int:
        """A number that depends on nothing but the seed and the words."""
        text = ":".join([str(self.seed), *parts])
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big")

    def act(self, now: datetime) -> None:
        while self.moments and self.moments[0][0] <= now:
            key = heapq.heappop(self.moments)
            tasks = self.tasks.pop(key)
            match key[1]:
                case Doing.EXTEND:
                    self.extend(tasks, now)
                case Doing.HAND_IN:
                    self.hand_in(tasks, now)
                case Doing.REVIEW:
                    self.review(tasks, now)

    def hand_in(self, tasks: Sequence[int], now: datetime) -> None:
        for task_id in hand_in_all(self.session, tasks, now, self.zone):
            days = 1 + self.draw(self.names[task_id], "review") % habits.REVIEWED
            self.plan(Doing.REVIEW, task_id, self.working(today(now, self.zone), days), now)

    def review(self, tasks: Sequence[int], now: datetime) -> None:
        """Most are accepted; a few are returned once, to be handed in again by a Friday that all of a week share."""
        on, accepted = today(now, self.zone), []
        friday = on + timedelta(days=7 + (4 - on.weekday()) % 7)
        for task_id in tasks:
            draw = self.draw(self.names[task_id], "verdict")
            if draw % 100 >= habits.RETURNED or self.session.get_one(Task, task_id).returns:
                accepted.append(task_id)
                continue
            due_on = self.due_on(task_id)
            new = None if due_on >= friday else friday
            review.send_back(self.session, task_id, by="office", reason="returned", due_on=new, now=now, zone=self.zone)
            if draw // 100 % 20:  # one in twenty is never heard of again
                self.plan(Doing.HAND_IN, task_id, self.working(on, 1 + draw // 2000 % 9), now)
        accept_all(self.session, accepted, now)

    def extend(self, tasks: Sequence[int], now: datetime) -> None:
        """Ten working days more, decided shortly before the due day; where that has passed, the unit is just late."""
        for task_id in tasks:
            due_on = self.due_on(task_id)
            later = self.working(due_on, 10)
            if due_on >= today(now, self.zone):
                extend.extend(
                    self.session, task_id, by="office", due_on=later, reason="extended", document=None, now=now,
                    zone=self.zone,
                )  # fmt: skip
            self.plan(Doing.HAND_IN, task_id, self.working(later, -(self.draw(self.names[task_id], "later") % 8)), now)

    def due_on(self, task_id: int) -> date:
        return self.session.get_one(Deadline, self.session.get_one(Task, task_id).deadline_id).due_on


def hand_in_all(session: Session, task_ids: Sequence[int], now: datetime, zone: str) -> list[int]:
    """As engine.submit for each of the tasks; one Entry for all. Says which: not those that are missed by now."""
    on, handed_in = today(now, zone), []
    may = [state.value for state, acts in TRANSITIONS.items() if Act.SUBMIT in acts]
    query = (
        select(col(Task.id), col(Task.versions), col(Task.is_late), col(Deadline.due_on))
        .join(Deadline, col(Deadline.id) == col(Task.deadline_id))
        .where(col(Task.state).in_(may))
        .order_by(col(Task.id))
    )
    submissions: list[dict[str, Any]] = []
    changes: list[dict[str, Any]] = []
    for some in _parts(task_ids):
        for task_id, versions, is_late, due_on in session.execute(query.where(col(Task.id).in_(some))):
            handed_in.append(task_id)
            key = f"simulated:{task_id}:{versions + 1}"
            submissions.append(
                {"task_id": task_id, "number": versions + 1, "way": Way.LINK, "at": now, "received_on": on,
                 "due_on": due_on, "by": "system", "answers": {}, "key": key, "receipt": key, "is_withdrawn": False}
            )  # fmt: skip
            changes.append({"of": task_id, "number": versions + 1, "late": bool(is_late) or on > due_on})
    if handed_in:
        connection = session.connection()
        connection.execute(insert(Submission), submissions)
        connection.execute(
            update(Task)
            .where(col(Task.id) == bindparam("of"))
            .values(
                state=TaskState.SUBMITTED.value, versions=bindparam("number"), is_late=bindparam("late"), changed_at=now
            ),
            changes,
        )
        entry = append(session, "submitted", by="system", at=now, tasks=len(handed_in))
        _tell_all(session, handed_in, NoticeKind.RECEIPT, f"entry:{entry.id}", now)
        session.expire_all()
    return handed_in


def accept_all(session: Session, task_ids: Sequence[int], now: datetime) -> None:
    """As engine.review.accept for each of the tasks, whose last version waits; one Entry for all."""
    if not task_ids:
        return
    connection = session.connection()
    is_last = and_(col(Task.id) == col(Submission.task_id), col(Task.versions) == col(Submission.number))
    last = select(
        col(Submission.id),
        literal(ReviewVerdict.ACCEPTED.value),
        false(),
        literal(now, Review.__table__.c.at.type),  # type: ignore[attr-defined]
        literal("office"),
    ).join(Task, is_last)
    columns = ["submission_id", "verdict", "does_not_count", "at", "by"]
    for some in _parts(task_ids):
        connection.execute(insert(Review).from_select(columns, last.where(col(Task.id).in_(some))))
        connection.execute(
            update(Task).where(col(Task.id).in_(some)).values(state=TaskState.ACCEPTED.value, changed_at=now)
        )
    entry = append(session, "accepted", by="office", at=now, tasks=len(task_ids))
    _tell_all(session, task_ids, NoticeKind.ACCEPTED, f"entry:{entry.id}", now)
    session.expire_all()
    finished: set[int] = set()
    for some in _parts(task_ids):
        over = select(col(Task.cycle_id)).where(col(Task.id).in_(some), ~_UNFINISHED).distinct()
        finished.update(session.scalars(over))
    for cycle_id in sorted(finished):
        finish(session, session.get_one(Cycle, cycle_id), now)


def bundle_waiting(session: Session, office: Office) -> None:
    """As notifications.deliver.queue: the same are dropped, the same held, the same make one message without a text."""
    after = 0
    while waiting := read_waiting(session, after, CONTACTS, office.now):
        after = waiting[-1].contact.id
        batch = Batch(tuple(Bundle(each.contact, (each,)) for each in waiting))
        for stage in stages(office)[:-1]:  # all but rendering
            batch = stage(batch)
        _write(session, batch, office.now)
        if len({each.contact.id for each in waiting}) < CONTACTS:
            return


def _write(session: Session, batch: Batch, now: datetime) -> None:
    connection = session.connection()
    if batch.dropped:
        dropped = [{"of": each.notice_id, "to": each.why} for each in batch.dropped]
        connection.execute(_DROP, dropped)
    if batch.held:
        held = [{"of": each.notice_id, "to": each.hold.why, "until": each.hold.until} for each in batch.held]
        connection.execute(_HOLD, held)
    if batch.bundles:
        messages = [
            {"contact_id": each.contact.id, "channel": each.channel, "account": each.account, "address": each.address,
             "reference": each.reference, "is_urgent": each.is_urgent, "created_at": now, "try_after": now}
            for each in batch.bundles
        ]  # fmt: skip
        ids = connection.execute(_MESSAGES, messages).scalars().all()
        told = [
            {"of": waiting.notice.id, "to": message_id}
            for message_id, each in zip(ids, batch.bundles, strict=True)
            for waiting in each.waiting
        ]
        connection.execute(_TELL, told)


def _tell_all(session: Session, task_ids: Sequence[int], kind: NoticeKind, cause: str, now: datetime) -> None:
    """As engine.tell for each of the tasks: the reachable contacts of its unit."""
    for some in _parts(task_ids):
        who = (
            holding(Role.CONTACT)
            .join(Task, col(Task.unit_id) == col(Contact.unit_id))
            .join(Deadline, col(Deadline.id) == col(Task.deadline_id))
            .where(col(Task.id).in_(some))
            .order_by(col(Task.id), col(Contact.id))
            .with_only_columns(
                col(Task.id),
                col(Contact.id),
                literal(kind.value),
                literal(Rung.UNIT_CONTACT.value),
                literal(cause),
                col(Deadline.due_on),
                literal(now, Notice.__table__.c.created_at.type),  # type: ignore[attr-defined]
            )
        )
        insert_new(session, Notice, NOTICE_COLUMNS, who, unless=("task_id", "contact_id", "cause"))


def _parts(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    return (ids[start : start + MANY] for start in range(0, len(ids), MANY))


def _table(model: type[SQLModel]) -> Any:
    return model.__table__  # type: ignore[attr-defined]


def _copy(session: Session, table: type[SQLModel], rows: Iterable[Mapping[Any, Any]]) -> None:
    values = [dict(row) for row in rows]
    if values:
        session.connection().execute(insert(table), values)


def _keep_in_memory(connection: Any, _record: object) -> None:
    """A crash loses nothing that anybody would look for: the disk is not waited for."""
    connection.execute("PRAGMA synchronous = off")
    connection.execute("PRAGMA journal_mode = memory")

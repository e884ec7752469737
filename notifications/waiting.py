"""What waits to be told? The notices without a message, each with the rows that its text is made of."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any, Final, TypeVar

from sqlalchemy import ColumnElement, Row, and_, exists, func, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from dondoc.alphabet import order
from models.acknowledgement import holding_on
from models.address import Address, AddressState
from models.ask import AskState, ExtensionAsk
from models.contact import Contact
from models.cycle import Cycle
from models.day import calendar_of
from models.deadline import Deadline, Origin
from models.entry import Entry
from models.extension import Extension
from models.message import Message, MessageState
from models.notice import FROM_STEP, NO_WAY, Notice, NoticeKind, is_free
from models.plan import Revision, parsed
from models.step import Step, StepKind, StepState
from models.submission import Review, ReviewVerdict, Submission, SubmissionFile
from models.task import OWING, Task, TaskState
from models.unit import Placement, Unit, units_above
from notifications.moved import Before, known_before
from schedules.calendars import Calendar
from schedules.plan import Offset, Text

_Row = TypeVar("_Row", Submission, Review, Extension)

#: The kinds that ask for something, the less urgent first.
ASKING: Final = (
    NoticeKind.OPENED,
    NoticeKind.REMINDER,
    NoticeKind.DUE_TODAY,
    NoticeKind.OVERDUE,
    NoticeKind.ESCALATION,
)
ONE_DAY: Final = timedelta(days=1)
LOOKS_BACK: Final = timedelta(days=8)  #: the seven days of a budget, whatever the hour
OWN: Final = "unit."  #: how the rungs begin in which the unit that owes is told itself
_BY_ENTRY: Final = (NoticeKind.CANCELLED, NoticeKind.DATE_MOVED)  #: whose reason the journal has
_MOVED: Final = (NoticeKind.EXTENSION_DECIDED, NoticeKind.DATE_MOVED)


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that the contact had, whatever came of it. `is_digest`: it told what the calendar says, in no haste."""

    at: datetime
    is_digest: bool


@dataclass(frozen=True, slots=True)
class Above:
    """What the reports of the units above in the same cycle wait for."""

    is_under_review: bool = False  #: one was handed in and not yet reviewed
    more: timedelta = timedelta()  #: how much later one of them may be, by all extensions of it
    ends_at: datetime | None = None  #: when what is asked is missed


NOTHING_ABOVE: Final = Above()


@dataclass(frozen=True, slots=True)
class Below:
    """The rung before one that is told above the unit, as far as the task has one that anybody can be told of."""

    told_at: datetime | None  #: None: it waits itself
    patience: Offset  #: how long after it the next one was planned


@dataclass(frozen=True, slots=True)
class Dead:
    """Whose address was refused for good."""

    unit_id: int
    unit: str
    person: str
    address: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """One notice and what it tells of, as the rows were when it was read. Detached: nothing here is written back."""

    notice: Notice
    contact: Contact
    contact_unit: Unit
    task: Task
    unit: Unit
    deadline: Deadline
    cycle: Cycle
    office: Unit  #: the issuer: the message speaks for it
    calendar: Calendar
    document: Text  #: what the plan carries out
    next_step: Step | None = None  #: the escalation that comes next
    submission: Submission | None = None  #: of a receipt: the version that came in
    files: tuple[SubmissionFile, ...] = ()
    review: Review | None = None  #: of a return: its reason
    extension: Extension | None = None  #: of a moved date
    refused: ExtensionAsk | None = None  #: of a wish for more time that was not granted
    ways: tuple[Address, ...] = ()  #: other than e-mail that work, in the contact's order
    sent: tuple[Sent, ...] = ()  #: to the contact in the last days, as far as budgets look back
    above: Above = NOTHING_ABOVE
    below: Below | None = None
    known_until: date | None = None  #: of an escalation: somebody has said "đã biết" up to and including this day
    dead: Dead | None = None  #: of an address that has to be mended
    why: str | None = None  #: of work that nobody asks for any more, or of a day that moved
    before: Before | None = None  #: of a day that moved: what its reader knows

    @property
    def is_own(self) -> bool:
        """Told as the unit that owes, not as somebody above it."""
        return self.notice.rung.startswith(OWN)

    @property
    def is_taken(self) -> bool:
        """Told as a unit that owed it, by now another does."""
        return self.is_own and self.contact.unit_id != self.task.unit_id

    @property
    def is_of_calendar(self) -> bool:
        """Said by the calendar, not by what somebody did or decided."""
        return self.notice.cause.startswith(FROM_STEP)


def read_waiting(session: Session, after: int, contacts: int, now: datetime) -> list[Waiting]:
    """What is free to be told to the next so many contacts whose ids come after `after`, contact by contact."""
    free = is_free(now)
    ids = session.scalars(
        select(col(Notice.contact_id))
        .where(free, col(Notice.contact_id) > after)
        .distinct()
        .order_by(col(Notice.contact_id))
        .limit(contacts)
    ).all()
    if not ids:
        return []
    return _read(session, and_(free, col(Notice.contact_id) > after, col(Notice.contact_id) <= ids[-1]), now)


def read_told(session: Session, notice_ids: Sequence[int], now: datetime) -> list[Waiting]:
    """Notices that may long have been told, as if they waited still."""
    return _read(session, col(Notice.id).in_(notice_ids), now)


def _read(session: Session, chosen: ColumnElement[bool], now: datetime) -> list[Waiting]:
    own, office = aliased(Unit), aliased(Unit)
    rows = session.execute(
        select(Notice, Contact, own, Task, Unit, Deadline, Cycle, office)
        .join(Contact, col(Contact.id) == col(Notice.contact_id))
        .join(own, own.id == col(Contact.unit_id))  # type: ignore[arg-type]
        .join(Task, col(Task.id) == col(Notice.task_id))
        .join(Unit, col(Unit.id) == col(Task.unit_id))
        .join(Deadline, col(Deadline.id) == col(Task.deadline_id))
        .join(Cycle, col(Cycle.id) == col(Task.cycle_id))
        .join(office, office.id == col(Cycle.issuer_id))  # type: ignore[arg-type]
        .where(chosen)
    ).all()
    rows = sorted(rows, key=_place)
    kinds, ids = {notice.kind for notice, *_ in rows}, sorted({notice.contact_id for notice, *_ in rows})
    submissions = _by_task(session, Submission, chosen, (NoticeKind.RECEIPT,), kinds)
    returns = _by_task(session, Review, chosen, (NoticeKind.RETURNED,), kinds)
    extensions = _by_task(session, Extension, chosen, _MOVED, kinds)
    refusals = _refusals(session, chosen, kinds)
    files = _files(session, chosen) if submissions else {}
    ways = _ways(session, ids)
    sent = _sent(session, ids, now)
    above = _above(session, rows)
    known = _known(session, rows, now)
    dead = _dead(session, [notice for notice, *_ in rows if notice.kind == NoticeKind.BOUNCED])
    whys = _whys(session, [notice for notice, *_ in rows if notice.kind in _BY_ENTRY])
    before = known_before(session, [(row.Notice, row.Deadline) for row in rows], extensions)
    steps = _next_steps(session, chosen, now)
    revisions = {id_: session.get_one(Revision, id_) for id_ in {cycle.revision_id for *_, cycle, _ in rows}}
    calendars = {id_: calendar_of(session, revision.calendar) for id_, revision in revisions.items()}
    below = _below(session, rows, chosen, calendars)
    documents = {id_: parsed(revision.text).document for id_, revision in revisions.items()}
    waiting = []
    for notice, contact, contact_unit, task, unit, deadline, cycle, issuer in rows:
        submission = _latest(submissions[task.id], notice) if notice.kind == NoticeKind.RECEIPT else None
        waiting.append(
            Waiting(
                notice,
                contact,
                contact_unit,
                task,
                unit,
                deadline,
                cycle,
                issuer,
                calendars[cycle.revision_id],
                documents[cycle.revision_id],
                steps.get(deadline.id),
                submission,
                files.get(submission.id, ()) if submission is not None else (),
                _latest(returns[task.id], notice) if notice.kind == NoticeKind.RETURNED else None,
                _latest(extensions[task.id], notice) if notice.kind in _MOVED else None,
                refusals.get((task.id, notice.created_at)) if notice.kind == NoticeKind.EXTENSION_DECIDED else None,
                ways.get(contact.id, ()),
                sent.get(contact.id, ()),
                above.get(task.id, NOTHING_ABOVE),
                below.get(notice.id),
                known.get(task.id) if notice.kind == NoticeKind.ESCALATION else None,
                dead.get(notice.cause),
                whys.get(notice.cause),
                before.get(notice.id),
            )
        )
    return waiting


def _place(row: Row[Any]) -> tuple[object, ...]:
    """Contact by contact, what is due first before, names as on the pages; no database has the alphabet by itself."""
    notice, _, _, _, unit, deadline, cycle, _ = row
    return notice.contact_id, deadline.due_on, cycle.id, order(unit.name), notice.id


def _ways(session: Session, contact_ids: Sequence[int]) -> dict[int, tuple[Address, ...]]:
    query = (
        select(Address)
        .where(col(Address.contact_id).in_(contact_ids), col(Address.state) == AddressState.WORKING.value)
        .order_by(col(Address.contact_id), col(Address.place), col(Address.id))
    )
    found = groupby(session.scalars(query), lambda way: way.contact_id)
    return {contact_id: tuple(ways) for contact_id, ways in found}


def _dead(session: Session, notices: Sequence[Notice]) -> dict[str, Dead]:
    """By the cause of the notice, an entry of the journal, which names a message and has no personal data itself."""
    causes = {int(notice.cause.partition(":")[2]): notice.cause for notice in notices}
    if not causes:
        return {}
    entries = session.scalars(select(Entry).where(col(Entry.id).in_(causes))).all()
    told = {causes[entry.id]: entry.data["message"] for entry in entries}
    rows = session.execute(
        select(col(Message.id), col(Message.address), Contact, Unit)
        .join(Contact, col(Contact.id) == col(Message.contact_id))
        .join(Unit, col(Unit.id) == col(Contact.unit_id))
        .where(col(Message.id).in_(told.values()))
    ).all()
    by_message = {id_: Dead(unit.id, unit.name, contact.name, address) for id_, address, contact, unit in rows}
    return {cause: by_message[message_id] for cause, message_id in told.items()}


def _whys(session: Session, notices: Sequence[Notice]) -> dict[str, str]:
    """By the cause of the notice, an entry of the journal: the reason that was given, if it has one."""
    causes = {int(notice.cause.partition(":")[2]): notice.cause for notice in notices}
    entries = session.scalars(select(Entry).where(col(Entry.id).in_(causes))).all() if causes else ()
    said = {causes[entry.id]: entry.data.get("reason") or entry.data.get("note") for entry in entries}
    return {cause: why for cause, why in said.items() if why}


def _sent(session: Session, contact_ids: Sequence[int], now: datetime) -> dict[int, tuple[Sent, ...]]:
    """By contact; what stood in for a refused message is not counted again."""
    told = and_(
        ~col(Message.is_urgent),
        exists().where(col(Notice.message_id) == col(Message.id), col(Notice.cause).startswith(FROM_STEP)),
    )
    query = (
        select(col(Message.contact_id), col(Message.created_at), told)
        .where(
            col(Message.contact_id).in_(contact_ids),
            col(Message.created_at) > now - LOOKS_BACK,
            col(Message.instead_of).is_(None),
            col(Message.state) != MessageState.DROPPED.value,
        )
        .order_by(col(Message.contact_id))
    )
    found = groupby(session.execute(query).tuples(), lambda row: row[0])
    return {contact_id: tuple(Sent(at, is_digest) for _, at, is_digest in rows) for contact_id, rows in found}


def _above(session: Session, rows: Sequence[Row[Any]]) -> dict[int, Above]:
    """By task that something is asked of, as far as a unit above it has a report in the same cycle."""
    asked = {row.Task.id: row.Task for row in rows if row.Notice.kind in ASKING}
    if not asked:
        return {}
    placements = {task.placement_id for task in asked.values()}
    paths = dict(
        session.execute(select(col(Placement.id), col(Placement.path)).where(col(Placement.id).in_(placements)))
        .tuples()
        .all()
    )
    uppers = {task_id: units_above(paths[task.placement_id]) for task_id, task in asked.items()}
    given = aliased(Deadline)
    first = (
        select(func.min(Extension.from_on))
        .join(given, given.id == col(Extension.to_deadline_id))  # type: ignore[arg-type]
        .where(col(Extension.task_id) == col(Task.id), col(given.origin) == Origin.EXTENSION.value)
        .correlate(Task)
        .scalar_subquery()
    )
    query = (
        select(col(Task.cycle_id), col(Task.unit_id), col(Task.state), first, col(Deadline.due_on))
        .join(Deadline, col(Deadline.id) == col(Task.deadline_id))
        .where(
            col(Task.cycle_id).in_({task.cycle_id for task in asked.values()}),
            col(Task.unit_id).in_({unit for units in uppers.values() for unit in units}),
            or_(
                col(Task.state) == TaskState.SUBMITTED.value,
                and_(col(Task.state).in_(OWING), col(Deadline.origin) == Origin.EXTENSION.value),
            ),
        )
    )
    facts: dict[tuple[int, int], Above] = {}
    for cycle_id, unit_id, state, from_on, due_on in session.execute(query):
        is_under_review = state == TaskState.SUBMITTED.value
        more = timedelta() if is_under_review or from_on is None else due_on - from_on
        facts[cycle_id, unit_id] = Above(is_under_review, more)
    if not facts:
        return {}
    closes = select(col(Step.deadline_id), col(Step.at)).where(
        col(Step.deadline_id).in_({task.deadline_id for task in asked.values()}),
        col(Step.kind) == StepKind.CLOSE.value,
        col(Step.state) == StepState.PLANNED.value,
    )
    ends = dict(session.execute(closes).tuples().all())
    found = {}
    for task_id, units in uppers.items():
        known = [facts[key] for unit in units if (key := (asked[task_id].cycle_id, unit)) in facts]
        if known:
            found[task_id] = Above(
                any(each.is_under_review for each in known),
                max(each.more for each in known),
                ends.get(asked[task_id].deadline_id),
            )
    return found


def _below(
    session: Session, rows: Sequence[Row[Any]], chosen: ColumnElement[bool], calendars: Mapping[int, Calendar]
) -> dict[int, Below]:
    """By notice to somebody above the unit: the rung before it, if the task had one on an earlier day."""
    climbing = [row for row in rows if row.Notice.kind == NoticeKind.ESCALATION and not row.Notice.rung.startswith(OWN)]
    if not climbing:
        return {}
    fired = select(Step).where(
        col(Step.deadline_id).in_({row.Task.deadline_id for row in climbing}),
        col(Step.kind) == StepKind.ESCALATE.value,
        col(Step.state) == StepState.FIRED.value,
    )
    days = {f"{FROM_STEP}{step.id}": step.on for step in session.scalars(fired)}
    told = (
        select(col(Notice.task_id), col(Notice.cause), func.min(Message.created_at))
        .join(Message, col(Message.id) == col(Notice.message_id), isouter=True)
        .where(
            col(Notice.task_id).in_(select(col(Notice.task_id)).where(chosen)),
            col(Notice.cause).in_(days),
            col(Notice.dropped).is_(None),
            or_(col(Notice.message_id).is_not(None), col(Notice.held).is_(None), col(Notice.held) != NO_WAY),
        )
        .group_by(col(Notice.task_id), col(Notice.cause))
    )
    rungs: defaultdict[int, list[tuple[date, datetime | None]]] = defaultdict(list)
    for task_id, cause, at in session.execute(told):
        rungs[task_id].append((days[cause], at))
    found = {}
    for row in climbing:
        on = days.get(row.Notice.cause)
        earlier = [rung for rung in rungs[row.Task.id] if on is not None and rung[0] < on]
        if earlier and on is not None:
            before, told_at = max(earlier, key=lambda rung: rung[0])
            found[row.Notice.id] = Below(told_at, calendars[row.Cycle.revision_id].distance(before, on))
    return found


def _known(session: Session, rows: Sequence[Row[Any]], now: datetime) -> dict[int, date]:
    """By task whose escalation is told: up to which day somebody has said "đã biết"."""
    climbing = {row.Task.id for row in rows if row.Notice.kind == NoticeKind.ESCALATION}
    if not climbing:
        return {}
    holding = holding_on((now - ONE_DAY).date(), climbing)  # today is no earlier in any zone
    return {each.task_id: each.until for each in session.scalars(holding)}


def _by_task(
    session: Session, table: type[_Row], chosen: ColumnElement[bool], kinds: Sequence[NoticeKind], present: set[str]
) -> dict[int, list[_Row]]:
    """The rows that the notices of these kinds tell of, task by task, oldest first."""
    found: defaultdict[int, list[_Row]] = defaultdict(list)
    if present.isdisjoint(kinds):
        return found
    told = select(col(Notice.task_id)).where(chosen, col(Notice.kind).in_([kind.value for kind in kinds]))
    task_id: Any
    if issubclass(table, Review):
        task_id = col(Submission.task_id)
        query = (
            select(task_id, table)
            .join(Submission, col(Submission.id) == col(Review.submission_id))
            .where(col(Review.verdict) == ReviewVerdict.RETURNED.value)
        )
    else:
        task_id = col(table.task_id)
        query = select(task_id, table)
    for task, row in session.execute(query.where(task_id.in_(told)).order_by(col(table.at), col(table.id))):
        found[task].append(row)
    return found


def _latest(rows: Sequence[_Row], notice: Notice) -> _Row | None:
    """The last row up to the notice, which was made at the same moment; a later one has a notice of its own."""
    return next((row for row in reversed(rows) if row.at <= notice.created_at), None)


def _files(session: Session, chosen: ColumnElement[bool]) -> dict[int, tuple[SubmissionFile, ...]]:
    told = select(col(Notice.task_id)).where(chosen, col(Notice.kind) == NoticeKind.RECEIPT.value)
    query = (
        select(SubmissionFile)
        .join(Submission, col(Submission.id) == col(SubmissionFile.submission_id))
        .where(col(Submission.task_id).in_(told))
        .order_by(col(SubmissionFile.submission_id), col(SubmissionFile.id))
    )
    return {key: tuple(group) for key, group in groupby(session.scalars(query), lambda file: file.submission_id)}


def _refusals(
    session: Session, chosen: ColumnElement[bool], present: set[str]
) -> dict[tuple[int, datetime], ExtensionAsk]:
    """Wishes for more time that were refused, by their task and the moment of the answer, which its notice shares."""
    if NoticeKind.EXTENSION_DECIDED.value not in present:
        return {}
    told = select(col(Notice.task_id)).where(chosen, col(Notice.kind) == NoticeKind.EXTENSION_DECIDED.value)
    query = select(ExtensionAsk).where(
        col(ExtensionAsk.task_id).in_(told), col(ExtensionAsk.state) == AskState.REFUSED.value
    )
    return {(ask.task_id, ask.decided_at): ask for ask in session.scalars(query) if ask.decided_at is not None}


def _next_steps(session: Session, chosen: ColumnElement[bool], now: datetime) -> dict[int, Step]:
    """By deadline, the escalation that is planned next."""
    told = select(col(Task.deadline_id)).join(Notice, col(Notice.task_id) == col(Task.id)).where(chosen)
    query = select(Step).where(
        col(Step.deadline_id).in_(told),
        col(Step.kind) == StepKind.ESCALATE.value,
        col(Step.state) == StepState.PLANNED.value,
        col(Step.at) > now,
    )
    return {
        step.deadline_id: step for step in session.scalars(query.order_by(col(Step.at).desc(), col(Step.id).desc()))
    }

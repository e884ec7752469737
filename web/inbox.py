"""What do I do next? What waits for this user, in groups: reviews, what is late, asks, messages that did not arrive."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col
from sqlmodel import select as rows

from dondoc import alphabet
from dondoc.clock import today as day_of
from engine.access import Actor, Right, may_tasks, may_units, paths_of
from engine.ahead import Opening, opening_soon
from engine.effect import BulkAct
from engine.plans import calendar_for, stuck
from engine.remind import ASKED
from models import inbox
from models.acknowledgement import Acknowledgement, holding_on
from models.contact import Contact, Role
from models.cycle import Cycle
from models.inbox import Group, Narrowing
from models.message import Attempt, Message
from models.note import Note
from models.notice import Notice
from models.plan import Plan
from models.step import Step, StepKind, StepState
from models.submission import Submission
from models.task import Task
from models.unit import Placement, Unit, unit_by_code, valid
from schedules.calendars import Calendar
from web import words
from web.access import InActor, needs
from web.done import told_done
from web.matrix import Cell
from web.office import InOffice, Office
from web.pages import page
from web.waiting import waiting

PAGE: Final = 100  #: rows on a page of one group; a form holds no more fields than forms.MAX_FIELDS
FIRST: Final = 5  #: rows of each group where all stand together
MOST_UNITS: Final = 5_000  #: a search that finds more is no search
GROUPS: Final = (
    Group.REVIEW,
    Group.AGAIN,
    Group.ESCALATED,
    Group.OVERDUE,
    Group.ASKS,
    Group.UNDELIVERED,
    Group.UNREACHABLE,
)
_CHASING: Final = (BulkAct.REMIND, BulkAct.ACKNOWLEDGE, BulkAct.EXTEND, BulkAct.EXEMPT)
#: What can be done to the chosen tasks of a group.
ACTS: Final = {
    Group.REVIEW: (BulkAct.ACCEPT,),
    Group.AGAIN: (BulkAct.ACCEPT,),
    Group.OVERDUE: _CHASING,
    Group.ESCALATED: _CHASING,
}
router = APIRouter()


@dataclass(frozen=True, slots=True)
class View:
    """What is looked at: each part is one parameter of the address, empty when it is the usual one."""

    group: str = ""
    plan: str = ""
    superior: str = ""
    cycle: str = ""
    find: str = ""
    page: str = ""

    @property
    def chosen(self) -> Group | None:
        return Group(self.group) if self.group in GROUPS else None

    @property
    def is_narrowed(self) -> bool:
        return bool(self.plan or self.superior or self.cycle or self.find)

    @property
    def fields(self) -> dict[str, str]:
        """What a form has to send along so that it means the same tasks."""
        return {name: value for name, value in asdict(self).items() if value and name != "page"}

    def href(self, **changes: str) -> str:
        """The address with some parts changed; it starts again at the first page."""
        parts = asdict(self) | {"page": ""} | changes
        query = urlencode({name: value for name, value in parts.items() if value})
        return f"/inbox?{query}" if query else "/inbox"


def view_of(given: Any) -> View:
    """The view that an address or a form names."""
    return View(**{name: words.clean(str(given[name])) for name in View.__dataclass_fields__ if name in given})


def narrowing(session: Session, view: View, on: date) -> Narrowing:
    """What the view keeps. A superior or a cycle that is not there keeps nothing."""
    path = ""
    if view.superior:
        unit = unit_by_code(session, view.superior)
        path = paths_of(session, [unit.id], on).get(unit.id, "-") if unit else "-"
    cycle_id = None
    if view.cycle:
        cycle_id = int(view.cycle) if view.cycle.isascii() and view.cycle.isdigit() and len(view.cycle) < 10 else 0
    return Narrowing(view.plan, cycle_id, path, units_named(session, view.find) if view.find else None)


def units_named(session: Session, find: str) -> list[int]:
    """The units whose name or code has these words, without accents."""
    wanted = alphabet.plain(find)
    found = session.execute(select(col(Unit.id), col(Unit.name), col(Unit.code)))
    named = (id_ for id_, name, code in found if wanted in alphabet.plain(name) or wanted == code.lower())
    return [id_ for id_, _ in zip(named, range(MOST_UNITS), strict=False)]


def rights_of(actor: Actor, group: Group) -> ColumnElement[bool]:
    """The condition on tasks: those of a group that are this user's to decide on."""
    reviews = group in (Group.REVIEW, Group.AGAIN)
    return may_tasks(actor, Right.REVIEW if reviews else Right.CHASE)


@router.api_route("/inbox", methods=["GET", "HEAD"], dependencies=[needs(Right.SEE)])
def show_inbox(request: Request, office: InOffice, actor: InActor) -> Response:
    view = view_of(request.query_params)
    with office.database.reading() as session:
        values = read(session, office, view, actor)
        done = told_done(session, request, actor)
    return page(request, "inbox.html", view=view, done=done, **values)


def read(session: Session, office: Office, view: View, actor: Actor) -> dict[str, Any]:
    now, today = office.now(), office.today()
    kept = narrowing(session, view, today)
    number = int(view.page) if view.page.isascii() and view.page.isdigit() and len(view.page) < 7 else 1
    number = max(number, 1)
    height = PAGE if view.chosen else FIRST
    part = slice((number - 1) * height, number * height) if view.chosen else slice(0, height)
    totals = waiting(session, actor, today, now)
    panels = []
    for group in [view.chosen] if view.chosen else GROUPS:
        if not totals[group] and not view.chosen:
            continue
        panel = _panel(session, office, group, kept, actor, part, is_alone=view.chosen is not None)
        if panel["count"] or view.chosen:
            panels.append(panel)
    count = panels[0]["count"] if view.chosen else 0
    return {
        "totals": totals,
        "groups": GROUPS,
        "panels": panels,
        "plans": session.scalars(select(col(Plan.code)).order_by(col(Plan.code))).all(),
        "superiors": superiors(session, actor, today),
        "cycle": _cycle(session, actor, kept.cycle_id) if kept.cycle_id else None,
        "ahead": _ahead(session, office, view, actor),
        "stuck": stuck(session, today) if "" in actor.paths(Right.MANAGE) else (),
        "number": number,
        "pages": range(1, -(-count // height) + 1),
    }


def _ahead(session: Session, office: Office, view: View, actor: Actor) -> tuple[Opening, ...]:
    """Whom to find a contact for before a cycle opens; not beside a group that is about something else."""
    if view.is_narrowed or view.chosen not in (None, Group.UNREACHABLE):
        return ()
    mine = may_units(actor, Right.CHASE, col(Placement.unit_id))
    return opening_soon(session, office.now(), office.settings.zone, mine)


def _cycle(session: Session, actor: Actor, cycle_id: int) -> Cycle | None:
    """The cycle when this user sees any of it; what they do not see is not named to them either."""
    tasks = select(col(Task.cycle_id)).where(col(Task.cycle_id) == cycle_id, may_tasks(actor, Right.SEE))
    is_seen = or_(may_units(actor, Right.SEE, col(Cycle.issuer_id)), col(Cycle.id).in_(tasks))
    return session.exec(rows(Cycle).where(col(Cycle.id) == cycle_id, is_seen)).first()


def superiors(session: Session, actor: Actor, today: date) -> list[Unit]:
    """The units that have units below them, as far as this user sees them."""
    below = aliased(Placement)
    parents = select(col(below.parent_id)).where(valid(today, below)).distinct()
    query = rows(Unit).where(col(Unit.id).in_(parents), may_units(actor, Right.SEE, col(Unit.id)))
    return sorted(session.exec(query), key=lambda unit: alphabet.order(unit.name))


def _panel(
    session: Session,
    office: Office,
    group: Group,
    kept: Narrowing,
    actor: Actor,
    part: slice,
    *,
    is_alone: bool,
) -> dict[str, Any]:
    """One group: how many there are, and those of the page. Where all stand together, nothing is shown twice."""
    units = and_(may_units(actor, Right.CHASE, col(Task.unit_id)), kept.tasks)
    if group in ACTS:
        where = and_(inbox.in_group(group, office.today(), office.now()), rights_of(actor, group), kept.tasks)
        if group is Group.OVERDUE and not is_alone:
            where = and_(where, ~inbox.in_group(Group.ESCALATED, office.today(), office.now()))
        count = session.execute(select(func.count()).select_from(Task).where(where)).scalar_one()
        by_waiting = group in (Group.REVIEW, Group.AGAIN)
        found = session.execute(_page(inbox.listed(where, by_waiting=by_waiting), part)).all()
        return {"group": group, "count": count, "rows": _rows(session, office, group, found), "acts": ACTS[group]}
    if group is Group.ASKS:
        asked = session.scalars(inbox.asked_for_time(and_(may_tasks(actor, Right.CHASE), kept.tasks))).all()
        corrected = session.scalars(inbox.corrected(_of_contacts(actor, kept))).all()
        count = len(asked) + len(corrected)
        return {
            "group": group,
            "count": count,
            "asks": _asks(session, asked[part]),
            "corrections": _corrections(session, corrected[part]),
        }
    if group is Group.UNDELIVERED:
        query = inbox.undelivered(_of_contacts(actor, kept))
        count = session.execute(select(func.count()).select_from(query.order_by(None).subquery())).scalar_one()
        return {"group": group, "count": count, "rows": failed(session, session.execute(_page(query, part)).all())}
    query = inbox.unreachable(units)
    count = session.execute(select(func.count()).select_from(query.order_by(None).subquery())).scalar_one()
    return {"group": group, "count": count, "rows": _silent(session, session.execute(_page(query, part)).all())}


def _page(query: Any, part: slice) -> Any:
    return query.offset(part.start).limit(part.stop - part.start)


def _of_contacts(actor: Actor, kept: Narrowing) -> ColumnElement[bool]:
    where = may_units(actor, Right.CHASE, col(Contact.unit_id))
    if kept == Narrowing():
        return where
    return and_(where, col(Contact.unit_id).in_(select(col(Task.unit_id)).where(kept.tasks)))


@dataclass(frozen=True, slots=True)
class Row:
    """One task as a line of a group."""

    task: Task
    unit: Unit
    cycle: Cycle
    due_on: date
    above: str
    cell: Cell
    submission: Submission | None
    waiting_days: int  #: working days since it was handed in
    told: tuple[Notice, Message | None] | None  #: the last time the unit was asked for it
    promised: Note | None
    rung: str | None  #: how high it has climbed
    next_step: Step | None
    acknowledged: Acknowledgement | None  #: holds the next step


def _rows(session: Session, office: Office, group: Group, found: Sequence[Any]) -> list[Row]:
    today, now = office.today(), office.now()
    ids = [task.id for task, *_ in found]
    is_review = group in (Group.REVIEW, Group.AGAIN)
    versions = {
        each.task_id: each
        for each in session.exec(
            rows(Submission)
            .where(col(Submission.task_id).in_(ids if is_review else []))
            .order_by(col(Submission.number))
        )
        if not each.is_withdrawn
    }
    told: dict[int, tuple[Notice, Message | None]] = {}
    notes: dict[int, Note] = {}
    steps: defaultdict[int, list[Step]] = defaultdict(list)
    known: dict[int, Acknowledgement] = {}
    if not is_review:
        known = {each.task_id: each for each in session.scalars(holding_on(today, ids))}
        told = last_told(session, ids)
        promised = rows(Note).where(col(Note.task_id).in_(ids), col(Note.promised_on).is_not(None))
        notes = {each.task_id: each for each in session.exec(promised.order_by(col(Note.id)))}
        ladder = rows(Step).where(
            col(Step.deadline_id).in_({task.deadline_id for task, *_ in found}),
            col(Step.kind) == StepKind.ESCALATE.value,
        )
        for step in session.exec(ladder.order_by(col(Step.ordinal))):
            steps[step.deadline_id].append(step)
    calendars: dict[int, Calendar] = {}
    made = []
    for task, unit, deadline, cycle, above in found:
        if cycle.revision_id not in calendars:
            calendars[cycle.revision_id] = calendar_for(session, cycle)
        calendar = calendars[cycle.revision_id]
        has_passed = not is_review and deadline.has_passed(today, now)
        late_days = calendar.working_days(deadline.due_on, today) if has_passed else 0
        state = "overdue" if has_passed else "submitted_late" if task.is_late else "submitted_on_time"
        version = versions.get(task.id)
        waiting_days = calendar.working_days(day_of(version.at, office.settings.zone), today) if version else 0
        fired = [step for step in steps[deadline.id] if step.state == StepState.FIRED]
        planned = [step for step in steps[deadline.id] if step.state == StepState.PLANNED]
        cell = Cell(task.id, state, task.is_late, late_days, deadline.due_on, is_extended=False)
        made.append(
            Row(
                task,
                unit,
                cycle,
                deadline.due_on,
                above or "",
                cell,
                version,
                waiting_days,
                told.get(task.id),
                notes.get(task.id),
                fired[-1].rung if fired else None,
                planned[0] if planned else None,
                known.get(task.id),
            )
        )
    return made


def last_told(session: Session, task_ids: Sequence[int]) -> dict[int, tuple[Notice, Message | None]]:
    """By task, the last notice that asked the unit itself for it, and the message that carried it."""
    query = (
        select(Notice, Message)
        .join(Message, col(Message.id) == col(Notice.message_id), isouter=True)
        .where(
            col(Notice.task_id).in_(task_ids),
            col(Notice.kind).in_([kind.value for kind in ASKED]),
            col(Notice.rung).startswith("unit."),
        )
        .order_by(col(Notice.id))
    )
    return {notice.task_id: (notice, message) for notice, message in session.execute(query)}


def failed(session: Session, found: Sequence[Any]) -> list[dict[str, Any]]:
    """Messages that failed, each with whom it was for and what the other side said."""
    ids = [message.id for message, _ in found]
    attempts = {
        each.message_id: each
        for each in session.exec(rows(Attempt).where(col(Attempt.message_id).in_(ids)).order_by(col(Attempt.number)))
    }
    units = units_by_id(session, {contact.unit_id for _, contact in found})
    return [
        {"message": message, "contact": contact, "unit": units[contact.unit_id], "attempt": attempts.get(message.id)}
        for message, contact in found
    ]


def units_by_id(session: Session, ids: Any) -> dict[int, Unit]:
    return {unit.id: unit for unit in session.exec(rows(Unit).where(col(Unit.id).in_(ids)))}


def _asks(session: Session, found: Sequence[Any]) -> list[dict[str, Any]]:
    tasks = {task.id: task for task in session.exec(rows(Task).where(col(Task.id).in_([ask.task_id for ask in found])))}
    by_id = {
        task.id: (unit, deadline, cycle)
        for task, unit, deadline, cycle, _ in session.execute(
            inbox.listed(col(Task.id).in_(list(tasks)), by_waiting=False)
        )
    }
    contacts = _contacts(session, [ask.contact_id for ask in found])
    return [
        {
            "ask": ask,
            "unit": by_id[ask.task_id][0],
            "deadline": by_id[ask.task_id][1],
            "cycle": by_id[ask.task_id][2],
            "contact": contacts[ask.contact_id],
        }
        for ask in found
    ]


def _corrections(session: Session, found: Sequence[Any]) -> list[dict[str, Any]]:
    contacts = _contacts(session, [each.contact_id for each in found])
    units = units_by_id(session, {contact.unit_id for contact in contacts.values()})
    return [
        {"correction": each, "contact": contacts[each.contact_id], "unit": units[contacts[each.contact_id].unit_id]}
        for each in found
    ]


def _contacts(session: Session, ids: Sequence[int]) -> dict[int, Contact]:
    return {contact.id: contact for contact in session.exec(rows(Contact).where(col(Contact.id).in_(ids)))}


def _silent(session: Session, found: Sequence[Any]) -> list[dict[str, Any]]:
    ids = [row.unit_id for row in found]
    units = units_by_id(session, ids)
    contacts: defaultdict[int, list[Contact]] = defaultdict(list)
    query = rows(Contact).where(
        col(Contact.unit_id).in_(ids), col(Contact.role) == Role.CONTACT.value, col(Contact.is_active)
    )
    for contact in session.exec(query.order_by(col(Contact.id))):
        contacts[contact.unit_id].append(contact)
    return [{"unit": units[row.unit_id], "tasks": row.tasks, "contacts": contacts[row.unit_id]} for row in found]

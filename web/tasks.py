"""Can I accept this, why this date, were they told? One task, and the acts of the office on it."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any, Final

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session, col, or_, select
from starlette.datastructures import FormData

from engine import extend, record, review
from engine.access import Right
from engine.errors import RefusedError
from engine.plans import calendar_for, obligation_of
from engine.shown import shown
from models.contact import Contact
from models.cycle import Cycle
from models.deadline import Deadline
from models.entry import Entry
from models.message import Message
from models.notice import Notice
from models.plan import Plan
from models.submission import Review, Submission, SubmissionFile, Way
from models.task import Act, Task
from models.unit import Placement, Unit
from web import forms
from web.access import needs
from web.office import InOffice, Number, Office
from web.pages import page
from web.reasons import deadline_reasons

BY: Final = "office"
#: act -> the form that does it; an act of the transition table without one is not the office's to press.
FORMS: Final = {
    Act.ACCEPT: "acts/accept.html",
    Act.RETURN: "acts/return.html",
    Act.EXTEND: "acts/extend.html",
    Act.UNLOCK: "acts/extend.html",
    Act.RECORD: "acts/record.html",
    Act.EXEMPT: "acts/exempt.html",
    Act.REOPEN: "acts/reopen.html",
}
router = APIRouter()


@router.api_route("/tasks/{task_id}", methods=["GET", "HEAD"], dependencies=[needs(Right.SEE)])
def show_task(request: Request, task_id: Number, office: InOffice) -> Response:
    return _task_page(request, office, task_id)


@router.post("/tasks/{task_id}/acceptance", dependencies=[needs(Right.REVIEW)])
def accept(request: Request, task_id: Number, office: InOffice, form: forms.Form) -> Response:
    def act(session: Session) -> object:
        note = forms.text(form, "note") or None
        return review.accept(session, task_id, by=BY, now=office.now(), note=note)

    return _done(request, office, task_id, "accept", form, act)


@router.post("/tasks/{task_id}/return", dependencies=[needs(Right.REVIEW)])
def send_back(request: Request, task_id: Number, office: InOffice, form: forms.Form) -> Response:
    def act(session: Session) -> object:
        return review.send_back(
            session,
            task_id,
            by=BY,
            reason=forms.text(form, "reason"),
            due_on=forms.day(form, "due_on"),
            does_not_count=bool(forms.text(form, "does_not_count")),
            now=office.now(),
            zone=office.settings.zone,
        )

    return _done(request, office, task_id, "return", form, act)


@router.post("/tasks/{task_id}/extension", dependencies=[needs(Right.CHASE)])
def give_time(request: Request, task_id: Number, office: InOffice, form: forms.Form) -> Response:
    def act(session: Session) -> object:
        return extend.extend(
            session,
            task_id,
            by=BY,
            due_on=forms.needed_day(form, "due_on"),
            reason=forms.text(form, "reason"),
            document=forms.text(form, "document") or None,
            now=office.now(),
            zone=office.settings.zone,
        )

    return _done(request, office, task_id, "extend", form, act)


@router.post("/tasks/{task_id}/exemption", dependencies=[needs(Right.CHASE)])
def exempt(request: Request, task_id: Number, office: InOffice, form: forms.Form) -> Response:
    def act(session: Session) -> object:
        return extend.exempt(
            session,
            task_id,
            by=BY,
            reason=forms.text(form, "reason"),
            document=forms.text(form, "document") or None,
            now=office.now(),
        )

    return _done(request, office, task_id, "exempt", form, act)


@router.post("/tasks/{task_id}/record", dependencies=[needs(Right.CHASE)])
def enter_paper(request: Request, task_id: Number, office: InOffice, form: forms.Form) -> Response:
    def act(session: Session) -> object:
        return record.record(
            session,
            task_id,
            by=BY,
            received_on=forms.needed_day(form, "received_on"),
            document=forms.text(form, "document"),
            way=Way.EOFFICE if forms.text(form, "way") == Way.EOFFICE else Way.PAPER,
            now=office.now(),
            zone=office.settings.zone,
        )

    return _done(request, office, task_id, "record", form, act)


@router.post("/tasks/{task_id}/reopening", dependencies=[needs(Right.REVIEW)])
def reopen(request: Request, task_id: Number, office: InOffice, form: forms.Form) -> Response:
    def act(session: Session) -> object:
        return review.reopen(session, task_id, by=BY, reason=forms.text(form, "reason"), now=office.now())

    return _done(request, office, task_id, "reopen", form, act)


def _done(
    request: Request, office: Office, task_id: int, name: str, form: FormData, act: Callable[[Session], object]
) -> Response:
    """Does the act and goes back to the task; a refusal shows the page again with all that was typed."""
    try:
        with office.database.writing() as session:
            act(session)
    except RefusedError as error:
        typed = {field: value for field, value in form.items() if isinstance(value, str)}
        return _task_page(request, office, task_id, status=422, refused=(name, error), typed=typed)
    return RedirectResponse(f"/tasks/{task_id}", 303)


def _task_page(
    request: Request,
    office: Office,
    task_id: int,
    *,
    status: int = 200,
    refused: tuple[str, RefusedError] | None = None,
    typed: dict[str, str] | None = None,
) -> Response:
    with office.database.reading() as session:
        task = session.get(Task, task_id)
        if task is None:
            raise HTTPException(404)
        values = read(session, office, task)
    return page(request, "task.html", status=status, task=task, refused=refused, typed=typed or {}, **values)


def read(session: Session, office: Office, task: Task) -> dict[str, Any]:
    cycle = session.get_one(Cycle, task.cycle_id)
    deadline = session.get_one(Deadline, task.deadline_id)
    placement = session.get_one(Placement, task.placement_id)
    obligation = obligation_of(session, cycle)
    calendar = calendar_for(session, cycle)
    today = office.today()
    contacts = session.exec(select(Contact).where(col(Contact.unit_id) == task.unit_id).order_by(col(Contact.id))).all()
    submissions = session.exec(
        select(Submission).where(col(Submission.task_id) == task.id).order_by(col(Submission.number).desc())
    ).all()
    ids = [submission.id for submission in submissions]
    files: defaultdict[int, list[SubmissionFile]] = defaultdict(list)
    for file in session.exec(select(SubmissionFile).where(col(SubmissionFile.submission_id).in_(ids))):
        files[file.submission_id].append(file)
    reviews: defaultdict[int, list[Review]] = defaultdict(list)
    for each in session.exec(select(Review).where(col(Review.submission_id).in_(ids)).order_by(col(Review.id))):
        reviews[each.submission_id].append(each)
    entries = session.exec(
        select(Entry)
        .where(
            or_(
                col(Entry.task_id) == task.id,
                (col(Entry.cycle_id) == cycle.id) & col(Entry.task_id).is_(None) & (col(Entry.act) != "fired"),
            )
        )
        .order_by(col(Entry.id).desc())
    ).all()
    notices = session.execute(
        select(Notice, Contact, Message)
        .join(Contact, col(Contact.id) == col(Notice.contact_id))
        .join(Message, col(Message.id) == col(Notice.message_id), isouter=True)
        .where(col(Notice.task_id) == task.id)
        .order_by(col(Notice.id).desc())
    ).all()
    return {
        "cycle": cycle,
        "plan": session.get_one(Plan, cycle.plan_id),
        "unit": session.get_one(Unit, task.unit_id),
        "superior": session.get(Unit, placement.parent_id) if placement.parent_id else None,
        "receiver": session.get(Unit, task.receiver_id) if task.receiver_id else None,
        "deadline": deadline,
        "reasons": deadline_reasons(session, task, deadline),
        "obligation": obligation,
        "shown": shown(task, deadline, today, calendar, office.now()),
        "forms": FORMS,
        "contacts": contacts,
        "names": _names(session, entries),
        "submissions": submissions,
        "newest": next((each for each in submissions if not each.is_withdrawn), None),
        "files": files,
        "reviews": reviews,
        "entries": entries,
        "notices": notices,
        "days_left": calendar.working_days(today, deadline.due_on),
    }


def _names(session: Session, entries: Any) -> dict[str, str]:
    """The names of the contacts that the journal knows by number alone."""
    ids = {int(entry.by.removeprefix("contact:")) for entry in entries if entry.by.startswith("contact:")}
    found = session.exec(select(Contact).where(col(Contact.id).in_(ids)))
    return {f"contact:{contact.id}": contact.name for contact in found}

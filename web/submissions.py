"""What does a unit owe, and how does it hand it in? The page behind a unit's link; reading it changes nothing."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session, col, select
from starlette.datastructures import FormData

from engine import submit
from engine.errors import RefusedError
from engine.plans import calendar_for, obligation_of, plan_of
from engine.shown import shown
from models import link as links
from models.contact import Contact
from models.cycle import Cycle
from models.deadline import Deadline
from models.files import StoredFile
from models.link import Link
from models.submission import Review, ReviewVerdict, Submission, SubmissionFile
from models.task import Act, Task
from models.unit import Unit
from schedules.plan import FileRule, Obligation
from schedules.reason import Reason
from web import forms, kept
from web.errors import LinkNotFoundError
from web.office import InOffice, Office
from web.pages import page
from web.reasons import deadline_reasons

KEY_BYTES: Final = 16
router = APIRouter()


@dataclass(frozen=True, slots=True)
class Draft:
    """What stands in the form: typed just now, or handed in with the version that came back."""

    key: str  #: one for each time the form is opened: a double tap hands in once
    answers: Mapping[str, object]
    file: StoredFile | None = None
    problems: Mapping[str, Reason] = field(default_factory=dict)  #: by field name; under "" what concerns none


@router.api_route("/s/{token}", methods=["GET", "HEAD"])
def show_form(request: Request, token: str, office: InOffice) -> Response:
    with office.database.reading() as session:
        link = _link(session, office, token)
        values = read(session, office, link)
    return _form_page(request, office, token, values, _draft(values))


@router.post("/s/{token}")
def hand_in(request: Request, token: str, office: InOffice, form: forms.Form) -> Response:
    with office.database.reading() as session:
        link = _link(session, office, token)
        values = read(session, office, link)
    answers = {field.name: forms.text(form, field.name) for field in values["obligation"].fields}
    key = forms.text(form, "key")[:100] or secrets.token_urlsafe(KEY_BYTES)
    try:
        file = _file(form, office, link, values["file_rule"])
    except RefusedError as error:
        problems = _wrong_answers(values["obligation"], answers) | {"file": error.reason}
        return _form_page(request, office, token, values, Draft(key, answers, None, problems), 422)
    try:
        with office.database.writing() as session:
            submit.submit(
                session,
                link.task_id,
                by=f"contact:{link.contact_id}",
                answers=answers,
                files=[file] if file else [],
                key=f"link:{link.id}:{key}",
                now=office.now(),
                zone=office.settings.zone,
            )
    except submit.InvalidAnswersError as error:
        return _form_page(request, office, token, values, Draft(key, answers, file, error.problems), 422)
    except RefusedError as error:
        return _form_page(request, office, token, values, Draft(key, answers, file, {"": error.reason}), 422)
    return RedirectResponse(f"/s/{token}/receipt", 303)


@router.api_route("/s/{token}/receipt", methods=["GET", "HEAD"])
def show_receipt(request: Request, token: str, office: InOffice) -> Response:
    with office.database.reading() as session:
        link = _link(session, office, token)
        values = read(session, office, link)
    if not values["versions"]:
        return RedirectResponse(f"/s/{token}", 303)
    return page(request, "receipt.html", lang=values["contact"].lang, token=token, **values)


def read(session: Session, office: Office, link: Link) -> dict[str, Any]:
    task = session.get_one(Task, link.task_id)
    cycle = session.get_one(Cycle, task.cycle_id)
    deadline = session.get_one(Deadline, task.deadline_id)
    obligation = obligation_of(session, cycle)
    calendar = calendar_for(session, cycle)
    today = office.today()
    versions = session.exec(
        select(Submission)
        .where(col(Submission.task_id) == task.id, ~col(Submission.is_withdrawn))
        .order_by(col(Submission.number).desc())
    ).all()
    newest = versions[0].id if versions else None
    returned = session.exec(
        select(Review)
        .where(col(Review.submission_id) == newest, col(Review.verdict) == ReviewVerdict.RETURNED.value)
        .order_by(col(Review.id).desc())
    ).first()
    issuer = session.get_one(Unit, cycle.issuer_id)
    return {
        "link": link,
        "contact": session.get_one(Contact, link.contact_id),
        "task": task,
        "can_submit": Act.SUBMIT in task.allowed,
        "cycle": cycle,
        "plan": plan_of(session, cycle.revision_id),
        "obligation": obligation,
        "file_rule": obligation.file,
        "unit": session.get_one(Unit, task.unit_id),
        "receiver": session.get_one(Unit, task.receiver_id) if task.receiver_id else issuer,
        "deadline": deadline,
        "reasons": deadline_reasons(session, task, deadline),
        "shown": shown(task, deadline, today, calendar, office.now()),
        "days_left": calendar.working_days(today, deadline.due_on),
        "versions": versions,
        "files": session.exec(select(SubmissionFile).where(col(SubmissionFile.submission_id) == newest)).all(),
        "returned": returned,
        "margin": calendar.working_days(versions[0].received_on, versions[0].due_on) if versions else 0,
    }


def _link(session: Session, office: Office, token: str) -> Link:
    link = links.find(session, office.key, token, office.today())
    if link is None:
        raise LinkNotFoundError
    return link


def _draft(values: Mapping[str, Any]) -> Draft:
    """An empty form, or the version that came back, filled in again with its file."""
    key = secrets.token_urlsafe(KEY_BYTES)
    if not values["versions"]:
        return Draft(key, {})
    earlier = next(iter(values["files"]), None)
    file = StoredFile(earlier.name, earlier.hash, earlier.size, earlier.media_type) if earlier else None
    return Draft(key, values["versions"][0].answers, file)


def _file(form: FormData, office: Office, link: Link, rule: FileRule | None) -> StoredFile | None:
    """The file chosen now, else the one that is to go along again."""
    chosen = forms.file(form, office, rule.types if rule else ())
    return chosen or kept.unseal(office.key, link.id or 0, forms.text(form, "kept"))


def _wrong_answers(obligation: Obligation, answers: Mapping[str, object]) -> dict[str, Reason]:
    """What is wrong beside a refused file, so that everything is said at once."""
    try:
        submit.checked(obligation, answers, [], is_strict=True)
    except submit.InvalidAnswersError as error:
        return error.problems
    return {}


def _form_page(
    request: Request, office: Office, token: str, values: Mapping[str, Any], draft: Draft, status: int = 200
) -> Response:
    """The form while the unit may hand in, else how its report stands."""
    sealed = kept.seal(office.key, values["link"].id, draft.file) if draft.file else ""
    return page(
        request,
        "unit.html",
        status=status,
        lang=values["contact"].lang,
        token=token,
        draft=draft,
        sealed=sealed,
        problems={name: each.as_json() for name, each in draft.problems.items()},
        **values,
    )

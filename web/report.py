"""What does the unit see of its task? The page behind its link, with what it typed so far."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from fastapi import Request
from fastapi.responses import Response
from sqlmodel import Session, col, select

from dondoc.clock import today as day_of
from engine.ask import can_ask, waiting_correction
from engine.names import name_on
from engine.plans import calendar_for, obligation_of, plan_of
from engine.shown import shown
from models.ask import AskState, ExtensionAsk
from models.contact import Contact
from models.cycle import Cycle
from models.deadline import Deadline
from models.draft import draft_of
from models.files import StoredFile
from models.link import Link, UnitLink, unit_token
from models.submission import Review, ReviewVerdict, Submission, SubmissionFile
from models.task import Act, Task
from models.unit import Unit
from schedules.reason import Reason
from web import kept
from web.network import agent
from web.office import Office
from web.pages import page
from web.protection import MAX_FILE
from web.reasons import deadline_reasons

KEY_BYTES: Final = 16
#: Browsers inside other programs, by what they call themselves; some of them cannot choose a file.
INSIDE: Final = ("Zalo", "FBAN", "FBAV", "; wv)")


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the form: typed just now, kept as a draft, or handed in with the version that came back."""

    key: str  #: one for each time the form is opened: a double tap hands in once
    answers: Mapping[str, object]
    files: Sequence[StoredFile] = ()
    problems: Mapping[str, Reason] = field(default_factory=dict)  #: by field name; under "" what concerns none
    bad_files: Sequence[tuple[str, Reason]] = ()  #: files that were not taken, each with why


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
    unit, zone = session.get_one(Unit, task.unit_id), office.settings.zone
    returned = session.exec(
        select(Review)
        .where(col(Review.submission_id) == newest, col(Review.verdict) == ReviewVerdict.RETURNED.value)
        .order_by(col(Review.id).desc())
    ).first()
    issuer = session.get_one(Unit, cycle.issuer_id)
    of_contact = select(UnitLink).where(col(UnitLink.contact_id) == link.contact_id, col(UnitLink.revoked_at).is_(None))
    all_duties = session.exec(of_contact).first()
    return {
        "link": link,
        "contact": session.get_one(Contact, link.contact_id),
        "task": task,
        "can_submit": Act.SUBMIT in task.allowed,
        "can_ask": can_ask(task),
        "cycle": cycle,
        "plan": plan_of(session, cycle.revision_id),
        "obligation": obligation,
        "file_rule": obligation.file,
        "unit": unit,
        "unit_name": name_on(session, unit, day_of(versions[0].at, zone), zone) if versions else unit.name,
        "receiver": session.get_one(Unit, task.receiver_id) if task.receiver_id else issuer,
        "deadline": deadline,
        "reasons": deadline_reasons(session, task, deadline),
        "shown": shown(task, deadline, today, calendar, office.now()),
        "days_left": calendar.working_days(today, deadline.due_on),
        "versions": versions,
        "files": session.exec(select(SubmissionFile).where(col(SubmissionFile.submission_id) == newest)).all(),
        "returned": returned,
        "margin": calendar.working_days(versions[0].received_on, versions[0].due_on) if versions else 0,
        "draft": draft_of(session, task.id, link.contact_id),
        "ask": _last_ask(session, task.id),
        "correction": waiting_correction(session, link.contact_id),
        "unit_path": f"/u/{unit_token(office.key, all_duties)}" if all_duties else None,
    }


def begun(values: Mapping[str, Any]) -> Typed:
    """The draft, else the version that came back, filled in again with its files; else an empty form."""
    key = secrets.token_urlsafe(KEY_BYTES)
    if values["draft"] is not None:
        return Typed(key, values["draft"].answers, values["draft"].stored)
    if not values["versions"]:
        return Typed(key, {})
    earlier = [StoredFile(each.name, each.hash, each.size, each.media_type) for each in values["files"]]
    return Typed(key, values["versions"][0].answers, earlier)


def form_page(
    request: Request, office: Office, token: str, values: Mapping[str, Any], typed: Typed, status: int = 200
) -> Response:
    """The form while the unit may hand in, else how its report stands."""
    return page(
        request,
        "unit.html",
        status=status,
        lang=values["contact"].lang,
        token=token,
        typed=typed,
        **_of_files(office, values, typed),
        problems={name: each.as_json() for name, each in typed.problems.items()},
        is_inside=any(each in agent(request) for each in INSIDE),
        address=f"{office.settings.url.rstrip('/')}/s/{token}",
        max_file=MAX_FILE,
        **values,
    )


def saved_part(
    request: Request, office: Office, values: Mapping[str, Any], typed: Typed, status: int = 200
) -> Response:  # fmt: skip
    """The parts of the form that saving it changes, for the script of the page."""
    given = {**_of_files(office, values, typed), **values}
    return page(request, "unit_saved.html", status=status, lang=values["contact"].lang, **given)


def _of_files(office: Office, values: Mapping[str, Any], typed: Typed) -> dict[str, Any]:
    link_id = values["link"].id
    return {
        "kept_files": [(file, kept.seal(office.key, link_id, file)) for file in typed.files],
        "bad_files": [(name, why.as_json()) for name, why in typed.bad_files],
    }


def _last_ask(session: Session, task_id: int) -> ExtensionAsk | None:
    """What waits, or was refused last; what was granted shows in the due day."""
    query = select(ExtensionAsk).where(col(ExtensionAsk.task_id) == task_id).order_by(col(ExtensionAsk.id).desc())
    last = session.exec(query).first()
    return None if last is None or last.state == AskState.GRANTED else last

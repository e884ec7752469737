"""What does a unit ask for? More time, or another person to be written to: each read and answered on a page."""

from typing import Any, Final

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session

from dondoc.clock import today as day_of
from engine import ask as asks
from engine.access import Actor, Right, place_of_task, place_of_unit
from engine.errors import RefusedError
from engine.plans import calendar_for
from models.ask import AskState, ContactCorrection, ExtensionAsk
from models.contact import Contact
from models.cycle import Cycle
from models.deadline import Deadline
from models.task import Task
from models.unit import Unit
from web import forms, words
from web.access import InActor, demand, needs
from web.done import after, stand
from web.office import InOffice, Number, Office
from web.pages import page

BACK: Final = "/inbox?group=asks"
router = APIRouter()


@router.api_route("/asks/{ask_id}", methods=["GET", "HEAD"], dependencies=[needs(Right.CHASE)])
def show_ask(request: Request, ask_id: Number, office: InOffice, actor: InActor) -> Response:
    return _ask_page(request, office, actor, ask_id)


@router.post("/asks/{ask_id}/grant", dependencies=[needs(Right.CHASE)])
def grant(request: Request, ask_id: Number, office: InOffice, actor: InActor, form: forms.Form) -> Response:
    try:
        with office.database.writing() as session:
            _asked(session, actor, ask_id)
            before = stand(session)
            asks.grant(
                session,
                ask_id,
                by=actor.by,
                due_on=forms.needed_day(form, "due_on"),
                reason=forms.text(form, "reason"),
                document=forms.text(form, "document") or None,
                now=office.now(),
                zone=office.settings.zone,
            )
            back = after(session, actor, BACK, before)
    except RefusedError as error:
        return _ask_page(request, office, actor, ask_id, ("grant", error), _typed(form))
    return RedirectResponse(back, 303)


@router.post("/asks/{ask_id}/refusal", dependencies=[needs(Right.CHASE)])
def refuse(request: Request, ask_id: Number, office: InOffice, actor: InActor, form: forms.Form) -> Response:
    try:
        with office.database.writing() as session:
            _asked(session, actor, ask_id)
            before = stand(session)
            asks.refuse(session, ask_id, by=actor.by, answer=forms.text(form, "answer"), now=office.now())
            back = after(session, actor, BACK, before)
    except RefusedError as error:
        return _ask_page(request, office, actor, ask_id, ("refuse", error), _typed(form))
    return RedirectResponse(back, 303)


@router.api_route("/corrections/{correction_id}", methods=["GET", "HEAD"], dependencies=[needs(Right.CHASE)])
def show_correction(request: Request, correction_id: Number, office: InOffice, actor: InActor) -> Response:
    return _correction_page(request, office, actor, correction_id)


@router.post("/corrections/{correction_id}/application", dependencies=[needs(Right.CHASE)])
def apply_correction(
    request: Request, correction_id: Number, office: InOffice, actor: InActor, form: forms.Form
) -> Response:
    try:
        with office.database.writing() as session:
            _corrected(session, actor, correction_id)
            before = stand(session)
            asks.apply_correction(
                session,
                correction_id,
                by=actor.by,
                name=forms.text(form, "name"),
                email=forms.text(form, "email"),
                phone=forms.text(form, "phone"),
                now=office.now(),
                zone=office.settings.zone,
            )
            back = after(session, actor, BACK, before)
    except RefusedError as error:
        return _correction_page(request, office, actor, correction_id, ("apply", error), _typed(form))
    return RedirectResponse(back, 303)


@router.post("/corrections/{correction_id}/refusal", dependencies=[needs(Right.CHASE)])
def refuse_correction(correction_id: Number, office: InOffice, actor: InActor) -> Response:
    with office.database.writing() as session:
        _corrected(session, actor, correction_id)
        before = stand(session)
        asks.refuse_correction(session, correction_id, by=actor.by, now=office.now())
        back = after(session, actor, BACK, before)
    return RedirectResponse(back, 303)


def _typed(form: Any) -> dict[str, str]:
    """What was typed, so that a page that is shown again has it."""
    return {name: words.clean(value) for name, value in form.items() if isinstance(value, str)}


def _asked(session: Session, actor: Actor, ask_id: int) -> tuple[ExtensionAsk, Task]:
    ask = session.get(ExtensionAsk, ask_id)
    if ask is None:
        raise HTTPException(404)
    task = session.get_one(Task, ask.task_id)
    demand(actor, Right.CHASE, place_of_task(session, task, actor.on))
    return ask, task


def _corrected(session: Session, actor: Actor, correction_id: int) -> tuple[ContactCorrection, Contact]:
    correction = session.get(ContactCorrection, correction_id)
    if correction is None:
        raise HTTPException(404)
    contact = session.get_one(Contact, correction.contact_id)
    demand(actor, Right.CHASE, place_of_unit(session, contact.unit_id, actor.on))
    return correction, contact


def _ask_page(
    request: Request,
    office: Office,
    actor: Actor,
    ask_id: int,
    refused: tuple[str, RefusedError] | None = None,
    typed: dict[str, str] | None = None,
) -> Response:
    with office.database.reading() as session:
        ask, task = _asked(session, actor, ask_id)
        cycle = session.get_one(Cycle, task.cycle_id)
        deadline = session.get_one(Deadline, task.deadline_id)
        calendar = calendar_for(session, cycle)
        values: dict[str, Any] = {
            "ask": ask,
            "task": task,
            "unit": session.get_one(Unit, task.unit_id),
            "contact": session.get_one(Contact, ask.contact_id),
            "cycle": cycle,
            "deadline": deadline,
            "more_days": calendar.working_days(deadline.due_on, ask.until),
            "is_day_off": not calendar.is_working(ask.until),
            "is_waiting": ask.state == AskState.WAITING,
            "asked_on": day_of(ask.at, office.settings.zone),
        }
    status = 422 if refused else 200
    return page(request, "ask.html", status=status, refused=refused, typed=typed or {}, **values)


def _correction_page(
    request: Request,
    office: Office,
    actor: Actor,
    correction_id: int,
    refused: tuple[str, RefusedError] | None = None,
    typed: dict[str, str] | None = None,
) -> Response:
    with office.database.reading() as session:
        correction, contact = _corrected(session, actor, correction_id)
        values: dict[str, Any] = {
            "correction": correction,
            "contact": contact,
            "unit": session.get_one(Unit, contact.unit_id),
            "is_waiting": correction.state == AskState.WAITING,
        }
    status = 422 if refused else 200
    return page(request, "correction.html", status=status, refused=refused, typed=typed or {}, **values)

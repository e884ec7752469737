"""What may a unit ask for from its page? More time, or that another person is written to; the office decides."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session
from starlette.datastructures import FormData

from engine import ask
from engine.errors import RefusedError
from engine.link import Visited
from models.link import Link
from web import forms, report
from web.links import link_of, note
from web.office import InOffice, Office
from web.pages import page

router = APIRouter()


@router.api_route("/s/{token}/extension", methods=["GET", "HEAD"])
def show_extension(request: Request, token: str, office: InOffice) -> Response:
    return _page(request, office, token, "ask_time.html")


@router.post("/s/{token}/extension")
def ask_extension(request: Request, token: str, office: InOffice, form: forms.Form) -> Response:
    def act(session: Session, link: Link) -> None:
        until, reason = forms.needed_day(form, "until"), forms.text(form, "reason")
        ask.ask_extension(session, link, until=until, reason=reason, now=office.now(), zone=office.settings.zone)

    return _done(request, office, token, "ask_time.html", form, act, "asked", f"/s/{token}")


@router.api_route("/s/{token}/contact", methods=["GET", "HEAD"])
def show_contact(request: Request, token: str, office: InOffice) -> Response:
    return _page(request, office, token, "not_me.html")


@router.post("/s/{token}/contact")
def correct_contact(request: Request, token: str, office: InOffice, form: forms.Form) -> Response:
    def act(session: Session, link: Link) -> None:
        words = {name: forms.text(form, name) for name in ("name", "email", "note")}
        ask.correct_contact(session, link, **words, now=office.now())

    return _done(request, office, token, "not_me.html", form, act, "corrected", f"/s/{token}/contact")


def _done(
    request: Request,
    office: Office,
    token: str,
    template: str,
    form: FormData,
    act: Callable[[Session, Link], None],
    visit: Visited,
    to: str,
) -> Response:
    """Does the act and goes on; a refusal shows the page again with all that was typed."""
    link = link_of(office, token)
    try:
        with office.database.writing() as session:
            act(session, link)
            note(request, office, session, link.contact_id, link.task_id, visit)
    except RefusedError as error:
        typed = {name: forms.text(form, name) for name in form}
        return _page(request, office, token, template, 422, refused=error, typed=typed)
    return RedirectResponse(to, 303)


def _page(
    request: Request,
    office: Office,
    token: str,
    template: str,
    status: int = 200,
    refused: RefusedError | None = None,
    typed: dict[str, Any] | None = None,
) -> Response:
    link = link_of(office, token)
    with office.database.reading() as session:
        values = report.read(session, office, link)
    given: dict[str, Any] = {"token": token, "refused": refused, "typed": typed or {}}
    return page(request, template, status=status, lang=values["contact"].lang, **given, **values)

"""What does "unsubscribe" mean here? That the letter went to the wrong person, or should come another way.

The address stands in the header of every letter (RFC 8058): a mail program posts to it by one click, a person opens it.
Nobody is unsubscribed from a duty: the office decides, and the letters go on until then.
"""

from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from engine import ask
from engine.errors import RefusedError
from models.unit import Unit
from web import forms, zalo
from web.links import note, written_to
from web.office import InOffice, Office
from web.pages import page

ONE_CLICK: Final = ("List-Unsubscribe", "One-Click")
router = APIRouter()


@router.api_route("/not-me/{letter_token}", methods=["GET", "HEAD"])
def show_objection(request: Request, letter_token: str, office: InOffice) -> Response:
    return _page(request, office, letter_token)


@router.post("/not-me/{letter_token}")
def object_to_letters(request: Request, letter_token: str, office: InOffice, form: forms.Form) -> Response:
    """Mail programs want a plain yes, also to a second click; people go back to the page."""
    contact = written_to(office, letter_token)
    if forms.text(form, ONE_CLICK[0]) == ONE_CLICK[1]:
        with office.database.writing() as session:
            ask.unsubscribe(session, contact.id, now=office.now())
            note(request, office, session, contact.id, None, "corrected")
        return Response()
    typed = {name: forms.text(form, name) for name in ("name", "email", "note")}
    try:
        with office.database.writing() as session:
            ask.object_to(
                session, contact.id, name=typed["name"], email=typed["email"], note=typed["note"], now=office.now()
            )
            note(request, office, session, contact.id, None, "corrected")
    except RefusedError as error:
        return _page(request, office, letter_token, 422, error, typed)
    return RedirectResponse(f"/not-me/{letter_token}", 303)


def _page(
    request: Request,
    office: Office,
    letter_token: str,
    status: int = 200,
    refused: RefusedError | None = None,
    typed: dict[str, str] | None = None,
) -> Response:
    contact = written_to(office, letter_token)
    with office.database.reading() as session:
        values: dict[str, Any] = {
            "token": letter_token,
            "contact": contact,
            "unit": session.get_one(Unit, contact.unit_id),
            "correction": ask.waiting_correction(session, contact.id),
            "has_zalo": zalo.is_here(office, session),
            "refused": refused,
            "typed": typed or {},
        }
    return page(request, "wrong_person.html", status=status, lang=contact.lang, **values)

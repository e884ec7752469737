"""How does somebody of the office come in, and go? With login and password, the second factor, or an invitation."""

from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session

from engine import sign_in
from engine.errors import RefusedError
from models.user import User
from web import cookies, forms
from web.access import GIVE_CODE, SIGN_IN, InVisitor, OpenToAll, OwnAccount, visitor_of
from web.errors import LinkNotFoundError
from web.network import agent, source
from web.office import InOffice, Office, office_of
from web.pages import page

WAITS: Final = "sign_in.too_many"
router = APIRouter()


@router.api_route(SIGN_IN, methods=["GET", "HEAD"], dependencies=[OpenToAll])
def show_sign_in(request: Request) -> Response:
    return _sign_in_page(request, "", _next(request))


@router.post(SIGN_IN, dependencies=[OpenToAll])
def enter(request: Request, office: InOffice, form: forms.Form) -> Response:
    login, back = forms.text(form, "login"), forms.text(form, "next")
    try:
        token = sign_in.enter(
            office.database,
            login,
            forms.password(form, "password"),
            network=source(request),
            agent=agent(request),
            now=office.wall(),
        )
    except RefusedError as error:
        return _sign_in_page(request, login, back, error)
    return _let_in(request, office, token, back)


@router.api_route(GIVE_CODE, methods=["GET", "HEAD"], dependencies=[OwnAccount])
def ask_code(request: Request, visitor: InVisitor) -> Response:
    if visitor.is_whole:
        return RedirectResponse(_next(request), 303)
    return page(request, "sign_in_code.html", next=_next(request), refused=None)


@router.post(GIVE_CODE, dependencies=[OwnAccount])
def give_code(request: Request, office: InOffice, visitor: InVisitor, form: forms.Form) -> Response:
    back, code = forms.own_address(forms.text(form, "next")), forms.text(form, "code")
    try:
        token = sign_in.give_code(office.database, visitor, code, key=office.key, now=office.wall())
    except RefusedError as error:
        return page(request, "sign_in_code.html", status=_status(error), next=back, refused=error)
    return _let_in(request, office, token, back)


@router.post("/sign-out", dependencies=[OpenToAll])
def leave(request: Request, office: InOffice) -> Response:
    visitor = visitor_of(request, office)
    if visitor:
        with office.database.writing() as session:
            by = f"user:{visitor.user.id}"
            sign_in.end(session, visitor.user.id, by=by, now=office.wall(), only=visitor.sign_in.id)
    answer = RedirectResponse(SIGN_IN, 303)
    cookies.forget_session(request, answer)
    return answer


@router.api_route("/invite/{token}", methods=["GET", "HEAD"], dependencies=[OpenToAll])
def show_invitation(request: Request, token: str, office: InOffice) -> Response:
    with office.database.reading() as session:
        user = _invited(session, office, token)
    return page(request, "invitation.html", lang=user.lang, user=user, refused=None)


@router.post("/invite/{token}", dependencies=[OpenToAll])
def take_invitation(request: Request, token: str, office: InOffice, form: forms.Form) -> Response:
    with office.database.reading() as session:
        user = _invited(session, office, token)
    first, again = forms.password(form, "password"), forms.password(form, "again")
    try:
        fresh = sign_in.choose_password(office.database, token, first, again, agent=agent(request), now=office.wall())
    except RefusedError as error:
        return page(request, "invitation.html", status=422, lang=user.lang, user=user, refused=error)
    return _let_in(request, office, fresh, "/")


def _sign_in_page(request: Request, login: str, back: str, refused: RefusedError | None = None) -> Response:
    values: dict[str, Any] = {"login": login, "next": forms.own_address(back), "refused": refused}
    needs_https = request.url.scheme == "http" and not cookies.is_loopback(request)
    status = _status(refused) if refused else 200
    settings = office_of(request).settings
    values["oidc"] = settings.oidc_name if settings.oidc_issuer else None
    return page(request, "sign_in.html", status=status, needs_https=needs_https, **values)


def _next(request: Request) -> str:
    return forms.own_address(request.query_params.get("next", "/"))


def _let_in(request: Request, office: Office, token: str, back: str) -> Response:
    answer = RedirectResponse(forms.own_address(back), 303)
    cookies.keep_session(request, answer, office, token)
    return answer


def _invited(session: Session, office: Office, token: str) -> User:
    found = sign_in.invited(session, token, office.wall())
    if found is None:
        raise LinkNotFoundError
    return found[1]


def _status(refused: RefusedError) -> int:
    return 429 if refused.reason.code == WAITS else 422

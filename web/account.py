"""What does everybody keep for themselves? Name, language, password, second factor, the browsers signed in."""

from typing import Any, Final

import segno
from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from engine import people, second_factor, sign_in
from engine.access import actor_of
from engine.errors import RefusedError
from engine.sign_in import Visitor
from models.unit import Unit
from models.user import User, is_admin
from web import cookies, forms
from web.access import GIVE_CODE, SET_UP, InVisitor, OwnAccount
from web.errors import NoWayInError
from web.office import InOffice, Number, Office
from web.pages import choose_language, page

HERE: Final = "/account"
CODES: Final = "/account/recovery-codes"
router = APIRouter(dependencies=[OwnAccount])


@router.api_route(HERE, methods=["GET", "HEAD"])
def show_account(request: Request, office: InOffice, visitor: InVisitor) -> Response:
    return _account_page(request, office, _whole(request, office, visitor))


@router.post(HERE)
def describe(request: Request, office: InOffice, visitor: InVisitor, form: forms.Form) -> Response:
    name, lang = forms.text(form, "name"), forms.text(form, "lang")

    def act(known: Visitor) -> None:
        with office.database.writing() as session:
            people.describe_self(session, session.get_one(User, known.user.id), name=name, lang=lang, now=office.wall())

    answer = _done(request, office, visitor, "describe", act, typed={"name": name, "lang": lang})
    if answer.status_code == 303:
        choose_language(answer, lang)
    return answer


@router.post("/account/password")
def change_password(request: Request, office: InOffice, visitor: InVisitor, form: forms.Form) -> Response:
    current, fresh, again = (forms.password(form, name) for name in ("current", "password", "again"))

    def act(known: Visitor) -> None:
        sign_in.change_password(office.database, known, current, fresh, again, now=office.wall())

    return _done(request, office, visitor, "password", act)


@router.post("/account/sessions/end")
def end_others(request: Request, office: InOffice, visitor: InVisitor) -> Response:
    def act(known: Visitor) -> None:
        with office.database.writing() as session:
            by = f"user:{known.user.id}"
            sign_in.end(session, known.user.id, by=by, now=office.wall(), but=known.sign_in.id)

    return _done(request, office, visitor, "sessions", act)


@router.post("/account/sessions/{id_}/end")
def end_one(request: Request, id_: Number, office: InOffice, visitor: InVisitor) -> Response:
    def act(known: Visitor) -> None:
        with office.database.writing() as session:
            sign_in.end(session, known.user.id, by=f"user:{known.user.id}", now=office.wall(), only=id_)

    return _done(request, office, visitor, "sessions", act)


# The second factor


@router.api_route(SET_UP, methods=["GET", "HEAD"])
def show_set_up(request: Request, office: InOffice, visitor: InVisitor) -> Response:
    return _set_up_page(request, office, visitor, forms.own_address(request.query_params.get("next", "/")))


@router.post(SET_UP)
def set_up(request: Request, office: InOffice, visitor: InVisitor, form: forms.Form) -> Response:
    sealed, code, back = forms.text(form, "sealed"), forms.text(form, "code"), forms.text(form, "next")
    password = forms.password(form, "current")
    try:
        token, codes = sign_in.set_up_code(
            office.database, visitor, sealed, code, password, key=office.key, now=office.wall()
        )
    except RefusedError as error:
        return _set_up_page(request, office, visitor, forms.own_address(back), error, sealed)
    answer = _show_codes(request, office, codes, back)
    cookies.keep_session(request, answer, office, token)
    return answer


@router.post("/account/second-factor/removal")
def remove_code(request: Request, office: InOffice, visitor: InVisitor, form: forms.Form) -> Response:
    password = forms.password(form, "current")

    def act(known: Visitor) -> None:
        sign_in.remove_code(office.database, known, password, now=office.wall())

    return _done(request, office, visitor, "removal", act)


@router.post(CODES)
def make_codes(request: Request, office: InOffice, visitor: InVisitor, form: forms.Form) -> Response:
    known, password = _whole(request, office, visitor), forms.password(form, "current")
    try:
        codes = sign_in.fresh_codes(office.database, known, password, key=office.key, now=office.wall())
    except RefusedError as error:
        return _account_page(request, office, known, refused=("codes", error))
    return _show_codes(request, office, codes, HERE)


@router.api_route(CODES, methods=["GET", "HEAD"])
def show_codes(request: Request, office: InOffice, visitor: InVisitor) -> Response:
    """Shows them to the one page that comes next, and forgets."""
    _whole(request, office, visitor)
    kept = cookies.shown_once(request, office)
    if kept is None:
        return RedirectResponse(HERE, 303)
    back, *codes = kept.split("\n")
    answer = page(request, "recovery_codes.html", codes=codes, next=forms.own_address(back, HERE))
    if request.method == "GET":
        cookies.forget_once(request, answer)
    return answer


def _whole(request: Request, office: Office, visitor: Visitor) -> Visitor:
    """The account is only for whoever has also given the second factor; its page has the frame of the office."""
    if not visitor.is_whole:
        raise NoWayInError(GIVE_CODE if visitor.user.totp else SET_UP)
    sign_in.see(office.database, visitor.sign_in, office.wall())
    with office.database.reading() as session:
        request.state.actor = actor_of(session, visitor.user, office.today())
    return visitor


def _done(
    request: Request, office: Office, visitor: Visitor, name: str, act: Any, typed: dict[str, str] | None = None
) -> Response:
    known = _whole(request, office, visitor)
    try:
        act(known)
    except RefusedError as error:
        return _account_page(request, office, known, refused=(name, error), typed=typed)
    return RedirectResponse(HERE, 303)


def _account_page(
    request: Request,
    office: Office,
    visitor: Visitor,
    *,
    refused: tuple[str, RefusedError] | None = None,
    typed: dict[str, str] | None = None,
) -> Response:
    with office.database.reading() as session:
        user = session.get_one(User, visitor.user.id)
        scopes = [
            (scope.role, session.get_one(Unit, scope.unit_id).name if scope.unit_id else None)
            for scope in people.scopes_of(session, user.id)
        ]
        values: dict[str, Any] = {
            "sessions": sign_in.sessions_of(session, user.id, office.lasting, office.wall()),
            "codes_left": second_factor.codes_left(session, user.id),
            "is_admin": is_admin(session, user.id),
        }
    own = {"name": user.name, "lang": user.lang} | (typed or {})
    status = 422 if refused else 200
    return page(
        request,
        "account.html",
        status=status,
        user=user,
        here_now=visitor.sign_in.id,
        scopes=scopes,
        own=own,
        refused=refused,
        **values,
    )


def _set_up_page(
    request: Request,
    office: Office,
    visitor: Visitor,
    back: str,
    refused: RefusedError | None = None,
    sealed: str = "",
) -> Response:
    """The secret waits in the form: nothing is written before its first code has come."""
    user, now = visitor.user, office.wall()
    if user.totp is not None and not visitor.is_whole:
        raise NoWayInError(GIVE_CODE)
    secret = second_factor.opened(office.key, user.id, sealed, now) if sealed else None
    if secret is None:
        secret, sealed = second_factor.proposed(office.key, user.id, now)
    picture = segno.make(second_factor.address(secret, user.login), error="m", micro=False)
    return page(
        request,
        "second_factor.html",
        status=422 if refused else 200,
        user=user,
        asks_password=visitor.is_whole and user.password is not None,
        is_first=not visitor.is_whole,
        picture=picture.svg_inline(scale=5, border=4, dark="#000", light="#fff", title="QR", svgclass="qr"),
        secret=" ".join(secret[place : place + 4] for place in range(0, len(secret), 4)),
        sealed=sealed,
        next=back,
        refused=refused,
    )


def _show_codes(request: Request, office: Office, codes: list[str], back: str) -> Response:
    answer = RedirectResponse(CODES, 303)
    cookies.show_once(request, answer, office, "\n".join([forms.own_address(back, HERE), *codes]))
    return answer

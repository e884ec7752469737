"""Who may sign in, and what may they do where? The users that an admin keeps."""

from collections.abc import Callable
from typing import Any, Final

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session, col, select

from dondoc.alphabet import order
from engine import people, sign_in
from engine.access import Actor, Right, actor_of, may_units
from engine.errors import RefusedError
from models.unit import Unit, unit_by_code
from models.user import User, UserRole
from web import cookies, forms
from web.access import InActor, needs
from web.office import InOffice, Number, Office
from web.pages import page

EVERYWHERE: Final = "*"  #: in place of a unit's code
router = APIRouter(dependencies=[needs(Right.MANAGE)])


@router.api_route("/people", methods=["GET", "HEAD"])
def show_people(request: Request, office: InOffice, actor: InActor) -> Response:
    return _list_page(request, office, actor)


@router.post("/people")
def add(request: Request, office: InOffice, actor: InActor, form: forms.Form) -> Response:
    typed = {name: forms.text(form, name) for name in ("login", "name", "email", "lang", "role", "unit")}
    try:
        with office.database.writing() as session:
            user = people.add(
                session,
                actor,
                login=typed["login"],
                name=typed["name"],
                email=typed["email"],
                lang=typed["lang"] or office.settings.lang,
                grants=[_grant(session, typed)],
                now=office.wall(),
            )
            token = people.invite(session, actor, user, now=office.wall())
    except RefusedError as error:
        return _list_page(request, office, actor, error, typed)
    return _with_link(request, office, user.id, token)


@router.api_route("/people/{user_id}", methods=["GET", "HEAD"])
def show_person(request: Request, user_id: Number, office: InOffice, actor: InActor) -> Response:
    return _person_page(request, office, actor, user_id)


@router.post("/people/{user_id}")
def describe(request: Request, user_id: Number, office: InOffice, actor: InActor, form: forms.Form) -> Response:
    typed = {name: forms.text(form, name) for name in ("name", "email")}

    def act(session: Session, user: User) -> None:
        people.describe(session, actor, user, **typed, now=office.wall())

    return _done(request, office, actor, user_id, "describe", act, typed)


@router.post("/people/{user_id}/scopes")
def give(request: Request, user_id: Number, office: InOffice, actor: InActor, form: forms.Form) -> Response:
    typed = {name: forms.text(form, name) for name in ("role", "unit")}

    def act(session: Session, user: User) -> None:
        people.give(session, actor, user, *_grant(session, typed), now=office.wall())

    return _done(request, office, actor, user_id, "scopes", act, typed)


@router.post("/people/{user_id}/scopes/{id_}/removal")
def take(request: Request, user_id: Number, id_: Number, office: InOffice, actor: InActor) -> Response:
    def act(session: Session, user: User) -> None:
        people.take(session, actor, user, id_, now=office.wall())

    return _done(request, office, actor, user_id, "scopes", act)


@router.post("/people/{user_id}/invitation")
def invite(request: Request, user_id: Number, office: InOffice, actor: InActor) -> Response:
    try:
        with office.database.writing() as session:
            token = people.invite(session, actor, _kept(session, actor, user_id), now=office.wall())
    except RefusedError as error:
        return _person_page(request, office, actor, user_id, ("way", error))
    return _with_link(request, office, user_id, token)


@router.post("/people/{user_id}/disabling")
def disable(request: Request, user_id: Number, office: InOffice, actor: InActor) -> Response:
    def act(session: Session, user: User) -> None:
        people.disable(session, actor, user, now=office.wall())

    return _done(request, office, actor, user_id, "way", act)


@router.post("/people/{user_id}/enabling")
def enable(request: Request, user_id: Number, office: InOffice, actor: InActor) -> Response:
    def act(session: Session, user: User) -> None:
        people.enable(session, actor, user, now=office.wall())

    return _done(request, office, actor, user_id, "way", act)


@router.post("/people/{user_id}/sessions/end")
def end_sessions(request: Request, user_id: Number, office: InOffice, actor: InActor) -> Response:
    def act(session: Session, user: User) -> None:
        people.end_sessions(session, actor, user, now=office.wall())

    return _done(request, office, actor, user_id, "way", act)


@router.post("/people/{user_id}/second-factor/removal")
def reset_second_factor(request: Request, user_id: Number, office: InOffice, actor: InActor) -> Response:
    def act(session: Session, user: User) -> None:
        people.reset_second_factor(session, actor, user, now=office.wall())

    return _done(request, office, actor, user_id, "way", act)


@router.post("/people/{user_id}/subject")
def bind(request: Request, user_id: Number, office: InOffice, actor: InActor, form: forms.Form) -> Response:
    typed = {"subject": forms.text(form, "subject")}

    def act(session: Session, user: User) -> None:
        people.bind(session, actor, user, typed["subject"] or None, now=office.wall())

    return _done(request, office, actor, user_id, "subject", act, typed)


def _done(
    request: Request,
    office: Office,
    actor: Actor,
    user_id: int,
    name: str,
    act: Callable[[Session, User], None],
    typed: dict[str, str] | None = None,
) -> Response:
    try:
        with office.database.writing() as session:
            act(session, _kept(session, actor, user_id))
    except RefusedError as error:
        return _person_page(request, office, actor, user_id, (name, error), typed)
    with office.database.reading() as session:  # who gave up their own last role has no page to come back to
        user = session.get_one(User, user_id)
        now_is = actor_of(session, user, actor.on) if user_id == actor.user_id else actor
        is_kept = people.keeps(session, now_is, user) and now_is.holds(Right.MANAGE)
    return RedirectResponse(f"/people/{user_id}" if is_kept else "/", 303)


def _kept(session: Session, actor: Actor, user_id: int) -> User:
    """404 for the users of other units, as for those who are not there."""
    user = session.get(User, user_id)
    if user is None or not people.keeps(session, actor, user):
        raise HTTPException(404)
    return user


def _grant(session: Session, typed: dict[str, str]) -> people.Grant:
    if typed["role"] not in set(UserRole):
        raise RefusedError("user.role", allowed=", ".join(UserRole), got=typed["role"][:40])
    if typed["unit"] == EVERYWHERE:
        return UserRole(typed["role"]), None
    unit = unit_by_code(session, typed["unit"])
    if unit is None:
        raise RefusedError("user.unit", got=typed["unit"][:40])
    return UserRole(typed["role"]), unit.id


def _with_link(request: Request, office: Office, user_id: int, token: str) -> Response:
    answer = RedirectResponse(f"/people/{user_id}", 303)
    cookies.show_once(request, answer, office, f"{user_id}\n{office.settings.url.rstrip('/')}/invite/{token}")
    return answer


def _list_page(
    request: Request,
    office: Office,
    actor: Actor,
    refused: RefusedError | None = None,
    typed: dict[str, str] | None = None,
) -> Response:
    with office.database.reading() as session:
        kept = people.kept_by(session, actor)
        names = _names(session, {scope.unit_id for _, scopes in kept for scope in scopes})
        units = _units(session, actor)
    return page(
        request,
        "people.html",
        status=422 if refused else 200,
        kept=kept,
        names=names,
        refused=refused,
        typed=typed or {},
        **_choices(actor, units),
    )


def _person_page(
    request: Request,
    office: Office,
    actor: Actor,
    user_id: int,
    refused: tuple[str, RefusedError] | None = None,
    typed: dict[str, str] | None = None,
) -> Response:
    with office.database.reading() as session:
        user = _kept(session, actor, user_id)
        scopes = people.scopes_of(session, user.id)
        values: dict[str, Any] = {
            "names": _names(session, {scope.unit_id for scope in scopes}),
            "sessions": sign_in.sessions_of(session, user.id, office.lasting, office.wall()),
            **_choices(actor, _units(session, actor)),
        }
    known, _, link = (cookies.shown_once(request, office) or "").partition("\n")
    is_own_link = known == str(user_id) and request.method == "GET"
    answer = page(
        request,
        "person.html",
        status=422 if refused else 200,
        user=user,
        scopes=scopes,
        link=link if is_own_link else None,
        refused=refused,
        typed=typed or {},
        has_oidc=office.settings.oidc_issuer is not None,
        **values,
    )
    if is_own_link:
        cookies.forget_once(request, answer)
    return answer


def _choices(actor: Actor, units: list[Unit]) -> dict[str, Any]:
    is_chief = "" in actor.paths(Right.MANAGE)
    return {"roles": list(UserRole), "units": units, "is_chief": is_chief, "everywhere": EVERYWHERE}


def _units(session: Session, actor: Actor) -> list[Unit]:
    """Where this actor may give roles."""
    query = select(Unit).where(may_units(actor, Right.MANAGE, col(Unit.id)))
    return sorted(session.exec(query), key=lambda unit: order(unit.name))


def _names(session: Session, unit_ids: set[int | None]) -> dict[int | None, str]:
    query = select(Unit).where(col(Unit.id).in_({unit_id for unit_id in unit_ids if unit_id is not None}))
    return {unit.id: unit.name for unit in session.exec(query)}

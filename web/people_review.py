"""Who may do what where, and has somebody looked over it? The list of all access, on the page and as a sheet."""

from collections.abc import Mapping

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session, col, select

from dondoc.i18n import translate
from engine import access_review
from engine.access import Actor, Right
from engine.errors import RefusedError
from models.unit import Unit
from models.user import User, UserScope
from web.access import InActor, needs
from web.csv_file import csv_file
from web.office import InOffice, Number, Office
from web.pages import language, page

router = APIRouter(dependencies=[needs(Right.MANAGE)])
HEAD = ("login", "name", "active", "role", "unit", "second_factor", "last_signed_in", "reviewed_on", "reviewed_by")


@router.api_route("/people/review", methods=["GET", "HEAD"])
def show_review(request: Request, office: InOffice, actor: InActor) -> Response:
    return _page(request, office, actor)


@router.api_route("/people/review.csv", methods=["GET", "HEAD"])
def download_review(request: Request, office: InOffice, actor: InActor) -> Response:
    """One line a role, so that a sheet can be sorted by unit or by role; days are UTC."""
    lang = language(request)
    lines: list[tuple[object, ...]] = [HEAD]
    with office.database.reading() as session:
        found = access_review.listed(session, actor, office.wall())
        units = _units(session)
        names = _names(session)
    for each in found:
        user = each.user
        last = f"{each.signed_in_at:%Y-%m-%d}" if each.signed_in_at else ""
        reviewed = f"{user.reviewed_at:%Y-%m-%d}" if user.reviewed_at else ""
        roles = [(translate(f"user_role.{scope.role}", lang), _where(scope, units)) for scope in each.scopes]
        for role, where in roles or [("", "")]:
            grant = (user.login, user.name, int(user.is_active), role, where, int(user.totp is not None))
            lines.append((*grant, last, reviewed, names.get(user.reviewed_by or "", "")))
    return csv_file(lines, "quyen", office.today())


@router.post("/people/{user_id}/review")
def review(request: Request, user_id: Number, office: InOffice, actor: InActor) -> Response:
    try:
        with office.database.writing() as session:
            user = session.get(User, user_id)
            if user is None:
                raise HTTPException(404)
            access_review.review(session, actor, user, now=office.wall())
    except RefusedError as error:
        if error.reason.code == "user.beyond":
            raise HTTPException(404) from error
        return _page(request, office, actor, error)
    return RedirectResponse(f"/people/review#user-{user_id}", 303)


def _page(request: Request, office: Office, actor: Actor, refused: RefusedError | None = None) -> Response:
    with office.database.reading() as session:
        found = access_review.listed(session, actor, office.wall())
        units, names = _units(session), _names(session)
    return page(
        request,
        "people_review.html",
        status=422 if refused else 200,
        found=found,
        waiting=sum(each.is_due for each in found),
        units=units,
        names=names,
        refused=refused,
    )


def _where(scope: UserScope, units: Mapping[int, Unit]) -> str:
    """The unit's code; a star for everywhere."""
    return units[scope.unit_id].code if scope.unit_id else "*"


def _units(session: Session) -> dict[int, Unit]:
    query = select(Unit).where(col(Unit.id).in_(select(UserScope.unit_id)))
    return {unit.id: unit for unit in session.exec(query)}


def _names(session: Session) -> dict[str, str]:
    """Who has reviewed, by how the journal knows them."""
    return {f"user:{user.id}": user.name for user in session.exec(select(User))}

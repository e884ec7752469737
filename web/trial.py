"""With whose eyes is a playground seen? The whole office's, a committee's secretary's, or a viewer's."""

from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session, col, select

from dondoc.alphabet import order
from engine.access import Actor, Scope, everything
from models.unit import Placement, Unit, valid
from models.user import UserRole
from web import forms
from web.office import InOffice, Office

COOKIE: Final = "trial"
CLERK: Final = "office"  #: how the journal names whoever acts in a playground
WHOLE: Final = "whole"
LOOKS: Final = "looks"
MAX_AGE: Final = 30 * 24 * 3600
router = APIRouter()


@dataclass(frozen=True, slots=True)
class Committee:
    """A unit that has units below it, so that its secretary owes upward and is owed from below."""

    code: str
    name: str
    path: str


@router.post("/trial")
def choose(office: InOffice, form: forms.Form) -> Response:
    if not office.is_demo:
        raise HTTPException(404)
    choice = forms.text(form, "as")
    is_known = choice == LOOKS or any(each.code == choice for each in committees(office))
    answer = RedirectResponse(forms.own_address(forms.text(form, "back")), 303)
    answer.set_cookie(COOKIE, choice if is_known else WHOLE, max_age=MAX_AGE, httponly=True, samesite="lax")
    return answer


def chosen(request: Request) -> str:
    return request.cookies.get(COOKIE, WHOLE)


@dataclass(frozen=True, slots=True)
class Roles:
    """What the bar offers, and what is chosen."""

    chosen: str
    committees: list[Committee]


def roles(request: Request, office: Office) -> Roles:
    return Roles(chosen(request), committees(office))


def actor(request: Request, office: Office) -> Actor:
    """Whom the visitor of a playground plays; what is not known plays the whole office."""
    choice, on = chosen(request), office.today()
    if choice == LOOKS:
        return Actor(CLERK, "", (Scope(UserRole.VIEWER, ""),), on=on)
    found = next((each for each in committees(office) if each.code == choice), None) if choice != WHOLE else None
    return Actor(CLERK, "", (Scope(UserRole.SECRETARIAT, found.path),), on=on) if found else everything(CLERK, "", on)


def committees(office: Office) -> list[Committee]:
    """In the order of their names; below the top, which is the whole office itself."""
    with office.database.reading() as session:
        return sorted(_committees(session, office), key=lambda each: order(each.name))


def _committees(session: Session, office: Office) -> list[Committee]:
    today = valid(office.today())
    parents = select(col(Placement.parent_id)).where(today)
    query = (
        select(Unit, Placement)
        .join(Placement, col(Placement.unit_id) == col(Unit.id))
        .where(today, col(Unit.id).in_(parents), col(Placement.parent_id).is_not(None))
    )
    return [Committee(unit.code, unit.name, place.path) for unit, place in session.exec(query)]

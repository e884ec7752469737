"""Which ways of looking has a user kept? Forms that keep a view, put it first, drop it; the pages list them."""

from fastapi import APIRouter, HTTPException
from fastapi.responses import RedirectResponse, Response

from engine import views
from engine.access import Actor, Right
from models.view import SavedView
from web import forms
from web.access import InActor, needs
from web.office import InOffice, Number

router = APIRouter()


@router.post("/views", dependencies=[needs(Right.SEE)])
def keep(office: InOffice, actor: InActor, form: forms.Form) -> Response:
    user_id = _user(actor)
    with office.database.writing() as session:
        text = {name: forms.text(form, name) for name in ("page", "name", "query")}
        return _back(views.keep(session, user_id, **text))


@router.post("/views/{id_}/first", dependencies=[needs(Right.SEE)])
def put_first(id_: Number, office: InOffice, actor: InActor, form: forms.Form) -> Response:
    user_id = _user(actor)
    with office.database.writing() as session:
        return _back(views.put_first(session, user_id, id_, is_first=forms.text(form, "first") == "yes"))


@router.post("/views/{id_}/drop", dependencies=[needs(Right.SEE)])
def drop(id_: Number, office: InOffice, actor: InActor) -> Response:
    user_id = _user(actor)
    with office.database.writing() as session:
        return _back(views.drop(session, user_id, id_))


def _user(actor: Actor) -> int:
    """Views belong to somebody who signed in: the clerk of a playground has none."""
    if actor.user_id is None:
        raise HTTPException(404)
    return actor.user_id


def _back(view: SavedView) -> Response:
    """To the page, as the view shows it."""
    return RedirectResponse(f"{views.PAGES[view.page]}?{view.query or 'view=all'}", 303)

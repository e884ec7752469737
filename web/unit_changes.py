"""Which changes of units are still to come, and how is one called off before its day?"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session, col, select

from engine import call_off, coming
from engine.access import PIECE, Actor, Place, Right, can, paths_of
from engine.errors import RefusedError
from models.entry import Entry
from models.unit import Unit
from web import forms
from web.access import InActor, needs
from web.done import after, stand, told_done
from web.office import InOffice, Number, Office
from web.pages import page
from web.plans import names_of

router = APIRouter(dependencies=[needs(Right.MANAGE)])


@router.api_route("/units/changes", methods=["GET", "HEAD"])
def show_changes(request: Request, office: InOffice, actor: InActor) -> Response:
    with office.database.reading() as session:
        listed = changes(session, office, actor)
        done = told_done(session, request, actor)
    return page(request, "unit_changes.html", done=done, **listed)


@router.api_route("/units/changes/{number}", methods=["GET", "HEAD"])
def show_change(request: Request, number: Number, office: InOffice, actor: InActor) -> Response:
    return _page(request, office, actor, number)


@router.post("/units/changes/{number}")
def call_change_off(request: Request, number: Number, office: InOffice, actor: InActor, form: forms.Form) -> Response:
    reason = forms.text(form, "reason")
    try:
        with office.database.writing() as session:
            _demand(session, actor, number)
            before = stand(session)
            call_off.call_off(session, number, reason=reason, by=actor.by, now=office.now(), zone=office.settings.zone)
            back = after(session, actor, "/units/changes", before, coming.CALLED_OFF)
    except RefusedError as error:
        return _page(request, office, actor, number, error, reason)
    return RedirectResponse(back, 303)


def changes(session: Session, office: Office, actor: Actor, unit: Unit | None = None) -> dict[str, Any]:
    """The orders for coming days that name a unit of the actor's to change, this one if given; which are theirs."""
    orders = coming.orders(session, office.today())
    if unit is not None:
        orders = [order for order in orders if unit.code in coming.concerned(order)]
    units = _units(session, orders)
    places = _places(session, units)
    shown = [
        order
        for order in orders
        if any(can(actor, Right.MANAGE, places[code]) for code in coming.concerned(order) if code in places)
    ]
    return {
        "orders": shown,
        "units": units,
        "mine": {order.id for order in shown if _may(actor, order, places)},
        "who_names": names_of(session, (order.by for order in shown)),
    }


def _page(
    request: Request, office: Office, actor: Actor, number: int, refused: RefusedError | None = None, reason: str = ""
) -> Response:
    effect = None
    with office.database.reading() as session:
        order = _demand(session, actor, number)
        units = _units(session, [order])
        names = names_of(session, [order.by])
        try:
            effect = call_off.preview(session, number, now=office.now(), zone=office.settings.zone)
        except RefusedError as error:
            refused = error
    return page(
        request,
        "unit_call_off.html",
        status=422 if request.method == "POST" else 200,
        order=order,
        units=units,
        who_names=names,
        effect=effect,
        refused=refused,
        typed={"reason": reason},
    )


def _demand(session: Session, actor: Actor, number: int) -> Entry:
    """404 for what is no order or names no unit of the actor's, 403 where others than theirs would change."""
    order = session.get(Entry, number)
    if order is None or order.act not in coming.ORDERS:
        raise HTTPException(404)
    places = _places(session, _units(session, [order]))
    if not any(can(actor, Right.SEE, place) for place in places.values()) and "" not in actor.paths(Right.SEE):
        raise HTTPException(404)
    if not _may(actor, order, places):
        raise HTTPException(403)
    return order


def _may(actor: Actor, order: Entry, places: Mapping[str, Place]) -> bool:
    """Whether all that the order changes is the actor's to change; where units begin or end, what is above them too."""
    data = order.data
    own = [places[code] for code in coming.concerned(order) if code in places]
    own += [Place(places[code].own[:-PIECE]) for code in coming.beside(order) if code in places]
    if order.act == coming.MOVE and not (data["before"] and data["after"]):
        return "" in actor.paths(Right.MANAGE)
    return all(can(actor, Right.MANAGE, each) for each in own)


def _units(session: Session, orders: Sequence[Entry]) -> dict[str, Unit]:
    codes = {code for order in orders for code in coming.concerned(order)}
    return {unit.code: unit for unit in session.exec(select(Unit).where(col(Unit.code).in_(codes)))}


def _places(session: Session, units: Mapping[str, Unit]) -> dict[str, Place]:
    """Where these units stand, or are to stand."""
    paths = paths_of(session, (each.id for each in units.values()), date.max)
    return {code: Place(paths[each.id]) for code, each in units.items() if each.id in paths}

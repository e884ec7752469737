"""How is this contact told? Every way in its order with the consent to it; one is added, comes first, or ends."""

from collections.abc import Callable

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session, col, select
from starlette.datastructures import FormData

from dondoc.keys import Secrets
from engine import link_contact, ways
from engine.access import Actor, Right, can, place_of_unit
from engine.errors import RefusedError
from engine.ways import BY_NUMBER, SOURCES, TYPED, Agreed
from models.address import Address, ways_of
from models.contact import Contact
from models.unit import Unit
from models.zalo import ZaloAccount
from web import forms, words, zalo
from web.access import InActor, demand, needs
from web.office import InOffice, Number, Office
from web.pages import page

router = APIRouter()


@router.api_route("/contacts/{contact_id}/ways", methods=["GET", "HEAD"], dependencies=[needs(Right.SEE)])
def show_ways(request: Request, contact_id: Number, office: InOffice, actor: InActor) -> Response:
    return _page(request, office, actor, contact_id)


@router.post("/contacts/{contact_id}/ways", dependencies=[needs(Right.CHASE)])
def add_way(request: Request, contact_id: Number, office: InOffice, actor: InActor, form: forms.Form) -> Response:
    def act(session: Session) -> object:
        channel = forms.text(form, "channel")
        agreed = Agreed(
            channel,
            forms.text(form, "account") if channel == BY_NUMBER else "",
            forms.text(form, "address"),
            forms.text(form, "source"),
            forms.needed_day(form, "on"),
        )
        secrets, zone = Secrets(office.settings.secrets_folder), office.settings.zone
        return ways.add_way(session, contact_id, agreed, secrets=secrets, by=actor.by, now=office.now(), zone=zone)

    return _done(request, office, actor, contact_id, form, act)


@router.post("/contacts/{contact_id}/ways/{way_id}/first", dependencies=[needs(Right.CHASE)])
def put_first(
    request: Request, contact_id: Number, way_id: Number, office: InOffice, actor: InActor, form: forms.Form
) -> Response:
    def act(session: Session) -> object:
        return ways.put_first(session, _way(session, contact_id, way_id).id, by=actor.by, now=office.now())

    return _done(request, office, actor, contact_id, form, act)


@router.post("/contacts/{contact_id}/ways/{way_id}/end", dependencies=[needs(Right.CHASE)])
def end_way(
    request: Request, contact_id: Number, way_id: Number, office: InOffice, actor: InActor, form: forms.Form
) -> Response:
    def act(session: Session) -> object:
        return link_contact.unlink(session, _way(session, contact_id, way_id).id, by=actor.by, now=office.now())

    return _done(request, office, actor, contact_id, form, act)


def _done(
    request: Request, office: Office, actor: Actor, contact_id: int, form: FormData, act: Callable[[Session], object]
) -> Response:
    """Does the act and comes back; a refusal shows the page again with all that was typed."""
    try:
        with office.database.writing() as session:
            _demand(session, actor, Right.CHASE, contact_id)
            act(session)
    except RefusedError as error:
        typed = {name: value for name, value in form.items() if isinstance(value, str)}
        return _page(request, office, actor, contact_id, error, typed)
    return RedirectResponse(f"/contacts/{contact_id}/ways", 303)


def _page(
    request: Request,
    office: Office,
    actor: Actor,
    contact_id: int,
    refused: RefusedError | None = None,
    typed: dict[str, str] | None = None,
) -> Response:
    with office.database.reading() as session:
        contact = _demand(session, actor, Right.SEE, contact_id)
        unit = session.get_one(Unit, contact.unit_id)
        place = place_of_unit(session, unit.id, actor.on)
        found = session.scalars(ways_of([contact.id])).all()
        accounts = session.exec(select(ZaloAccount).order_by(col(ZaloAccount.alias))).all()
        has_zalo = zalo.is_here(office, session)
    return page(
        request,
        "ways.html",
        status=422 if refused else 200,
        contact=contact,
        unit=unit,
        ways=found,
        silent={each.id for each in found if each.is_silent(office.now())},
        accounts=accounts,
        kinds=[each for each in TYPED if each != BY_NUMBER or accounts],
        sources=SOURCES,
        has_zalo=has_zalo,
        may_keep=can(actor, Right.CHASE, place),
        may_call=can(actor, Right.REVIEW, place),
        masked=words.masked,
        refused=refused,
        typed=typed or {},
    )


def _way(session: Session, contact_id: int, way_id: int) -> Address:
    way = session.get(Address, way_id)
    if way is None or way.contact_id != contact_id:
        raise HTTPException(404)
    return way


def _demand(session: Session, actor: Actor, right: Right, contact_id: int) -> Contact:
    contact = session.get(Contact, contact_id)
    if contact is None:
        raise HTTPException(404)
    demand(actor, right, place_of_unit(session, contact.unit_id, actor.on))
    return contact

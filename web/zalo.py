"""How does a unit come to be told by Zalo? A code for its own chat, on its page or from the secretariat; and back."""

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session, col, select

from dondoc.keys import Secrets
from engine import link_contact
from engine.access import Actor, Right, place_of_unit
from engine.link_contact import CODE_LIFE
from models.address import ways_of
from models.contact import Contact
from models.unit import Unit
from models.zalo import ZaloAccount
from notifications.channels import may_speak_zalo
from web.access import InActor, OpenToAll, demand, needs
from web.links import unit_link_of, written_to
from web.office import InOffice, Number, Office
from web.pages import page

router = APIRouter()


@router.post("/u/{unit_token}/zalo/code", dependencies=[OpenToAll])
def give_own_code(request: Request, unit_token: str, office: InOffice) -> Response:
    return _code_page(request, office, unit_link_of(office, unit_token).contact_id, f"/u/{unit_token}")


@router.post("/not-me/{letter_token}/zalo/code", dependencies=[OpenToAll])
def give_reader_code(request: Request, letter_token: str, office: InOffice) -> Response:
    return _code_page(request, office, written_to(office, letter_token).id, f"/not-me/{letter_token}")


@router.post("/u/{unit_token}/zalo/end", dependencies=[OpenToAll])
def end_own(unit_token: str, office: InOffice) -> Response:
    contact_id = unit_link_of(office, unit_token).contact_id
    _end(office, contact_id, by=f"contact:{contact_id}")
    return RedirectResponse(f"/u/{unit_token}", 303)


@router.post("/units/{unit_id}/contacts/{contact_id}/zalo", dependencies=[needs(Right.CHASE)])
def give_code(request: Request, unit_id: Number, contact_id: Number, office: InOffice, actor: InActor) -> Response:
    _demand(office, actor, unit_id, contact_id)
    return _code_page(request, office, contact_id, f"/units/{unit_id}#contacts")


@router.post("/units/{unit_id}/contacts/{contact_id}/zalo/end", dependencies=[needs(Right.CHASE)])
def end(unit_id: Number, contact_id: Number, office: InOffice, actor: InActor) -> Response:
    _demand(office, actor, unit_id, contact_id)
    _end(office, contact_id, by=actor.by)
    return RedirectResponse(f"/units/{unit_id}#contacts", 303)


def is_here(office: Office, session: Session) -> bool:
    """Whether this office has anything in Zalo to which a code could be sent."""
    if not may_speak_zalo(office.settings):
        return False
    has_bot = Secrets(office.settings.secrets_folder).read("zalobot-token") is not None
    return has_bot or session.exec(select(ZaloAccount)).first() is not None


def _code_page(request: Request, office: Office, contact_id: int, back: str) -> Response:
    """Shown in the answer itself: the code is nowhere kept as it is."""
    with office.database.writing() as session:
        if not is_here(office, session):
            raise HTTPException(404)
        code = link_contact.new_code(session, contact_id, key=office.key, now=office.now())
        contact = session.get_one(Contact, contact_id)
        unit = session.get_one(Unit, contact.unit_id)
        accounts = session.exec(select(ZaloAccount).order_by(col(ZaloAccount.alias))).all()
    secrets = Secrets(office.settings.secrets_folder)
    return page(
        request,
        "zalo_code.html",
        lang=contact.lang,
        code=f"{code[:4]} {code[4:]}",
        minutes=int(CODE_LIFE.total_seconds() // 60),
        unit=unit,
        has_bot=secrets.read("zalobot-token") is not None,
        bot=secrets.read("zalobot-name"),
        accounts=accounts,
        keeps_record=office.settings.mail_record,
        back=back,
    )


def _end(office: Office, contact_id: int, *, by: str) -> None:
    with office.database.writing() as session:
        for way in session.scalars(ways_of([contact_id])).all():
            if way.channel.startswith("zalo"):
                link_contact.unlink(session, way.id, by=by, now=office.now())


def _demand(office: Office, actor: Actor, unit_id: int, contact_id: int) -> None:
    with office.database.reading() as session:
        contact = session.get(Contact, contact_id)
        if contact is None or contact.unit_id != unit_id:
            raise HTTPException(404)
        demand(actor, Right.CHASE, place_of_unit(session, unit_id, actor.on))

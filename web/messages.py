"""What was sent, and did it arrive? Messages with their tries and the text as it went out; a failed one goes again."""

import re
from dataclasses import asdict, dataclass
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import func, select
from sqlmodel import Session, col
from sqlmodel import select as rows

from engine.access import Actor, Right, can, may_units, place_of_unit
from engine.errors import RefusedError
from engine.retry import may_replace, try_again
from models.address import ways_of
from models.contact import Contact
from models.cycle import Cycle
from models.inbox import FAILED
from models.message import Attempt, Message, MessageState, is_on_record, on_record
from models.notice import Notice, held
from models.task import Task
from models.unit import Unit
from web import forms, words
from web.access import InActor, demand, needs
from web.inbox import units_by_id, units_named
from web.office import InOffice, Number, Office
from web.pages import page
from web.stretch import number_of, stretch_of

PAGE: Final = 50
#: As notifications/channels call themselves.
CHANNELS: Final = ("email", "eml", "zalobot", "zalooa", "zalozns", "apprise")
#: Where the text as sent had a link: its token is put in while sending, and is nobody's but the contact's.
_LINK: Final = re.compile(r"\[\[(?:link|unit):-?[0-9]+\]\]")
router = APIRouter()


@dataclass(frozen=True, slots=True)
class View:
    """What is looked at, one parameter of the address each; `before` is the number that the page begins below."""

    state: str = ""
    channel: str = ""
    find: str = ""
    since: str = ""
    until: str = ""
    before: str = ""

    def href(self, **changes: str) -> str:
        parts = asdict(self) | {"before": ""} | changes
        names = {"since": "from", "until": "to"}
        query = urlencode({names.get(name, name): value for name, value in parts.items() if value})
        return f"/messages?{query}" if query else "/messages"


@router.api_route("/messages", methods=["GET", "HEAD"], dependencies=[needs(Right.SEE)])
def show_messages(request: Request, office: InOffice, actor: InActor) -> Response:
    given = {name: words.clean(value) for name, value in request.query_params.items()}
    view = View(
        given.get("state", "") if given.get("state") in set(MessageState) else "",
        given.get("channel", ""),
        given.get("find", ""),
        given.get("from", ""),
        given.get("to", ""),
        given.get("before", ""),
    )
    with office.database.reading() as session:
        values = _listed(session, office, actor, view, given)
    return page(request, "messages.html", view=view, message_states=list(MessageState), channels=CHANNELS, **values)


@router.api_route("/messages/{message_id}", methods=["GET", "HEAD"], dependencies=[needs(Right.SEE)])
def show_message(request: Request, message_id: Number, office: InOffice, actor: InActor) -> Response:
    return _message_page(request, office, actor, message_id)


@router.post("/messages/{message_id}/retry", dependencies=[needs(Right.CHASE)])
def send_again(request: Request, message_id: Number, office: InOffice, actor: InActor, form: forms.Form) -> Response:
    try:
        with office.database.writing() as session:
            _found(session, actor, Right.CHASE, message_id)
            try_again(
                session,
                message_id,
                by=actor.by,
                may_arrive_twice=bool(forms.text(form, "may_arrive_twice")),
                as_it_was=bool(forms.text(form, "as_it_was")),
                now=office.now(),
            )
    except RefusedError as error:
        return _message_page(request, office, actor, message_id, error)
    return RedirectResponse(f"/messages/{message_id}", 303)


def _found(session: Session, actor: Actor, right: Right, message_id: int) -> tuple[Message, Contact]:
    """The message and whom it is for. Who may see the contact's unit may see what it is told."""
    message = session.get(Message, message_id)
    if message is None:
        raise HTTPException(404)
    contact = session.get_one(Contact, message.contact_id)
    demand(actor, right, place_of_unit(session, contact.unit_id, actor.on))
    return message, contact


def _listed(session: Session, office: Office, actor: Actor, view: View, given: dict[str, str]) -> dict[str, Any]:
    stretch = stretch_of(given)
    start, end = stretch.moments(office.settings.zone)
    query = select(Message, Contact).join(Contact, col(Contact.id) == col(Message.contact_id))
    query = query.where(may_units(actor, Right.SEE, col(Contact.unit_id)), ~is_on_record())
    if view.state:
        query = query.where(col(Message.state) == view.state)
    if view.channel:
        query = query.where(col(Message.channel) == view.channel)
    if view.find:
        query = query.where(col(Contact.unit_id).in_(units_named(session, view.find)))
    if start is not None:
        query = query.where(col(Message.created_at) >= start)
    if end is not None:
        query = query.where(col(Message.created_at) < end)
    before = number_of(view.before)
    if before is not None:
        query = query.where(col(Message.id) < before)
    found = session.execute(query.order_by(col(Message.id).desc()).limit(PAGE + 1)).all()
    ids = [message.id for message, _ in found[:PAGE]]
    told = dict(
        session.execute(
            select(col(Notice.message_id), func.count())
            .where(col(Notice.message_id).in_(ids))
            .group_by(col(Notice.message_id))
        )
        .tuples()
        .all()
    )
    references = [on_record(message.reference) for message, _ in found[:PAGE]]
    copies = session.scalars(select(Message).where(col(Message.reference).in_(references))).all()
    return {
        "found": found[:PAGE],
        "copies": {each.instead_of: each for each in copies},
        "masked": words.masked,
        "older": str(ids[-1]) if len(found) > PAGE else "",
        "told": told,
        "held": session.execute(
            held(office.now())
            .join(Contact, col(Contact.id) == col(Notice.contact_id))
            .where(may_units(actor, Right.SEE, col(Contact.unit_id)))
        ).all(),
        "units": units_by_id(session, {contact.unit_id for _, contact in found[:PAGE]}),
    }


def _message_page(
    request: Request, office: Office, actor: Actor, message_id: int, refused: RefusedError | None = None
) -> Response:
    with office.database.reading() as session:
        message, contact = _found(session, actor, Right.SEE, message_id)
        other = session.get(Message, message.instead_of) if message.instead_of is not None else None
        beside = session.exec(rows(Message).where(col(Message.instead_of) == message.id)).first()
        was_refused = message.state == MessageState.REFUSED
        is_copy = other is not None and other.state != MessageState.REFUSED
        told = session.execute(
            select(Notice, Task, Unit, Cycle)
            .join(Task, col(Task.id) == col(Notice.task_id))
            .join(Unit, col(Unit.id) == col(Task.unit_id))
            .join(Cycle, col(Cycle.id) == col(Task.cycle_id))
            .where(col(Notice.message_id) == (message.instead_of if is_copy else message.id))
            .order_by(col(Notice.id))
        ).all()
        attempts = session.exec(
            rows(Attempt).where(col(Attempt.message_id) == message.id).order_by(col(Attempt.number))
        ).all()
        way = session.scalars(ways_of([contact.id])).first()
        values: dict[str, Any] = {
            "message": message,
            "masked": words.masked,
            "refused_one": None if is_copy else other,
            "copied_one": other if is_copy else None,
            "instead": beside if was_refused else None,
            "copy": None if was_refused else beside,
            "again_to": contact.email or (way.address if way is not None else ""),
            "contact": contact,
            "unit": session.get_one(Unit, contact.unit_id),
            "told": told,
            "attempts": attempts,
            "text": _LINK.sub("••••••••", message.text),
            "may_retry": message.state in FAILED
            and (beside is None or may_replace(message, beside))
            and can(actor, Right.CHASE, place_of_unit(session, contact.unit_id, actor.on)),
        }
    return page(request, "message.html", status=422 if refused else 200, refused=refused, **values)

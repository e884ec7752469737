"""Whose link is this? Asked before every page of a unit; each use of one is noted."""

import logging

from fastapi import Request
from fastapi.responses import Response
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session
from starlette.background import BackgroundTask

from engine.link import Visited, note_visit
from models import link as links
from models.contact import Contact
from models.link import Link, UnitLink
from web.errors import LinkNotFoundError
from web.network import agent
from web.office import Office

logger = logging.getLogger("dondoc.web")


def link_of(office: Office, token: str) -> Link:
    """The link of /s/<token>. Raises LinkNotFoundError, whatever is wrong with it."""
    with office.database.reading() as session:
        link = links.find(session, office.key, token, office.today())
    if link is None:
        raise LinkNotFoundError
    return link


def unit_link_of(office: Office, token: str) -> UnitLink:
    """The link of /u/<token>."""
    with office.database.reading() as session:
        link = links.find_unit(session, office.key, token)
    if link is None:
        raise LinkNotFoundError
    return link


def below_link_of(office: Office, token: str) -> UnitLink:
    """The link of /k/<token>."""
    with office.database.reading() as session:
        link = links.find_unit(session, office.key, token, links.below_token)
    if link is None:
        raise LinkNotFoundError
    return link


def written_to(office: Office, token: str) -> Contact:
    """Who got the letter with /not-me/<token> in it. Raises LinkNotFoundError."""
    with office.database.reading() as session:
        contact = links.find_contact(session, office.key, token)
    if contact is None:
        raise LinkNotFoundError
    return contact


def note(
    request: Request, office: Office, session: Session, contact_id: int, task_id: int | None, act: Visited
) -> None:
    """In the transaction of the act that it notes."""
    address = request.client.host if request.client else ""
    note_visit(session, contact_id, task_id, act, address=address, agent=agent(request), now=office.now())


def with_opening(
    request: Request, office: Office, answer: Response, contact_id: int, task_id: int | None = None
) -> Response:  # fmt: skip
    """The page, and once it is out the visit noted: nobody waits for the one writer, or for a disk that is full."""
    if request.method != "HEAD":
        answer.background = BackgroundTask(_note_opening, request, office, contact_id, task_id)
    return answer


def _note_opening(request: Request, office: Office, contact_id: int, task_id: int | None) -> None:
    try:
        with office.database.writing() as session:
            note(request, office, session, contact_id, task_id, "opened")
    except DBAPIError:
        logger.exception("a visit could not be noted")

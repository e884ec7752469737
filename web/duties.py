"""What does the unit owe altogether? All its tasks behind one link, due first; each opens by its own."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session, and_, col, select

from engine.link import own_link
from engine.plans import calendar_for
from engine.shown import Shown, shown
from models.address import ways_of
from models.contact import Contact
from models.cycle import Cycle
from models.deadline import Deadline
from models.link import Link, UnitLink, opens, token
from models.task import OWING, Task, TaskState
from models.unit import Unit
from web import zalo
from web.links import link_of, unit_link_of, with_opening
from web.office import InOffice, Number, Office
from web.pages import page

FINISHED: Final = timedelta(days=400)  #: how far back what is finished is listed
router = APIRouter()


@dataclass(frozen=True, slots=True)
class Duty:
    """A task in the list. `path`: None when its link was revoked or has expired; empty when it has none yet."""

    task: Task
    cycle: Cycle
    deadline: Deadline
    shown: Shown
    days_left: int
    path: str | None


@router.api_route("/u/{unit_token}", methods=["GET", "HEAD"])
def show_duties(request: Request, unit_token: str, office: InOffice) -> Response:
    link = unit_link_of(office, unit_token)
    with office.database.reading() as session:
        contact = session.get_one(Contact, link.contact_id)
        unit = session.get_one(Unit, contact.unit_id)
        duties = _duties(session, office, link, unit)
        ways = session.scalars(ways_of([contact.id])).all()
        has_zalo = zalo.is_here(office, session)
    answer = page(
        request,
        "duties.html",
        lang=contact.lang,
        token=unit_token,
        unit=unit,
        has_zalo=has_zalo,
        ways=[way for way in ways if way.channel.startswith("zalo")],
        owed=[each for each in duties if each.task.state in OWING],
        waiting=[each for each in duties if each.task.state == TaskState.SUBMITTED],
        finished=[each for each in reversed(duties) if each.task.state not in (*OWING, TaskState.SUBMITTED)],
    )
    return with_opening(request, office, answer, contact.id)


@router.post("/u/{unit_token}/{task_id}")
def open_duty(unit_token: str, task_id: Number, office: InOffice) -> Response:
    """Makes the contact's own link to a task that they were never written to about."""
    unit_link = unit_link_of(office, unit_token)
    with office.database.writing() as session:
        link = own_link(session, unit_link.contact_id, task_id)
        path = f"/s/{token(office.key, link)}"
    link_of(office, path.removeprefix("/s/"))
    return RedirectResponse(path, 303)


def _duties(session: Session, office: Office, link: UnitLink, unit: Unit) -> list[Duty]:
    """Soonest due first."""
    today, now = office.today(), office.now()
    own = and_(col(Link.task_id) == col(Task.id), col(Link.contact_id) == link.contact_id)
    rows = session.execute(
        select(Task, Cycle, Deadline, Link)
        .join(Cycle, col(Cycle.id) == col(Task.cycle_id))
        .join(Deadline, col(Deadline.id) == col(Task.deadline_id))
        .join(Link, own, isouter=True)
        .where(col(Task.unit_id) == unit.id, col(Deadline.due_on) > today - FINISHED)
        .order_by(col(Deadline.due_on), col(Task.id))
    ).all()
    calendars = {cycle.revision_id: calendar_for(session, cycle) for _, cycle, _, _ in rows}
    return [
        Duty(
            task,
            cycle,
            deadline,
            shown(task, deadline, today, calendars[cycle.revision_id], now),
            calendars[cycle.revision_id].working_days(today, deadline.due_on),
            "" if way is None else f"/s/{token(office.key, way)}" if opens(way, today) else None,
        )
        for task, cycle, deadline, way in rows
    ]

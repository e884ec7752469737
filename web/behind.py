"""Who is behind below me? What a letter told somebody above the units, behind its link, with "đã biết" for each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session

from dondoc.alphabet import order
from engine.acknowledge import acknowledge_below, behind, usual_until
from engine.errors import RefusedError
from engine.plans import calendar_for
from engine.shown import Shown, shown
from models.acknowledgement import Acknowledgement, holding_on
from models.contact import Contact
from models.cycle import Cycle
from models.deadline import Deadline
from models.task import Task
from models.unit import Unit
from web import forms
from web.links import below_link_of, note, with_opening
from web.office import InOffice, Number, Office
from web.pages import page

SHOWN: Final = 150  #: units of one report, within the fields of a form; the others come up when these are known
router = APIRouter()


@dataclass(frozen=True, slots=True)
class Late:
    task: Task
    unit: Unit
    deadline: Deadline
    shown: Shown
    known: Acknowledgement | None


@dataclass(frozen=True, slots=True)
class Behind:
    """The units behind with one report; nobody has said "đã biết" of the first ones."""

    cycle: Cycle
    units: Sequence[Late]
    usual_until: date


@router.api_route("/k/{below_token}", methods=["GET", "HEAD"])
def show_behind(request: Request, below_token: str, office: InOffice) -> Response:
    link = below_link_of(office, below_token)
    return with_opening(request, office, _page(request, office, below_token, link.contact_id), link.contact_id)


@router.post("/k/{below_token}/{cycle_id}")
def acknowledge(request: Request, below_token: str, cycle_id: Number, office: InOffice, form: forms.Form) -> Response:
    """Of the units that were ticked; a refusal shows the page again with all that was typed."""
    contact_id = below_link_of(office, below_token).contact_id
    ticked = forms.numbers(form, "task")
    try:
        until, words, now = forms.needed_day(form, "until"), forms.text(form, "note"), office.now()
        with office.database.writing() as session:
            acknowledge_below(session, contact_id, ticked, until=until, note=words, now=now, zone=office.settings.zone)
            note(request, office, session, contact_id, None, "acknowledged")
    except RefusedError as error:
        typed = {name: forms.text(form, name) for name in ("until", "note")}
        return _page(request, office, below_token, contact_id, 422, error, cycle_id, typed, ticked)
    return RedirectResponse(f"/k/{below_token}#cycle-{cycle_id}", 303)


def _page(
    request: Request,
    office: Office,
    below_token: str,
    contact_id: int,
    status: int = 200,
    refused: RefusedError | None = None,
    cycle_id: int | None = None,
    typed: dict[str, str] | None = None,
    ticked: Sequence[int] = (),
) -> Response:
    """`cycle_id`: the report of which something was typed."""
    with office.database.reading() as session:
        contact = session.get_one(Contact, contact_id)
        unit = session.get_one(Unit, contact.unit_id)
        reports = _reports(session, office, contact)
    return page(
        request,
        "behind.html",
        status=status,
        lang=contact.lang,
        token=below_token,
        unit=unit,
        reports=reports,
        refused=refused,
        typed_of=cycle_id,
        typed=typed or {},
        ticked=ticked,
        most=SHOWN,
    )


def _reports(session: Session, office: Office, contact: Contact) -> list[Behind]:
    on, now = office.today(), office.now()
    rows = session.execute(behind(contact)).all()
    known = {each.task_id: each for each in session.scalars(holding_on(on, [row.Task.id for row in rows]))}
    found = []
    for _, group in groupby(sorted(rows, key=lambda row: (row.Cycle.opens_on, row.Cycle.id)), lambda row: row.Cycle.id):
        of_cycle = list(group)
        cycle = of_cycle[0].Cycle
        calendar = calendar_for(session, cycle)
        units = [
            Late(task, unit, deadline, shown(task, deadline, on, calendar, now), known.get(task.id))
            for task, deadline, _, unit in of_cycle
        ]
        units.sort(key=lambda each: (each.known is not None, each.deadline.due_on, order(each.unit.name)))
        found.append(Behind(cycle, units, usual_until(calendar, on)))
    return found

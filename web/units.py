"""Who are the units, can they be told, what do they owe? The tree, piece by piece, with a search over all of it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import accumulate
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import ColumnElement, or_
from sqlmodel import Session, col, select
from starlette.datastructures import FormData

from dondoc import alphabet
from engine import contacts
from engine.access import Actor, Place, Right, can, place_of_unit, seen
from engine.contacts import Person
from engine.errors import RefusedError
from models import roster
from models.address import ways_of
from models.contact import Contact, Role
from models.unit import Placement, Unit, path_of, subtree, unit_by_code
from web import forms, words, zalo
from web.access import InActor, demand, needs
from web.csv_file import csv_file
from web.done import after, stand, told_done
from web.office import InOffice, Number, Office
from web.pages import page
from web.unit_page import read

HEIGHT: Final = 100  #: rows of a page
router = APIRouter()


@dataclass(frozen=True, slots=True)
class View:
    """What the address asks for. Without a condition one branch is shown, with one all that lies below it."""

    under: str = ""  #: code of the unit whose branch it is; empty: all that the reader sees
    find: str = ""
    kind: str = ""
    reach: str = ""
    owing: str = ""  #: overdue, owed
    page: int = 1

    @property
    def is_search(self) -> bool:
        return bool(self.find or self.kind or self.reach or self.owing)

    def with_(self, **changes: object) -> str:
        """The address of this view with changes."""
        changed = replace(self, **({"page": 1} | changes))  # type: ignore[arg-type]
        given = {name: getattr(changed, name) for name in View.__dataclass_fields__}
        query = urlencode({name: value for name, value in given.items() if value and (name, value) != ("page", 1)})
        return f"?{query}" if query else ""


@dataclass(frozen=True, slots=True)
class Listed:
    """A unit in the list."""

    unit: Any  #: a row of models.roster.units
    owed: int
    overdue: int
    contacts: Sequence[Contact]
    may_call: bool


def view_of(request: Request) -> View:
    given = {name: words.clean(request.query_params.get(name, ""))[:100] for name in ("under", "find", "kind")}
    reach, owing = (request.query_params.get(name, "") for name in ("reach", "owing"))
    number = request.query_params.get("page", "")
    return View(
        **given,
        reach=reach if reach in set(roster.Reach) else "",
        owing=owing if owing in {"overdue", "owed"} else "",
        page=int(number) if number.isascii() and number.isdecimal() and 0 < len(number) < 7 and int(number) else 1,
    )


@router.api_route("/units", methods=["GET", "HEAD"], dependencies=[needs(Right.SEE)])
def show_units(request: Request, office: InOffice, actor: InActor) -> Response:
    view = view_of(request)
    with office.database.reading() as session:
        top = _top(session, actor, view)
        found, owed = _found(session, office, actor, view, top)
        pages = max(-(-len(found) // HEIGHT), 1)
        here = min(view.page, pages)
        rows = found[(here - 1) * HEIGHT : here * HEIGHT]
        way = _way(session, actor, top.path) if top else []
        kinds = session.scalars(roster.kinds(office.today(), seen(actor))).all()
        parents = _parents(session, actor, rows) if view.is_search else {}
        listed = _listed(session, office, actor, rows, owed)
        done = told_done(session, request, actor)
    return page(
        request,
        "units.html",
        view=replace(view, page=here),
        top=top,
        way=way,
        rows=listed,
        parents=parents,
        count=len(found),
        pages=range(1, pages + 1),
        kinds=kinds,
        reaches=list(roster.Reach),
        masked=words.masked,
        done=done,
    )


@router.api_route("/units.csv", methods=["GET", "HEAD"], dependencies=[needs(Right.SEE)])
def download_units(request: Request, office: InOffice, actor: InActor) -> Response:
    """The list as it is filtered, all pages of it, one line a contact; a spreadsheet opens it."""
    view = view_of(request)
    lines: list[tuple[object, ...]] = [
        ("code", "name", "kind", "parent", "reach", "owed", "overdue", "contact", "email", "phone")
    ]
    with office.database.reading() as session:
        top = _top(session, actor, view)
        found, owed = _found(session, office, actor, view, top)
        parents = _parents(session, actor, found)
        for each in _listed(session, office, actor, found, owed):
            unit = each.unit
            above = parents[unit.parent_id].code if unit.parent_id in parents else ""
            cells = (unit.code, unit.name, unit.kind, above, unit.reach, each.owed, each.overdue)
            people = [_line(contact, each.may_call) for contact in each.contacts] or [("", "", "")]
            lines += [(*cells, *person) for person in people]
    return csv_file(lines, "don-vi", office.today())


@router.api_route("/units/{unit_id}", methods=["GET", "HEAD"], dependencies=[needs(Right.SEE)])
def show_unit(request: Request, unit_id: Number, office: InOffice, actor: InActor, year: str = "") -> Response:
    return _unit_page(request, office, actor, unit_id, year=year)


@router.post("/units/{unit_id}/contacts", dependencies=[needs(Right.CHASE)])
def add_contact(request: Request, unit_id: Number, office: InOffice, actor: InActor, form: forms.Form) -> Response:
    def act(session: Session) -> object:
        return contacts.add_contact(
            session, unit_id, _person(form), by=actor.by, now=office.now(), zone=office.settings.zone
        )

    return _done(request, office, actor, unit_id, None, form, act)


@router.post("/units/{unit_id}/contacts/{contact_id}", dependencies=[needs(Right.CHASE)])
def change_contact(
    request: Request, unit_id: Number, contact_id: Number, office: InOffice, actor: InActor, form: forms.Form
) -> Response:
    def act(session: Session) -> object:
        return contacts.change_contact(
            session,
            contact_id,
            _person(form),
            reason=forms.text(form, "why"),
            by=actor.by,
            now=office.now(),
            zone=office.settings.zone,
        )

    return _done(request, office, actor, unit_id, contact_id, form, act)


@router.post("/units/{unit_id}/contacts/{contact_id}/retirement", dependencies=[needs(Right.CHASE)])
def retire_contact(
    request: Request, unit_id: Number, contact_id: Number, office: InOffice, actor: InActor, form: forms.Form
) -> Response:
    def act(session: Session) -> object:
        reason = forms.text(form, "why")
        return contacts.retire_contact(session, contact_id, reason=reason, by=actor.by, now=office.now())

    return _done(request, office, actor, unit_id, contact_id, form, act)


@router.post("/units/{unit_id}/contacts/{contact_id}/return", dependencies=[needs(Right.CHASE)])
def restore_contact(
    request: Request, unit_id: Number, contact_id: Number, office: InOffice, actor: InActor, form: forms.Form
) -> Response:
    def act(session: Session) -> object:
        return contacts.restore_contact(session, contact_id, by=actor.by, now=office.now())

    return _done(request, office, actor, unit_id, contact_id, form, act)


def _done(
    request: Request,
    office: Office,
    actor: Actor,
    unit_id: int,
    contact_id: int | None,
    form: FormData,
    act: Any,
) -> Response:
    """Does the act and goes back to the unit; a refusal shows the page again with all that was typed."""
    try:
        with office.database.writing() as session:
            _demand(session, actor, Right.CHASE, unit_id)
            if contact_id is not None:
                contact = session.get(Contact, contact_id)
                if contact is None or contact.unit_id != unit_id:
                    raise HTTPException(404)
            before = stand(session)
            act(session)
            back = after(session, actor, f"/units/{unit_id}", before)
    except RefusedError as error:
        typed = {field: value for field, value in form.items() if isinstance(value, str)}
        return _unit_page(request, office, actor, unit_id, 422, refused=(contact_id, error), typed=typed)
    return RedirectResponse(f"{back}#contacts", 303)


def _unit_page(
    request: Request,
    office: Office,
    actor: Actor,
    unit_id: int,
    status: int = 200,
    *,
    year: str = "",
    refused: tuple[int | None, RefusedError] | None = None,
    typed: Mapping[str, str] | None = None,
) -> Response:
    with office.database.reading() as session:
        unit = _demand(session, actor, Right.SEE, unit_id)
        wanted = int(year) if year.isascii() and year.isdecimal() and len(year) == 4 and int(year) else None
        values = read(session, office, actor, unit, wanted)
        way = _way(session, actor, values["down"])
        found = session.scalars(ways_of([contact.id for contact in values["contacts"]])).all()
        has_zalo = zalo.is_here(office, session)
        done = told_done(session, request, actor)
    return page(
        request,
        "units_one.html",
        status=status,
        way=way[:-1],
        refused=refused,
        typed={refused[0]: typed or {}} if refused else {},
        roles=list(Role),
        iso_date=date.fromisoformat,
        day_before=lambda day: day - timedelta(days=1),
        masked=words.masked,
        has_zalo=has_zalo,
        done=done,
        zalo={each.contact_id: each for each in found if each.channel.startswith("zalo")},
        **values,
    )


def _demand(session: Session, actor: Actor, right: Right, unit_id: int) -> Unit:
    unit = session.get(Unit, unit_id)
    if unit is None:
        raise HTTPException(404)
    demand(actor, right, place_of_unit(session, unit_id, actor.on))
    return unit


def _top(session: Session, actor: Actor, view: View) -> Any:
    """The unit whose branch is shown; None for everything. 404 when it is not there or not to be seen."""
    if not view.under:
        return None
    unit = unit_by_code(session, view.under)
    if unit is None:
        raise HTTPException(404)
    place = place_of_unit(session, unit.id, actor.on)
    demand(actor, Right.SEE, place)
    return Top(unit, place.own)


@dataclass(frozen=True, slots=True)
class Top:
    unit: Unit
    path: str


def _found(
    session: Session, office: Office, actor: Actor, view: View, top: Top | None
) -> tuple[list[Any], Mapping[int, Any]]:
    """All units of the view in the order of their names, and what they owe where the view asked for it already."""
    today = office.today()
    where: list[ColumnElement[bool]] = [seen(actor)]
    owed: dict[int, Any] = {}
    if view.is_search and top is not None:
        where.append(subtree(top.path))
    elif top is not None:
        where.append(col(Placement.parent_id) == top.unit.id)
    elif not view.is_search:
        where.append(_at_the_top(actor))
    if view.kind:
        where.append(col(Placement.kind) == view.kind)
    if view.reach:
        where.append(roster.reach() == view.reach)
    found: Sequence[Any] = session.execute(roster.units(today, *where)).all()
    if view.owing:
        owed = {row.unit_id: row for row in session.execute(roster.owing(today, office.now()))}
        found = [row for row in found if row.unit_id in owed and (view.owing == "owed" or owed[row.unit_id].overdue)]
    wanted = alphabet.plain(view.find)
    if wanted:
        found = [row for row in found if wanted in alphabet.plain(row.name) or wanted in row.code.lower()]
    return sorted(found, key=lambda row: (alphabet.order(row.name), row.code)), owed


def _at_the_top(actor: Actor) -> ColumnElement[bool]:
    """The highest units that the actor sees."""
    paths = actor.paths(Right.SEE)
    if "" in paths:
        return col(Placement.parent_id).is_(None)
    return or_(*(col(Placement.path) == path for path in sorted(paths)))


def _listed(
    session: Session, office: Office, actor: Actor, rows: Sequence[Any], owed: Mapping[int, Any]
) -> list[Listed]:
    """The rows with their contacts and what they owe."""
    ids = [row.unit_id for row in rows]
    people: defaultdict[int, list[Contact]] = defaultdict(list)
    known = dict(owed)
    for start in range(0, len(ids), 1000):
        some = ids[start : start + 1000]
        for contact in session.scalars(roster.contacts_of(some)):
            people[contact.unit_id].append(contact)
        if not owed:
            known |= {row.unit_id: row for row in session.execute(roster.owing(office.today(), office.now(), some))}
    return [
        Listed(
            row,
            known[row.unit_id].owed if row.unit_id in known else 0,
            known[row.unit_id].overdue if row.unit_id in known else 0,
            people[row.unit_id],
            can(actor, Right.REVIEW, Place(row.path)),
        )
        for row in rows
    ]


def _way(session: Session, actor: Actor, path: str) -> list[Unit]:
    """The units down to a place, as far as the actor sees them."""
    ids = [int(piece) for piece in path.split(".") if piece]
    known = {unit.id: unit for unit in session.exec(select(Unit).where(col(Unit.id).in_(ids)))}
    down = zip(accumulate(path_of(id_) for id_ in ids), ids, strict=True)
    return [known[id_] for place, id_ in down if can(actor, Right.SEE, Place(place))]


def _parents(session: Session, actor: Actor, rows: Sequence[Any]) -> Mapping[int, Unit]:
    """The units right above, as far as the actor sees them."""
    ids = {
        row.parent_id
        for row in rows
        if row.parent_id is not None and can(actor, Right.SEE, Place(row.path[: -len(path_of(row.unit_id))]))
    }
    return {unit.id: unit for unit in session.exec(select(Unit).where(col(Unit.id).in_(ids)))}


def _person(form: FormData) -> Person:
    """As typed. Raises RefusedError for what is no day."""
    principal = forms.text(form, "stands_for")
    return Person(
        forms.text(form, "role"),
        forms.text(form, "name"),
        forms.text(form, "email"),
        forms.text(form, "phone"),
        forms.text(form, "lang"),
        forms.day(form, "valid_from"),
        forms.day(form, "valid_to"),
        int(principal) if principal.isascii() and principal.isdecimal() and len(principal) < 10 else None,
    )


def _line(contact: Contact, may_call: bool) -> tuple[str, str, str]:
    """Name, e-mail and telephone as the reader may know them."""
    phone = contact.phone or ""
    return contact.name, contact.email or "", phone if may_call or not phone else words.masked(phone)

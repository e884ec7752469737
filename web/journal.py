"""Who did what when? The journal, filtered, with the head of its chain."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import ColumnElement, and_, or_, select, true
from sqlmodel import Session, col
from sqlmodel import select as rows

from dondoc.i18n import catalogue
from engine.access import Actor, Right, may_tasks, may_units
from models.contact import Contact
from models.cycle import Cycle
from models.entry import Entry, JournalHead, digest
from models.task import Task
from models.unit import Unit
from models.user import User
from web import words
from web.access import InActor, needs
from web.inbox import units_named
from web.office import InOffice, Office
from web.pages import language, page
from web.stretch import number_of, stretch_of

PAGE: Final = 100
#: Kinds of who acts, as a filter names them; else it is one of them as the journal writes it: user:3.
WHO: Final = ("system", "people", "contacts")
router = APIRouter()


@dataclass(frozen=True, slots=True)
class View:
    """What is looked at, one parameter of the address each; `before` is the number that the page begins below."""

    act: str = ""
    who: str = ""
    find: str = ""
    cycle: str = ""
    since: str = ""
    until: str = ""
    number: str = ""
    before: str = ""

    @property
    def is_narrowed(self) -> bool:
        return self.href() != "/journal"

    def href(self, **changes: str) -> str:
        parts = asdict(self) | {"before": ""} | changes
        names = {"since": "from", "until": "to"}
        query = urlencode({names.get(name, name): value for name, value in parts.items() if value})
        return f"/journal?{query}" if query else "/journal"


@router.api_route("/journal", methods=["GET", "HEAD"], dependencies=[needs(Right.SEE)])
def show_journal(request: Request, office: InOffice, actor: InActor) -> Response:
    given = {name: words.clean(value) for name, value in request.query_params.items()}
    names = ("act", "who", "find", "cycle", "from", "to", "number", "before")
    view = View(*(given.get(name, "") for name in names))
    with office.database.reading() as session:
        values = _listed(session, office, actor, view, given)
    known = catalogue(language(request)).items()
    acts = sorted(
        ((code.removeprefix("done."), said) for code, said in known if code.startswith("done.")),
        key=lambda each: each[1],
    )
    return page(request, "journal.html", view=view, acts=acts, kinds=WHO, **values)


def seen_entries(actor: Actor) -> ColumnElement[bool]:
    """The condition on entries: of tasks and cycles that this user sees, and what they did themselves.

    What belongs to no unit (plans, sign-in, imports) is for those who see everything.
    """
    if "" in actor.paths(Right.SEE):
        return true()
    cycles = select(col(Cycle.id)).where(may_units(actor, Right.SEE, col(Cycle.issuer_id)))
    return or_(
        col(Entry.by) == actor.by,
        col(Entry.task_id).in_(select(col(Task.id)).where(may_tasks(actor, Right.SEE))),
        and_(col(Entry.task_id).is_(None), col(Entry.cycle_id).in_(cycles)),
    )


def _listed(session: Session, office: Office, actor: Actor, view: View, given: dict[str, str]) -> dict[str, Any]:
    query = rows(Entry).where(seen_entries(actor))
    for part in _narrowed(session, view):
        query = query.where(part)
    start, end = stretch_of(given).moments(office.settings.zone)
    if start is not None:
        query = query.where(col(Entry.at) >= start)
    if end is not None:
        query = query.where(col(Entry.at) < end)
    found = session.exec(query.order_by(col(Entry.id).desc()).limit(PAGE + 1)).all()
    entries = found[:PAGE]
    tasks = {
        task.id: (task, unit)
        for task, unit in session.execute(
            select(Task, Unit)
            .join(Unit, col(Unit.id) == col(Task.unit_id))
            .where(col(Task.id).in_({entry.task_id for entry in entries if entry.task_id}))
        )
    }
    ids = {entry.cycle_id for entry in entries if entry.cycle_id}
    return {
        "entries": entries,
        "older": str(entries[-1].id) if len(found) > PAGE else "",
        "tasks": tasks,
        "cycles": {cycle.id: cycle for cycle in session.exec(rows(Cycle).where(col(Cycle.id).in_(ids)))},
        "names": names_of(session, actor, entries),
        "broken": [entry.id for entry in entries if digest(entry) != entry.hash],
        "head": session.exec(rows(JournalHead)).one(),
    }


def _narrowed(session: Session, view: View) -> list[ColumnElement[bool]]:
    parts: list[ColumnElement[bool]] = []
    if view.act:
        parts.append(col(Entry.act) == view.act)
    if view.who == "people":
        parts.append(or_(col(Entry.by) == "office", col(Entry.by).startswith("user:")))
    elif view.who == "contacts":
        parts.append(col(Entry.by).startswith("contact:"))
    elif view.who:
        parts.append(col(Entry.by) == view.who)
    if view.find:
        units = units_named(session, view.find)
        parts.append(col(Entry.task_id).in_(select(col(Task.id)).where(col(Task.unit_id).in_(units))))
    if view.cycle:
        parts.append(col(Entry.cycle_id) == (number_of(view.cycle) or 0))
    if view.number:
        parts.append(col(Entry.id) == (number_of(view.number) or 0))
    before = number_of(view.before)
    if before is not None:
        parts.append(col(Entry.id) < before)
    return parts


def names_of(session: Session, actor: Actor, entries: Sequence[Entry]) -> dict[str, str]:
    """The names of those whom the journal knows by number alone, as far as this user may know them."""
    by = {entry.by for entry in entries}
    contacts = {int(each.removeprefix("contact:")) for each in by if each.startswith("contact:")}
    users = {int(each.removeprefix("user:")) for each in by if each.startswith("user:")}
    known = rows(Contact).where(col(Contact.id).in_(contacts), may_units(actor, Right.SEE, col(Contact.unit_id)))
    found = {f"contact:{contact.id}": contact.name for contact in session.exec(known)}
    return found | {f"user:{user.id}": user.name for user in session.exec(rows(User).where(col(User.id).in_(users)))}

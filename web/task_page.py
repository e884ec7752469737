"""What stands on the page of one task? Its dossier, put together for whoever looks."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlmodel import Session, col, func, select

from engine.access import Actor, Place, Right, can, paths_of
from engine.acknowledge import usual_until
from engine.ask import waiting_extension
from engine.dossier import Dossier, dossier, permitted
from engine.errors import RefusedError
from engine.extend import Longer, longer, usual_days
from engine.link import visits
from engine.names import name_on
from engine.plans import calendar_for, obligation_of, plan_of
from engine.versions import Comparison, base_of, compare
from models.acknowledgement import Acknowledgement, holding_on
from models.contact import Contact
from models.entry import Entry
from models.link import Link, opens
from models.message import Attempt, Message, MessageState
from models.note import Note, notes_of, promise
from models.notice import Notice
from models.plan import Revision
from models.submission import Review, SubmissionFile
from models.task import OWING, Act, Task
from models.unit import Placement, Unit
from models.user import User
from models.visit import Visit
from schedules.calendars import Calendar
from schedules.plan import FileRule, Obligation
from web.office import Office
from web.reasons import proof

#: act -> the form that does it, what is done most often first.
FORMS: Final = {
    Act.ACCEPT: "acts/accept.html",
    Act.RETURN: "acts/return.html",
    Act.EXTEND: "acts/extend.html",
    Act.UNLOCK: "acts/extend.html",
    Act.RECORD: "acts/record.html",
    Act.WITHDRAW: "acts/withdraw.html",
    Act.REOPEN: "acts/reopen.html",
    Act.EXEMPT: "acts/exempt.html",
}
#: Stand before the unit's telephone: a version waits. Else calling comes first.
FIRST: Final = ("acts/accept.html", "acts/return.html")
VISITS: Final = 20  #: the newest
_TROUBLE: Final = (MessageState.UNKNOWN.value, MessageState.REFUSED.value, MessageState.BOUNCED.value)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks to see: two versions, and a day to try an extension on."""

    old: int | None = None
    new: int | None = None
    due_on: date | None = None


@dataclass(frozen=True, slots=True)
class Access:
    """One contact's link, and who came by it."""

    link: Link
    contact: Contact
    is_open: bool
    visits: int
    last: Visit | None


def read(session: Session, office: Office, actor: Actor, task: Task, place: Place, asked: Asked) -> dict[str, Any]:
    placement = session.get_one(Placement, task.placement_id)
    found = dossier(session, task.id, office.now(), office.settings.zone)
    revision = session.get_one(Revision, found.cycle.revision_id)  # held, so that it is read once
    obligation, calendar = obligation_of(session, found.cycle), calendar_for(session, found.cycle)
    acts = permitted(actor, task, place)
    notes = session.scalars(notes_of(task.id)).all()
    known = session.scalar(holding_on(office.today(), [task.id])) if task.state in OWING else None
    contacts = session.exec(
        select(Contact).where(col(Contact.unit_id) == task.unit_id).order_by(col(Contact.role), col(Contact.id))
    ).all()
    may_chase = can(actor, Right.CHASE, place)
    may_extend = not {Act.EXTEND, Act.UNLOCK}.isdisjoint(acts)
    return {
        "found": found,
        "task": task,
        "cycle": found.cycle,
        "plan": found.plan,
        "unit": found.unit,
        "name_then": name_on(session, found.unit, found.cycle.opens_on, office.settings.zone),
        "superior": session.get(Unit, placement.parent_id) if placement.parent_id else None,
        "receiver": found.receiver,
        "deadline": found.deadline,
        "reasons": proof(session, task, found.deadline, plan_of(session, revision.id), calendar),
        "obligation": obligation,
        "file_rule": obligation.file or FileRule(),
        "shown": found.shown,
        "has_passed": found.deadline.has_passed(office.today(), office.now()),
        "forms": [FORMS[act] for act in FORMS if act in acts],
        "first_forms": FIRST,
        "may_chase": may_chase,
        "may_call": can(actor, Right.REVIEW, Place(place.own)),
        "may_keep": can(actor, Right.CHASE, Place(place.own)),
        "is_owing": task.state in OWING,
        "acknowledged": known,
        "usual_until": usual_until(calendar, office.today()),
        "notes": notes,
        "promise": promise(notes) if task.state in OWING else None,
        "ask": waiting_extension(session, task.id) if may_chase else None,
        "longer": _longer(found, calendar, asked, office.today()) if may_extend else None,
        "usual_days": usual_days(calendar, found.deadline.due_on, office.today()),
        "contacts": contacts,
        "names": _names(session, found.entries, notes, known),
        "entries": [entry for entry in reversed(found.entries) if entry.act != "fired"],
        "notices": _notices(session, actor, task),
        "accesses": _accesses(session, task, contacts, office.today()) if may_chase else [],
        "visits": visits(session, task.id, VISITS) if may_chase else [],
        "days_left": calendar.working_days(office.today(), found.deadline.due_on),
        **_versions(found, obligation, asked),
    }


def _versions(found: Dossier, obligation: Obligation, asked: Asked) -> dict[str, Any]:
    """The newest version, or the two that were asked for, with what differs."""
    versions = [version for version, _, _ in found.versions]
    files: dict[int, Sequence[SubmissionFile]] = {version.id: each for version, each, _ in found.versions}
    reviews: dict[int, Sequence[Review]] = {version.id: each for version, _, each in found.versions}
    by_number = {version.number: version for version in versions}
    standing = [version for version in versions if not version.is_withdrawn] or versions
    newest = standing[-1] if standing else None
    new = by_number.get(asked.new or 0, newest)
    old = by_number.get(asked.old or 0) or (base_of(versions, reviews, new.number) if new is not None else None)
    if old is not None and new is not None and old.number > new.number:
        old, new = new, old
    comparison: Comparison | None = None
    if old is not None and new is not None and old.id != new.id:
        comparison = compare(obligation.fields, old, new, files)
    return {
        "versions": versions,
        "files": files,
        "reviews": reviews,
        "newest": newest,
        "old": old if comparison else None,
        "new": new,
        "comparison": comparison,
    }


def _longer(found: Dossier, calendar: Calendar, asked: Asked, today: date) -> Longer | None:
    """What the extension in the form would give: of the day asked for, else of a week more; None for no such day."""
    first_on = found.extensions[0].from_on if found.extensions else found.deadline.due_on
    due_on = asked.due_on or usual_days(calendar, found.deadline.due_on, today)[0]
    try:
        return longer(calendar, first_on, found.deadline.due_on, due_on, today)
    except RefusedError:
        return None


def _names(
    session: Session, entries: Iterable[Entry], notes: Iterable[Note], known: Acknowledgement | None
) -> Mapping[str, str]:
    """The names of the contacts and users that the journal knows by number alone."""
    acting = {entry.by for entry in entries} | {note.by for note in notes} | ({known.by} if known else set())
    acting |= {f"contact:{entry.data['contact']}" for entry in entries if "contact" in entry.data}
    names: dict[str, str] = {}
    for prefix, table in (("contact:", Contact), ("user:", User)):
        ids = {int(by.removeprefix(prefix)) for by in acting if by.startswith(prefix)}
        if ids:
            rows = session.execute(select(table.id, table.name).where(col(table.id).in_(ids)))
            names |= {f"{prefix}{id_}": name for id_, name in rows}
    return names


@dataclass(frozen=True, slots=True)
class Told:
    """A notice with what came of it. The contact is None when the reader may not know them."""

    notice: Notice
    contact: Contact | None
    message: Message | None
    trouble: Attempt | None  #: the last try of a message that did not arrive for sure


def _notices(session: Session, actor: Actor, task: Task) -> list[Told]:
    rows = session.execute(
        select(Notice, Contact, Message)
        .join(Contact, col(Contact.id) == col(Notice.contact_id))
        .join(Message, col(Message.id) == col(Notice.message_id), isouter=True)
        .where(col(Notice.task_id) == task.id)
        .order_by(col(Notice.id).desc())
    ).all()
    paths = paths_of(session, (contact.unit_id for _, contact, _ in rows), actor.on)
    in_trouble = {message.id for _, _, message in rows if message is not None and message.state in _TROUBLE}
    tries: dict[int, Attempt] = {}
    if in_trouble:
        query = select(Attempt).where(col(Attempt.message_id).in_(in_trouble)).order_by(col(Attempt.number))
        tries = {attempt.message_id: attempt for attempt in session.exec(query)}
    return [
        Told(
            notice,
            contact if can(actor, Right.SEE, Place(paths.get(contact.unit_id, ""))) else None,
            message,
            tries.get(message.id) if message is not None else None,
        )
        for notice, contact, message in rows
    ]


def _accesses(session: Session, task: Task, contacts: Sequence[Contact], today: date) -> list[Access]:
    """The links of the unit's contacts to this task."""
    known = {contact.id: contact for contact in contacts}
    links = session.exec(select(Link).where(col(Link.task_id) == task.id).order_by(col(Link.id))).all()
    by_contact = select(Visit.contact_id, func.count()).where(col(Visit.task_id) == task.id)
    counts = {row[0]: row[1] for row in session.execute(by_contact.group_by(col(Visit.contact_id)))}
    newest = select(func.max(Visit.id)).where(col(Visit.task_id) == task.id).group_by(col(Visit.contact_id))
    last = {visit.contact_id: visit for visit in session.exec(select(Visit).where(col(Visit.id).in_(newest)))}
    return [
        Access(
            link,
            known[link.contact_id],
            opens(link, today),
            counts.get(link.contact_id, 0),
            last.get(link.contact_id),
        )
        for link in links
        if link.contact_id in known
    ]

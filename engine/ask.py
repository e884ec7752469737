"""A unit asks for more time, or says that it is not who should be written to; the office decides."""

from datetime import date, datetime
from typing import Final

from sqlmodel import Session, col, select

from dondoc.clock import today
from engine.contacts import Person, add_contact, retire_contact
from engine.errors import RefusedError
from engine.extend import check_day, extend
from engine.sheets import EMAIL
from engine.submit import locked
from engine.tell import tell_contacts
from models.ask import AskState, ContactCorrection, ExtensionAsk
from models.contact import Contact
from models.deadline import Deadline
from models.entry import append
from models.link import Link
from models.notice import NoticeKind
from models.task import Act, Task
from schedules.plan import Rung

MAX_TEXT: Final = 2_000  #: characters of a reason or a note
#: The note of a "not me" that was said by one click in a mail program, which takes no words.
UNSUBSCRIBED: Final = "Bấm “Huỷ đăng ký” trong chương trình thư."
WISHED: Final = "theo đề nghị của đơn vị"  #: the reason of an extension for which the office gives none of its own


def can_ask(task: Task) -> bool:
    """While it is owed, and after it was missed: the same states that an extension is decided in."""
    return not {Act.EXTEND, Act.UNLOCK}.isdisjoint(task.allowed)


def ask_extension(session: Session, link: Link, *, until: date, reason: str, now: datetime, zone: str) -> ExtensionAsk:
    """The unit wishes to hand in until the end of a later day. The due day stays as it is until somebody decides."""
    task = locked(session, link.task_id)
    if not can_ask(task):
        task.expect(Act.EXTEND)
    if waiting_extension(session, task.id) is not None:
        raise RefusedError("refused.ask_waits")
    check_day(until, session.get_one(Deadline, task.deadline_id), today(now, zone))
    ask = ExtensionAsk(task_id=task.id, contact_id=link.contact_id, until=until, reason=_words(reason), at=now)
    session.add(ask)
    session.flush()
    append(
        session,
        "extension_asked",
        by=f"contact:{link.contact_id}",
        at=now,
        task_id=task.id,
        cycle_id=task.cycle_id,
        ask=ask.id,
        due_on=until.isoformat(),
    )
    return ask


def grant(
    session: Session,
    ask_id: int,
    *,
    by: str,
    due_on: date,
    now: datetime,
    zone: str,
    reason: str = "",
    document: str | None = None,
) -> Task:
    """Extends to `due_on`, the day asked for or another one.

    The unit's words stay with the ask: the journal, from which nothing can be erased, has the office's own alone.
    """
    ask = _waiting(session, ask_id)
    _decide(session, ask, AskState.GRANTED, by, now)
    return extend(
        session,
        ask.task_id,
        by=by,
        due_on=due_on,
        reason=reason.strip() or WISHED,
        document=document,
        now=now,
        zone=zone,
    )


def refuse(session: Session, ask_id: int, *, by: str, answer: str, now: datetime) -> ExtensionAsk:
    """The due day stays; the unit's contacts are told, and why."""
    ask = _waiting(session, ask_id)
    ask.answer = _words(answer)
    _decide(session, ask, AskState.REFUSED, by, now)
    task = locked(session, ask.task_id)
    entry = append(
        session,
        "extension_refused",
        by=by,
        at=now,
        task_id=task.id,
        cycle_id=task.cycle_id,
        ask=ask.id,
        reason=ask.answer,
    )
    due_on = session.get_one(Deadline, task.deadline_id).due_on
    tell_contacts(session, task, Rung.UNIT_CONTACT, NoticeKind.EXTENSION_DECIDED, f"entry:{entry.id}", due_on, now)
    return ask


def waiting_extension(session: Session, task_id: int) -> ExtensionAsk | None:
    query = select(ExtensionAsk).where(
        col(ExtensionAsk.task_id) == task_id, col(ExtensionAsk.state) == AskState.WAITING.value
    )
    return session.exec(query).first()


def correct_contact(
    session: Session, link: Link, *, name: str, email: str, note: str, now: datetime
) -> ContactCorrection:
    """ "Not me", said on the page of a task."""
    task = session.get_one(Task, link.task_id)
    return object_to(session, link.contact_id, name=name, email=email, note=note, now=now, task=task)


def object_to(
    session: Session,
    contact_id: int,
    *,
    name: str = "",
    email: str = "",
    note: str = "",
    now: datetime,
    task: Task | None = None,
) -> ContactCorrection:
    """ "Not me": whoever has the link says who is. Nothing changes until the office decides; empty text is unknown."""
    contact = session.get_one(Contact, contact_id, with_for_update=True)
    if waiting_correction(session, contact.id) is not None:
        raise RefusedError("refused.ask_waits")
    if email and not EMAIL.fullmatch(email):
        raise RefusedError("refused.no_address", got=email[:80])
    for text in (name, email, note):
        if len(text) > MAX_TEXT:
            raise RefusedError("refused.too_many_words", limit=MAX_TEXT, got=len(text))
    correction = ContactCorrection(
        contact_id=contact.id, name=name or None, email=email or None, note=note or None, at=now
    )
    session.add(correction)
    session.flush()
    append(
        session,
        "correction_asked",
        by=f"contact:{contact.id}",
        at=now,
        task_id=task.id if task is not None else None,
        cycle_id=task.cycle_id if task is not None else None,
        correction=correction.id,
    )
    return correction


def unsubscribe(session: Session, contact_id: int, *, now: datetime) -> ContactCorrection:
    """ "Not me", by one click in a mail program; a second click says nothing new."""
    session.get_one(Contact, contact_id, with_for_update=True)
    return waiting_correction(session, contact_id) or object_to(session, contact_id, note=UNSUBSCRIBED, now=now)


def apply_correction(
    session: Session, correction_id: int, *, by: str, name: str, email: str, now: datetime, zone: str, phone: str = ""
) -> Contact:
    """Another contact takes over the role: told at once of all that the unit still owes; the old one's links end."""
    correction = _waiting_correction(session, correction_id)
    old = session.get_one(Contact, correction.contact_id)
    if not email.strip():
        raise RefusedError("refused.no_address", got="")
    person = Person(old.role, name, email, phone, old.lang)
    new = add_contact(session, old.unit_id, person, by=by, now=now, zone=zone)
    retire_contact(session, old.id, correction=correction.id, by=by, now=now)
    _decide(session, correction, AskState.GRANTED, by, now)
    append(session, "correction_applied", by=by, at=now, correction=correction.id, was=old.id, contact=new.id)
    return new


def refuse_correction(session: Session, correction_id: int, *, by: str, now: datetime) -> ContactCorrection:
    """The contact is the right one after all, and is told as before."""
    correction = _waiting_correction(session, correction_id)
    _decide(session, correction, AskState.REFUSED, by, now)
    append(session, "correction_refused", by=by, at=now, correction=correction.id, contact=correction.contact_id)
    return correction


def waiting_correction(session: Session, contact_id: int) -> ContactCorrection | None:
    query = select(ContactCorrection).where(
        col(ContactCorrection.contact_id) == contact_id, col(ContactCorrection.state) == AskState.WAITING.value
    )
    return session.exec(query).first()


def _decide(
    session: Session, ask: ExtensionAsk | ContactCorrection, state: AskState, by: str, now: datetime
) -> None:  # fmt: skip
    ask.state, ask.decided_at, ask.decided_by = state, now, by
    session.add(ask)


def _waiting(session: Session, ask_id: int) -> ExtensionAsk:
    ask = session.get(ExtensionAsk, ask_id, with_for_update=True, populate_existing=True)
    if ask is None or ask.state != AskState.WAITING:
        raise RefusedError("refused.ask_decided", id=ask_id)
    return ask


def _waiting_correction(session: Session, correction_id: int) -> ContactCorrection:
    correction = session.get(ContactCorrection, correction_id, with_for_update=True, populate_existing=True)
    if correction is None or correction.state != AskState.WAITING:
        raise RefusedError("refused.ask_decided", id=correction_id)
    return correction


def _words(text: str) -> str:
    words = text.strip()
    if not words:
        raise RefusedError("refused.no_reason")
    if len(words) > MAX_TEXT:
        raise RefusedError("refused.too_many_words", limit=MAX_TEXT, got=len(words))
    return words

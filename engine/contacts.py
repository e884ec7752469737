"""A unit's contacts are kept: one comes, changes, leaves or returns, stands in for another; at once or on a day.

The journal knows them by number alone. `is_active` says who is told now; the first round of a day brings it up to
the days of each contact (engine/new_day.py).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import update
from sqlmodel import Session, col, select

from dondoc.clock import today
from dondoc.i18n import LANGUAGES
from engine.errors import RefusedError
from engine.redirect import pass_back, redirect
from engine.sheets import EMAIL
from engine.tell import reachable_of, tell_what_is_owed
from engine.tree import parts
from models.contact import Contact, Role
from models.entry import Entry, append
from models.link import Link, UnitLink
from models.notice import Notice, release_ways
from models.unit import Unit

PHONE: Final = re.compile(r"\+?[0-9][0-9 .()-]{4,22}[0-9]")
MAX_TEXT: Final = 200


@dataclass(frozen=True, slots=True)
class Person:
    """What is known of a contact, as typed; empty text is nothing."""

    role: str
    name: str
    email: str = ""
    phone: str = ""
    lang: str = LANGUAGES[0]
    valid_from: date | None = None  #: None: at once
    valid_to: date | None = None  #: the first day without them
    stands_for: int | None = None  #: the contact in whose place they are told


def add_contact(session: Session, unit_id: int, person: Person, *, by: str, now: datetime, zone: str) -> Contact:
    unit = session.get(Unit, unit_id)
    if unit is None:
        raise RefusedError("refused.no_unit", unit=unit_id)
    wanted = _checked(person)
    _check_delegate(session, person, unit.id, None)
    is_active = _is_there(person.valid_from, person.valid_to, today(now, zone))
    contact = Contact.model_validate({"unit_id": unit.id, "is_active": is_active, **wanted})
    session.add(contact)
    session.flush()
    entry = append(session, "contact_added", by=by, at=now, unit=unit.code, contact=contact.id, role=contact.role)
    _tell_owed(session, contact, entry, now)
    return contact


def change_contact(
    session: Session, contact_id: int, person: Person, *, reason: str = "", by: str, now: datetime, zone: str
) -> Contact:
    """Writes over what differs. Another address is tried afresh, and the links that the old one got end.

    Days that begin or end what the contact is told do so at once where they have come. A reason is needed where
    somebody's letters go elsewhere, or end sooner.
    """
    contact = _locked(session, contact_id)
    wanted = _checked(person)
    _check_delegate(session, person, contact.unit_id, contact.id)
    changed = sorted(name for name, value in wanted.items() if getattr(contact, name) != value)
    if not changed:
        return contact
    goes_elsewhere = "email" in changed and contact.is_active and contact.email is not None
    ends_sooner = (wanted["valid_to"] or date.max) < (contact.valid_to or date.max)
    if (goes_elsewhere or ends_sooner) and not reason.strip():
        raise RefusedError("refused.no_reason")
    was_reachable = bool(reachable_of(session, [contact.id]))
    for name in changed:
        setattr(contact, name, wanted[name])
    if "email" in changed:
        contact.is_bouncing = False
        renew_ways(session, [contact.id])
        release_ways(session, col(Notice.contact_id) == contact.id)
        redirect(session, [contact.id], now)
    session.add(contact)
    if {"valid_from", "valid_to"} & set(changed):
        _turn(session, contact, _is_there(contact.valid_from, contact.valid_to, today(now, zone)), now)
    entry = _journal(session, "contact_changed", contact, by, now, changed=changed, **_why(reason))
    if not was_reachable:
        _tell_owed(session, contact, entry, now)
    return contact


def retire_contact(
    session: Session, contact_id: int, *, reason: str = "", correction: int | None = None, by: str, now: datetime
) -> Contact:
    """Nothing more is sent to the contact, and their links end; what they did stays.

    It needs a reason, or the correction by which they said that it is not for them.
    """
    if correction is None and not reason.strip():
        raise RefusedError("refused.no_reason")
    contact = _locked(session, contact_id)
    if contact.is_active or contact.valid_from is not None:
        contact.valid_from = None  # else the day on which they were to begin would bring them back
        _turn(session, contact, False, now)
        _journal(session, "contact_retired", contact, by, now, **_why(reason, correction))
    return contact


def restore_contact(session: Session, contact_id: int, *, by: str, now: datetime) -> Contact:
    """The contact is told again. Their links come back under new addresses, so that old letters stay shut."""
    contact = _locked(session, contact_id)
    if not contact.is_active:
        contact.valid_from = contact.valid_to = None
        _turn(session, contact, True, now)
        _tell_owed(session, contact, _journal(session, "contact_restored", contact, by, now), now)
    return contact


def keep_days(session: Session, contact: Contact, now: datetime, zone: str) -> None:
    """The contact begins or ends where its days say so, by itself."""
    is_there = _is_there(contact.valid_from, contact.valid_to, today(now, zone))
    if is_there != contact.is_active:
        _turn(session, contact, is_there, now)
        act = "contact_restored" if is_there else "contact_retired"
        _tell_owed(session, contact, _journal(session, act, contact, "system", now), now)


def shut_ways(session: Session, contact_ids: Sequence[int], now: datetime) -> None:
    """Their links open nothing any more."""
    for table in (Link, UnitLink):
        for some in parts(contact_ids):
            session.execute(
                update(table)
                .where(col(table.contact_id).in_(some), col(table.revoked_at).is_(None))
                .values(revoked_at=now)
                .execution_options(synchronize_session=False)
            )


def renew_ways(session: Session, contact_ids: Sequence[int], *, again: bool = False) -> None:
    """Letters so far open nothing any more; the next carries a new address. `again`: also to links that were shut."""
    for table in (Link, UnitLink):
        for some in parts(contact_ids):
            session.execute(
                update(table)
                .where(col(table.contact_id).in_(some))
                .values(generation=col(table.generation) + 1, **({"revoked_at": None} if again else {}))
                .execution_options(synchronize_session=False)
            )


def _turn(session: Session, contact: Contact, is_there: bool, now: datetime) -> None:
    if contact.is_active and not is_there:
        shut_ways(session, [contact.id], now)
        if contact.stands_for is not None:
            pass_back(session, contact.id, contact.stands_for)
    elif is_there and not contact.is_active:
        renew_ways(session, [contact.id], again=True)
    contact.is_active = is_there
    session.add(contact)


def _tell_owed(session: Session, contact: Contact, begun: Entry, now: datetime) -> None:
    """Who begins is told of what the unit owes: the one before may be gone untold."""
    tell_what_is_owed(session, [contact.id], f"entry:{begun.id}", now)


def _is_there(start: date | None, end: date | None, on: date) -> bool:
    return (start is None or start <= on) and (end is None or end > on)


def _check_delegate(session: Session, person: Person, unit_id: int, contact_id: int | None) -> None:
    """Who stands in does so for somebody of the same unit and role, who stands in for nobody; and until a day."""
    if person.stands_for is None:
        return
    other = session.get(Contact, person.stands_for)
    if other is None or other.id == contact_id or (other.unit_id, other.role) != (unit_id, person.role):
        raise RefusedError("refused.no_such_principal")
    if other.stands_for is not None:
        raise RefusedError("refused.delegate_of_delegate")
    if person.valid_to is None:
        raise RefusedError("refused.delegate_without_end")
    stands = select(Contact.id).where(col(Contact.stands_for) == contact_id)
    if contact_id is not None and session.exec(stands).first() is not None:
        raise RefusedError("refused.delegate_of_delegate")


def _locked(session: Session, contact_id: int) -> Contact:
    contact = session.get(Contact, contact_id, with_for_update=True, populate_existing=True)
    if contact is None:
        raise RefusedError("refused.no_contact", id=contact_id)
    return contact


def _journal(session: Session, act: str, contact: Contact, by: str, now: datetime, **data: Any) -> Entry:
    unit = session.get_one(Unit, contact.unit_id)
    known: dict[str, Any] = {"unit": unit.code, "contact": contact.id, "role": contact.role}
    return append(session, act, by=by, at=now, **known, **data)


def _why(reason: str, correction: int | None = None) -> dict[str, Any]:
    """What the journal keeps of it."""
    note = {"note": reason.strip()} if reason.strip() else {}
    return note if correction is None else note | {"correction": correction}


def _checked(person: Person) -> dict[str, Any]:
    """The columns as they are kept. Raises RefusedError."""
    name, email, phone = (" ".join(each.split()) for each in (person.name, person.email, person.phone))
    if person.role not in set(Role):
        raise RefusedError("refused.no_role", known=", ".join(Role), got=person.role[:40])
    if not name:
        raise RefusedError("refused.no_name")
    for text in (name, email):
        if len(text) > MAX_TEXT:
            raise RefusedError("refused.too_many_words", limit=MAX_TEXT, got=len(text))
    if email and not EMAIL.fullmatch(email):
        raise RefusedError("refused.no_address", got=email[:80])
    if phone and not PHONE.fullmatch(phone):
        raise RefusedError("refused.no_phone", got=phone[:40])
    if person.lang not in LANGUAGES:
        raise RefusedError("refused.no_language", known=", ".join(LANGUAGES), got=person.lang[:10])
    if person.valid_from is not None and person.valid_to is not None and person.valid_to <= person.valid_from:
        raise RefusedError("refused.ends_first", start=person.valid_from, got=person.valid_to)
    return {
        "role": person.role,
        "name": name,
        "email": email or None,
        "phone": phone or None,
        "lang": person.lang,
        "valid_from": person.valid_from,
        "valid_to": person.valid_to,
        "stands_for": person.stands_for,
    }

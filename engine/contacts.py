"""A unit's contacts are kept: one comes, changes, leaves or returns. The journal knows them by number alone."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import update
from sqlmodel import Session, col

from dondoc.i18n import LANGUAGES
from engine.errors import RefusedError
from engine.sheets import EMAIL
from models.contact import Contact, Role
from models.entry import append
from models.link import Link, UnitLink
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


def add_contact(session: Session, unit_id: int, person: Person, *, by: str, now: datetime) -> Contact:
    unit = session.get(Unit, unit_id)
    if unit is None:
        raise RefusedError("refused.no_unit", unit=unit_id)
    contact = Contact.model_validate({"unit_id": unit.id, **_checked(person)})
    session.add(contact)
    session.flush()
    append(session, "contact_added", by=by, at=now, unit=unit.code, contact=contact.id, role=contact.role)
    return contact


def change_contact(session: Session, contact_id: int, person: Person, *, by: str, now: datetime) -> Contact:
    """Writes over what differs. Another address is tried afresh, and the links that the old one got end."""
    contact = _locked(session, contact_id)
    wanted = _checked(person)
    changed = sorted(name for name, value in wanted.items() if getattr(contact, name) != value)
    if not changed:
        return contact
    for name in changed:
        setattr(contact, name, wanted[name])
    if "email" in changed:
        contact.is_bouncing = False
        for table in (Link, UnitLink):
            session.execute(
                update(table)
                .where(col(table.contact_id) == contact.id)
                .values(generation=col(table.generation) + 1)
                .execution_options(synchronize_session=False)
            )
    session.add(contact)
    _journal(session, "contact_changed", contact, by, now, changed=changed)
    return contact


def retire_contact(session: Session, contact_id: int, *, by: str, now: datetime) -> Contact:
    """Nothing more is sent to the contact, and their links end; what they did stays."""
    contact = _locked(session, contact_id)
    if contact.is_active:
        contact.is_active = False
        session.add(contact)
        for table in (Link, UnitLink):
            session.execute(
                update(table)
                .where(col(table.contact_id) == contact.id, col(table.revoked_at).is_(None))
                .values(revoked_at=now)
                .execution_options(synchronize_session=False)
            )
        _journal(session, "contact_retired", contact, by, now)
    return contact


def restore_contact(session: Session, contact_id: int, *, by: str, now: datetime) -> Contact:
    """The contact is told again. Their links come back under new addresses, so that old letters stay shut."""
    contact = _locked(session, contact_id)
    if not contact.is_active:
        contact.is_active = True
        session.add(contact)
        for table in (Link, UnitLink):
            session.execute(
                update(table)
                .where(col(table.contact_id) == contact.id)
                .values(revoked_at=None, generation=col(table.generation) + 1)
                .execution_options(synchronize_session=False)
            )
        _journal(session, "contact_restored", contact, by, now)
    return contact


def _locked(session: Session, contact_id: int) -> Contact:
    contact = session.get(Contact, contact_id, with_for_update=True, populate_existing=True)
    if contact is None:
        raise RefusedError("refused.no_contact", id=contact_id)
    return contact


def _journal(session: Session, act: str, contact: Contact, by: str, now: datetime, **data: Any) -> None:
    unit = session.get_one(Unit, contact.unit_id)
    known: dict[str, Any] = {"unit": unit.code, "contact": contact.id, "role": contact.role}
    append(session, act, by=by, at=now, **known, **data)


def _checked(person: Person) -> dict[str, str | None]:
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
    return {"role": person.role, "name": name, "email": email or None, "phone": phone or None, "lang": person.lang}

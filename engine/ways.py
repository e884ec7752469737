"""How else may a contact be told? By what they agreed to on paper or in words, and in the order that they wish.

A chat is linked by its own owner alone (engine/link_contact.py); here stand the ways that need no chat.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlmodel import Session, col, select

from dondoc.clock import moment, today
from dondoc.keys import Secrets
from engine.errors import RefusedError
from engine.tell import reachable_of, tell_what_is_owed
from models.address import SERVICE, Address, AddressState, ways_of
from models.contact import Contact
from models.entry import Entry, append
from models.notice import Notice, release_ways
from models.unit import Unit
from models.zalo import ZaloAccount

BY_NUMBER: Final = "zalozns"
BY_SERVICE: Final = "apprise"
TYPED: Final = (BY_NUMBER, BY_SERVICE)
#: How somebody agreed whom no code has shown to: in writing, or to the office in words.
SOURCES: Final = ("paper", "office")
_PHONE: Final = re.compile(r"(?:\+?84|0)([0-9]{9})")


@dataclass(frozen=True, slots=True)
class Agreed:
    """A way as it was typed, and the consent to it. `address`: a telephone number, or the name of a secret."""

    channel: str
    account: str
    address: str
    source: str
    on: date


def add_way(
    session: Session, contact_id: int, agreed: Agreed, *, secrets: Secrets, by: str, now: datetime, zone: str
) -> Address:
    """After all that there are. A way that had ended or was refused begins anew. Raises RefusedError."""
    contact = session.get(Contact, contact_id, with_for_update=True, populate_existing=True)
    if contact is None or not contact.is_active:
        raise RefusedError("refused.no_contact", id=contact_id)
    if agreed.source not in SOURCES:
        raise RefusedError("refused.no_consent", known=", ".join(SOURCES), got=agreed.source[:40])
    if agreed.on > today(now, zone):
        raise RefusedError("refused.consent_ahead", on=agreed.on)
    account, address = _checked(session, agreed, secrets)
    mine = select(Address).where(col(Address.contact_id) == contact.id)
    known = session.exec(mine).all()
    way = next(
        (each for each in known if (each.channel, each.account, each.address) == (agreed.channel, account, address)),
        None,
    )
    if way is not None and way.state == AddressState.WORKING:
        raise RefusedError("refused.way_known", address=address)
    was_reachable = reachable_of(session, [contact.id])
    way = way or Address(contact_id=contact.id, channel=agreed.channel, account=account, address=address,
                         consent_at=now, consent_source=agreed.source)  # fmt: skip
    way.state = AddressState.WORKING
    way.consent_at, way.consent_source = moment(agreed.on, "00:00", zone), agreed.source
    way.place = 1 + max((each.place for each in known if each is not way), default=0)
    session.add(way)
    session.flush()
    release_ways(session, col(Notice.contact_id) == contact.id)
    entry = _journal(session, "way_added", contact, way, by, now, source=agreed.source, on=agreed.on.isoformat())
    if not was_reachable:
        tell_what_is_owed(session, [contact.id], f"entry:{entry.id}", now)
    return way


def put_first(session: Session, way_id: int, *, by: str, now: datetime) -> Address:
    """This way is tried before the contact's others."""
    way = session.get(Address, way_id, with_for_update=True, populate_existing=True)
    if way is None or way.state == AddressState.ENDED:
        raise RefusedError("refused.no_way", id=way_id)
    others = [each for each in session.scalars(ways_of([way.contact_id])) if each.id != way.id]
    for place, each in enumerate((way, *others), start=1):
        each.place = place
        session.add(each)
    session.flush()
    release_ways(session, col(Notice.contact_id) == way.contact_id)
    _journal(session, "way_first", session.get_one(Contact, way.contact_id), way, by, now)
    return way


def _checked(session: Session, agreed: Agreed, secrets: Secrets) -> tuple[str, str]:
    """Account and address as they are kept."""
    if agreed.channel == BY_NUMBER:
        found = _PHONE.fullmatch(re.sub(r"[ .()-]", "", agreed.address))
        if found is None:
            raise RefusedError("refused.no_number", got=agreed.address[:40])
        if session.get(ZaloAccount, agreed.account) is None:
            raise RefusedError("refused.zalo_unknown", alias=agreed.account[:40])
        return agreed.account, f"84{found[1]}"
    if agreed.channel == BY_SERVICE:
        name = agreed.address.strip()
        if secrets.read(f"{SERVICE}{name}") is None:
            raise RefusedError("refused.no_service", got=name[:40])
        return "", name
    raise RefusedError("refused.way_by_code", known=", ".join(TYPED), got=agreed.channel[:40])


def _journal(session: Session, act: str, contact: Contact, way: Address, by: str, now: datetime, **data: Any) -> Entry:
    unit = session.get_one(Unit, contact.unit_id)
    known: dict[str, Any] = {"unit": unit.code, "contact": contact.id, "channel": way.channel}
    return append(session, act, by=by, at=now, **known, **data)

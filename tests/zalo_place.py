"""Where is a contact told in Zalo? A small province whose mail and Zalo are real servers of this machine."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlmodel import col, select

from dondoc.database import Database
from dondoc.settings import Settings
from models.address import Address
from models.contact import Contact
from models.message import Message, MessageState
from notifications.channels import carriers_for
from notifications.deliver import Delivered, deliver
from notifications.pace import Pace
from tests.builders import ZONE, at, province, step_round
from tests.sinks import Sink
from tests.sinks import running as smtp
from tests.zalo import ALIAS, KEY, Zalo, link_account, running, settings_for

URL = "https://dondoc.example.org"
OPENED = at("2025-09-01")
STC = "contact.stc@example.org"


@dataclass
class Place:
    """Five contacts wait to be told that a cycle has opened; one of them may be linked to Zalo."""

    database: Database
    zalo: Zalo
    sink: Sink
    settings: Settings

    def link(self, channel: str, address: str, account: str = ALIAS, **changes: Any) -> None:
        given: dict[str, Any] = {"consent_at": OPENED, "consent_source": "code", "heard_at": OPENED} | changes
        with self.database.writing() as session:
            contact = session.exec(select(Contact).where(col(Contact.email) == STC)).one()
            session.add(Address(contact_id=contact.id, channel=channel, account=account, address=address, **given))

    def deliver(self, now: datetime = OPENED, pace: Pace | None = None) -> Delivered:
        self.zalo.clock.at = now
        carriers = carriers_for(self.settings, self.database, KEY)
        return deliver(self.database, carriers, now, zone=ZONE, url=URL, key=KEY, pace=pace)

    def all_of(self, table: Any) -> list[Any]:
        with self.database.reading() as session:
            return list(session.exec(select(table).order_by(col(table.id))))

    def message(self, channel: str) -> Message:
        messages: list[Message] = self.all_of(Message)
        return next(each for each in messages if each.channel == channel and each.state != MessageState.DROPPED)

    def with_settings(self, **changes: Any) -> "Place":
        return replace(self, settings=self.settings.model_copy(update=changes))


@contextmanager
def placed(database: Database, folder: Path, **changes: Any) -> Iterator[Place]:
    province(database, on="2025-08-01")
    step_round(database, OPENED)
    with running(OPENED) as zalo, smtp() as sink:
        settings = settings_for(database, zalo, folder)
        smtp_url = Settings.model_validate({"smtp_url": sink.url}).smtp_url
        link_account(database, zalo)
        yield Place(database, zalo, sink, settings.model_copy(update={"smtp_url": smtp_url, **changes}))

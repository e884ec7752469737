"""Does what waits go where its contact is told now, and nothing to an address that is no longer theirs?"""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import Session, col, select

from dondoc.clock import today
from dondoc.database import Database
from dondoc.settings import Settings
from engine.contacts import Person, change_contact
from engine.link_contact import Chat, hear, new_code, unlink
from engine.units import import_units, read_rows
from models.address import Address
from models.contact import Contact
from models.link import find
from models.message import Message, MessageState
from notifications.deliver import queue
from tests.builders import UNITS, ZONE, at, step_round
from tests.sinks import free_port, running
from tests.test_deliver import KEY, OPENED, STC, office_at, opened, send  # noqa: F401  # a fixture
from tests.zalo import CHAT
from tests.zalo_place import Place, placed

NEW = "moi.stc@example.org"
LATER = OPENED + timedelta(minutes=5)
Mend = Callable[[Session, Contact, Path], None]


@pytest.fixture
def place(database: Database, tmp_path: Path) -> Iterator[Place]:
    with placed(database, tmp_path) as place:
        yield place


def by_hand(session: Session, contact: Contact, _folder: Path, email: str = NEW) -> None:
    person = Person(contact.role, contact.name, email)
    change_contact(session, contact.id, person, reason="QĐ 9", by="user:1", now=LATER, zone=ZONE)


def by_sheet(session: Session, contact: Contact, folder: Path) -> None:
    name, kind, parent, _ = UNITS["stc"]
    path = folder / "units.csv"
    path.write_text(
        f"code,name,kind,parent,contact_name,contact_email\nstc,{name},{kind},{parent},{contact.name},{NEW}\n"
    )
    import_units(session, read_rows(path), by="user:1", now=LATER, zone=ZONE, reason="QĐ 9")


def without_mail(place: Place) -> Place:
    down = Settings.model_validate({"smtp_url": f"smtp://127.0.0.1:{free_port()}"})
    return place.with_settings(smtp_url=down.smtp_url)


def contact_of_stc(session: Session) -> Contact:
    return session.exec(select(Contact).where(col(Contact.email) == STC)).one()


@pytest.mark.parametrize("mend", [by_hand, by_sheet])
def test_a_letter_that_waits_goes_to_the_new_address(opened: Database, tmp_path: Path, mend: Mend) -> None:  # noqa: F811
    port = free_port()
    assert send(opened, f"smtp://127.0.0.1:{port}").retried == 5
    with opened.writing() as session:
        mend(session, contact_of_stc(session), tmp_path)
    with running(port) as sink:
        assert send(opened, sink.url, LATER).sent == 5
        assert sink.to(STC) == []
        (mail,) = sink.to(NEW)
    body = mail.get_body(("plain",))
    assert body is not None
    given = re.search(r"/s/([\w-]+)", body.get_content())
    assert given is not None
    with opened.reading() as session:
        assert find(session, KEY, given[1], today(LATER, ZONE)) is not None


def test_the_copy_of_what_a_chat_took_goes_to_the_new_address(place: Place, tmp_path: Path) -> None:
    place.link("zalobot", CHAT, account="")
    without_mail(place).deliver()
    with place.database.writing() as session:
        by_hand(session, contact_of_stc(session), tmp_path)
    place.deliver(LATER)
    assert (place.sink.to(STC), len(place.sink.to(NEW)), len(place.zalo.state.to(CHAT))) == ([], 1, 1)


@pytest.mark.parametrize("is_copy", [False, True])
def test_with_no_address_any_more_a_chat_has_it_once(place: Place, tmp_path: Path, is_copy: bool) -> None:
    if is_copy:
        place.link("zalobot", CHAT, account="")
    without_mail(place).deliver()
    if not is_copy:
        place.link("zalobot", CHAT, account="")
    with place.database.writing() as session:
        by_hand(session, contact_of_stc(session), tmp_path, email="")
    place.deliver(LATER)
    assert (place.sink.to(STC), len(place.zalo.state.to(CHAT))) == ([], 1)
    waits = [each for each in place.all_of(Message) if each.state in (MessageState.QUEUED, MessageState.DEFERRED)]
    assert waits == []


def test_what_waits_for_a_chat_goes_to_the_one_that_took_its_place(place: Place) -> None:
    place.link("zalobot", "chat-lost", account="")
    queue(place.database, replace(office_at(), channels=frozenset({"zalobot"})))
    with place.database.writing() as session:
        code = new_code(session, contact_of_stc(session).id, key=KEY, now=OPENED)
        answer = hear(session, Chat("zalobot", "", CHAT), code, once="1", key=KEY, now=OPENED)
        assert answer is not None
        assert answer.heard == "linked"
    place.deliver(LATER)
    assert (place.message("zalobot").address, place.message("zalobot").state) == (CHAT, MessageState.SENT)


def test_what_goes_another_way_a_day_later_is_worded_anew(place: Place) -> None:
    """Zalo was down all through the due day; on the next morning they write HUY."""
    place.link("zalobot", CHAT, account="")
    place.deliver()
    due, morning = at("2025-09-30"), at("2025-10-01", "08:10")
    step_round(place.database, due)
    place.with_settings(zalo_url=f"http://127.0.0.1:{free_port()}").deliver(due)
    place.sink.mails.clear()
    with place.database.writing() as session:
        unlink(session, session.exec(select(Address)).one().id, by="contact:1", now=morning)
    place.deliver(morning)
    (mail,) = place.sink.to(STC)
    assert "hôm nay" not in mail["Subject"].lower()

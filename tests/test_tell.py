"""Is whoever can be told again told what their unit owes?"""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, col, select

from dondoc.database import Database
from dondoc.keys import Secrets
from engine import new_day, review
from engine.contacts import Person, add_contact, retire_contact
from engine.link_contact import Chat, hear, new_code
from engine.ways import Agreed, add_way
from models.contact import Contact
from models.notice import Notice
from tests.builders import ZONE, act_of, at, hand_in, id_of, province, step_round
from tests.sinks import free_port, running
from tests.test_deliver import KEY, OPENED, STC, send
from tests.test_redirect import Mend, by_hand, by_sheet, contact_of_stc
from tests.zalo import CHAT


def told(session: Session) -> list[tuple[int, str]]:
    """What the contacts of stc were told by somebody's act."""
    query = select(Notice).join(Contact, col(Contact.id) == col(Notice.contact_id)).order_by(col(Notice.id))
    of_stc = query.where(col(Contact.role) == "contact", col(Notice.cause).startswith("entry:"))
    return [(each.task_id, each.kind) for each in session.exec(of_stc)]


@pytest.mark.parametrize("mend", [by_hand, by_sheet])
@pytest.mark.parametrize("before", [{"is_bouncing": True}, {"email": None}, None])
def test_whose_address_is_mended_is_told_what_opened_meanwhile(
    database: Database, tmp_path: Path, mend: Mend, before: dict[str, Any] | None
) -> None:
    """`before`: how the contact could not be told; None: they could."""
    province(database, on="2025-08-01")
    with database.writing() as session:
        contact = contact_of_stc(session)
        for name, value in (before or {}).items():
            setattr(contact, name, value)
        session.add(contact)
    step_round(database, OPENED)
    with database.writing() as session:
        assert told(session) == []
        mend(session, session.get_one(Contact, contact.id), tmp_path)
        assert told(session) == ([(id_of(database, "stc", "2025"), "opened")] if before else [])


def test_whom_a_sheet_brings_to_a_unit_is_told_what_it_owes(database: Database, tmp_path: Path) -> None:
    province(database, on="2025-08-01")
    step_round(database, OPENED)
    with database.writing() as session:
        contact = contact_of_stc(session)
        contact.is_active = False
        session.add(contact)
        session.flush()
        by_sheet(session, contact, tmp_path)
        assert told(session) == [(id_of(database, "stc", "2025"), "opened")]


@pytest.mark.parametrize("is_message", [False, True])
def test_what_waits_for_a_delegate_whose_days_end_is_told_whom_they_stood_in_for(
    database: Database, is_message: bool
) -> None:
    """Returned on Friday evening; their last day is the Sunday. `is_message`: the letter was made, and mail is down."""
    province(database, on="2025-08-01")
    step_round(database, OPENED)
    monday, nobody = date(2025, 9, 15), f"smtp://127.0.0.1:{free_port()}"
    with running() as sink:
        send(database, sink.url)
        with database.writing() as session:
            mine = contact_of_stc(session)
            stand_in = Person("contact", "Phó", "pho.stc@example.org", valid_to=monday, stands_for=mine.id)
            add_contact(session, mine.unit_id, stand_in, by="user:1", now=at("2025-09-08"), zone=ZONE)
        task = id_of(database, "stc", "2025")
        hand_in(database, task, "2025-09-12")
        send(database, sink.url, at("2025-09-12", "09:01"))
        act_of(database, review.send_back, task, "2025-09-12", "18:30", reason="Thiếu biểu số 2.", due_on=None)
        if is_message:
            send(database, nobody, at("2025-09-12", "18:30"))
        sink.mails.clear()
        for _ in range(2):
            with database.writing() as session:
                new_day.begin(session, at("2025-09-15", "00:05"), ZONE)
        send(database, sink.url, at("2025-09-15"))
        assert (len(sink.to(STC)), sink.to("pho.stc@example.org")) == (1, [])
        assert sink.to(STC)[0]["Subject"].startswith("Trả lại để bổ sung")


def test_that_a_cycle_opened_is_not_told_again_when_a_delegate_leaves_before_they_were_told(database: Database) -> None:
    province(database, on="2025-08-01")
    step_round(database, OPENED)
    with running() as sink:
        send(database, sink.url)
        with database.writing() as session:
            mine = contact_of_stc(session)
            stand_in = Person("contact", "Phó", "pho.stc@example.org", valid_to=date(2025, 9, 15), stands_for=mine.id)
            delegate = add_contact(session, mine.unit_id, stand_in, by="user:1", now=OPENED, zone=ZONE)
            assert len(told(session)) == 1
            retire_contact(session, delegate.id, reason="QĐ 9", by="user:1", now=OPENED)
        sink.mails.clear()
        send(database, sink.url)
        assert sink.mails == []


def by_code(session: Session, contact: Contact, _folder: Path) -> None:
    code = new_code(session, contact.id, key=KEY, now=OPENED)
    hear(session, Chat("zalobot", "", CHAT), code, once="1", key=KEY, now=OPENED)


def by_office(session: Session, contact: Contact, folder: Path) -> None:
    (folder / "apprise-tong-dai").write_text("json://127.0.0.1")
    agreed = Agreed("apprise", "", "tong-dai", "paper", OPENED.date())
    add_way(session, contact.id, agreed, secrets=Secrets(folder), by="user:1", now=OPENED, zone=ZONE)


@pytest.mark.parametrize("way", [by_code, by_office])
@pytest.mark.parametrize("before", [None, STC])
def test_whose_first_way_is_not_mail_is_told_what_opened_before(
    database: Database, tmp_path: Path, way: Mend, before: str | None
) -> None:
    """`before`: their e-mail."""
    province(database, on="2025-08-01")
    with database.writing() as session:
        contact = contact_of_stc(session)
        contact.email = before
        session.add(contact)
    step_round(database, OPENED)
    with database.writing() as session:
        way(session, session.get_one(Contact, contact.id), tmp_path)
        assert told(session) == ([] if before else [(id_of(database, "stc", "2025"), "opened")])

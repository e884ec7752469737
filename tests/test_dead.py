"""Who hears of an address that is refused for good? Whoever is above the unit, once, and the journal."""

from datetime import date

import pytest
from sqlmodel import col, select

from dondoc.database import Database
from models.address import Address
from models.contact import Contact
from models.entry import Entry
from models.message import Message
from models.notice import Notice, NoticeKind
from models.unit import Placement, path_of
from notifications.dead import give_up
from notifications.deliver import Delivered
from tests.builders import ZONE, at, unit_id
from tests.sinks import running
from tests.test_deliver import OPENED, STC, message_to, opened, send  # noqa: F401  # a fixture

UNKNOWN = "550 5.1.1 User unknown"
ABOVE = "secretariat.duk@example.org"


def bounced(database: Database) -> list[str]:
    """Whom the notices of dead addresses are for."""
    with database.reading() as session:
        query = select(Contact.email).join(Notice, col(Notice.contact_id) == col(Contact.id))
        return [str(each) for each in session.exec(query.where(col(Notice.kind) == NoticeKind.BOUNCED.value))]


def test_the_secretariat_above_is_told_who_and_where_to_mend_it(opened: Database) -> None:  # noqa: F811
    with running() as sink:
        sink.to_rcpt[STC] = [UNKNOWN]
        assert send(opened, sink.url) == Delivered(messages=5, sent=4, refused=1)
        assert bounced(opened) == [ABOVE]
        assert send(opened, sink.url, at("2025-09-02")) == Delivered(messages=1, sent=1)
    (mail,) = sink.to(ABOVE)
    assert mail["Subject"] == "Tin không tới được contact Chi bộ Sở Tài chính, Chi bộ Sở Tài chính"
    part = mail.get_body(("plain",))
    assert part is not None
    text = part.get_content()
    with opened.reading() as session:
        assert f"Sửa địa chỉ: https://dondoc.example.org/units/{unit_id(session, 'stc')}#contacts" in text
        (entry,) = session.exec(select(Entry).where(col(Entry.act) == "contact_bounced")).all()
    assert f"Địa chỉ: {STC}" in text
    assert STC not in str(entry.data)
    assert (entry.by, entry.data["unit"], entry.data["role"]) == ("system", "stc", "contact")


def test_an_address_dies_once(opened: Database) -> None:  # noqa: F811
    with running() as sink:
        sink.to_rcpt[STC] = [UNKNOWN]
        send(opened, sink.url)
    message = message_to(opened, STC)
    with opened.writing() as session:
        assert not give_up(session, session.get_one(Message, message.id), OPENED, ZONE)
    assert bounced(opened) == [ABOVE]


def test_an_address_that_was_mended_meanwhile_is_alive(opened: Database) -> None:  # noqa: F811
    with running() as sink:
        send(opened, sink.url)
    message = message_to(opened, STC)
    with opened.writing() as session:
        session.get_one(Contact, message.contact_id).email = "van-thu.stc@example.org"
    with opened.writing() as session:
        assert not give_up(session, session.get_one(Message, message.id), OPENED, ZONE)
        assert not session.get_one(Contact, message.contact_id).is_bouncing
    assert bounced(opened) == []


def test_where_nobody_is_next_above_the_one_above_that_is_told(opened: Database) -> None:  # noqa: F811
    with opened.writing() as session:
        for contact in session.exec(select(Contact).where(col(Contact.email) == ABOVE)):
            contact.is_active = False
    with running() as sink:
        sink.to_rcpt[STC] = [UNKNOWN]
        send(opened, sink.url)
    assert bounced(opened) == ["secretariat.tinh-uy@example.org"]


def test_above_is_whoever_is_there_on_the_day_of_the_office(opened: Database) -> None:  # noqa: F811
    """The unit moves that night; at half past six it is still yesterday in UTC."""
    with running() as sink:
        send(opened, sink.url)
    message, moves = message_to(opened, STC), date(2025, 9, 2)
    with opened.writing() as session:
        before, over = (
            session.exec(select(Placement).where(col(Placement.unit_id) == unit_id(session, code))).one()
            for code in ("stc", "snv")
        )
        before.valid_to = moves
        stc, path = before.unit_id, path_of(before.unit_id, over.path)
        session.add(Placement(unit_id=stc, parent_id=over.unit_id, path=path, kind=before.kind, valid_from=moves))
    with opened.writing() as session:
        assert give_up(session, session.get_one(Message, message.id), at("2025-09-02", "06:30"), ZONE)
    assert bounced(opened) == ["secretariat.snv@example.org"]


@pytest.mark.parametrize("has_mail", [True, False])
def test_a_chat_that_refuses_is_told_only_where_nothing_else_is_left(opened: Database, has_mail: bool) -> None:  # noqa: F811
    with running() as sink:
        send(opened, sink.url)
    message = message_to(opened, STC)
    with opened.writing() as session:
        row = session.get_one(Message, message.id)
        row.channel, row.account, row.address = "zalobot", "", "chat-1"
        contact = session.get_one(Contact, message.contact_id)
        contact.email = STC if has_mail else None
        chat = Address(
            contact_id=contact.id, channel="zalobot", address="chat-1", consent_at=OPENED, consent_source="code"
        )
        session.add(chat)
    with opened.writing() as session:
        assert give_up(session, session.get_one(Message, message.id), OPENED, ZONE)
    assert bounced(opened) == ([] if has_mail else [ABOVE])

"""Has a contact who is told in a chat the whole letter in their mailbox, once, and as what it is?"""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, select, true

from dondoc.database import Database
from dondoc.settings import Settings
from engine.errors import RefusedError
from engine.retry import try_again
from models.contact import Contact
from models.inbox import undelivered
from models.message import Message, MessageState
from models.notice import Notice, NoticeKind
from notifications.deliver import Delivered
from notifications.pace import Pace
from samples.fake_zalo.state import Fault
from tests.builders import at
from tests.sinks import free_port
from tests.zalo import CHAT, FOLLOWER, PHONE
from tests.zalo_place import OPENED, STC, URL, Place, placed


@pytest.fixture
def place(database: Database, tmp_path: Path) -> Iterator[Place]:
    with placed(database, tmp_path) as place:
        yield place


def told(place: Place, channel: str) -> tuple[Message, Message]:
    """What the chat has, and the copy of it."""
    chat = place.message(channel)
    (copy,) = (each for each in place.all_of(Message) if each.instead_of == chat.id)
    return chat, copy


def part(place: Place, kind: str) -> str:
    (letter,) = place.sink.to(STC)
    (found,) = (each for each in letter.walk() if each.get_content_type() == kind)
    return str(found.get_content())


@pytest.mark.parametrize(("channel", "address"), [("zalobot", CHAT), ("zalooa", FOLLOWER), ("zalozns", PHONE)])
def test_what_a_chat_took_goes_by_mail_in_the_same_delivery_as_the_copy_of_it(
    place: Place, channel: str, address: str
) -> None:
    place.link(channel, address)
    assert place.deliver() == Delivered(messages=5, sent=6)
    assert len(place.zalo.state.to(address)) == 1
    chat, copy = told(place, channel)
    assert (copy.channel, copy.address, copy.state) == ("email", STC, MessageState.SENT)
    assert copy.subject == f"Bản lưu: {chat.subject}"
    lines = part(place, "text/plain").splitlines()
    assert lines[0].startswith("Bản lưu của tin gửi ngày 01/09/2025 qua ")
    assert lines[1] == ""
    assert any(line.startswith(f"Mở phiếu báo cáo: {URL}/s/") and "[[" not in line for line in lines)
    assert any("tự động gửi" in line for line in lines)
    assert "<body" in part(place, "text/html").partition(lines[0])[0]
    assert "DTSTART" in part(place, "text/calendar")
    assert {each.message_id for each in place.all_of(Notice) if each.contact_id == chat.contact_id} == {chat.id}
    assert place.deliver(OPENED + timedelta(hours=1)) == Delivered()


def test_the_copy_is_no_message_of_the_budget(place: Place) -> None:
    place.link("zalobot", CHAT)
    place.deliver()
    chat, _ = told(place, "zalobot")
    with place.database.writing() as session:
        (notice,) = session.exec(select(Notice).where(col(Notice.message_id) == chat.id)).all()
        again: dict[str, Any] = notice.model_dump(exclude={"id", "message_id"})
        session.add(Notice(**again | {"kind": NoticeKind.ACCEPTED, "cause": "entry:1", "created_at": OPENED}))
    assert place.deliver(OPENED, Pace(hours=None, a_day=2)) == Delivered(messages=1, sent=2)


def test_a_copy_that_is_refused_changes_nothing_about_the_message(place: Place) -> None:
    place.link("zalooa", FOLLOWER)
    place.sink.to_rcpt[STC] = ["550 5.1.1 no such user"]
    assert place.deliver() == Delivered(messages=5, sent=5, refused=1)
    chat, copy = told(place, "zalooa")
    assert (chat.state, copy.state) == (MessageState.SENT, MessageState.REFUSED)
    assert place.deliver(OPENED + timedelta(days=1)) == Delivered()
    with place.database.reading() as session:
        assert session.execute(undelivered(true())).all() == []
        assert session.get_one(Contact, chat.contact_id).is_bouncing
    assert [each.kind for each in place.all_of(Notice) if each.kind == NoticeKind.BOUNCED] == []


def test_a_copy_waits_for_a_server_that_is_down_and_for_a_decent_hour_and_goes_once(place: Place) -> None:
    place.link("zalobot", CHAT)
    gone = Settings.model_validate({"smtp_url": f"smtp://127.0.0.1:{free_port()}"}).smtp_url
    down = place.with_settings(smtp_url=gone)
    for hours in range(10):  # until five in the afternoon
        down.deliver(at("2025-09-03") + timedelta(hours=hours), Pace())
    assert (len(place.zalo.state.to(CHAT)), told(place, "zalobot")[1].state) == (1, MessageState.QUEUED)
    place.deliver(at("2025-09-03", "21:00"), Pace())
    assert place.sink.to(STC) == []
    for hour in ("08:00", "09:00"):
        place.deliver(at("2025-09-04", hour), Pace())
    assert (len(place.zalo.state.to(CHAT)), len(place.sink.to(STC))) == (1, 1)


def test_mail_and_zalo_both_down_for_a_day_lose_nothing_and_double_nothing(place: Place) -> None:
    place.link("zalooa", FOLLOWER)
    gone = Settings.model_validate({"smtp_url": f"smtp://127.0.0.1:{free_port()}"}).smtp_url
    down = place.with_settings(smtp_url=gone, zalo_url=f"http://127.0.0.1:{free_port()}")
    now = OPENED
    for _ in range(9):
        down.deliver(now)
        now += timedelta(hours=3)
    assert (place.zalo.state.sent, place.sink.mails) == ([], [])
    for _ in range(5):
        place.deliver(now)
        now += timedelta(hours=3)
    assert (len(place.zalo.state.to(FOLLOWER)), len(place.sink.to(STC)), len(place.sink.mails)) == (1, 1, 5)
    told = {each.message_id for each in place.all_of(Notice)}
    assert {each.state for each in place.all_of(Message) if each.id in told} == {MessageState.SENT}


def test_what_may_have_been_lost_on_its_way_to_a_chat_is_in_the_mailbox_and_asks_for_nobody(place: Place) -> None:
    place.link("zalozns", PHONE)
    place.zalo.state.faults["/message/template"] = [Fault(drop=True, is_accepted=True)]
    assert place.deliver() == Delivered(messages=5, sent=5, unknown=1)
    chat, copy = told(place, "zalozns")
    assert (chat.state, copy.state, len(place.zalo.state.to(PHONE))) == ("unknown", MessageState.SENT, 1)
    with place.database.writing() as session:
        assert session.execute(undelivered(true())).all() == []
        with pytest.raises(RefusedError, match="another message"):
            try_again(session, chat.id, by="user:1", may_arrive_twice=True, now=OPENED)


def test_where_the_copy_was_lost_too_the_message_may_go_again_and_has_no_second_copy(place: Place) -> None:
    place.link("zalozns", PHONE)
    place.zalo.state.faults["/message/template"] = [Fault(drop=True)]
    place.sink.to_rcpt[STC] = ["550 5.1.1 no such user"]
    place.deliver()
    chat, copy = told(place, "zalozns")
    with place.database.writing() as session:
        assert [each.id for each, _ in session.execute(undelivered(true())).all()] == [chat.id]
        session.get_one(Contact, chat.contact_id).email = None
        try_again(session, chat.id, by="user:1", may_arrive_twice=True, now=OPENED)
    assert place.deliver(OPENED + timedelta(hours=1)).sent == 1
    assert [each.id for each in place.all_of(Message) if each.instead_of is not None] == [copy.id]


def test_who_has_no_mailbox_has_no_copy(place: Place) -> None:
    place.link("zalobot", CHAT)
    with place.database.writing() as session:
        session.exec(select(Contact).where(col(Contact.email) == STC)).one().email = None
    assert place.deliver() == Delivered(messages=5, sent=5)
    assert [each for each in place.all_of(Message) if each.instead_of is not None] == []

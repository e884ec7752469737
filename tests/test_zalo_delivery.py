"""Is a contact who has linked Zalo told there, once, and by mail when Zalo will not?"""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from signal import SIGKILL

import pytest
from sqlmodel import Session, col, select

from dondoc.database import Database
from dondoc.keys import Secrets
from engine.contacts import Person, change_contact
from engine.link_contact import Chat, hear, touch
from engine.ways import Agreed, add_way
from models.address import Address, AddressState
from models.contact import Contact
from models.message import Attempt, Message, MessageState
from models.notice import Notice
from notifications.channels.zalo_wire import MAX_TEXT
from notifications.deliver import Delivered
from notifications.send import LEASE, claim
from samples.fake_zalo.state import Fault, Template
from tests.builders import ZONE, at, step_round
from tests.sinks import free_port
from tests.zalo import ALIAS, CHAT, FOLLOWER, KEY, PHONE, link_account, send_all
from tests.zalo_place import OPENED, STC, URL, Place, placed

DUE_SOON = at("2025-09-16")


@pytest.fixture
def place(database: Database, tmp_path: Path) -> Iterator[Place]:
    with placed(database, tmp_path, mail_record=False) as place:
        yield place


@pytest.mark.parametrize(("channel", "address"), [("zalobot", CHAT), ("zalooa", FOLLOWER), ("zalozns", PHONE)])
def test_who_has_linked_is_told_there_and_the_others_by_mail(place: Place, channel: str, address: str) -> None:
    place.link(channel, address)
    assert place.deliver() == Delivered(messages=5, sent=5)
    assert (len(place.sink.mails), place.sink.to(STC)) == (4, [])
    (sent,) = place.zalo.state.to(address)
    message = place.message(channel)
    assert (message.state, message.provider_id, message.account) == (MessageState.SENT, sent.message_id, ALIAS)
    if channel != "zalozns":
        assert f"{URL}/s/" in sent.text
    assert place.deliver(OPENED + timedelta(hours=1)) == Delivered()


@pytest.mark.parametrize(("channel", "address"), [("zalobot", CHAT), ("zalooa", FOLLOWER), ("zalozns", PHONE)])
def test_a_zalo_that_is_down_for_a_day_gets_everything_once(place: Place, channel: str, address: str) -> None:
    place.link(channel, address)
    down = place.with_settings(zalo_url=f"http://127.0.0.1:{free_port()}")
    hour, now = timedelta(hours=1), OPENED
    while now < OPENED + timedelta(days=1):
        down.deliver(now)
        now += hour
    assert place.message(channel).state == MessageState.QUEUED
    for _ in range(14):
        place.deliver(now)
        now += hour
    assert len(place.zalo.state.to(address)) == 1
    assert place.message(channel).state == MessageState.SENT
    assert len([each for each in place.all_of(Message) if each.state != MessageState.DROPPED]) == 5


@pytest.mark.parametrize("limit", [Fault(body={"error": -32, "message": "limit"}), Fault(429, html="<html>429</html>")])
def test_a_limit_only_delays(place: Place, limit: Fault) -> None:
    place.link("zalooa", FOLLOWER)
    place.zalo.state.faults["/v3.0/oa/message/cs"] = [limit, limit]
    for minutes in (0, 5, 15):
        place.deliver(OPENED + timedelta(minutes=minutes))
    assert (len(place.zalo.state.to(FOLLOWER)), place.sink.to(STC)) == (1, [])
    assert (place.message("zalooa").state, place.message("zalooa").tries) == (MessageState.SENT, 3)


def test_who_was_silent_for_a_week_is_told_by_mail_without_asking_zalo(place: Place) -> None:
    place.link("zalooa", FOLLOWER, heard_at=OPENED - timedelta(days=8))
    place.deliver()
    assert len(place.sink.to(STC)) == 1
    assert place.zalo.state.calls == []


def heard_again(session: Session, contact: Contact, now: datetime) -> None:
    touch(session, Chat("zalooa", ALIAS, FOLLOWER), now)


def mended(session: Session, contact: Contact, now: datetime) -> None:
    person = Person(contact.role, contact.name, "moi.stc@example.org")
    change_contact(session, contact.id, person, reason="QĐ 9", by="user:1", now=now, zone=ZONE)


def agreed(session: Session, contact: Contact, now: datetime) -> None:
    number = Agreed("zalozns", ALIAS, PHONE, "paper", now.date())
    add_way(session, contact.id, number, secrets=Secrets(None), by="user:1", now=now, zone=ZONE)


@pytest.mark.parametrize("act", [heard_again, mended, agreed])
def test_who_was_silent_and_has_no_mail_is_told_as_soon_as_there_is_a_way(
    place: Place, act: Callable[[Session, Contact, datetime], None]
) -> None:
    place.link("zalooa", FOLLOWER, heard_at=OPENED - timedelta(days=8))
    with place.database.writing() as session:
        contact = session.exec(select(Contact).where(col(Contact.email) == STC)).one()
        contact.email = None
        session.add(contact)
    assert place.deliver() == Delivered(messages=4, sent=4, held=1)
    later = OPENED + timedelta(hours=1)
    assert place.deliver(later) == Delivered()
    with place.database.writing() as session:
        act(session, session.get_one(Contact, contact.id), later)
    assert place.deliver(later) == Delivered(messages=1, sent=1)


@pytest.mark.parametrize(("code", "state"), [(-230, AddressState.WORKING), (-213, AddressState.BOUNCING)])
def test_what_zalo_refuses_goes_by_mail_in_the_same_delivery(place: Place, code: int, state: AddressState) -> None:
    place.link("zalooa", FOLLOWER)
    place.zalo.state.faults["/v3.0/oa/message/cs"] = [Fault(body={"error": code, "message": "no"})]
    assert place.deliver() == Delivered(messages=5, sent=5, refused=1)
    refused, mail = place.message("zalooa"), next(each for each in place.all_of(Message) if each.instead_of)
    assert (refused.state, mail.instead_of, mail.address) == (MessageState.REFUSED, refused.id, STC)
    assert [each.message_id for each in place.all_of(Notice) if each.contact_id == mail.contact_id] == [mail.id]
    assert [each.state for each in place.all_of(Address)] == [state]
    (letter,) = place.sink.to(STC)
    body = letter.get_body(("plain",))
    assert body is not None
    text = body.get_content()
    assert f"{URL}/s/" in text
    assert "[[link" not in text
    assert "tự động gửi" in text
    assert "tự động gửi" not in refused.text


def test_what_waits_for_a_chat_that_ends_its_link_goes_by_mail_as_the_whole_letter(place: Place) -> None:
    place.link("zalobot", CHAT, account="")
    place.zalo.state.faults["/bot/sendMessage"] = [Fault(503, html="x")]
    place.deliver()
    later = OPENED + timedelta(minutes=1)
    with place.database.writing() as session:
        hear(session, Chat("zalobot", "", CHAT), "HUY", once="1", key=KEY, now=later)
    assert place.deliver(later) == Delivered(sent=1)
    (letter,) = place.sink.to(STC)
    body = letter.get_body(("plain",))
    assert body is not None
    assert f"{URL}/s/" in body.get_content()
    assert "tự động gửi" in body.get_content()


def test_what_one_way_refuses_goes_the_next_each_once_and_by_mail_at_last(place: Place) -> None:
    place.link("zalooa", FOLLOWER, place=1)
    place.link("zalozns", PHONE, place=2)
    place.zalo.state.users[FOLLOWER].last_interaction = OPENED - timedelta(days=8)  # Zalo knows better than we
    assert place.deliver() == Delivered(messages=5, sent=5, refused=1)
    assert (len(place.zalo.state.to(PHONE)), place.sink.to(STC)) == (1, [])
    assert place.message("zalozns").instead_of == place.message("zalooa").id
    place.zalo.state.phones[PHONE] = "no_account"
    step_round(place.database, DUE_SOON)
    link_account(place.database, place.zalo)
    with place.database.writing() as session:
        for way in session.exec(select(Address)):
            way.heard_at = DUE_SOON
    place.deliver(DUE_SOON)
    own = [each for each in place.all_of(Message) if each.contact_id == place.message("zalooa").contact_id]
    oa, zns, mail = own[-3:]
    assert [oa.channel, zns.channel, mail.channel] == ["zalooa", "zalozns", "email"]
    assert (zns.instead_of, mail.instead_of, mail.state) == (oa.id, zns.id, MessageState.SENT)
    assert [each.state for each in place.all_of(Address)] == [AddressState.WORKING, AddressState.BOUNCING]
    assert len(place.sink.to(STC)) == 1


def test_a_contact_without_mail_is_told_in_zalo_and_waits_for_it(place: Place) -> None:
    place.link("zalozns", PHONE)
    with place.database.writing() as session:
        session.exec(select(Contact).where(col(Contact.email) == STC)).one().email = None
    place.zalo.state.phones[PHONE] = "inactive"
    assert place.deliver() == Delivered(messages=5, sent=4, retried=1)
    message = place.message("zalozns")
    assert message.state == MessageState.DEFERRED
    assert at("2025-09-02", "06:05") <= message.try_after < at("2025-09-02", "06:30")
    assert [each.state for each in place.all_of(Address)] == [AddressState.WORKING]
    place.zalo.state.phones[PHONE] = "ok"
    link_account(place.database, place.zalo)
    place.deliver(at("2025-09-02", "09:00"))
    assert place.message("zalozns").state == MessageState.SENT


def test_an_account_out_of_order_keeps_nobody_untold(place: Place) -> None:
    place.link("zalooa", FOLLOWER, account="gone")
    place.deliver()
    assert len(place.sink.to(STC)) == 1


def test_a_lost_answer_is_never_sent_again(place: Place) -> None:
    place.link("zalozns", PHONE)
    place.zalo.state.faults["/message/template"] = [Fault(drop=True, is_accepted=True)]
    assert place.deliver() == Delivered(messages=5, sent=4, unknown=1)
    place.deliver(OPENED + timedelta(days=2))
    assert len(place.zalo.state.to(PHONE)) == 1
    assert place.message("zalozns").state == MessageState.UNKNOWN
    assert place.zalo.state.to(PHONE)[0].tracking_id == place.message("zalozns").reference


def test_the_quota_of_the_day_puts_off_and_does_not_drop(place: Place) -> None:
    place.link("zalozns", PHONE)
    place.zalo.state.day_quota = 0
    place.deliver()
    message = place.message("zalozns")
    assert message.state == MessageState.DEFERRED
    assert at("2025-09-02", "06:05") <= message.try_after < at("2025-09-02", "06:30")
    place.zalo.state.day_quota = 5
    link_account(place.database, place.zalo)
    place.deliver(at("2025-09-02", "06:30"))
    assert place.message("zalozns").state == MessageState.SENT


def test_a_sender_that_died_at_zalo_leaves_a_doubt_and_no_second_message(place: Place) -> None:
    place.link("zalobot", CHAT)
    place.zalo.state.faults["/bot/sendMessage"] = [Fault(503, html="x")]
    place.deliver()
    later = OPENED + timedelta(minutes=5)
    (message_id,) = claim(place.database, later)
    with place.database.writing() as session:
        session.get_one(Message, message_id).sending_at = later
    assert place.deliver(later + LEASE).unknown == 1
    assert place.zalo.state.to(CHAT) == []


def test_a_sender_killed_after_zalo_had_the_message_sends_no_second_one(place: Place) -> None:
    place.link("zalobot", CHAT)
    worker = get_context("spawn").Process(target=send_all, args=(place.settings, OPENED))
    place.zalo.state.faults["/bot/sendMessage"] = [Fault(drop=True, is_accepted=True, then=worker.kill)]
    worker.start()
    worker.join()
    assert worker.exitcode == -SIGKILL
    # The mail was going out at the same time: what was on its way then is in doubt as well.
    assert place.deliver(OPENED + LEASE).unknown >= 1
    assert len(place.zalo.state.to(CHAT)) == 1
    assert set(Counter(mail["To"] for mail in place.sink.mails).values()) <= {1}
    assert place.message("zalobot").state == MessageState.UNKNOWN


def test_no_attempt_keeps_a_secret(place: Place) -> None:
    place.link("zalobot", CHAT)
    place.with_settings(zalo_url=f"http://127.0.0.1:{free_port()}").deliver()
    kept = str([each.model_dump() for each in (*place.all_of(Attempt), *place.all_of(Message))])
    for name in ("zalobot-token", f"zalo-{ALIAS}-app"):
        assert place.settings.secrets is not None
        assert (place.settings.secrets / name).read_text().strip() not in kept


def test_a_chat_gets_the_few_lines_of_the_letter_and_the_mail_behind_it_stays_whole(place: Place) -> None:
    place.link("zalooa", FOLLOWER)
    place.deliver()
    (sent,) = place.zalo.state.to(FOLLOWER)
    lines = sent.text.splitlines()
    assert lines[0] == "Mở nhận báo cáo: Báo cáo kết quả hằng năm, năm 2025"
    assert lines[2].startswith("Kính gửi ")
    assert lines[-1].startswith(f"Mở phiếu báo cáo: {URL}/s/")
    assert len(sent.text) <= MAX_TEXT
    message = place.message("zalooa")
    assert "tự động gửi" not in message.text
    assert "tự động gửi" in message.html


def test_a_template_message_names_what_zalo_lets_it_name(place: Place) -> None:
    place.zalo.state.templates["t-1"] = Template({"name": 30, "unit": 50, "subject": 100, "due": 20, "link": 200})
    place.link("zalozns", PHONE)
    place.deliver()
    (sent,) = place.zalo.state.to(PHONE)
    data = json.loads(sent.text)
    assert data["unit"] == "Chi bộ Sở Tài chính"
    assert data["due"] == "30/09/2025"
    assert data["subject"] == "Mở nhận báo cáo: Báo cáo kết quả hằng năm, năm 2025"
    assert data["link"].startswith(f"{URL}/s/")

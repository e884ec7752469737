"""Does every notice get out once, whatever breaks on the way?"""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from dondoc.clock import today
from dondoc.database import Database
from engine import extend, review, submit
from models import link
from models.contact import Contact
from models.message import Attempt, Message, MessageState, Outcome
from models.notice import Notice
from notifications.channels.carrier import Letter
from notifications.channels.email import EmailCarrier
from notifications.deliver import Delivered, deliver, queue
from notifications.item import Office
from notifications.letters import read_letters
from notifications.pace import Pace
from notifications.record import MOST_TRIES
from notifications.send import LEASE, WAVE, Tries, claim, recover
from tests.builders import ANSWERS, UNITS, YEARLY, ZONE, at, province, step_round, task_of
from tests.sinks import Sink, free_port, running, signed_in_as
from tests.workers import FIRST_DAY, Job, crew

KEY = b"a key of thirty-two bytes, or so"
URL = "https://dondoc.example.org"
OPENED = at("2025-09-01")
OVERDUE = at("2025-10-03")  # the third working day after 30/09: the secretariat above is told
STC = "contact.stc@example.org"


@pytest.fixture
def opened(database: Database) -> Database:
    """The yearly report of 2025 is open; five contacts wait to be told."""
    province(database, on="2025-08-01")
    step_round(database, OPENED)
    return database


def carrier(url: str) -> EmailCarrier:
    return EmailCarrier(url, "dondoc@example.org", "Hệ thống đôn đốc")


def send(database: Database, url: str, now: datetime = OPENED) -> Delivered:
    return deliver(database, carrier(url), now, zone=ZONE, url=URL, key=KEY)


def night(now: datetime, database: Database, url: str) -> Delivered:
    return deliver(database, carrier(url), now, zone=ZONE, url=URL, key=KEY, pace=Pace())


def office_at(now: datetime = OPENED, pace: Pace | None = None) -> Office:
    return Office("email", "dondoc@example.org", URL, ZONE, now, pace=pace)


def queued(database: Database, now: datetime = OPENED) -> None:
    queue(database, office_at(now))


def claimed(database: Database, now: datetime = OPENED, wave: int = WAVE) -> list[Letter]:
    ids = claim(database, now, wave)
    with database.reading() as session:
        return read_letters(session, ids, now, KEY)


def rows(database: Database, table: Any) -> list[Any]:
    with database.reading() as session:
        return list(session.exec(select(table).order_by(col(table.id))))


def message_to(database: Database, address: str) -> Message:
    messages: list[Message] = rows(database, Message)
    return next(message for message in messages if message.address == address)


def attempts_of(database: Database, message: Message) -> list[tuple[str, str | None]]:
    return [(each.outcome, each.code) for each in rows(database, Attempt) if each.message_id == message.id]


def hand_in(database: Database, unit: str, now: datetime) -> None:
    with database.writing() as session:
        task = task_of(session, unit, "2025")
        submit.submit(
            session, task.id, by="contact:1", answers=ANSWERS, files=[], key=f"{unit}-{now}", now=now, zone=ZONE
        )


def test_each_contact_gets_one_mail_with_a_link_that_opens_its_task(opened: Database) -> None:
    with running() as sink:
        assert send(opened, sink.url) == Delivered(messages=5, sent=5)
    (mail,) = sink.to(STC)
    message = message_to(opened, STC)
    assert mail.get_all("Message-ID") == [f"<{message.reference}@example.org>"]
    assert (message.state, message.provider_id, message.tries) == (MessageState.SENT, "4XyZ1", 1)
    assert attempts_of(opened, message) == [(Outcome.SENT, "250")]
    for kind in ("plain", "html"):
        part = mail.get_body((kind,))
        assert part is not None
        given = part.get_content().partition(f"{URL}/s/")[2].partition("\n")[0].partition('"')[0]
        with opened.reading() as session:
            found = link.find(session, KEY, given, today(OPENED, ZONE))
            assert found is not None
            assert (found.task_id, found.contact_id) == (task_of(session, "stc", "2025").id, message.contact_id)


def test_a_second_delivery_adds_nothing(opened: Database) -> None:
    with running() as sink:
        send(opened, sink.url)
        assert send(opened, sink.url) == Delivered()
        assert send(opened, sink.url, OPENED + timedelta(days=1)) == Delivered()
        assert len(sink.mails) == 5


def test_no_token_is_kept(opened: Database) -> None:
    with running() as sink:
        send(opened, sink.url)
    with opened.reading() as session:
        tokens = [link.token(KEY, each) for each in session.exec(select(link.Link))]
        kept = str([each.model_dump() for table in (Message, Attempt, Notice) for each in session.exec(select(table))])
    assert len(tokens) == 5
    assert not any(token.partition("-")[2] in kept for token in tokens)


def test_sixty_late_units_are_one_message_with_sixty_names(database: Database) -> None:
    units = {code: UNITS[code] for code in ("tinh-uy", "duk")}
    names = [f"Chi bộ Cơ quan số {n:02}" for n in range(60)]
    units |= {f"cq-{n}": (name, "chi-bo-co-so", "duk", "contact") for n, name in enumerate(names)}
    province(database, on="2025-08-01", units=units)
    with running() as sink:
        for day in ("2025-09-01", "2025-10-01"):
            step_round(database, at(day))
            send(database, sink.url, at(day))
        sink.mails.clear()
        step_round(database, OVERDUE)
        assert send(database, sink.url, OVERDUE) == Delivered(messages=1, sent=1)
    (mail,) = sink.to("secretariat.duk@example.org")
    assert mail["Subject"] == "60 đơn vị chưa nộp, đã quá hạn: Báo cáo kết quả hằng năm, năm 2025"
    text = text_of(sink, "secretariat.duk@example.org")
    assert all(f"{name}: Quá hạn 3 ngày làm việc" in text for name in names)
    assert "/s/" not in text


def test_what_was_handed_in_meanwhile_is_not_asked_for(opened: Database) -> None:
    hand_in(opened, "stc", OPENED)
    with running() as sink:
        delivered = send(opened, sink.url)
    assert (delivered.dropped, delivered.sent) == (1, 5)  # of stc the receipt alone is left
    (mail,) = sink.to(STC)
    assert mail["Subject"].startswith("Giấy báo nhận")
    assert [each.dropped for each in rows(opened, Notice) if each.dropped] == ["moot.submitted"]


def test_a_temporary_refusal_is_tried_again_later_with_the_same_message_id(opened: Database) -> None:
    with running() as sink:
        sink.to_rcpt[STC] = ["451 4.7.1 Greylisted"]
        assert send(opened, sink.url) == Delivered(messages=5, sent=4, retried=1)
        assert send(opened, sink.url, OPENED + timedelta(minutes=4)) == Delivered()
        assert send(opened, sink.url, OPENED + timedelta(minutes=5)) == Delivered(sent=1)
    message = message_to(opened, STC)
    assert attempts_of(opened, message) == [(Outcome.RETRY, "451"), (Outcome.SENT, "250")]
    assert [mail["Message-ID"] for mail in sink.to(STC)] == [f"<{message.reference}@example.org>"]


def test_a_full_mailbox_waits_longer(opened: Database) -> None:
    with running() as sink:
        sink.to_rcpt[STC] = ["452 4.2.2 Mailbox full"]
        assert send(opened, sink.url).retried == 1
        assert message_to(opened, STC).state == MessageState.DEFERRED
        assert send(opened, sink.url, OPENED + timedelta(hours=5)) == Delivered()
        assert send(opened, sink.url, OPENED + timedelta(hours=6)) == Delivered(sent=1)


def test_an_address_that_is_refused_for_good_is_not_written_to_again(opened: Database) -> None:
    with running() as sink:
        sink.to_rcpt[STC] = ["550 5.1.1 User unknown"]
        assert send(opened, sink.url) == Delivered(messages=5, sent=4, refused=1)
        assert message_to(opened, STC).state == MessageState.REFUSED
        with opened.reading() as session:
            contact = session.exec(select(Contact).where(col(Contact.email) == STC)).one()
            assert contact.is_bouncing
        step_round(opened, at("2025-09-16"))
        # Four contacts are reminded, and the secretariat above hears of the dead address.
        assert send(opened, sink.url, at("2025-09-16")) == Delivered(messages=5, sent=5)


def test_a_refusal_by_policy_leaves_the_address_alive(opened: Database) -> None:
    with running() as sink:
        sink.to_rcpt[STC] = ["554 5.7.1 Relay access denied"]
        assert send(opened, sink.url).retried == 1
    assert not any(contact.is_bouncing for contact in rows(opened, Contact))


def test_a_content_that_is_refused_is_refused_for_good(opened: Database) -> None:
    with running() as sink:
        sink.to_content = ["554 5.6.0 Message rejected"]
        assert send(opened, sink.url) == Delivered(messages=5, sent=4, refused=1)
        assert send(opened, sink.url, OPENED + timedelta(days=7)) == Delivered()


def test_no_answer_after_the_content_is_unknown_and_never_sent_again(opened: Database) -> None:
    with running() as sink:
        sink.to_content = [None]
        assert send(opened, sink.url) == Delivered(messages=5, sent=4, unknown=1)
        assert send(opened, sink.url, OPENED + timedelta(days=7)) == Delivered()
        assert len(sink.mails) == len({mail["Message-ID"] for mail in sink.mails}) == 5
    (message,) = (each for each in rows(opened, Message) if each.state == MessageState.UNKNOWN)
    assert attempts_of(opened, message) == [(Outcome.AMBIGUOUS, "lost")]


def test_a_server_that_is_down_is_tried_again_when_it_is_up(opened: Database) -> None:
    port = free_port()
    assert send(opened, f"smtp://127.0.0.1:{port}") == Delivered(messages=5, retried=5)
    with running(port) as sink:
        assert send(opened, sink.url, OPENED + timedelta(minutes=5)) == Delivered(sent=5)
        assert len(sink.mails) == 5


def test_a_message_that_waited_in_vain_is_given_up_after_some_days(opened: Database) -> None:
    nobody, now = f"smtp://127.0.0.1:{free_port()}", OPENED
    for _ in range(MOST_TRIES - 1):
        assert send(opened, nobody, now).refused == 0
        now = max(message.try_after for message in rows(opened, Message))
    assert timedelta(days=4) < now - OPENED < timedelta(days=5)
    assert send(opened, nobody, now).refused == 5


def test_a_message_whose_reason_went_while_the_server_was_down_is_not_sent(opened: Database) -> None:
    port = free_port()
    send(opened, f"smtp://127.0.0.1:{port}")
    hand_in(opened, "stc", OPENED)
    with running(port) as sink:
        later = OPENED + timedelta(minutes=5)
        assert send(opened, sink.url, later) == Delivered(messages=1, sent=5, dropped=1)
    assert [mail["Subject"].partition(" ")[0] for mail in sink.to(STC)] == ["Giấy"]
    assert message_to(opened, STC).state == MessageState.DROPPED


def test_what_waited_over_midnight_is_worded_and_paced_anew(database: Database) -> None:
    province(database, on="2025-08-01")
    day = at("2025-09-04", "17:00")
    step_round(database, day)
    assert night(day, database, f"smtp://127.0.0.1:{free_port()}") == Delivered(messages=5, retried=5)
    waited = {each.reference for each in rows(database, Message)}
    with running() as sink:
        assert night(at("2025-09-05", "07:30"), database, sink.url) == Delivered(held=5)
        assert {each.state for each in rows(database, Message)} == {MessageState.DROPPED}
        assert night(at("2025-09-05", "08:00"), database, sink.url) == Delivered(messages=5, sent=5)
    told = [each for each in rows(database, Message) if each.state == MessageState.SENT]
    assert ({each.reference for each in told}, {each.tries for each in told}) == (waited, {2})
    assert {each.message_id for each in rows(database, Notice)} == {each.id for each in told}


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")  # it is 127.0.0.1
def test_a_wrong_password_keeps_every_message_waiting(opened: Database) -> None:
    options = {"authenticator": signed_in_as("dondoc", "right"), "auth_required": True, "auth_require_tls": False}
    with running(**options) as sink:
        wrong, right = (f"smtp://dondoc:{word}@127.0.0.1:{sink.port}" for word in ("wrong", "right"))
        assert send(opened, wrong) == Delivered(messages=5, retried=5)
        assert {(each.state, each.tries) for each in rows(opened, Message)} == {(MessageState.QUEUED, 0)}
        assert {(each.outcome, each.code) for each in rows(opened, Attempt)} == {(Outcome.CONFIG, "535")}
        assert send(opened, right, OPENED + timedelta(minutes=15)) == Delivered(sent=5)


def test_a_nul_in_what_a_server_says_is_dropped(opened: Database) -> None:
    """PostgreSQL keeps none."""
    with running() as sink:
        sink.to_rcpt[STC] = ["451 4.7.1 come\x00back"]
        assert send(opened, sink.url) == Delivered(messages=5, sent=4, retried=1)
    (said,) = [each.answer for each in rows(opened, Attempt) if each.code == "451"]
    assert said == "4.7.1 come back"


def test_a_crash_before_the_content_costs_no_more_than_the_lease(opened: Database) -> None:
    queued(opened)
    assert len(claimed(opened)) == 5  # and here the sender died
    with running() as sink:
        assert send(opened, sink.url, OPENED + LEASE - timedelta(seconds=1)) == Delivered()
        assert send(opened, sink.url, OPENED + LEASE) == Delivered(sent=5)


def test_a_crash_after_the_content_began_leaves_the_message_unknown(opened: Database) -> None:
    queued(opened)
    letters = claimed(opened)
    Tries(opened, office_at()).before_content(letters[:1])  # and here the sender died
    with running() as sink:
        assert send(opened, sink.url, OPENED + LEASE) == Delivered(sent=4, unknown=1)
        assert [each.reference for each in letters[:1]] == [
            each.reference for each in rows(opened, Message) if each.state == MessageState.UNKNOWN
        ]
        assert recover(opened, office_at(OPENED + 2 * LEASE)) == 0


def test_two_senders_never_share_a_message(opened: Database) -> None:
    queued(opened)
    queued(opened)
    assert len(rows(opened, Message)) == 5
    slow = claimed(opened)
    assert claimed(opened) == []
    quick = claimed(opened, OPENED + LEASE)  # the slow one lost its lease
    assert Tries(opened, office_at()).before_content(slow) == set()
    assert len(Tries(opened, office_at(OPENED + LEASE)).before_content(quick)) == 5


def test_what_a_return_and_an_extension_decide_is_told_to_the_unit(opened: Database) -> None:
    with running() as sink:
        send(opened, sink.url)
        hand_in(opened, "stc", at("2025-09-10"))
        send(opened, sink.url, at("2025-09-10"))
        with opened.writing() as session:
            task = task_of(session, "stc", "2025")
            review.send_back(
                session, task.id, by="office", reason="Thiếu biểu số 2.", due_on=None, now=at("2025-09-11"), zone=ZONE
            )
            other = task_of(session, "stt", "2025")
            day = at("2025-10-15").date()
            reason = "Đang thanh tra đột xuất"
            extend.extend(
                session,
                other.id,
                by="office",
                due_on=day,
                reason=reason,
                document="12-CV/ĐUK",
                now=at("2025-09-11"),
                zone=ZONE,
            )
        sink.mails.clear()
        assert send(opened, sink.url, at("2025-09-11")) == Delivered(messages=2, sent=2)
    assert text_of(sink, STC).index("> Thiếu biểu số 2.") < text_of(sink, STC).index(
        "Hạn nộp lại: hết ngày thứ Ba 30/09"
    )
    extended = text_of(sink, "contact.stt@example.org")
    assert "Hạn mới: hết ngày thứ Tư 15/10/2025 (GMT+7)" in extended
    assert "Lý do: Đang thanh tra đột xuất\nVăn bản: 12-CV/ĐUK." in extended


def text_of(sink: Sink, address: str) -> str:
    (mail,) = sink.to(address)
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def many(database: Database, on: str) -> None:
    """Sixty units that owe; the first day of their report is here, and nobody was told yet."""
    units = {code: UNITS[code] for code in ("tinh-uy", "duk")}
    units |= {f"cq-{n}": (f"Chi bộ Cơ quan số {n:02}", "chi-bo-co-so", "duk", "contact") for n in range(60)}
    province(database, YEARLY.replace("{end_of: Q3}", "{end_of: M1}"), on="2021-12-01", units=units)
    step_round(database, at(on))


def test_several_workers_share_the_messages_and_nobody_gets_two(database: Database) -> None:
    many(database, FIRST_DAY.isoformat())
    counts = Counter[str]()
    with running() as sink, crew() as workers:
        for name in range(3):
            workers.start(Job("messages", database.url, name, 0, 0, smtp=sink.url))
        ended = set[int]()
        for what, name, number in workers.lines():
            counts[what] += number
            ended |= {name} if what == "ended" else set()
            if len(ended) == 3:
                break
        arrived = Counter(mail["To"].addresses[0].addr_spec for mail in sink.mails)
    assert (counts["made"], counts["given"], counts["done"]) == (60, 60, 60)
    assert (len(arrived), set(arrived.values())) == (60, {1})
    assert {each.state for each in rows(database, Message)} == {MessageState.SENT}
    assert len(rows(database, Attempt)) == 60


def test_workers_that_claim_in_turns_get_different_messages(opened: Database) -> None:
    queued(opened)
    waves = [{letter.message_id for letter in claimed(opened, wave=2)} for _ in range(4)]
    assert [len(each) for each in waves] == [2, 2, 1, 0]
    assert len(set.union(*waves)) == 5

"""Is Zalo believed only when it signed, is everything taken in once, and does a chat become a contact's own?"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import delete, event, text
from sqlmodel import col, select

from engine import link_contact
from engine.errors import RefusedError
from models.address import Address, AddressState, WebhookEvent
from models.arrival import settle
from models.contact import Contact
from models.entry import Entry
from models.message import Message, MessageState
from models.notice import Notice
from models.unit import Unit
from models.zalo import ZaloAccount
from samples.fake_zalo import events
from samples.fake_zalo.state import ACCESS_LIFE, App, Sent, Way
from tests.builders import at
from tests.desk import Desk, sqlite_desk
from tests.zalo import ALIAS, APP, CHAT, FOLLOWER, Zalo, running, secrets_in
from web.app import create_app
from web.protection import SIGNED

NOW = at("2021-12-20", "09:00")
HOOK, BOT_HOOK = f"/hooks/zalo/{ALIAS}", "/hooks/zalobot"


@pytest.fixture
def zalo() -> Iterator[Zalo]:
    with running(NOW) as zalo:
        yield zalo


@pytest.fixture
def desk(sqlite_template: Path, tmp_path: Path, zalo: Zalo) -> Iterator[Desk]:
    with sqlite_desk(sqlite_template, tmp_path) as desk:
        changes = {"secrets": secrets_in(tmp_path / "secrets"), "zalo_url": zalo.url}
        settings = desk.settings.model_copy(update=changes)
        row: dict[str, Any] = {
            "alias": ALIAS,
            "app_id": APP.app_id,
            "oa_id": APP.oa_id,
            "access_token": "",
            "refresh_token": "",
        }
        with desk.database.writing() as session:
            session.add(ZaloAccount(**row, expires_at=NOW + ACCESS_LIFE, refreshed_at=NOW))
        yield Desk(desk.database, settings, create_app(desk.database, settings))


def tell(desk: Desk, event: dict[str, Any], app: App = APP, **given: Any) -> httpx.Response:
    body, headers = events.signed(app, event, given.pop("at", NOW), **given)
    return desk.ask("POST", HOOK, headers, is_old=True, content=body)


def tell_bot(
    desk: Desk, text: str, once: str, chat: str = CHAT, secret: str = "bot-webhook-secret", **given: Any
) -> int:
    body = events.to_bot(chat, text, once, NOW, **given)
    return desk.ask("POST", BOT_HOOK, {"x-bot-api-secret-token": secret}, is_old=True, content=body).status_code


def sent_message(desk: Desk, channel: Way = "zalooa", **changes: Any) -> Sent:
    """A message that went out by Zalo, and how Zalo has it."""
    given: dict[str, Any] = {
        "state": MessageState.SENT,
        "provider_id": "ab12",
        "sent_at": NOW,
        "sending_at": NOW,
        "tries": 1,
    } | changes
    message = Message(
        contact_id=1, channel=channel, account=ALIAS, address=FOLLOWER, reference="m-1", subject="", text="", html="",
        created_at=NOW, try_after=NOW, **given,
    )  # fmt: skip
    with desk.database.writing() as session:
        session.add(message)
    return Sent(NOW, channel, FOLLOWER, "", "ab12", "m-1" if channel == "zalozns" else "")


def the_message(desk: Desk) -> Message:
    messages: list[Message] = desk.all_of(Message)
    return next(each for each in messages if each.reference == "m-1")


def events_of(desk: Desk) -> list[WebhookEvent]:
    with desk.database.reading() as session:
        return list(session.exec(select(WebhookEvent)))


def code_for(desk: Desk, contact_id: int = 1, now: datetime = NOW) -> str:
    with desk.database.writing() as session:
        return link_contact.new_code(session, contact_id, key=desk.key, now=now)


def ways(desk: Desk) -> list[tuple[int, str, str, str]]:
    return [(each.contact_id, each.channel, each.address, each.state) for each in desk.all_of(Address)]


def test_what_arrived_and_was_seen_stands_with_the_message(desk: Desk) -> None:
    sent, later = sent_message(desk), NOW + timedelta(minutes=5)
    assert tell(desk, events.received(APP, sent, NOW)).status_code == 200
    assert (the_message(desk).state, the_message(desk).arrived_at) == (MessageState.DELIVERED, NOW)
    assert tell(desk, events.seen(APP, sent), at=later).status_code == 200
    assert (the_message(desk).state, the_message(desk).read_at) == (MessageState.READ, later)


def test_twice_and_out_of_order_make_no_difference(desk: Desk) -> None:
    sent, later = sent_message(desk), NOW + timedelta(minutes=5)
    for _ in range(2):
        tell(desk, events.seen(APP, sent), at=later)
        tell(desk, events.received(APP, sent, NOW), retry=1)
    message = the_message(desk)
    assert (message.state, message.read_at) == (MessageState.READ, later)
    assert len(events_of(desk)) == 2


def test_what_comes_before_the_message_is_written_as_sent_is_looked_at_again(desk: Desk) -> None:
    sent = sent_message(desk, state=MessageState.QUEUED, provider_id=None, sent_at=None, lease_until=NOW)
    tell(desk, events.received(APP, sent, NOW))
    assert the_message(desk).state == MessageState.QUEUED
    assert [each.is_open for each in events_of(desk)] == [True]
    with desk.database.writing() as session:
        message = session.get_one(Message, the_message(desk).id)
        message.state, message.provider_id, message.lease_until = MessageState.SENT, "ab12", None
        session.add(message)
    tell(desk, events.seen(APP, Sent(NOW, "zalooa", FOLLOWER, "", "other")))
    assert the_message(desk).state == MessageState.DELIVERED


def test_a_template_message_whose_answer_was_lost_is_found_by_our_own_id(desk: Desk) -> None:
    sent = sent_message(desk, "zalozns", state=MessageState.UNKNOWN, provider_id=None, sent_at=None)
    tell(desk, events.received(APP, sent, NOW))
    message = the_message(desk)
    assert (message.state, message.provider_id, message.sent_at) == (MessageState.DELIVERED, "ab12", NOW)


@pytest.mark.parametrize(
    "app",
    [
        App(APP.app_id, APP.secret, APP.oa_id, "another key"),
        App("another app", APP.secret, APP.oa_id, APP.webhook_key),
        App(APP.app_id, APP.secret, APP.oa_id, ""),
    ],
)
def test_a_wrong_signature_changes_nothing(desk: Desk, app: App) -> None:
    sent = sent_message(desk)
    assert tell(desk, events.received(APP, sent, NOW), app).status_code == 403
    assert the_message(desk).state == MessageState.SENT
    assert events_of(desk) == []


def test_a_body_that_was_written_anew_is_not_the_one_that_was_signed(desk: Desk) -> None:
    body, headers = events.signed(APP, events.wrote(APP, FOLLOWER, "Đã nhận", "x"), NOW)
    assert desk.ask("POST", HOOK, headers, is_old=True, content=body.replace(b",", b", ")).status_code == 403


@pytest.mark.parametrize("header_at", [None, NOW + timedelta(seconds=3)])
@pytest.mark.parametrize("key", [APP.webhook_key, APP.secret])
def test_the_signatures_that_were_seen_in_the_wild_are_believed(
    desk: Desk, header_at: datetime | None, key: str
) -> None:
    sent = sent_message(desk)
    app = App(APP.app_id, APP.secret, APP.oa_id, key)
    assert tell(desk, events.received(APP, sent, NOW), app, header_at=header_at).status_code == 200
    assert the_message(desk).state == MessageState.DELIVERED


def test_the_console_may_ask_whether_anybody_is_here(desk: Desk) -> None:
    assert desk.ask("POST", HOOK, is_old=True, content=b"{}").status_code == 200
    assert desk.ask("POST", f"{SIGNED}zalo/nobody", is_old=True, content=b"{}").status_code == 404


def test_what_is_no_event_is_refused(desk: Desk) -> None:
    assert desk.ask("POST", HOOK, is_old=True, content=b"[]").status_code == 400
    assert desk.ask("POST", HOOK, is_old=True, content=b"\xff").status_code == 400
    assert desk.ask("POST", HOOK, is_old=True, content=b"x" * 70_000).status_code == 413
    assert tell_bot(desk, "x", "1", secret="wrong") == 403


def test_a_code_makes_the_chat_the_contacts_own_and_says_so(desk: Desk, zalo: Zalo) -> None:
    code = code_for(desk)
    assert tell_bot(desk, f"liên kết {code[:4]} {code[4:]}", "1") == 200
    (address,) = desk.all_of(Address)
    assert ways(desk) == [(1, "zalobot", CHAT, AddressState.WORKING)]
    assert (address.consent_at, address.consent_source, address.heard_at) == (NOW, "code", NOW)
    assert [each.text[:12] for each in zalo.state.to(CHAT)] == ["Đã liên kết."]
    assert desk.all_of(Entry)[-1].act == "contact_linked"


def test_a_code_works_once_from_one_chat_for_a_quarter_of_an_hour(desk: Desk, zalo: Zalo) -> None:
    late = code_for(desk, now=NOW - timedelta(minutes=15))
    tell_bot(desk, late, "1")
    code = code_for(desk)
    for once in ("2", "2", "3"):
        tell_bot(desk, code, once, is_bare=True)
    assert ways(desk) == [(1, "zalobot", CHAT, AddressState.WORKING)]
    assert [each.text[:11] for each in zalo.state.to(CHAT)] == ["Mã không đú", "Đã liên kết", "Mã không đú"]


def test_a_second_code_ends_the_first(desk: Desk) -> None:
    first, second = code_for(desk), code_for(desk)
    tell_bot(desk, first, "1")
    assert ways(desk) == []
    tell_bot(desk, second, "2")
    assert len(ways(desk)) == 1


def test_whoever_guesses_is_soon_not_heard(desk: Desk, zalo: Zalo) -> None:
    for number in range(7):
        tell_bot(desk, f"{number:08}", f"guess-{number}")
    tell_bot(desk, code_for(desk), "right")
    assert ways(desk) == []
    assert len(zalo.state.to(CHAT)) == link_contact.MOST_WRONG
    tell_bot(desk, code_for(desk), "other", chat="chat-2")
    assert [each[2] for each in ways(desk)] == ["chat-2"]


def test_codes_are_not_kept_as_they_are(desk: Desk) -> None:
    code = code_for(desk)
    assert code not in str(desk.rows())


def test_the_chat_and_the_office_may_both_end_it(desk: Desk) -> None:
    tell_bot(desk, code_for(desk), "1")
    tell_bot(desk, "Hủy", "2")
    assert [each[3] for each in ways(desk)] == [AddressState.ENDED]
    tell_bot(desk, code_for(desk), "3")
    assert [each[3] for each in ways(desk)] == [AddressState.WORKING]
    with desk.database.writing() as session:
        for _ in range(2):
            link_contact.unlink(session, desk.all_of(Address)[0].id, by="user:1", now=NOW)
        with pytest.raises(RefusedError):
            link_contact.unlink(session, 99, by="user:1", now=NOW)
    assert [each.act for each in desk.all_of(Entry)][-4:] == ["contact_linked", "contact_unlinked"] * 2


def test_another_chat_takes_the_place_of_the_one_before(desk: Desk) -> None:
    tell_bot(desk, code_for(desk), "1")
    tell_bot(desk, code_for(desk), "2", chat="chat-2")
    assert [(each[2], each[3]) for each in ways(desk)] == [
        (CHAT, AddressState.ENDED), ("chat-2", AddressState.WORKING)
    ]  # fmt: skip


def test_an_oa_links_and_leaving_it_ends_that(desk: Desk) -> None:
    tell(desk, events.wrote(APP, FOLLOWER, f"LIENKET {code_for(desk)}", "1"))
    assert ways(desk) == [(1, "zalooa", FOLLOWER, AddressState.WORKING)]
    later = NOW + timedelta(days=1)
    desk.move_clock("2021-12-21")
    tell(desk, events.follows(APP, FOLLOWER), at=later)
    assert desk.all_of(Address)[0].heard_at == later
    tell(desk, events.follows(APP, FOLLOWER, no_more=True), at=later)
    assert ways(desk) == [(1, "zalooa", FOLLOWER, AddressState.ENDED)]


def test_that_somebody_left_ends_no_link_made_after_it_however_often_it_is_told(desk: Desk) -> None:
    left = events.follows(APP, FOLLOWER, no_more=True)
    tell(desk, events.wrote(APP, FOLLOWER, f"LIENKET {code_for(desk)}", "1"))
    tell(desk, left)
    assert ways(desk) == [(1, "zalooa", FOLLOWER, AddressState.ENDED)]
    tell(desk, events.wrote(APP, FOLLOWER, f"LIENKET {code_for(desk)}", "2"))
    tell(desk, left, retry=1)  # of the same moment as the link: known by its own
    tell(desk, left, at=NOW - timedelta(minutes=1))  # told for the first time, and too late
    assert ways(desk) == [(1, "zalooa", FOLLOWER, AddressState.WORKING)]
    tell(desk, left, at=NOW + timedelta(minutes=1))
    assert ways(desk) == [(1, "zalooa", FOLLOWER, AddressState.ENDED)]


def test_that_somebody_follows_is_a_sign_of_life_once(desk: Desk) -> None:
    tell(desk, events.wrote(APP, FOLLOWER, f"LIENKET {code_for(desk)}", "1"))
    for day in ("2021-12-21", "2021-12-22"):
        desk.move_clock(day)
        tell(desk, events.follows(APP, FOLLOWER), at=NOW + timedelta(hours=1))
    assert desk.all_of(Address)[0].heard_at == at("2021-12-21", "09:00")


@pytest.mark.parametrize(
    ("was", "event", "becomes"),
    [
        (AddressState.BOUNCING, events.follows(APP, FOLLOWER), AddressState.WORKING),
        (AddressState.BOUNCING, events.wrote(APP, FOLLOWER, "Chào văn phòng", "2"), AddressState.WORKING),
        (AddressState.BOUNCING, events.wrote(APP, FOLLOWER, "HUY", "2"), AddressState.ENDED),
        (AddressState.ENDED, events.follows(APP, FOLLOWER), AddressState.ENDED),
        (AddressState.ENDED, events.wrote(APP, FOLLOWER, "Chào văn phòng", "2"), AddressState.ENDED),
    ],
)
def test_whoever_was_refused_and_comes_back_is_told_there_again_and_who_has_ended_it_is_not(
    desk: Desk, was: AddressState, event: dict[str, Any], becomes: AddressState
) -> None:
    tell(desk, events.wrote(APP, FOLLOWER, f"LIENKET {code_for(desk)}", "1"))
    with desk.database.writing() as session:
        way = session.exec(select(Address)).one()
        way.state, agreed = was, (way.consent_at, way.consent_source)
        session.add(way)
    desk.move_clock("2021-12-21")
    tell(desk, event, at=NOW + timedelta(hours=1))
    (way,) = desk.all_of(Address)
    assert way.state == becomes
    assert (way.consent_at, way.consent_source) == agreed


def test_who_could_be_told_nothing_but_there_is_told_what_is_owed_once_they_are_back(desk: Desk) -> None:
    with desk.database.reading() as session:
        mine = select(Contact.id).join(Unit, col(Unit.id) == col(Contact.unit_id)).where(col(Unit.code) == "stc")
        me = session.exec(mine.where(col(Contact.role) == "contact")).one()
    tell(desk, events.wrote(APP, FOLLOWER, f"LIENKET {code_for(desk, me)}", "1"))
    with desk.database.writing() as session:
        session.exec(select(Address)).one().state = AddressState.BOUNCING
        session.get_one(Contact, me).email = None
        session.execute(delete(Notice).where(col(Notice.contact_id) == me))
    for _ in range(2):
        tell(desk, events.follows(APP, FOLLOWER), at=NOW + timedelta(hours=1))
    cause = next(f"entry:{each.id}" for each in reversed(desk.all_of(Entry)) if each.act == "contact_linked")
    assert [each.cause for each in desk.all_of(Notice) if each.contact_id == me] == [cause]


def test_what_is_still_open_is_found_without_reading_every_event(desk: Desk) -> None:
    asked = list[str]()

    def keep(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    event.listen(desk.database.engine, "before_cursor_execute", keep)
    with desk.database.writing() as session:
        settle(session, NOW)
        (query,) = [each for each in asked if "FROM webhook_event" in each]
        plan = session.execute(text(f"EXPLAIN QUERY PLAN {query}")).all()
    assert [row.detail for row in plan] == ["SCAN webhook_event USING INDEX ix_webhook_event_open"]


def test_a_contact_that_has_left_gets_no_code(desk: Desk) -> None:
    code = code_for(desk)
    with desk.database.writing() as session:
        session.get_one(Contact, 1).is_active = False
    tell_bot(desk, code, "1")
    assert ways(desk) == []
    with pytest.raises(RefusedError):
        code_for(desk)

"""Are the ways of a contact kept with the consent to each, and does what waits follow them?"""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, col, select

from dondoc.cli import main
from dondoc.keys import Secrets
from engine import link_contact, ways
from engine.errors import RefusedError
from engine.ways import Agreed
from models.address import Address, AddressState
from models.contact import Contact, Role, holding
from models.entry import Entry
from models.message import Message, MessageState, on_record
from models.roster import Reach
from models.user import UserRole
from models.zalo import ZaloAccount
from tests.builders import ZONE, at, task_of
from tests.desk import Desk, day, sqlite_desk

NOW = at("2021-12-20", "09:00")
TYPED = {"channel": "zalozns", "account": "duk", "address": "0912 345.678", "source": "paper", "on": "15/12/2021"}


@pytest.fixture
def desk(sqlite_template: Path, tmp_path: Path) -> Iterator[Desk]:
    with sqlite_desk(sqlite_template, tmp_path / "data") as desk:
        (tmp_path / "secrets").mkdir()
        (tmp_path / "secrets" / "apprise-telegram").write_text("json://127.0.0.1:9/\n")
        desk.settings.secrets = tmp_path / "secrets"
        row: dict[str, Any] = {"app_id": "a", "oa_id": "o", "access_token": "", "refresh_token": ""}
        with desk.database.writing() as session:
            session.add(ZaloAccount(alias="duk", **row, expires_at=NOW, refreshed_at=NOW))
        yield desk


def contact_of(session: Session, unit: str = "stc") -> Contact:
    unit_id = task_of(session, unit, "2021").unit_id
    return session.exec(select(Contact).where(col(Contact.unit_id) == unit_id, col(Contact.role) == "contact")).one()


def path_of(desk: Desk, unit: str = "stc") -> str:
    with desk.database.reading() as session:
        return f"/contacts/{contact_of(session, unit).id}/ways"


def chat(session: Session, contact: Contact, place: int = 1) -> Address:
    way = Address(contact_id=contact.id, channel="zalobot", address="chat-1", consent_at=NOW, consent_source="code",
                  place=place)  # fmt: skip
    session.add(way)
    session.flush()
    return way


def test_a_number_is_kept_with_the_day_and_the_manner_of_the_consent(desk: Desk) -> None:
    path, browser = path_of(desk), desk.seen_by(UserRole.SECRETARIAT, "duk")
    assert browser.post(path, TYPED).headers["location"] == path
    (way,) = desk.all_of(Address)
    assert (way.channel, way.account, way.address, way.state) == ("zalozns", "duk", "84912345678", "working")
    assert (way.consent_source, way.consent_at) == ("paper", at("2021-12-15", "00:00"))
    shown = browser.get(path).text
    assert "Đồng ý ngày 15/12/2021, bằng văn bản" in shown
    entry = desk.all_of(Entry)[-1]
    assert (entry.act, entry.data["channel"], entry.data["on"]) == ("way_added", "zalozns", "2021-12-15")
    assert "84912345678" not in str(entry.data)
    looking = desk.seen_by(UserRole.VIEWER, "duk").get(path).text
    assert "84912345678" not in looking


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"address": "12345"}, "cần số điện thoại di động"),
        ({"account": "other"}, "không có tài khoản Zalo other"),
        ({"on": "21/12/2021"}, "còn ở phía trước"),
        ({"on": ""}, "ngày"),
        ({"source": "code"}, "cần biết đồng ý bằng cách nào"),
        ({"channel": "zalobot"}, "phải do chính họ liên kết bằng mã"),
        ({"channel": "apprise", "address": "sms"}, "không có tệp apprise-sms"),
    ],
)
def test_what_cannot_be_is_refused_and_stays_typed(desk: Desk, changes: dict[str, str], said: str) -> None:
    answer = desk.post(path_of(desk), TYPED | changes)
    assert answer.status_code == 422
    assert said[1:] in answer.text  # a sentence begins with a capital
    assert f'value="{(TYPED | changes)["address"]}"' in answer.text
    assert desk.all_of(Address) == []


def test_the_order_is_the_offices_to_set_and_an_ended_way_may_come_back(desk: Desk) -> None:
    path = path_of(desk)
    with desk.database.writing() as session:
        first = chat(session, contact_of(session)).id
    desk.post(path, {"channel": "apprise", "address": "telegram", "source": "office", "on": "20/12/2021"})
    second = desk.all_of(Address)[1].id
    assert desk.post(f"{path}/{second}/first").status_code == 303
    assert [each.place for each in desk.all_of(Address)] == [2, 1]
    assert desk.post(f"{path}/{first}/end").status_code == 303
    assert [each.state for each in desk.all_of(Address)] == [AddressState.ENDED, AddressState.WORKING]
    elsewhere = path_of(desk, "snv")
    assert desk.post(f"{elsewhere}/{second}/end").status_code == 404
    desk.post(f"{path}/{second}/end")
    desk.post(path, {"channel": "apprise", "address": "telegram", "source": "paper", "on": "20/12/2021"})
    again = desk.all_of(Address)[1]
    assert (again.id, again.state, again.consent_source) == (second, AddressState.WORKING, "paper")
    agreed, secrets = Agreed("apprise", "", "telegram", "paper", day("2021-12-20")), Secrets(desk.settings.secrets)
    with desk.database.writing() as session, pytest.raises(RefusedError, match="telegram already"):
        ways.add_way(session, again.contact_id, agreed, secrets=secrets, by="office", now=NOW, zone=ZONE)


def test_only_whoever_keeps_the_unit_may(desk: Desk) -> None:
    path = path_of(desk)
    assert desk.seen_by(UserRole.SECRETARIAT, "snv").get(path).status_code == 404
    assert desk.seen_by(UserRole.VIEWER, "duk").post(path, TYPED).status_code == 403
    assert desk.all_of(Address) == []


def test_whoever_has_no_mail_but_a_chat_can_be_told(desk: Desk) -> None:
    with desk.database.writing() as session:
        contact = contact_of(session)
        contact.email = None
        session.add(contact)
        unit_id, contact_id = contact.unit_id, contact.id
    assert Reach.NO_ADDRESS.value in desk.get("/units.csv?under=duk").text
    with desk.database.writing() as session:
        way = chat(session, contact_of(session))
        assert contact_id in [each.id for each in session.scalars(holding(Role.CONTACT))]
    assert Reach.NO_ADDRESS.value not in desk.get("/units.csv?under=duk").text
    with desk.database.writing() as session:
        session.get_one(Address, way.id).state = AddressState.BOUNCING
        assert contact_id not in [each.id for each in session.scalars(holding(Role.CONTACT))]
    assert f"/contacts/{contact_id}/ways" in desk.get(f"/units/{unit_id}").text


@pytest.mark.parametrize(
    ("has_other", "has_mail", "now_by"),
    [(True, True, ("apprise", "telegram")), (False, True, ("email", "contact.stc@example.org")), (False, False, None)],
)
def test_what_waits_for_an_ended_way_goes_the_next(
    desk: Desk, has_other: bool, has_mail: bool, now_by: tuple[str, str] | None
) -> None:
    with desk.database.writing() as session:
        contact = contact_of(session)
        contact.email = contact.email if has_mail else None
        way = chat(session, contact)
        if has_other:
            other: dict[str, Any] = {"channel": "apprise", "address": "telegram", "consent_source": "paper"}
            session.add(Address(contact_id=contact.id, place=2, consent_at=NOW, **other))
        texts: dict[str, Any] = {"subject": "s", "text": "t", "html": "", "created_at": NOW}
        for reference, state in (("waits", MessageState.DEFERRED), ("gone", MessageState.SENT)):
            session.add(Message(contact_id=contact.id, channel="zalobot", address="chat-1", reference=reference,
                                state=state, try_after=NOW + timedelta(days=1), **texts))  # fmt: skip
        session.flush()
        link_contact.unlink(session, way.id, by="office", now=NOW)
    waits, gone = (next(each for each in desk.all_of(Message) if each.reference == name) for name in ("waits", "gone"))
    assert (gone.channel, gone.address) == ("zalobot", "chat-1")
    assert (waits.channel, waits.address) == (now_by or ("zalobot", "chat-1"))
    assert waits.try_after == (NOW if now_by else NOW + timedelta(days=1))


def test_the_command_line_does_the_same(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DONDOC_DATA", str(desk.settings.data))
    monkeypatch.setenv("DONDOC_DATABASE_URL", desk.database.url)
    monkeypatch.setenv("DONDOC_SECRETS", str(desk.settings.secrets))
    with desk.database.reading() as session:
        contact_id = contact_of(session).id
    given = ["--channel", "zalozns", "--account", "duk", "--consent", "paper", "--on", "2021-12-15"]
    assert main(["contacts", "address", str(contact_id), "0912345678", *given]) == 0
    with desk.database.writing() as session:
        way = chat(session, contact_of(session), place=2)
    assert main(["contacts", "first", str(way.id)]) == 0
    capsys.readouterr()
    assert main(["contacts", "list", "stc"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines if "đồng ý" in line or "bằng" in line] == [str(way.id), "1"]
    assert main(["contacts", "unlink", "1"]) == 0
    assert [each.state for each in desk.all_of(Address)] == [AddressState.ENDED, AddressState.WORKING]
    assert main(["contacts", "list", "nowhere"]) == 1


def test_the_command_line_says_where_nothing_is_sent_any_more(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DONDOC_DATA", str(desk.settings.data))
    monkeypatch.setenv("DONDOC_DATABASE_URL", desk.database.url)

    def told() -> tuple[str, list[str | None]]:
        capsys.readouterr()
        assert main(["contacts", "list", "stc"]) == main(["contacts", "list", "stc", "--json"]) == 0
        words, _, listed = capsys.readouterr().out.partition("[")
        row = next(each for each in json.loads(f"[{listed}") if each["ways"])
        return words, [row["email_state"], *(each["state"] for each in row["ways"])]

    with desk.database.writing() as session:
        chat(session, contact_of(session))
    words, states = told()
    assert states == ["working", "working"]
    assert "(" not in words
    with desk.database.writing() as session:
        contact = contact_of(session)
        contact.is_bouncing = True
        session.exec(select(Address)).one().state = AddressState.BOUNCING
        email = contact.email
    words, states = told()
    assert states == ["bouncing", "bouncing"]
    assert f"{email} (địa chỉ hỏng)" in words
    assert "(bị từ chối)" in words


def sent(session: Session, contact: Contact, reference: str, **given: Any) -> Message:
    texts = {"subject": "s", "text": "t", "html": "", "created_at": NOW, "try_after": NOW, "address": "chat-1"}
    message = Message(**{"contact_id": contact.id, "channel": "zalobot", "reference": reference, **texts, **given})
    session.add(message)
    session.flush()
    return message


def test_a_message_says_which_way_it_went_on_and_when_it_was_seen(desk: Desk) -> None:
    with desk.database.writing() as session:
        contact = contact_of(session)
        refused = sent(session, contact, "first", state=MessageState.REFUSED).id
        seen_at = at("2021-12-20", "08:30")
        mail = {"channel": "email", "address": contact.email, "instead_of": refused, "read_at": seen_at}
        letter = sent(session, contact, "second", state=MessageState.READ, **mail).id
    assert f'Đã chuyển sang</dt><dd><a href="/messages/{letter}"' in desk.get(f"/messages/{refused}").text
    shown = desk.get(f"/messages/{letter}").text
    again = desk.post(f"/messages/{refused}/retry")
    assert (again.status_code, "đã được gửi thay" in again.text) == (422, True)
    assert f"/messages/{refused}/retry" not in again.text
    assert f'Gửi thay</dt><dd><a href="/messages/{refused}"' in shown
    assert "Xem lúc</dt><dd>08:30" in shown
    assert f'href="/messages/{letter}"' not in desk.get("/messages?channel=zalobot").text


def test_a_message_and_the_copy_of_it_are_one_on_the_page(desk: Desk) -> None:
    with desk.database.writing() as session:
        contact = contact_of(session)
        chat = sent(session, contact, "first", state=MessageState.READ)
        mail = {"channel": "email", "address": contact.email, "instead_of": chat.id, "state": MessageState.BOUNCED}
        copy = sent(session, contact, on_record("first"), **mail)
        numbers = (chat.id, copy.id)
    listed = desk.get("/messages").text
    assert f'<a href="/messages/{numbers[0]}">s</a>' in listed
    assert f'<a href="/messages/{numbers[1]}">s</a>' not in listed
    assert f'<a href="/messages/{numbers[1]}">bản lưu qua e-mail: bị trả về</a>' in listed
    assert (
        f'Bản lưu</dt><dd><a href="/messages/{numbers[1]}">e-mail</a>: bị trả về'
        in desk.get(f"/messages/{numbers[0]}").text
    )
    assert (
        f'Bản lưu của</dt><dd><a href="/messages/{numbers[0]}">tin gửi qua Zalo Bot'
        in desk.get(f"/messages/{numbers[1]}").text
    )


@pytest.mark.parametrize(
    ("has_mail", "to"), [(True, ("email", "contact.stc@example.org")), (False, ("zalobot", "chat-1"))]
)
def test_what_a_chat_refused_goes_again_by_mail_or_where_there_is_none_to_the_chat(
    desk: Desk, has_mail: bool, to: tuple[str, str]
) -> None:
    with desk.database.writing() as session:
        contact = contact_of(session)
        contact.email = contact.email if has_mail else None
        chat(session, contact).state = AddressState.BOUNCING
        message = sent(session, contact, "first", state=MessageState.REFUSED).id
    assert to[1] in desk.get(f"/messages/{message}").text
    assert desk.post(f"/messages/{message}/retry").status_code == 303
    again = next(each for each in desk.all_of(Message) if each.id == message)
    assert (again.state, again.channel, again.address) == (MessageState.QUEUED, *to)
    assert [each.state for each in desk.all_of(Address)] == [
        AddressState.BOUNCING if has_mail else AddressState.WORKING
    ]


def test_no_page_of_messages_spells_out_a_telephone_number(desk: Desk) -> None:
    with desk.database.writing() as session:
        zns = {"channel": "zalozns", "address": "84912345678"}
        message = sent(session, contact_of(session), "first", state=MessageState.SENT, **zns).id
    for path in ("/messages", f"/messages/{message}"):
        shown = desk.get(path).text
        assert "Tin mẫu Zalo" in shown
        assert "84912345678" not in shown


def test_a_reminder_for_many_says_by_which_way_each_is_told(desk: Desk) -> None:
    with desk.database.writing() as session:
        chat(session, contact_of(session))
    shown = desk.get(f"/bulk?act=remind&task={desk.task_id('stc')}&task={desk.task_id('snv')}").text
    assert "Zalo Bot" in shown
    assert "contact.stc@example.org" not in shown
    assert "contact.snv@example.org" in shown

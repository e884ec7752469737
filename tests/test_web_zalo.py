"""Does a unit link its own Zalo from its own page, and the secretariat for those whom it keeps?"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlmodel import col, select

from models.address import Address, AddressState
from models.contact import Contact
from models.entry import Entry
from models.link import UnitLink, unit_token
from models.user import UserRole
from models.zalo import ZaloAccount
from samples.fake_zalo import events
from tests.builders import at, task_of
from tests.desk import Desk, sqlite_desk
from tests.zalo import CHAT, Zalo, running, secrets_in
from web.app import create_app

NOW = at("2021-12-20", "09:00")


@pytest.fixture
def zalo() -> Iterator[Zalo]:
    with running(NOW) as zalo:
        yield zalo


@pytest.fixture
def bare(sqlite_template: Path, tmp_path: Path) -> Iterator[Desk]:
    """Without Zalo."""
    with sqlite_desk(sqlite_template, tmp_path) as desk:
        yield desk


@pytest.fixture
def desk(bare: Desk, zalo: Zalo, tmp_path: Path) -> Desk:
    changes = {"secrets": secrets_in(tmp_path / "secrets"), "zalo_url": zalo.url}
    settings = bare.settings.model_copy(update=changes)
    return Desk(bare.database, settings, create_app(bare.database, settings))


def contact_of(desk: Desk, unit: str = "stc") -> Contact:
    with desk.database.reading() as session:
        unit_id = task_of(session, unit, "2021").unit_id
        own = select(Contact).where(col(Contact.unit_id) == unit_id, col(Contact.role) == "contact")
        return session.exec(own).one()


def own_page(desk: Desk) -> str:
    with desk.database.writing() as session:
        link = UnitLink(contact_id=contact_of(desk).id)
        session.add(link)
        session.flush()
        return f"/u/{unit_token(desk.key, link)}"


def send_code(desk: Desk, shown: httpx.Response) -> None:
    found = re.search(r"LIENKET [0-9]{4} [0-9]{4}", shown.text)
    assert found
    body = events.to_bot(CHAT, found[0], found[0], NOW)
    desk.ask("POST", "/hooks/zalobot", {"x-bot-api-secret-token": "bot-webhook-secret"}, is_old=True, content=body)


def test_a_unit_links_its_chat_and_ends_that_again(desk: Desk) -> None:
    path = own_page(desk)
    assert f'action="{path}/zalo/code"' in desk.get(path).text
    send_code(desk, desk.post(f"{path}/zalo/code"))
    assert [(each.contact_id, each.address) for each in desk.all_of(Address)] == [(contact_of(desk).id, CHAT)]
    shown = desk.get(path).text
    assert "Zalo Bot, từ" in shown
    assert desk.post(f"{path}/zalo/end").headers["location"] == path
    assert [each.state for each in desk.all_of(Address)] == [AddressState.ENDED]
    assert desk.all_of(Entry)[-1].by == f"contact:{contact_of(desk).id}"


def test_the_secretariat_does_so_for_whom_it_keeps_and_for_no_other(desk: Desk) -> None:
    contact, browser = contact_of(desk), desk.seen_by(UserRole.SECRETARIAT, "duk")
    path = f"/units/{contact.unit_id}/contacts/{contact.id}/zalo"
    assert f'action="{path}"' in browser.get(f"/units/{contact.unit_id}").text
    send_code(desk, browser.post(path))
    assert "Zalo Bot, từ" in browser.get(f"/units/{contact.unit_id}").text
    assert browser.post(f"{path}/end").status_code == 303
    assert [each.state for each in desk.all_of(Address)] == [AddressState.ENDED]
    assert desk.seen_by(UserRole.SECRETARIAT, "snv").post(path).status_code == 404
    assert desk.seen_by(UserRole.VIEWER, "duk").post(path).status_code == 403
    elsewhere = path.replace(f"/contacts/{contact.id}/", f"/contacts/{contact_of(desk, 'snv').id}/")
    assert browser.post(elsewhere).status_code == 404


def test_somebody_writes_to_the_bot_from_the_page_of_the_fake(desk: Desk, zalo: Zalo) -> None:
    shown = desk.post(f"{own_page(desk)}/zalo/code")
    found = re.search(r"LIENKET [0-9]{4} [0-9]{4}", shown.text)
    assert found
    assert "write" not in httpx.get(zalo.url).text
    with desk.served() as url:
        zalo.state.hook, zalo.state.hook_secret = f"{url}/hooks/zalobot", "bot-webhook-secret"
        assert 'action="write"' in httpx.get(zalo.url).text
        given = {"way": "zalobot", "who": CHAT, "text": found[0]}
        assert httpx.post(f"{zalo.url}/write", data=given).status_code == 303
        assert "Đã liên kết." in httpx.get(zalo.url).text  # the answer was waited for
        zalo.state.hook_secret = "wrong"
        assert httpx.post(f"{zalo.url}/write", data=given).status_code == 502
    assert [each.address for each in desk.all_of(Address)] == [CHAT]
    assert [each.text[:12] for each in zalo.state.to(CHAT)] == ["Đã liên kết."]


def test_an_account_that_cannot_send_is_told_on_every_page(desk: Desk) -> None:
    row: dict[str, Any] = {"app_id": "a", "oa_id": "o", "access_token": "", "refresh_token": ""}
    account = ZaloAccount(alias="duk", **row, expires_at=NOW, refreshed_at=NOW)
    with desk.database.writing() as session:
        session.add(account)
    assert "Zalo duk không gửi được." not in desk.get("/").text
    with desk.database.writing() as session:
        session.get_one(ZaloAccount, "duk").alarm = "consent"
    assert "Zalo duk không gửi được." in desk.get("/").text


def test_an_office_without_zalo_speaks_of_none(bare: Desk) -> None:
    path = own_page(bare)
    assert "Zalo" not in bare.get(path).text
    assert bare.post(f"{path}/zalo/code").status_code == 404
    contact = contact_of(bare)
    assert "Zalo" not in bare.get(f"/units/{contact.unit_id}").text

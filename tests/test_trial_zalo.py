"""Has a playground a Zalo of its own, that shows what was sent, tells what was seen, and links who writes?"""

import html
import re
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import httpx
import pytest
import uvicorn
from sqlmodel import col, select

from dondoc import clock
from dondoc.database import Database
from dondoc.keys import secret_key
from dondoc.settings import Settings
from engine.zalo_account import accounts, trouble
from models.address import Address
from models.contact import Contact
from models.message import Message, MessageState
from models.notice import Notice, NoticeKind
from models.task import Task
from models.unit import Unit
from notifications.channels import carriers_for
from notifications.deliver import deliver
from samples.history import demo, straight
from samples.zalo import BOT, FOLLOWERS, NUMBER, fake
from tests.builders import ZONE
from web.app import create_app
from web.listen import Server

UNTIL = date(2021, 10, 8)


@dataclass
class Playground:
    """Its pages on a real port, and a browser."""

    settings: Settings
    database: Database
    browser: httpx.Client

    def tell(self, unit: str, now: datetime) -> None:
        """A reminder for the unit's contact, sent at that moment."""
        clock.move(self.settings.clock, now)
        with self.database.writing() as session:
            contact = session.exec(
                select(Contact)
                .join(Unit, col(Unit.id) == col(Contact.unit_id))
                .where(col(Unit.code) == unit, col(Contact.role) == "contact")
            ).one()
            task = session.exec(select(Task).where(col(Task.unit_id) == contact.unit_id)).first()
            assert task is not None
            told = session.exec(select(Notice).where(col(Notice.task_id) == task.id)).first()
            assert told is not None
            kind: dict[str, Any] = {
                "kind": NoticeKind.REMINDER,
                "rung": "unit.contact",
                "cause": f"test:{now.isoformat()}",
            }
            session.add(Notice(task_id=task.id, contact_id=contact.id, due_on=told.due_on, created_at=now, **kind))
        key = secret_key(self.settings.key)
        carriers = carriers_for(self.settings, self.database, key)
        deliver(self.database, carriers, now, zone=ZONE, url=self.settings.url, key=key)

    def all_of(self, table: Any) -> list[Any]:
        with self.database.reading() as session:
            return list(session.exec(select(table).order_by(col(table.id))))

    @property
    def newest(self) -> Message:
        """The last message that was told, not the copy of it."""
        told: list[Message] = self.all_of(Message)
        return next(each for each in reversed(told) if each.instead_of is None)

    @property
    def page(self) -> str:
        return html.unescape(self.browser.get("/trial/zalo/").text)


@pytest.fixture(scope="module")
def playground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Playground]:
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    given = {"data": tmp_path_factory.mktemp("data") / "demo", "port": port, "url": f"http://127.0.0.1:{port}"}
    settings = Settings.model_validate(given)
    demo(settings, UNTIL, straight(lambda line: None))
    database = Database(settings.database)
    app = create_app(database, settings, None, fake(database, settings))
    server = Server(uvicorn.Config(app, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    headers = {"sec-fetch-site": "same-origin"}
    with httpx.Client(base_url=settings.url, headers=headers, follow_redirects=True, timeout=20) as browser:
        yield Playground(settings, database, browser)
    server.should_exit = True
    thread.join()
    listener.close()
    database.close()


def test_what_was_told_in_the_past_stands_there_from_the_first_look_on(playground: Playground) -> None:
    assert "Zalo giả" in playground.browser.get("/").text
    shown = playground.page
    for unit in BOT:
        assert f"chat-{unit}" in shown
    (link, *_) = re.findall(r'<a href="([^"]+/s/[^"]+)"', shown)
    assert "Gửi báo cáo" in playground.browser.get(link).text
    policy = playground.browser.get("/trial/zalo/").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_a_reminder_arrives_is_seen_and_its_number_is_nobodys(playground: Playground) -> None:
    now = clock.now(playground.settings.clock) + timedelta(days=1)
    playground.tell(FOLLOWERS[-1], now)
    message = playground.newest
    assert message.channel == "zalooa"
    shown = playground.page
    assert str(message.provider_id) in shown
    assert NUMBER.startswith("84000")
    assert "đã xem" in html.unescape(playground.browser.post("/trial/zalo/seen", data={"id": message.provider_id}).text)
    assert playground.newest.state == MessageState.READ
    with playground.database.reading() as session:
        assert [trouble(each, now) for each in accounts(session)] == [None]


def test_whoever_sends_the_code_of_their_page_is_told_there_from_then_on(playground: Playground) -> None:
    contact = next(each for each in playground.all_of(Contact) if each.email == "van-thu.stttt@example.org")
    code = playground.browser.post(f"/units/{contact.unit_id}/contacts/{contact.id}/zalo").text
    found = re.search(r"LIENKET [0-9]{4} [0-9]{4}", code)
    assert found is not None
    given = {"way": "zalobot", "name": "Văn thư Sở", "text": found[0]}
    assert "Đã liên kết." in html.unescape(playground.browser.post("/trial/zalo/write", data=given).text)
    way = playground.all_of(Address)[-1]
    assert (way.contact_id, way.channel, way.consent_source) == (contact.id, "zalobot", "code")
    playground.tell("stttt", clock.now(playground.settings.clock) + timedelta(hours=1))
    message = playground.newest
    assert (message.channel, message.state, message.address) == ("zalobot", MessageState.SENT, way.address)
    again = fake(playground.database, playground.settings)
    assert again is not None
    assert message.provider_id in [each.message_id for each in again.state.to(way.address)]  # a new start forgets none
    playground.browser.post("/trial/zalo/write", data={"way": "zalobot", "who": way.address, "text": "hủy"})
    assert playground.all_of(Address)[-1].state == "ended"


def test_whoever_leaves_the_account_on_the_page_is_told_there_no_more(playground: Playground) -> None:
    def state() -> str:
        return next(str(each.state) for each in playground.all_of(Address) if each.channel == "zalooa")

    assert (state(), "Bỏ quan tâm OA" in playground.page) == ("working", True)
    playground.browser.post("/trial/zalo/follow", data={"who": "uid-1"})
    assert (state(), "Bỏ quan tâm OA" in playground.page) == ("ended", False)
    playground.browser.post("/trial/zalo/follow", data={"who": "uid-1"})
    assert (state(), "Bỏ quan tâm OA" in playground.page) == ("ended", True)  # to follow is no consent
    assert playground.browser.post("/trial/zalo/follow", data={"who": "nobody"}).status_code == 502


def test_an_office_has_no_such_page(playground: Playground) -> None:
    settings = playground.settings.model_copy(update={"zalo_url": "http://127.0.0.1:9"})
    assert fake(playground.database, settings) is None
    assert settings.secrets_folder is None

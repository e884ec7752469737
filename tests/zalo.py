"""What stands at the other end of Zalo's wire? The fake of samples/fake_zalo on a real port, with a clock to set."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import uvicorn

from dondoc.database import Database
from dondoc.keys import Secrets, seal_of
from dondoc.settings import Settings
from models.zalo import ZaloAccount
from notifications.channels import carriers_for
from notifications.channels.zalo_tokens import Tokens
from notifications.deliver import deliver
from samples.fake_zalo.app import FakeZalo
from samples.fake_zalo.state import ACCESS_LIFE, App, Bot, State, Template, User
from tests.builders import ZONE, at

BOT_TOKEN: Final = "123:bot-secret-token"
APP: Final = App("app-1", "app-secret", "oa-1", "webhook-key")
KEY: Final = b"a key of thirty-two bytes, or so"
ALIAS: Final = "duk"
FOLLOWER, PHONE, CHAT = "uid-1", "84987654321", "chat-1"


@dataclass
class Clock:
    at: datetime

    def __call__(self) -> datetime:
        return self.at


@dataclass
class Zalo:
    """The fake while it runs. `state` may be turned about at any time."""

    state: State
    clock: Clock
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def state_at(clock: Clock) -> State:
    state = State(clock, apps={APP.app_id: APP})
    state.users[FOLLOWER] = User("Văn thư", clock())
    state.phones[PHONE] = "ok"
    state.templates["t-1"] = Template({"name": 30, "subject": 200})
    state.bots[BOT_TOKEN] = Bot(BOT_TOKEN, {CHAT: "Văn thư"})
    return state


@contextmanager
def running(now: datetime | None = None, port: int = 0, state: State | None = None) -> Iterator[Zalo]:
    clock = Clock(now or at("2025-09-01"))
    state = state or state_at(clock)
    state.clock = clock
    listener = socket.create_server(("127.0.0.1", port))
    server = uvicorn.Server(uvicorn.Config(FakeZalo(state), log_config=None, access_log=False, lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield Zalo(state, clock, listener.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


def refresh(url: str, host: str, folder: Path, now: datetime, ready: Any, answers: Any) -> None:
    """What a worker does whose token ends: it begins together with the others, and says what it got."""
    database = Database(url)
    ready.wait()
    answers.put(Tokens(database, KEY, host, Secrets(folder)).access(ALIAS, now))
    database.close()


def send_all(settings: Settings, now: datetime) -> None:
    """What a worker does in a round."""
    database = Database(settings.database)
    deliver(database, carriers_for(settings, database, KEY), now, zone=ZONE, url="https://dondoc.example.org", key=KEY)
    database.close()


def secrets_in(folder: Path) -> Path:
    """A secrets folder with what the channels ask for."""
    folder.mkdir(exist_ok=True)
    for name, words in {
        "zalobot-token": BOT_TOKEN,
        "zalobot-webhook": "bot-webhook-secret",
        f"zalo-{ALIAS}-app": APP.secret,
        f"zalo-{ALIAS}-webhook": APP.webhook_key,
        f"zalo-{ALIAS}-template": "t-1",
    }.items():
        (folder / name).write_text(f"{words}\n")
    return folder


def settings_for(database: Database, zalo: Zalo, folder: Path) -> Settings:
    given = {"data": folder, "secrets": secrets_in(folder / "secrets"), "zalo_url": zalo.url}
    return Settings.model_validate({**given, "database_url": database.url})


def link_account(database: Database, zalo: Zalo) -> None:
    """The row of the OA with a pair of tokens that the fake knows."""
    access, refresh = zalo.state.issue(APP.app_id)
    seal, now = seal_of(KEY, "zalo"), zalo.clock()
    account = ZaloAccount(
        alias=ALIAS, app_id=APP.app_id, oa_id=APP.oa_id, expires_at=now + ACCESS_LIFE, refreshed_at=now,
        access_token=seal.encrypt(access.encode()).decode(), refresh_token=seal.encrypt(refresh.encode()).decode(),
    )  # fmt: skip
    with database.writing() as session:
        session.merge(account)

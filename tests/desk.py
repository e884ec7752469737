"""What do the tests of the pages stand on? A small office with its pages, asked through ASGI or a real port."""

import asyncio
import contextlib
import io
import re
import shutil
import socket
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlmodel import Session, col, select

from dondoc import clock
from dondoc.database import Database
from dondoc.keys import secret_key
from dondoc.settings import Settings
from engine import extend, passwords, review, sign_in
from models.contact import Contact
from models.last_round import LastRound
from models.link import Link, token
from models.task import Task
from models.user import User, UserRole, UserScope
from tests.builders import (
    ANSWERS,
    YEARLY,
    act_of,
    at,
    everything,
    hand_in,
    id_of,
    province,
    step_round,
    task_of,
    unit_id,
)
from web.app import create_app
from web.listen import Server

URL = "http://office.example.org"
SESSION = "__Host-dondoc"
PASSWORD = "ba con mèo ngồi trên mái nhà"
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"


def quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes that cost nothing, for tests that are about something else."""
    cheap = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),))
    nobodys = cheap.hash("nobody's")
    monkeypatch.setattr(passwords, "hasher", lambda: cheap)
    monkeypatch.setattr(passwords, "_nobodys", lambda: nobodys)


@dataclass
class Desk:
    """The pages of one office. `ask` behaves as a browser that keeps cookies and follows no redirect."""

    database: Database
    settings: Settings
    app: FastAPI
    cookies: httpx.Cookies = field(default_factory=httpx.Cookies)

    def ask(
        self, method: str, path: str, headers: dict[str, str] | None = None, *, is_old: bool = False, **given: Any
    ) -> httpx.Response:
        """`is_old`: as a browser that knows no Sec-Fetch-Site."""

        async def answer() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url=URL, cookies=self.cookies) as client:
                own = {"sec-fetch-site": "same-origin"} if method != "GET" and not is_old else {}
                response = await client.request(method, path, headers=own | (headers or {}), **given)
                self.cookies = client.cookies
                return response

        return asyncio.run(answer())

    def get(self, path: str, **given: Any) -> httpx.Response:
        return self.ask("GET", path, **given)

    def post(self, path: str, data: dict[str, str] | None = None, **given: Any) -> httpx.Response:
        return self.ask("POST", path, data=data or {}, **given)

    @property
    def key(self) -> bytes:
        return secret_key(self.settings.key)

    def move_clock(self, day: str, hour: str = "09:00") -> None:
        clock.move(self.settings.clock, at(day, hour))

    def into_real_time(self) -> dict[str, str]:
        """Makes a real office of it, just after a round; says the headers of an admin who has signed in."""
        self.settings.clock.unlink(missing_ok=True)
        with self.database.writing() as session:
            session.merge(LastRound(at=clock.now(), cycles=0, tasks=0, steps=0, notices=0, messages=0))
        return {"cookie": f"{SESSION}={self.signed_in(UserRole.ADMIN)}"}

    def user(self, role: UserRole | None, unit: str | None = None, login: str | None = None) -> User:
        """Somebody with a role at a unit and below, or everywhere; with the password of tests/desk.py."""
        with self.database.writing() as session:
            user = User(
                login=login or f"{role or 'nobody'}.{unit or 'all'}",
                name=f"{role} {unit}",
                password=passwords.hashed(PASSWORD) if login else None,
                created_at=clock.now(),
            )
            session.add(user)
            session.flush()
            if role:
                place = unit_id(session, unit) if unit else None
                session.add(UserScope(user_id=user.id, role=role.value, unit_id=place))
            return user

    def signed_in(self, role: UserRole | None, unit: str | None = None) -> str:
        """The token of a session of such a user, with the second factor given."""
        user = self.user(role, unit)
        with self.database.writing() as session:
            return sign_in.begin(session, user, agent="test", now=clock.now(), is_whole=True)

    def seen_by(self, role: UserRole | None, unit: str | None = None) -> "Desk":
        """The same office in a browser of its own, in which such a user has signed in."""
        other = Desk(self.database, self.settings, self.app)
        other.cookies.set(SESSION, self.signed_in(role, unit), domain="office.example.org")
        return other

    def task_id(self, unit: str = "stc", period: str = "2021") -> int:
        with self.database.reading() as session:
            return task_of(session, unit, period).id

    def task(self, unit: str = "stc") -> Task:
        with self.database.reading() as session:
            return task_of(session, unit, "2021")

    def link(self, unit: str = "stc", **changes: Any) -> str:
        """The path of the link of a unit's contact to its task of 2021."""
        with self.database.writing() as session:
            task = task_of(session, unit, "2021")
            contact = session.exec(
                select(Contact).where(col(Contact.unit_id) == task.unit_id, col(Contact.role) == "contact")
            ).one()
            known = session.exec(select(Link).where(col(Link.task_id) == task.id)).first()
            link = known or Link(task_id=task.id, contact_id=contact.id)
            for name, value in changes.items():
                setattr(link, name, value)
            session.add(link)
            session.flush()
            return f"/s/{token(self.key, link)}"

    def rows(self) -> dict[str, list[Any]]:
        with self.database.reading() as session:
            return everything(session)

    def all_of(self, table: type[Any]) -> list[Any]:
        with self.database.reading() as session:
            return list(_all(session, table))

    @contextlib.contextmanager
    def served(self) -> Iterator[str]:
        """The pages on a real port of this machine."""
        listener = socket.create_server(("127.0.0.1", 0))
        server = Server(uvicorn.Config(self.app, log_config=None, access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
            listener.close()


@contextlib.contextmanager
def opened_desk(
    database: Database,
    folder: Path,
    *,
    on: str = "2021-12-20",
    opened: str = "2021-12-01",
    plan: str = YEARLY,
) -> Iterator[Desk]:
    """The province of tests/builders.py with its yearly report of 2021 open, as a demo whose clock stands at `on`."""
    _province(database, opened, plan)
    yield _desk(database, folder, on)


@contextlib.contextmanager
def sqlite_desk(template: Path, folder: Path, *, on: str = "2021-12-20", plan: str = YEARLY) -> Iterator[Desk]:
    """The same on a SQLite file of its own, for what cannot differ between databases."""
    folder.mkdir(exist_ok=True)
    path = folder / "dondoc.sqlite"
    shutil.copyfile(_sqlite_province(template, plan), path)
    database = Database(f"sqlite:///{path}")
    yield _desk(database, folder / "data", on)
    database.close()


@cache
def _sqlite_province(template: Path, plan: str) -> Path:
    """A file to copy, for all tests with this plan: a round takes longer than most of them."""
    path = template.with_name(f"{sha256(plan.encode()).hexdigest()}.sqlite")
    shutil.copyfile(template, path)
    with contextlib.closing(Database(f"sqlite:///{path}")) as database:
        _province(database, "2021-12-01", plan)
    return path


def _province(database: Database, opened: str, plan: str) -> None:
    province(database, plan)
    step_round(database, at(opened))


def _desk(database: Database, folder: Path, on: str) -> Desk:
    settings = Settings.model_validate({"data": folder, "database_url": database.url, "url": URL})
    folder.mkdir(exist_ok=True)
    desk = Desk(database, settings, create_app(database, settings))
    desk.move_clock(on)
    return desk


def busied(desk: Desk) -> Desk:
    """One report accepted, one late, one returned, one exempt, one extended, one silent; all on 5 January."""
    database = desk.database
    ids = {unit: id_of(database, unit) for unit in ("stc", "snv", "syt", "stt", "cam")}
    hand_in(database, ids["stc"], "2021-12-20")
    act_of(database, review.accept, ids["stc"], "2021-12-21")
    hand_in(database, ids["snv"], "2022-01-04")
    hand_in(database, ids["syt"], "2021-12-22")
    act_of(database, review.send_back, ids["syt"], "2021-12-23", reason="Thiếu", due_on=date(2022, 1, 7))
    act_of(database, extend.exempt, ids["stt"], "2021-12-23", reason="Mới lập", document=None)
    act_of(database, extend.extend, ids["cam"], "2021-12-23", due_on=date(2022, 1, 14), reason="Bão", document=None)
    desk.move_clock("2022-01-05")
    return desk


def shown_hash(page: str) -> str:
    """What a preview says that it has shown; the form carries it along."""
    (found,) = re.findall(r'name="hash" value="(\w+)"', page)
    return str(found)


def answers(**changes: str) -> dict[str, str]:
    return {name: str(value) for name, value in ANSWERS.items()} | {"key": "tab-1"} | changes


def upload(name: str = "bao-cao.pdf", content: bytes = PDF) -> dict[str, tuple[str, bytes, str]]:
    return {"file": (name, content, "application/octet-stream")}


def archive(parts: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A ZIP of these parts, in their order."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", compression) as package:
        for name, content in parts.items():
            package.writestr(name, content)
    return made.getvalue()


def day(text: str) -> date:
    return date.fromisoformat(text)


def _all(session: Session, table: type[Any]) -> Iterator[Any]:
    yield from session.exec(select(table).order_by(table.id))

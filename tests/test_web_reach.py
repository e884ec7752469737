"""Does anything of other units get out, or change, whatever the tree, the role and the page?

Random trees, users and scopes, each on a database of its own: every route is asked for every row that is there.
"""

import asyncio
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from urllib.parse import urlencode

import httpx
import hypothesis
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlmodel import Session, col, select

from dondoc.database import Database
from dondoc.settings import Settings
from engine.effect import BulkAct
from models.ask import ContactCorrection, ExtensionAsk
from models.contact import Contact
from models.files import path_of
from models.link import Link
from models.message import Message
from models.submission import Submission, SubmissionFile
from models.task import Task
from models.unit import Unit
from models.user import User, UserRole, UserScope
from tests.builders import YEARLY, at, province, step_round
from tests.desk import SESSION, URL, Desk
from tests.routes import FORM, FREE, NAMED, TABLES, declared, fill, names_of
from web.app import create_app

#: What belongs to a unit; a task's own act is its superior's to do.
OF_TASKS: Final = {"task_id", "ask_id", "file_id", "link_id"}
BASES: Final = ("chi-bo-co-so", "dang-bo-co-so", "doan-the")
LETTERS: Final = "KLMNPQRSTVX"


@dataclass(frozen=True)
class World:
    """A tree by the numbers of its units (0 is the top), and who has which role where."""

    parents: tuple[int, ...]  #: of the units 1, 2, ...
    scopes: tuple[tuple[UserRole, int], ...]

    def under(self, top: int) -> set[int]:
        found = {top}
        for unit, parent in enumerate(self.parents, start=1):  # a parent has a smaller number
            if parent in found:
                found.add(unit)
        return found

    @property
    def reach(self) -> set[int]:
        return set().union(*(self.under(top) for _, top in self.scopes))

    @property
    def above(self) -> set[int]:
        """Whom the user owes something: their names stand on the user's own pages."""
        found: set[int] = set()
        for _, unit in self.scopes:
            upward = unit
            while upward:
                upward = self.parents[upward - 1]
                found.add(upward)
        return found

    @property
    def decides(self) -> set[int]:
        """Whose reports the user may decide on: those of the units below, never the user's own."""
        return {unit for unit in self.reach if unit and self.parents[unit - 1] in self.reach}


@st.composite
def worlds(draw: st.DrawFn) -> World:
    count = draw(st.integers(3, 6))
    parents = tuple(draw(st.integers(0, unit)) for unit in range(count))
    roles = st.tuples(st.sampled_from(list(UserRole)), st.integers(1, count))
    return World(parents, tuple(draw(st.lists(roles, min_size=1, max_size=2, unique=True))))


def code_of(unit: int) -> str:
    return "duk" if unit == 0 else f"u{LETTERS[unit]}".lower()


@contextmanager
def office(template: Path, world: World) -> Iterator[tuple[Desk, str]]:
    """The office of such a world on 5 January, with rows of every kind, and the token of the user's session."""
    units = {
        code_of(unit): (
            f"Chi bộ {LETTERS[unit] * 3}",
            BASES[unit % 3] if unit else "dang-uy-khoi",
            code_of(world.parents[unit - 1]) if unit else None,
            "contact head secretariat",
        )
        for unit in range(len(world.parents) + 1)
    }
    with TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "dondoc.sqlite"
        shutil.copyfile(template, path)
        database = Database(f"sqlite:///{path}")
        province(database, YEARLY, units=units)
        for moment in ("2021-12-01", "2022-01-04"):
            step_round(database, at(moment))
        with database.writing() as session:
            for task in session.exec(select(Task).order_by(col(Task.id))):
                fill(session, task)
        given_ = Settings.model_validate({"data": folder, "database_url": database.url, "url": URL})
        desk = Desk(database, given_, create_app(database, given_))
        desk.move_clock("2022-01-05")
        for unit in range(len(units)):  # somebody at every unit, and the user
            desk.user(UserRole.ADMIN, code_of(unit))
        token = desk.signed_in(None)
        with database.writing() as session:
            user = session.exec(select(User).where(col(User.login) == "nobody.all")).one()
            ids = {unit.code: unit.id for unit in session.exec(select(Unit))}
            session.add_all(
                UserScope(user_id=user.id, role=role.value, unit_id=ids[code_of(unit)]) for role, unit in world.scopes
            )
        content = path_of(desk.settings.files, "0" * 64)
        content.parent.mkdir(parents=True, exist_ok=True)
        content.write_bytes(b"%")
        yield desk, token
        database.close()


def owners(session: Session) -> dict[str, dict[int, str]]:
    """By part of an address: of which unit each row is."""
    codes = {unit.id: unit.code for unit in session.exec(select(Unit))}
    tasks = {task.id: codes[task.unit_id] for task in session.exec(select(Task))}
    contacts = {contact.id: codes[contact.unit_id] for contact in session.exec(select(Contact))}
    versions = {each.id: tasks[each.task_id] for each in session.exec(select(Submission))}
    scopes = {scope.user_id: codes[scope.unit_id or 0] for scope in session.exec(select(UserScope))}
    return {
        "unit_id": codes,
        "task_id": tasks,
        "contact_id": contacts,
        "file_id": {file.id: versions[file.submission_id] for file in session.exec(select(SubmissionFile))},
        "link_id": {link.id: tasks[link.task_id] for link in session.exec(select(Link))},
        "ask_id": {ask.id: tasks[ask.task_id] for ask in session.exec(select(ExtensionAsk))},
        "correction_id": {each.id: contacts[each.contact_id] for each in session.exec(select(ContactCorrection))},
        "message_id": {message.id: contacts[message.contact_id] for message in session.exec(select(Message))},
        "user_id": scopes,
    }


def answers(desk: Desk, token: str, asked: Iterable[tuple[str, str]]) -> list[httpx.Response]:
    """What the user gets, asking all of it in one browser."""

    async def all_of_it() -> list[httpx.Response]:
        transport = httpx.ASGITransport(desk.app)
        headers = {"sec-fetch-site": "same-origin", "cookie": f"{SESSION}={token}"}
        async with httpx.AsyncClient(transport=transport, base_url=URL, headers=headers) as client:
            return [
                await client.request(method, path, data=FORM if method == "POST" else None) for method, path in asked
            ]

    return asyncio.run(all_of_it())


@settings(max_examples=max(hypothesis.settings().max_examples // 100, 1))
@given(world=worlds())
@example(world=World((0, 1, 0, 3, 3), ((UserRole.ADMIN, 1), (UserRole.VIEWER, 4))))
def test_nothing_of_other_units_is_shown_or_changed(sqlite_template: Path, world: World) -> None:
    with office(sqlite_template, world) as (desk, token):
        with desk.database.reading() as session:
            of = owners(session)
        inside = {code_of(unit) for unit in world.reach}
        hidden = set(range(len(world.parents) + 1)) - world.reach - world.above
        told = re.compile("|".join([LETTERS[unit] * 3 for unit in hidden] or ["(?!)"]))
        _nothing_is_shown(desk, token, of, inside, told)
        _nothing_changes(desk, token, of, inside, {code_of(unit) for unit in world.decides})
        _no_list_names_them(desk, token, of, inside, told)
        _no_bulk_act_reaches_them(desk, token, of, inside)


def _nothing_is_shown(
    desk: Desk, token: str, of: dict[str, dict[int, str]], inside: set[str], told: re.Pattern[str]
) -> None:
    for route in declared(desk):
        names = names_of(route.path)
        if "GET" not in route.methods or route.need == "all" or "id_" in names:
            continue
        chosen = list(product(*(_ids(desk, of, name) for name in names)))
        paths = [route.path.format(**dict(zip(names, ids, strict=True))) for ids in chosen]
        for ids, path, answer in zip(
            chosen, paths, answers(desk, token, [("GET", path) for path in paths]), strict=True
        ):
            found = told.search(answer.text)
            assert not found, f"GET {route.path}: {path} names {told.findall(answer.text)}"
            is_outside = any(of[name][id_] not in inside for name, id_ in zip(names, ids, strict=True) if name in of)
            assert not is_outside or answer.status_code in {403, 404}, f"GET {path}: {answer.status_code}"


def _nothing_changes(
    desk: Desk, token: str, of: dict[str, dict[int, str]], inside: set[str], decides: set[str]
) -> None:
    before = _rows(desk)
    for route in declared(desk):
        names = names_of(route.path)
        if "POST" not in route.methods or route.need in {"all", "own"} or not names:
            continue
        asked = []
        for ids in product(*(_ids(desk, of, name) for name in names)):
            own = [(name, of[name][id_]) for name, id_ in zip(names, ids, strict=True) if name in of]
            if any(code not in (decides if name in OF_TASKS else inside) for name, code in own):
                asked.append(("POST", route.path.format(**dict(zip(names, ids, strict=True)))))
        for (_, path), answer in zip(asked, answers(desk, token, asked), strict=True):
            assert answer.status_code in {403, 404}, f"POST {path}: {answer.status_code}"
        assert _rows(desk) == before, f"POST {route.path} changed something"


def _no_list_names_them(
    desk: Desk, token: str, of: dict[str, dict[int, str]], inside: set[str], told: re.Pattern[str]
) -> None:
    """Whatever a list is asked for: others' codes, all years, a bulk act on others' tasks."""
    others = [id_ for id_, code in of["task_id"].items() if code not in inside]
    lists = [route.path for route in declared(desk) if "GET" in route.methods and not names_of(route.path)]
    queries: list[dict[str, Any]] = [
        {"year": "all", "state": "overdue"},
        {"year": "all", "order": "overdue", "find": "chi bo"},
    ]
    queries += [{"unit": code, "superior": code, "under": code, "year": "all"} for code in of["unit_id"].values()]
    queries += [{"act": act, "task": [str(id_) for id_ in others]} for act in BulkAct]
    asked = [("GET", f"{path}?{urlencode(query, doseq=True)}") for path in lists for query in queries]
    for (_, path), answer in zip(asked, answers(desk, token, asked), strict=True):
        found = told.search(answer.text)
        assert not found, f"GET {path} names {told.findall(answer.text)}"


def _no_bulk_act_reaches_them(desk: Desk, token: str, of: dict[str, dict[int, str]], inside: set[str]) -> None:
    """What a chief was shown, and may confirm, is sent in by the user."""
    others = [str(id_) for id_, code in of["task_id"].items() if code not in inside]
    chief, user = desk.seen_by(UserRole.ADMIN), Desk(desk.database, desk.settings, desk.app)
    user.cookies.set(SESSION, token, domain="office.example.org")
    before = _rows(desk)
    for act in BulkAct:
        shown = chief.get(f"/bulk?{urlencode({'act': act, 'task': others} | FORM, doseq=True)}").text
        fields = re.findall(r'<input type="hidden" name="([a-z_]+)" value="([^"]*)"', shown)
        assert "hash" in dict(fields), act
        sent: dict[str, Any] = {**FORM, **dict(fields), "act": act, "task": others}
        assert user.post("/bulk", sent).status_code in {303, 403, 404, 409, 422}, act
        assert _rows(desk) == before, f"POST /bulk {act} changed something"


def _ids(desk: Desk, of: dict[str, dict[int, str]], name: str) -> list[Any]:
    if name in of:
        return list(of[name])
    if name == "id_":
        return [1, 2, 3]
    if name in NAMED:
        return list(NAMED[name])
    with desk.database.reading() as session:
        return list(session.exec(select(TABLES[name].id)))


def _rows(desk: Desk) -> dict[str, list[Any]]:
    return {name: rows for name, rows in desk.rows().items() if name not in FREE}

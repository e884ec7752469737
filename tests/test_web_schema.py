"""Does any route fail, whatever is sent to it? Schemathesis asks for every operation, as everybody who may come.

Pages read their forms and filters themselves, so the application's own OpenAPI knows none of their fields: the names
are taken from the templates and put into it here.
"""

import ast
import inspect
import re
import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import closing
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from requests import Request
from schemathesis import Case
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.schemas import OpenApiSchema
from sqlmodel import col, select

from models.task import Task
from models.user import UserRole
from tests.builders import ANSWERS
from tests.desk import URL, Desk, answers, sqlite_desk, upload
from tests.routes import FORM, fill, first_values
from web import submissions
from web.app import OFFICE, OPEN, OWN, STATIC

TEMPLATES: Final = STATIC.parent / "templates"
#: How many of each operation each of those asks who may come.
EXAMPLES: Final = {"nobody": 3, "admin": 6, "viewer": 3, "playground": 4}
#: Where their questions must have led besides, or nothing was asked in earnest.
REACHED: Final = {"nobody": {401}, "admin": {406, 409, 422}, "viewer": {403, 406}, "playground": {406, 409, 422}}
#: Something plausible for what tests/routes.py has no word for.
WORDS: Final = ["1", "2", "2021", "2021-12-31", "31/12/2021", "all", "overdue", "stc", "contact", "extend"]
ROOMS: Final[dict[tuple[str, str], ModuleType | None]] = {
    (route.path, method): inspect.getmodule(route.endpoint)
    for room in (*OPEN, *OWN, *OFFICE)
    for route in room.router.routes
    for method in route.methods
}

STEADY: Final = settings(
    phases=[Phase.generate],  # what fails is told as it is: a smaller one would be asked of an office that has changed
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


class Snapshot:
    """The rows as they were before anything was asked."""

    def __init__(self, desk: Desk) -> None:
        self.path = str(desk.database.url).removeprefix("sqlite:///")
        self.kept = sqlite3.connect(":memory:")
        with closing(sqlite3.connect(self.path)) as file:
            file.backup(self.kept)

    def restore(self) -> None:
        with closing(sqlite3.connect(self.path)) as file:
            self.kept.backup(file)


@pytest.fixture
def kept(sqlite_template: Path, tmp_path: Path) -> Iterator[Desk]:
    """An office with a row of every kind, on 20 December of its own clock: a playground."""
    with sqlite_desk(sqlite_template, tmp_path) as desk:
        desk.post(desk.link("stc"), answers(), files=upload())
        with desk.database.writing() as session:
            for task in session.exec(select(Task).order_by(col(Task.id))):
                fill(session, task)
        desk.user(UserRole.SECRETARIAT, "duk")
        yield desk


@cache
def fields() -> frozenset[str]:
    """Every name under which a template sends something, in a form or in an address."""
    told = re.compile(r"""name="([a-z_]+)"|[?&]([a-z_]+)=""")
    found = (match for path in TEMPLATES.rglob("*.html") for match in told.findall(path.read_text("utf-8")))
    return frozenset(name for pair in found for name in pair if name)


@cache
def read_by(room: ModuleType | None) -> list[str]:
    """The names of fields that a module, or what it takes from other pages, has a word for."""
    assert room is not None
    modules = (each if inspect.ismodule(each) else inspect.getmodule(each) for each in vars(room).values())
    near = {room, *(each for each in modules if each and each.__name__.startswith("web."))}
    words: set[str] = set()
    for each in near:
        for node in ast.walk(ast.parse(inspect.getsource(each))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                words.add(node.value)
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                words.add(node.target.id)
    return sorted((words & fields()) | (set(ANSWERS) if room is submissions else set()))


def one_of(words: list[Any], *others: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [{"enum": words}, *others, {"type": "string"}]}


def field(name: str) -> dict[str, Any]:
    word = one_of([FORM[name]] if name in FORM else WORDS)
    return {"type": "array", "items": word, "minItems": 1, "maxItems": 3} if name in {"task", "kept"} else word


def schema_of(desk: Desk) -> OpenApiSchema:
    """The application's own, with the rows that are there and the fields that are read."""
    values = first_values(desk)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Duplicate Operation ID")  # of GET and HEAD, which share a function
        raw = desk.app.openapi()
    for path, operations in raw["paths"].items():
        operations.pop("head", None)  # the function of GET; tests/test_web_routes.py asks it
        for method, operation in operations.items():
            for each in operation.get("parameters", []):
                if each["in"] == "path":
                    each["schema"] = one_of(list(values[each["name"]]), {"type": "integer"})
            names = read_by(ROOMS[path, method.upper()])
            known = {each["name"] for each in operation.get("parameters", [])}
            if method == "get":
                free = [{"name": name, "in": "query", "schema": field(name)} for name in names if name not in known]
                operation["parameters"] = [*operation.get("parameters", []), *free]
            else:
                texts = {name: field(name) for name in names if name != "file"}
                upload = {"file": {"type": "string", "format": "binary"}} if "file" in names else {}
                operation["requestBody"] = {
                    "content": {
                        kind: {"schema": {"type": "object", "properties": given, "additionalProperties": False}}
                        for kind, given in (
                            ("application/x-www-form-urlencoded", texts),
                            ("multipart/form-data", texts | upload),
                        )
                    }
                }
    return schemathesis.openapi.from_dict(raw)


def ask(desk: Desk, case: Case[Any]) -> tuple[int, str]:
    sent = case.as_transport_kwargs(base_url=URL)
    names = ("method", "url", "headers", "params", "data", "files", "json")
    made = Request(**{name: sent[name] for name in names if name in sent}).prepare()
    headers = {name: str(value) for name, value in made.headers.items() if name in {"Content-Type", "Content-Length"}}
    body = made.body or b""
    answer = desk.ask(str(made.method), str(made.url), headers, content=body)
    return answer.status_code, f"{made.method} {made.path_url} {body!r:.500}"


def plain(path: str, values: dict[str, Any]) -> str:
    return path.format(**{name: found[0] for name, found in values.items()})


@pytest.mark.parametrize("who", list(EXAMPLES))
def test_no_operation_fails_whatever_is_sent(kept: Desk, who: str, caplog: pytest.LogCaptureFixture) -> None:
    schema = schema_of(kept)
    values = first_values(kept)
    if who != "playground":
        kept.into_real_time()
    roles = {"admin": (UserRole.ADMIN, "duk"), "viewer": (UserRole.VIEWER, "duk")}
    token = kept.seen_by(*roles[who]).cookies if who in roles else None
    snapshot = Snapshot(kept)
    found: list[str] = []
    seen: set[int] = set()

    def browser() -> Desk:
        desk = Desk(kept.database, kept.settings, kept.app)
        desk.cookies.update(token or {})
        return desk

    def note(status: int, told: str) -> None:
        seen.add(status)
        if status >= 500:
            found.append(f"{status} {told}\n{caplog.text[-3000:]}")
        caplog.clear()

    for operation in (each.ok() for each in schema.get_all_operations() if isinstance(each, Ok)):
        snapshot.restore()
        if operation.method == "post":  # what the generated forms hardly ever are: filled in as they should be
            path = plain(operation.path, values)
            note(browser().post(path, FORM | {name: str(value) for name, value in ANSWERS.items()}).status_code, path)
            snapshot.restore()

        @settings(STEADY, max_examples=EXAMPLES[who])
        @given(case=operation.as_strategy())
        def asked(case: Case[Any]) -> None:
            note(*ask(browser(), case))

        asked()
    assert not found, "\n".join(found)
    assert {200, 303, 404, *REACHED[who]} <= seen

"""Does every route, also the one of tomorrow, keep the rules? What it declares, headers, other sites, reading."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from sqlmodel import col, select

from engine.access import RIGHTS, Right
from models.task import Task
from models.user import UserRole
from tests.desk import Desk, answers, sqlite_desk, upload
from tests.routes import FORM, FREE, addresses, declared, fill, first_values
from web.access import OpenToAll, check_routes
from web.log import SECRET
from web.protection import CSP, OTHERS


@pytest.fixture(scope="module")
def kept(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """An office with a row of every kind; its pages are only read, or refuse."""
    with sqlite_desk(sqlite_template, tmp_path_factory.mktemp("routes")) as desk:
        desk.post(desk.link("stc"), answers(), files=upload())
        busied_late(desk)
        yield desk


def busied_late(desk: Desk) -> None:
    with desk.database.writing() as session:
        for task in session.exec(select(Task).order_by(col(Task.id))):
            fill(session, task)
    desk.into_real_time()


@pytest.fixture(scope="module")
def values(kept: Desk) -> dict[str, Any]:
    return dict(first_values(kept))


@pytest.fixture(scope="module")
def admin(kept: Desk) -> Desk:
    return kept.seen_by(UserRole.ADMIN, "tinh-uy")


def rows(desk: Desk) -> dict[str, list[Any]]:
    return {name: found for name, found in desk.rows().items() if name not in FREE}


# What is declared


def test_a_route_that_declares_nothing_stops_the_application() -> None:
    for app in (FastAPI(), FastAPI(docs_url=None, redoc_url=None, openapi_url=None)):
        app.add_api_route("/open", lambda: None, dependencies=[OpenToAll])
        app.add_api_route("/silent", lambda: None)
        with pytest.raises(RuntimeError, match="/silent"):
            check_routes(app)


def test_a_route_of_an_included_router_is_seen_too() -> None:
    inner, outer = APIRouter(), APIRouter()
    inner.add_api_route("/silent", lambda: None)
    outer.include_router(inner)
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(outer)
    with pytest.raises(RuntimeError, match="/silent"):
        check_routes(app)
    declaring = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    declaring.include_router(outer, dependencies=[OpenToAll])
    check_routes(declaring)


def test_something_else_that_answers_stops_the_application() -> None:
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.mount("/other", FastAPI(docs_url=None, redoc_url=None, openapi_url=None))
    with pytest.raises(RuntimeError, match="/other"):
        check_routes(app)


def test_only_the_ways_in_are_open_to_everybody(kept: Desk) -> None:
    opened = {route.path.split("/")[1] for route in declared(kept) if route.need == "all"}
    assert opened == {
        *("s", "u", "k", "not-me", "verify", "health", "sign-in", "sign-out", "invite", "trial", "clock", "hooks")
    }


# Who may not


def test_without_a_session_pages_lead_to_the_sign_in_and_acts_do_nothing(kept: Desk, values: dict[str, Any]) -> None:
    stranger, before = Desk(kept.database, kept.settings, kept.app), rows(kept)
    for method in ("GET", "HEAD", "POST"):
        for route, path in addresses(kept, method, values):
            if route.need == "all":
                continue
            answer = stranger.ask(method, path, data=FORM if method == "POST" else None)
            expected = 303 if method in {"GET", "HEAD"} else 401
            assert answer.status_code == expected, f"{method} {path}"
            assert expected != 303 or answer.headers["location"].startswith("/sign-in?next="), path
    assert rows(kept) == before


def test_without_the_right_an_act_is_refused(kept: Desk, values: dict[str, Any]) -> None:
    people = {role: kept.seen_by(role, "duk") for role in (UserRole.VIEWER, UserRole.REVIEWER, UserRole.SECRETARIAT)}
    before = rows(kept)
    tried = 0
    for route, path in addresses(kept, "POST", values):
        if route.need not in set(Right):
            continue
        for role, browser in people.items():
            if route.need not in RIGHTS[role]:
                tried += 1
                assert browser.post(path, FORM).status_code == 403, f"{role} {path}"
    assert tried > 30
    assert rows(kept) == before


# What goes around every answer


def test_an_act_from_another_site_is_refused_everywhere(kept: Desk, admin: Desk, values: dict[str, Any]) -> None:
    before = kept.rows()
    acts = [path for _, path in addresses(kept, "POST", values) if not path.startswith(OTHERS)]
    assert len(acts) > 40
    for path in acts:
        for headers in ({"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}):
            answer = admin.post(path, FORM, headers={**headers, "origin": "https://evil.example"})
            assert answer.status_code == 403, path
        old = admin.post(path, FORM, headers={"origin": "https://evil.example"}, is_old=True)
        assert old.status_code == 403, path
    assert kept.rows() == before


def test_every_answer_of_every_route_wears_every_header(kept: Desk, admin: Desk, values: dict[str, Any]) -> None:
    found = [admin.get(path) for _, path in addresses(kept, "GET", values)]
    found += [admin.ask("HEAD", path) for _, path in addresses(kept, "HEAD", values)]
    found += [admin.ask("PUT", path) for _, path in addresses(kept, "GET", values)]
    found += [
        admin.ask("POST", path, headers={"sec-fetch-site": "cross-site"}) for _, path in addresses(kept, "POST", values)
    ]
    found += [admin.get(path) for path in ("/nowhere", "/static/dondoc.css", "/static/nowhere", "/tasks/x", "/s/wrong")]
    assert {200, 303, 403, 404, 405} <= {answer.status_code for answer in found}
    for answer in found:
        path, headers = answer.request.url.path, answer.headers
        policy = re.sub(r"(?<=style-src 'self') 'nonce-[\w-]{20,}'", "", headers["content-security-policy"])
        assert policy in {CSP, "sandbox; default-src 'none'"}, path
        assert headers["strict-transport-security"] == "max-age=31536000; includeSubDomains", path
        assert headers["x-content-type-options"] == "nosniff", path
        assert headers["referrer-policy"] in {"same-origin", "no-referrer"}, path
        assert (headers["referrer-policy"] == "no-referrer") == path.startswith(SECRET), path
        assert headers["cross-origin-opener-policy"] == "same-origin", path
        assert headers["cross-origin-resource-policy"] == "same-origin", path
        assert "access-control-allow-origin" not in headers, path
        is_file = path.startswith("/static/") and answer.status_code == 200
        assert (headers["cache-control"] == "no-cache") is is_file, path
        for cookie in headers.get_list("set-cookie"):
            assert {"HttpOnly", "SameSite=lax"} <= set(cookie.split("; ")), path


# Reading


@pytest.mark.parametrize("as_admin", [True, False], ids=["admin", "stranger"])
def test_reading_changes_nothing_on_any_route(kept: Desk, admin: Desk, values: dict[str, Any], as_admin: bool) -> None:
    reader = admin if as_admin else Desk(kept.database, kept.settings, kept.app)
    before = rows(kept)
    for method in ("GET", "HEAD"):
        for _, path in addresses(kept, method, values):
            for query in ("", "?lang=en&code=7K4M-2PXC&hash=0&page=2&find=a"):
                assert reader.ask(method, path + query).status_code < 500, f"{method} {path}{query}"
    assert rows(kept) == before

"""What goes around every answer? Other sites, headers, languages, logs."""

import logging
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.desk import URL, Desk, answers, sqlite_desk
from web.app import STATIC, create_app
from web.log import MaskSecrets
from web.protection import CSP


def routes(*rooms: Any) -> list[tuple[str, set[str]]]:
    return [(route.path, route.methods) for room in rooms for route in room.router.routes]


@pytest.fixture
def desk(sqlite_template: Path, tmp_path: Path) -> Iterator[Desk]:
    with sqlite_desk(sqlite_template, tmp_path) as desk:
        yield desk


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "same-origin"}, 303),
        ({"sec-fetch-site": "none"}, 303),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "cross-site", "origin": URL}, 403),
        ({"sec-fetch-site": "", "origin": URL}, 403),
    ],
)
def test_acts_come_from_the_own_pages_only(desk: Desk, headers: dict[str, str], status: int) -> None:
    assert desk.post(desk.link(), answers(), headers=headers).status_code == status


@pytest.mark.parametrize(
    ("origin", "path", "status"),
    [(URL, "/tasks/1/return", 409), ("https://evil.example", "/tasks/1/return", 403), ("null", "/tasks/1/return", 403)],
)
def test_older_browsers_are_judged_by_their_origin(desk: Desk, origin: str, path: str, status: int) -> None:
    answer = _without_fetch_header(desk, path, {"origin": origin}, {"reason": "x"})
    assert answer == status


def test_older_browsers_that_hide_their_origin_may_use_a_units_link(desk: Desk) -> None:
    link = desk.link()
    assert _without_fetch_header(desk, link, {}, answers()) == 403
    assert _without_fetch_header(desk, link, {"origin": "https://evil.example"}, answers()) == 403
    assert _without_fetch_header(desk, link, {"origin": "null"}, answers()) == 303


def test_every_answer_wears_the_same_strict_headers(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    link = desk.link()
    monkeypatch.setattr("web.board.read", _fail)
    answers_ = [
        desk.get(path) for path in (link, "/", "/nowhere", "/tasks/1", "/tasks/x", "/health", "/static/nowhere.js")
    ]
    answers_ += [desk.post(link, {}), desk.post("/tasks/1/acceptance"), desk.ask("PUT", "/tasks/1")]
    assert {answer.status_code for answer in answers_} == {200, 404, 405, 409, 422, 500}
    for answer in answers_:
        assert answer.headers["content-security-policy"] == CSP
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-robots-tag"] == "noindex, nofollow"
        assert answer.headers["cache-control"] == "no-store"
    assert answers_[0].headers["referrer-policy"] == "no-referrer"
    assert answers_[1].headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize("path", [f"/static/{path.name}" for path in STATIC.iterdir() if path.is_file()])
def test_a_static_file_is_kept_and_sent_again_only_when_it_changed(desk: Desk, path: str) -> None:
    first = desk.get(path)
    assert (first.status_code, first.headers["cache-control"]) == (200, "no-cache")
    again = desk.get(path, headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content, again.headers["cache-control"]) == (304, b"", "no-cache")
    assert again.headers["content-security-policy"] == CSP
    changed = desk.get(path, headers={"if-none-match": '"another"'})
    assert (changed.status_code, changed.content) == (200, first.content)


def test_no_page_and_no_refusal_is_kept_under_a_name_like_a_static_files(desk: Desk) -> None:
    for path in ("/static", "/static/", "/static/nowhere", "/static/../protection.py", "/static/../health"):
        answer = desk.get(path)
        assert answer.headers["cache-control"] == "no-store", path
        assert (answer.status_code == 200) == path.endswith("/health"), path
    assert desk.ask("PUT", "/static/theme.js").headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "path", ["/tasks/0", "/tasks/-1", f"/tasks/{10**30}", f"/cycles/{2**31}", "/files/x", "/tasks/1/"]
)
def test_numbers_that_no_row_has_are_not_found(desk: Desk, path: str) -> None:
    assert desk.get(path).status_code == 404


def test_a_failure_shows_its_number_and_nothing_else(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("web.report.read", _fail)
    answer = desk.get(desk.link())
    assert answer.status_code == 500
    number = caplog.messages[-1].split()[1]
    assert number in answer.text
    assert "secret words" not in answer.text
    assert caplog.messages[-1].endswith("GET /s/***")


def test_the_access_log_shows_no_secret_address() -> None:
    arguments = ("127.0.0.1:5", "GET", "/s/12-abc_D/receipt?lang=en", "1.1", 200)
    record = logging.LogRecord("uvicorn.access", logging.INFO, "", 0, '%s - "%s %s HTTP/%s" %d', arguments, None)
    assert MaskSecrets().filter(record)
    assert record.getMessage() == '127.0.0.1:5 - "GET /s/***/receipt?lang=en HTTP/1.1" 200'
    assert any(isinstance(each, MaskSecrets) for each in logging.getLogger("uvicorn.access").filters)


def test_without_a_choice_the_offices_language_is_spoken_whatever_the_browser_wishes(desk: Desk) -> None:
    assert '<html lang="vi">' in desk.get("/", headers={"accept-language": "en-US,en;q=0.9"}).text
    english = desk.settings.model_copy(update={"lang": "en"})
    there = Desk(desk.database, english, create_app(desk.database, english))
    assert '<html lang="en">' in there.get("/", headers={"accept-language": "vi"}).text


def test_a_choice_of_language_stays_until_the_next_one(desk: Desk) -> None:
    assert '<html lang="en">' in desk.get("/?lang=en").text
    assert '<html lang="en">' in desk.get("/tasks/1").text
    assert '<html lang="vi">' in desk.get("/tasks/1?lang=vi").text
    assert '<html lang="vi">' in desk.get("/").text


def test_health_says_whether_the_database_answers_and_when_a_round_last_ran(desk: Desk) -> None:
    assert desk.get("/health").json() == {"database": "ok", "last_round": None}
    down = Desk(desk.database, desk.settings, create_app(desk.database, desk.settings))
    down.database.close()
    path = Path(desk.database.url.removeprefix("sqlite:///"))
    shutil.move(path, path.with_suffix(".gone"))
    answer = down.get("/health")
    assert (answer.status_code, answer.json()["database"]) == (503, "down")


def _without_fetch_header(desk: Desk, path: str, headers: dict[str, str], data: dict[str, str]) -> int:
    return desk.ask("POST", path, headers=headers, data=data, is_old=True).status_code


def _fail(*_given: object) -> None:
    raise RuntimeError("secret words")

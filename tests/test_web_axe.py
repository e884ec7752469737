"""Can everybody use the pages? axe finds nothing on any of them, by day and by night, in both languages.

tests/vendor/axe.min.js is axe-core 4.14.1 by Deque Systems, under the Mozilla Public License 2.0 beside it.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pyotp
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request

from dondoc import clock
from engine import people
from engine.access import everything
from models.user import User, UserRole
from tests.desk import PASSWORD, Desk, busied, quick_passwords, sqlite_desk
from tests.tour import tour

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
RUN = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations
    .flatMap(found => found.nodes.map(node => `${found.id}: ${node.target} ${node.failureSummary}`))"""
SCREEN: Any = {"width": 1366, "height": 768}
PHONE: Any = {"width": 360, "height": 740}
Theme = Literal["light", "dark"]


@pytest.fixture
def desk(sqlite_template: Path, tmp_path: Path) -> Iterator[Desk]:
    """Tasks in every state; the last round is late."""
    with sqlite_desk(sqlite_template, tmp_path) as desk:
        yield busied(desk)


def faults(page: Page) -> list[str]:
    """What axe finds on the open page, all of it unfolded: by day and by night, on a screen and on a phone.

    Where one language has the day on the screen, the other one has the night.
    """
    found = []
    page.evaluate(AXE)
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    is_english = page.evaluate("document.documentElement.lang") == "en"
    themes: tuple[Theme, Theme] = ("dark", "light") if is_english else ("light", "dark")
    for size, theme in zip((SCREEN, PHONE), themes, strict=True):
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=theme)
        found += [f"{page.url} {theme} {size['width']} {each}" for each in page.evaluate(RUN)]
    return found


def watched(browser: Browser, url: str, found: list[str]) -> Page:
    """A page that notes what a console says and what the strict policy refuses, and every request to elsewhere."""

    def note(message: ConsoleMessage) -> None:
        # A 4xx page that was asked for on purpose is logged as an error too.
        if message.type in {"error", "warning"} and "the server responded with a status of 4" not in message.text:
            found.append(f"{page.url} {message.text}")

    def watch(request: Request) -> None:
        if not request.url.startswith((f"{url}/", "data:")):
            found.append(f"{page.url} asks {request.url}")

    page = browser.new_context(locale="vi-VN", reduced_motion="reduce").new_page()
    page.on("console", note)
    page.on("pageerror", lambda error: found.append(f"{page.url} {error}"))
    page.on("request", watch)
    return page


def press(page: Page, button: str) -> None:
    with page.expect_navigation():
        page.locator(button).click()


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_axe_and_the_console_find_nothing_on_any_page(
    sqlite_template: Path, tmp_path: Path, browser: Browser, lang: str
) -> None:
    """tests/test_web_words.py holds that the tour leads to every page."""
    found: list[str] = []
    with tour(sqlite_template, tmp_path) as toured, toured.desk.served() as url:
        page = watched(browser, url, found)
        walks = [(*toured.office, *toured.units), toured.own, toured.half]
        for paths, who in zip(walks, (None, "own", "half"), strict=True):
            if who:
                page.context.add_cookies([{"name": "dondoc", "value": toured.tokens[who], "url": url}])
            for path in paths:
                page.goto(f"{url}{path}{'&' if '?' in path else '?'}lang={lang}")
                found += faults(page)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_axe_finds_nothing_where_something_is_refused_or_moves(desk: Desk, browser: Browser, lang: str) -> None:
    found: list[str] = []
    with desk.served() as url:
        page = watched(browser, url, found)
        page.goto(f"{url}{desk.link('doan-khoi')}?lang={lang}")
        press(page, "form button.main")  # an empty form: what is wrong stands beside its fields
        found += faults(page)
        page.goto(f"{url}/tasks/{desk.task_id('doan-khoi')}")
        press(page, "form[action$=record] button")
        found += faults(page)
        page.goto(url)
        press(page, ".clock button[value=week]")
        found += faults(page)
        desk.settings.clock.unlink()
        page = watched(browser, url, found)  # the other one may just be loading anew, as its day has changed
        page.goto(url)
        found += faults(page)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_axe_finds_nothing_where_people_sign_in_and_are_kept(
    desk: Desk, browser: Browser, lang: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick_passwords(monkeypatch)
    desk.user(UserRole.ADMIN, login="chief")
    chief = everything("office", "")
    other = desk.user(UserRole.REVIEWER, "snv", login="snv.duyet")
    with desk.database.writing() as session:
        token = people.invite(session, chief, session.get_one(User, other.id), now=clock.now())
    found: list[str] = []
    with desk.served() as url:
        page = watched(browser, url, found)

        def look(path: str) -> None:
            page.goto(f"{url}{path}?lang={lang}")
            found.extend(faults(page))

        look(f"/invite/{token}")
        page.locator("#password").fill("too short")
        page.locator("#again").fill("too short")
        press(page, "form button.main")
        found += faults(page)
        look("/sign-in")
        page.locator("#login").fill("chief")
        page.locator("#password").fill(PASSWORD)
        press(page, "form button.main")
        page.goto(f"{url}/account/second-factor?lang={lang}")
        found += faults(page)
        secret = page.locator("ol code").inner_text().replace(" ", "")
        page.locator("#code").fill(pyotp.TOTP(secret).at(clock.now()))
        press(page, "form button.main")
        found += faults(page)  # the recovery codes
        look("/account/second-factor")  # it is set up by now
        look(f"/people/{other.id}")
        press(page, "form[action$=invitation] button")
        found += faults(page)
        look("/people")
        page.locator("#name").fill("Văn thư")
        page.locator("#login").fill("Ấ")
        press(page, "main form button.main")
        found += faults(page)
        page.context.clear_cookies()
        desk.settings.clock.unlink()
        look("/people")  # the sign-in
        page.locator("#login").fill("snv.duyet")
        page.locator("#password").fill("wrong password!")
        press(page, "form button.main")
        found += faults(page)
    assert not found, "\n".join(found)

"""Can everybody use the pages? axe finds nothing on any of them, by day and by night, in both languages.

tests/vendor/axe.min.js is axe-core 4.14.1 by Deque Systems, under the Mozilla Public License 2.0 beside it.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyotp
import pytest
from playwright.sync_api import Browser, Page

from dondoc import clock
from engine import people
from engine.access import everything
from models.user import User, UserRole
from tests.desk import PASSWORD, Desk, busied, quick_passwords, sqlite_desk

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
RUN = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations
    .flatMap(found => found.nodes.map(node => `${found.id}: ${node.target} ${node.failureSummary}`))"""
SCREEN: Any = {"width": 1366, "height": 768}
PHONE: Any = {"width": 360, "height": 740}


@pytest.fixture
def desk(sqlite_template: Path, tmp_path: Path) -> Iterator[Desk]:
    """Tasks in every state; the last round is late."""
    with sqlite_desk(sqlite_template, tmp_path) as desk:
        yield busied(desk)


def faults(page: Page) -> list[str]:
    """What axe finds on the open page, all of it unfolded: on a screen and on a phone, light and dark."""
    found = []
    page.evaluate(AXE)
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    for size in (SCREEN, PHONE):
        for theme in ("light", "dark"):
            page.set_viewport_size(size)
            page.emulate_media(color_scheme=theme)
            found += [f"{page.url} {theme} {size['width']} {each}" for each in page.evaluate(RUN)]
    return found


def press(page: Page, button: str) -> None:
    with page.expect_navigation():
        page.locator(button).click()


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_axe_finds_nothing_on_any_page(desk: Desk, browser: Browser, lang: str) -> None:
    tasks = [desk.task_id(unit) for unit in ("stc", "snv", "syt", "stt", "cam", "doan-khoi")]
    paths = ["/", "/?state=overdue&year=all", "/?order=overdue&find=chi", "/?find=nobody", "/?superior=nobody"]
    paths += ["/cycles/1", "/cycles/1?state=overdue", *(f"/tasks/{id_}" for id_ in tasks)]
    paths += ["/units", "/units?under=duk", "/units?find=nobody", "/units?reach=no_contact", "/units/3", "/units/7"]
    paths += ["/calendar", "/calendar?unit=stc&year=2022", "/calendar?unit=noi", "/calendar?unit=nobody"]
    paths += ["/inbox", "/inbox?group=overdue", "/inbox?group=asks", "/messages", "/journal", "/journal?act=nothing"]
    paths += [f"/bulk?act={act}&task={tasks[1]}&task={tasks[-1]}" for act in ("remind", "accept", "extend", "exempt")]
    paths += [desk.link(unit) for unit in ("stc", "snv", "syt", "stt", "doan-khoi")]
    paths += [f"{desk.link('snv')}/receipt", "/sign-in", "/s/wrong", "/nowhere"]
    found = []
    with desk.served() as url:
        page = browser.new_context(locale="vi-VN", reduced_motion="reduce").new_page()
        for path in paths:
            page.goto(f"{url}{path}{'&' if '?' in path else '?'}lang={lang}")
            found += faults(page)
        page.goto(url + desk.link("doan-khoi"))
        press(page, "form button.main")  # an empty form: what is wrong stands beside its fields
        found += faults(page)
        page.goto(f"{url}/tasks/{tasks[-1]}")
        press(page, "form[action$=record] button")  # an act that is refused
        found += faults(page)
        page.goto(url)
        press(page, ".clock button[value=week]")
        found += faults(page)
        desk.settings.clock.unlink()
        page.goto(url)
        found += faults(page)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_axe_finds_nothing_where_people_sign_in_and_are_kept(
    desk: Desk, browser: Browser, lang: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick_passwords(monkeypatch)
    user, chief = desk.user(UserRole.ADMIN, login="chief"), everything("office", "")
    other = desk.user(UserRole.REVIEWER, "snv", login="snv.duyet")
    with desk.database.writing() as session:
        token = people.invite(session, chief, session.get_one(User, other.id), now=clock.now())
    found = []
    with desk.served() as url:
        page = browser.new_context(locale="vi-VN", reduced_motion="reduce").new_page()

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
        for path in ("/account", "/account/second-factor", "/people", f"/people/{user.id}"):
            look(path)
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

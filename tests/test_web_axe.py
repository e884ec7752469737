"""Can everybody use the pages? axe finds nothing on any of them, by day and by night, in both languages.

tests/vendor/axe.min.js is axe-core 4.14.1 by Deque Systems, under the Mozilla Public License 2.0 beside it.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.desk import Desk, busied, sqlite_desk

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

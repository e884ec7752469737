"""Is every word on every page in the reader's language, and does every time of day say its zone?"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final

import pytest
from starlette.routing import compile_path

from dondoc.i18n import LANGUAGES, catalogue
from tests.desk import SESSION, Desk
from tests.routes import declared
from tests.tour import Tour, tour

#: What is read by programs or leads elsewhere; the recovery codes are looked at where they are made, once.
NO_PAGES: Final = {
    "/account/recovery-codes",
    "/calendar.ics",
    "/files/{file_id}",
    "/health",
    "/live",
    "/plans/{plan}/file",
    "/plans/{plan}/revisions/{number}/file",
    "/plans/{plan}/words",
    "/sign-in/oidc",
    "/sign-in/oidc/back",
    "/units.csv",
    "/units/sheet.csv",
    "/people/review.csv",
    "/wording/{kind}/{written}/letter.html",
}
VIETNAMESE: Final = re.compile(r"[àáâãèéêìíòóôõùúýăđĩũơưạ-ỹ]", re.IGNORECASE)
CODE: Final = re.compile(r"(?<![\w.@/-])[a-z_]+(?:\.[a-z0-9_-]+)+(?![\w@])")
TIME: Final = re.compile(r"(?<![\d:.+])\d{1,2}:\d{2}(?![\d:])")
ZONE: Final = "GMT+7"
VOID: Final = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
SAID: Final = ("title", "aria-label", "placeholder", "alt", "aria-description")
BLOCKS: Final = {"p", "li", "td", "th", "dd", "dt", "h1", "h2", "h3", "label", "button", "summary", "span", "option"}


@dataclass
class Element:
    """What of a page is inside a tag."""

    tag: str
    given: dict[str, str]
    above: "Element | None"
    inside: list["Element | str"] = field(default_factory=list)

    @property
    def text(self) -> str:
        return " ".join(each if isinstance(each, str) else each.text for each in self.inside)

    def all(self) -> Iterator["Element"]:
        yield self
        for each in self.inside:
            if isinstance(each, Element):
                yield from each.all()

    def around(self) -> Iterator["Element"]:
        yield self
        if self.above is not None:
            yield from self.above.around()


class Reader(HTMLParser):
    """Makes a tree of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.top = self.here = Element("", {}, None)
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        made = Element(tag, {name: value or "" for name, value in attrs}, self.here)
        self.here.inside.append(made)
        if tag not in VOID:
            self.here = made

    def handle_endtag(self, tag: str) -> None:
        found = next((each for each in self.here.around() if each.tag == tag), None)
        if found is not None and found.above is not None:
            self.here = found.above

    def handle_data(self, data: str) -> None:
        self.here.inside.append(data)


def said(page: str, lang: str) -> Iterator[tuple[Element, str]]:
    """Each piece of text that a reader of that language sees or hears, and where it stands."""
    for element in Reader(page).top.all():
        tags = [each for each in element.around() if each.tag in {"script", "style", "code", "kbd", "textarea"}]
        if tags or any(each.given.get("lang", lang) != lang for each in element.around()):
            continue
        yield from ((element, element.given[name]) for name in SAID if name in element.given)
        if element.tag == "input" and element.given.get("type") in {"submit", "button"}:
            yield element, element.given.get("value", "")
        yield from ((element, each) for each in element.inside if isinstance(each, str) and each.strip())


def kept_words(rows: Iterable[Any]) -> Iterator[str]:
    """Every text that somebody put into the database."""
    for each in rows:
        if isinstance(each, str):
            yield each
        elif isinstance(each, dict):
            yield from kept_words(each.values())
        elif isinstance(each, Iterable):
            yield from kept_words(each)


@dataclass(frozen=True)
class Shown:
    """Every page in one language."""

    tour: Tour
    lang: str
    pages: dict[str, str]


def shown(tour: Tour, lang: str) -> Shown:
    pages = {}
    for who, paths in (("", (*tour.office, *tour.parts, *tour.units)), ("own", tour.own), ("half", tour.half)):
        desk = Desk(tour.desk.database, tour.desk.settings, tour.desk.app)
        if who:
            desk.cookies.set(SESSION, tour.tokens[who], domain="office.example.org")
        for path in paths:
            answer = desk.get(f"{path}{'&' if '?' in path else '?'}lang={lang}")
            expected = 404 if path in {"/nowhere", "/s/wrong"} else 200
            assert answer.status_code == expected, path
            pages[path] = answer.text
    return Shown(tour, lang, pages)


@pytest.fixture(scope="module")
def toured(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tour]:
    with tour(sqlite_template, tmp_path_factory.mktemp("tour")) as made:
        yield made


@pytest.fixture(scope="module", params=LANGUAGES)
def pages(request: pytest.FixtureRequest, toured: Tour) -> Shown:
    return shown(toured, request.param)


def nothing(found: Iterable[str]) -> None:
    lines = sorted(set(found))
    assert not lines, "\n".join(["", *lines])


def test_what_is_planted_is_read() -> None:
    page = '<main><p title="thiếu">Hạn<br>10:45 <kbd>state.overdue</kbd></p><i lang="vi">đã nhận</i><script>ổ</script>'
    texts = list(said(page, "en"))
    assert [text.strip() for _, text in texts] == ["thiếu", "Hạn", "10:45"]
    assert not has_zone(texts[2][0])
    told = '<section><div class="head"><h2>x</h2><span>Giờ GMT+7</span></div><ol><li>10:45</li></ol></section>'
    assert [has_zone(element) for element, text in said(told, "vi") if TIME.search(text)] == [True]


def test_the_tour_leads_to_every_page(toured: Tour) -> None:
    paths = {
        path.partition("?")[0] for path in (*toured.office, *toured.parts, *toured.units, *toured.own, *toured.half)
    }
    routes = {route.path for route in declared(toured.desk) if "GET" in route.methods} - NO_PAGES
    nothing(route for route in routes if not any(compile_path(route)[0].fullmatch(path) for path in paths))


def test_an_english_page_has_no_vietnamese_but_what_the_office_wrote(toured: Tour) -> None:
    own = sorted({word.casefold() for word in kept_words(toured.desk.rows().values()) if VIETNAMESE.search(word)})
    own.sort(key=len, reverse=True)
    found = []
    for path, page in shown(toured, "en").pages.items():
        for element, text in said(page, "en"):
            left = " ".join(text.split()).casefold()
            for word in own:
                left = left.replace(" ".join(word.split()), "")
            found += [f"{path} <{element.tag}>: {left}"] if VIETNAMESE.search(left) else []
    nothing(found)


def test_no_page_shows_a_code_instead_of_its_words(pages: Shown) -> None:
    known = catalogue(pages.lang)
    nothing(
        f"{path} <{element.tag}>: {code}"
        for path, page in pages.pages.items()
        for element, text in said(page, pages.lang)
        for code in CODE.findall(text)
        if code in known or code.split(".")[0] in heads()
    )


@cache
def heads() -> frozenset[str]:
    return frozenset(key.split(".")[0] for key in catalogue("vi") if CODE.fullmatch(key))


def test_every_time_of_day_says_its_zone(pages: Shown) -> None:
    nothing(
        f"{path} <{element.tag}>: {' '.join(text.split())}"
        for path, page in pages.pages.items()
        for element, text in said(page, pages.lang)
        if TIME.search(text) and not has_zone(element)
    )


def has_zone(element: Element) -> bool:
    """In its own line, or in the head of the part of the page in which it stands."""
    for each in element.around():
        if each.tag in BLOCKS and ZONE in each.text:
            return True
        if each.tag in {"section", "main", "article"}:
            heads = (one for one in each.inside if isinstance(one, Element) and one.tag in {"div", "header"})
            if any("head" in one.given.get("class", "") and ZONE in one.text for one in heads):
                return True
    return False

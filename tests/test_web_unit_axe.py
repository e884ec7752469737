"""Can everybody use a unit's pages? axe finds nothing on any of them, by day and by night, in both languages."""

from datetime import date

import pytest
from playwright.sync_api import Browser
from sqlmodel import col, select

from engine import ask, submit
from models.files import StoredFile
from models.link import Link
from models.submission import Submission
from tests.builders import ANSWERS, ZONE, act_of, at
from tests.desk import Desk
from tests.test_web_axe import desk, faults, press
from tests.test_web_behind import behind
from tests.test_web_duties import duties
from tests.test_web_wrong_person import letter_token

__all__ = ["desk"]
ZALO = "Mozilla/5.0 (Linux; Android 13) AppleWebKit/537.36 Chrome/120 Mobile Zalo android/12"
FILE = StoredFile("Báo cáo.pdf", "0" * 64, 48, "application/pdf")


def asked(desk: Desk, unit: str) -> None:
    """The unit asks for more time, and its contact says that it is not them."""
    with desk.database.writing() as session:
        link = session.exec(select(Link).where(col(Link.task_id) == desk.task_id(unit))).one()
        day, now = date(2022, 1, 14), at("2022-01-05")
        ask.ask_extension(session, link, until=day, reason="Bão", now=now, zone=ZONE)
        ask.correct_contact(session, link, name="Văn thư mới", email="", note="", now=now)


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_axe_finds_nothing_on_a_units_pages(desk: Desk, browser: Browser, lang: str) -> None:
    plain, returned = desk.link("doan-khoi"), desk.link("syt")
    asked(desk, "syt")
    given = {"answers": ANSWERS, "files": [FILE], "key": "k", "by": "contact:1"}
    act_of(desk.database, submit.submit, desk.task_id("cam"), "2022-01-05", **given)  # type: ignore[arg-type]
    code = desk.all_of(Submission)[-1].receipt
    paths = [plain, returned, *(f"{link}/{page}" for link in (plain, returned) for page in ("extension", "contact"))]
    paths += [duties(desk, "syt"), duties(desk, "stc"), duties(desk, "snv")]
    paths += [f"/not-me/{letter_token(desk, unit)}" for unit in ("stc", "syt")]
    chased = behind(desk)
    paths += [chased, "/verify", "/verify?code=AAAA-BBBB-CCCC", f"/verify?code={code}&hash={'0' * 64}"]
    found = []
    with desk.served() as url:
        page = browser.new_context(locale="vi-VN", reduced_motion="reduce", user_agent=ZALO).new_page()
        for path in paths:
            page.goto(f"{url}{path}{'&' if '?' in path else '?'}lang={lang}")
            found += faults(page)
        for path in (plain, f"{plain}/extension", chased):
            page.goto(url + path)
            press(page, "form button.main >> nth=0")  # empty: what is wrong stands on the page
            found += faults(page)
    assert not found, "\n".join(found)

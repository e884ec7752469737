"""Can an admin put a letter into the office's own words, with JavaScript and without?"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from models.wording import in_use
from tests.desk import sqlite_desk
from tests.test_web_browser import PHONE, SCREEN, Office

WITH_AND_WITHOUT = pytest.mark.parametrize("java_script_enabled", [True, False], ids=["js", "no-js"])


@pytest.fixture
def office(browser: Browser, sqlite_template: Path, tmp_path: Path) -> Iterator[Office]:
    with sqlite_desk(sqlite_template, tmp_path) as desk, desk.served() as url:
        office = Office(desk, url, browser, [])
        yield office
        for context in browser.contexts:
            context.close()
        assert office.faults == []


def used(office: Office) -> dict[tuple[str, str], str]:
    with office.desk.database.reading() as session:
        return in_use(session)


@WITH_AND_WITHOUT
def test_words_are_written_mended_looked_at_used_and_taken_back(office: Office, java_script_enabled: bool) -> None:
    page = office.open("/messages", java_script_enabled=java_script_enabled, **SCREEN)
    page.get_by_role("link", name="Lời thư").click()
    page.get_by_role("row", name="Quá hạn").get_by_role("link").first.click()
    words = page.get_by_label("Tiêu đề và nội dung")
    words.fill("{{ late }}: {{ titel }}\n\nXin nộp ngay.")
    page.get_by_role("button", name="Dùng lời này").click()
    expect(page.locator("#problems")).to_contain_text("Dòng 1: thư này không có “titel”; có phải “title”?")
    expect(words).to_have_value("{{ late }}: {{ titel }}\n\nXin nộp ngay.")
    words.fill("{{ late }}: {{ title }}\n\nXin {{ unit }} nộp ngay.")
    page.get_by_role("button", name="Xem trước").click()
    for letter in page.locator("pre.letter").all():
        expect(letter).to_contain_text(re.compile(r"Xin [^{}]+ nộp ngay\."))
    assert used(office) == {}
    page.get_by_role("button", name="Dùng lời này").click()
    expect(page.get_by_role("status").filter(has_text="đổi lời thư")).to_be_visible()
    assert list(used(office)) == [("overdue", "vi")]
    page.get_by_role("button", name="Trở lại lời gốc").click()
    expect(page.get_by_role("status").filter(has_text="trở lại lời thư gốc")).to_be_visible()
    assert used(office) == {}


def test_a_letter_is_looked_at_on_a_phone_and_downloaded_as_its_reader_sees_it(office: Office) -> None:
    phone = office.open(f"/wording/opened/vi?task={office.desk.task_id('stc')}", **PHONE)
    assert phone.evaluate("document.documentElement.scrollWidth") == phone.evaluate("innerWidth")
    with phone.expect_download() as download:
        phone.get_by_role("link", name="Tải thư như người nhận thấy").tap()
    assert "Mở nhận báo cáo" in Path(download.value.path()).read_text("utf-8")

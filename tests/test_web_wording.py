"""Can an admin look at every letter, change its words, and take them back, and nobody else?"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlmodel import col, select

from models.entry import Entry
from models.user import UserRole
from models.wording import Wording, in_use
from notifications.wording import KINDS, shipped
from tests.desk import Desk, sqlite_desk

PLACE = "/wording/overdue/vi"
OWN = "{{ late }}: {{ title }}\n\nKính đề nghị {{ unit }} nộp ngay."


@pytest.fixture
def desk(sqlite_template: Path, tmp_path: Path) -> Iterator[Desk]:
    with sqlite_desk(sqlite_template, tmp_path) as desk:
        yield desk


def used(desk: Desk) -> dict[tuple[str, str], str]:
    with desk.database.reading() as session:
        return in_use(session)


def test_every_kind_can_be_looked_at_in_both_languages(desk: Desk) -> None:
    kinds = desk.get("/wording").text
    for kind in KINDS:
        for lang in ("vi", "en"):
            assert f'href="/wording/{kind}/{lang}"' in kinds
            page = desk.get(f"/wording/{kind}/{lang}")
            assert page.status_code == 200
            assert shipped(kind, lang).splitlines()[-1][:30] in page.text.replace("&#39;", "'")


@pytest.mark.parametrize("path", ["/wording/nothing/vi", "/wording/overdue/fr", "/wording/nothing/vi/letter.html"])
def test_what_is_no_letter_is_not_found(desk: Desk, path: str) -> None:
    assert desk.get(path).status_code == 404


def test_looking_shows_the_letter_with_what_was_typed_and_changes_nothing(desk: Desk) -> None:
    before = desk.rows()
    page = desk.post(PLACE, {"act": "look", "text": OWN})
    assert page.status_code == 200
    assert re.search(r"Kính đề nghị (Chi bộ|Đảng bộ|Đoàn) [^{}]+ nộp ngay\.", page.text)
    assert "Kính đề nghị {{ unit }} nộp ngay." in page.text
    assert "chưa lưu" in page.text
    assert desk.rows() == before


def test_own_words_are_in_use_until_the_shipped_ones_come_back_and_the_history_stays(desk: Desk) -> None:
    saved = desk.post(PLACE, {"act": "save", "text": OWN})
    assert (saved.status_code, saved.headers["location"].partition("?")[0]) == (303, PLACE)
    assert used(desk) == {("overdue", "vi"): OWN}
    page = desk.get(saved.headers["location"]).text
    assert "đổi lời thư" in page
    assert "lời của văn phòng" in page
    assert desk.post(f"{PLACE}/restoration").status_code == 303
    assert used(desk) == {}
    with desk.database.reading() as session:
        kept = session.exec(select(Wording)).one()
        acts = session.exec(select(Entry.act).where(col(Entry.act).startswith("wording"))).all()
    assert (kept.text, kept.is_used) == (OWN, False)
    assert acts == ["wording_changed", "wording_restored"]
    assert "Kính đề nghị {{ unit }} nộp ngay." in desk.get(f"{PLACE}?version={kept.id}").text
    assert "quá hạn (vi)" in desk.get("/journal").text


def test_what_cannot_be_used_is_told_by_its_line_and_stays_typed(desk: Desk) -> None:
    wrong = "{{ late }}: {{ titel }}\n\n{{ 7 * 7 }}{% for x in y %}{% endfor %}"
    for act in ("look", "save"):
        page = desk.post(PLACE, {"act": act, "text": wrong})
        assert page.status_code == 422
        assert "Dòng 1: thư này không có “titel”; có phải “title”?" in page.text
        assert "Dòng 3: không dùng được “mul”" in page.text
        assert "{{ 7 * 7 }}" in page.text
        assert "<pre" in page.text  # the letter as it goes out until this is mended
    assert used(desk) == {}


def test_the_letter_of_a_task_is_shown_and_one_without_is_not_made_up(desk: Desk) -> None:
    told, silent = desk.task_id("stc"), 99999
    page = desk.get(f"/wording/opened/vi?task={told}").text
    assert "Chi bộ Sở Tài chính" in page
    assert "••••••••" in page
    assert "[[link:" not in page
    assert f'href="/tasks/{told}"' in page
    for task in (silent, "x", "9" * 30, "0", "-1"):
        assert "Không có gì để báo" in desk.get(f"/wording/opened/vi?task={task}").text
        assert desk.get(f"/wording/opened/vi/letter.html?task={task}").status_code == 404


def test_the_letter_comes_as_a_file_of_its_own(desk: Desk) -> None:
    letter = desk.get("/wording/overdue/en/letter.html")
    assert letter.headers["content-disposition"] == 'attachment; filename="overdue.en.html"'
    assert letter.text.startswith("<!doctype html>")


def test_words_are_changed_by_an_admin_of_everything_alone(desk: Desk) -> None:
    headers = desk.into_real_time()
    for role in (UserRole.VIEWER, UserRole.REVIEWER, UserRole.SECRETARIAT):
        assert desk.seen_by(role).get("/wording").status_code == 403, role
    below = desk.seen_by(UserRole.ADMIN, "snv")
    assert below.get(PLACE).status_code == 200
    assert "Dùng lời này" not in below.get(PLACE).text
    assert below.post(PLACE, {"act": "look", "text": OWN}).status_code == 200
    assert below.post(PLACE, {"act": "save", "text": OWN}).status_code == 403
    assert below.post(f"{PLACE}/restoration").status_code == 403
    assert used(desk) == {}
    assert desk.post(PLACE, {"act": "save", "text": OWN}, headers=headers).status_code == 303
    assert "admin None" in desk.get(PLACE, headers=headers).text  # who changed it


def test_an_admin_of_a_part_sees_letters_to_their_own_units_alone(desk: Desk) -> None:
    desk.into_real_time()
    below = desk.seen_by(UserRole.ADMIN, "snv")
    assert "Đảng bộ Sở Nội vụ" in below.get(f"/wording/opened/vi?task={desk.task_id('snv')}").text
    assert "Không có gì để báo" in below.get(f"/wording/opened/vi?task={desk.task_id('stc')}").text


@pytest.mark.parametrize("text", ["", "\0", "{{", "{% raw %}", "{#", "x" * 5000, "{{ late }}\n{{ reason }}"])
def test_whatever_is_typed_gets_an_answer(desk: Desk, text: str) -> None:
    for act in ("look", "save", ""):
        page = desk.post(PLACE, {"act": act, "text": text, "task": "x"})
        assert page.status_code == 422
        assert 'id="problems"' in page.text
    assert used(desk) == {}

"""Does every letter read as it should, in both languages, on paper and in a chat, whatever there is to say?"""

import pytest

from dondoc.i18n import LANGUAGES
from notifications import brief
from notifications.specimen import specimens
from notifications.wording import KINDS
from tests.letters import GOLDEN, rendered, texts


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_letter_is_the_golden_one(kind: str, lang: str) -> None:
    for name, text in texts(kind, lang).items():
        assert (GOLDEN / name).read_text("utf-8") == text, f"{name}: see bin/golden"


def test_every_golden_letter_is_still_written() -> None:
    kept = {path.name for path in GOLDEN.iterdir()}
    assert kept == {name for kind in KINDS for lang in LANGUAGES for name in texts(kind, lang)}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_letter_reads_well_in_every_state(kind: str, lang: str) -> None:
    for each in specimens(kind, lang):
        letter = rendered(each)
        assert letter.subject == " ".join(letter.subject.split())
        assert each.contact.name in letter.text
        assert each.contact.name in letter.short
        for text in (letter.subject, letter.text, letter.html, letter.short):
            assert "None" not in text
            assert "{" not in text
            assert "\n\n\n\n" not in text


@pytest.mark.parametrize("kind", KINDS)
def test_what_goes_to_a_chat_fits_there_with_its_links_and_has_the_way_to_the_rest(kind: str) -> None:
    for lang in LANGUAGES:
        for each in specimens(kind, lang):
            letter = rendered(each)
            assert brief.length(letter.short) <= brief.MOST
            assert "https://dondoc.example.org/" in letter.short.splitlines()[-1]
            assert letter.short.startswith(letter.subject[:100])


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"digest", "bounced"}))
def test_a_letter_names_the_document_and_the_clause(kind: str) -> None:
    for each in specimens(kind, "vi"):
        letter = rendered(each)
        for text in (letter.text, letter.html, letter.short):
            assert "Kế hoạch của Ban Thường vụ Đảng ủy Khối thực hiện Kết luận số 01-KL/TW, mục II.8.3." in text


def test_units_behind_are_named_and_of_a_very_long_list_the_rest_is_a_page_away() -> None:
    three, _, many, _ = specimens("chased", "vi")
    for text in (rendered(three).text, rendered(three).html, rendered(three).short):
        for unit in ("Chi bộ Sở Tài chính", "Đảng bộ Sở Nội vụ", "Đảng bộ Sở Y tế"):
            assert unit in text
    letter = rendered(many)
    assert "130 đơn vị chưa nộp" in letter.subject
    assert "100. " in letter.text
    assert "101. " not in letter.text
    assert "… và 30 đơn vị nữa: https://dondoc.example.org/k/[[link:-1]]#cycle-1" in letter.text
    assert ">và 30 đơn vị nữa</a>" in letter.html
    assert "và 118 đơn vị nữa" in letter.short


def test_a_digest_groups_lists_by_obligation_what_was_due_first_first() -> None:
    behind = specimens("digest", "vi")[1]
    later = [each for each in behind.waiting if each.cycle.id == 2]
    text = rendered(behind).text
    assert text.index("Báo cáo kết quả hằng năm") < text.index("Sơ kết ba năm")
    assert len(later) == 2
    assert "3 đơn vị cần đôn đốc ở 2 đợt báo cáo" in text


def test_a_digest_of_forty_reports_names_what_fits_and_says_how_many_are_left() -> None:
    many = specimens("digest", "vi")[4]
    letter = rendered(many)
    assert letter.text.count("/s/[[link:") == 40
    named = letter.short.count("/s/[[link:")
    assert 5 < named < 40
    assert letter.short.splitlines()[-1] == f"… và {40 - named} việc nữa: https://dondoc.example.org/u/[[link:0]]"


def test_what_all_parts_of_a_digest_say_alike_is_said_once() -> None:
    many = specimens("digest", "vi")[4]
    assert rendered(many).text.count("đã mở nhận báo cáo này") + rendered(many).text.count("trân trọng nhắc") == 1

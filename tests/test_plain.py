"""Does a mail that is made of a kept page say in plain words what the mail would have said?"""

import re

import pytest

from dondoc.i18n import LANGUAGES
from notifications.plain import plain
from notifications.specimen import specimens
from notifications.wording import KINDS
from tests.letters import rendered


def words(text: str) -> list[str]:
    """In their order, without what only sets them apart."""
    text = re.sub(r"^(=+|--)$|^> |^[0-9]+\. ", "", text, flags=re.MULTILINE)
    return re.sub(r"[\[\]…]|:(?=\s)", " ", text).split()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_page_of_a_letter_has_every_word_of_its_text_in_its_order(kind: str, lang: str) -> None:
    for each in specimens(kind, lang):
        letter = rendered(each)
        assert words(plain(letter.html)) == words(letter.text)


def test_it_keeps_the_lines_of_a_letter() -> None:
    letter = rendered(specimens("digest", "vi")[2])
    lines = plain(letter.html).splitlines()
    assert lines[2:4] == [letter.subject, "=" * min(len(letter.subject), 72)]
    assert "" in lines[4:]
    for line in letter.text.splitlines():
        if ": http" in line and not line.startswith("…"):
            assert line in lines

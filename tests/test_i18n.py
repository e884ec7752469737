"""Are the words right, also beside a number?"""

import pytest

from dondoc.i18n import translate


@pytest.mark.parametrize(
    ("n", "words"), [(0, "0 units"), (1, "1 unit"), ("1", "1 unit"), (2, "2 units"), ("1.024", "1.024 units")]
)
def test_an_english_word_beside_a_number_takes_its_form(n: object, words: str) -> None:
    assert translate("{n} đơn vị", "en", n=n) == words
    assert translate("{n} đơn vị", "vi", n=n) == f"{n} đơn vị"

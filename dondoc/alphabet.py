"""In which order do Vietnamese names stand, and when are two of them the same without accents?"""

import re
import unicodedata
from functools import lru_cache
from typing import Final

# A letter with a hat or a horn is a letter of its own, after the plain one; the five tones only break ties.
_LETTERS: Final = {letter: place for place, letter in enumerate("aăâbcdđeêfghijklmnoôơpqrstuưvwxyz", start=ord("a"))}
_TONES: Final = {mark: place for place, mark in enumerate("\u0300\u0309\u0303\u0301\u0323", start=1)}
_NUMBER: Final = re.compile(r"(\d+)")


def plain(text: str) -> str:
    """Lower case, without accents, đ as d, one space between words: what a search compares."""
    bare = "".join(mark for mark in unicodedata.normalize("NFD", text.lower()) if not unicodedata.combining(mark))
    return " ".join(bare.replace("đ", "d").split())


@lru_cache(maxsize=10_000)
def order(text: str) -> tuple[object, ...]:
    """A sort key: â after ă after a, đ after d, tones last, numbers as numbers (Chi bộ 2 before Chi bộ 10)."""
    letters: list[tuple[int, int, str]] = []
    tones: list[int] = []
    for part in _NUMBER.split(unicodedata.normalize("NFC", text.lower())):
        if part.isdecimal():
            letters.append((0, int(part), ""))
            continue
        for letter in part:
            bare, tone = _untoned(letter)
            letters.append((1, _LETTERS[bare], "") if bare in _LETTERS else (0, -1, bare))
            tones.append(tone)
    return tuple(letters), tuple(tones), text


def _untoned(letter: str) -> tuple[str, int]:
    marks = unicodedata.normalize("NFD", letter)
    tone = next((_TONES[mark] for mark in marks if mark in _TONES), 0)
    return unicodedata.normalize("NFC", "".join(mark for mark in marks if mark not in _TONES)), tone

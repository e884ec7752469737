"""How does a letter fit into a chat? Subject, what is asked, the day, and the link that always stays."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from notifications.item import Phrases

if TYPE_CHECKING:
    from notifications.render import Section

MOST: Final = 2_000  #: characters of a message in Zalo, once its links are filled in
NAMED: Final = 12  #: units of one list that a chat names
_QUOTE: Final = 400  #: characters of a reason
_SUBJECT: Final = 240
_TITLE: Final = 160
#: Stands for a token: a number of up to ten digits, a dash, and 256 bits in base 64.
_TOKEN: Final = "x" * 54
_LINK: Final = re.compile(r"\[\[link:-?[0-9]+\]\]")


def short(letter: Mapping[str, Any], phrases: Phrases) -> str:
    """Of the same parts as the letter. What is too long is cut, and says so; the link to the whole stays."""
    sections: Sequence[Section] = letter["sections"]
    subject = _cut(letter["subject"], _SUBJECT)
    greeting = " ".join([phrases.say("Kính gửi {name}.", name=letter["name"]), *letter["words"].split()])
    if len(sections) == 1:
        return _one(subject, greeting, sections[0], phrases)
    rest = letter["all_duties"] or letter["below"] or letter["board"]
    return _several(subject, greeting, [_line(each, phrases) for each in sections], rest, phrases)


def length(text: str) -> int:
    """As a chat counts: composed characters, each link as long as it will be."""
    return len(unicodedata.normalize("NFC", _LINK.sub(_TOKEN, text)))


def _one(subject: str, greeting: str, section: "Section", phrases: Phrases) -> str:
    end = [f"{label}: {value}" for label, value in section.facts]
    end += [_rows(section, phrases)] if section.rows else []
    link = f"{section.action}: {section.href}"
    quote = [phrases.say("Lý do trả lại:") + f" {_cut(section.quote, _QUOTE)}"] if section.quote else []
    notes = [note for note in section.notes if note]
    while True:
        text = "\n".join([subject, "", greeting, *quote, *end, *notes, link])
        if length(text) <= MOST:
            return text
        if notes:
            notes.pop()
        else:
            spare = MOST - length("\n".join([subject, "", "", *quote, *end, link]))
            return "\n".join([subject, "", _cut(greeting, max(spare, 1)), *quote, *end, link])


def _several(subject: str, greeting: str, lines: Sequence[str], rest: str, phrases: Phrases) -> str:
    head = f"{subject}\n\n{_cut(greeting, 2 * _QUOTE)}"
    for shown in range(len(lines), -1, -1):
        left = len(lines) - shown
        more = [phrases.say("… và {n} việc nữa: {link}", n=left, link=rest)] if left else []
        text = "\n".join([head, *(f"{number}. {line}" for number, line in enumerate(lines[:shown], 1)), *more])
        if length(text) <= MOST:
            return text
    raise AssertionError("expected the head of a message to fit")


def _line(section: "Section", phrases: Phrases) -> str:
    """One thing of several: its state, what it is, by when, and its link."""
    told = [f"{section.status}: {_cut(section.title, _TITLE)}"]
    if section.quote:
        told.append(_cut(section.quote, _QUOTE // 2))
    told += [f"{label}: {value}" for label, value in section.facts[:1]]
    told += [_rows(section, phrases)] if section.rows else []
    return "\n   ".join([*told, section.href])


def _rows(section: "Section", phrases: Phrases) -> str:
    """The names of the units, one after the other; how many are left out."""
    named = [_cut(row.unit, _TITLE // 2) for row in section.rows[:NAMED]]
    left = len(section.rows) - len(named) + section.rows_left
    more = [phrases.say("và {units} nữa", units=phrases.units(left))] if left else []
    return "; ".join([*named, *more])


def _cut(text: str, most: int) -> str:
    text = " ".join(unicodedata.normalize("NFC", text).split())
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"

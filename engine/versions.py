"""What differs between two versions of a report? Field by field, files by their content."""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from models.submission import Review, ReviewVerdict, Submission, SubmissionFile
from schedules.plan import Field

_WORDS: Final = re.compile(r"\s+|[^\s]+")
MAX_WORDS: Final = 1_200  #: words and gaps of both texts together; longer ones are shown whole, not word by word


class Change(StrEnum):
    SAME = "same"
    NEW = "new"
    GONE = "gone"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Words:
    """A piece of a text: as it was on both sides, or on one of them alone."""

    change: Change
    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """One field in both versions; `old` and `new` are the pieces of its text on either side."""

    name: str
    field: Field | None  #: None: the plan of the cycle does not know it
    change: Change
    was: object
    now: object
    old: tuple[Words, ...]
    new: tuple[Words, ...]


@dataclass(frozen=True, slots=True)
class File:
    change: Change
    old: SubmissionFile | None
    new: SubmissionFile | None


@dataclass(frozen=True, slots=True)
class Comparison:
    answers: tuple[Answer, ...]
    files: tuple[File, ...]

    @property
    def changes(self) -> int:
        """How many fields and files differ."""
        changes = [each.change for each in self.answers] + [each.change for each in self.files]
        return len(changes) - changes.count(Change.SAME)


def base_of(versions: Sequence[Submission], reviews: Mapping[int, Sequence[Review]], number: int) -> Submission | None:
    """What a version is compared with unless somebody says otherwise.

    The last one before it that was accepted, else the last before it that was not withdrawn; None for the first.
    """
    before = [each for each in versions if each.number < number and not each.is_withdrawn]
    accepted = [
        each for each in before if any(review.verdict == ReviewVerdict.ACCEPTED for review in reviews.get(each.id, ()))
    ]
    return max(accepted or before, key=lambda each: each.number, default=None)


def compare(
    fields: Sequence[Field],
    old: Submission,
    new: Submission,
    files: Mapping[int, Sequence[SubmissionFile]],
) -> Comparison:
    """The fields in the plan's order, then what only the versions know; files that are the same by content."""
    known = {field.name: field for field in fields}
    names = dict.fromkeys((*known, *old.answers, *new.answers))
    answers = tuple(_answer(name, known.get(name), old.answers.get(name), new.answers.get(name)) for name in names)
    return Comparison(answers, tuple(_files(files.get(old.id, ()), files.get(new.id, ()))))


def _answer(name: str, field: Field | None, was: Any, now: Any) -> Answer:
    if was == now:
        pieces = (Words(Change.SAME, str(now)),) if now is not None else ()
        return Answer(name, field, Change.SAME, was, now, pieces, pieces)
    change = Change.NEW if was is None else Change.GONE if now is None else Change.CHANGED
    old, new = _pieces("" if was is None else str(was), "" if now is None else str(now))
    return Answer(name, field, change, was, now, old, new)


def _pieces(was: str, now: str) -> tuple[tuple[Words, ...], tuple[Words, ...]]:
    left, right = _WORDS.findall(was), _WORDS.findall(now)
    if not left or not right or len(left) + len(right) > MAX_WORDS:
        return _whole(was, Change.GONE), _whole(now, Change.NEW)
    old: list[Words] = []
    new: list[Words] = []
    for step, start, end, first, last in difflib.SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        is_same = step == "equal"
        old += _whole("".join(left[start:end]), Change.SAME if is_same else Change.GONE)
        new += _whole("".join(right[first:last]), Change.SAME if is_same else Change.NEW)
    return tuple(old), tuple(new)


def _whole(text: str, change: Change) -> tuple[Words, ...]:
    return (Words(change, text),) if text else ()


def _files(old: Sequence[SubmissionFile], new: Sequence[SubmissionFile]) -> list[File]:
    """Those of the new version first, then those that are gone; the same content twice is paired once."""
    left = list(old)
    found: list[File] = []
    for each in new:
        twin = next((other for other in left if other.hash == each.hash), None)
        if twin is not None:
            left.remove(twin)
        found.append(File(Change.NEW if twin is None else Change.SAME, twin, each))
    return [*found, *(File(Change.GONE, each, None) for each in left)]

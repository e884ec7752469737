"""Which letters differ in names alone? One of them is rendered, and the names are put in: thousands open on one day.

A letter is rendered with marks in place of the names, once with long marks and once with short ones. Where both come to
the same, nothing in it hangs on a name; else, and for names that letters change (odd spaces, signs that are not
composed, great length), each letter is rendered by itself.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from typing import Final

from markupsafe import escape

from models.contact import Contact
from models.task import Task
from models.unit import Unit
from notifications.item import Office
from notifications.render import Rendered, link_mark, render_bundle
from notifications.waiting import ASKING, Waiting

LONGEST: Final = 80  #: characters of a name
FEW: Final = 4  #: so many letters alike are not worth the marks
#: Signs that stand in no name: they cannot be typed nor printed.
_NAME, _UNIT, _REFERENCE = "\ue000", "\ue001", "\ue002"
_REFERENCE_LENGTH: Final = 32
_TASK: Final = 987_654_321
Key = tuple[object, ...] | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a letter is made of, and by what name it goes."""

    contact: Contact
    waiting: tuple[Waiting, ...]
    reference: str


def render_all(wanted: Sequence[Wanted], office: Office) -> list[Rendered]:
    """A letter for each, in their order: the same that each would get by itself."""
    groups: dict[Key, list[Wanted]] = {}
    for each in wanted:
        groups.setdefault(_key(each, office), []).append(each)
    frames: dict[Key, Rendered | None] = {
        key: _frame(group[0], office) for key, group in groups.items() if key and len(group) >= FEW
    }
    return [_render(each, frames.get(_key(each, office)), office) for each in wanted]


def _key(each: Wanted, office: Office) -> Key:
    """What the letter hangs on beside its names; None where there is more to it than one plain notice."""
    first = each.waiting[0]
    notice, names = first.notice, (each.contact.name, first.unit.name)
    if len(each.waiting) > 1 or notice.kind not in ASKING or not first.is_own or first.dead is not None:
        return None
    if office.wordings.texts or not all(_is_plain(name) for name in names):
        return None
    step_id = first.next_step.id if first.next_step is not None else None
    return (each.contact.lang, notice.kind, notice.due_on, first.deadline.id, first.cycle.id, first.office.id, step_id)


def _is_plain(name: str) -> bool:
    return (
        0 < len(name) <= LONGEST
        and name.isprintable()
        and name == " ".join(name.split())
        and unicodedata.is_normalized("NFC", name)
    )


def _frame(each: Wanted, office: Office) -> Rendered | None:
    """The letter with marks of one sign; None when it hangs on how long the names are."""
    long, short = (_marked(each, length, office) for length in (LONGEST, 1))
    marks = {sign * LONGEST: sign for sign in (_NAME, _UNIT)}
    return short if _put_in(long, marks) == short else None


def _marked(each: Wanted, length: int, office: Office) -> Rendered:
    first = each.waiting[0]
    contact = Contact(
        id=each.contact.id, unit_id=each.contact.unit_id, role="", name=_NAME * length, lang=each.contact.lang
    )
    task = Task(**(first.task.model_dump() | {"id": _TASK}))
    unit = Unit(**(first.unit.model_dump() | {"name": _UNIT * length}))
    marked = replace(first, contact=contact, contact_unit=unit, task=task, unit=unit)
    return render_bundle(contact, (marked,), office, _REFERENCE * _REFERENCE_LENGTH)


def _render(each: Wanted, frame: Rendered | None, office: Office) -> Rendered:
    if frame is None:
        return render_bundle(each.contact, each.waiting, office, each.reference)
    first = each.waiting[0]
    return _put_in(
        frame,
        {
            link_mark(_TASK): link_mark(first.task.id),
            _REFERENCE * _REFERENCE_LENGTH: each.reference,
            _NAME: each.contact.name,
            _UNIT: first.unit.name,
        },
    )


def _put_in(letter: Rendered, values: Mapping[str, str]) -> Rendered:
    subject, text, html, short = astuple(letter)
    for mark, value in values.items():
        subject, text, short = subject.replace(mark, value), text.replace(mark, value), short.replace(mark, value)
        html = html.replace(mark, escape(value))
    return Rendered(subject, text, html, short)

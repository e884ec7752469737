"""Is a letter that was made from a frame the one that its contact would get alone?"""

import unicodedata
from dataclasses import replace
from datetime import date

import pytest

from models.contact import Contact
from models.notice import NoticeKind
from models.step import Step
from models.unit import Unit
from notifications.alike import FEW, Wanted, render_all
from notifications.render import render_bundle
from notifications.waiting import ASKING, Waiting
from notifications.wording import Wordings
from tests.builders import at
from tests.notices import OFFICE, person, waiting

NAMES = (
    "Văn thư Chi bộ số 1",
    'ông Đặng <b>Văn</b> & "Cộng sự" o\'',
    "É",
    "{{ unit }} [[link:7]] %s \\1",
    "x" * 80,
    "y" * 300,
    "hai  dấu cách",
    unicodedata.normalize("NFD", "Thế"),
    " ",
)
DAYS = (date(2025, 9, 1), date(2025, 9, 23), date(2025, 9, 30), date(2025, 10, 1), date(2025, 10, 20))


def wanted(kind: NoticeKind, number: int, lang: str, name: str, unit: str) -> Wanted:
    contact = person(number, name=name, lang=lang)
    each = waiting(number, contact, kind=kind, rung="unit.head" if kind == NoticeKind.ESCALATION else "unit.contact")
    step = Step(id=9, deadline_id=1, kind="escalate", ordinal=1, rung="unit.head", on=DAYS[3], at=at("2025-10-01"))
    named = Unit(id=number, code=f"u-{number}", name=unit)
    return Wanted(contact, (replace(each, unit=named, contact_unit=named, next_step=step),), f"{number:032x}")


def alone(each: Wanted, now: date) -> object:
    return render_bundle(each.contact, each.waiting, replace(OFFICE, now=at(now.isoformat())), each.reference)


@pytest.mark.parametrize("lang", ["vi", "en"])
@pytest.mark.parametrize("kind", ASKING)
@pytest.mark.parametrize("now", DAYS)
def test_a_letter_from_a_frame_is_the_letter_alone(kind: NoticeKind, lang: str, now: date) -> None:
    pairs = [(name, unit) for name in NAMES for unit in NAMES]
    letters = [wanted(kind, number, lang, *pair) for number, pair in enumerate(pairs, start=1)]
    assert len(letters) > FEW
    made = render_all(letters, replace(OFFICE, now=at(now.isoformat())))
    assert made == [alone(each, now) for each in letters]


def test_letters_of_different_sorts_keep_their_order_and_their_words() -> None:
    sorts = [(kind, lang) for _ in range(6) for kind in ASKING for lang in ("vi", "en")]
    letters = [
        wanted(kind, number, lang, f"Văn thư {number}", f"Chi bộ {number}") for number, (kind, lang) in enumerate(sorts)
    ]
    both = Wanted(letters[0].contact, (*letters[0].waiting, *letters[1].waiting), "f" * 32)
    receipt = wanted(NoticeKind.OPENED, 99, "vi", "Văn thư", "Chi bộ")
    above: Contact = person(50)
    chased: Waiting = waiting(50, above, kind=NoticeKind.ESCALATION, rung="superior.secretariat")
    letters = [both, *letters, receipt, Wanted(above, (chased,), "e" * 32)]
    assert render_all(letters, OFFICE) == [
        render_bundle(each.contact, each.waiting, OFFICE, each.reference) for each in letters
    ]


def test_an_office_that_speaks_of_names_in_its_own_words_is_heard() -> None:
    own = Wordings({("reminder", "vi"): "{% if name == 'Anh Ba' %}Chào anh{% else %}Chào{% endif %}\nMời xem."})
    office = replace(OFFICE, wordings=own)
    names = ("Anh Ba", "Chị Tư", "Anh Năm", "Cô Sáu", "Chú Bảy", "Dì Tám")
    letters = [wanted(NoticeKind.REMINDER, n, "vi", name, "Chi bộ") for n, name in enumerate(names, start=1)]
    assert [each.subject for each in render_all(letters, office)] == ["Chào anh", *["Chào"] * 5]

"""How does a new plan begin? The text of a whole one with a single obligation, to be written on."""

from dataclasses import dataclass
from typing import Final

from schedules.words import written

_TEXT: Final = """\
plan: {code}
title:
  vi: {vi}
  en: {en}
issuer: {issuer}
calendar: {calendar}
term: {term}

defaults:
  opens: 30 days before due
  roll: none
  at: "08:00"
  grace: 30 days
  remind: [14 days before, 7 days before, 3 working days before, due day]
  escalate:
    - {{after: 1 working day, to: unit.head}}
    - {{after: 3 working days, to: superior.secretariat}}
    - {{after: 10 working days, to: issuer.standing}}

obligations:
  annual-report:
    title: {{vi: Báo cáo năm, en: Yearly report}}
    source: "1"
    set_by: office
    who: {{under: [{issuer}]}}
    every: year
    due: {{end_of: period}}
"""


@dataclass(frozen=True, slots=True)
class Beginning:
    """What a person says of a plan before anything is owed by it."""

    code: str
    vi: str
    en: str
    issuer: str
    calendar: str
    term: str


def skeleton(beginning: Beginning) -> str:
    """A plan file. What was left out stands as it is: the checker says where."""
    said = {name: written(" ".join(getattr(beginning, name).split())) for name in Beginning.__slots__}
    return _TEXT.format(**said)

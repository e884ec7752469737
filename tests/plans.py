"""A small plan that the tests of the loader vary, and what the loader says of it."""

from typing import Final

from schedules import load
from schedules.plan import Obligation, Plan
from schedules.problem import Problem
from schedules.reader import Known

HEAD: Final = """\
plan: tinh-mau
title: {vi: Kế hoạch mẫu, en: Sample plan}
document: {vi: Quyết định mẫu, en: Sample decision}
issuer: van-phong
calendar: vn-state
term: 2021..2025
defaults:
  opens: 30 days before due
  roll: next
  grace: 30 days
  remind: [14 days before, due day]
  escalate: [{after: 1 working day, to: unit.head}]
milestones:
  resolution: {title: {vi: Nghị quyết, en: Resolution}}
obligations:
"""
OWED: Final = """\
  report:
    title: {vi: Báo cáo năm, en: Yearly report}
    source: II.1
    who: {kinds: [chi-bo]}
"""
YEARLY: Final = OWED + "    every: year\n    due: {end_of: Q3}\n"


def taken(text: str) -> Plan:
    plan, problems = load.parse(text.encode(), "plan.yaml")
    assert [each.text("en") for each in problems] == []
    assert plan is not None
    return plan


def owed(lines: str, head: str = HEAD) -> Obligation:
    """The obligation `report` with these lines beside its title, source and audience."""
    return taken(head + OWED + lines).obligation("report")


def refused(text: str | bytes, known: Known | None = None) -> list[str]:
    plan, problems = load.parse(text.encode() if isinstance(text, str) else text, "plan.yaml", known)
    assert plan is None
    return [each.text("en").removeprefix("plan.yaml:") for each in problems]


def checked(data: bytes, name: str) -> list[Problem]:
    return (load.parse if load.sort_of(data) == "plan" else load.parse_calendar)(data, name)[1]

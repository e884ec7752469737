"""Which dates differ? Two texts of a small plan, compared by their compiled days."""

from dataclasses import replace
from datetime import date

from schedules.calendars import Calendar, Day
from schedules.diff import Calendars, Change, Part, Way, compare
from schedules.plan import Text
from schedules.timeline import Timeline, compiled
from tests.builders import vn_state
from tests.plans import HEAD, YEARLY, taken

FIRST = date(2023, 1, 1)


def dates(text: str, calendar: Calendar | None = None) -> Timeline:
    return compiled(taken(text), calendar or vn_state())


def changes(before: str, after: str, first: date = FIRST) -> tuple[Change, ...]:
    return compare(dates(HEAD + before), dates(HEAD + after), first)


def test_the_same_plan_has_no_change() -> None:
    assert changes(YEARLY, YEARLY) == ()


def test_a_new_plan_adds_every_day_from_the_first_one_on() -> None:
    found = compare(None, dates(HEAD + YEARLY), FIRST)
    assert [(each.way, each.period, each.before) for each in found] == [
        (Way.ADDED, "2023", None), (Way.ADDED, "2024", None), (Way.ADDED, "2025", None)
    ]  # fmt: skip


def test_moved_days_come_in_order_with_both_days() -> None:
    found = changes(YEARLY, YEARLY.replace("end_of: Q3", "end_of: M10"))
    days = [(each.before.due_on, each.after.due_on) for each in found if each.before and each.after]
    assert days == [
        (date(2023, 10, 2), date(2023, 10, 31)), (date(2024, 9, 30), date(2024, 10, 31)),
        (date(2025, 9, 30), date(2025, 10, 31)),
    ]  # fmt: skip
    assert {each.way for each in found} == {Way.MOVED}
    assert [each.on for each in found] == [before for before, _ in days]


def test_what_is_past_is_not_named() -> None:
    assert {each.period for each in changes(YEARLY, YEARLY.replace("end_of: Q3", "end_of: M10"))} == {
        "2023", "2024", "2025"
    }  # fmt: skip
    # Due on 02/10/2023 before and on 31/03/2023 now: on the first of June the new day is past.
    found = changes(YEARLY, YEARLY.replace("end_of: Q3", "end_of: Q1"), date(2023, 6, 1))
    assert (found[0].way, found[0].period, found[0].after) == (Way.DROPPED, "2023", None)


def test_a_period_that_is_gone_is_dropped() -> None:
    found = changes(YEARLY, YEARLY + "    in: 2021..2024\n")
    assert [(each.way, each.period, each.after) for each in found] == [(Way.DROPPED, "2025", None)]


def test_who_the_opening_the_grace_and_the_ladder_are_told_apart() -> None:
    def parts(after: str) -> set[tuple[Way, tuple[Part, ...]]]:
        return {(each.way, each.parts) for each in compare(dates(HEAD + YEARLY), dates(after), FIRST)}

    assert parts(HEAD + YEARLY.replace("[chi-bo]", "[dang-bo]")) == {(Way.WHO, (Part.WHO,))}
    assert parts(HEAD.replace("30 days before due", "20 days before due") + YEARLY) == {(Way.LADDER, (Part.OPENING,))}
    assert parts(HEAD.replace("grace: 30 days", "grace: 20 days") + YEARLY) == {(Way.LADDER, (Part.GRACE,))}
    assert parts(HEAD.replace("14 days before", "10 days before") + YEARLY) == {(Way.LADDER, (Part.LADDER,))}


def test_a_ladder_in_working_days_moves_with_the_calendar() -> None:
    text = HEAD.replace("14 days before", "3 working days before") + YEARLY
    off = Day(date(2024, 9, 27), True, Text("Nghỉ", "Off"), "Công văn 12")
    other = replace(vn_state(), days={**vn_state().days, off.on: off})
    found = compare(dates(text), dates(text, other), FIRST, Calendars(vn_state(), other))
    assert [(each.way, each.period, each.parts) for each in found] == [(Way.LADDER, "2024", (Part.LADDER,))]
    assert compare(dates(text), dates(text, other), FIRST) == ()


def test_a_variant_is_a_day_of_its_own() -> None:
    variant = """\
    variants:
      small: {who: {tags: [nho]}, every: year, due: {end_of: M11}, why: II.2}
"""
    found = changes(YEARLY, YEARLY + variant)
    assert {(each.way, each.level) for each in found} == {(Way.ADDED, "small"), (Way.WHO, "")}

"""Is told what a plan surely does not mean? Each remark in its place, and none of what may be meant."""

from pathlib import Path
from typing import Final

import pytest

from schedules import load, shipped
from schedules.calendars import Calendar
from schedules.check import check
from schedules.plan import Text
from tests.plans import HEAD, OWED, YEARLY

#: Saturdays and Sundays are off, and nothing else.
WEEKENDS: Final = Calendar("vn-state", Text("", ""), {}, frozenset(range(1900, 2200)))


def told(text: str, tmp_path: Path) -> list[str]:
    path = tmp_path / "plan.yaml"
    path.write_text(text, encoding="utf-8")
    return [each.text("en").removeprefix(f"{path}:") for each in check(path, None, {"vn-state": WEEKENDS})]


CUT: Final = OWED + "    every: month\n    in: 2025-09..2025-10\n    window: {cutoff_day: 14}\n"


def test_a_due_day_before_the_cut_off_is_an_error(tmp_path: Path) -> None:
    assert told(HEAD + CUT + "    due: {day: 12, of: last_month}\n", tmp_path) == [
        "23:5: error: expected a due day after the data's cut-off 2025-09-14 of 2025-09, got 2025-09-12"
    ]


def test_the_cut_off_of_a_variant_is_looked_at_too(tmp_path: Path) -> None:
    variants = "    variants:\n      early: {who: {tags: [x]}, due: {day: 14, of: last_month, roll: none}}\n"

    assert told(HEAD + CUT + "    due: {day: 20, of: last_month}\n" + variants, tmp_path) == [
        "25:33: error: expected a due day after the data's cut-off 2025-09-14 of 2025-09, got 2025-09-14"
    ]


def test_a_report_may_be_due_before_its_period_ends_when_no_window_is_stated(tmp_path: Path) -> None:
    assert told(HEAD + OWED + "    every: month\n    due: {day: 12, of: last_month}\n", tmp_path) == []


def test_an_escalation_that_comes_after_the_end_in_every_period_is_told(tmp_path: Path) -> None:
    text = HEAD.replace("{after: 1 working day, to: unit.head}", "{after: 10 working days, to: issuer.standing}")

    assert told(text + YEARLY + "    grace: 10 days\n", tmp_path) == [
        (
            "16:3: warning: expected escalations while reports are still taken, got issuer.standing after "
            "10 working days: no period comes so far"
        )
    ]
    assert told(text + YEARLY + "    grace: 14 days\n", tmp_path) == []


def test_reminders_that_fall_on_one_day_in_every_period_are_told(tmp_path: Path) -> None:
    text = HEAD + YEARLY + "    remind: [7 days before, 5 working days before]\n"

    assert told(text, tmp_path) == [
        (
            "22:5: warning: expected reminders on different days, got 7 days before and 5 working days before: "
            "the same day in every period"
        )
    ]
    assert told(text.replace("roll: next", "roll: none"), tmp_path) == []


def test_two_variants_of_the_same_units_are_told(tmp_path: Path) -> None:
    variants = "    variants:\n      one: {who: {tags: [x]}, due: {end_of: Q2}}\n      two: {who: {tags: [x]}}\n"

    assert told(HEAD + YEARLY.replace("year\n", "year\n    in: 2021..2022\n") + variants, tmp_path) == [
        (
            "25:7: warning: expected different units within one obligation, got “one” and “two” of the same units in "
            "2021, 2022"
        )
    ]


def test_two_obligations_of_one_title_for_the_same_units_and_period_are_told(tmp_path: Path) -> None:
    twin = YEARLY.replace("report:", "again:").replace("Báo cáo năm", "BÁO CÁO  năm").replace("Q3", "Q4")

    assert told(HEAD + YEARLY + twin, tmp_path) == [
        (
            "23:5: warning: expected each report once a period, got “report” of the same title and units in "
            "2021, 2022, 2023, 2024, 2025"
        )
    ]
    assert told(HEAD + YEARLY + twin.replace("[chi-bo]", "[dang-bo]"), tmp_path) == []
    assert told(HEAD + YEARLY + twin.replace("year\n", "half\n"), tmp_path) == []
    assert told(HEAD + YEARLY + twin + "    to: btg\n", tmp_path) == []


def test_a_calendar_that_nobody_knows_is_told(tmp_path: Path) -> None:
    assert told(HEAD.replace("vn-state", "vn-mau") + YEARLY, tmp_path) == [
        "5:1: error: expected a calendar that is shipped or applied, got “vn-mau”"
    ]


@pytest.mark.parametrize("path", shipped.plans().values(), ids=lambda path: path.stem)
def test_a_shipped_plan_gives_no_remark(path: Path) -> None:
    calendars = {code: load.read_calendar(each)[0] for code, each in shipped.calendars().items()}
    known = {code: calendar for code, calendar in calendars.items() if calendar is not None}

    assert [each.text("en") for each in check(path, None, known)] == []

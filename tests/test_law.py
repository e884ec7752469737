"""Do the examples of the law come out? Rules and days from decrees and circulars, on the state's calendar."""

from datetime import date
from pathlib import Path
from typing import Final

import pytest

from schedules import load, shipped
from schedules.calendars import Calendar
from schedules.check import check
from schedules.timeline import DueDay, compiled
from tests.plans import HEAD, OWED, refused, taken

#: Same wording in Circular 58/2020/TT-BQP, Circular 05/2023/TT-BYT and Decree 70/2023/NĐ-CP, Art. 27.
WINDOW: Final = "    window: {cutoff_day: 14}\n"
#: Circular 02/2023/TT-BTTTT: who gathers sends after those below it, and all of it before the period ends.
PAIRS: Final = {
    "month": ("{day: 16, of: last_month}", "{day: 15, of: last_month}"),
    "quarter": ("{day: 8, of: last_month}", "{day: 6, of: last_month}"),
    "half": ("{day: 8, of: M6}", "{day: 6, of: M6}"),
    "year": ("{day: 27, of: M11}", "{day: 25, of: M11}"),
}


@pytest.fixture(scope="module")
def calendar() -> Calendar:
    found, problems = load.read_calendar(shipped.calendars()["vn-state"])
    assert problems == []
    assert found is not None
    return found


def written(lines: str, roll: str = "next") -> str:
    return HEAD.replace("roll: next", f"roll: {roll}") + OWED + lines


def only(lines: str, calendar: Calendar, roll: str = "next") -> DueDay:
    """The one due day of a plan with one period."""
    (occurrence,) = compiled(taken(written(lines, roll)), calendar).occurrences
    (day,) = occurrence.days
    assert occurrence.window == day.window
    return day


def pair(every: str, period: str) -> str:
    upper, lower = PAIRS[every]
    only_half = "    only: [H1]\n" if every == "half" else ""
    return (
        f"    every: {every}\n    in: {period}\n{only_half}    due: {upper}\n    levels:\n"
        f"      province: {{who: {{kinds: [so]}}}}\n      base: {{who: {{kinds: [phong]}}, due: {lower}}}\n"
    )


# What the data covers (Decree 09/2019/NĐ-CP and the texts that repeat it)


@pytest.mark.parametrize(
    ("every", "period", "first", "end"),
    [
        ("month", "2026-10", date(2026, 9, 15), date(2026, 10, 15)),
        ("month", "2026-01", date(2025, 12, 15), date(2026, 1, 15)),
        ("quarter", "2026-Q1", date(2025, 12, 15), date(2026, 3, 15)),
        ("quarter", "2026-Q4", date(2026, 9, 15), date(2026, 12, 15)),
        ("half", "2026-H1", date(2025, 12, 15), date(2026, 6, 15)),
        ("half", "2026-H2", date(2026, 6, 15), date(2026, 12, 15)),
        ("nine_months", "2026-9M", date(2025, 12, 15), date(2026, 9, 15)),
        ("year", "2026", date(2025, 12, 15), date(2026, 12, 15)),
    ],
)
def test_the_standard_windows_end_with_the_14th(
    every: str, period: str, first: date, end: date, calendar: Calendar
) -> None:
    lines = f"    every: {every}\n    in: {period}\n{WINDOW}    due: {{day: 25, of: last_month}}\n"

    assert only(lines, calendar).window == (first, end)


def test_the_social_security_letter_of_2010_cuts_off_on_the_25th_but_in_december_with_the_year(
    calendar: Calendar,
) -> None:
    """Letter 2618/BHXH: cut-off on the 25th, to be sent before the 28th, "except December: cut-off 31/12"."""
    lines = (
        "    every: month\n    in: 2021-11..2021-12\n    window: {cutoff_day: 25}\n"
        "    due: {day: 27, of: last_month, roll: none}\n"
        "    except: {2021-12: {window: {to: {end_of: period}}, due: {day: 5, of: next_month}, why: 2618/BHXH}}\n"
    )

    november, december = compiled(taken(written(lines)), calendar).occurrences

    assert november.window == (date(2021, 10, 26), date(2021, 11, 26))
    assert december.window == (date(2021, 11, 26), date(2022, 1, 1))


# Until when it is sent


@pytest.mark.parametrize(
    ("every", "period", "nominal", "due"),
    [
        ("month", "2026-10", date(2026, 10, 25), date(2026, 10, 26)),
        ("quarter", "2026-Q1", date(2026, 3, 25), date(2026, 3, 25)),
        ("half", "2026-H1", date(2026, 6, 25), date(2026, 6, 25)),
        ("nine_months", "2026-9M", date(2026, 9, 25), date(2026, 9, 25)),
        ("year", "2026", date(2026, 12, 25), date(2026, 12, 25)),
    ],
)
def test_ministries_and_provinces_send_by_the_25th_of_the_last_month(
    every: str, period: str, nominal: date, due: date, calendar: Calendar
) -> None:
    """Decree 09/2019/NĐ-CP, Art. 13. The 25th of October 2026 is a Sunday."""
    day = only(f"    every: {every}\n    in: {period}\n{WINDOW}    due: {{day: 25, of: last_month}}\n", calendar)

    assert (day.nominal_on, day.due_on) == (nominal, due)


def test_two_working_days_after_a_cut_off_before_tet_come_after_tet(calendar: Calendar) -> None:
    """Cut-off on Saturday 14 February 2026; Tết from the 16th to the 20th."""
    lines = f"    every: month\n    in: 2026-02\n{WINDOW}    due: {{after: cutoff, working_days: 2}}\n"

    day = only(lines, calendar)

    assert day.window == (date(2026, 1, 15), date(2026, 2, 15))
    assert day.due_on == date(2026, 2, 24)


def test_the_nine_months_of_khanh_hoa_are_due_two_working_days_after_the_cut_off(calendar: Calendar) -> None:
    lines = f"    every: nine_months\n    in: 2026\n{WINDOW}    due: {{after: cutoff, working_days: 2}}\n"

    assert only(lines, calendar).due_on == date(2026, 9, 16)


def test_the_cut_off_and_the_due_day_need_a_working_day_between_them(calendar: Calendar, tmp_path: Path) -> None:
    """Decree 09/2019/NĐ-CP, Art. 8(5)b. From Saturday the 14th to Sunday the 15th there is none."""
    path = tmp_path / "plan.yaml"
    lines = f"    every: month\n    in: 2026-02..2026-03\n{WINDOW}    due: {{day: 15, of: last_month}}\n"
    path.write_text(written(lines, roll="none"), encoding="utf-8")

    assert [each.text("en").removeprefix(f"{path}:") for each in check(path, None, {"vn-state": calendar})] == [
        (
            "23:5: warning: expected at least one working day from the data's cut-off to the due day "
            "(Decree 09/2019/NĐ-CP, Art. 8(5)), got 2026-02-14 and 2026-02-15 in 2026-02"
        )
    ]


# Levels


@pytest.mark.parametrize(
    ("every", "period", "upper", "lower"),
    [
        ("month", "2025-10", date(2025, 10, 16), date(2025, 10, 15)),
        ("quarter", "2024-Q4", date(2024, 12, 9), date(2024, 12, 6)),
        ("half", "2025", date(2025, 6, 9), date(2025, 6, 6)),
        ("year", "2025", date(2025, 11, 27), date(2025, 11, 25)),
    ],
)
def test_each_level_has_its_own_day(every: str, period: str, upper: date, lower: date, calendar: Calendar) -> None:
    (occurrence,) = compiled(taken(written(pair(every, period))), calendar).occurrences

    assert [(each.level, each.due_on) for each in occurrence.days] == [("province", upper), ("base", lower)]
    assert max(upper, lower) < occurrence.period.end


def test_a_pair_that_the_weekend_makes_one_day_is_refused(calendar: Calendar, tmp_path: Path) -> None:
    """Saturday 6 June 2026 rolls to Monday the 8th, which is the day of the level above."""
    path = tmp_path / "plan.yaml"
    path.write_text(written(pair("half", "2026")), encoding="utf-8")

    assert [each.text("en").removeprefix(f"{path}:") for each in check(path, None, {"vn-state": calendar})] == [
        (
            "24:5: error: expected at least one working day between the levels of report, 2026-H1; "
            "got level “base” on 2026-06-08 and level “province” on 2026-06-08"
        )
    ]


def test_every_period_in_which_a_pair_becomes_one_day_is_told(calendar: Calendar, tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(written(pair("month", "2026")), encoding="utf-8")

    told = [each.params["period"] for each in check(path, None, {"vn-state": calendar})]

    # The 15th is a Sunday, or it is a Saturday: both days move to the same Monday.
    assert told == ["2026-02", "2026-03", "2026-08", "2026-11"]


def test_the_same_pair_holds_when_those_below_go_back_to_the_friday(calendar: Calendar) -> None:
    lines = pair("half", "2026").replace("of: M6}}", "of: M6, roll: previous}}")

    (occurrence,) = compiled(taken(written(lines)), calendar).occurrences

    assert [each.due_on for each in occurrence.days] == [date(2026, 6, 8), date(2026, 6, 5)]


# Days off (Civil Code 2015, Art. 147 and 148)


@pytest.mark.parametrize(
    ("roll", "due"),
    [
        ("none", date(2024, 3, 31)),
        ("next", date(2024, 4, 1)),
        ("previous", date(2024, 3, 29)),
        ("modified_next", date(2024, 3, 29)),
    ],
)
def test_in_the_first_quarter_of_2024_ends_as_the_plan_says(roll: str, due: date, calendar: Calendar) -> None:
    """31 March 2024 is a Sunday: by the Civil Code the day is 1 April, which is not "in the first quarter" any more."""
    assert only("    every: year\n    in: 2024\n    due: {end_of: Q1}\n", calendar, roll).due_on == due


def test_a_plan_must_say_how_it_takes_days_off() -> None:
    assert refused(HEAD.replace("  roll: next\n", "") + OWED + "    every: year\n    due: {end_of: Q1}\n") == [
        "7:1: error: expected the key “roll” here, got none"
    ]


def test_the_first_day_is_not_counted(calendar: Calendar) -> None:
    lines = "    every: month\n    in: 2025-10\n    due: {after: cutoff, days: 10}\n"

    assert only(lines, calendar, "none").due_on == date(2025, 11, 10)

"""Do windows, terms, nine months and requests mean what the language says?"""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dondoc.i18n import say, whole_period
from schedules import load, periods
from schedules.audience import Audience
from schedules.calendars import Calendar
from schedules.periods import Period
from schedules.plan import Anchor, DayOf, Due, LastWorkingDay, Text, Window
from schedules.timeline import NotOpenedError, Occurrence, adhoc, compiled
from schedules.windows import window_of
from tests.plans import HEAD, OWED, YEARLY, owed, taken

ZONE: Final = "Asia/Ho_Chi_Minh"
#: Saturdays and Sundays are off, and nothing else.
WEEKENDS: Final = Calendar("vn-state", Text("", ""), {}, frozenset(range(1900, 2200)))
A_YEAR: Final = st.integers(1901, 2198)
A_CUTOFF: Final = st.none() | st.integers(1, 30)


def occurrences(lines: str) -> tuple[Occurrence, ...]:
    return compiled(taken(HEAD + OWED + lines), WEEKENDS).occurrences


def due_days(lines: str) -> list[tuple[str, date]]:
    return [(each.period.label, each.due_on) for each in occurrences(lines)]


def windows(lines: str) -> list[tuple[date, date]]:
    return [each.window for each in occurrences(lines)]


# Periods


@pytest.mark.parametrize(
    ("cadence", "labels"),
    [
        ("every: nine_months", ["2021-9M", "2022-9M", "2023-9M", "2024-9M", "2025-9M"]),
        ("every: nine_months\n    in: 2022-9M..2023-9M", ["2022-9M", "2023-9M"]),
        ("every: nine_months\n    in: 2022-02..2023-12", ["2023-9M"]),
        ("every: term", ["2021..2025"]),
        ("every: 2 years", ["2021..2022", "2023..2024"]),
        ("every: 5 years\n    in: 2021..2030", ["2021..2025", "2026..2030"]),
        ("every: 3 years\n    in: 2020-07..2026-06", ["2021..2023"]),
        ("once: {period: 2023-9M}", ["2023-9M"]),
    ],
)
def test_a_cadence_names_its_periods(cadence: str, labels: list[str]) -> None:
    assert [each.label for each in owed(f"    {cadence}\n    due: {{end_of: period}}\n").cadence.periods] == labels


def test_a_term_of_one_year_is_that_year() -> None:
    head = HEAD.replace("2021..2025", "2023")

    assert owed("    every: term\n    due: {end_of: period}\n", head).cadence.periods == (periods.parse("2023"),)


def test_fewer_years_than_the_cadence_asks_for_are_no_period() -> None:
    _, problems = load.parse(f"{HEAD}{OWED}    every: 6 years\n    due: {{end_of: period}}\n".encode(), "plan.yaml")

    assert [each.text("en") for each in problems] == [
        "plan.yaml:20:12: error: expected at least one period, no whole 6 years lies within 2021..2025"
    ]


def test_nine_months_begin_with_the_year() -> None:
    nine = periods.parse("2023-9M")

    assert (nine.start, nine.last, nine.part) == (date(2023, 1, 1), date(2023, 9, 30), "9M")
    assert nine.next() == periods.parse("2024-9M") == nine.moved(1)
    with pytest.raises(ValueError, match="expected a day of the first nine months of its year, got 2023-10-01"):
        periods.of("nine_months", date(2023, 10, 1))


@given(A_YEAR)
def test_every_nine_months_read_back_and_hold_their_quarters(year: int) -> None:
    nine = periods.of("nine_months", date(year, 9, 30))

    assert periods.parse(nine.label) == nine
    assert list(periods.within("nine_months", periods.parse(f"{year}"))) == [nine]
    assert [each.part for each in periods.within("quarter", nine)] == ["Q1", "Q2", "Q3"]


@given(first=A_YEAR, length=st.integers(1, 40), count=st.integers(2, 20))
def test_stretches_of_years_tile_from_the_first_year(first: int, length: int, count: int) -> None:
    outer = periods.parse(f"{first}..{min(first + length - 1, 2199)}")
    found = list(periods.years_within(count, outer))

    assert len(found) == (outer.end.year - outer.start.year) // count
    assert all(periods.parse(each.label) == each and outer.covers(each) for each in found)
    assert [each.start for each in found[:1]] == [outer.start] * bool(found)
    assert all(earlier.end == later.start for earlier, later in pairwise(found))


@given(year=A_YEAR, by=st.integers(-20, 20), shape=st.sampled_from(["{}", "{}-H2", "{}-9M", "{}-Q3", "{}-02"]))
def test_a_moved_period_has_the_same_part_of_another_year(year: int, by: int, shape: str) -> None:
    period = periods.parse(shape.format(year))

    assert period.moved(by) == periods.parse(shape.format(f"{year + by:04}"))
    assert periods.span(period, period, f"{period.label}..{period.label}").moved(by).start == period.moved(by).start


def test_a_period_of_years_moves_as_a_whole() -> None:
    assert periods.parse("2021..2023").moved(-1) == periods.parse("2020..2022")
    assert due_days("    every: 3 years\n    due: {end_of: period, year: 1}\n") == [("2021..2023", date(2024, 12, 31))]


def test_a_request_is_the_day_on_which_it_was_made() -> None:
    period = periods.adhoc("lu-lut", date(2025, 10, 3))

    assert period == Period("adhoc", date(2025, 10, 3), date(2025, 10, 4), "adhoc:lu-lut")
    assert period.part == "adhoc:lu-lut"
    with pytest.raises(ValueError, match="what is asked for once has no next period: adhoc:lu-lut"):
        period.next()


@pytest.mark.parametrize(
    ("label", "vi", "en"),
    [
        ("2025", "năm 2025", "2025"),
        ("2025-Q3", "quý III/2025", "Q3 2025"),
        ("2025-08", "tháng 8/2025", "Aug 2025"),
        ("2025-H1", "6 tháng đầu năm 2025", "H1 2025"),
        ("2023-9M", "9 tháng đầu năm 2023", "nine months of 2023"),
        ("adhoc:lu-lut-3", "đột xuất: lu-lut-3", "ad hoc: lu-lut-3"),
        ("2021..2023", "2021–2023", "2021–2023"),
    ],
)
def test_a_period_is_put_into_words(label: str, vi: str, en: str) -> None:
    assert (whole_period(label, "vi"), whole_period(label, "en")) == (vi, en)


# Rules


def test_the_new_rules_are_read() -> None:
    assert owed("    every: year\n    due: {last_working_day_of: Q3, year: 1}\n").cadence.due.rule == LastWorkingDay(
        Anchor("Q3", 1)
    )
    assert owed("    every: year\n    due: {day: last, of: M2}\n").cadence.due == Due(DayOf(None, "M2"))


def test_the_last_working_day_lies_within_its_stretch() -> None:
    assert due_days("    every: month\n    in: 2025-05..2025-08\n    due: {last_working_day_of: period}\n") == [
        ("2025-05", date(2025, 5, 30)),  # the 31st is a Saturday
        ("2025-06", date(2025, 6, 30)),
        ("2025-07", date(2025, 7, 31)),
        ("2025-08", date(2025, 8, 29)),  # the 31st is a Sunday
    ]


def test_the_last_day_of_a_month_is_as_late_as_the_month_is_long() -> None:
    lines = "    every: year\n    in: 2023..2024\n    due: {day: last, of: M2, roll: none}\n"

    assert due_days(lines) == [("2023", date(2023, 2, 28)), ("2024", date(2024, 2, 29))]


def test_a_level_may_have_a_day_and_a_roll_of_its_own() -> None:
    (occurrence,) = occurrences(
        "    every: year\n    in: 2025\n    due: {end_of: M8}\n    levels:\n"  # 31 August 2025 is a Sunday
        "      province: {who: {kinds: [so]}}\n"
        "      base: {who: {kinds: [xa]}, due: {day: 24, of: M8, roll: previous}}\n"  # a Sunday, too
    )

    assert [(each.level, each.due_on) for each in occurrence.days] == [
        ("province", date(2025, 9, 1)),
        ("base", date(2025, 8, 22)),
    ]


def test_an_exception_moves_the_top_of_a_chain_alone() -> None:
    (occurrence,) = occurrences(
        "    every: year\n    in: 2025\n    due: {end_of: M8}\n"
        "    except: {2025: {due: {end_of: M10}, why: II.2}}\n    levels:\n"
        "      province: {who: {kinds: [so]}}\n      base: {who: {kinds: [xa]}, due: {day: 29, of: M8}}\n"
    )

    assert [each.due_on for each in occurrence.days] == [date(2025, 10, 31), date(2025, 8, 29)]


# Windows

MONTHLY: Final = "    every: month\n    in: 2024-11..2025-02\n    due: {after: cutoff, days: 2}\n"


def test_without_a_window_the_data_covers_the_period_and_nothing_is_said_of_it() -> None:
    (occurrence,) = occurrences("    every: year\n    in: 2025\n    due: {after: cutoff, working_days: 2}\n")

    assert occurrence.window == (date(2025, 1, 1), date(2026, 1, 1))
    assert occurrence.due_on == date(2026, 1, 2)
    assert "window" not in {each.code for each in occurrence.days[0].reasons}


def test_a_window_stands_among_the_reasons_in_both_languages() -> None:
    lines = (
        "    every: month\n    in: 2025-09\n    window: {cutoff_day: 14}\n    due: {after: cutoff, working_days: 2}\n"
    )
    (occurrence,) = occurrences(lines)
    reasons = [(each.code, dict(each.params)) for each in occurrence.days[0].reasons]

    assert [say(code, "en", params) for code, params in reasons[:2]] == [
        "Data from Friday 15/08/2025 to the end of Sunday 14/09/2025",
        "2 working days after the data's cut-off (Sunday 14/09/2025): Tuesday 16/09/2025",
    ]
    assert [say(code, "vi", params) for code, params in reasons[:2]] == [
        "Số liệu từ thứ Sáu 15/08/2025 đến hết Chủ nhật 14/09/2025",
        "2 ngày làm việc sau ngày chốt số liệu (Chủ nhật 14/09/2025): thứ Ba 16/09/2025",
    ]


def test_an_exception_says_only_what_differs_of_the_window() -> None:
    found = windows(
        MONTHLY + "    window: {cutoff_day: 14}\n    except:\n"
        "      2024-12: {window: {to: {end_of: period}}, why: II.2}\n"
        "      2025-01: {window: {from: {start_of: period}}, why: II.2}\n"
    )

    assert found == [
        (date(2024, 10, 15), date(2024, 11, 15)),
        (date(2024, 11, 15), date(2025, 1, 1)),
        (date(2025, 1, 1), date(2025, 1, 15)),
        (date(2025, 1, 15), date(2025, 2, 15)),
    ]


def test_an_exception_may_have_a_window_where_the_others_have_none() -> None:
    found = windows(MONTHLY + "    except: {2024-12: {window: {cutoff_day: 20}, why: II.2}}\n")

    assert found[:2] == [(date(2024, 11, 1), date(2024, 12, 1)), (date(2024, 11, 21), date(2024, 12, 21))]


def test_each_period_of_once_may_have_its_window() -> None:
    found = windows(
        "    once: [{period: 2024}, {period: 2025, window: {cutoff_day: 14}}]\n    due: {end_of: M12}\n"
        "    window: {to: {end_of: M11}}\n"
    )

    assert found == [(date(2024, 1, 1), date(2024, 12, 1)), (date(2024, 12, 15), date(2025, 12, 1))]


def test_a_cumulative_window_begins_with_that_of_the_year() -> None:
    assert windows(MONTHLY + "    window: {cutoff_day: 14, cumulative: true}\n") == [
        (date(2023, 12, 15), date(2024, 11, 15)),
        (date(2023, 12, 15), date(2024, 12, 15)),
        (date(2024, 12, 15), date(2025, 1, 15)),
        (date(2024, 12, 15), date(2025, 2, 15)),
    ]


def test_a_variant_has_the_window_of_the_obligation_for_its_own_periods() -> None:
    found = occurrences(
        "    every: year\n    in: 2025\n    due: {after: cutoff, days: 5}\n    window: {cutoff_day: 14}\n"
        "    variants:\n      half: {who: {tags: [x]}, every: half, in: 2025}\n"
        "      other: {who: {tags: [y]}, window: {cutoff_day: 20}}\n"
    )

    assert [(each.period.label, day.level, day.window[1]) for each in found for day in each.days] == [
        ("2025-H1", "half", date(2025, 6, 15)),
        ("2025-H2", "half", date(2025, 12, 15)),
        ("2025", "", date(2025, 12, 15)),
        ("2025", "other", date(2025, 12, 21)),
    ]
    assert found[2].window == (date(2024, 12, 15), date(2025, 12, 21))


def test_the_opening_may_wait_for_the_cut_off() -> None:
    lines = "    every: month\n    in: 2025-09\n    window: {cutoff_day: 14}\n    due: {day: 25, of: last_month}\n"
    (occurrence,) = occurrences(lines + "    opens: {after: cutoff, days: 1}\n")

    assert occurrence.opens_on == date(2025, 9, 15)


@given(year=A_YEAR, cutoff=A_CUTOFF, kind=st.sampled_from(sorted(periods.MONTHS)))
def test_the_windows_of_one_kind_tile(year: int, cutoff: int | None, kind: str) -> None:
    window = Window(cutoff_day=cutoff)
    found = [window_of(window, each) for each in periods.within(kind, periods.parse(f"{year - 1}..{year}"))]

    assert all(start < end for start, end in found)
    assert all(earlier[1] == later[0] for earlier, later in pairwise(found))


@given(year=A_YEAR, cutoff=A_CUTOFF)
def test_cumulative_windows_nest(year: int, cutoff: int | None) -> None:
    window = Window(cutoff_day=cutoff, is_cumulative=True)
    labels = ["01", "02", "Q1", "04", "H1", "Q3", "9M", "10", "12"]
    found = [window_of(window, periods.parse(f"{year}-{label}")) for label in labels]
    whole = window_of(Window(cutoff_day=cutoff), periods.parse(f"{year}"))

    assert {start for start, _ in found} == {whole[0]}
    assert all(earlier[1] <= later[1] for earlier, later in pairwise(found))
    assert found[-1] == whole


@given(year=A_YEAR, cutoff=A_CUTOFF)
def test_the_window_of_nine_months_is_that_of_its_quarters(year: int, cutoff: int | None) -> None:
    window = Window(cutoff_day=cutoff)
    nine = periods.parse(f"{year}-9M")
    quarters = [window_of(window, each) for each in periods.within("quarter", nine)]

    assert window_of(window, nine) == (quarters[0][0], quarters[-1][1])


# Requests

REQUEST: Final = "    every: request\n    due: {after: opened, %s}\n"


def asked(lines: str, opened_at: datetime) -> Occurrence:
    return adhoc(taken(HEAD + OWED + lines), "report", "lu-lut", opened_at, WEEKENDS, ZONE)


def local(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment of October 2025 in Hanoi; the 3rd is a Friday."""
    return datetime(2025, 10, day, hour, minute, tzinfo=ZoneInfo(ZONE)).astimezone(UTC)


def test_a_request_has_no_date_before_it_is_made() -> None:
    plan = taken(HEAD + OWED + REQUEST % "hours: 48")

    assert plan.obligation("report").cadence.is_on_request
    assert compiled(plan, WEEKENDS).occurrences == ()
    assert compiled(plan, WEEKENDS).waiting == ()


def test_hours_run_on_through_days_off_and_the_moment_is_said() -> None:
    occurrence = asked(REQUEST % "hours: 48", local(3, 14, 30))
    (day,) = occurrence.days

    assert occurrence.period.label == "adhoc:lu-lut"
    assert (day.opens_on, day.due_on, day.grace_until) == (date(2025, 10, 3), date(2025, 10, 5), date(2025, 11, 4))
    assert [say(each.code, "en", dict(each.params)) for each in day.reasons[:2]] == [
        (
            "48 hours from the moment of the request (14:30, Friday 03/10/2025), days off included: "
            "by 14:30, Sunday 05/10/2025"
        ),
        "Sunday 05/10/2025 is a day off (weekend); the plan moves nothing, the day stays",
    ]
    assert say(day.reasons[0].code, "vi", dict(day.reasons[0].params)) == (
        "48 giờ kể từ lúc mở yêu cầu (14:30, thứ Sáu 03/10/2025), kể cả ngày nghỉ: trước 14:30, Chủ nhật 05/10/2025"
    )


def test_hours_that_end_at_midnight_end_with_the_day_before() -> None:
    (day,) = asked(REQUEST % "hours: 24", local(6, 0)).days

    assert day.due_on == date(2025, 10, 6)
    assert dict(day.reasons[0].params)["hour"] == "24:00"


def test_the_day_of_a_request_is_the_one_in_the_organisations_zone() -> None:
    (day,) = asked(REQUEST % "days: 1", datetime(2025, 10, 5, 20, tzinfo=UTC)).days

    assert (day.opens_on, day.due_on) == (date(2025, 10, 6), date(2025, 10, 7))


@pytest.mark.parametrize(
    ("distance", "roll", "due"),
    [
        ("working_days: 3", "none", date(2025, 10, 8)),
        ("days: 1", "none", date(2025, 10, 4)),
        ("days: 1", "next", date(2025, 10, 6)),
    ],
)
def test_days_of_a_request_roll_as_the_plan_says(distance: str, roll: str, due: date) -> None:
    lines = REQUEST.replace("%s", f"{distance}, roll: {roll}")

    assert asked(lines, local(3, 14, 30)).due_on == due


def test_some_units_may_have_longer_for_a_request() -> None:
    variant = "    variants: {remote: {who: {tags: [vung-sau]}, due: {after: opened, hours: 96}}}\n"
    main, remote = asked(REQUEST % "hours: 48" + variant, local(6, 8)).days

    assert main.who.minus == (Audience(tags=frozenset({"vung-sau"})),)
    assert (main.due_on, remote.level, remote.due_on) == (date(2025, 10, 8), "remote", date(2025, 10, 10))


def test_some_units_may_owe_on_request_what_others_owe_yearly() -> None:
    variant = "    variants: {asked: {who: {tags: [x]}, every: request, due: {after: opened, days: 5}}}\n"
    lines = "    every: year\n    in: 2025\n    due: {end_of: Q3}\n    opens: {start_of: Q3}\n" + variant

    assert [day.level for each in occurrences(lines) for day in each.days] == [""]
    assert [(day.level, day.opens_on) for day in asked(lines, local(6, 8)).days] == [("asked", date(2025, 10, 6))]


@given(hours=st.integers(1, 720), minutes=st.integers(0, 60 * 24 * 30))
def test_the_hours_of_a_request_end_within_its_due_day(hours: int, minutes: int) -> None:
    opened_at = local(1, 0) + timedelta(minutes=minutes)
    ends_at = (opened_at + timedelta(hours=hours)).astimezone(ZoneInfo(ZONE))
    due_on = asked(REQUEST % f"hours: {hours}", opened_at).due_on
    midnight = datetime.combine(due_on, time.min, ZoneInfo(ZONE))

    assert midnight < ends_at <= midnight + timedelta(days=1)


@pytest.mark.parametrize(
    ("code", "slug", "reason"),
    [
        ("yearly", "lu-lut", "adhoc.not_on_request"),
        ("nothing", "lu-lut", "adhoc.not_on_request"),
        ("report", "Lũ lụt", "adhoc.bad_slug"),
        ("report", "", "adhoc.bad_slug"),
    ],
)
def test_what_cannot_be_opened_is_refused_with_its_reason(code: str, slug: str, reason: str) -> None:
    plan = taken(HEAD + OWED + REQUEST % "hours: 48" + YEARLY.replace("report:", "yearly:"))

    with pytest.raises(NotOpenedError) as refused:
        adhoc(plan, code, slug, local(6, 8), WEEKENDS, ZONE)

    assert refused.value.reason.code == reason
    assert say(reason, "vi", dict(refused.value.reason.params)) != say(reason, "en", dict(refused.value.reason.params))


def test_a_request_outside_of_its_validity_is_refused() -> None:
    with pytest.raises(NotOpenedError, match=r"adhoc\.not_valid"):
        asked(REQUEST % "hours: 48" + "    valid: {to: 2025-10-05}\n", local(6, 8))

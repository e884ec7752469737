"""Is vn-state what was decided, line by line, and does working-day arithmetic over it hold?"""

import os
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from schedules.calendars import Calendar, Day
from schedules.load import read_calendar
from schedules.periods import Period, of, parse
from schedules.plan import Offset, Roll, Text

ROOT = Path(__file__).parents[1]
YEARS = range(2019, 2031)
FIRST, LAST = date(2019, 1, 1), date(2030, 12, 31)
FAR = (date.min, date.max)
ROLLS = [how for how in Roll if how is not Roll.NONE]


def read() -> Calendar:
    calendar, problems = read_calendar(ROOT / "schedules" / "calendars" / "vn-state.yaml")
    assert problems == []
    assert calendar is not None
    return calendar


VN = read()
A_DAY = st.dates(FIRST, LAST)
A_COUNT = st.integers(1, 60)
A_PERIOD = st.builds(of, st.sampled_from(["year", "half", "quarter", "month"]), A_DAY)


def working(count: int) -> Offset:
    return Offset(count, working=True)


def days(text: str) -> list[date]:
    """`2019: 1/1 4/2-8/2` as its days, in the order day/month."""
    found = []
    for line in text.split("\n"):
        year, _, stretches = line.strip().partition(":")
        for stretch in stretches.split():
            first, _, last = stretch.partition("-")
            begin, end = (
                date(int(year), int(month), int(day)) for day, month in (s.split("/") for s in (first, last or first))
            )
            found += [begin + timedelta(days=n) for n in range((end - begin).days + 1)]
    return found


# Every day off of the announced years, holidays on a weekend included, as the decisions have it.
DECIDED_OFF = days("""
    2019: 1/1 4/2-8/2 14/4 15/4 29/4-1/5 2/9
    2020: 1/1 23/1-29/1 2/4 30/4-1/5 2/9
    2021: 1/1 10/2-16/2 21/4 30/4-1/5 3/5 2/9-3/9
    2022: 1/1 3/1 31/1-4/2 10/4-11/4 30/4-3/5 1/9-2/9
    2023: 1/1-2/1 20/1-26/1 29/4-3/5 1/9-2/9 4/9
    2024: 1/1 8/2-14/2 18/4 29/4-1/5 2/9-3/9
    2025: 1/1 27/1-31/1 7/4 30/4-2/5 1/9-2/9
    2026: 1/1-2/1 16/2-20/2 26/4-27/4 30/4-1/5 31/8-2/9 24/11
""")
#: the day off -> the weekend day that was worked for it
SWAPS = {
    date(2018, 12, 31): date(2019, 1, 5),
    date(2019, 4, 29): date(2019, 5, 4),
    date(2024, 4, 29): date(2024, 5, 4),
    date(2025, 5, 2): date(2025, 4, 26),
    date(2026, 1, 2): date(2026, 1, 10),
    date(2026, 8, 31): date(2026, 8, 22),
}
HUNG_KINGS = days("""
    2019: 14/4
    2020: 2/4
    2021: 21/4
    2022: 10/4
    2023: 29/4
    2024: 18/4
    2025: 7/4
    2026: 26/4
    2027: 16/4
    2028: 4/4
    2029: 23/4
    2030: 12/4
""")
FIRST_OF_TET = days("""
    2019: 5/2
    2020: 25/1
    2021: 12/2
    2022: 1/2
    2023: 22/1
    2024: 10/2
    2025: 29/1
    2026: 17/2
    2027: 6/2
    2028: 26/1
    2029: 13/2
    2030: 2/2
""")


@pytest.mark.parametrize("day", DECIDED_OFF, ids=str)
def test_a_day_that_was_decided_off_is_off(day: date) -> None:
    row = VN.row(day)
    assert row is not None
    assert row.off
    assert not VN.is_working(day)


def test_the_announced_years_have_no_other_day_off() -> None:
    assert sorted(day for day, row in VN.days.items() if row.off and day.year <= 2026) == DECIDED_OFF


@pytest.mark.parametrize(("off", "worked"), SWAPS.items(), ids=str)
def test_each_swap_has_its_day_off_and_its_make_up_day_of_one_decision(off: date, worked: date) -> None:
    made_up = VN.days[worked]
    assert worked.weekday() == 5
    assert VN.is_working(worked)
    assert f"{off:%d/%m/%Y}" in made_up.name.vi
    if off >= FIRST:
        taken = VN.days[off]
        assert not VN.is_working(off)
        assert (taken.source, taken.decision) == (made_up.source, made_up.decision)
        assert f"{worked:%d/%m/%Y}" in taken.name.vi


def test_no_other_weekend_day_is_worked() -> None:
    assert {day for day, row in VN.days.items() if not row.off} == set(SWAPS.values())


def test_the_swap_of_new_year_2026_that_packages_lack_is_there() -> None:
    assert not VN.is_working(date(2026, 1, 2))
    assert VN.is_working(date(2026, 1, 10))
    assert VN.days[date(2026, 1, 2)].decision == "12729/VPCP-KGVX ngày 25/12/2025"


def test_the_rows_cover_2019_to_2030_in_order_and_2027_on_is_provisional() -> None:
    assert list(VN.days) == sorted(VN.days)
    assert {day.year for day in VN.days} == set(YEARS)
    assert VN.decided == frozenset(range(2019, 2027))
    assert not VN.is_provisional(date(2026, 12, 31))
    assert VN.is_provisional(date(2027, 1, 1))
    assert VN.is_provisional(date(2018, 12, 31))


@pytest.mark.parametrize("year", YEARS)
def test_the_days_of_the_law_are_present(year: int) -> None:
    rows = {day: row for day, row in VN.days.items() if day.year == year and row.off}
    named = {row.name.vi: day for day, row in rows.items()}
    assert named["Tết Dương lịch"] == date(year, 1, 1)
    assert named["Giỗ Tổ Hùng Vương"] in HUNG_KINGS
    assert named["Ngày Chiến thắng"] == date(year, 4, 30)
    assert named["Ngày Quốc tế lao động"] == date(year, 5, 1)
    assert named["Quốc khánh"] == date(year, 9, 2)
    assert named["Mùng 1 Tết"] in FIRST_OF_TET
    assert named.get("Ngày Văn hóa Việt Nam") == (date(year, 11, 24) if year >= 2026 else None)
    beside = named.get("Nghỉ liền kề Quốc khánh")
    assert beside in ({date(year, 9, 1), date(year, 9, 3)} if year >= 2021 else {None})


@pytest.mark.parametrize("first", FIRST_OF_TET, ids=str)
def test_tet_is_five_days_around_its_first_and_weekend_days_among_them_are_made_up(first: date) -> None:
    tet = [day for day, row in VN.days.items() if day.year == first.year and "Lunar New Year" in row.name.en]
    lieu = [day for day in tet if "nghỉ bù" in VN.days[day].name.vi]
    assert [day - tet[0] for day in tet] == [timedelta(days=n) for n in range(len(tet))]
    assert len(tet) - len(lieu) == 5
    assert first - timedelta(days=1) in tet
    assert first in tet
    assert len(lieu) == sum(day.weekday() > 4 for day in tet)
    assert sum(day.weekday() < 5 for day in tet) == 5
    assert VN.days[first - timedelta(days=1)].name.vi.endswith("Chạp (Giao thừa)")


@pytest.mark.parametrize("year", YEARS)
def test_every_holiday_of_the_labour_code_frees_a_weekday(year: int) -> None:
    freed = [day for day, row in VN.days.items() if day.year == year and row.off and day.weekday() < 5]
    of_the_code = [day for day in freed if day not in SWAPS and (day.month, day.day) != (11, 24)]
    assert len(of_the_code) == (10 if year < 2021 else 11)


def test_a_holiday_on_a_weekend_is_made_up_before_work_begins_again() -> None:
    names = {(day.year, row.name.vi): day for day, row in VN.days.items()}
    lieu = {(year, name): day for (year, name), day in names.items() if name.startswith("Nghỉ bù ")}
    assert len(lieu) == 16
    for (year, name), day in lieu.items():
        holiday = names[year, name.removeprefix("Nghỉ bù ")]
        assert holiday.weekday() > 4
        assert holiday < day < VN.after(holiday, working(1))


def test_no_row_repeats_what_the_weekend_says() -> None:
    for day, row in VN.days.items():
        assert row.on == day
        if row.off and day.weekday() > 4:
            assert "điểm" in row.source or "28/2026/QH16" in row.source, f"{day} is no holiday of a law"
            assert "bù" not in row.name.vi
        if not row.off:
            assert day.weekday() > 4


def test_every_row_names_its_law_or_its_announcement() -> None:
    for day, row in VN.days.items():
        assert row.name.vi
        assert row.name.en
        if "hoán đổi" in row.source:
            assert row.decision
        elif "28/2026/QH16" not in row.source:
            assert row.source.startswith(f"Bộ luật Lao động {2012 if day.year < 2021 else 2019}, Điều 11")


def test_the_package_differs_only_where_the_tool_explains_it() -> None:
    tool = [sys.executable, str(ROOT / "bin" / "compare-holidays")]
    paths = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
    done = subprocess.run(tool, capture_output=True, encoding="utf-8", check=False, env=paths)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Fri 2026-01-02" in done.stdout
    assert "Sat 2026-01-10" in done.stdout


@pytest.mark.parametrize(
    ("day", "count", "reached"),
    [
        (date(2024, 3, 11), 1, date(2024, 3, 12)),  # the first day is not counted
        (date(2024, 3, 11), 5, date(2024, 3, 18)),
        (date(2024, 3, 9), 1, date(2024, 3, 11)),  # from a Saturday
        (date(2024, 3, 9), 0, date(2024, 3, 9)),  # zero is the day itself, worked or not
        (date(2024, 3, 11), -1, date(2024, 3, 8)),
        (date(2024, 3, 10), -1, date(2024, 3, 8)),
        (date(2026, 2, 14), 2, date(2026, 2, 24)),  # over Tết
        (date(2026, 2, 13), 1, date(2026, 2, 23)),
        (date(2026, 2, 23), -1, date(2026, 2, 13)),
        (date(2024, 5, 3), 1, date(2024, 5, 4)),  # a make-up Saturday counts
        (date(2024, 5, 6), -1, date(2024, 5, 4)),
        (date(2025, 4, 25), 4, date(2025, 5, 5)),  # 26 (Saturday), 28, 29 April, then over the swapped 2 May
        (date(2025, 12, 31), 1, date(2026, 1, 5)),
        (date(2026, 1, 9), 1, date(2026, 1, 10)),
        (date(2026, 8, 28), 1, date(2026, 9, 3)),
        (date(2026, 11, 23), 1, date(2026, 11, 25)),  # over Culture Day
    ],
)
def test_working_days_are_counted_over_days_off(day: date, count: int, reached: date) -> None:
    assert VN.after(day, working(count)) == reached


def test_plain_days_are_counted_over_everything() -> None:
    assert VN.after(date(2026, 2, 14), Offset(10)) == date(2026, 2, 24)
    assert VN.after(date(2026, 2, 14), Offset(-14)) == date(2026, 1, 31)
    assert VN.after(date(2026, 2, 14), Offset(0)) == date(2026, 2, 14)


@pytest.mark.parametrize(
    ("first", "last", "count"),
    [
        (date(2026, 2, 14), date(2026, 2, 24), 2),
        (date(2026, 2, 24), date(2026, 2, 14), -2),
        (date(2026, 2, 13), date(2026, 2, 22), 0),
        (date(2026, 2, 13), date(2026, 2, 13), 0),
        (date(2024, 5, 3), date(2024, 5, 5), 1),
    ],
)
def test_the_working_days_between_leave_out_the_first_day(first: date, last: date, count: int) -> None:
    assert VN.working_days(first, last) == count


@pytest.mark.parametrize(
    ("day", "period", "following", "preceding", "modified"),
    [
        # 31 March 2024 is a Sunday: the next working day leaves the first quarter.
        (date(2024, 3, 31), "2024-Q1", date(2024, 4, 1), date(2024, 3, 29), date(2024, 3, 29)),
        (date(2024, 3, 30), "2024", date(2024, 4, 1), date(2024, 3, 29), date(2024, 4, 1)),
        # 25 October 2026, the day by which provinces report, is a Sunday.
        (date(2026, 10, 25), "2026-10", date(2026, 10, 26), date(2026, 10, 23), date(2026, 10, 26)),
        (date(2026, 6, 6), "2026-06", date(2026, 6, 8), date(2026, 6, 5), date(2026, 6, 8)),
        # The whole of Tết, and the weekends beside it.
        (date(2026, 2, 17), "2026-02", date(2026, 2, 23), date(2026, 2, 13), date(2026, 2, 23)),
        (date(2022, 1, 31), "2022-01", date(2022, 2, 7), date(2022, 1, 28), date(2022, 1, 28)),
        # To a make-up Saturday, and from the first day of a period.
        (date(2024, 5, 5), "2024-05", date(2024, 5, 6), date(2024, 5, 4), date(2024, 5, 6)),
        (date(2022, 5, 1), "2022-05", date(2022, 5, 4), date(2022, 4, 29), date(2022, 5, 4)),
        # A working day stays.
        (date(2026, 10, 26), "2026-10", date(2026, 10, 26), date(2026, 10, 26), date(2026, 10, 26)),
        (date(2024, 5, 4), "2024-05", date(2024, 5, 4), date(2024, 5, 4), date(2024, 5, 4)),
    ],
)
def test_the_four_rolls(day: date, period: str, following: date, preceding: date, modified: date) -> None:
    stretch = (parse(period).start, parse(period).end)
    assert VN.roll(day, Roll.NONE, stretch) == day
    assert VN.roll(day, Roll.NEXT, stretch) == following
    assert VN.roll(day, Roll.PREVIOUS, stretch) == preceding
    assert VN.roll(day, Roll.MODIFIED_NEXT, stretch) == modified


@pytest.mark.parametrize(
    ("first", "end", "rolled"),
    [
        (date(2024, 3, 29), date(2024, 4, 1), date(2024, 3, 29)),
        (date(2024, 3, 31), date(2024, 4, 2), date(2024, 4, 1)),
        (date(2024, 4, 1), date(2024, 4, 2), date(2024, 4, 1)),
        (date(2024, 3, 25), date(2024, 3, 30), date(2024, 3, 29)),
    ],
)
def test_modified_next_reaches_the_edges_of_a_stretch(first: date, end: date, rolled: date) -> None:
    assert VN.roll(date(2024, 3, 31), Roll.MODIFIED_NEXT, (first, end)) == rolled


@pytest.mark.parametrize(
    ("first", "end"), [(date(2024, 3, 30), date(2024, 4, 1)), (date(2024, 3, 25), date(2024, 3, 29))]
)
def test_modified_next_takes_no_day_beyond_the_edges(first: date, end: date) -> None:
    with pytest.raises(ValueError, match=f"expected a working day from {first} to before {end} for 2024-03-31"):
        VN.roll(date(2024, 3, 31), Roll.MODIFIED_NEXT, (first, end))


def test_a_period_without_a_working_day_is_refused_by_modified_next() -> None:
    with pytest.raises(
        ValueError, match="expected a working day from 2026-02-14 to before 2026-02-23 for 2026-02-17, "
    ) as error:
        VN.roll(date(2026, 2, 17), Roll.MODIFIED_NEXT, (date(2026, 2, 14), date(2026, 2, 23)))
    assert "got 2026-02-13 before it and 2026-02-23 after it in calendar vn-state" in str(error.value)


@pytest.mark.parametrize(
    ("day", "offset", "said"),
    [
        (date.max, Offset(1), "1 days after 9999-12-31"),
        (date.min, Offset(-1), "1 days before 0001-01-01"),
        (date.max, working(1), "1 working days after 9999-12-31"),
        (date(9999, 12, 1), working(40), "40 working days after 9999-12-01"),
        (date.min, working(-1), "1 working days before 0001-01-01"),
        (FIRST, Offset(10**12), "1000000000000 days after 2019-01-01"),
    ],
)
def test_days_beyond_the_calendar_of_python_are_refused(day: date, offset: Offset, said: str) -> None:
    with pytest.raises(OverflowError, match=f"expected a day of the years 1 to 9999, got {said}"):
        VN.after(day, offset)


def test_the_last_day_of_all_rolls_back_but_not_on() -> None:
    off = Day(date.max, off=True, name=Text("Hết", "The end"), source="-")
    calendar = Calendar("end", Text("Hết", "The end"), {date.max: off}, frozenset())
    assert calendar.roll(date.max, Roll.PREVIOUS, FAR) == date(9999, 12, 30)
    with pytest.raises(OverflowError, match="got 1 working days after 9999-12-31"):
        calendar.roll(date.max, Roll.NEXT, FAR)


@given(day=A_DAY, how=st.sampled_from(ROLLS))
def test_a_rolled_day_is_a_working_day_and_rolls_no_further(day: date, how: Roll) -> None:
    rolled = VN.roll(day, how, FAR)
    assert VN.is_working(rolled)
    assert VN.roll(rolled, how, FAR) == rolled


@given(day=A_DAY)
def test_rolling_passes_no_working_day(day: date) -> None:
    assert VN.working_days(day - timedelta(days=1), VN.roll(day, Roll.NEXT, FAR)) == 1
    assert VN.working_days(VN.roll(day, Roll.PREVIOUS, FAR), day) == 0


@given(period=A_PERIOD, data=st.data())
def test_modified_next_stays_in_the_period_of_its_day(period: Period, data: st.DataObject) -> None:
    day = data.draw(st.dates(period.start, period.last))
    assert VN.roll(day, Roll.MODIFIED_NEXT, (period.start, period.end)) in period


@given(first=A_DAY, length=st.integers(1, 12), data=st.data())
def test_modified_next_finds_a_working_day_of_any_stretch_that_has_one(
    first: date, length: int, data: st.DataObject
) -> None:
    stretch = (first, first + timedelta(days=length))
    day = data.draw(st.dates(first, stretch[1] - timedelta(days=1)))
    if any(VN.is_working(first + timedelta(days=n)) for n in range(length)):
        rolled = VN.roll(day, Roll.MODIFIED_NEXT, stretch)
        assert stretch[0] <= rolled < stretch[1]
        assert VN.is_working(rolled)
    else:
        with pytest.raises(ValueError, match="expected a working day from"):
            VN.roll(day, Roll.MODIFIED_NEXT, stretch)


@given(day=A_DAY, count=A_COUNT)
def test_counting_to_the_day_reached_gives_the_distance_back(day: date, count: int) -> None:
    reached = VN.after(day, working(count))
    assert VN.is_working(reached)
    assert VN.working_days(day, reached) == count


@given(day=A_DAY, count=A_COUNT)
def test_there_and_back_is_the_working_day_itself(day: date, count: int) -> None:
    assume(VN.is_working(day))
    assert VN.after(VN.after(day, working(count)), working(-count)) == day
    assert VN.after(VN.after(day, working(-count)), working(count)) == day


@given(day=A_DAY, count=A_COUNT)
def test_there_and_back_from_a_day_off_is_the_working_day_beside_it(day: date, count: int) -> None:
    assume(not VN.is_working(day))
    assert VN.after(VN.after(day, working(count)), working(-count)) == VN.roll(day, Roll.PREVIOUS, FAR)
    assert VN.after(VN.after(day, working(-count)), working(count)) == VN.roll(day, Roll.NEXT, FAR)


@given(day=A_DAY, one=A_COUNT, more=A_COUNT, way=st.sampled_from([1, -1]))
def test_two_distances_one_way_add_up(day: date, one: int, more: int, way: int) -> None:
    assert VN.after(VN.after(day, working(way * one)), working(way * more)) == VN.after(
        day, working(way * (one + more))
    )


@given(one=A_DAY, other=A_DAY, count=st.integers(-60, 60))
def test_the_same_distance_keeps_the_order_of_days(one: date, other: date, count: int) -> None:
    first, last = sorted([one, other])
    assert VN.after(first, working(count)) <= VN.after(last, working(count))


@given(first=A_DAY, middle=A_DAY, last=A_DAY)
def test_working_days_add_up_in_any_order(first: date, middle: date, last: date) -> None:
    assert VN.working_days(first, middle) + VN.working_days(middle, last) == VN.working_days(first, last)

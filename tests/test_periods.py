"""Do the periods of a year tile it, and does every label read back?"""

import re
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedules import periods
from schedules.periods import Period, of, parse, span, within

KINDS = sorted(periods.MONTHS)
A_KIND = st.sampled_from(KINDS)
A_DAY = st.dates(date(1, 1, 1), date(9998, 12, 31))
A_PERIOD = st.builds(of, A_KIND, A_DAY)


@pytest.mark.parametrize(
    ("label", "kind", "start", "end", "part"),
    [
        ("2023", "year", date(2023, 1, 1), date(2024, 1, 1), "year"),
        ("2023-H1", "half", date(2023, 1, 1), date(2023, 7, 1), "H1"),
        ("2023-H2", "half", date(2023, 7, 1), date(2024, 1, 1), "H2"),
        ("2023-Q1", "quarter", date(2023, 1, 1), date(2023, 4, 1), "Q1"),
        ("2023-Q2", "quarter", date(2023, 4, 1), date(2023, 7, 1), "Q2"),
        ("2023-Q3", "quarter", date(2023, 7, 1), date(2023, 10, 1), "Q3"),
        ("2023-Q4", "quarter", date(2023, 10, 1), date(2024, 1, 1), "Q4"),
        ("2024-02", "month", date(2024, 2, 1), date(2024, 3, 1), "M02"),
        ("2023-12", "month", date(2023, 12, 1), date(2024, 1, 1), "M12"),
        ("2021..2023", "span", date(2021, 1, 1), date(2024, 1, 1), "2021..2023"),
        ("2022-01..2025-12", "span", date(2022, 1, 1), date(2026, 1, 1), "2022-01..2025-12"),
        ("2022-Q4..2023-Q1", "span", date(2022, 10, 1), date(2023, 4, 1), "2022-Q4..2023-Q1"),
    ],
)
def test_a_label_reads_as_its_stretch(label: str, kind: str, start: date, end: date, part: str) -> None:
    period = parse(label)
    assert period == Period(kind, start, end, label)
    assert period.part == part


@pytest.mark.parametrize(
    "label",
    [
        "", "23", "02023", "0000", "2023-", "2023-0", "2023-1", "2023-00", "2023-13", "2023-Q0", "2023-Q5", "2023-H0",
        "2023-H3", "2023-q1", "Q1", "2023 Q1", " 2023", "2023\n", "٢٠٢٣", "2023-06-11", "-2023", "2023..", "..2023",
        "2021...2023", "2020..2021..2022",
    ],
)  # fmt: skip
def test_anything_else_is_refused_with_the_shapes_that_are_expected(label: str) -> None:
    with pytest.raises(ValueError, match="^expected a period such as " + re.escape(periods.SHAPES)):
        parse(label)


@pytest.mark.parametrize("label", ["2023..2021", "2023-Q1..2023-12", "2023..2024-H1", "2023-Q2..2023-Q1"])
def test_a_range_runs_forward_over_one_kind(label: str) -> None:
    with pytest.raises(ValueError, match="expected a range of two periods of one kind, first to last, got " + label):
        parse(label)


def test_a_span_has_no_next_period() -> None:
    with pytest.raises(ValueError, match=r"a span of years has no next period: 2021\.\.2023"):
        parse("2021..2023").next()


@pytest.mark.parametrize("label", ["9999", "9999-H2", "9999-12", "9998..9999"])
def test_the_year_whose_end_no_date_can_name_is_refused(label: str) -> None:
    with pytest.raises(ValueError, match="expected a day before 9999-01-01, got 9999-"):
        parse(label)


def test_the_last_year_but_one_still_works() -> None:
    assert parse("9998").end == date(9999, 1, 1)
    assert [month.label for month in within("month", parse("9998-Q4"))] == ["9998-10", "9998-11", "9998-12"]


def test_within_leaves_out_what_lies_only_partly_inside() -> None:
    outer = parse("2021-05..2022-02")
    assert [period.label for period in within("quarter", outer)] == ["2021-Q3", "2021-Q4"]
    assert [period.label for period in within("half", outer)] == ["2021-H2"]
    assert list(within("year", outer)) == []


def test_periods_sort_by_their_stretch() -> None:
    labels = ["2022", "2021-Q2", "2021..2023", "2021-01", "2021", "2021-Q1", "2021-H1", "2021..2021"]
    assert [period.label for period in sorted(map(parse, labels))] == [
        "2021-01", "2021-Q1", "2021-H1", "2021", "2021..2021", "2021..2023", "2021-Q2", "2022",
    ]  # fmt: skip


@given(kind=A_KIND, year=st.integers(1, 9998))
def test_the_periods_of_each_kind_tile_the_year(kind: str, year: int) -> None:
    whole = of("year", date(year, 1, 1))
    parts = list(within(kind, whole))
    assert len(parts) == 12 // periods.MONTHS[kind]
    assert parts[0].start == whole.start
    assert parts[-1].end == whole.end
    for earlier, later in pairwise(parts):
        assert earlier.end == later.start
        assert earlier < later


@given(A_PERIOD)
def test_the_next_period_begins_where_this_one_ends(period: Period) -> None:
    if period.end.year == date.max.year:
        with pytest.raises(ValueError, match="expected a day before 9999-01-01"):
            period.next()
    else:
        assert period.next().start == period.end
        assert period.next().kind == period.kind


@given(A_PERIOD)
def test_every_label_reads_back(period: Period) -> None:
    assert parse(period.label) == period


@given(first=A_PERIOD, last=A_DAY)
def test_every_label_of_a_span_reads_back(first: Period, last: date) -> None:
    end = max(first, of(first.kind, last))
    whole = parse(f"{first.label}..{end.label}")
    assert (whole.start, whole.end) == (first.start, end.end)
    assert parse(whole.label) == whole == span(first, end, whole.label)
    assert whole.covers(first)
    assert whole.covers(end)


@given(kind=A_KIND, day=A_DAY)
def test_the_period_of_a_day_holds_it(kind: str, day: date) -> None:
    period = of(kind, day)
    assert day in period
    assert period.start in period
    assert period.last in period
    assert period.end not in period


@given(one=A_PERIOD, other=A_PERIOD)
def test_order_agrees_with_equality(one: Period, other: Period) -> None:
    assert (one < other) + (one == other) + (one > other) == 1


@given(A_PERIOD)
def test_the_parts_of_a_period_lie_within_it(period: Period) -> None:
    for kind in KINDS:
        parts = list(within(kind, period))
        assert all(period.covers(part) for part in parts)
        assert len(parts) == periods.MONTHS[period.kind] // periods.MONTHS[kind]

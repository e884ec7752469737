"""Is a file read as it was written?"""

from datetime import date
from pathlib import Path
from typing import Final

import pytest

from schedules import load
from schedules.audience import Audience
from schedules.periods import parse as period
from schedules.plan import (
    Anchor,
    BeforeDue,
    BeforeStart,
    BeforeSuperior,
    DayOf,
    Due,
    EndOf,
    Escalate,
    FieldType,
    FileRule,
    Offset,
    OnDay,
    Receiver,
    Relative,
    Remind,
    Roll,
    Rung,
    SetBy,
    StartOf,
    Text,
)
from tests.plans import HEAD, OWED, YEARLY, checked, owed, refused, taken

SHIPPED: Final = sorted(Path(load.__file__).parent.glob("plans/*.yaml"))
CALENDARS: Final = sorted(Path(load.__file__).parent.glob("calendars/*.yaml"))

# What a plan says


def test_words_stay_as_they_were_written() -> None:
    head = HEAD.replace("issuer: van-phong", "issuer: no").replace("Sample plan", "010")

    plan = taken(head + YEARLY.replace("II.1", "1.10") + "    at: 12:30\n")

    assert (plan.issuer, plan.title.en, plan.obligation("report").source) == ("no", "010", ("1.10",))
    assert plan.obligation("report").at == "12:30"


def test_the_head_of_a_plan_is_read() -> None:
    plan = taken(HEAD.replace("term:", "note: {vi: Ghi chú, en: Note}\nterm:") + YEARLY)

    assert plan.code == "tinh-mau"
    assert plan.title == Text("Kế hoạch mẫu", "Sample plan")
    assert plan.document == Text("Quyết định mẫu", "Sample decision")
    assert plan.note == Text("Ghi chú", "Note")
    assert (plan.issuer, plan.calendar, plan.term, plan.roll) == ("van-phong", "vn-state", period("2021..2025"), "next")
    assert [(each.code, each.title.en) for each in plan.milestones] == [("resolution", "Resolution")]


def test_an_obligation_takes_the_defaults_of_the_plan() -> None:
    report = owed("    every: year\n    due: {end_of: Q3}\n")

    assert [each.label for each in report.cadence.periods] == ["2021", "2022", "2023", "2024", "2025"]
    assert (report.cadence.opens, report.cadence.grace) == (BeforeDue(Offset(-30)), Offset(30))
    assert report.cadence.set_by is SetBy.DOCUMENT
    assert report.at == "08:00"
    assert report.ladder.remind == (Remind(Offset(-14)), Remind(Offset(0)))
    assert report.ladder.escalate == (Escalate(Offset(1, working=True), Rung.UNIT_HEAD),)
    assert (report.receiver, report.file, report.fields, report.levels) == (Receiver(), None, (), ())


@pytest.mark.parametrize(
    ("written", "rule"),
    [
        ("{end_of: Q3}", EndOf(Anchor("Q3"))),
        ("{start_of: H2, year: 1}", StartOf(Anchor("H2", 1))),
        ("{before: M12, year: -1}", BeforeStart(Anchor("M12", -1))),
        ("{end_of: period}", EndOf(Anchor("period"))),
        ("{end_of: 2023-Q2}", EndOf(Anchor("2023-Q2"))),
        ("{end_of: 2023-06}", EndOf(Anchor("2023-06"))),
        ("{end_of: 2023}", EndOf(Anchor("2023"))),
        ("{day: 25, of: last_month}", DayOf(25, "last_month")),
        ("{day: 30, of: M11, year: -1}", DayOf(30, "M11", -1)),
        ("{date: 2024-02-29}", OnDay(date(2024, 2, 29))),
        ("{on: resolution}", Relative("resolution", Offset(0))),
        ("{after: resolution, days: 10}", Relative("resolution", Offset(10))),
        ("{after: resolution, working_days: 1}", Relative("resolution", Offset(1, working=True))),
        ("{before: resolution, working_days: 10}", Relative("resolution", Offset(-10, working=True))),
    ],
)
def test_a_rule_is_read(written: str, rule: object) -> None:
    report = owed(f"    every: year\n    due: {written}\n    opens: {written}\n")

    assert report.cadence.due == Due(rule)  # type: ignore[arg-type]
    assert report.cadence.opens == rule


def test_a_rule_may_roll_in_its_own_way() -> None:
    assert owed("    every: year\n    due: {end_of: Q3, roll: previous}\n").cadence.due.roll is Roll.PREVIOUS


@pytest.mark.parametrize(
    ("cadence", "labels"),
    [
        ("every: half\n    in: 2023", ["2023-H1", "2023-H2"]),
        ("every: quarter\n    in: 2023-H2", ["2023-Q3", "2023-Q4"]),
        ("every: month\n    in: 2022-11..2023-01", ["2022-11", "2022-12", "2023-01"]),
        ("every: month\n    in: 2022..2023\n    only: [M6, M12]", ["2022-06", "2022-12", "2023-06", "2023-12"]),
        ("every: half\n    in: 2022..2023\n    only: [H1]", ["2022-H1", "2023-H1"]),
        ("once: {period: 2021..2023}", ["2021..2023"]),
        ("once: [{period: 2023}, {period: 2021..2025}]", ["2023", "2021..2025"]),
    ],
)
def test_a_cadence_names_its_periods(cadence: str, labels: list[str]) -> None:
    found = owed(f"    {cadence}\n    due: {{end_of: period}}\n").cadence

    assert [each.label for each in found.periods] == labels
    assert found.exceptions == ()


def test_what_stands_in_once_is_the_cadence() -> None:
    found = owed("    once: {period: 2021..2023, opens: {start_of: 2023-Q2}, due: {end_of: 2023-Q2}}\n").cadence

    assert (found.opens, found.due) == (StartOf(Anchor("2023-Q2")), Due(EndOf(Anchor("2023-Q2"))))
    assert found.exceptions == ()


def test_of_several_periods_in_once_each_has_its_own_rule_without_a_why() -> None:
    found = owed(
        "    once:\n"
        "      - {period: 2023}\n"
        "      - {period: 2025, due: {end_of: 2025-Q2}, grace: 5 days, set_by: office}\n"
        "    due: {end_of: Q3}\n"
        "    except: {2023: {skip: true, why: II.2}}\n"
    ).cadence

    first, second = found.exceptions
    assert found.due == Due(EndOf(Anchor("Q3")))
    assert (first.period.label, first.skip, first.why) == ("2023", True, "II.2")
    assert (second.period.label, second.due, second.why) == ("2025", Due(EndOf(Anchor("2025-Q2"))), None)
    assert (second.grace, second.set_by) == (Offset(5), SetBy.OFFICE)


def test_each_period_in_once_needs_a_due_rule() -> None:
    assert refused(HEAD + OWED + "    once: [{period: 2023, due: {end_of: Q3}}, {period: 2024}]\n") == [
        "20:47: error: expected the key “due” here, got none"
    ]


def test_an_exception_is_read() -> None:
    (found,) = owed(
        "    every: year\n    due: {end_of: Q3}\n"
        "    except: {2021: {due: {end_of: M12}, opens: 5 working days before due, grace: 0 days, why: II.8.3}}\n"
    ).cadence.exceptions

    assert (found.period, found.why, found.skip) == (period("2021"), "II.8.3", False)
    assert (found.due, found.opens) == (Due(EndOf(Anchor("M12"))), BeforeDue(Offset(-5, working=True)))
    assert (found.grace, found.set_by) == (Offset(0), None)


def test_a_level_hangs_on_the_one_above() -> None:
    report = taken(
        HEAD
        + OWED.replace("    who: {kinds: [chi-bo]}\n", "")
        + "    every: year\n    due: {end_of: Q3}\n    levels:\n"
        + "      bloc: {who: {kinds: [khoi]}}\n"
        + "      base: {who: {kinds: [chi-bo]}, due: 5 working days before superior, roll: previous}\n"
    ).obligation("report")

    assert report.who == Audience()
    assert [(each.name, each.who.kinds, each.due) for each in report.levels] == [
        ("bloc", frozenset({"khoi"}), Due(EndOf(Anchor("Q3")))),
        ("base", frozenset({"chi-bo"}), Due(BeforeSuperior(Offset(-5, working=True)), Roll.PREVIOUS)),
    ]


def test_a_variant_inherits_what_it_leaves_out() -> None:
    report = owed(
        "    every: year\n    due: {end_of: Q3}\n    grace: 10 working days\n    set_by: office\n"
        "    except: {2021: {due: {end_of: M12}, why: II.8.3}}\n"
        "    variants:\n"
        "      half: {who: {tags: [nho]}, every: half, in: 2023, due: {end_of: period}, grace: 1 day, why: II.7}\n"
        "      later: {who: {tags: [xa]}, opens: {start_of: Q2}}\n"
    )
    half, later = report.variants

    assert half.who == Audience(tags=frozenset({"nho"}))
    assert half.why == "II.7"
    assert [each.label for each in half.cadence.periods] == ["2023-H1", "2023-H2"]
    assert (half.cadence.due, half.cadence.grace) == (Due(EndOf(Anchor("period"))), Offset(1))
    assert (half.cadence.set_by, half.cadence.exceptions) == (SetBy.OFFICE, ())
    assert later.cadence.opens == StartOf(Anchor("Q2"))
    assert later.cadence.due == report.cadence.due
    assert later.cadence.exceptions == report.cadence.exceptions


def test_the_due_rule_of_a_variant_is_nearer_than_the_one_in_once() -> None:
    report = owed(
        "    once: [{period: 2023, due: {end_of: Q1}}, {period: 2024, due: {end_of: Q2}}]\n"
        "    variants: {later: {who: {tags: [xa]}, due: {end_of: Q4}}}\n"
    )

    assert [each.due for each in report.cadence.exceptions] == [Due(EndOf(Anchor("Q1"))), Due(EndOf(Anchor("Q2")))]
    assert report.variants[0].cadence.due == Due(EndOf(Anchor("Q4")))
    assert report.variants[0].cadence.exceptions == ()


def test_who_owes_is_read_with_those_who_do_not() -> None:
    report = owed("    every: year\n    due: {end_of: Q3}\n    to: van-phong\n    via: btg\n")
    who = "{kinds: [a, b], tags: [t], units: [u], under: [v], except: [{kinds: [k]}, {units: [x]}]}"
    plan = taken(HEAD + YEARLY.replace("{kinds: [chi-bo]}", who))

    assert report.receiver == Receiver("van-phong", "btg")
    assert plan.obligation("report").who == Audience(
        kinds=frozenset({"a", "b"}),
        tags=frozenset({"t"}),
        units=frozenset({"u"}),
        under=frozenset({"v"}),
        minus=(Audience(kinds=frozenset({"k"})), Audience(units=frozenset({"x"}))),
    )


def test_the_ladder_of_an_obligation_replaces_the_default_half_by_half() -> None:
    report = owed(
        "    every: year\n    due: {end_of: Q3}\n"
        "    remind: [3 working days before, 1 day after, every 5 working days at most 4 times]\n"
    )

    assert report.ladder.remind == (
        Remind(Offset(-3, working=True)),
        Remind(Offset(1)),
        Remind(Offset(5, working=True), times=4),
    )
    assert report.ladder.escalate == (Escalate(Offset(1, working=True), Rung.UNIT_HEAD),)
    assert owed("    every: year\n    due: {end_of: Q3}\n    remind: []\n").ladder.remind == ()


def test_the_form_is_read() -> None:
    report = owed(
        "    every: year\n    due: {end_of: Q3}\n    help: {vi: Cách làm, en: How to}\n"
        "    valid: {from: 2022-01-01}\n    file: {types: [pdf], required: true, max: 3}\n"
        "    fields:\n      studied_all: {type: number, label: {vi: Số, en: Number}, required: false, target: 2}\n"
        "      note: {type: long_text, label: {vi: Ghi chú, en: Note}, help: {vi: a, en: b}}\n"
    )
    number, note = report.fields

    assert report.help == Text("Cách làm", "How to")
    assert (report.valid_from, report.valid_to) == (date(2022, 1, 1), None)
    assert report.file is not None
    assert report.file == FileRule(("pdf",), required=True, max=3)
    assert (number.name, number.type, number.required, number.target) == ("studied_all", FieldType.NUMBER, False, 2)
    assert (note.type, note.required, note.target, note.help) == (FieldType.LONG_TEXT, True, None, Text("a", "b"))


# Remarks


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("remind: [3 days before, 3 days before]", "22:29: warning: expected reminders on different days, got 3 days"),
        ("remind: [5 days after, every 5 days at most 2 times]", "22:28: warning: expected reminders on different da"),
        ("remind: [31 days after]", "22:14: warning: expected reminders within the grace of 30 days, got one after"),
        ("remind: [every 16 working days at most 2 times]", "22:14: warning: expected reminders within the grace of"),
    ],
)
def test_reminders_that_cannot_be_meant_are_a_remark(lines: str, told: str) -> None:
    plan, problems = load.parse((HEAD + YEARLY + f"    {lines}\n").encode(), "plan.yaml")

    assert plan is not None
    assert [each.text("en").removeprefix("plan.yaml:")[: len(told)] for each in problems] == [told]


def test_reminders_that_may_be_meant_are_no_remark() -> None:
    taken(HEAD + YEARLY + "    remind: [3 days before, 3 working days before, due day, 30 days after]\n")
    taken(HEAD + YEARLY + "    grace: 5 working days\n    remind: [6 days after]\n")


# Calendars and shipped files

CALENDAR: Final = """\
calendar: vn-mau
title: {vi: Lịch mẫu, en: Sample calendar}
decided: [2025]
days:
  - {on: 2025-01-01, off: true, name: {vi: Tết, en: New Year}, source: Điều 112}
  - {on: 2025-04-26, off: false, name: {vi: Làm bù, en: Worked}, source: Điều 112, decision: 1/TB}
"""


def test_a_calendar_is_read() -> None:
    calendar, problems = load.parse_calendar(CALENDAR.encode(), "mau.yaml")

    assert problems == []
    assert calendar is not None
    assert (calendar.code, calendar.decided) == ("vn-mau", frozenset({2025}))
    assert not calendar.is_working(date(2025, 1, 1))
    assert calendar.is_working(date(2025, 4, 26))
    assert calendar.days[date(2025, 1, 1)].decision is None
    assert calendar.days[date(2025, 4, 26)].decision == "1/TB"


def test_plans_and_calendars_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "mau.yaml"
    path.write_text(CALENDAR, encoding="utf-8")

    assert load.sort_of(path) == load.sort_of(CALENDAR.encode()) == "calendar"
    assert load.sort_of((HEAD + YEARLY).encode()) == "plan"
    assert load.sort_of(tmp_path / "nowhere.yaml") == load.sort_of(b"") == "plan"


@pytest.mark.parametrize("path", [*SHIPPED, *CALENDARS], ids=lambda path: path.stem)
def test_shipped_files_are_without_a_problem(path: Path) -> None:
    assert [each.text("en") for each in checked(path.read_bytes(), path.name)] == []

"""What can be set without typing YAML? The fields of a form from a plan's text, and the text from the fields."""

from typing import Any

import pytest

from schedules import load, shipped
from schedules.form import DEFAULTS, BadFields, codes_of, filled_in, milestones_of, sheet_of
from schedules.plan import AfterCutoff, AfterOpening, DayOf, EndOf, OnDay, Relative
from tests.plans import HEAD, YEARLY

PLAN = HEAD + YEARLY
PLANS = {code: path.read_text(encoding="utf-8") for code, path in shipped.plans().items()}


def filled(text: str, code: str = "report", **changes: Any) -> str:
    sheet = sheet_of(text, code)
    assert sheet is not None
    fields = {name: [value] if isinstance(value, str) else value for name, value in changes.items()}
    return filled_in(text, sheet, {**sheet.fields, **fields})


def changed(text: str, code: str = "report", **changes: Any) -> list[str]:
    """The lines that are new."""
    return [line.strip() for line in filled(text, code, **changes).splitlines() if line not in text.splitlines()]


@pytest.mark.parametrize("plan", sorted(PLANS))
def test_a_form_sent_back_as_it_came_changes_nothing(plan: str) -> None:
    text = PLANS[plan]
    for code in (DEFAULTS, *codes_of(text)):
        assert filled(text, code) == text, code


def test_a_form_shows_what_the_text_says() -> None:
    sheet = sheet_of(PLAN, "report")
    assert sheet is not None
    assert sheet.titles == {"vi": "Báo cáo năm", "en": "Yearly report"}
    assert sheet.fields["kinds"] == ["chi-bo"]
    assert (sheet.fields["rule"], sheet.fields["end_of"]) == (["end_of"], ["Q3"])
    assert sheet.fields["remind_as"] == ["plan"]
    assert sheet.inherited["remind_sort"][:2] == ["before", "due"]
    assert sheet.inherited["escalate_to"][0] == "unit.head"
    assert milestones_of(PLAN) == ["resolution"]
    assert sheet_of(PLAN, "nothing") is None


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({"rule": "end_of", "end_of": "M10"}, "due: {end_of: M10}"),
        ({"rule": "before", "before": "M12", "year": "-1"}, "due: {before: M12, year: -1}"),
        ({"rule": "day", "day": "25", "month": "last_month"}, "due: {day: 25, of: last_month}"),
        ({"rule": "day", "day": "last", "month": "M2", "roll": "previous"}, "due: {day: last, of: M2, roll: previous}"),
        ({"rule": "date", "date": "2025-12-15"}, "due: {date: 2025-12-15}"),
        ({"rule": "on", "on": "resolution"}, "due: {on: resolution}"),
        (
            {"rule": "after", "after": "resolution", "after_count": "5", "after_unit": "working days"},
            "due: {after: resolution, working_days: 5}",
        ),
        ({"roll": "none"}, "due: {end_of: Q3, roll: none}"),
        ({"every": "quarter", "rule": "end_of", "end_of": "period"}, "every: quarter due: {end_of: period}"),
        ({"in": "2022..2024"}, "in: 2022..2024"),
        ({"in": "2022"}, "in: 2022"),
        ({"kinds": ["chi-bo", "doan-the"], "under": "duk, snv"}, "who: {kinds: [chi-bo, doan-the], under: [duk, snv]}"),
        ({"opens_count": "10", "opens_unit": "working days"}, "opens: 10 working days before due"),
        ({"grace_count": "1"}, "grace: 1 day"),
        ({"at": "09:30"}, 'at: "09:30"'),
        (
            {
                "remind_as": "own",
                "remind_sort": ["before", "due", "every", ""],
                "remind_count": ["7", "", "5", ""],
                "remind_unit": ["days", "days", "working days", "days"],
                "remind_times": ["", "", "4", ""],
            },
            "remind: [7 days before, due day, every 5 working days at most 4 times]",
        ),
        (
            {
                "escalate_as": "own",
                "escalate_count": ["1", "3", ""],
                "escalate_unit": ["working days", "days", "days"],
                "escalate_to": ["unit.head", "issuer.standing", ""],
            },
            "escalate: - {after: 1 working day, to: unit.head} - {after: 3 days, to: issuer.standing}",
        ),
        ({"escalate_as": "own"}, "escalate: []"),
    ],
)
def test_each_field_writes_its_own_line_and_the_loader_takes_it(fields: dict[str, Any], line: str) -> None:
    assert " ".join(changed(PLAN, **fields)) == line
    plan, problems = load.parse(filled(PLAN, **fields).encode(), "plan.yaml")
    assert [each.text("en") for each in problems if each.is_error] == []
    assert plan is not None


def test_what_follows_the_plan_again_loses_its_own_line() -> None:
    own = PLAN + "    grace: 3 days\n    remind: [due day]\n"
    assert filled(own, grace_count="", remind_as="plan") == PLAN


def test_the_defaults_are_a_sheet_of_their_own() -> None:
    made = changed(PLAN, DEFAULTS, roll="previous", grace_count="", opens_count="20", at="07:30")
    assert made == ["opens: 20 days before due", "roll: previous", 'at: "07:30"']
    assert "grace" not in filled(PLAN, DEFAULTS, grace_count="")


def test_what_the_form_cannot_show_stays_as_the_text_has_it() -> None:
    text = PLAN.replace(
        "due: {end_of: Q3}", "due: {before: resolution, days: 3}\n    opens: {start_of: Q1}\n    remind: later"
    )
    sheet = sheet_of(text, "report")
    assert sheet is not None
    assert (sheet.fields["rule"], sheet.fields["opens_as"], sheet.fields["remind_as"]) == (["text"], ["text"], ["text"])
    assert filled(text, kinds=["doan-the"]) == text.replace("[chi-bo]", "[doan-the]")


def test_levels_variants_and_exceptions_are_left_to_the_text() -> None:
    text = PLAN.replace(
        "    who: {kinds: [chi-bo]}\n",
        "    levels:\n      low: {who: {kinds: [chi-bo]}, due: 5 working days before superior}\n"
        "      high: {who: {kinds: [tinh-uy]}}\n    except: {2022: {skip: true, why: II.2}}\n",
    )
    sheet = sheet_of(text, "report")
    assert sheet is not None
    assert (sheet.has_who, sheet.remarks) == (False, ("levels", "except"))
    assert filled(text, kinds=["doan-the"]) == text


def test_what_is_owed_once_has_its_period_and_its_day() -> None:
    text = PLAN.replace(
        "    every: year\n    due: {end_of: Q3}\n", "    once: {period: 2021..2023, due: {end_of: 2023-Q2}}\n"
    )
    assert changed(text, period="2022..2023", rule="end_of", end_of="2023-Q3") == [
        "once: {period: 2022..2023, due: {end_of: 2023-Q3}}"
    ]
    twice = PLAN.replace("    every: year\n    due: {end_of: Q3}\n", "    once: [{period: 2021, due: {end_of: Q3}}]\n")
    sheet = sheet_of(twice, "report")
    assert sheet is not None
    assert (sheet.has_due, sheet.remarks) == (False, ("once",))


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"kinds": [], "under": " "}, {"who": ""}),
        ({"rule": "day", "day": "x", "month": "M1"}, {"day": "x"}),
        ({"rule": "date", "date": "31/31/2025"}, {"date": "31/31/2025"}),
        ({"rule": "after", "after": "resolution", "after_count": ""}, {"after_count": ""}),
        ({"rule": "start_of"}, {"start_of": ""}),
        ({"day": "25"}, {"rule": ""}),
        ({"opens_count": "ba"}, {"opens": "ba"}),
        (
            {"remind_as": "own", "remind_sort": ["before"], "remind_count": ["-1"], "remind_unit": ["days"]},
            {"remind": "-1"},
        ),
        ({"escalate_as": "own", "escalate_count": [""], "escalate_to": ["unit.head"]}, {"escalate": ""}),
    ],
)  # fmt: skip
def test_a_field_that_says_nothing_is_told_by_its_name(fields: dict[str, Any], wrong: dict[str, str]) -> None:
    with pytest.raises(BadFields) as told:
        filled(PLAN, **{"remind_times": [""], "escalate_unit": ["days"], **fields})
    assert told.value.fields == wrong


def test_the_rules_that_a_form_writes_are_those_that_were_meant() -> None:
    head = "    every: month\n    window: {cutoff_day: 14}\n    due: {end_of: period}\n"
    text = PLAN.replace("    every: year\n    due: {end_of: Q3}\n", head)

    def rule(**fields: Any) -> object:
        plan, _ = load.parse(filled(text, **fields).encode(), "plan.yaml")
        assert plan is not None
        due = plan.obligations[0].cadence.due
        assert due is not None
        return type(due.rule)

    assert rule(rule="end_of", end_of="period") is EndOf
    assert rule(rule="day", day="25", month="last_month") is DayOf
    assert rule(rule="after", after="cutoff", after_count="3", after_unit="working days") is AfterCutoff
    assert rule(rule="date", date="2022-01-05") is OnDay
    assert rule(rule="on", on="resolution") is Relative
    asked = {"every": "request", "rule": "after", "after": "opened", "after_count": "2", "after_unit": "days"}
    text = PLAN
    assert rule(**asked) is AfterOpening

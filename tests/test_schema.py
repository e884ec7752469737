"""Does the JSON Schema say of a file's shape what the loader says?"""

import json
from pathlib import Path
from typing import Final

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from schedules import nodes, shipped
from schedules.nodes import Listing, Node, Scalar
from schedules.schema import DIALECT, json_schema
from tests.plans import HEAD, OWED, YEARLY
from tests.test_docs import LANGUAGE

BAD: Final = {path.stem: path for path in (Path(__file__).parent / "data" / "bad").glob("*.yaml")}
SHIPPED: Final = [*shipped.plans().values(), *shipped.calendars().values()]
#: What is wrong with these is no matter of shape: names not declared, days that do not exist, dates that do not fit.
BEYOND_SHAPE: Final = {
    "backward-validity", "calendar-day-twice", "calendar-worked-weekday", "circle", "duplicate-key",
    "empty-window", "empty-window-of-exception", "exception-outside", "first-level-due", "impossible-date",
    "level-without-due", "no-period", "opened-without-request", "unknown-before", "unknown-milestone",
    "unknown-obligation",
}  # fmt: skip
VALIDATOR: Final = Draft202012Validator(json_schema())


def plain(node: Node) -> object:
    """The data as editors see it: whole numbers, true and false, nothing, and words."""
    if isinstance(node, nodes.Mapping):
        return {str(plain(key)) if isinstance(key, Scalar) else "?": plain(value) for key, value in node.entries}
    if isinstance(node, Listing):
        return [plain(each) for each in node.items]
    if node.quoted:
        return node.text
    if node.is_nothing:
        return None
    if node.text in ("true", "false"):
        return node.text == "true"
    return int(node.text) if node.text.removeprefix("-").isdecimal() else node.text


def faults(data: bytes) -> list[str]:
    return [error.json_path for error in VALIDATOR.iter_errors(plain(nodes.compose(data, "file")))]


def readable() -> list[str]:
    found = []
    for stem, path in sorted(BAD.items()):
        try:
            nodes.compose(path.read_bytes(), stem)
        except nodes.Unreadable:
            continue
        found.append(stem)
    return found


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(json_schema())

    assert json_schema()["$schema"] == DIALECT
    assert json.loads(json.dumps(json_schema())) == json_schema()


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_file_has_the_shape(path: Path) -> None:
    assert faults(path.read_bytes()) == []


@pytest.mark.parametrize("block", LANGUAGE, ids=[block.partition("\n")[0] for block in LANGUAGE])
def test_what_the_docs_show_has_the_shape(block: str) -> None:
    assert faults(block.encode()) == []


@pytest.mark.parametrize("stem", readable())
def test_a_bad_file_has_the_shape_only_when_its_fault_is_another(stem: str) -> None:
    assert bool(faults(BAD[stem].read_bytes())) is (stem not in BEYOND_SHAPE)


def test_every_file_that_is_bad_beyond_its_shape_is_there() -> None:
    assert set(readable()) >= BEYOND_SHAPE


@pytest.mark.parametrize(
    "lines",
    [
        "every: year\n    due: {end_of: Q3, year: -1, roll: none}",
        "every: 3 years\n    in: 2021..2026\n    due: {last_working_day_of: 2023-9M}",
        "every: nine_months\n    window: {cutoff_day: 14, cumulative: true}\n    due: {after: cutoff, working_days: 2}",
        "every: request\n    due: {after: opened, hours: 48}\n    grace: 5 days",
        "every: term\n    due: {day: last, of: M12, year: 4}",
        "every: month\n    only: [M1]\n    due: {before: resolution, days: 3}",
        "once: [{period: 2023, due: {on: resolution}}, {period: 2021..2023, due: {date: 2023-06-30}}]",
    ],
)
def test_a_right_obligation_has_the_shape(lines: str) -> None:
    assert faults(f"{HEAD}{OWED}    {lines}\n".encode()) == []


@pytest.mark.parametrize(
    ("lines", "place"),
    [
        ("remind: [soon]", "remind[0]"),
        ("escalate: [{after: 1 day, to: nobody}]", "escalate[0].to"),
        ("window: {cutoff_day: 0}", "window.cutoff_day"),
        ("at: 25:00", "at"),
        ("file: {types: [exe]}", "file.types[0]"),
        ("fields: {Big: {type: text, label: {vi: a, en: b}}}", "fields"),
    ],
)
def test_a_fault_is_told_in_its_place(lines: str, place: str) -> None:
    assert faults(f"{HEAD}{YEARLY}    {lines}\n".encode()) == [f"$.obligations.report.{place}"]

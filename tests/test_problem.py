"""Is a file refused with everything that is wrong, in its place and in plain words?"""

import json
import os
import unicodedata
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedules import load
from schedules.audience import Audience
from schedules.plan import Receiver
from schedules.reader import MOST_PROBLEMS, Known
from tests.plans import HEAD, OWED, YEARLY, checked, owed, refused, taken

BAD: Final = sorted((Path(__file__).parent / "data" / "bad").glob("*.yaml"))
LANGUAGES: Final = ("vi", "en")


# What is wrong, in its place


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_bad_file_is_refused_with_the_messages_at_its_end(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    expected = [line.removeprefix("# ") for line in lines if line.startswith(("# vi: ", "# en: "))]
    problems = checked(path.read_bytes(), path.name)

    told = [f"{lang}: {each.text(lang).removeprefix(path.name + ':')}" for each in problems for lang in LANGUAGES]

    assert told == expected
    assert any(each.is_error for each in problems)


def test_twelve_planted_errors_are_twelve_located_problems() -> None:
    path = next(each for each in BAD if each.stem == "twelve")

    plan, problems = load.read(path)

    assert plan is None
    assert [(each.line, each.column, each.code) for each in problems] == [
        (1, 7, "problem.bad-code"),
        (2, 8, "problem.missing-translation"),
        (9, 9, "problem.bad-choice"),
        (10, 28, "problem.bad-remind"),
        (12, 3, "problem.missing-key"),
        (16, 19, "problem.bad-stretch"),
        (17, 14, "problem.exception-outside"),
        (21, 18, "problem.empty-list"),
        (23, 5, "problem.unknown-key"),
        (24, 17, "problem.impossible-day"),
        (30, 5, "problem.duplicate-key"),
        (31, 15, "problem.unknown-milestone"),
    ]


def test_a_problem_says_file_line_and_column_in_both_languages() -> None:
    _, problems = load.parse((HEAD + YEARLY + "    at: 24:00\n").encode(), "plans/mau.yaml")

    assert [each.text("vi") for each in problems] == [
        'plans/mau.yaml:22:9: error: cần giờ dạng "08:00", gặp 24:00',
    ]
    assert [each.text("en") for each in problems] == [
        'plans/mau.yaml:22:9: error: expected an hour such as "08:00", got 24:00',
    ]


def test_a_problem_as_json_carries_the_code_and_plain_values() -> None:
    _, problems = load.parse((HEAD + YEARLY + "    at: [8]\n").encode(), "plan.yaml")

    assert [json.loads(json.dumps(each.as_json())) for each in problems] == [
        {
            "file": "plan.yaml",
            "line": 22,
            "column": 9,
            "severity": "error",
            "code": "problem.bad-hour",
            "params": {"got": "got.list"},
        }
    ]


def test_what_a_variant_inherits_is_told_once() -> None:
    variant = "    variants: {half: {who: {tags: [nho]}, every: half}}\n"

    assert len(refused(HEAD + OWED + "    every: year\n    due: {end_of: Q5}\n" + variant)) == 1


def test_endless_problems_are_cut_short() -> None:
    told = refused(HEAD + YEARLY + "".join(f"    key{n}: 1\n" for n in range(2000)))

    assert len(told) == MOST_PROBLEMS + 1
    assert told[-1] == "222:5: error: only the first 200 problems are listed, there are more from here on"


def test_each_circle_is_told_once_by_its_shortest_way() -> None:
    def after(code: str, on: str) -> str:
        return YEARLY.replace("report:", f"{code}:").replace("{end_of: Q3}", f"{{after: {on}, days: 1}}")

    text = HEAD + after("a", "b") + after("b", "c") + after("c", "a") + after("d", "d") + after("e", "a") + YEARLY

    assert refused(text) == [
        "21:18: error: expected due days that do not hang on one another, got a → b → c → a",
        "39:18: error: expected due days that do not hang on one another, got d → d",
    ]


def test_obligations_without_a_common_period_cannot_hang_on_one_another() -> None:
    monthly = YEARLY.replace("report:", "news:").replace("year\n", "month\n    in: 2023-01..2023-02\n")

    assert refused(
        HEAD.replace("2021..", "2024..") + YEARLY.replace("{end_of: Q3}", "{after: news, days: 1}") + monthly
    ) == ["21:18: error: expected an obligation that shares a period (2024, 2025), got news with 2023-01, 2023-02"]


# Units, kinds and tags

KNOWN: Final = Known(frozenset({"van-phong", "btg"}), frozenset({"chi-bo", "dang-bo"}), frozenset({"nho"}))


def test_units_kinds_and_tags_are_free_when_nothing_is_known() -> None:
    assert owed("    every: year\n    due: {end_of: Q3}\n    via: anybody\n").receiver == Receiver(via="anybody")


def test_known_units_kinds_and_tags_are_taken() -> None:
    plan, problems = load.parse((HEAD + YEARLY + "    via: btg\n").encode(), "plan.yaml", KNOWN)

    assert plan is not None
    assert problems == []


def test_an_unknown_unit_kind_or_tag_is_refused_where_it_stands() -> None:
    text = HEAD + YEARLY.replace("[chi-bo]", "[chibo], tags: [lon], under: [van-phng]") + "    via: xyz\n"

    assert refused(text, KNOWN) == [
        "19:19: error: expected a kind that units of the organisation have, got chibo; did you mean “chi-bo”?",
        "19:34: error: expected a tag that units of the organisation have, got lon",
        "19:48: error: expected a unit that the organisation has, got van-phng; did you mean “van-phong”?",
        "22:10: error: expected a unit that the organisation has, got xyz",
    ]


# Bytes and files


def test_bytes_that_are_not_utf8_are_refused_at_the_byte() -> None:
    assert refused((HEAD + YEARLY).encode().replace("năm".encode(), b"n\xe3m")) == [
        "17:26: error: expected text encoded as UTF-8, got the byte 0xe3"
    ]


def test_utf16_is_not_utf8() -> None:
    assert refused((HEAD + YEARLY).encode("utf-16")) == [
        "1:1: error: expected text encoded as UTF-8, got the byte 0xff"
    ]


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbf" + (HEAD + YEARLY).encode(),
        (HEAD + YEARLY).replace("\n", "\r\n").encode(),
        unicodedata.normalize("NFD", HEAD + YEARLY).encode(),
    ],
    ids=["byte order mark", "CRLF", "NFD"],
)
def test_ways_of_editors_make_no_other_plan(data: bytes) -> None:
    assert load.parse(data, "plan.yaml") == (taken(HEAD + YEARLY), [])


def test_the_place_after_a_byte_order_mark_and_crlf_is_the_one_an_editor_shows() -> None:
    text = "\ufeff" + (HEAD + YEARLY).replace("Q3", "Q5").replace("\n", "\r\n")

    assert [each.split(" ")[0] for each in refused(text)] == ["21:19:"]


def test_control_characters_are_refused_each_in_its_place() -> None:
    assert refused((HEAD + YEARLY).replace("Yearly", "Year\x07ly").replace("II.1", "II.1\x00")) == [
        "17:38: error: expected readable characters, got the control character U+0007",
        "18:17: error: expected readable characters, got the control character U+0000",
    ]


def test_every_tab_that_indents_is_told() -> None:
    assert refused((HEAD + YEARLY).replace("    every", "\tevery").replace("    due", "\tdue")) == [
        "20:1: error: expected spaces for indentation, got a tab",
        "21:1: error: expected spaces for indentation, got a tab",
    ]


@pytest.mark.parametrize("empty", [b"", b"\n\n", b"---\n", b"null\n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_no_plan(empty: bytes) -> None:
    assert refused(empty) == ["1:1: error: expected a plan or a calendar, got an empty file"]


def test_deep_nesting_is_refused() -> None:
    assert refused("[" * 100_000) == ["1:33: error: expected at most 32 levels within one another, got more"]


def test_an_alias_repeats_what_it_names() -> None:
    text = (
        HEAD
        + YEARLY.replace("who: {", "who: &all {")
        + YEARLY.replace("report:", "other:").replace("{kinds: [chi-bo]}", "*all")
    )

    assert taken(text).obligation("other").who == Audience(kinds=frozenset({"chi-bo"}))


def test_a_file_of_20_mb_is_refused_before_it_is_parsed(tmp_path: Path) -> None:
    path = tmp_path / "large.yaml"
    with path.open("wb") as file:
        file.truncate(20_000_000)

    plan, problems = load.read(path)

    assert plan is None
    assert [each.text("en") for each in problems] == [
        f"{path}:1:1: error: expected a file of at most 1000000 bytes, got 20000000"
    ]
    assert load.read_calendar(path)[1] == problems


def test_bytes_beyond_the_limit_are_refused_too() -> None:
    assert refused(b"#" * 1_000_001) == ["1:1: error: expected a file of at most 1000000 bytes, got 1000001"]


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "nowhere.yaml"

    assert [each.text("en") for each in load.read(path)[1]] == [
        f"{path}:1:1: error: expected a file that exists, found none"
    ]
    assert [each.text("vi") for each in load.read_calendar(path)[1]] == [
        f"{path}:1:1: error: cần một tệp có thật, không thấy tệp này"
    ]


def test_a_folder_or_a_pipe_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    for path in (tmp_path, tmp_path / "pipe"):
        assert [each.code for each in load.read(path)[1]] == ["problem.not-a-file"]
        assert load.sort_of(path) == "plan"


@pytest.mark.parametrize("name", ["a\0b", "x" * 5000])
def test_a_name_that_no_file_can_have_is_told(name: str) -> None:
    plan, problems = load.read(Path(name))

    assert plan is None
    assert [each.code for each in problems] in (["problem.missing-file"], ["problem.unreadable-file"])
    assert load.sort_of(Path(name)) == "plan"


# Anything at all


@given(st.binary(max_size=300))
def test_no_bytes_raise_an_error(data: bytes) -> None:
    for parse in (load.parse, load.parse_calendar):
        value, problems = parse(data, "any.yaml")
        assert (value is None) == any(each.is_error for each in problems)
        assert all(each.text("vi") and each.text("en") for each in problems)


WHOLE: Final = (
    HEAD
    + YEARLY
    + "    except: {2021: {due: {end_of: M12}, why: II.2}}\n"
    + "    valid: {from: 2022-01-01, to: 2024-12-31}\n"
    + "    levels: {bloc: {who: {kinds: [k]}}, base: {who: {tags: [t]}, due: 5 working days before superior}}\n"
    + "    variants: {v: {who: {tags: [x]}, every: half, only: [H1], due: {day: 25, of: last_month}}}\n"
    + "    remind: [3 working days before, every 5 days at most 4 times]\n"
    + "    fields: {n: {type: number, label: {vi: a, en: b}, target: 2}}\n"
    + "    file: {types: [pdf]}\n"
    + "  other:\n    title: {vi: a, en: b}\n    source: [II.2]\n    who: &w {units: [u], except: {under: [x]}}\n"
    + "    once: [{period: 2023, due: {after: report, days: 3}}, {period: 2024, due: {on: resolution}}]\n"
    + OWED.replace("report:", "figures:").replace("Yearly", "Monthly").replace("năm", "tháng")
    + "    every: nine_months\n    in: 2022..2023\n    window: {cutoff_day: 14, from: {start_of: year}}\n"
    + "    due: {after: cutoff, working_days: 2}\n"
    + "    except: {2022-9M: {window: {to: {day: last, of: M9}}, due: {last_working_day_of: M10}, why: II.2}}\n"
    + OWED.replace("report:", "urgent:").replace("Yearly", "Urgent").replace("năm", "nhanh")
    + "    every: request\n    due: {after: opened, hours: 48}\n"
    + OWED.replace("report:", "survey:").replace("Yearly", "Survey").replace("năm", "ba năm")
    + "    every: 3 years\n    due: {end_of: period, year: 1}\n"
).encode()
SPICE: Final = (
    b"", b"\t", b"\n", b" ", b":", b": ", b"{", b"}", b"[", b"]", b",", b"- ", b"'", b'"', b"#", b"|\n", b"&w ", b"*w",
    b"? ", b"!!x ", b"null", b"~", b"9999", b"0001", b"2021..9999", b"-1", b"1e9", b"\xc3", b"\x00", b"\xef\xbb\xbf",
    b"once", b"every", b"except", b"report", b"other", b"due: {end_of: Q1}", b"<<: *w", b"{}", b"[]", b"%", b"---\n",
    b"request", b"term", b"cutoff", b"opened", b"hours: 1", b"9M", b"0 years",
)  # fmt: skip
CUTS: Final = st.tuples(st.integers(0, len(WHOLE)), st.integers(0, 40), st.sampled_from(SPICE))


def test_the_plan_that_is_cut_up_below_is_whole() -> None:
    assert len(taken(WHOLE.decode()).obligations) == 5


@given(st.lists(CUTS, min_size=1, max_size=5))
def test_no_mangled_plan_raises_an_error(cuts: list[tuple[int, int, bytes]]) -> None:
    data = WHOLE
    for start, length, put in cuts:
        data = data[:start] + put + data[start + length :]

    plan, problems = load.parse(data, "mangled.yaml", KNOWN)

    assert (plan is None) == any(each.is_error for each in problems)
    lines = data.replace(b"\r", b"\n").count(b"\n") + 1
    for each in problems:
        assert 1 <= each.line <= lines
        assert each.column >= 1
        assert each.text("vi") != each.text("en")
        assert "problem." not in each.text("en").partition(": ")[2]

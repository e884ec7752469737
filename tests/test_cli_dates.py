"""Do check, timeline, calendar and explain keep their contract?"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dondoc.cli import main
from dondoc.database import Database
from schedules import shipped
from schedules.schema import json_schema
from tests.builders import province

GOLDEN = Path(__file__).parent / "golden" / "kl01-khoi.txt"
PLAN = str(shipped.plans()["kl01-khoi"])
CHAIN = """\
plan: chuoi
title: {vi: Chuỗi, en: Chain}
document: {vi: Văn bản, en: Document}
issuer: duk
calendar: vn-state
term: 2023
defaults: {opens: 30 days before due, roll: next}
obligations:
  report:
    title: {vi: Báo cáo, en: Report}
    source: II.1
    every: year
    due: {date: 2023-05-03}
    levels:
      bloc: {who: {kinds: [dang-uy-khoi]}}
      base: {who: {kinds: [chi-bo-co-so]}, due: 1 days before superior, roll: next}
"""
Ask = Callable[..., Any]


@pytest.fixture(autouse=True)
def no_office(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def text(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    def ask(*words: str) -> str:
        assert main(words) == 0
        return capsys.readouterr().out

    return ask


@pytest.fixture
def ask(text: Callable[..., str]) -> Ask:
    return lambda *words: json.loads(text(*words, "--json"))


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    def ask(*words: str) -> str:
        assert main(words) == 1
        output = capsys.readouterr()
        return output.out + output.err

    return ask


def write(folder: Path, name: str, words: str) -> str:
    (folder / name).write_text(words, encoding="utf-8")
    return str(folder / name)


# check


def test_the_schema_of_the_language_is_printed_alone(text: Callable[..., str]) -> None:
    assert json.loads(text("check", "--schema")) == json_schema()
    assert text("check", "--schema", "--json") == text("check", "--schema")


def test_all_shipped_files_are_right_and_one_warning_says_what_was_not_checked(ask: Ask) -> None:
    found = ask("check")
    assert len(found["files"]) == len(shipped.plans()) + len(shipped.calendars())
    assert [(each["severity"], each["code"]) for each in found["problems"]] == [("warning", "problem.units-unchecked")]


def test_the_sample_units_know_every_word_of_the_plan(ask: Ask) -> None:
    sheet = Path(__file__).parent.parent / "samples" / "units.csv"
    assert ask("check", PLAN, "--units", str(sheet))["problems"] == []


def test_an_unknown_kind_is_found_by_a_sheet_of_units(tmp_path: Path, refused: Callable[..., str]) -> None:
    sheet = write(tmp_path, "units.csv", "code,name,kind\nduk,Khối,dang-uy-khoi\n")
    assert "chi-bo-co-so" in refused("check", PLAN, "--units", sheet)


def test_a_bad_sheet_of_units_is_refused_with_its_places(tmp_path: Path, refused: Callable[..., str]) -> None:
    sheet = write(tmp_path, "units.csv", "code,name,kind\nDUK,Khối,dang-uy-khoi\n")
    assert "units.csv:2:1: error:" in refused("check", PLAN, "--units", sheet)
    assert "No such file" in refused("check", PLAN, "--units", str(tmp_path / "none.csv"))


def test_all_problems_of_all_files_come_at_once_with_exit_1(refused: Callable[..., str]) -> None:
    bad = Path(__file__).parent / "data" / "bad"
    told = refused("check", str(bad / "twelve.yaml"), str(bad / "tab.yaml"), "none.yaml")
    assert told.count("twelve.yaml:") == 12 + told.count("twelve.yaml:1:1: warning")
    assert "tab.yaml:" in told
    assert "none.yaml:1:1: error: cần một tệp có thật, không thấy tệp này" in told


def test_a_chain_that_collapses_is_a_problem_at_its_levels(tmp_path: Path, refused: Callable[..., str]) -> None:
    told = refused("check", write(tmp_path, "chain.yaml", CHAIN)).splitlines()[0]
    place = next(number for number, line in enumerate(CHAIN.splitlines(), 1) if "levels:" in line)
    assert told.startswith(f"{tmp_path}/chain.yaml:{place}:5: error: cần ít nhất một ngày làm việc giữa các cấp")


def test_a_plan_whose_calendar_nobody_knows_is_refused_in_its_place(
    tmp_path: Path, refused: Callable[..., str]
) -> None:
    path = write(
        tmp_path, "plan.yaml", Path(PLAN).read_text("utf-8").replace("calendar: vn-state", "calendar: vn-stat")
    )
    assert "error: cần một lịch đi kèm hoặc đã áp dụng, gặp “vn-stat”" in refused("check", path)


def test_units_of_the_database_are_the_ones_that_count(
    tmp_path: Path, sqlite_template: Path, refused: Callable[..., str], ask: Ask
) -> None:
    (tmp_path / "data").mkdir()
    shutil.copyfile(sqlite_template, tmp_path / "data" / "dondoc.sqlite")
    assert [each["code"] for each in ask("check", PLAN)["problems"]] == ["problem.units-unchecked"]
    database = Database(f"sqlite:///{tmp_path}/data/dondoc.sqlite")
    province(database)
    database.close()
    assert "bxd-tccs" in refused("check", PLAN)


# timeline


def test_the_timeline_of_plan_003_is_the_golden_one(text: Callable[..., str]) -> None:
    assert text("timeline", PLAN) == GOLDEN.read_text("utf-8")


def test_rows_have_exactly_the_keys_of_the_contract(ask: Ask) -> None:
    keys = "plan obligation source period level who opens_on nominal_due_on due_on grace_until provisional set_by"
    assert {tuple(row) for row in ask("timeline", "kl01-khoi")} == {tuple(keys.split())}


def test_from_and_to_are_both_included_and_stand_in_order(ask: Ask, refused: Callable[..., str]) -> None:
    rows = ask("timeline", "kl01-khoi", "--from", "2021-11-30", "--to", "2021-12-31")
    assert {row["nominal_due_on"] for row in rows} == {"2021-11-30", "2021-12-31"}
    said = refused("timeline", "kl01-khoi", "--from", "2022-01-01", "--to", "2021-12-31")
    assert said == "cần --from không muộn hơn --to, gặp 2022-01-01 và 2021-12-31\n"


def test_one_unit_sees_what_it_owes_by_its_kind_its_tags_and_its_place(ask: Ask) -> None:
    cell = {row["obligation"] for row in ask("timeline", "kl01-khoi", "--unit", "stc")}
    union = {row["obligation"] for row in ask("timeline", "kl01-khoi", "--unit", "doan-khoi")}
    assert "annual-report" in cell & union
    assert "youth-plan" in union - cell
    assert "study" in cell - union


def test_an_unknown_unit_plan_or_calendar_is_refused(refused: Callable[..., str]) -> None:
    assert refused("timeline", "kl01-khoi", "--unit", "nobody") == "cần mã một đơn vị đã có, gặp “nobody”\n"
    assert "gặp “kl01-khoy”" in refused("timeline", "kl01-khoy")
    assert "gặp “lunar”" in refused("calendar", "lunar", "2025-05-01")
    assert "none.yaml:1:1: error" in refused("timeline", "none.yaml")


# calendar


@pytest.mark.parametrize("distance", [["-5wd", "--json"], ["--json", "-5wd"], ["--json", "--", "-5wd"]])
def test_a_distance_before_is_accepted_as_it_stands(distance: list[str], text: Callable[..., str]) -> None:
    # 1 May 2025 is off, so are 30 April and 2 May; Saturday 26 April is worked instead of Friday 2 May.
    assert json.loads(text("calendar", "vn-state", "2025-05-01", *distance))["result"] == "2025-04-24"


def test_the_answer_of_the_calendar_has_exactly_the_keys_of_the_contract(ask: Ask) -> None:
    answer = ask("calendar", "vn-state", "2025-05-01", "+5wd")
    assert list(answer) == ["date", "working", "name", "source", "provisional", "result"]
    assert (answer["date"], answer["working"], answer["provisional"]) == ("2025-05-01", False, False)
    assert answer["name"] == "Ngày Quốc tế lao động"
    assert "Bộ luật Lao động 2019" in answer["source"]
    plain = ask("calendar", "vn-state", "2025-09-30")
    assert (plain["working"], plain["name"], plain["source"], plain["result"]) == (True, None, None, None)


def test_a_year_without_a_decision_is_provisional(ask: Ask, text: Callable[..., str]) -> None:
    assert ask("calendar", "vn-state", "2030-03-01")["provisional"] is True
    assert "Còn tạm tính" in text("calendar", "vn-state", "2030-03-01")


# explain


def test_why_the_first_report_was_due_in_december(ask: Ask, text: Callable[..., str]) -> None:
    found = ask("explain", "kl01-khoi", "annual-report", "2021")
    (row,) = found["rows"]
    assert (row["due_on"], found["source"], found["task"]) == ("2021-12-31", "II.8.3; III.2", None)
    codes = {reason["code"]: reason["params"] for reason in row["reasons"]}
    assert codes["exception"] == {"period": "2021", "why": "II.8.3"}
    assert "rule.end_of" in codes
    told = text("explain", "kl01-khoi", "annual-report", "2021")
    assert "Ngoại lệ của kỳ 2021, theo II.8.3" in told
    assert "Kế hoạch của Ban Thường vụ" in told


def test_what_the_office_set_and_a_day_off_and_a_distance_are_said(text: Callable[..., str]) -> None:
    assert "văn phòng đặt" in text("explain", "kl01-khoi", "monthly-assessment", "2022-01")
    assert "là ngày nghỉ (29 tháng Chạp" in text("explain", "kl01-khoi", "monthly-assessment", "2022-01")
    assert "15 ngày làm việc sau “Báo cáo kết quả hằng năm”" in text("explain", "kl01-khoi", "bloc-report", "2022")


def test_what_waits_for_a_milestone_has_no_day(ask: Ask, text: Callable[..., str]) -> None:
    found = ask("explain", "kl01-khoi", "ethics-review", "2023")
    assert (found["rows"], found["waiting"]) == ([], [{"level": "", "milestone": "leadership-resolution"}])
    assert "Chưa có ngày" in text("explain", "kl01-khoi", "ethics-review", "2023")


def test_a_unit_that_owes_nothing_is_told_so(text: Callable[..., str]) -> None:
    told = text("explain", "kl01-khoi", "youth-plan", "2022", "--unit", "stc")
    assert "Đơn vị stc không phải báo cáo kỳ này." in told


def test_an_unknown_obligation_or_period_is_refused_with_what_there_is(refused: Callable[..., str]) -> None:
    assert "annual-report" in refused("explain", "kl01-khoi", "annual", "2021")
    assert "2021, 2022, 2023, 2024, 2025" in refused("explain", "kl01-khoi", "annual-report", "2026")


def test_no_reason_of_a_shipped_plan_is_without_words(ask: Ask, text: Callable[..., str]) -> None:
    for code in shipped.plans():
        asked = {(row["obligation"], row["period"]) for row in ask("timeline", code)}
        for obligation, period in dict(sorted(asked)).items():
            told = text("explain", code, obligation, period)
            assert "rule." not in told
            assert "{" not in told

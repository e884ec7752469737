"""Does a simulation tell what the engine would do, the same for the same seed, and without a trace in the office?"""

import csv
import hashlib
import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func
from sqlalchemy import text as sql
from sqlmodel import Session, col, select

from dondoc.cli import main
from dondoc.database import Database
from engine import milestones, review, simulate, submit
from engine.errors import RefusedError
from engine.simulated import Simulated, simulated
from models.message import Message
from models.notice import Notice
from models.task import IllegalActError, Task
from notifications.deliver import queue
from notifications.item import Office
from notifications.pace import Pace
from tests.builders import UNITS, ZONE, act_of, at, everything, hand_in, id_of, province, step_round, vn_state

GOLDEN = Path(__file__).parent / "data" / "simulated.txt"
#: Every month, so that a small organisation meets everything that may happen to a report.
MONTHLY = """\
plan: hang-thang
title: {vi: Báo cáo hằng tháng, en: Monthly report}
document: {vi: Quyết định mẫu, en: Sample decision}
issuer: duk
calendar: vn-state
term: 2022..2023
defaults:
  opens: 15 days before due
  roll: next
  grace: 15 days
  remind: [5 working days before, due day, 2 working days after]
  escalate:
    - {after: 1 working day, to: unit.head}
    - {after: 3 working days, to: superior.secretariat}
    - {after: 5 working days, to: issuer.standing}
milestones:
  resolution: {title: {vi: Nghị quyết, en: Resolution}}
obligations:
  report:
    title: {vi: Báo cáo tháng, en: Monthly report}
    source: II.1
    who: {kinds: [dang-bo-co-so, chi-bo-co-so, doan-the, chi-bo-truc-thuoc]}
    every: month
    due: {end_of: period}
  figures:
    title: {vi: Số liệu quý, en: Quarterly figures}
    source: II.1
    who: {kinds: [chi-bo-co-so, doan-the]}
    every: quarter
    due: {end_of: period}
  review:
    title: {vi: Rà soát, en: Review}
    source: II.2
    who: {kinds: [dang-bo-co-so]}
    every: year
    due: {on: resolution}
"""
FIRST, LAST = date(2022, 1, 1), date(2022, 5, 31)
SEED = 3
SPAN = ("--from", "2022-01-01", "--to", "2022-03-31")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to stand in, with a plan and a list of units, far from the folder of temporary files."""
    here, scratch = tmp_path / "here", tmp_path / "scratch"
    here.mkdir()
    scratch.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    (here / "plan.yaml").write_text(MONTHLY, "utf-8")
    with (here / "units.csv").open("w", encoding="utf-8", newline="") as file:
        sheet = csv.writer(file)
        roles = ("contact", "head", "secretariat", "standing")
        people = [f"{role}_{what}" for role in roles for what in ("name", "email")]
        sheet.writerow(["code", "name", "kind", "parent", "valid_from", *people])
        for code, (name, kind, parent, held) in UNITS.items():
            cells = [(f"{role} {name}", f"{role}.{code}@example.org") if role in held else ("", "") for role in roles]
            sheet.writerow([code, name, kind, parent or "", "2020-01-01", *(cell for each in cells for cell in each)])
    return here


@pytest.fixture
def ask(folder: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """What the command prints; nothing but that, and nothing is left in the folder of temporary files."""

    def run(*words: str) -> str:
        code = main(["simulate", *words])
        output = capsys.readouterr()
        assert (code, output.err) == (0, "")
        assert list((folder.parent / "scratch").iterdir()) == []
        return output.out

    return run


@pytest.fixture
def refused(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    monkeypatch.setenv("DONDOC_LANG", "en")

    def run(*words: str) -> str:
        assert main(["simulate", *words]) == 1
        output = capsys.readouterr()
        assert output.out == ""
        assert list((folder.parent / "scratch").iterdir()) == []
        return output.err

    return run


# The same as the engine


def test_what_is_written_for_many_at_once_equals_the_acts_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    at_once, rows = lived()
    work = at_once.total
    assert min(work.late, work.missing, work.returned, work.extended) > 0  # all that may happen does
    assert [kind for kind, count in at_once.notices.items() if count == 0] == ["date_moved", "cancelled", "bounced"]
    assert at_once.messages < sum(at_once.notices.values()) - 5

    with simulate.scratch() as database:

        def bundle(session: Session, office: Office) -> None:
            session.commit()
            queue(database, office)
            session.expire_all()

        monkeypatch.setattr(simulate, "hand_in_all", hand_in_one_by_one)
        monkeypatch.setattr(simulate, "accept_all", accept_one_by_one)
        monkeypatch.setattr(simulate, "bundle_waiting", bundle)
        one_by_one, same_rows = lived_in(database)

    for table in rows:
        assert same_rows[table] == rows[table], table
    waits = one_by_one.traffic.waits  # there a notice that rides along with another one says that instead
    assert {each.why for each in waits} - {"merged.graver"} <= {each.why for each in at_once.traffic.waits}
    assert replace(one_by_one, traffic=replace(one_by_one.traffic, waits=at_once.traffic.waits)) == at_once


def test_a_late_report_stays_late_when_it_is_returned_and_comes_again_in_time() -> None:
    with simulate.scratch() as database:
        province(database)
        step_round(database, at("2021-12-01"))
        task_id = id_of(database, "stc")
        hand_in(database, task_id, "2022-01-10")
        act_of(database, review.send_back, task_id, "2022-01-11", reason="Thiếu số liệu.", due_on=date(2022, 1, 20))
        with database.writing() as session:
            assert simulate.hand_in_all(session, [task_id], at("2022-01-15"), ZONE) == [task_id]
        with database.reading() as session:
            task = session.get_one(Task, task_id)
            assert (task.state, task.versions, task.is_late) == ("submitted", 2, True)


def hand_in_one_by_one(session: Session, task_ids: Sequence[int], now: datetime, zone: str) -> list[int]:
    taken = []
    for task_id in sorted(task_ids):
        task = session.get_one(Task, task_id)
        try:
            key = f"{task_id}:{task.versions}"
            submit.submit(session, task_id, by="contact:1", answers={}, files=(), key=key, now=now, zone=zone)
        except (IllegalActError, RefusedError):  # its end has come
            continue
        taken.append(task_id)
    return taken


def accept_one_by_one(session: Session, task_ids: Sequence[int], now: datetime) -> None:
    for task_id in task_ids:
        review.accept(session, task_id, by="office", now=now)


def lived() -> tuple[Simulated, dict[str, list[Any]]]:
    with simulate.scratch() as database:
        return lived_in(database)


def lived_in(database: Database) -> tuple[Simulated, dict[str, list[Any]]]:
    """Some months of the small province, and what its rows say."""
    province(database, MONTHLY, on="2022-01-01")
    with database.writing() as session:
        milestones.enter(
            session, "hang-thang", "resolution", "2022", date(2022, 3, 1), unit_code=None, by="office",
            now=at("2022-01-01"),
        )  # fmt: skip
        days: list[date] = []
        simulate.live(
            session, vn_state(), first=FIRST, last=LAST, seed=SEED, zone=ZONE, pace=Pace(), report=days.append
        )
        assert days == sorted(days)
        return simulated(session, first=FIRST, last=LAST, seed=SEED, zone=ZONE), rows_of(session)


def rows_of(session: Session) -> dict[str, list[Any]]:
    """What both ways must have in common: everything but answers, keys, receipts, and the numbers of entries."""
    kept = {
        "task": "id, cycle_id, unit_id, deadline_id, state, versions, returns, is_late, changed_at",
        "cycle": "id, obligation, period, state, opened_at, closed_at",
        "deadline": "id, cycle_id, level, origin, due_on, grace_until",
        "step": "deadline_id, kind, ordinal, rung, at, state, fired_at, why, counts",
        "submission": "task_id, number, way, at, received_on, due_on, is_withdrawn",
        "extension": "task_id, from_deadline_id, to_deadline_id, from_on, to_on, at",
        "review": "verdict, due_on, does_not_count, at",
        "notice": "task_id, contact_id, kind, rung, due_on, created_at, dropped",
    }
    found = {
        table: [tuple(row) for row in session.execute(sql(f"SELECT {columns} FROM {table}"))]
        for table, columns in kept.items()
    }
    told: dict[int, list[Any]] = {}
    for notice, message in session.execute(
        select(Notice, Message).join(Message, col(Message.id) == col(Notice.message_id), isouter=True)
    ):
        assert message is not None or notice.dropped
        if message is not None:
            start = [str(message.contact_id), str(message.created_at)]
            told.setdefault(message.id, start).append(f"{notice.task_id} {notice.kind}")
    assert len(told) == session.scalar(select(func.count()).select_from(Message))
    found["message"] = [(*words[:2], *sorted(words[2:])) for words in told.values()]
    return {table: sorted(rows, key=repr) for table, rows in found.items()}


# The command


def test_the_text_is_the_golden_one(ask: Callable[..., str]) -> None:
    assert ask("plan.yaml", "--units", "units.csv", *SPAN) == GOLDEN.read_text("utf-8")


def test_the_same_seed_is_the_same_result_and_another_seed_another(ask: Callable[..., str]) -> None:
    words = ("plan.yaml", "--units", "units.csv", *SPAN, "--json")
    once = ask(*words)
    assert ask(*words, "--seed", "1") == once
    other = json.loads(ask(*words, "--seed", "-2"))
    assert other["seed"] == -2
    assert {**other, "seed": 1} != json.loads(once)


def test_the_numbers_add_up(ask: Callable[..., str]) -> None:
    found = json.loads(ask("plan.yaml", "--units", "units.csv", *SPAN, "--json"))
    months, contacts = found["months"], found["contacts"]
    assert [each["month"] for each in months] == [f"2022-{number:02}" for number in range(1, 4)]
    assert found["units"] == {"of": "file", "first": 10, "last": 10}
    assert found["tasks"] == sum(found["states"].values()) == sum(each["opened"] for each in months) == 28
    assert found["due"] == found["on_time"] + found["late"] + found["missing"]
    assert found["complete_rate"] == round((found["on_time"] + found["late"]) / found["due"], 4)
    for name, total in (("notices", sum(found["notices"].values())), ("messages", found["messages"])):
        assert total == sum(each[name] for each in months) == sum(each[name] for each in contacts)
        in_months = sum(month[name] for each in contacts for month in each["months"].values())
        assert total == in_months
    assert found["notices"]["escalation"] == sum(each["notices"] for each in found["escalations"])
    assert found["notices"]["escalation"] == sum(each["escalations"] for each in months)
    assert found["messages"] == sum(found["channels"].values()) == sum(each["messages"] for each in found["hours"])
    days = {each["day"]: each for each in found["days"]}
    for day, each in days.items():
        told = [sum(contact["days"][day].values()) for contact in contacts if day in contact["days"]]
        assert (each["messages"], each["contacts"], each["most"]) == (sum(told), len(told), max(told))
        assert each["messages"] == sum(each["channels"].values())
    assert found["messages"] == sum(each["messages"] for each in days.values())
    assert max(each["most"] for each in days.values()) <= 3  # the budget of a day
    assert [each["messages"] for each in contacts] == sorted((each["messages"] for each in contacts), reverse=True)
    assert found["waiting"] == [
        {"obligation": "review", "period": "2022", "milestone": "resolution"},
        {"obligation": "review", "period": "2023", "milestone": "resolution"},
    ]


def test_a_shipped_plan_is_tried_on_the_sample_organisation(ask: Callable[..., str]) -> None:
    found = json.loads(ask("kl01-khoi", "--from", "2021-10-01", "--to", "2021-10-15", "--json"))
    assert found["units"]["of"] == "sample"
    assert found["tasks"] > 100


def test_a_span_in_which_nothing_happens_is_told_as_such(ask: Callable[..., str]) -> None:
    found = json.loads(ask("plan.yaml", "--units", "units.csv", "--from", "2030-01-01", "--to", "2030-01-01", "--json"))
    assert (found["tasks"], found["messages"], found["complete_rate"], found["contacts"]) == (0, 0, None, [])
    assert len(found["months"]) == 1


# The office


@pytest.fixture
def office(database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Database:
    """The small province with the monthly plan in force since 2022, and a milestone entered for one unit."""
    province(database, MONTHLY, on="2022-01-01")
    with database.writing() as session:
        milestones.enter(
            session, "hang-thang", "resolution", "2022", date(2022, 2, 14), unit_code="snv", by="office",
            now=at("2022-01-05"),
        )  # fmt: skip
    monkeypatch.setenv("DONDOC_DATABASE_URL", database_url)
    return database


def test_a_plan_in_force_is_tried_on_the_units_and_milestones_of_the_office(
    office: Database, ask: Callable[..., str]
) -> None:
    found = json.loads(ask("hang-thang", *SPAN, "--json"))
    assert found["units"] == {"of": "office", "first": 10, "last": 10}
    opened = {each["obligation"]: each["tasks"] for each in found["obligations"]}
    assert opened == {"report": 24, "figures": 4, "review": 1}
    assert [each["period"] for each in found["waiting"]] == ["2023"]


def test_other_units_than_those_of_the_office_can_be_named(
    office: Database, folder: Path, ask: Callable[..., str]
) -> None:
    lines = (folder / "units.csv").read_text("utf-8").splitlines()
    (folder / "few.csv").write_text("\n".join(line for line in lines if not line.startswith("snv")), "utf-8")
    found = json.loads(ask("hang-thang", *SPAN, "--units", "few.csv", "--json"))
    assert found["units"] == {"of": "file", "first": 7, "last": 7}
    assert found["obligations"][2]["tasks"] == 0  # the unit whose milestone was entered is not among them


def test_the_office_stays_as_it_is_to_the_last_byte(
    office: Database, database_url: str, ask: Callable[..., str], folder: Path
) -> None:
    def trace() -> object:
        if office.is_sqlite:
            office.close()
            kept = Path(database_url.removeprefix("sqlite:///"))
            return sorted(path.name for path in kept.parent.iterdir()), hashlib.sha256(kept.read_bytes()).hexdigest()
        with office.reading() as session:
            return everything(session)

    before = trace()
    ask("hang-thang", *SPAN)
    assert trace() == before
    assert sorted(path.name for path in folder.iterdir()) == ["plan.yaml", "units.csv"]


# The bar


def test_a_bar_moves_on_a_terminal_and_nowhere_else(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert main(["simulate", "plan.yaml", "--units", "units.csv", *SPAN, "--json"]) == 0
    output = capsys.readouterr()
    steps = [step for step in output.err.split("\r") if step.strip()]
    assert steps[0] == f"[{'.' * 40}] 01/2022"
    assert steps == sorted(steps, key=lambda step: step.count("#"))
    assert steps[-1].count("#") > 35
    assert output.err.endswith("\r")  # wiped out
    assert json.loads(output.out)["plan"] == "hang-thang"


# What is refused


def test_a_plan_that_is_not_there_is_refused(refused: Callable[..., str]) -> None:
    told = refused("nowhere", *SPAN)
    assert "nowhere" in told
    assert "kl01-khoi" in told
    assert "nowhere.yaml" in refused("nowhere.yaml", *SPAN)


def test_a_last_day_before_the_first_is_refused(refused: Callable[..., str]) -> None:
    told = refused("plan.yaml", "--from", "2022-02-01", "--to", "2022-01-31")
    assert told == "--to: expected a day from 2022-02-01 on, got 2022-01-31\n"


@pytest.mark.parametrize(
    ("first", "last", "told"),
    [("0001-01-01", "2022-01-01", "--from"), ("2022-01-01", "9999-12-31", "--to")],
)
def test_years_without_a_calendar_are_refused(refused: Callable[..., str], first: str, last: str, told: str) -> None:
    assert refused("plan.yaml", "--from", first, "--to", last).startswith(f"{told}: expected a year from 1900 to 2199")


def test_units_that_cannot_be_read_are_refused(refused: Callable[..., str], folder: Path) -> None:
    assert refused("plan.yaml", *SPAN, "--units", "none.csv").startswith("none.csv: ")
    (folder / "bad.csv").write_text("code,name,kind,parent\na,A,x,nobody\n,B,x,\n", "utf-8")
    told = refused("plan.yaml", *SPAN, "--units", "bad.csv").splitlines()
    assert len(told) == 2
    assert all(line.startswith("bad.csv:") for line in told)
    (folder / "bad.xlsx").write_bytes(b"no workbook")
    assert "bad.xlsx" in refused("plan.yaml", *SPAN, "--units", "bad.xlsx")


def test_a_plan_with_errors_is_refused_with_all_of_them(refused: Callable[..., str], folder: Path) -> None:
    text = MONTHLY.replace("every: month", "every: fortnight").replace("every: quarter", "every: Friday")
    (folder / "bad.yaml").write_text(text, "utf-8")
    told = refused("bad.yaml", *SPAN).splitlines()
    assert [line.split(": ")[0].split(":")[0] for line in told] == ["bad.yaml", "bad.yaml"]


def test_an_issuer_who_is_not_among_the_units_is_refused(refused: Callable[..., str], folder: Path) -> None:
    (folder / "few.csv").write_text("code,name,kind,parent\na,A,x,\n", "utf-8")
    assert "duk" in refused("plan.yaml", *SPAN, "--units", "few.csv")

"""Do two readers of the bloc's plan agree? The compiled timeline against the slow oracle, day for day."""

import csv
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlmodel import Session, select

from dondoc.database import Database
from models.unit import Unit, matching
from samples import organisation
from schedules import load
from schedules.audience import Audience
from schedules.calendars import Calendar
from schedules.plan import Plan, SetBy
from schedules.timeline import Milestones, Row, compiled, timeline
from tests import oracle
from tests.oracle import Member, Reading

SCHEDULES = Path(load.__file__).parent
FIRST, LAST = oracle.DAYS[0], oracle.DAYS[-1]
#: All units of the sample organisation are there on this day.
DAY = date(2022, 10, 1)

#: obligation (and variant) of the file -> sentences of the oracle
SENTENCES_OF = {
    "study": ["study"],
    "year-plan": ["action-plan"],
    "personal-commitments": ["commitments"],
    "half-year-assessment": ["assessment-half"],
    "year-assessment": ["assessment-year"],
    "ethics-standards": ["standards-first"],
    "example-rules": ["example-rules"],
    "example-results": ["example-results"],
    "examples-committee": ["models-committee"],
    "examples-cell": ["models-cell"],
    "propaganda-guidance": ["guidance"],
    "propaganda-plan": ["publicity-plan"],
    "examples-plan": ["models-plan"],
    "theory-report": ["theory-advice"],
    "youth-plan": ["youth-plan"],
    "inspection-programme": ["inspection-programme"],
    "inspection-plan": ["inspection-plan"],
    "opinions": ["opinions"],
    "opinions/half-yearly": ["opinions-first-half", "opinions-second-half"],
    "annual-report": ["report"],
    "three-year-review": ["review"],
    "ten-year-summary": ["summary"],
    "bloc-report": ["bloc-report"],
    "founding-plan": ["papers"],
    "dissemination": ["spreading"],
    "topic-conference": ["conference"],
    "ethics-presentation": ["standards"],
    "ethics-seminar": ["talk"],
    "emulation-drive": ["emulation"],
    "photo-contest": ["photographs"],
    "review-conference": ["review-conference"],
    "writing-contest": ["writing"],
    "founding-anniversary": ["anniversary"],
    "summary-conference": ["summary-conference"],
    "monthly-assessment": ["monthly"],
    "union-half-report": ["unions-half"],
    "union-year-report": ["unions-year"],
    "board-report": ["board-report"],
}

READINGS = {sentence.key: list(oracle.readings(sentence)) for sentence in oracle.SENTENCES}


@pytest.fixture(scope="module")
def plan() -> Plan:
    plan, problems = load.read(SCHEDULES / "plans" / "kl01-khoi.yaml")
    assert plan is not None, [problem.text("en") for problem in problems]
    return plan


@pytest.fixture(scope="module")
def calendar() -> Calendar:
    calendar, problems = load.read_calendar(SCHEDULES / "calendars" / "vn-state.yaml")
    assert calendar is not None, [problem.text("en") for problem in problems]
    return calendar


@pytest.fixture(scope="module")
def rows(plan: Plan, calendar: Calendar) -> list[Row]:
    return timeline(plan, calendar, {}, FIRST, LAST)


@pytest.fixture(scope="module")
def members() -> list[Member]:
    with organisation.UNITS.open(encoding="utf-8", newline="") as file:
        return [Member(row["code"], row["kind"], frozenset(row["tags"].split())) for row in csv.DictReader(file)]


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('organisation') / 'dondoc.sqlite'}")
    database.upgrade()
    with database.writing() as session:
        organisation.load(session, now=datetime(2021, 9, 24, tzinfo=UTC), zone="Asia/Ho_Chi_Minh")
    with database.reading() as session:
        yield session
    database.close()


def name(row: Row) -> str:
    code = row.occurrence.obligation.code
    return f"{code}/{row.day.level}" if row.day.level else code


def explains(row: Row) -> Reading | None:
    """The reading that accounts for a row of the timeline."""
    label = row.occurrence.period.label
    found = [
        reading
        for key in SENTENCES_OF.get(name(row), [])
        for reading in READINGS[key]
        if label in reading.about.labels and reading.sentence.clause in row.occurrence.obligation.source
    ]
    return found[0] if len(found) == 1 else None


def test_the_oracle_knows_the_days_that_anybody_can_read_off() -> None:
    days = {(key, min(reading.about.labels)): reading.latest for key in READINGS for reading in READINGS[key]}
    assert days["study", "2024"] == date(2024, 3, 31)
    assert days["action-plan", "2022"] == date(2021, 12, 31)
    assert days["inspection-plan", "2022"] == date(2021, 11, 30)
    assert days["report", "2021"] == date(2021, 12, 31)
    assert days["report", "2022"] == date(2022, 9, 30)
    assert days["review", "2021..2023"] == date(2023, 6, 30)


def test_every_row_of_the_timeline_is_explained_by_a_sentence(rows: list[Row]) -> None:
    unexplained = [(name(row), row.occurrence.period.label, row.day.due_on) for row in rows if explains(row) is None]
    assert unexplained == []


def test_everything_that_a_sentence_demands_stands_in_the_timeline_once(rows: list[Row]) -> None:
    times: dict[tuple[str, frozenset[str]], int] = {}
    for row in rows:
        reading = explains(row)
        if reading is not None:
            key = (reading.sentence.key, reading.about.labels)
            times[key] = times.get(key, 0) + 1
    demanded = {
        (key, reading.about.labels): 1 for key, found in READINGS.items() for reading in found if reading.is_needed
    }
    assert {key: times.get(key, 0) for key in demanded} == demanded
    assert [key for key, count in times.items() if count > 1] == []


def test_a_day_that_the_document_fixes_is_that_day_and_the_documents(rows: list[Row]) -> None:
    fixed = [(row, found) for row in rows if (found := explains(row)) and not found.sentence.is_open]
    wrong = [
        (name(row), row.occurrence.period.label, row.day.due_on, reading.latest, row.day.set_by)
        for row, reading in fixed
        if (row.day.nominal_on, row.day.due_on, row.day.set_by) != (reading.latest, reading.latest, SetBy.DOCUMENT)
    ]
    assert wrong == []
    assert len(fixed) == 34


def test_a_day_that_the_document_leaves_open_is_tenable_and_the_offices(rows: list[Row]) -> None:
    wrong = [
        (name(row), row.occurrence.period.label, row.day.due_on, found.earliest, found.latest, row.day.set_by)
        for row in rows
        if (found := explains(row)) and found.sentence.is_open
        if not found.earliest <= row.day.due_on <= found.latest or row.day.set_by is not SetBy.OFFICE
    ]
    assert wrong == []


def test_each_duty_falls_to_those_whom_the_sentence_names(
    rows: list[Row], members: list[Member], session: Session
) -> None:
    wrong = []
    seen: dict[Audience, set[str]] = {}
    for row in rows:
        reading = explains(row)
        if reading is None:
            continue
        who = row.day.who
        if who not in seen:
            units = dict(session.exec(select(Unit.id, Unit.code)).all())
            seen[who] = {units[placement.unit_id] for placement in session.scalars(matching(who, DAY))}
        sentence = reading.sentence
        must = {each.code for each in members if sentence.who(each) and not sentence.unless(each)}
        may = {each.code for each in members if sentence.who(each) or sentence.also(each)}
        if not must <= seen[who] <= may or not seen[who]:
            wrong.append((name(row), row.occurrence.period.label, must - seen[who], seen[who] - may))
    assert wrong == []


def test_units_with_the_six_monthly_variant_owe_no_yearly_one(rows: list[Row], session: Session) -> None:
    """An option taken replaces what it is an option to."""
    yearly, halves = (
        {
            placement.unit_id
            for row in rows
            if name(row) == each
            for placement in session.scalars(matching(row.day.who, DAY))
        }
        for each in ("opinions", "opinions/half-yearly")
    )
    assert len(halves) == 6
    assert not yearly & halves


def test_the_yearly_review_of_standards_falls_with_the_resolution_whenever_that_is(
    plan: Plan, calendar: Calendar
) -> None:
    waiting = {(each.obligation.code, each.period.label) for each in compiled(plan, calendar).waiting}
    assert waiting == {("ethics-review", str(of.year)) for of in oracle.WITH_RESOLUTION}
    for of in oracle.WITH_RESOLUTION:
        for day in (date(of.year - 1, 12, 28), date(of.year, 1, 8), date(of.year, 2, 15)):
            milestones: Milestones = {("leadership-resolution", str(of.year)): frozenset({day})}
            found = [row for row in timeline(plan, calendar, milestones, FIRST, LAST) if name(row) == "ethics-review"]
            assert [(row.day.due_on, row.occurrence.obligation.source) for row in found] == [(day, ("II.3.3",))]


def test_the_quotas_are_targets(plan: Plan) -> None:
    """II.5.1: “Phấn đấu mỗi đảng bộ cơ sở … 01 tập thể, 02 cá nhân …; mỗi chi bộ … 01 cá nhân”."""
    targets = {
        code: sorted(field.target for field in plan.obligation(code).fields if field.target is not None)
        for code in ("examples-committee", "examples-cell")
    }
    assert targets == {"examples-committee": [1, 2], "examples-cell": [1]}

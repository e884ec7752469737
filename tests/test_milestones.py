"""Does what hangs on a milestone open by its day, for all units and for one? And chains, variants, receivers?"""

from collections import Counter
from datetime import date

import pytest
from sqlmodel import col, select

from dondoc.database import Database
from engine import review
from engine.errors import InvalidPlanError, RefusedError
from engine.milestones import enter, take_back
from engine.submit import submit
from models.cycle import Cycle, CycleState
from models.deadline import Deadline
from models.entry import Entry, breaks
from models.milestone import MilestoneDay
from models.notice import Notice
from models.proposal import Policy
from models.step import Step
from models.task import Task
from models.unit import Unit
from tests.builders import HEAD, YEARLY, act_of, at, province, step_round, tag, task_of, unit_id
from tests.test_revise import applied

RESOLUTION = (
    HEAD
    + """\
milestones:
  resolution: {title: {vi: Nghị quyết, en: Resolution}}
obligations:
  ethics:
    title: {vi: Rà soát chuẩn mực, en: Review of standards}
    source: II.3.3
    who: {kinds: [dang-bo-co-so, chi-bo-co-so]}
    every: year
    in: 2022..2023
    opens: {on: resolution}
    due: {after: resolution, working_days: 10}
"""
)
CHAIN = (
    HEAD
    + """\
obligations:
  summary:
    title: {vi: Tổng hợp, en: Summary}
    source: III.2
    every: year
    in: 2022..2022
    due: {end_of: Q4}
    levels:
      bloc: {who: {kinds: [dang-uy-khoi]}}
      base: {who: {kinds: [dang-bo-co-so, chi-bo-co-so]}, due: 5 working days before superior}
      cell: {who: {kinds: [chi-bo-truc-thuoc]}, due: 3 working days before superior}
"""
)


def test_a_milestone_for_all_gives_everybody_one_deadline(database: Database) -> None:
    province(database, RESOLUTION)
    assert step_round(database, at("2022-02-01"))[0].cycles == 0
    enter_day(database, "2022-02-07", entered="2022-02-07")
    assert step_round(database, at("2022-02-07"))[0].tasks == 5
    assert dues(database) == {"2022-02-21": 5}
    assert step_round(database, at("2022-02-08"))[0].tasks == 0


def test_each_distinct_day_has_one_deadline_and_units_of_one_day_share_it(database: Database) -> None:
    province(database, RESOLUTION)
    for unit, on in (("stc", "2022-02-07"), ("snv", "2022-02-10"), ("syt", "2022-02-07")):
        enter_day(database, on, unit=unit, entered="2022-02-10")
    step_round(database, at("2022-02-10"))
    assert dues(database) == {"2022-02-21": 2, "2022-02-24": 1}


def test_a_unit_whose_day_equals_one_that_is_open_joins_its_deadline(database: Database) -> None:
    province(database, RESOLUTION)
    enter_day(database, "2022-02-07", unit="stc", entered="2022-02-07")
    step_round(database, at("2022-02-07"))
    enter_day(database, "2022-02-07", unit="snv", entered="2022-02-09")
    assert step_round(database, at("2022-02-09"))[0].tasks == 1
    assert dues(database) == {"2022-02-21": 2}
    with database.reading() as session:
        assert len(session.exec(select(Deadline)).all()) == 1
        widened = session.exec(select(Entry).where(col(Entry.act) == "widened")).one()
        assert widened.data["tasks"] == 1
        assert list(breaks(session)) == []


def test_the_day_for_all_leaves_a_units_own_day_as_it_is(database: Database) -> None:
    province(database, RESOLUTION)
    enter_day(database, "2022-02-10", unit="stc", entered="2022-02-10")
    enter_day(database, "2022-02-14", entered="2022-02-14")
    step_round(database, at("2022-02-14"))
    assert dues(database) == {"2022-02-24": 1, "2022-02-28": 4}


def test_a_day_of_its_own_after_all_have_been_opened_makes_no_empty_deadline(database: Database) -> None:
    province(database, RESOLUTION)
    enter_day(database, "2022-02-07", entered="2022-02-07")
    step_round(database, at("2022-02-07"))
    enter_day(database, "2022-02-21", unit="stc", entered="2022-02-21")
    opened, _ = step_round(database, at("2022-02-21"))
    assert (opened.tasks, opened.steps) == (0, 0)
    assert dues(database) == {"2022-02-21": 5}


def test_a_milestone_entered_after_its_cycle_closed_opens_it_again_for_the_new_unit(database: Database) -> None:
    province(database, RESOLUTION)
    enter_day(database, "2022-02-07", unit="stc", entered="2022-02-07")
    step_round(database, at("2022-02-07"))
    with database.writing() as session:
        task_id = task_of(session, "stc", "2022", "ethics").id
    hand_in_plain(database, task_id, "2022-02-08")
    with database.reading() as session:
        assert session.exec(select(Cycle.state)).one() == CycleState.CLOSED
    enter_day(database, "2022-03-07", unit="snv", entered="2022-03-07")
    assert step_round(database, at("2022-03-07"))[0].tasks == 1
    with database.reading() as session:
        cycle = session.exec(select(Cycle)).one()
        assert (cycle.state, cycle.closed_at) == (CycleState.OPEN, None)


def test_a_milestone_of_a_coming_day_waits_for_its_opening(database: Database) -> None:
    province(database, RESOLUTION)
    enter_day(database, "2022-03-07", entered="2022-02-07")
    assert step_round(database, at("2022-03-06"))[0].tasks == 0
    assert step_round(database, at("2022-03-07"))[0].tasks == 5


@pytest.mark.parametrize(("day", "kind"), [("2022-02-21", "due_today"), ("2022-02-16", "reminder")])
def test_what_opens_on_the_day_of_a_reminder_is_told_once_that_day(database: Database, day: str, kind: str) -> None:
    province(database, RESOLUTION)
    enter_day(database, "2022-02-07", unit="stc", entered=day)  # due on 21 February, reminded on the 16th too
    assert step_round(database, at(day, "07:30"))[1].notices == 1
    assert step_round(database, at(day, "08:00"))[1].notices == 0
    with database.reading() as session:
        assert session.exec(select(Notice.kind)).all() == [kind]
        skipped = session.exec(select(Step).where(col(Step.on) == date.fromisoformat(day))).one()
        assert (skipped.state, skipped.why) == ("skipped", "step.told_already")


def test_the_same_day_again_changes_nothing_and_another_is_refused(database: Database) -> None:
    province(database, RESOLUTION)
    for _ in range(2):
        enter_day(database, "2022-02-07", entered="2022-02-07")
    with database.reading() as session:
        assert len(session.exec(select(Entry).where(col(Entry.act) == "milestone_entered")).all()) == 1
    for given, code in (
        ({"on": "2022-02-08"}, "refused.milestone_entered"),
        ({"on": "2022-02-08", "unit": "nobody"}, "refused.no_unit"),
        ({"on": "2022-02-08", "milestone": "congress"}, "refused.no_milestone"),
        ({"on": "2022-02-08", "period": "2022-Q5"}, "refused.no_period"),
        ({"on": "2022-02-08", "plan": "kl99"}, "refused.no_plan"),
    ):
        with pytest.raises(RefusedError) as refused:
            enter_day(database, entered="2022-02-09", **given)
        assert refused.value.reason.code == code


# Chains, variants, receivers


def test_a_chain_of_three_levels_has_a_deadline_each_counted_down_in_working_days(database: Database) -> None:
    province(database, CHAIN)
    assert step_round(database, at("2022-12-01"))[0].tasks == 8
    assert dues(database) == {"2022-12-31": 1, "2022-12-26": 5, "2022-12-21": 2}
    with database.reading() as session:
        assert task_of(session, "snv-1", "2022", "summary").receiver_id == unit_id(session, "snv")
        assert task_of(session, "snv", "2022", "summary").receiver_id == unit_id(session, "duk")


def test_levels_that_fall_together_are_refused_before_anything_is_applied(database: Database) -> None:
    plan = CHAIN.replace("due: 3 working days before superior", "due: 1 day before superior, roll: next")
    with pytest.raises(RefusedError) as refused:
        province(database, plan)  # a day before Monday the 26th is a Sunday, which rolls to that Monday
    assert isinstance(refused.value, InvalidPlanError)
    assert [problem.code for problem in refused.value.problems] == ["chain.collapsed"]
    with database.reading() as session:
        assert session.exec(select(Unit)).all() == []


def test_a_variant_takes_its_units_out_of_the_main_cadence(database: Database) -> None:
    variants = (
        "    variants:\n      half-yearly: {who: {tags: [far]}, every: half, due: {end_of: period}, why: II.7.3}\n"
    )
    plan = YEARLY.replace("    fields:\n", f"{variants}    fields:\n", 1)
    plan = plan.replace("    except: {2021: {due: {end_of: M12}, why: II.8.3}}\n", "")
    province(database, plan, on="2022-01-01")
    with database.writing() as session:
        tag(session, "stt", "far")
    for day in ("2022-06-01", "2022-09-01", "2022-12-01"):
        step_round(database, at(day))
    with database.reading() as session:
        query = select(Cycle.period, Unit.code).join(Task, col(Task.cycle_id) == col(Cycle.id))
        found = session.exec(query.join(Unit, col(Unit.id) == col(Task.unit_id))).all()
    assert Counter(period for period, _ in found) == {"2022-H1": 1, "2022": 5, "2022-H2": 1}
    assert {code for period, code in found if "H" in period} == {"stt"}
    assert "stt" not in {code for period, code in found if period == "2022"}


def test_a_day_by_which_an_earlier_text_opened_something_is_not_taken_back(database: Database) -> None:
    province(database, RESOLUTION)
    enter_day(database, "2022-02-07", entered="2022-02-07")
    step_round(database, at("2022-02-07"))
    later = RESOLUTION.replace("working_days: 10", "working_days: 15")
    applied(database, later, Policy.KEEP, "2022-02-08")
    with database.writing() as session:
        day = session.exec(select(MilestoneDay)).one()
        with pytest.raises(RefusedError) as refused:
            take_back(session, day.plan_id, day.id, reason="Nhầm", by="office", now=at("2022-02-08"))
    assert refused.value.reason.code == "refused.milestone_opened"


@pytest.mark.parametrize(
    ("receiver", "code"), [("", "duk"), ("    to: tinh-uy\n", "tinh-uy"), ("    via: doan-khoi\n", "doan-khoi")]
)
def test_a_report_goes_to_the_level_above_or_to_whom_the_plan_names(
    database: Database, receiver: str, code: str
) -> None:
    province(database, YEARLY.replace("    every: year\n", f"    every: year\n{receiver}"))
    step_round(database, at("2021-12-01"))
    with database.reading() as session:
        assert set(session.exec(select(Task.receiver_id))) == {unit_id(session, code)}


def enter_day(
    database: Database,
    on: str,
    *,
    entered: str,
    unit: str | None = None,
    milestone: str = "resolution",
    period: str = "2022",
    plan: str = "kl01",
) -> None:
    day = date.fromisoformat(on)
    with database.writing() as session:
        enter(session, plan, milestone, period, day, unit_code=unit, by="office", now=at(entered, "07:00"))


def dues(database: Database) -> dict[str, int]:
    """How many tasks have which due day."""
    with database.reading() as session:
        found = session.exec(select(col(Deadline.due_on)).join(Task, col(Task.deadline_id) == col(Deadline.id)))
        return dict(Counter(day.isoformat() for day in found))


def hand_in_plain(database: Database, task_id: int, day: str) -> None:
    """An obligation without questions."""
    act_of(database, submit, task_id, day, answers={}, files=(), key=f"plain:{task_id}")
    act_of(database, review.accept, task_id, day)

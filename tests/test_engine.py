"""Does the engine open, fire, catch up, close and reorganise as design §5 says?"""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest
from sqlmodel import Session, col, func, select

from dondoc.clock import today
from dondoc.database import Database
from engine import close, extend, pause, reorganise, review, revise
from engine.errors import RefusedError
from engine.reorganise import Order
from models.contact import Contact
from models.cycle import Cycle, CycleState
from models.deadline import Deadline
from models.entry import Entry, breaks
from models.lineage import Succession
from models.link import Link
from models.notice import Notice, NoticeKind
from models.step import Step, StepKind, StepState
from models.task import Task, TaskState
from models.unit import Unit, placement_on
from tests.builders import (
    UNITS,
    YEARLY,
    ZONE,
    act_of,
    add_units,
    assert_counts_add_up,
    at,
    everything,
    hand_in,
    id_of,
    province,
    step_round,
    task_of,
    unit_id,
)

# Opening


def test_the_yearly_report_opens_thirty_days_before_its_due_day_for_every_unit_that_matches(database: Database) -> None:
    province(database)
    opened, _ = step_round(database, at("2021-11-30", "23:59"))
    assert (opened.cycles, opened.tasks) == (0, 0)
    opened, fired = step_round(database, at("2021-12-01"))
    assert (opened.cycles, opened.tasks) == (1, 6)
    assert fired.notices == 5  # one unit has nobody to tell
    with database.reading() as session:
        before = everything(session)
    again = step_round(database, at("2021-12-01"))
    assert (again[0].cycles, again[0].tasks, again[1].steps, again[1].notices) == (0, 0, 0, 0)
    with database.reading() as session:
        assert everything(session) == before
        deadline = session.exec(select(Deadline)).one()
        assert (deadline.due_on.isoformat(), deadline.set_by) == ("2021-12-31", "document")
        step = session.exec(select(Step).where(col(Step.ordinal) == 0)).one()
        assert step.counts == {"told": 5, "unreachable": 1, "moved": 0}
        entry = session.exec(select(Entry).where(col(Entry.act) == "opened")).one()
        assert (entry.by, entry.data["tasks"], entry.data["due"]) == ("system", 6, ["2021-12-31"])
        assert list(breaks(session)) == []


def test_the_ladder_is_written_once_for_all_units_of_a_deadline(database: Database) -> None:
    province(database)
    step_round(database, at("2021-12-01"))
    with database.reading() as session:
        steps = session.exec(select(Step).order_by(col(Step.at), col(Step.id))).all()
        assert [(step.kind, step.ordinal, step.rung, step.on.isoformat()) for step in steps] == [
            ("remind", 0, "unit.contact", "2021-12-01"),
            ("remind", 1, "unit.contact", "2021-12-17"),
            ("remind", 2, "unit.contact", "2021-12-24"),
            ("remind", 3, "unit.contact", "2021-12-28"),
            ("due", 4, "unit.contact", "2021-12-31"),
            ("escalate", 1, "unit.head", "2022-01-04"),  # 3 January is off in lieu of New Year's Saturday
            ("escalate", 2, "superior.secretariat", "2022-01-06"),
            ("escalate", 3, "issuer.standing", "2022-01-17"),
            ("close", 1, "", "2022-01-31"),
        ]
        assert {(step.kind == "close", step.at == at(step.on.isoformat(), "00:00")) for step in steps} == {
            (False, False),
            (True, True),
        }


def test_an_obligation_that_concerns_nobody_opens_closed_and_fires_nothing(database: Database) -> None:
    province(database, YEARLY.replace("dang-bo-co-so, chi-bo-co-so, doan-the", "dang-bo-nguoi-ngoai-nuoc"))
    opened, fired = step_round(database, at("2021-12-31"))
    assert (opened.cycles, opened.tasks, fired.steps) == (1, 0, 0)
    with database.reading() as session:
        assert session.exec(select(Cycle.state)).one() == CycleState.CLOSED
        assert set(session.exec(select(Step.state))) == {StepState.SKIPPED}


def test_a_unit_that_comes_later_owes_from_the_next_cycle_on(database: Database) -> None:
    province(database)
    step_round(database, at("2021-12-01"))
    with database.writing() as session:
        add_units(session, {"xd": ("Chi bộ Sở Xây dựng", "chi-bo-co-so", "duk", "contact")}, date(2021, 12, 5))
    step_round(database, at("2021-12-17"))
    step_round(database, at("2022-09-01"))
    with database.reading() as session:
        periods = session.exec(select(Cycle.period).join(Task).where(col(Task.unit_id) == unit_id(session, "xd"))).all()
        assert list(periods) == ["2022"]


# Firing


def test_a_round_tells_only_those_who_still_owe(database: Database) -> None:
    province(database)
    step_round(database, at("2021-12-01"))
    hand_in(database, id_of(database, "stc"), "2021-12-02")
    act_of(database, extend.exempt, id_of(database, "snv"), "2021-12-02", reason="x", document=None)
    hand_in(database, id_of(database, "syt"), "2021-12-02")
    act_of(database, review.accept, id_of(database, "syt"), "2021-12-03")
    task_id = id_of(database, "stt")
    act_of(database, extend.extend, task_id, "2021-12-04", due_on=date(2022, 1, 31), reason="x", document=None)
    step_round(database, at("2021-12-17"))
    with database.reading() as session:
        told = [code for code, _ in notices(session, "2021-12-17")]
        assert told == ["doan-khoi"]
        step = session.exec(select(Step).where(col(Step.on) == date(2021, 12, 17), col(Step.kind) == "remind")).first()
        assert step is not None
        assert step.counts == {
            "told": 1, "unreachable": 1, "moved": 1, "submitted": 1, "accepted": 1, "exempted": 1
        }  # fmt: skip
    assert_counts_add_up(database)


def test_words_follow_the_day_on_which_they_are_said(database: Database) -> None:
    province(database)
    said = {}
    for day in ("2021-12-01", "2021-12-17", "2021-12-31", "2022-01-04"):
        step_round(database, at(day))
        with database.reading() as session:
            said[day] = {kind for _, kind in notices(session, day)}
    assert said == {
        "2021-12-01": {NoticeKind.OPENED},
        "2021-12-17": {NoticeKind.REMINDER},
        "2021-12-31": {NoticeKind.DUE_TODAY},
        "2022-01-04": {NoticeKind.ESCALATION},
    }


def test_escalations_climb_from_the_head_to_the_level_above_and_to_the_standing_committee(database: Database) -> None:
    province(database)
    step_round(database, at("2021-12-31"))
    told = {}
    for day in ("2022-01-04", "2022-01-06", "2022-01-17"):
        step_round(database, at(day))
        with database.reading() as session:
            query = select(Unit.code, Contact.role).join(Contact, col(Contact.unit_id) == col(Unit.id))
            query = query.join(Notice, col(Notice.contact_id) == col(Contact.id))
            told[day] = Counter(session.exec(query.where(col(Notice.created_at) == at(day))).all())
    assert told["2022-01-04"] == {(code, "head"): 1 for code in ("stc", "snv", "syt", "stt", "doan-khoi")}
    assert told["2022-01-06"] == {("duk", "secretariat"): 6}
    assert told["2022-01-17"] == {("duk", "standing"): 6}


# After an outage


def test_after_an_outage_the_latest_reminder_goes_out_and_the_others_are_recorded(database: Database) -> None:
    province(database)
    step_round(database, at("2021-12-01"))
    _, fired = step_round(database, at("2021-12-29"))
    assert (fired.steps, fired.skipped, fired.notices) == (1, 2, 5)
    with database.reading() as session:
        found = session.exec(select(Step.ordinal, Step.state, Step.why).where(col(Step.kind) == "remind"))
        assert sorted(found) == [
            (0, "fired", None), (1, "skipped", "step.missed"), (2, "skipped", "step.missed"), (3, "fired", None)
        ]  # fmt: skip
        assert {kind for _, kind in notices(session, "2021-12-29")} == {NoticeKind.REMINDER}


def test_after_an_outage_no_rung_is_skipped_and_each_keeps_its_distance(database: Database) -> None:
    province(database)
    step_round(database, at("2021-12-29"))
    fired = rungs_by_day(database, date(2022, 1, 20), date(2022, 2, 20))
    # Planned one, three and ten working days after: so two and seven working days apart, over Tết (31/1 to 4/2).
    assert fired == {1: "2022-01-20", 2: "2022-01-24"}  # the end on 31 January comes before rung 3 could


def test_rungs_after_an_outage_wait_for_the_one_before_them(database: Database) -> None:
    province(database, YEARLY.replace("  grace: 30 days\n", ""))
    step_round(database, at("2021-12-29"))
    fired = rungs_by_day(database, date(2022, 1, 20), date(2022, 2, 20))
    assert fired == {1: "2022-01-20", 2: "2022-01-24", 3: "2022-02-09"}


def test_rungs_of_a_weekend_stay_a_day_apart(database: Database) -> None:
    rungs = "- {after: 1 day, to: unit.head}\n    - {after: 2 days, to: superior.secretariat}"
    province(database, YEARLY.replace("- {after: 1 working day, to: unit.head}", rungs))
    step_round(database, at("2021-12-29"))  # due Friday 31 December: rungs on Saturday and Sunday
    _, fired = step_round(database, at("2022-01-12"))
    again = step_round(database, at("2022-01-12"))
    assert (fired.notices, again[1].notices) == (10, 0)  # the last reminder and the first rung
    with database.reading() as session:
        second = session.exec(select(Step).where(col(Step.kind) == "escalate", col(Step.ordinal) == 2)).one()
        assert (second.at, second.why) == (at("2022-01-13"), "step.kept_distance")


def test_rungs_of_one_day_climb_in_one_round(database: Database) -> None:
    rungs = "- {after: 1 working day, to: unit.head}\n    - {after: 1 working day, to: issuer.secretariat}"
    province(database, YEARLY.replace("- {after: 1 working day, to: unit.head}", rungs))
    step_round(database, at("2021-12-31"))
    assert step_round(database, at("2022-01-04"))[1].notices == 5 + 6
    assert step_round(database, at("2022-01-04"))[1].notices == 0


def test_what_ended_while_nobody_looked_is_missed_and_nobody_is_reminded_of_it(database: Database) -> None:
    province(database)
    step_round(database, at("2021-12-01"))
    hand_in(database, id_of(database, "stc"), "2021-12-05")
    _, fired = step_round(database, at("2022-03-01"))
    assert fired.notices == 0
    with database.reading() as session:
        assert Counter(session.exec(select(Task.state))) == {"missed": 5, "submitted": 1}
        assert list(breaks(session)) == []
    assert_counts_add_up(database)


def test_a_cycle_that_closes_with_its_end_fires_no_more(database: Database) -> None:
    province(database)
    step_round(database, at("2021-12-29"))
    _, fired = step_round(database, at("2022-03-01"))
    assert (fired.steps, fired.notices) == (1, 0)
    with database.reading() as session:
        assert session.exec(select(Cycle.state)).one() == CycleState.CLOSED
        skipped = session.exec(select(Step.why).where(col(Step.state) == StepState.SKIPPED.value)).all()
        assert "step.cycle_closed" in skipped
        last = session.exec(select(Entry).order_by(col(Entry.id).desc())).first()
        assert last is not None
        assert last.act == "closed"


# Adoption


def test_what_was_due_before_the_day_of_adoption_is_not_opened(database: Database) -> None:
    province(database, on="2022-01-01")
    assert step_round(database, at("2022-01-01"))[0].cycles == 0


def test_of_what_runs_already_the_past_reminders_are_recorded_and_rungs_keep_their_patience(database: Database) -> None:
    province(database, on="2021-12-30")
    _, fired = step_round(database, at("2021-12-30"))
    assert fired.notices == 5
    with database.reading() as session:
        assert {kind for _, kind in notices(session, "2021-12-30")} == {NoticeKind.OPENED}
        steps = session.exec(select(Step).order_by(col(Step.on), col(Step.ordinal))).all()
        past = [(step.ordinal, step.why) for step in steps if step.state == StepState.SKIPPED]
        assert past == [(number, "step.before_adoption") for number in (1, 2, 3)]
        rungs = [step.on.isoformat() for step in steps if step.kind == StepKind.ESCALATE]
        assert rungs == ["2022-01-04", "2022-01-06", "2022-01-17"]  # the due day came later than the adoption


def test_no_rung_comes_sooner_than_the_adoption_plus_its_patience(database: Database) -> None:
    with database.writing() as session:
        add_units(session, UNITS)
    province(database, on="2021-12-20", units={})
    plan = YEARLY.replace("due: {end_of: M12}", "due: {date: 2021-12-20}")
    with database.writing() as session:
        given: dict[str, Any] = {"by": "office", "now": at("2021-12-20"), "zone": ZONE, "from_on": date(2021, 12, 20)}
        revise.apply_plan(session, plan.encode(), "plan.yaml", **given)
    step_round(database, at("2021-12-20"))
    with database.reading() as session:
        rungs = session.exec(select(col(Step.on)).where(col(Step.kind) == "escalate").order_by(col(Step.ordinal))).all()
        assert [day.isoformat() for day in rungs] == ["2021-12-21", "2021-12-23", "2022-01-04"]


# Closing


def test_a_cycle_closes_by_itself_with_its_last_task_and_its_links_expire(database: Database) -> None:
    province(database)
    step_round(database, at("2021-12-01"))
    with database.writing() as session:
        contact = session.exec(select(Contact).where(col(Contact.role) == "contact")).first()
        assert contact is not None
        session.add(Link(task_id=task_of(session, "stc", "2021").id, contact_id=contact.id))
    for unit in ("stc", "snv", "syt", "stt", "doan-khoi"):
        hand_in(database, id_of(database, unit), "2021-12-05")
        act_of(database, review.accept, id_of(database, unit), "2021-12-06")
    assert cycle_state(database) == CycleState.OPEN
    act_of(database, extend.exempt, id_of(database, "cam"), "2021-12-07", reason="x", document=None)
    assert cycle_state(database) == CycleState.CLOSED
    with database.reading() as session:
        assert session.exec(select(col(Link.expires_on))).one() == date(2021, 12, 21)
        planned = session.exec(select(Step).where(col(Step.state) == StepState.PLANNED.value)).all()
        assert list(planned) == []


def test_a_reopened_task_takes_the_rest_of_its_ladder_up_again(database: Database) -> None:
    test_a_cycle_closes_by_itself_with_its_last_task_and_its_links_expire(database)
    task_id = id_of(database, "stc")
    act_of(database, review.reopen, task_id, "2021-12-20", reason="thiếu chữ ký")
    act_of(database, review.send_back, task_id, "2021-12-20", reason="thiếu chữ ký", due_on=None)
    assert cycle_state(database) == CycleState.OPEN
    with database.reading() as session:
        assert session.exec(select(col(Link.expires_on))).one() is None
    days = ("2021-12-24", "2021-12-28", "2021-12-31", "2022-01-04", "2022-01-06", "2022-01-17")
    told = [step_round(database, at(day))[1].notices for day in days]
    assert told == [1, 1, 1, 1, 1, 1]
    step_round(database, at("2022-01-31"))
    with database.reading() as session:
        assert session.get_one(Task, task_id).state == TaskState.MISSED
    assert cycle_state(database) == CycleState.CLOSED
    assert_counts_add_up(database)


def test_who_joins_a_deadline_of_a_cycle_that_was_closed_finds_its_ladder_whole(database: Database) -> None:
    province(database)
    step_round(database, at("2021-12-01"))
    first, second = id_of(database, "stc"), id_of(database, "snv")
    given: dict[str, Any] = {"due_on": date(2022, 1, 14), "reason": "bão", "document": None}
    act_of(database, extend.extend, first, "2021-12-02", **given)
    for unit in ("stc", "snv", "syt", "stt", "doan-khoi"):
        hand_in(database, id_of(database, unit), "2021-12-05")
        act_of(database, review.accept, id_of(database, unit), "2021-12-06")
    act_of(database, extend.exempt, id_of(database, "cam"), "2021-12-07", reason="x", document=None)
    assert cycle_state(database) == CycleState.CLOSED
    act_of(database, review.reopen, second, "2021-12-08", reason="x")
    act_of(database, review.send_back, second, "2021-12-08", reason="x", due_on=None)
    act_of(database, extend.extend, second, "2021-12-09", **given)
    days = ("2021-12-31", "2022-01-14", "2022-01-17")
    assert [step_round(database, at(day))[1].notices for day in days] == [1, 1, 1]


def test_closing_by_hand_misses_what_is_owed_and_waits_for_what_is_handed_in(database: Database) -> None:
    province(database, YEARLY.replace("  grace: 30 days\n", ""))
    step_round(database, at("2021-12-01"))
    hand_in(database, id_of(database, "stc"), "2021-12-05")
    assert of_cycle(database, close.close_cycle, "2022-05-01") == "refused.awaiting_review"
    act_of(database, review.accept, id_of(database, "stc"), "2022-05-01")
    assert of_cycle(database, close.close_cycle, "2022-05-01") == ""
    with database.reading() as session:
        assert Counter(session.exec(select(Task.state))) == {"missed": 5, "accepted": 1}
    assert of_cycle(database, close.close_cycle, "2022-05-02") == "refused.cycle_not_open"


def test_a_paused_cycle_tells_nobody_and_catches_up_when_it_is_resumed(database: Database) -> None:
    province(database)
    step_round(database, at("2021-12-01"))
    assert of_cycle(database, pause.pause, "2021-12-10") == ""
    assert of_cycle(database, pause.pause, "2021-12-10") == "refused.already_paused"
    assert [step_round(database, at(day))[1].steps for day in ("2021-12-17", "2021-12-24", "2021-12-26")] == [0, 0, 0]
    hand_in(database, id_of(database, "stc"), "2021-12-26")
    assert of_cycle(database, pause.resume, "2021-12-27") == ""
    assert of_cycle(database, pause.resume, "2021-12-27") == "refused.not_paused"
    _, fired = step_round(database, at("2021-12-27"))
    assert (fired.steps, fired.skipped, fired.notices) == (1, 1, 4)


# Reorganising


def test_a_unit_that_closes_leaves_what_it_owes_to_its_heir(database: Database) -> None:
    province(database)
    step_round(database, at("2021-12-01"))
    with database.writing() as session:
        contact = session.exec(select(Contact).where(col(Contact.unit_id) == unit_id(session, "stc"))).first()
        assert contact is not None
        session.add(Link(task_id=task_of(session, "stc", "2021").id, contact_id=contact.id))
    task_id = id_of(database, "stc")
    close_unit(database, "stc", "snv-1")
    with database.reading() as session:
        task = session.get_one(Task, task_id)
        assert (task.unit_id, task.state) == (unit_id(session, "snv-1"), TaskState.OPEN)
        assert task.receiver_id == unit_id(session, "snv")
        assert session.exec(select(Link.revoked_at)).one() is not None
        assert notices(session, "2021-12-10") == [("snv-1", NoticeKind.OPENED)]
        assert placement_on(session, unit_id(session, "stc"), date(2021, 12, 10)) is None
    step_round(database, at("2021-12-17"))
    with database.reading() as session:
        assert ("snv-1", NoticeKind.REMINDER) in notices(session, "2021-12-17")


def test_what_the_heir_owes_already_and_what_has_no_heir_is_cancelled(database: Database) -> None:
    province(database)
    step_round(database, at("2021-12-01"))
    close_unit(database, "stc", "snv")
    close_unit(database, "stt", None)
    with database.reading() as session:
        entries = session.exec(select(Entry).where(col(Entry.act) == "unit_closed")).all()
        states = Counter(session.exec(select(Task.state)))
    assert states == {"open": 4, "cancelled": 2}
    assert [(entry.data["unit"], len(entry.data["cancelled"]), entry.data["note"]) for entry in entries] == [
        ("stc", 1, "giải thể"),
        ("stt", 1, "giải thể"),
    ]
    assert_counts_add_up(database)


@pytest.mark.parametrize(
    ("unit", "heir", "code"),
    [
        ("snv", None, "refused.units_below"),
        ("khong-co", None, "refused.no_unit"),
        ("stc", "stc", "refused.unit_not_there"),
        ("stc", "khong-co", "refused.no_unit"),
    ],
)
def test_a_unit_cannot_close_over_others_or_in_favour_of_nobody(
    database: Database, unit: str, heir: str | None, code: str
) -> None:
    province(database)
    with pytest.raises(RefusedError) as refused:
        close_unit(database, unit, heir)
    assert refused.value.reason.code == code


def close_unit(database: Database, code: str, heir: str | None) -> None:
    on, now = date(2021, 12, 10), at("2021-12-10")
    with database.writing() as session:
        order = Order(Succession.CLOSE, (code,), on, heir)
        reorganise.apply(session, order, reason="giải thể", by="office", now=now, zone=ZONE)


def of_cycle(database: Database, verb: Any, day: str) -> str:
    """The code of the refusal; empty when it was done."""
    try:
        with database.writing() as session:
            verb(session, session.exec(select(Cycle.id)).one(), by="office", note="nghỉ", now=at(day))
    except RefusedError as refused:
        return refused.reason.code
    return ""


def cycle_state(database: Database) -> str:
    with database.reading() as session:
        return session.exec(select(Cycle.state)).one()


def notices(session: Session, day: str) -> Sequence[tuple[str, str]]:
    """(unit of the contact, kind) of what was told on a day, in order."""
    query = select(Unit.code, Notice.kind, Notice.created_at).select_from(Notice)
    query = query.join(Contact, col(Contact.id) == col(Notice.contact_id))
    found = session.exec(query.join(Unit, col(Unit.id) == col(Contact.unit_id)).order_by(col(Notice.id)))
    return [(code, kind) for code, kind, moment in found if today(moment, ZONE).isoformat() == day]


def rungs_by_day(database: Database, first: date, last: date) -> dict[int, str]:
    """A round each morning, twice; on which day did which rung fire?"""
    for number in range(first.toordinal(), last.toordinal() + 1):
        day = date.fromordinal(number).isoformat()
        step_round(database, at(day))
        assert step_round(database, at(day))[1].steps == 0
    with database.reading() as session:
        told = col(Step.kind) == StepKind.ESCALATE.value, col(Step.state) == StepState.FIRED.value
        steps = session.exec(select(Step).where(*told, func.length(col(Step.rung)) > 0))
        return {step.ordinal: today(step.fired_at, ZONE).isoformat() for step in steps if step.fired_at}

"""What may be done with a task in each state? Its table, and that the engine keeps to it."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from dondoc.database import Database
from engine import extend, record, reorganise, review, submit
from engine.reorganise import Order
from models.lineage import Succession
from models.submission import Way
from models.task import OWING, TRANSITIONS, UNFINISHED, Act, IllegalActError, Task, TaskState
from tests.builders import ANSWERS, UNITS, ZONE, act_of, at, everything, hand_in, id_of, province, step_round, task_of

TABLE = {
    "open": "cancel exempt extend miss record submit",
    "submitted": "accept cancel return withdraw",
    "returned": "cancel exempt extend miss record submit",
    "accepted": "reopen",
    "missed": "exempt record unlock",
    "exempted": "reopen",
    "cancelled": "",
}
UNIT_IN = {
    "open": "stc",
    "submitted": "snv",
    "returned": "syt",
    "accepted": "stt",
    "missed": "cam",
    "exempted": "doan-khoi",
    "cancelled": "cang",
}
DOCUMENT = "12-CV/ĐUK"
#: act -> how the engine is asked for it
ACTS: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "submit": (submit.submit, {"answers": ANSWERS, "files": (), "key": "k"}),
    "record": (record.record, {"received_on": date(2021, 12, 9), "document": DOCUMENT, "way": Way.PAPER}),
    "withdraw": (submit.withdraw, {"reason": "nhầm tệp"}),
    "accept": (review.accept, {}),
    "return": (review.send_back, {"reason": "thiếu số liệu", "due_on": None}),
    "extend": (extend.extend, {"due_on": date(2022, 1, 20), "reason": "bão", "document": DOCUMENT}),
    "exempt": (extend.exempt, {"reason": "giải thể", "document": DOCUMENT}),
    "reopen": (review.reopen, {"reason": "nhầm"}),
}


def test_the_table_is_the_one_of_the_design() -> None:
    assert {state: " ".join(sorted(acts)) for state, acts in TRANSITIONS.items()} == TABLE
    assert set(OWING) < set(UNFINISHED)
    assert {state for state, acts in TRANSITIONS.items() if Act.MISS in acts} == set(OWING)


@pytest.mark.parametrize("state", TaskState)
@pytest.mark.parametrize("act", Act)
def test_a_task_moves_as_the_table_says_or_stays_as_it_is(state: TaskState, act: Act) -> None:
    task = a_task(state, versions=1)
    to = TRANSITIONS[state].get(act)
    if to is None:
        with pytest.raises(IllegalActError) as refused:
            task.move(act, at("2021-12-02"))
        allowed = ", ".join(TRANSITIONS[state]) or "none"
        assert str(refused.value) == f"task 7 is {state}: {act} is not allowed, allowed: {allowed}"
        assert (task.state, task.changed_at) == (state, at("2021-12-01"))
    else:
        task.move(act, at("2021-12-02"))
        assert task.state == to[0]
        assert task.changed_at == at("2021-12-02")


def test_whoever_goes_back_stands_where_he_stood() -> None:
    task = a_task(TaskState.SUBMITTED, returns=1)
    task.move(Act.WITHDRAW, at("2021-12-02"))
    assert task.state == TaskState.RETURNED


def test_an_act_that_the_state_does_not_allow_names_state_and_acts_and_writes_nothing(database: Database) -> None:
    put_one_task_in_each_state(database)
    for state, unit in UNIT_IN.items():
        task_id = id_of(database, unit)
        for act, (verb, given) in ACTS.items():
            if act in TABLE[state].split() or (state, act) == ("missed", "extend"):
                continue
            with database.reading() as session:
                before = everything(session)
                assert task_of(session, unit, "2021").state == state
            with pytest.raises(IllegalActError) as refused:
                act_of(database, verb, task_id, "2021-12-10", **given)
            assert f"task {task_id} is {state}: {act} is not allowed" in str(refused.value)
            assert sorted(refused.value.allowed) == TABLE[state].split()
            with database.reading() as session:
                assert everything(session) == before, (state, act)


def test_a_refused_act_leaves_the_task_untouched_even_in_the_same_transaction(database: Database) -> None:
    """Whoever catches the refusal and goes on must not write half an act."""
    put_one_task_in_each_state(database)
    with database.reading() as session:
        before = everything(session)
    zone = "Asia/Ho_Chi_Minh"
    with database.writing() as session:
        for unit, act, day, given in (
            ("stc", "submit", "2022-02-01", {}),  # after the end
            ("stc", "submit", "2021-12-10", {"answers": {}}),
            ("stc", "extend", "2021-12-10", {"due_on": date(2021, 12, 5)}),
            ("snv", "return", "2021-12-10", {"due_on": date(2021, 12, 5)}),
            ("snv", "withdraw", "2022-02-01", {}),
            ("stt", "record", "2021-12-10", {}),
        ):
            verb, known = ACTS[act]
            place = {} if verb is submit.withdraw else {"zone": zone}
            with pytest.raises(Exception, match=r".") as refused:
                verb(session, task_of(session, unit, "2021").id, by="x", now=at(day), **place, **(known | given))
            assert type(refused.value).__name__ in {"RefusedError", "InvalidAnswersError", "IllegalActError"}
    with database.reading() as session:
        assert everything(session) == before


def a_task(state: TaskState, versions: int = 0, returns: int = 0) -> Task:
    return Task(
        id=7,
        cycle_id=1,
        unit_id=1,
        placement_id=1,
        deadline_id=1,
        state=state,
        versions=versions,
        returns=returns,
        changed_at=at("2021-12-01"),
    )


def put_one_task_in_each_state(database: Database) -> None:
    province(database, units=UNITS | {"cang": ("Chi bộ Cảng", "chi-bo-co-so", "duk", "")})
    step_round(database, at("2021-12-01"))
    for state in ("submitted", "returned", "accepted"):
        hand_in(database, id_of(database, UNIT_IN[state]), "2021-12-02")
    act_of(database, review.send_back, id_of(database, "syt"), "2021-12-03", reason="thiếu", due_on=None)
    act_of(database, review.accept, id_of(database, "stt"), "2021-12-03")
    act_of(database, extend.exempt, id_of(database, "doan-khoi"), "2021-12-03", reason="mới lập", document=None)
    with database.writing() as session:
        task_of(session, "cam", "2021").move(Act.MISS, at("2021-12-03"))
        order = Order(Succession.CLOSE, ("cang",), date(2021, 12, 3))
        reorganise.apply(session, order, reason="giải thể", by="office", now=at("2021-12-03"), zone=ZONE)

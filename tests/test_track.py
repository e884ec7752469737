"""Are the rates right, and is what is finished closed?"""

from datetime import timedelta

from sqlmodel import col, select, update

from dondoc.database import Database
from dondoc.settings import Settings
from engine import extend, review
from engine.track import Missing, Tracked, changed, open_cycles, rates, track
from flows.rates import changed_since, heading, key_of, missing
from models.cycle import Cycle, CycleState
from models.task import Task, TaskState
from tests.builders import UNITS, act_of, at, hand_in, id_of, province, step_round


def test_complete_and_on_time_are_kept_apart_and_who_is_missing_is_named(database: Database) -> None:
    province(database)
    step_round(database, at("2021-12-01"))
    hand_in(database, id_of(database, "stc"), "2021-12-20")
    hand_in(database, id_of(database, "snv"), "2022-01-05")
    hand_in(database, id_of(database, "syt"), "2021-12-21")
    hand_in(database, id_of(database, "stt"), "2021-12-21")
    act_of(database, review.accept, id_of(database, "stt"), "2021-12-22")
    act_of(database, review.send_back, id_of(database, "syt"), "2021-12-22", reason="Thiếu số liệu.", due_on=None)
    act_of(database, extend.exempt, id_of(database, "cam"), "2021-12-22", reason="Mới thành lập.", document=None)
    (rate,) = changed_since(database, None)
    assert (rate.plan, rate.due_on.isoformat()) == ("kl01", "2021-12-31")
    assert (rate.owed, rate.complete, rate.on_time) == (5, 3, 2)
    names = [UNITS[code][0] for code in ("syt", "doan-khoi")]
    assert rate.missing == [Missing(UNITS["duk"][0], 2, names)]
    office = Settings.model_validate({})
    assert key_of(rate) == "kl01-annual-report-2021"
    assert heading(rate, office) == (
        f"### [Báo cáo kết quả hằng năm, năm 2021](http://127.0.0.1:8000/cycles/{rate.cycle.id})\n\n"
        "Hạn thứ Sáu 31/12/2021. Đã nộp 3/5, trong đó đúng hạn 2; còn thiếu 2."
    )
    assert missing(rate, office) == [{"Cấp trên": UNITS["duk"][0], "Còn thiếu": 2, "Đơn vị": ", ".join(names)}]
    english = office.model_copy(update={"lang": "en"})
    assert heading(rate, english).endswith("Due Friday 31/12/2021. Handed in 3/5, on time 2; missing 2.")


def test_only_cycles_that_changed_are_told_of_again(database: Database) -> None:
    province(database)
    step_round(database, at("2021-12-01"))
    hand_in(database, id_of(database, "stc"), "2021-12-20")
    with database.reading() as session:
        (cycle_id,) = open_cycles(session)
        assert changed(session, at("2021-12-20", "09:00")) == {cycle_id}
        assert changed(session, at("2021-12-20", "09:00") + timedelta(seconds=1)) == set()


def test_a_cycle_in_which_nothing_is_unfinished_is_closed(database: Database) -> None:
    province(database)
    step_round(database, at("2021-12-01"))
    with database.writing() as session:
        assert track(session, at("2021-12-02")) == Tracked()
        session.execute(update(Task).values(state=TaskState.ACCEPTED.value))  # by no act of ours
        assert track(session, at("2021-12-02")) == Tracked(closed=1)
        assert track(session, at("2021-12-02")) == Tracked()
        assert session.exec(select(Cycle).where(col(Cycle.state) == CycleState.CLOSED.value)).one().closed_at
        assert rates(session, [1])[0].missing == []

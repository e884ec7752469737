"""Is what the office asks for by hand opened once, with its own name, dates and ladder, and chased as all else?"""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, col, select

from dondoc.cli import main
from dondoc.database import Database
from engine.doctor import examine
from engine.errors import RefusedError
from engine.extend import extend
from engine.fire import fire
from engine.plans import calendar_for
from engine.record import record
from engine.request import Requested, open_request
from engine.review import accept
from engine.revise import apply_plan
from engine.shown import Shown, ShownState, shown
from engine.status import status
from engine.submit import submit
from models.board import shown_state
from models.cycle import Cycle, CycleState
from models.deadline import Deadline
from models.entry import Entry, breaks
from models.message import Message
from models.notice import Notice, NoticeKind
from models.step import Step, StepKind
from models.submission import Way
from models.task import Task
from notifications.deliver import queue
from notifications.item import Office
from tests.builders import HEAD, YEARLY, ZONE, act_of, at, everything, id_of, province, step_round, task_of
from tests.desk import URL, Desk, opened_desk

URGENT = """\
  urgent:
    title: {vi: Báo cáo nhanh, en: Urgent report}
    source: III.4
    who: {kinds: [dang-bo-co-so, chi-bo-co-so, doan-the]}
    every: request
    due: {after: opened, hours: 48}
    remind: [1 day before, due day]
    variants:
      unions: {who: {kinds: [doan-the]}, due: {after: opened, working_days: 3}}
"""
PLAN = YEARLY.replace("doan-the]", "doan-the, chi-bo-truc-thuoc]") + URGENT


@pytest.fixture
def office(database: Database) -> Database:
    """The small province with a plan that knows urgent reports, in February 2022."""
    province(database, PLAN, on="2022-02-07")
    return database


def asked(
    session: Session, slug: str = "flood", day: str = "2022-02-07", hour: str = "14:30", **given: Any
) -> Requested:
    return open_request(session, "kl01", "urgent", slug, by="office", now=at(day, hour), zone=ZONE, **given)


def opened(
    database: Database, slug: str = "flood", day: str = "2022-02-07", hour: str = "14:30", **given: Any
) -> Cycle:
    with database.writing() as session:
        return asked(session, slug, day, hour, **given).cycle


def refused(
    database: Database, plan: str = "kl01", obligation: str = "urgent", slug: str = "flood", **given: Any
) -> str:
    """The refusal's code; nothing was written."""
    with database.reading() as session:
        before = everything(session)
    with pytest.raises(RefusedError) as found, database.writing() as session:
        open_request(session, plan, obligation, slug, by="office", now=at("2022-02-08"), zone=ZONE, **given)
    with database.reading() as session:
        assert everything(session) == before
    return found.value.reason.code


def test_a_request_becomes_a_cycle_with_a_day_for_each_variant(office: Database) -> None:
    with office.writing() as session:
        made = asked(session, title="Thiệt hại do lũ đợt 3")
        cycle = made.cycle
        assert (cycle.period, cycle.state, cycle.opens_on) == ("adhoc:flood", CycleState.OPEN, date(2022, 2, 7))
        assert (cycle.title("vi"), cycle.title("en")) == ("Thiệt hại do lũ đợt 3", "Thiệt hại do lũ đợt 3")
        assert cycle.opened_at == at("2022-02-07", "14:30")
        days = [(each.level, each.due_on) for each in made.deadlines]
        assert days == [("", date(2022, 2, 9)), ("unions", date(2022, 2, 10))]
        assert (made.opened.cycles, made.opened.tasks) == (1, 6)
        entry = session.exec(select(Entry).where(col(Entry.act) == "opened", col(Entry.cycle_id) == cycle.id)).one()
        assert (entry.by, entry.data["period"], entry.data["tasks"]) == ("office", "adhoc:flood", 6)
        assert list(breaks(session)) == []


def test_its_contacts_are_told_at_once_reminded_and_chased(office: Database) -> None:
    opened(office, hour="05:10")  # before the plan's hour
    with office.writing() as session:
        assert fire(session, at("2022-02-07", "05:11"), ZONE).notices == 5  # one of the six has nobody to be told
    _opened, fired = step_round(office, at("2022-02-08", "08:00"))  # a day before the day of both
    assert fired.notices == 4
    for day in ("2022-02-09", "2022-02-10", "2022-02-11"):
        step_round(office, at(day, "08:00"))
        assert step_round(office, at(day, "08:00"))[1].notices == 0
    with office.reading() as session:
        stc = task_of(session, "stc", "adhoc:flood", "urgent")
        told = session.exec(select(Notice).where(col(Notice.task_id) == stc.id).order_by(col(Notice.id))).all()
        assert [(each.kind, each.rung) for each in told] == [
            (NoticeKind.OPENED, "unit.contact"),
            (NoticeKind.REMINDER, "unit.contact"),
            (NoticeKind.OVERDUE, "unit.contact"),  # at 08:00; the 48 hours ended at 05:10
            (NoticeKind.ESCALATION, "unit.head"),
        ]


def test_opened_after_the_hour_of_the_steps_it_is_told_in_the_next_round(office: Database) -> None:
    opened(office, hour="14:30")
    with office.writing() as session:
        assert fire(session, at("2022-02-07", "14:30"), ZONE).notices == 5


def test_a_request_that_is_due_within_the_day_is_told_and_chased_the_day_after(office: Database) -> None:
    with office.writing() as session:
        text = PLAN.replace("hours: 48", "hours: 6").encode()
        apply_plan(session, text, "plan.yaml", by="office", now=at("2022-02-07"), zone=ZONE)
    opened(office, hour="09:00")
    assert step_round(office, at("2022-02-07", "09:00"))[1].notices == 5
    with office.reading() as session:
        task = task_of(session, "stc", "adhoc:flood", "urgent")
        kinds = session.exec(select(Notice.kind).where(col(Notice.task_id) == task.id)).all()
        assert kinds == [NoticeKind.DUE_TODAY]
        steps = session.exec(select(Step).where(col(Step.deadline_id) == task.deadline_id)).all()
        assert [each.kind for each in steps].count(StepKind.REMIND) == 1


def test_a_name_opens_once_and_another_name_opens_another(office: Database) -> None:
    first = opened(office)
    assert refused(office) == "refused.requested"
    second = opened(office, "flood-2", day="2022-02-08")
    assert (first.id, second.period) != (second.id, first.period)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"plan": "none"}, "refused.no_plan"),
        ({"obligation": "none"}, "adhoc.not_on_request"),
        ({"obligation": "annual-report"}, "adhoc.not_on_request"),
        ({"slug": "Lũ đợt 3"}, "adhoc.bad_slug"),
        ({"title": "  "}, "refused.no_title"),
    ],
)
def test_what_is_no_request_is_refused_and_nothing_is_written(
    office: Database, given: dict[str, str], code: str
) -> None:
    assert refused(office, **given) == code


def test_a_request_that_concerns_nobody_is_refused(database: Database) -> None:
    alone = URGENT.partition("    variants")[0].replace("dang-bo-co-so, chi-bo-co-so, doan-the", "xa")
    province(database, HEAD + "obligations:\n" + alone, on="2022-02-07")
    assert refused(database) == "refused.nobody_concerned"


def test_a_plan_that_is_not_in_force_yet_opens_nothing(database: Database) -> None:
    province(database, on="2022-02-07")
    with database.writing() as session:
        apply_plan(session, PLAN.encode(), "plan.yaml", by="office", now=at("2022-02-07"), zone=ZONE,
                   from_on=date(2022, 3, 1))  # fmt: skip
    assert refused(database) == "refused.not_in_force"


def test_the_acts_work_on_it_as_on_all_else(office: Database) -> None:
    opened(office)
    task_id = id_of(office, "stc", "adhoc:flood", "urgent")
    act_of(office, extend, task_id, "2022-02-08", due_on=date(2022, 2, 14), reason="Mất điện", document=None)
    act_of(office, submit, task_id, "2022-02-14", answers={}, files=(), key="k")
    act_of(office, accept, task_id, "2022-02-15")
    with office.reading() as session:
        assert task_of(session, "stc", "adhoc:flood", "urgent").is_late is False
        assert examine(session, at("2022-02-15"), ZONE).moved == ()


@pytest.mark.parametrize(("hour", "is_late"), [("14:29", False), ("14:30", False), ("14:31", True)])
def test_where_hours_count_the_moment_decides(office: Database, hour: str, is_late: bool) -> None:
    opened(office)
    task_id = id_of(office, "stc", "adhoc:flood", "urgent")
    act_of(office, submit, task_id, "2022-02-09", hour, answers={}, files=(), key="k")
    with office.reading() as session:
        assert task_of(session, "stc", "adhoc:flood", "urgent").is_late is is_late


def test_a_variant_by_days_lasts_until_midnight(office: Database) -> None:
    opened(office)
    task_id = id_of(office, "doan-khoi", "adhoc:flood", "urgent")
    act_of(office, submit, task_id, "2022-02-10", "23:59", answers={}, files=(), key="k")
    with office.reading() as session:
        assert task_of(session, "doan-khoi", "adhoc:flood", "urgent").is_late is False


def test_of_a_paper_the_day_counts(office: Database) -> None:
    opened(office)
    task_id = id_of(office, "stc", "adhoc:flood", "urgent")
    act_of(
        office, record, task_id, "2022-02-09", "17:00", received_on=date(2022, 2, 9), document="12-BC", way=Way.PAPER
    )
    with office.reading() as session:
        assert task_of(session, "stc", "adhoc:flood", "urgent").is_late is False


def test_it_is_overdue_from_its_moment_on_and_no_working_day_late_that_day(office: Database) -> None:
    opened(office)
    with office.reading() as session:
        task = task_of(session, "stc", "adhoc:flood", "urgent")
        deadline = session.get_one(Deadline, task.deadline_id)
        calendar, on = calendar_for(session, session.get_one(Cycle, task.cycle_id)), date(2022, 2, 9)
        for hour, state in (("14:30", "not_due"), ("14:31", "overdue")):
            now = at("2022-02-09", hour)
            assert shown(task, deadline, on, calendar, now) == Shown(ShownState(state))
            coded = select(shown_state(on, now)).select_from(Task).join(Deadline).where(col(Task.id) == task.id)
            assert session.scalars(coded).one() == state
            late = [each.unit for each in status(session, now, ZONE).overdue if each.period == "adhoc:flood"]
            assert ("stc" in late) is (state == "overdue")


def test_more_time_on_the_same_day_is_until_midnight(office: Database) -> None:
    opened(office)
    task_id = id_of(office, "stc", "adhoc:flood", "urgent")
    act_of(office, extend, task_id, "2022-02-09", due_on=date(2022, 2, 9), reason="Mất điện", document=None)
    act_of(office, submit, task_id, "2022-02-09", "23:00", answers={}, files=(), key="k")
    with office.reading() as session:
        assert task_of(session, "stc", "adhoc:flood", "urgent").is_late is False


def test_its_pages_and_letters_name_the_moment(desk: Desk) -> None:
    cycle = opened(desk.database)
    task_id = id_of(desk.database, "stc", "adhoc:flood", "urgent")
    for path in (f"/tasks/{task_id}", f"/cycles/{cycle.id}"):
        assert "14:30, thứ Tư 09/02/2022 (GMT+7)" in desk.get(path).text, path
    with desk.database.writing() as session:
        fire(session, at("2022-02-07", "14:31"), ZONE)
    queue(desk.database, Office("eml", "van-phong@example.org", URL, ZONE, at("2022-02-07", "14:31")))
    with desk.database.reading() as session:
        letters = [each.text for each in session.exec(select(Message)) if "Báo cáo nhanh" in each.text]
    assert any("14:30, thứ Tư 09/02/2022 (GMT+7)" in text for text in letters)
    assert any("hết ngày thứ Năm 10/02/2022 (GMT+7)" in text for text in letters)


def test_the_round_neither_opens_nor_closes_what_is_asked_for(office: Database) -> None:
    step_round(office, at("2022-02-07"))
    opened(office)
    assert step_round(office, at("2022-02-07", "15:00"))[0].cycles == 0
    with office.reading() as session:
        (cycle,) = session.exec(select(Cycle).where(col(Cycle.period) == "adhoc:flood"))
        assert cycle.state == CycleState.OPEN


# On the command line and on the pages


@pytest.fixture
def desk(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DONDOC_DATABASE_URL", database.url)
    with opened_desk(database, tmp_path / "data", plan=PLAN) as desk:
        desk.move_clock("2022-02-07", "14:30")
        yield desk


def said(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    assert main(words) == code
    output = capsys.readouterr()
    return output.out if code == 0 else output.err


def test_the_command_opens_it_and_says_by_when(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("open", "kl01", "urgent", "flood")
    text = said(capsys, *words, "--title", "Thiệt hại do lũ")
    assert "Thêm: 1 đợt, 6 nhiệm vụ" in text
    assert text.splitlines()[1] == "Đợt 2: Thiệt hại do lũ"
    assert "Hạn: 14:30, thứ Tư 09/02/2022 (GMT+7)" in text
    assert "Hạn: hết ngày thứ Năm 10/02/2022 (unions)" in text
    assert "“flood” đã mở thứ Hai 07/02/2022 (đợt 2)" in said(capsys, *words, code=1)
    added = json.loads(said(capsys, *words[:-1], "flood-2", "--json"))
    assert (added["cycles"], added["tasks"], added["messages"]) == (1, 6, 0)
    assert added["steps"] > 0
    assert "cần đủ ba" in said(capsys, *words[:-1], code=2)
    assert "cần đủ ba" in said(capsys, "open", "--title", "x", code=2)


def test_explain_says_what_a_request_is(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("explain", "kl01", "urgent")
    assert "dondoc open kl01 urgent TÊN" in said(capsys, *words, "2022", code=1)
    assert "chưa mở lần nào" in said(capsys, *words, "adhoc:flood", code=1)
    said(capsys, "open", "kl01", "urgent", "flood", "--title", "Thiệt hại do lũ")
    assert "cần một kỳ trong adhoc:flood, gặp “2022”" in said(capsys, *words, "2022", code=1)
    text = said(capsys, *words, "adhoc:flood")
    assert "Đột xuất, mở bằng tay lúc 14:30, thứ Hai 07/02/2022 (GMT+7): đợt 2, “Thiệt hại do lũ”" in text
    assert "Hạn: 14:30, thứ Tư 09/02/2022 (GMT+7)" in text
    assert "48 giờ" in text
    found = json.loads(said(capsys, *words, "adhoc:flood", "--unit", "doan-khoi", "--json"))
    assert [(row["level"], row["due_on"]) for row in found["rows"]] == [("unions", "2022-02-10")]
    assert found["request"] == {"cycle": 2, "opened_at": "2022-02-07T07:30:00+00:00"}
    assert found["task"]["unit"] == "doan-khoi"
    assert "request" not in json.loads(said(capsys, "explain", "kl01", "annual-report", "2022", "--json"))


def test_a_shipped_plan_without_an_office_explains_no_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("plan.yaml").write_text(PLAN, encoding="utf-8")
    assert "chưa mở lần nào" in said(capsys, "explain", "plan.yaml", "urgent", "adhoc:flood", code=1)


def test_the_pages_show_a_request_as_any_other_cycle(desk: Desk) -> None:
    cycle = opened(desk.database, title="Thiệt hại do lũ")
    task_id = id_of(desk.database, "stc", "adhoc:flood", "urgent")
    for path in ("/", "/?by=periods", f"/cycles/{cycle.id}", f"/tasks/{task_id}"):
        page = desk.get(path)
        assert page.status_code == 200, path
        assert "Thiệt hại do lũ" in page.text, path
    assert "đột xuất: flood" not in desk.get(f"/tasks/{task_id}").text
    with desk.database.writing() as session:
        fire(session, at("2022-02-07", "14:31"), ZONE)
    queue(desk.database, Office("email", "van-phong@example.org", URL, ZONE, at("2022-02-07", "14:31")))
    subjects = [each.subject for each in desk.all_of(Message) if "Thiệt hại" in each.subject]
    assert subjects
    assert all("Thiệt hại do lũ (flood)" in subject for subject in subjects)

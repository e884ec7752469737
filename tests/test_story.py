"""What happens in a year? One is played day by day on both databases, and reads like a diary: tests/golden/story.txt.

Each round runs twice; the second adds nothing. For three weeks in June and July nobody looks.
`DONDOC_TEST_GOLDEN=write` writes the diary anew.
"""

import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from sqlmodel import col, func, select

from dondoc.database import Database
from engine import extend, record, reorganise, review, submit
from engine.milestones import enter
from engine.reorganise import Order
from models.contact import Contact
from models.cycle import Cycle
from models.entry import Entry, breaks
from models.lineage import Succession
from models.notice import Notice
from models.submission import Way
from models.task import Task
from models.unit import Unit
from tests.builders import HEAD, ZONE, act_of, add_units, assert_counts_add_up, at, id_of, province, step_round, tag

GOLDEN = Path(__file__).parent / "golden" / "story.txt"
FIRST, LAST = date(2022, 1, 1), date(2023, 2, 10)
OUTAGE = (date(2022, 6, 20), date(2022, 7, 11))  #: half-open
PLAN = (
    HEAD.replace("term: 2021..2025", "term: 2022..2022").replace("14 days before, 7 days before, ", "")
    + """\
milestones:
  resolution: {title: {vi: Nghị quyết, en: Resolution}}
obligations:
  news:
    title: {vi: Tuyên truyền tháng, en: News of the month}
    source: II.5.3
    who: {units: [doan-khoi]}
    every: month
    opens: 10 days before due
    grace: 5 working days
    due: {day: 25, of: last_month, roll: next}
    remind: [due day, every 2 working days at most 2 times]
    escalate: [{after: 3 working days, to: unit.head}]
  summary:
    title: {vi: Tổng hợp quý, en: Summary of the quarter}
    source: III.2
    every: quarter
    only: [Q2]
    due: {end_of: period}
    levels:
      bloc: {who: {kinds: [dang-uy-khoi]}}
      base: {who: {kinds: [dang-bo-co-so]}, due: 5 working days before superior}
      cell: {who: {kinds: [chi-bo-truc-thuoc]}, due: 3 working days before superior}
  ethics:
    title: {vi: Rà soát chuẩn mực, en: Review of standards}
    source: II.3.3
    who: {kinds: [dang-bo-co-so]}
    every: year
    opens: {on: resolution}
    due: {after: resolution, working_days: 10}
  report:
    title: {vi: Báo cáo năm, en: Yearly report}
    source: II.8.3
    who: {kinds: [dang-bo-co-so, chi-bo-co-so, doan-the]}
    every: year
    due: {end_of: Q3}
    variants:
      half-yearly: {who: {tags: [far]}, every: half, due: {end_of: period}, why: II.7.3}
"""
)


@dataclass
class Story:
    """The database, the diary, and how far it has been read."""

    database: Database
    lines: list[str] = field(default_factory=list)
    entries: int = 0
    notices: int = 0

    def act(self, unit: str, what: str, verb: Callable[..., Any], day: str, **given: Any) -> None:
        obligation, _, period = what.partition(" ")
        act_of(self.database, verb, id_of(self.database, unit, period, obligation), day, **given)

    def hand_in(self, unit: str, what: str, day: str) -> None:
        self.act(unit, what, submit.submit, day, answers={}, files=(), key=f"{unit} {what} {day}")

    def settle(self, unit: str, what: str, day: str) -> None:
        self.hand_in(unit, what, day)
        self.act(unit, what, review.accept, day)


def test_a_year_is_lived_as_it_is_written(database: Database) -> None:
    story = Story(database)
    province(database, PLAN, on="2022-01-01")
    with database.writing() as session:
        tag(session, "stt", "far")
    day = FIRST
    while day <= LAST:
        before = len(story.lines)
        if not OUTAGE[0] <= day < OUTAGE[1]:
            _, fired = step_round(database, at(day.isoformat()))
            if fired.skipped:
                story.lines.append(f"  skipped: {fired.skipped} steps that nobody looked at in time")
            again = step_round(database, at(day.isoformat()))
            assert (again[0].cycles, again[0].tasks, again[1].steps, again[1].skipped, again[1].notices) == (0,) * 5
        if act := ACTS.get(day.isoformat()):
            act(story, day.isoformat())
        written = [*story.lines[before:], *read_on(story)]
        story.lines[before:] = [f"{day:%Y-%m-%d %a}", *written] if written else []
        day += timedelta(days=1)
    assert_counts_add_up(database)
    with database.reading() as session:
        assert list(breaks(session)) == []
    diary = "\n".join(story.lines) + "\n"
    if os.environ.get("DONDOC_TEST_GOLDEN") == "write":
        GOLDEN.write_text(diary, "utf-8")
    assert diary == GOLDEN.read_text("utf-8")


def january(story: Story, day: str) -> None:
    story.settle("doan-khoi", "news 2022-01", day)


def resolution_of_the_health_base(story: Story, day: str) -> None:
    enter_resolution(story, day, "syt")


def resolution_of_the_rest(story: Story, day: str) -> None:
    enter_resolution(story, day, None)


def enter_resolution(story: Story, day: str, unit: str | None) -> None:
    on = date.fromisoformat(day)
    with story.database.writing() as session:
        enter(session, "kl01", "resolution", "2022", on, unit_code=unit, by="office", now=at(day, "10:00"))


def returned_with_a_day(story: Story, day: str) -> None:
    story.hand_in("syt", "ethics 2022", day)
    due_on = date.fromisoformat(day) + timedelta(days=7)
    story.act("syt", "ethics 2022", review.send_back, day, reason="thiếu số liệu", due_on=due_on)


def answered(story: Story, day: str) -> None:
    story.settle("syt", "ethics 2022", day)


def a_paper_of_yesterday(story: Story, day: str) -> None:
    received_on = date.fromisoformat(day) - timedelta(days=1)
    given = {"received_on": received_on, "document": "12-BC/ĐU", "way": Way.PAPER}
    story.act("snv", "ethics 2022", record.record, day, **given)
    story.act("snv", "ethics 2022", review.accept, day)


def a_cell_closes(story: Story, day: str) -> None:
    close_unit(story, "snv-2", "snv-1", day)


def a_base_closes(story: Story, day: str) -> None:
    close_unit(story, "stc", "stt", day)


def close_unit(story: Story, code: str, heir: str, day: str) -> None:
    order = Order(Succession.CLOSE, (code,), date.fromisoformat(day), heir)
    with story.database.writing() as session:
        reorganise.apply(session, order, reason="sáp nhập", by="office", now=at(day, "10:00"), zone=ZONE)


def a_unit_comes(story: Story, day: str) -> None:
    with story.database.writing() as session:
        add_units(session, {"xd": ("Chi bộ Sở Xây dựng", "chi-bo-co-so", "duk", "contact")}, date.fromisoformat(day))


def the_bloc_hands_in_before_the_outage(story: Story, day: str) -> None:
    story.settle("duk", "summary 2022-Q2", day)


def extended(story: Story, day: str) -> None:
    for unit in ("doan-khoi", "syt"):
        given = {"due_on": date(2022, 10, 14), "reason": "bão", "document": "3-QĐ/ĐUK"}
        story.act(unit, "report 2022", extend.extend, day, **given)


def exempted(story: Story, day: str) -> None:
    story.act("cam", "report 2022", extend.exempt, day, reason="mới sáp nhập", document=None)


def on_the_extended_day(story: Story, day: str) -> None:
    story.settle("doan-khoi", "report 2022", day)


def unlocked(story: Story, day: str) -> None:
    given = {"due_on": date(2022, 12, 1), "reason": "xin nộp bù", "document": None}
    story.act("snv", "report 2022", extend.extend, day, **given)


def handed_in_after_all(story: Story, day: str) -> None:
    story.settle("snv", "report 2022", day)


#: What people do, after the round of the morning.
ACTS: dict[str, Callable[[Story, str], None]] = {
    "2022-01-20": january,
    "2022-03-01": resolution_of_the_health_base,
    "2022-03-09": returned_with_a_day,
    "2022-03-10": resolution_of_the_rest,
    "2022-03-15": answered,
    "2022-03-28": a_paper_of_yesterday,
    "2022-04-01": a_unit_comes,
    "2022-06-10": a_cell_closes,
    "2022-06-17": the_bloc_hands_in_before_the_outage,
    "2022-09-05": a_base_closes,
    "2022-09-20": extended,
    "2022-09-21": exempted,
    "2022-10-14": on_the_extended_day,
    "2022-11-15": unlocked,
    "2022-11-30": handed_in_after_all,
}


def read_on(story: Story) -> Iterator[str]:
    """What was written since: acts, and who was told what about whom."""
    with story.database.reading() as session:
        cycles = {cycle.id: f"{cycle.obligation} {cycle.period}" for cycle in session.exec(select(Cycle))}
        units = {unit.id: unit.code for unit in session.exec(select(Unit))}
        unit_of = {task.id: units[task.unit_id] for task in session.exec(select(Task))}
        for entry in session.exec(select(Entry).where(col(Entry.id) > story.entries).order_by(col(Entry.id))):
            story.entries = entry.id
            if line := told_of(entry, cycles, unit_of):
                yield f"  {line}"
        query = select(Notice, Task.cycle_id, Contact).join(Task, col(Task.id) == col(Notice.task_id))
        query = query.join(Contact, col(Contact.id) == col(Notice.contact_id))
        told: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for notice, cycle_id, contact in session.exec(
            query.where(col(Notice.id) > story.notices).order_by(col(Notice.id))
        ):
            what = (notice.kind, cycles[cycle_id], f"due {notice.due_on}")
            to = "" if notice.rung == "unit.contact" else f" to {units[contact.unit_id]} {contact.role}"
            about = unit_of[notice.task_id]
            if to == f" to {about} head":
                to = " to their heads"
            told[(*what, to)].append(about)
        story.notices = session.exec(select(func.max(Notice.id))).one() or 0
    for (kind, cycle, due, to), whom in told.items():
        yield f"  > {kind}: {cycle}, {due}{to}: {', '.join(sorted(whom))}"


def told_of(entry: Entry, cycles: dict[int, str], unit_of: dict[int, str]) -> str:
    cycle, unit, data = cycles.get(entry.cycle_id or 0, ""), unit_of.get(entry.task_id or 0, ""), entry.data
    match entry.act:
        case "opened" | "widened":
            return f"{entry.act} {cycle}: {data['tasks']} tasks, due {', '.join(data['due'])}"
        case "closed":
            return f"closed {cycle}"
        case "fired":
            counts = ", ".join(f"{count} {name}" for name, count in data.items() if name in STATES and count)
            rung = f"rung {data['ordinal']}" if data["kind"] == "escalate" else data["kind"]
            return f"{rung} of {cycle}, due {data['due']}: {counts or 'nobody'}"
        case "submitted":
            return f"{unit} hands in {cycle}, version {data['number']}, {'late' if data['late'] else 'on time'}"
        case "unit_closed":
            inherited, cancelled = len(data["inherited"]), len(data["cancelled"])
            return f"{data['unit']} closes, heir {data['heir']}: {inherited} inherited, {cancelled} cancelled"
        case "milestone_entered":
            return f"{data['milestone']} {data['period']} on {data['on']} for {data['unit'] or 'all'}"
        case "plan_applied" | "calendar_applied":
            return ""
        case _:
            return f"{unit} {entry.act}: {cycle}"


STATES = {"told", "unreachable", "moved", "submitted", "accepted", "exempted", "missed", "cancelled"}

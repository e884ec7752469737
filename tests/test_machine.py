"""Does the engine agree with a plain account of each task, whatever people do and whenever the rounds run?

The oracle below knows no tables and no steps: it keeps a few values a task and says after each act what must hold.
"""

import itertools
import shutil
import tempfile
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlmodel import col, select

from dondoc.database import Database
from engine import extend, record, review, submit
from engine.errors import RefusedError
from models.cycle import Cycle
from models.deadline import Deadline
from models.entry import breaks
from models.notice import Notice, NoticeKind
from models.submission import Way
from models.task import IllegalActError, Task
from schedules.plan import Roll
from schedules.timeline import compiled, timeline
from tests.builders import ANSWERS, YEARLY, ZONE, assert_counts_add_up, id_of, province, step_round, vn_state
from tests.conftest import Postgres
from tests.plans import taken

FIRST = date(2021, 12, 1)
DUE, GRACE = date(2021, 12, 31), 30
UNITS = ("stc", "snv", "syt")  #: the others hand in nothing: the cycle stays as it is while they owe


@dataclass
class Account:
    """What a careful clerk would know of one task."""

    state: str = "open"
    due_on: date = DUE
    end: date = DUE + timedelta(days=GRACE)  #: the last day on which anything is taken
    #: of each version that was not withdrawn: came on, had to come by, counts
    versions: list[tuple[date, date, bool]] = field(default_factory=list)
    returns: int = 0
    is_day_of_return: bool = False  #: the due day was set by a return

    @property
    def is_late(self) -> bool | None:
        counted = [came > by for came, by, counts in self.versions if counts]
        return any(counted) if counted else None

    @property
    def back(self) -> str:
        return "returned" if self.returns else "open"

    @property
    def must_by(self) -> date:
        """The day that the next version has to meet: an empty page wins none."""
        if self.is_day_of_return and self.versions and not self.versions[-1][2]:
            return self.versions[-1][1]
        return self.due_on

    def come(self, on: date) -> None:
        self.versions.append((on, self.must_by, True))
        self.state = "submitted"

    def move(self, due_on: date, *, by_return: bool) -> None:
        if due_on != self.due_on:
            self.due_on, self.end, self.is_day_of_return = due_on, due_on + timedelta(days=GRACE), by_return


class Life(RuleBasedStateMachine):
    """The acts on three tasks of one cycle, in any order, with days that pass and rounds that run or do not."""

    keys = itertools.count()

    def __init__(self) -> None:
        super().__init__()
        self.database = self.fresh()
        province(self.database)
        self.now = datetime.combine(FIRST, time(8), ZoneInfo(ZONE))
        self.accounts = {unit: Account() for unit in UNITS}
        self.rounds_run()
        self.ids = {unit: id_of(self.database, unit) for unit in UNITS}

    def fresh(self) -> Database:
        raise NotImplementedError

    @property
    def today(self) -> date:
        return self.now.date()

    def expect(self, allowed: bool, verb: Any, unit: str, **given: Any) -> bool:
        """Does the act when the oracle allows it; else makes sure that the engine refuses it."""
        refused = None
        try:
            with self.database.writing() as session:
                verb(session, self.ids[unit], by="office", now=self.now, **given)
        except (RefusedError, IllegalActError) as error:
            refused = error
        assert allowed == (refused is None), f"{verb.__name__} in state {self.accounts[unit].state}: {refused}"
        return allowed

    @rule(days=st.integers(0, 25), hours=st.integers(0, 23))
    def time_passes(self, days: int, hours: int) -> None:
        self.now += timedelta(days=days, hours=hours)

    @rule(unit=st.sampled_from(UNITS), is_end=st.booleans(), late=st.booleans(), hands_in=st.booleans())
    def the_last_day_comes_or_goes(self, unit: str, is_end: bool, late: bool, hands_in: bool) -> None:
        """To the day on which everything turns, or the one after it: chance alone would rarely hit them."""
        account = self.accounts[unit]
        day = (account.end if is_end else account.due_on) + timedelta(days=late)
        if day > self.today:
            self.now = datetime.combine(day, time(0, 2), ZoneInfo(ZONE))
            if hands_in:
                self.hand_in(unit)

    @rule()
    def rounds_run(self) -> None:
        step_round(self.database, self.now)
        again = step_round(self.database, self.now)
        assert (again[0].tasks, again[1].steps, again[1].skipped, again[1].notices) == (0, 0, 0, 0)
        for account in self.accounts.values():
            if account.state in {"open", "returned"} and self.today > account.end:
                account.state = "missed"

    @rule(unit=st.sampled_from(UNITS))
    def a_unit_hands_in(self, unit: str) -> None:
        self.hand_in(unit)

    def hand_in(self, unit: str) -> None:
        account = self.accounts[unit]
        allowed = account.state in {"open", "returned"} and self.today <= account.end
        key = f"key {next(self.keys)}"
        given = {"answers": ANSWERS, "files": (), "key": key, "zone": ZONE}
        if self.expect(allowed, submit.submit, unit, **given):
            account.come(self.today)
            assert self.expect(True, submit.submit, unit, **given)  # the same tap again

    @rule(unit=st.sampled_from(UNITS), ago=st.integers(-1, 40))
    def a_paper_is_recorded(self, unit: str, ago: int) -> None:
        account, came = self.accounts[unit], self.today - timedelta(days=ago)
        allowed = account.state in {"open", "returned", "missed"} and came <= min(account.end, self.today)
        given = {"received_on": came, "document": "1-BC", "way": Way.PAPER, "zone": ZONE}
        if self.expect(allowed, record.record, unit, **given):
            account.come(came)

    @rule(unit=st.sampled_from(UNITS))
    def a_unit_withdraws(self, unit: str) -> None:
        account = self.accounts[unit]
        if self.expect(account.state == "submitted" and self.today <= account.end, submit.withdraw, unit, reason="x"):
            account.versions.pop()
            account.state = account.back

    @rule(unit=st.sampled_from(UNITS))
    def a_version_is_accepted(self, unit: str) -> None:
        if self.expect(self.accounts[unit].state == "submitted", review.accept, unit):
            self.accounts[unit].state = "accepted"

    @rule(unit=st.sampled_from(UNITS), ahead=st.none() | st.integers(-2, 40), is_empty=st.booleans())
    def a_version_is_returned(self, unit: str, ahead: int | None, is_empty: bool) -> None:
        account = self.accounts[unit]
        due_on = None if ahead is None else self.today + timedelta(days=ahead)
        last = account.end if is_empty else account.due_on
        earliest = max(self.today, account.due_on)
        allowed = account.state == "submitted" and (last >= self.today if due_on is None else due_on >= earliest)
        given = {"reason": "x", "due_on": due_on, "does_not_count": is_empty, "zone": ZONE}
        if self.expect(allowed, review.send_back, unit, **given):
            account.returns += 1
            account.state = "returned"
            came, by, _ = account.versions[-1]
            account.versions[-1] = (came, by, not is_empty)
            account.move(due_on or account.due_on, by_return=True)

    @rule(unit=st.sampled_from(UNITS), ahead=st.sampled_from([-1, 0, 1, 7, 40]), from_due=st.booleans())
    def a_unit_gets_more_time(self, unit: str, ahead: int, from_due: bool) -> None:
        account = self.accounts[unit]
        due_on = (account.due_on if from_due else self.today) + timedelta(days=ahead)
        allowed = account.state in {"open", "returned", "missed"} and due_on >= self.today and due_on > account.due_on
        if self.expect(allowed, extend.extend, unit, due_on=due_on, reason="x", document=None, zone=ZONE):
            account.state = account.back
            account.move(due_on, by_return=False)

    @rule(unit=st.sampled_from(UNITS))
    def a_unit_is_exempted(self, unit: str) -> None:
        allowed = self.accounts[unit].state in {"open", "returned", "missed"}
        if self.expect(allowed, extend.exempt, unit, reason="x", document=None):
            self.accounts[unit].state = "exempted"

    @rule(unit=st.sampled_from(UNITS))
    def a_decision_is_undone(self, unit: str) -> None:
        account = self.accounts[unit]
        if self.expect(account.state in {"accepted", "exempted"}, review.reopen, unit, reason="x"):
            owes = account.back if self.today <= account.end else "missed"
            account.state = "submitted" if account.state == "accepted" else owes

    @rule()
    def three_weeks_nobody_looks(self) -> None:
        self.now += timedelta(days=21)
        self.rounds_run()

    @invariant()
    def the_rows_are_as_the_account_says(self) -> None:
        with self.database.reading() as session:
            for unit, account in self.accounts.items():
                task = session.get_one(Task, self.ids[unit]) if hasattr(self, "ids") else None
                if task is None:
                    continue
                due_on = session.get_one(Deadline, task.deadline_id).due_on
                found = (task.state, due_on, task.is_late, task.returns)
                assert found == (account.state, account.due_on, account.is_late, account.returns), unit

    def teardown(self) -> None:
        with self.database.reading() as session:
            assert list(breaks(session)) == []
            for cycle in session.exec(select(Cycle)):
                states = set(session.exec(select(Task.state).where(col(Task.cycle_id) == cycle.id)))
                assert cycle.state == ("open" if states & {"open", "returned", "submitted"} else "closed")
            told = session.exec(select(Notice).where(col(Notice.kind) == NoticeKind.ESCALATION.value)).all()
            assert len({(notice.task_id, notice.contact_id, notice.cause) for notice in told}) == len(told)
        assert_counts_add_up(self.database)
        self.database.close()


def lived(life: type[Life], examples: int, steps: int) -> None:
    """Slow to make smaller, so a failing life is shown as it was found."""
    run_state_machine_as_test(
        life,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_whatever_people_do_the_rows_follow_the_account(sqlite_template: Path, tmp_path: Path) -> None:
    class OnSqlite(Life):
        def fresh(self) -> Database:
            path = Path(tempfile.mkdtemp(dir=tmp_path)) / "life.sqlite"
            shutil.copyfile(sqlite_template, path)
            return Database(f"sqlite:///{path}")

    lived(OnSqlite, 40, 40)


@pytest.mark.postgres
def test_whatever_people_do_the_rows_follow_the_account_on_postgresql_too(
    postgres: Postgres, postgres_template: str
) -> None:
    numbers = itertools.count()

    class OnPostgres(Life):
        def fresh(self) -> Database:
            name = f"life{next(numbers)}"
            postgres.execute(f"CREATE DATABASE {name} TEMPLATE {postgres_template}")
            return Database(postgres.url(name))

    lived(OnPostgres, 6, 30)


# The timeline of any plan


RULES = st.sampled_from(
    ["{end_of: period}", "{start_of: Q1}", "{day: 25, of: last_month}", "{day: 31, of: next_month}", "{before: M12}"]
)


@given(
    every=st.sampled_from(["year", "half", "quarter", "month"]),
    due=RULES,
    roll=st.sampled_from(Roll),
    cut=st.dates(date(2021, 1, 1), date(2025, 12, 31)),
)
def test_compiled_in_pieces_a_plan_is_the_same_and_falls_due_on_working_days(
    every: str, due: str, roll: Roll, cut: date
) -> None:
    text = YEARLY.replace("roll: none", f"roll: {roll.value}").replace("every: year", f"every: {every}")
    text = text.replace("    except: {2021: {due: {end_of: M12}, why: II.8.3}}\n", "")
    plan, calendar = taken(text.replace("{end_of: Q3}", due)), vn_state()
    first, last = date(2020, 1, 1), date(2027, 1, 1)
    whole = timeline(plan, calendar, {}, first, last)
    assert whole == timeline(plan, calendar, {}, first, cut) + timeline(
        plan, calendar, {}, cut + timedelta(days=1), last
    )
    assert len(whole) == sum(len(each.days) for each in compiled(plan, calendar).occurrences)
    for row in whole:
        assert roll is Roll.NONE or calendar.is_working(row.day.due_on)
        assert row.day.opens_on <= row.day.due_on

"""Does escalation climb one level after the other, however long something above the unit held it?"""

import shutil
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import col, select

from dondoc.clock import today
from dondoc.database import Database
from engine import pause, review
from engine.acknowledge import acknowledge
from engine.contacts import retire_contact
from engine.errors import RefusedError
from engine.extend import extend
from models.contact import Contact
from models.message import Message
from models.notice import Notice, NoticeKind
from models.step import Step
from models.task import IllegalActError
from notifications.deliver import queue
from notifications.item import Office
from notifications.pace import Pace
from tests.builders import YEARLY, ZONE, act_of, at, hand_in, id_of, province, step_round, task_of, vn_state

DUE = date(2025, 9, 30)
MORNINGS = [on for n in range(1, 46) if vn_state().is_working(on := DUE + timedelta(days=n))]
CELLS = ("snv-1", "snv-2")
#: Everybody above a cell, one after the other; without an end.
LADDER = """\
    - {after: 1 working day, to: unit.head}
    - {after: 3 working days, to: superior.secretariat}
    - {after: 5 working days, to: superior.head}
    - {after: 5 working days, to: issuer.secretariat}
    - {after: 12 days, to: issuer.standing}
"""
BEFORE, _, AFTER = YEARLY.partition("    - {after: 1 working day")
PLAN = (
    f"{BEFORE}{LADDER}obligations:{AFTER.partition('obligations:')[2]}".replace("  grace: 30 days\n", "")
    .replace("chi-bo-co-so, doan-the]", "chi-bo-truc-thuoc]")
    .replace("[14 days before, 7 days before, 3 working days before, due day]", "[due day]")
)  # fmt: skip


@pytest.fixture(scope="module")
def due(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Snv and its two cells owe the same report, due today; snv has handed it in, and it waits for its review."""
    path = tmp_path_factory.mktemp("climb") / "due.sqlite"
    database = Database(f"sqlite:///{path}")
    database.upgrade()
    province(database, PLAN, on="2025-08-01")
    for day in ("2025-09-03", "2025-09-30"):
        live(database, date.fromisoformat(day))
    hand_in(database, id_of(database, "snv", "2025"), "2025-09-30")
    database.close()
    return path


@contextmanager
def copy_of(path: Path) -> Iterator[Database]:
    with TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{shutil.copy(path, folder)}")
        yield database
        database.close()


def live(database: Database, on: date) -> None:
    """The round of a morning."""
    now = at(on.isoformat())
    step_round(database, now)
    queue(database, Office("email", "dondoc@example.org", "https://dondoc.example.org", ZONE, now, pace=Pace()))


def told(database: Database) -> dict[int, list[tuple[date, date, str]]]:
    """By task: each rung with the day for which it was planned, the day on which it was told, and whose it is."""
    found: defaultdict[int, dict[int, tuple[date, date, str]]] = defaultdict(dict)
    with database.reading() as session:
        steps = {f"step:{step.id}": step for step in session.exec(select(Step))}
        query = (
            select(Notice, Message)
            .join(Message, col(Message.id) == col(Notice.message_id))
            .where(col(Notice.kind) == NoticeKind.ESCALATION.value)
            .order_by(col(Message.id))
        )
        for notice, message in session.exec(query):
            step = steps[notice.cause]
            found[notice.task_id].setdefault(step.id, (step.on, today(message.created_at, ZONE), notice.rung))
    return {task_id: sorted(rungs.values()) for task_id, rungs in found.items()}


def days_of(database: Database, unit: str) -> list[tuple[str, str]]:
    return [(f"{on:%d/%m}", rung) for _, on, rung in told(database)[id_of(database, unit, "2025")]]


def test_after_a_review_above_ends_the_rungs_follow_each_other_at_their_distance(due: Path) -> None:
    with copy_of(due) as database:
        for on in MORNINGS:
            if on == date(2025, 11, 3):  # long after the last rung
                act_of(database, review.accept, id_of(database, "snv", "2025"), on.isoformat(), "07:00")
            live(database, on)
        assert days_of(database, "snv-1") == [
            ("01/10", "unit.head"),
            ("03/11", "superior.secretariat"),
            ("05/11", "issuer.secretariat"),  # those of the same day together
            ("05/11", "superior.head"),
            ("10/11", "issuer.standing"),
        ]


def test_a_rung_that_nobody_can_be_told_of_keeps_nobody_waiting(due: Path) -> None:
    with copy_of(due) as database:
        for on in MORNINGS:
            if on == date(2025, 11, 3):
                with database.writing() as session:
                    gone = session.exec(
                        select(Contact).where(col(Contact.email) == "secretariat.snv@example.org")
                    ).one()
                    retire_contact(session, gone.id, reason="QĐ 9", by="office", now=at("2025-11-03", "07:00"))
                act_of(database, review.accept, id_of(database, "snv", "2025"), on.isoformat(), "07:00")
            live(database, on)
        assert days_of(database, "snv-1") == [
            ("01/10", "unit.head"),
            ("04/11", "issuer.secretariat"),
            ("04/11", "superior.head"),
            ("07/11", "issuer.standing"),
        ]


#: What may happen above the cells in the mornings of October and November, and for how many days.
ACTS = st.tuples(st.sampled_from(["pause", "known", "extend"]), st.integers(1, 20), st.integers(1, 12))


@pytest.mark.slow
@settings(max_examples=8, deadline=None)
@given(st.lists(ACTS, max_size=4), st.integers(1, 25))
def test_however_it_was_held_no_rung_comes_sooner_after_the_one_before_it_than_planned(
    due: Path, acts: list[tuple[str, int, int]], reviewed: int
) -> None:
    days: defaultdict[int, list[tuple[str, int]]] = defaultdict(list)
    for act, first, length in acts:
        days[first].append((act, length))
        if act == "pause":
            days[first + length].append(("resume", 0))
    days[reviewed].append(("review", 0))
    with copy_of(due) as database:
        for number in range(1, 85):
            on = DUE + timedelta(days=number)
            for act, length in days[number]:
                with suppress(RefusedError, IllegalActError):
                    happen(database, act, on, length)
            if vn_state().is_working(on):
                live(database, on)
        found = told(database)
        for cell in CELLS:
            rungs = found[id_of(database, cell, "2025")]
            assert len(rungs) == LADDER.count("\n")  # nobody is left out
            for (planned, at_first, _), (planned_next, then, rung) in pairwise(rungs):
                distance = vn_state().distance(planned, planned_next)
                assert then >= vn_state().after(at_first, distance), (rung, rungs)


def happen(database: Database, act: str, on: date, length: int) -> None:
    now, more = at(on.isoformat(), "07:00"), on + timedelta(days=length)
    given: dict[str, Any] = {"by": "office", "now": now}
    with database.writing() as session:
        above, cell = task_of(session, "snv", "2025"), task_of(session, "snv-1", "2025")
        match act:
            case "pause":
                pause.pause(session, above.cycle_id, note="Bão", **given)
            case "resume":
                pause.resume(session, above.cycle_id, note="", **given)
            case "known":
                acknowledge(session, cell.id, until=more, note="Đã gọi", zone=ZONE, **given)
            case "review":
                review.send_back(session, above.id, reason="Thiếu số liệu", due_on=more, zone=ZONE, **given)
            case "extend":
                extend(session, above.id, due_on=more, reason="Bão", document=None, zone=ZONE, **given)

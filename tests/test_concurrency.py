"""What is left when several processes act at once and are killed at random moments? Everything that was committed.

`DONDOC_TEST_ACTS` sets how many acts each of the three processes does (2,000 as the issue says).
"""

import os
import shutil
import time
from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import Session, col, select

from dondoc.database import Database
from models.deadline import Deadline, Origin
from models.entry import Entry, append, breaks
from models.message import Message, MessageState
from models.step import Step
from models.submission import Submission
from models.task import OWING, Task, TaskState
from tests.builders import YEARLY, at, everything, province
from tests.sinks import running
from tests.workers import Crew, Job, crew

ACTS = int(os.environ.get("DONDOC_TEST_ACTS", "2000"))
WORKERS = 3
KILLS = 20
#: Three monthly reports of six units, so that there is always something to do.
MONTHLY = YEARLY.partition("obligations:")[0].replace("30 days before due", "20 days before due") + "obligations:\n"
MONTHLY += "".join(
    YEARLY.partition("obligations:\n")[2]
    .replace("annual-report", f"monthly-{letter}")
    .replace("every: year", "every: month")
    .replace("in: 2021..2025", "in: 2022-01..2022-12")
    .replace("{end_of: Q3}", "{end_of: period}")
    .replace("    except: {2021: {due: {end_of: M12}, why: II.8.3}}\n", "")
    for letter in "abc"
)


@pytest.mark.slow
def test_nothing_is_lost_when_processes_that_act_are_killed(database: Database) -> None:
    """On PostgreSQL a tenth of it: the server outlives its clients anyway, so there is less to prove."""
    acts, kills = (ACTS, KILLS) if database.is_sqlite else (ACTS // 10, KILLS // 4)
    province(database, MONTHLY, on="2022-01-01")
    random, counts = Random(2022), Counter[str]()
    thresholds = sorted(random.sample(range(1, WORKERS * acts), kills))
    with crew() as workers:
        jobs = {name: Job("acts", database.url, name, 0, acts) for name in range(WORKERS)}
        killed = watched(workers, jobs, thresholds, random, counts)
    assert killed == kills
    assert counts["done"] + counts["refused"] >= WORKERS * acts - kills
    assert counts["done"] > WORKERS * acts / 3
    with database.reading() as session:
        if database.is_sqlite:
            assert session.execute(text("PRAGMA integrity_check")).scalars().all() == ["ok"]
            assert session.execute(text("PRAGMA foreign_key_check")).all() == []
        assert list(breaks(session)) == []
        assert_versions_are_whole(session)
        assert_entries_explain_every_task(session)
    with database.writing() as session:  # nothing is locked out
        append(session, "tried", by="office", at=at("2023-01-02"))


@pytest.mark.slow
def test_a_killed_round_ends_as_one_that_was_not(sqlite_template: Path, tmp_path: Path) -> None:
    days, random = 45, Random(7)
    url = {name: f"sqlite:///{tmp_path / name}.sqlite" for name in ("whole", "killed")}
    for name, address in url.items():
        shutil.copyfile(sqlite_template, tmp_path / f"{name}.sqlite")
        database = Database(address)
        province(database, MONTHLY, on="2022-01-01")
        database.close()
    with running() as sink, crew() as workers:
        began = time.perf_counter()
        watched(workers, {0: Job("rounds", url["whole"], 0, 0, days, smtp=sink.url)}, [], random, Counter())
        one_day = (time.perf_counter() - began) / days  # how long a round is here: a kill shall hit the middle of one
        whole = sorted(mail["Message-ID"] for mail in sink.mails)
    with running() as sink, crew() as workers:
        job = Job("rounds", url["killed"], 0, 0, days, smtp=sink.url)
        killed = watched(workers, {0: job}, days_to_kill(random, days), random, Counter(), longest=one_day)
        arrived = Counter(mail["Message-ID"] for mail in sink.mails)
    assert killed == KILLS
    assert len(whole) == len(set(whole)) > 40
    rows, unknown = {}, {}
    for name, address in url.items():
        database = Database(address)
        with database.reading() as session:
            rows[name] = comparable(everything(session))
            query = select(Message.reference).where(col(Message.state) == MessageState.UNKNOWN.value)
            unknown[name] = set(session.exec(query))
            assert list(breaks(session)) == []
        database.close()
    assert rows["killed"] == rows["whole"]
    assert unknown["whole"] == set()
    assert len(unknown["killed"]) <= KILLS * 10, "ten connections may each be in the middle of a mail"
    assert max(arrived.values()) == 1
    missing = {each.strip("<>").partition("@")[0] for each in set(whole) - set(arrived)}
    assert missing <= unknown["killed"]


def days_to_kill(random: Random, days: int) -> list[int]:
    return sorted(random.choices(range(days - 5), k=KILLS))  # a kill near the end might come after it


def watched(
    workers: Crew,
    jobs: dict[int, Job],
    thresholds: list[int],
    random: Random,
    counts: Counter[str],
    longest: float = 0.02,
) -> int:
    """Starts the jobs, kills a worker a moment after each threshold of things begun, and starts it again there."""
    pids: dict[int, int] = {}
    number, task, begun, killed = dict.fromkeys(jobs, 0), dict.fromkeys(jobs, 0), 0, 0
    for job in jobs.values():
        workers.start(job)
    busy = set(jobs)
    for what, name, value in workers.lines():
        counts[what] += 1
        if what == "pid":
            pids[name] = value
        elif what in {"done", "refused"}:
            number[name], task[name] = value + 1, 0
        elif what == "ended":
            busy.discard(name)
        elif what == "killed":
            killed += 1
            busy.add(name)
            workers.start(replace(jobs[name], first=number[name], task_id=task[name] or None))
        elif what == "task":
            task[name] = value
            begun += 1
            if thresholds and begun > thresholds[0] and pids.get(name):
                del thresholds[0]
                time.sleep(random.random() * longest)  # not to wait for something: to hit a random moment
                workers.kill(name, pids.pop(name))
        if not busy:
            break
    return killed


def assert_versions_are_whole(session: Session) -> None:
    """No key twice (the table sees to that), no version without its entry, no number left out."""
    entries = Counter(session.exec(select(Entry.task_id).where(col(Entry.act) == "submitted")))
    numbers: dict[int, list[int]] = defaultdict(list)
    for task_id, number in session.exec(select(Submission.task_id, Submission.number)):
        numbers[task_id].append(number)
    for task in session.exec(select(Task)):
        assert sorted(numbers[task.id]) == list(range(1, task.versions + 1))
        assert entries[task.id] == task.versions


def assert_entries_explain_every_task(session: Session) -> None:
    """Each task's state and due day follow from its entries, and from those of the rounds, in their order."""
    entries = session.exec(select(Entry).order_by(col(Entry.id))).all()
    days = {(each.cycle_id, each.origin, each.due_on.isoformat()): each.id for each in session.exec(select(Deadline))}
    deadline_of_step = {step.id: step.deadline_id for step in session.exec(select(Step))}
    due = {each.id: each.due_on.isoformat() for each in session.exec(select(Deadline))}
    tasks = session.exec(select(Task)).all()
    assert len(tasks) > 100
    for task in tasks:
        state, returned, deadline_id = TaskState.OPEN, False, None
        for entry in (each for each in entries if each.cycle_id == task.cycle_id):
            if entry.act == "opened":
                deadline_id = days[task.cycle_id, Origin.PLAN, entry.data["due"][0]]
            is_end = entry.act == "fired" and entry.data["kind"] == "close"
            if is_end and deadline_of_step[entry.data["step"]] == deadline_id and state in OWING:
                state = TaskState.MISSED
            if entry.task_id != task.id:
                continue
            back = TaskState.RETURNED if returned else TaskState.OPEN
            assert deadline_id is not None
            if entry.act == "submitted":
                state = TaskState.SUBMITTED
            elif entry.act == "accepted":
                state = TaskState.ACCEPTED
            elif entry.act == "exempted":
                state = TaskState.EXEMPTED
            elif entry.act == "withdrawn":
                state = back
            elif entry.act == "returned":
                state, returned = TaskState.RETURNED, True
                if entry.data["due_on"] != due[deadline_id]:
                    deadline_id = days[task.cycle_id, Origin.RETURN, entry.data["due_on"]]
            elif entry.act == "extended":
                state, deadline_id = back, days[task.cycle_id, Origin.EXTENSION, entry.data["due_on"]]
            elif entry.act == "reopened":
                state = TaskState(entry.data["now"])
        assert (task.state, task.deadline_id) == (state, deadline_id), task.id


def comparable(tables: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """All rows, but for how often each message was tried and when: that is what a kill may change."""
    references = {row.id: row.reference for row in tables["message"]}
    told = [row._asdict() | {"message_id": references.get(row.message_id)} for row in tables.pop("notice")]
    sent = sorted((row.reference, row.contact_id, row.address, row.subject, row.text) for row in tables.pop("message"))
    del tables["attempt"]
    return tables | {"notice": told, "message": sent}

"""Does a board add up the tasks below its unit, and no others, however the units moved about?"""

from collections import Counter
from datetime import date
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session, col, select

from dondoc.database import Database
from models.board import PIECE, cells_in_state, sums
from models.cycle import Cycle
from models.task import Task, TaskState
from models.unit import Placement, path_of
from tests.builders import YEARLY, at, province, step_round

FIRST, AFTER = date(2021, 1, 1), date(2024, 1, 1)
MOVED, TODAY, NOW = date(2022, 1, 1), date(2022, 12, 20), at("2022-12-20")
SHOWN = ("none", "accepted", "submitted_late", "submitted_on_time", "missed", "overdue", "returned", "not_due")


@pytest.fixture
def opened(database: Database) -> Database:
    """A province where the cells report as well, with two years open."""
    province(database, YEARLY.replace("doan-the]", "doan-the, chi-bo-truc-thuoc]"))
    for day in ("2021-12-01", "2022-09-01"):
        step_round(database, at(day))
    return database


def shake(session: Session, random: Random) -> None:
    """Some units move under others, with or without what they owe; every task comes into some state."""
    places = session.exec(select(Placement).order_by(col(Placement.id))).all()
    for place in places[1:]:
        if random.random() < 0.4:
            above = random.choice([each for each in places if not each.path.startswith(place.path)])
            place.valid_to = MOVED
            path = path_of(place.unit_id, above.path)
            moved: dict[str, Any] = {"parent_id": above.unit_id, "path": path, "valid_from": MOVED}
            session.add(Placement(unit_id=place.unit_id, kind=place.kind, **moved))
    session.flush()
    for task in session.exec(select(Task)).all():
        own = session.exec(select(Placement).where(col(Placement.unit_id) == task.unit_id)).all()
        task.placement_id = random.choice(own).id
        task.state, task.is_late = random.choice(list(TaskState)), random.choice([None, False, True])
    session.flush()


def branch(below: str) -> str:
    """Of the rest of a path below that of the board."""
    return below[:PIECE] if len(below) > PIECE else "direct" if below else "self"


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6))
def test_a_board_adds_up_what_stands_below_it_and_nothing_else(opened: Database, seed: int) -> None:
    with opened.writing() as session:
        shake(session, Random(seed))
        tasks = session.exec(select(Task, Placement).join(Placement, col(Placement.id) == col(Task.placement_id))).all()
        cycles = session.exec(select(Cycle)).all()
        assert len(cycles) == 2
        for path in session.exec(select(Placement.path)).all():
            under = [(task, place.path.removeprefix(path)) for task, place in tasks if place.path.startswith(path)]
            expected, counted = Counter[Any](), Counter[Any]()
            for task, below in under:
                expected[task.cycle_id, branch(below), "tasks"] += 1
                expected[task.cycle_id, branch(below), task.is_late] += 1
            for row in session.execute(sums(cycles[0].plan_id, path, FIRST, AFTER, TODAY, NOW)):
                counted[row.id, row.branch, "tasks"] += row.tasks
                counted[row.id, row.branch, False] += row.on_time
                counted[row.id, row.branch, True] += row.late
                counted[row.id, row.branch, None] += row.tasks - row.on_time - row.late
            assert +counted == expected
            found = session.execute(cells_in_state([each.id for each in cycles], path, TODAY, NOW, SHOWN))
            assert sorted(row.id for row in found) == sorted(task.id for task, _ in under)
        session.rollback()

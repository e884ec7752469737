"""Which notices still make sense, and which go out together?"""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from models.address import Address
from models.cycle import CycleState
from models.notice import NoticeKind
from models.task import TaskState
from notifications import pipeline
from notifications.hold import Hold
from notifications.pace import Pace
from notifications.pipeline import Dropped, Held, moot
from notifications.waiting import ASKING, Waiting
from tests.builders import at
from tests.notices import DUE, NOW, OFFICE, person, waiting

NEVER_MOOT = (
    NoticeKind.RECEIPT,
    NoticeKind.ACCEPTED,
    NoticeKind.EXTENSION_DECIDED,
    NoticeKind.DATE_MOVED,
    NoticeKind.CANCELLED,
)


def why(kind: NoticeKind, state: TaskState, due_on: date = DUE, of: CycleState = CycleState.OPEN) -> str | None:
    each = waiting(kind=kind, state=state)
    return moot(kind, each.notice.due_on, state, due_on, of)


GONE = {
    TaskState.SUBMITTED: "moot.submitted",
    TaskState.ACCEPTED: "moot.accepted",
    TaskState.EXEMPTED: "moot.exempted",
    TaskState.CANCELLED: "moot.cancelled",
    TaskState.MISSED: "moot.missed",
}


@pytest.mark.parametrize("kind", ASKING)
def test_what_asks_is_moot_once_the_task_owes_no_more(kind: NoticeKind) -> None:
    told = {state: why(kind, state) for state in TaskState}
    assert told == {TaskState.OPEN: None, TaskState.RETURNED: None, **GONE}


@pytest.mark.parametrize("kind", ASKING)
def test_what_asks_is_moot_once_the_due_day_moved_or_the_cycle_closed(kind: NoticeKind) -> None:
    assert why(kind, TaskState.OPEN, DUE + timedelta(days=1)) == "moot.moved"
    assert why(kind, TaskState.OPEN, of=CycleState.CLOSED) == "moot.closed"
    assert why(kind, TaskState.OPEN, of=CycleState.CANCELLED) == "moot.closed"


def test_a_return_is_moot_once_the_unit_handed_in_again() -> None:
    told = {state: why(NoticeKind.RETURNED, state, DUE + timedelta(days=9)) for state in TaskState}
    assert told == {TaskState.OPEN: None, TaskState.RETURNED: None, **GONE, TaskState.MISSED: None}


@pytest.mark.parametrize("kind", NEVER_MOOT)
def test_what_was_decided_is_always_told(kind: NoticeKind) -> None:
    assert {why(kind, state, DUE + timedelta(days=9), CycleState.CLOSED) for state in TaskState} == {None}


@pytest.mark.parametrize("change", [{"email": None}, {"is_active": False}, {"is_bouncing": True}])
def test_a_contact_that_vanished_is_unreachable(change: dict[str, Any]) -> None:
    batch = pipeline.run([waiting(1, person(1, **change)), waiting(2)], OFFICE)
    assert batch.dropped == (Dropped(1, "unreachable"),)
    assert [each.address for each in batch.bundles] == ["van-thu.2@example.org"]


@pytest.mark.parametrize(
    ("way", "is_held"),
    [
        ({"channel": "zalooa", "heard_at": NOW - timedelta(days=8)}, True),  # an OA may not write to them now
        ({"channel": "apprise"}, True),  # a carrier that is not there in this pass
        ({"channel": "zalooa", "heard_at": NOW - timedelta(days=6)}, False),
        ({"channel": "zalobot"}, False),
    ],
)
def test_a_way_that_is_only_not_open_now_holds_and_loses_nothing(way: dict[str, Any], is_held: bool) -> None:
    office = replace(OFFICE, channels=frozenset({"zalooa", "zalobot"}), pace=Pace())
    given: dict[str, Any] = {"contact_id": 1, "address": "u-1", "state": "working", **way}
    for active in (True, False):
        each = replace(waiting(1, person(1, email=None, is_active=active)), ways=(Address(**given),))
        batch = pipeline.run([each], office)
        held = (Held(1, Hold("held.no_way", at("2025-09-24", "08:00"))),) if active and is_held else ()
        assert (batch.held, batch.dropped) == (held, () if active else (Dropped(1, "unreachable"),))
        assert [bundle.channel for bundle in batch.bundles] == [way["channel"]] * (active and not is_held)


def test_the_notices_of_one_contact_are_one_message() -> None:
    boss = person(7, email="van-phong@example.org")
    batch = pipeline.run([waiting(1, boss), waiting(2), waiting(3, boss)], OFFICE)
    assert [[each.notice.id for each in bundle.waiting] for bundle in batch.bundles] == [[2], [1, 3]]
    assert {bundle.channel for bundle in batch.bundles} == {"email"}


def test_every_notice_is_told_or_dropped_with_a_reason() -> None:
    states = list(TaskState) * 3
    notices = [waiting(number, state=state) for number, state in enumerate(states, start=1)]
    batch = pipeline.run(notices, OFFICE)
    told = [each.notice.id for bundle in batch.bundles for each in bundle.waiting]
    assert sorted(told + [each.notice_id for each in batch.dropped]) == list(range(1, len(states) + 1))
    assert all(each.why in GONE.values() for each in batch.dropped)


def test_the_same_notices_have_the_same_reference_and_others_another() -> None:
    boss = person(7)
    one, two, other = waiting(1, boss), waiting(2, boss), waiting(2, boss, cause="step:2")

    def reference(*notices: Waiting) -> str:
        (bundle,) = pipeline.run(notices, OFFICE).bundles
        return bundle.reference

    assert reference(one, two) == reference(two, one)
    assert len({reference(one, two), reference(one), reference(two), reference(one, other)}) == 4
    assert reference(one) != reference(waiting(1, person(8)))

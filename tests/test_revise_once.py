"""Does one of two people apply, and nothing half, whatever happens in the middle?"""

import subprocess
import sys
import threading
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, select

from dondoc.database import Database
from engine.doctor import examine
from engine.errors import InvalidPlanError, RefusedError
from engine.plans import active_revision
from engine.revise import apply
from models.plan import Revision
from models.plan_draft import PlanDraft
from models.proposal import Policy
from tests.builders import (
    ZONE,
    at,
    everything,
    hand_in,
    id_of,
)
from tests.test_revise import (
    EARLIER,
    LATER,
    REASON,
    applied,
    brought_back,
    due_days,
    opened,
    refusal,
    shown,
)

__all__ = ["opened"]


def test_another_diff_by_then_is_refused(opened: Database) -> None:
    seen = shown(opened, LATER)
    applied(opened, EARLIER)
    assert refusal(opened, LATER, seen.diff_hash) == "refused.diff_changed"
    with opened.reading() as session:
        assert active_revision(session, "kl01").number == 2  # type: ignore[union-attr]


def test_a_report_handed_in_meanwhile_is_no_other_diff(opened: Database) -> None:
    seen = shown(opened, LATER)
    hand_in(opened, id_of(opened, "stc"), "2021-12-03")
    with opened.writing() as session:
        apply(
            session, LATER.encode(), "plan.yaml", diff_hash=seen.diff_hash, policy=Policy.MOVE, by="user:1",
            reason=REASON, now=at("2021-12-05"), zone=ZONE,
        )  # fmt: skip
    assert due_days(opened)["stc"] == date(2021, 12, 31)


def test_two_people_at_once_apply_one(opened: Database) -> None:
    seen, results = {text: shown(opened, text).diff_hash for text in (LATER, EARLIER)}, list[str]()
    both = threading.Barrier(2)

    def act(text: str) -> None:
        other = Database(opened.url)
        both.wait()
        try:
            with other.writing() as session:
                apply(
                    session, text.encode(), "plan.yaml", diff_hash=seen[text], policy=Policy.TELL, by="user:1",
                    reason=REASON, now=at("2021-12-05"), zone=ZONE,
                )  # fmt: skip
            results.append("applied")
        except RefusedError as error:
            results.append(error.reason.code)
        finally:
            other.close()

    threads = [threading.Thread(target=act, args=[text]) for text in (LATER, EARLIER)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["applied", "refused.diff_changed"]


def test_an_apply_that_fails_half_way_leaves_the_old_revision(
    opened: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = shown(opened, LATER)
    with opened.reading() as session:
        before = everything(session)

    def break_off(*_given: Any, **_more: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("engine.move._settle", break_off)
    with pytest.raises(KeyboardInterrupt), opened.writing() as session:
        apply(
            session, LATER.encode(), "plan.yaml", diff_hash=seen.diff_hash, policy=Policy.TELL, by="user:1",
            reason=REASON, now=at("2021-12-05"), zone=ZONE,
        )  # fmt: skip
    with opened.reading() as session:
        assert everything(session) == before


def test_the_reason_is_asked_for_and_the_draft_ends(opened: Database) -> None:
    seen = shown(opened, LATER)
    with pytest.raises(RefusedError) as refused, opened.writing() as session:
        apply(
            session, LATER.encode(), "plan.yaml", diff_hash=seen.diff_hash, policy=Policy.KEEP, by="user:1",
            reason=" ", now=at("2021-12-05"), zone=ZONE,
        )  # fmt: skip
    assert refused.value.reason.code == "refused.no_reason"
    with opened.writing() as session:
        for by in ("user:1", "user:2"):
            session.add(PlanDraft(plan="kl01", by=by, text=LATER, saved_at=at("2021-12-05")))
    applied(opened, LATER)
    with opened.reading() as session:
        assert [draft.by for draft in session.exec(select(PlanDraft))] == ["user:2"]


def test_a_restored_revision_says_which_it_restores(opened: Database) -> None:
    applied(opened, LATER, agreed_by="user:9")
    brought_back(opened, 1)
    with opened.reading() as session:
        rows = session.exec(select(Revision).order_by(col(Revision.number))).all()
        assert [(row.number, row.restores, row.agreed_by, row.is_active) for row in rows] == [
            (1, None, None, False), (2, None, "user:9", False), (3, 1, None, True)
        ]  # fmt: skip
    assert set(due_days(opened).values()) == {date(2021, 12, 31)}


def test_a_text_that_does_not_parse_has_no_preview(opened: Database) -> None:
    with pytest.raises(InvalidPlanError):
        shown(opened, LATER.replace("every: year", "every: yaer"))


def test_the_months_ahead_name_what_opens_and_what_is_due(opened: Database) -> None:
    seen = shown(opened, LATER)
    days = [(each.row.occurrence.period.label, each.row.day.due_on, each.units, each.is_open) for each in seen.ahead]
    assert days == [("2021", date(2022, 1, 14), 6, True), ("2022", date(2022, 9, 30), 6, False)]
    assert len(seen.months) == 18
    by_first = {month.first: month for month in seen.months}
    assert (by_first[date(2022, 1, 1)].due, by_first[date(2022, 8, 1)].opens, by_first[date(2022, 9, 1)].due) == (
        6,
        6,
        6,
    )
    assert by_first[date(2022, 9, 1)].messages > 12


def test_the_doctor_finds_a_cycle_that_kept_its_days_and_none_that_moved(opened: Database) -> None:
    applied(opened, LATER, Policy.KEEP)
    with opened.reading() as session:
        (kept,) = examine(session, at("2021-12-05"), ZONE).moved
        assert (kept.rows, kept.fresh) == (("2021-12-31..2022-01-30",), ("2022-01-14..2022-02-13",))
    brought_back(opened, 1)
    applied(opened, LATER, Policy.MOVE, day="2021-12-07")
    with opened.reading() as session:
        assert examine(session, at("2021-12-07"), ZONE).moved == ()


def test_an_apply_that_is_killed_half_way_leaves_the_old_revision(opened: Database) -> None:
    """A process of its own is killed when all has moved and nothing is committed yet."""
    seen = shown(opened, LATER)
    with opened.reading() as session:
        before = everything(session)
    words = [sys.executable, "-c", KILLED, opened.url, seen.diff_hash]
    with subprocess.Popen(words, stdout=subprocess.PIPE, cwd=Path(__file__).parent.parent) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"moved\n"
        process.kill()
    with opened.writing() as session:
        assert everything(session) == before
    applied(opened, LATER)
    assert set(due_days(opened).values()) == {date(2022, 1, 14)}


KILLED = """
import sys, time
from dondoc.database import Database
from engine.revise import apply
from models.proposal import Policy
from tests.builders import ZONE, at
from tests.test_revise import LATER

with Database(sys.argv[1]).writing() as session:
    apply(session, LATER.encode(), "plan.yaml", diff_hash=sys.argv[2], policy=Policy.TELL, by="user:1", reason="x",
          now=at("2021-12-05"), zone=ZONE)
    session.flush()
    print("moved", flush=True)
    time.sleep(600)
"""

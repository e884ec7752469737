"""Do units move, merge, split and close on a day, with every open task where it was decided and the tree whole?"""

import random
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from sqlmodel import Session, col, select

from dondoc.database import Database
from engine import relocate, reorganise, review
from engine.errors import RefusedError
from engine.hand_over import Outcome
from engine.relocate import Move
from engine.reorganise import Fresh, Order
from models.contact import Contact
from models.entry import Entry, breaks
from models.lineage import Lineage, Succession
from models.link import Link
from models.notice import Notice
from models.task import Task, TaskState
from models.unit import Placement, Unit, path_of, placement_on
from tests.builders import (
    ZONE,
    act_of,
    assert_counts_add_up,
    at,
    hand_in,
    id_of,
    province,
    step_round,
    task_of,
    unit_id,
)

DAY = date(2021, 12, 10)
NOW = at("2021-12-10")
MERGED = Fresh("tt-tc", "Chi bộ Thanh tra - Tài chính")


@pytest.fixture
def office(database: Database) -> Database:
    """The province on 10 December 2021, the yearly report of its six bases open."""
    province(database)
    step_round(database, at("2021-12-01"))
    return database


def done(database: Database, order: Order, day: str = "2021-12-10") -> None:
    """Looked at and done, as it was shown."""
    with database.reading() as session:
        hash_ = reorganise.preview(session, order, now=at(day), zone=ZONE).hash
    with database.writing() as session:
        reorganise.apply(session, order, reason="QĐ 12", by="user:1", now=at(day), zone=ZONE, expected_hash=hash_)


def refused(database: Database, order: Order | Move) -> str:
    """The code of the refusal; nothing was written."""
    room = reorganise if isinstance(order, Order) else relocate
    with database.reading() as session, pytest.raises(RefusedError) as caught:
        room.preview(session, order, now=NOW, zone=ZONE)
    return caught.value.reason.code


def outcomes(database: Database, order: Order) -> dict[str, tuple[str, str | None]]:
    with database.reading() as session:
        found = reorganise.preview(session, order, now=NOW, zone=ZONE).fates
        return {fate.unit.code: (fate.outcome.value, fate.heir) for fate in found}


def above(database: Database, code: str, on: date = DAY) -> str | None:
    """The code of the unit above; None at the top or when it is not there."""
    with database.reading() as session:
        place = placement_on(session, unit_id(session, code), on)
        return session.get_one(Unit, place.parent_id).code if place and place.parent_id else None


def is_there(database: Database, code: str, on: date = DAY) -> bool:
    with database.reading() as session:
        return placement_on(session, unit_id(session, code), on) is not None


# Merging


def test_two_units_merge_into_a_new_one_that_owes_each_report_once(office: Database) -> None:
    order = Order(Succession.MERGE, ("stc", "stt"), DAY, "tt-tc", (MERGED,), with_contacts=True)
    assert outcomes(office, order) == {
        "stc": (Outcome.GOES, "tt-tc"),
        "stt": (Outcome.OWED_ALREADY, "tt-tc"),
    }
    done(office, order)
    with office.reading() as session:
        new = unit_id(session, "tt-tc")
        assert task_of(session, "tt-tc", "2021").state == TaskState.OPEN
        states = session.exec(select(Task.state).where(col(Task.unit_id) == unit_id(session, "stt"))).all()
        assert states == [TaskState.CANCELLED]
        lines = session.exec(select(Lineage.from_unit_id, Lineage.to_unit_id, Lineage.way)).all()
        assert lines == [(unit_id(session, code), new, "merge") for code in ("stc", "stt")]
        contacts = session.exec(select(Contact.role, Contact.email).where(col(Contact.unit_id) == new)).all()
        assert sorted(contacts) == [
            ("contact", "contact.stc@example.org"),
            ("contact", "contact.stt@example.org"),
            ("head", "head.stc@example.org"),
            ("head", "head.stt@example.org"),
        ]
        told = select(Notice.contact_id).join(Contact, col(Contact.id) == col(Notice.contact_id))
        assert len(session.exec(told.where(col(Contact.unit_id) == new)).all()) == 2
        entry = session.exec(select(Entry).where(col(Entry.act) == "units_merged")).one()
        assert (entry.data["units"], entry.data["heir"], entry.data["note"]) == (["stc", "stt"], "tt-tc", "QĐ 12")
        assert list(breaks(session)) == []
    assert above(office, "tt-tc") == "duk"
    assert not is_there(office, "stc")
    assert is_there(office, "stc", DAY - timedelta(days=1))
    assert_counts_add_up(office)


def test_what_lies_below_goes_under_the_unit_that_goes_on(office: Database) -> None:
    order = Order(Succession.MERGE, ("snv", "syt"), DAY, "syt")
    with office.reading() as session:
        effect = reorganise.preview(session, order, now=NOW, zone=ZONE)
        assert [(unit.code, to) for unit, to in effect.below] == [("snv-1", "syt"), ("snv-2", "syt")]
        assert effect.along == 2
    done(office, order)
    assert above(office, "snv-1") == "syt"
    assert above(office, "snv-1", DAY - timedelta(days=1)) == "snv"
    with office.reading() as session:
        assert whole(session)


def test_a_unit_below_can_go_elsewhere_than_the_rest(office: Database) -> None:
    cells = (Fresh("nv-a", "Đảng bộ A"), Fresh("nv-b", "Đảng bộ B"))
    done(office, Order(Succession.SPLIT, ("snv",), DAY, None, cells, below={"snv-2": "nv-b"}))
    assert (above(office, "snv-1"), above(office, "snv-2")) == ("nv-a", "nv-b")


def test_what_the_old_superior_would_have_received_the_heir_receives(office: Database) -> None:
    with office.writing() as session:
        task_of(session, "stc", "2021").receiver_id = unit_id(session, "snv")
    order = Order(Succession.MERGE, ("snv", "syt"), DAY, "syt")
    with office.reading() as session:
        effect = reorganise.preview(session, order, now=NOW, zone=ZONE)
        assert (effect.received, effect.receiver) == (1, "syt")
    done(office, order)
    with office.reading() as session:
        assert task_of(session, "stc", "2021").receiver_id == unit_id(session, "syt")


@pytest.mark.parametrize(
    ("heir", "task", "receiver", "reviewer"),
    [
        ("stc", "stc", "snv", "duk"),  # would have been received by the unit that ends: now by who is above the heir
        ("snv-1", "snv", "snv-1", "duk"),  # comes to the unit that would have received it
    ],
)
def test_nobody_receives_their_own_report(office: Database, heir: str, task: str, receiver: str, reviewer: str) -> None:
    id_ = id_of(office, task)
    with office.writing() as session:
        session.get_one(Task, id_).receiver_id = unit_id(session, receiver)
    done(office, Order(Succession.MERGE, ("snv",), DAY, heir))
    with office.reading() as session:
        found = session.get_one(Task, id_)
        assert found.unit_id == unit_id(session, heir)
        assert found.receiver_id == unit_id(session, reviewer)


def test_what_was_handed_in_among_the_units_that_end_is_received_by_their_heir(office: Database) -> None:
    hand_in(office, id_of(office, "snv"), "2021-12-05")
    done(office, Order(Succession.MERGE, ("duk", "snv"), DAY, "snv-1"))
    with office.reading() as session:
        assert task_of(session, "snv", "2021").receiver_id == unit_id(session, "snv-1")


def test_an_order_for_a_day_past_gives_work_only_to_who_is_still_there(office: Database) -> None:
    done(office, Order(Succession.CLOSE, ("stt",), DAY - timedelta(days=1), "stc"))
    assert refused(office, Order(Succession.CLOSE, ("syt",), DAY - timedelta(days=3), "stt")) == (
        "refused.unit_not_there"
    )
    done(office, Order(Succession.CLOSE, ("syt",), DAY - timedelta(days=3), "snv-1"))
    with office.reading() as session:
        assert task_of(session, "snv-1", "2021").state == TaskState.OPEN


def test_work_that_an_order_for_a_day_past_gives_stands_where_the_heir_is_now(office: Database) -> None:
    with office.writing() as session:
        move = Move("snv-1", DAY - timedelta(days=1), "syt")
        relocate.apply(session, move, reason="QĐ", by="user:1", now=NOW, zone=ZONE)
    done(office, Order(Succession.CLOSE, ("stc",), DAY - timedelta(days=3), "snv-1"))
    with office.reading() as session:
        task = task_of(session, "snv-1", "2021")
        assert session.get_one(Placement, task.placement_id).valid_to is None
        assert task.receiver_id == unit_id(session, "syt")


@pytest.mark.parametrize(
    ("order", "code"),
    [
        (Order(Succession.MERGE, ("duk", "stc"), DAY, "snv-1"), "refused.tree-circle"),
        (Order(Succession.MERGE, ("stc",), DAY, "stc"), "refused.nothing_to_merge"),
        (Order(Succession.MERGE, (), DAY, "stc"), "refused.nothing_to_merge"),
        (Order(Succession.MERGE, ("stc",), DAY, "khong-co"), "refused.no_unit"),
        (Order(Succession.MERGE, ("khong-co",), DAY, "stc"), "refused.no_unit"),
        (Order(Succession.MERGE, ("stc", "stt"), DAY, "snv", (Fresh("snv", "X"),)), "refused.unit_known"),
        (Order(Succession.MERGE, ("stc", "stt"), DAY, "Mới", (Fresh("Mới", "X"),)), "refused.bad_code"),
        (Order(Succession.MERGE, ("stc", "stt"), DAY, "moi", (Fresh("moi", " "),)), "refused.no_unit_name"),
        (Order(Succession.MERGE, ("stc", "stt"), DAY, "stt", tasks={1: "syt"}), "refused.not_an_heir"),
        (Order(Succession.MERGE, ("stc", "stt"), date(2020, 1, 1), "stt"), "refused.too_early"),
        (Order(Succession.MERGE, ("stc", "stt"), date(2019, 1, 1), "stt"), "refused.unit_not_there"),
        (Order(Succession.SPLIT, ("stc",), DAY, None, (MERGED,)), "refused.nothing_to_split"),
        (Order(Succession.SPLIT, ("stc",), DAY, None, (MERGED, MERGED)), "refused.unit_known"),
        (Move("stc", DAY, "duk"), "refused.nothing_moves"),
        (Move("khong-co", DAY, "duk"), "refused.no_unit"),
        (Move("stc", DAY, "khong-co"), "refused.no_unit"),
        (Move("snv", DAY, "snv-1"), "refused.tree-circle"),
        (Move("snv", DAY, "snv"), "refused.tree-circle"),
        (Move("snv", date(2020, 1, 1), "syt"), "refused.too_early"),
        (Move("snv", DAY, "syt", kind="Loại"), "refused.bad_code"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(office: Database, order: Order, code: str) -> None:
    assert refused(office, order) == code


def test_an_heir_right_below_takes_the_place_of_the_unit_that_ends(office: Database) -> None:
    done(office, Order(Succession.MERGE, ("duk", "snv"), DAY, "snv-1"))
    assert [above(office, code) for code in ("snv-1", "snv-2", "stc")] == ["tinh-uy", "snv-1", "snv-1"]


def test_without_a_reason_nothing_is_reorganised(office: Database) -> None:
    order = Order(Succession.CLOSE, ("stc",), DAY, "stt")
    with pytest.raises(RefusedError) as caught, office.writing() as session:
        reorganise.apply(session, order, reason="  ", by="user:1", now=NOW, zone=ZONE)
    assert caught.value.reason.code == "refused.no_reason"


def test_what_is_no_longer_as_shown_is_not_done(office: Database) -> None:
    order = Order(Succession.CLOSE, ("stc",), DAY, "stt")
    with office.reading() as session:
        hash_ = reorganise.preview(session, order, now=NOW, zone=ZONE).hash
    hand_in(office, id_of(office, "stc"), "2021-12-10")
    with pytest.raises(RefusedError) as caught, office.writing() as session:
        reorganise.apply(session, order, reason="QĐ", by="user:1", now=NOW, zone=ZONE, expected_hash=hash_)
    assert caught.value.reason.code == "refused.effect_changed"
    assert is_there(office, "stc")


def test_a_reorganisation_that_is_killed_half_way_leaves_the_old_tree(office: Database) -> None:
    """A process of its own is killed when all is written and nothing is committed yet."""
    with office.reading() as session:
        before = rows_of_everything(session)
    words = [sys.executable, "-c", KILLED, office.url]
    with subprocess.Popen(words, stdout=subprocess.PIPE, cwd=Path(__file__).parent.parent) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"written\n"
        process.kill()
    with office.writing() as session:
        assert rows_of_everything(session) == before
    done(office, Order(Succession.MERGE, ("stc", "stt"), DAY, "tt-tc", (MERGED,), with_contacts=True))
    assert above(office, "tt-tc") == "duk"


def rows_of_everything(session: Session) -> list[Any]:
    tables = (Unit, Placement, Lineage, Contact, Task, Notice, Entry)
    return [[row.model_dump() for row in session.exec(select(table).order_by(col(table.id)))] for table in tables]


KILLED = """
import sys, time
from dondoc.database import Database
from engine.reorganise import apply
from tests.test_reorganise import DAY, MERGED, NOW, ZONE, Order, Succession
order = Order(Succession.MERGE, ("stc", "stt"), DAY, "tt-tc", (MERGED,), with_contacts=True)
with Database(sys.argv[1]).writing() as session:
    apply(session, order, reason="x", by="user:2", now=NOW, zone=ZONE)
    session.flush()
    print("written", flush=True)
    time.sleep(600)
"""


def test_two_admins_at_once_do_not_end_each_others_heir(office: Database) -> None:
    """Each looked while both units were there; whoever comes second is refused."""
    orders = [Order(Succession.CLOSE, ("stc",), DAY, "stt"), Order(Succession.CLOSE, ("stt",), DAY, "stc")]
    with office.reading() as session:
        hashes = [reorganise.preview(session, order, now=NOW, zone=ZONE).hash for order in orders]
    start = Barrier(2)

    def press(order: Order, hash_: str) -> bool:
        start.wait()
        try:
            with office.writing() as session:
                reorganise.apply(session, order, reason="QĐ", by="user:1", now=NOW, zone=ZONE, expected_hash=hash_)
        except RefusedError:
            return False
        return True

    with ThreadPoolExecutor(2) as both:
        assert sorted(both.map(press, orders, hashes)) == [False, True]
    assert [is_there(office, code) for code in ("stc", "stt")].count(True) == 1


# Tasks


def test_each_open_task_can_be_decided_apart(office: Database) -> None:
    with office.writing() as session:
        contact = session.exec(select(Contact).where(col(Contact.unit_id) == unit_id(session, "stc"))).first()
        assert contact is not None
        session.add(Link(task_id=task_of(session, "stc", "2021").id, contact_id=contact.id))
    task = id_of(office, "stc")
    parts = (Fresh("tc-a", "Chi bộ A"), Fresh("tc-b", "Chi bộ B"))
    order = Order(Succession.SPLIT, ("stc",), DAY, None, parts, tasks={task: "tc-b"})
    assert outcomes(office, order) == {"stc": (Outcome.GOES, "tc-b")}
    done(office, order)
    with office.reading() as session:
        assert session.get_one(Task, task).unit_id == unit_id(session, "tc-b")
        assert session.exec(select(Link.revoked_at)).one() is not None
        ways = session.exec(select(Lineage.way)).all()
        assert ways == ["split", "split"]


def test_a_unit_that_goes_on_beside_its_part_keeps_its_work(office: Database) -> None:
    order = Order(Succession.SPLIT, ("stc",), DAY, None, (Fresh("tc-b", "Chi bộ B"),), stays=True)
    assert outcomes(office, order) == {"stc": (Outcome.STAYS, "stc")}
    done(office, order)
    with office.reading() as session:
        assert task_of(session, "stc", "2021").state == TaskState.OPEN
    assert above(office, "tc-b") == above(office, "stc") == "duk"


@pytest.mark.parametrize("to", ["", "tc-b"])
def test_a_unit_that_goes_on_is_told_what_it_owes_no_more(office: Database, to: str) -> None:
    """Its link to what nobody owes still says so; what a part owes is the part's to open."""
    task, part = id_of(office, "stc"), Fresh("tc-b", "Chi bộ B")
    with office.writing() as session:
        contact = session.exec(select(Notice.contact_id).where(col(Notice.task_id) == task)).one()
        session.add(Link(task_id=task, contact_id=contact))
    done(office, Order(Succession.SPLIT, ("stc",), DAY, None, (part,), stays=True, tasks={task: to}))
    with office.reading() as session:
        told = select(Notice.task_id, Notice.kind).where(col(Notice.contact_id) == contact).order_by(col(Notice.id))
        assert session.exec(told).all() == [(task, "opened"), (task, "cancelled")]
        assert (session.exec(select(Link.revoked_at)).one() is None) == (not to)


def test_a_unit_that_is_no_more_is_told_nothing(office: Database) -> None:
    task = id_of(office, "stc")
    done(office, Order(Succession.CLOSE, ("stc",), DAY, "stt"))
    with office.reading() as session:
        mine = select(Contact.id).where(col(Contact.unit_id) == unit_id(session, "stc"))
        told = select(Notice.kind).where(col(Notice.task_id) == task, col(Notice.contact_id).in_(mine))
        assert session.exec(told).all() == ["opened"]


def test_what_was_handed_in_stays_for_review(office: Database) -> None:
    hand_in(office, id_of(office, "stc"), "2021-12-05")
    order = Order(Succession.CLOSE, ("stc",), DAY)
    assert outcomes(office, order) == {"stc": (Outcome.WAITS, None)}
    done(office, order)
    act_of(office, review.accept, id_of(office, "stc"), "2021-12-11")


# Moving and renaming


def test_a_unit_moves_with_all_below_it_from_the_day_on(office: Database) -> None:
    move = Move("snv", DAY, "syt")
    with office.reading() as session:
        found = relocate.preview(session, move, now=NOW, zone=ZONE)
        assert (found.before and found.before.code, found.after and found.after.code) == ("duk", "syt")
        assert (found.along, found.tasks, found.received) == (2, 1, 1)
    with office.writing() as session:
        relocate.apply(session, move, reason="QĐ", by="user:1", now=NOW, zone=ZONE, expected_hash=found.hash)
    with office.reading() as session:
        ids = [unit_id(session, code) for code in ("tinh-uy", "duk", "syt", "snv", "snv-1")]
        path = ""
        for id_ in ids:
            path = path_of(id_, path)
        place = placement_on(session, ids[-1], DAY)
        assert place is not None
        assert place.path == path
        task = task_of(session, "snv", "2021")
        assert task.receiver_id == unit_id(session, "duk")
        old = session.get_one(Placement, task.placement_id)
        assert old.valid_to == DAY
        assert whole(session)


def test_open_work_can_follow_the_move(office: Database) -> None:
    with office.writing() as session:
        move = Move("snv", DAY, "syt", kind="chi-bo-co-so", follows=True)
        relocate.apply(session, move, reason="QĐ", by="user:1", now=NOW, zone=ZONE)
        task = task_of(session, "snv", "2021")
        session.refresh(task)
        assert task.receiver_id == unit_id(session, "syt")
        place = session.get_one(Placement, task.placement_id)
        assert (place.valid_from, place.kind) == (DAY, "chi-bo-co-so")


def test_a_name_changes_and_the_journal_keeps_the_old_one(office: Database) -> None:
    with office.writing() as session:
        relocate.rename(session, "stc", " Chi bộ  Tài chính ", reason="QĐ 9", by="user:1", now=NOW, zone=ZONE)
        assert session.get_one(Unit, unit_id(session, "stc")).name == "Chi bộ Tài chính"
        entry = session.exec(select(Entry).where(col(Entry.act) == "unit_renamed")).one()
        assert (entry.data["before"], entry.data["after"]) == ("Chi bộ Sở Tài chính", "Chi bộ Tài chính")
        with pytest.raises(RefusedError):
            relocate.rename(session, "stc", "Chi bộ Tài chính", reason="x", by="user:1", now=NOW, zone=ZONE)


# Whatever is done


def whole(session: Session) -> bool:
    """On every day each place lies right below one that is there as long, and no unit stands in two."""
    places = session.exec(select(Placement).order_by(col(Placement.valid_from))).all()
    by_unit: dict[int, list[Placement]] = {}
    for each in places:
        by_unit.setdefault(each.unit_id, []).append(each)
    for mine in by_unit.values():
        for before, after in pairwise(mine):
            assert before.valid_to is not None
            assert before.valid_to <= after.valid_from
    for each in places:
        if each.parent_id is None:
            assert each.path == path_of(each.unit_id)
            continue
        days = {each.valid_from, (each.valid_to or date.max) - timedelta(days=1)}
        for day in days:
            over = [one for one in by_unit[each.parent_id] if holds(one, day)]
            assert [path_of(each.unit_id, one.path) for one in over] == [each.path], (each, day)
    return True


def holds(place: Placement, day: date) -> bool:
    return place.valid_from <= day and (place.valid_to is None or place.valid_to > day)


@pytest.mark.parametrize("seed", range(6))
def test_whatever_is_reorganised_the_tree_stays_whole_and_every_task_has_one_unit(office: Database, seed: int) -> None:
    dice, day, done_so_far = random.Random(seed), DAY, 0
    for number in range(14):
        now = at(day.isoformat())
        with office.writing() as session:
            codes = [code for code, unit in there(session, day)]
            try:
                with session.begin_nested():
                    act(session, dice, codes, number, day, now)
                done_so_far += 1
            except RefusedError:
                pass
            day += timedelta(days=dice.choice((0, 1, 3)))
        with office.reading() as session:
            assert whole(session)
            for task in session.exec(select(Task).where(col(Task.state) == TaskState.OPEN.value)):
                assert placement_on(session, task.unit_id, max(day, DAY)) is not None
    assert done_so_far > 3


def act(session: Session, dice: random.Random, codes: Sequence[str], number: int, day: date, now: object) -> None:
    units = tuple(dice.sample(list(codes), 2))
    way = dice.choice(("move", "merge", "split", "close", "new"))
    if way == "move":
        relocate.apply(
            session,
            Move(units[0], day, units[1], follows=dice.random() < 0.5),
            reason="x",
            by="user:1",
            now=now,  # type: ignore[arg-type]
            zone=ZONE,
        )
        return
    fresh = (Fresh(f"moi-{number}", "Mới"), Fresh(f"moi-{number}-b", "Mới B"))
    order = {
        "merge": Order(Succession.MERGE, units, day, units[1]),
        "new": Order(Succession.MERGE, units, day, fresh[0].code, fresh[:1], with_contacts=True),
        "split": Order(Succession.SPLIT, units[:1], day, None, fresh, stays=dice.random() < 0.5),
        "close": Order(Succession.CLOSE, units[:1], day, units[1] if dice.random() < 0.5 else None),
    }[way]
    reorganise.apply(session, order, reason="x", by="user:1", now=now, zone=ZONE)  # type: ignore[arg-type]


def there(session: Session, on: date) -> Sequence[tuple[str, int]]:
    query = select(Unit.code, Unit.id).join(Placement, col(Placement.unit_id) == col(Unit.id))
    found = session.exec(query.where(col(Placement.valid_from) <= on).order_by(col(Unit.id)).distinct()).all()
    return [(code, id_) for code, id_ in found if placement_on(session, id_, on) is not None]

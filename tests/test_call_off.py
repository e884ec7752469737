"""Is an order for a coming day as if it had never been given once it is called off, and refused where it cannot be?"""

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import event
from sqlmodel import col, select

from dondoc.database import Database
from engine import call_off, coming, new_day, relocate
from engine.errors import RefusedError
from engine.relocate import Move
from engine.reorganise import Fresh, Order
from models.contact import Contact
from models.entry import Entry, breaks
from models.last_round import LastRound
from models.lineage import Lineage, Succession
from models.task import Task, TaskState
from models.unit import Placement, placement_on
from tests.builders import ZONE, at, province, step_round, task_of
from tests.test_reorganise import DAY, MERGED, NOW, act, done, refused, there, whole

AHEAD = date(2021, 12, 20)


@pytest.fixture
def office(database: Database) -> Database:
    """The province on 10 December 2021, the yearly report of its six bases open."""
    province(database)
    step_round(database, at("2021-12-01"))
    return database


def tree(database: Database) -> list[Any]:
    """Every place from day to day, and whose work goes on where."""
    with database.reading() as session:
        places = session.exec(select(Placement)).all()
        lines = session.exec(select(Lineage)).all()
        return sorted(
            [
                *(("place", p.unit_id, f"{p.valid_from}", f"{p.valid_to}", p.path, p.kind) for p in places),
                *(("line", line.from_unit_id, f"{line.on}", f"{line.to_unit_id}") for line in lines),
            ]
        )


def moves(database: Database, move: Move) -> None:
    with database.writing() as session:
        relocate.apply(session, move, reason="QĐ", by="user:1", now=NOW, zone=ZONE)


def last_order(database: Database) -> int:
    with database.reading() as session:
        return max(entry.id for entry in coming.orders(session, DAY))


def called_off(database: Database, number: int, day: str = "2021-12-10", reason: str = "Bỏ QĐ 12") -> None:
    with database.writing() as session:
        call_off.call_off(session, number, reason=reason, by="user:2", now=at(day), zone=ZONE)


def refusal(database: Database, number: int, day: str = "2021-12-10", reason: str = "x") -> str:
    before = tree(database)
    with pytest.raises(RefusedError) as caught:
        called_off(database, number, day, reason)
    assert tree(database) == before
    return caught.value.reason.code


PARTS = (Fresh("nv-a", "Đảng bộ A"), Fresh("nv-b", "Đảng bộ B"))
ORDERS: list[Order | Move] = [
    Order(Succession.MERGE, ("stc", "stt"), AHEAD, "tt-tc", (MERGED,), with_contacts=True),
    Order(Succession.MERGE, ("snv", "syt"), AHEAD, "syt", with_contacts=True),
    Order(Succession.MERGE, ("duk", "snv"), AHEAD, "snv-1"),
    Order(Succession.SPLIT, ("snv",), AHEAD, None, PARTS, below={"snv-2": "nv-b"}),
    Order(Succession.SPLIT, ("stc",), AHEAD, None, PARTS[:1], stays=True),
    Order(Succession.CLOSE, ("stc",), AHEAD, "stt"),
    Order(Succession.CLOSE, ("stc",), AHEAD),
    Move("snv", AHEAD, "syt", kind="chi-bo-co-so", follows=True),
    Move("snv", AHEAD, "duk", kind="chi-bo-co-so"),
]


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: f"{getattr(order, 'way', 'move')} {order.on}")
def test_what_is_called_off_was_never_ordered_and_can_be_ordered_again_for_an_earlier_day(
    office: Database, order: Order | Move
) -> None:
    before = tree(office)
    ordered(office, order)
    assert tree(office) != before
    number = last_order(office)
    called_off(office, number)
    assert tree(office) == before
    with office.reading() as session:
        assert coming.orders(session, DAY) == []
        assert list(breaks(session)) == []
        entry = session.exec(select(Entry).where(col(Entry.act) == "change_called_off")).one()
        assert (entry.by, entry.data["order"], entry.data["note"]) == ("user:2", number, "Bỏ QĐ 12")
    with office.writing() as session:
        session.add(LastRound(at=at("2021-12-19"), cycles=0, tasks=0, steps=0, notices=0, messages=0))
    with office.writing() as session:
        assert new_day.begin(session, at("2021-12-20"), ZONE) == 0
        assert task_of(session, "stc", "2021").state == TaskState.OPEN
    assert refusal(office, number) == "refused.called_off"
    ordered(office, replaced(order, AHEAD - timedelta(days=5)))
    with office.reading() as session:
        assert whole(session)


def ordered(database: Database, order: Order | Move) -> None:
    if isinstance(order, Move):
        moves(database, order)
    else:
        done(database, order)


def replaced(order: Order | Move, on: date) -> Order | Move:
    return replace(order, on=on)


def test_no_cut_is_left_of_what_would_have_happened_above_the_unit_later(office: Database) -> None:
    done(office, Order(Succession.CLOSE, ("snv",), date(2021, 12, 29), "syt"))
    before = tree(office)
    moves(office, Move("stt", AHEAD, "snv-1"))
    called_off(office, last_order(office))
    assert tree(office) == before


def test_a_unit_that_was_to_end_anyway_ends_on_its_old_day(office: Database) -> None:
    with office.writing() as session:
        place = session.exec(
            select(Placement).where(col(Placement.unit_id) == task_of(session, "stc", "2021").unit_id)
        ).one()
        place.valid_to = date(2022, 6, 1)
    before = tree(office)
    done(office, Order(Succession.CLOSE, ("stc",), AHEAD, "stt"))
    called_off(office, last_order(office))
    assert tree(office) == before


def test_a_unit_that_never_began_is_refused_wherever_it_is_named(office: Database) -> None:
    done(office, ORDERS[0])  # type: ignore[arg-type]
    called_off(office, last_order(office))
    for order in (
        Order(Succession.CLOSE, ("tt-tc",), AHEAD, "stt"),
        Order(Succession.CLOSE, ("stt",), AHEAD, "tt-tc"),
        Order(Succession.MERGE, ("stt", "tt-tc"), DAY, "stt"),
        Order(Succession.SPLIT, ("tt-tc",), DAY, None, PARTS),
        Move("tt-tc", AHEAD, "syt"),
    ):
        assert refused(office, order) == "refused.unit_not_there"
    assert refused(office, Move("stt", AHEAD, "tt-tc")) == "refused.tree-parent-gone"


def test_contacts_that_were_to_come_do_not_come(office: Database) -> None:
    done(office, Order(Succession.MERGE, ("snv", "syt"), AHEAD, "syt", with_contacts=True))
    called_off(office, last_order(office))
    with office.writing() as session:
        session.add(LastRound(at=at("2021-12-19"), cycles=0, tasks=0, steps=0, notices=0, messages=0))
        session.flush()
        before = session.exec(select(Contact.id).where(col(Contact.is_active))).all()
        new_day.begin(session, at("2021-12-20"), ZONE)
        assert session.exec(select(Contact.id).where(col(Contact.is_active))).all() == before


def test_once_its_day_has_come_an_order_stands(office: Database) -> None:
    done(office, Order(Succession.CLOSE, ("stc",), AHEAD, "stt"))
    number = last_order(office)
    assert refusal(office, number, "2021-12-20") == "refused.day_has_come"
    assert refusal(office, number, reason=" ") == "refused.no_reason"
    assert refusal(office, 1) == "refused.no_order"
    assert refusal(office, 99_999) == "refused.no_order"
    done(office, Order(Succession.CLOSE, ("cam",), DAY))
    with office.reading() as session:
        at_once = session.exec(select(Entry.id).order_by(col(Entry.id).desc())).first()
    assert refusal(office, at_once or 0) == "refused.day_has_come"


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [
        (ORDERS[0], Order(Succession.CLOSE, ("cam",), date(2021, 12, 25), "tt-tc"), "refused.built_upon"),
        (ORDERS[0], Order(Succession.CLOSE, ("tt-tc",), date(2021, 12, 25), "cam"), "refused.built_upon"),
        (ORDERS[0], Move("cam", date(2021, 12, 25), "tt-tc"), "refused.tree-parent-gone"),
        (ORDERS[1], Move("snv-1", date(2021, 12, 25), "duk"), "refused.built_upon"),
        (ORDERS[7], Move("snv", date(2021, 12, 25), "duk"), "refused.built_upon"),
    ],
)
def test_what_was_built_upon_it_is_called_off_first(
    office: Database, first: Order | Move, second: Order | Move, code: str
) -> None:
    before = tree(office)
    ordered(office, first)
    number = last_order(office)
    ordered(office, second)
    assert refusal(office, number) == code
    called_off(office, last_order(office))
    called_off(office, number)
    assert tree(office) == before


@pytest.mark.parametrize("seed", range(4))
def test_orders_called_off_the_last_first_leave_the_tree_as_it_was(office: Database, seed: int) -> None:
    dice, trees, numbers = random.Random(seed), [tree(office)], list[int]()
    for round_ in range(12):
        with office.reading() as session:
            codes = [code for code, _ in there(session, DAY)]
        units, on = tuple(dice.sample(codes, 2)), AHEAD + timedelta(days=dice.choice((0, 1, 5, 9)))
        fresh = (Fresh(f"moi-{round_}", "Mới"), Fresh(f"moi-{round_}-b", "Mới B"))
        orders: list[Order | Move] = [
            Move(units[0], on, units[1]),
            Order(Succession.MERGE, units, on, units[1], with_contacts=True),
            Order(Succession.MERGE, units, on, fresh[0].code, fresh[:1]),
            Order(Succession.SPLIT, units[:1], on, None, fresh, stays=dice.random() < 0.5),
            Order(Succession.CLOSE, units[:1], on, units[1]),
        ]
        try:
            ordered(office, dice.choice(orders))
        except RefusedError:
            continue
        numbers.append(last_order(office))
        trees.append(tree(office))
    assert len(numbers) > 2
    while numbers:
        assert tree(office) == trees.pop()
        called_off(office, numbers.pop())
        with office.reading() as session:
            assert whole(session)
    assert tree(office) == trees.pop()


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_ordered_ahead_or_called_off_open_work_has_a_unit_and_another_that_receives_it(
    office: Database, seed: int
) -> None:
    dice, day = random.Random(seed), DAY
    for number in range(10):
        with office.writing() as session:
            codes = [code for code, _ in there(session, day)]
            try:
                with session.begin_nested():
                    act(session, dice, codes, number, day + timedelta(days=dice.choice((-1, 0, 1, 2))), at(f"{day}"))
            except RefusedError:
                pass
            for order in coming.orders(session, day) if dice.random() < 0.3 else ():
                try:
                    with session.begin_nested():
                        call_off.call_off(session, order.id, reason="x", by="user:2", now=at(f"{day}"), zone=ZONE)
                except RefusedError:
                    pass
            session.merge(LastRound(id=1, at=at(f"{day}"), cycles=0, tasks=0, steps=0, notices=0, messages=0))
        day += timedelta(days=dice.choice((0, 1, 3)))
        with office.writing() as session:
            new_day.begin(session, at(f"{day}"), ZONE)
            assert new_day.begin(session, at(f"{day}"), ZONE) == 0
        with office.reading() as session:
            assert whole(session)
            assert list(breaks(session)) == []
            for task in session.exec(select(Task).where(col(Task.state) == TaskState.OPEN.value)):
                assert placement_on(session, task.unit_id, day) is not None
                assert task.receiver_id != task.unit_id
                assert task.receiver_id is None or placement_on(session, task.receiver_id, day) is not None


def test_two_admins_call_the_same_order_off_once(office: Database) -> None:
    done(office, Order(Succession.CLOSE, ("stc",), AHEAD, "stt"))
    number, start = last_order(office), Barrier(2)

    def press(_: int) -> bool:
        start.wait()
        try:
            called_off(office, number)
        except RefusedError:
            return False
        return True

    with ThreadPoolExecutor(2) as both:
        assert sorted(both.map(press, range(2))) == [False, True]
    with office.reading() as session:
        assert list(breaks(session)) == []


def test_a_long_journal_is_not_read_through_for_the_orders(database: Database) -> None:
    """PostgreSQL reads a journal as short as a test's in one go, whatever index there is."""
    asked: list[tuple[str, Any]] = []

    def keep(_connection: object, _cursor: object, statement: str, parameters: object, *_rest: object) -> None:
        asked.append((statement, parameters))

    with database.reading() as session:
        event.listen(database.engine, "before_cursor_execute", keep)
        coming.orders(session, date(2022, 1, 1))
        (statement, parameters), *_ = asked
        if database.engine.dialect.name == "sqlite":
            plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
            found = [row.detail for row in plan if " entry " in row.detail]
            assert found == ["SEARCH entry USING INDEX ix_entry_act (task_id=? AND act=?)"] * 2

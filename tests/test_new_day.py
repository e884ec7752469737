"""Does the first round of a day hand over the work of the units that end on it, and does the journal tell the truth?"""

from datetime import date

import pytest
from sqlmodel import col, select

from dondoc.database import Database
from engine import new_day, relocate, reorganise, review
from engine.contacts import Person, change_contact, retire_contact
from engine.relocate import Move
from engine.reorganise import Fresh, Order
from engine.sheets import rows_of
from engine.units import import_units
from models.contact import Contact
from models.entry import Entry, append, breaks
from models.last_round import LastRound
from models.lineage import Succession
from models.notice import Notice
from models.task import Task, TaskState
from models.unit import Placement
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
from tests.test_reorganise import DAY, MERGED, NOW, done, is_there, refused


@pytest.fixture
def office(database: Database) -> Database:
    """The province on 10 December 2021, the yearly report of its six bases open."""
    province(database)
    step_round(database, at("2021-12-01"))
    return database


def test_a_day_ahead_work_changes_hands_in_the_first_round_of_that_day(office: Database) -> None:
    done(office, Order(Succession.MERGE, ("stc", "stt"), date(2021, 12, 20), "tt-tc", (MERGED,), with_contacts=True))
    with office.writing() as session:
        session.add(LastRound(at=at("2021-12-19", "23:55"), cycles=0, tasks=0, steps=0, notices=0, messages=0))
        assert task_of(session, "stc", "2021").state == TaskState.OPEN
        assert new_day.begin(session, at("2021-12-19", "23:59"), ZONE) == 0
    assert is_there(office, "stc")
    with office.writing() as session:
        assert new_day.begin(session, at("2021-12-20", "00:05"), ZONE) > 0
        assert task_of(session, "tt-tc", "2021").state == TaskState.OPEN
        owed = session.exec(select(Task.state).where(col(Task.unit_id) == unit_id(session, "stt"))).all()
        assert owed == [TaskState.CANCELLED]
        told = select(Contact.unit_id).join(Notice, col(Notice.contact_id) == col(Contact.id))
        assert unit_id(session, "tt-tc") in session.exec(told).all()
    with office.writing() as session:
        assert new_day.begin(session, at("2021-12-20", "00:05"), ZONE) == 0
        assert list(breaks(session)) == []
        assert [entry.by for entry in session.exec(select(Entry).where(col(Entry.act) == "work_handed_over"))] == [
            "system",
            "system",
        ]
    assert_counts_add_up(office)


@pytest.mark.parametrize(
    ("second", "day"),
    [
        (Order(Succession.MERGE, ("snv-1",), date(2021, 12, 15), "snv-2"), "2021-12-15"),
        (Order(Succession.MERGE, ("snv-1",), date(2021, 12, 20), "snv-2"), "2021-12-20"),
        (Order(Succession.MERGE, ("snv-1",), date(2021, 12, 22), "snv-2"), "2021-12-22"),
        (Order(Succession.CLOSE, ("snv-1",), DAY, "snv-2"), "2021-12-20"),
    ],
)
def test_the_work_for_an_heir_that_ends_too_goes_to_the_heir_of_the_heir(
    office: Database, second: Order, day: str
) -> None:
    task = id_of(office, "stc")
    first = Order(Succession.MERGE, ("stc",), date(2021, 12, 20), "snv-1")
    done(office, first)
    with office.reading() as session:
        effect = reorganise.preview(session, second, now=NOW, zone=ZONE)
        assert [(unit.code, on) for unit, on in effect.awaited] == [("stc", first.on)]
    done(office, second)
    with office.writing() as session:
        session.add(LastRound(at=at("2021-12-10"), cycles=0, tasks=0, steps=0, notices=0, messages=0))
    for each in sorted({day, "2021-12-22"}):
        with office.writing() as session:
            new_day.begin(session, at(each), ZONE)
    with office.reading() as session:
        heir = session.get_one(Task, task)
        assert (heir.state, heir.unit_id) == (TaskState.OPEN, unit_id(session, "snv-2"))
        assert (
            heir.placement_id
            == session.exec(select(Placement.id).where(col(Placement.unit_id) == unit_id(session, "snv-2"))).one()
        )
        entry = session.exec(select(Entry).where(col(Entry.act) == "work_handed_over")).one()
        assert (entry.data["heir"], entry.data["inherited"], entry.data["cancelled"]) == ("snv-2", [task], [])


def test_who_is_to_go_on_with_the_work_of_others_does_not_close_without_an_heir(office: Database) -> None:
    done(office, Order(Succession.MERGE, ("stc",), date(2021, 12, 20), "snv-1"))
    for day in (DAY, date(2021, 12, 20), date(2021, 12, 25)):
        assert refused(office, Order(Succession.CLOSE, ("snv-1",), day)) == "refused.heir_awaited"


def test_the_journal_says_cancelled_where_no_heir_is_left(office: Database) -> None:
    task = id_of(office, "stc")
    done(office, Order(Succession.MERGE, ("stc",), date(2021, 12, 20), "snv-1"))
    rows = rows_of("units.csv", b"code,name,kind,parent,valid_to\nsnv-1,SNV1,chi-bo-truc-thuoc,snv,2021-12-15\n")
    with office.writing() as session:
        import_units(session, rows, by="user:1", now=NOW, zone=ZONE, reason="QĐ 12")
        session.add(LastRound(at=NOW, cycles=0, tasks=0, steps=0, notices=0, messages=0))
    with office.writing() as session:
        before = len(session.exec(select(Notice.id)).all())
        assert new_day.begin(session, at("2021-12-20"), ZONE) == 1
        assert session.get_one(Task, task).state == TaskState.CANCELLED
        entry = session.exec(select(Entry).where(col(Entry.act) == "work_handed_over")).one()
        assert (entry.data["heir"], entry.data["inherited"], entry.data["cancelled"]) == (None, [], [task])
        assert len(session.exec(select(Notice.id)).all()) == before


def test_what_a_unit_that_a_sheet_ends_still_owes_on_its_day_is_cancelled(office: Database) -> None:
    rows = rows_of("units.csv", b"code,name,kind,parent,valid_to\nstc,STC,chi-bo-co-so,duk,2021-12-20\n")
    with office.writing() as session:
        import_units(session, rows, by="user:1", now=NOW, zone=ZONE, reason="QĐ 12")
        session.add(LastRound(at=at("2021-12-19"), cycles=0, tasks=0, steps=0, notices=0, messages=0))
        assert task_of(session, "stc", "2021").state == TaskState.OPEN
    with office.writing() as session:
        assert new_day.begin(session, at("2021-12-20"), ZONE) == 1
        assert task_of(session, "stc", "2021").state == TaskState.CANCELLED
        entry = session.exec(select(Entry).where(col(Entry.act) == "work_handed_over")).one()
        assert (entry.data["unit"], entry.data["heir"]) == ("stc", None)


@pytest.mark.parametrize(
    ("order", "receiver"),
    [
        (Order(Succession.MERGE, ("syt",), date(2021, 12, 20), "stt"), "stt"),
        (Order(Succession.CLOSE, ("syt",), date(2021, 12, 20)), "duk"),
    ],
)
def test_who_owes_nothing_hands_over_what_it_would_have_received(office: Database, order: Order, receiver: str) -> None:
    hand_in(office, id_of(office, "syt"), "2021-12-05")
    act_of(office, review.accept, id_of(office, "syt"), "2021-12-06")
    with office.writing() as session:
        task_of(session, "stc", "2021").receiver_id = unit_id(session, "syt")
        session.add(LastRound(at=at("2021-12-19"), cycles=0, tasks=0, steps=0, notices=0, messages=0))
    done(office, order)
    with office.writing() as session:
        assert new_day.begin(session, at("2021-12-20"), ZONE) == 1
        assert task_of(session, "stc", "2021").receiver_id == unit_id(session, receiver)
        entry = session.exec(select(Entry).where(col(Entry.act) == "work_handed_over")).one()
        assert (entry.data["inherited"], entry.data["received"], entry.data["receiver"]) == ([], 1, receiver)


def test_a_move_ahead_is_no_end(office: Database) -> None:
    with office.writing() as session:
        move = Move("stc", date(2021, 12, 20), "syt")
        relocate.apply(session, move, reason="QĐ", by="user:1", now=NOW, zone=ZONE)
        session.add(LastRound(at=at("2021-12-19"), cycles=0, tasks=0, steps=0, notices=0, messages=0))
        session.flush()
        new_day.begin(session, at("2021-12-20"), ZONE)
        task = task_of(session, "stc", "2021")
        assert (task.state, task.receiver_id) == (TaskState.OPEN, unit_id(session, "duk"))


# What the order chose for the day


def day_comes(database: Database, day: str = "2021-12-20") -> Entry:
    """The first round of the day; the entry of what changed hands last."""
    with database.writing() as session:
        session.add(LastRound(at=at("2021-12-19"), cycles=0, tasks=0, steps=0, notices=0, messages=0))
    with database.writing() as session:
        assert new_day.begin(session, at(day), ZONE) > 0
        assert new_day.begin(session, at(day), ZONE) == 0
        acts = ("work_handed_over", "work_moved_along")
        query = select(Entry).where(col(Entry.act).in_(acts)).order_by(col(Entry.id).desc()).limit(1)
        return session.exec(query).one()


PARTS = (Fresh("tc-a", "Chi bộ A"), Fresh("tc-b", "Chi bộ B"))


@pytest.mark.parametrize("code", ["tc-b", ""])
def test_each_task_goes_where_the_order_for_the_day_gave_it(office: Database, code: str) -> None:
    task = id_of(office, "stc")
    done(office, Order(Succession.SPLIT, ("stc",), date(2021, 12, 20), None, PARTS, tasks={task: code}))
    entry = day_comes(office)
    assert entry.data["order"] < entry.id
    with office.reading() as session:
        found = session.get_one(Task, task)
        assert session.get_one(Entry, entry.data["order"]).data["tasks"] == {f"{task}": code}
        state, owes = (TaskState.OPEN, code) if code else (TaskState.CANCELLED, "stc")
        assert (found.state, found.unit_id) == (state, unit_id(session, owes))


def test_a_task_that_was_given_to_who_ends_too_goes_to_their_heir(office: Database) -> None:
    task = id_of(office, "stc")
    done(office, Order(Succession.SPLIT, ("stc",), date(2021, 12, 20), None, PARTS, tasks={task: "tc-b"}))
    done(office, Order(Succession.CLOSE, ("tc-b",), date(2021, 12, 21), "snv-1"))
    day_comes(office, "2021-12-22")
    with office.reading() as session:
        assert session.get_one(Task, task).unit_id == unit_id(session, "snv-1")


def test_who_closes_on_a_day_to_come_without_an_heir_has_what_it_owes_cancelled_then(office: Database) -> None:
    task = id_of(office, "stc")
    done(office, Order(Succession.CLOSE, ("stc",), date(2021, 12, 20)))
    with office.reading() as session:
        assert session.get_one(Task, task).state == TaskState.OPEN
    entry = day_comes(office)
    with office.reading() as session:
        assert session.get_one(Task, task).state == TaskState.CANCELLED
        assert session.get_one(Entry, entry.data["order"]).data["note"] == "QĐ 12"


def test_open_work_below_a_unit_that_neither_owes_nor_receives_stands_where_its_unit_goes(office: Database) -> None:
    with office.writing() as session:
        for task in session.exec(select(Task)):
            task.receiver_id = unit_id(session, "tinh-uy")
    done(office, Order(Succession.MERGE, ("duk",), date(2021, 12, 20), "tinh-uy"))
    day_comes(office)
    with office.reading() as session:
        place = session.get_one(Placement, task_of(session, "stc", "2021").placement_id)
        assert (place.valid_from, place.parent_id) == (date(2021, 12, 20), unit_id(session, "tinh-uy"))


def test_a_part_gets_the_task_that_the_order_for_the_day_gave_it_beside_the_unit_that_goes_on(office: Database) -> None:
    task = id_of(office, "stc")
    order = Order(Succession.SPLIT, ("stc",), date(2021, 12, 20), None, PARTS[:1], stays=True, tasks={task: "tc-a"})
    done(office, order)
    entry = day_comes(office)
    assert (entry.data["unit"], entry.data["inherited"]) == ("stc", [task])
    with office.reading() as session:
        assert session.get_one(Task, task).unit_id == unit_id(session, "tc-a")


def test_open_work_moves_along_on_the_day(office: Database) -> None:
    with office.writing() as session:
        move = Move("snv", date(2021, 12, 20), "syt", follows=True)
        relocate.apply(session, move, reason="QĐ", by="user:1", now=NOW, zone=ZONE)
        assert task_of(session, "snv", "2021").receiver_id == unit_id(session, "duk")
    entry = day_comes(office)
    assert (entry.act, entry.data["unit"], entry.data["tasks"]) == ("work_moved_along", "snv", 1)
    with office.reading() as session:
        task = task_of(session, "snv", "2021")
        assert task.receiver_id == unit_id(session, "syt")
        assert session.get_one(Placement, task.placement_id).valid_from == date(2021, 12, 20)


def test_an_older_order_to_move_that_says_nothing_of_open_work_leaves_it(office: Database) -> None:
    with office.writing() as session:
        move = Move("snv", date(2021, 12, 20), "syt")
        entry = relocate.apply(session, move, reason="QĐ", by="user:1", now=NOW, zone=ZONE)
        older = {name: value for name, value in entry.data.items() if name != "follows"}
        append(session, entry.act, by="user:1", at=NOW, **older)
        session.add(LastRound(at=at("2021-12-19"), cycles=0, tasks=0, steps=0, notices=0, messages=0))
    with office.writing() as session:
        assert new_day.begin(session, at("2021-12-20"), ZONE) == 0
        assert task_of(session, "snv", "2021").receiver_id == unit_id(session, "duk")


def test_what_a_unit_that_a_sheet_ends_today_received_is_passed_on_the_day_after(office: Database) -> None:
    hand_in(office, id_of(office, "syt"), "2021-12-05")
    act_of(office, review.accept, id_of(office, "syt"), "2021-12-06")
    rows = rows_of("units.csv", b"code,name,kind,parent,valid_to\nsyt,SYT,dang-bo-co-so,duk,2021-12-10\n")
    with office.writing() as session:
        task_of(session, "stc", "2021").receiver_id = unit_id(session, "syt")
        session.add(LastRound(at=at("2021-12-10", "00:05"), cycles=0, tasks=0, steps=0, notices=0, messages=0))
    with office.writing() as session:
        import_units(session, rows, by="user:1", now=NOW, zone=ZONE, reason="QĐ 12")
    for changed in (1, 0):
        with office.writing() as session:
            assert new_day.begin(session, at("2021-12-11"), ZONE) == changed
            assert task_of(session, "stc", "2021").receiver_id == unit_id(session, "duk")


def test_an_order_that_waited_for_its_turn_over_midnight_is_carried_out_a_day_later(office: Database) -> None:
    task = id_of(office, "stc")
    with office.writing() as session:
        session.add(LastRound(at=at("2021-12-20", "00:00"), cycles=0, tasks=0, steps=0, notices=0, messages=0))
    order = Order(Succession.SPLIT, ("stc",), date(2021, 12, 20), None, PARTS, tasks={task: "tc-b"})
    with office.writing() as session:
        reorganise.apply(session, order, reason="QĐ", by="user:1", now=at("2021-12-19", "23:59"), zone=ZONE)
    with office.writing() as session:
        assert new_day.begin(session, at("2021-12-21"), ZONE) == 1
        assert session.get_one(Task, task).unit_id == unit_id(session, "tc-b")


def contacts_of(database: Database, code: str) -> list[tuple[str, str | None]]:
    with database.reading() as session:
        here = (col(Contact.unit_id) == unit_id(session, code), col(Contact.is_active))
        return [
            (each.role, each.email) for each in session.exec(select(Contact).where(*here).order_by(col(Contact.id)))
        ]


def test_the_heir_gets_the_contacts_that_the_unit_has_on_the_day_and_not_those_of_the_order(office: Database) -> None:
    had = contacts_of(office, "stc")
    done(office, Order(Succession.MERGE, ("stc", "syt"), date(2021, 12, 20), "syt", with_contacts=True))
    own = contacts_of(office, "syt")
    with office.writing() as session:
        mine = select(Contact).where(col(Contact.unit_id) == unit_id(session, "stc")).order_by(col(Contact.id))
        leaves, stays = session.exec(mine).all()
        person = Person(stays.role, stays.name, "moi@example.org")
        retire_contact(session, leaves.id, reason="chuyển công tác", by="user:2", now=NOW)
        change_contact(session, stays.id, person, reason="đổi thư", by="user:2", now=NOW, zone=ZONE)
        role = stays.role
    assert len(had) == 2
    day_comes(office)
    assert contacts_of(office, "syt") == [*own, (role, "moi@example.org")]


def test_a_unit_that_another_order_ended_first_brings_the_heir_no_contacts(office: Database) -> None:
    done(office, Order(Succession.MERGE, ("stc", "syt"), date(2021, 12, 20), "syt", with_contacts=True))
    done(office, Order(Succession.CLOSE, ("stc",), DAY, "stt"))
    own = contacts_of(office, "syt")
    with office.writing() as session:
        session.add(LastRound(at=at("2021-12-19"), cycles=0, tasks=0, steps=0, notices=0, messages=0))
    with office.writing() as session:
        assert new_day.begin(session, at("2021-12-20"), ZONE) == 0
    assert contacts_of(office, "syt") == own


def test_a_report_that_is_sent_back_after_its_unit_ended_stays_to_be_mended(office: Database) -> None:
    hand_in(office, id_of(office, "syt"), "2021-12-05")
    with office.writing() as session:
        session.add(LastRound(at=at("2021-12-10", "00:05"), cycles=0, tasks=0, steps=0, notices=0, messages=0))
    done(office, Order(Succession.CLOSE, ("syt",), date(2021, 12, 10), None))
    with office.writing() as session:
        task_id = task_of(session, "syt", "2021").id
        session.exec(select(LastRound)).one().at = at("2021-12-20", "00:05")
    act_of(office, review.send_back, task_id, "2021-12-20", reason="sai", due_on=date(2022, 1, 10))
    with office.writing() as session:
        assert new_day.begin(session, at("2021-12-21"), ZONE) == 0
        assert session.get_one(Task, task_id).state == TaskState.RETURNED

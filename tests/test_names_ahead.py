"""Does a name that is ordered for a coming day hold from that day on, once, and not when it is called off?"""

from datetime import date
from typing import Any

import pytest
from sqlmodel import col, select

from dondoc.database import Database
from engine import call_off, coming, new_day, relocate
from engine.errors import RefusedError
from engine.names import former_names, name_on
from engine.relocate import Move
from engine.reorganise import Order
from models.entry import Entry, breaks
from models.last_round import LastRound
from models.lineage import Succession
from models.unit import Unit, unit_by_code
from tests.builders import ZONE, at, everything, province, unit_id
from tests.test_call_off import called_off, last_order, refusal, tree
from tests.test_reorganise import NOW, done

DAY, LATER = date(2021, 12, 20), date(2021, 12, 22)
OLD, NEW, NEWEST = "Chi bộ Sở Tài chính", "Chi bộ Tài chính", "Chi bộ Tài chính - Đầu tư"


@pytest.fixture
def office(database: Database) -> Database:
    """The province on 10 December 2021, when the engine last looked."""
    province(database)
    with database.writing() as session:
        session.add(LastRound(at=NOW, cycles=0, tasks=0, steps=0, notices=0, messages=0))
    return database


def renames(database: Database, name: str, on: date | None = DAY, now: str = "2021-12-10") -> Entry:
    with database.writing() as session:
        return relocate.rename(session, "stc", name, on=on, reason="QĐ 9", by="user:1", now=at(now), zone=ZONE)


def refused(database: Database, name: str, on: date) -> str:
    with pytest.raises(RefusedError) as caught:
        renames(database, name, on)
    return caught.value.reason.code


def day_comes(database: Database, day: str = "2021-12-20") -> int:
    with database.writing() as session:
        return new_day.begin(session, at(day, "00:05"), ZONE)


def name(database: Database) -> str:
    with database.reading() as session:
        return session.get_one(Unit, unit_id(session, "stc")).name


def acts(database: Database, act: str = "unit_renamed") -> list[dict[str, Any]]:
    with database.reading() as session:
        assert list(breaks(session)) == []
        return [
            entry.data for entry in session.exec(select(Entry).where(col(Entry.act) == act).order_by(col(Entry.id)))
        ]


def test_the_unit_takes_the_name_in_the_first_round_of_the_day_and_once(office: Database) -> None:
    order = renames(office, NEW)
    assert (name(office), day_comes(office, "2021-12-19")) == (OLD, 0)
    with office.reading() as session:
        assert [each.id for each in coming.orders(session, NOW.date())] == [order.id]
    assert (day_comes(office), name(office)) == (1, NEW)
    with office.writing() as session:  # the round was killed before it wrote down that it came to its end
        before = everything(session)
        assert new_day.begin(session, at("2021-12-20", "00:10"), ZONE) == 0
        assert everything(session) == before
    (entry,) = acts(office)
    assert (entry["order"], entry["before"], entry["after"], entry["note"]) == (order.id, OLD, NEW, "QĐ 9")
    with office.reading() as session:
        unit = unit_by_code(session, "stc")
        assert unit is not None
        assert [name_on(session, unit, date(2021, 12, day), ZONE) for day in (19, 20)] == [OLD, NEW]
        (former,) = former_names(session, unit, ZONE)
        assert (former.entry.by, former.entry.id, former.until) == ("user:1", order.id, DAY)


def test_what_is_called_off_does_not_come_and_what_has_come_stays(office: Database) -> None:
    before = tree(office)
    renames(office, NEW)
    number = last_order(office)
    called_off(office, number)
    assert tree(office) == before
    assert (day_comes(office), name(office)) == (0, OLD)
    assert refusal(office, number) == "refused.called_off"
    renames(office, NEW, LATER)
    number = last_order(office)
    day_comes(office, "2021-12-22")
    assert (name(office), refusal(office, number, "2021-12-22")) == (NEW, "refused.day_has_come")


@pytest.mark.parametrize("day", ["2021-12-20", "2021-12-25"])
def test_a_unit_that_moves_takes_its_name_on_the_same_day_and_neither_when_it_is_called_off(
    office: Database, day: str
) -> None:
    before, move = tree(office), Move("stc", DAY, "syt", follows=True, name=f" {NEW} ")
    for reason in ("QĐ 9", "QĐ 10"):
        with office.writing() as session:
            relocate.apply(session, move, reason=reason, by="user:1", now=NOW, zone=ZONE)
        if reason == "QĐ 9":
            called_off(office, last_order(office))
            assert tree(office) == before
    assert name(office) == OLD
    day_comes(office, day)
    assert [(each["after"], each["on"], each["note"]) for each in acts(office)] == [(NEW, "2021-12-20", "QĐ 10")]
    assert name(office) == NEW


def test_a_move_of_today_renames_at_once(office: Database) -> None:
    with office.writing() as session:
        move = Move("stc", NOW.date(), "syt", name=NEW)
        plain = relocate.preview(session, Move("stc", NOW.date(), "syt"), now=NOW, zone=ZONE)
        assert plain.hash != relocate.preview(session, move, now=NOW, zone=ZONE).hash
        relocate.apply(session, move, reason="QĐ 9", by="user:1", now=NOW, zone=ZONE)
    assert [each["before"] for each in acts(office)] == [OLD]
    assert day_comes(office, "2021-12-11") == 0
    assert (name(office), len(acts(office))) == (NEW, 1)


def test_a_name_given_meanwhile_holds_until_the_day_and_one_of_the_day_itself_holds_on(office: Database) -> None:
    renames(office, NEW)
    renames(office, NEWEST, None, "2021-12-12")
    assert name(office) == NEWEST
    day_comes(office)
    assert [each["before"] for each in acts(office)] == [OLD, NEWEST]
    renames(office, OLD, LATER, "2021-12-20")
    renames(office, NEWEST, None, "2021-12-22")  # before the first round of that day
    assert (day_comes(office, "2021-12-22"), name(office)) == (0, NEWEST)


def test_of_two_names_for_one_day_the_one_ordered_last_holds(office: Database) -> None:
    renames(office, NEW)
    assert refused(office, NEW, DAY) == "refused.same_name"
    assert refused(office, NEW, LATER) == "refused.same_name"
    renames(office, NEWEST)
    renames(office, NEW, LATER)
    assert (day_comes(office), name(office)) == (2, NEWEST)
    assert (day_comes(office, "2021-12-22"), name(office)) == (1, NEW)


def test_a_unit_that_is_no_more_on_the_day_keeps_the_name_that_it_had(office: Database) -> None:
    renames(office, NEW, LATER)
    done(office, Order(Succession.CLOSE, ("stc",), DAY, "stt"))
    assert refused(office, NEWEST, LATER) == "refused.unit_not_there"
    day_comes(office, "2021-12-22")
    assert (name(office), acts(office)) == (OLD, [])


def test_a_round_that_comes_late_gives_the_name_that_a_unit_had_before_it_ended(office: Database) -> None:
    renames(office, NEW, DAY)
    done(office, Order(Succession.CLOSE, ("stc",), LATER, "stt"))
    day_comes(office, "2021-12-23")
    assert name(office) == NEW


def test_calling_off_says_nothing_of_the_tree(office: Database) -> None:
    renames(office, NEW)
    with office.reading() as session:
        found = call_off.preview(session, last_order(office), now=NOW, zone=ZONE)
        assert (found.goes_on, found.never_begins, found.stays, found.along) == ((), (), (), 0)

"""Are the units named that nobody could tell, before a cycle opens that they owe?"""

from datetime import date

import pytest
from sqlalchemy import ColumnElement, event
from sqlmodel import col, select

from dondoc.database import Database
from engine.ahead import opening_soon
from models.address import Address
from models.contact import Contact
from models.unit import Placement
from tests.builders import ZONE, add_units, at, province, step_round, unit_id


@pytest.fixture
def office(database: Database) -> Database:
    """The yearly report of 2021 opens on 1 December; the port's cell has no contact."""
    province(database)
    return database


def told(database: Database, day: str, where: ColumnElement[bool] | None = None) -> list[tuple[str, str, date, str]]:
    """(obligation, period, day of opening, units each with what is missing)."""
    found = []
    with database.reading() as session:
        for each in opening_soon(session, at(day, "09:00"), ZONE, where):
            units = " ".join(f"{unit.code}:{unit.reach}" for unit in each.units)
            found.append((each.obligation.code, each.period, each.opens_on, units))
    return found


def test_two_weeks_before_it_opens_those_without_a_contact_are_named(office: Database) -> None:
    assert told(office, "2021-11-16") == []
    assert told(office, "2021-11-17") == [("annual-report", "2021", date(2021, 12, 1), "cam:no_contact")]
    assert told(office, "2021-11-30") == told(office, "2021-11-17")


def test_what_is_open_is_not_ahead(office: Database) -> None:
    step_round(office, at("2021-12-01"))
    assert told(office, "2021-12-01") == []


def test_an_address_that_is_missing_or_was_refused_is_as_bad_as_none(office: Database) -> None:
    with office.writing() as session:
        for code, change in (("stc", {"email": None}), ("snv", {"is_bouncing": True}), ("stt", {"is_active": False})):
            of_unit = select(Contact).where(
                col(Contact.unit_id) == unit_id(session, code), col(Contact.role) == "contact"
            )
            session.exec(of_unit).one().sqlmodel_update(change)
    ((_, _, _, units),) = told(office, "2021-11-20")
    assert units.split() == ["cam:no_contact", "stc:no_address", "stt:no_contact", "snv:bouncing"]


def test_who_has_another_way_that_works_can_be_told(office: Database) -> None:
    with office.writing() as session:
        contact = Contact(unit_id=unit_id(session, "cam"), role="contact", name="Văn thư Chi bộ Cảng vụ")
        session.add(contact)
        session.flush()
        given = {"channel": "zalobot", "address": "c1", "consent_at": at("2021-11-01"), "consent_source": "code"}
        session.add(Address.model_validate({"contact_id": contact.id, **given}))
    assert told(office, "2021-11-20") == []


def test_only_those_whom_the_obligation_means_are_named(office: Database) -> None:
    with office.writing() as session:
        add_units(session, {"xa": ("Chi bộ xã", "chi-bo-xa", "duk", "")})
    ((_, _, _, units),) = told(office, "2021-11-20")
    assert units == "cam:no_contact"


def test_everybody_is_told_of_their_own_part_of_the_tree(office: Database) -> None:
    with office.reading() as session:
        mine = col(Placement.unit_id) == unit_id(session, "cam")
    assert [each[3] for each in told(office, "2021-11-20", mine)] == ["cam:no_contact"]
    assert told(office, "2021-11-20", ~mine) == []


def test_where_nothing_opens_or_all_can_be_told_it_costs_next_to_nothing(office: Database) -> None:
    step_round(office, at("2021-10-01"))
    statements: list[str] = []
    event.listen(office.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))

    def selects(day: str) -> int:
        statements.clear()
        told(office, day)
        return sum(each.startswith("SELECT") for each in statements)

    assert selects("2021-10-02") == 1
    with office.writing() as session:
        for code in ("cam", "tinh-uy"):
            session.add(Contact(unit_id=unit_id(session, code), role="contact", name="Văn thư", email="vt@example.org"))
    assert selects("2021-11-20") == 2

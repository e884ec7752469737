"""Are a unit's contacts kept so that the journal knows no names and old letters open nothing?"""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, col, select

from dondoc.database import Database
from engine import new_day
from engine.contacts import Person, add_contact, change_contact, restore_contact, retire_contact
from engine.errors import RefusedError
from engine.round import run
from models.contact import Contact, Role, holding
from models.entry import Entry
from models.last_round import LastRound
from models.link import Link, find, token
from models.message import Message
from models.notice import Notice
from notifications.channels.eml import EmlCarrier
from tests.builders import ZONE, at, everything, province, step_round, task_of, unit_id

KEY = b"k" * 32
NOW = at("2021-12-20")
TODAY = NOW.date()


@pytest.fixture
def office(database: Database) -> Database:
    province(database)
    step_round(database, at("2021-12-01"))
    return database


def contact_of(session: Session, unit: str) -> Contact:
    query = select(Contact).where(col(Contact.unit_id) == unit_id(session, unit), col(Contact.role) == "contact")
    return session.exec(query).one()


def as_typed(contact: Contact, **changes: Any) -> Person:
    known = {"role": contact.role, "name": contact.name, "email": contact.email or "", "lang": contact.lang}
    return Person(**known | changes)


def test_a_contact_comes_and_the_journal_knows_the_number_alone(office: Database) -> None:
    with office.writing() as session:
        person = Person("contact", " Văn thư  Chi bộ Cảng vụ ", "van-thu.cam@example.org", "024 3825 1234")
        contact = add_contact(session, unit_id(session, "cam"), person, by="user:3", now=NOW, zone=ZONE)
        assert (contact.name, contact.has_mail) == ("Văn thư Chi bộ Cảng vụ", True)
        entry = session.exec(select(Entry).order_by(col(Entry.id).desc())).first()
        assert entry is not None
        assert (entry.act, entry.by) == ("contact_added", "user:3")
        assert entry.data == {"unit": "cam", "contact": contact.id, "role": "contact"}


def test_who_comes_in_the_place_of_somebody_is_told_what_is_owed(office: Database) -> None:
    with office.writing() as session:
        old, task = contact_of(session, "stc"), task_of(session, "stc", "2021")
        retire_contact(session, old.id, reason="QĐ 9", by="user:1", now=NOW)
        head = Person("head", "Chi bộ Sở Tài chính", "nguoi-dung-dau.stc@example.org")
        new, later = add(session), add(session, valid_from=date(2022, 1, 1))
        others = (later, add_contact(session, old.unit_id, head, by="user:1", now=NOW, zone=ZONE))
        fresh = select(Notice).where(col(Notice.contact_id).in_([each.id for each in (new, *others)]))
        told = [(each.contact_id, each.task_id, each.kind) for each in session.exec(fresh)]
        assert told == [(new.id, task.id, "opened")]


def test_whoever_begins_later_or_comes_back_is_told_what_is_owed_when_their_day_begins(office: Database) -> None:
    with office.writing() as session:
        mine, later = contact_of(session, "stc").id, add(session, valid_from=date(2021, 12, 24)).id
        restored, changed = add(session).id, add(session, valid_from=date(2022, 1, 1))
    assert day_begins(office, "2021-12-23") == 0
    with office.writing() as session:
        retire_contact(session, restored, reason="QĐ 9", by="user:1", now=NOW)
        restore_contact(session, restored, by="user:1", now=NOW)
        at_once = as_typed(changed, valid_from=TODAY)
        change_contact(session, changed.id, at_once, by="user:1", now=NOW, zone=ZONE)
        assert owed(session) == {mine: [], later: [], restored: ["contact_added", "contact_restored"]} | {
            changed.id: ["contact_changed"]
        }
    assert day_begins(office, "2021-12-24") == 1
    with office.reading() as session:
        assert owed(session)[later] == ["contact_restored"]


def test_who_comes_back_while_somebody_stands_in_for_them_is_not_told(office: Database) -> None:
    with office.writing() as session:
        mine = contact_of(session, "stc").id
        add(session, valid_to=date(2022, 1, 3), stands_for=mine)
        retire_contact(session, mine, reason="QĐ 9", by="user:1", now=NOW)
        restore_contact(session, mine, by="user:1", now=NOW)
        assert owed(session)[mine] == []


def owed(session: Session) -> dict[int, list[str]]:
    """By contact of stc: the acts for which they were told that its report is owed."""
    found: dict[int, list[str]] = {}
    acts = {f"entry:{entry.id}": entry.act for entry in session.exec(select(Entry))}
    for contact in session.exec(select(Contact).where(col(Contact.unit_id) == unit_id(session, "stc"))):
        if contact.role == Role.CONTACT:
            told = select(Notice).where(col(Notice.contact_id) == contact.id).order_by(col(Notice.id))
            found[contact.id] = [acts[each.cause] for each in session.exec(told) if each.cause in acts]
    return found


def test_another_address_is_tried_afresh_and_shuts_the_letters_that_went_to_the_old_one(office: Database) -> None:
    with office.writing() as session:
        contact = contact_of(session, "stc")
        contact.is_bouncing = True
        link = Link(task_id=task_of(session, "stc", "2021").id, contact_id=contact.id)
        session.add_all([contact, link])
        session.flush()
        old = token(KEY, link)
        assert find(session, KEY, old, TODAY) is not None
        change_contact(
            session,
            contact.id,
            as_typed(contact, email="moi.stc@example.org"),
            reason="Hộp thư cũ đã đóng",
            by="office",
            now=NOW,
            zone=ZONE,
        )
        session.expire_all()
        assert find(session, KEY, old, TODAY) is None
        assert find(session, KEY, token(KEY, link), TODAY) is not None
        assert not contact_of(session, "stc").is_bouncing


def test_another_name_leaves_the_links_alone(office: Database) -> None:
    with office.writing() as session:
        contact = contact_of(session, "stc")
        link = Link(task_id=task_of(session, "stc", "2021").id, contact_id=contact.id)
        session.add(link)
        session.flush()
        change_contact(
            session,
            contact.id,
            as_typed(contact, name="Văn thư", phone="0901 234 567"),
            by="office",
            now=NOW,
            zone=ZONE,
        )
        session.refresh(link)
        assert link.generation == 1
        last = session.exec(select(Entry).order_by(col(Entry.id).desc())).first()
        assert last is not None
        assert last.data["changed"] == ["name", "phone"]
        assert "Văn thư" not in json.dumps(last.data, ensure_ascii=False)


def test_a_reason_is_kept_and_needed_where_letters_go_elsewhere_or_end_sooner(office: Database) -> None:
    with office.writing() as session:
        contact = contact_of(session, "stc")
        given: dict[str, Any] = {"by": "office", "now": NOW, "zone": ZONE}
        asked = as_typed(contact, valid_to=date(2022, 3, 1))
        for person in (as_typed(contact, email="moi.stc@example.org"), as_typed(contact, email=""), asked):
            with pytest.raises(RefusedError) as refused:
                change_contact(session, contact.id, person, reason=" ", **given)
            assert refused.value.reason.code == "refused.no_reason"
        with pytest.raises(RefusedError) as refused:
            retire_contact(session, contact.id, reason=" ", by="office", now=NOW)
        assert refused.value.reason.code == "refused.no_reason"
        change_contact(session, contact.id, asked, reason=" QĐ 9 ", **given)
        change_contact(session, contact.id, as_typed(contact, valid_to=date(2022, 4, 1)), **given)
        retire_contact(session, contact.id, reason="QĐ 10", by="office", now=NOW)
        change_contact(session, contact.id, as_typed(contact, email="cu.stc@example.org"), **given)
        last = session.exec(select(Entry).order_by(col(Entry.id).desc()).limit(4)).all()
        assert [entry.data.get("note") for entry in last] == [None, "QĐ 10", None, "QĐ 9"]


def test_nothing_changed_is_no_act(office: Database) -> None:
    with office.writing() as session:
        contact = contact_of(session, "stc")
        before = everything(session)
        change_contact(session, contact.id, as_typed(contact), by="office", now=NOW, zone=ZONE)
        assert everything(session) == before


def test_who_leaves_gets_nothing_more_and_comes_back_under_a_new_link(office: Database) -> None:
    with office.writing() as session:
        contact = contact_of(session, "stc")
        link = Link(task_id=task_of(session, "stc", "2021").id, contact_id=contact.id)
        session.add(link)
        session.flush()
        old = token(KEY, link)
        retire_contact(session, contact.id, reason="QĐ 9", by="office", now=NOW)
        session.expire_all()
        assert (contact_of(session, "stc").has_mail, find(session, KEY, old, TODAY)) == (False, None)
        restore_contact(session, contact.id, by="office", now=NOW)
        session.expire_all()
        assert contact_of(session, "stc").has_mail
        assert find(session, KEY, old, TODAY) is None
        assert find(session, KEY, token(KEY, link), TODAY) is not None


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"role": "boss"}, "refused.no_role"),
        ({"name": "  "}, "refused.no_name"),
        ({"name": "x" * 201}, "refused.too_many_words"),
        ({"email": "văn thư@example.org"}, "refused.no_address"),
        ({"email": "a@b"}, "refused.no_address"),
        ({"email": "a@example.org\nBcc: b@example.org"}, "refused.no_address"),
        ({"phone": "gọi sau"}, "refused.no_phone"),
        ({"lang": "fr"}, "refused.no_language"),
    ],
)
def test_what_cannot_be_a_contact_is_refused(office: Database, changes: dict[str, str], code: str) -> None:
    with office.writing() as session:
        contact = contact_of(session, "stc")
        before = everything(session)
        with pytest.raises(RefusedError) as refused:
            change_contact(session, contact.id, as_typed(contact, **changes), by="office", now=NOW, zone=ZONE)
        assert refused.value.reason.code == code
        assert everything(session) == before


# By day


def add(session: Session, **given: Any) -> Contact:
    person = Person("contact", "Phó", "pho.stc@example.org", **given)
    return add_contact(session, unit_id(session, "stc"), person, by="user:1", now=NOW, zone=ZONE)


def told(session: Session) -> list[str]:
    """Who is told of the tasks of stc now."""
    query = holding(Role.CONTACT).where(col(Contact.unit_id) == unit_id(session, "stc")).order_by(col(Contact.id))
    return [contact.name for contact in session.scalars(query)]


def day_begins(database: Database, day: str) -> int:
    with database.writing() as session:
        return new_day.begin(session, at(day, "00:05"), ZONE)


def test_a_contact_begins_and_leaves_on_their_days(office: Database) -> None:
    with office.writing() as session:
        mine = contact_of(session, "stc").name
        contact = add(session, valid_from=date(2021, 12, 24), valid_to=date(2022, 1, 3))
        link = Link(task_id=task_of(session, "stc", "2021").id, contact_id=contact.id)
        session.add(link)
        assert told(session) == [mine]
    assert day_begins(office, "2021-12-23") == 0
    assert day_begins(office, "2021-12-24") == 1
    with office.reading() as session:
        assert told(session) == [mine, "Phó"]
        kept = session.exec(select(Link).where(col(Link.contact_id) == contact.id)).one()
        assert find(session, KEY, token(KEY, kept), date(2021, 12, 24)) is not None
    assert day_begins(office, "2022-01-03") == 1
    assert day_begins(office, "2022-01-03") == 0
    with office.reading() as session:
        assert told(session) == [mine]
        kept = session.exec(select(Link).where(col(Link.contact_id) == contact.id)).one()
        assert find(session, KEY, token(KEY, kept), date(2022, 1, 3)) is None
        acts = session.exec(select(Entry.act, Entry.by).order_by(col(Entry.id).desc()).limit(2)).all()
        assert acts == [("contact_retired", "system"), ("contact_restored", "system")]


def test_a_round_of_the_day_asks_no_second_time(office: Database) -> None:
    with office.writing() as session:
        add(session, valid_from=date(2021, 12, 24))
        session.add(LastRound(at=at("2021-12-24", "00:01"), cycles=0, tasks=0, steps=0, notices=0, messages=0))
    assert day_begins(office, "2021-12-24") == 0
    assert day_begins(office, "2021-12-25") == 1


def test_whoever_stands_in_is_told_instead_as_long_as_they_can_be(office: Database) -> None:
    with office.writing() as session:
        principal = contact_of(session, "stc")
        contact = add(session, valid_to=date(2022, 1, 3), stands_for=principal.id)
        assert told(session) == ["Phó"]
        contact.is_bouncing = True
        session.add(contact)
        session.flush()
        assert told(session) == [principal.name]
        contact.is_bouncing = False
        session.add(contact)
    assert day_begins(office, "2022-01-03") == 1
    with office.reading() as session:
        assert told(session) == [principal.name]


def test_the_letters_of_those_days_go_to_whoever_stands_in(office: Database, tmp_path: Path) -> None:
    """Real rounds: the reminders of 17, 24 and 28 December."""
    carrier = EmlCarrier(tmp_path, "dondoc@example.org", "dondoc")

    def told_on(day: str) -> str | None:
        run(office, carrier, at(day, "08:05"), zone=ZONE, url="https://dondoc.example.org", key=KEY)
        mine = select(Message.address).join(Contact, col(Contact.id) == col(Message.contact_id))
        with office.reading() as session:
            letters = mine.where(col(Contact.unit_id) == unit_id(session, "stc"), col(Contact.role) == "contact")
            return session.exec(letters.order_by(col(Message.id).desc())).first()

    assert told_on("2021-12-17") == "contact.stc@example.org"
    with office.writing() as session:
        principal = contact_of(session, "stc").id
        add(session, stands_for=principal, valid_from=date(2021, 12, 22), valid_to=date(2021, 12, 27))
    assert told_on("2021-12-24") == "pho.stc@example.org"
    assert told_on("2021-12-28") == "contact.stc@example.org"


def test_who_left_before_their_day_came_does_not_come_back(office: Database) -> None:
    with office.writing() as session:
        contact = add(session, valid_from=date(2021, 12, 24))
        retire_contact(session, contact.id, reason="QĐ 9", by="user:1", now=NOW)
    assert day_begins(office, "2021-12-24") == 0


def test_days_that_have_come_count_at_once(office: Database) -> None:
    with office.writing() as session:
        contact = contact_of(session, "stc")
        ended = as_typed(contact, valid_to=TODAY)
        change_contact(session, contact.id, ended, reason="QĐ 9", by="user:1", now=NOW, zone=ZONE)
        assert not contact.is_active
        change_contact(session, contact.id, as_typed(contact), by="user:1", now=NOW, zone=ZONE)
        assert contact.is_active


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"valid_from": date(2022, 1, 3), "valid_to": date(2022, 1, 3)}, "refused.ends_first"),
        ({"stands_for": 1, "valid_to": date(2022, 1, 3)}, "refused.no_such_principal"),
        ({"stands_for": 9999, "valid_to": date(2022, 1, 3)}, "refused.no_such_principal"),
        ({"stands_for": 0}, "refused.delegate_without_end"),
    ],
)
def test_days_and_delegates_that_cannot_be_are_refused(office: Database, given: dict[str, Any], code: str) -> None:
    with office.writing() as session:
        if given.get("stands_for") == 0:
            given = given | {"stands_for": contact_of(session, "stc").id}
        with pytest.raises(RefusedError) as caught:
            add(session, **given)
    assert caught.value.reason.code == code


def test_nobody_stands_in_for_a_delegate(office: Database) -> None:
    with office.writing() as session:
        first = add(session, valid_to=date(2022, 1, 3), stands_for=contact_of(session, "stc").id)
        with pytest.raises(RefusedError) as caught:
            add(session, valid_to=date(2022, 1, 3), stands_for=first.id)
    assert caught.value.reason.code == "refused.delegate_of_delegate"

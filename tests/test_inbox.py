"""Is what waits found, and for whom? The groups of the inbox, and the right as a condition beside the one decision."""

import shutil
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import col, select

from dondoc.database import Database
from engine import extend, review
from engine.access import Actor, Right, Scope, can, may_tasks, may_units, place_of_task, place_of_unit
from engine.ask import ask_extension, correct_contact
from engine.errors import RefusedError
from engine.retry import try_again
from models.contact import Contact
from models.entry import Entry
from models.inbox import Group, Narrowing, in_group
from models.link import Link
from models.message import Attempt, Message, MessageState, Outcome
from models.notice import Notice
from models.task import Task
from models.unit import Placement, Unit
from models.user import UserRole
from notifications.otherwise import Way, send_otherwise
from tests.builders import ZONE, act_of, at, everything, hand_in, id_of, province, step_round, task_of, unit_id
from web.waiting import waiting

DAY = "2022-01-06"
CLERK = Actor("office", "", (Scope(UserRole.ADMIN, ""),))


@pytest.fixture
def office(database: Database) -> Database:
    return in_january(database)


@pytest.fixture
def office_file(sqlite_template: Path, tmp_path: Path) -> Iterator[Database]:
    """The same on SQLite alone: many examples, and the condition is the same on both."""
    shutil.copyfile(sqlite_template, tmp_path / "office.sqlite")
    database = Database(f"sqlite:///{tmp_path / 'office.sqlite'}")
    yield in_january(database)
    database.close()


def in_january(database: Database) -> Database:
    """6 January: stc waits, snv came back, syt is returned with time, the others are overdue and have climbed."""
    province(database)
    step_round(database, at("2021-12-01"))
    hand_in(database, id_of(database, "stc"), "2021-12-20")
    hand_in(database, id_of(database, "snv"), "2021-12-20")
    act_of(database, review.send_back, id_of(database, "snv"), "2021-12-21", reason="Thiếu", due_on=None)
    hand_in(database, id_of(database, "snv"), "2021-12-22", key="again")
    hand_in(database, id_of(database, "syt"), "2021-12-22")
    act_of(database, review.send_back, id_of(database, "syt"), "2021-12-23", reason="Thiếu", due_on=date(2022, 1, 7))
    act_of(database, extend.exempt, id_of(database, "stt"), "2021-12-23", reason="Mới lập", document=None)
    for day in ("2022-01-04", "2022-01-06"):
        step_round(database, at(day))
    return database


def units_in(database: Database, group: Group, kept: Narrowing = Narrowing()) -> set[str]:  # noqa: B008
    with database.reading() as session:
        where = in_group(group, date.fromisoformat(DAY), at(DAY, "09:00"))
        query = select(Unit.code).join(Task, col(Task.unit_id) == col(Unit.id)).where(where, kept.tasks)
        return set(session.exec(query))


def totals(database: Database, actor: Actor = CLERK) -> dict[str, int]:
    with database.reading() as session:
        found = waiting(session, actor, date.fromisoformat(DAY), at(DAY, "09:00"))
        return {group.value: count for group, count in found.items() if count}


def fail(database: Database, state: MessageState, contact: str = "contact.doan-khoi@example.org") -> int:
    """A message to a contact that ended so, with the notices that wait for it."""
    with database.writing() as session:
        who = session.exec(select(Contact).where(col(Contact.email) == contact)).one()
        known = session.exec(select(Message.id).order_by(col(Message.id).desc())).first() or 0
        message = Message(
            contact_id=who.id,
            channel="email",
            address=contact,
            reference=f"reference-{known + 1}",
            state=state,
            subject="Nhắc nộp báo cáo",
            text="Mở http://office.example.org/s/[[link:6]] để nộp.",
            html="",
            created_at=at(DAY),
            try_after=at(DAY),
            tries=1,
        )
        session.add(message)
        session.flush()
        for notice in session.exec(select(Notice).where(col(Notice.contact_id) == who.id)):
            notice.message_id = message.id
            session.add(notice)
        return message.id


def test_each_group_has_those_whom_it_is_about(office: Database) -> None:
    assert units_in(office, Group.REVIEW) == {"stc"}
    assert units_in(office, Group.AGAIN) == {"snv"}
    assert units_in(office, Group.OVERDUE) == {"cam", "doan-khoi"}
    assert units_in(office, Group.ESCALATED) == {"cam", "doan-khoi"}
    assert units_in(office, Group.OWING) == {"cam", "doan-khoi", "syt"}


def test_an_escalation_to_the_head_of_the_unit_has_not_climbed_above_it(database: Database) -> None:
    province(database)
    for day in ("2021-12-01", "2022-01-04"):
        step_round(database, at(day))
    assert units_in(database, Group.OVERDUE) == {"stc", "snv", "syt", "stt", "cam", "doan-khoi"}
    assert units_in(database, Group.ESCALATED) == set()


def test_a_filter_keeps_the_plan_the_cycle_the_branch_and_the_units(office: Database) -> None:
    with office.reading() as session:
        task = task_of(session, "doan-khoi", "2021")
        path = session.get_one(Placement, task.placement_id).path
        unit, cycle = task.unit_id, task.cycle_id
    one, all_ = {"doan-khoi"}, {"cam", "doan-khoi"}
    assert units_in(office, Group.OVERDUE, Narrowing(path=path)) == one
    assert units_in(office, Group.OVERDUE, Narrowing(unit_ids=[unit])) == one
    assert units_in(office, Group.OVERDUE, Narrowing(unit_ids=[])) == set()
    assert units_in(office, Group.OVERDUE, Narrowing(plan="kl01", cycle_id=cycle)) == all_
    assert units_in(office, Group.OVERDUE, Narrowing(plan="other")) == set()
    assert units_in(office, Group.OVERDUE, Narrowing(cycle_id=cycle + 1)) == set()


def test_the_counts_are_those_of_the_lists(office: Database) -> None:
    assert totals(office) == {"review": 1, "again": 1, "overdue": 2, "escalated": 2, "unreachable": 1}


def test_a_reviewer_counts_reviews_alone_and_a_viewer_nothing(office: Database) -> None:
    assert totals(office, Actor("user:1", "", (Scope(UserRole.REVIEWER, ""),))) == {"review": 1, "again": 1}
    assert totals(office, Actor("user:2", "", (Scope(UserRole.VIEWER, ""),))) == {}


def test_what_a_unit_asks_for_waits_until_it_is_answered(office: Database) -> None:
    with office.writing() as session:
        task = task_of(session, "doan-khoi", "2021")
        contact = session.exec(select(Contact).where(col(Contact.email) == "contact.doan-khoi@example.org")).one()
        link = Link(task_id=task.id, contact_id=contact.id)
        session.add(link)
        session.flush()
        now = at(DAY, "08:30")
        ask_extension(session, link, until=date(2022, 1, 20), reason="Bão", now=now, zone=ZONE)
        correct_contact(session, link, name="Văn thư mới", email="", note="", now=now)
    assert totals(office)["asks"] == 2
    below = Actor("user:3", "", (Scope(UserRole.SECRETARIAT, path_of(office, "snv")),))
    assert "asks" not in totals(office, below)


@pytest.mark.parametrize("state", [MessageState.REFUSED, MessageState.BOUNCED, MessageState.UNKNOWN])
def test_a_message_that_failed_waits_while_its_task_is_owed_and_no_later_one_arrived(
    office: Database, state: MessageState
) -> None:
    fail(office, state)
    assert totals(office)["undelivered"] == 1
    fail(office, MessageState.SENT)
    assert "undelivered" not in totals(office)
    fail(office, state)
    assert totals(office)["undelivered"] == 1
    act_of(office, extend.exempt, id_of(office, "doan-khoi"), DAY, reason="Thôi", document=None)
    assert "undelivered" not in totals(office)


def test_a_refused_message_goes_out_again_to_the_address_of_today(office: Database) -> None:
    id_ = fail(office, MessageState.REFUSED)
    with office.writing() as session:
        contact = session.get_one(Contact, session.get_one(Message, id_).contact_id)
        contact.email, contact.is_bouncing = "moi@example.org", True
        session.add(contact)
    with office.writing() as session:
        again = try_again(session, id_, by="user:1", may_arrive_twice=False, now=at(DAY, "10:00"))
        assert (again.state, again.address, again.tries) == ("queued", "moi@example.org", 1)
    with office.reading() as session:
        entry = session.exec(select(Entry).order_by(col(Entry.id).desc())).first()
        assert entry is not None
        assert (entry.act, entry.by, entry.data["was"]) == ("retried", "user:1", "refused")
        assert "moi@example.org" not in str(entry.data)


@pytest.mark.parametrize(
    ("state", "twice", "code"),
    [
        (MessageState.UNKNOWN, False, "refused.may_arrive_twice"),
        (MessageState.SENT, True, "refused.message_not_failed"),
        (MessageState.QUEUED, True, "refused.message_not_failed"),
    ],
)
def test_what_may_have_arrived_is_not_sent_again_blindly(
    office: Database, state: MessageState, twice: bool, code: str
) -> None:
    id_ = fail(office, state)
    with office.reading() as session:
        rows = everything(session)
    with pytest.raises(RefusedError) as refused, office.writing() as session:
        try_again(session, id_, by="office", may_arrive_twice=twice, now=at(DAY, "10:00"))
    assert refused.value.reason.code == code
    with office.reading() as session:
        assert everything(session) == rows


def test_what_was_sent_otherwise_does_not_go_again(office: Database) -> None:
    id_ = fail(office, MessageState.REFUSED)
    with office.writing() as session:
        way = Way("email", "", "contact.stc@example.org")
        first = send_otherwise(session, id_, way, at(DAY))
        session.add(Attempt(message_id=id_, number=1, at=at(DAY), outcome=Outcome.RECIPIENT))
        session.flush()
        assert send_otherwise(session, id_, way, at(DAY)).reference != first.reference
    with pytest.raises(RefusedError) as refused, office.writing() as session:
        try_again(session, id_, by="office", may_arrive_twice=False, now=at(DAY, "10:00"))
    assert refused.value.reason.code == "refused.message_replaced"


def test_nothing_goes_again_to_somebody_who_left(office: Database) -> None:
    id_ = fail(office, MessageState.REFUSED)
    with office.writing() as session:
        contact = session.get_one(Contact, session.get_one(Message, id_).contact_id)
        contact.is_active = False
        session.add(contact)
    with pytest.raises(RefusedError, match="active"), office.writing() as session:
        try_again(session, id_, by="office", may_arrive_twice=False, now=at(DAY))


def path_of(database: Database, code: str) -> str:
    with database.reading() as session:
        query = select(Placement.path).where(col(Placement.unit_id) == unit_id(session, code))
        return session.exec(query.order_by(col(Placement.valid_from).desc())).first() or ""


CODES = ("tinh-uy", "duk", "stc", "snv", "syt", "snv-1", "snv-2")


@given(
    scopes=st.lists(st.tuples(st.sampled_from(list(UserRole)), st.sampled_from(["", *CODES])), max_size=3),
    receivers=st.lists(st.sampled_from([None, *CODES]), min_size=6, max_size=6),
    moved=st.sampled_from([None, "stc", "snv"]),
)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_condition_on_rows_says_what_the_one_decision_says(
    office_file: Database,
    scopes: Sequence[tuple[UserRole, str]],
    receivers: Sequence[str | None],
    moved: str | None,
) -> None:
    """For every task and unit, for every right; also where a receiver has moved elsewhere since."""
    with office_file.writing() as session:
        if moved:
            below = session.exec(select(Placement.path).where(col(Placement.unit_id) == unit_id(session, "syt"))).one()
            id_ = unit_id(session, moved)
            add: dict[str, Any] = {"kind": "chi-bo-co-so", "valid_from": date(2021, 12, 5)}
            session.add(Placement(unit_id=id_, parent_id=unit_id(session, "syt"), path=f"{below}{id_:08}.", **add))
        tasks = session.exec(select(Task).order_by(col(Task.id))).all()
        for task, receiver in zip(tasks, receivers, strict=True):
            task.receiver_id = unit_id(session, receiver) if receiver else None
            session.add(task)
        session.flush()
        places = {
            code: session.exec(
                select(Placement.path)
                .where(col(Placement.unit_id) == unit_id(session, code))
                .order_by(col(Placement.valid_from).desc())
            ).first()
            for code in CODES
        }
        actor = Actor("user:1", "", tuple(Scope(role, places.get(code) or "") for role, code in scopes))
        for right in Right:
            found = set(session.exec(select(Task.id).where(may_tasks(actor, right))))
            assert found == {task.id for task in tasks if can(actor, right, place_of_task(session, task, actor.on))}, (
                right
            )
            units = session.exec(select(Unit.id)).all()
            known = set(session.exec(select(Unit.id).where(may_units(actor, right, col(Unit.id)))))
            assert known == {unit for unit in units if can(actor, right, place_of_unit(session, unit, actor.on))}, right
        session.rollback()

"""Does a bulk act do exactly what was shown, and leave what single acts would have left?"""

from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest
from sqlmodel import Session, col, select

from dondoc.database import Database
from engine import extend, review
from engine.access import Actor, Scope, everything
from engine.acknowledge import acknowledge
from engine.bulk import Decision, EffectChangedError, apply
from engine.effect import BulkAct, Effect, Params, preview
from engine.errors import RefusedError
from engine.pause import pause
from models.ask import ExtensionAsk
from models.contact import Contact
from models.cycle import Cycle
from models.deadline import Deadline
from models.entry import Entry, breaks
from models.inbox import Group, in_group
from models.notice import Notice
from models.task import Task
from models.unit import Placement
from models.user import UserRole
from tests.builders import ZONE, act_of, at, hand_in, id_of, province, step_round, task_of
from tests.builders import everything as all_rows

CLERK = everything("office", "")
UNITS = ("stc", "snv", "syt", "stt", "cam", "doan-khoi")
LATER = date(2022, 2, 14)
WORDS = Decision("Bão số 9", "Công văn 12")
KNOWN = Decision("Đã thống nhất với các đơn vị.", until=date(2022, 1, 14))


@pytest.fixture
def office(database: Database) -> Database:
    """The yearly report of 2021 is open, and its opening was told on 1 December."""
    province(database)
    step_round(database, at("2021-12-01"))
    return database


def ids(database: Database, *units: str) -> list[int]:
    return [id_of(database, unit) for unit in units or UNITS]


def shown(
    database: Database,
    act: BulkAct,
    *units: str,
    day: str = "2021-12-20",
    hour: str = "09:00",
    actor: Actor = CLERK,
    **params: Any,
) -> Effect:
    with database.reading() as session:
        chosen = col(Task.id).in_(ids(database, *units))
        return preview(session, act, chosen, Params(**params), actor=actor, now=at(day, hour), zone=ZONE)


def done(
    database: Database,
    act: BulkAct,
    *units: str,
    day: str = "2021-12-20",
    hour: str = "09:00",
    key: str = "tap",
    actor: Actor = CLERK,
    expected: str | None = None,
    decision: Decision = WORDS,
    **params: Any,
) -> Entry:
    expected = expected or shown(database, act, *units, day=day, hour=hour, actor=actor, **params).hash
    with database.writing() as session:
        return apply(
            session,
            act,
            col(Task.id).in_(ids(database, *units)),
            Params(**params),
            decision,
            expected_hash=expected,
            key=key,
            actor=actor,
            now=at(day, hour),
            zone=ZONE,
        )


def skipped(effect: Effect) -> dict[str, str]:
    return {row.unit.code: row.why_not.code for row in effect.skipped if row.why_not}


def scoped(database: Database, unit: str, role: UserRole) -> Actor:
    with database.reading() as session:
        task = session.get_one(Task, id_of(database, unit))
        path = session.get_one(Placement, task.placement_id).path
    return Actor("user:7", "", (Scope(role, path),), 7)


def one(session: Session, act: BulkAct, task_id: int, now: datetime) -> None:
    words: dict[str, Any] = {"reason": WORDS.reason, "document": WORDS.document}
    match act:
        case BulkAct.ACKNOWLEDGE:
            assert KNOWN.until is not None
            acknowledge(session, task_id, until=KNOWN.until, note=KNOWN.reason, by="office", now=now, zone=ZONE)
        case BulkAct.ACCEPT:
            review.accept(session, task_id, by="office", now=now)
        case BulkAct.EXTEND:
            extend.extend(session, task_id, by="office", due_on=LATER, now=now, zone=ZONE, **words)
        case _:
            extend.exempt(session, task_id, by="office", now=now, **words)


def told(session: Session) -> dict[str, Any]:
    """All rows but the chain, the entries of whole sets, and what numbers the rows got, in entries too."""
    rows = all_rows(session)
    acts = {entry.id: f"{entry.act} {entry.task_id}" for entry in session.exec(select(Entry))}
    days = {each.id: f"{each.origin} {each.due_on}" for each in session.exec(select(Deadline))}
    found: dict[str, Any] = {}
    for table, lines in rows.items():
        if table == "journal_head":
            continue
        kept = []
        for line in lines:
            values = {name: value for name, value in line._mapping.items() if name not in ("id", "hash", "previous")}
            if table == "entry" and values["act"].endswith("_many"):
                continue
            if table == "entry":
                values["data"] = {name: value for name, value in values["data"].items() if name != "acknowledgement"}
            if values.get("kind") == "resume":
                del values["ordinal"]
            if "cause" in values and values["cause"].startswith("entry:"):
                values["cause"] = acts[int(values["cause"].removeprefix("entry:"))]
            values |= {name: days[value] for name, value in values.items() if name.endswith("deadline_id")}
            kept.append(repr(values))
        found[table] = sorted(kept)
    return found


@pytest.mark.parametrize("act", [BulkAct.ACCEPT, BulkAct.EXTEND, BulkAct.EXEMPT, BulkAct.ACKNOWLEDGE])
def test_a_set_leaves_what_single_acts_would_have_left(office: Database, act: BulkAct) -> None:
    """Twice from the same rows: the first time by hand, then rolled back to and done at once."""
    day = (
        "2022-02-03" if act is BulkAct.EXTEND else "2021-12-20"
    )  # after the end: it unlocks, and the cycle opens again
    units = UNITS if act is not BulkAct.ACCEPT else ("stc", "snv", "stt")
    for unit in ("stc", "snv", "stt"):
        if act is BulkAct.ACCEPT:
            hand_in(office, id_of(office, unit), "2021-12-05")
    if act is BulkAct.EXTEND:
        step_round(office, at("2022-02-02"))  # missed, all of them
    if act is BulkAct.ACKNOWLEDGE:  # a rung is held already, which goes on later
        day = "2022-01-05"
        for unit in ("stc", "syt"):
            given = {"until": date(2022, 1, 7), "note": "Đã biết"}
            act_of(office, acknowledge, id_of(office, unit), "2022-01-03", "09:00", **given)
        step_round(office, at("2022-01-04"))
    due_on: dict[str, Any] = {"due_on": LATER} if act is BulkAct.EXTEND else {}
    by_hand: dict[str, Any] = {}
    with suppress(ZeroDivisionError), office.writing() as session:
        for unit in units:
            one(session, act, task_of(session, unit, "2021").id, at(day, "09:00"))
        session.flush()
        by_hand = told(session)
        raise ZeroDivisionError  # nothing of it stays
    decision = KNOWN if act is BulkAct.ACKNOWLEDGE else WORDS
    done(office, act, *units, day=day, decision=decision, **due_on)
    with office.reading() as session:
        at_once = told(session)
        assert list(breaks(session)) == []
    assert at_once == by_hand


def test_a_reminder_says_who_gets_it_where_and_who_is_left_out(office: Database) -> None:
    act_of(office, extend.exempt, id_of(office, "stt"), "2021-12-05", reason="Mới lập", document=None)
    hand_in(office, id_of(office, "snv"), "2021-12-19")
    effect = shown(office, BulkAct.REMIND)
    assert {row.unit.code for row in effect.done} == {"stc", "syt", "doan-khoi"}
    assert {contact.email for contact in effect.contacts.values()} == {
        "contact.stc@example.org",
        "contact.syt@example.org",
        "contact.doan-khoi@example.org",
    }
    assert skipped(effect) == {"snv": "bulk.state", "stt": "bulk.state", "cam": "bulk.unreachable"}


def test_a_reminder_is_one_entry_and_a_notice_for_each_contact(office: Database) -> None:
    entry = done(office, BulkAct.REMIND)
    assert (entry.act, entry.data["tasks"], entry.data["skipped"], entry.data["notices"]) == ("reminded", 5, 1, 5)
    with office.reading() as session:
        notices = session.exec(select(Notice).where(col(Notice.kind) == "reminder")).all()
        assert {notice.cause for notice in notices} == {f"entry:{entry.id}"}
        assert len(notices) == 5
        assert list(breaks(session)) == []


def test_nobody_is_reminded_twice_on_a_day_unless_that_is_wished(office: Database) -> None:
    done(office, BulkAct.REMIND, "stc", hour="08:00")
    again = shown(office, BulkAct.REMIND, "stc", "snv", hour="16:00")
    assert skipped(again) == {"stc": "bulk.told_today"}
    assert again.skipped[0].why_not is not None
    assert dict(again.skipped[0].why_not.params) == {"at": "08:00 (GMT+7)"}
    assert again.has_told_today
    assert skipped(shown(office, BulkAct.REMIND, "stc", hour="16:00", is_again=True)) == {}
    assert skipped(shown(office, BulkAct.REMIND, "stc", day="2021-12-21", hour="00:30")) == {}
    # 23:30 of the day before in UTC is the same day in Vietnam
    assert skipped(shown(office, BulkAct.REMIND, "stc", hour="23:30")) == {"stc": "bulk.told_today"}


def test_a_step_of_this_morning_counts_as_told(office: Database) -> None:
    step_round(office, at("2021-12-17"))
    assert set(skipped(shown(office, BulkAct.REMIND, day="2021-12-17")).values()) == {
        "bulk.told_today",
        "bulk.unreachable",
    }


def test_a_paused_cycle_reminds_nobody(office: Database) -> None:
    with office.writing() as session:
        pause(session, session.exec(select(Cycle.id)).one(), by="office", note="Chờ ý kiến", now=at("2021-12-18"))
    assert set(skipped(shown(office, BulkAct.REMIND)).values()) == {"bulk.paused"}


def test_an_extension_shows_which_day_becomes_which_and_that_it_is_a_day_off(office: Database) -> None:
    effect = shown(office, BulkAct.EXTEND, due_on=date(2022, 1, 8))
    assert {row.deadline.due_on for row in effect.done} == {date(2021, 12, 31)}
    assert effect.is_day_off
    assert not shown(office, BulkAct.EXTEND, due_on=date(2022, 1, 7)).is_day_off
    assert set(skipped(shown(office, BulkAct.EXTEND, due_on=date(2021, 12, 31))).values()) == {"refused.not_later"}
    assert set(skipped(shown(office, BulkAct.EXTEND, due_on=date(2121, 12, 31))).values()) == {"refused.too_far"}


@pytest.mark.parametrize(
    "change",
    ["a unit hands in", "an address changes", "another unit is chosen", "another day", "it becomes late to ask"],
)
def test_nothing_is_done_when_anything_has_changed_since_it_was_shown(office: Database, change: str) -> None:
    before = shown(office, BulkAct.EXTEND, "stc", "snv", due_on=LATER)
    given: dict[str, Any] = {"due_on": LATER}
    units = ["stc", "snv"]
    match change:
        case "a unit hands in":
            hand_in(office, id_of(office, "stc"), "2021-12-20")
        case "an address changes":
            with office.writing() as session:
                contact = session.exec(select(Contact).where(col(Contact.email) == "contact.stc@example.org")).one()
                contact.email = "other.stc@example.org"
                session.add(contact)
        case "another unit is chosen":
            units.append("syt")
        case "another day":
            given = {"due_on": date(2022, 2, 15)}
        case _:
            step_round(office, at("2022-02-02"))
    with office.reading() as session:
        rows = all_rows(session)
    with pytest.raises(EffectChangedError) as refused:
        done(office, BulkAct.EXTEND, *units, expected=before.hash, **given)
    assert refused.value.effect.hash != before.hash
    with office.reading() as session:
        assert all_rows(session) == rows


def test_the_second_of_two_taps_is_the_first_one(office: Database) -> None:
    before = shown(office, BulkAct.REMIND)
    first = done(office, BulkAct.REMIND, expected=before.hash)
    second = done(office, BulkAct.REMIND, expected=before.hash)
    assert second.id == first.id
    with office.reading() as session:
        assert len(session.exec(select(Notice).where(col(Notice.kind) == "reminder")).all()) == 5


@pytest.mark.parametrize(
    ("act", "decision", "given", "code"),
    [
        (BulkAct.EXTEND, Decision(" "), {"due_on": LATER}, "refused.no_reason"),
        (BulkAct.EXEMPT, Decision(""), {}, "refused.no_reason"),
        (BulkAct.ACKNOWLEDGE, replace(KNOWN, reason=" "), {}, "refused.no_words"),
        (BulkAct.ACKNOWLEDGE, replace(KNOWN, until=None), {}, "form.day_missing"),
        (BulkAct.ACKNOWLEDGE, replace(KNOWN, until=date(2021, 12, 19)), {}, "refused.acknowledged_until"),
        (BulkAct.EXEMPT, Decision("x" * 2001), {}, "refused.too_many_words"),
        (BulkAct.EXTEND, Decision("Bão"), {}, "form.day_missing"),
        (BulkAct.ACCEPT, Decision(), {}, "refused.nothing_to_do"),
    ],
)
def test_what_cannot_be_done_is_refused_and_nothing_is_written(
    office: Database, act: BulkAct, decision: Decision, given: dict[str, Any], code: str
) -> None:
    with office.reading() as session:
        rows = all_rows(session)
    with pytest.raises(RefusedError) as refused:
        done(office, act, decision=decision, **given)
    assert refused.value.reason.code == code
    with office.reading() as session:
        assert all_rows(session) == rows


def test_nobody_decides_on_their_own_report_nor_sees_what_lies_elsewhere(office: Database) -> None:
    own = scoped(office, "snv", UserRole.SECRETARIAT)
    effect = shown(office, BulkAct.EXTEND, actor=own, due_on=LATER)
    assert skipped(effect) == {"snv": "bulk.no_right"}  # the other five are not there at all
    viewer = Actor("user:8", "", (Scope(UserRole.VIEWER, ""),), 8)
    assert set(skipped(shown(office, BulkAct.REMIND, actor=viewer)).values()) == {"bulk.no_right"}


def test_a_reviewer_accepts_and_does_not_chase(office: Database) -> None:
    hand_in(office, id_of(office, "stc"), "2021-12-19")
    reviewer = Actor("user:8", "", (Scope(UserRole.REVIEWER, ""),), 8)
    assert len(shown(office, BulkAct.ACCEPT, "stc", actor=reviewer).done) == 1
    assert skipped(shown(office, BulkAct.REMIND, "snv", actor=reviewer)) == {"snv": "bulk.no_right"}
    assert done(office, BulkAct.ACCEPT, "stc", actor=reviewer).by == "user:8"


def test_a_filter_is_a_set_too(office: Database) -> None:
    step_round(office, at("2022-01-06"))
    with office.reading() as session:
        chosen = in_group(Group.OVERDUE, date(2022, 1, 6), at("2022-01-06", "09:00"))
        params, moment = Params(due_on=LATER), at("2022-01-06", "09:00")
        effect = preview(session, BulkAct.EXTEND, chosen, params, actor=CLERK, now=moment, zone=ZONE)
    assert len(effect.done) == 6


def test_acts_without_a_key_are_never_taken_for_the_second_tap(office: Database) -> None:
    done(office, BulkAct.EXEMPT, "stt", key="")
    done(office, BulkAct.EXEMPT, "cam", key="")
    assert skipped(shown(office, BulkAct.EXEMPT, "stt", "cam")) == {"stt": "bulk.state", "cam": "bulk.state"}


def test_an_extension_of_many_answers_the_wishes_that_wait(office: Database) -> None:
    with office.writing() as session:
        contact = session.exec(select(Contact)).first()
        assert contact is not None
        wish: dict[str, Any] = {"contact_id": contact.id, "until": LATER, "reason": "Bão", "at": at("2021-12-19")}
        session.add_all(ExtensionAsk(task_id=task_of(session, unit, "2021").id, **wish) for unit in ("stc", "snv"))
    done(office, BulkAct.EXTEND, "stc", "syt", due_on=LATER)
    with office.reading() as session:
        wishes = session.exec(select(ExtensionAsk).order_by(col(ExtensionAsk.id))).all()
        assert [(each.state, each.decided_by) for each in wishes] == [("granted", "office"), ("waiting", None)]

"""Does a unit get its answer: one wish at a time, nothing moved until it is decided, everybody concerned told?"""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlmodel import Session, col, select

from dondoc.database import Database
from engine import ask, draft, link, submit
from engine.errors import RefusedError
from engine.extend import extend
from models.ask import AskState, ContactCorrection, ExtensionAsk, waiting_corrections, waiting_extensions
from models.contact import Contact
from models.deadline import Deadline
from models.draft import Draft
from models.entry import Entry, breaks
from models.files import StoredFile
from models.link import Link, UnitLink, find, find_unit, opens, token, unit_token
from models.notice import Notice, NoticeKind
from models.task import IllegalActError, Task
from models.visit import Visit
from notifications.item import Office
from notifications.render import ALL_DUTIES, fill_links, render_bundle
from notifications.waiting import read_waiting
from tests.builders import ANSWERS, ZONE, act_of, at, everything, hand_in, id_of, province, step_round, task_of

KEY = b"k" * 32
TODAY = date(2021, 12, 20)
FILE = StoredFile("bao-cao.pdf", "ab" * 32, 12, "application/pdf")


@pytest.fixture
def office(database: Database) -> Database:
    """The yearly report of 2021 is open; the finance cell and the interior committee have their links."""
    province(database)
    step_round(database, at("2021-12-01"))
    with database.writing() as session:
        for unit in ("stc", "snv"):
            task = task_of(session, unit, "2021")
            person = session.exec(
                select(Contact).where(col(Contact.unit_id) == task.unit_id, col(Contact.role) == "contact")
            ).one()
            session.add(Link(task_id=task.id, contact_id=person.id))
            session.add(UnitLink(contact_id=person.id))
    return database


def link_of(session: Session, unit: str = "stc") -> Link:
    return session.exec(select(Link).where(col(Link.task_id) == task_of(session, unit, "2021").id)).one()


def asked(database: Database, until: str = "2022-01-07", reason: str = "Bão", unit: str = "stc") -> ExtensionAsk:
    with database.writing() as session:
        return ask.ask_extension(
            session, link_of(session, unit), until=date.fromisoformat(until), reason=reason, now=at("2021-12-20"),
            zone=ZONE,
        )  # fmt: skip


def corrected(database: Database, **given: str) -> ContactCorrection:
    words = {"name": "Văn thư mới", "email": "moi@example.org", "note": ""} | given
    with database.writing() as session:
        return ask.correct_contact(session, link_of(session), **words, now=at("2021-12-20"))


def refusal(database: Database, act: Callable[[Session], Any]) -> str:
    """The code; nothing was written."""
    with database.reading() as session:
        before = everything(session)
    with pytest.raises(RefusedError) as found, database.writing() as session:
        act(session)
    with database.reading() as session:
        assert everything(session) == before
    return found.value.reason.code


def kinds_told(session: Session, task_id: int) -> list[str]:
    return list(session.exec(select(Notice.kind).where(col(Notice.task_id) == task_id).order_by(col(Notice.id))))


def test_a_wish_waits_and_moves_nothing(office: Database) -> None:
    made = asked(office)
    with office.reading() as session:
        task = task_of(session, "stc", "2021")
        assert session.get_one(Deadline, task.deadline_id).due_on == date(2021, 12, 31)
        assert [each.id for each in session.scalars(waiting_extensions())] == [made.id]
        entry = session.exec(select(Entry).where(col(Entry.act) == "extension_asked")).one()
        assert (entry.task_id, entry.data["due_on"]) == (task.id, "2022-01-07")
        assert entry.by.startswith("contact:")
        assert "Bão" not in str(entry.data)
        assert list(breaks(session)) == []


def test_one_wish_waits_at_a_time_for_each_task(office: Database) -> None:
    asked(office)
    with pytest.raises(RefusedError) as found:
        asked(office, "2022-01-10")
    assert found.value.reason.code == "refused.ask_waits"
    asked(office, unit="snv")


@pytest.mark.parametrize(
    ("until", "reason", "code"),
    [
        ("2021-12-31", "Bão", "refused.not_later"),
        ("2021-12-19", "Bão", "refused.not_later"),
        ("9999-12-31", "Bão", "refused.too_far"),
        ("2022-01-07", "  ", "refused.no_reason"),
        ("2022-01-07", "x" * 2001, "refused.too_many_words"),
    ],
)
def test_a_wish_without_a_later_day_or_a_reason_is_refused(
    office: Database, until: str, reason: str, code: str
) -> None:
    with office.reading() as session:
        way = link_of(session)
    given: dict[str, Any] = {
        "until": date.fromisoformat(until),
        "reason": reason,
        "now": at("2021-12-20"),
        "zone": ZONE,
    }
    assert refusal(office, lambda session: ask.ask_extension(session, way, **given)) == code


@pytest.mark.parametrize("until", [date(2022, 1, 6), date(2022, 2, 14)])
def test_any_extension_answers_the_wish_that_waits(office: Database, until: date) -> None:
    """Else the office would have to refuse what it gave, and the unit could not ask again."""
    asked(office)
    act_of(office, extend, id_of(office, "stc"), "2021-12-21", due_on=until, reason="Bão", document=None)
    with office.reading() as session:
        wish = session.exec(select(ExtensionAsk)).one()
        assert (wish.state, wish.decided_by, wish.decided_at) == (AskState.GRANTED, "office", at("2021-12-21", "09:00"))
        assert not session.scalars(waiting_extensions()).all()
    asked(office, "2022-02-20")


def test_who_has_handed_in_cannot_ask_for_time(office: Database) -> None:
    hand_in(office, id_of(office, "stc"), "2021-12-20")
    with pytest.raises(IllegalActError):
        asked(office)


def test_a_granted_wish_extends_to_the_day_that_was_decided_and_tells_the_unit(office: Database) -> None:
    made = asked(office)
    act_of(office, ask.grant, made.id, "2021-12-21", by="user:1", due_on=date(2022, 1, 5))
    with office.reading() as session:
        task = task_of(session, "stc", "2021")
        assert session.get_one(Deadline, task.deadline_id).due_on == date(2022, 1, 5)
        found = session.get_one(ExtensionAsk, made.id)
        assert (found.state, found.decided_by, found.decided_at) == (
            AskState.GRANTED,
            "user:1",
            at("2021-12-21", "09:00"),
        )
        assert kinds_told(session, task.id)[-1] == NoticeKind.EXTENSION_DECIDED
        assert session.exec(select(Entry).where(col(Entry.act) == "extended")).one().data["reason"] == ask.WISHED
    with pytest.raises(RefusedError, match="expected a request that still waits"):
        act_of(office, ask.grant, made.id, "2021-12-21", due_on=date(2022, 1, 10))
    asked(office, "2022-01-14")


def test_a_refused_wish_leaves_the_day_and_tells_the_unit_why(office: Database) -> None:
    made = asked(office)
    assert refusal(office, lambda s: ask.refuse(s, made.id, by="user:1", answer=" ", now=at("2021-12-21"))) == (
        "refused.no_reason"
    )
    act_of(office, ask.refuse, made.id, "2021-12-21", by="user:1", answer="Đã gia hạn hai lần.")
    with office.reading() as session:
        task = task_of(session, "stc", "2021")
        assert session.get_one(Deadline, task.deadline_id).due_on == date(2021, 12, 31)
        found = session.get_one(ExtensionAsk, made.id)
        assert (found.state, found.answer) == (AskState.REFUSED, "Đã gia hạn hai lần.")
        assert kinds_told(session, task.id)[-1] == NoticeKind.EXTENSION_DECIDED
        assert list(session.scalars(waiting_extensions())) == []


def test_the_letter_about_a_refused_wish_says_why_and_leads_to_all_duties(office: Database) -> None:
    made = asked(office)
    act_of(office, ask.grant, made.id, "2021-12-20", "10:00", due_on=date(2022, 1, 5))
    again = asked(office, "2022-01-20")
    act_of(office, ask.refuse, again.id, "2021-12-21", answer="Đã gia hạn một lần.")
    with office.reading() as session:
        waiting = read_waiting(session, 0, 500, at("2021-12-21", "09:01"))
    told = [each for each in waiting if each.notice.kind == NoticeKind.EXTENSION_DECIDED]
    frame = Office("email", "vp@example.org", "https://example.org", ZONE, at("2021-12-21", "09:01"))
    given, refused = (render_bundle(each.contact, [each], frame, "x") for each in told)
    assert given.subject.startswith("Gia hạn đến 05/01/2022")
    assert refused.subject.startswith("Không gia hạn: Báo cáo kết quả hằng năm")
    for words in ("Đã gia hạn một lần.", "hết ngày thứ Tư 05/01/2022", "Đã xin đến: thứ Năm 20/01/2022"):
        assert words in refused.text
    filled = fill_links(refused.text, {ALL_DUTIES: "7-abc"})
    assert "Tất cả việc của đơn vị: https://example.org/u/7-abc" in filled


def test_a_wish_whose_report_came_meanwhile_waits_for_nobody(office: Database) -> None:
    asked(office)
    hand_in(office, id_of(office, "stc"), "2021-12-21")
    with office.reading() as session:
        assert list(session.scalars(waiting_extensions())) == []


def test_not_me_changes_nothing_until_it_is_decided(office: Database) -> None:
    made = corrected(office)
    with office.reading() as session:
        assert [each.id for each in session.scalars(waiting_corrections())] == [made.id]
        assert session.get_one(Contact, made.contact_id).is_active
        entry = session.exec(select(Entry).where(col(Entry.act) == "correction_asked")).one()
        assert "moi@example.org" not in str(entry.data)
    with pytest.raises(RefusedError):
        corrected(office)


def test_not_me_may_know_nobody_but_an_address_must_be_one(office: Database) -> None:
    with office.reading() as session:
        way = link_of(session)
    given: dict[str, Any] = {"name": "", "email": "không biết", "note": "", "now": at("2021-12-20")}
    assert refusal(office, lambda session: ask.correct_contact(session, way, **given)) == "refused.no_address"
    made = corrected(office, name="", email="", note="Đã chuyển công tác")
    assert (made.name, made.email, made.note) == (None, None, "Đã chuyển công tác")


def test_the_new_contact_is_told_what_is_owed_and_the_old_links_end(office: Database) -> None:
    made = corrected(office)
    with office.reading() as session:
        way = link_of(session)
        old, old_unit = token(KEY, way), session.exec(select(UnitLink)).first()
        assert old_unit is not None
    given = {"name": "Văn thư mới", "email": "moi@example.org", "by": "user:1"}
    new = act_of(office, ask.apply_correction, made.id, "2021-12-21", **given)
    with office.reading() as session:
        assert find(session, KEY, old, TODAY) is None
        assert find_unit(session, KEY, unit_token(KEY, old_unit)) is None
        assert not session.get_one(Contact, made.contact_id).is_active
        told = session.exec(select(Notice).where(col(Notice.contact_id) == new.id)).all()
        assert [(each.kind, each.due_on) for each in told] == [(NoticeKind.OPENED, date(2021, 12, 31))]
        assert list(session.scalars(waiting_corrections())) == []
        assert list(breaks(session)) == []
    with pytest.raises(RefusedError):
        act_of(office, ask.apply_correction, made.id, "2021-12-21", **given)


def test_not_me_without_an_address_is_not_applied_and_may_be_refused(office: Database) -> None:
    made = corrected(office, email="")
    given: dict[str, Any] = {"name": "Văn thư mới", "email": " ", "by": "user:1", "now": at("2021-12-21"), "zone": ZONE}
    assert refusal(office, lambda s: ask.apply_correction(s, made.id, **given)) == "refused.no_address"
    act_of(office, ask.refuse_correction, made.id, "2021-12-21", by="user:1")
    with office.reading() as session:
        assert session.get_one(Contact, made.contact_id).is_active
        assert list(session.scalars(waiting_corrections())) == []
    corrected(office)


def saved(database: Database, **answers: object) -> Draft:
    with database.writing() as session:
        return draft.save(session, link_of(session), answers=answers, files=(FILE,), now=at("2021-12-20"))


def test_a_draft_is_written_over_and_ends_with_the_report(office: Database) -> None:
    with office.reading() as session:
        before = everything(session)["entry"]
    first, second = saved(office, studied="nhiều"), saved(office, studied="86")
    assert first.id == second.id
    assert second.stored == (FILE,)
    with office.reading() as session:
        assert everything(session)["entry"] == before  # a draft is no act
        assert session.exec(select(Draft)).one().answers == {"studied": "86"}
    hand_in(office, id_of(office, "stc"), "2021-12-21")
    with office.reading() as session:
        assert session.exec(select(Draft)).all() == []
    with pytest.raises(IllegalActError):
        saved(office, studied="87")


def test_a_revoked_link_shuts_both_ways_and_a_renewed_one_opens_another(office: Database) -> None:
    with office.reading() as session:
        way = link_of(session)
        unit = session.exec(select(UnitLink).where(col(UnitLink.contact_id) == way.contact_id)).one()
        first, all_duties = token(KEY, way), unit_token(KEY, unit)
        assert find(session, KEY, first, TODAY) is not None
        assert find_unit(session, KEY, all_duties) is not None
    act_of(office, link.revoke, way.id, "2021-12-20")
    act_of(office, link.revoke, way.id, "2021-12-20")
    with office.reading() as session:
        assert find(session, KEY, first, TODAY) is None
        assert find_unit(session, KEY, all_duties) is None
        assert not opens(link_of(session), TODAY)
        assert len(session.exec(select(Entry).where(col(Entry.act) == "link_revoked")).all()) == 1
    act_of(office, link.renew, way.id, "2021-12-20")
    with office.reading() as session:
        assert find(session, KEY, first, TODAY) is None
        assert find(session, KEY, token(KEY, link_of(session)), TODAY) is not None
        assert list(breaks(session)) == []


def test_a_page_opened_again_within_the_hour_is_one_visit_and_every_act_is_one(office: Database) -> None:
    with office.writing() as session:
        way = link_of(session)
        task = session.get_one(Task, way.task_id)
        for act, hour, address in (
            ("opened", "08:00", "203.0.113.9"),
            ("opened", "08:59", "203.0.113.77"),
            ("opened", "09:00", "203.0.113.9"),
            ("opened", "09:00", "2001:db8:1:2::3"),
            ("submitted", "09:01", "203.0.113.9"),
            ("submitted", "09:02", "203.0.113.9"),
        ):
            given: Any = {"address": address, "agent": "a" * 300, "now": at("2021-12-20", hour)}
            link.note_visit(session, way.contact_id, task.id, act, **given)  # type: ignore[arg-type]
    with office.reading() as session:
        found = session.exec(select(Visit).order_by(col(Visit.id))).all()
        assert [(each.act, each.network) for each in found] == [
            ("opened", "203.0.113.0/24"),
            ("opened", "203.0.113.0/24"),
            ("opened", "2001:db8:1::/48"),
            ("submitted", "203.0.113.0/24"),
            ("submitted", "203.0.113.0/24"),
        ]
        assert {len(each.agent) for each in found} == {200}
        assert [each.id for each in link.visits(session, task.id, 2)] == [found[-1].id, found[-2].id]


@pytest.mark.parametrize(
    ("address", "network"),
    [("::ffff:203.0.113.9", "203.0.113.0/24"), ("fe80::1%eth0", "fe80::/48"), ("testclient", ""), ("", "")],
)
def test_an_address_is_kept_only_as_its_network(address: str, network: str) -> None:
    assert link.network_of(address) == network


def test_a_report_by_link_after_a_draft_has_its_answers(office: Database) -> None:
    saved(office, studied="86")
    given: dict[str, Any] = {"answers": ANSWERS, "files": (FILE,), "key": "k", "by": "contact:1"}
    made = act_of(office, submit.submit, id_of(office, "stc"), "2021-12-21", **given)
    assert made.answers["studied"] == 86

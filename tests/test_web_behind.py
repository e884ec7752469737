"""Does a letter to those above lead to what it told, without an account, and hold it by "đã biết" and nothing more?"""

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, select

from dondoc.alphabet import order
from engine.contacts import retire_contact
from models.acknowledgement import Acknowledgement
from models.contact import Contact, Role
from models.deadline import Deadline
from models.entry import Entry, breaks
from models.link import UnitLink, below_token, unit_token
from models.message import Message, MessageState
from models.notice import Notice, NoticeKind
from models.task import OWING, Task
from models.unit import Unit
from models.visit import Visit
from notifications.deliver import deliver
from schedules.plan import Rung
from tests.builders import ZONE, at, everything, hand_in, step_round
from tests.desk import URL, Desk, sqlite_desk
from tests.sinks import running
from tests.test_deliver import carrier

SECRETARIAT = "secretariat.duk@example.org"
NOW = at("2022-01-04")
WORDS = {"until": "21/01/2022", "note": "Đã gọi, chờ số liệu kiểm kê."}


@pytest.fixture
def desk(sqlite_template: Path, tmp_path: Path) -> Iterator[Desk]:
    with sqlite_desk(sqlite_template, tmp_path) as desk:
        yield desk


def chased(desk: Desk, *days: str) -> dict[str, str]:
    """Lives through the mornings of some days; the paths in the last letter to each address that was given any."""
    found = {}
    with running() as sink:
        for day in days:
            step_round(desk.database, at(day))
            deliver(desk.database, carrier(sink.url), at(day), zone=ZONE, url=URL, key=desk.key)
    for mail in sink.mails:
        body = mail.get_body(("plain",))
        link = re.search(rf"{URL}(/k/[^\s#]+)", body.get_content() if body else "")
        if link is not None:
            found[str(mail["To"]).rpartition("<")[2].rstrip(">")] = link[1]
    desk.move_clock(days[-1])
    return found


def climbed(desk: Desk) -> str:
    """The link of the secretariat that has just been told of the units below, on Thursday 6 January."""
    return chased(desk, "2022-01-04", "2022-01-06")[SECRETARIAT]


def behind(desk: Desk) -> str:
    """The path for the secretariat of duk, as if letters had told it of all that is owed; one task is known."""
    with desk.database.writing() as session:
        me = session.exec(select(Contact).where(col(Contact.email) == SECRETARIAT)).one()
        told: dict[str, Any] = {
            "channel": "email",
            "address": SECRETARIAT,
            "reference": "0" * 32,
            "subject": "2 đơn vị",
            "text": "",
        }
        letter = Message(contact_id=me.id, html="", state=MessageState.SENT, created_at=NOW, try_after=NOW, **told)
        session.add(letter)
        link = session.exec(select(UnitLink).where(col(UnitLink.contact_id) == me.id)).first()
        link = link or UnitLink(contact_id=me.id)
        session.add(link)
        session.flush()
        owed = select(Task, Deadline).join(Deadline, col(Deadline.id) == col(Task.deadline_id))
        for task, deadline in session.exec(owed.where(col(Task.state).in_(OWING))).all():
            session.add(
                Notice(
                    task_id=task.id,
                    contact_id=me.id,
                    kind=NoticeKind.ESCALATION,
                    rung=Rung.SUPERIOR_SECRETARIAT,
                    cause="step:0",
                    due_on=deadline.due_on,
                    created_at=NOW,
                    message_id=letter.id,
                )
            )
        until = date(2022, 1, 21)
        session.add(Acknowledgement(task_id=task.id, until=until, note="Đã gọi", by="office", at=NOW))
        session.flush()
        return f"/k/{below_token(desk.key, link)}"


def ticked(page: str) -> dict[str, bool]:
    """By unit, whether its box is ticked."""
    boxes = re.findall(r'name="task" value="\d+"( checked)?>\s*<span><b>([^<]+)</b>', page)
    return {unit: bool(is_ticked) for is_ticked, unit in boxes}


def press(desk: Desk, path: str, *units: str, **words: str) -> int:
    tasks = [str(desk.task_id(unit)) for unit in units]
    return desk.ask("POST", f"{path}/1", data={"task": tasks, **(WORDS | words)}).status_code


def held(desk: Desk) -> dict[int, date]:
    return {each.task_id: each.until for each in desk.all_of(Acknowledgement)}


def test_it_lists_what_the_letter_told_and_reading_it_changes_nothing(desk: Desk) -> None:
    path = climbed(desk)
    with desk.database.reading() as session:
        before = everything(session)
    page = desk.get(path)
    assert page.status_code == desk.ask("HEAD", path).status_code == 200
    names = {"Chi bộ Sở Tài chính", "Đảng bộ Sở Nội vụ", "Đảng bộ Sở Y tế", "Chi bộ Thanh tra tỉnh", "Chi bộ Cảng vụ"}
    assert ticked(page.text) == dict.fromkeys(names | {"Đoàn Khối các cơ quan tỉnh"}, False)
    assert "Quá hạn 3 ngày làm việc" in page.text
    assert 'value="13/01/2022"' in page.text  # a working week
    with desk.database.reading() as session:
        after = everything(session)
    assert {name for name in after if after[name] != before[name]} == {"access_log"}


def test_what_is_ticked_is_held_and_the_journal_knows_by_whom(desk: Desk) -> None:
    path = climbed(desk)
    assert press(desk, path, "stc", "snv") == 303
    until = date(2022, 1, 21)
    assert held(desk) == {desk.task_id("stc"): until, desk.task_id("snv"): until}
    page = desk.get(path).text
    assert not any(ticked(page).values())
    assert page.count("đã biết đến hết 21/01") == 2
    with desk.database.reading() as session:
        me = session.exec(select(Contact.id).where(col(Contact.email) == SECRETARIAT)).one()
        entries = session.exec(select(Entry).where(col(Entry.act) == "acknowledged")).all()
        assert {each.by for each in entries} == {f"contact:{me}"}
        assert "Văn phòng" not in str([each.data for each in entries])
        assert list(breaks(session)) == []
        assert session.exec(select(Visit.contact_id).where(col(Visit.act) == "acknowledged")).all() == [me]


def test_pressed_twice_it_is_said_once_and_other_words_are_said_anew(desk: Desk) -> None:
    path = climbed(desk)
    for _ in range(2):
        assert press(desk, path, "stc") == 303
    assert len(desk.all_of(Acknowledgement)) == 1
    assert press(desk, path, "stc", until="12/01/2022") == 303
    assert [each.until for each in desk.all_of(Acknowledgement)] == [date(2022, 1, 21), date(2022, 1, 12)]


@pytest.mark.parametrize(
    ("units", "words", "said"),
    [
        ([], {}, "chưa chọn đơn vị nào"),
        (["stc"], {"note": " "}, "Chưa gửi được."),
        (["stc"], {"until": "31/03/2022"}, "cần một ngày từ"),
        (["stc"], {"until": "mai"}, "mai"),
    ],
)
def test_what_is_not_said_well_holds_nothing(desk: Desk, units: list[str], words: dict[str, str], said: str) -> None:
    path = climbed(desk)
    tasks = [str(desk.task_id(unit)) for unit in units]
    answer = desk.ask("POST", f"{path}/1", data={"task": tasks, **(WORDS | words)})
    assert answer.status_code == 422
    assert said.lower() in answer.text.lower()
    assert held(desk) == {}
    assert [unit for unit, is_ticked in ticked(answer.text).items() if is_ticked] == (
        ["Chi bộ Sở Tài chính"] if units == ["stc"] else []
    )


def test_what_is_handed_in_is_gone_and_a_report_moved_to_another_day_as_well(desk: Desk) -> None:
    path = climbed(desk)
    hand_in(desk.database, desk.task_id("stc"), "2022-01-06")
    assert "Chi bộ Sở Tài chính" not in ticked(desk.get(path).text)
    assert press(desk, path, "stc") == 422
    assert held(desk) == {}


def test_another_level_sees_only_what_it_was_told(desk: Desk) -> None:
    path = chased(desk, "2022-01-04", "2022-01-06", "2022-01-17")["standing.duk@example.org"]
    assert len(ticked(desk.get(path).text)) == 6
    with desk.database.writing() as session:
        contact = session.exec(select(Contact).where(col(Contact.email) == "standing.duk@example.org")).one()
        contact.role = Role.HEAD  # they have another office now
        session.add(contact)
    page = desk.get(path).text
    assert ticked(page) == {}
    assert "Không còn đơn vị nào chưa nộp" in page


def test_who_was_told_as_the_head_of_the_unit_holds_nothing_of_it(desk: Desk) -> None:
    climbed(desk)
    with desk.database.reading() as session:
        own = select(UnitLink).join(Contact, col(Contact.id) == col(UnitLink.contact_id))
        link = session.exec(own.where(col(Contact.email) == "head.stc@example.org")).one()
    path = f"/k/{below_token(desk.key, link)}"
    assert ticked(desk.get(path).text) == {}
    assert press(desk, path, "stc") == 422
    assert held(desk) == {}


def test_each_token_opens_its_own_page_alone_and_none_for_whoever_has_left(desk: Desk) -> None:
    path = climbed(desk)
    with desk.database.reading() as session:
        link = session.exec(
            select(UnitLink)
            .join(Contact, col(Contact.id) == col(UnitLink.contact_id))
            .where(col(Contact.email) == SECRETARIAT)
        ).one()
    assert path == f"/k/{below_token(desk.key, link)}"
    for wrong in (f"/k/{unit_token(desk.key, link)}", path.replace("/k/", "/u/"), f"{path}x", "/k/1-abc", "/k/x"):
        assert desk.get(wrong).status_code == 404
    with desk.database.writing() as session:
        retire_contact(session, link.contact_id, reason="QĐ 9", by="office", now=at("2022-01-06"))
    assert desk.get(path).status_code == press(desk, path, "stc") == 404
    assert path.removeprefix("/k/").partition("-")[2] not in str([each.text for each in desk.all_of(Message)])


def test_names_stand_as_in_the_alphabet_on_the_page_and_in_the_letter(desk: Desk) -> None:
    """A database compares code points and has Đoàn before Đảng."""
    names = ("Đoàn khối", "Đảng bộ Sở Nội vụ", "Dân vận", "Ăn ở")
    with desk.database.writing() as session:
        for code, name in zip(("stc", "snv", "stt", "syt"), names, strict=True):
            session.exec(select(Unit).where(col(Unit.code) == code)).one().name = name
    path = climbed(desk)
    shown = [name for name in ticked(desk.ask("GET", path).text) if name in names]
    letter = next(each for each in desk.all_of(Message) if each.address == SECRETARIAT and "/k/" in each.text)
    assert shown == sorted(names, key=order)
    assert sorted(names, key=letter.text.index) == shown

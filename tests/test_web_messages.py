"""Do the pages of messages and of the journal show what was sent and done, to those who may know it?"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from dondoc import clock
from engine.round import run
from models.contact import Contact
from models.entry import JournalHead
from models.message import Attempt, Message, MessageState, Outcome
from models.user import UserRole
from notifications.channels import carrier_for
from notifications.pace import Pace
from tests.builders import ZONE, at, hand_in, id_of
from tests.desk import URL, Desk, busied, sqlite_desk
from web import journal, messages


@pytest.fixture
def desk(sqlite_template: Path, tmp_path: Path) -> Iterator[Desk]:
    """The opening was told to five contacts; then what busied() does, told in a round of 5 January."""
    with sqlite_desk(sqlite_template, tmp_path) as desk:
        sent(desk, "2021-12-01")
        busied(desk)
        sent(desk, "2022-01-05")
        yield desk


def sent(desk: Desk, day: str) -> None:
    run(desk.database, carrier_for(desk.settings), at(day), zone=ZONE, url=URL, key=desk.key)


def fail(desk: Desk, id_: int, state: MessageState) -> None:
    with desk.database.writing() as session:
        message = session.get_one(Message, id_)
        message.state = state
        session.add(message)
        outcome = Outcome.AMBIGUOUS if state is MessageState.UNKNOWN else Outcome.RECIPIENT
        session.add(Attempt(message_id=id_, number=9, at=at("2022-01-05"), outcome=outcome, answer="550 5.1.1 no such"))


def listed(page: str) -> list[str]:
    return re.findall(r'<th scope="row">([^<]+)', page)


def test_messages_are_listed_with_whom_what_and_result(desk: Desk) -> None:
    page = desk.get("/messages").text
    assert len(listed(page)) == len(desk.all_of(Message))
    assert "contact.doan-khoi@example.org" in page
    assert "05/01/2022 08:00" in page
    assert "máy chủ thư đã nhận" in page


@pytest.mark.parametrize(
    ("query", "all_of_them", "some"),
    [
        ("state=sent", True, True), ("state=refused", False, False), ("channel=eml", True, True),
        ("channel=email", False, False), ("find=doan khoi", False, True), ("from=02/12/2021", False, True),
        ("to=02/12/2021", False, True), ("from=1/1/2020&to=2/1/2020", False, False), ("from=x&to=y", True, True),
        ("from=0001-01-01&to=9999-12-31", True, True), ("to=0001-01-01", False, False),
        ("state=x&before=x", True, True), ("before=1", False, False), (f"before={10**30}", True, True),
    ],
)  # fmt: skip
def test_the_filter_is_the_address(desk: Desk, query: str, all_of_them: bool, some: bool) -> None:
    page = desk.get(f"/messages?{query}")
    count = len(listed(page.text))
    assert page.status_code == 200
    assert (count == len(desk.all_of(Message)), count > 0) == (all_of_them, some)


def test_older_messages_are_a_page_further(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "PAGE", 4)
    path, count = "/messages", 0
    while path:
        page = desk.get(path).text
        count += len(listed(page))
        older = re.search(r'href="([^"]+)">Cũ hơn', page)
        path = older[1] if older else ""
    assert count == len(desk.all_of(Message))


def test_the_text_is_shown_as_sent_and_its_link_is_hidden(desk: Desk) -> None:
    page = desk.get("/messages/1").text
    assert f"{URL}/s/••••••••" in page
    assert "[[link:" not in page
    assert "Chi bộ Sở Tài chính" in page


@pytest.mark.parametrize("state", [MessageState.REFUSED, MessageState.BOUNCED])
def test_a_refused_message_is_sent_again_in_the_next_round(desk: Desk, state: MessageState) -> None:
    overdue = [each.id for each in desk.all_of(Message) if each.address == "contact.doan-khoi@example.org"][-1]
    fail(desk, overdue, state)
    assert "550 5.1.1 no such" in desk.get("/inbox").text
    done = desk.post(f"/messages/{overdue}/retry")
    assert (done.status_code, done.headers["location"]) == (303, f"/messages/{overdue}")
    assert desk.all_of(Message)[overdue - 1].state == "queued"
    assert desk.post(f"/messages/{overdue}/retry").status_code == 422


def test_an_unknown_one_goes_again_only_to_whoever_knows_that_it_may_arrive_twice(desk: Desk) -> None:
    fail(desk, 1, MessageState.UNKNOWN)
    assert "có thể nhận hai lần" in desk.get("/messages/1").text
    refused = desk.post("/messages/1/retry")
    assert refused.status_code == 422
    assert "có thể tới hai lần" in refused.text
    assert desk.post("/messages/1/retry", {"may_arrive_twice": "1"}).status_code == 303


def test_a_message_belongs_to_its_contacts_unit(desk: Desk) -> None:
    below = desk.seen_by(UserRole.SECRETARIAT, "snv")
    own = {each.id for each in desk.all_of(Contact) if each.unit_id == desk.task("snv").unit_id}
    seen = {each.id for each in desk.all_of(Message) if each.contact_id in own}
    assert len(listed(below.get("/messages").text)) == len(seen) > 0
    for message in desk.all_of(Message):
        assert below.get(f"/messages/{message.id}").status_code == (200 if message.id in seen else 404)
    viewer = desk.seen_by(UserRole.VIEWER, "snv")
    fail(desk, min(seen), MessageState.REFUSED)
    assert "Gửi lại" not in viewer.get(f"/messages/{min(seen)}").text
    assert viewer.post(f"/messages/{min(seen)}/retry").status_code == 403


# The journal


def entries(page: str) -> list[int]:
    return [int(each) for each in re.findall(r'<a class="faint" href="/journal\?number=(\d+)"', page)]


def test_the_journal_says_who_did_what_newest_first(desk: Desk) -> None:
    page = desk.get("/journal").text
    head = desk.all_of(JournalHead)[0]
    assert entries(page) == list(range(head.number, 0, -1))
    assert re.search(r"<b>Văn phòng</b> gia hạn\s*, 31/12/2021 → 14/01/2022", page)
    assert " ".join(head.hash[place : place + 4] for place in range(0, 64, 4)) in page
    assert f"{head.number} mục trên trang này khớp mã băm" in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("act=extended", 1), ("act=nothing", 0), ("who=people&act=accepted", 1), ("who=contacts", 3),
        ("who=office&act=exempted", 1), ("find=cang vu", 1), ("cycle=99", 0), ("number=1", 1), ("number=x", 0),
        ("from=5/1/2022", 4), ("to=1/1/2020", 0), ("before=2", 1), ("from=9999-12-31&to=31/12/9999", 0),
    ],
)  # fmt: skip
def test_the_journal_is_filtered_by_its_address(desk: Desk, query: str, found: int) -> None:
    page = desk.get(f"/journal?{query}")
    assert page.status_code == 200
    assert len(entries(page.text)) == found


def test_older_entries_are_a_page_further(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "PAGE", 3)
    first = desk.get("/journal").text
    older = re.search(r'href="([^"]+)">Cũ hơn', first)
    assert older is not None
    assert entries(desk.get(older[1]).text) == [number - 3 for number in entries(first)]


def test_an_entry_that_was_altered_is_told(desk: Desk) -> None:
    with desk.database.engine.begin() as connection:
        for name in connection.scalars(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
            connection.execute(text(f"DROP TRIGGER {name}"))
        connection.execute(text("UPDATE entry SET \"by\" = 'user:9' WHERE id = 3"))
    assert "Mã băm không khớp ở mục 3." in desk.get("/journal").text


def test_a_secretary_below_reads_of_their_own_units_alone(desk: Desk) -> None:
    page = desk.seen_by(UserRole.SECRETARIAT, "snv").get("/journal").text
    assert "Đảng bộ Sở Nội vụ" in page
    for hidden in ("Chi bộ Sở Tài chính", "Đảng bộ Sở Y tế", "áp dụng kế hoạch"):
        assert hidden not in re.sub(r"<select.*?</select>", "", page, flags=re.DOTALL)


def test_what_waits_is_told_with_its_reason_and_a_message_says_what_it_had_waited_for(desk: Desk) -> None:
    assert "Đang chờ, chưa gửi" not in desk.get("/messages").text
    late, morning = at("2022-01-05", "20:00"), at("2022-01-06", "07:30")
    hand_in(desk.database, id_of(desk.database, "syt"), "2022-01-05", "19:00")
    run(desk.database, carrier_for(desk.settings), late, zone=ZONE, url=URL, key=desk.key, pace=Pace())
    clock.move(desk.settings.clock, late)
    page = desk.get("/messages").text
    assert "1 thông báo: đêm hoặc ngày nghỉ: chờ giờ làm việc, xem lại lúc 07:30, thứ Năm 06/01/2022" in page
    run(desk.database, carrier_for(desk.settings), morning, zone=ZONE, url=URL, key=desk.key, pace=Pace())
    clock.move(desk.settings.clock, morning)
    assert "Đang chờ, chưa gửi" not in desk.get("/messages").text
    last = max(message.id for message in desk.all_of(Message))
    assert "đã chờ: đêm hoặc ngày nghỉ: chờ giờ làm việc" in desk.get(f"/messages/{last}").text

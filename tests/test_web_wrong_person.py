"""Does "unsubscribe" reach the office as what it means, by one click and by the page, and never as silence?"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, select

from engine.ask import UNSUBSCRIBED
from models.ask import ContactCorrection
from models.contact import Contact
from models.entry import Entry
from models.link import contact_token
from models.message import Message
from models.user import UserRole
from notifications.channels.email import EmailCarrier
from notifications.deliver import deliver
from tests.builders import ZONE, at
from tests.desk import Desk, sqlite_desk
from tests.sinks import running
from tests.test_web_zalo import contact_of
from tests.zalo import secrets_in
from web.app import create_app
from web.log import masked

ONE_CLICK = {"List-Unsubscribe": "One-Click"}
PUBLIC = "https://office.example.org"


@pytest.fixture
def desk(sqlite_template: Path, tmp_path: Path) -> Iterator[Desk]:
    with sqlite_desk(sqlite_template, tmp_path) as desk:
        yield desk


def letter_token(desk: Desk, unit: str) -> str:
    contact = contact_of(desk, unit)
    return contact_token(desk.key, contact.id, contact.email)


def objection(desk: Desk, unit: str = "stc") -> str:
    return f"/not-me/{letter_token(desk, unit)}"


def corrections(desk: Desk) -> list[ContactCorrection]:
    return desk.all_of(ContactCorrection)


def from_mail_program(desk: Desk, path: str, **given: Any) -> int:
    """A mail provider's server posts: no cookies, no page that it comes from."""
    return Desk(desk.database, desk.settings, desk.app).post(path, ONE_CLICK, is_old=True, **given).status_code


def test_the_address_in_the_header_of_a_letter_takes_one_click(desk: Desk) -> None:
    with running() as sink:
        carrier = EmailCarrier(sink.url, "dondoc@example.org", "dondoc", PUBLIC)
        deliver(desk.database, carrier, at("2021-12-20", "09:00"), zone=ZONE, url=PUBLIC, key=desk.key)
        (mail,) = sink.to(str(contact_of(desk).email))
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    found = re.match(
        r"<https://office\.example\.org(/not-me/[^>]+)>, <mailto:dondoc@example\.org", mail["List-Unsubscribe"]
    )
    assert found
    assert from_mail_program(desk, found[1]) == 200
    (correction,) = corrections(desk)
    assert (correction.contact_id, correction.note, correction.state) == (contact_of(desk).id, UNSUBSCRIBED, "waiting")


def test_the_office_sees_it_and_nothing_else_has_changed(desk: Desk) -> None:
    before = contact_of(desk)
    assert from_mail_program(desk, objection(desk)) == 200
    assert contact_of(desk) == before
    text = desk.get("/inbox?group=asks").text
    assert "Chi bộ Sở Tài chính" in text
    assert UNSUBSCRIBED.split("“")[0] in desk.get(f"/corrections/{corrections(desk)[0].id}").text
    assert desk.get("/journal").status_code == 200
    entry = desk.all_of(Entry)[-1]
    assert (entry.act, entry.by, entry.task_id) == ("correction_asked", f"contact:{before.id}", None)


def test_a_second_click_says_nothing_new(desk: Desk) -> None:
    for _ in range(2):
        assert from_mail_program(desk, objection(desk)) == 200
    assert len(corrections(desk)) == 1


def test_a_multipart_click_is_one_too(desk: Desk) -> None:
    files = {"List-Unsubscribe": (None, "One-Click")}
    answer = desk.ask("POST", objection(desk), is_old=True, files=files)
    assert answer.status_code == 200
    assert len(corrections(desk)) == 1


def test_opening_the_page_changes_nothing(desk: Desk) -> None:
    before = desk.rows()
    answer = desk.get(objection(desk))
    assert "không có nút thôi nhận thư" in answer.text
    assert "Văn phòng sẽ xem và sửa" not in answer.text
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert desk.ask("HEAD", objection(desk)).status_code == 200
    assert desk.rows() == before


def test_a_person_says_who_is_in_charge(desk: Desk) -> None:
    typed = {"name": "Văn thư mới", "email": "moi@example.org", "note": "Đã chuyển công tác"}
    answer = desk.post(objection(desk), typed)
    assert (answer.status_code, answer.headers["location"]) == (303, objection(desk))
    (correction,) = corrections(desk)
    assert (correction.name, correction.email, correction.note) == tuple(typed.values())
    assert "Văn phòng sẽ xem và sửa" in desk.get(objection(desk)).text


def test_what_cannot_be_taken_is_said_and_stays_typed(desk: Desk) -> None:
    answer = desk.post(objection(desk), {"name": "Văn thư mới", "email": "no address", "note": ""})
    assert answer.status_code == 422
    assert "Chưa gửi được" in answer.text
    assert "Văn thư mới" in answer.text
    desk.post(objection(desk), {"name": "Văn thư mới", "email": "", "note": ""})
    assert desk.post(objection(desk), {"name": "Khác", "email": "", "note": ""}).status_code == 422


@pytest.mark.parametrize("wrong", ["", "1", "1-", "1-abc", "999-abc", "x", "1-%00"])
def test_a_forged_address_is_nobodys(desk: Desk, wrong: str) -> None:
    right = objection(desk).removeprefix("/not-me/")
    for token in (wrong, right[:-1], f"2{right}"):
        assert desk.get(f"/not-me/{token}").status_code == 404
        assert from_mail_program(desk, f"/not-me/{token}") in {404, 429}
    assert corrections(desk) == []


def test_old_letters_say_nothing_about_a_contact_who_has_another_address_or_has_left(desk: Desk) -> None:
    old = objection(desk)
    with desk.database.writing() as session:
        session.get_one(Contact, contact_of(desk).id).email = "moi@example.org"
    assert desk.get(old).status_code == 404
    new = objection(desk)
    assert desk.get(new).status_code == 200
    with desk.database.writing() as session:
        session.get_one(Contact, contact_of(desk).id).is_active = False
    assert desk.get(new).status_code == 404


def test_whoever_chases_decides_and_the_new_person_is_told(desk: Desk) -> None:
    from_mail_program(desk, objection(desk))
    kept = desk.seen_by(UserRole.SECRETARIAT, "duk")
    answer = kept.post(
        f"/corrections/{corrections(desk)[0].id}/application",
        {"name": "Văn thư mới", "email": "moi@example.org", "phone": ""},
    )
    assert answer.status_code == 303
    assert corrections(desk)[0].state == "granted"


def test_the_other_way_is_zalo_where_the_office_has_it(desk: Desk, tmp_path: Path) -> None:
    assert "Muốn nhận ở địa chỉ khác" in desk.get(objection(desk)).text
    assert desk.post(f"{objection(desk)}/zalo/code").status_code == 404
    settings = desk.settings.model_copy(
        update={"secrets": secrets_in(tmp_path / "secrets"), "zalo_url": "http://127.0.0.1:9"}
    )
    with_zalo = Desk(desk.database, settings, create_app(desk.database, settings))
    page = with_zalo.get(objection(desk)).text
    assert "Nhận tin qua Zalo" in page
    assert "thư điện tử là cách cuối và là nơi lưu" in page  # as the page of their ways says
    assert re.search(r"LIENKET \d{4} \d{4}", with_zalo.post(f"{objection(desk)}/zalo/code").text)


def test_the_address_stands_in_no_row_and_no_log(desk: Desk) -> None:
    with running() as sink:
        carrier = EmailCarrier(sink.url, "dondoc@example.org", "dondoc", PUBLIC)
        deliver(desk.database, carrier, at("2021-12-20", "09:00"), zone=ZONE, url=PUBLIC, key=desk.key)
    from_mail_program(desk, objection(desk))
    secret = objection(desk).partition("-me/")[2].partition("-")[2]
    assert secret not in str(desk.rows())
    assert masked(f"{objection(desk)}/zalo/code") == "/not-me/***/zalo/code"
    with desk.database.reading() as session:
        assert session.exec(select(Message).where(col(Message.text).contains("not-me"))).first() is None

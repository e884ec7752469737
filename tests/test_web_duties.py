"""Does the link to all duties show those of one unit alone, and may anybody check a receipt, but not guess one?"""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlmodel import col, select

from engine import link as links
from engine import review, submit
from models.contact import Contact
from models.link import Link, UnitLink, unit_token
from models.submission import Submission
from models.user import UserRole
from models.visit import Visit
from tests.builders import act_of, at, task_of
from tests.desk import PDF, Desk, answers, busied, sqlite_desk, upload
from web.verify import plain


@pytest.fixture
def desk(sqlite_template: Path, tmp_path: Path) -> Iterator[Desk]:
    with sqlite_desk(sqlite_template, tmp_path) as desk:
        yield desk


def duties(desk: Desk, unit: str = "stc") -> str:
    with desk.database.writing() as session:
        task = task_of(session, unit, "2021")
        contact = session.exec(
            select(Contact).where(col(Contact.unit_id) == task.unit_id, col(Contact.role) == "contact")
        ).one()
        known = session.exec(select(UnitLink).where(col(UnitLink.contact_id) == contact.id)).first()
        link = known or UnitLink(contact_id=contact.id)
        session.add(link)
        session.flush()
        return f"/u/{unit_token(desk.key, link)}"


def test_it_lists_the_units_own_tasks_by_what_is_to_be_done(desk: Desk) -> None:
    busied(desk)
    shown = desk.get(duties(desk, "syt")).text
    assert "Phải nộp (1)" in shown
    assert "Trả lại · hạn hết ngày thứ Sáu 07/01/2022 (GMT+7) · còn 2 ngày làm việc" in shown
    assert "Đã xong (1)" in desk.get(duties(desk, "stc")).text
    assert "Đã nộp, chờ duyệt (1)" in desk.get(duties(desk, "snv")).text
    assert "Sở Tài chính" not in shown


def test_reading_it_makes_no_link_and_pressing_a_task_makes_its_own(desk: Desk) -> None:
    path, task_id = duties(desk), desk.task_id()
    shown = desk.get(path).text
    assert f'action="{path}/{task_id}"' in shown
    assert desk.all_of(Link) == []
    opened = desk.post(f"{path}/{task_id}")
    assert (opened.status_code, opened.headers["location"]) == (303, desk.link())
    assert f'href="{desk.link()}"' in desk.get(path).text
    assert desk.post(f"{path}/{task_id}").headers["location"] == desk.link()
    assert len(desk.all_of(Link)) == 1


def test_another_units_task_is_not_opened_from_it(desk: Desk) -> None:
    path = duties(desk)
    for task_id in (desk.task_id("snv"), 999):
        assert desk.post(f"{path}/{task_id}").status_code == 422
    assert desk.all_of(Link) == []


def test_a_revoked_link_stays_shut_from_the_list_too(desk: Desk) -> None:
    link = desk.link()
    desk.link(revoked_at=at("2021-12-19"))
    path = duties(desk)
    shown = desk.get(path).text
    assert link not in shown
    assert f'action="{path}' not in shown
    assert desk.post(f"{path}/{desk.task_id()}").status_code == 404
    act_of(desk.database, links.revoke, desk.all_of(Link)[0].id, "2021-12-20")
    act_of(desk.database, links.renew, desk.all_of(Link)[0].id, "2021-12-20")
    assert desk.get(path).status_code == 404


@pytest.mark.parametrize("path", ["/u/x", "/u/1-", "/u/1-abc", "/u/999-abc", "/u/-1"])
def test_wrong_links_open_nothing(desk: Desk, path: str) -> None:
    duties(desk)
    assert desk.get(path).status_code == 404
    assert desk.post(f"{path}/1").status_code == 404


def test_a_link_to_a_task_is_none_to_all_duties_and_the_other_way_round(desk: Desk) -> None:
    one, everything = desk.link().removeprefix("/s/"), duties(desk).removeprefix("/u/")
    assert desk.get(f"/u/{one}").status_code == 404
    assert desk.get(f"/s/{everything}").status_code == 404


def test_both_pages_keep_their_address_to_themselves(desk: Desk) -> None:
    for path in (desk.link(), duties(desk)):
        answer = desk.get(path)
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
        assert "noindex" in answer.headers["x-robots-tag"]


def test_the_visit_is_noted(desk: Desk) -> None:
    path = duties(desk)
    for method in ("HEAD", "GET", "GET"):
        desk.ask(method, path)
    assert [(each.act, each.task_id) for each in desk.all_of(Visit)] == [("opened", None)]


# A receipt is checked


def handed_in(desk: Desk) -> str:
    desk.post(desk.link(), answers(), files=upload())
    return str(desk.all_of(Submission)[0].receipt)


def test_a_receipt_says_who_what_and_when_and_nothing_of_the_content(desk: Desk) -> None:
    shown = desk.get(f"/verify?code={handed_in(desk)}").text
    for words in (
        "Chi bộ Sở Tài chính",
        "Báo cáo kết quả hằng năm, năm 2021, bản 1",
        "09:00, thứ Hai 20/12/2021 (GMT+7)",
    ):
        assert words in shown
    sum_ = hashlib.sha256(PDF).hexdigest()
    assert " ".join(sum_[place : place + 4] for place in range(0, 64, 4)) in shown
    assert "Tổ chức 4 buổi" not in shown
    assert "@example.org" not in shown


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("7K4M-2PXC-9QRT", "7K4M-2PXC-9QRT"),
        (" 7k4m 2pxc 9qrt ", "7K4M-2PXC-9QRT"),
        ("7K4M2PXC9QRT", "7K4M-2PXC-9QRT"),
        ("7K4M-2PXC", ""),
        ("7K4M-2PXC-9QRT-2", ""),
        ("0O1I", ""),
        ("", ""),
    ],
)
def test_a_code_is_read_however_it_is_typed(typed: str, code: str) -> None:
    assert plain(typed) == code


def test_an_unknown_code_is_told_without_a_failure(desk: Desk) -> None:
    for code in ("AAAA-BBBB-CCCC", "x", "<b>", "a" * 500):
        answer = desk.ask("GET", "/verify", params={"code": code})
        assert answer.status_code == 200
        assert "Không có giấy báo nhận nào" in answer.text or not plain(code)
        assert "<b>”" not in answer.text


def test_a_withdrawn_version_says_so(desk: Desk) -> None:
    code = handed_in(desk)
    act_of(desk.database, submit.withdraw, desk.task_id(), "2021-12-20", reason="Gửi nhầm")
    assert "Bản này sau đó đã được rút lại." in desk.get(f"/verify?code={code}").text


def test_a_file_is_compared_and_not_kept(desk: Desk) -> None:
    code, before = handed_in(desk), sorted(desk.settings.files.rglob("*"))
    for content, words in ((PDF, "trùng từng byte với “bao-cao.pdf”"), (b"another", "không phải tệp nào ở trên")):
        answer = desk.post("/verify", {"code": code}, files=upload(content=content))
        assert answer.status_code == 303
        assert words in desk.get(answer.headers["location"]).text
    assert sorted(desk.settings.files.rglob("*")) == before


def test_codes_cannot_be_guessed_without_end(desk: Desk) -> None:
    found = [
        desk.get(f"/verify?code=AAAA-BBBB-{number:04}".replace("0", "2").replace("1", "3")) for number in range(25)
    ]
    assert {answer.status_code for answer in found[:20]} == {200}
    assert found[-1].status_code == 429
    assert "Thử quá nhiều lần" in found[-1].text
    assert desk.get("/verify").status_code == 200


# A file goes out


def test_a_file_goes_out_as_an_attachment_to_whoever_may_see_its_task(desk: Desk) -> None:
    handed_in(desk)
    act_of(desk.database, review.accept, desk.task_id(), "2021-12-21")
    desk.into_real_time()
    for unit, status in (("stc", 200), ("duk", 200), ("snv", 404)):
        assert desk.seen_by(UserRole.VIEWER, unit).get("/files/1").status_code == status, unit
    answer = desk.seen_by(UserRole.VIEWER).get("/files/1")
    assert answer.content == PDF
    assert re.match(r"attachment; filename\*=UTF-8''bao-cao\.pdf", answer.headers["content-disposition"])
    assert "sandbox" in answer.headers["content-security-policy"]
    assert Desk(desk.database, desk.settings, desk.app).get("/files/1").status_code in (303, 401)

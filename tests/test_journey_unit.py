"""Does a unit's contact get through on a phone: three taps, a weak network, a wrong file, a question, a proof?"""

from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, Route, expect
from sqlmodel import col, select

from engine import ask
from models.ask import ContactCorrection, ExtensionAsk
from models.draft import Draft
from models.link import Link, UnitLink, unit_token
from models.submission import Submission, SubmissionFile
from tests.builders import act_of
from tests.desk import PDF, Desk, answers, upload
from tests.test_web_behind import behind
from tests.test_web_browser import FILE, PHONE, Office, fill, office

__all__ = ["office"]
SCRIPTS = pytest.mark.parametrize("with_scripts", [True, False], ids=["scripts", "no scripts"])
SECOND: Any = {"name": "Phụ lục.pdf", "mimeType": "application/pdf", "buffer": PDF[:-6] + b"% 2\n%%EOF\n"}
PROGRAM: Any = {"name": "bao-cao.pdf", "mimeType": "application/pdf", "buffer": b"MZ\x90\0 not a report"}


def phone(with_scripts: bool) -> dict[str, Any]:
    return {**PHONE, "java_script_enabled": with_scripts}


def send(page: Page) -> None:
    page.get_by_role("button", name="Gửi báo cáo").tap()


def expect_receipt(page: Page) -> None:
    expect(page.get_by_role("heading", name="Giấy báo nhận")).to_be_visible()


def files_of(desk: Desk) -> list[str]:
    return [each.name for each in desk.all_of(SubmissionFile)]


def post(office: Office, path: str, **typed: str) -> None:
    """The form with a file, as from another phone."""
    same_site = {"sec-fetch-site": "same-origin"}
    httpx.post(office.url + path, data=typed, files=upload(FILE["name"]), headers=same_site, timeout=30)


def forgive_the_network(office: Office) -> None:
    """What the browser says of a network that was taken away on purpose."""
    office.faults[:] = [each for each in office.faults if "net::ERR" not in each]


@SCRIPTS
def test_a_report_with_a_file_takes_three_taps_and_the_typing(office: Office, with_scripts: bool) -> None:
    page = office.open(office.desk.link(), **phone(with_scripts))
    fill(page)
    with page.expect_file_chooser() as chooser:
        page.get_by_label("Chọn tệp").tap()  # one
    chooser.value.set_files([FILE])  # two
    send(page)  # three
    expect_receipt(page)
    assert files_of(office.desk) == [FILE["name"]]
    assert [each.answers["studied"] for each in office.desk.all_of(Submission)] == [86]


@SCRIPTS
def test_several_files_go_along(office: Office, with_scripts: bool) -> None:
    page = office.open(office.desk.link(), **phone(with_scripts))
    fill(page)
    page.get_by_label("Chọn tệp").set_input_files([FILE, SECOND])
    send(page)
    expect_receipt(page)
    assert files_of(office.desk) == [FILE["name"], SECOND["name"]]


@SCRIPTS
def test_a_draft_is_there_again_the_next_day(office: Office, with_scripts: bool) -> None:
    link = office.desk.link()
    page = office.open(link, **phone(with_scripts))
    page.get_by_label("Kết quả nổi bật").fill("Mới viết một nửa")
    page.get_by_label("Chọn tệp").set_input_files(FILE)
    page.get_by_role("button", name="Lưu nháp").tap()
    expect(page.locator("#saved")).to_have_text("Đã lưu nháp 09:00, 20/12 (GMT+7)")
    office.desk.move_clock("2021-12-21")
    page = office.open(link, **phone(with_scripts))
    expect(page.get_by_label("Kết quả nổi bật")).to_have_value("Mới viết một nửa")
    expect(page.get_by_text(FILE["name"]).first).to_be_visible()
    assert office.desk.all_of(Submission) == []
    fill(page)
    send(page)
    expect_receipt(page)
    assert files_of(office.desk) == [FILE["name"]]


@SCRIPTS
def test_a_wrong_file_is_named_and_the_right_one_goes_along(office: Office, with_scripts: bool) -> None:
    page = office.open(office.desk.link(), **phone(with_scripts))
    fill(page)
    page.get_by_label("Chọn tệp").set_input_files([FILE, PROGRAM])
    send(page)
    expect(page.get_by_text("bao-cao.pdf: Cần một tệp PDF lành lặn")).to_be_visible()
    expect(page.get_by_label("Số đảng viên đã học")).to_have_value("86")
    send(page)
    expect_receipt(page)
    assert files_of(office.desk) == [FILE["name"]]


@SCRIPTS
def test_a_file_that_is_unticked_stays_behind(office: Office, with_scripts: bool) -> None:
    page = office.open(office.desk.link(), **phone(with_scripts))
    fill(page)
    page.get_by_label("Chọn tệp").set_input_files([FILE, SECOND])
    page.get_by_role("button", name="Lưu nháp").tap()
    page.get_by_label(f"gửi kèm {FILE['name']}").uncheck()
    send(page)
    expect_receipt(page)
    assert files_of(office.desk) == [SECOND["name"]]


def test_what_is_typed_is_kept_by_itself_after_five_seconds(office: Office) -> None:
    page = office.open(office.desk.link(), **PHONE)
    page.get_by_label("Kết quả nổi bật").press_sequentially("Đang viết")
    expect(page.locator("#saved")).to_have_text("Đã lưu nháp 09:00, 20/12 (GMT+7)", timeout=30_000)
    assert [each.answers["results"] for each in office.desk.all_of(Draft)] == ["Đang viết"]


def test_what_is_typed_is_kept_when_the_page_goes_out_of_sight(office: Office) -> None:
    link = office.desk.link()
    page = office.open(link, **PHONE)
    page.get_by_label("Kết quả nổi bật").fill("Có điện thoại gọi đến")
    with page.expect_request("**/draft"):
        page.evaluate(
            """() => {
                Object.defineProperty(document, "visibilityState", {value: "hidden"});
                document.dispatchEvent(new Event("visibilitychange"));
            }"""
        )
    kept = "async words => (await (await fetch(location.href)).text()).includes(words)"
    page.wait_for_function(kept, arg="Có điện thoại gọi đến")
    page.goto(office.url + link)
    expect(page.get_by_label("Kết quả nổi bật")).to_have_value("Có điện thoại gọi đến")


def test_an_upload_that_breaks_off_is_tried_again_and_nothing_is_typed_twice(office: Office) -> None:
    page = office.open(office.desk.link(), **PHONE)
    broken: list[str] = []

    def break_twice(route: Route) -> None:
        if len(broken) < 2 and b"%PDF" in (route.request.post_data_buffer or b""):
            broken.append(route.request.url)
            route.abort()
        else:
            route.continue_()

    page.route("**/draft", break_twice)
    fill(page)
    page.get_by_label("Chọn tệp").set_input_files(FILE)
    expect(page.locator("#saved")).to_have_text("Mạng chậm, đang thử lại…")
    assert [each.answers["studied"] for each in office.desk.all_of(Draft)] == ["86"]  # before the upload began
    send(page)
    expect_receipt(page)
    assert len(broken) == 2
    assert files_of(office.desk) == [FILE["name"]]
    forgive_the_network(office)


def test_a_report_that_was_sent_without_a_network_goes_out_when_it_is_back(office: Office) -> None:
    page = office.open(office.desk.link(), **PHONE)
    fill(page)
    page.context.set_offline(True)
    page.get_by_label("Chọn tệp").set_input_files(FILE)
    send(page)
    send(page)
    expect(page.locator("#saved")).to_have_text("Mạng chậm, đang thử lại…")
    expect(page.get_by_label("Số đảng viên đã học")).to_have_value("86")
    assert office.desk.all_of(Submission) == []
    page.context.set_offline(False)
    expect_receipt(page)
    assert [each.number for each in office.desk.all_of(Submission)] == [1]
    assert files_of(office.desk) == [FILE["name"]]
    forgive_the_network(office)


def test_too_large_a_file_is_told_before_it_is_sent(office: Office, tmp_path: Any) -> None:
    large = tmp_path / "anh.pdf"
    large.write_bytes(b"%PDF-1.7" + b"\0" * (21 * 1024 * 1024))
    page = office.open(office.desk.link(), **PHONE)
    fill(page)
    page.get_by_label("Chọn tệp").set_input_files(large)
    expect(page.get_by_text("anh.pdf: mỗi tệp tới 20 MB.")).to_be_visible()
    expect(page.locator("#saved")).to_contain_text("Đã lưu nháp")
    assert [each.files for each in office.desk.all_of(Draft)] == [[]]


@SCRIPTS
def test_more_time_is_asked_for_and_the_answer_stands_on_the_page(office: Office, with_scripts: bool) -> None:
    link = office.desk.link()
    page = office.open(link, **phone(with_scripts))
    page.get_by_role("link", name="Xin gia hạn").tap()
    expect(page.get_by_text("hết ngày thứ Sáu 31/12/2021")).to_be_visible()
    page.get_by_label("Xin nộp đến hết ngày").fill("hôm nào cũng được")
    page.get_by_label("Lý do").fill("Bão, mất điện")
    page.get_by_role("button", name="Xin gia hạn").tap()
    expect(page.get_by_role("alert")).to_contain_text("hôm nào cũng được")
    expect(page.get_by_label("Lý do")).to_have_value("Bão, mất điện")
    page.get_by_label("Xin nộp đến hết ngày").fill("7/1/2022")
    page.get_by_role("button", name="Xin gia hạn").tap()
    expect(page.get_by_text("Đã xin gia hạn đến hết ngày thứ Sáu 07/01/2022")).to_be_visible()
    expect(page.get_by_role("link", name="Xin gia hạn")).to_have_count(0)
    wish = office.desk.all_of(ExtensionAsk)[0]
    act_of(office.desk.database, ask.refuse, wish.id, "2021-12-20", answer="Cuối năm không gia hạn.")
    page.reload()
    expect(page.get_by_text("“Cuối năm không gia hạn.”")).to_be_visible()
    page.get_by_role("link", name="Xin gia hạn").tap()
    page.get_by_label("Xin nộp đến hết ngày").fill("05/01/2022")
    page.get_by_label("Lý do").fill("Bão")
    page.get_by_role("button", name="Xin gia hạn").tap()
    expect(page.get_by_text("Đã xin gia hạn đến hết ngày thứ Tư 05/01/2022")).to_be_visible()
    act_of(office.desk.database, ask.grant, office.desk.all_of(ExtensionAsk)[1].id, "2021-12-20", due_on=wish.until)
    page.reload()
    expect(page.locator(".deadline")).to_contain_text("hết ngày thứ Sáu 07/01/2022")
    expect(page.locator(".deadline")).to_contain_text("đã gia hạn")


@SCRIPTS
def test_who_is_not_in_charge_says_so_and_sees_nobodys_data(office: Office, with_scripts: bool) -> None:
    page = office.open(office.desk.link(), **phone(with_scripts))
    page.get_by_role("link", name="Không phải tôi phụ trách").tap()
    expect(page.get_by_role("heading", name="Không phải tôi phụ trách")).to_be_visible()
    assert "@example.org" not in page.content()
    page.get_by_label("Địa chỉ thư của người đó").fill("khong biet")
    page.get_by_role("button", name="Báo nhầm người nhận").tap()
    expect(page.get_by_role("alert")).to_contain_text("khong biet")
    page.get_by_label("Địa chỉ thư của người đó").fill("van-thu.moi@example.org")
    page.get_by_role("button", name="Báo nhầm người nhận").tap()
    expect(page.get_by_text("Đã báo lúc 09:00, thứ Hai 20/12/2021 (GMT+7).")).to_be_visible()
    assert [each.email for each in office.desk.all_of(ContactCorrection)] == ["van-thu.moi@example.org"]
    page.get_by_role("link", name="Về báo cáo").tap()
    expect(page.get_by_role("link", name="Đã báo nhầm người nhận")).to_be_visible()


def all_duties(desk: Desk) -> str:
    """The path of the link to all duties of the finance cell, whose contact has one to the report as well."""
    with desk.database.writing() as session:
        link = session.exec(select(Link).where(col(Link.task_id) == desk.task_id())).one()
        unit_link = UnitLink(contact_id=link.contact_id)
        session.add(unit_link)
        session.flush()
        return f"/u/{unit_token(desk.key, unit_link)}"


@SCRIPTS
def test_all_duties_of_a_unit_lead_to_the_one_that_is_due(office: Office, with_scripts: bool) -> None:
    link = office.desk.link()
    path = all_duties(office.desk)
    page = office.open(link, **phone(with_scripts))
    page.get_by_role("link", name="Tất cả việc của đơn vị").tap()
    expect(page).to_have_url(office.url + path)
    expect(page.get_by_text("hạn hết ngày thứ Sáu 31/12/2021 (GMT+7)")).to_be_visible()
    expect(page.get_by_role("heading", name="Phải nộp (1)")).to_be_visible()
    page.get_by_role("link", name="Báo cáo kết quả hằng năm, năm 2021").tap()
    fill(page)
    send(page)
    expect_receipt(page)
    page.get_by_role("link", name="Tất cả việc của đơn vị").tap()
    expect(page.get_by_role("heading", name="Đã nộp, chờ duyệt (1)")).to_be_visible()
    expect(page.get_by_text("Không còn báo cáo nào phải nộp.")).to_be_visible()


@SCRIPTS
def test_a_receipt_is_checked_and_its_file_compared(office: Office, with_scripts: bool) -> None:
    link = office.desk.link()
    post(office, link, **answers())
    page = office.open(f"{link}/receipt", **phone(with_scripts))
    code = page.locator("#code").inner_text()
    page.get_by_role("link", name="trang kiểm mã nhận").tap()
    expect(page.get_by_text("Mã này đúng là giấy báo nhận của hệ thống.")).to_be_visible()
    expect(page.get_by_text("Chi bộ Sở Tài chính")).to_be_visible()
    posted: list[str] = []
    page.on("request", lambda request: posted.append(request.url) if request.method == "POST" else None)
    for file, words in ((FILE, "Tệp vừa chọn trùng từng byte"), (SECOND, "Tệp vừa chọn không phải tệp nào ở trên.")):
        page.get_by_label("So với một tệp đang có").set_input_files(file)
        page.get_by_role("button", name="So tệp").tap()
        expect(page.get_by_role("status")).to_contain_text(words)
    assert posted == ([] if with_scripts else [f"{office.url}/verify"] * 2)  # with scripts the file stays on the phone
    page.get_by_label("Mã nhận").fill(code.lower().replace("-", " "))
    page.get_by_role("button", name="Kiểm").tap()
    expect(page.get_by_text("Mã này đúng là giấy báo nhận của hệ thống.")).to_be_visible()
    page.get_by_label("Mã nhận").fill("AAAA-BBBB-CCCC")
    page.get_by_role("button", name="Kiểm").tap()
    expect(page.get_by_role("alert")).to_contain_text("Không có giấy báo nhận nào mang mã “AAAA-BBBB-CCCC”.")


def test_the_page_of_a_phone_never_scrolls_sideways_and_its_targets_are_for_a_thumb(office: Office) -> None:
    link = office.desk.link()
    post(office, link, **answers(studied=""))
    paths = [link, f"{link}/extension", f"{link}/contact", all_duties(office.desk), "/verify?code=AAAA-BBBB-CCCC"]
    paths.append(behind(office.desk))
    page = office.open("/verify", **PHONE)
    for path in paths:
        for lang in ("vi", "en"):
            page.goto(f"{office.url}{path}{'&' if '?' in path else '?'}lang={lang}")
            assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
            small = page.evaluate(
                """() => [...document.querySelectorAll("main a, main button, main input:not([type=hidden]), summary")]
                    .filter(each => each.getClientRects().length && !each.matches("[type=checkbox], p a"))
                    .filter(each => each.getBoundingClientRect().height < 44)
                    .map(each => each.outerHTML.slice(0, 120))"""
            )
            assert small == [], path

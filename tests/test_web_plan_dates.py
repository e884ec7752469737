"""Does the page show every date that moves before it moves, and is what it shows what then happens?"""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from engine import proposals, revise
from models.contact import Contact
from models.deadline import Deadline
from models.plan import Revision
from models.plan_draft import PlanDraft
from models.proposal import Policy, Proposal, ProposalKind
from models.unit import Unit
from models.user import UserRole
from tests.builders import YEARLY, ZONE, at, hand_in, vn_state
from tests.desk import Desk, shown_hash, sqlite_desk
from tests.test_calendar_change import NEW_YEARS_EVE
from tests.test_milestones import CHAIN

LATER = YEARLY.replace("except: {2021: {due: {end_of: M12}", "except: {2021: {due: {day: 20, of: M1, year: 1}")
OTHER = YEARLY.replace("due: {end_of: Q3}", "due: {end_of: M10}")
REASON = "Bộ Chính trị cho lùi báo cáo năm đầu"


@pytest.fixture
def desk(sqlite_template: Path, tmp_path: Path) -> Iterator[Desk]:
    """20 December 2021: the yearly report of 2021 is open, due on the 31st."""
    with sqlite_desk(sqlite_template, tmp_path) as desk:
        yield desk


def typed(desk: Desk, text: str) -> None:
    carried = dict(re.findall(r'name="(seen|base)" value="(\w*)"', desk.get("/plans/kl01").text))
    assert (
        desk.post("/plans/kl01", {"text": text, "then": "preview", **carried}).headers["location"].endswith("/preview")
    )


def test_a_preview_names_each_date_that_moves_and_whom_it_concerns(desk: Desk) -> None:
    typed(desk, LATER)
    page = desk.get("/plans/kl01/preview").text
    assert "thứ Sáu 31/12/2021" in page
    assert "thứ Năm 20/01/2022" in page
    assert "muộn 20 ngày" in page
    assert "đợt đang mở" in page
    assert "Dời và báo" in page
    assert "18 tháng tới" in page
    assert [each.is_active for each in desk.all_of(Revision)] == [True]


def test_what_was_shown_is_applied_with_its_reason_and_stands_in_the_history(desk: Desk) -> None:
    typed(desk, LATER)
    page = desk.get("/plans/kl01/preview").text
    done = desk.post("/plans/kl01/application", {"hash": shown_hash(page), "policy": "tell", "reason": REASON})
    assert done.status_code == 303
    assert done.headers["location"].startswith("/plans/kl01/history?done=")
    told = desk.get(done.headers["location"]).text
    assert "Đã ghi: áp dụng kế hoạch." in told
    assert REASON in told
    assert desk.all_of(PlanDraft) == []
    assert {f"{each.due_on}" for each in desk.all_of(Deadline) if each.cycle_id == 1} >= {"2022-01-20"}
    revision = desk.get("/plans/kl01/revisions/2").text
    assert "31/12/2021" in revision
    assert "Đợt đang mở: dời và báo" in revision
    assert "Đợt đang mở" not in desk.get("/plans/kl01/revisions/1").text
    assert '<span class="ins">+' in revision
    assert desk.get("/plans/kl01/revisions/2/file").text == LATER
    assert desk.get("/plans/kl01/revisions/3").status_code == 404


def test_a_text_that_has_no_dates_any_more_is_still_shown(desk: Desk) -> None:
    """A day off has come by which its lowest level would be due after the one above it."""
    now, off = at("2021-12-20"), replace(NEW_YEARS_EVE, on=date(2022, 12, 23))
    late = CHAIN.replace("due: 3 working days before superior", "due: 3 days before superior, roll: next")
    with desk.database.writing() as session:
        for text in (late, CHAIN):
            revise.apply_plan(session, text.encode(), "kl01.yaml", by="office", now=now, zone=ZONE)
    known = desk.get("/plans/kl01/revisions/3").text
    assert "một trong hai bản không tính được ngày" not in known
    with desk.database.writing() as session:
        days = {**vn_state().days, off.on: off}
        revise.apply_calendar(session, replace(vn_state(), days=days), by="office", now=now)
    for number in (2, 3):
        shown = desk.get(f"/plans/kl01/revisions/{number}").text
        assert "một trong hai bản không tính được ngày" in shown
        assert "superior, roll: next" in shown


def test_nothing_is_applied_without_a_reason_or_when_something_else_would_move(desk: Desk) -> None:
    typed(desk, LATER)
    hash_ = shown_hash(desk.get("/plans/kl01/preview").text)
    nothing = desk.post("/plans/kl01/application", {"hash": hash_, "policy": "tell", "reason": " "})
    assert nothing.status_code == 422
    assert "lý do" in nothing.text
    with desk.database.writing() as session:
        revise.apply_plan(
            session, OTHER.encode(), "kl01.yaml", by="office", now=at("2022-01-05"), zone="Asia/Ho_Chi_Minh"
        )
    refused = desk.post("/plans/kl01/application", {"hash": hash_, "policy": "keep", "reason": REASON})
    assert refused.status_code == 422
    assert "Chưa áp dụng." in refused.text
    assert f">{REASON}</textarea>" in refused.text
    assert 'value="keep" checked' in refused.text
    assert "lý do bạn gõ còn nguyên" in refused.text
    assert shown_hash(refused.text) != hash_
    assert [each.number for each in desk.all_of(Revision) if each.is_active] == [2]


def test_what_somebody_else_applied_meanwhile_leaves_nothing_to_apply_and_no_reason_to_keep(desk: Desk) -> None:
    typed(desk, LATER)
    form = {"hash": shown_hash(desk.get("/plans/kl01/preview").text), "policy": "tell", "reason": REASON}
    assert desk.post("/plans/kl01/application", form).status_code == 303
    refused = desk.post("/plans/kl01/application", form)
    assert refused.status_code == 422
    assert "Không còn gì để áp dụng." in refused.text
    assert "lý do bạn gõ còn nguyên" not in refused.text


def test_a_draft_that_does_not_parse_has_problems_instead_of_dates_and_is_kept(desk: Desk) -> None:
    typed(desk, "plan: kl01\nissuer: [")
    page = desk.get("/plans/kl01/preview").text
    assert "Văn bản còn lỗi" in page
    assert 'name="hash"' not in page
    assert desk.post("/plans/kl01/application", {"hash": "", "reason": REASON}).status_code == 422
    assert len(desk.all_of(PlanDraft)) == len(desk.all_of(Revision)) == 1


def test_a_revision_is_brought_back_with_its_dates_shown_first(desk: Desk) -> None:
    typed(desk, LATER)
    page = desk.get("/plans/kl01/preview").text
    desk.post("/plans/kl01/application", {"hash": shown_hash(page), "policy": "tell", "reason": REASON})
    assert "/plans/kl01/preview?restore=1" in desk.get("/plans/kl01/revisions/1").text
    back = desk.get("/plans/kl01/preview?restore=1").text
    assert "sớm 20 ngày" in back
    done = desk.post(
        "/plans/kl01/application", {"hash": shown_hash(back), "policy": "move", "reason": "Nhầm", "restore": "1"}
    )
    assert done.status_code == 303
    assert [(each.number, each.restores, each.text) for each in desk.all_of(Revision)][-1] == (3, 1, YEARLY)
    assert "khôi phục bản 1" in desk.get("/plans/kl01/history").text


def test_dates_are_for_admins_alone(desk: Desk) -> None:
    desk.into_real_time()
    secretariat = desk.seen_by(UserRole.SECRETARIAT)
    for path in ("/plans/kl01/preview", "/plans/kl01/history", "/plans/kl01/revisions/1"):
        assert secretariat.get(path).status_code == 403
    assert secretariat.post("/plans/kl01/application", {"hash": "", "reason": REASON}).status_code == 403


def test_other_words_than_those_that_come_into_force_stay_a_draft(desk: Desk) -> None:
    typed(desk, LATER)
    page = desk.get("/plans/kl01/preview").text
    desk.post("/plans/kl01/application", {"hash": shown_hash(page), "policy": "tell", "reason": REASON})
    typed(desk, OTHER)
    back = desk.get("/plans/kl01/preview?restore=1").text
    form = {"hash": shown_hash(back), "policy": "move", "reason": "Nhầm", "restore": "1"}
    assert desk.post("/plans/kl01/application", form).status_code == 303
    assert [each.text for each in desk.all_of(PlanDraft)] == [OTHER]


def test_a_proposal_that_has_no_dates_any_more_can_still_be_withdrawn(desk: Desk) -> None:
    with desk.database.writing() as session:
        given: dict[str, Any] = {"policy": "tell", "diff_hash": "", "reason": REASON, "at": at("2021-12-20")}
        session.add(Proposal(kind="plan", code="kl01", text="plan: kl01", by="office", **given))
    assert "Rút lại" in desk.get("/proposals/1").text
    assert desk.post("/proposals/1/withdrawal").status_code == 303


def test_a_day_that_nobody_can_mean_is_refused(desk: Desk) -> None:
    typed(desk, LATER)
    assert "31/12/9999" in desk.get("/plans/kl01/preview?from=31/12/9999").text


def test_an_open_cycle_whose_new_day_is_past_is_named_as_one_that_stays(desk: Desk) -> None:
    typed(desk, YEARLY.replace("except: {2021: {due: {end_of: M12}", "except: {2021: {due: {date: 2021-12-10}"))
    page = desk.get("/plans/kl01/preview").text
    assert "giữ hạn cũ vì hạn mới đã qua" in page
    assert "thứ Sáu 10/12/2021" in page
    assert "làm gì với chúng?" not in page


def test_each_policy_promises_as_many_messages_as_go_out(desk: Desk) -> None:
    """Five were told the day; one of them has handed in."""
    hand_in(desk.database, desk.task_id("stc"), "2021-12-10")
    typed(desk, LATER)
    assert "nhận tin báo ngày mới: 4 đơn vị." in desk.get("/plans/kl01/preview").text
    typed(desk, YEARLY.replace("14 days before, ", ""))
    assert "nhận tin báo ngày mới: 0 đơn vị." in desk.get("/plans/kl01/preview").text


def test_a_unit_that_nobody_can_be_told_of_any_more_is_named(desk: Desk) -> None:
    typed(desk, LATER)
    assert "không còn ai để báo" not in desk.get("/plans/kl01/preview").text
    with desk.database.writing() as session:
        for contact in session.exec(select(Contact)):
            contact.is_active = "syt" in (contact.email or "")
            session.add(contact)
    page = desk.get("/plans/kl01/preview").text
    assert "nhận tin báo ngày mới: 1 đơn vị." in page
    assert "4 đơn vị đã được báo ngày cũ mà nay không còn ai để báo" in page
    with desk.database.reading() as session:
        assert session.exec(select(Unit.name).where(Unit.code == "stc")).one() in page


def test_a_second_person_sees_all_that_the_first_one_saw_and_the_history_says_what_was_restored(desk: Desk) -> None:
    with desk.database.writing() as session:
        for contact in session.exec(select(Contact)):
            contact.is_active = "syt" in (contact.email or "")
            session.add(contact)
    typed(desk, LATER)
    desk.post("/plans/kl01/application", {"hash": shown_hash(desk.get("/plans/kl01/preview").text), "reason": REASON})
    shown = shown_hash(desk.get("/plans/kl01/preview?restore=1").text)
    with desk.database.writing() as session:
        proposals.propose(
            session, ProposalKind.PLAN, YEARLY.encode(), "kl01.yaml", diff_hash=shown, policy=Policy.TELL, by="user:7",
            reason="Nhầm", now=at("2021-12-20", "09:00"), zone=ZONE, restores=1,
        )  # fmt: skip
    seen = desk.get("/proposals/1").text
    for said in ("khôi phục bản 1", "sớm 20 ngày", "không còn ai để báo", "18 tháng tới", '<span class="del">-'):
        assert said in seen, said
    assert desk.post("/proposals/1/agreement", {"hash": shown_hash(seen)}).status_code == 303
    assert "khôi phục bản 1" in desk.get("/plans/kl01/history").text
    assert [each.restores for each in desk.all_of(Revision)] == [None, None, 1]

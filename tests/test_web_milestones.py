"""Does the page of a plan's milestones show what hangs on a day before it is entered, and enter it once?"""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import httpx
import pytest
from sqlmodel import select

from engine import milestones, revise
from models.milestone import MilestoneDay
from models.plan import Revision
from models.user import UserRole
from tests.builders import HEAD, ZONE, at, step_round
from tests.desk import Desk, shown_hash, sqlite_desk

PLAN = f"""\
{HEAD}milestones:
  congress: {{title: {{vi: Đại hội, en: Congress}}}}
obligations:
  congress-report:
    title: {{vi: Báo cáo sau đại hội, en: Report after the congress}}
    source: II.9
    who: {{kinds: [dang-bo-co-so, chi-bo-co-so]}}
    every: year
    in: 2022
    due: {{after: congress, days: 10}}
"""
ASKED = {"milestone": "congress", "period": "2022", "on": "10/01/2022"}


def entered(desk: Desk, asked: dict[str, str]) -> httpx.Response:
    """Looked at, then entered."""
    return desk.post("/plans/kl01/milestones", asked | {"hash": hash_of(desk, asked)})


def hash_of(desk: Desk, asked: dict[str, str]) -> str:
    return shown_hash(desk.get("/plans/kl01/milestones", params=asked).text)


@pytest.fixture
def desk(sqlite_template: Path, tmp_path: Path) -> Iterator[Desk]:
    with sqlite_desk(sqlite_template, tmp_path, plan=PLAN) as desk:
        yield desk


def test_what_waits_is_listed_and_what_hangs_on_a_day_is_shown_before_it_is_entered(desk: Desk) -> None:
    page = desk.get("/plans/kl01/milestones").text
    assert "Đang chờ mốc" in page
    shown = desk.get("/plans/kl01/milestones", params=ASKED).text
    assert "thứ Năm 20/01/2022" in shown
    assert "Báo cáo sau đại hội" in shown
    assert desk.all_of(MilestoneDay) == []
    done = entered(desk, ASKED)
    assert done.status_code == 303
    told = desk.get(done.headers["location"]).text
    assert "Đã ghi: nhập mốc." in told
    assert "thứ Hai 10/01/2022" in told
    assert "Đang chờ mốc" not in told
    assert len(desk.all_of(MilestoneDay)) == 1


def test_a_day_for_one_unit_concerns_that_one_alone(desk: Desk) -> None:
    shown = desk.get("/plans/kl01/milestones", params=ASKED | {"unit": "stc"}).text
    assert '<td class="num">1<' in shown
    entered(desk, ASKED | {"unit": "stc"})
    for_all = desk.get("/plans/kl01/milestones", params=ASKED | {"on": "11/01/2022"}).text
    alone = desk.get("/plans/kl01/milestones", params=ASKED | {"unit": "snv"}).text
    assert '<td class="num">1<' in alone
    assert '<td class="num">1<' not in for_all


def test_the_others_wait_still_after_the_day_of_one_unit(desk: Desk) -> None:
    asked = ASKED | {"unit": "stc"}
    shown = desk.get("/plans/kl01/milestones", params=asked).text
    assert "10/01/2022 · Chi bộ Sở Tài chính</h2>" in shown
    entered(desk, asked)
    page = desk.get("/plans/kl01/milestones").text
    assert "Đang chờ mốc" in page
    assert "đã nhập ngày riêng của 1 đơn vị" in page
    entered(desk, ASKED | {"on": "11/01/2022"})
    assert "Đang chờ mốc" not in desk.get("/plans/kl01/milestones").text


def adopted(desk: Desk, from_on: date) -> None:
    """The plan is in force from that day."""
    text, now = PLAN.encode(), at("2021-12-20")
    with desk.database.writing() as session:
        revise.apply_plan(session, text, "kl01.yaml", by="office", now=now, zone=ZONE, from_on=from_on)


def test_a_day_that_opens_nothing_says_why_and_what_to_do(desk: Desk) -> None:
    adopted(desk, date(2021, 12, 12))
    late = desk.get("/plans/kl01/milestones", params=ASKED | {"on": "01/12/2021"}).text
    assert "hạn 11/12/2021 trước ngày áp dụng 12/12/2021 của kế hoạch nên không mở" in late
    assert "áp dụng lại kế hoạch từ ngày 11/12/2021" in late
    outside = desk.get("/plans/kl01/milestones", params=ASKED | {"period": "2030"}).text
    assert "Kỳ 2030 ngoài kế hoạch" in outside
    for page in (late, outside):
        assert "Chỉ ghi lại ngày này" in page
        assert "Nhập mốc này" not in page
        assert "Đợt mở ở vòng tới" not in page
    assert "ngoài kế hoạch" not in late
    opens = desk.get("/plans/kl01/milestones", params=ASKED).text
    assert "Nhập mốc này" in opens
    assert "nên không mở" not in opens


def test_a_plan_applied_again_from_an_earlier_day_opens_what_was_reported_late(desk: Desk) -> None:
    asked = ASKED | {"on": "01/12/2021"}
    adopted(desk, date(2021, 12, 11))
    page = desk.get("/plans/kl01/milestones", params=asked).text
    assert "nên không mở" not in page
    assert "Nhập mốc này" in page


def test_a_day_for_all_names_the_units_that_keep_their_own(desk: Desk) -> None:
    entered(desk, ASKED | {"unit": "stc"})
    said = "Chi bộ Sở Tài chính đã có ngày riêng 10/01/2022"
    assert said in desk.get("/plans/kl01/milestones", params=ASKED | {"on": "11/01/2022"}).text
    assert said not in desk.get("/plans/kl01/milestones", params=ASKED | {"unit": "snv"}).text


def test_the_day_of_a_unit_is_for_whoever_manages_it(desk: Desk) -> None:
    desk.into_real_time()
    with desk.database.writing() as session:
        text = PLAN.replace("issuer: duk", "issuer: snv").encode()
        revise.apply_plan(session, text, "kl01.yaml", by="office", now=at("2021-12-20"), zone=ZONE)
    part = desk.seen_by(UserRole.ADMIN, "snv")
    assert part.get("/plans/kl01/milestones", params=ASKED | {"unit": "stc"}).status_code == 404
    assert part.post("/plans/kl01/milestones", ASKED | {"unit": "stc"}).status_code == 404
    assert desk.all_of(MilestoneDay) == []
    assert entered(part, ASKED | {"unit": "snv"}).status_code == 303
    day = date(2022, 1, 10)
    with desk.database.writing() as session:
        milestones.enter(
            session, "kl01", "congress", "2022", day, unit_code="stc", by="office", now=at("2021-12-20")
        )  # fmt: skip
    statuses = [part.post(f"/plans/kl01/milestones/{n}/removal", {"reason": "Nhầm"}).status_code for n in (2, 1)]
    assert statuses == [404, 303]


@pytest.mark.parametrize(
    "bad", [{"on": "tomorrow"}, {"on": ""}, {"period": "soon"}, {"milestone": "party"}, {"unit": "nobody"}]
)
def test_what_is_not_known_is_refused_and_kept(desk: Desk, bad: dict[str, str]) -> None:
    assert desk.get("/plans/kl01/milestones", params=ASKED | bad).status_code == 422
    assert desk.post("/plans/kl01/milestones", ASKED | bad).status_code == 422
    assert desk.all_of(MilestoneDay) == []


def test_another_day_for_what_has_happened_is_refused(desk: Desk) -> None:
    entered(desk, ASKED)
    refused = desk.post("/plans/kl01/milestones", ASKED | {"on": "12/01/2022"})
    assert refused.status_code == 422
    assert len(desk.all_of(MilestoneDay)) == 1


def test_a_day_by_which_no_dates_can_be_is_refused_before_it_stops_the_rounds(desk: Desk) -> None:
    bad = ASKED | {"on": "31/12/9999"}
    assert desk.get("/plans/kl01/milestones", params=bad).status_code == 422
    assert desk.post("/plans/kl01/milestones", bad).status_code == 422
    assert desk.all_of(MilestoneDay) == []
    step_round(desk.database, at("2021-12-21"))


def test_a_day_entered_by_mistake_is_taken_back_until_something_is_open_by_it(desk: Desk) -> None:
    entered(desk, ASKED | {"on": "10/01/2023"})
    assert desk.post("/plans/kl01/milestones/1/removal", {"reason": " "}).status_code == 422
    done = desk.post("/plans/kl01/milestones/1/removal", {"reason": "Nhầm năm"})
    assert "Đã ghi: bỏ mốc đã nhập." in desk.get(done.headers["location"]).text
    assert desk.all_of(MilestoneDay) == []
    entered(desk, ASKED)
    step_round(desk.database, at("2022-01-11"))
    refused = desk.post("/plans/kl01/milestones/1/removal", {"reason": "Nhầm"})
    assert refused.status_code == 422
    assert "chưa mở đợt nào" in refused.text
    assert len(desk.all_of(MilestoneDay)) == 1


@pytest.mark.parametrize("unit", ["", "stc"], ids=["for all", "for one unit"])
@pytest.mark.parametrize("meanwhile", ["a day for all", "a day of one unit", "another revision"])
def test_a_day_is_not_entered_when_something_else_hangs_on_it_than_was_shown(
    desk: Desk, unit: str, meanwhile: str
) -> None:
    asked = ASKED | {"unit": unit}
    stale = hash_of(desk, asked)
    with desk.database.writing() as session:
        if meanwhile == "another revision":
            text = PLAN.replace("days: 10", "days: 12").encode()
            revise.apply_plan(session, text, "kl01.yaml", by="user:7", now=at("2021-12-20"), zone=ZONE)
        else:
            other = {"a day for all": None, "a day of one unit": "snv"}[meanwhile]
            day = date(2022, 1, 12)
            milestones.enter(
                session, "kl01", "congress", "2022", day, unit_code=other, by="user:7", now=at("2021-12-20")
            )  # fmt: skip
    before = len(desk.all_of(MilestoneDay))
    refused = desk.post("/plans/kl01/milestones", asked | {"hash": stale})
    assert refused.status_code == 422
    assert len(desk.all_of(MilestoneDay)) == before
    if (unit, meanwhile) == ("", "a day for all"):
        assert "12/01/2022" in refused.text
    else:
        assert "Dưới đây là những hạn mở theo tình hình lúc này." in refused.text
        assert desk.post("/plans/kl01/milestones", asked | {"hash": shown_hash(refused.text)}).status_code == 303


def test_a_unit_that_owes_it_already_is_not_counted_again(desk: Desk) -> None:
    entered(desk, ASKED)
    step_round(desk.database, at("2022-01-11"))
    own = desk.get("/plans/kl01/milestones", params=ASKED | {"on": "15/01/2022", "unit": "stc"}).text
    assert '<td class="num">0<' in own


def test_a_plan_that_a_day_has_stuck_is_named_in_the_inbox_and_mended_on_its_page(desk: Desk) -> None:
    now = at("2021-12-20")
    with desk.database.writing() as session:
        revision = session.exec(select(Revision)).one()
        revision.next_open_on = date.min  # as a round leaves it that could not look through
        session.add(revision)
        bad = MilestoneDay(
            plan_id=revision.plan_id, milestone="congress", period="2022", on=date.max, entered_at=now, by="office"
        )
        session.add(bad)
    said = "Kế hoạch kl01 không tính được ngày"
    assert said in desk.get("/inbox").text
    for path in ("/plans/kl01", "/plans/kl01/preview", "/plans/kl01/milestones", "/calendar"):
        assert desk.get(path).status_code in (200, 422), path
    assert desk.post("/plans/kl01/milestones/1/removal", {"reason": "Nhầm"}).status_code == 303
    assert said not in desk.get("/inbox").text

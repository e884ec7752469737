"""Do the plans of the three undated directives say what was ordered, of whom, by what way, and no date as the law's?"""

import csv
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import chain
from pathlib import Path

import pytest
from sqlmodel import Session, select

from dondoc.cli import main
from dondoc.database import Database
from engine.known import known
from models.unit import Unit, matching
from samples import organisation
from schedules import load, shipped
from schedules.audience import Audience
from schedules.calendars import Calendar
from schedules.check import check
from schedules.plan import Obligation, Plan, Receiver, SetBy
from schedules.timeline import Row, timeline

CODES = ("kl01-thi-uy", "kl01-huyen-uy", "kl01-thanh-uy")
BODIES = ("thi-uy", "huyen-uy", "thanh-uy")
GOLDEN = Path(__file__).parent / "golden"
FIRST, LAST = date(2019, 1, 1), date(2030, 12, 31)
DAY = date(2024, 12, 31)
#: The day of the conference; the city's letter bears none, its year is the office's reading.
GIVEN = {"kl01-thi-uy": date(2024, 4, 9), "kl01-huyen-uy": date(2024, 3, 28), "kl01-thanh-uy": date(2024, 1, 1)}

#: The lines of a comment, and the obligation below it.
COMMENTED = re.compile(r"((?:^  # .*\n)+)  ([a-z-]+):$", re.MULTILINE)
QUOTED, OTHER = re.compile('"[^"]+ [^"]+"'), re.compile("[Oo]ther readings?:")

SUPERIOR = Receiver()
HALVES = ["2024-H1", "2024-H2", "2025-H1", "2025-H2"]
YEARS = ["2024", "2025"]
QUARTERS = [f"{year}-Q{quarter}" for year in YEARS for quarter in range(1, 5)]

#: plan -> obligation -> clauses, to and through whom, periods
ORDERS: dict[str, dict[str, tuple[tuple[str, ...], Receiver, list[str]]]] = {
    "kl01-thi-uy": {
        # "Tiếp tục làm tốt công tác kiểm tra, giám sát"
        "inspection": (("II.3", "III.1"), SUPERIOR, YEARS),
        # "Định kỳ báo cáo … cho Ban Thường vụ Thị ủy", "qua Ban Tuyên giáo"
        "progress-report": (("III.1",), Receiver("thi-uy", "btg-thi-uy"), HALVES),
        # "tiếp tục đẩy mạnh công tác giám sát"
        "front-supervision": (("III.2",), SUPERIOR, YEARS),
        # "định kỳ tổng hợp, báo cáo kết quả cho Ban Thường vụ Thị ủy"
        "consolidated-report": (("III.3",), Receiver("thi-uy"), HALVES),
    },
    "kl01-huyen-uy": {
        # "Thực hiện nghiêm túc, hiệu quả và thực chất công tác kiểm tra, giám sát"
        "inspection": (("I.4",), SUPERIOR, YEARS),
        # "theo dõi, giám sát …, kịp thời báo cáo Huyện ủy"
        "supervision-report": (("II.2",), Receiver("huyen-uy"), QUARTERS[1:]),
    },
    "kl01-thanh-uy": {
        # "Tăng cường kiểm tra, giám sát"
        "inspection": (("5",), SUPERIOR, YEARS),
        # "thường xuyên đôn đốc, kiểm tra"
        "chasing": (("6",), Receiver("thanh-uy"), QUARTERS),
        # "định kỳ sơ kết"
        "review": (("6",), Receiver("thanh-uy"), ["2024-H1", "2025-H1"]),
        # "tổng kết … và báo cáo kết quả về Ban Thường vụ Thành ủy"
        "summary": (("6",), Receiver("thanh-uy"), YEARS),
    },
}

TOWN_BODIES = {
    *(f"{each}-thi-uy" for each in ("phuong-bac", "phuong-nam", "xa-dong", "xa-tay", "congan", "tand", "vksnd", "cct")),
    *("ubnd-thi-xa", "ubnd-phuong-bac", "ubnd-xa-dong"),
}
DISTRICT_BODIES = {
    *(f"{each}-huyen-uy" for each in ("thitran", "xa-thuong", "xa-trung", "xa-ha", "congan", "tand", "vksnd", "ttyt")),
    "ubnd-huyen",
}
CITY_BODIES = {
    *("quan-uy-bac", "quan-uy-nam", "huyen-uy-dong", "huyen-uy-tay"),
    *(f"{each}-thanh-uy" for each in ("bcs-ubnd", "bcs-tand", "dd-hdnd", "dd-ldld", "ccq", "congan", "snv", "sgddt")),
}


def front(top: str) -> set[str]:
    return {f"{each}-{top}" for each in ("mttq", "ldld", "hnd", "hlhpn", "doan", "hccb")}


def boards(top: str) -> set[str]:
    return {f"{each}-{top}" for each in ("vp", "btg", "btc", "bdv", "ubkt")}


#: (plan, obligation) -> the units of the sample organisation that owe it
OWING = {
    # "Các cấp ủy, tổ chức đảng, chính quyền"
    ("kl01-thi-uy", "inspection"): TOWN_BODIES,
    ("kl01-thi-uy", "progress-report"): TOWN_BODIES,
    # "Mặt trận Tổ quốc và các tổ chức chính trị - xã hội thị xã"
    ("kl01-thi-uy", "front-supervision"): front("thi-uy"),
    # "Ban Tuyên giáo Thị ủy"
    ("kl01-thi-uy", "consolidated-report"): {"btg-thi-uy"},
    # "các cấp ủy Đảng, chính quyền, Ủy ban MTTQ Việt Nam và các tổ chức chính trị - xã hội"
    ("kl01-huyen-uy", "inspection"): DISTRICT_BODIES | front("huyen-uy"),
    # "Ban Tuyên giáo Huyện ủy và các cơ quan chuyên trách tham mưu, …, Mặt trận và các tổ chức chính trị - xã hội"
    ("kl01-huyen-uy", "supervision-report"): boards("huyen-uy") | front("huyen-uy"),
    # "Kính gửi", without the board whose checking stands in 6
    ("kl01-thanh-uy", "inspection"): CITY_BODIES
    | front("thanh-uy")
    | boards("thanh-uy") - {"btg-thanh-uy"}
    | {"bnc-thanh-uy"},
    # "Ban Tuyên giáo Thành ủy chủ trì"
    ("kl01-thanh-uy", "chasing"): {"btg-thanh-uy"},
    ("kl01-thanh-uy", "review"): {"btg-thanh-uy"},
    ("kl01-thanh-uy", "summary"): {"btg-thanh-uy"},
}


def text(code: str) -> str:
    return shipped.plans()[code].read_text(encoding="utf-8")


def read(code: str) -> Plan:
    plan, problems = load.read(shipped.plans()[code])
    assert plan is not None, [problem.text("en") for problem in problems]
    return plan


@pytest.fixture(scope="module")
def calendar() -> Calendar:
    calendar, problems = load.read_calendar(shipped.calendars()["vn-state"])
    assert calendar is not None, [problem.text("en") for problem in problems]
    return calendar


@pytest.fixture(scope="module")
def plans() -> dict[str, Plan]:
    return {code: read(code) for code in CODES}


@pytest.fixture(scope="module")
def rows(plans: dict[str, Plan], calendar: Calendar) -> dict[str, list[Row]]:
    return {code: timeline(plan, calendar, {}, FIRST, LAST) for code, plan in plans.items()}


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('organisation') / 'dondoc.sqlite'}")
    database.upgrade()
    with database.writing() as session:
        organisation.load(session, now=datetime(2021, 10, 1, tzinfo=UTC), zone="Asia/Ho_Chi_Minh")
    with database.reading() as session:
        yield session
    database.close()


def owing(session: Session, who: Audience) -> set[str]:
    units = dict(session.exec(select(Unit.id, Unit.code)).all())
    return {units[placement.unit_id] for placement in session.scalars(matching(who, DAY))}


def below(session: Session, top: str) -> set[str]:
    return owing(session, Audience(under=frozenset({top})))


def asked(plan: Plan, rows: list[Row]) -> dict[str, tuple[tuple[str, ...], Receiver, list[str]]]:
    labels: dict[str, list[str]] = {each.code: [] for each in plan.obligations}
    for row in rows:
        labels[row.occurrence.obligation.code].append(row.occurrence.period.label)
    return {each.code: (each.source, each.receiver, labels[each.code]) for each in plan.obligations}


@pytest.mark.parametrize("code", CODES)
def test_each_order_is_one_obligation_with_its_clause_its_way_and_its_periods(
    code: str, plans: dict[str, Plan], rows: dict[str, list[Row]]
) -> None:
    assert asked(plans[code], rows[code]) == ORDERS[code]


@pytest.mark.parametrize("code", CODES)
def test_the_timeline_is_the_golden_one(
    code: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["timeline", str(shipped.plans()[code])]) == 0
    assert capsys.readouterr().out == (GOLDEN / f"{code}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("code", CODES)
def test_each_order_falls_to_those_whom_it_names(code: str, plans: dict[str, Plan], session: Session) -> None:
    found = {(code, each.code): owing(session, each.who) for each in plans[code].obligations}
    assert found == {key: units for key, units in OWING.items() if key[0] == code}


@pytest.mark.parametrize("code", CODES)
def test_no_date_is_called_the_documents(code: str, plans: dict[str, Plan], rows: dict[str, list[Row]]) -> None:
    said = {said for each in plans[code].obligations for said in chosen_by(each)}
    assert said == {SetBy.OFFICE}
    assert {row.day.set_by for row in rows[code]} == {SetBy.OFFICE}


def chosen_by(obligation: Obligation) -> set[SetBy]:
    cadences = [obligation.cadence, *(each.cadence for each in obligation.variants)]
    exceptions = chain.from_iterable(each.exceptions for each in cadences)
    return {each.set_by for each in cadences} | {each.set_by for each in exceptions if each.set_by is not None}


@pytest.mark.parametrize("code", CODES)
def test_every_obligation_quotes_its_order_and_names_another_reading(code: str) -> None:
    """In the comment above it, where the clerk who edits the file looks."""
    comments = {name: " ".join(told.split("\n  # ")) for told, name in COMMENTED.findall(text(code))}
    assert set(comments) == set(ORDERS[code])
    assert [name for name, told in comments.items() if not (QUOTED.search(told) and OTHER.search(told))] == []


@pytest.mark.parametrize("code", CODES)
def test_nothing_begins_before_its_document(code: str, rows: dict[str, list[Row]]) -> None:
    assert min(row.day.opens_on for row in rows[code]) > GIVEN[code]
    assert {row.occurrence.obligation.valid_from for row in rows[code]} == {GIVEN[code]}


def test_the_propaganda_board_of_the_town_has_the_units_reports_before_it_owes_its_own(
    rows: dict[str, list[Row]],
) -> None:
    due = {(row.occurrence.obligation.code, row.occurrence.period.label): row.day.due_on for row in rows["kl01-thi-uy"]}
    assert [(due["progress-report", half], due["consolidated-report", half]) for half in HALVES] == [
        (date(2024, 6, 30), date(2024, 7, 12)),
        (date(2024, 12, 31), date(2025, 1, 15)),  # 1 January is off
        (date(2025, 6, 30), date(2025, 7, 14)),
        (date(2025, 12, 31), date(2026, 1, 15)),  # 1 and 2 January are off, Saturday the 10th is worked
    ]


@pytest.mark.parametrize("code", CODES)
def test_each_plan_keeps_to_its_own_body(code: str, plans: dict[str, Plan], session: Session) -> None:
    plan = plans[code]
    own = below(session, plan.issuer)
    for each in plan.obligations:
        assert owing(session, each.who) <= own - {plan.issuer}
        assert {each.receiver.to or plan.issuer, each.receiver.via or plan.issuer} <= own


def test_the_blocs_plan_asks_nothing_of_the_other_bodies(session: Session) -> None:
    """Its audiences name kinds of the whole organisation."""
    bloc = read("kl01-khoi")
    asked = set().union(*(owing(session, each.who) for each in bloc.obligations))
    assert asked
    for code in CODES:
        assert not asked & below(session, read(code).issuer)


def test_the_bodies_stand_where_they_belong_and_can_be_escalated_to(session: Session) -> None:
    with organisation.UNITS.open(encoding="utf-8", newline="") as file:
        units = {row["code"]: row for row in csv.DictReader(file)}
    assert {code: units[code]["parent"] for code in BODIES} == {
        "thi-uy": "tinh-uy",
        "huyen-uy": "tinh-uy",
        "thanh-uy": "",
    }
    assert {code: len(below(session, code)) for code in BODIES} == {"thi-uy": 23, "huyen-uy": 21, "thanh-uy": 25}
    for code in BODIES:
        for unit in below(session, code):
            assert units[unit]["contact_email"]
            assert units[unit]["head_email"]
        assert units[code]["secretariat_email"]
        assert units[code]["standing_email"]


@pytest.mark.parametrize("code", sorted(shipped.plans()))
def test_a_shipped_plan_gives_no_warning_beside_the_sample_organisation(
    code: str, session: Session, calendar: Calendar
) -> None:
    path: Path = shipped.plans()[code]
    assert [problem.text("en") for problem in check(path, known(session), {calendar.code: calendar})] == []

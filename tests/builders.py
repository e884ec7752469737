"""Who is who in the tests? One small, named province, and the plan it works by."""

from collections.abc import Callable
from datetime import date, datetime
from functools import cache
from inspect import signature
from pathlib import Path
from typing import Any, TypeVar

from sqlmodel import Session, col, select

from dondoc.clock import moment
from dondoc.database import Database
from engine import revise, submit
from engine.fire import Fired, fire
from engine.open import Opened, open_due
from models import tables
from models.contact import Contact, Role
from models.cycle import Cycle
from models.extension import Extension
from models.step import Step, StepState
from models.submission import Submission
from models.task import Task
from models.unit import Placement, Unit, UnitTag, path_of
from schedules import load
from schedules.calendars import Calendar

T = TypeVar("T")
ZONE = "Asia/Ho_Chi_Minh"
PLANS = Path(__file__).parent.parent / "schedules"

#: code: (name, kind, parent, roles with a contact)
UNITS = {
    "tinh-uy": ("Tỉnh ủy", "tinh-uy", None, "secretariat standing"),
    "duk": ("Đảng ủy Khối các cơ quan tỉnh", "dang-uy-khoi", "tinh-uy", "contact head secretariat standing"),
    "stc": ("Chi bộ Sở Tài chính", "chi-bo-co-so", "duk", "contact head"),
    "snv": ("Đảng bộ Sở Nội vụ", "dang-bo-co-so", "duk", "contact head secretariat"),
    "syt": ("Đảng bộ Sở Y tế", "dang-bo-co-so", "duk", "contact head secretariat"),
    "stt": ("Chi bộ Thanh tra tỉnh", "chi-bo-co-so", "duk", "contact head"),
    "cam": ("Chi bộ Cảng vụ", "chi-bo-co-so", "duk", ""),  # nobody can be reached here
    "doan-khoi": ("Đoàn Khối các cơ quan tỉnh", "doan-the", "duk", "contact head"),
    "snv-1": ("Chi bộ Văn phòng Sở Nội vụ", "chi-bo-truc-thuoc", "snv", "contact head"),
    "snv-2": ("Chi bộ Thanh tra Sở Nội vụ", "chi-bo-truc-thuoc", "snv", "contact head"),
}

#: The yearly report of plan 003 alone, with its exception for 2021.
YEARLY = """\
plan: kl01
title: {vi: Thực hiện Kết luận 01-KL/TW, en: Carrying out Conclusion 01-KL/TW}
document: {vi: Kế hoạch thực hiện Kết luận số 01-KL/TW, en: Plan for Conclusion 01-KL/TW}
issuer: duk
calendar: vn-state
term: 2021..2025
defaults:
  opens: 30 days before due
  roll: none
  at: "08:00"
  grace: 30 days
  remind: [14 days before, 7 days before, 3 working days before, due day]
  escalate:
    - {after: 1 working day, to: unit.head}
    - {after: 3 working days, to: superior.secretariat}
    - {after: 10 working days, to: issuer.standing}
obligations:
  annual-report:
    title: {vi: Báo cáo kết quả hằng năm, en: Yearly report}
    source: II.8.3
    who: {kinds: [dang-bo-co-so, chi-bo-co-so, doan-the]}
    every: year
    in: 2021..2025
    due: {end_of: Q3}
    except: {2021: {due: {end_of: M12}, why: II.8.3}}
    fields:
      studied: {type: number, label: {vi: Số đảng viên đã học, en: Members who studied}, target: 2}
      results: {type: long_text, label: {vi: Kết quả nổi bật, en: Main results}}
    file: {types: [pdf, docx]}
"""
#: The plan without its obligations.
HEAD = YEARLY.partition("obligations:")[0]
ANSWERS: dict[str, object] = {"studied": "86", "results": "Tổ chức 4 buổi sinh hoạt chuyên đề."}


def at(day: str, hour: str = "08:00") -> datetime:
    """The UTC moment of an hour of a day in Vietnam."""
    return moment(date.fromisoformat(day), hour, ZONE)


def add_units(
    session: Session, units: dict[str, tuple[str, str, str | None, str]], since: date = date(2020, 1, 1)
) -> None:
    """Adds units that are there from a day on, below others of the same list or below those that are there."""
    paths: dict[str | None, str] = {None: ""}
    ids: dict[str | None, int] = {None: 0}
    known = select(Unit.code, Unit.id, Placement.path).join(Placement, col(Placement.unit_id) == col(Unit.id))
    for code, id_, path in session.exec(known.where(col(Placement.valid_to).is_(None))):
        ids[code], paths[code] = id_, path
    for code, (name, kind, parent, roles) in units.items():
        unit = Unit(code=code, name=name)
        session.add(unit)
        session.flush()
        ids[code], paths[code] = unit.id, path_of(unit.id, paths[parent])
        session.add(
            Placement(
                unit_id=unit.id,
                parent_id=ids[parent] or None,
                path=paths[code],
                kind=kind,
                valid_from=since,
            )
        )
        for role in roles.split():
            email = f"{role}.{code}@example.org"
            session.add(Contact(unit_id=unit.id, role=Role(role), name=f"{role} {name}", email=email))
    session.flush()


def tag(session: Session, code: str, tag: str) -> None:
    session.add(UnitTag(unit_id=unit_id(session, code), tag=tag))


@cache
def vn_state() -> Calendar:
    calendar, problems = load.read_calendar(PLANS / "calendars" / "vn-state.yaml")
    assert calendar is not None, problems
    return calendar


def province(
    database: Database,
    plan: str = YEARLY,
    on: str = "2021-10-01",
    units: dict[str, tuple[str, str, str | None, str]] = UNITS,
) -> None:
    """The units, the calendar and the plan, adopted on a day."""
    with database.writing() as session:
        add_units(session, units)
        revise.apply_calendar(session, vn_state(), by="office", now=at(on))
        revise.apply_plan(session, plan.encode(), "plan.yaml", by="office", now=at(on), zone=ZONE)


def unit_id(session: Session, code: str) -> int:
    return session.exec(select(Unit).where(col(Unit.code) == code)).one().id


def task_of(session: Session, unit: str, period: str, obligation: str = "annual-report") -> Task:
    return session.exec(
        select(Task)
        .join(Cycle, col(Cycle.id) == col(Task.cycle_id))
        .where(
            col(Task.unit_id) == unit_id(session, unit),
            col(Cycle.period) == period,
            col(Cycle.obligation) == obligation,
        )
    ).one()


def step_round(database: Database, now: datetime) -> tuple[Opened, Fired]:
    """A round without the sending."""
    with database.writing() as session:
        opened = open_due(session, now, ZONE)
    with database.writing() as session:
        fired = fire(session, now, ZONE)
    return opened, fired


def act_of(database: Database, verb: Callable[..., T], task_id: int, day: str, hour: str = "09:00", **given: Any) -> T:
    """One act of the engine in its own transaction, by the office unless the test says otherwise."""
    now = at(day, hour)
    known = {"by": "office", "now": now, "zone": ZONE}
    taken = {name: value for name, value in known.items() if name in signature(verb).parameters}
    with database.writing() as session:
        return verb(session, task_id, **(taken | given))


def hand_in(database: Database, task_id: int, day: str, hour: str = "09:00", key: str = "") -> Submission:
    """A unit hands the yearly report in by its link."""
    given = {"answers": ANSWERS, "files": (), "key": key or f"key:{task_id}:{day}:{hour}", "by": "contact:1"}
    return act_of(database, submit.submit, task_id, day, hour, **given)


def id_of(database: Database, unit: str, period: str = "2021", obligation: str = "annual-report") -> int:
    with database.reading() as session:
        return task_of(session, unit, period, obligation).id


def everything(session: Session) -> dict[str, list[Any]]:
    """All rows of all tables, to see that nothing was written."""
    return {
        table.name: sorted(session.execute(table.select()).all(), key=repr) for table in tables.metadata.sorted_tables
    }


def assert_counts_add_up(database: Database) -> None:
    """Every fired step accounts for each task that its deadline had until then."""
    with database.reading() as session:
        for step in session.exec(select(Step).where(col(Step.state) == StepState.FIRED.value)):
            stayed = session.exec(select(Task.id).where(col(Task.deadline_id) == step.deadline_id)).all()
            left = session.exec(
                select(Extension.task_id).where(col(Extension.from_deadline_id) == step.deadline_id)
            ).all()
            assert step.counts is not None
            assert sum(step.counts.values()) == len({*stayed, *left}), (step.id, step.counts)

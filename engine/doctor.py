"""What should somebody look at? Findings about the office; this mends nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import and_, exists, text
from sqlmodel import Session, col, select

from dondoc.clock import today
from engine.ahead import Opening, opening_soon
from engine.errors import RefusedError
from engine.plans import active_revision, sound_timeline, stuck
from engine.zalo_account import accounts, trouble
from models.contact import Contact, Role, holding
from models.cycle import ADHOC, Cycle, CycleState
from models.day import CalendarSheet
from models.deadline import Deadline, Origin
from models.extension import is_left
from models.last_round import LATE, LastRound, last_round
from models.message import Message, MessageState
from models.plan import Plan, Revision
from models.unit import Placement, Unit, valid


@dataclass(frozen=True, slots=True)
class Moved:
    """An open cycle whose rows are no longer what the plan and the calendar say today."""

    cycle: int
    plan: str
    obligation: str
    period: str
    rows: tuple[str, ...]  #: due days as opened, with their level
    fresh: tuple[str, ...]  #: the same as compiled today


class Rounds(StrEnum):
    """How the last round stands to the present moment."""

    NEVER = "never"
    LATE = "late"
    IN_TIME = "in_time"
    AHEAD = "ahead"  #: it was in the future: the clock of this machine has been put back since


@dataclass(frozen=True, slots=True)
class Examination:
    provisional: dict[str, list[int]]  #: calendar -> the years in use that have no entered decision
    unreachable: tuple[str, ...]  #: codes of units whose contact cannot be told
    ahead: tuple[Opening, ...]  #: what opens soon for some of these
    stuck: tuple[tuple[str, RefusedError], ...]  #: plans of which nothing opens, and why
    moved: tuple[Moved, ...]
    zalo: tuple[tuple[str, str], ...]  #: alias of an Official Account and the code of what is wrong with it
    unknown: tuple[Message, ...]  #: that the other side may or may not have
    round: LastRound | None
    rounds: Rounds


def examine(session: Session, now: datetime, zone: str) -> Examination:
    """The office as of a moment."""
    on, last = today(now, zone), last_round(session)
    unknown = select(Message).where(col(Message.state) == MessageState.UNKNOWN.value).order_by(col(Message.id))
    return Examination(
        _provisional(session, on),
        _unreachable(session, on),
        opening_soon(session, now, zone),
        tuple(stuck(session)),
        tuple(_moved(session, on)),
        tuple((each.alias, why) for each in accounts(session) if (why := trouble(each, now)) is not None),
        tuple(session.exec(unknown)),
        last,
        _rounds(last, now),
    )


def faults(session: Session) -> list[str]:
    """What the database itself finds wrong with its file."""
    if session.get_bind().dialect.name != "sqlite":
        session.execute(text("SELECT 1"))
        return []
    broken = [str(row[0]) for row in session.execute(text("PRAGMA integrity_check")) if row[0] != "ok"]
    orphans = session.execute(text("PRAGMA foreign_key_check"))
    return broken + [f"{row[0]} {row[1]}: {row[2]}" for row in orphans]


def _rounds(last: LastRound | None, now: datetime) -> Rounds:
    if last is None:
        return Rounds.NEVER
    if last.at > now:
        return Rounds.AHEAD
    return Rounds.LATE if now - last.at > LATE else Rounds.IN_TIME


def _provisional(session: Session, on: date) -> dict[str, list[int]]:
    """This year and the next, by calendar."""
    sheets = session.exec(select(CalendarSheet).order_by(col(CalendarSheet.code)))
    years = (on.year, on.year + 1)
    missing = {sheet.code: [year for year in years if year not in sheet.decided] for sheet in sheets}
    return {code: found for code, found in missing.items() if found}


def _unreachable(session: Session, on: date) -> tuple[str, ...]:
    reachable = holding(Role.CONTACT).whereclause
    assert reachable is not None
    told = exists().where(and_(col(Contact.unit_id) == col(Unit.id), reachable))
    query = select(Unit.code).join(Placement, col(Placement.unit_id) == col(Unit.id)).where(valid(on), ~told)
    return tuple(session.exec(query.order_by(col(Unit.code))))


def _moved(session: Session, on: date) -> Iterator[Moved]:
    for plan in session.exec(select(Plan).order_by(col(Plan.id))):
        revision = active_revision(session, plan.code)
        timeline = sound_timeline(session, revision) if revision is not None else None
        if timeline is None or not timeline.occurrences:
            continue
        fresh = {(each.obligation.code, each.period.label): each.days for each in timeline.occurrences}
        cycles = select(Cycle).where(col(Cycle.plan_id) == plan.id, col(Cycle.state) == CycleState.OPEN.value)
        for cycle in session.exec(cycles.order_by(col(Cycle.id))):
            if cycle.period.startswith(ADHOC):  # no timeline has it: its dates were counted from its opening
                continue
            since = session.get_one(Revision, cycle.revision_id).from_on
            rows = session.exec(
                select(Deadline).where(
                    col(Deadline.cycle_id) == cycle.id,
                    col(Deadline.origin).in_([Origin.PLAN.value, Origin.MILESTONE.value]),
                    col(Deadline.due_on) >= since,
                    ~is_left(),
                )
            )
            days = [
                day
                for day in fresh.get((cycle.obligation, cycle.period), ())
                if day.due_on >= since and not (day.milestone and day.opens_on > on)
            ]
            as_opened = _told((row.level, row.due_on, row.grace_until) for row in rows)
            as_compiled = _told((day.level, day.due_on, day.grace_until) for day in days)
            if as_opened != as_compiled:
                yield Moved(cycle.id, plan.code, cycle.obligation, cycle.period, as_opened, as_compiled)


def _told(days: Iterator[tuple[str, date, date | None]]) -> tuple[str, ...]:
    """level due..grace, in order."""
    return tuple(sorted(f"{level} {due_on}..{until or ''}".strip() for level, due_on, until in days))

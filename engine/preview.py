"""What would a plan change? Every date that differs, whom it concerns, who was told, and what the next months bring."""

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

from sqlalchemy import exists
from sqlmodel import Session, col, select

from dondoc.clock import today
from engine.errors import InvalidPlanError, RefusedError
from engine.estimate import USUAL
from engine.extend import check_not_too_far
from engine.headcount import Headcount
from engine.hearers import can_hear
from engine.outlook import Ahead, Month, ahead, months
from engine.plans import active_revision, milestones_of, plan_of, sound_timeline
from engine.transfers import Name, Switch, Transfer, Version, transfers
from models.cycle import Cycle
from models.day import calendar_of
from models.deadline import Deadline, Origin
from models.notice import Notice
from models.plan import Plan, Revision
from models.task import OWING, Task
from models.unit import Unit, unit_by_code
from notifications.pace import Pace
from schedules import load
from schedules.calendars import Calendar
from schedules.check import dated, located
from schedules.diff import Change, Way, compare
from schedules.plan import Obligation
from schedules.plan import Plan as PlanFile
from schedules.problem import Problem
from schedules.timeline import NO_MILESTONES, DueDay, Timeline

NAMED: Final = 20  #: unreachable units


@dataclass(frozen=True, slots=True)
class Moved:
    """A change with those whom it concerns. Units are counted, never read one by one."""

    plan: str
    change: Change
    cycle_id: int | None  #: None: it is not open yet and comes as the new plan says, whatever the policy
    units: int  #: who owes it
    told: int = 0  #: of those, the ones who were told a day
    submitted: int = 0  #: of those, the ones whose report is in: for them nothing changes
    to_tell: int = 0  #: owe it still and were told another day than the new one, or another end of its grace
    told_later: int = 0  #: of those, the ones who were told a later one: they are told whenever it moves
    unreachable: int = 0  #: would be told, and neither the unit nor who chases it can be reached

    def as_json(self) -> dict[str, object]:
        """As `dondoc plans diff --json` prints it; `from` and `to` are nominal days."""
        before, after = self.change.before, self.change.after
        return {
            "obligation": self.change.obligation,
            "period": self.change.period,
            "level": self.change.level,
            "from": before.nominal_on.isoformat() if before else None,
            "to": after.nominal_on.isoformat() if after else None,
            "units": self.units,
            "told": self.told,
            "submitted": self.submitted,
        }


@dataclass(frozen=True, slots=True)
class Effect:
    """What changes, to be shown, and what `move` does to open cycles, to be done."""

    changes: tuple[Moved, ...]  #: in the order of their days
    transfers: tuple[Transfer, ...]


@dataclass(frozen=True, slots=True)
class Fit:
    """A text that may come into force, with its dates."""

    plan: PlanFile
    calendar: Calendar
    timeline: Timeline
    problems: tuple[Problem, ...]  #: warnings


@dataclass(frozen=True, slots=True)
class Preview:
    plan: PlanFile
    base: str | None  #: hash of the active revision; None: there is none
    from_on: date
    timeline: Timeline  #: of the new text, all of it
    changes: tuple[Moved, ...]  #: in the order of their days
    problems: tuple[Problem, ...]  #: warnings; a text with errors has no preview
    ahead: tuple[Ahead, ...]  #: the next 18 months
    months: tuple[Month, ...]
    unreachable: tuple[str, ...]  #: names of units that would be told and that nobody can tell; the first of them
    diff_hash: str
    is_same: bool  #: the text is in force already, from the same day: applying it changes nothing


def preview(
    session: Session,
    text: bytes,
    name: str,
    *,
    now: datetime,
    zone: str,
    from_on: date | None = None,
    pace: Pace = USUAL,
) -> Preview:
    """What applying the text would do; its messages are estimated for an office of that pace.

    Raises InvalidPlanError for a text that cannot come into force.
    """
    fit, on = fit_text(session, text, name), today(now, zone)
    if from_on is not None:
        check_not_too_far(from_on, on)
    revision = active_revision(session, fit.plan.code)
    effect = effect_of_plan(session, fit, now=now, zone=zone, from_on=from_on)
    heads = Headcount(session, on, revision.plan_id if revision else None)
    opened = frozenset(_opened(session, revision.plan_id)) if revision else frozenset[Name]()
    days = ahead(fit.timeline.occurrences, opened, heads, max(on, from_on or on))
    return Preview(
        fit.plan,
        revision.hash if revision else None,
        from_on or on,
        fit.timeline,
        effect.changes,
        fit.problems,
        days,
        months(days, fit.calendar, heads, on, pace),
        unreachable(session, effect.transfers),
        hash_of(revision.hash if revision else None, text, from_on, effect.changes),
        is_in_force(revision, text, from_on),
    )


def is_in_force(revision: Revision | None, text: bytes, from_on: date | None) -> bool:
    if revision is None or from_on not in (None, revision.from_on):
        return False
    return revision.text == text.decode("utf-8-sig")


def fit_text(session: Session, text: bytes, name: str) -> Fit:
    """The plan of a text that may come into force. Raises InvalidPlanError, or RefusedError for what it leans on."""
    plan, problems = load.parse(text, name)
    if plan is None:
        raise InvalidPlanError([problem for problem in problems if problem.is_error])
    try:
        calendar = calendar_of(session, plan.calendar)
    except LookupError:
        raise RefusedError("refused.no_calendar", calendar=plan.calendar) from None
    if unit_by_code(session, plan.issuer) is None:
        raise RefusedError("refused.no_issuer", unit=plan.issuer, plan=plan.code)
    row = session.exec(select(Plan).where(col(Plan.code) == plan.code)).first()
    timeline, remarks = dated(plan, calendar, milestones_of(session, row.id) if row is not None else NO_MILESTONES)
    found = located(remarks, text, name)
    errors = [problem for problem in found if problem.is_error]
    if timeline is None or errors:
        raise InvalidPlanError(errors)
    return Fit(plan, calendar, timeline, tuple(sorted([*problems, *found])))


def effect_of_plan(session: Session, fit: Fit, *, now: datetime, zone: str, from_on: date | None) -> Effect:
    revision = active_revision(session, fit.plan.code)
    on = today(now, zone)
    if revision is None:
        heads = Headcount(session, on, None)
        found = compare(None, fit.timeline, from_on or on)
        return Effect(tuple(_unopened(each, fit.plan.code, heads) for each in found), ())
    calendar = calendar_of(session, revision.calendar)
    switch = Switch(Version(sound_timeline(session, revision, calendar), calendar), Version(fit.timeline, fit.calendar))
    return effect_of(session, revision, fit.plan.code, switch, lambda _: switch, from_on or on, now=now, zone=zone)


def effect_of(
    session: Session,
    revision: Revision,
    code: str,
    switch: Switch,
    switch_of: Callable[[Cycle], Switch],
    from_on: date,
    *,
    now: datetime,
    zone: str,
) -> Effect:
    """`switch` is that of the active revision, `switch_of` that of a cycle; `from_on` the day of adoption."""
    on, plan_id = today(now, zone), revision.plan_id
    compiled = {revision.id: switch.was.timeline}

    def opened(cycle: Cycle) -> tuple[Obligation, Timeline]:
        by = session.get_one(Revision, cycle.revision_id)
        if by.id not in compiled:
            compiled[by.id] = sound_timeline(session, by, switch.was.calendar)
        return plan_of(session, by.id).obligation(cycle.obligation), compiled[by.id]

    moving = transfers(session, plan_id, switch_of, opened, max(on, from_on), now=now, zone=zone)
    cycles = _opened(session, plan_id)
    was = _not_open(session, switch.was.timeline, cycles, max(on, revision.from_on))
    becomes = _not_open(session, switch.becomes.timeline, cycles, from_on)
    heads = Headcount(session, on, plan_id)
    changes = [_unopened(each, code, heads) for each in compare(was, becomes, date.min, switch.calendars)]
    changes += [_of_transfer(each, code) for each in moving]
    moved = tuple(each for each in moving if each.change.way is not Way.STAYS)
    return Effect(tuple(sorted(changes, key=_in_order)), moved)


def unreachable(session: Session, moving: Iterable[Transfer]) -> tuple[str, ...]:
    """The units behind `Moved.unreachable`, by name: `NAMED` of them at most."""
    told = exists().where(col(Notice.task_id) == col(Task.id), col(Notice.dropped).is_(None))
    owing = col(Task.state).in_([state.value for state in OWING])
    found = set[str]()
    for each in moving:
        if each.row is None or not each.counts.unreachable or not each.change.is_of_days:
            continue
        query = select(Unit.name).join(Task, col(Task.unit_id) == col(Unit.id)).order_by(col(Unit.name)).limit(NAMED)
        which = (col(Task.deadline_id) == each.row.id, each.which, owing, told, ~can_hear())
        found |= set(session.exec(query.where(*which)))
    return tuple(sorted(found)[:NAMED])


def hash_of(base: str | None, text: bytes, from_on: date | None, changes: Iterable[Moved]) -> str:
    """Of all that was shown, but how many have handed in since: that changes nothing of what was decided."""
    digest = hashlib.sha256(text).hexdigest()
    whole = json.dumps([base, digest, from_on.isoformat() if from_on else None, lines_of(changes)], ensure_ascii=False)
    return hashlib.sha256(whole.encode()).hexdigest()


def lines_of(changes: Iterable[Moved]) -> list[list[object]]:
    """What the hash of an effect is made from."""
    return [_line(each) for each in changes]


def _opened(session: Session, plan_id: int) -> dict[Name, Cycle]:
    query = select(Cycle).where(col(Cycle.plan_id) == plan_id)
    return {(cycle.obligation, cycle.period): cycle for cycle in session.exec(query)}


def _not_open(session: Session, timeline: Timeline, cycles: dict[Name, Cycle], first: date) -> Timeline:
    """What is still to be opened: what has no cycle, and of the others the days of milestones that have no row."""
    query = select(col(Deadline.cycle_id), col(Deadline.level), col(Deadline.nominal_on))
    rows = set(session.execute(query.where(col(Deadline.origin) == Origin.MILESTONE.value)).tuples())
    found = []
    for each in timeline.occurrences:
        cycle = cycles.get((each.obligation.code, each.period.label))
        days = [day for day in each.days if day.due_on >= first and (cycle is None or _is_to_come(cycle, day, rows))]
        if days:
            found.append(replace(each, days=tuple(days)))
    return Timeline(tuple(found), ())


def _is_to_come(cycle: Cycle, day: DueDay, rows: set[tuple[int, str, date]]) -> bool:
    return day.milestone is not None and (cycle.id, day.level, day.nominal_on) not in rows


def _unopened(change: Change, plan: str, heads: Headcount) -> Moved:
    day = change.after or change.before
    return Moved(plan, change, None, heads.units(day.who) if day is not None else 0)


def _of_transfer(each: Transfer, plan: str) -> Moved:
    counts, change, after = each.counts, each.change, each.after
    to_tell = later = unreachable = 0
    if change.is_of_days and change.way is not Way.STAYS:
        to_tell = later = sum(counts.told_on.values())
        unreachable = counts.unreachable
        if after is not None and not change.ends_sooner:
            later = counts.told_after(after.due_on)
    sums = counts.units, counts.told, counts.submitted, to_tell, later, unreachable
    return Moved(plan, change, each.cycle.id, *sums)


def _in_order(each: Moved) -> tuple[date, str, str, str, str]:
    return each.change.in_order


def _line(each: Moved) -> list[object]:
    change = each.change
    return [
        each.plan,
        change.way,
        change.parts,
        change.obligation,
        change.period,
        change.level,
        _days(change.before),
        _days(change.after),
        each.cycle_id,
        each.units,
        each.told > 0,
        each.to_tell > 0,
        each.told_later > 0,
        each.unreachable > 0,
    ]


def _days(day: DueDay | None) -> list[str | None] | None:
    if day is None:
        return None
    return [
        day.opens_on.isoformat(),
        day.nominal_on.isoformat(),
        day.due_on.isoformat(),
        day.grace_until.isoformat() if day.grace_until else None,
    ]

"""Which tasks of open cycles would hang on another day? Counted by deadline, to be shown before they move."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cached_property
from typing import Final

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select, true
from sqlmodel import Session, col

from dondoc.clock import today
from engine.hearers import can_hear
from models.cycle import ADHOC, Cycle, CycleState
from models.day import CalendarVersion
from models.deadline import FIXED, Deadline, Origin
from models.notice import Notice
from models.plan import Revision
from models.task import OWING, Task, TaskState
from models.unit import Placement, matching, valid
from schedules.audience import Audience
from schedules.calendars import Calendar
from schedules.diff import Calendars, Change, Key, Part, Way, change_of, compare, key_of
from schedules.plan import Obligation, SetBy
from schedules.reason import Reason
from schedules.timeline import DueDay, Occurrence, Timeline

CHUNK: Final = 500  #: ids in one statement
_IN: Final = (TaskState.SUBMITTED, TaskState.ACCEPTED)
_NOT_ASKED: Final = (TaskState.EXEMPTED, TaskState.CANCELLED)
Name = tuple[str, str]  #: obligation and period


@dataclass(frozen=True)
class Version:
    """The dates of a plan by one text and one calendar."""

    timeline: Timeline
    calendar: Calendar

    @cached_property
    def occurrences(self) -> Mapping[Name, Occurrence]:
        return {(each.obligation.code, each.period.label): each for each in self.timeline.occurrences}


@dataclass(frozen=True)
class Switch:
    """From one version to another."""

    was: Version
    becomes: Version

    @cached_property
    def calendars(self) -> Calendars | None:
        """None where the calendar stays: then the ladders are compared as they are worded."""
        if self.was.calendar == self.becomes.calendar:
            return None
        return Calendars(self.was.calendar, self.becomes.calendar)

    @cached_property
    def changed(self) -> Mapping[Name, Sequence[Change]]:
        """What differs at all. A cycle that kept its days on purpose is left alone until its own dates change again."""
        found: defaultdict[Name, list[Change]] = defaultdict(list)
        for change in compare(self.was.timeline, self.becomes.timeline, date.min, self.calendars):
            found[change.obligation, change.period].append(change)
        return found


@dataclass(frozen=True, slots=True)
class Counts:
    units: int = 0
    owing: int = 0
    submitted: int = 0
    told: int = 0
    told_on: Mapping[date, int] = field(default_factory=dict)  #: those who owe still, by the last day they were told
    unreachable: int = 0  #: who owe still and were told, and nobody who could be told is left; not in `told_on`

    def told_after(self, day: date) -> int:
        return sum(count for on, count in self.told_on.items() if on > day)


@dataclass(frozen=True, slots=True)
class Transfer:
    """Tasks of one cycle that would hang on another day, all in the same way."""

    cycle: Cycle
    row: Deadline | None  #: where they hang; None: units that would join the cycle
    occurrence: Occurrence | None  #: of the new version; None: it has none, and they are cancelled
    change: Change
    which: ColumnElement[bool]  #: of tasks; of placements where units join
    counts: Counts
    is_back: bool = False  #: they were cancelled when the plan dropped them, and owe again

    @property
    def after(self) -> DueDay | None:
        return self.change.after


def transfers(
    session: Session,
    plan_id: int,
    switch_of: Callable[[Cycle], Switch],
    opened: Callable[[Cycle], tuple[Obligation, Timeline]],
    first: date,
    *,
    now: datetime,
    zone: str,
) -> list[Transfer]:
    """What `move` would do to the open cycles of a plan. A due day before `first` is past: it stays.

    What stays as its new day is past is told too, and not to be moved.

    `opened` is the obligation and the dates by which a cycle was opened.
    """
    query = select(Cycle).where(col(Cycle.plan_id) == plan_id, ~col(Cycle.period).startswith(ADHOC))
    cycles = [
        cycle
        for cycle in session.scalars(query.order_by(col(Cycle.id)))
        if (cycle.obligation, cycle.period) in switch_of(cycle).changed
    ]
    here = [cycle for cycle in cycles if cycle.state == CycleState.OPEN]
    rows: defaultdict[int, list[Deadline]] = defaultdict(list)
    for row in _rows(session, [cycle.id for cycle in cycles]):
        rows[row.cycle_id].append(row)
    counts = counted(session, [row.id for cycle in here for row in rows[cycle.id] if row.due_on >= first])
    found: list[Transfer] = []
    for cycle in here:
        one = _One(session, cycle, switch_of(cycle), opened, first, now, zone)
        found += one.transfers(rows[cycle.id], counts)
    for cycle in cycles:
        name = cycle.obligation, cycle.period
        is_wider = any(each.way is Way.ADDED or Part.WHO in each.parts for each in switch_of(cycle).changed[name])
        if is_wider and name in switch_of(cycle).becomes.occurrences:
            found += _back(session, cycle, switch_of(cycle), rows[cycle.id], first, now, zone)
    return found


def counted(
    session: Session, deadline_ids: Sequence[int], which: ColumnElement[bool] | None = None
) -> dict[int, Counts]:
    """By deadline, its tasks: who owes, who was told which day last, whose report is in."""
    told_on = (
        select(func.max(Notice.due_on))
        .where(col(Notice.task_id) == col(Task.id), col(Notice.dropped).is_(None))
        .correlate(Task)
        .scalar_subquery()
    )
    sums: defaultdict[int, list[tuple[str, date | None, bool, int]]] = defaultdict(list)
    for start in range(0, len(deadline_ids), CHUNK):
        tasks = (
            select(col(Task.deadline_id), col(Task.state), told_on.label("told_on"), can_hear().label("can_hear"))
            .where(col(Task.deadline_id).in_(deadline_ids[start : start + CHUNK]), true() if which is None else which)
            .subquery()
        )
        parts = (tasks.c.deadline_id, tasks.c.state, tasks.c.told_on, tasks.c.can_hear)
        for id_, *row in session.execute(select(*parts, func.count()).group_by(*parts)):
            sums[id_].append((row[0], row[1], row[2], row[3]))
    return {id_: _counts(parts) for id_, parts in sums.items()}


def _counts(parts: Sequence[tuple[str, date | None, bool, int]]) -> Counts:
    told_on: defaultdict[date, int] = defaultdict(int)
    for state, on, can_hear_it, count in parts:
        if state in OWING and on is not None and can_hear_it:
            told_on[on] += count
    return Counts(
        units=sum(count for state, _, _, count in parts if state not in _NOT_ASKED),
        owing=sum(count for state, _, _, count in parts if state in OWING),
        submitted=sum(count for state, _, _, count in parts if state in _IN),
        told=sum(count for state, on, _, count in parts if state not in _NOT_ASKED and on is not None),
        told_on=dict(told_on),
        unreachable=sum(n for state, on, can, n in parts if state in OWING and on is not None and not can),
    )


@dataclass(frozen=True, slots=True)
class _One:
    """One open cycle."""

    session: Session
    cycle: Cycle
    switch: Switch
    opened: Callable[[Cycle], tuple[Obligation, Timeline]]
    first: date
    now: datetime
    zone: str

    def transfers(self, rows: Sequence[Deadline], counts: Mapping[int, Counts]) -> Iterator[Transfer]:
        occurrence = self.switch.becomes.occurrences.get((self.cycle.obligation, self.cycle.period))
        if occurrence is None:
            yield from self._cancelled(rows, counts)
            return
        obligation, timeline = self.opened(self.cycle)
        was = Version(timeline, self.switch.was.calendar).occurrences.get((self.cycle.obligation, self.cycle.period))
        befores = [(row, day) for row in rows if row.origin in FIXED and (day := _day(row, was)) is not None]
        days = {key_of(occurrence, day): day for day in occurrence.days}
        known = {key_of(occurrence, day): day for _, day in befores}
        asked = {key: day for key, day in days.items() if key in known or day.milestone is None}
        is_same = known.keys() == asked.keys() and all(known[key].who == asked[key].who for key in known)
        moving = [(row, day) for row, day in befores if row.due_on >= self.first and row.id in counts]
        if is_same:
            for row, day in moving:
                key = key_of(occurrence, day)
                yield from self._to(row, day, occurrence, key, days[key], obligation, true(), counts[row.id])
        else:
            yield from self._sorted(moving, asked, occurrence, obligation)

    def _cancelled(self, rows: Sequence[Deadline], counts: Mapping[int, Counts]) -> Iterator[Transfer]:
        for row in rows:
            if row.due_on >= self.first and row.id in counts and counts[row.id].units:
                yield self._gone(row, true(), counts[row.id])

    def _gone(self, row: Deadline, which: ColumnElement[bool], counts: Counts) -> Transfer:
        before = _as_day(row, None)
        change = Change(Way.DROPPED, self.cycle.obligation, self.cycle.period, row.level, before, None)
        return Transfer(self.cycle, row, None, change, which, counts)

    def _to(
        self,
        row: Deadline,
        before: DueDay,
        occurrence: Occurrence,
        key: Key,
        after: DueDay,
        obligation: Obligation,
        which: ColumnElement[bool],
        counts: Counts,
    ) -> Iterator[Transfer]:
        """The tasks `which` from a deadline to a day of the new version; one that is past is named and takes nobody."""
        if not counts.units:
            return
        before = replace(before, who=after.who, opens_on=after.opens_on)
        was = replace(occurrence, obligation=obligation)
        change = change_of(key, (was, before), (occurrence, after), self.switch.calendars)
        if change is None and row.level != after.level:
            change = Change(Way.WHO, *key[:3], before, after)
        if change is not None and after.due_on < self.first:
            change = replace(change, way=Way.STAYS, parts=(*change.parts, Part.STAYS))
        if change is not None:
            yield Transfer(self.cycle, row, occurrence, change, which, counts)

    def _sorted(
        self,
        moving: Sequence[tuple[Deadline, DueDay]],
        asked: Mapping[Key, DueDay],
        occurrence: Occurrence,
        obligation: Obligation,
    ) -> Iterator[Transfer]:
        """Others owe it now: each task goes to the day whose audience its unit belongs to, as of the opening."""
        on, earlier = today(self.cycle.opened_at, self.zone), list[Select[tuple[int]]]()
        for key, after in asked.items():
            units = matching(after.who, on, self.cycle.plan_id).order_by(None).with_only_columns(col(Placement.unit_id))
            theirs = and_(col(Task.unit_id).in_(units), *(col(Task.unit_id).not_in(each) for each in earlier))
            for row, before in moving:
                counts = counted(self.session, [row.id], theirs).get(row.id, Counts())
                yield from self._to(row, before, occurrence, key, after, obligation, theirs, counts)
            if after.milestone is None:
                yield from self._joining(after, on, occurrence, earlier)
            earlier.append(units)
        nobodys = and_(true(), *(col(Task.unit_id).not_in(each) for each in earlier))
        for row, _ in moving:
            counts = counted(self.session, [row.id], nobodys).get(row.id, Counts())
            if counts.units:
                yield self._gone(row, nobodys, counts)

    def _joining(
        self, after: DueDay, on: date, occurrence: Occurrence, earlier: Sequence[Select[tuple[int]]]
    ) -> Iterator[Transfer]:
        """Units that owe it by the new version alone, have no task in the cycle and are there still."""
        if after.due_on < self.first:
            return
        there = select(col(Placement.unit_id)).where(valid(today(self.now, self.zone), Placement))
        which = and_(
            ~exists().where(col(Task.cycle_id) == self.cycle.id, col(Task.unit_id) == col(Placement.unit_id)),
            col(Placement.unit_id).in_(there),
            *(col(Placement.unit_id).not_in(each) for each in earlier),
        )
        who = matching(after.who, on, self.cycle.plan_id).where(which).order_by(None)
        count = self.session.scalar(select(func.count()).select_from(who.subquery())) or 0
        if count:
            change = Change(Way.ADDED, self.cycle.obligation, self.cycle.period, after.level, None, after)
            yield Transfer(self.cycle, None, occurrence, change, which, Counts(units=count))


def _back(
    session: Session, cycle: Cycle, switch: Switch, rows: Sequence[Deadline], first: date, now: datetime, zone: str
) -> Iterator[Transfer]:
    """Tasks that were cancelled when a revision or a calendar dropped them, and whose units owe it again."""
    occurrence = switch.becomes.occurrences[cycle.obligation, cycle.period]
    there = select(col(Placement.unit_id)).where(valid(today(now, zone), Placement))
    of_plan = col(Revision.plan_id) == cycle.plan_id
    by_it = col(CalendarVersion.calendar).in_(select(col(Revision.calendar)).where(of_plan))
    which = and_(
        col(Task.state) == TaskState.CANCELLED.value,
        or_(
            col(Task.changed_at).in_(select(col(Revision.applied_at)).where(of_plan)),
            col(Task.changed_at).in_(select(col(CalendarVersion.applied_at)).where(by_it)),
        ),
        col(Task.unit_id).in_(there),
    )
    on, earlier = today(cycle.opened_at, zone), list[Select[tuple[int]]]()
    for day in occurrence.days:
        units = matching(day.who, on, cycle.plan_id).order_by(None).with_only_columns(col(Placement.unit_id))
        theirs = and_(which, col(Task.unit_id).in_(units), *(col(Task.unit_id).not_in(each) for each in earlier))
        earlier.append(units)
        for row in rows:
            after = day if row.origin in FIXED else _as_day(row, day)  # more time that was given is given still
            if after.due_on < first:
                continue
            query = select(func.count()).select_from(Task).where(col(Task.deadline_id) == row.id, theirs)
            if count := session.scalar(query):
                change = Change(Way.ADDED, cycle.obligation, cycle.period, day.level, None, after)
                yield Transfer(cycle, row, occurrence, change, theirs, Counts(units=count), is_back=True)


def _rows(session: Session, cycle_ids: Sequence[int]) -> Iterator[Deadline]:
    for start in range(0, len(cycle_ids), CHUNK):
        query = select(Deadline).where(col(Deadline.cycle_id).in_(cycle_ids[start : start + CHUNK]))
        yield from session.scalars(query.order_by(col(Deadline.due_on), col(Deadline.id)))


def _day(row: Deadline, was: Occurrence | None) -> DueDay | None:
    """The day of the plan that a deadline was opened by; None for a milestone's day that cannot be told any more."""
    days = [day for day in (was.days if was is not None else ()) if day.level == row.level]
    if row.origin == Origin.PLAN:
        return _as_day(row, next((day for day in days if day.milestone is None), None))
    hanging = [day for day in days if day.milestone is not None]
    same = [day for day in hanging if row.nominal_on == day.nominal_on] or hanging
    return _as_day(row, same[0]) if len(same) == 1 else None


def _as_day(row: Deadline, like: DueDay | None) -> DueDay:
    return DueDay(
        row.level,
        like.who if like is not None else Audience(),
        like.opens_on if like is not None else row.due_on,
        row.nominal_on,
        row.due_on,
        row.grace_until,
        row.is_provisional,
        SetBy(row.set_by),
        like.window if like is not None else (row.due_on, row.due_on),
        tuple(Reason(each["code"], tuple(each["params"].items())) for each in row.reasons),
        like.milestone if like is not None else None,
        row.due_at,
    )

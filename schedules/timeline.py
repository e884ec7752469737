"""What falls due when? A plan compiled against a calendar: every occurrence with its due days and their proof."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from schedules.audience import Audience, Reached
from schedules.calendars import Calendar
from schedules.deadlines import Resolved, resolve
from schedules.periods import Period
from schedules.plan import (
    BeforeDue,
    Cadence,
    Due,
    Level,
    Obligation,
    Offset,
    Opening,
    PeriodException,
    Plan,
    Relative,
    Roll,
    SetBy,
)
from schedules.reason import Reason

#: The distinct days entered for (milestone, period label).
Milestones = Mapping[tuple[str, str], frozenset[date]]
NO_MILESTONES: Final[Milestones] = {}


class CollapsedChainError(Exception):
    """Two levels of a chain have less than one working day between them, after rolling."""

    def __init__(self, obligation: str, period: str, upper: str, upper_on: date, lower: str, lower_on: date) -> None:
        self.reason = Reason.of(
            "chain.collapsed",
            obligation=obligation,
            period=period,
            upper=upper,
            upper_on=upper_on,
            lower=lower,
            lower_on=lower_on,
        )
        super().__init__(
            f"{obligation} {period}: expected at least one working day between level {lower} ({lower_on}) "
            f"and level {upper} ({upper_on})"
        )


@dataclass(frozen=True, slots=True)
class DueDay:
    """A due day of an occurrence, for those who have it. It becomes a Deadline when the occurrence is opened."""

    level: str  #: name of the level or variant; "" for the plain case
    who: Audience
    opens_on: date
    nominal_on: date
    due_on: date
    grace_until: date | None
    is_provisional: bool
    set_by: SetBy
    reasons: tuple[Reason, ...]
    milestone: str | None = None  #: the day hangs on this milestone's entered day


@dataclass(frozen=True, slots=True)
class Occurrence:
    obligation: Obligation
    period: Period
    days: tuple[DueDay, ...]

    @property
    def opens_on(self) -> date:
        return min(day.opens_on for day in self.days)

    @property
    def due_on(self) -> date:
        """The last due day of all."""
        return max(day.due_on for day in self.days)


@dataclass(frozen=True, slots=True)
class Waiting:
    """An occurrence that has no date yet: the milestone it hangs on has not been entered."""

    obligation: Obligation
    period: Period
    level: str
    milestone: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """All of a plan, in the order of opening."""

    occurrences: tuple[Occurrence, ...]
    waiting: tuple[Waiting, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One due day as `dondoc timeline` prints it."""

    occurrence: Occurrence
    day: DueDay

    def as_json(self, plan: Plan) -> dict[str, object]:
        obligation, day = self.occurrence.obligation, self.day
        return {
            "plan": plan.code,
            "obligation": obligation.code,
            "source": "; ".join(obligation.source),
            "period": self.occurrence.period.label,
            "level": day.level,
            "who": who_as_json(day.who),
            "opens_on": self.occurrence.opens_on.isoformat(),
            "nominal_due_on": day.nominal_on.isoformat(),
            "due_on": day.due_on.isoformat(),
            "grace_until": day.grace_until.isoformat() if day.grace_until else None,
            "provisional": day.is_provisional,
            "set_by": day.set_by.value,
        }


def timeline(plan: Plan, calendar: Calendar, milestones: Milestones, first: date, last: date) -> list[Row]:
    """The due days whose nominal day lies from `first` to `last`, both included, in order."""
    rows = [
        Row(occurrence, day)
        for occurrence in compiled(plan, calendar, milestones).occurrences
        for day in occurrence.days
        if first <= day.nominal_on <= last
    ]
    return sorted(rows, key=lambda row: (row.day.nominal_on, row.occurrence.obligation.code, row.day.level))


def compiled(plan: Plan, calendar: Calendar, milestones: Milestones = NO_MILESTONES) -> Timeline:
    """Every occurrence of a plan. Raises CollapsedChainError for a chain of levels that leaves no working day."""
    compiler = _Compiler(plan, calendar, milestones)
    occurrences = [each for obligation in plan.obligations for each in compiler.occurrences(obligation)]
    occurrences.sort(key=lambda each: (each.opens_on, each.due_on, each.obligation.code, each.period))
    return Timeline(tuple(occurrences), tuple(compiler.waiting))


def who_as_json(who: Audience) -> dict[str, object]:
    """The parts of an audience that say something."""
    parts: dict[str, object] = {
        name: sorted(value)
        for name, value in (("kinds", who.kinds), ("tags", who.tags), ("units", who.units), ("under", who.under))
        if value
    }
    if who.minus:
        parts["except"] = [who_as_json(each) for each in who.minus]
    if who.both:
        parts["both"] = who_as_json(who.both)
    if who.reached:
        parts["reached"] = {"milestone": who.reached.milestone, "on": who.reached.on.isoformat()}
    return parts


class _Compiler:
    """Compiles one plan; obligations that others count from are compiled once."""

    def __init__(self, plan: Plan, calendar: Calendar, milestones: Milestones) -> None:
        self.plan, self.calendar, self.milestones = plan, calendar, milestones
        self.milestone_codes = {each.code for each in plan.milestones}
        self.waiting: list[Waiting] = []
        self.done: dict[str, tuple[Occurrence, ...]] = {}

    def occurrences(self, obligation: Obligation) -> tuple[Occurrence, ...]:
        if obligation.code not in self.done:
            self.done[obligation.code] = tuple(self._occurrences(obligation))
        return self.done[obligation.code]

    def _occurrences(self, obligation: Obligation) -> Iterator[Occurrence]:
        days: defaultdict[Period, list[DueDay]] = defaultdict(list)
        main = obligation.who.without(tuple(variant.who for variant in obligation.variants))
        levels = obligation.levels or (Level("", main, obligation.cadence.due),)
        for period, day in self._cadence(obligation, obligation.cadence, levels):
            days[period].append(day)
        for variant in obligation.variants:
            level = Level(variant.name, variant.who.within(obligation.who), variant.cadence.due)
            for period, day in self._cadence(obligation, variant.cadence, (level,)):
                days[period].append(day)
        for period in sorted(days):
            yield Occurrence(obligation, period, tuple(days[period]))

    def _cadence(
        self, obligation: Obligation, cadence: Cadence, levels: tuple[Level, ...]
    ) -> Iterator[tuple[Period, DueDay]]:
        exceptions = {each.period: each for each in cadence.exceptions}
        for period in cadence.periods:
            exception = exceptions.get(period)
            if exception is not None and exception.skip:
                continue
            for day in self._levels(obligation, cadence, levels, period, exception):
                if _is_valid(obligation, day.nominal_on):
                    yield period, day

    def _levels(
        self,
        obligation: Obligation,
        cadence: Cadence,
        levels: tuple[Level, ...],
        period: Period,
        exception: PeriodException | None,
    ) -> Iterator[DueDay]:
        superior: DueDay | None = None
        for level in levels:
            due = level.due if superior is not None else (exception and exception.due) or level.due
            superior_on = superior.due_on if superior is not None else None
            found = resolve(due, self.plan.roll, period, self.calendar, self._days_of_event, superior_on)
            milestone = self._milestone(due)
            if milestone is not None and not found:
                self.waiting.append(Waiting(obligation, period, level.name, milestone))
            days = [self._due_day(cadence, level, period, exception, each, milestone) for each in found]
            for day in days:
                if superior is not None and self.calendar.working_days(day.due_on, superior.due_on) < 1:
                    raise CollapsedChainError(
                        obligation.code, period.label, superior.level, superior.due_on, day.level, day.due_on
                    )
            yield from days
            superior = days[-1] if days else None

    def _due_day(
        self,
        cadence: Cadence,
        level: Level,
        period: Period,
        exception: PeriodException | None,
        resolved: Resolved,
        milestone: str | None,
    ) -> DueDay:
        grace = (exception and exception.grace) or cadence.grace
        set_by = (exception and exception.set_by) or cadence.set_by
        reasons: list[Reason] = []
        if exception is not None and exception.why is None:
            reasons.append(Reason.of("period_own", period=period.label))
        elif exception is not None:
            reasons.append(Reason.of("exception", period=period.label, why=exception.why))
        if set_by is SetBy.OFFICE:
            reasons.append(Reason.of("set_by.office"))
        reasons += resolved.reasons
        grace_until = self._grace(resolved.due_on, grace, reasons)
        opens = (exception and exception.opens) or cadence.opens
        who = level.who
        if milestone is not None and resolved.event_on is not None:
            who = who.having(Reached(milestone, period.label, resolved.event_on))
        return DueDay(
            level.name,
            who,
            min(self._opening(opens, period, resolved.due_on), resolved.due_on),
            resolved.nominal_on,
            resolved.due_on,
            grace_until,
            self.calendar.is_provisional(resolved.due_on),
            set_by,
            tuple(reasons),
            milestone,
        )

    def _grace(self, due_on: date, grace: Offset | None, reasons: list[Reason]) -> date | None:
        if grace is None:
            return None
        until = self.calendar.after(due_on, grace)
        reasons.append(Reason.of("grace_working" if grace.working else "grace", count=grace.count, until=until))
        return until

    def _opening(self, opens: Opening, period: Period, due_on: date) -> date:
        if isinstance(opens, BeforeDue):
            return self.calendar.after(due_on, opens.offset)
        found = resolve(Due(opens, Roll.NONE), Roll.NONE, period, self.calendar, self._days_of_event)
        return min((each.due_on for each in found), default=due_on)

    def _milestone(self, due: Due) -> str | None:
        if isinstance(due.rule, Relative) and due.rule.event in self.milestone_codes:
            return due.rule.event
        return None

    def _days_of_event(self, event: str, period: Period) -> tuple[date, ...]:
        """A milestone's entered days, or the last due day of another obligation for the same period."""
        if event in self.milestone_codes:
            return tuple(sorted(self.milestones.get((event, period.label), ())))
        same = [each for each in self.occurrences(self.plan.obligation(event)) if each.period == period]
        return tuple(each.due_on for each in same)


def _is_valid(obligation: Obligation, nominal_on: date) -> bool:
    after = obligation.valid_from is None or obligation.valid_from <= nominal_on
    return after and (obligation.valid_to is None or nominal_on <= obligation.valid_to)

"""What falls due when? A plan compiled against a calendar: every occurrence with its due days and their proof."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from schedules import periods
from schedules.audience import Audience, Reached
from schedules.calendars import Calendar
from schedules.deadlines import ONE_DAY, Facts, Resolved, resolve
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
    Window,
)
from schedules.reason import Reason
from schedules.windows import window_of

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


class NotOpenedError(Exception):
    """A request cannot be opened by hand; the reason says why."""

    def __init__(self, reason: Reason) -> None:
        self.reason = reason
        super().__init__(f"{reason.code}: {dict(reason.params)}")


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
    window: tuple[date, date]  #: the days that the data covers, half-open
    reasons: tuple[Reason, ...]
    milestone: str | None = None  #: the day hangs on this milestone's entered day
    due_at: datetime | None = None  #: where hours count: on time until this moment of `due_on`, in UTC


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

    @property
    def window(self) -> tuple[date, date]:
        """The days that the data covers, half-open; variants with windows of their own lie within."""
        return min(day.window[0] for day in self.days), max(day.window[1] for day in self.days)


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
    """Every occurrence of a plan. Raises CollapsedChainError for a chain of levels that leaves no working day.

    What is opened on request is not in it.
    """
    found, collapsed = attempted(plan, calendar, milestones)
    if collapsed:
        raise collapsed[0]
    return found


def attempted(
    plan: Plan, calendar: Calendar, milestones: Milestones = NO_MILESTONES
) -> tuple[Timeline, list[CollapsedChainError]]:
    """As `compiled`, but with all of the chains that collapse."""
    compiler = _Compiler(plan, calendar, milestones)
    occurrences = [each for obligation in plan.obligations for each in compiler.occurrences(obligation)]
    occurrences.sort(key=lambda each: (each.opens_on, each.due_on, each.obligation.code, each.period))
    return Timeline(tuple(occurrences), tuple(compiler.waiting)), compiler.collapsed


def adhoc(
    plan: Plan, obligation_code: str, slug: str, opened_at: datetime, calendar: Calendar, zone: str
) -> Occurrence:
    """The occurrence of an obligation that is owed on request (`every: request`), asked for at that aware moment.

    Its period is `adhoc:slug`. Raises NotOpenedError when the obligation is none, the name is no code, or the due
    day lies outside of the obligation's validity. A due day by hours names the moment in its first reasons.
    """
    obligation = next((each for each in plan.obligations if each.code == obligation_code), None)
    if obligation is None or not obligation.is_on_request:
        raise NotOpenedError(Reason.of("adhoc.not_on_request", plan=plan.code, got=obligation_code))
    local = opened_at.astimezone(ZoneInfo(zone))
    try:
        period = periods.adhoc(slug, local.date())
    except ValueError as error:
        raise NotOpenedError(Reason.of("adhoc.bad_slug", got=slug)) from error
    found = list(_Compiler(plan, calendar, NO_MILESTONES, (period, local)).occurrences(obligation))
    if not found:
        raise NotOpenedError(Reason.of("adhoc.not_valid", obligation=obligation_code, day=local.date()))
    return next(each for each in found if each.period == period)


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

    def __init__(
        self,
        plan: Plan,
        calendar: Calendar,
        milestones: Milestones,
        request: tuple[Period, datetime] | None = None,
    ) -> None:
        """`request` is what was asked for, and when, in the organisation's zone: then nothing else is compiled."""
        self.plan, self.calendar, self.milestones = plan, calendar, milestones
        self.request = request
        self.milestone_codes = {each.code for each in plan.milestones}
        self.waiting: list[Waiting] = []
        self.collapsed: list[CollapsedChainError] = []
        self.done: dict[str, tuple[Occurrence, ...]] = {}

    def occurrences(self, obligation: Obligation) -> tuple[Occurrence, ...]:
        if obligation.code not in self.done:
            self.done[obligation.code] = tuple(self._occurrences(obligation))
        return self.done[obligation.code]

    def _occurrences(self, obligation: Obligation) -> Iterator[Occurrence]:
        days: defaultdict[Period, list[DueDay]] = defaultdict(list)
        issuer = self.plan.issuer
        who = obligation.who.in_tree_of(issuer)
        main = who.without(tuple(variant.who for variant in obligation.variants))
        chain = tuple(replace(level, who=level.who.in_tree_of(issuer)) for level in obligation.levels)
        levels = chain or (Level("", main, obligation.cadence.due),)
        for period, day in self._cadence(obligation, obligation.cadence, levels):
            days[period].append(day)
        for variant in obligation.variants:
            level = Level(variant.name, variant.who.within(who), variant.cadence.due)
            for period, day in self._cadence(obligation, variant.cadence, (level,)):
                days[period].append(day)
        for period in sorted(days):
            yield Occurrence(obligation, period, tuple(days[period]))

    def _cadence(
        self, obligation: Obligation, cadence: Cadence, levels: tuple[Level, ...]
    ) -> Iterator[tuple[Period, DueDay]]:
        exceptions = {each.period: each for each in cadence.exceptions}
        for period in self._periods(cadence):
            exception = exceptions.get(period)
            if exception is not None and exception.skip:
                continue
            for day in self._levels(obligation, cadence, levels, period, exception):
                if _is_valid(obligation, day.nominal_on):
                    yield period, day

    def _periods(self, cadence: Cadence) -> tuple[Period, ...]:
        if self.request is None:
            return cadence.periods
        return (self.request[0],) if cadence.is_on_request else ()

    def _levels(
        self,
        obligation: Obligation,
        cadence: Cadence,
        levels: tuple[Level, ...],
        period: Period,
        exception: PeriodException | None,
    ) -> Iterator[DueDay]:
        superior: DueDay | None = None
        window = window_of(_window(cadence, exception), period)
        facts = Facts(
            period,
            self.calendar,
            self._days_of_event,
            window[1] - ONE_DAY,
            opened_at=self.request[1] if self.request else None,
        )
        for level in levels:
            due = (level is levels[0] and exception and exception.due) or level.due
            found = resolve(due, self.plan.roll, replace(facts, superior_on=superior.due_on if superior else None))
            milestone = self._milestone(due)
            if milestone is not None and not found:
                self.waiting.append(Waiting(obligation, period, level.name, milestone))
            days = [self._due_day(cadence, level, exception, each, milestone, facts, window) for each in found]
            for day in days:
                if superior is not None and self.calendar.working_days(day.due_on, superior.due_on) < 1:
                    self.collapsed.append(
                        CollapsedChainError(
                            obligation.code, period.label, superior.level, superior.due_on, day.level, day.due_on
                        )
                    )
            yield from days
            superior = days[-1] if days else None

    def _due_day(
        self,
        cadence: Cadence,
        level: Level,
        exception: PeriodException | None,
        resolved: Resolved,
        milestone: str | None,
        facts: Facts,
        window: tuple[date, date],
    ) -> DueDay:
        period = facts.period
        grace = (exception and exception.grace) or cadence.grace
        set_by = (exception and exception.set_by) or cadence.set_by
        reasons: list[Reason] = []
        if exception is not None and exception.why is None:
            reasons.append(Reason.of("period_own", period=period.label))
        elif exception is not None:
            reasons.append(Reason.of("exception", period=period.label, why=exception.why))
        if set_by is SetBy.OFFICE:
            reasons.append(Reason.of("set_by.office"))
        if _window(cadence, exception) is not None:
            reasons.append(Reason.of("window", first=window[0], last=facts.cutoff_on))
        reasons += resolved.reasons
        grace_until = self._grace(resolved.due_on, grace, reasons)
        opens = (exception and exception.opens) or cadence.opens
        who = level.who
        if milestone is not None and resolved.event_on is not None:
            who = who.having(Reached(milestone, period.label, resolved.event_on))
        return DueDay(
            level.name,
            who,
            min(self._opening(opens, facts, resolved.due_on), resolved.due_on),
            resolved.nominal_on,
            resolved.due_on,
            grace_until,
            self.calendar.is_provisional(resolved.due_on),
            set_by,
            window,
            tuple(reasons),
            milestone,
            resolved.due_at,
        )

    def _grace(self, due_on: date, grace: Offset | None, reasons: list[Reason]) -> date | None:
        if grace is None:
            return None
        until = self.calendar.after(due_on, grace)
        reasons.append(Reason.of("grace_working" if grace.working else "grace", count=grace.count, until=until))
        return until

    def _opening(self, opens: Opening, facts: Facts, due_on: date) -> date:
        if isinstance(opens, BeforeDue):
            return self.calendar.after(due_on, opens.offset)
        found = resolve(Due(opens, Roll.NONE), Roll.NONE, facts)
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


def _window(cadence: Cadence, exception: PeriodException | None) -> Window | None:
    own = exception.window if exception is not None else None
    return own.over(cadence.window) if own is not None else cadence.window


def _is_valid(obligation: Obligation, nominal_on: date) -> bool:
    after = obligation.valid_from is None or obligation.valid_from <= nominal_on
    return after and (obligation.valid_to is None or nominal_on <= obligation.valid_to)

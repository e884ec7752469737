"""What in a plan is read well and yet surely not meant? Shown by its computed dates, each remark with its place."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations

from schedules.audience import Audience
from schedules.cadences import listed
from schedules.calendars import Calendar
from schedules.deadlines import ONE_DAY
from schedules.plan import Obligation, Plan, Remind
from schedules.problem import Severity
from schedules.timeline import DueDay, Occurrence, Timeline


@dataclass(frozen=True, slots=True)
class Remark:
    """`keys` lead to the place in the file; `code` and `params` as of a Problem."""

    keys: tuple[str, ...]
    severity: Severity
    code: str
    params: Mapping[str, str]


def remarks(plan: Plan, timeline: Timeline, calendar: Calendar) -> Iterator[Remark]:
    """All remarks on a plan that compiles; what can be told without a calendar the loader has told."""
    occurrences: defaultdict[str, list[Occurrence]] = defaultdict(list)
    for occurrence in timeline.occurrences:
        occurrences[occurrence.obligation.code].append(occurrence)
    for obligation in plan.obligations:
        own = occurrences[obligation.code]
        yield from _cutoffs(obligation, own, calendar)
        yield from _ladder(obligation, own, calendar)
        yield from _same_audience(obligation, own)
    yield from _same_report(plan, occurrences)


def _cutoffs(obligation: Obligation, own: list[Occurrence], calendar: Calendar) -> Iterator[Remark]:
    """Nobody reports data that is still to come, and a working day at least is for gathering (Decree 09/2019, Art. 8).

    Only where the plan states a window: a report on a period is often due before the period ends. The first period
    stands for all, since one rule makes them.
    """
    told: set[tuple[str, str]] = set()
    for occurrence, day in _days(own):
        if not any(reason.code == "window" for reason in day.reasons):
            continue
        cutoff_on = day.window[1] - ONE_DAY
        is_before = day.due_on <= cutoff_on
        if not is_before and calendar.working_days(cutoff_on, day.due_on) >= 1:
            continue
        code = "problem.due-before-cutoff" if is_before else "problem.cutoff-gap"
        if (day.level, code) not in told:
            told.add((day.level, code))
            params = {"cutoff": cutoff_on.isoformat(), "got": day.due_on.isoformat(), "period": occurrence.period.label}
            yield Remark(
                _place(obligation, day.level, "due"), Severity.ERROR if is_before else Severity.WARNING, code, params
            )


def _ladder(obligation: Obligation, own: list[Occurrence], calendar: Calendar) -> Iterator[Remark]:
    """Steps that fire in no period, or only together with another."""
    days = [day for _, day in _days(own)]
    graced = [(day.due_on, day.grace_until) for day in days if day.grace_until is not None]
    for each in obligation.ladder.escalate if days and len(graced) == len(days) else ():
        if all(calendar.after(due_on, each.after) > until for due_on, until in graced):
            params = {"rung": each.to.value, "after": str(each.after)}
            yield _warning(_place(obligation, "", "escalate"), "problem.escalation-after-grace", params)
    single = [each for each in obligation.ladder.remind if each.times == 1]
    for first, second in combinations(single, 2):
        # Reminders that count in the same way are compared by the loader.
        differ = first.offset.working != second.offset.working
        if days and differ and all(
            calendar.after(day.due_on, first.offset) == calendar.after(day.due_on, second.offset) for day in days
        ):  # fmt: skip
            params = {"first": _in_words(first), "second": _in_words(second)}
            yield _warning(_place(obligation, "", "remind"), "problem.same-reminder-day", params)


def _same_audience(obligation: Obligation, own: list[Occurrence]) -> Iterator[Remark]:
    """Two levels or variants that name the same units: one of the two days is not meant."""
    found: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for occurrence in own:
        for one, other in combinations(occurrence.days, 2):
            if one.level != other.level and _named(one.who) == _named(other.who):
                found[one.level, other.level].append(occurrence.period.label)
    for (first, second), labels in found.items():
        params = {"first": first or obligation.code, "second": second, "period": listed(labels)}
        yield _warning(_place(obligation, second), "problem.same-audience", params)


def _same_report(plan: Plan, occurrences: Mapping[str, list[Occurrence]]) -> Iterator[Remark]:
    """An obligation of the same title, for the same units and periods, as one before it."""
    known: dict[tuple[object, ...], str] = {}
    for later in plan.obligations:
        report = " ".join(later.title.vi.casefold().split()), later.receiver
        shared: defaultdict[str, list[str]] = defaultdict(list)
        for occurrence in occurrences[later.code]:
            owed = {(*report, occurrence.period, _named(day.who)) for day in occurrence.days}
            for earlier in sorted({known[each] for each in owed if each in known}):
                shared[earlier].append(occurrence.period.label)
            for each in owed:
                known.setdefault(each, later.code)
        for earlier, labels in shared.items():
            params = {"got": earlier, "period": listed(labels)}
            yield _warning(_place(later, "", "title"), "problem.same-report", params)


def _named(who: Audience) -> Audience:
    """Whom an audience names, without those it leaves out."""
    return replace(who, minus=(), both=None, reached=None)


def _days(own: list[Occurrence]) -> Iterator[tuple[Occurrence, DueDay]]:
    return ((occurrence, day) for occurrence in own for day in occurrence.days)


def _place(obligation: Obligation, level: str, *keys: str) -> tuple[str, ...]:
    """Where an obligation, or a level or variant of it, says this; else where its name stands."""
    of_levels = any(each.name == level for each in obligation.levels)
    within = (("levels" if of_levels else "variants"), level) if level else ()
    return ("obligations", obligation.code, *within, *keys)


def _warning(keys: tuple[str, ...], code: str, params: Mapping[str, str]) -> Remark:
    return Remark(keys, Severity.WARNING, code, params)


def _in_words(remind: Remind) -> str:
    if not remind.offset.count:
        return "due day"
    return f"{remind.offset} {'before' if remind.offset.count < 0 else 'after'}"

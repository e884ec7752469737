"""Which dates differ between two versions of a plan? Due days added, dropped and moved, and what else of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from schedules.calendars import Calendar
from schedules.ladder import moments
from schedules.timeline import DueDay, Occurrence, Timeline


class Way(StrEnum):
    ADDED = "added"
    DROPPED = "dropped"
    MOVED = "moved"  #: its day, by the rule or after rolling
    WHO = "who"  #: its day stays; others owe it
    LADDER = "ladder"  #: its day stays; who is told when differs, or the opening, or the grace
    STAYS = "stays"  #: what is open keeps its day: the one of the new version is past


class Part(StrEnum):
    """What differs of a due day that both versions have."""

    DUE = "due"
    WHO = "who"
    OPENING = "opening"
    GRACE = "grace"
    LADDER = "ladder"
    STAYS = "stays"


@dataclass(frozen=True, slots=True)
class Change:
    """One due day that differs. `before` is None where it was added, `after` where it was dropped."""

    way: Way
    obligation: str
    period: str
    level: str
    before: DueDay | None
    after: DueDay | None
    parts: tuple[Part, ...] = ()

    @property
    def on(self) -> date:
        """The day by which it stands in order: the earlier one of a moved day."""
        return min(day.due_on for day in (self.before, self.after) if day is not None)

    @property
    def is_of_days(self) -> bool:
        """Whether what units are told differs: the due day, until when it is taken still, or that it is owed at all."""
        if self.before is None or self.after is None:
            return True
        return (self.before.due_on, self.before.grace_until) != (self.after.due_on, self.after.grace_until)

    @property
    def ends_sooner(self) -> bool:
        """Whether it is taken, late or not, for less long than it was; without a grace that has no end."""
        if self.before is None or self.after is None:
            return False
        return (self.after.grace_until or date.max) < (self.before.grace_until or date.max)

    @property
    def in_order(self) -> tuple[date, str, str, str, str]:
        return self.on, self.obligation, self.period, self.level, self.way


@dataclass(frozen=True, slots=True)
class Calendars:
    """The calendars before and after, where the moments of a ladder may move with them."""

    before: Calendar
    after: Calendar


#: Obligation, period, level, and the entered day of the milestone that a due day hangs on.
Key = tuple[str, str, str, date | None]


def compare(old: Timeline | None, new: Timeline, first: date, calendars: Calendars | None = None) -> tuple[Change, ...]:
    """The changes in order of day. What is due before `first` is past: it neither changes nor is named."""
    was, becomes = days_of(old, first) if old is not None else {}, days_of(new, first)
    found = [
        change
        for key in was.keys() | becomes.keys()
        if (change := change_of(key, was.get(key), becomes.get(key), calendars)) is not None
    ]
    return tuple(sorted(found, key=lambda change: change.in_order))


def days_of(timeline: Timeline, first: date) -> dict[Key, tuple[Occurrence, DueDay]]:
    """The due days from a day on, each by what makes it the same day in another version."""
    return {
        key_of(occurrence, day): (occurrence, day)
        for occurrence in timeline.occurrences
        for day in occurrence.days
        if day.due_on >= first
    }


def key_of(occurrence: Occurrence, day: DueDay) -> Key:
    reached = day.who.reached.on if day.who.reached is not None else None
    return occurrence.obligation.code, occurrence.period.label, day.level, reached


def change_of(
    key: Key,
    was: tuple[Occurrence, DueDay] | None,
    becomes: tuple[Occurrence, DueDay] | None,
    calendars: Calendars | None = None,
) -> Change | None:
    """What becomes of one due day; None when nothing does."""
    obligation, period, level, _ = key
    if was is None or becomes is None:
        way = Way.ADDED if was is None else Way.DROPPED
        return Change(way, obligation, period, level, was[1] if was else None, becomes[1] if becomes else None)
    parts = tuple(_parts(was, becomes, calendars))
    if not parts:
        return None
    way = Way.MOVED if Part.DUE in parts else Way.WHO if Part.WHO in parts else Way.LADDER
    return Change(way, obligation, period, level, was[1], becomes[1], parts)


def _parts(
    was: tuple[Occurrence, DueDay], becomes: tuple[Occurrence, DueDay], calendars: Calendars | None
) -> Iterator[Part]:
    before, after = was[1], becomes[1]
    if (before.nominal_on, before.due_on) != (after.nominal_on, after.due_on):
        yield Part.DUE
    if before.who != after.who:
        yield Part.WHO
    if before.opens_on != after.opens_on:
        yield Part.OPENING
    if before.grace_until != after.grace_until:
        yield Part.GRACE
    if _told(*was, calendars.before if calendars else None) != _told(*becomes, calendars.after if calendars else None):
        yield Part.LADDER


def _told(occurrence: Occurrence, day: DueDay, calendar: Calendar | None) -> object:
    """Who is told when: as the plan words it or, with a calendar, its very days."""
    obligation = occurrence.obligation
    if calendar is None:
        return obligation.at, obligation.ladder
    return obligation.at, moments(obligation.ladder, day.opens_on, day.due_on, day.grace_until, calendar)

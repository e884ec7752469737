"""When is who told? The planned moments of one due day: reminders, the day itself, escalations, the end."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from schedules.calendars import Calendar
from schedules.plan import Ladder, Offset, Remind, Rung


@dataclass(frozen=True, slots=True)
class Moment:
    """`kind` is remind, due, escalate or close; `on` a day, its hour is the plan's (a close comes at 00:00)."""

    kind: str
    ordinal: int
    rung: Rung | None
    on: date


def moments(
    ladder: Ladder, opens_on: date, due_on: date, grace_until: date | None, calendar: Calendar
) -> tuple[Moment, ...]:
    """The ladder of a due day, in order. The first reminder (ordinal 0) is the word that the work is open.

    What would come before the opening is left out, and so is what would come after the end of grace.
    """
    end = date.max if grace_until is None else grace_until
    reminders = sorted(
        {day for each in ladder.remind for day in _days(each, due_on, calendar) if opens_on < day <= end}
    )
    steps = [Moment("remind", 0, Rung.UNIT_CONTACT, opens_on)]
    steps += [
        Moment("due" if day == due_on else "remind", number, Rung.UNIT_CONTACT, day)
        for number, day in enumerate(reminders, start=1)
    ]
    rungs = ((calendar.after(due_on, each.after), each.to) for each in ladder.escalate)
    steps += [
        Moment("escalate", number, to, day) for number, (day, to) in enumerate(sorted(rungs), start=1) if day <= end
    ]
    if grace_until is not None:
        steps.append(Moment("close", 1, None, grace_until + timedelta(days=1)))
    return tuple(sorted(steps, key=lambda step: (step.on, step.kind, step.ordinal)))


def _days(remind: Remind, due_on: date, calendar: Calendar) -> Iterator[date]:
    for number in range(1, remind.times + 1):
        yield calendar.after(due_on, Offset(remind.offset.count * number, remind.offset.working))

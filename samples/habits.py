"""What will each unit do, and what will be decided about it? Drawn from the task as it was opened, the same every time.

Most are on time, some late, a few silent; in each larger cycle one asks for more time.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import IntEnum
from typing import Final

from schedules.calendars import ONE_DAY, Calendar
from schedules.plan import Offset

REVIEWS: Final = (1, 4)  #: Tuesday and Friday
MANY: Final = 10  #: of so many units with one due day one asks for more time, in a yearly report another is let off


class Doing(IntEnum):
    """What will be done about a task, in the order of a day."""

    EXTEND = 0
    EXEMPT = 1
    SUBMIT = 2
    REVIEW = 3


#: On which day, what, about which task.
Planned = tuple[date, Doing, int]


@dataclass(frozen=True, slots=True)
class Owed:
    """A task as it was opened, with its first due day."""

    task_id: int
    unit: str
    obligation: str
    period: str
    opened_on: date
    deadline_id: int
    due_on: date


def drawn(owed: Iterable[Owed], calendar: Calendar) -> Iterator[Planned]:
    """The first thing that will be done about each task; nothing where a unit stays silent.

    What falls due together is drawn together, so all tasks of a deadline have to be there.
    """
    groups: defaultdict[int, list[tuple[int, Owed]]] = defaultdict(list)
    for each in owed:
        groups[each.deadline_id].append((draw(each.unit, each.obligation, each.period), each))
    for group in groups.values():
        chosen = sorted(number for number, _ in group) if len(group) >= MANY else []
        for number, each in group:
            if chosen and number == chosen[0]:
                yield working(calendar, each.due_on, -3), Doing.EXTEND, each.task_id
            elif chosen and number == chosen[1] and len(each.period) == len("2024"):
                yield working(calendar, each.due_on, -8), Doing.EXEMPT, each.task_id
            elif (day := _day_of(number, each, calendar)) is not None:
                yield day, Doing.SUBMIT, each.task_id


def _day_of(number: int, owed: Owed, calendar: Calendar) -> date | None:
    """The working day on which a unit will hand in; None: it stays silent."""
    habit = draw(owed.unit) % 100  # some units are late more often than others
    sitting = draw(owed.unit, str(owed.due_on))  # what is due on one day is handed in together
    if number % 100 < (8 if habit < 12 else 2):
        return None
    if number % 100 < (35 if habit < 12 else 6):
        return working(calendar, owed.due_on, 1 + sitting % 14)
    opened_on = working(calendar, owed.opened_on, 1)
    room = calendar.working_days(opened_on, owed.due_on)
    return max(working(calendar, owed.due_on + ONE_DAY, -1 - sitting % max(1, room)), opened_on)


def review_day(came_on: date, calendar: Calendar) -> date:
    """The secretariat reviews on Tuesdays and Fridays, or on the working day after."""
    ahead = min((weekday - came_on.weekday() - 1) % 7 for weekday in REVIEWS)
    return working(calendar, came_on + timedelta(days=ahead), 1)


def is_sent_back(task_id: int, version: int) -> bool:
    return version == 1 and _review(task_id, version) % 100 < 4


def answer_day(task_id: int, version: int, returned_on: date, calendar: Calendar) -> date:
    """When a unit hands in again what was sent back."""
    return working(calendar, returned_on, 1 + _review(task_id, version) % 5)


def extended_to(due_on: date, on: date, calendar: Calendar) -> date:
    """The new due day of an extension that is decided on a day."""
    return working(calendar, max(due_on, on), 10)


def extended_day(due_on: date, calendar: Calendar) -> date:
    """When a unit that got more time hands in."""
    return working(calendar, due_on, -1)


def asks_on(task_id: int, version: int, came_on: date, calendar: Calendar) -> date | None:
    """When a unit that came too late on a day is let in again after all; None: it is not."""
    return working(calendar, came_on, 1) if filling(task_id, version) % 3 == 0 else None


def filling(task_id: int, version: int) -> int:
    """What decides how a unit fills the next version in."""
    return draw(str(task_id), "submit", str(version))


def working(calendar: Calendar, day: date, count: int) -> date:
    return calendar.after(day, Offset(count, working=True))


def draw(*parts: str) -> int:
    """A number that depends on nothing but the words."""
    return int.from_bytes(hashlib.sha256(":".join(parts).encode()).digest()[:6], "big")


def _review(task_id: int, version: int) -> int:
    return draw(str(task_id), "review", str(version))

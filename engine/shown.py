"""How does a task stand, in one word? Seven states, one rule; pages, commands and messages all ask here."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from models.deadline import Deadline, Origin
from models.task import Task, TaskState
from schedules.calendars import Calendar


class ShownState(StrEnum):
    ACCEPTED = "accepted"
    ON_TIME = "submitted_on_time"
    LATE = "submitted_late"
    OVERDUE = "overdue"
    RETURNED = "returned"
    NOT_DUE = "not_due"
    NONE = "none"  #: exempt or cancelled: nothing is asked of the unit


@dataclass(frozen=True, slots=True)
class Shown:
    state: ShownState
    was_late: bool = False  #: accepted, but it came late
    late_days: int = 0  #: working days since the due day, while overdue
    is_missed: bool = False  #: overdue, and the time of grace is over
    is_extended: bool = False


def shown(task: Task, deadline: Deadline, on: date, calendar: Calendar, now: datetime) -> Shown:
    """Exempt first, then accepted, submitted, returned while its own date lasts, overdue, not yet due.

    `on` is the day of `now` in the organisation's zone.
    """
    is_extended = deadline.origin == Origin.EXTENSION
    match task.state:
        case TaskState.EXEMPTED | TaskState.CANCELLED:
            return Shown(ShownState.NONE)
        case TaskState.ACCEPTED:
            return Shown(ShownState.ACCEPTED, was_late=bool(task.is_late), is_extended=is_extended)
        case TaskState.SUBMITTED:
            return Shown(ShownState.LATE if task.is_late else ShownState.ON_TIME, is_extended=is_extended)
        case TaskState.MISSED:
            days = calendar.working_days(deadline.due_on, on)
            return Shown(ShownState.OVERDUE, late_days=days, is_missed=True, is_extended=is_extended)
    if not deadline.has_passed(on, now):
        state = ShownState.RETURNED if task.state == TaskState.RETURNED else ShownState.NOT_DUE
        return Shown(state, is_extended=is_extended)
    return Shown(
        ShownState.OVERDUE, late_days=calendar.working_days(deadline.due_on, on), is_extended=is_extended
    )  # fmt: skip

"""What do the sample units do while the demo clock moves? In the afternoon of a day the same as in their history."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, or_, select
from sqlmodel import Session, col

from dondoc.clock import moment, today
from dondoc.database import Database
from dondoc.settings import Settings
from engine.walk import AFTERNOON
from models.cycle import Cycle, CycleState
from models.deadline import Deadline, Origin
from models.extension import Exemption, Extension
from models.submission import Review, Submission
from models.task import OWING, Task, TaskState
from models.unit import Unit
from notifications.channels import carrier_for
from samples import acts, habits
from samples.habits import Doing, Owed, Planned
from samples.history import ADOPTED, MILESTONE_HOUR, Player
from schedules.calendars import Calendar

#: A unit that came too late for a cycle that has closed since may still ask to be let in.
LINGERING: Final = timedelta(days=30)


class Life:
    """Called with each moment that the clock comes to: the office enters milestones, and an afternoon is lived.

    What is to be done follows from the rows alone, so it makes no difference which process looks, and after what.
    """

    def __init__(self, database: Database, settings: Settings) -> None:
        self.database = database
        self.settings = settings
        self.entered: set[int] = set()  #: the years whose milestones were looked for

    def __call__(self, now: datetime) -> None:
        day = today(now, self.settings.zone)
        player = Player(self.database, self.settings, carrier_for(self.settings))
        self._enter_milestones(player, day, now)
        if f"{now.astimezone(ZoneInfo(self.settings.zone)):%H:%M}" == AFTERNOON:
            with self.database.writing() as session:
                player.plans = sorted(each for each in self._planned(session, player.calendar, now) if each[0] <= day)
                player.act(session, day, now)

    def _enter_milestones(self, player: Player, day: date, now: datetime) -> None:
        """On their day of the year, or at the first look after it."""
        on = player.milestone_day(day.year)
        if day.year not in self.entered and on >= ADOPTED and now >= moment(on, MILESTONE_HOUR, self.settings.zone):
            player.enter_milestones(on, now)
            self.entered.add(day.year)

    def _planned(self, session: Session, calendar: Calendar, now: datetime) -> Iterator[Planned]:
        """What comes next about each task that somebody still waits for."""
        living = or_(col(Cycle.state) == CycleState.OPEN.value, col(Cycle.closed_at) >= now - LINGERING)
        query = (
            select(Task, col(Unit.code), Cycle, Deadline)
            .join(Unit, col(Unit.id) == col(Task.unit_id))
            .join(Cycle, col(Cycle.id) == col(Task.cycle_id))
            .join(Deadline, col(Deadline.id) == col(Task.deadline_id))
            .where(living)
        )
        zone, rows = self.settings.zone, session.execute(query).all()
        past = _Past(session, living)
        owed = [
            Owed(task.id, code, cycle.obligation, cycle.period, today(cycle.opened_at, zone),
                 *past.first.get(task.id, (deadline.id, deadline.due_on)))
            for task, code, cycle, deadline in rows
        ]  # fmt: skip
        drawn = {task_id: (day, doing) for day, doing, task_id in habits.drawn(owed, calendar)}
        for task, _, _, deadline in rows:
            found = self._next(task, deadline.due_on, drawn.get(task.id), past, calendar)
            if found is not None:
                yield (*found, task.id)

    def _next(
        self, task: Task, due_on: date, drawn: tuple[date, Doing] | None, past: "_Past", calendar: Calendar
    ) -> tuple[date, Doing] | None:
        """Of one task. What a person handed in for a unit, a person goes on with."""
        version, review, extended_at = past.versions.get(task.id), past.reviews.get(task.id), past.extended.get(task.id)
        if version is not None and version.key != acts.key_of(task.id, version.number):
            return None
        if task.state == TaskState.SUBMITTED and version is not None and review is None:
            return habits.review_day(version.received_on, calendar), Doing.REVIEW
        if task.state not in (*OWING, TaskState.MISSED):
            return None
        if review is not None and version is not None and (extended_at is None or review.at > extended_at):
            returned_on = today(review.at, self.settings.zone)
            hand_in_on = habits.answer_day(task.id, version.number, returned_on, calendar)
        elif extended_at is not None:
            hand_in_on = habits.extended_day(due_on, calendar)
        elif drawn is None or drawn[1] != Doing.SUBMIT:
            return None if task.id in past.exempted else drawn
        else:
            hand_in_on = drawn[0]
        if task.state in OWING:
            return hand_in_on, Doing.SUBMIT
        asks_on = habits.asks_on(task.id, task.versions, hand_in_on, calendar)
        return (asks_on, Doing.EXTEND) if asks_on is not None and extended_at is None else None


class _Past:
    """What was done so far about the tasks of the living cycles, by task."""

    def __init__(self, session: Session, living: ColumnElement[bool]) -> None:
        of_living = select(col(Task.id)).join(Cycle, col(Cycle.id) == col(Task.cycle_id)).where(living)
        versions = session.scalars(
            select(Submission)
            .where(col(Submission.task_id).in_(of_living), ~col(Submission.is_withdrawn))
            .order_by(col(Submission.number))
        )
        self.versions = {each.task_id: each for each in versions}  #: the last that was not withdrawn
        reviewed = {each.id: each.task_id for each in self.versions.values()}
        reviews = session.scalars(
            select(Review).where(col(Review.submission_id).in_(reviewed)).order_by(col(Review.id))
        )
        self.reviews = {reviewed[each.submission_id]: each for each in reviews}  #: the last one of that version
        self.first = dict[int, tuple[int, date]]()  #: the deadline that it was opened with, where it has another now
        self.extended = dict[int, datetime]()  #: when it was last given more time
        moves = session.execute(
            select(Extension, col(Deadline.origin))
            .join(Deadline, col(Deadline.id) == col(Extension.to_deadline_id))
            .where(col(Extension.task_id).in_(of_living))
            .order_by(col(Extension.id))
        )
        for move, origin in moves:
            self.first.setdefault(move.task_id, (move.from_deadline_id, move.from_on))
            if origin == Origin.EXTENSION:
                self.extended[move.task_id] = move.at
        self.exempted = set(
            session.scalars(select(col(Exemption.task_id)).where(col(Exemption.task_id).in_(of_living)))
        )

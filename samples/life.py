"""What do the sample units do while the demo clock moves? In the afternoon of a day the same as in their history."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Row, func, select
from sqlmodel import Session, col

from dondoc.clock import today
from dondoc.database import Database
from dondoc.settings import Settings
from engine.walk import AFTERNOON
from models.cycle import Cycle, CycleState
from models.deadline import Deadline, Origin
from models.task import OWING, Task, TaskState
from notifications.channels import carrier_for
from samples.history import Doing, Player


class Life:
    """Called with each moment that the clock comes to; an afternoon is lived, any other moment passes.

    What the units have in mind is kept from one afternoon to the next, and at the first one taken from the rows.
    """

    def __init__(self, database: Database, settings: Settings) -> None:
        self.database = database
        self.settings = settings
        self.player: Player | None = None

    def __call__(self, now: datetime) -> None:
        if f"{now.astimezone(ZoneInfo(self.settings.zone)):%H:%M}" != AFTERNOON:
            return
        day = today(now, self.settings.zone)
        with self.database.writing() as session:
            self.player = self.player or self._begin(session, day)
            self.player.look_ahead(session)
            self.player.act(session, day, now)

    def _begin(self, session: Session, day: date) -> Player:
        """Draws again what was drawn for the open cycles, without what lies behind, and goes on from there."""
        player = Player(self.database, self.settings, carrier_for(self.settings))
        is_open = col(Cycle.state) == CycleState.OPEN.value
        of_open = select(func.min(Task.id)).join(Cycle, col(Cycle.id) == col(Task.cycle_id)).where(is_open)
        player.seen = (session.scalar(of_open) or 1) - 1
        player.look_ahead(session)
        rows = session.execute(
            select(Task, Deadline)
            .join(Deadline, col(Deadline.id) == col(Task.deadline_id))
            .join(Cycle, col(Cycle.id) == col(Task.cycle_id))
            .where(is_open, col(Task.state).in_([TaskState.SUBMITTED.value, *(state.value for state in OWING)]))
        ).all()
        decided = {task.id for task, deadline in rows if deadline.origin == Origin.EXTENSION}
        player.plans = sorted(each for each in player.plans if each[0] >= day and each[2] not in decided)
        for row in rows:
            self._go_on(player, row, day)
        return player

    def _go_on(self, player: Player, row: Row[tuple[Task, Deadline]], day: date) -> None:
        """What follows upon something that was done: a review, another version, the day before an own due day."""
        task, deadline = row
        since = today(task.changed_at, self.settings.zone)
        if task.state == TaskState.SUBMITTED:
            player.plan(max(day, player.review_day(since)), Doing.REVIEW, task)
        elif task.state == TaskState.RETURNED:
            player.plan(max(day, player.working(since, 3)), Doing.SUBMIT, task)
        elif deadline.origin == Origin.EXTENSION:
            player.plan(max(day, player.working(deadline.due_on, -1)), Doing.SUBMIT, task)

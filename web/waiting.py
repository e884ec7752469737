"""How much waits for this user? The count beside "Việc cần làm", remembered so that pages need not ask for it."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import Connection, Engine, event
from sqlmodel import Session, col

from dondoc.database import WRITING, Database
from engine.access import Actor, Right, Scope, may_tasks, may_units
from models.contact import Contact
from models.inbox import Group, counts
from models.task import Task

#: How long a count holds while other processes may have written; what this one writes shows at once.
LASTING: Final = timedelta(seconds=30)
MOST: Final = 1_000  #: users remembered
#: Each once: what has climbed is overdue too.
SUMMED: Final = (Group.REVIEW, Group.AGAIN, Group.OVERDUE, Group.ASKS, Group.UNDELIVERED, Group.UNREACHABLE)


def waiting(session: Session, actor: Actor, today: date, now: datetime) -> dict[Group, int]:
    """How much is in each group of this user's inbox."""
    chase = Right.CHASE
    query = counts(
        may_tasks(actor, Right.REVIEW),
        may_tasks(actor, chase),
        may_units(actor, chase, col(Contact.unit_id)),
        may_units(actor, chase, col(Task.unit_id)),
        today,
        now,
    )
    row = session.execute(query).one()
    return {Group(name): count for name, count in row._mapping.items()}


@dataclass(slots=True)
class Waiting:
    """The sums by what users may do."""

    known: dict[tuple[Scope, ...], tuple[datetime, int]] = field(default_factory=dict)

    def listen(self, engine: Engine) -> None:
        """From now on whatever this process writes makes it forget."""

        def committed(connection: Connection) -> None:
            if connection.get_execution_options().get("dondoc_begin") == WRITING:  # reading sessions end so too
                self.known.clear()

        event.listen(engine, "commit", committed)

    def total(self, database: Database, actor: Actor, today: date, now: datetime) -> int:
        known = self.known.get(actor.scopes)
        if known is not None and abs(now - known[0]) < LASTING:
            return known[1]
        with database.reading() as session:
            found = waiting(session, actor, today, now)
        if len(self.known) >= MOST:
            self.known.clear()
        total = sum(found[group] for group in SUMMED)
        self.known[actor.scopes] = (now, total)
        return total

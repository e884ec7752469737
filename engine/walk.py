"""How does time pass in a playground? From moment to moment at which the engine has something to do, missing none."""

from collections.abc import Callable
from dataclasses import astuple, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from sqlalchemy import Select, case, exists, func
from sqlmodel import Session, col, select

from dondoc.clock import moment, today
from dondoc.database import Database
from engine.round import Round
from models.cycle import Cycle
from models.notice import next_free
from models.plan import Revision
from models.step import Step, StepKind, next_step
from models.task import OWING, Task, TaskState

DAY_BEGINS: Final = "00:00"  #: what is to open on a day opens with it
OFFICE_HOUR: Final = "08:00"  #: when people see what was opened
AFTERNOON: Final = "15:00"  #: a look every day on which somebody has work: what units did is told, tries are repeated
ONE_DAY: Final = timedelta(days=1)
END: Final = datetime.max.replace(tzinfo=UTC)
UNFINISHED: Final = (*(state.value for state in OWING), TaskState.SUBMITTED.value)


@dataclass(frozen=True, slots=True)
class Stop:
    """A moment worth stopping at: a step that still concerns somebody, or (both None) the morning of an opening."""

    at: datetime
    step: Step | None = None
    cycle: Cycle | None = None


def walk(database: Database, start: datetime, to: datetime, *, zone: str, live: Callable[[datetime], Round]) -> Round:
    """Calls `live` for each moment after `start` and for `to`, in order; says what that added in all.

    What comes next is asked again after each moment: opening plans steps, escalating moves them.
    """
    now, total = start, Round(0, 0, 0, 0, 0)
    while now < to:
        now = min(to, _after(database, now, zone))
        total = Round(*map(sum, zip(astuple(total), astuple(live(now)), strict=True)))
    return total


def next_stop(session: Session, now: datetime, zone: str) -> Stop | None:
    """Where the next thing happens that somebody notices; None when nothing is planned any more."""
    found = session.execute(_concerning(next_step(now))).first()
    step = Stop(found[0].at, found[0], found[1]) if found else None
    opens_on = _opens_on(session, today(now, zone))
    if opens_on is None:
        return step
    opening = Stop(moment(opens_on, OFFICE_HOUR, zone))
    return step if step and step.at < opening.at else opening


def _after(database: Database, now: datetime, zone: str) -> datetime:
    """The first moment after `now` at which there may be something to do; with nothing left to do, the end of time."""
    on, moments = today(now, zone), [END]
    with database.reading() as session:
        found = session.execute(next_step(now)).first()
        opens_on = _opens_on(session, on)
        free_at = session.scalar(next_free(now))
        is_busy = session.scalar(select(exists().where(col(Task.state).in_(UNFINISHED))))
    if is_busy:
        moments += [at for at in (moment(on, AFTERNOON, zone), moment(on + ONE_DAY, AFTERNOON, zone)) if at > now]
    if found is not None:
        moments.append(found[0].at)
    if free_at is not None:
        moments.append(free_at)
    if opens_on is not None:
        moments.append(moment(opens_on, DAY_BEGINS, zone))
    return min(moments)


def _opens_on(session: Session, on: date) -> date | None:
    """The first day after `on` on which a plan may have something to open."""
    day = col(Revision.next_open_on)
    return session.exec(select(func.min(day)).where(col(Revision.is_active), day > on, day < date.max)).one()


def _concerning(query: Select[tuple[Step, Cycle]]) -> Select[tuple[Step, Cycle]]:
    """Only the steps whose deadline somebody still owes something by; of several at once the gravest first."""
    owed = [state.value for state in OWING]
    grave = case((col(Step.kind) == StepKind.ESCALATE.value, 0), else_=1)
    return (
        query.where(exists().where(col(Task.deadline_id) == col(Step.deadline_id), col(Task.state).in_(owed)))
        .order_by(None)
        .order_by(col(Step.at), grave, col(Step.id))
    )

"""How far is each cycle? What is finished is closed; rates are counted: complete and on time apart, who is missing."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from sqlalchemy import func, select, text
from sqlalchemy.orm import aliased
from sqlmodel import Session, col
from sqlmodel import select as rows

from engine.close import finish
from models.cycle import Cycle, CycleState
from models.deadline import Deadline, Origin
from models.entry import Entry
from models.extension import is_left
from models.plan import Plan
from models.task import OWING, Task, TaskState
from models.unit import Placement, Unit

#: Written out, because SQLite takes a partial index only for words that it sees.
IS_UNFINISHED: Final = text("task.cycle_id = cycle.id AND task.state IN ('open', 'submitted', 'returned')")
_OVER: Final = rows(Cycle).where(
    col(Cycle.state) == CycleState.OPEN.value, ~select(text("1")).select_from(Task).where(IS_UNFINISHED).exists()
)
#: Whether a cycle is to be closed.
IS_OVER: Final = _OVER.exists()
PAGE: Final = 500  #: entries read at a time, from the newest back
MOST_NAMES: Final = 300  #: a cycle that misses more units than this is told by its superiors alone
_COMPLETE: Final = (TaskState.SUBMITTED, TaskState.ACCEPTED)
_NOT_OWED: Final = (TaskState.EXEMPTED, TaskState.CANCELLED)


@dataclass(frozen=True, slots=True)
class Tracked:
    """How many cycles were closed."""

    closed: int = 0


@dataclass(slots=True)
class Missing:
    """The units under one superior that owe still, or missed it."""

    superior: str
    count: int
    units: list[str] = field(default_factory=list)  #: their names; empty when the cycle misses too many


@dataclass(frozen=True, slots=True)
class Rate:
    """How far a cycle is. What was exempted or cancelled is not owed and counts nowhere."""

    cycle: Cycle
    plan: str
    due_on: date  #: the last due day that the plan gave
    owed: int
    complete: int  #: handed in: waiting for review or accepted
    on_time: int  #: those of them that met their day
    missing: list[Missing]


def track(session: Session, now: datetime) -> Tracked:
    """Closes the open cycles in which nothing is unfinished. Every act does so itself: this is the net beneath them."""
    over = session.exec(_OVER).all()
    return Tracked(sum(finish(session, cycle, now) for cycle in over))


def changed(session: Session, since: datetime) -> set[int]:
    """The cycles about which the journal says something at or after a moment."""
    found: set[int] = set()
    before: int | None = None
    while True:
        query = select(col(Entry.id), col(Entry.at), col(Entry.cycle_id)).order_by(col(Entry.id).desc()).limit(PAGE)
        page = session.execute(query if before is None else query.where(col(Entry.id) < before)).all()
        recent = [row for row in page if row.at >= since]
        found |= {row.cycle_id for row in recent if row.cycle_id is not None}
        if len(recent) < PAGE:
            return found
        before = page[-1].id


def open_cycles(session: Session) -> set[int]:
    return set(session.exec(rows(Cycle.id).where(col(Cycle.state) == CycleState.OPEN.value)))


def rates(session: Session, cycle_ids: Collection[int]) -> list[Rate]:
    """The rates of these cycles, in the order of their opening."""
    by_state: defaultdict[int, dict[tuple[str, bool | None], int]] = defaultdict(dict)
    counted = (
        select(col(Task.cycle_id), col(Task.state), col(Task.is_late), func.count())
        .where(col(Task.cycle_id).in_(cycle_ids))
        .group_by(col(Task.cycle_id), col(Task.state), col(Task.is_late))
    )
    for cycle_id, state, is_late, count in session.execute(counted):
        by_state[cycle_id][state, is_late] = count
    due: dict[int, date] = dict(
        session.execute(
            select(col(Deadline.cycle_id), func.max(Deadline.due_on))
            .where(
                col(Deadline.cycle_id).in_(cycle_ids),
                col(Deadline.origin).in_([Origin.PLAN.value, Origin.MILESTONE.value]),
                ~is_left(),
            )
            .group_by(col(Deadline.cycle_id))
        )
        .tuples()
        .all()
    )
    missing = _missing(session, cycle_ids)
    found = session.execute(
        select(Cycle, col(Plan.code))
        .join(Plan, col(Plan.id) == col(Cycle.plan_id))
        .where(col(Cycle.id).in_(due))
        .order_by(col(Cycle.id))
    )
    made = []
    for cycle, plan in found:
        counts = by_state[cycle.id]
        owed = sum(n for (state, _), n in counts.items() if state not in _NOT_OWED)
        complete = sum(n for (state, _), n in counts.items() if state in _COMPLETE)
        on_time = sum(n for (state, is_late), n in counts.items() if state in _COMPLETE and is_late is False)
        made.append(Rate(cycle, plan, due[cycle.id], owed, complete, on_time, missing[cycle.id]))
    return made


def _missing(session: Session, cycle_ids: Collection[int]) -> defaultdict[int, list[Missing]]:
    """By cycle, in the order of the tree as it stood at the opening."""
    superior = aliased(Unit)
    owing = [state.value for state in (*OWING, TaskState.MISSED)]
    found: defaultdict[int, list[Missing]] = defaultdict(list)
    placed: dict[tuple[int, str], Missing] = {}
    counted = (
        select(col(Task.cycle_id), col(superior.name), func.count())
        .join(Placement, col(Placement.id) == col(Task.placement_id))
        .outerjoin(superior, col(superior.id) == col(Placement.parent_id))
        .where(col(Task.cycle_id).in_(cycle_ids), col(Task.state).in_(owing))
        .group_by(col(Task.cycle_id), col(superior.id), col(superior.name))
        .order_by(col(Task.cycle_id), func.min(Placement.path))
    )
    for cycle_id, above, count in session.execute(counted):
        placed[cycle_id, above or ""] = Missing(above or "", count)
        found[cycle_id].append(placed[cycle_id, above or ""])
    named = [cycle_id for cycle_id, group in found.items() if sum(each.count for each in group) <= MOST_NAMES]
    names = (
        select(col(Task.cycle_id), col(superior.name), col(Unit.name))
        .join(Unit, col(Unit.id) == col(Task.unit_id))
        .join(Placement, col(Placement.id) == col(Task.placement_id))
        .outerjoin(superior, col(superior.id) == col(Placement.parent_id))
        .where(col(Task.cycle_id).in_(named), col(Task.state).in_(owing))
        .order_by(col(Task.cycle_id), col(Placement.path))
    )
    for cycle_id, above, unit in session.execute(names):
        placed[cycle_id, above or ""].units.append(unit)
    return found

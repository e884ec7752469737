"""What does one unit owe in one cycle? The task: its states, the acts each state allows, and its verbs."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from models.columns import Moment


class TaskState(StrEnum):
    OPEN = "open"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    ACCEPTED = "accepted"
    MISSED = "missed"
    EXEMPTED = "exempted"
    CANCELLED = "cancelled"


class Act(StrEnum):
    SUBMIT = "submit"
    RECORD = "record"  #: a submission that came on paper or by e-office
    WITHDRAW = "withdraw"
    ACCEPT = "accept"
    RETURN = "return"
    EXTEND = "extend"
    EXEMPT = "exempt"
    MISS = "miss"
    REOPEN = "reopen"  #: undoes an acceptance or an exemption
    UNLOCK = "unlock"  #: an extension after the end
    CANCEL = "cancel"


_S, _A = TaskState, Act
_BACK: Final = (_S.OPEN, _S.RETURNED)  # back to where the unit stood: returned when a version had been returned
_OWING: Final = {
    _A.SUBMIT: (_S.SUBMITTED,),
    _A.RECORD: (_S.SUBMITTED,),
    _A.EXTEND: _BACK,
    _A.EXEMPT: (_S.EXEMPTED,),
    _A.MISS: (_S.MISSED,),
    _A.CANCEL: (_S.CANCELLED,),
}

#: state -> act -> the states it may lead to. Pages ask it which buttons to show; errors quote it.
TRANSITIONS: Final[Mapping[TaskState, Mapping[Act, tuple[TaskState, ...]]]] = MappingProxyType(
    {
        _S.OPEN: _OWING,
        _S.RETURNED: _OWING,
        _S.SUBMITTED: {
            _A.ACCEPT: (_S.ACCEPTED,),
            _A.RETURN: (_S.RETURNED,),
            _A.WITHDRAW: _BACK,
            _A.CANCEL: (_S.CANCELLED,),
        },
        _S.ACCEPTED: {_A.REOPEN: (_S.SUBMITTED,)},
        _S.EXEMPTED: {_A.REOPEN: _BACK},
        # A paper that came in time may be recorded after the end.
        _S.MISSED: {_A.UNLOCK: _BACK, _A.RECORD: (_S.SUBMITTED,), _A.EXEMPT: (_S.EXEMPTED,)},
        _S.CANCELLED: {},
    }
)

#: The states in which a cycle still waits for the task.
UNFINISHED: Final = (TaskState.OPEN, TaskState.SUBMITTED, TaskState.RETURNED)
#: The states in which the unit still owes something, so that a step concerns it.
OWING: Final = (TaskState.OPEN, TaskState.RETURNED)


class IllegalActError(Exception):
    """The act is not allowed in this state; nothing was written."""

    def __init__(self, task: "Task", act: Act) -> None:
        self.task, self.act, self.allowed = task, act, task.allowed
        acts = ", ".join(self.allowed) or "none"
        super().__init__(f"task {task.id} is {task.state}: {act} is not allowed, allowed: {acts}")


class Task(SQLModel, table=True):
    """One task a unit and cycle. The verbs change the state alone; the engine writes what belongs to the act."""

    __table_args__ = (
        UniqueConstraint("cycle_id", "unit_id"),
        Index("ix_task_deadline", "deadline_id", "state"),
        Index("ix_task_unit", "unit_id"),
        Index(
            "ix_task_unfinished",
            "cycle_id",
            sqlite_where=text("state IN ('open', 'submitted', 'returned')"),
            postgresql_where=text("state IN ('open', 'submitted', 'returned')"),
        ),
    )
    id: int = Field(default=None, primary_key=True)
    cycle_id: int = Field(foreign_key="cycle.id")
    unit_id: int = Field(foreign_key="unit.id")
    placement_id: int = Field(foreign_key="placement.id")  #: of the day of opening: the tree of that day
    receiver_id: int | None = Field(default=None, foreign_key="unit.id")  #: receives and reviews
    deadline_id: int = Field(foreign_key="deadline.id")
    state: str = TaskState.OPEN
    versions: int = 0  #: submissions so far
    returns: int = 0  #: versions sent back
    is_late: bool | None = None  #: the verdict so far; None while nothing came in that counts
    changed_at: datetime = Field(sa_type=Moment)

    @property
    def allowed(self) -> tuple[Act, ...]:
        return tuple(TRANSITIONS[TaskState(self.state)])

    def expect(self, act: Act) -> tuple[TaskState, ...]:
        """The states that the act may lead to from here. Raises IllegalActError when the table has no such step."""
        to = TRANSITIONS[TaskState(self.state)].get(act)
        if to is None:
            raise IllegalActError(self, act)
        return to

    def move(self, act: Act, at: datetime) -> None:
        """Does the act: the state changes. Raises IllegalActError, with nothing changed."""
        to = self.expect(act)
        self.state = (TaskState.RETURNED if self.returns else TaskState.OPEN) if to == _BACK else to[0]
        self.changed_at = at

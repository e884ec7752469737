"""What would a plan change? Every date that differs, whom it concerns, who was told, and what the next months bring."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import Session

from schedules.diff import Change
from schedules.plan import Plan as PlanFile
from schedules.problem import Problem
from schedules.timeline import Row, Timeline


@dataclass(frozen=True, slots=True)
class Moved:
    """A change with those whom it concerns. Units are counted, never read one by one."""

    plan: str
    change: Change
    cycle_id: int | None  #: None: it is not open yet and comes as the new plan says, whatever the policy
    units: int  #: who owes it
    told: int = 0  #: of those, the ones who were told a day
    submitted: int = 0  #: of those, the ones whose report is in: for them nothing changes
    told_later: int = 0  #: told a later day than the new one: they are told whenever it moves

    def as_json(self) -> dict[str, object]:
        """As `dondoc plans diff --json` prints it; `from` and `to` are nominal days."""
        before, after = self.change.before, self.change.after
        return {
            "obligation": self.change.obligation,
            "period": self.change.period,
            "level": self.change.level,
            "from": before.nominal_on.isoformat() if before else None,
            "to": after.nominal_on.isoformat() if after else None,
            "units": self.units,
            "told": self.told,
            "submitted": self.submitted,
        }


@dataclass(frozen=True, slots=True)
class Ahead:
    """A due day of the months ahead."""

    row: Row
    units: int
    is_open: bool  #: its cycle is open: the day is the row's, as the policy `move` would leave it


@dataclass(frozen=True, slots=True)
class Month:
    """What one month brings, as far as nobody hands in sooner or later than the simulation's units do."""

    first: date
    opens: int  #: tasks
    due: int  #: tasks
    messages: int


@dataclass(frozen=True, slots=True)
class Preview:
    plan: PlanFile
    base: str | None  #: hash of the active revision; None: there is none
    from_on: date
    timeline: Timeline  #: of the new text, all of it
    changes: tuple[Moved, ...]  #: in the order of their days
    problems: tuple[Problem, ...]  #: warnings; a text with errors has no preview
    ahead: tuple[Ahead, ...]  #: the next 18 months
    months: tuple[Month, ...]
    diff_hash: str


def preview(
    session: Session, text: bytes, name: str, *, now: datetime, zone: str, from_on: date | None = None
) -> Preview:
    """What applying the text would do. Raises InvalidPlanError for a text that cannot come into force."""
    raise NotImplementedError

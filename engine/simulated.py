"""What came of a simulated life? Its rows counted: work and timeliness, notices and messages, contacts, escalations."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import asdict, astuple, dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import and_, case, exists, func, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from dondoc.clock import today
from engine.plans import plan_of, timeline_of
from engine.traffic import Traffic, traffic
from models.contact import Contact
from models.cycle import Cycle
from models.deadline import Deadline, Origin
from models.extension import Extension
from models.message import Message
from models.notice import Notice, NoticeKind
from models.plan import Revision
from models.step import Step, StepKind, StepState
from models.task import Task, TaskState
from models.unit import Placement, Unit, valid


@dataclass(frozen=True, slots=True)
class Work:
    """Tasks, and of those whose due day has come: handed in on time, handed in late, still missing.

    What was returned and did not come again is missing, whenever it first came.
    """

    cycles: int = 0
    tasks: int = 0
    due: int = 0
    on_time: int = 0
    late: int = 0
    missing: int = 0
    returned: int = 0  #: sent back at least once
    extended: int = 0

    def __add__(self, other: "Work") -> "Work":
        return Work(*(mine + theirs for mine, theirs in zip(astuple(self), astuple(other), strict=True)))

    @property
    def complete_rate(self) -> float | None:
        """How much of what is due is in, on time or late; None while nothing is due."""
        return round((self.on_time + self.late) / self.due, 4) if self.due else None

    @property
    def on_time_rate(self) -> float | None:
        return round(self.on_time / self.due, 4) if self.due else None

    def as_json(self) -> dict[str, object]:
        return {**asdict(self), "complete_rate": self.complete_rate, "on_time_rate": self.on_time_rate}


@dataclass(frozen=True, slots=True)
class Month:
    """What was opened, fell due, was told and was sent in a month; `escalations` are among the notices."""

    month: str  #: 2021-12
    opened: int = 0
    due: int = 0
    notices: int = 0
    messages: int = 0
    escalations: int = 0


@dataclass(frozen=True, slots=True)
class Told:
    """One contact. `months` have what it was told and sent in each of them, those without anything left out."""

    unit: str
    role: str
    name: str
    notices: int
    messages: int
    months: tuple[tuple[str, int, int], ...]  #: (month, notices, messages)
    days: tuple[tuple[date, str, int], ...]  #: (day, channel, messages)

    @property
    def busiest(self) -> tuple[str, int]:
        """The month with the most messages, the first of several, and how many those were."""
        month, _notices, messages = max(self.months, key=lambda each: each[2])
        return month, messages

    @property
    def busiest_day(self) -> tuple[date, int] | None:
        """The day with the most messages, the first of several; None when every notice was dropped."""
        days = Counter[date]()
        for on, _channel, messages in self.days:
            days[on] += messages
        return days.most_common(1)[0] if days else None

    def as_json(self) -> dict[str, object]:
        months = {month: {"notices": notices, "messages": messages} for month, notices, messages in self.months}
        days: dict[str, dict[str, int]] = {}
        for on, channel, messages in self.days:
            days.setdefault(on.isoformat(), {})[channel] = messages
        return {**asdict(self), "months": months, "days": days}


@dataclass(frozen=True, slots=True)
class Climb:
    """A rung of the ladder: how often it was reached, what was told there, and for how many tasks nobody was there."""

    rung: str
    steps: int
    notices: int
    unreachable: int


@dataclass(frozen=True, slots=True)
class Simulated:
    plan: str
    first: date
    last: date
    seed: int
    units: tuple[int, int]  #: how many stood there on the first and on the last day
    states: dict[str, int]  #: tasks by state, every state
    steps: dict[str, int]  #: steps fired and skipped
    notices: dict[str, int]  #: by kind, every kind
    messages: int
    total: Work
    obligations: dict[str, Work]  #: in the order of the plan
    months: tuple[Month, ...]  #: every month from the first to the last
    contacts: tuple[Told, ...]  #: the busiest first
    escalations: tuple[Climb, ...]  #: in the order of the ladder
    traffic: Traffic
    waiting: tuple[tuple[str, str, str], ...]  #: (obligation, period, milestone): not opened, the milestone has no day

    def as_json(self) -> dict[str, object]:
        return {
            "plan": self.plan,
            "from": self.first,
            "to": self.last,
            "seed": self.seed,
            "units": {"first": self.units[0], "last": self.units[1]},
            **self.total.as_json(),
            "states": self.states,
            "steps": self.steps,
            "notices": self.notices,
            "messages": self.messages,
            **self.traffic.as_json(),
            "obligations": [{"obligation": code, **work.as_json()} for code, work in self.obligations.items()],
            "months": [asdict(each) for each in self.months],
            "escalations": [asdict(each) for each in self.escalations],
            "contacts": [each.as_json() for each in self.contacts],
            "waiting": [
                {"obligation": obligation, "period": period, "milestone": milestone}
                for obligation, period, milestone in self.waiting
            ],
        }


def simulated(session: Session, *, first: date, last: date, seed: int, zone: str) -> Simulated:
    """Counts the rows of a database in which one plan was lived through, from `first` to `last`."""
    revision = session.scalars(select(Revision).where(col(Revision.is_active))).one()
    plan = plan_of(session, revision.id)
    worked = _work(session, last)
    days, sent = _days(session, zone), traffic(session, zone)
    by_state, by_step, by_kind = (_counted(session, col(each)) for each in (Task.state, Step.state, Notice.kind))
    return Simulated(
        plan.code,
        first,
        last,
        seed,
        (_units(session, first), _units(session, last)),
        {state.value: by_state[state.value] for state in TaskState},
        {state.value: by_step[state.value] for state in (StepState.FIRED, StepState.SKIPPED)},
        {kind.value: by_kind[kind.value] for kind in NoticeKind},
        sum(days.messages.values()),
        sum(worked.values(), Work()),
        {each.code: worked.get(each.code, Work()) for each in plan.obligations},
        tuple(_months(session, first, last, days, zone)),
        tuple(_contacts(session, days, sent)),
        tuple(_escalations(session)),
        sent,
        tuple(
            (each.obligation.code, each.period.label, each.milestone) for each in timeline_of(session, revision).waiting
        ),
    )


@dataclass(frozen=True, slots=True)
class _Days:
    """Counts by (month, contact): notices, those of escalations among them, and messages."""

    notices: Counter[tuple[str, int]]
    escalations: Counter[tuple[str, int]]
    messages: Counter[tuple[str, int]]


def _days(session: Session, zone: str) -> _Days:
    days = _Days(Counter(), Counter(), Counter())
    at, who = col(Notice.created_at), col(Notice.contact_id)
    for created_at, contact_id, kind, count in session.execute(
        select(at, who, col(Notice.kind), func.count()).group_by(at, who, col(Notice.kind))
    ):
        key = (_month(today(created_at, zone)), contact_id)
        days.notices[key] += count
        days.escalations[key] += count if kind == NoticeKind.ESCALATION else 0
    at, who = col(Message.created_at), col(Message.contact_id)
    for created_at, contact_id, count in session.execute(select(at, who, func.count()).group_by(at, who)):
        days.messages[_month(today(created_at, zone)), contact_id] += count
    return days


def _work(session: Session, last: date) -> dict[str, Work]:
    """By obligation; a task counts as due when its own day, extended or not, has come."""
    is_due = col(Deadline.due_on) <= last
    is_in = col(Task.state).in_([TaskState.SUBMITTED.value, TaskState.ACCEPTED.value])
    given = aliased(Deadline)
    is_extended = (
        exists()
        .where(col(Extension.task_id) == col(Task.id), col(given.id) == col(Extension.to_deadline_id))
        .where(col(given.origin) == Origin.EXTENSION.value)
    )
    counts = (
        is_due,
        and_(is_due, is_in, col(Task.is_late).is_(False)),
        and_(is_due, is_in, col(Task.is_late).is_(True)),
        and_(is_due, ~is_in),
        col(Task.returns) > 0,
        is_extended,
    )
    tasks = (
        select(col(Cycle.obligation), func.count(), *(func.sum(case((each, 1), else_=0)) for each in counts))
        .select_from(Task)
        .join(Cycle, col(Cycle.id) == col(Task.cycle_id))
        .join(Deadline, col(Deadline.id) == col(Task.deadline_id))
        .group_by(col(Cycle.obligation))
    )
    of_tasks = {obligation: numbers for obligation, *numbers in session.execute(tasks)}
    cycles = select(col(Cycle.obligation), func.count()).group_by(col(Cycle.obligation))
    return {
        obligation: Work(count, *of_tasks.get(obligation, [0] * 7)) for obligation, count in session.execute(cycles)
    }


def _months(session: Session, first: date, last: date, days: _Days, zone: str) -> Iterator[Month]:
    opened, due = Counter[str](), Counter[str]()
    for at, count in session.execute(
        select(col(Cycle.opened_at), func.count())
        .join(Task, col(Task.cycle_id) == col(Cycle.id))
        .group_by(col(Cycle.opened_at))
    ):
        opened[_month(today(at, zone))] += count
    for on, count in session.execute(
        select(col(Deadline.due_on), func.count())
        .join(Task, col(Task.deadline_id) == col(Deadline.id))
        .group_by(col(Deadline.due_on))
    ):
        due[_month(on)] += count
    notices, messages, escalations = (_by_month(each) for each in (days.notices, days.messages, days.escalations))
    on = first.replace(day=1)
    while on <= last:
        name = _month(on)
        yield Month(name, opened[name], due[name], notices[name], messages[name], escalations[name])
        on = (on + timedelta(days=31)).replace(day=1)


def _contacts(session: Session, days: _Days, sent: Traffic) -> list[Told]:
    """Those who were told anything, the busiest first."""
    people = {
        contact_id: (unit, role, name)
        for contact_id, unit, role, name in session.execute(
            select(col(Contact.id), col(Unit.code), col(Contact.role), col(Contact.name)).join(
                Unit, col(Unit.id) == col(Contact.unit_id)
            )
        )
    }
    months: defaultdict[int, list[tuple[str, int, int]]] = defaultdict(list)
    for month, contact_id in sorted(days.notices.keys() | days.messages.keys()):
        key = (month, contact_id)
        months[contact_id].append((month, days.notices[key], days.messages[key]))
    told = (
        Told(
            *people[contact_id],
            sum(each[1] for each in had),
            sum(each[2] for each in had),
            tuple(had),
            sent.to.get(contact_id, ()),
        )
        for contact_id, had in months.items()
    )
    return sorted(told, key=lambda each: (-each.messages, -each.notices, each.unit, each.role, each.name))


def _escalations(session: Session) -> Iterator[Climb]:
    """In the order in which the ladder climbs: that of the first step of each rung."""
    steps = select(Step).where(col(Step.kind) == StepKind.ESCALATE.value, col(Step.state) == StepState.FIRED.value)
    fired, unreachable = Counter[str](), Counter[str]()
    for step in session.scalars(steps.order_by(col(Step.ordinal), col(Step.id))):
        fired[step.rung] += 1
        unreachable[step.rung] += (step.counts or {}).get("unreachable", 0)
    told = select(col(Notice.rung), func.count()).where(col(Notice.kind) == NoticeKind.ESCALATION.value)
    notices = dict(session.execute(told.group_by(col(Notice.rung))).tuples().all())
    for rung, count in fired.items():
        yield Climb(rung, count, notices.get(rung, 0), unreachable[rung])


def _units(session: Session, on: date) -> int:
    return session.scalar(select(func.count()).select_from(Placement).where(valid(on))) or 0


def _counted(session: Session, column: Any) -> Counter[str]:
    """How many rows have each value of a column."""
    return Counter(dict(session.execute(select(column, func.count()).group_by(column)).tuples().all()))


def _by_month(counts: Counter[tuple[str, int]]) -> Counter[str]:
    found = Counter[str]()
    for (month, _contact), count in counts.items():
        found[month] += count
    return found


def _month(on: date) -> str:
    return f"{on:%Y-%m}"

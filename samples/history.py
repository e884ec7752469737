"""What happened in the sample organisation so far? Its history, played month by month through the real engine.

Who reports when is drawn from a hash of unit, obligation and period: the same history every time, with most on time,
some late, a few silent, some sent back, one extended and one exempted.
"""

import heapq
import os
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from sqlalchemy import event, func, insert, literal, update
from sqlmodel import Session, col, select

from dondoc.clock import moment, move, today
from dondoc.database import Database
from dondoc.i18n import translate, whole_period
from dondoc.keys import secret_key
from dondoc.settings import Settings
from engine import extend, milestones, review, revise, submit
from engine.errors import RefusedError
from engine.fire import fire
from engine.open import open_due
from engine.plans import active_plans, obligation_of, timeline_of
from engine.round import run
from engine.track import track
from models.cycle import Cycle
from models.day import calendar_of
from models.deadline import Deadline
from models.message import IS_UNSENT, Attempt, Message, MessageState, Outcome
from models.notice import next_free
from models.plan import active
from models.step import next_step
from models.submission import Submission, Way
from models.task import OWING, Task, TaskState
from models.unit import Unit
from notifications.channels import carrier_for
from notifications.channels.carrier import Carrier
from notifications.deliver import queue
from notifications.item import Office
from notifications.pace import pace_of
from samples import acts, habits, organisation, zalo
from samples.habits import Doing, Owed, Planned
from schedules import load
from schedules.calendars import ONE_DAY, Calendar
from schedules.plan import FieldType, Obligation
from schedules.timeline import Timeline

ADOPTED: Final = date(2021, 10, 1)  #: the first plan came in autumn 2021; its first cycles open then
LAST_DAY: Final = date(2024, 7, 4)  #: some days after the half-year's reports were due: some are late, in all plans
CELLS: Final = "chi-bo-truc-thuoc"
#: Until then the base organisations report alone. The cells are four of five units: with them from the beginning, the
#: demonstration would take twice as long to play.
CELLS_JOIN: Final = date(2024, 4, 1)
MILESTONE_HOUR: Final = "07:30"  #: before the round of the morning
SCHEDULES: Final = Path(load.__file__).parent
CALENDAR: Final = "vn-state"
Report = Callable[[str], None]
Tasks = Sequence[tuple[Task, Deadline, Cycle]]
#: A month: its label, and what lives it and says in a line what happened.
Month = tuple[str, Callable[[], str]]
#: Lives the months, one after another, over this database.
Through = Callable[[Sequence[Month], Database], None]


def demo(settings: Settings, until: date, through: Through) -> None:
    """Makes a playground of the data folder, or leaves the one that is there as it is.

    History is played in a folder beside it and moved in at the end, the clock last: a start that was killed leaves
    nothing half played, and one that was killed while moving is brought to its end.
    """
    beside = _beside(settings)
    if is_played(settings):
        return
    if not (beside / settings.clock.name).exists():
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir(mode=0o700, parents=True)
        making = settings.model_copy(update={"data": beside, "database_url": None})
        database = Database(making.database)
        event.listen(database.engine, "connect", _hurry)
        database.upgrade()
        zalo.make_secrets(making.data / zalo.FOLDER)
        prepare(database, making)
        play(database, making, carrier_for(making), until, through)
        database.close()
        with (beside / "dondoc.sqlite").open("rb") as file:
            os.fsync(file.fileno())
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    for each in sorted(beside.iterdir(), key=lambda path: path.name == settings.clock.name):
        each.replace(settings.data / each.name)
    beside.rmdir()


def is_played(settings: Settings) -> bool:
    """Whether there is a playground already, brought to its end.

    Raises RefusedError for a folder that holds anything else: it may be somebody's office. Prefect's own folder may
    be there: its server was started first, to show how history is played.
    """
    if settings.clock.exists():
        return True
    folder = settings.data.absolute()
    is_moving = (_beside(settings) / settings.clock.name).exists()
    if not is_moving and folder.exists() and {each.name for each in folder.iterdir()} - {"prefect"}:
        raise RefusedError("refused.not_a_playground", folder=folder)
    return False


def straight(report: Report) -> Through:
    """Lives the months and reports each."""

    def through(months: Sequence[Month], _: Database) -> None:
        for _label, live in months:
            report(live())

    return through


def prepare(database: Database, settings: Settings) -> None:
    """The sample organisation (the cells come later), the shipped calendar and plans, as on the day of adoption."""
    now = moment(ADOPTED, "07:00", settings.zone)
    calendar, problems = load.read_calendar(SCHEDULES / "calendars" / f"{CALENDAR}.yaml")
    if calendar is None:
        raise ValueError("; ".join(problem.text(settings.lang) for problem in problems))
    with database.writing() as session:
        organisation.load(session, now=now, zone=settings.zone, without=CELLS)
        revise.apply_calendar(session, calendar, by="system", now=now)
        zalo.link_bots(session, settings, now)
        for path in sorted((SCHEDULES / "plans").glob("*.yaml")):
            revise.apply_plan(session, path.read_bytes(), path.name, by="system", now=now, zone=settings.zone)


def play(database: Database, settings: Settings, carrier: Carrier, until: date, through: Through) -> None:
    """Lives from the day of adoption to the morning of `until`; the demo clock stands at that moment afterwards."""
    player = Player(database, settings, carrier)
    months = list(_months(ADOPTED, until))
    through([(f"{first:%Y-%m}", partial(player.live, first, after)) for first, after in months], database)
    now = moment(until, "08:15", settings.zone)
    with database.writing() as session:
        zalo.link_account(session, settings, now)
    url, key, pace = settings.url, secret_key(settings.key), pace_of(settings)
    run(database, carrier, now, zone=settings.zone, url=url, key=key, pace=pace)
    move(settings.clock, now)


@dataclass
class Player:
    """The units and their superiors; what they will do is drawn when their task opens."""

    database: Database
    settings: Settings
    carrier: Carrier
    one_by_one: bool = False  #: every act by itself: slower, and the same to the last row
    plans: list[Planned] = field(default_factory=list)
    seen: int = 0  #: the last task whose doings were drawn

    def __post_init__(self) -> None:
        with self.database.reading() as session:
            self.calendar: Calendar = calendar_of(session, CALENDAR)

    def live(self, first: date, after: date) -> str:
        """Lives the days of [first, after) on which anything happens; what it came to, in a line."""
        before = self._counts()
        day = first
        while day < after:
            self.live_day(day)
            day = max(day + ONE_DAY, self.next_day(day))
        counts = {name: count - before[name] for name, count in self._counts().items()}
        line = "{month}: {cycles} đợt, {tasks} nhiệm vụ, {submissions} bản nộp, {messages} tin"
        lang = self.settings.lang
        return translate(line, lang, month=whole_period(f"{first:%Y-%m}", lang), **counts)

    def next_day(self, day: date) -> date:
        with self.database.reading() as session:
            step = session.execute(next_step(moment(day, "23:59", self.settings.zone))).first()
            free_at = session.scalar(next_free(moment(day, "23:59", self.settings.zone)))
            openings = [revision.next_open_on for revision in session.scalars(active())]
        found = [self.plans[0][0]] if self.plans else []
        if step is not None:
            found.append(step[0].on)
        if free_at is not None:
            found.append(today(free_at, self.settings.zone))
        known = (self.milestone_day(day.year), self.milestone_day(day.year + 1), CELLS_JOIN)
        return min([*found, *openings, *(each for each in known if each > day)])

    def milestone_day(self, year: int) -> date:
        """When what a plan waits for in a year happens: the first working day from 20 January on."""
        return self.working(date(year, 1, 19), 1)

    def live_day(self, day: date) -> None:
        zone = self.settings.zone
        if day == self.milestone_day(day.year):
            self.enter_milestones(day, moment(day, MILESTONE_HOUR, zone))
        if day == CELLS_JOIN:
            with self.database.writing() as session:
                organisation.load(session, now=moment(day, "07:00", zone), zone=zone)
        morning, afternoon = moment(day, "08:00", zone), moment(day, "15:00", zone)
        with self.database.writing() as session:
            opened = open_due(session, morning, zone)
            fire(session, morning, zone)
            track(session, morning)
        self.deliver(morning)
        with self.database.writing() as session:
            if opened.tasks:
                self.look_ahead(session)
            self.act(session, day, afternoon)

    def deliver(self, now: datetime) -> None:
        """The messages of the past count as sent; nobody writes thousands of files for them."""
        here = self.settings
        url, pace = here.url.rstrip("/"), pace_of(here)
        others = frozenset({"zalobot"}) if (here.data / zalo.FOLDER).is_dir() else frozenset[str]()
        office = Office(self.carrier.channel, self.carrier.reply_address, url, here.zone, now, others, pace=pace)
        if not queue(self.database, office)["messages"]:
            return
        at = literal(now, Attempt.__table__.c.at.type)  # type: ignore[attr-defined]
        tried = select(col(Message.id), literal(1), at, literal(Outcome.SENT.value)).where(IS_UNSENT)
        sent = {"state": MessageState.SENT.value, "tries": 1, "sending_at": now, "sent_at": now}
        with self.database.writing() as session:
            session.connection().execute(insert(Attempt).from_select(["message_id", "number", "at", "outcome"], tried))
            session.connection().execute(update(Message).where(IS_UNSENT).values(**sent))

    def look_ahead(self, session: Session) -> None:
        """Draws what each newly opened task's unit will do, and what will be decided about it."""
        opened = session.execute(
            select(Task, Unit, Cycle, Deadline)
            .join(Unit, col(Unit.id) == col(Task.unit_id))
            .join(Cycle, col(Cycle.id) == col(Task.cycle_id))
            .join(Deadline, col(Deadline.id) == col(Task.deadline_id))
            .where(col(Task.id) > self.seen)
            .order_by(col(Task.id))
        ).all()
        owed = [
            Owed(task.id, unit.code, cycle.obligation, cycle.period, today(cycle.opened_at, self.settings.zone),
                 deadline.id, deadline.due_on)
            for task, unit, cycle, deadline in opened
        ]  # fmt: skip
        self.seen = max((each.task_id for each in owed), default=self.seen)
        for planned in habits.drawn(owed, self.calendar):
            heapq.heappush(self.plans, planned)

    def plan(self, day: date, doing: Doing, task: Task) -> None:
        heapq.heappush(self.plans, (day, doing, task.id))

    def working(self, day: date, count: int) -> date:
        return habits.working(self.calendar, day, count)

    def act(self, session: Session, day: date, now: datetime) -> None:
        """What was planned up to this day, in its order: alike things in one cycle together."""
        due: defaultdict[Doing, list[int]] = defaultdict(list)
        while self.plans and self.plans[0][0] <= day:
            _, doing, task_id = heapq.heappop(self.plans)
            due[doing].append(task_id)
        for doing, ids in sorted(due.items()):
            query = (
                select(Task, Deadline, Cycle)
                .join(Deadline, col(Deadline.id) == col(Task.deadline_id))
                .join(Cycle, col(Cycle.id) == col(Task.cycle_id))
                .where(col(Task.id).in_(ids))
                .order_by(col(Task.id))  # as they were opened: cycle by cycle
            )
            tasks = session.exec(query).all()
            match doing:
                case Doing.EXTEND:
                    self.extend(session, tasks, day, now)
                case Doing.EXEMPT:
                    self.exempt(session, tasks, now)
                case Doing.SUBMIT:
                    self.submit(session, tasks, day, now)
                case Doing.REVIEW:
                    for _, group in groupby(tasks, lambda row: row[2].id):
                        self.review(session, list(group), day, now)

    def extend(self, session: Session, tasks: Tasks, day: date, now: datetime) -> None:
        for task, deadline, _ in tasks:
            later = habits.extended_to(deadline.due_on, day, self.calendar)
            if task.state in (*OWING, TaskState.MISSED):
                extend.extend(session, task.id, by=acts.BY_OFFICE, due_on=later, document=None, now=now,
                              reason="Đơn vị có văn bản đề nghị gia hạn.", zone=self.settings.zone)  # fmt: skip
                self.plan(habits.extended_day(later, self.calendar), Doing.SUBMIT, task)

    def exempt(self, session: Session, tasks: Tasks, now: datetime) -> None:
        for task, *_ in tasks:
            if task.state in (*OWING, TaskState.MISSED):
                reason = "Đơn vị đang sắp xếp lại tổ chức, báo cáo chung với đơn vị khác."
                extend.exempt(session, task.id, by=acts.BY_OFFICE, reason=reason, document=None, now=now)

    def submit(self, session: Session, tasks: Tasks, day: date, now: datetime) -> None:
        first, obligations = list[acts.FirstVersion](), dict[int, Obligation]()
        for task, deadline, cycle in tasks:
            asks_on = habits.asks_on(task.id, task.versions, day, self.calendar)
            if task.state == TaskState.MISSED and asks_on is not None:
                self.plan(asks_on, Doing.EXTEND, task)
            if task.state not in OWING:
                continue
            obligation = obligations.get(cycle.id) or obligations.setdefault(cycle.id, obligation_of(session, cycle))
            answers = answers_of(obligation, habits.filling(task.id, task.versions))
            if task.versions or self.one_by_one:
                submit.submit(
                    session, task.id, by=acts.BY_UNIT, answers=answers, files=(), way=Way.LINK, now=now,
                    key=acts.key_of(task.id, task.versions + 1), zone=self.settings.zone,
                )  # fmt: skip
            else:
                first.append((task, deadline, obligation, answers))
            self.plan(habits.review_day(day, self.calendar), Doing.REVIEW, task)
        if first:
            acts.hand_in(session, first, now, self.settings.zone)

    def review(self, session: Session, tasks: Tasks, day: date, now: datetime) -> None:
        """Of one cycle."""
        accepted = list[tuple[Task, Deadline]]()
        for task, deadline, _ in tasks:
            if task.state != TaskState.SUBMITTED:
                continue
            if habits.is_sent_back(task.id, task.versions):
                reason = "Báo cáo chưa nêu số liệu cụ thể, đề nghị bổ sung."
                friday = self.working(day + timedelta(days=12 - day.weekday()), -1)  # of next week
                due_on = friday if friday > deadline.due_on else None
                review.send_back(session, task.id, by=acts.BY_OFFICE, reason=reason, due_on=due_on, now=now,
                                 zone=self.settings.zone)  # fmt: skip
                again_on = habits.answer_day(task.id, task.versions, day, self.calendar)
                self.plan(again_on, Doing.SUBMIT, task)
            else:
                accepted.append((task, deadline))
        if self.one_by_one:
            for task, _ in accepted:
                review.accept(session, task.id, by=acts.BY_OFFICE, now=now)
        elif accepted:
            acts.accept(session, tasks[0][2], accepted, now)

    def enter_milestones(self, day: date, now: datetime) -> None:
        """What plans wait for this year: one day for most units, an own day for a few. What is entered stays so."""
        with self.database.writing() as session:
            codes = session.exec(select(Unit.code).order_by(col(Unit.code))).all()
            waited = [
                (plan.code, each)
                for _, revision, plan in active_plans(session)
                for each in _waited(timeline_of(session, revision), str(day.year))
            ]
            for plan, milestone in waited:
                own = [code for code in codes if habits.draw(code, milestone) % 60 == 0]
                for code, on in [(None, day), *((code, day + timedelta(days=5)) for code in own)]:
                    milestones.enter(session, plan, milestone, str(day.year), on, unit_code=code, by="office", now=now)

    def _counts(self) -> dict[str, int]:
        tables = {"cycles": Cycle, "tasks": Task, "submissions": Submission, "messages": Message}
        with self.database.reading() as session:
            return {
                name: session.scalar(select(func.count()).select_from(table)) or 0 for name, table in tables.items()
            }


def answers_of(obligation: Obligation, draw: int) -> dict[str, object]:
    """What a unit fills in: figures around the target, a sentence elsewhere."""
    values: dict[str, object] = {}
    for each in obligation.fields:
        if each.type is FieldType.NUMBER:
            values[each.name] = str((each.target or 20) + draw % 3 - (1 if each.target and draw % 7 == 0 else 0))
        else:
            values[each.name] = "Đã thực hiện theo kế hoạch, có phân công cụ thể."
    return values


def _waited(timeline: Timeline, period: str) -> list[str]:
    return sorted({each.milestone for each in timeline.waiting if each.period.label == period})


def _months(first: date, until: date) -> Iterator[tuple[date, date]]:
    """The months from one day up to, not including, another: half-open, the last one cut short."""
    while first < until:
        after = min((first.replace(day=1) + timedelta(days=32)).replace(day=1), until)
        yield first, after
        first = after


def _beside(settings: Settings) -> Path:
    folder = settings.data.absolute()
    return folder.with_name(f".{folder.name}.making")


def _hurry(connection: Any, _record: object) -> None:
    """No waiting for the disk: what is killed here is thrown away and played anew."""
    connection.execute("PRAGMA synchronous = off")
    connection.execute("PRAGMA journal_mode = memory")

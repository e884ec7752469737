"""What happened in the sample organisation so far? Its history, played day by day through the real engine.

Who reports when is drawn from a hash of unit, obligation and period: the same history every time, with most on time,
some late, a few silent, some sent back.
"""

import hashlib
import heapq
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

from sqlmodel import Session, col, select

from dondoc.clock import moment, move
from dondoc.database import Database
from dondoc.keys import secret_key
from dondoc.settings import Settings
from engine import extend, milestones, review, revise, submit
from engine.errors import RefusedError
from engine.plans import obligation_of
from engine.round import run
from models.cycle import Cycle
from models.deadline import Deadline
from models.message import Outcome
from models.plan import active
from models.step import next_step
from models.submission import Way
from models.task import Task, TaskState
from models.unit import Unit
from notifications.channels import carrier_for
from notifications.channels.carrier import Carrier, Gate, Letter, Result
from samples import organisation
from schedules import load
from schedules.plan import FieldType, Obligation

ADOPTED: Final = date(2021, 10, 1)  #: the plan came in autumn 2021; its first cycles open then
LAST_DAY: Final = date(2022, 10, 5)  #: three working days after the yearly report was due: some are late
SCHEDULES: Final = Path(load.__file__).parent
ONE_DAY: Final = timedelta(days=1)
Report = Callable[[str], None]


def demo(settings: Settings, until: date, report: Report) -> None:
    """Makes a playground of the data folder, or leaves the one that is there as it is.

    History is played in a folder beside it and moved in at the end: a killed start leaves nothing half played.
    Raises RefusedError for a folder that holds anything but a playground: it may be somebody's office.
    """
    if settings.clock.exists():
        return
    folder = settings.data.absolute()
    if folder.exists() and any(folder.iterdir()):
        raise RefusedError("refused.not_a_playground", folder=folder)
    beside = folder.with_name(f".{folder.name}.making")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(mode=0o700, parents=True)
    making = settings.model_copy(update={"data": beside, "database_url": None})
    database = Database(making.database)
    database.upgrade()
    prepare(database, making)
    play(database, making, carrier_for(making), until, report)
    database.close()
    if folder.exists():
        folder.rmdir()
    beside.replace(folder)


def prepare(database: Database, settings: Settings) -> None:
    """The sample organisation, the shipped calendar and the shipped plans, as on the day of adoption."""
    now = moment(ADOPTED, "07:00", settings.zone)
    calendar, problems = load.read_calendar(SCHEDULES / "calendars" / "vn-state.yaml")
    if calendar is None:
        raise ValueError("; ".join(problem.text(settings.lang) for problem in problems))
    with database.writing() as session:
        organisation.load(session, now=now, zone=settings.zone)
        revise.apply_calendar(session, calendar, by="system", now=now)
        for path in sorted((SCHEDULES / "plans").glob("*.yaml")):
            revise.apply_plan(session, path.read_bytes(), path.name, by="system", now=now, zone=settings.zone)


def play(database: Database, settings: Settings, carrier: Carrier, until: date, report: Report) -> None:
    """Lives from the day of adoption to the morning of `until`; the demo clock stands at that moment afterwards."""
    player = _Player(database, settings, _Past(carrier), secret_key(settings.key))
    year = 0
    for day in player.days(until):
        if day.year != year:
            year = day.year
            report(str(year))
        player.live(day)
    player.carrier = carrier
    player.round(moment(until, "08:15", settings.zone))
    move(settings.clock, moment(until, "08:15", settings.zone))


@dataclass(frozen=True)
class _Past:
    """Carries the messages of the past: they count as sent, and nobody writes thousands of files for them."""

    now: Carrier

    @property
    def channel(self) -> str:
        return self.now.channel

    @property
    def reply_address(self) -> str:
        return self.now.reply_address

    def send(self, letters: Sequence[Letter], before_content: Gate) -> Iterator[tuple[Letter, Result]]:
        allowed = before_content(letters)
        yield from ((letter, Result(Outcome.SENT)) for letter in letters if letter.message_id in allowed)


@dataclass
class _Player:
    database: Database
    settings: Settings
    carrier: Carrier
    key: bytes
    #: (day, task, what): what the units and their superiors will do
    plans: list[tuple[date, int, str]] = field(default_factory=list)
    seen: int = 0

    def days(self, until: date) -> Iterator[date]:
        """The days on which anything happens, in order."""
        day = ADOPTED
        while day < until:
            yield day
            day = min(until, max(day + ONE_DAY, self.next_day(day)))

    def next_day(self, day: date) -> date:
        with self.database.reading() as session:
            step = session.execute(next_step(moment(day, "23:59", self.settings.zone))).first()
            openings = [revision.next_open_on for revision in session.scalars(active())]
        found = [self.plans[0][0]] if self.plans else []
        if step is not None:
            found.append(step[0].on)
        return min([*found, *openings, date(day.year + 1, 1, 20)])

    def live(self, day: date) -> None:
        zone = self.settings.zone
        if (day.month, day.day) == (1, 20) and day.year >= 2023:
            self.enter_resolutions(day)
        self.round(moment(day, "08:00", zone))
        self.look_ahead()
        afternoon = moment(day, "15:00", zone)
        with self.database.writing() as session:
            while self.plans and self.plans[0][0] <= day:
                _, task_id, what = heapq.heappop(self.plans)
                self.act(session, session.get_one(Task, task_id), what, day, afternoon)

    def round(self, now: datetime) -> None:
        settings = self.settings
        run(self.database, self.carrier, now, zone=settings.zone, url=settings.url, key=self.key)

    def look_ahead(self) -> None:
        """Draws what each newly opened task's unit will do."""
        with self.database.reading() as session:
            opened = session.execute(
                select(Task, Unit, Cycle, Deadline)
                .join(Unit, col(Unit.id) == col(Task.unit_id))
                .join(Cycle, col(Cycle.id) == col(Task.cycle_id))
                .join(Deadline, col(Deadline.id) == col(Task.deadline_id))
                .where(col(Task.id) > self.seen)
                .order_by(col(Task.id))
            ).all()
        for task, unit, cycle, deadline in opened:
            self.seen, due_on = task.id, deadline.due_on
            draw = _draw(unit.code, cycle.obligation, cycle.period)
            room = max((due_on - cycle.opened_at.date()).days, 0)
            habit = _draw(unit.code) % 100  # some units are late more often than others
            if draw % 100 < (8 if habit < 12 else 2):
                continue  # silent
            if draw % 100 < (35 if habit < 12 else 6):
                day = due_on + timedelta(days=1 + draw // 100 % 20)
            else:
                day = due_on - timedelta(days=draw // 100 % (min(room, 20) + 1))
            heapq.heappush(self.plans, (day, task.id, "submit"))

    def act(self, session: Session, task: Task, what: str, day: date, now: datetime) -> None:
        draw = _draw(str(task.id), what, str(task.versions))
        if what == "submit" and task.state in (TaskState.OPEN, TaskState.RETURNED):
            self.submit(session, task, draw, now)
            heapq.heappush(self.plans, (day + timedelta(days=1 + draw % 4), task.id, "review"))
        elif what == "review" and task.state == TaskState.SUBMITTED:
            if draw % 100 < 5 and task.versions == 1:
                due_on = day + timedelta(days=7)
                reason = "Báo cáo chưa nêu số liệu cụ thể, đề nghị bổ sung."
                review.send_back(
                    session, task.id, by="office", reason=reason, due_on=due_on, now=now, zone=self.settings.zone
                )
                heapq.heappush(self.plans, (day + timedelta(days=1 + draw % 6), task.id, "submit"))
            else:
                review.accept(session, task.id, by="office", now=now)
        elif what == "submit" and task.state == TaskState.MISSED and draw % 3 == 0:
            extend.extend(
                session,
                task.id,
                by="office",
                due_on=day + timedelta(days=5),
                reason="Đơn vị có văn bản đề nghị gia hạn.",
                document=None,
                now=now,
                zone=self.settings.zone,
            )
            heapq.heappush(self.plans, (day + timedelta(days=2), task.id, "submit"))

    def submit(self, session: Session, task: Task, draw: int, now: datetime) -> None:
        obligation = obligation_of(session, session.get_one(Cycle, task.cycle_id))
        submit.submit(
            session,
            task.id,
            by="system",
            answers=_answers(obligation, draw),
            files=(),
            key=f"sample:{task.id}:{task.versions + 1}",
            now=now,
            zone=self.settings.zone,
            way=Way.LINK,
        )

    def enter_resolutions(self, day: date) -> None:
        """The yearly resolution: one day for most, an own day for a few."""
        now = moment(day, "07:30", self.settings.zone)
        with self.database.writing() as session:
            codes = session.exec(select(Unit.code).order_by(col(Unit.code))).all()
            own = [code for code in codes if _draw(code, "resolution") % 60 == 0]
            for code, on in [(None, day), *((code, day + timedelta(days=5)) for code in own)]:
                milestones.enter(
                    session,
                    "kl01-khoi",
                    "leadership-resolution",
                    str(day.year),
                    on,
                    unit_code=code,
                    by="office",
                    now=now,
                )


def _answers(obligation: Obligation, draw: int) -> dict[str, object]:
    values: dict[str, object] = {}
    for each in obligation.fields:
        if each.type is FieldType.NUMBER:
            values[each.name] = str((each.target or 20) + draw % 3 - (1 if each.target and draw % 7 == 0 else 0))
        else:
            values[each.name] = "Đã thực hiện theo kế hoạch, có phân công cụ thể."
    return values


def _draw(*parts: str) -> int:
    """A number that depends on nothing but the words."""
    return int.from_bytes(hashlib.sha256(":".join(parts).encode()).digest()[:6], "big")

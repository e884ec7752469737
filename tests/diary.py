"""What does a year send? The sample organisation lives through it by real rounds; the wire writes down every letter."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import event
from sqlmodel import col, select

from dondoc.clock import moment, today
from dondoc.database import Database
from dondoc.settings import Settings
from engine import revise
from engine.round import run
from models.contact import Contact
from models.message import Message, Outcome
from models.notice import Notice
from models.task import Task
from models.unit import Unit
from notifications.channels.carrier import Gate, Letter, Result
from notifications.pace import Pace
from samples import organisation
from samples.history import CELLS, SCHEDULES, Player
from tests.builders import ZONE, vn_state

FIRST, LAST = date(2023, 1, 1), date(2023, 12, 31)
PLAN = "kl01-khoi"
ADOPTED = date(2022, 12, 26)
MORNING, AFTERNOON, EVENING = "08:00", "15:00", "20:30"
#: Whose letters are read one by one: a clerk, one who reads English, a head, those who chase, and those above them.
READERS = (
    ("stc", "contact"), ("sngv", "contact"), ("bvtt", "head"), ("duk", "secretariat"), ("duk", "standing"),
    ("tinh-uy", "secretariat"),
)  # fmt: skip
WEEKDAYS = ("T2", "T3", "T4", "T5", "T6", "T7", "CN")
GOLDEN = Path(__file__).parent / "golden" / "diary.txt"
URL = "https://dondoc.example.org"


@dataclass(frozen=True, slots=True)
class Told:
    """One notice of a letter, and what its task was at that moment."""

    kind: str
    rung: str
    task_id: int
    state: str


@dataclass(frozen=True, slots=True)
class Page:
    """A letter as it was handed over, at the wire's own hour."""

    at: datetime
    contact: Contact
    unit: str
    letter: Letter
    is_urgent: bool
    told: tuple[Told, ...]


@dataclass
class Diary:
    """A channel that takes every letter and looks up what the database says about it at that moment."""

    database: Database
    now: datetime = field(default_factory=lambda: moment(ADOPTED, "00:00", ZONE))
    pages: list[Page] = field(default_factory=list)
    channel: str = "email"
    reply_address: str = "van-phong@example.org"

    def send(self, letters: Sequence[Letter], before_content: Gate) -> Iterator[tuple[Letter, Result]]:
        allowed = before_content(letters)
        pages = self._read([letter for letter in letters if letter.message_id in allowed])
        for page in pages:
            self.pages.append(page)
            yield page.letter, Result(Outcome.SENT, "250")

    def _read(self, letters: Sequence[Letter]) -> list[Page]:
        ids = [letter.message_id for letter in letters]
        told: dict[int, list[Told]] = {id_: [] for id_ in ids}
        with self.database.reading() as session:
            rows = session.execute(
                select(Notice, Task)
                .join(Task, col(Task.id) == col(Notice.task_id))
                .where(col(Notice.message_id).in_(ids))
                .order_by(col(Notice.id))
            )
            for notice, task in rows:
                told[notice.message_id].append(Told(notice.kind, notice.rung, task.id, task.state))
            found = session.execute(
                select(Message, Contact, col(Unit.code))
                .join(Contact, col(Contact.id) == col(Message.contact_id))
                .join(Unit, col(Unit.id) == col(Contact.unit_id))
                .where(col(Message.id).in_(ids))
            )
            by_id = {message.id: (message.is_urgent, contact, unit) for message, contact, unit in found}
        pages = []
        for letter in letters:
            is_urgent, contact, unit = by_id[letter.message_id]
            pages.append(Page(self.now, contact, unit, letter, is_urgent, tuple(told[letter.message_id])))
        return pages


@dataclass
class Year(Player):
    """The units of the sample do what they do, a third of them in the evening; rounds come in between."""

    pace: Pace | None = None

    def live_day(self, day: date) -> None:
        self.round(moment(day, "00:00", ZONE))
        if day == self.milestone_day(day.year):
            self.enter_milestones(day, moment(day, "07:30", ZONE))
        self.round(moment(day, MORNING, ZONE))
        with self.database.writing() as session:
            self.look_ahead(session)
        hour = EVENING if day.day % 3 == 0 else AFTERNOON
        with self.database.writing() as session:
            self.act(session, day, moment(day, hour, ZONE))
        self.round(moment(day, hour, ZONE))

    def round(self, now: datetime) -> None:
        assert isinstance(self.carrier, Diary)
        self.carrier.now = now
        run(self.database, self.carrier, now, zone=ZONE, url=URL, key=b"k" * 32, pace=self.pace)


def lived(folder: Path, pace: Pace | None, last: date = LAST) -> tuple[Database, Diary]:
    """A year at a pace, or the beginning of one."""
    database = Database(f"sqlite:///{folder / 'dondoc.sqlite'}")
    event.listen(database.engine, "connect", _hurry)
    database.upgrade()
    now = moment(ADOPTED, "07:00", ZONE)
    with database.writing() as session:
        organisation.load(session, now=now, zone=ZONE, without=CELLS)
        revise.apply_calendar(session, vn_state(), by="system", now=now)
        text = (SCHEDULES / "plans" / f"{PLAN}.yaml").read_bytes()
        revise.apply_plan(session, text, f"{PLAN}.yaml", by="system", now=now, zone=ZONE)
    diary = Diary(database)
    year = Year(database, Settings.model_validate({"data": folder}), diary, pace=pace)
    year.live(FIRST, last + timedelta(days=1))
    return database, diary


def diary_of(pages: Sequence[Page]) -> str:
    """The whole year in a line a day, and every letter to some contacts; a letter like an earlier one by its title."""
    lines = ["Năm 2023 của tổ chức mẫu: mỗi ngày bao nhiêu thư, lúc nào, nói gì", ""]
    for day, of_day in groupby(pages, day_of):
        letters = list(of_day)
        hours = Counter(_hour(page) for page in letters)
        kinds = Counter(told.kind for page in letters for told in page.told)
        urgent = sum(page.is_urgent for page in letters)
        contacts = len({page.contact.id for page in letters})
        at = ", ".join(f"{hour} {count}" for hour, count in sorted(hours.items()))
        lines.append(
            f"{day:%d/%m} {WEEKDAYS[day.weekday()]}  {len(letters)} thư tới {contacts} ({at})"
            + (f", {urgent} gấp" if urgent else "")
            + ": "
            + ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items()))
        )
    for unit, role in READERS:
        mine = [page for page in pages if page.unit == unit and page.contact.role == role]
        lines += ["", "=" * 78, f"{mine[0].contact.name} <{mine[0].letter.address}>: {len(mine)} thư", ""]
        known: set[frozenset[str]] = set()
        for page in mine:
            gap = "!" if page.is_urgent else " "
            lines.append(f"{gap} {day_of(page):%d/%m} {_hour(page)}  {page.letter.subject}")
            shape = _shape(page)
            if shape not in known:
                known.add(shape)
                lines += ["", *(f"    {line}".rstrip() for line in _words(page).splitlines()), ""]
    return "\n".join(lines) + "\n"


def _shape(page: Page) -> frozenset[str]:
    """Letters that say the same kinds of things."""
    return frozenset(told.kind for told in page.told)


def _words(page: Page) -> str:
    """What stands between greeting and thanks, without what is secret; tests/golden/letters has whole ones."""
    body = re.sub(r"(/[su]/)[\w.~-]+", r"\1…", page.letter.text)
    return re.sub(r"(?s)\A.*?\n(?:Kính gửi|To) [^\n]*\n\n|\n\n(?:Trân trọng|Yours faithfully)[.,].*\Z", "", body)


def _hour(page: Page) -> str:
    return f"{page.at.astimezone(ZoneInfo(ZONE)):%H:%M}"


def day_of(page: Page) -> date:
    return today(page.at, ZONE)


def _hurry(connection: Any, _record: object) -> None:
    """No waiting for the disk."""
    connection.execute("PRAGMA synchronous = off")
    connection.execute("PRAGMA journal_mode = memory")


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        database, diary = lived(Path(folder), Pace())
        GOLDEN.write_text(diary_of(diary.pages), "utf-8")
        database.close()

"""What is left of an office whose `dondoc serve` is killed again and again? The same as of one that nobody killed.

`DONDOC_TEST_KILLS` sets how often it is killed (25 as the issue says). Its clock is a demo clock, so that days pass in
a second; Prefect is asked for a round every second, as fast as anybody could, so that there is always one to hit.
"""

import os
import shutil
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, Final

import httpx
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope
from aiosmtpd.smtp import Session as Dialogue
from sqlmodel import Session, col, func, select

from dondoc import clock
from dondoc.database import Database
from dondoc.keys import secret_key
from dondoc.settings import Settings
from engine.round import run
from engine.walk import next_stop
from models.contact import Contact
from models.entry import Entry, breaks
from models.files import path_of
from models.last_round import last_round
from models.link import Link, token
from models.message import Message, MessageState
from models.submission import SubmissionFile
from models.task import Task, TaskState
from notifications.channels.email import EmailCarrier
from notifications.pace import pace_of
from tests.builders import ANSWERS, YEARLY, ZONE, at, everything, province
from tests.desk import PDF, Desk
from tests.served import NEVER, Served, again_and_again, called, connections, is_here, listening, others, until
from tests.sinks import Sink, free_port, running
from web.app import create_app

KILLS: Final = int(os.environ.get("DONDOC_TEST_KILLS", "3"))
STARTING: Final = 9.0  #: seconds: about what a start takes; some kills fall into it
BUSY: Final = 1.5  #: seconds: about what a stop takes; the others fall into it
FIRST_DAY: Final = "2022-01-01"
#: Three monthly reports, so that every few days something opens, reminds, falls due or climbs.
MONTHLY: Final = YEARLY.partition("obligations:")[0] + "obligations:\n" + "".join(
    YEARLY.partition("obligations:\n")[2]
    .replace("annual-report", f"monthly-{letter}")
    .replace("every: year", "every: month")
    .replace("in: 2021..2025", "in: 2022-01..2025-12")
    .replace("{end_of: Q3}", f"{{day: {day}, of: last_month}}")
    .replace("    except: {2021: {due: {end_of: M12}, why: II.8.3}}\n", "")
    for letter, day in (("a", 25), ("b", 15), ("c", 5))
)  # fmt: skip
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="the kernel's death signal is Linux's own"),
]


class Trap(Sink):
    """A mail server that, once it is armed, answers the content of a letter only after everything was killed."""

    armed = threading.Event()
    struck = threading.Event()
    killed = threading.Event()

    async def handle_DATA(self, server: SMTP, session: Dialogue, envelope: Envelope) -> str:  # noqa: N802
        answer = await super().handle_DATA(server, session, envelope)
        if self.armed.is_set():
            self.armed.clear()
            self.struck.set()
            self.killed.wait(20)
        return answer


@dataclass
class Living:
    """An office from stop to stop: a moment with something to do, and some reports in the afternoon."""

    folder: Path
    database: Database
    round: Callable[[datetime], object]  #: brings about a round at a moment, and its end
    post: Callable[[str, dict[str, str], dict[str, Any]], int]  #: sends a form and says the status
    now: datetime = field(default_factory=lambda: at(FIRST_DAY))
    stops: int = 0

    def go_on(self) -> None:
        with self.database.reading() as session:
            stop = next_stop(session, self.now, ZONE)
        self.come_to(stop.at if stop else self.now)  # nothing is planned before the first round
        self.now = at(f"{clock.today(self.now, ZONE)}", "14:00")
        clock.move(self.folder / "clock", self.now)
        for task_id, link in self.handing_in():
            content = {"file": (f"báo cáo {task_id}.pdf", PDF + b"%%%d\n%%%%EOF\n" % task_id, "application/pdf")}
            form = {name: str(value) for name, value in ANSWERS.items()} | {"key": f"tap-{task_id}"}
            assert self.post(f"/s/{link}", form, content) == 303
        self.come_to(self.now + timedelta(minutes=5))
        self.stops += 1

    def come_to(self, moment: datetime) -> None:
        """A round at a moment; while letters wait for another try, more of them, as in a real office."""
        self.now = moment
        clock.move(self.folder / "clock", moment)
        self.round(moment)
        while self.has_letters():
            self.now += timedelta(minutes=5)
            clock.move(self.folder / "clock", self.now)
            self.round(self.now)

    def has_letters(self) -> bool:
        waits = (MessageState.QUEUED.value, MessageState.DEFERRED.value)
        with self.database.reading() as session:
            return session.exec(select(Message.id).where(col(Message.state).in_(waits))).first() is not None

    def handing_in(self) -> list[tuple[int, str]]:
        """(task, token): some that are owed, one a unit."""
        key, found = secret_key(self.folder / "key"), dict[int, tuple[int, str]]()
        with self.database.reading() as session:
            rows = session.exec(
                select(Task, Link)
                .join(Link, col(Link.task_id) == col(Task.id))
                .join(Contact, col(Contact.id) == col(Link.contact_id))
                .where(col(Task.state) == TaskState.OPEN.value, col(Contact.role) == "contact")
                .order_by(col(Task.id))
            )
            for task, link in rows:
                if Random(f"{task.id}:{self.stops}").random() < 0.25:
                    found.setdefault(task.unit_id, (task.id, token(key, link)))
        return list(found.values())


@dataclass
class Story:
    """What is left when it is over."""

    killed: Living
    whole: Living
    served: Served
    arrived: list[str]  #: Message-IDs in the killed office's sink
    expected: list[str]  #: in that of the other
    told: dict[str, Any] = field(default_factory=dict)  #: what was seen on the way


@dataclass
class Storm:
    """Kills and starts again, `KILLS` times: in the middle of a letter, at any moment, while starting."""

    served: Served
    living: Living
    trap: Trap
    moved: threading.Event = field(default_factory=threading.Event)  #: the office came to another stop
    in_the_middle: int = 0  #: kills that a round, or what followed from it, was still waiting for
    forgotten: int = 0  #: how often Prefect's own database was deleted

    def rage(self) -> None:
        random = Random()
        for number in range(KILLS):
            way = ("content", "any", "starting", "any")[number % 4]
            if way == "starting":
                time.sleep(random.random() * STARTING)
            else:
                self.moved.clear()
                assert self.moved.wait(NEVER), "the office stands still"
            if way == "any":
                time.sleep(random.random() * BUSY)
            if way == "content":
                self.trap.armed.set()
                assert self.trap.struck.wait(NEVER), "no letter came"
                self.trap.struck.clear()
            self.served.kill()
            self.trap.killed.set()
            with self.living.database.reading() as session:
                last = last_round(session)
            self.in_the_middle += last is None or last.at != clock.now(self.living.folder / "clock")
            if number % 8 == 1:
                self.forgotten += 1
                for path in (self.served.folder / "prefect").glob("*.db*"):
                    path.unlink()
            self.trap.killed.clear()
            self.served.start()


@pytest.fixture(scope="module")
def story(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp("serve")
        trap = stack.enter_context(trapping())
        proxy, asked = stack.enter_context(listening())
        served = Served(folder / "killed", trap.url, proxy=f"http://127.0.0.1:{proxy}")
        database = stack.enter_context(office(sqlite_template, served.folder))
        living = Living(
            served.folder, database, lambda now: rounded(database, now), lambda *form: posted(served, *form)
        )
        told: dict[str, Any] = {"proxy": asked, "connections": set()}

        def look() -> None:
            told["connections"] |= connections(served.alive())

        served.start()
        try:
            with again_and_again(lambda: drum(served), 0.05), again_and_again(look, 1):
                through_the_storm(Storm(served, living, trap), told)
                told["deployments"] = until(lambda: known(served))
                told["buried"] = killed_flows(served)
                told |= without_prefect(served, living)
            told["runs"] = runs(served)
            told["code"] = served.end()
        finally:
            served.clear()
        with running() as sink:
            whole = alone(sqlite_template, folder / "whole", served, sink, living.stops, stack)
            expected = [str(mail["Message-ID"]) for mail in sink.mails]
        yield Story(living, whole, served, [str(mail["Message-ID"]) for mail in trap.mails], expected, told)


@contextmanager
def trapping() -> Iterator[Trap]:
    trap = Trap(free_port())
    controller = Controller(trap, hostname="127.0.0.1", port=trap.port)
    controller.start()
    try:
        yield trap
    finally:
        controller.stop()


@contextmanager
def office(template: Path, folder: Path) -> Iterator[Database]:
    folder.mkdir()
    shutil.copyfile(template, folder / "dondoc.sqlite")
    clock.move(folder / "clock", at(FIRST_DAY))
    with closing(Database(f"sqlite:///{folder / 'dondoc.sqlite'}")) as database:
        province(database, MONTHLY, FIRST_DAY)
        yield database


def through_the_storm(storm: Storm, told: dict[str, Any]) -> None:
    with ThreadPoolExecutor(1) as pool:
        raging: Future[None] = pool.submit(storm.rage)
        while not raging.done():
            storm.living.go_on()
            storm.moved.set()
        raging.result()
    storm.living.go_on()
    told |= {"in_the_middle": storm.in_the_middle, "forgotten": storm.forgotten}


def alone(template: Path, folder: Path, served: Served, sink: Sink, stops: int, stack: ExitStack) -> Living:
    """The same stops without any process but this one."""
    database = stack.enter_context(office(template, folder))
    shutil.copyfile(served.folder / "key", folder / "key")
    settings = Settings.model_validate({"data": folder, "url": served.url, "quiet": ""})
    desk = Desk(database, settings, create_app(database, settings))
    carrier = EmailCarrier(sink.url, settings.mail_from, settings.mail_name)

    def lived(now: datetime) -> None:
        run(database, carrier, now, zone=ZONE, url=settings.url, key=desk.key, pace=pace_of(settings))

    living = Living(folder, database, lived, lambda path, form, files: desk.post(path, form, files=files).status_code)
    while living.stops < stops:
        living.go_on()
    return living


def rounded(database: Database, now: datetime) -> None:
    """Waits for the end of a round at this moment."""

    def is_over() -> bool:
        with database.reading() as session:
            last = last_round(session)
            return last is not None and last.at == now

    until(is_over)


def posted(served: Served, path: str, form: dict[str, str], files: dict[str, Any]) -> int:
    """As somebody who taps again until there is an answer."""

    def answer() -> int:
        own = {"sec-fetch-site": "same-origin"}
        with suppress(httpx.TransportError):
            return served.client.post(served.url + path, data=form, files=files, headers=own).status_code
        return 0

    return until(answer)


def drum(served: Served) -> None:
    """A round in a second; fails while Prefect's server, or its deployment, is not there."""
    deployment = served.prefect("GET", "/deployments/name/round/round")
    soon = (clock.now() + timedelta(seconds=1)).isoformat()
    state = {"type": "SCHEDULED", "state_details": {"scheduled_time": soon}}
    served.prefect("POST", f"/deployments/{deployment['id']}/create_flow_run", {"state": state})
    time.sleep(1)  # the beat, not a wait


def known(served: Served) -> set[str]:
    with suppress(httpx.HTTPError):
        names = {each["name"] for each in served.prefect("POST", "/deployments/filter", {})}
        return names if len(names) > 1 else set()
    return set()


def runs(served: Served) -> Counter[str]:
    found = served.prefect("POST", "/flow_runs/filter", {"sort": "START_TIME_DESC"})
    return Counter(each["state_type"] for each in found)


def killed_flows(served: Served) -> list[str]:
    """What the next `dondoc flows` makes of a run that a killed one had taken, and of one of another machine."""
    deployment = until(lambda: tried(lambda: served.prefect("GET", "/deployments/name/round/round")))
    later = (clock.now() + timedelta(minutes=20)).isoformat()
    state = {"type": "SCHEDULED", "state_details": {"scheduled_time": later}}
    ids = []
    for machine in (None, "elsewhere"):
        made = served.prefect("POST", f"/deployments/{deployment['id']}/create_flow_run", {"state": state})
        ids.append(made["id"])
        if machine:
            served.prefect("PATCH", f"/flow_runs/{made['id']}/labels", {"dondoc.machine": machine})
        going = {"state": {"type": "RUNNING"}, "force": True}
        served.prefect("POST", f"/flow_runs/{made['id']}/set_state", going)

    def states() -> list[str]:
        return [served.prefect("GET", f"/flow_runs/{each}")["state_type"] for each in ids]

    assert states() == ["RUNNING", "RUNNING"]
    os.kill(served.pid_of("dondoc flows"), signal.SIGKILL)
    until(lambda: states()[0] != "RUNNING")
    return states()


def tried(act: Callable[[], Any]) -> Any:
    with suppress(httpx.HTTPError):
        return act()
    return None


def without_prefect(served: Served, living: Living) -> dict[str, Any]:
    """An hour and more without its server: killed, and its port held by something that never answers."""
    seen: dict[str, Any] = {}
    before = entries(living.database)
    round_ = living.round
    os.kill(served.pid_of("prefect server"), signal.SIGKILL)
    with listening(served.prefect_port):

        def by_hand(now: datetime) -> None:
            seen.setdefault("page", served.client.get(served.url).text)
            seen.setdefault("doctor", served.say("doctor"))
            served.say("round")
            seen.setdefault("done", entries(living.database) - before)

        living.round = by_hand
        living.go_on()
        seen["page after"] = served.client.get(served.url).text
    living.round = round_
    with living.database.reading() as session:
        rows = everything(session)
    living.come_to(living.now + timedelta(minutes=5))
    with living.database.reading() as session:
        seen["added"] = [name for name, each in everything(session).items() if each != rows[name]]
    return seen


def unknown(database: Database) -> set[str]:
    """The Message-IDs of letters of which nobody knows whether they arrived."""
    with database.reading() as session:
        query = select(Message.reference).where(col(Message.state) == MessageState.UNKNOWN.value)
        return {f"<{reference}@example.org>" for reference in session.exec(query)}


def entries(database: Database) -> int:
    with database.reading() as session:
        return session.exec(select(func.count()).select_from(Entry)).one()


def comparable(session: Session) -> dict[str, list[Any]]:
    """All rows but those that a kill may change: tries of letters, the last round, buckets that fill with real time."""
    rows = everything(session)
    references = {each.id: each.reference for each in rows["message"]}
    told = [each._asdict() | {"message_id": references.get(each.message_id)} for each in rows.pop("notice")]
    sent = sorted((each.reference, each.contact_id, each.address, each.subject, each.text) for each in rows["message"])
    entries = [each._asdict() | {"run": None} for each in rows.pop("entry")]
    for name in ("message", "attempt", "last_round", "rate_bucket"):
        del rows[name]
    return rows | {"notice": told, "sent": sent, "entry": entries}


def test_a_killed_office_ends_as_one_that_was_not(story: Story) -> None:
    with story.killed.database.reading() as killed, story.whole.database.reading() as whole:
        rows, expected = comparable(killed), comparable(whole)
        assert [name for name in expected if rows[name] != expected[name]] == []
        assert len(rows["task"]) > 10
        assert len(rows["submission"]) > 2
        assert list(breaks(killed)) == []
        for file in killed.exec(select(SubmissionFile)):
            assert path_of(story.served.folder / "files", file.hash).stat().st_size == file.size
    assert not list((story.served.folder / "files").rglob("*.part"))
    assert "nguyên vẹn" in story.served.say("audit", "verify")
    assert "nguyên vẹn" in story.served.say("db", "check")


def test_no_letter_of_a_killed_office_comes_twice_and_none_is_missing_but_those_nobody_can_know_of(
    story: Story,
) -> None:
    arrived = Counter(story.arrived)
    assert max(arrived.values()) == 1
    assert len(story.expected) == len(set(story.expected)) > 10
    assert set(arrived) <= set(story.expected)
    assert set(story.expected) - set(arrived) <= unknown(story.killed.database)


def test_kills_hit_what_they_were_aimed_at(story: Story) -> None:
    assert len(unknown(story.killed.database)) >= (KILLS + 3) // 4, "each letter that was struck in the middle"
    assert unknown(story.whole.database) == set()
    assert story.told["in_the_middle"] >= (KILLS + 3) // 4
    assert story.told["forgotten"] == (KILLS + 6) // 8


def test_prefect_shows_the_same_again_and_nothing_that_runs_for_ever(story: Story) -> None:
    assert story.told["deployments"] == {"round", "monthly-a", "monthly-b", "monthly-c"}
    assert story.told["buried"] == ["CRASHED", "RUNNING"]
    assert story.told["runs"]["RUNNING"] <= 2, "that of the other machine, and one that is at work just now"
    assert story.told["code"] == 0


def test_without_prefect_the_bar_comes_up_and_a_round_by_hand_does_the_work_once(story: Story) -> None:
    told = story.told
    assert 'class="alarm"' in told["page"]
    assert 'class="alarm"' not in told["page after"]
    assert "! vòng cuối đã quá 15 phút" in told["doctor"]
    assert told["done"] > 0
    assert told["added"] == ["last_round"]


def test_nobody_outside_is_asked_or_called(story: Story) -> None:
    hosts = called(story.served.witness.read_text("utf-8"))
    assert {host for host in hosts if not is_here(host)} == set()
    assert "127.0.0.1" in hosts
    seen = story.told["connections"]
    assert {each for each in seen if not is_here(each[1])} == set()
    assert {story.served.prefect_port} <= {port for _, _, port in seen}
    assert story.told["proxy"] == []


def test_the_witnesses_would_see_it(tmp_path: Path) -> None:
    served = Served(tmp_path / "office", "smtp://127.0.0.1:9")
    code = "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.sendto(b'?', ('192.0.2.1', 53))"
    os.spawnve(os.P_WAIT, sys.executable, [sys.executable, "-c", code], served.env)
    assert [host for host in called(served.witness.read_text("utf-8")) if not is_here(host)] == ["192.0.2.1"]
    head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
    line = "   0: 0100007F:0016 {} 01 00000000:00000000 00:00000000 00000000     0        0 4711 1\n"
    table = head + line.format("010200C0:01BB") + line.format("0000000000000000FFFF00000100007F:0035")
    assert list(others(table)) == [("4711", "192.0.2.1", 443), ("4711", "127.0.0.1", 53)]

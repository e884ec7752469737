"""Who works at the same time, and may be killed at any moment? Processes for the tests of concurrency.

`python -m tests.workers` loads everything once and forks a worker for each line of JSON that it reads, so that a killed
one is replaced in milliseconds. A worker writes a line for each thing it is about to do and has done.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import IO, Any, Final, NoReturn

from sqlmodel import Session, col, select

from dondoc.database import Database
from engine import extend, record, review, submit
from engine.errors import RefusedError
from engine.fire import fire
from engine.open import open_due
from engine.round import run
from models.submission import Way
from models.task import IllegalActError, Task, TaskState
from notifications.channels.carrier import Carrier, Gate, Letter, Result
from notifications.deliver import queue
from notifications.item import Office
from notifications.send import send
from tests.builders import ANSWERS, ZONE, at

FIRST_DAY: Final = date(2022, 1, 1)
DAYS: Final = 365
LEASED: Final = timedelta(minutes=16)  #: longer than the lease of a message
KEY: Final = b"k" * 32
FEW: Final = 5  #: messages that a worker takes at a time where several share them
#: what is done, how often, and with tasks of which states
ACTS: Final = {
    "submit": (34, (TaskState.OPEN, TaskState.RETURNED)),
    "accept": (18, (TaskState.SUBMITTED,)),
    "return": (14, (TaskState.SUBMITTED,)),
    "extend": (10, (TaskState.OPEN, TaskState.RETURNED, TaskState.MISSED)),
    "record": (4, (TaskState.OPEN, TaskState.RETURNED, TaskState.MISSED)),
    "withdraw": (4, (TaskState.SUBMITTED,)),
    "reopen": (4, (TaskState.ACCEPTED, TaskState.EXEMPTED)),
    "exempt": (2, (TaskState.OPEN, TaskState.RETURNED, TaskState.MISSED)),
    "open": (5, ()),
    "fire": (5, ()),
}


@dataclass(frozen=True)
class Job:
    """`first` is where to go on; `task_id` the task of an act that a killed worker may or may not have done."""

    sort: str  #: acts, rounds or messages
    url: str
    name: int
    first: int
    last: int
    task_id: int | None = None
    smtp: str = ""


class Crew:
    """The process that forks the workers, seen from the test."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process

    def start(self, job: Job) -> None:
        self._tell({"start": asdict(job)})

    def kill(self, name: int, pid: int) -> None:
        """SIGKILL; the line `killed` comes after the last one of the worker."""
        self._tell({"kill": pid, "name": name})

    def lines(self) -> Iterator[tuple[str, int, int]]:
        """(what, worker, number) in the order in which they were written."""
        for line in self._pipe(self.process.stdout):
            what, name, number = line.rstrip("\n").split(" ", 2)
            assert what != "failed", line
            yield what, int(name), int(number)

    def _tell(self, order: dict[str, object]) -> None:
        self._pipe(self.process.stdin).write(json.dumps(order) + "\n")
        self._pipe(self.process.stdin).flush()

    def _pipe(self, pipe: IO[str] | None) -> IO[str]:
        assert pipe is not None
        return pipe


@contextmanager
def crew() -> Iterator[Crew]:
    command = [sys.executable, "-W", "ignore", "-m", "tests.workers"]
    folder = Path(__file__).parent.parent
    with subprocess.Popen(command, cwd=folder, stdin=-1, stdout=-1, text=True, start_new_session=True) as process:
        try:
            yield Crew(process)
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def do_acts(job: Job) -> None:
    database = Database(job.url)
    for number in range(job.first, job.last):
        random = Random(f"{job.name}:{number}")
        verb = random.choices(list(ACTS), [weight for weight, _ in ACTS.values()])[0]
        now = at(FIRST_DAY.isoformat()) + timedelta(days=DAYS) * number / job.last
        task_id = job.task_id if number == job.first and job.task_id else one_of(database, ACTS[verb][1], random)
        say("task", job.name, task_id or 0)
        try:
            with database.writing() as session:
                act(session, verb, task_id, f"{job.name}:{number}", now, random)
        except (RefusedError, IllegalActError):
            say("refused", job.name, number)
        else:
            say("done", job.name, number)


def one_of(database: Database, states: Sequence[TaskState], random: Random) -> int | None:
    if not states:
        return None
    with database.reading() as session:
        ids = session.exec(select(Task.id).where(col(Task.state).in_([state.value for state in states]))).all()
    return random.choice(ids) if ids else None


def act(session: Session, verb: str, task_id: int | None, key: str, now: datetime, random: Random) -> None:
    later = now.date() + timedelta(days=random.randint(2, 30))
    given: dict[str, Any] = {"by": f"worker:{key}", "now": now}
    placed = given | {"zone": ZONE}
    if verb == "open":
        open_due(session, now, ZONE)
    elif verb == "fire":
        fire(session, now, ZONE)
    elif task_id is None:
        raise RefusedError("refused.no_task", id=0)
    elif verb == "submit":
        submit.submit(session, task_id, answers=ANSWERS, files=(), key=key, **placed)
    elif verb == "record":
        received_on = now.date() - timedelta(days=random.randint(0, 9))
        record.record(session, task_id, received_on=received_on, document=key, way=Way.PAPER, **placed)
    elif verb == "withdraw":
        submit.withdraw(session, task_id, reason="nhầm", **given)
    elif verb == "accept":
        review.accept(session, task_id, **given)
    elif verb == "return":
        due_on, is_empty = random.choice([None, later]), random.random() < 0.2
        review.send_back(session, task_id, reason="thiếu", due_on=due_on, does_not_count=is_empty, **placed)
    elif verb == "reopen":
        review.reopen(session, task_id, reason="nhầm", **given)
    elif verb == "extend":
        extend.extend(session, task_id, due_on=later, reason="bão", document=None, **placed)
    elif verb == "exempt":
        extend.exempt(session, task_id, reason="giải thể", document=None, **given)


def play_rounds(job: Job) -> None:
    """A day is a round in the morning, once more after the leases of a dead sender ran out, and what the units do."""
    database = Database(job.url)
    carrier = carrier_of(job.smtp)
    for number in range(job.first, job.last):
        say("task", job.name, number)
        morning = at((FIRST_DAY + timedelta(days=number)).isoformat())
        for now in (morning, morning + LEASED):
            run(database, carrier, now, zone=ZONE, url="https://dondoc.example.org", key=KEY)
        with database.reading() as session:
            owing = session.exec(select(Task.id).where(col(Task.state) == TaskState.OPEN.value).order_by(col(Task.id)))
            handing_in = [each for each in owing if Random(f"{each}:{number}").random() < 0.06]
        for task_id in handing_in:
            with database.writing() as session:
                now = morning + 2 * LEASED
                submit.submit(
                    session, task_id, by="contact:1", answers=ANSWERS, files=(), key=f"{task_id}", now=now, zone=ZONE
                )
        say("done", job.name, number)


def send_messages(job: Job) -> None:
    """Makes and sends what waits, a few at a time, until nothing does; several workers share it."""
    database, now = Database(job.url), at(FIRST_DAY.isoformat())
    carrier = carrier_of(job.smtp)
    office = Office(carrier.channel, carrier.reply_address, "https://dondoc.example.org", ZONE, now)
    made = queue(database, office)["messages"]
    say("made", job.name, made)
    given = Given(carrier)
    say("done", job.name, send(database, given, office, KEY, wave=FEW)["sent"])
    say("given", job.name, given.letters)


class Given:
    """A carrier that counts what it is given to send."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier, self.letters = carrier, 0
        self.channel, self.reply_address = carrier.channel, carrier.reply_address

    def send(self, letters: Sequence[Letter], before_content: Gate) -> Iterator[tuple[Letter, Result]]:
        self.letters += len(letters)
        return self._carrier.send(letters, before_content)


def carrier_of(smtp: str) -> Carrier:
    from notifications.channels.email import EmailCarrier

    return EmailCarrier(smtp, "dondoc@example.org", "Đảng ủy Khối")


def say(what: str, name: int, number: object) -> None:
    """One write to the pipe: lines of several processes do not mix."""
    os.write(1, f"{what} {name} {number}\n".encode())


def main() -> None:
    for line in sys.stdin:
        order = json.loads(line)
        if "kill" in order:
            os.kill(order["kill"], signal.SIGKILL)
            os.waitpid(order["kill"], 0)
            say("killed", order["name"], 0)
        elif (pid := os.fork()) == 0:
            work(Job(**order["start"]))
        else:
            say("pid", order["start"]["name"], pid)


def work(job: Job) -> NoReturn:
    try:
        {"acts": do_acts, "rounds": play_rounds, "messages": send_messages}[job.sort](job)
        say("ended", job.name, 0)
    except BaseException as error:  # noqa: BLE001  # the test reads it
        say("failed", job.name, repr(error).replace("\n", " ")[:2000])
    os._exit(0)


if __name__ == "__main__":
    main()

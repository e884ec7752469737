"""How fast do 1,000 e-mails go out, against a raw asyncio client that composes the same messages?

Run: python -m bench.mail [COUNT]. The sink is another process; both sides use ten connections, take turns, and have
their best of three counted. Beside the seconds of the clock stand those that this process worked: on a busy machine
they tell more.
"""

import asyncio
import multiprocessing
import os
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import Final

from sqlmodel import col, delete, select, update

from dondoc.database import Database
from models.contact import Contact, Role
from models.cycle import Cycle
from models.day import CalendarSheet
from models.deadline import Deadline
from models.message import Attempt, Message, MessageState
from models.notice import Notice, NoticeKind
from models.plan import Plan, Revision
from models.task import Task
from models.unit import Placement, Unit, path_of
from notifications import icalendar
from notifications.channels.carrier import Letter
from notifications.channels.email import CONNECTIONS, EmailCarrier
from notifications.channels.mail import compose
from notifications.deliver import queue
from notifications.item import Office
from notifications.letters import read_letters
from notifications.send import claim, send

NOW: Final = datetime(2025, 9, 23, 1, tzinfo=UTC)
KEY: Final = b"k" * 32
SENDER: Final = "dondoc@example.org"
URL: Final = "https://dondoc.example.org"
PLAN: Final = """\
plan: bench
title: {vi: Đo, en: Bench}
document: {vi: Kế hoạch thực hiện Kết luận số 01-KL/TW, en: Plan for Conclusion 01-KL/TW}
issuer: duk
calendar: vn-state
term: 2025..2025
defaults: {roll: none, opens: 30 days before due}
obligations:
  report:
    title: {vi: Báo cáo kết quả hằng năm, en: Yearly report}
    source: II.8.3
    who: {kinds: [chi-bo]}
    every: year
    due: {end_of: Q3}
"""


class Sink(asyncio.Protocol):
    """An SMTP server that takes everything and keeps nothing."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.wire, self.rest, self.in_data = transport, b"", False
        transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        self.rest += data
        while True:
            end = b"\r\n.\r\n" if self.in_data else b"\r\n"
            head, found, rest = self.rest.partition(end)
            if not found:
                return
            self.rest = rest
            if self.in_data:
                self.in_data = False
                self.wire.write(b"250 2.0.0 queued as 1\r\n")
            elif head[:4].upper() == b"DATA":
                self.in_data = True
                self.wire.write(b"354 go on\r\n")
            elif head[:4].upper() == b"QUIT":
                self.wire.write(b"221 bye\r\n")
                self.wire.close()
                return
            else:
                self.wire.write(b"250 ok\r\n")


def serve(listening: socket.socket) -> None:
    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(Sink, sock=listening)
        await server.serve_forever()

    asyncio.run(run())


def by_the_book(letter: Letter) -> bytes:
    """The same message as the manual of Python's e-mail package writes it."""
    mail = EmailMessage(SMTP)
    mail["From"] = Address("dondoc", addr_spec=SENDER)
    mail["To"] = Address(letter.name, addr_spec=letter.address)
    mail["Subject"] = letter.subject
    mail["Date"] = format_datetime(letter.at)
    mail["Message-ID"] = f"<{letter.reference}@example.org>"
    mail["In-Reply-To"] = mail["References"] = f"<{letter.thread}@example.org>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail["List-Unsubscribe"] = f"<{URL}/not-me/{letter.objects_by}>, <mailto:{SENDER}?subject={letter.reference}>"
    mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail.set_content(letter.text)
    mail.add_alternative(letter.html, subtype="html")
    calendar = icalendar.written(letter.events, "example.org", letter.at)
    mail.add_alternative(calendar, subtype="calendar", params={"method": "PUBLISH"})
    return mail.as_bytes()


def as_we_do(letter: Letter) -> bytes:
    return compose(letter, SENDER, "dondoc", url=URL)


async def raw(letters: list[Letter], port: int, write: Callable[[Letter], bytes]) -> None:
    """Ten connections, nothing kept."""
    todo = list(letters)

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)

        async def say(line: bytes) -> None:
            writer.write(line)
            await reader.readline()

        await reader.readline()
        await say(b"EHLO bench\r\n")
        while todo:
            letter = todo.pop()
            content = write(letter)
            await say(f"MAIL FROM:<{SENDER}>\r\n".encode())
            await say(f"RCPT TO:<{letter.address}>\r\n".encode())
            await say(b"DATA\r\n")
            await say(content + b"\r\n.\r\n")
        await say(b"QUIT\r\n")
        writer.close()

    await asyncio.gather(*(one() for _ in range(CONNECTIONS)))


def fill(database: Database, count: int) -> None:
    """One cycle, so many units with a contact, a reminder for each."""
    with database.writing() as session:
        session.add(CalendarSheet(code="vn-state", title_vi="Đo", title_en="Bench", decided=[2025], hash=""))
        plan = Plan(code="bench", title_vi="Đo", title_en="Bench")
        office = Unit(code="duk", name="Đảng ủy Khối các cơ quan tỉnh")
        session.add_all([plan, office])
        session.flush()
        revision = Revision(
            plan_id=plan.id,
            number=1,
            text=PLAN,
            hash="",
            calendar="vn-state",
            applied_at=NOW,
            by="office",
            from_on=date(2025, 1, 1),
            next_open_on=date(2026, 1, 1),
        )
        session.add(revision)
        session.flush()
        cycle = Cycle(
            plan_id=plan.id,
            revision_id=revision.id,
            obligation="report",
            period="2025",
            title_vi="Báo cáo kết quả hằng năm",
            title_en="Yearly report",
            source="II.8.3",
            issuer_id=office.id,
            opens_on=date(2025, 8, 31),
            opened_at=NOW,
        )
        session.add(cycle)
        session.flush()
        day = date(2025, 9, 30)
        deadline = Deadline(cycle_id=cycle.id, nominal_on=day, due_on=day, set_by="document", reasons=[])
        units = [Unit(code=f"u-{n}", name=f"Chi bộ Sở số {n}") for n in range(count)]
        session.add_all([deadline, *units])
        session.flush()
        for unit in units:
            placement = Placement(unit_id=unit.id, path=path_of(unit.id), kind="chi-bo", valid_from=date(2020, 1, 1))
            name, email = f"Văn thư {unit.name}", f"van-thu.{unit.code}@example.org"
            contact = Contact(unit_id=unit.id, role=Role.CONTACT, name=name, email=email)
            session.add_all([placement, contact])
            session.flush()
            task = Task(
                cycle_id=cycle.id, unit_id=unit.id, placement_id=placement.id, deadline_id=deadline.id, changed_at=NOW
            )
            session.add(task)
            session.flush()
            session.add(
                Notice(
                    task_id=task.id,
                    contact_id=contact.id,
                    kind=NoticeKind.REMINDER,
                    rung="unit.contact",
                    cause="step:1",
                    due_on=day,
                    created_at=NOW,
                )
            )


def main(count: int) -> None:
    listening = socket.create_server(("127.0.0.1", 0), backlog=100)
    port = listening.getsockname()[1]
    sink = multiprocessing.get_context("fork").Process(target=serve, args=(listening,), daemon=True)
    sink.start()
    with tempfile.TemporaryDirectory() as folder:
        url = os.environ.get("BENCH_DATABASE_URL", f"sqlite:///{Path(folder) / 'bench.sqlite'}")
        database = Database(url)
        database.upgrade()
        fill(database, count)
        carrier = EmailCarrier(f"smtp://127.0.0.1:{port}", SENDER, "dondoc", URL, SENDER)
        began = time.perf_counter()
        office = Office(carrier.channel, SENDER, URL, "Asia/Ho_Chi_Minh", NOW)
        queue(database, office)
        queued = time.perf_counter() - began
        with database.reading() as session:
            letters = read_letters(session, session.scalars(select(col(Message.id))).all(), NOW, KEY)
        turns = []
        for _ in range(3):
            unsend(database)
            book = timed(lambda: asyncio.run(raw(letters, port, by_the_book)))
            ours = timed(lambda: asyncio.run(raw(letters, port, as_we_do)))
            sent = timed(lambda: send_all(database, carrier, office, count))
            turns.append((book, ours, sent))
        best = [tuple(map(min, zip(*each, strict=True))) for each in zip(*turns, strict=True)]
        print(f"{count} messages queued (bundled, rendered, written) in {queued:.2f} s")
        print(f"{count} e-mails sent in {best[2][0]:.2f} s, {best[2][1]:.2f} s of them work")
        for name, (clock, work) in zip(("EmailMessage", "our code"), best, strict=False):
            times = f"{best[2][0] / clock:.2f} times, by work {best[2][1] / work:.2f}"
            print(f"raw asyncio client that composes with {name} {clock:.2f} s, {work:.2f} s of them work: {times}")
        database.close()
    sink.terminate()


def send_all(database: Database, carrier: EmailCarrier, office: Office, count: int) -> None:
    counts = send(database, carrier, office, KEY)
    assert +counts == {"sent": count}, counts
    assert not claim(database, NOW)


def unsend(database: Database) -> None:
    """Every message waits for its first try again."""
    first = {"state": MessageState.QUEUED, "tries": 0, "sending_at": None, "sent_at": None}
    with database.writing() as session:
        session.execute(delete(Attempt))
        session.execute(update(Message).values(**first))


def timed(work: Callable[[], None]) -> tuple[float, float]:
    """Seconds by the clock, and of this process."""
    began = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - began[0], time.process_time() - began[1]


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)

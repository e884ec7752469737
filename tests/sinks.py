"""What stands at the other end of the wire? A real SMTP server that answers as it is told to."""

import asyncio
import email
import email.policy
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

QUEUED = "250 2.0.0 Ok: queued as 4XyZ1"


@dataclass
class Sink:
    """The mails that were taken, and the answers that are given first: to RCPT by address, to the content in order.

    `to_sender`, if any, is the answer to every MAIL FROM; who is refused may find the connection closed as well.
    An answer of `None` to the content drops the connection after it was taken.
    """

    port: int
    mails: list[EmailMessage] = field(default_factory=list)
    senders: list[str] = field(default_factory=list)  #: of those mails, as the envelope names them
    to_rcpt: dict[str, list[str]] = field(default_factory=dict)
    to_content: list[str | None] = field(default_factory=list)
    meanwhile: list[Callable[[], object]] = field(default_factory=list)  #: what happens before a content is answered
    to_sender: str = ""
    is_hanging_up: bool = False

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def to(self, address: str) -> list[EmailMessage]:
        return [mail for mail in self.mails if mail["To"].addresses[0].addr_spec == address]

    async def handle_MAIL(  # noqa: N802  # aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.to_sender:
            return self.to_sender
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if answers := self.to_rcpt.get(address):
            if self.is_hanging_up:
                assert isinstance(server.transport, asyncio.Transport)
                await server.push(answers[0])
                server.transport.close()
            return answers.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.meanwhile:
            self.meanwhile.pop(0)()
        answer = self.to_content.pop(0) if self.to_content else QUEUED
        if answer is None or answer.startswith("2"):
            assert isinstance(envelope.content, bytes)
            mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
            assert isinstance(mail, EmailMessage)
            self.mails.append(mail)
            self.senders.append(str(envelope.mail_from))
        if answer is None:
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        return answer or QUEUED


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def running(port: int | None = None, **options: Any) -> Iterator[Sink]:
    """The server, up while the block lasts."""
    sink = Sink(port or free_port())
    controller = Controller(sink, hostname="127.0.0.1", port=sink.port, **options)
    controller.start()
    try:
        yield sink
    finally:
        controller.stop()


def signed_in_as(user: str, password: str) -> Any:
    """An authenticator for `running(authenticator=...)`."""

    def check(server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: LoginPassword) -> AuthResult:
        return AuthResult(success=given == LoginPassword(user.encode(), password.encode()), handled=False)

    return check

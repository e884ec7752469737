"""How does one mail server answer? A connection to it, and the class of each of its answers."""

import re
import smtplib
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final
from urllib.parse import unquote, urlsplit

from models.message import Outcome
from notifications.channels.carrier import Result
from notifications.dsn import FULL, NO_SUCH_ADDRESS, OF_THE_ADDRESS, OF_US, SAYS_NOTHING, plain_words

TIMEOUT_SECONDS: Final = 30
PORTS: Final = {"smtp": 25, "smtps": 465}
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_SIGN_IN: Final = frozenset({530, 534, 535, 538})  #: RFC 4954: the server wants other credentials, or any at all
_QUEUED_AS: Final = re.compile(r"(?:queued as|\bid=)\s*([\w.-]+)", re.IGNORECASE)
_DETAILED: Final = re.compile(r"(?:5\.\d{1,3}\.\d{1,3}(?= |$))?")
_WHO: Final = r"\b(user|mailbox|recipient|account)\b"
_UNKNOWN: Final = re.compile(
    rf"\b(unknown|invalid|no|no such) (local )?{_WHO}"
    rf"|{_WHO}.*\b(unknown|invalid|not found|not local|not exist|doesn't exist|no longer)\b",
    re.IGNORECASE,
)
#: RFC 3463: the reader's mailbox is full, or the server has taken as much from us today as it takes.
_ENOUGH: Final = frozenset({"5.2.2", "5.4.5"})
_Lost = (smtplib.SMTPServerDisconnected, OSError)


@dataclass(frozen=True, slots=True)
class Server:
    """Where mail goes. `is_tls`: encrypted from the first byte (smtps); otherwise STARTTLS when it is offered."""

    host: str
    port: int
    is_tls: bool = False
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, url: str) -> "Server":
        """From smtp://user:password@host:port or smtps://... Raises ValueError, without quoting the password."""
        parts = urlsplit(url)
        if parts.scheme not in PORTS or not parts.hostname:
            raise ValueError(f"expected smtp://host:port or smtps://host:port, got {parts.scheme}://{parts.hostname}")
        user, password = (unquote(part) if part is not None else None for part in (parts.username, parts.password))
        return cls(parts.hostname, parts.port or PORTS[parts.scheme], parts.scheme == "smtps", user, password)


class UnavailableError(Exception):
    """No connection that may carry mail; the result says why."""

    def __init__(self, result: Result) -> None:
        self.result = result
        super().__init__(f"{result.code}: {result.answer}")


class StaleError(Exception):
    """The connection was gone before any content went out: the letter may be tried on a fresh one."""

    def __init__(self, error: Exception) -> None:
        self.result = Result(Outcome.RETRY, "lost", str(error) or type(error).__name__)
        super().__init__(self.result.answer)


class Line:
    """One open connection. Raises UnavailableError when the server cannot be reached or refuses us."""

    def __init__(self, server: Server, timeout: float = TIMEOUT_SECONDS) -> None:
        try:
            self._smtp = _connect(server, timeout)
        except UnicodeEncodeError:
            words = "expected a user and a password of plain ASCII letters"
            raise UnavailableError(Result(Outcome.CONFIG, "connect", words)) from None
        except smtplib.SMTPResponseException as error:
            raise UnavailableError(_refusal("connect", error.smtp_code, error.smtp_error)) from error
        except (smtplib.SMTPNotSupportedError, ssl.SSLCertVerificationError) as error:
            raise UnavailableError(Result(Outcome.CONFIG, "connect", str(error))) from error
        except (smtplib.SMTPException, OSError) as error:
            raise UnavailableError(Result(Outcome.RETRY, "connect", str(error) or type(error).__name__)) from error

    def deliver(self, sender: str, address: str, content: bytes, may_go: Callable[[], bool]) -> Result | None:
        """Hands over one e-mail; None when `may_go`, asked before the content, says no."""
        try:
            # By hand: smtplib takes each address apart first, which costs more than all the rest of the talk.
            code, answer = self._smtp.docmd("MAIL", f"FROM:<{sender}>")
            if code != 250:
                return self._refused("mail", code, answer)
            code, answer = self._smtp.docmd("RCPT", f"TO:<{address}>")
            if code not in {250, 251}:
                return self._refused("rcpt", code, answer)
            if not may_go():
                self._smtp.rset()
                return None
            code, answer = self._smtp.docmd("DATA")
            if code != 354:
                return self._refused("data", code, answer)
        except _Lost as error:
            raise StaleError(error) from error
        try:
            self._smtp.send(content.replace(b"\n.", b"\n..") + b".\r\n")
            code, answer = self._smtp.getreply()
        except (smtplib.SMTPException, OSError) as error:
            self._smtp.close()
            return Result(Outcome.AMBIGUOUS, "lost", str(error) or type(error).__name__)
        if code != 250:
            return _refusal("content", code, answer)
        words = _words(answer)
        queued = _QUEUED_AS.search(words)
        return Result(Outcome.SENT, "250", words, queued.group(1) if queued else None)

    def _refused(self, stage: str, code: int, answer: bytes) -> Result:
        """The result of a refusal before the content; the connection is made ready for the next letter."""
        if code == 421:  # the server is closing the connection
            self._smtp.close()
        with suppress(*_Lost):  # some servers hang up on whom they refuse; what they said still counts
            self._smtp.rset()
        return _refusal(stage, code, answer)

    @property
    def is_open(self) -> bool:
        return self._smtp.sock is not None

    def close(self) -> None:
        try:
            self._smtp.quit()
        except (smtplib.SMTPException, OSError):
            self._smtp.close()


def _connect(server: Server, timeout: float) -> smtplib.SMTP:
    if server.is_tls:
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(
            server.host, server.port, _own_name(), timeout=timeout, context=ssl.create_default_context()
        )
    else:
        smtp = smtplib.SMTP(server.host, server.port, _own_name(), timeout=timeout)
    try:
        smtp.ehlo_or_helo_if_needed()
        is_private = server.is_tls or server.host in LOOPBACK
        if not server.is_tls and smtp.has_extn("starttls"):
            smtp.starttls(context=ssl.create_default_context())
            smtp.ehlo_or_helo_if_needed()
            is_private = True
        if server.user is not None:
            _sign_in(smtp, server.user, server.password or "", is_private)
    except BaseException:
        smtp.close()
        raise
    return smtp


def _sign_in(smtp: smtplib.SMTP, user: str, password: str, is_private: bool) -> None:
    if not is_private:
        raise smtplib.SMTPNotSupportedError("expected STARTTLS before a password is sent, got a server without it")
    smtp.login(user, password)


@lru_cache
def _own_name() -> str:
    """What we call ourselves in EHLO; asked once, because the name server may be slow."""
    name = socket.getfqdn()
    return name if "." in name else "[127.0.0.1]"


def _refusal(stage: str, code: int, answer: bytes | str) -> Result:
    """The class of an answer that is no yes (RFC 5321, 4.2; enhanced codes RFC 3463)."""
    words = _words(answer)
    return Result(_class(stage, code, words), str(code), words)


def _class(stage: str, code: int, words: str) -> Outcome:
    """CONFIG is what every letter would hear; what is said of one recipient or one content is that letter's."""
    detailed = _DETAILED.match(words)
    status = detailed[0] if detailed else ""
    if code < 500:
        # 452: no room on the other side, which nobody clears in five minutes.
        return Outcome.DEFER if code == 452 else Outcome.RETRY
    if status in _ENOUGH:
        return Outcome.DEFER
    if code in _SIGN_IN:
        return Outcome.CONFIG
    if stage == "rcpt":
        return _class_of_recipient(code, status, words)
    if stage in {"data", "content"} or code == 552:
        return Outcome.PAYLOAD
    return Outcome.CONFIG


def _class_of_recipient(code: int, status: str, words: str) -> Outcome:
    """An address is dead only when it is said to be: most servers say here as well what they hold against us.

    That is tried again for some days: whether everybody hears it, one letter cannot know.
    """
    if OF_THE_ADDRESS.fullmatch(status):
        return Outcome.RECIPIENT
    if code == 552 or FULL.search(words):
        return Outcome.DEFER
    if code in {503, 554} or status.startswith("5.7.") or OF_US.search(words):
        return Outcome.RETRY
    if SAYS_NOTHING.fullmatch(status) and str(code) in NO_SUCH_ADDRESS and _UNKNOWN.search(words):
        return Outcome.RECIPIENT
    return Outcome.PAYLOAD


def may_be_of_us(result: Result) -> bool:
    """Refused for good, and neither the address nor the letter is blamed."""
    return result.outcome in (Outcome.CONFIG, Outcome.RETRY) and (result.code or "").startswith("5")


def _words(answer: bytes | str) -> str:
    return plain_words(answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer)

"""Where do letters come back to? A mailbox read by IMAP, or a folder into which the mail server puts files."""

import imaplib
import os
import re
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import unquote, urlsplit

from dondoc.settings import Settings
from notifications.channels.smtp import LOOPBACK

MOST_BYTES: Final = 256 * 1024  #: of each mail: a report stands in front of the letter that it returns
MOST_LETTERS: Final = 500  #: looked at in one go
TIMEOUT_SECONDS: Final = 30
READ: Final = "read"  #: the folder below the folder for what was looked at
_PORTS: Final = {"imap": 143, "imaps": 993}


class MailboxError(Exception):
    """The mailbox cannot be read; the message says why, without the password."""


@dataclass(frozen=True, slots=True)
class Returned:
    """A mail that lies there. Once it is `put_away` it does not come again."""

    content: bytes
    put_away: Callable[[], None]


class Mailbox(Protocol):
    """Mails are given one by one, while the mailbox is open. Raises MailboxError."""

    @property
    def address(self) -> str:
        """What the letters' own addresses are made of."""
        ...

    def letters(self) -> Iterator[Returned]: ...

    def look(self, timeout: float) -> None:
        """Opens it and changes nothing. Raises MailboxError where `letters` would; waits so many seconds at most."""
        ...


def mailbox_for(settings: Settings) -> Mailbox | None:
    """The one that the settings name; a playground has none, since nothing goes out from it."""
    if settings.bounce_address is None or settings.clock.exists():
        return None
    if settings.bounce_imap is not None:
        return ImapMailbox(settings.bounce_imap.get_secret_value(), settings.bounce_address)
    return FolderMailbox(settings.bounce_folder, settings.bounce_address) if settings.bounce_folder else None


class FolderMailbox:
    """What was looked at is moved into a folder below; it may be thrown away there."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder, self.address = folder, address

    def letters(self) -> Iterator[Returned]:
        try:
            paths = sorted(path for path in self.folder.glob("*.eml") if path.is_file())[:MOST_LETTERS]
            (self.folder / READ).mkdir(exist_ok=True)
            for path in paths:
                with suppress(FileNotFoundError):  # somebody else was quicker
                    with path.open("rb") as file:
                        content = file.read(MOST_BYTES)
                    yield Returned(content, lambda path=path: self._put_away(path))  # type: ignore[misc]
        except OSError as error:
            raise MailboxError(str(error)) from error

    def look(self, timeout: float) -> None:
        if not self.folder.is_dir():
            raise MailboxError(f"expected a folder, got none at {self.folder}")
        if not os.access(
            self.folder, os.R_OK | os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids
        ):
            raise MailboxError(f"expected a folder that can be read and written, got {self.folder}")

    def _put_away(self, path: Path) -> None:
        with suppress(FileNotFoundError):
            path.replace(self.folder / READ / path.name)


class ImapMailbox:
    """Only what is unseen is looked at, and becomes seen; nothing is removed."""

    def __init__(self, url: str, address: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None  # the settings have checked it
        self.address, self.host, self.is_tls = address, parts.hostname, parts.scheme == "imaps"
        self.port, self.folder = parts.port or _PORTS[parts.scheme], unquote(parts.path.strip("/")) or "INBOX"
        self._user, self._password = unquote(parts.username or ""), unquote(parts.password or "")

    def letters(self) -> Iterator[Returned]:
        with self._opened(TIMEOUT_SECONDS) as line:
            numbers = _said(line.uid("SEARCH", "UNSEEN"))[0] or b""
            for number in numbers.split()[:MOST_LETTERS]:
                content = _content(line, number.decode("ascii"))
                if content is not None:
                    yield Returned(content, lambda number=number: _mark(line, number.decode("ascii")))  # type: ignore[misc]

    def look(self, timeout: float) -> None:
        with self._opened(timeout):
            pass

    @contextmanager
    def _opened(self, timeout: float) -> Iterator[imaplib.IMAP4]:
        try:
            line = self._connect(timeout)
            try:
                _said(line.select(_quoted(self.folder)))
                yield line
            finally:
                with suppress(imaplib.IMAP4.error, OSError):
                    line.logout()
        except (imaplib.IMAP4.error, OSError) as error:
            raise MailboxError(f"{self.host}:{self.port}: {_words(error)}") from error
        except UnicodeEncodeError:
            raise MailboxError("expected a user, a password and a folder of plain ASCII letters") from None

    def _connect(self, timeout: float) -> imaplib.IMAP4:
        context = ssl.create_default_context()
        if self.is_tls:
            line: imaplib.IMAP4 = imaplib.IMAP4_SSL(self.host, self.port, ssl_context=context, timeout=timeout)
        else:
            line = imaplib.IMAP4(self.host, self.port, timeout=timeout)
        try:
            if not self.is_tls and "STARTTLS" in line.capabilities:
                line.starttls(context)
            self._sign_in(line, is_private=self.is_tls or self.host in LOOPBACK or "STARTTLS" in line.capabilities)
        except BaseException:
            line.shutdown()
            raise
        return line

    def _sign_in(self, line: imaplib.IMAP4, *, is_private: bool) -> None:
        if not is_private:
            raise MailboxError(f"{self.host}: expected STARTTLS before a password is sent, got a server without it")
        line.login(self._user, self._password)


def _content(line: imaplib.IMAP4, number: str) -> bytes | None:
    """The beginning of a mail; None when it has gone meanwhile. Looking does not mark it as seen."""
    for part in _said(line.uid("FETCH", number, f"(BODY.PEEK[]<0.{MOST_BYTES}>)")):
        if isinstance(part, tuple):
            return bytes(part[1])
    return None


def _mark(line: imaplib.IMAP4, number: str) -> None:
    _said(line.uid("STORE", number, "+FLAGS.SILENT", r"(\Seen)"))


def _said(answer: tuple[str, list[Any]]) -> list[Any]:
    """What the server sent along with its yes."""
    kind, data = answer
    if kind != "OK":
        raise imaplib.IMAP4.error(data[0])
    return data


def _quoted(folder: str) -> str:
    return '"' + re.sub(r'(["\\])', r"\\\1", folder) + '"'


def _words(error: Exception) -> str:
    said = error.args[0] if error.args else ""
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(error) or type(error).__name__

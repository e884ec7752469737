"""How does anything else go out that Apprise knows? By an address that a secret holds.

A service says yes or no. What its no means is read from the status that Apprise warns of; where there is none, the
other side may have taken the message before something broke.
"""

import logging
import re
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import get_ident
from typing import Any, Final
from urllib.parse import urlsplit
from urllib.request import getproxies

from apprise import Apprise

from dondoc.keys import Secrets
from models.address import SERVICE
from models.message import Outcome
from notifications.channels.carrier import Gate, Letter, Result

CONNECT_SECONDS: Final = 5
_STATUS: Final = re.compile(r"\berror=([0-9]{3})\b")


class OtherCarrier:
    """Telegram, an SMS gateway, Teams: `address` is the name of a secret, which holds the service's URL."""

    channel = "apprise"
    reply_address = ""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    def send(self, letters: Sequence[Letter], before_content: Gate) -> Iterator[tuple[Letter, Result]]:
        silent = set[str]()  # one wait for a server that does not answer is enough
        for letter in letters:
            name = f"{SERVICE}{letter.address}"
            url = self._secrets.read(name)
            with _warnings():  # of a URL that is mistyped
                service = Apprise.instantiate(url, suppress_exceptions=True) if url is not None else None
            if service is None:
                yield letter, Result(Outcome.CONFIG, "no_secret", name)
            elif name in silent or not _is_there(service):  # before anything goes out, so that it may be tried again
                silent.add(name)
                yield letter, Result(Outcome.RETRY, "connect")
            elif letter.message_id in before_content([letter]):
                yield letter, _told(service, letter)


def _told(service: Any, letter: Letter) -> Result:
    with _warnings() as warned:
        if service.notify(body=letter.short or letter.text, title=letter.subject):
            return Result(Outcome.SENT)
    found = next((found for line in warned if (found := _STATUS.search(line))), None)
    if found is None:
        return Result(Outcome.AMBIGUOUS, "apprise")
    status = int(found[1])
    outcome = Outcome.RETRY if status == 429 or status >= 500 else Outcome.ELSEWHERE
    return Result(outcome, str(status))


def _is_there(service: Any) -> bool:
    """Whether its server answers at all. Where that stands is not always known, nor how it is reached past a proxy."""
    parts = urlsplit(str(getattr(service, "notify_url", "") or ""))
    host = parts.hostname or getattr(service, "host", None)
    port = parts.port if parts.hostname else getattr(service, "port", None)
    if not isinstance(host, str) or "." not in host or getproxies():  # some keep half a token in `host`
        return True
    is_plain = parts.scheme == "http" or not (parts.hostname or getattr(service, "secure", True))
    try:
        socket.create_connection((host, port or (80 if is_plain else 443)), CONNECT_SECONDS).close()
    except OSError:
        return False
    return True


@contextmanager
def _warnings() -> Iterator[list[str]]:
    """What Apprise warns of meanwhile in this thread; the lines stay here, since some hold the address."""
    lines, own = list[str](), get_ident()

    def keep(record: logging.LogRecord) -> bool:
        if record.thread != own:
            return True
        if record.levelno >= logging.WARNING:
            lines.append(record.getMessage())
        return False

    logger = logging.getLogger("apprise")
    logger.addFilter(keep)
    try:
        yield lines
    finally:
        logger.removeFilter(keep)

"""How is Zalo asked? One request a connection, so that it is known whether the content went out."""

import json
import ssl
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, Final
from urllib.parse import urlsplit

from models.message import Outcome
from notifications.channels.carrier import Letter, Result
from notifications.dsn import plain_words

TIMEOUT_SECONDS: Final = 15
MAX_ANSWER: Final = 64 * 1024
MAX_TEXT: Final = 2000  #: characters of a text message, counted in NFC
_VIETNAM: Final = timezone(timedelta(hours=7))
_MORNING: Final = timedelta(hours=6, minutes=5)  #: Zalo's night ends at six
_SPREAD: Final = 20  #: minutes over which what waited for the morning goes out


@dataclass(frozen=True, slots=True)
class Hosts:
    """Where Zalo's four servers are."""

    bot: str = "https://bot-api.zaloplatforms.com"
    oa: str = "https://openapi.zalo.me"
    business: str = "https://business.openapi.zalo.me"
    oauth: str = "https://oauth.zaloapp.com"

    @classmethod
    def at(cls, url: str | None) -> "Hosts":
        """All four at one address, as the fake has them; without one Zalo's own."""
        return cls() if url is None else cls(*[url.rstrip("/")] * 4)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `said` is its JSON object; None when it is none."""

    status: int
    said: dict[str, Any] | None
    is_empty: bool = False


def post(
    base: str, path: str, headers: Mapping[str, str], body: bytes, may_go: Callable[[], bool]
) -> Answer | Result | None:
    """The answer; a Result when there is none; None when `may_go`, asked before anything is written, says no.

    No words of an error go on: some hold the address, and with it the token of a bot.
    """
    parts = urlsplit(base)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT_SECONDS)
    try:
        try:
            connection.connect()
        except ssl.SSLCertVerificationError:
            return Result(Outcome.CONFIG, "certificate")
        except OSError as error:
            return Result(Outcome.RETRY, "connect", type(error).__name__)
        if not may_go():
            return None
        try:
            connection.request("POST", f"{parts.path}{path}", body, dict(headers))
            response = connection.getresponse()
            content = response.read(MAX_ANSWER)
        except (OSError, HTTPException) as error:
            return Result(Outcome.AMBIGUOUS, "lost", type(error).__name__)
        if response.length:
            return Result(Outcome.AMBIGUOUS, "lost", "IncompleteRead")
        return Answer(response.status, _object(content), not content)
    finally:
        connection.close()


def post_json(
    base: str, path: str, headers: Mapping[str, str], given: Mapping[str, Any], may_go: Callable[[], bool]
) -> Answer | Result | None:
    body = json.dumps(given, ensure_ascii=False).encode()
    return post(base, path, {"content-type": "application/json", **headers}, body, may_go)


def unanswered(answer: Answer) -> Result:
    """The result of an answer that says nothing: a gateway's page, or none at all."""
    match answer.status:
        case 429:
            return Result(Outcome.RETRY, "429")
        case 504:  # the gateway waited in vain, the server behind it may have been at work
            return Result(Outcome.AMBIGUOUS, "504")
        case status if status >= 500:
            return Result(Outcome.RETRY, str(status))
        case status:
            return Result(Outcome.AMBIGUOUS, str(status), "no JSON object")


@dataclass(frozen=True, slots=True)
class Codes:
    """What the codes of one of Zalo's services mean. A code that stands in none of the sets is worth another try."""

    message_id: str  #: the field that says what Zalo calls the message
    night: int  #: refused until the morning
    tomorrow: frozenset[int]
    token_dead: frozenset[int]
    recipient: frozenset[int]
    payload: frozenset[int]
    config: frozenset[int]
    elsewhere: frozenset[int]  #: not now: by another way, or tomorrow
    wrong_field: int | None = None  #: a wrong field, named in the words; `user_id` is the recipient


def result_of(answer: Answer, letter: Letter, codes: Codes) -> Result:
    """What an answer of the Official Account's services makes of a letter: success is error 0 alone."""
    said = answer.said
    code = code_of(said.get("error")) if said is not None else None
    if said is None or code is None:
        return unanswered(answer)
    if code == 0:
        data = said.get("data")
        return Result(Outcome.SENT, "0", None, words(data, codes.message_id) if isinstance(data, dict) else None)
    spoken = words(said, "message")
    if code in codes.tomorrow:
        return Result(Outcome.DEFER, str(code), spoken, try_after=tomorrow_morning(letter))
    if code in codes.elsewhere:
        return Result(Outcome.ELSEWHERE, str(code), spoken, try_after=tomorrow_morning(letter))
    if code == codes.night:
        return Result(Outcome.DEFER, str(code), spoken, try_after=morning(letter))
    return Result(_class(code, spoken or "", codes), str(code), spoken)


def _class(code: int, spoken: str, codes: Codes) -> Outcome:
    if code in codes.recipient or (code == codes.wrong_field and "user_id" in spoken):
        return Outcome.RECIPIENT
    if code in codes.payload:
        return Outcome.PAYLOAD
    return Outcome.CONFIG if code in codes.config or code in codes.token_dead else Outcome.RETRY


def fitted(text: str) -> str:
    """NFC, since Zalo counts characters; what is too long ends at a whole line, and still has its last link."""
    text = unicodedata.normalize("NFC", text).strip()
    if len(text) <= MAX_TEXT:
        return text
    links = [line.strip() for line in text.splitlines() if "://" in line]
    end = f"\n…\n{links[-1]}" if links and len(links[-1]) < MAX_TEXT // 2 else "\n…"
    head = text[: MAX_TEXT - len(end)]
    return f"{(head.rpartition(chr(10))[0] or head).rstrip()}{end}"


def tomorrow_morning(letter: Letter) -> datetime:
    """When what the day, or the night, refuses is tried again: after six, not all in one minute."""
    local = letter.at.astimezone(_VIETNAM)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + timedelta(days=1) + _MORNING + timedelta(minutes=letter.message_id % _SPREAD)


def morning(letter: Letter) -> datetime:
    """The end of this night: today's while it lasts after midnight."""
    morning = tomorrow_morning(letter) - timedelta(days=1)
    return morning if morning > letter.at else tomorrow_morning(letter)


def words(said: Mapping[str, Any], *names: str) -> str | None:
    """The other side's own words, shortened."""
    return next((plain_words(str(said[name])) for name in names if said.get(name)), None)


def code_of(value: object) -> int | None:
    """A code that comes as a number or as its digits."""
    try:
        return int(str(value))
    except ValueError:
        return None


def _object(content: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(content)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None

"""How does a calendar program read due days? RFC 5545: an all-day event each, the same one when it has moved."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from dondoc.i18n import translate, whole_period
from engine.due import Due
from models.unit import Unit

WIDTH: Final = 75  #: bytes of a line, its end not counted


def written(dues: Sequence[Due], unit: Unit, url: str, now: datetime, lang: str) -> bytes:
    """`url` is the office's public address: it makes the names of the events its own."""
    host = urlsplit(url).hostname or "localhost"
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//dondoc//vi", "METHOD:PUBLISH"]
    lines.append(f"X-WR-CALNAME:{_text(unit.name)}")
    for due in dues:
        lines += _event(due, unit, host, url, now, lang)
    return "".join(f"{_folded(line)}\r\n" for line in [*lines, "END:VCALENDAR"]).encode()


def _event(due: Due, unit: Unit, host: str, url: str, now: datetime, lang: str) -> Iterable[str]:
    title = f"{due.title(lang)}, {whole_period(due.period, lang)}"
    told = translate("Hạn tính đến hết ngày, theo mục {source}.", lang, source=due.source)
    yield "BEGIN:VEVENT"
    yield f"UID:{due.plan.code}.{due.obligation}.{due.period}.{unit.code}@{host}"
    yield f"SEQUENCE:{due.sequence}"
    yield f"DTSTAMP:{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    yield f"DTSTART;VALUE=DATE:{due.on:%Y%m%d}"
    yield f"DTEND;VALUE=DATE:{due.on + timedelta(days=1):%Y%m%d}"
    yield f"SUMMARY:{_text(title)}"
    yield f"DESCRIPTION:{_text(told)}"
    if due.task_id is not None:
        yield f"URL:{url.rstrip('/')}/tasks/{due.task_id}"
    yield f"STATUS:{'TENTATIVE' if due.is_provisional or due.cycle_id is None else 'CONFIRMED'}"
    yield "TRANSP:TRANSPARENT"
    yield "END:VEVENT"


def _text(words: str) -> str:
    return words.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def _folded(line: str) -> str:
    """Lines of at most WIDTH bytes; a following one begins with a space, and no letter is cut through."""
    parts, length = [""], 0
    for letter in line:
        size = len(letter.encode())
        if length + size > WIDTH:
            parts.append(" ")
            length = 1
        parts[-1] += letter
        length += size
    return "\r\n".join(parts)

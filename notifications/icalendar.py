"""How does a calendar program read due days? RFC 5545: an event each, the same one when it has moved."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

WIDTH: Final = 75  #: bytes of a line, its end not counted


@dataclass(frozen=True, slots=True)
class Event:
    """A due day. `name` stays when the day moves, and `sequence` grows; both are what programs know it by.

    One that `is_over` is published once more as cancelled. RFC 5546, 3.2.1, has METHOD:CANCEL for that too, but
    mail programs take it for the end of an invitation by its organizer, and we invite nobody: Outlook shows an
    unsupported message, Gmail looks for a guest. A letter that moves one day and withdraws another is one calendar,
    which has one method. And a program that knows no STATUS still takes over the words, and drops the alarm.
    """

    name: str
    sequence: int
    on: date
    summary: str
    description: str
    at: datetime | None = None  #: where hours count
    url: str = ""
    is_tentative: bool = False
    is_over: bool = False
    alarm: timedelta | None = None  #: how long before the day, or the moment, the program reminds


def written(events: Sequence[Event], host: str, now: datetime, calendar: str = "") -> str:
    """A calendar to be taken over. `host` makes the events' names unique in the world."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//dondoc//vi", "METHOD:PUBLISH"]
    if calendar:
        lines.append(f"X-WR-CALNAME:{_text(calendar)}")
    for event in events:
        lines += _lines(event, host, now)
    return "".join(f"{_folded(line)}\r\n" for line in [*lines, "END:VCALENDAR"])


def _lines(event: Event, host: str, now: datetime) -> Iterator[str]:
    yield "BEGIN:VEVENT"
    yield f"UID:{event.name}@{host}"
    yield f"SEQUENCE:{event.sequence}"
    yield f"DTSTAMP:{_moment(now)}"
    if event.at is None:
        yield f"DTSTART;VALUE=DATE:{event.on:%Y%m%d}"
        yield f"DTEND;VALUE=DATE:{event.on + timedelta(days=1):%Y%m%d}"
    else:
        yield f"DTSTART:{_moment(event.at)}"
    yield f"SUMMARY:{_text(event.summary)}"
    yield f"DESCRIPTION:{_text(event.description)}"
    if event.url:
        yield f"URL:{event.url}"
    yield f"STATUS:{'CANCELLED' if event.is_over else 'TENTATIVE' if event.is_tentative else 'CONFIRMED'}"
    yield "TRANSP:TRANSPARENT"
    if event.alarm is not None:
        yield from ("BEGIN:VALARM", "ACTION:DISPLAY", f"DESCRIPTION:{_text(event.summary)}")
        yield f"TRIGGER:-PT{int(event.alarm.total_seconds()) // 60}M"
        yield "END:VALARM"
    yield "END:VEVENT"


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _text(words: str) -> str:
    """Characters that end a value are escaped, and control characters, which no line may hold, are blanks."""
    words = words.replace("\r\n", "\n").replace("\r", "\n")
    words = words.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")
    return "".join(letter if letter.isprintable() else " " for letter in words)


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

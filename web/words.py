"""How do values read? Reasons from their codes, periods, sizes and days as people of an office write them."""

import re
import unicodedata
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from dondoc.i18n import by_when, translate, whole_day, zone_name
from models.deadline import Deadline

_DAY: Final = re.compile(r"\s*(\d{1,2})\s*[/.-]\s*(\d{1,2})\s*[/.-]\s*(\d{4})\s*")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def sentence(text: str, end: str = ".") -> str:
    """Messages begin small, to stand in the middle of others; here one stands alone."""
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '?', '!')) else end}"


def short_period(label: str, lang: str, year: int | None) -> str:
    """The head of a column: 2025, T8, Q3; with its year when that is not the year of the page."""
    head, dash, part = label.partition("-")
    if ".." in label:
        first, last = label.split("..")
        return f"{first}–{last[2:]}"
    if not dash:
        return head
    tail = "" if year == int(head) else f"/{head[2:]}"
    if part.isdecimal():
        return (_MONTHS[int(part) - 1] if lang == "en" else f"T{int(part)}") + tail
    if part in {"H1", "H2"}:
        return (part if lang == "en" else "6T đầu" if part == "H1" else "6T cuối") + tail
    return part + tail


def small_day(day: date, year: int | None) -> str:
    """30/9 in the year of the page, else 30/11/24."""
    return f"{day.day}/{day.month}" + ("" if day.year == year else f"/{day:%y}")


def clean(text: str) -> str:
    """What a reader sent, as it is kept: NFC, line ends as \\n, without NUL (no database takes it) or space around."""
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\0", "")).strip()


def size(count: int, lang: str) -> str:
    """412 KB, 1,4 MB."""
    if count < 1000:
        return f"{count} B"
    if count < 1_000_000:
        return f"{round(count / 1000)} KB"
    megabytes = f"{count / 1_000_000:.1f}"
    return (megabytes if lang == "en" else megabytes.replace(".", ",")) + " MB"


def fingerprint(hash_: str) -> str:
    """A SHA-256 in groups of four, to be read out."""
    return " ".join(hash_[place : place + 4] for place in range(0, len(hash_), 4))


def masked(phone: str) -> str:
    """A telephone number for those who only look: 024 •••• 234."""
    digits = [sign for sign in phone if sign.isdigit()]
    return f"{''.join(digits[:3])} •••• {''.join(digits[-3:])}"


def read_day(text: str) -> date | None:
    """A typed day, day first: 10/10/2025, 10-10-2025, 1.2.2026; None when it is no day. ISO is taken as well."""
    found = _DAY.fullmatch(text)
    try:
        if found:
            day, month, year = (int(part) for part in found.groups())
            return date(year, month, day)
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def until(day: date, lang: str) -> str:
    """A due day written whole: hết ngày thứ Sáu 10/10/2025."""
    return translate("hết ngày {day}", lang, day=whole_day(day, lang))


def due(deadline: Deadline, zone: str, lang: str) -> str:
    """By when, with its zone: hết ngày thứ Sáu 10/10/2025 (GMT+7); 14:30, thứ Tư 08/10/2025 (GMT+7)."""
    words, day = by_when(deadline.due_on, deadline.due_at, zone, lang), deadline.due_on
    if deadline.due_at is not None:
        return words  # the zone is in them
    return f"{words} ({zone_name(datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo(zone)))})"

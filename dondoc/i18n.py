"""In which words? Vietnamese and English, from the catalogues in locales/; dates written whole."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

LANGUAGES: Final = ("vi", "en")
LOCALES: Final = Path(__file__).parent.parent / "locales"
_ROMAN: Final = ("I", "II", "III", "IV")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ISO_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_PERIOD: Final = re.compile(r"\d{4}(-(Q[1-4]|H[12]|9M|\d{2})|\.\.\d{4})")
#: English has two forms of a word, Vietnamese one; nothing more of gettext's plurals is needed.
_COUNTED: Final = re.compile(r"\{(\w+):([^{}|]*)\|([^{}|]*)\}")
_WEEKDAYS: Final = {
    "vi": ("thứ Hai", "thứ Ba", "thứ Tư", "thứ Năm", "thứ Sáu", "thứ Bảy", "Chủ nhật"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}


@lru_cache
def catalogue(lang: str) -> dict[str, str]:
    """All messages of a language; a Vietnamese sentence is its own translation into Vietnamese."""
    messages: dict[str, str] = {}
    for path in sorted((LOCALES / lang).glob("*.po")):
        messages.update((message, words) for message, words in _read(path) if message and words)
    return messages


def translate(message: str, lang: str, /, **params: object) -> str:
    """The message in this language, its {placeholders} filled; {n:unit|units} is a word by the number."""
    words = catalogue(lang).get(message, message)
    if params and "|" in words:
        words = _COUNTED.sub(lambda found: found[2 if str(params.get(found[1])) == "1" else 3], words)
    return words.format_map(params) if params else words


def say(code: str, lang: str, params: Mapping[str, object]) -> str:
    """A coded text: days among its parameters are written whole, words that the catalogue knows are translated."""
    return translate(code, lang, **{name: _param(name, str(value), lang) for name, value in params.items()})


def whole_day(day: date, lang: str) -> str:
    """A date written whole: thứ Ba 30/09/2025; Tuesday 30/09/2025."""
    return f"{_WEEKDAYS[lang][day.weekday()]} {day:%d/%m/%Y}"


def short_day(day: date) -> str:
    """30/09/2025, the same in both languages (day first, as in Vietnam)."""
    return f"{day:%d/%m/%Y}"


def whole_moment(moment: datetime, zone: str, lang: str) -> str:
    """A moment in the organisation's zone: 08:14, thứ Sáu 03/10/2025 (GMT+7)."""
    local = moment.astimezone(ZoneInfo(zone))
    return f"{local:%H:%M}, {whole_day(local.date(), lang)} ({zone_name(local)})"


def by_when(due_on: date, due_at: datetime | None, zone: str, lang: str) -> str:
    """A due day: hết ngày thứ Sáu 03/10/2025; where hours count, the moment: 14:30, thứ Sáu 03/10/2025 (GMT+7)."""
    return (
        whole_moment(due_at, zone, lang) if due_at else translate("hết ngày {day}", lang, day=whole_day(due_on, lang))
    )


def whole_period(label: str, lang: str) -> str:
    """A period in words: năm 2025, quý III/2025, tháng 8/2025, 6 tháng đầu năm 2025, 2021–2025, đột xuất: lu-lut."""
    if label.startswith("adhoc:"):
        return f"{'ad hoc' if lang == 'en' else 'đột xuất'}: {label.removeprefix('adhoc:')}"
    year, _, part = label.partition("-")
    if ".." in label or not part:
        return label.replace("..", "–") if ".." in label or lang == "en" else f"năm {label}"
    if part.startswith("H"):
        return f"{part} {year}" if lang == "en" else f"6 tháng {'đầu' if part == 'H1' else 'cuối'} năm {year}"
    if part == "9M":
        return f"nine months of {year}" if lang == "en" else f"9 tháng đầu năm {year}"
    if part.startswith("Q"):
        return f"{part} {year}" if lang == "en" else f"quý {_ROMAN[int(part[1:]) - 1]}/{year}"
    return f"{_MONTHS[int(part) - 1]} {year}" if lang == "en" else f"tháng {int(part)}/{year}"


def zone_name(local: datetime) -> str:
    """GMT+7, GMT+5:30: how far the zone is from Greenwich at that moment."""
    offset = local.utcoffset()
    minutes = int(offset.total_seconds()) // 60 if offset is not None else 0
    hours, rest = divmod(abs(minutes), 60)
    return f"GMT{'-' if minutes < 0 else '+'}{hours}" + (f":{rest:02}" if rest else "")


def _param(name: str, value: str, lang: str) -> str:
    if _ISO_DAY.fullmatch(value):
        return whole_day(date.fromisoformat(value), lang)
    if _PERIOD.fullmatch(value):
        return whole_period(value, lang)
    return catalogue(lang).get(f"param.{name}.{value}", value)


def _read(path: Path) -> Iterator[tuple[str, str]]:
    """The (msgid, msgstr) of a .po file. Babel reads the same, but its import alone takes longer than a command."""
    entry, key = {"msgid": "", "msgstr": ""}, "msgid"
    for line in [*path.read_text("utf-8").splitlines(), 'msgid ""']:
        word, _, quoted = line.partition(" ")
        if word == "msgid":
            yield entry["msgid"], entry["msgstr"]
        if word in entry:
            key, entry[word] = word, json.loads(quoted)
        elif line.startswith('"'):
            entry[key] += json.loads(line)

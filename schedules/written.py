"""How is a calendar written down? As a file that the loader reads back as the same calendar."""

import json

from schedules.calendars import Calendar, Day
from schedules.plan import Text


def as_file(calendar: Calendar) -> str:
    """Every row in the order of its day, with its source and its decision."""
    decided = ", ".join(str(year) for year in sorted(calendar.decided))
    head = [
        f"calendar: {calendar.code}",
        f"title: {_text(calendar.title)}",
        f"decided: [{decided}]",
        "days:" if calendar.days else "days: []",
    ]
    rows = [f"  - {_row(day)}" for day in sorted(calendar.days.values(), key=lambda day: day.on)]
    return "\n".join([*head, *rows, ""])


def _row(day: Day) -> str:
    parts = [
        f"on: {day.on.isoformat()}",
        f"off: {'true' if day.off else 'false'}",
        f"name: {_text(day.name)}",
        f"source: {_quoted(day.source)}",
    ]
    parts += [f"decision: {_quoted(day.decision)}"] if day.decision is not None else []
    return f"{{{', '.join(parts)}}}"


def _text(text: Text) -> str:
    return f"{{vi: {_quoted(text.vi)}, en: {_quoted(text.en)}}}"


def _quoted(words: str) -> str:
    return json.dumps(words, ensure_ascii=False)

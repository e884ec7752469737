"""What time is it? The only place that reads the wall clock, or the demo clock in its stead."""

import os
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo


def now(clock: Path | None = None) -> datetime:
    """The present moment, aware, in UTC: the line in the clock file when there is one, else the wall clock."""
    if clock is not None:
        try:
            line = clock.read_text("ascii").strip()
        except FileNotFoundError:
            return datetime.now(UTC)
        return _aware(line, clock)
    return datetime.now(UTC)


def move(clock: Path, to: datetime) -> None:
    """Sets the demo clock; readers see the old line or the new one, never half of one."""
    fresh = clock.with_suffix(".new")
    with fresh.open("w", encoding="ascii") as file:
        file.write(to.astimezone(UTC).isoformat() + "\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(clock)


def today(moment: datetime, zone: str) -> date:
    """The organisation's date at a moment."""
    return moment.astimezone(ZoneInfo(zone)).date()


def moment(day: date, hour: str, zone: str) -> datetime:
    """The UTC moment of an hour ("HH:MM") of a day in the organisation's zone."""
    hours, minutes = (int(part) for part in hour.split(":"))
    return datetime(day.year, day.month, day.day, hours, minutes, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def _aware(line: str, clock: Path) -> datetime:
    try:
        moment = datetime.fromisoformat(line)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ValueError(f"{clock}: expected one ISO moment with its zone, got {line[:40]!r}")
    return moment.astimezone(UTC)

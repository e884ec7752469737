"""Which moment does a run stand for? Its scheduled one, or the demo clock's; and what it is called by."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from prefect.runtime import flow_run

from dondoc import clock
from dondoc.settings import settings


def moment(clock_file: Path, scheduled: datetime | None) -> datetime:
    """The moment that a run stands for.

    Prefect begins a run up to half a second before its time; what is due at 08:00:00 sharp must not wait for the next.
    """
    now = clock.now(clock_file)
    return now if scheduled is None or clock_file.exists() else max(now, scheduled)


def run_name() -> str:
    """A run is called by its moment: 2025-09-30 08:00."""
    scheduled = flow_run.get_scheduled_start_time().astimezone(ZoneInfo(settings().zone))
    return f"{scheduled:%Y-%m-%d %H:%M}"

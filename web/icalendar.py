"""Which events are due days in somebody's own calendar program? All-day ones, by names that stay."""

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlsplit

from dondoc.i18n import translate, whole_period
from engine.due import Due
from models.unit import Unit
from notifications import icalendar
from notifications.icalendar import Event


def written(dues: Sequence[Due], unit: Unit, url: str, now: datetime, lang: str) -> bytes:
    """`url` is the office's public address: it makes the names of the events its own."""
    events = [_event(due, unit, url.rstrip("/"), lang) for due in dues]
    return icalendar.written(events, urlsplit(url).hostname or "localhost", now, unit.name).encode()


def _event(due: Due, unit: Unit, url: str, lang: str) -> Event:
    return Event(
        name=f"{due.plan.code}.{due.obligation}.{due.period}.{unit.code}",
        sequence=due.sequence,
        on=due.on,
        summary=f"{due.title(lang)}, {whole_period(due.period, lang)}",
        description=translate("Hạn tính đến hết ngày, theo mục {source}.", lang, source=due.source),
        url=f"{url}/tasks/{due.task_id}" if due.task_id is not None else "",
        is_tentative=due.is_provisional or due.cycle_id is None,
    )

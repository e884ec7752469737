"""At what pace may people be written to? In decent hours of working days, once a day, and not beyond a budget."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from dondoc.clock import moment, today
from dondoc.settings import Settings
from schedules.calendars import NEXT_WORKING, ONE_DAY, Calendar


@dataclass(frozen=True, slots=True)
class Pace:
    """Hours are "HH:MM" in the organisation's zone."""

    #: Half-open: from the first hour to before the second, on working days; None: there is no quiet hour.
    hours: tuple[str, str] | None = ("07:30", "18:00")
    digest_at: str = "08:00"  #: what the calendar says goes out from this hour on, once a day
    a_day: int = 3  #: messages to one contact
    a_week: int = 10  #: in any seven days

    def next_decent(self, at: datetime, calendar: Calendar, zone: str, since: str = "00:00") -> datetime:
        """The first moment from `at` on at which what is not urgent may go out; on no day before the hour `since`."""
        local = at.astimezone(ZoneInfo(zone))
        begins, ends = self._hours(since)
        if self._is_open(at, calendar, zone):
            if begins <= f"{local:%H:%M}" < ends:
                return at
            if f"{local:%H:%M}" < begins:
                return moment(local.date(), begins, zone)
        return self.next_day(at, calendar, zone, since)

    def next_day(self, at: datetime, calendar: Calendar, zone: str, since: str = "00:00") -> datetime:
        """When what is not urgent may go out on a later day."""
        on = today(at, zone)
        day = on + ONE_DAY if self.hours is None else calendar.after(on, NEXT_WORKING)
        return moment(day, self._hours(since)[0], zone)

    def _hours(self, since: str) -> tuple[str, str]:
        first, last = self.hours or ("00:00", "24:00")
        return max(first, since), last

    def _is_open(self, at: datetime, calendar: Calendar, zone: str) -> bool:
        return self.hours is None or calendar.is_working(today(at, zone))


def pace_of(settings: Settings) -> Pace:
    """The office's own."""
    return Pace(settings.decent_hours, settings.digest_at, settings.messages_a_day, settings.messages_a_week)

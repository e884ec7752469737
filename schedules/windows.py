"""Which days does the data of a report cover? The period itself, or a window with its own cut-off."""

from calendar import monthrange
from datetime import date

from schedules import periods
from schedules.deadlines import ONE_DAY, plain_day
from schedules.periods import Period
from schedules.plan import Window


def window_of(window: Window | None, period: Period) -> tuple[date, date]:
    """The days, half-open. It ends before it begins when its two rules are out of order: the loader refuses that."""
    if window is None:
        return period.start, period.end
    start, end = _between_cutoffs(window, period)
    if window.is_cumulative:
        start = _between_cutoffs(window, periods.of("year", period.start))[0]
    if window.first is not None:
        start = plain_day(window.first, period)
    if window.last is not None:
        end = plain_day(window.last, period) + ONE_DAY
    return start, end


def _between_cutoffs(window: Window, period: Period) -> tuple[date, date]:
    """From the day after one cut-off to the next; a month that is too short ends with its last day."""
    if window.cutoff_day is None:
        return period.start, period.end
    return _after_cutoff(window.cutoff_day, period.start - ONE_DAY), _after_cutoff(window.cutoff_day, period.last)


def _after_cutoff(cutoff_day: int, month: date) -> date:
    last = monthrange(month.year, month.month)[1]
    return month.replace(day=min(cutoff_day, last)) + ONE_DAY

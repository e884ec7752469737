"""Should this wait? Why a notice is held for now, each reason with the moment at which it is looked at again.

Pure, and a held notice is never dropped. What the calendar says (a step's notice) comes once a day; what somebody did
or decided (an entry's) is told at once; both in decent hours. What is urgent waits for neither hours nor budget.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from dondoc.clock import moment, today
from models.address import Address
from models.cycle import CycleState
from models.notice import NO_WAY, NoticeKind
from notifications.item import Office
from notifications.pace import Pace
from notifications.waiting import ASKING, Waiting

PAUSED: Final = "held.paused"  #: the cycle is paused
REVIEW_ABOVE: Final = "held.review_above"  #: the superior's own report waits for its review
EXTENDED_ABOVE: Final = "held.extended_above"  #: the superior was given more time
BELOW: Final = "held.below"  #: the rung before was told too short a time ago, or waits itself
ACKNOWLEDGED: Final = "held.acknowledged"  #: somebody has said "đã biết"
QUIET: Final = "held.quiet"  #: night, or a day off
DIGEST: Final = "held.digest"  #: today's digest has gone out
DAY: Final = "held.day"  #: so many messages today, or in seven days, are enough
WEEK: Final = "held.week"
ONE_DAY: Final = timedelta(days=1)
WEEK_DAYS: Final = timedelta(days=7)
SHORT_RETURN: Final = 2  #: a return with no more working days than these is urgent


@dataclass(frozen=True, slots=True)
class Hold:
    """The code of the reason, and the moment until which nobody needs to look."""

    why: str
    until: datetime


def is_urgent(each: Waiting, office: Office) -> bool:
    """What would come too late: hours count, little is left after a return, or the due day ends before the next one.

    The night and days off are no reason then to wait, nor is a budget.
    """
    if office.pace is None or (each.deadline.has_passed(office.today, office.now) and each.deadline.due_at is None):
        return False
    kind, due_on = each.notice.kind, each.deadline.due_on
    if kind == NoticeKind.RETURNED:
        return each.deadline.due_at is not None or each.calendar.working_days(office.today, due_on) <= SHORT_RETURN
    if kind not in ASKING:
        return False
    if each.deadline.due_at is not None:
        return True
    return each.is_own and due_on < today(_next_day(each, office, office.pace), office.zone)


def by_way(each: Waiting, office: Office) -> Hold | None:
    """No e-mail, and of the other ways none is open now: they were silent, or a carrier of our own is missing."""
    if each.contact.has_mail or any(is_open(way, office) for way in each.ways):
        return None
    return Hold(NO_WAY, office.now + ONE_DAY if office.pace is None else _next_day(each, office, office.pace))


def is_open(way: Address, office: Office) -> bool:
    return way.is_open(office.now) and way.channel in office.channels


def by_above(each: Waiting, office: Office) -> Hold | None:
    """A pause silences everybody, "đã biết" the escalation, what is above the unit only who is told above it.

    The unit is always asked itself. For what is above it nobody waits until the unit's grace ends: then it would be
    moot. What was held climbs from there, one rung after the other.
    """
    if each.notice.kind not in ASKING:
        return None
    again = office.now + ONE_DAY if office.pace is None else _next_day(each, office, office.pace)
    if each.cycle.state == CycleState.OPEN and each.cycle.paused_at is not None:
        return Hold(PAUSED, again)
    if each.known_until is not None and each.known_until >= office.today:
        return Hold(ACKNOWLEDGED, again)
    if each.notice.kind != NoticeKind.ESCALATION or each.is_own:
        return None
    if each.above.ends_at is None or each.above.ends_at > again:
        if each.above.is_under_review:
            return Hold(REVIEW_ABOVE, again)
        if each.notice.created_at + each.above.more > office.now:  # as much later as the superior may be
            return Hold(EXTENDED_ABOVE, min(again, each.notice.created_at + each.above.more))
    return _by_below(each, office, again)


def _by_below(each: Waiting, office: Office, again: datetime) -> Hold | None:
    """However long a rung was held, it comes no sooner after the one before it than was planned."""
    if each.below is None:
        return None
    if each.below.told_at is None:
        return Hold(BELOW, again)
    on = each.calendar.after(today(each.below.told_at, office.zone), each.below.patience)
    hour = "00:00" if office.pace is None else office.pace.digest_at
    return Hold(BELOW, moment(on, hour, office.zone)) if on > office.today else None


def by_hours(each: Waiting, office: Office) -> Hold | None:
    """Nothing at night and on days off; what the calendar says not before the hour of the digest."""
    if office.pace is None or is_urgent(each, office):
        return None
    since = office.pace.digest_at if each.is_of_calendar else "00:00"
    free = office.pace.next_decent(office.now, each.calendar, office.zone, since)
    return Hold(QUIET, free) if free > office.now else None


def by_digest(each: Waiting, office: Office) -> Hold | None:
    """What the calendar says comes once a day."""
    if office.pace is None or not each.is_of_calendar or is_urgent(each, office):
        return None
    has_gone = any(sent.is_digest and today(sent.at, office.zone) == office.today for sent in each.sent)
    return Hold(DIGEST, _next_day(each, office, office.pace)) if has_gone else None


def by_budget(waiting: Sequence[Waiting], office: Office) -> Hold | None:
    """Of the notices of one message: no contact gets more than so many a day and in seven days."""
    if office.pace is None or any(is_urgent(each, office) for each in waiting):
        return None
    first = waiting[0]
    days = [today(sent.at, office.zone) for sent in first.sent]
    if days.count(office.today) >= office.pace.a_day:
        return Hold(DAY, _next_day(first, office, office.pace))
    if sum(day > office.today - WEEK_DAYS for day in days) >= office.pace.a_week:
        return Hold(WEEK, _next_day(first, office, office.pace))
    return None


def _next_day(each: Waiting, office: Office, pace: Pace) -> datetime:
    return pace.next_day(office.now, each.calendar, office.zone, pace.digest_at)

"""How much would go out, when and by which way, and what would wait? The messages of a simulated life, counted."""

from collections import Counter, defaultdict
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlmodel import Session, col

from dondoc.clock import today
from models.message import Message
from models.notice import Notice
from notifications.hold import DAY, WEEK

#: Why a notice waits that would be one too many for its contact.
OF_BUDGET: Final = (DAY, WEEK)
ONE_HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Day:
    """A day on which anything went out."""

    day: date
    messages: int
    contacts: int
    most: int  #: to one contact
    channels: dict[str, int]

    def as_json(self) -> dict[str, object]:
        return {**asdict(self), "day": self.day.isoformat()}


@dataclass(frozen=True, slots=True)
class Hour:
    """An hour of the organisation's day, 0 to 23, over the whole span."""

    hour: int
    messages: int
    most: int  #: on one day


@dataclass(frozen=True, slots=True)
class Wait:
    """What was held: by the last reason of each notice that got out, how many and for how long at most."""

    why: str
    notices: int
    contacts: int
    hours: int  #: the longest, from the notice to its message

    @property
    def is_of_budget(self) -> bool:
        return self.why in OF_BUDGET


@dataclass(frozen=True, slots=True)
class Traffic:
    channels: dict[str, int]
    days: tuple[Day, ...]  #: in order
    hours: tuple[Hour, ...]  #: in order
    waits: tuple[Wait, ...]  #: what held most first
    #: by contact, in order of days: (day, channel, messages)
    to: dict[int, tuple[tuple[date, str, int], ...]]

    @property
    def busiest_days(self) -> list[Day]:
        return sorted(self.days, key=lambda each: (-each.messages, each.day))

    @property
    def busiest_hours(self) -> list[Hour]:
        return sorted(self.hours, key=lambda each: (-each.messages, each.hour))

    @property
    def deferred(self) -> int:
        """Notices that the budget put off."""
        return sum(each.notices for each in self.waits if each.is_of_budget)

    def as_json(self) -> dict[str, object]:
        return {
            "channels": self.channels,
            "days": [each.as_json() for each in self.days],
            "hours": [asdict(each) for each in self.hours],
            "held": [asdict(each) for each in self.waits],
            "deferred": self.deferred,
        }


def traffic(session: Session, zone: str) -> Traffic:
    """Counts the messages of a scratch database at the moments at which they were made."""
    made = select(col(Message.created_at), col(Message.contact_id), col(Message.channel), func.count()).group_by(
        col(Message.created_at), col(Message.contact_id), col(Message.channel)
    )
    channels = Counter[str]()
    cells = Counter[tuple[int, date, str]]()
    hours: defaultdict[int, Counter[date]] = defaultdict(Counter)
    for at, contact_id, channel, count in session.execute(made):
        on = today(at, zone)
        channels[channel] += count
        cells[contact_id, on, channel] += count
        hours[at.astimezone(ZoneInfo(zone)).hour][on] += count
    to: defaultdict[int, list[tuple[date, str, int]]] = defaultdict(list)
    for (contact_id, on, channel), count in sorted(cells.items()):
        to[contact_id].append((on, channel, count))
    return Traffic(
        dict(sorted(channels.items())),
        tuple(_days(cells)),
        tuple(Hour(hour, sum(by_day.values()), max(by_day.values())) for hour, by_day in sorted(hours.items())),
        tuple(_waits(session)),
        {contact_id: tuple(had) for contact_id, had in to.items()},
    )


def _days(cells: Counter[tuple[int, date, str]]) -> list[Day]:
    to_contacts: defaultdict[date, Counter[int]] = defaultdict(Counter)
    by_channel: defaultdict[date, Counter[str]] = defaultdict(Counter)
    for (contact_id, on, channel), count in cells.items():
        to_contacts[on][contact_id] += count
        by_channel[on][channel] += count
    return [
        Day(on, told.total(), len(told), max(told.values()), dict(sorted(by_channel[on].items())))
        for on, told in sorted(to_contacts.items())
    ]


def _waits(session: Session) -> list[Wait]:
    rows = session.execute(
        select(col(Notice.held), col(Notice.contact_id), col(Notice.created_at), col(Message.created_at), func.count())
        .join(Message, col(Message.id) == col(Notice.message_id))
        .where(col(Notice.held).is_not(None), col(Message.created_at) > col(Notice.created_at))
        .group_by(col(Notice.held), col(Notice.contact_id), col(Notice.created_at), col(Message.created_at))
    ).all()
    notices, contacts = Counter[str](), defaultdict[str, set[int]](set)
    longest: defaultdict[str, timedelta] = defaultdict(timedelta)
    for why, contact_id, since, until, count in rows:
        notices[why] += count
        contacts[why].add(contact_id)
        longest[why] = max(longest[why], until - since)
    most_first = sorted(notices.items(), key=lambda each: (-each[1], each[0]))
    return [Wait(why, count, len(contacts[why]), -(-longest[why] // ONE_HOUR)) for why, count in most_first]

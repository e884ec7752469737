"""What may a letter say of a task? The rows of one notice as plain values, and as words in the reader's language."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from dondoc.clock import today
from dondoc.i18n import short_day, translate, whole_day, whole_moment, zone_name
from models.extension import Extension
from models.notice import NoticeKind
from models.submission import SubmissionFile, Way
from notifications.pace import Pace
from notifications.waiting import Waiting
from notifications.wording import Wordings


@dataclass(frozen=True, slots=True)
class Office:
    """In whose name and from where a batch goes out, and when that is."""

    channel: str
    reply_address: str
    url: str
    zone: str
    now: datetime
    channels: frozenset[str] = frozenset()  #: what else there is than mail
    wordings: Wordings = field(default_factory=Wordings, hash=False)
    pace: Pace | None = None  #: None: everything at once, as it comes
    keeps_record: bool = False  #: what goes to a chat goes out by mail as well

    @property
    def today(self) -> date:
        return today(self.now, self.zone)


@dataclass(frozen=True, slots=True)
class Item:
    """What a kind's template may speak of. Days left or late are working days; the one that does not apply is None."""

    title: str
    unit: str
    document: str
    source: str
    told_on: date
    changed_on: date  #: of the task's state
    due_on: date
    due_at: datetime | None  #: where hours count
    days_left: int | None
    days_late: int | None
    rolled_from: date | None
    grace_until: date | None
    next_rung: str | None
    next_on: date | None
    reason: str | None
    decision: str | None  #: number of the document by which it was decided
    was_on: date | None
    asked_on: date | None = None  #: until when more time was wished for, and not given
    does_not_count: bool = False
    heir: str = ""  #: the unit that owes it instead
    receipt: str = ""
    entered_at: datetime | None = None
    received_on: date | None = None
    by_link: bool = False
    came_late: bool = False
    version: int = 0
    person: str = ""  #: whose address is dead
    address: str = ""
    files: Sequence[SubmissionFile] = ()


def item_of(each: Waiting, lang: str, office: Office) -> Item:
    on, deadline, cycle = office.today, each.deadline, each.cycle
    days = each.calendar.working_days(on, deadline.due_on)
    change, step, version = _move(each), each.next_step, each.submission
    grace_until, has_passed = deadline.grace_until, deadline.has_passed(on, office.now)
    return Item(
        title=cycle.heading(lang),
        unit=each.dead.unit if each.dead is not None else (each.contact_unit if each.is_taken else each.unit).name,
        document=each.document.in_(lang),
        source=cycle.source,
        told_on=each.notice.due_on,
        changed_on=today(each.task.changed_at, office.zone),
        due_on=deadline.due_on,
        due_at=deadline.due_at,
        days_left=None if has_passed else days,
        days_late=-days if has_passed else None,
        rolled_from=deadline.nominal_on if deadline.nominal_on != deadline.due_on else None,
        grace_until=grace_until if grace_until is not None and grace_until >= on else None,
        next_rung=step.rung if step is not None else None,
        next_on=today(step.at, office.zone) if step is not None else None,
        reason=_reason(each),
        decision=change.document if change is not None else None,
        was_on=_was_on(each, change),
        asked_on=each.refused.until if each.refused is not None else None,
        heir=each.unit.name if each.is_taken else "",
        does_not_count=each.review is not None and each.review.does_not_count,
        receipt=version.receipt if version is not None else "",
        entered_at=version.at if version is not None else None,
        received_on=version.received_on if version is not None else None,
        by_link=version is not None and version.way == Way.LINK,
        came_late=version is not None and version.came_late,
        version=version.number if version is not None else 0,
        person=each.dead.person if each.dead is not None else "",
        address=each.dead.address if each.dead is not None else "",
        files=each.files,
    )


def _move(each: Waiting) -> Extension | None:
    """What moved the day; not what moved it once before, where only the end of its grace moved now."""
    extension = each.extension
    if extension is None or (each.notice.kind == NoticeKind.DATE_MOVED and extension.at != each.notice.created_at):
        return None
    return extension


def _was_on(each: Waiting, change: Extension | None) -> date | None:
    """For a moved date what its reader was last told: other moves may lie between that nobody was told of."""
    if each.before is not None:
        return each.before.on
    return change.from_on if change is not None else None


def _reason(each: Waiting) -> str | None:
    """Of what was decided."""
    if each.refused is not None:
        return each.refused.answer
    if each.review is not None:
        return each.review.reason
    if each.why is not None:
        return each.why
    change = _move(each)
    return change.reason if change is not None else None


@dataclass(frozen=True, slots=True)
class Phrases:
    """Values in the reader's words."""

    lang: str
    zone: str

    def say(self, message: str, /, **params: object) -> str:
        return translate(message, self.lang, **params)

    def due(self, day: date, at: datetime | None = None) -> str:
        if at is not None:
            return whole_moment(at, self.zone, self.lang)
        end = datetime(day.year, day.month, day.day, 23, 59, tzinfo=ZoneInfo(self.zone))
        return self.say("hết ngày {day} ({zone})", day=whole_day(day, self.lang), zone=zone_name(end))

    def day(self, day: date | None) -> str:
        return whole_day(day, self.lang) if day is not None else ""

    def moment(self, moment: datetime) -> str:
        return whole_moment(moment, self.zone, self.lang)

    def rung(self, rung: str | None) -> str:
        return self.say(f"rung.{rung}") if rung is not None else ""

    def working_days(self, days: int) -> str:
        return self.say("1 ngày làm việc") if days == 1 else self.say("{n} ngày làm việc", n=days)

    def late(self, days: int | None) -> str:
        return self.say("Quá hạn {days}", days=self.working_days(days)) if days else self.say("Đã quá hạn")

    def left(self, days: int | None) -> str:
        return self.say("Còn {days}", days=self.working_days(days)) if days else self.say("Sắp hết hạn")

    def units(self, count: int) -> str:
        return self.say("1 đơn vị") if count == 1 else self.say("{n} đơn vị", n=count)

    def standing(self, item: Item, is_handed_in: bool = False) -> str:
        """How a task that owes stands on the day of the letter; one that was handed in, since when it waits."""
        if is_handed_in:
            return self.say("nộp {day}", day=short_day(item.changed_on))
        return self.left(item.days_left) if item.days_late is None else self.late(item.days_late)

    def for_templates(self) -> dict[str, Any]:
        """What every template of a kind may call."""
        callables: tuple[Callable[..., str], ...] = (self.due, self.day, self.moment, self.rung)
        callables += (self.working_days, self.late, self.left, self.units)
        return {"lang": self.lang, "_": self.say, **{each.__name__: each for each in callables}}

    def of_item(self, item: Item) -> dict[str, object]:
        """What a wording may name of a task; nothing is ever missing, what does not apply is empty."""
        is_late = item.days_late is not None
        received = self.moment(item.entered_at) if item.by_link and item.entered_at else self.day(item.received_on)
        return {
            "title": item.title,
            "unit": item.unit,
            "document": item.document,
            "source": item.source,
            "due": self.due(item.due_on, item.due_at),
            "day": short_day(item.due_on),
            "left": self.left(item.days_left),
            "late": self.late(item.days_late),
            "is_late": is_late,
            "days": (item.days_late if is_late else item.days_left) or 0,
            "grace": self.day(item.grace_until),
            "next_day": self.day(item.next_on) if item.next_rung else "",
            "next_whom": self.rung(item.next_rung),
            "reason": item.reason or "",
            "decision": item.decision or "",
            "new_day": short_day(item.told_on),
            "old_day": short_day(item.was_on) if item.was_on else "",
            "asked_day": short_day(item.asked_on) if item.asked_on else "",
            "does_not_count": item.does_not_count,
            "heir": item.heir,
            "receipt": item.receipt,
            "received": received,
            "version": item.version,
            "came_late": item.came_late,
            "person": item.person,
            "address": item.address,
        }

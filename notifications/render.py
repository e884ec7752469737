"""In which words is it told? The notices of one contact become a subject, a text and a page of HTML.

One template a kind says what is told; two layouts, of text and of HTML, say it the same way. Where a unit's link
stands, the result has a mark: the token is put in while sending.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from dondoc.clock import today
from dondoc.i18n import short_day, translate, whole_day, whole_moment, whole_period, zone_name
from models.contact import Contact
from models.notice import NoticeKind
from models.submission import SubmissionFile, Way
from notifications.waiting import ASKING, Waiting

REFUSED: Final = "extension_refused"  #: the template of a decision not to extend
ALL_DUTIES: Final = 0  #: stands for a task where a message leads to all duties of the contact's unit
_LINK: Final = re.compile(r"\[\[link:([0-9]+)\]\]")
#: What a kind's template has to set, and what it may set.
_NEEDED: Final = ("subject", "mark", "status", "facts", "notes", "action")
_OPTIONAL: Final = ("quote", "files")


@dataclass(frozen=True, slots=True)
class Office:
    """In whose name and from where a batch goes out, and when that is."""

    channel: str
    reply_address: str
    url: str
    zone: str
    now: datetime
    channels: frozenset[str] = frozenset()  #: what else there is than mail

    @property
    def today(self) -> date:
        return today(self.now, self.zone)


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message but for its links."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Row:
    """A unit in a list of those to chase."""

    unit: str
    status: str
    href: str


@dataclass(frozen=True, slots=True)
class Section:
    """One thing in a message. `mark` is the look of its state, `facts` are labels with their values."""

    subject: str
    title: str
    mark: str
    status: str
    facts: Sequence[tuple[str, str]]
    notes: Sequence[str]
    action: str
    href: str
    quote: str = ""
    rows: Sequence[Row] = ()
    files: Sequence[SubmissionFile] = ()


@dataclass(frozen=True, slots=True)
class Item:
    """What a kind's template may speak of. Days left or late are working days; the one that does not apply is None."""

    title: str
    unit: str
    source: str
    told_on: date
    due_on: date
    due_at: datetime | None  #: where hours count
    days_left: int | None
    days_late: int | None
    rolled_from: date | None
    grace_until: date | None
    next_rung: str | None
    next_on: date | None
    reason: str | None
    document: str | None
    was_on: date | None
    asked_on: date | None = None  #: until when more time was wished for, and not given
    does_not_count: bool = False
    receipt: str = ""
    entered_at: datetime | None = None
    received_on: date | None = None
    by_link: bool = False
    came_late: bool = False
    version: int = 0
    files: Sequence[SubmissionFile] = ()


def render_bundle(contact: Contact, waiting: Sequence[Waiting], office: Office, reference: str) -> Rendered:
    """The message that tells all of it: what came back and what is owed, units to chase, what was decided."""
    words = _words(contact.lang, office)
    chased: defaultdict[int, list[Waiting]] = defaultdict(list)
    others: list[Waiting] = []
    for each in waiting:
        (others if each.is_own or each.notice.kind not in ASKING else chased[each.cycle.id]).append(each)
    lists = [_chased(group, words, office) for group in chased.values()]
    singles = [(each, _single(each, words, office)) for each in _foremost(others)]
    owed = [section for each, section in singles if each.notice.kind in (*ASKING, NoticeKind.RETURNED)]
    told = [section for each, section in singles if each.notice.kind not in (*ASKING, NoticeKind.RETURNED)]
    sections = [*owed, *lists, *told]
    subject = sections[0].subject
    if len(sections) > 1:
        counts = {"owed": len(owed), "lists": len(lists), "told": len(told)}
        units = len({each.unit.id for group in chased.values() for each in group})
        unit = waiting[0].contact_unit.name
        subject = _set_by("digest", {**words, **counts, "chased": units, "unit": unit})["subject"]
    context = {
        **words,
        "subject": subject,
        "heading": subject if len(sections) > 1 else sections[0].title,
        "office": waiting[0].office.name,
        "name": contact.name,
        "sections": sections,
        "all_duties": f"{office.url}/u/{link_mark(ALL_DUTIES)}" if any(each.is_own for each in waiting) else "",
        "reply_address": office.reply_address,
        "reference": reference,
    }
    layouts = _environment()
    text = layouts.get_template("letter.txt.j2").render(context)
    return Rendered(subject, text, layouts.get_template("letter.html.j2").render(context))


def link_mark(task_id: int) -> str:
    """What stands in a message in place of the token of a task's link."""
    return f"[[link:{task_id}]]"


def fill_links(text: str, tokens: Mapping[int, str]) -> str:
    """The text with the tokens, by task id, in place of their marks; a mark that somebody typed stays as it is."""
    return _LINK.sub(lambda mark: tokens.get(int(mark[1]), mark[0]), text)


def _foremost(waiting: Sequence[Waiting]) -> Iterator[Waiting]:
    """Of what asks for the same task only the most urgent; all else as it is."""
    urgent: dict[int, Waiting] = {}
    for each in waiting:
        if each.notice.kind in ASKING:
            known = urgent.get(each.task.id)
            if known is None or ASKING.index(known.notice.kind) < ASKING.index(each.notice.kind):
                urgent[each.task.id] = each
    return (each for each in waiting if each.notice.kind not in ASKING or urgent[each.task.id] is each)


def _kind(each: Waiting, on: date, now: datetime) -> NoticeKind:
    """As what a notice is told: a reminder that goes out after the due day speaks of a report that is late."""
    kind = NoticeKind(each.notice.kind)
    if kind not in ASKING or kind is NoticeKind.ESCALATION:
        return kind
    if each.deadline.has_passed(on, now):
        return NoticeKind.OVERDUE
    if on == each.deadline.due_on:
        return NoticeKind.DUE_TODAY
    return kind if kind is NoticeKind.OPENED else NoticeKind.REMINDER


def _single(each: Waiting, words: Mapping[str, Any], office: Office) -> Section:
    item = _item(each, words["lang"], office)
    template = REFUSED if each.refused is not None else _kind(each, office.today, office.now).value
    told = _set_by(template, {**words, "item": item})
    title = item.title if each.is_own else f"{item.title}: {item.unit}"
    href = f"{office.url}/s/{link_mark(each.task.id)}" if each.is_own else f"{office.url}/tasks/{each.task.id}"
    return _made(told, title, href)


def _chased(group: Sequence[Waiting], words: Mapping[str, Any], office: Office) -> Section:
    """The units of one cycle that still owe, as a list; who is told in two capacities sees each unit once."""
    units = {each.task.id: each for each in group}.values()
    items = {each.task.id: _item(each, words["lang"], office) for each in units}
    rows = [
        Row(item.unit, _status(item, words), f"{office.url}/tasks/{task_id}")
        for task_id, item in sorted(items.items(), key=lambda row: -(row[1].days_late or -1))
    ]
    item = items[group[0].task.id]
    told = _set_by("chased", {**words, "item": item, "rows": rows})
    return _made(told, item.title, f"{office.url}/cycles/{group[0].cycle.id}", rows)


def _made(told: Mapping[str, Any], title: str, href: str, rows: Sequence[Row] = ()) -> Section:
    values = {name: told[name] for name in _NEEDED} | {name: told[name] for name in _OPTIONAL if name in told}
    values["notes"] = [note for note in values["notes"] if note]
    return Section(title=title, href=href, rows=rows, **values)


def _item(each: Waiting, lang: str, office: Office) -> Item:
    on, deadline, cycle = office.today, each.deadline, each.cycle
    days = each.calendar.working_days(on, deadline.due_on)
    change, step, version = each.extension, each.next_step, each.submission
    grace_until, has_passed = deadline.grace_until, deadline.has_passed(on, office.now)
    return Item(
        title=f"{cycle.title(lang)}, {whole_period(cycle.period, lang)}",
        unit=each.unit.name,
        source=cycle.source,
        told_on=each.notice.due_on,
        due_on=deadline.due_on,
        due_at=deadline.due_at,
        days_left=None if has_passed else days,
        days_late=-days if has_passed else None,
        rolled_from=deadline.nominal_on if deadline.nominal_on != deadline.due_on else None,
        grace_until=grace_until if grace_until is not None and grace_until >= on else None,
        next_rung=step.rung if step is not None else None,
        next_on=today(step.at, office.zone) if step is not None else None,
        reason=_reason(each),
        document=change.document if change is not None else None,
        was_on=change.from_on if change is not None else None,
        asked_on=each.refused.until if each.refused is not None else None,
        does_not_count=each.review is not None and each.review.does_not_count,
        receipt=version.receipt if version is not None else "",
        entered_at=version.at if version is not None else None,
        received_on=version.received_on if version is not None else None,
        by_link=version is not None and version.way == Way.LINK,
        came_late=version is not None and version.came_late,
        version=version.number if version is not None else 0,
        files=each.files,
    )


def _reason(each: Waiting) -> str | None:
    """Of what was decided."""
    if each.refused is not None:
        return each.refused.answer
    if each.review is not None:
        return each.review.reason
    return each.extension.reason if each.extension is not None else None


def _status(item: Item, words: Mapping[str, Any]) -> str:
    shared: Any = _environment().get_template("shared.j2").make_module(dict(words))
    return str(shared.left(item.days_left) if item.days_late is None else shared.late(item.days_late))


def _set_by(template: str, context: Mapping[str, Any]) -> dict[str, Any]:
    """What a kind's template sets: plain words, which the layouts escape."""
    return dict(vars(_environment().get_template(f"{template}.j2").make_module(dict(context))))


def _words(lang: str, office: Office) -> dict[str, Any]:
    """What every template may call."""

    def due(day: date, at: datetime | None = None) -> str:
        if at is not None:
            return whole_moment(at, office.zone, lang)
        end = datetime(day.year, day.month, day.day, 23, 59, tzinfo=ZoneInfo(office.zone))
        return translate("hết ngày {day} ({zone})", lang, day=whole_day(day, lang), zone=zone_name(end))

    def words_of(message: str, /, **params: object) -> str:
        return translate(message, lang, **params)

    return {
        "lang": lang,
        "_": words_of,
        "due": due,
        "day": lambda day: whole_day(day, lang),
        "short": short_day,
        "moment": lambda moment: whole_moment(moment, office.zone, lang),
        "rung": lambda rung: translate(f"rung.{rung}", lang),
    }


@lru_cache
def _environment() -> Environment:
    """Layouts of HTML escape all they show; the kinds' templates and the text make plain words."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=StrictUndefined,
        autoescape=select_autoescape(("html.j2",), default=False),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["lower_first"] = lambda words: words[:1].lower() + words[1:]
    return environment

"""In which words is it told? The notices of one contact become a subject, text, a page of HTML, a few lines for chats.

A kind's template says what stands in every letter of the kind: state, dates, proof, the button. Its wording, which an
office may change, says it politely. Layouts put both together in the same way for mail and for chats. Where a
unit's link stands, the result has a mark: the token is put in while sending.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from models.contact import Contact
from models.notice import NoticeKind
from models.submission import SubmissionFile
from notifications import brief
from notifications.item import Office, Phrases, item_of
from notifications.waiting import ASKING, Waiting
from notifications.wording import TEMPLATES

REFUSED: Final = "extension_refused"  #: the template of a decision not to extend
CHASED: Final = "chased"  #: the template of a list of units
UNREVIEWED: Final = "unreviewed"  #: the template of a list of units whose reports wait for their review
DIGEST: Final = "digest"  #: the wording of several things in one letter
ALL_DUTIES: Final = 0  #: stands for a task where a message leads to all duties of the contact's unit
BELOW: Final = -1  #: the same for what is behind below it
MOST_ROWS: Final = 100  #: units named in one list; the others are a page away
_LINK: Final = re.compile(r"\[\[link:(-?[0-9]+)\]\]")
#: What a kind's template has to set, and what it may set.
_NEEDED: Final = ("mark", "status", "facts", "notes", "action")
_OPTIONAL: Final = ("quote", "files")


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message but for its links. `short` is for chats: at most so many characters as they take, links included."""

    subject: str
    text: str
    html: str
    short: str


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
    words: str
    title: str
    mark: str
    status: str
    facts: Sequence[tuple[str, str]]
    notes: Sequence[str]
    action: str
    href: str
    quote: str = ""
    rows: Sequence[Row] = ()
    rows_left: int = 0  #: units that the list leaves to the page behind `href`
    files: Sequence[SubmissionFile] = ()


def render_bundle(contact: Contact, waiting: Sequence[Waiting], office: Office, reference: str) -> Rendered:
    """The message that tells all of it: what came back and what is owed, units to chase, what was decided."""
    phrases = Phrases(contact.lang, office.zone)
    chased: defaultdict[int, list[Waiting]] = defaultdict(list)
    unreviewed: defaultdict[int, list[Waiting]] = defaultdict(list)
    others: list[Waiting] = []
    for each in waiting:
        if each.notice.kind == NoticeKind.UNREVIEWED:
            unreviewed[each.cycle.id].append(each)
        else:
            (others if each.is_own or each.notice.kind not in ASKING else chased[each.cycle.id]).append(each)
    lists = [_listed(CHASED, contact, group, phrases, office) for group in _by_obligation(chased)]
    reviews = [_listed(UNREVIEWED, contact, group, phrases, office) for group in _by_obligation(unreviewed)]
    singles = [(each, _single(contact, each, phrases, office)) for each in foremost(others)]
    owed = [section for each, section in singles if each.notice.kind in (*ASKING, NoticeKind.RETURNED)]
    told = [section for each, section in singles if each.notice.kind not in (*ASKING, NoticeKind.RETURNED)]
    sections = [*owed, *lists, *reviews, *told]
    subject, words = sections[0].subject, sections[0].words
    if len(sections) > 1:
        units = len({each.unit.id for group in chased.values() for each in group})
        counts = {"owed": len(owed), "lists": len(lists), "told": len(reviews) + len(told), "n": len(sections)}
        whose = {"name": contact.name, "office": waiting[0].office.name, "unit": waiting[0].contact_unit.name}
        said = office.wordings.say(DIGEST, contact.lang, {**whose, **counts, "units": phrases.units(units)})
        subject, words = said.subject, said.text
    has_own = any(each.is_own for each in waiting)
    context = {
        **phrases.for_templates(),
        "subject": subject,
        "heading": subject if len(sections) > 1 else sections[0].title,
        "words": words,
        "office": waiting[0].office.name,
        "name": contact.name,
        "sections": _said_once(sections) if len(sections) > 1 else [replace(sections[0], words="")],
        "all_duties": f"{office.url}/u/{link_mark(ALL_DUTIES)}" if has_own else "",
        "below": _below(office) if chased else "",
        "board": f"{office.url}/",
        "reply_address": office.reply_address,
        "reference": reference,
    }
    layouts = _environment()
    text = layouts.get_template("letter.txt.j2").render(context)
    html = layouts.get_template("letter.html.j2").render(context)
    return Rendered(subject, text, html, brief.short(context, phrases))


def link_mark(task_id: int) -> str:
    """What stands in a message in place of the token of a task's link."""
    return f"[[link:{task_id}]]"


def fill_links(text: str, tokens: Mapping[int, str]) -> str:
    """The text with the tokens, by task id, in place of their marks; a mark that somebody typed stays as it is."""
    return _LINK.sub(lambda mark: tokens.get(int(mark[1]), mark[0]), text)


def _by_obligation(chased: Mapping[int, list[Waiting]]) -> list[list[Waiting]]:
    """The lists of the cycles of one obligation one after the other; what was due first comes first."""
    first: dict[tuple[int, str], date] = {}
    for group in chased.values():
        key, due_on = _obligation(group), min(each.deadline.due_on for each in group)
        first[key] = min(first.get(key, due_on), due_on)
    return sorted(
        chased.values(),
        key=lambda group: (first[_obligation(group)], _obligation(group), min(each.deadline.due_on for each in group)),
    )


def _obligation(group: Sequence[Waiting]) -> tuple[int, str]:
    return group[0].cycle.plan_id, group[0].cycle.obligation


def _said_once(sections: Sequence[Section]) -> list[Section]:
    """A letter about eight reports says only once how to hand in."""
    known = {""}
    once = []
    for section in sections:
        once.append(replace(section, words="") if section.words in known else section)
        known.add(section.words)
    return once


def foremost(waiting: Sequence[Waiting]) -> Iterator[Waiting]:
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


def _single(contact: Contact, each: Waiting, phrases: Phrases, office: Office) -> Section:
    item = item_of(each, phrases.lang, office)
    kind = REFUSED if each.refused is not None else _kind(each, office.today, office.now).value
    values = {**phrases.of_item(item), "name": contact.name, "office": each.office.name}
    title = item.title if each.is_own else f"{item.title}: {item.unit}"
    href = f"{office.url}/s/{link_mark(each.task.id)}" if each.is_own else f"{office.url}/tasks/{each.task.id}"
    if each.is_taken:
        href = f"{office.url}/u/{link_mark(ALL_DUTIES)}"  # the report is another unit's to open
    if each.dead is not None:
        title, href = item.unit, f"{office.url}/units/{each.dead.unit_id}#contacts"
    return _made(kind, values, {**phrases.for_templates(), "item": item}, office, title=title, href=href)


def _listed(kind: str, contact: Contact, group: Sequence[Waiting], phrases: Phrases, office: Office) -> Section:
    """The units of one cycle that still owe or wait, as a list; who is told in two capacities sees each unit once."""
    units = {each.task.id: each for each in group}.values()
    items = {each.task.id: item_of(each, phrases.lang, office) for each in units}
    rows = [
        Row(item.unit, phrases.standing(item, kind == UNREVIEWED), f"{office.url}/tasks/{task_id}")
        for task_id, item in sorted(items.items(), key=lambda row: -(row[1].days_late or -1))
    ]
    item = items[group[0].task.id]
    counts = {"n": len(rows), "units": phrases.units(len(rows))}
    values = {**phrases.of_item(item), **counts, "name": contact.name, "office": group[0].office.name}
    due_days = {(each.due_on, each.due_at) for each in items.values()}
    context = {**phrases.for_templates(), "item": item, "n": len(rows), "has_one_day": len(due_days) == 1}
    cycle = group[0].cycle.id
    href = f"{_below(office)}#cycle-{cycle}" if kind == CHASED else f"{office.url}/cycles/{cycle}"
    section = _made(kind, values, context, office, title=item.title, href=href)
    return replace(section, rows=rows[:MOST_ROWS], rows_left=max(0, len(rows) - MOST_ROWS))


def _below(office: Office) -> str:
    """Where somebody above the units says "đã biết", without an account."""
    return f"{office.url}/k/{link_mark(BELOW)}"


def _made(
    kind: str, values: Mapping[str, object], context: Mapping[str, Any], office: Office, *, title: str, href: str
) -> Section:
    said = office.wordings.say(kind, str(context["lang"]), values)
    told = _set_by(kind, context)
    given = {name: told[name] for name in _NEEDED} | {name: told[name] for name in _OPTIONAL if name in told}
    given["notes"] = [note for note in given["notes"] if note]
    return Section(subject=said.subject, words=said.text, title=title, href=href, **given)


def _set_by(template: str, context: Mapping[str, Any]) -> dict[str, Any]:
    """What a kind's template sets: plain words, which the layouts escape."""
    return dict(vars(_environment().get_template(f"{template}.j2").make_module(dict(context))))


@lru_cache
def _environment() -> Environment:
    """Layouts of HTML escape all they show; the kinds' templates and the text make plain words."""
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=select_autoescape(("html.j2",), default=False),
        trim_blocks=True,
        lstrip_blocks=True,
    )

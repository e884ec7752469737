"""How would a letter of a kind read? With what was really told last, or with an example where nothing was."""

import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

from jinja2 import TemplateError
from sqlalchemy import ColumnElement, exists, func, select, true
from sqlmodel import Session, col

from dondoc.clock import moment
from dondoc.settings import Settings
from models.ask import AskState, ExtensionAsk
from models.contact import Contact, Role, holding
from models.notice import FROM_STEP, Notice, NoticeKind
from models.step import Step, StepKind
from models.task import Task
from models.wording import in_use
from notifications.item import Office
from notifications.letters import data_of
from notifications.render import ALL_DUTIES, BELOW, CHASED, DIGEST, REFUSED, Rendered, fill_links, render_bundle
from notifications.specimen import ZONE, in_language, specimens
from notifications.waiting import OWN, Waiting, read_told
from notifications.wording import InvalidWordingError, Wordings, read
from schedules.plan import Offset, Rung
from schedules.reason import Reason

HIDDEN: Final = "••••••••"  #: in place of a token: what is shown here is nobody's way in
_REFERENCE: Final = "0" * 32
#: How many working days after the due day a letter of a kind is thought to go out, where the ladder has no such rung.
_WHEN: Final[Mapping[str, int]] = {"opened": -20, "reminder": -5, "due_today": 0, "overdue": 3}


@dataclass(frozen=True, slots=True)
class Preview:
    """A letter without its tokens. `task_id` None: the example, since nothing of the kind has been told."""

    rendered: Rendered
    name: str  #: whom it is for
    at: datetime  #: the moment that it speaks of
    task_id: int | None
    data: Mapping[str, str]  #: what a template message of Zalo may name
    is_example: bool = False  #: nothing of the kind was told: made up, or how it would be told of the task


def frame_of(session: Session, settings: Settings, now: datetime) -> Office:
    """As letters are written in this office now."""
    url, own = settings.url.rstrip("/"), Wordings(in_use(session))
    return Office("email", settings.mail_from, url, settings.zone, now, wordings=own)


def with_words(office: Office, kind: str, lang: str, text: str) -> Office:
    """The same with this text in place of the one in use."""
    return replace(office, wordings=Wordings({**office.wordings.texts, (kind, lang): text}))


def preview(
    session: Session,
    kind: str,
    lang: str,
    office: Office,
    task_id: int | None = None,
    may: ColumnElement[bool] | None = None,
) -> Preview | None:
    """As of when it was told. None when there is nothing of the kind to tell of this task.

    `may`: the condition on the tasks that whoever looks may see.
    """
    allowed = true() if may is None else may
    ids = _last(session, kind, task_id, allowed)
    if ids:
        waiting = read_told(session, ids, office.now)
        return _shown(waiting, waiting[0].notice.created_at, lang, office, waiting[0].task.id)
    if kind in (*_WHEN, NoticeKind.ESCALATION):  # what was told of the task is enough to say how it would be
        other = read_told(session, _last(session, "", task_id, allowed), office.now)
        ahead = _ahead(session, kind, other[0], office) if other else None
        if ahead is not None:
            shown = _shown([ahead], ahead.notice.created_at, lang, office, ahead.task.id)
            return replace(shown, is_example=True)
    return example(kind, lang, office) if task_id is None else None


def example(kind: str, lang: str, office: Office) -> Preview:
    first = specimens(kind, lang)[0]
    return replace(_shown(first.waiting, first.now, lang, office, None), is_example=True)


def check(kind: str, lang: str, text: str) -> None:
    """Raises InvalidWordingError unless the text is of the language and every example of the kind reads well."""
    read(kind, text)
    wordings = Wordings({(kind, lang): text}, is_trial=True)
    for each in specimens(kind, lang):
        office = Office("email", "office@example.org", "https://example.org", ZONE, each.now, wordings=wordings)
        try:
            render_bundle(each.contact, each.waiting, office, _REFERENCE)
        except (TemplateError, TypeError, ValueError) as error:
            raise InvalidWordingError((_why(error),)) from error


def _shown(waiting: Sequence[Waiting], at: datetime, lang: str, office: Office, task_id: int | None) -> Preview:
    contact = in_language(waiting[0].contact, lang)
    rendered = render_bundle(contact, waiting, replace(office, now=at), _REFERENCE)
    tokens = dict.fromkeys([ALL_DUTIES, BELOW, *(each.task.id for each in waiting)], HIDDEN)
    parts = (rendered.text, rendered.html, rendered.short)
    text, html, short = (fill_links(part, tokens) for part in parts)
    due_on, unit = min(each.notice.due_on for each in waiting), waiting[0].contact_unit.name
    data = data_of(contact.name, unit, rendered.subject, due_on, short)
    return Preview(Rendered(rendered.subject, text, html, short), contact.name, at, task_id, data)


def _last(session: Session, kind: str, task_id: int | None, may: ColumnElement[bool]) -> list[int]:
    """The notices that were told in the last letter of the kind; of any kind to the unit itself when it is empty."""
    is_own = col(Notice.rung).startswith("unit.")
    of_kind: ColumnElement[bool] = {
        "": is_own,
        DIGEST: col(Notice.message_id).is_not(None),
        CHASED: (col(Notice.kind) == NoticeKind.ESCALATION.value) & ~is_own,
        REFUSED: (col(Notice.kind) == NoticeKind.EXTENSION_DECIDED.value) & _was_refused(),
        NoticeKind.EXTENSION_DECIDED: (col(Notice.kind) == kind) & ~_was_refused(),
        NoticeKind.UNREVIEWED: col(Notice.kind) == kind,
        NoticeKind.BOUNCED: col(Notice.kind) == kind,
    }.get(kind, (col(Notice.kind) == kind) & is_own)
    told = select(Notice).join(Task, col(Task.id) == col(Notice.task_id)).where(of_kind, may)
    if task_id is not None:
        told = told.where(col(Notice.task_id) == task_id)
    if kind == DIGEST:
        several = func.count(col(Task.cycle_id).distinct()) > 1
        bundled = select(col(Notice.message_id)).join(Task, col(Task.id) == col(Notice.task_id))
        bundled = bundled.group_by(col(Notice.message_id)).having(several)
        told = told.where(col(Notice.message_id).in_(bundled))
    last = session.scalars(told.order_by(col(Notice.id).desc()).limit(1)).first()
    if last is None:
        return []
    if kind not in (DIGEST, CHASED, NoticeKind.UNREVIEWED):
        return [last.id]
    together = col(Notice.message_id) == last.message_id if kind == DIGEST else col(Notice.cause) == last.cause
    same = select(col(Notice.id)).join(Task, col(Task.id) == col(Notice.task_id))
    return list(session.scalars(same.where(together, col(Notice.contact_id) == last.contact_id, of_kind, may)))


def _ahead(session: Session, kind: str, other: Waiting, office: Office) -> Waiting | None:
    """How the unit would be told it: by the ladder's first rung of the kind, to whoever that one is for.

    `other`: what it was told of the same task. None where the ladder has no such rung, or nobody holds its role.
    """
    due_on = other.deadline.due_on
    query = select(Step).where(col(Step.deadline_id) == other.deadline.id, col(Step.rung).startswith(OWN))
    steps = session.scalars(query.order_by(col(Step.at), col(Step.id)))
    step = next((step for step in steps if _kind(step, due_on) == kind), None)
    if step is None and kind not in _WHEN:
        return None
    if step is not None:
        at, rung, cause = step.at, step.rung, f"{FROM_STEP}{step.id}"
    else:
        on = other.calendar.after(due_on, Offset(_WHEN[kind], working=True))
        at, rung, cause = moment(on, "08:00", office.zone), Rung.UNIT_CONTACT.value, FROM_STEP
    if kind == NoticeKind.OPENED:
        at = other.cycle.opened_at
    whose = holding(Role(rung.removeprefix(OWN))).where(col(Contact.unit_id) == other.unit.id)
    contact = session.scalars(whose.order_by(col(Contact.id)).limit(1)).first()
    if contact is None:
        return None
    (then,) = read_told(session, [other.notice.id], at)  # for the rungs that come after this one
    told = other.notice.model_dump() | {"kind": kind, "rung": rung, "cause": cause, "due_on": due_on, "created_at": at}
    return replace(then, notice=Notice(**told), contact=contact, contact_unit=other.unit)


def _kind(step: Step, due_on: date) -> str:
    """Of a step that tells the unit itself."""
    if step.kind == StepKind.ESCALATE:
        return NoticeKind.ESCALATION
    if step.on > due_on:
        return NoticeKind.OVERDUE
    if step.on == due_on:
        return NoticeKind.DUE_TODAY
    return NoticeKind.OPENED if step.ordinal == 0 else NoticeKind.REMINDER


def _was_refused() -> ColumnElement[bool]:
    return exists().where(
        col(ExtensionAsk.task_id) == col(Notice.task_id),
        col(ExtensionAsk.state) == AskState.REFUSED.value,
        col(ExtensionAsk.decided_at) == col(Notice.created_at),
    )


def _why(error: Exception) -> Reason:
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == "<template>"]
    if isinstance(error, ValueError):
        return Reason.of("wording.subject", line=1)
    return Reason.of("wording.fails", line=lines[-1] if lines else 1, why=error)

"""What does an admin type before it counts? Drafts of plans: kept whether they parse or not, checked, thrown away."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlmodel import Session, col, select

from engine.access import Actor, Place, Right, can, paths_of, place_of_unit
from engine.errors import InvalidPlanError, RefusedError
from engine.plans import active_revision, plan_of
from models.plan import Plan, Revision
from models.plan_draft import PlanDraft, plan_draft_of
from models.unit import Unit, unit_by_code
from schedules import load
from schedules.calendars import Calendar
from schedules.check import check_plan
from schedules.edit import NotClean, edited
from schedules.form import Fields, filled_in, sheet_of
from schedules.nodes import LARGEST, Node, Scalar, Unreadable, compose
from schedules.nodes import Mapping as Entries
from schedules.plan import Obligation
from schedules.plan import Plan as PlanFile
from schedules.problem import Problem, Severity
from schedules.reader import CODE_SHAPE, Known

_CODE: Final = re.compile(CODE_SHAPE)
_PLAN_LINE: Final = re.compile(rf"^plan[ ]*:[ ]*[\"']?({CODE_SHAPE})[\"']?[ ]*(#.*)?$", re.MULTILINE)
LONGEST_CODE: Final = 64


@dataclass(frozen=True, slots=True)
class Opened:
    """A plan as one person has it before them: what is in force, and what they have typed since."""

    code: str
    plan: Plan | None  #: None: not in force yet
    active: Revision | None
    draft: PlanDraft | None
    others: Sequence[PlanDraft]  #: what others have typed at the same plan

    @property
    def text(self) -> str:
        return self.draft.text if self.draft else self.active.text if self.active else ""

    @property
    def is_overtaken(self) -> bool:
        """Did somebody bring another text into force since the draft was begun?"""
        return self.draft is not None and self.draft.base != (self.active.hash if self.active else None)


def opened(session: Session, code: str, by: str) -> Opened | None:
    """None where nobody has such a plan."""
    plan = session.exec(select(Plan).where(col(Plan.code) == code)).first()
    active = active_revision(session, code)
    drafts = session.exec(select(PlanDraft).where(col(PlanDraft.plan) == code).order_by(col(PlanDraft.saved_at))).all()
    own = next((draft for draft in drafts if draft.by == by), None)
    if plan is None and own is None:
        return None
    return Opened(code, plan, active, own, [draft for draft in drafts if draft.by != by])


def drafts_of(session: Session, by: str) -> Sequence[PlanDraft]:
    return session.exec(select(PlanDraft).where(col(PlanDraft.by) == by).order_by(col(PlanDraft.plan))).all()


def save(
    session: Session, code: str, text: str, *, by: str, now: datetime, seen: str | None, base: str | None
) -> PlanDraft | None:
    """Keeps what was typed, right or wrong. None when it is what is in force: then there is no draft any more.

    `seen` is the hash of the text that was typed over, `base` that of the revision that stood beside it. Raises
    RefusedError when the draft was saved with other words since, in another window.
    """
    _fit(text)
    draft = plan_draft_of(session, code, by)
    if draft is not None and draft.text != text and hash_of(draft.text) != seen:
        raise RefusedError("refused.draft_changed", plan=code)
    active = active_revision(session, code)
    if active is not None and active.text == text:
        if draft is not None:
            session.delete(draft)
        return None
    draft = draft or PlanDraft(plan=code, by=by, text="", saved_at=now)
    draft.text, draft.base, draft.saved_at = text, base, now
    session.add(draft)
    session.flush()
    return draft


def bring(session: Session, text: str, *, by: str, now: datetime, code: str = "", known: str = "") -> PlanDraft:
    """A text from elsewhere becomes a draft: of the plan `code`, which it is then called by, else of the one it names.

    Raises RefusedError when there is no code, or it is of a plan that is here and nobody said that it is `known`: a
    file of another office must not lie over one's own unasked.
    """
    _fit(text)
    named = code_of(text)
    code = code or named
    if not (_CODE.fullmatch(code) and len(code) <= LONGEST_CODE):
        raise RefusedError("refused.no_plan_code")
    found = opened(session, code, by)
    if found is not None and known != code:
        raise RefusedError("refused.known_code", plan=code)
    if named and named != code:
        try:
            text = edited(text, {("plan",): code})
        except NotClean as error:
            raise RefusedError("refused.not_by_form") from error
    draft = plan_draft_of(session, code, by) or PlanDraft(plan=code, by=by, text="", saved_at=now)
    active = found.active if found else None
    draft.text, draft.base, draft.saved_at = text, active.hash if active else None, now
    session.add(draft)
    session.flush()
    return draft


def throw_away(session: Session, code: str, *, by: str) -> None:
    """What is in force stays; a draft that is gone already stays gone."""
    draft = plan_draft_of(session, code, by)
    if draft is not None:
        session.delete(draft)


def checked(
    text: str, code: str, known: Known | None, calendars: Mapping[str, Calendar]
) -> tuple[PlanFile | None, list[Problem]]:
    """The plan when it can be read, and what `dondoc check` says of the text; besides, whether it is of this plan."""
    name = f"{code}.yaml"
    data = text.encode()
    plan, problems = check_plan(data, name, known, calendars)
    if plan is None or plan.code == code:
        return plan, problems
    at = _node_of_code(data)
    line, column = (at.line, at.column) if at else (1, 1)
    other = Problem(name, line, column, Severity.ERROR, "problem.other-plan", {"expected": code, "got": plan.code})
    return plan, sorted([*problems, other])


def filled(
    opened: Opened,
    code: str,
    fields: Fields,
    *,
    seen: str,
    known: Known | None,
    calendars: Mapping[str, Calendar],
) -> str:
    """The text before one with what a form says of one obligation, or of the defaults; nothing is kept yet.

    `seen` is the hash of the text that the form was made of. Raises RefusedError when the text is another one by now or
    cannot be changed so, BadFields when a field says nothing, and InvalidPlanError with the errors it would make.
    """
    if hash_of(opened.text) != seen:
        raise RefusedError("refused.draft_changed", plan=opened.code)
    try:
        sheet = sheet_of(opened.text, code)
        if sheet is None:
            raise RefusedError("refused.no_obligation", obligation=code)
        text = filled_in(opened.text, sheet, fields)
    except NotClean as error:
        raise RefusedError("refused.not_by_form") from error
    before, after = (checked(each, opened.code, known, calendars)[1] for each in (opened.text, text))
    fresh = _fresh(before, after)
    if fresh:
        raise InvalidPlanError(fresh)
    return text


def hash_of(text: str) -> str:
    """By which a page knows again what it showed."""
    return hashlib.sha256(text.encode()).hexdigest()


def code_of(text: str) -> str:
    """The code that a text gives itself, as far as it can be read; empty when it cannot."""
    try:
        node = _node_of_code(text.encode())
    except UnicodeEncodeError:
        return ""
    if node is not None:
        return node.text
    found = _PLAN_LINE.search(text)
    return found[1] if found else ""


def place_of_plan(session: Session, code: str, on: date) -> Place | None:
    """Where a plan belongs: to the unit that issues it. None while it is not in force: then to whoever drafts it."""
    active = active_revision(session, code)
    issuer = unit_by_code(session, plan_of(session, active.id).issuer) if active else None
    return place_of_unit(session, issuer.id, on) if issuer else None


def place_of_text(session: Session, text: str, on: date) -> Place | None:
    """Where a plan would belong that is not in force yet: to the unit that its text names. None: it names nobody."""
    plan, _ = load.parse(text.encode(), "")
    issuer = unit_by_code(session, plan.issuer) if plan is not None else None
    return place_of_unit(session, issuer.id, on) if issuer else None


def expect_own(session: Session, actor: Actor, code: str, text: bytes) -> None:
    """Before a text comes into force. What cannot be read is for others to refuse.

    Raises RefusedError when it is of another plan, asks something of units that the actor does not manage, or changes
    what the text in force asks of them: who keeps one branch may not set dates for another.
    """
    plan, _ = load.parse(text, code)
    if plan is None:
        return
    if plan.code != code:
        raise RefusedError("refused.other_plan", expected=code, got=plan.code)
    paths = actor.paths(Right.MANAGE)
    if "" in paths:
        return
    active = active_revision(session, code)
    asked = {plan.issuer} | _asked(plan.obligations)
    asked |= _asked(_overtaken(plan_of(session, active.id), plan)) if active is not None else set()
    ids = session.exec(select(Unit.id, Unit.code).where(col(Unit.code).in_(asked))).all()
    places = paths_of(session, (unit_id for unit_id, _ in ids), actor.on)
    beyond = [unit for unit_id, unit in ids if not can(actor, Right.MANAGE, Place(places.get(unit_id, "")))]
    if beyond:
        raise RefusedError("refused.beyond_plan", units=", ".join(sorted(beyond)[:10]))


def _overtaken(old: PlanFile, new: PlanFile) -> Sequence[Obligation]:
    """The obligations in force that differ or vanish: all of them where what their days are counted by differs."""
    is_counted_alike = (old.calendar, old.roll, old.term) == (new.calendar, new.roll, new.term)
    return [each for each in old.obligations if not (is_counted_alike and each in new.obligations)]


def _asked(obligations: Iterable[Obligation]) -> set[str]:
    """The units that these name, themselves or with all below them."""
    found = set[str]()
    for owed in obligations:
        audiences = (owed.who, *(each.who for each in owed.levels), *(each.who for each in owed.variants))
        found |= {unit for who in audiences for unit in (*who.units, *who.under)}
    return found


def _fresh(before: Sequence[Problem], after: Sequence[Problem]) -> list[Problem]:
    """The errors that were not there before, wherever their lines are now."""
    was = Counter(_what(each) for each in before)
    return [each for each in after if each.is_error and _what(each) not in was]


def _what(problem: Problem) -> tuple[str, str]:
    return problem.code, repr(sorted(problem.params.items()))


def _node_of_code(data: bytes) -> Scalar | None:
    try:
        root = compose(data, "")
    except Unreadable:
        return None
    entries: list[tuple[Node, Node]] = root.entries if isinstance(root, Entries) else []
    for key, value in entries:
        if isinstance(key, Scalar) and key.text == "plan" and isinstance(value, Scalar):
            return value
    return None


def _fit(text: str) -> None:
    size = len(text.encode())
    if size > LARGEST:
        raise RefusedError("refused.too_long_plan", limit=LARGEST, got=size)

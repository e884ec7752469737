"""Which dates would move? The effect of a draft or of an older revision, and the button that brings it about."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session
from starlette.datastructures import FormData, QueryParams

from engine import known, plan_drafts, proposals, revise
from engine.access import Actor, Right
from engine.errors import InvalidPlanError, RefusedError
from engine.plan_drafts import Opened
from engine.plans import plan_of
from engine.preview import Moved, Preview, preview
from models.plan import Revision
from models.proposal import Policy, Proposal, ProposalKind
from notifications.pace import pace_of
from schedules.diff import Way
from schedules.plan import Obligation
from schedules.plan import Plan as PlanFile
from schedules.problem import Problem
from web import forms, words
from web.access import InActor, needs
from web.done import after, stand
from web.office import InOffice, Office
from web.pages import page
from web.plans import found, names_of

SHOWN: Final = 200  #: changes on one page
router = APIRouter(dependencies=[needs(Right.MANAGE)])


@dataclass(frozen=True, slots=True)
class Asked:
    """Which text, adopted when: the own draft, or a revision of before."""

    restores: int | None = None
    from_on: date | None = None
    number: int = 1  #: page of the changes

    def text(self, session: Session, opened: Opened) -> bytes:
        return revise.text_of(session, opened.code, self.restores) if self.restores else opened.text.encode()


@dataclass(frozen=True, slots=True)
class Typed:
    """What stood in the form that brings it about."""

    policy: str = Policy.TELL
    reason: str = ""
    second: bool = False


@router.api_route("/plans/{plan}/preview", methods=["GET", "HEAD"])
def show_preview(request: Request, plan: str, office: InOffice, actor: InActor) -> Response:
    return _preview_page(request, office, actor, plan, asked_in(request.query_params))


@router.post("/plans/{plan}/application")
def apply(request: Request, plan: str, office: InOffice, actor: InActor, form: forms.Form) -> Response:
    """Brings it into force, or lays it before a second person. Another effect than was shown is refused."""
    asked, typed = asked_in(form), typed_in(form)
    try:
        with office.database.writing() as session:
            opened, before = found(session, actor, plan), stand(session)
            text, name = asked.text(session, opened), f"{plan}.yaml"
            plan_drafts.expect_own(session, actor, plan, text)
            given: dict[str, Any] = {
                "diff_hash": forms.text(form, "hash"),
                "policy": Policy(typed.policy),
                "by": actor.by,
                "reason": typed.reason,
                "now": office.now(),
                "zone": office.settings.zone,
                "from_on": asked.from_on,
                "restores": asked.restores,
            }
            if typed.second or office.settings.second_person:
                made = proposals.propose(session, ProposalKind.PLAN, text, name, **given)
                back = f"/proposals/{made.id}"
            else:
                revise.apply(session, text, name, **given)
                back = after(session, actor, f"/plans/{plan}/history", before, "plan_applied")
    except RefusedError as error:
        return _preview_page(request, office, actor, plan, asked, error, typed)
    return RedirectResponse(back, 303)


def asked_in(given: QueryParams | FormData) -> Asked:
    """What stands in an address or a form; what cannot be read is not asked."""

    def number(name: str) -> int | None:
        text = str(given.get(name, ""))
        return int(text) if text.isascii() and text.isdigit() and 0 < len(text) < 7 else None

    day = words.read_day(str(given.get("from", "")))
    return Asked(number("restore"), day, number("page") or 1)


def typed_in(form: FormData) -> Typed:
    policy = forms.text(form, "policy")
    known_one = policy if policy in set(Policy) else Policy.TELL
    return Typed(known_one, forms.text(form, "reason"), forms.text(form, "second") == "yes")


def _preview_page(
    request: Request,
    office: Office,
    actor: Actor,
    code: str,
    asked: Asked,
    refused: RefusedError | None = None,
    typed: Typed | None = None,
) -> Response:
    problems: Sequence[Problem] = ()
    effect: Preview | None = None
    values: dict[str, Any] = {}
    with office.database.reading() as session:
        opened = found(session, actor, code)
        try:
            text = asked.text(session, opened)
            effect = _previewed(session, office, opened, text, asked)
            values = shown(session, opened.active, effect, asked.number)
        except InvalidPlanError as error:
            problems = error.problems
        except RefusedError as error:
            refused = refused or error
        waiting = [each for each in proposals.waiting(session) if _is_of(each, code)]
        names = names_of(session, (each.by for each in waiting))
    return page(
        request,
        "plan_dates.html",
        status=422 if refused else 200,
        opened=opened,
        effect=effect,
        problems=problems,
        asked=asked,
        typed=typed or Typed(),
        refused=refused,
        waiting=waiting,
        names=names,
        must_be_two=office.settings.second_person,
        is_changed=refused is not None and refused.reason.code == "refused.diff_changed",
        **values,
    )


def _previewed(session: Session, office: Office, opened: Opened, text: bytes, asked: Asked) -> Preview:
    """Raises InvalidPlanError for a text that cannot come into force as this plan."""
    _, problems = plan_drafts.checked(text.decode(), opened.code, known.known(session), known.calendars(session))
    if errors := [each for each in problems if each.is_error]:
        raise InvalidPlanError(errors)
    return previewed(session, office, opened.code, text, asked.from_on)


def previewed(session: Session, office: Office, code: str, text: bytes, from_on: date | None) -> Preview:
    """What applying the text would do by now."""
    zone, pace = office.settings.zone, pace_of(office.settings)
    return preview(session, text, f"{code}.yaml", now=office.now(), zone=zone, from_on=from_on, pace=pace)


def _is_of(proposal: Proposal, code: str) -> bool:
    return proposal.kind == ProposalKind.PLAN and proposal.code == code


def shown(session: Session, active: Revision | None, effect: Preview, number: int) -> dict[str, Any]:
    """What the page says of a plan's preview."""
    old = plan_of(session, active.id) if active else None
    return changes(effect.changes, titles(effect.plan, old), number) | {"grid": grid(effect), "most": _most(effect)}


def changes(found: Sequence[Moved], names: Mapping[str, Obligation], number: int) -> dict[str, Any]:
    """One page of changes, how many there are of each way, and what each policy would do to open cycles."""
    pages = max(-(-len(found) // SHOWN), 1)
    number = min(number, pages)
    opened = [each for each in found if each.cycle_id is not None and each.change.way is not Way.STAYS]
    return {
        "changes": found[(number - 1) * SHOWN : number * SHOWN],
        "ways": Counter(str(each.change.way) for each in found),
        "obligations": names,
        "number": number,
        "pages": range(1, pages + 1),
        "in_open": len(opened),
        "to_tell": sum(each.to_tell for each in opened),
        "unreachable": sum(each.unreachable for each in opened),
        "told_later": sum(each.told_later for each in opened),
    }


def titles(*plans: PlanFile | None) -> dict[str, Obligation]:
    """The obligations by code; of two plans that have the same the first one's."""
    return {each.code: each for plan in reversed(plans) if plan is not None for each in plan.obligations}


def grid(effect: Preview) -> list[tuple[Obligation, list[list[Any]]]]:
    """The due days of the 18 months ahead: a row an obligation, a cell a month."""
    columns = {each.first: index for index, each in enumerate(effect.months)}
    rows: defaultdict[str, list[list[Any]]] = defaultdict(lambda: [[] for _ in columns])
    known_ones: dict[str, Obligation] = {}
    for each in effect.ahead:
        month = columns.get(each.row.day.due_on.replace(day=1))
        obligation = each.row.occurrence.obligation
        known_ones[obligation.code] = obligation
        if month is not None:
            rows[obligation.code][month].append(each)
    return [(known_ones[code], cells) for code, cells in rows.items()]


def _most(effect: Preview) -> int:
    return max([each.messages for each in effect.months], default=0)


def by_plan(found: Iterable[Moved]) -> dict[str, int]:
    """How many changes each plan has."""
    return dict(Counter(each.plan for each in found))

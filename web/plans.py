"""Which plans are there? What is in force and what is being typed; a new one, and one from a file."""

import unicodedata
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Annotated, Final

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session, col, select
from starlette.datastructures import FormData, UploadFile

from dondoc.alphabet import order
from engine import plan_drafts, proposals
from engine.access import Actor, Place, Right, can, may_units, paths_of
from engine.errors import RefusedError
from engine.plan_drafts import Opened
from engine.plans import active_plans
from models.day import CalendarSheet
from models.proposal import Proposal, ProposalKind
from models.unit import Unit
from models.user import User
from schedules.nodes import LARGEST
from schedules.skeleton import Beginning, skeleton
from web import forms
from web.access import InActor, demand, needs
from web.office import InOffice, Office
from web.pages import page

MAX_TEXT: Final = 4 * LARGEST  #: bytes of a plan in a form, where a Vietnamese letter takes up to nine
MOST_UNITS: Final = 500  #: of which an issuer is chosen from a list; among more a code is typed
NEW: Final = ("code", "vi", "en", "issuer", "calendar", "term")
router = APIRouter(dependencies=[needs(Right.MANAGE)])


async def _form(request: Request) -> AsyncIterator[FormData]:
    async with request.form(max_files=1, max_fields=forms.MAX_FIELDS, max_part_size=MAX_TEXT) as form:
        yield form


#: As forms.Form, with room for a whole plan.
PlanForm = Annotated[FormData, Depends(_form)]


def typed_text(form: FormData, name: str = "text") -> str:
    """A plan as typed, to the last space: line ends as \\n, NFC, without NUL (no database takes it)."""
    value = form.get(name)
    return _text(value) if isinstance(value, str) else ""


def found(session: Session, actor: Actor, code: str) -> Opened:
    """The plan as the actor has it before them. 404 where there is none, or its issuer is not theirs to see."""
    place = plan_drafts.place_of_plan(session, code, actor.on)
    if place is not None:
        demand(actor, Right.MANAGE, place)
    opened = plan_drafts.opened(session, code, actor.by)
    if opened is None:
        raise HTTPException(404)
    return opened


def may_decide(session: Session, actor: Actor, proposal: Proposal) -> bool:
    """A plan's is for whoever may manage where it is issued, a calendar's for whoever may manage everything.

    One's own is always there: to be looked at and withdrawn.
    """
    if proposal.by == actor.by:
        return True
    place = plan_drafts.place_of_plan(session, proposal.code, actor.on) if proposal.kind == ProposalKind.PLAN else None
    if place is None and proposal.kind == ProposalKind.PLAN:
        place = plan_drafts.place_of_text(session, proposal.text, actor.on)
    return can(actor, Right.MANAGE, place) if place is not None else "" in actor.paths(Right.MANAGE)


def names_of(session: Session, by: Iterable[str]) -> Mapping[str, str]:
    """The users behind what a journal writes: user:3."""
    ids = {int(each.removeprefix("user:")) for each in by if each.startswith("user:")}
    users = session.exec(select(User).where(col(User.id).in_(ids))) if ids else ()
    return {f"user:{user.id}": user.name for user in users}


@router.api_route("/plans", methods=["GET", "HEAD"])
def show_plans(request: Request, office: InOffice, actor: InActor) -> Response:
    return _list_page(request, office, actor)


@router.post("/plans")
def begin(request: Request, office: InOffice, actor: InActor, form: PlanForm) -> Response:
    """A file becomes a draft; so do the few words of which a new plan is made. Known codes are asked about first."""
    given = {name: forms.text(form, name) for name in NEW}
    known = forms.text(form, "known")
    try:
        text = typed_text(form) or _uploaded(form) or skeleton(Beginning(**given))
    except RefusedError as error:
        return _list_page(request, office, actor, error, given)
    try:
        with office.database.writing() as session:
            place = plan_drafts.place_of_plan(session, given["code"] or plan_drafts.code_of(text), actor.on)
            if place is not None:
                demand(actor, Right.MANAGE, place)
            draft = plan_drafts.bring(session, text, by=actor.by, now=office.now(), code=given["code"], known=known)
            code = draft.plan
    except RefusedError as error:
        if error.reason.code == "refused.known_code" or "text" in form or "file" in form:
            return _asking_page(request, office, actor, error, text, given["code"] or plan_drafts.code_of(text))
        return _list_page(request, office, actor, error, given)
    return RedirectResponse(f"/plans/{code}", 303)


def _list_page(
    request: Request,
    office: Office,
    actor: Actor,
    refused: RefusedError | None = None,
    given: Mapping[str, str] | None = None,
) -> Response:
    with office.database.reading() as session:
        found_all = active_plans(session)
        codes = {file.issuer for _, _, file in found_all}
        units = {unit.code: unit for unit in session.exec(select(Unit).where(col(Unit.code).in_(codes)))}
        paths = paths_of(session, (unit.id for unit in units.values()), actor.on)
        places = {code: Place(paths.get(unit.id, "")) for code, unit in units.items()}
        rows = [
            (plan, revision, file)
            for plan, revision, file in found_all
            if can(actor, Right.MANAGE, places.get(file.issuer, Place("")))
        ]
        drafts = {draft.plan: draft for draft in plan_drafts.drafts_of(session, actor.by)}
        waiting = [each for each in proposals.waiting(session) if may_decide(session, actor, each)]
        names = names_of(session, [*(revision.by for _, revision, _ in rows), *(each.by for each in waiting)])
        issuers = _issuers(session, actor)
        called = {code: unit.name for code, unit in units.items()}
        calendars = session.exec(select(CalendarSheet).order_by(col(CalendarSheet.code))).all()
    return page(
        request,
        "plans.html",
        status=422 if refused else 200,
        rows=rows,
        drafts=drafts,
        waiting=waiting,
        begun=[draft for code, draft in drafts.items() if code not in {plan.code for plan, _, _ in rows}],
        names=names,
        issuers=issuers,
        called=called,
        calendars=calendars,
        refused=refused,
        given=given or dict.fromkeys(NEW, ""),
    )


def _asking_page(
    request: Request, office: Office, actor: Actor, refused: RefusedError, text: str, code: str
) -> Response:
    """What shall become of this file? Shown with all of it, so that nothing has to be chosen again."""
    with office.database.reading() as session:
        opened = plan_drafts.opened(session, code, actor.by)
    return page(
        request, "plan_brought.html", status=422, refused=refused, code=code, opened=opened, text=text,
        lines=text.count("\n") + 1,
    )  # fmt: skip


def _issuers(session: Session, actor: Actor) -> list[Unit]:
    mine = select(Unit).where(may_units(actor, Right.MANAGE, col(Unit.id)))
    units = session.exec(mine.limit(MOST_UNITS + 1)).all()
    return sorted(units, key=lambda unit: order(unit.name)) if len(units) <= MOST_UNITS else []


def _uploaded(form: FormData) -> str:
    """The chosen file as text; empty when none was asked for. What is no UTF-8 is refused: no editor could show it."""
    sent = form.get("file")
    if sent is None:
        return ""
    if not isinstance(sent, UploadFile) or not sent.filename:
        raise RefusedError("refused.empty_plan")
    data = sent.file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise RefusedError("refused.too_long_plan", limit=LARGEST, got=sent.size or len(data))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RefusedError("refused.not_text", got=f"0x{data[error.start]:02x}", at=error.start + 1) from error
    if not text.strip():
        raise RefusedError("refused.empty_plan")
    return _text(text)


def _text(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\N{REPLACEMENT CHARACTER}")
    return unicodedata.normalize("NFC", text)

"""What waits for a second person? A proposal with all the dates that it would move, to be agreed to or refused."""

from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session

from engine import plan_drafts, proposals
from engine.access import Actor, Right
from engine.calendar_change import preview_calendar
from engine.errors import RefusedError
from engine.history import text_diff
from engine.plans import active_plans, active_revision
from models.proposal import Proposal, ProposalKind, ProposalState
from schedules import load
from web import forms
from web.access import InActor, needs
from web.done import after, stand
from web.office import InOffice, Number, Office
from web.pages import page
from web.plan_dates import asked_in, changes, previewed, shown, titles
from web.plans import may_decide, names_of

router = APIRouter(dependencies=[needs(Right.MANAGE)])


@router.api_route("/proposals/{proposal_id}", methods=["GET", "HEAD"])
def show_proposal(request: Request, proposal_id: Number, office: InOffice, actor: InActor) -> Response:
    return _proposal_page(request, office, actor, proposal_id)


@router.post("/proposals/{proposal_id}/agreement")
def agree(request: Request, proposal_id: Number, office: InOffice, actor: InActor, form: forms.Form) -> Response:
    """Brings it into force, when what it would do is still what this second person saw."""
    try:
        with office.database.writing() as session:
            proposal, before = _found(session, actor, proposal_id), stand(session)
            hash_ = forms.text(form, "hash")
            if proposal.kind == ProposalKind.PLAN:
                plan_drafts.expect_own(session, actor, proposal.code, proposal.text.encode())
            proposals.agree(
                session, proposal_id, diff_hash=hash_, by=actor.by, now=office.now(), zone=office.settings.zone
            )
            is_plan = proposal.kind == ProposalKind.PLAN
            back = f"/plans/{proposal.code}/history" if is_plan else f"/calendars/{proposal.code}"
            back = after(session, actor, back, before)
    except RefusedError as error:
        return _proposal_page(request, office, actor, proposal_id, error)
    return RedirectResponse(back, 303)


@router.post("/proposals/{proposal_id}/refusal")
def refuse(request: Request, proposal_id: Number, office: InOffice, actor: InActor, form: forms.Form) -> Response:
    note = forms.text(form, "note")
    try:
        with office.database.writing() as session:
            _found(session, actor, proposal_id)
            proposals.refuse(session, proposal_id, note=note, by=actor.by, now=office.now())
    except RefusedError as error:
        return _proposal_page(request, office, actor, proposal_id, error, note)
    return RedirectResponse(f"/proposals/{proposal_id}", 303)


@router.post("/proposals/{proposal_id}/withdrawal")
def withdraw(request: Request, proposal_id: Number, office: InOffice, actor: InActor) -> Response:
    try:
        with office.database.writing() as session:
            _found(session, actor, proposal_id)
            proposals.withdraw(session, proposal_id, by=actor.by, now=office.now())
    except RefusedError as error:
        return _proposal_page(request, office, actor, proposal_id, error)
    return RedirectResponse(f"/proposals/{proposal_id}", 303)


def _found(session: Session, actor: Actor, number: int) -> Proposal:
    proposal = session.get(Proposal, number)
    if proposal is None or not may_decide(session, actor, proposal):
        raise HTTPException(404)
    return proposal


def _proposal_page(
    request: Request,
    office: Office,
    actor: Actor,
    number: int,
    refused: RefusedError | None = None,
    note: str = "",
) -> Response:
    values: dict[str, Any] = {"hash": None}
    with office.database.reading() as session:
        proposal = _found(session, actor, number)
        values["restores"] = proposals.restored(session, proposal)
        names = names_of(session, [by for by in (proposal.by, proposal.decided_by) if by])
        if proposal.state == ProposalState.WAITING:
            try:
                values |= _effect(session, office, proposal, asked_in(request.query_params).number)
            except RefusedError as error:
                refused = refused or error
    return page(
        request,
        "proposal.html",
        status=422 if refused and request.method == "POST" else 200,
        proposal=proposal,
        names=names,
        refused=refused,
        note=note,
        is_own=proposal.by == actor.by,
        **values,
    )


def _effect(session: Session, office: Office, proposal: Proposal, number: int) -> dict[str, Any]:
    """What it would do by now, as whoever proposed it was shown, and the hash of that."""
    text = proposal.text.encode()
    if proposal.kind == ProposalKind.CALENDAR:
        calendar, _ = load.parse_calendar(text, proposal.code)
        assert calendar is not None  # it was read when it was proposed
        of_calendar = preview_calendar(session, calendar, now=office.now(), zone=office.settings.zone)
        known = titles(*(file for _, _, file in active_plans(session)))
        values = changes(of_calendar.changes, known, number) | {"effect": of_calendar}
        return values | {"hash": of_calendar.diff_hash}
    of_plan = previewed(session, office, proposal.code, text, proposal.from_on)
    active = active_revision(session, proposal.code)
    lines = text_diff(active.text if active else "", proposal.text)
    values = shown(session, active, of_plan, number) | {"effect": of_plan, "lines": lines}
    return values | {"hash": of_plan.diff_hash}

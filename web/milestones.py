"""What has happened? The days of a plan's milestones, for all units or one, and what hangs on each."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session

from engine import milestones
from engine.access import Actor, Right, place_of_unit
from engine.errors import RefusedError
from engine.plans import plan_of
from models.milestone import MilestoneDay
from models.unit import Unit, unit_by_code
from web import forms, words
from web.access import InActor, demand, needs
from web.done import after, stand, told_done
from web.office import InOffice, Number, Office
from web.pages import page
from web.plan_dates import titles
from web.plans import found, names_of

ASKED = ("milestone", "period", "on", "unit")
router = APIRouter(dependencies=[needs(Right.MANAGE)])


@router.api_route("/plans/{plan}/milestones", methods=["GET", "HEAD"])
def show_milestones(request: Request, plan: str, office: InOffice, actor: InActor) -> Response:
    """With a milestone and a day in the address: what entering it would open."""
    given = {name: words.clean(request.query_params.get(name, ""))[:100] for name in ASKED}
    return _page(request, office, actor, plan, given)


@router.post("/plans/{plan}/milestones")
def enter(request: Request, plan: str, office: InOffice, actor: InActor, form: forms.Form) -> Response:
    given = {name: forms.text(form, name) for name in ASKED}
    try:
        with office.database.writing() as session:
            found(session, actor, plan)
            _demand_unit(session, actor, given["unit"])
            before = stand(session)
            milestones.enter(
                session,
                plan,
                given["milestone"],
                given["period"],
                forms.needed_day(form, "on"),
                unit_code=given["unit"] or None,
                by=actor.by,
                now=office.now(),
                zone=office.settings.zone,
                diff_hash=forms.text(form, "hash"),
            )
            back = after(session, actor, f"/plans/{plan}/milestones", before)
    except RefusedError as error:
        return _page(request, office, actor, plan, given, error)
    return RedirectResponse(back, 303)


@router.post("/plans/{plan}/milestones/{day_id}/removal")
def take_back(
    request: Request, plan: str, day_id: Number, office: InOffice, actor: InActor, form: forms.Form
) -> Response:
    """A day that was entered by mistake, while nothing was opened by it."""
    try:
        with office.database.writing() as session:
            opened = found(session, actor, plan)
            if opened.plan is None:
                raise HTTPException(404)
            day = session.get(MilestoneDay, day_id)
            if day is not None and day.unit_id is not None:
                demand(actor, Right.MANAGE, place_of_unit(session, day.unit_id, actor.on))
            before = stand(session)
            reason = forms.text(form, "reason")
            milestones.take_back(session, opened.plan.id, day_id, reason=reason, by=actor.by, now=office.now())
            back = after(session, actor, f"/plans/{plan}/milestones", before)
    except RefusedError as error:
        return _page(request, office, actor, plan, dict.fromkeys(ASKED, ""), error)
    return RedirectResponse(back, 303)


def _page(
    request: Request,
    office: Office,
    actor: Actor,
    code: str,
    given: Mapping[str, str],
    refused: RefusedError | None = None,
) -> Response:
    effect: milestones.Hanging | None = None
    unit: Unit | None = None
    is_changed = refused is not None and refused.reason.code == "refused.diff_changed"
    values: dict[str, Any] = {"file": None, "days": [], "waiting": (), "names": {}, "obligations": {}}
    with office.database.reading() as session:
        opened = found(session, actor, code)
        _demand_unit(session, actor, given["unit"])
        if opened.active is not None:
            file = plan_of(session, opened.active.id)
            days = milestones.days_of(session, opened.active.plan_id)
            waiting = milestones.waiting_of(session, opened.active)
            names = names_of(session, (day.by for day, _ in days))
            values = {"file": file, "days": days, "waiting": waiting, "names": names, "obligations": titles(file)}
            unit = unit_by_code(session, given["unit"]) if given["unit"] else None
            if given["milestone"] and (refused is None or is_changed):
                try:
                    effect = milestones.hangs_on(
                        session,
                        code,
                        given["milestone"],
                        given["period"],
                        forms.read_needed_day(given["on"]),
                        unit_code=given["unit"] or None,
                        now=office.now(),
                        zone=office.settings.zone,
                    )
                except RefusedError as error:
                    refused = error
        done = told_done(session, request, actor)
    return page(
        request,
        "milestones.html",
        status=422 if refused else 200,
        opened=opened,
        given=given,
        effect=effect,
        unit=unit.name if unit is not None else None,
        refused=refused,
        is_changed=is_changed,
        done=done,
        **values,
    )


def _demand_unit(session: Session, actor: Actor, code: str) -> None:
    """A day of one unit is for whoever manages that unit; one that is not known is for the engine to refuse."""
    unit = unit_by_code(session, code) if code else None
    if unit is not None:
        demand(actor, Right.MANAGE, place_of_unit(session, unit.id, actor.on))

"""Which days are off? The calendars with the source of each day, and what a day more or less would move."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session, col, select
from starlette.datastructures import FormData, QueryParams

from engine import proposals
from engine.access import Actor, Right
from engine.calendar_change import CalendarPreview, apply_calendar_change, preview_calendar, version_of
from engine.calendar_rows import NewRow, edited
from engine.errors import InvalidPlanError, RefusedError
from engine.plans import active_plans
from models.day import CalendarDay, CalendarSheet, CalendarVersion
from models.proposal import Policy, ProposalKind
from schedules.calendars import Calendar
from schedules.written import as_file
from web import forms, words
from web.access import InActor, needs
from web.done import after, stand, told_done
from web.office import InOffice, Office
from web.pages import page
from web.plan_dates import Typed, asked_in, changes, titles, typed_in
from web.plans import names_of

ROWS: Final = 6  #: that can be typed at once
router = APIRouter(dependencies=[needs(Right.MANAGE)])


@dataclass(frozen=True, slots=True)
class Edit:
    """What was asked for, as it stands in the address or the form; `said` is what carries it on."""

    rows: tuple[NewRow, ...]
    dropped: tuple[date, ...]
    decided: frozenset[int] | None  #: None: as it was
    restores: int | None
    said: tuple[tuple[str, str], ...]


@router.api_route("/calendars", methods=["GET", "HEAD"])
def show_calendars(request: Request, office: InOffice) -> Response:
    with office.database.reading() as session:
        sheets = session.exec(select(CalendarSheet).order_by(col(CalendarSheet.code))).all()
        used = Counter(revision.calendar for _, revision, _ in active_plans(session))
        bare = Counter(session.exec(select(CalendarDay.calendar).where(col(CalendarDay.decision).is_(None))))
        days = Counter(session.exec(select(CalendarDay.calendar)))
    return page(request, "calendars.html", sheets=sheets, used=used, bare=bare, days=days)


@router.api_route("/calendars/{calendar}", methods=["GET", "HEAD"])
def show_calendar(request: Request, calendar: str, office: InOffice, actor: InActor) -> Response:
    return _sheet_page(request, office, actor, calendar)


@router.api_route("/calendars/{calendar}/preview", methods=["GET", "HEAD"])
def show_change(request: Request, calendar: str, office: InOffice, actor: InActor) -> Response:
    """What the rows of the address would move; the sheet again, with the reason, when they cannot be read."""
    try:
        edit = _edit(request.query_params)
    except RefusedError as error:
        return _sheet_page(request, office, actor, calendar, error)
    return _change_page(request, office, actor, calendar, edit)


@router.post("/calendars/{calendar}/application")
def apply(request: Request, calendar: str, office: InOffice, actor: InActor, form: forms.Form) -> Response:
    """Brings it into force, or lays it before a second person. Another effect than was shown is refused."""
    if not _may_change(actor):
        raise HTTPException(403)
    typed = typed_in(form)
    try:
        edit = _edit(form)
    except RefusedError as error:
        return _sheet_page(request, office, actor, calendar, error)
    try:
        with office.database.writing() as session:
            before, changed = stand(session), _calendar(session, calendar, edit)
            given: dict[str, Any] = {
                "diff_hash": forms.text(form, "hash"),
                "policy": Policy(typed.policy),
                "by": actor.by,
                "reason": typed.reason,
                "now": office.now(),
                "zone": office.settings.zone,
            }
            if typed.second or office.settings.second_person:
                text = as_file(changed).encode()
                made = proposals.propose(
                    session, ProposalKind.CALENDAR, text, f"{calendar}.yaml", restores=edit.restores, **given
                )
                back = f"/proposals/{made.id}"
            else:
                apply_calendar_change(session, changed, **given)
                back = after(session, actor, f"/calendars/{calendar}", before, "calendar_applied")
    except RefusedError as error:
        return _change_page(request, office, actor, calendar, edit, error, typed)
    return RedirectResponse(back, 303)


def _edit(given: QueryParams | FormData) -> Edit:
    """Raises RefusedError for a day that is none."""

    def said(name: str) -> str:
        value = given.get(name, "")
        return words.clean(value)[:500] if isinstance(value, str) else ""

    rows, carried = [], []
    for number in range(1, ROWS + 1):
        typed = {name: said(f"{name}_{number}") for name in ("on", "off", "vi", "en", "source", "decision")}
        if not any(typed[name] for name in ("on", "vi", "en")):
            continue
        carried += [(f"{name}_{number}", value) for name, value in typed.items() if value]
        on = forms.read_needed_day(typed["on"])
        rows.append(NewRow(on, typed["off"] != "no", *(typed[name] for name in ("vi", "en", "source", "decision"))))
    dropped = tuple(forms.read_needed_day(str(each)) for each in given.getlist("drop"))
    carried += [("drop", on.isoformat()) for on in dropped]
    decided = None
    if said("years"):
        decided = frozenset(int(each) for each in said("years").replace(",", " ").split() if _is_year(each))
        carried.append(("years", said("years")))
    restores = asked_in(given).restores
    carried += [("restore", str(restores))] if restores else []
    return Edit(tuple(rows), dropped, decided, restores, tuple(carried))


def _is_year(text: str) -> bool:
    if not (text.isascii() and text.isdigit() and len(text) == 4):
        raise RefusedError("form.year", got=text[:20])
    return True


def _calendar(session: Session, code: str, edit: Edit) -> Calendar:
    if edit.restores:
        return version_of(session, code, edit.restores)
    return edited(session, code, edit.rows, edit.dropped, edit.decided)


def _may_change(actor: Actor) -> bool:
    """A calendar holds for all plans."""
    return "" in actor.paths(Right.MANAGE)


def _sheet_page(
    request: Request, office: Office, actor: Actor, code: str, refused: RefusedError | None = None
) -> Response:
    given = request.query_params
    asked = str(given.get("year", ""))
    year = int(asked) if asked.isascii() and asked.isdigit() and len(asked) == 4 else office.today().year
    with office.database.reading() as session:
        sheet = session.get(CalendarSheet, code)
        if sheet is None:
            raise HTTPException(404)
        of_calendar = select(CalendarDay).where(col(CalendarDay.calendar) == code).order_by(col(CalendarDay.on))
        days = session.exec(of_calendar).all()
        newest = select(CalendarVersion).where(col(CalendarVersion.calendar) == code)
        versions = session.exec(newest.order_by(col(CalendarVersion.number).desc())).all()
        names = names_of(session, [by for each in versions for by in (each.by, each.agreed_by) if by])
        done = told_done(session, request, actor)
    return page(
        request,
        "calendar_sheet.html",
        status=422 if refused else 200,
        sheet=sheet,
        year=year,
        years=sorted({each.on.year for each in days} | {year}),
        rows=[each for each in days if each.on.year == year],
        versions=versions,
        names=names,
        done=done,
        refused=refused,
        typed=given,
        count=ROWS,
        may_change=_may_change(actor),
    )


def _change_page(
    request: Request,
    office: Office,
    actor: Actor,
    code: str,
    edit: Edit,
    refused: RefusedError | None = None,
    typed: Typed | None = None,
) -> Response:
    effect: CalendarPreview | None = None
    problems: Any = ()
    values: Mapping[str, Any] = {}
    with office.database.reading() as session:
        sheet = session.get(CalendarSheet, code)
        if sheet is None:
            raise HTTPException(404)
        try:
            calendar = _calendar(session, code, edit)
            effect = preview_calendar(session, calendar, now=office.now(), zone=office.settings.zone)
            known = titles(*(file for _, _, file in active_plans(session)))
            values = changes(effect.changes, known, asked_in(request.query_params).number)
        except InvalidPlanError as error:
            problems = error.problems
        except RefusedError as error:
            refused = refused or error
    return page(
        request,
        "calendar_change.html",
        status=422 if refused else 200,
        sheet=sheet,
        edit=edit,
        effect=effect,
        problems=problems,
        refused=refused,
        typed=typed or Typed(),
        must_be_two=office.settings.second_person,
        may_change=_may_change(actor),
        **values,
    )

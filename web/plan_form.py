"""How is a plan changed without typing YAML? Who, when and the ladder of one obligation at a time, into the draft."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData

from engine import known, plan_drafts
from engine.access import Actor, Right
from engine.errors import InvalidPlanError, RefusedError
from engine.plan_drafts import Opened
from schedules import rules
from schedules.edit import NotClean
from schedules.form import DEFAULTS, STRETCHES, BadFields, Sheet, codes_of, milestones_of, sheet_of
from schedules.plan import Every, Roll, Rung
from schedules.problem import Problem
from web import forms, words
from web.access import InActor, needs
from web.office import InOffice, Office
from web.pages import page
from web.plans import found

PATH: Final = "/plans/{plan}/form"
router = APIRouter(dependencies=[needs(Right.MANAGE)])


@router.api_route(PATH, methods=["GET", "HEAD"])
def show_form(request: Request, plan: str, office: InOffice, actor: InActor) -> Response:
    return _form_page(request, office, actor, plan)


@router.post(PATH)
def fill_in(request: Request, plan: str, office: InOffice, actor: InActor, form: forms.Form) -> Response:
    """Writes the one value into the text, and nothing else; what the checker would refuse is not kept."""
    code = forms.text(form, "of")
    fields = _typed(form)
    with office.database.reading() as session:
        opened = found(session, actor, plan)
        here, calendars = known.known(session), known.calendars(session)
    try:
        text = plan_drafts.filled(opened, code, fields, seen=forms.text(form, "seen"), known=here, calendars=calendars)
        with office.database.writing() as session:
            plan_drafts.save(
                session,
                plan,
                text,
                by=actor.by,
                now=office.now(),
                seen=plan_drafts.hash_of(opened.draft.text) if opened.draft else None,
                base=forms.text(form, "base") or None,
            )
    except BadFields as error:
        return _form_page(request, office, actor, plan, fields=fields, wrong=error.fields)
    except InvalidPlanError as error:
        return _form_page(request, office, actor, plan, fields=fields, fresh=error.problems)
    except RefusedError as error:
        return _form_page(request, office, actor, plan, error, fields)
    return RedirectResponse(f"/plans/{plan}/form?of={code}", 303)


def _form_page(
    request: Request,
    office: Office,
    actor: Actor,
    code: str,
    refused: RefusedError | None = None,
    fields: Mapping[str, Sequence[str]] | None = None,
    wrong: Mapping[str, str] | None = None,
    fresh: Sequence[Problem] = (),
) -> Response:
    with office.database.reading() as session:
        opened = found(session, actor, code)
        here = known.known(session)
    chosen = (fields or {}).get("of", [request.query_params.get("of", "")])[0]
    owed, sheet = _read(opened, chosen)
    shown = fields or (sheet.fields if sheet else {})
    return page(
        request,
        "plan_form.html",
        status=422 if refused or wrong or fresh else 200,
        opened=opened,
        owed=owed,
        sheet=sheet,
        one=lambda name: next(iter(shown.get(name, ())), ""),
        many=lambda name: list(shown.get(name, ())),
        seen=plan_drafts.hash_of(opened.text),
        known_rungs=set(Rung),
        known_every=set(Every),
        choices=_choices(sheet, shown, opened.text, here),
        refused=refused,
        wrong=wrong or {},
        fresh=fresh,
    )


def _read(opened: Opened, code: str) -> tuple[Mapping[str, Mapping[str, str]], Sheet | None]:
    """What the text owes, and the sheet of the one that was asked for, else of the first. None: it cannot be read."""
    try:
        owed = codes_of(opened.text)
        sheet = sheet_of(opened.text, code or next(iter(owed), DEFAULTS))
    except NotClean:
        return {}, None
    if sheet is None:
        raise HTTPException(404)
    return owed, sheet


def _choices(sheet: Sheet | None, shown: Mapping[str, Sequence[str]], text: str, here: Any) -> dict[str, Sequence[str]]:
    """What a list offers: the words of the language, and of what is written already even a word that is wrong."""
    if sheet is None:
        return {}
    milestones = milestones_of(text)
    events = [rules.CUTOFF, rules.OPENED, *milestones, *codes_of(text)]
    offered: dict[str, list[str]] = {
        **{name: ["period", "year", *(part for part in rules.PARTS if part not in {"period", "year"})]
           for name in STRETCHES},
        "month": list(rules.MONTHS),
        "every": list(Every),
        "roll": list(Roll),
        "escalate_to": list(Rung),
        "on": milestones,
        "after": [event for event in events if event != sheet.code],
        "kinds": sorted(here.kinds) if here else [],
        "tags": sorted(here.tags) if here else [],
    }  # fmt: skip
    return {name: list(dict.fromkeys([*each, *filter(None, shown.get(name, ()))])) for name, each in offered.items()}


def _typed(form: FormData) -> dict[str, list[str]]:
    fields: defaultdict[str, list[str]] = defaultdict(list)
    for name, value in form.multi_items():
        if isinstance(value, str):
            fields[name].append(words.clean(value))
    typed = next(iter(fields.get("date", ())), "")
    day = words.read_day(typed) if typed else None
    if day is not None:
        fields["date"] = [day.isoformat()]
    return dict(fields)

"""How is a plan typed? Its text with every problem beside it, checked while typing, kept as a draft until it counts."""

import secrets
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from sqlmodel import Session

from engine import known, plan_drafts
from engine.access import Actor, Right
from engine.errors import RefusedError
from schedules.hints import described
from web import forms
from web.access import InActor, needs
from web.office import InOffice, Office
from web.pages import language, page
from web.plans import PlanForm, found, names_of, typed_text
from web.protection import CSP

#: CodeMirror makes its styles itself; this page alone lets it, by a word that each answer chooses anew.
NONCE: Final = "style-src 'self'"
MOST_WORDS: Final = 2000  #: units that an editor can offer; among more nobody finds one in a list
router = APIRouter(dependencies=[needs(Right.MANAGE)])


@router.api_route("/plans/{plan}", methods=["GET", "HEAD"])
def show_plan(request: Request, plan: str, office: InOffice, actor: InActor) -> Response:
    return _editor_page(request, office, actor, plan)


@router.post("/plans/{plan}")
def save(request: Request, plan: str, office: InOffice, actor: InActor, form: PlanForm) -> Response:
    """Keeps the draft; `then` leads on to what the dates will be, else back to the text."""
    text = typed_text(form)
    try:
        with office.database.writing() as session:
            found(session, actor, plan)
            plan_drafts.save(
                session,
                plan,
                text,
                by=actor.by,
                now=office.now(),
                seen=forms.text(form, "seen") or None,
                base=forms.text(form, "base") or None,
            )
    except RefusedError as error:
        return _editor_page(request, office, actor, plan, error, text)
    to = {"preview": "/preview", "form": "/form"}.get(forms.text(form, "then"), "")
    return RedirectResponse(f"/plans/{plan}{to}", 303)


@router.post("/plans/{plan}/draft/removal")
def throw_away(plan: str, office: InOffice, actor: InActor) -> Response:
    with office.database.writing() as session:
        is_kept = found(session, actor, plan).active is not None
        plan_drafts.throw_away(session, plan, by=actor.by)
    return RedirectResponse(f"/plans/{plan}" if is_kept else "/plans", 303)


@router.post("/plans/{plan}/check")
def check(request: Request, plan: str, office: InOffice, actor: InActor, form: PlanForm) -> Response:
    """What `dondoc check` says of the text, for an editor: changes nothing."""
    lang = language(request, actor.lang)
    with office.database.reading() as session:
        found(session, actor, plan)
        words = _words(session)
    _, problems = plan_drafts.checked(typed_text(form), plan, *words)
    return JSONResponse(
        {
            "problems": [
                {
                    "line": each.line,
                    "column": each.column,
                    "severity": str(each.severity),
                    "text": each.sentence(lang),
                }
                for each in problems
            ]
        }
    )


@router.api_route("/plans/{plan}/words", methods=["GET", "HEAD"])
def show_words(request: Request, plan: str, office: InOffice, actor: InActor) -> Response:
    """What an editor may offer: the schema, each word explained, and the names that are known here."""
    with office.database.reading() as session:
        found(session, actor, plan)
        here, calendars = _words(session)
    units = sorted(here.units) if here and len(here.units) <= MOST_WORDS else []
    names: dict[str, Any] = {
        "unit": units,
        "kind": sorted(here.kinds) if here else [],
        "tag": sorted(here.tags) if here else [],
        "calendar": sorted(calendars),
    }
    return JSONResponse({"schema": described(language(request, actor.lang)), "names": names})


@router.api_route("/plans/{plan}/file", methods=["GET", "HEAD"])
def download(request: Request, plan: str, office: InOffice, actor: InActor) -> Response:
    """The text in force as a file; `?draft=1` the own draft, when there is one."""
    with office.database.reading() as session:
        opened = found(session, actor, plan)
    is_draft = request.query_params.get("draft") == "1" or opened.active is None
    text = opened.text if is_draft or opened.active is None else opened.active.text
    name = f"{plan}.draft.yaml" if is_draft and opened.draft else f"{plan}.yaml"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(text.encode(), media_type="application/yaml", headers=headers)


def _editor_page(
    request: Request,
    office: Office,
    actor: Actor,
    code: str,
    refused: RefusedError | None = None,
    typed: str | None = None,
) -> Response:
    with office.database.reading() as session:
        opened = found(session, actor, code)
        words = _words(session)
        names = names_of(session, (draft.by for draft in opened.others))
    text = opened.text if typed is None else typed
    plan, problems = plan_drafts.checked(text, code, *words)
    nonce = secrets.token_urlsafe(16)
    return page(
        request,
        "plan_editor.html",
        status=422 if refused else 200,
        headers={"Content-Security-Policy": CSP.replace(NONCE, f"{NONCE} 'nonce-{nonce}'")},
        opened=opened,
        text=text,
        seen=plan_drafts.hash_of(opened.draft.text) if opened.draft else "",
        problems=problems,
        file=plan,
        names=names,
        nonce=nonce,
        refused=refused,
    )


def _words(session: Session) -> Any:
    return known.known(session), known.calendars(session)

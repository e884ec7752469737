"""How do letters read, and in whose words? Each kind looked at with real data, and the office's own words for it."""

from typing import Any, Final

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session, col, select

from dondoc.i18n import LANGUAGES, say
from engine import wording as wordings
from engine.access import Actor, Right, may_tasks
from engine.errors import RefusedError
from models.user import User
from models.wording import Wording, versions
from notifications.preview import Preview, check, frame_of, preview, with_words
from notifications.wording import KINDS, NAMES, InvalidWordingError, shipped
from web import forms
from web.access import InActor, needs
from web.done import after, stand, told_done
from web.office import InOffice, Office
from web.pages import language, page
from web.stretch import number_of

LOOK: Final = "look"  #: the button that only shows
router = APIRouter(dependencies=[needs(Right.MANAGE)])


@router.api_route("/wording", methods=["GET", "HEAD"])
def show_kinds(request: Request, office: InOffice) -> Response:
    with office.database.reading() as session:
        own = session.exec(select(Wording).where(col(Wording.is_used))).all()
    used = {(each.kind, each.lang): each for each in own}
    return page(request, "wordings.html", kinds=KINDS, languages=LANGUAGES, used=used)


@router.api_route("/wording/{kind}/{written}", methods=["GET", "HEAD"])
def show_wording(request: Request, kind: str, written: str, office: InOffice, actor: InActor) -> Response:
    _known(kind, written)
    return _page(request, office, actor, kind, written, task=request.query_params.get("task", ""))


@router.api_route("/wording/{kind}/{written}/letter.html", methods=["GET", "HEAD"])
def download(request: Request, kind: str, written: str, office: InOffice, actor: InActor) -> Response:
    """The letter as a page of its own, in the words in use; looked at from a file, since it brings its own styles."""
    _known(kind, written)
    with office.database.reading() as session:
        found = _preview(session, office, actor, kind, written, request.query_params.get("task", ""))
    if found is None:
        raise HTTPException(404)
    headers = {"Content-Disposition": f'attachment; filename="{kind}.{written}.html"'}
    return Response(found.rendered.html.encode(), media_type="text/html; charset=utf-8", headers=headers)


@router.post("/wording/{kind}/{written}")
def put(request: Request, kind: str, written: str, office: InOffice, actor: InActor, form: forms.Form) -> Response:
    """Shows the letter with what was typed, or puts it in use."""
    _known(kind, written)
    text, task = forms.text(form, "text"), forms.text(form, "task")
    try:
        if forms.text(form, "act") == LOOK:
            check(kind, written, text)
            return _page(request, office, actor, kind, written, text=text, task=task)
        _demand_whole(actor)
        before = _stand(office)
        wordings.put(office.database, kind, written, text, by=actor.by, now=office.now())
    except InvalidWordingError as error:
        lang = language(request, actor.lang)
        problems = [say(each.code, lang, dict(each.params)) for each in error.problems]
        return _page(request, office, actor, kind, written, text=text, task=task, problems=problems)
    except RefusedError as error:
        problems = [error.text(language(request, actor.lang))]
        return _page(request, office, actor, kind, written, text=text, task=task, problems=problems)
    return _back(office, actor, kind, written, before)


@router.post("/wording/{kind}/{written}/restoration")
def restore(request: Request, kind: str, written: str, office: InOffice, actor: InActor) -> Response:
    _known(kind, written)
    _demand_whole(actor)
    before = _stand(office)
    try:
        wordings.restore(office.database, kind, written, by=actor.by, now=office.now())
    except RefusedError as error:
        problems = [error.text(language(request, actor.lang))]
        return _page(request, office, actor, kind, written, problems=problems)
    return _back(office, actor, kind, written, before)


def _stand(office: Office) -> int:
    with office.database.reading() as session:
        return stand(session)


def _back(office: Office, actor: Actor, kind: str, written: str, before: int) -> Response:
    with office.database.reading() as session:
        return RedirectResponse(after(session, actor, f"/wording/{kind}/{written}", before), 303)


def _known(kind: str, written: str) -> None:
    if kind not in KINDS or written not in LANGUAGES:
        raise HTTPException(404)


def _demand_whole(actor: Actor) -> None:
    """Letters are written alike everywhere, so only who manages everything changes them."""
    if "" not in actor.paths(Right.MANAGE):
        raise HTTPException(403)


def _preview(
    session: Session, office: Office, actor: Actor, kind: str, written: str, task: str, text: str | None = None
) -> Preview | None:
    frame = frame_of(session, office.settings, office.now())
    if text is not None:
        frame = with_words(frame, kind, written, text)
    if task and number_of(task) is None:
        return None
    return preview(session, kind, written, frame, number_of(task), may_tasks(actor, Right.SEE))


def _page(
    request: Request,
    office: Office,
    actor: Actor,
    kind: str,
    written: str,
    *,
    text: str | None = None,
    task: str = "",
    problems: list[str] | None = None,
) -> Response:
    """`text`: what was typed. With problems the letter is shown as it goes out until they are mended."""
    with office.database.reading() as session:
        kept = versions(session, kind, written)
        used = next((each for each in kept if each.is_used), None)
        chosen = number_of(request.query_params.get("version", ""))
        old = next((each.text for each in kept if each.id == chosen), None)
        now = used.text if used is not None else shipped(kind, written).strip()
        shown = text if text is not None else old if old is not None else now
        found = _preview(session, office, actor, kind, written, task, shown if not problems else None)
        done = told_done(session, request, actor) if request.method == "GET" else None
        values: dict[str, Any] = {"names": _names(session, kept), "found": found, "done": done}
    return page(
        request,
        "wording.html",
        status=422 if problems else 200,
        kind=kind,
        written=written,
        text=shown,
        task=task,
        problems=problems or [],
        is_typed=text is not None,
        is_changed=shown != now,
        used=used,
        kept=kept,
        known_names=NAMES[kind],
        may_change="" in actor.paths(Right.MANAGE),
        **values,
    )


def _names(session: Session, kept: list[Wording]) -> dict[str, str]:
    users = {int(each.by.removeprefix("user:")) for each in kept if each.by.startswith("user:")}
    found = session.exec(select(User).where(col(User.id).in_(users))).all() if users else []
    return {f"user:{user.id}": user.name for user in found}

"""How does a unit hand in? By the form behind its link, saved as often as it likes; reading it changes nothing."""

import hashlib
import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.exc import DBAPIError
from starlette.datastructures import FormData

from dondoc.disk import is_full
from engine import draft, submit
from engine.errors import RefusedError
from models.files import StoredFile
from models.link import Link
from schedules.plan import FileRule
from schedules.reason import Reason
from web import forms, kept, report
from web.links import link_of, note, with_opening
from web.office import InOffice, Office
from web.pages import page
from web.protection import MAX_FILES
from web.report import KEY_BYTES, Typed

NO_ROOM: Final = Reason.of("file.no-room")
MEGABYTE: Final = 1024 * 1024
#: The page's own script sends this and gets parts of the page instead of the whole.
SCRIPT: Final = "x-part"
router = APIRouter()


@router.api_route("/s/{token}", methods=["GET", "HEAD"])
def show_form(request: Request, token: str, office: InOffice) -> Response:
    values = _read(office, token)
    answer = report.form_page(request, office, token, values, report.begun(values))
    return with_opening(request, office, answer, values["link"].contact_id, values["task"].id)


@router.post("/s/{token}")
def hand_in(request: Request, token: str, office: InOffice, form: forms.Form) -> Response:
    values = _read(office, token)
    link: Link = values["link"]
    typed = _typed(form, office, values)
    if typed.bad_files:
        wrong = _wrong_answers(values, typed)
        return _again(
            request, office, token, values, Typed(typed.key, typed.answers, typed.files, wrong, typed.bad_files)
        )
    try:
        with office.database.writing() as session:
            submit.submit(
                session,
                link.task_id,
                by=f"contact:{link.contact_id}",
                answers=typed.answers,
                files=typed.files,
                key=_key(link, typed),
                now=office.now(),
                zone=office.settings.zone,
            )
            note(request, office, session, link.contact_id, link.task_id, "submitted")
    except submit.InvalidAnswersError as error:
        return _again(request, office, token, values, replace(typed, problems=error.problems))
    except RefusedError as error:
        return _again(request, office, token, values, replace(typed, problems={"": error.reason}))
    except DBAPIError as error:
        if not is_full(error):
            raise
        return _again(request, office, token, values, replace(typed, problems={"": NO_ROOM}))
    return RedirectResponse(f"/s/{token}/receipt", 303)


@router.post("/s/{token}/draft")
def save_draft(request: Request, token: str, office: InOffice, form: forms.Form) -> Response:
    """Keeps what was typed, wrong or right. The page's script sends single files here as soon as they are chosen."""
    values = _read(office, token)
    typed = _typed(form, office, values)
    why = NO_ROOM if _lacks_room(typed) else _save(request, office, values, typed)
    has_room = why != NO_ROOM
    if why is not None and has_room:
        typed = replace(typed, bad_files=(*typed.bad_files, ("", why)))
    status = 507 if not has_room else 422 if typed.bad_files else 200
    if SCRIPT in request.headers:
        return report.saved_part(request, office, values, typed, status)
    if status != 200:
        problems = {} if has_room else {"": NO_ROOM}
        return report.form_page(
            request,
            office,
            token,
            values,
            Typed(typed.key, typed.answers, typed.files, problems, typed.bad_files),
            status,
        )
    return RedirectResponse(f"/s/{token}#saved", 303)


@router.api_route("/s/{token}/receipt", methods=["GET", "HEAD"])
def show_receipt(request: Request, token: str, office: InOffice) -> Response:
    values = _read(office, token)
    if not values["versions"]:
        return RedirectResponse(f"/s/{token}", 303)
    return page(request, "receipt.html", lang=values["contact"].lang, token=token, **values)


def _read(office: Office, token: str) -> dict[str, Any]:
    link = link_of(office, token)
    with office.database.reading() as session:
        return report.read(session, office, link)


def _typed(form: FormData, office: Office, values: Mapping[str, Any]) -> Typed:
    """The answers, and the files chosen now beside those that are to go along again."""
    rule: FileRule | None = values["file_rule"]
    answers = {each.name: forms.text(form, each.name) for each in values["obligation"].fields}
    key = forms.text(form, "key")[:100] or secrets.token_urlsafe(KEY_BYTES)
    chosen, bad = forms.files(form, office, rule.types if rule else (), partial(_admitted, office, values["link"]))
    again = tuple(kept.unsealed(office.key, values["link"].id, form.getlist("kept")))
    lacking = {file: why for file in again if (why := _lacking(office, values, file)) is not None}
    gone = tuple((file.name, why) for file, why in lacking.items())
    if rule is not None and rule.max == 1 and chosen:
        again = ()  # the new one takes its place
    files = tuple(dict.fromkeys((*(file for file in again if file not in lacking), *chosen)))
    return Typed(key, answers, files, bad_files=(*gone, *bad, *_too_many(files, rule)))


def _lacking(office: Office, values: Mapping[str, Any], file: StoredFile) -> Reason | None:
    """Why a file that came in before cannot go along again; None: it can, and lies there until a row names it."""
    named = {each.hash for each in (*(values["draft"].stored if values["draft"] else ()), *values["files"])}
    try:
        if file.hash not in named:  # of an older try: what is kept from the sweep counts anew
            _admit(office, values["link"], file.size)
    except RefusedError as error:
        if error.reason != NO_ROOM:  # that there is room for no row either is told when the draft is saved
            return error.reason
    return None if kept.is_there(office.settings.files, file) else Reason.of("file.gone")


@contextmanager
def _admitted(office: Office, link: Link, size: int) -> Iterator[None]:
    _admit(office, link, size)
    try:
        yield
    except OSError:
        with suppress(DBAPIError), office.database.writing() as session:  # of a full disk the caller tells
            draft.not_written(session, link.task_id, size, wall=office.wall())
        raise


def _admit(office: Office, link: Link, size: int) -> None:
    try:
        with office.database.writing() as session:
            draft.admit(session, link.task_id, size, wall=office.wall())
    except DBAPIError as error:
        if not is_full(error):
            raise
        raise RefusedError(NO_ROOM.code) from error


def _key(link: Link, typed: Typed) -> str:
    """Of this form with these words in it: whoever goes back, mends something and sends again has not tapped twice."""
    words = json.dumps([typed.answers, [file.hash for file in typed.files]], ensure_ascii=False, sort_keys=True)
    return f"link:{link.id}:{typed.key}:{hashlib.sha256(words.encode()).hexdigest()[:16]}"


def _too_many(files: Sequence[StoredFile], rule: FileRule | None) -> tuple[tuple[str, Reason], ...]:
    size = sum(file.size for file in files)
    if rule is not None and len(files) > rule.max:
        return (("", Reason.of("file.too-many", limit=rule.max, got=len(files))),)
    if size > MAX_FILES:
        return (("", Reason.of("file.too-much", limit=MAX_FILES // MEGABYTE, got=-(-size // MEGABYTE))),)
    return ()


def _wrong_answers(values: Mapping[str, Any], typed: Typed) -> dict[str, Reason]:
    """What is wrong beside a refused file, so that everything is said at once."""
    try:
        submit.checked(values["obligation"], typed.answers, typed.files, is_strict=True)
    except submit.InvalidAnswersError as error:
        return {name: why for name, why in error.problems.items() if name != "file"}
    return {}


def _again(request: Request, office: Office, token: str, values: dict[str, Any], typed: Typed) -> Response:
    """The page again, with all that was typed; kept as a draft too, unless the disk is full."""
    why = NO_ROOM if _lacks_room(typed) else _save(request, office, values, typed)
    if why is not None and why != NO_ROOM:
        typed = replace(typed, bad_files=(*typed.bad_files, ("", why)))
    return report.form_page(request, office, token, values, typed, 507 if why == NO_ROOM else 422)


def _lacks_room(typed: Typed) -> bool:
    return NO_ROOM in (*typed.problems.values(), *(why for _, why in typed.bad_files))


def _save(request: Request, office: Office, values: dict[str, Any], typed: Typed) -> Reason | None:
    """Why the draft could not be kept; None when it is."""
    link: Link = values["link"]
    try:
        with office.database.writing() as session:
            values["draft"] = draft.save(session, link, answers=typed.answers, files=typed.files, now=office.now())
            note(request, office, session, link.contact_id, link.task_id, "saved")
    except DBAPIError as error:
        if not is_full(error):
            raise
        return NO_ROOM
    except RefusedError as error:
        return error.reason
    return None

"""What would this sheet of units change? Looked at first, then brought in as it was shown; all or nothing."""

import io
from collections import Counter
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import UploadFile

from dondoc.disk import is_full
from engine.access import Actor, Right
from engine.believe import believe
from engine.changes import altering, changes, effect_hash
from engine.errors import RefusedError
from engine.sheet_out import COLUMNS, sheet_of_units
from engine.sheets import LARGEST, BadRows, Row, rows_of
from engine.units import import_units
from models.files import path_of, store
from schedules.problem import Problem
from web import forms, uploads
from web.access import InActor, needs
from web.csv_file import csv_file
from web.done import after, stand
from web.office import InOffice, Office
from web.pages import page

SHOWN: Final = 500  #: changes on the page; all of them count in its sums
MEDIA_TYPE: Final = "text/csv"
router = APIRouter(dependencies=[needs(Right.MANAGE)])


@router.api_route("/units/import", methods=["GET", "HEAD"])
def show_import(request: Request, office: InOffice, actor: InActor, file: str = "", name: str = "") -> Response:
    """Without a file the form; with one what it would change."""
    if not file:
        return _form_page(request, status=200)
    return _preview(request, office, actor, file, uploads.clean_name(name))


@router.api_route("/units/sheet.csv", methods=["GET", "HEAD"])
def download_sheet(office: InOffice, actor: InActor) -> Response:
    """The units that are this actor's to change, as a file to write in and bring back."""
    with office.database.reading() as session:
        rows = [COLUMNS, *sheet_of_units(session, office.today(), actor=actor)]
    return csv_file(rows, "don-vi-de-sua", office.today())


@router.post("/units/import")
def take_sheet(request: Request, office: InOffice, form: forms.Form) -> Response:
    """Keeps the file and goes on to what it would change; the file goes by itself after some days."""
    sent = form.get("file")
    if not isinstance(sent, UploadFile) or not sent.filename:
        return _form_page(request, refused=RefusedError("refused.no_sheet"))
    name = uploads.clean_name(sent.filename)
    try:
        data = sent.file.read(LARGEST + 1)
        rows_of(name, data)
        stored = store(office.settings.files, name, io.BytesIO(data), MEDIA_TYPE)
    except BadRows as error:
        return _form_page(request, name=name, problems=error.problems)
    except OSError as error:
        if is_full(error):
            return _form_page(request, refused=RefusedError("file.no-room"))
        raise
    return RedirectResponse(f"/units/import?{urlencode({'file': stored.hash, 'name': name})}", 303)


@router.post("/units/import/application")
def bring_in(request: Request, office: InOffice, actor: InActor, form: forms.Form) -> Response:
    file, name = forms.text(form, "file"), uploads.clean_name(forms.text(form, "name"))
    reason = forms.text(form, "reason")
    try:
        rows = _rows(office, file, name)
        with office.database.writing() as session:
            before = stand(session)
            import_units(
                session,
                rows,
                by=actor.by,
                actor=actor,
                now=office.now(),
                zone=office.settings.zone,
                reason=reason,
                expected_hash=forms.text(form, "hash"),
            )
            back = after(session, actor, "/units", before)
    except BadRows:
        return _preview(request, office, actor, file, name)
    except RefusedError as error:
        return _preview(request, office, actor, file, name, error, reason)
    return RedirectResponse(back, 303)


def _preview(
    request: Request,
    office: Office,
    actor: Actor,
    file: str,
    name: str,
    refused: RefusedError | None = None,
    reason: str = "",
) -> Response:
    """All changes of the file, or all that is wrong with it, line by line."""
    try:
        rows = _rows(office, file, name)
        with office.database.reading() as session:
            held = believe(session, rows, now=office.now(), zone=office.settings.zone, actor=actor)
        found = changes(held)
    except BadRows as error:
        return _form_page(request, name=name, problems=error.problems)
    return page(
        request,
        "units_import.html",
        status=422 if refused else 200,
        found=found[:SHOWN],
        count=len(found),
        lines=len(rows),
        sums=Counter(change.what for change in found),
        hash=effect_hash(found),
        is_reason_needed=bool(altering(found)),
        typed={"reason": reason},
        problems=(),
        refused=refused,
        file=file,
        name=name,
    )


def _form_page(
    request: Request,
    *,
    name: str = "",
    problems: Sequence[Problem] = (),
    refused: RefusedError | None = None,
    status: int = 422,
) -> Response:
    """Where a file is chosen, over it what was wrong with the last one."""
    return page(request, "units_import.html", status=status, found=None, problems=problems, refused=refused, name=name)


def _rows(office: Office, file: str, name: str) -> list[Row]:
    """The rows of a file that was kept. 404 when it is not there (any more)."""
    if len(file) != 64 or not set(file) <= set("0123456789abcdef"):
        raise HTTPException(404)
    path = path_of(office.settings.files, file)
    if not path.is_file():
        raise HTTPException(404)
    return rows_of(name, path.read_bytes())

"""Did this report really arrive? Whoever has a receipt code sees what it stands for, and may compare a file."""

import hashlib
import re
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session, col, select
from starlette.datastructures import UploadFile

from dondoc.clock import today
from engine import limits
from engine.limits import Limit
from engine.names import name_on
from engine.submit import ALPHABET
from models.cycle import Cycle
from models.submission import Submission, SubmissionFile
from models.task import Task
from models.unit import Unit
from web import forms
from web.network import source
from web.office import InOffice, Office
from web.pages import page

LIMIT: Final = Limit("verify", 20, timedelta(minutes=1))
CHUNK: Final = 1 << 16
_HASH: Final = re.compile(r"[0-9a-f]{64}")
router = APIRouter()


@router.api_route("/verify", methods=["GET", "HEAD"])
def show(request: Request, office: InOffice, code: str = "", hash: str = "") -> Response:  # noqa: A002  # its name in the address
    found: dict[str, Any] | None = None
    typed = plain(code)
    if typed:
        _slow_down(request, office)
        with office.database.reading() as session:
            found = _found(session, typed, office.settings.zone)
    sum_ = hash.lower() if _HASH.fullmatch(hash.lower()) else ""
    return page(request, "verify.html", code=code.strip()[:40], found=found, sum=sum_)


@router.post("/verify")
def compare(form: forms.Form) -> Response:
    """The file's SHA-256, taken here for a browser that cannot; the file itself is not kept."""
    sent = form.get("file")
    query = {"code": forms.text(form, "code")}
    if isinstance(sent, UploadFile) and sent.filename:
        sum_ = hashlib.sha256()
        while chunk := sent.file.read(CHUNK):
            sum_.update(chunk)
        query["hash"] = sum_.hexdigest()
    return RedirectResponse(f"/verify?{urlencode(query)}", 303)


def plain(code: str) -> str:
    """A code as it is kept, however it was typed: 7k4m 2pxc 9qrt is 7K4M-2PXC-9QRT; empty when it can be none."""
    letters = [letter for letter in code.upper() if letter in ALPHABET]
    if len(letters) != 12 or len(code) > 40:
        return ""
    return "-".join("".join(letters[place : place + 4]) for place in (0, 4, 8))


def _found(session: Session, code: str, zone: str) -> dict[str, Any] | None:
    version = session.exec(select(Submission).where(col(Submission.receipt) == code)).first()
    if version is None:
        return None
    task = session.get_one(Task, version.task_id)
    files = session.exec(select(SubmissionFile).where(col(SubmissionFile.submission_id) == version.id))
    unit = session.get_one(Unit, task.unit_id)
    return {
        "version": version,
        "unit_name": name_on(session, unit, today(version.at, zone), zone),
        "cycle": session.get_one(Cycle, task.cycle_id),
        "files": files.all(),
    }


def _slow_down(request: Request, office: Office) -> None:
    with office.database.writing() as session:
        wait = limits.take(session, LIMIT, source(request), office.wall())
    if wait:
        raise HTTPException(429, headers={"Retry-After": str(int(wait.total_seconds()) + 1)})

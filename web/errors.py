"""Which answer belongs to which error? The only place where a class becomes a status."""

import logging
from urllib.parse import urlencode

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException

from dondoc.disk import is_full
from engine import limits
from engine.errors import RefusedError
from models.task import IllegalActError
from web.network import source
from web.office import office_of
from web.pages import page, request_address

logger = logging.getLogger("dondoc.web")


class NoWayInError(Exception):
    """Nobody has signed in, or the second factor is missing: `to` is the page that leads on."""

    def __init__(self, to: str) -> None:
        super().__init__(to)
        self.to = to


class LinkNotFoundError(Exception):
    """Unknown, forged, expired and revoked links look alike."""


def refusal(request: Request, status: int, detail: str) -> Response:
    """The page of a refusal; `detail` is the number of a failure in the log, or `elsewhere`."""
    return page(request, "refusal.html", status=status, code=status, detail=detail, allowed=(), back=None)


def answer_errors(app: FastAPI) -> None:
    app.add_exception_handler(RefusedError, _refused)
    app.add_exception_handler(IllegalActError, _illegal)
    app.add_exception_handler(NoWayInError, _no_way_in)
    app.add_exception_handler(LinkNotFoundError, _no_link)
    app.add_exception_handler(RequestValidationError, _not_found)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(OSError, _no_room)
    app.add_exception_handler(DBAPIError, _no_room)


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, RefusedError)
    return page(request, "refusal.html", status=422, code=422, detail=error, allowed=(), back=_back(request))


def _illegal(request: Request, error: Exception) -> Response:
    assert isinstance(error, IllegalActError)
    return page(
        request,
        "refusal.html",
        status=409,
        code=409,
        detail=error.task.state,
        allowed=error.allowed,
        back=_back(request),
    )


def _no_way_in(request: Request, error: Exception) -> Response:
    """A page leads to the sign-in and back; what was sent is not done, and says so."""
    assert isinstance(error, NoWayInError)
    if request.headers.get("hx-request"):
        return Response(status_code=401, headers={"HX-Redirect": error.to})
    if request.method in {"GET", "HEAD"}:
        return RedirectResponse(f"{error.to}?{urlencode({'next': request_address(request)})}", 303)
    return page(request, "no_way_in.html", status=401, to=error.to)


def _no_link(request: Request, _error: Exception) -> Response:
    """Whoever tries links has to slow down; a right link is never kept waiting."""
    office = office_of(request)
    with office.database.writing() as session:
        wait = limits.take(session, limits.WRONG_LINK, source(request), office.wall())
    headers = {"Retry-After": str(int(wait.total_seconds()) + 1)} if wait else {}
    return page(request, "no_link.html", status=429 if wait else 404, headers=headers)


def _not_found(request: Request, _error: Exception) -> Response:
    return refusal(request, 404, "")


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    answer = refusal(request, error.status_code, "")
    answer.headers.update(error.headers or {})
    return answer


def _no_room(request: Request, error: Exception) -> Response:
    """507 when the disk is full; any other failure is one."""
    if not is_full(error):
        raise error
    logger.error("the disk is full: %s", error)
    return refusal(request, 507, "")


def _back(request: Request) -> str:
    """The page on which the form stood: the acts of /tasks/7 and /s/token are posted one level below it."""
    parts = request.url.path.split("/")
    return "/".join(parts[:3]) if len(parts) > 2 else "/"

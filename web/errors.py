"""Which answer belongs to which error? The only place where a class becomes a status."""

import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from engine.errors import RefusedError
from models.task import IllegalActError
from web.pages import page

logger = logging.getLogger("dondoc.web")


class NoWayInError(Exception):
    """The reader has not come in through the desk's link: 401, or 404 when the link itself is wrong."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class LinkNotFoundError(Exception):
    """Unknown, forged, expired and revoked links look alike."""


def refusal(request: Request, status: int, detail: str) -> Response:
    """The page of a refusal; `detail` is the number under which a failure stands in the log."""
    return page(request, "refusal.html", status=status, code=status, detail=detail, allowed=(), back=None)


def answer_errors(app: FastAPI) -> None:
    app.add_exception_handler(RefusedError, _refused)
    app.add_exception_handler(IllegalActError, _illegal)
    app.add_exception_handler(NoWayInError, _no_way_in)
    app.add_exception_handler(LinkNotFoundError, _no_link)
    app.add_exception_handler(RequestValidationError, _not_found)
    app.add_exception_handler(HTTPException, _http)


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
    assert isinstance(error, NoWayInError)
    return page(request, "no_way_in.html", status=error.status)


def _no_link(request: Request, _error: Exception) -> Response:
    return page(request, "no_link.html", status=404)


def _not_found(request: Request, _error: Exception) -> Response:
    return refusal(request, 404, "")


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    answer = refusal(request, error.status_code, "")
    answer.headers.update(error.headers or {})
    return answer


def _back(request: Request) -> str:
    """The page on which the form stood: the acts of /tasks/7 and /s/token are posted one level below it."""
    parts = request.url.path.split("/")
    return "/".join(parts[:3]) if len(parts) > 2 else "/"

"""May this reader see the office's pages? In a demo everybody, in a real office who opened the desk's link once."""

import base64
import hashlib
import hmac
from datetime import date, timedelta
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from web.errors import NoWayInError
from web.office import InOffice, Office
from web.pages import page

COOKIE: Final = "desk"
DAYS: Final = 30
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1", "[::1]"})

router = APIRouter()


def desk_link(url: str, key: bytes) -> str:
    """The address that lets the office in; `dondoc web` prints it, nothing else shows it."""
    return f"{url.rstrip('/')}/desk/{_signed(key, 'desk')}"


def is_let_in(request: Request, office: Office) -> bool:
    return office.is_demo or _is_valid(request.cookies.get(COOKIE, ""), office)


@router.api_route("/desk/{key}", methods=["GET", "HEAD"])
def ask(request: Request, key: str, office: InOffice) -> Response:
    _check(key, office)
    return page(request, "desk.html")


@router.post("/desk/{key}")
def enter(request: Request, key: str, office: InOffice) -> Response:
    _check(key, office)
    last = office.today() + timedelta(days=DAYS)
    answer = RedirectResponse("/", 303)
    answer.set_cookie(
        COOKIE,
        f"{last}.{_signed(office.key, f'desk until {last}')}",
        max_age=DAYS * 24 * 3600,
        httponly=True,
        samesite="lax",
        secure=request.url.hostname not in LOOPBACK,
    )
    return answer


def _check(key: str, office: Office) -> None:
    if not hmac.compare_digest(key.encode(), _signed(office.key, "desk").encode()):
        raise NoWayInError(404)


def _is_valid(cookie: str, office: Office) -> bool:
    last, _, signature = cookie.partition(".")
    if not hmac.compare_digest(signature.encode(), _signed(office.key, f"desk until {last}").encode()):
        return False
    return date.fromisoformat(last) >= office.today()  # signed, so it is a day


def _signed(key: bytes, words: str) -> str:
    return base64.urlsafe_b64encode(hmac.new(key, words.encode(), hashlib.sha256).digest()).decode().rstrip("=")

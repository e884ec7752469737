"""What does a browser keep for us? The session's token, and what is shown once."""

from typing import Final

from cryptography.fernet import Fernet, InvalidToken
from fastapi import Request
from fastapi.responses import Response

from dondoc.keys import seal_of
from web.office import Office

LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1", "[::1]"})
ONCE: Final = "once"
ONCE_SECONDS: Final = 10 * 60


def session_token(request: Request) -> str:
    return read(request, "dondoc")


def keep_session(request: Request, answer: Response, office: Office, token: str) -> None:
    life = int(office.lasting.life.total_seconds())
    keep(request, answer, "dondoc", token, life)


def forget_session(request: Request, answer: Response) -> None:
    keep(request, answer, "dondoc", "", 0)


def show_once(request: Request, answer: Response, office: Office, value: str) -> None:
    """For the next page: what is kept nowhere, such as a new link. Sealed, so that nobody can put words there."""
    keep(request, answer, ONCE, _seal(office).encrypt(value.encode()).decode(), ONCE_SECONDS)


def shown_once(request: Request, office: Office) -> str | None:
    """What is to be shown now; the page that shows it also says `forget_once`."""
    try:
        return _seal(office).decrypt(read(request, ONCE), ttl=ONCE_SECONDS).decode()
    except (InvalidToken, ValueError):
        return None


def forget_once(request: Request, answer: Response) -> None:
    keep(request, answer, ONCE, "", 0)


def read(request: Request, name: str) -> str:
    return request.cookies.get(_name(request, name), "")


def is_loopback(request: Request) -> bool:
    """On the own machine there is no https; anywhere else a cookie needs it."""
    return request.url.hostname in LOOPBACK


def keep(request: Request, answer: Response, name: str, value: str, seconds: int) -> None:
    answer.set_cookie(
        _name(request, name),
        value,
        max_age=seconds,
        path="/",
        httponly=True,
        samesite="lax",
        secure=not is_loopback(request),
    )


def _name(request: Request, name: str) -> str:
    return name if is_loopback(request) else f"__Host-{name}"


def _seal(office: Office) -> Fernet:
    return seal_of(office.key, ONCE)

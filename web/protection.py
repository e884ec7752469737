"""What goes around every answer? Strict headers, no acts from other sites, no endless bodies, no bare failures."""

import logging
import uuid
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dondoc.settings import TRIAL_ZALO
from web.log import SECRET, masked

CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
)
#: What other programs tell us, by a signature instead of a page of ours.
SIGNED: Final = "/hooks/"
#: Whom other programs speak to: no page of ours either; mail programs post here by one click.
OTHERS: Final = (SIGNED, "/not-me/", f"{TRIAL_ZALO}/")
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
ELSEWHERE: Final = "elsewhere"  #: the act was pressed on a page of another site
MAX_FILE: Final = 20 * 1024 * 1024
MAX_FILES: Final = 50 * 1024 * 1024  #: all files of one report together
STATIC: Final = "/static/"  #: files that come with the program, and say nothing about anybody
#: A request: its files, and room for the fields around them.
MAX_BODY: Final = MAX_FILES + 1024 * 1024
#: So much of a body that is too large is read and thrown away, since browsers show no answer before they have sent all.
MAX_DRAINED: Final = 4 * MAX_BODY

Refuse = Callable[[Request, int, str], Response]
logger = logging.getLogger("dondoc.web")


class Protection:
    """ASGI middleware. `refuse(request, status, detail)` makes the page of a refusal."""

    def __init__(self, app: ASGIApp, refuse: Refuse) -> None:
        self.app, self.refuse = app, refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def guarded(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                _add_headers(scope, message)
            await send(message)

        try:
            answer = await self._refusal(scope, receive)
            await (answer or self.app)(scope, receive, guarded)
        except Exception:
            number = uuid.uuid4().hex[:8]
            logger.exception("failure %s at %s %s", number, scope["method"], masked(scope["path"]))
            if started:
                raise
            await self.refuse(Request(scope), 500, number)(scope, receive, guarded)

    async def _refusal(self, scope: Scope, receive: Receive) -> Response | None:
        headers = Headers(scope=scope)
        if scope["method"] in SAFE:
            return None
        if not scope["path"].startswith(OTHERS) and not is_same_site(headers, scope["path"]):
            return self.refuse(Request(scope), 403, ELSEWHERE)
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length) > MAX_BODY:
            await _drain(receive)
            return self.refuse(Request(scope), 413, "")
        return None


def is_same_site(headers: Headers, path: str) -> bool:
    """Does this request come from one of our own pages (or from no page at all)?"""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = headers.get("origin", "")
    if origin == "null":
        # Browsers without Sec-Fetch-Site hide the origin under no-referrer, which the units' pages ask for. There the
        # secret address itself is the proof: another site cannot name it.
        return path.startswith(SECRET)
    return bool(origin) and urlsplit(origin).netloc == headers.get("host")


def _add_headers(scope: Scope, message: Message) -> None:
    headers = MutableHeaders(scope=message)
    headers.setdefault("Content-Security-Policy", CSP)
    headers.setdefault("Cache-Control", _kept(scope, message))
    headers["X-Content-Type-Options"] = "nosniff"
    headers["X-Robots-Tag"] = "noindex, nofollow"
    headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"  # heard by browsers over https alone
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers["Referrer-Policy"] = "no-referrer" if scope["path"].startswith(SECRET) else "same-origin"


def _kept(scope: Scope, message: Message) -> str:
    """May the browser keep it? Only static files, and it asks each time whether they are still the same (ETag, 304).

    Their addresses stay through an update, so they must not be kept unasked. A refusal there is a page like any other.
    """
    return "no-cache" if scope["path"].startswith(STATIC) and message["status"] in {200, 206, 304} else "no-store"


async def _drain(receive: Callable[[], Awaitable[Message]]) -> None:
    seen, more = 0, True
    while more and seen < MAX_DRAINED:
        message = await receive()
        seen += len(message.get("body", b""))
        more = message["type"] == "http.request" and message.get("more_body", False)

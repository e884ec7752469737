"""How does Zalo answer? An ASGI application that does the same, as far as its behaviour is known.

One server stands for all four hosts: their paths do not meet.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field, replace
from email import message_from_bytes
from email.policy import HTTP
from typing import Any, Final
from urllib.parse import parse_qsl

from samples.fake_zalo import bots, hand, oauth, official, page, templates, uploads
from samples.fake_zalo.state import Fault, State

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
_EMPTY: Final = {"error": 404, "message": "You are accessing an empty or invalid API, please check again"}


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]
    query: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str] | None:
        """The fields; None when the body is no form."""
        if not self.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            return None
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    @property
    def file(self) -> tuple[str, bytes] | None:
        """Name and content of the part called `file`; None when there is none."""
        head = f"content-type: {self.headers.get('content-type', '')}\r\n\r\n".encode()
        for part in message_from_bytes(head + self.body, policy=HTTP).iter_parts():
            if part.get_param("name", header="content-disposition") == "file":
                content = part.get_payload(decode=True)
                return part.get_filename(""), content if isinstance(content, bytes) else b""
        return None

    @property
    def json(self) -> dict[str, Any] | None:
        """The object; None when the body is none."""
        try:
            found = json.loads(self.body)
        except ValueError:
            return None
        return found if isinstance(found, dict) else None


@dataclass(frozen=True)
class Answer:
    """JSON unless it is `bytes`; `None` is an empty body."""

    body: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


class FakeZalo:
    """`state` is what tests look into and turn about."""

    def __init__(self, state: State) -> None:
        self.state = state
        self._telling = set[asyncio.Task[None]]()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        request = await _read(scope, receive)
        route = bots.route_of(request.path)
        self.state.calls.append(route)
        fault = self.state.faults[route].pop(0) if self.state.faults[route] else None
        before = len(self.state.sent)
        answer = self._answer(request) if fault is None or fault.is_accepted else Answer(None)
        fresh = self.state.sent[before:]
        if fault is not None:
            if fault.then is not None:
                fault.then()
            await asyncio.sleep(fault.delay)
            if fault.drop:
                # No application may close a socket: an answer that breaks off makes its server do so.
                await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1")]})
                return
            answer = _faulty(fault, answer)
        by_hand = await hand.answer(self.state, request)
        await _write(Answer(*by_hand) if by_hand else answer, send)
        if fresh and self.state.listening() is not None:  # after the answer, as Zalo does
            telling = asyncio.create_task(hand.arrived(self.state, fresh))
            self._telling.add(telling)
            telling.add_done_callback(self._telling.discard)

    def _answer(self, request: Request) -> Answer:
        state = self.state
        for room in (page, oauth, official, uploads, templates, bots):
            found = room.answer(state, request)
            if found is not None:
                answer = Answer(*found) if isinstance(found, tuple) else Answer(found)
                return replace(answer, headers={**answer.headers, **official.limits(state, request)})
        return Answer(_EMPTY)


def _faulty(fault: Fault, right: Answer) -> Answer:
    if fault.html is not None:
        return Answer(fault.html.encode(), fault.status, {"content-type": "text/html"})
    is_right = fault.is_accepted and fault.body is None
    return right if is_right else Answer(fault.body, fault.status)


async def _read(scope: Scope, receive: Receive) -> Request:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    headers = {name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]}
    query = dict(parse_qsl(scope["query_string"].decode()))
    path = scope["path"].removeprefix(scope.get("root_path", ""))  # it may stand below a path of another application
    return Request(scope["method"], path, headers, query, body)


async def _write(answer: Answer, send: Send) -> None:
    headers = {"content-type": "application/json; charset=utf-8", **answer.headers}
    body = answer.body
    if body is None:
        body = b""
    elif not isinstance(body, bytes):
        body = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    headers["content-length"] = str(len(body))
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})


async def _live(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return

"""What may be attached to a message? Files and images that were sent up before; each is forgotten after seven days."""

import secrets
from typing import Any, Final, Literal

from samples.fake_zalo.official import app_of, error
from samples.fake_zalo.state import App, State, Upload

_MEGABYTE: Final = 1024 * 1024
#: By address: the kind, the endings of its names, the most bytes, and what Zalo calls it in its answer.
_KINDS: Final[dict[str, tuple[Literal["file", "image"], tuple[str, ...], int, str]]] = {
    "/v2.0/oa/upload/file": ("file", (".pdf", ".doc", ".docx", ".csv"), 5 * _MEGABYTE, "token"),
    "/v2.0/oa/upload/image": ("image", (".jpg", ".jpeg", ".png"), _MEGABYTE, "attachment_id"),
}


def answer(state: State, request: Any) -> Any:
    """None when the request is none of its own."""
    if request.method != "POST" or request.path not in _KINDS:
        return None
    app = app_of(state, request)
    if not isinstance(app, App):
        return app
    kind, endings, most, called = _KINDS[request.path]
    given = request.file
    if given is None or not given[0].lower().endswith(endings):
        return error(-201, "file is invalid")
    name, content = given
    if len(content) > most:
        return error(-210, "Parameter exceeds the limit")
    token = secrets.token_hex(20)
    state.uploads[token] = Upload(app.app_id, kind, name, state.clock())
    return {"data": {called: token}, "error": 0, "message": "Success"}

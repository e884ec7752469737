"""What does the host of the Official Accounts answer? Errors come with HTTP 200; success is `error` 0 alone."""

import json
import unicodedata
from typing import Any, Final

from samples.fake_zalo.state import WINDOW, App, State, stamp

MOST: Final = 2000  #: characters of a text
_GONE: Final = ("/v3.0/oa/message/transaction", "/v3.0/oa/message/promotion")
_GROUP: Final = "/v3.0/oa/group/message"
_POSTED: Final = ("/v3.0/oa/message/cs", "/v3.0/oa/message/template", "/v3.0/oa/quota/message", _GROUP, *_GONE)
_READ: Final = ("/v2.0/oa/getoa", "/v3.0/oa/user/detail")


def answer(state: State, request: Any) -> Any:
    """None when the request is none of its own."""
    if request.path not in {"POST": _POSTED, "GET": _READ}.get(request.method, ()):
        return None
    app = app_of(state, request)
    if not isinstance(app, App):
        return app
    if request.path in _GONE:
        return error(-233, "Message type is not supported")
    if request.path == "/v2.0/oa/getoa":
        data = {"oa_id": app.oa_id, "name": "OA", "is_verified": True}
        return {"data": data, "error": 0, "message": "Success"}
    if request.path == "/v3.0/oa/user/detail":
        try:
            asked = json.loads(request.query.get("data", ""))
        except ValueError:
            return error(-201, "data is invalid")
        return _detail(state, str(asked.get("user_id", "")))
    given = request.json
    if given is None:
        return error(-201, "Params is invalid")
    match request.path:
        case "/v3.0/oa/message/cs":
            return _consult(state, app, given)
        case "/v3.0/oa/message/template":
            return _template(state, given)
        case "/v3.0/oa/group/message":
            return _to_group(state, given)
        case _:
            return _quota(state, str(given.get("user_id", "")))


def app_of(state: State, request: Any, invalid: int = -216) -> App | dict[str, Any]:
    """Whose token it is, or the answer to a token that is none, or asks too often; a Bearer header is no token."""
    found = state.access.get(request.headers.get("access_token", ""))
    if found is None:
        return error(invalid, "Access token is invalid")
    if found.expires_at <= state.clock():
        if invalid == -216 and state.tells_expired:
            return error(-220, "Access token has expired")
        return error(invalid, "Access token is invalid")
    state.ask(found.app_id)
    if state.left_this_minute(found.app_id) < 0:
        return error(-32, "The app has reached its limit of requests")
    return state.apps[found.app_id]


def limits(state: State, request: Any) -> dict[str, str]:
    """The headers that say how often the app may still ask in this minute."""
    found = state.access.get(request.headers.get("access_token", ""))
    if found is None:
        return {}
    left = max(state.left_this_minute(found.app_id), 0)
    return {"x-ratelimit-limit": str(state.minute_limit), "x-ratelimit-remain": str(left)}


def error(code: int, message: str) -> dict[str, Any]:
    return {"error": code, "message": message}


def _consult(state: State, app: App, given: dict[str, Any]) -> dict[str, Any]:
    recipient, message = given.get("recipient"), given.get("message")
    said = _said(message) if isinstance(message, dict) else None
    if not isinstance(recipient, dict) or said is None:
        return error(-201, "Params is invalid")
    user_id, (text, uploaded) = str(recipient.get("user_id", "")), said
    user = state.users.get(user_id)
    if user is None:
        return error(-201, "user_id is invalid!")
    if user.is_blocked:
        return error(-244, "User has restricted this type of message from the OA")
    if not user.is_follower:
        return error(-213, "User has not followed the OA")
    if user.last_interaction is None:
        return error(-232, "User has not interacted with the OA")
    if state.clock() - user.last_interaction > WINDOW:
        return error(-230, "User has not interacted with the OA in the past 7 days")
    if len(text) > MOST:
        return error(-210, "Parameter exceeds the limit")
    if uploaded:
        upload = state.uploaded(app.app_id, uploaded)
        if upload is None:
            return error(-100, "The attachment does not exist or has expired")
        text = f"{text}\n[{upload.name}]".strip()
    return _accepted(state, user_id, text)


def _said(message: dict[str, Any]) -> tuple[str, str] | None:
    """The text and the token, or id, of what is attached; None when there is neither as it should be."""
    text, attached = message.get("text", ""), message.get("attachment")
    if not isinstance(text, str):
        return None
    if attached is None:
        return (text, "") if text else None
    match attached:
        case {"type": "file", "payload": {"token": str(token)}}:
            return text, token
        case {"type": "template", "payload": {"template_type": "media", "elements": [{"attachment_id": str(id_)}]}}:
            return text, id_
        case _:
            return None


def _to_group(state: State, given: dict[str, Any]) -> dict[str, Any]:
    """No window of seven days, and at any hour."""
    match given:
        case {"recipient": {"group_id": group_id}, "message": {"text": str(text)}} if text:
            if str(group_id) not in state.groups:
                return error(-201, "group_id is invalid!")
            return (
                _accepted(state, str(group_id), text)
                if len(text) <= MOST
                else error(-210, "Parameter exceeds the limit")
            )
        case _:
            return error(-201, "Params is invalid")


def _template(state: State, given: dict[str, Any]) -> dict[str, Any]:
    user_id, template_id = str(given.get("user_id", "")), str(given.get("template_id", ""))
    if user_id not in state.users:
        return error(-201, "user_id is invalid!")
    template, data = state.templates.get(template_id), given.get("template_data")
    if (
        template is None
        or template.status != "ENABLE"
        or not isinstance(data, dict)
        or set(template.params) - set(data)
    ):
        return error(-201, "template is invalid")
    if not template.by_uid:
        return error(-249, "The template is not sent by user id")
    return _accepted(state, user_id, json.dumps(data, ensure_ascii=False))


def _accepted(state: State, user_id: str, text: str) -> dict[str, Any]:
    message_id = state.accept("zalooa", user_id, unicodedata.normalize("NFC", text))
    return {"data": {"message_id": message_id, "user_id": user_id}, "error": 0, "message": "Success"}


def _detail(state: State, user_id: str) -> dict[str, Any]:
    user = state.users.get(user_id)
    if user is None:
        return error(-201, "user_id is invalid!")
    data = {"user_id": user_id, "display_name": user.name, "user_is_follower": user.is_follower}
    return {"data": data, "error": 0, "message": "Success"}


def _quota(state: State, user_id: str) -> dict[str, Any]:
    user = state.users.get(user_id)
    if user is None:
        return error(-201, "user_id is invalid!")
    last = stamp(user.last_interaction) if user.last_interaction else ""
    data = {"last_interaction": last, "cs_reply": {"remain": 8, "total": 8}}
    return {"data": data, "error": 0, "message": "Success"}

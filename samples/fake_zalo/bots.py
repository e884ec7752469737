"""What does the host of the bots answer? The token stands in the path, and every answer has `ok`."""

import re
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

from samples.fake_zalo.official import MOST
from samples.fake_zalo.state import Bot, State, stamp

_PATH: Final = re.compile(r"/bot(?P<token>[^/]+)/(?P<method>[A-Za-z]+)")
_NOT_FOUND: Final = ({"ok": False, "description": "Not Found", "error_code": 404}, 404)


def route_of(path: str) -> str:
    """The path without the token."""
    return _PATH.sub(r"/bot/\g<method>", path)


def answer(state: State, request: Any) -> Any:
    """None when the request is none of its own."""
    found = _PATH.fullmatch(request.path)
    if found is None:
        return None
    bot = state.bots.get(found["token"])
    if bot is None:
        return {"ok": False, "description": "Unauthorized", "error_code": 401}, 401
    given = {**request.query, **(request.json or request.form or {})}
    match found["method"]:
        case "getMe":
            name = {"id": bot.token.partition(":")[0], "account_name": "bot.fake"}
            return _ok({**name, "account_type": "BASIC", "can_join_groups": False})
        case "sendMessage":
            return _send(state, bot, given)
        case "sendPhoto":
            return _send_photo(state, bot, given)
        case "sendChatAction":
            return {"ok": True}
        case "getUpdates":
            return _updates(bot)
        case "setWebhook":
            return _set_webhook(state, bot, given)
        case "deleteWebhook":
            bot.webhook = bot.secret = ""
            return _ok({"url": "", "updated_at": int(stamp(state.clock()))})
        case "getWebhookInfo":
            return _ok({"url": bot.webhook, "updated_at": int(stamp(state.clock()))}) if bot.webhook else _NOT_FOUND
        case _:
            return _NOT_FOUND


def _send(state: State, bot: Bot, given: dict[str, Any]) -> Any:
    text = given.get("text")
    if not isinstance(text, str) or not 1 <= len(text) <= MOST:
        return _bad("Bad request: The text must be between 1 and 2000 characters")
    return _accept(state, bot, str(given.get("chat_id", "")), text)


def _send_photo(state: State, bot: Bot, given: dict[str, Any]) -> Any:
    photo, caption = str(given.get("photo", "")), str(given.get("caption", ""))
    if not photo.startswith(("http://", "https://")) or len(caption) > MOST:
        return _bad("Bad request: photo or caption is invalid")
    return _accept(state, bot, str(given.get("chat_id", "")), f"{caption}\n[{photo}]".strip())


def _accept(state: State, bot: Bot, chat: str, text: str) -> Any:
    if not chat:
        return _bad("Bad request: The chat_id must not be empty")
    if chat not in bot.chats:
        return _bad("Bad request: chat not found")
    if bot.month_left <= 0:
        return {"ok": False, "description": "Too many requests", "error_code": 429}, 429
    bot.month_left -= 1
    message_id = state.accept("zalobot", chat, text)
    return _ok({"message_id": message_id, "date": int(stamp(state.clock()))})


def _updates(bot: Bot) -> Any:
    if bot.webhook:
        return _bad("Bad request: getUpdates is not allowed while a webhook is set")
    if not bot.updates:
        return {"ok": False, "description": "Request timeout", "error_code": 408}, 408
    return _ok(bot.updates.pop(0))


def _set_webhook(state: State, bot: Bot, given: dict[str, Any]) -> Any:
    url, secret = str(given.get("url", "")), str(given.get("secret_token", ""))
    if not _is_public(url) or not 8 <= len(secret) <= 256:
        return _bad("Bad request: url or secret_token is invalid")
    bot.webhook, bot.secret = url, secret
    return _ok({"url": url, "updated_at": int(stamp(state.clock()))})


def _is_public(url: str) -> bool:
    """Zalo posts to the open net by https alone."""
    parts = urlsplit(url)
    name = parts.hostname or ""
    try:
        is_reached = ip_address(name).is_global
    except ValueError:
        is_reached = "." in name and not name.endswith((".localhost", ".local"))
    return parts.scheme == "https" and is_reached


def _ok(result: dict[str, Any]) -> dict[str, Any]:
    return {"ok": True, "result": result}


def _bad(words: str) -> Any:
    # Live, such an answer came as HTTP 200 as well as 400.
    return {"ok": False, "description": words, "error_code": 400}, 200

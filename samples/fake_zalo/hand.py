"""What do people do in their Zalo, and how does the office hear of it? They write, see, follow; messages arrive."""

import asyncio
import secrets
from collections.abc import Sequence
from typing import Any, Final
from urllib.error import URLError
from urllib.request import Request, urlopen

from samples.fake_zalo import page
from samples.fake_zalo.events import follows, received, seen, signed, to_bot, wrote
from samples.fake_zalo.state import App, Sent, State, User

_BACK: Final = {"location": "./"}
#: How long the page waits for what the office answers, so that it stands there when the page comes back.
_TENTHS: Final = 15


async def answer(state: State, request: Any) -> Any:
    """None for every address but those of the page's own buttons."""
    if request.method != "POST":
        return None
    form = request.form or {}
    match request.path:
        case "/write":
            problem = await _write(state, form)
        case "/seen":
            problem = await _see(state, form.get("id", ""))
        case "/follow":
            problem = await _follow(state, form.get("who", ""))
        case _:
            return None
    return page.refused(state, problem) if problem else (None, 303, _BACK)


async def arrived(state: State, messages: Sequence[Sent]) -> None:
    """Tells the office that what its Official Account has sent is there. Whether it listens is its own affair."""
    for sent in messages:
        app = state.listening()
        if app is not None and sent.channel != "zalobot":
            await _tell_account(state, app, received(app, sent, state.clock()))


async def _write(state: State, form: dict[str, str]) -> str:
    """What is wrong; empty when the office heard it."""
    way, text = form.get("way", "zalobot"), form.get("text", "")
    who = form.get("who") or f"{way}-{secrets.token_hex(4)}"
    app, message_id = state.listening(), secrets.token_hex(10)
    before = len(state.sent)
    if way == "zalooa" and app is not None:
        user = state.users.setdefault(who, User(form.get("name", who)))
        user.last_interaction = state.clock()
        state.heard("zalooa", who, text)
        problem = await _tell_account(state, app, wrote(app, who, text, message_id))
    else:
        for bot in state.bots.values():
            bot.chats.setdefault(who, form.get("name", who))
        state.heard("zalobot", who, text)
        body = to_bot(who, text, message_id, state.clock())
        problem = await _post(state.hook, body, {"x-bot-api-secret-token": state.hook_secret})
    for _ in range(0 if problem else _TENTHS):
        if len(state.sent) > before + 1:
            break
        await asyncio.sleep(0.1)
    return problem


async def _see(state: State, message_id: str) -> str:
    app = state.listening()
    sent = next((each for each in state.sent if each.message_id == message_id), None)
    if app is None or sent is None:
        return "expected a message of an account that somebody listens for"
    state.seen.add(message_id)
    return await _tell_account(state, app, seen(app, sent))


async def _follow(state: State, who: str) -> str:
    """Begins to follow the account, or leaves it."""
    app, user = state.listening(), state.users.get(who)
    if app is None or user is None:
        return "expected a user of an account that somebody listens for"
    user.is_follower = not user.is_follower
    if user.is_follower:
        user.last_interaction = state.clock()
    return await _tell_account(state, app, follows(app, who, no_more=not user.is_follower))


async def _tell_account(state: State, app: App, event: dict[str, Any]) -> str:
    body, headers = signed(app, event, state.clock())
    return await _post(app.webhook, body, headers)


async def _post(url: str, body: bytes, headers: dict[str, str]) -> str:
    """In a thread: the office may be served by the very loop that asks."""

    def post() -> str:
        try:
            asked = Request(url, body, {"content-type": "application/json", **headers})  # noqa: S310  # our own address
            with urlopen(asked, timeout=5):  # noqa: S310
                return ""
        except (URLError, OSError, ValueError) as error:
            return f"{url}: {error}"

    return await asyncio.to_thread(post)

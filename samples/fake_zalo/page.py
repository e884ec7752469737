"""What did people get? All messages on one page, newest first."""

import secrets
from html import escape
from typing import Any, Final
from urllib.error import URLError
from urllib.request import Request, urlopen

from samples.fake_zalo.events import to_bot
from samples.fake_zalo.state import VIETNAM, Sent, State

_STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem;"
    "background:#eef2f7;color:#17202a}"
    "li{background:#fff;border-radius:12px;padding:.75rem 1rem;margin:0 0 1rem;list-style:none;"
    "white-space:pre-wrap;overflow-wrap:anywhere}"
    "ol{padding:0}b,small{display:block}small{color:#52606d}"
)

_HTML: Final = {"content-type": "text/html; charset=utf-8"}
_HEARD: Final = "Đã chuyển tới văn phòng."
_FORM: Final = (
    '<form method="post" action="/write"><p><label>Người <input name="chat" value="chat-1" required></label> '
    '<label>nhắn bot <input name="text" placeholder="LIENKET 1234 5678" required></label> '
    "<button>Gửi</button></p></form>"
)


def answer(state: State, request: Any) -> Any:
    """None for every address but the page itself."""
    if request.path == "/write" and request.method == "POST":
        form = request.form or {}
        said = _write(state, form.get("chat", ""), form.get("text", ""))
        return escape(said).encode(), 200 if said == _HEARD else 502, _HTML
    if request.path != "/":
        return None
    items = "".join(_item(each) for each in reversed(state.sent)) or "<li>Chưa có tin nào.</li>"
    shown = (
        f'<!doctype html><html lang="vi"><meta charset="utf-8"><title>Zalo giả</title><style>{_STYLE}</style>'
        f"<h1>Zalo giả</h1>{_FORM if state.hook else ''}"
        f"<p>{len(state.sent)} tin. Không tin nào ra ngoài máy này.</p><ol>{items}</ol></html>"
    )
    return shown.encode(), 200, _HTML


def _write(state: State, chat: str, text: str) -> str:
    """A person writes to the bot: the office hears of it as it would from Zalo."""
    body = to_bot(chat, text, secrets.token_hex(10), state.clock())
    headers = {"content-type": "application/json", "x-bot-api-secret-token": state.hook_secret}
    try:
        with urlopen(Request(state.hook, body, headers), timeout=5):  # noqa: S310  # an address from our own command line
            return _HEARD
    except (URLError, OSError, ValueError) as error:
        return f"{state.hook}: {error}"


def _item(sent: Sent) -> str:
    when = sent.at.astimezone(VIETNAM)
    return f"<li><b>{escape(sent.to)}</b><small>{sent.channel}, {when:%H:%M %d/%m/%Y}</small>{escape(sent.text)}</li>"

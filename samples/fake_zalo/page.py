"""What did people get? All messages on one page, newest first."""

from html import escape
from typing import Any, Final

from samples.fake_zalo.state import VIETNAM, Sent, State

_STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem;"
    "background:#eef2f7;color:#17202a}"
    "li{background:#fff;border-radius:12px;padding:.75rem 1rem;margin:0 0 1rem;list-style:none;"
    "white-space:pre-wrap;overflow-wrap:anywhere}"
    "ol{padding:0}b,small{display:block}small{color:#52606d}"
)


def answer(state: State, request: Any) -> Any:
    """None for every address but the page itself."""
    if request.path != "/":
        return None
    items = "".join(_item(each) for each in reversed(state.sent)) or "<li>Chưa có tin nào.</li>"
    shown = (
        f'<!doctype html><html lang="vi"><meta charset="utf-8"><title>Zalo giả</title><style>{_STYLE}</style>'
        f"<h1>Zalo giả</h1><p>{len(state.sent)} tin. Không tin nào ra ngoài máy này.</p><ol>{items}</ol></html>"
    )
    return shown.encode(), 200, {"content-type": "text/html; charset=utf-8"}


def _item(sent: Sent) -> str:
    when = sent.at.astimezone(VIETNAM)
    return f"<li><b>{escape(sent.to)}</b><small>{sent.channel}, {when:%H:%M %d/%m/%Y}</small>{escape(sent.text)}</li>"

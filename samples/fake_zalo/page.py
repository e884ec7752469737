"""What did people get, and what do they answer? Each chat on one page, the newest first, with a line to write back."""

import base64
import hashlib
import re
from collections import defaultdict
from html import escape
from typing import Any, Final

from samples.fake_zalo.state import VIETNAM, Sent, State

_STYLE: Final = (
    ":root{color-scheme:light dark}"
    "body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:0 auto;padding:1rem;background:#e3e8ef;"
    "color:#17202a}"
    "h1{font-size:1.25rem;margin:.5rem 0}h2{font-size:1rem;margin:0}p{margin:.25rem 0}a{color:#0b5394}"
    "section{margin:1rem 0;padding:.75rem 1rem;border-radius:12px;background:#f7f9fb}"
    "ol{padding:0;margin:.5rem 0;list-style:none}"
    "li{margin:.5rem 0;padding:.5rem .75rem;border-radius:12px;background:#fff;white-space:pre-wrap;"
    "overflow-wrap:anywhere}li.mine{margin-left:20%;background:#d5e7fb}"
    "small{display:block;color:#52606d}"
    "form{display:flex;flex-wrap:wrap;gap:.5rem;align-items:end}li form{display:inline}"
    "label{flex:1 1 12rem}input,select,button{font:inherit;min-height:2.75rem;padding:0 .75rem;"
    "border:1px solid #7b8794;border-radius:8px;background:#fff;color:inherit;box-sizing:border-box}"
    "input{width:100%}button{background:#0b5394;border-color:#0b5394;color:#fff}"
    "li button{min-height:1.75rem;padding:0 .5rem;background:none;color:#0b5394}"
    "@media(prefers-color-scheme:dark){body{background:#12171d;color:#e6eaef}section{background:#1b222b}"
    "li{background:#26303b}li.mine{background:#173a5e}a,li button{color:#8fc1f5}small{color:#9fb0c0}"
    "input,select{background:#12171d}}"
)
#: A page within an office's own address: what its frame would forbid is allowed here, and nothing else.
_HEADERS: Final = {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": "default-src 'none'; img-src data:; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'; "
    f"style-src 'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'",
}
_KIND: Final = {"zalobot": "Zalo Bot", "zalooa": "Zalo OA", "zalozns": "Tin mẫu (ZNS)"}
_LINK: Final = re.compile(r"https?://[^\s<>]+")
NEWEST: Final = 20  #: messages shown of each chat


def answer(state: State, request: Any) -> Any:
    """None for every address but the page itself; people's own doings are answered by hand.py."""
    return (shown(state).encode(), 200, _HEADERS) if request.path in ("", "/") else None


def shown(state: State, problem: str = "") -> str:
    chats: defaultdict[tuple[str, str], list[Sent]] = defaultdict(list)
    for each in state.sent:
        chats[each.channel, each.to].append(each)
    for chat in state.chats():
        chats.setdefault(chat, [])
    newest = sorted(chats, key=lambda chat: chats[chat][-1].at.isoformat() if chats[chat] else "", reverse=True)
    count = sum(not each.is_theirs for each in state.sent)
    return (
        '<!doctype html><html lang="vi"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        '<link rel="icon" href="data:,">'
        f"<title>Zalo giả</title><style>{_STYLE}</style><main><h1>Zalo giả</h1>"
        f"<p>{count} tin. Không tin nào ra ngoài máy này. <span lang=en>A stand-in for Zalo: nothing leaves this "
        f"machine.</span></p>{f'<p role=alert><b>{escape(problem)}</b></p>' if problem else ''}"
        f"{_newcomer(state)}{''.join(_chat(state, chat, chats[chat]) for chat in newest)}"
        f"{'' if newest else '<p>Chưa có tin nào.</p>'}</main></html>"
    )


def refused(state: State, problem: str) -> Any:
    return shown(state, problem).encode(), 502, _HEADERS


def _newcomer(state: State) -> str:
    """Somebody who has not written before: this is how a contact links, with the code of the unit's page."""
    ways = [way for way in ("zalobot", "zalooa") if state.hears(way)]
    if not ways:
        return ""
    options = "".join(f'<option value="{way}">{_KIND[way]}</option>' for way in ways)
    return (
        "<section><h2>Người mới nhắn tới</h2><p>Mở trang của đơn vị, bấm “Nhận tin qua Zalo”, rồi gửi dòng có mã ở đây."
        '</p><form method="post" action="write"><label>Tên <input name="name" value="Người mới" required></label>'
        '<label>Nhắn <input name="text" placeholder="LIENKET 1234 5678" required autocomplete="off"></label>'
        f'<select name="way" aria-label="Tới">{options}</select><button>Gửi</button></form></section>'
    )


def _chat(state: State, chat: tuple[str, str], messages: list[Sent]) -> str:
    way, who = chat
    name = state.name_of(way, who)
    items = "".join(_item(state, each) for each in reversed(messages[-NEWEST:]))
    reply = (
        f'<form method="post" action="write"><input type="hidden" name="way" value="{way}">'
        f'<input type="hidden" name="who" value="{escape(who)}"><label>Trả lời <input name="text" required '
        'placeholder="HUY" autocomplete="off"></label><button>Gửi</button></form>'
        if state.hears(way)
        else ""
    )
    user = state.users.get(who) if way == "zalooa" and state.hears(way) else None
    if user is not None:
        reply += (
            f'<form method="post" action="follow"><input type="hidden" name="who" value="{escape(who)}">'
            f"<button>{'Bỏ quan tâm OA' if user.is_follower else 'Quan tâm OA'}</button></form>"
        )
    more = f"<p><small>Còn {len(messages) - NEWEST} tin cũ hơn.</small></p>" if len(messages) > NEWEST else ""
    return (
        f"<section><h2>{escape(name or who)}</h2><small>{_KIND[way]}, {escape(who)}</small>{reply}"
        f"<ol>{items}</ol>{more}</section>"
    )


def _item(state: State, sent: Sent) -> str:
    when = sent.at.astimezone(VIETNAM)
    text = _LINK.sub(lambda found: f'<a href="{found[0]}">{found[0]}</a>', escape(sent.text))
    if sent.is_theirs:
        return f'<li class="mine">{text}<small>{when:%H:%M %d/%m/%Y}</small></li>'
    told = f"<small>{when:%H:%M %d/%m/%Y}{', đã xem' if sent.message_id in state.seen else ''}</small>"
    if sent.channel == "zalobot" or sent.message_id in state.seen or not state.hears("zalooa"):
        return f"<li>{text}{told}</li>"
    return (
        f'<li>{text}{told}<form method="post" action="seen"><input type="hidden" name="id" value="{sent.message_id}">'
        "<button>Xem</button></form></li>"
    )

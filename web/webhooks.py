"""What does Zalo tell us? Arrived, seen, followed, left, written: taken in once, believed only when signed."""

import hashlib
import hmac
import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import product
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import Response
from starlette.background import BackgroundTask

from dondoc.i18n import translate as _
from dondoc.keys import Secrets
from engine import link_contact
from engine.link_contact import Answer, Chat
from models.arrival import Arrival, Fate, note, settle
from models.zalo import ZaloAccount
from notifications.channels import carriers_for
from notifications.reply import reply
from web.office import InOffice, Office

MAX_EVENT: Final = 64 * 1024
OA_CHANNELS: Final = ("zalooa", "zalozns")
router = APIRouter()
logger = logging.getLogger("dondoc.web")


async def _raw(request: Request) -> bytes:
    """The body, letter for letter: it is what was signed."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_EVENT:
            raise HTTPException(413)
    return body


Raw = Annotated[bytes, Depends(_raw)]


@router.post("/hooks/zalobot")
def hear_bot(request: Request, office: InOffice, body: Raw) -> Response:
    secret = Secrets(office.settings.secrets_folder).read("zalobot-webhook")
    given = request.headers.get("x-bot-api-secret-token", "")
    if secret is None or not hmac.compare_digest(given.encode(), secret.encode()):
        raise HTTPException(403)
    said = _object(body)
    event = said.get("result") if isinstance(said.get("result"), dict) else said
    assert isinstance(event, dict)
    message = _part(event, "message")
    chat = Chat("zalobot", "", _text(_part(message, "chat"), "id"))
    text = _text(message, "text")
    if not text or not chat.address:  # a picture, a sticker, a voice
        return Response()
    return _heard(office, chat, text, _text(message, "message_id"))


@router.post("/hooks/zalo/{alias}")
def hear_account(request: Request, alias: str, office: InOffice, body: Raw) -> Response:
    """An empty object is how Zalo's console asks whether anybody is here."""
    with office.database.reading() as session:
        account = session.get(ZaloAccount, alias)
    if account is None:
        raise HTTPException(404)
    if body.strip() == b"{}":
        return Response()
    event = _object(body)
    if not _is_signed(Secrets(office.settings.secrets_folder), account, event, body, request.headers):
        raise HTTPException(403)
    return _take(office, account, event)


def _take(office: Office, account: ZaloAccount, event: Mapping[str, Any]) -> Response:
    name, message, at = event.get("event_name"), _part(event, "message"), _moment(event)
    match name:
        case "user_received_message" | "user_seen_message":
            ids = [str(each) for each in message.get("msg_ids") or [message.get("msg_id") or event.get("msg_id") or ""]]
            ours = _text(message, "tracking_id") or _text(event, "tracking_id")
            with office.database.writing() as session:
                for theirs in ids:
                    fate: Fate = "seen" if name == "user_seen_message" else "arrived"
                    note(session, Arrival(fate, OA_CHANNELS, theirs, ours), at)
                settle(session, office.now())
        case "follow" | "unfollow":
            chat = Chat("zalooa", account.alias, _text(_part(event, "follower"), "id"))
            with office.database.writing() as session:
                link_contact.follow(session, chat, is_end=name == "unfollow", at=at, now=office.now())
        case "user_send_text":
            chat = Chat("zalooa", account.alias, _text(_part(event, "sender"), "id"))
            return _heard(office, chat, _text(message, "text"), _text(message, "msg_id"))
        case _:
            pass
    return Response()


def _heard(office: Office, chat: Chat, text: str, once: str) -> Response:
    """Zalo waits two seconds for our answer: what the person is told goes out after it."""
    with office.database.writing() as session:
        answer = link_contact.hear(session, chat, text[:200], once=once, key=office.key, now=office.now())
    if answer is None or answer.heard in ("unknown", "too_many"):
        return Response()
    return Response(background=BackgroundTask(_tell, office, chat, answer))


def _tell(office: Office, chat: Chat, answer: Answer) -> None:
    words = _(f"zalo.{answer.heard}", answer.lang, contact=answer.contact, unit=answer.unit)
    carriers = carriers_for(office.settings, office.database, office.key)
    result = reply(carriers, chat.channel, chat.account, chat.address, words, office.now())
    logger.info("answered a chat of %s: %s %s", chat.channel, result.outcome, result.code)


def _is_signed(
    secrets: Secrets, account: ZaloAccount, event: Mapping[str, Any], body: bytes, headers: Mapping[str, str]
) -> bool:
    """SHA-256 over id, body, time and key. On which of each the sources do not agree; a key is always in it."""
    given = headers.get("x-zevent-signature", "").removeprefix("mac=").encode()
    if str(event.get("app_id", account.app_id)) != account.app_id:
        return False
    keys = [
        ("webhook", secrets.read(f"zalo-{account.alias}-webhook")),
        ("app", secrets.read(f"zalo-{account.alias}-app")),
    ]
    times = [("body", _text(event, "timestamp")), ("header", headers.get("x-zevent-timestamp", ""))]
    for (key_name, key), (time_name, time), id_ in product(keys, times, (account.app_id, account.oa_id)):
        if not key or not time:
            continue
        mac = hashlib.sha256(b"".join([id_.encode(), body, time.encode(), key.encode()])).hexdigest()
        if hmac.compare_digest(given, mac.encode()):
            logger.debug("signed with the %s key and the time of the %s", key_name, time_name)
            return True
    return False


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise HTTPException(400)
    return found


def _part(event: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = event.get(name)
    return found if isinstance(found, dict) else {}


def _text(event: Mapping[str, Any], name: str) -> str:
    found = event.get(name)
    return str(found)[:200] if isinstance(found, str | int) else ""


def _moment(event: Mapping[str, Any]) -> datetime:
    """When it happened: milliseconds, mostly as a string."""
    try:
        return datetime.fromtimestamp(int(_text(event, "timestamp")) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        raise HTTPException(400) from None

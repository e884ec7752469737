"""What does Zalo tell us? Signed events, as raw bytes with the headers that go with them."""

import hashlib
import json
from datetime import datetime
from typing import Any

from samples.fake_zalo.state import App, Sent, stamp


def signed(
    app: App, event: dict[str, Any], at: datetime, *, header_at: datetime | None = None, retry: int = 0
) -> tuple[bytes, dict[str, str]]:
    """Body and headers of an event. `header_at`: a header whose time differs, and by which it is then signed."""
    body = compact({"app_id": app.app_id, **event, "timestamp": stamp(at)})
    moment = stamp(header_at or at)
    mac = hashlib.sha256(f"{app.app_id}{body.decode()}{moment}{app.webhook_key}".encode()).hexdigest()
    headers = {"x-zevent-signature": f"mac={mac}", "x-zevent-timestamp": moment, "content-type": "application/json"}
    of_templates = {"x-zevent-server": "ZNS"} if "tracking_id" in event.get("message", {}) else {}
    return body, headers | of_templates | ({"num_retry": str(retry)} if retry else {})


def wrote(app: App, user_id: str, text: str, message_id: str) -> dict[str, Any]:
    """A person writes to the OA."""
    return {
        "sender": {"id": user_id},
        "recipient": {"id": app.oa_id},
        "event_name": "user_send_text",
        "message": {"text": text, "msg_id": message_id},
    }


def follows(app: App, user_id: str, *, no_more: bool = False) -> dict[str, Any]:
    return {
        "oa_id": app.oa_id,
        "follower": {"id": user_id},
        "event_name": "unfollow" if no_more else "follow",
        "source": "oa_profile",
    }


def received(app: App, sent: Sent, at: datetime) -> dict[str, Any]:
    """A message arrived; of a template message with the id that its sender gave it, or none."""
    message = {"msg_id": sent.message_id, "delivery_time": stamp(at)}
    tracking = {"tracking_id": sent.tracking_id} if sent.channel == "zalozns" else {}
    return {
        "sender": {"id": app.oa_id},
        "recipient": {"id": sent.to},
        "event_name": "user_received_message",
        "message": message | tracking,
    }


def seen(app: App, sent: Sent) -> dict[str, Any]:
    return {
        "sender": {"id": sent.to},
        "recipient": {"id": app.oa_id},
        "event_name": "user_seen_message",
        "message": {"msg_ids": [sent.message_id]},
    }


def to_bot(
    chat_id: str, text: str, message_id: str, at: datetime, *, kind: str = "text", is_bare: bool = False
) -> bytes:
    """A person writes to the bot. `is_bare`: without the envelope, as some senders do."""
    message = {
        "from": {"id": chat_id, "display_name": "Người dùng", "is_bot": False},
        "chat": {"id": chat_id, "chat_type": "PRIVATE"},
        "text": text,
        "message_id": message_id,
        "date": int(stamp(at)),
    }
    event = {"event_name": f"message.{kind}.received", "message": message}
    return compact(event if is_bare else {"ok": True, "result": event})


def compact(value: dict[str, Any]) -> bytes:
    """Literal UTF-8 without spaces: whoever writes it anew gets other bytes and another signature."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()

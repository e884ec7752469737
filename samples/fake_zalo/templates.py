"""What does the host of the template messages answer? By telephone number, with a quota a day and a closed night."""

import hashlib
import json
import re
import unicodedata
from typing import Any, Final

from samples.fake_zalo.official import app_of, error
from samples.fake_zalo.state import App, State, stamp

_PHONE: Final = re.compile(r"(?:\+?84|0)([0-9]{9})")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_POSTED: Final = ("/message/template", "/message/template/hashphone")
_READ: Final = ("/message/status", "/message/quota", "/template/info/v2", "/template/all")
_NUMBERS: Final = {"1": "ENABLE", "2": "PENDING_REVIEW", "3": "REJECT", "4": "DISABLE"}
_CONDITION: Final = {
    "no_account": (-118, "Zalo account not existed"),
    "inactive": (-114, "Zalo account is inactive or has opted out"),
    "refused": (-141, "User has refused to receive messages from the OA"),
}
_STATUS: Final = {"PENDING_REVIEW": -131, "REJECT": -131, "DISABLE": -146}


def answer(state: State, request: Any) -> Any:
    """None when the request is none of its own."""
    if request.path not in {"POST": _POSTED, "GET": _READ}.get(request.method, ()):
        return None
    app = app_of(state, request, invalid=-124)
    if not isinstance(app, App):
        return app
    match request.path:
        case "/message/status":
            known = any(each.message_id == request.query.get("message_id") for each in state.sent)
            return _success({"delivery_time": stamp(state.clock()), "status": 1 if known else -1, "message": ""})
        case "/message/quota":
            return _success({"dailyQuota": str(state.day_quota), "remainingQuota": str(_left(state))})
        case "/template/info/v2":
            return _info(state, request.query.get("template_id", ""))
        case "/template/all":
            return _all(state, request.query)
        case _:
            return _send(state, request.json or {}, is_hashed=request.path == "/message/template/hashphone")


def _send(state: State, given: dict[str, Any], *, is_hashed: bool) -> dict[str, Any]:
    phone = _of_hash(state, str(given.get("hash_phone", ""))) if is_hashed else _number(str(given.get("phone", "")))
    if phone is None:
        return error(-108, "Phone number is invalid")
    template_id, data = str(given.get("template_id", "")), given.get("template_data")
    template = state.templates.get(template_id)
    if template is None:
        return error(-109, "Template is invalid")
    if template.status != "ENABLE":
        return error(_STATUS[template.status], f"Template is {template.status}")
    if not isinstance(data, dict) or set(template.params) - set(data):
        return error(-1122, "Template data is missing a parameter")
    for name, most in template.params.items():
        if len(unicodedata.normalize("NFC", str(data[name]))) > most:
            return error(-1121, f"Parameter {name} is too long")
    if given.get("mode") == "development" and phone not in state.admins:
        return error(-127, "Template test can only be sent to admin")
    condition = state.phones.get(phone, state.other_phones)
    if condition != "ok":
        return error(*_CONDITION[condition])
    if state.refuses_at_night and state.is_night():
        return error(-133, "Template message is not allowed to be sent at night (22h-6h)")
    if _left(state) <= 0:
        return error(-144, "OA has exceeded its daily quota")
    if template.day_quota <= state.used_today(template_id):
        return error(-147, "The template has exceeded its daily quota")
    if len(str(given.get("tracking_id", ""))) > 48:
        return error(-116, "tracking_id is invalid")
    text = json.dumps(data, ensure_ascii=False)
    message_id = state.accept("zalozns", phone, text, str(given.get("tracking_id", "")), template_id)
    quota = {"dailyQuota": str(state.day_quota), "remainingQuota": str(_left(state))}
    return _success({"msg_id": message_id, "sent_time": stamp(state.clock()), "sending_mode": "1", "quota": quota})


def _info(state: State, template_id: str) -> dict[str, Any]:
    template = state.templates.get(template_id)
    if template is None:
        return error(-109, "Template is invalid")
    params = [
        {"name": name, "require": True, "type": "STRING", "maxLength": most, "minLength": 1, "acceptNull": False}
        for name, most in template.params.items()
    ]
    price = {"price_sdt": "200", "price_uid": "55", "timeout": 7200000}
    return _success({"templateId": template_id, "status": template.status, "listParams": params, **price})


def _all(state: State, query: dict[str, str]) -> dict[str, Any]:
    """A page of the templates; `status` is a number."""
    wanted, most, offset = query.get("status"), query.get("limit", ""), query.get("offset", "")
    if not (most.isdecimal() and offset.isdecimal() and 0 < int(most) <= 100 and wanted in (None, *_NUMBERS)):
        return error(-132, "A parameter is invalid")
    found = [
        {"templateId": template_id, "templateName": template_id, "status": template.status}
        for template_id, template in state.templates.items()
        if wanted is None or template.status == _NUMBERS[wanted]
    ]
    page = found[int(offset) : int(offset) + int(most)]
    return {"error": 0, "message": "Success", "data": page, "metadata": {"total": len(found)}}


def _number(given: str) -> str | None:
    """As Zalo writes it; None when it is no number."""
    found = _PHONE.fullmatch(given)
    return f"84{found[1]}" if found is not None else None


def _of_hash(state: State, given: str) -> str | None:
    """The number that this is the SHA-256 of, as far as one is known; None when it is none at all."""
    known = {hashlib.sha256(phone.encode()).hexdigest(): phone for phone in state.phones}
    return known.get(given, given) if _SHA256.fullmatch(given) else None


def _left(state: State) -> int:
    return state.day_quota - state.used_today()


def _success(data: dict[str, Any]) -> dict[str, Any]:
    return {"error": 0, "message": "Success", "data": data}

"""What does the host of the template messages answer? By telephone number, with a quota a day and a closed night."""

import json
import re
import unicodedata
from typing import Any, Final

from samples.fake_zalo.official import app_of, error
from samples.fake_zalo.state import App, State, stamp

_PHONE: Final = re.compile(r"(?:\+?84|0)([0-9]{9})")
_CONDITION: Final = {
    "no_account": (-118, "Zalo account not existed"),
    "inactive": (-114, "Zalo account is inactive or has opted out"),
    "refused": (-141, "User has refused to receive messages from the OA"),
}
_STATUS: Final = {"PENDING_REVIEW": -131, "REJECT": -131, "DISABLE": -146}


def answer(state: State, request: Any) -> Any:
    """None when the request is none of its own."""
    if request.path not in ("/message/template", "/message/status", "/message/quota", "/template/info/v2"):
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
        case _:
            return _send(state, request.json)


def _send(state: State, given: dict[str, Any] | None) -> dict[str, Any]:
    found = _PHONE.fullmatch(str((given or {}).get("phone", "")))
    if given is None or found is None:
        return error(-108, "Phone number is invalid")
    phone, template_id, data = f"84{found[1]}", str(given.get("template_id", "")), given.get("template_data")
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
    condition = state.phones.get(phone, state.other_phones)
    if condition != "ok":
        return error(*_CONDITION[condition])
    if state.refuses_at_night and state.is_night():
        return error(-133, "Template message is not allowed to be sent at night (22h-6h)")
    if _left(state) <= 0:
        return error(-144, "OA has exceeded its daily quota")
    if len(str(given.get("tracking_id", ""))) > 48:
        return error(-116, "tracking_id is invalid")
    text = json.dumps(data, ensure_ascii=False)
    message_id = state.accept("zalozns", phone, text, str(given.get("tracking_id", "")))
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
    return _success({"templateId": template_id, "status": template.status, "listParams": params})


def _left(state: State) -> int:
    return state.day_quota - state.used_today()


def _success(data: dict[str, Any]) -> dict[str, Any]:
    return {"error": 0, "message": "Success", "data": data}

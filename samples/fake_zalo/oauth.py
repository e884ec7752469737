"""Who may speak for an OA? Codes and refresh tokens against pairs of tokens; each refresh token works once."""

import base64
import hashlib
from typing import Any

from samples.fake_zalo.state import CODE_LIFE, State


def answer(state: State, request: Any) -> Any:
    """None when the request is none of its own; an empty answer is `(None, 200)`."""
    if request.path == "/v4/oa/refresh_token":
        return {"error": "404", "message": "You currently access to an empty api. Please check your request again."}
    if request.path != "/v4/oa/access_token":
        return None
    form, secret = request.form, request.headers.get("secret_key")
    if form is None or secret is None:
        return _refusal(-14004, "Invalid secret key")
    app = state.apps.get(form.get("app_id", ""))
    if app is None:
        return _refusal(-14002, "Invalid appId")
    if app.secret != secret:
        return _refusal(-14004, "Invalid secret key")
    match form.get("grant_type"):
        case "authorization_code":
            return _by_code(state, app.app_id, form)
        case "refresh_token":
            return _by_refresh(state, app.app_id, form.get("refresh_token", ""))
        case _:
            return _refusal(-14018, "Invalid grant type")


def _by_code(state: State, app_id: str, form: dict[str, str]) -> Any:
    code = state.codes.pop(form.get("code", ""), None)
    if code is None or code.app_id != app_id or state.clock() - code.at > CODE_LIFE:
        return _refusal(-14005, "Invalid code")
    digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
    if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != code.challenge:
        return _refusal(-14005, "Invalid code verifier")
    return _pair(state, app_id)


def _by_refresh(state: State, app_id: str, token: str) -> Any:
    owner, condition = state.grants.get(token, ("", ""))
    if (owner == app_id and condition == "live") or (not owner and state.trusts_grants):
        state.grants[token] = (app_id, "consumed")
        return _pair(state, app_id)
    if condition == "consumed" and state.consumed_answer == "empty":
        return None, 200
    code = state.consumed_answer if condition == "consumed" else "-14014"
    words = {"error": int(code), "error_name": "Invalid refresh token.", "message": ""}
    return {**words, "access_token": "", "refresh_token": ""}


def _pair(state: State, app_id: str) -> dict[str, str]:
    access, refresh = state.issue(app_id)
    return {"access_token": access, "refresh_token": refresh, "expires_in": "90000"}


def _refusal(code: int, name: str) -> dict[str, Any]:
    return {"error": code, "error_name": name, "error_description": name, "error_reason": "", "ref_doc": ""}

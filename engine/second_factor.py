"""Is the phone at hand? Codes of an authenticator app (RFC 6238), and recovery codes for when it is lost."""

import base64
import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from typing import Final

import pyotp
from cryptography.fernet import InvalidToken
from sqlalchemy import delete, update
from sqlmodel import Session, col, func, select

from dondoc.keys import seal_of
from engine.errors import RefusedError
from models.entry import append
from models.user import RecoveryCode, User

STEP: Final = 30  #: seconds that a code of the app is shown
DRIFT: Final = 1  #: steps that the phone's clock may be ahead or behind
CODES: Final = 10
CODE_BYTES: Final = 10
SET_UP_WITHIN: Final = timedelta(minutes=30)


def proposed(key: bytes, user_id: int, now: datetime) -> tuple[str, str]:
    """A new secret for the app, and the same sealed: it waits in the form until the first code proves it."""
    secret = pyotp.random_base32()
    return secret, seal_of(key, f"proposed:{user_id}").encrypt_at_time(secret.encode(), _seconds(now)).decode()


def opened(key: bytes, user_id: int, sealed: str, now: datetime) -> str | None:
    """The secret of a sealed proposal to this user; None when it is not ours or too old."""
    try:
        box = seal_of(key, f"proposed:{user_id}")
        return box.decrypt_at_time(sealed, int(SET_UP_WITHIN.total_seconds()), _seconds(now)).decode()
    except (InvalidToken, ValueError):
        return None


def address(secret: str, login: str) -> str:
    """What the app reads from the picture."""
    return pyotp.TOTP(secret, interval=STEP).provisioning_uri(name=login, issuer_name="dondoc")


def set_up(session: Session, user_id: int, sealed: str, code: str, *, key: bytes, now: datetime) -> list[str]:
    """Takes the proposed secret once a code of it is right; gives the recovery codes, which are never shown again."""
    secret = opened(key, user_id, sealed, now)
    if secret is None:
        raise RefusedError("second_factor.stale")
    step = _step_of(secret, code, now)
    if step is None:
        raise RefusedError("sign_in.wrong_code")
    user = session.get_one(User, user_id)
    user.totp, user.totp_used = seal_of(key, "totp").encrypt(secret.encode()).decode(), step
    append(session, "second_factor_set", by=f"user:{user_id}", at=now, user=user_id)
    return new_codes(session, user_id, key=key)


def new_codes(session: Session, user_id: int, *, key: bytes) -> list[str]:
    """Fresh recovery codes in place of the older ones."""
    session.execute(delete(RecoveryCode).where(col(RecoveryCode.user_id) == user_id))
    codes = [base64.b32encode(secrets.token_bytes(CODE_BYTES)).decode().lower() for _ in range(CODES)]
    session.add_all(RecoveryCode(user_id=user_id, hash=_hash(key, user_id, code)) for code in codes)
    session.flush()
    return ["-".join(code[place : place + 4] for place in range(0, len(code), 4)) for code in codes]


def codes_left(session: Session, user_id: int) -> int:
    query = select(func.count()).where(col(RecoveryCode.user_id) == user_id, col(RecoveryCode.used_at).is_(None))
    return session.exec(query).one()


def remove(session: Session, user_id: int, *, by: str, now: datetime) -> None:
    """Without it from now on: somebody who no longer wants it, or has lost it."""
    user = session.get_one(User, user_id)
    user.totp, user.totp_used = None, 0
    session.execute(delete(RecoveryCode).where(col(RecoveryCode.user_id) == user_id))
    append(session, "second_factor_removed", by=by, at=now, user=user_id)


def accept(session: Session, user_id: int, code: str, *, key: bytes, now: datetime) -> str | None:
    """Takes a code, once: `app` or `recovery` says which it was; None when it is neither."""
    user = session.get_one(User, user_id)
    if user.totp is None:
        return None
    typed = "".join(code.split())
    if typed.isdecimal():
        step = _step_of(seal_of(key, "totp").decrypt(user.totp).decode(), typed, now)
        newer = update(User).where(col(User.id) == user_id, col(User.totp_used) < (step or 0)).values(totp_used=step)
        return "app" if step and session.connection().execute(newer).rowcount else None
    recovery = update(RecoveryCode).where(
        col(RecoveryCode.user_id) == user_id,
        col(RecoveryCode.used_at).is_(None),
        col(RecoveryCode.hash) == _hash(key, user_id, typed.replace("-", "").lower()),
    )
    return "recovery" if session.connection().execute(recovery.values(used_at=now)).rowcount else None


def _step_of(secret: str, code: str, now: datetime) -> int | None:
    """The time step whose code this is."""
    totp, here = pyotp.TOTP(secret, interval=STEP), _seconds(now) // STEP
    typed = "".join(code.split())
    steps = [step for step in range(here - DRIFT, here + DRIFT + 1) if _same(totp.generate_otp(step), typed)]
    return steps[-1] if steps else None


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def _seconds(now: datetime) -> int:
    return int(now.timestamp())


def _hash(key: bytes, user_id: int, code: str) -> str:
    return hmac.new(key, f"recovery:{user_id}:{code}".encode(), hashlib.sha256).hexdigest()

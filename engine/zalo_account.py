"""By which Official Account does the office write? Its tokens are brought by a person and turn over from then on."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Session, col, select

from dondoc.keys import seal_of
from engine.errors import RefusedError
from models.entry import append
from models.zalo import ZaloAccount

#: What Zalo's console hands out lives for 25 hours; how much of that is over, nobody says.
BROUGHT_LIFE: Final = timedelta(hours=6)
#: Longer than any refresh takes: one that has been running since before then broke off.
BROKEN_OFF: Final = timedelta(minutes=2)
_ALIAS: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


@dataclass(frozen=True, slots=True)
class Pair:
    access: str
    refresh: str


def add_account(
    session: Session, alias: str, app_id: str, oa_id: str, pair: Pair, *, key: bytes, by: str, now: datetime
) -> ZaloAccount:
    """An OA that the office may write by. Raises RefusedError for an alias that is taken or none."""
    if not _ALIAS.fullmatch(alias):
        raise RefusedError("refused.zalo_alias", got=alias[:40])
    if session.get(ZaloAccount, alias) is not None:
        raise RefusedError("refused.zalo_known", alias=alias)
    account = ZaloAccount(
        alias=alias, app_id=app_id, oa_id=oa_id, access_token="", refresh_token="", expires_at=now, refreshed_at=now
    )
    _keep(account, pair, key, now)
    session.add(account)
    session.flush()
    append(session, "zalo_added", by=by, at=now, alias=alias, oa=oa_id)
    return account


def bring_tokens(session: Session, alias: str, pair: Pair, *, key: bytes, by: str, now: datetime) -> ZaloAccount:
    """A new pair after a new consent; ends the alarm."""
    account = session.get(ZaloAccount, alias, with_for_update=True, populate_existing=True)
    if account is None:
        raise RefusedError("refused.zalo_unknown", alias=alias)
    _keep(account, pair, key, now)
    session.add(account)
    session.flush()
    append(session, "zalo_tokens", by=by, at=now, alias=alias)
    return account


def accounts(session: Session) -> list[ZaloAccount]:
    return list(session.exec(select(ZaloAccount).order_by(col(ZaloAccount.alias))))


def trouble(account: ZaloAccount, now: datetime) -> str | None:
    """The code of what a person should look at; None while all is well."""
    if account.alarm is not None:
        return f"zalo.alarm.{account.alarm}"
    if account.refreshing_at is not None and now - account.refreshing_at >= BROKEN_OFF:
        return "zalo.alarm.broken"
    return None


def _keep(account: ZaloAccount, pair: Pair, key: bytes, now: datetime) -> None:
    if not pair.access or not pair.refresh:
        raise RefusedError("refused.zalo_tokens")
    seal = seal_of(key, "zalo")
    account.access_token, account.refresh_token = (
        seal.encrypt(token.encode()).decode() for token in (pair.access, pair.refresh)
    )
    account.expires_at, account.refreshed_at = now + BROUGHT_LIFE, now
    account.refreshing_at = account.alarm = account.alarm_at = None

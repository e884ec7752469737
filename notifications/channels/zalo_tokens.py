"""Which token speaks for an OA now? The pair is turned over under a lock, and kept before it is used.

A refresh token works once and its successor comes with the answer: whoever refreshes twice at once, or forgets the
answer, locks the office out. So the intent is committed first, the new pair before its first use, and what a crash
left in between stays to be seen.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from cryptography.fernet import InvalidToken
from sqlmodel import col, update

from dondoc.database import Database
from dondoc.keys import Secrets, seal_of
from models.message import Outcome
from models.zalo import ZaloAccount
from notifications.channels.carrier import Result
from notifications.channels.zalo_wire import Answer, code_of, post, words

EARLY: Final = timedelta(hours=5)  #: a token lives 25 hours and is turned over after 20
LEASE: Final = timedelta(minutes=2)  #: after it, whoever began to refresh is taken for dead
#: The refresh token is dead or was used before: an administrator of the OA has to consent again.
_CONSENT: Final = frozenset({-14014, -14020})
_TOO_OFTEN: Final = -32


class Tokens:
    """`host` answers for the tokens of every OA.

    A letter knows when its wave began, which for each way is another moment: how late it is meanwhile tells `clock`.
    Without one time stands still; one that is behind the letter is not believed.
    """

    def __init__(
        self, database: Database, key: bytes, host: str, secrets: Secrets, clock: Callable[[], datetime] | None = None
    ) -> None:
        self._database, self._host, self._secrets, self._clock = database, host, secrets, clock
        self._seal = seal_of(key, "zalo")

    def access(self, alias: str, at: datetime) -> str | Result:
        """A token that is good for some hours; a Result when there is none to be had."""
        now = self._now(at)
        with self._database.reading() as session:
            account = session.get(ZaloAccount, alias)
            if account is None or account.alarm is not None:
                return _out_of_order(account)
            if account.expires_at - EARLY > now:
                return self._opened(account.access_token)
        return self._renew(alias, None, now)

    def renew(self, alias: str, refused: str, at: datetime) -> str | Result:
        """Another token than the one that Zalo has just refused; somebody else's when they were quicker."""
        return self._renew(alias, refused, self._now(at))

    def _now(self, at: datetime) -> datetime:
        return at if self._clock is None else max(at, self._clock())

    def _renew(self, alias: str, refused: str | None, now: datetime) -> str | Result:
        secret = self._secrets.read(f"zalo-{alias}-app")
        if secret is None:
            return Result(Outcome.CONFIG, "no_secret", f"zalo-{alias}-app")
        with self._database.writing() as session:
            account = session.get(ZaloAccount, alias, with_for_update=True, populate_existing=True)
            if account is None or account.alarm is not None:
                return _out_of_order(account)
            access = self._opened(account.access_token)
            if isinstance(access, Result):
                return access
            is_fresh = account.expires_at - EARLY > now if refused is None else access != refused
            if is_fresh:
                return access
            if account.refreshing_at is not None and now - account.refreshing_at < LEASE:
                return Result(Outcome.RETRY, "refreshing")
            refresh = self._opened(account.refresh_token)
            if isinstance(refresh, Result):
                return refresh
            app_id, account.refreshing_at = account.app_id, now
            session.add(account)
        form = {"refresh_token": refresh, "app_id": app_id, "grant_type": "refresh_token"}
        headers = {"content-type": "application/x-www-form-urlencoded", "secret_key": secret}
        answer = post(self._host, "/v4/oa/access_token", headers, urlencode(form).encode(), lambda: True)
        return self._kept(alias, answer, now)

    def _kept(self, alias: str, answer: Answer | Result | None, now: datetime) -> str | Result:
        """Commits the new pair and gives its access token, or what went wrong instead."""
        assert answer is not None  # nobody said no
        if isinstance(answer, Result):
            if answer.outcome is not Outcome.AMBIGUOUS:  # nothing went out: the old pair is whole
                self._write(alias, refreshing_at=None)
            return Result(Outcome.RETRY, "refresh", answer.answer)
        said = answer.said
        access, refresh = (str((said or {}).get(name) or "") for name in ("access_token", "refresh_token"))
        if access and refresh and said is not None:
            life = timedelta(seconds=code_of(said.get("expires_in")) or 90_000)
            self._write(
                alias,
                access_token=self._sealed(access),
                refresh_token=self._sealed(refresh),
                expires_at=now + life,
                refreshed_at=now,
                refreshing_at=None,
            )
            return access
        code = code_of(said.get("error")) if said is not None else None
        is_passing = answer.status >= 500 or answer.status == 429 or code == _TOO_OFTEN
        if is_passing and code not in _CONSENT:  # whether Zalo had the request, the next try will show
            return Result(Outcome.RETRY, "refresh", str(answer.status))
        if (answer.status == 200 and answer.is_empty) or code in _CONSENT or (said is not None and code is None):
            self._write(alias, alarm="consent", alarm_at=now, refreshing_at=None)
        elif code is not None:
            self._write(alias, alarm="refused", alarm_at=now, refreshing_at=None)
        else:  # a gateway's page
            return Result(Outcome.RETRY, "refresh", str(answer.status))
        return Result(Outcome.CONFIG, str(code or "empty"), words(said or {}, "error_name", "message"))

    def _write(self, alias: str, **values: object) -> None:
        with self._database.writing() as session:
            session.execute(update(ZaloAccount).where(col(ZaloAccount.alias) == alias).values(**values))

    def _sealed(self, token: str) -> str:
        return self._seal.encrypt(token.encode()).decode()

    def _opened(self, sealed: str) -> str | Result:
        try:
            return self._seal.decrypt(sealed.encode()).decode()
        except InvalidToken:  # sealed with another office's key
            return Result(Outcome.CONFIG, "key")


def _out_of_order(account: ZaloAccount | None) -> Result:
    return Result(Outcome.CONFIG, "no_account" if account is None else f"alarm.{account.alarm}")

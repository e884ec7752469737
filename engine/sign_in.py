"""Who is at the door? Sign-ins with a password, the sessions that follow, and how they end.

These live in real time also where a playground's clock stands still: `now` is the wall clock's.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, delete, update
from sqlmodel import Session, col, select

from dondoc.database import Database
from engine import limits, passwords, second_factor
from engine.errors import RefusedError
from models.entry import append
from models.user import Invitation, SignIn, User, is_admin

TOKEN_BYTES: Final = 32
SEEN_EVERY: Final = timedelta(minutes=1)  #: how exactly it is known when a session was last used
KEPT: Final = timedelta(days=90)  #: how long an ended session stays in the table
MAX_AGENT: Final = 300
NOBODY: Final = "nobody"  #: whom the journal names when nobody was let in


@dataclass(frozen=True, slots=True)
class Lasting:
    """How long a session lives: without use, and at most."""

    idle: timedelta
    life: timedelta


@dataclass(frozen=True, slots=True)
class Visitor:
    """A session and whose it is."""

    sign_in: SignIn
    user: User
    is_whole: bool  #: nothing is missing: the second factor was given where one is needed


def new_token() -> tuple[str, str]:
    """A secret of 256 bits, and the hash under which it is kept."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    return token, hash_of(token)


def hash_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def enter(database: Database, login: str, password: str, *, network: str, agent: str, now: datetime) -> str:
    """The token of a new session. Wrong passwords and unknown logins are refused alike; too many have to wait."""
    known = hash_of(login.casefold())[:32]  # a name that somebody typed is kept nowhere
    with database.writing() as session:
        waits = [
            limits.take(session, limits.SIGN_IN_LOGIN, known, now),
            limits.take(session, limits.SIGN_IN_NETWORK, network, now),
        ]
    if any(waits):
        raise too_many(max(waits))
    with database.reading() as session:
        user = session.exec(select(User).where(col(User.login) == login.lower())).first()
    is_right = passwords.matches(password, user.password if user and user.is_active else None)
    if user is None or not is_right:
        with database.writing() as session:
            append(session, "sign_in_refused", by=NOBODY, at=now, user=user.id if user else None, step="password")
        raise RefusedError("sign_in.wrong")
    with database.writing() as session:
        limits.give_back(session, limits.SIGN_IN_LOGIN, known, now)
        limits.give_back(session, limits.SIGN_IN_NETWORK, network, now)
        return begin(session, user, agent=agent, now=now)


def enter_by_subject(database: Database, subject: str, *, name: str, adds: bool, agent: str, now: datetime) -> str:
    """The token of a new session for whom the organisation's own sign-in let in; the second factor was its business.

    `adds`: who is nobody here yet becomes a user without a role.
    """
    with database.writing() as session:
        user = session.exec(select(User).where(col(User.subject) == subject)).first()
        if user is None and adds:
            login = f"sso-{hash_of(subject)[:12]}"
            user = User(login=login, name=name[:200], subject=subject, created_at=now)
            session.add(user)
            session.flush()
            append(session, "user_added", by=NOBODY, at=now, user=user.id)
        if user is not None and user.is_active:
            return begin(session, user, agent=agent, now=now, is_whole=True)
        append(session, "sign_in_refused", by=NOBODY, at=now, user=user.id if user else None, step="oidc")
    raise RefusedError("oidc.unknown", subject=subject[:200])


def begin(session: Session, user: User, *, agent: str, now: datetime, is_whole: bool = False) -> str:
    """A new session of somebody who has shown who they are; `is_whole`: with a second factor too."""
    token, hash_ = new_token()
    session.execute(delete(SignIn).where(col(SignIn.created_at) < now - KEPT))
    opened = SignIn(
        hash=hash_, user_id=user.id, agent=agent[:MAX_AGENT], created_at=now, seen_at=now, is_whole=is_whole
    )
    session.add(opened)
    session.flush()
    if is_whole or user.totp is None:
        append(session, "signed_in", by=f"user:{user.id}", at=now, sign_in=opened.id)
    return token


def give_code(database: Database, visitor: Visitor, code: str, *, key: bytes, now: datetime) -> str:
    """The second step, with a code of the app or a recovery code: the session goes on under a new token."""
    user = visitor.user
    with database.writing() as session:
        wait = limits.take(session, limits.SECOND_FACTOR, str(user.id), now)
    if wait:
        raise too_many(wait)
    with database.writing() as session:
        way = second_factor.accept(session, user.id, code, key=key, now=now)
        if way is None:
            append(session, "sign_in_refused", by=NOBODY, at=now, user=user.id, step="code")
        else:
            limits.give_back(session, limits.SECOND_FACTOR, str(user.id), now)
            token, hash_ = new_token()
            session.execute(
                update(SignIn).where(col(SignIn.id) == visitor.sign_in.id).values(hash=hash_, is_whole=True)
            )
            append(session, "signed_in", by=f"user:{user.id}", at=now, sign_in=visitor.sign_in.id, way=way)
            return token
    raise RefusedError("sign_in.wrong_code")


def whose(session: Session, token: str, lasting: Lasting, now: datetime) -> Visitor | None:
    """The session of a token while it lasts, and its user; None for any other token."""
    found = session.execute(
        select(SignIn, User)
        .join(User, col(User.id) == col(SignIn.user_id))
        .where(col(SignIn.hash) == hash_of(token), *_lasts(lasting, now), col(User.is_active))
    ).first()
    if found is None:
        return None
    sign_in, user = found
    is_whole = sign_in.is_whole or (user.totp is None and not is_admin(session, user.id))
    return Visitor(sign_in, user, is_whole)


def see(database: Database, sign_in: SignIn, now: datetime) -> None:
    """Writes down that the session is in use, once a minute."""
    if now - sign_in.seen_at < SEEN_EVERY:
        return
    with database.writing() as session:
        session.execute(update(SignIn).where(col(SignIn.id) == sign_in.id).values(seen_at=now))


def sessions_of(session: Session, user_id: int, lasting: Lasting, now: datetime) -> list[SignIn]:
    """Those that last, the one used last first."""
    query = select(SignIn).where(col(SignIn.user_id) == user_id, *_lasts(lasting, now))
    return list(session.exec(query.order_by(col(SignIn.seen_at).desc(), col(SignIn.id).desc())))


def end(session: Session, user_id: int, *, by: str, now: datetime, only: int | None = None, but: int = 0) -> int:
    """Ends sessions of a user: all, all `but` one, or `only` one; says how many there were."""
    query = update(SignIn).where(col(SignIn.user_id) == user_id, col(SignIn.ended_at).is_(None), col(SignIn.id) != but)
    if only is not None:
        query = query.where(col(SignIn.id) == only)
    ended = int(session.connection().execute(query.values(ended_at=now)).rowcount)
    if ended:
        append(session, "sessions_ended", by=by, at=now, user=user_id, count=ended)
    return ended


def invited(session: Session, token: str, now: datetime) -> tuple[Invitation, User] | None:
    """Whom an invitation lets in, while it does."""
    found = session.execute(
        select(Invitation, User)
        .join(User, col(User.id) == col(Invitation.user_id))
        .where(
            col(Invitation.hash) == hash_of(token),
            col(Invitation.used_at).is_(None),
            col(Invitation.expires_at) > now,
            col(User.is_active),
        )
    ).first()
    return (found[0], found[1]) if found else None


def choose_password(database: Database, token: str, password: str, again: str, *, agent: str, now: datetime) -> str:
    """Takes an invitation: the password is set, older sessions end, and a new one begins. Says its token."""
    _demand_same(password, again)
    with database.reading() as session:
        known = invited(session, token, now)
    if known is None:
        raise RefusedError("invitation.gone")
    passwords.check(password, known[1].login, known[1].name)
    hash_ = passwords.hashed(password)
    with database.writing() as session:
        found = invited(session, token, now)
        if found is None:  # taken on another device while the password was hashed
            raise RefusedError("invitation.gone")
        invitation, user = found
        invitation.used_at, user.password = now, hash_
        by = f"user:{user.id}"
        append(session, "password_chosen", by=by, at=now, user=user.id)
        end(session, user.id, by=by, now=now)
        return begin(session, user, agent=agent, now=now)


def change_password(
    database: Database, visitor: Visitor, current: str, fresh: str, again: str, *, now: datetime
) -> None:
    """A new password in place of the current one; every other session of the user ends."""
    _demand_same(fresh, again)
    user = visitor.user
    confirm(database, user, current, now=now)
    passwords.check(fresh, user.login, user.name)
    hash_ = passwords.hashed(fresh)
    with database.writing() as session:
        session.get_one(User, user.id).password = hash_
        by = f"user:{user.id}"
        append(session, "password_changed", by=by, at=now, user=user.id)
        end(session, user.id, by=by, now=now, but=visitor.sign_in.id)


def confirm(database: Database, user: User, password: str, *, now: datetime) -> None:
    """Is it still the same person? Asked again before a password or a second factor is changed."""
    with database.writing() as session:
        wait = limits.take(session, limits.PASSWORD, str(user.id), now)
    if wait:
        raise too_many(wait)
    if not passwords.matches(password, user.password):
        raise RefusedError("password.wrong")
    with database.writing() as session:
        limits.give_back(session, limits.PASSWORD, str(user.id), now)


def set_up_code(
    database: Database, visitor: Visitor, sealed: str, code: str, password: str, *, key: bytes, now: datetime
) -> tuple[str, list[str]]:
    """A second factor, the first or another one: this session goes on under a new token, others must show the factor.

    Gives the token, and the recovery codes.
    """
    if visitor.user.totp is not None and not visitor.is_whole:
        raise RefusedError("second_factor.first")
    if visitor.is_whole:  # else the password was given a moment ago
        _confirm_known(database, visitor.user, password, now)
    this = col(SignIn.id) == visitor.sign_in.id
    with database.writing() as session:
        if not visitor.is_whole and session.get_one(User, visitor.user.id).totp is not None:
            raise RefusedError("second_factor.first")  # set up on another device since the visitor was read
        codes = second_factor.set_up(session, visitor.user.id, sealed, code, key=key, now=now)
        token, hash_ = new_token()
        session.execute(update(SignIn).where(col(SignIn.user_id) == visitor.user.id).values(is_whole=this))
        session.execute(update(SignIn).where(this).values(hash=hash_))
    return token, codes


def fresh_codes(database: Database, visitor: Visitor, password: str, *, key: bytes, now: datetime) -> list[str]:
    """Other recovery codes in place of those that are left."""
    _confirm_known(database, visitor.user, password, now)
    with database.writing() as session:
        append(session, "recovery_codes_made", by=f"user:{visitor.user.id}", at=now, user=visitor.user.id)
        return second_factor.new_codes(session, visitor.user.id, key=key)


def remove_code(database: Database, visitor: Visitor, password: str, *, now: datetime) -> None:
    """Without a second factor from now on; an admin needs one."""
    _confirm_known(database, visitor.user, password, now)
    with database.writing() as session:
        if is_admin(session, visitor.user.id):
            raise RefusedError("second_factor.needed")
        second_factor.remove(session, visitor.user.id, by=f"user:{visitor.user.id}", now=now)


def too_many(wait: timedelta) -> RefusedError:
    return RefusedError("sign_in.too_many", minutes=max(-(-int(wait.total_seconds()) // 60), 1))


def _confirm_known(database: Database, user: User, password: str, now: datetime) -> None:
    """Who came through the organisation's own sign-in has no password here to ask for."""
    if user.password is not None:
        confirm(database, user, password, now=now)


def _demand_same(password: str, again: str) -> None:
    if password != again:
        raise RefusedError("password.differ")


def _lasts(lasting: Lasting, now: datetime) -> tuple[ColumnElement[bool], ...]:
    used, begun = col(SignIn.seen_at) > now - lasting.idle, col(SignIn.created_at) > now - lasting.life
    return col(SignIn.ended_at).is_(None), used, begun

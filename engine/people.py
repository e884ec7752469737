"""Who may sign in, and what may they do where? Users and their scopes, kept by admins.

An admin of a unit keeps the users whose every scope lies at that unit or below; an admin of everywhere keeps all.
The journal names users by number alone.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from sqlmodel import Session, col, select

from dondoc.i18n import LANGUAGES
from engine import second_factor, sign_in
from engine.access import Actor, Place, Right, Scope, can, everything, paths_of, place_of_unit
from engine.errors import RefusedError
from models.entry import append
from models.user import Invitation, User, UserRole, UserScope, chief_admins

LOGIN: Final = re.compile(r"[a-z0-9][a-z0-9._@-]{1,63}")
MAX_NAME: Final = 200
INVITED_FOR: Final = timedelta(days=3)
#: A role and the unit where it holds, with everything below; None: everywhere.
Grant = tuple[UserRole, int | None]


def add(
    session: Session,
    actor: Actor,
    *,
    login: str,
    name: str,
    grants: Sequence[Grant],
    now: datetime,
    email: str | None = None,
    lang: str = LANGUAGES[0],
) -> User:
    """A new user, who cannot sign in before taking an invitation."""
    login = login.lower()
    if not LOGIN.fullmatch(login):
        raise RefusedError("user.login", got=login[:64])
    if session.exec(select(User).where(col(User.login) == login)).first():
        raise RefusedError("user.known", login=login)
    if not grants and "" not in actor.paths(Right.MANAGE):
        raise RefusedError("user.nowhere")
    user = User(login=login, name=_name(name), email=email or None, lang=_lang(lang), created_at=now)
    session.add(user)
    session.flush()
    append(session, "user_added", by=actor.by, at=now, user=user.id)
    for role, unit_id in grants:
        _grant(session, actor, user, role, unit_id, now)
    return user


def first_way_in(session: Session, *, now: datetime) -> tuple[User, str] | None:
    """An invitation for the first admin, who is made when there are no users; None once a chief admin can sign in."""
    clerk = everything("office", "")
    if session.exec(select(User)).first() is None:
        add(session, clerk, login="admin", name="Quản trị", grants=[(UserRole.ADMIN, None)], now=now)
    chiefs = [session.get_one(User, user_id) for user_id in chief_admins(session)]
    if not chiefs or any(user.password or user.subject for user in chiefs):
        return None
    return chiefs[0], invite(session, clerk, chiefs[0], now=now)


def describe(session: Session, actor: Actor, user: User, *, name: str, email: str | None, now: datetime) -> None:
    _demand(session, actor, user)
    user.name, user.email = _name(name), email or None
    append(session, "user_changed", by=actor.by, at=now, user=user.id)


def describe_self(session: Session, user: User, *, name: str, lang: str, now: datetime) -> None:
    user.name, user.lang = _name(name), _lang(lang)
    append(session, "user_changed", by=f"user:{user.id}", at=now, user=user.id)


def give(session: Session, actor: Actor, user: User, role: UserRole, unit_id: int | None, *, now: datetime) -> None:
    """A role at a unit and below. Giving what is there already changes nothing.

    An invitation stops working when the role lies beyond some admin of a unit who kept the user and may have seen it.
    """
    _demand(session, actor, user)
    outgrows = _outgrows(session, scopes_of(session, user.id), unit_id, actor.on)
    _grant(session, actor, user, role, unit_id, now)
    if outgrows:
        _withdraw(session, user, now)


def take(session: Session, actor: Actor, user: User, scope_id: int, *, now: datetime) -> None:
    """Takes one scope away. Raises RefusedError when nobody would be left who may do everything."""
    _demand(session, actor, user)
    scope = next((each for each in scopes_of(session, user.id) if each.id == scope_id), None)
    if scope is None:
        return
    if scope.role == UserRole.ADMIN and scope.unit_id is None:
        _demand_another(session, user)
    session.delete(scope)
    session.flush()
    append(session, "scope_taken", by=actor.by, at=now, user=user.id, role=scope.role, unit=scope.unit_id)


def disable(session: Session, actor: Actor, user: User, *, now: datetime) -> None:
    """No more signing in; what the user did stays in the journal."""
    _demand(session, actor, user)
    if not user.is_active:
        return
    _demand_another(session, user)
    user.is_active = False
    append(session, "user_disabled", by=actor.by, at=now, user=user.id)
    sign_in.end(session, user.id, by=actor.by, now=now)
    _withdraw(session, user, now)


def enable(session: Session, actor: Actor, user: User, *, now: datetime) -> None:
    _demand(session, actor, user)
    if not user.is_active:
        user.is_active = True
        append(session, "user_enabled", by=actor.by, at=now, user=user.id)


def invite(session: Session, actor: Actor, user: User, *, now: datetime) -> str:
    """The token of a link with which the user chooses a password; older links stop working. It is shown once."""
    _demand(session, actor, user)
    if not user.is_active:
        raise RefusedError("user.disabled")
    _withdraw(session, user, now)
    token, hash_ = sign_in.new_token()
    session.add(Invitation(user_id=user.id, hash=hash_, expires_at=now + INVITED_FOR))
    append(session, "user_invited", by=actor.by, at=now, user=user.id)
    return token


def end_sessions(session: Session, actor: Actor, user: User, *, now: datetime) -> int:
    _demand(session, actor, user)
    return sign_in.end(session, user.id, by=actor.by, now=now)


def reset_second_factor(session: Session, actor: Actor, user: User, *, now: datetime) -> None:
    """For whoever lost the phone and the recovery codes; their sessions end."""
    _demand(session, actor, user)
    second_factor.remove(session, user.id, by=actor.by, now=now)
    sign_in.end(session, user.id, by=actor.by, now=now)


def bind(session: Session, actor: Actor, user: User, subject: str | None, *, now: datetime) -> None:
    """Who this user is to the OIDC provider; None: nobody any more."""
    _demand(session, actor, user)
    other = select(User).where(col(User.subject) == subject, col(User.id) != user.id)
    if subject and session.exec(other).first():
        raise RefusedError("user.bound")
    user.subject = subject or None
    append(session, "user_bound" if subject else "user_unbound", by=actor.by, at=now, user=user.id)


def kept_by(session: Session, actor: Actor) -> list[tuple[User, list[UserScope]]]:
    """The users whom this actor keeps, by login, each with the scopes."""
    users = session.exec(select(User).order_by(col(User.login))).all()
    found: dict[int, list[UserScope]] = {user.id: [] for user in users}
    for scope in session.exec(select(UserScope).order_by(col(UserScope.id))):
        found[scope.user_id].append(scope)
    paths = paths_of(session, (scope.unit_id for scopes in found.values() for scope in scopes), actor.on)
    return [(user, found[user.id]) for user in users if _keeps(actor, found[user.id], paths)]


def keeps(session: Session, actor: Actor, user: User) -> bool:
    scopes = scopes_of(session, user.id)
    return _keeps(actor, scopes, paths_of(session, (scope.unit_id for scope in scopes), actor.on))


def scopes_of(session: Session, user_id: int) -> list[UserScope]:
    return list(session.exec(select(UserScope).where(col(UserScope.user_id) == user_id).order_by(col(UserScope.id))))


def _grant(session: Session, actor: Actor, user: User, role: UserRole, unit_id: int | None, now: datetime) -> None:
    if not _reaches(session, actor, unit_id):
        raise RefusedError("user.beyond")
    known = [(scope.role, scope.unit_id) for scope in scopes_of(session, user.id)]
    if (role.value, unit_id) in known:
        return
    session.add(UserScope(user_id=user.id, role=role.value, unit_id=unit_id))
    user.reviewed_at = user.reviewed_by = None  # whoever looked did not see this
    session.flush()
    append(session, "scope_given", by=actor.by, at=now, user=user.id, role=role.value, unit=unit_id)


def _keeps(actor: Actor, scopes: Sequence[UserScope], paths: Mapping[int, str]) -> bool:
    if "" in actor.paths(Right.MANAGE):
        return True
    own = [paths.get(scope.unit_id or 0, "") for scope in scopes]
    return bool(own) and all(can(actor, Right.MANAGE, Place(path)) for path in own)


def _outgrows(session: Session, scopes: Sequence[UserScope], unit_id: int | None, on: date) -> bool:
    """Whether some admin of a unit keeps a user with these scopes, and not one with a role at `unit_id` as well."""
    admins = (col(UserScope.role) == UserRole.ADMIN.value, col(UserScope.unit_id).is_not(None))
    keepers = session.exec(select(UserScope.unit_id).where(*admins)).all()
    paths = paths_of(session, [*keepers, *(scope.unit_id for scope in scopes), unit_id], on)
    own, there = [paths.get(scope.unit_id or 0, "") for scope in scopes], paths.get(unit_id or 0, "")
    reaches = [Scope(UserRole.ADMIN, paths[each]) for each in keepers if each in paths]
    return bool(own) and any(all(map(each.reaches, own)) and not each.reaches(there) for each in reaches)


def _reaches(session: Session, actor: Actor, unit_id: int | None) -> bool:
    if unit_id is None:
        return "" in actor.paths(Right.MANAGE)
    return can(actor, Right.MANAGE, place_of_unit(session, unit_id, actor.on))


def _demand(session: Session, actor: Actor, user: User) -> None:
    if not keeps(session, actor, user):
        raise RefusedError("user.beyond")


def _demand_another(session: Session, user: User) -> None:
    if chief_admins(session) == [user.id]:
        raise RefusedError("user.last_admin")


def _withdraw(session: Session, user: User, now: datetime) -> None:
    waiting = select(Invitation).where(col(Invitation.user_id) == user.id, col(Invitation.used_at).is_(None))
    for invitation in session.exec(waiting):
        invitation.used_at = now


def _name(name: str) -> str:
    if not 0 < len(name) <= MAX_NAME:
        raise RefusedError("user.name", longest=MAX_NAME)
    return name


def _lang(lang: str) -> str:
    if lang not in LANGUAGES:
        raise RefusedError("user.lang", allowed=", ".join(LANGUAGES), got=lang[:20])
    return lang

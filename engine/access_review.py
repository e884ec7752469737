"""Who may do what where, who has not come for long, and who looked over it? The list that an admin goes through."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlmodel import Session, col

from engine import people
from engine.access import Actor
from engine.errors import RefusedError
from models.entry import OF_NO_TASK, Entry, append
from models.user import User, UserScope

QUIET: Final = timedelta(days=90)  #: who has not come for so long is asked about
LASTS: Final = timedelta(days=365)  #: how long a review holds


@dataclass(frozen=True, slots=True)
class Access:
    """One user as a reviewer sees them."""

    user: User
    scopes: Sequence[UserScope]
    signed_in_at: datetime | None  #: the last time; None: never
    is_quiet: bool  #: may sign in, and has not for long or never
    is_due: bool  #: nobody has looked over it for a year, or since a role was given


def listed(session: Session, actor: Actor, now: datetime) -> list[Access]:
    """The users whom the actor keeps: those first whose review is due, each group by login."""
    kept = people.kept_by(session, actor)
    names = [f"user:{user.id}" for user, _ in kept]
    signed_in = (OF_NO_TASK, col(Entry.act) == "signed_in", col(Entry.by).in_(names))
    query = select(col(Entry.by), func.max(Entry.at)).where(*signed_in).group_by(col(Entry.by))
    last = dict(session.execute(query).tuples().all())
    found = [_access(user, scopes, last.get(f"user:{user.id}"), now) for user, scopes in kept]
    return sorted(found, key=lambda each: (not each.is_due, each.user.login))


def review(session: Session, actor: Actor, user: User, *, now: datetime) -> None:
    """Somebody else has looked over what the user may, and leaves it so."""
    if not people.keeps(session, actor, user):
        raise RefusedError("user.beyond")
    if user.id == actor.user_id:
        raise RefusedError("user.own_review")
    user.reviewed_at, user.reviewed_by = now, actor.by
    session.add(user)
    append(session, "user_reviewed", by=actor.by, at=now, user=user.id)


def _access(user: User, scopes: Sequence[UserScope], last: datetime | None, now: datetime) -> Access:
    came = last or user.created_at
    return Access(
        user,
        scopes,
        last,
        is_quiet=user.is_active and now - came > QUIET,
        is_due=user.is_active and (user.reviewed_at is None or now - user.reviewed_at > LASTS),
    )

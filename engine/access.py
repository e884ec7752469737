"""May this user do this to that? One function decides; a role holds at a unit and everything below it."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, exists, false, func, or_, true
from sqlalchemy import select as select_columns
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from models.cycle import Cycle
from models.task import Task
from models.unit import BEYOND, Placement
from models.user import User, UserRole, UserScope

PIECE: Final = 9  #: characters of one unit in a path


class Right(StrEnum):
    """What a page or a button needs."""

    SEE = "see"
    REVIEW = "review"  #: accept, return, reopen
    CHASE = "chase"  #: remind, extend, exempt, record, note, pause, keep contacts
    MANAGE = "manage"  #: plans, calendars, units, users


RIGHTS: Final = {
    UserRole.VIEWER: frozenset({Right.SEE}),
    UserRole.REVIEWER: frozenset({Right.SEE, Right.REVIEW}),
    UserRole.SECRETARIAT: frozenset({Right.SEE, Right.REVIEW, Right.CHASE}),
    UserRole.ADMIN: frozenset(Right),
}


@dataclass(frozen=True, slots=True)
class Scope:
    """A role at a path of the tree and below; the empty path is everywhere."""

    role: UserRole
    path: str

    def reaches(self, path: str) -> bool:
        return self.path <= path < self.path + BEYOND if self.path else True


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a user with the scopes of a day. `by` is how the journal names them: user:3, office in a playground."""

    by: str
    name: str
    scopes: tuple[Scope, ...]
    user_id: int | None = None
    lang: str | None = None
    on: date = field(default=date.max, compare=False)  #: today; without it a place to come counts as taken

    def holds(self, right: Right) -> bool:
        """Somewhere at all."""
        return any(right in RIGHTS[scope.role] for scope in self.scopes)

    def paths(self, right: Right) -> frozenset[str]:
        """Where the right holds: at these paths and below; the empty path is everywhere."""
        return frozenset(scope.path for scope in self.scopes if right in RIGHTS[scope.role])


@dataclass(frozen=True, slots=True)
class Place:
    """Where a thing belongs. `own`: the unit that it is of; `over`: who receives or answers for it (none: `own` does).

    A task is seen from either side, decided on from above alone: nobody accepts their own report or gives themselves
    another week.
    """

    own: str
    over: tuple[str, ...] = ()


def can(actor: Actor, right: Right, place: Place) -> bool:
    """The one decision. Whoever may not SEE may do nothing else there either."""
    at = (place.own, *place.over) if right is Right.SEE else place.over or (place.own,)
    return any(right in RIGHTS[scope.role] and scope.reaches(path) for scope in actor.scopes for path in at)


def seen(actor: Actor, path: Collection[ColumnElement[str]] = ()) -> ColumnElement[bool]:
    """The condition on rows: a path column (Placement's unless others are named) lies where the actor may SEE."""
    columns = path or (col(Placement.path),)
    paths = actor.paths(Right.SEE)
    if "" in paths:
        return true()
    if not paths:
        return false()
    return or_(*(and_(column >= each, column < each + BEYOND) for column in columns for each in sorted(paths)))


def may_tasks(actor: Actor, right: Right) -> ColumnElement[bool]:
    """`can` for whole sets: the condition on task rows, whatever else is joined to them."""
    paths = actor.paths(right)
    if "" in paths:
        return true()
    if not paths:
        return false()
    path = col(Placement.path)
    if right is Right.SEE:
        own = [and_(path >= each, path < each + BEYOND) for each in sorted(paths)]
    else:  # from above alone, unless nobody stands above and nobody else receives
        top = and_(func.length(path) == PIECE, col(Task.receiver_id).is_(None))
        own = [and_(path >= each, path < each + BEYOND, or_(path != each, top)) for each in sorted(paths)]
    place = exists().where(col(Placement.id) == col(Task.placement_id), or_(*own)).correlate(Task)
    return or_(place, col(Task.receiver_id).in_(units_within(paths, actor.on)))


def may_units(actor: Actor, right: Right, unit_id: Any) -> ColumnElement[bool]:
    """The condition on a column of unit ids: the unit stands, or stood last, where the right holds."""
    paths = actor.paths(right)
    if "" in paths:
        return true()
    is_there: ColumnElement[bool] = unit_id.in_(units_within(paths, actor.on)) if paths else false()
    return is_there


def units_within(paths: Collection[str], on: date) -> Select[tuple[int]]:
    """The ids of the units that on the day stand, or stood last, at or below one of these paths; or will first."""
    place, other = aliased(Placement), aliased(Placement)
    inside = or_(*(and_(col(place.path) >= each, col(place.path) < each + BEYOND) for each in sorted(paths)))
    is_newer = and_(col(other.valid_from) > col(place.valid_from), col(other.valid_from) <= on)
    is_nearer = and_(col(place.valid_from) > on, col(other.valid_from) < col(place.valid_from))
    # One question, not two: PostgreSQL joins it.
    goes_before = exists().where(col(other.unit_id) == col(place.unit_id), or_(is_newer, is_nearer))
    return select_columns(col(place.unit_id)).where(inside, ~goes_before)


def standing(places: Sequence[Any], on: date) -> Any:
    """Of the placements of a unit in their order that of the day, or the last before it, or the first; None of none."""
    begun = [place for place in places if place.valid_from <= on]
    return begun[-1] if begun else places[0] if places else None


def place_of_task(session: Session, task: Task, on: date) -> Place:
    """The unit's place on the day of opening; over it its superior then, and the unit that receives."""
    own = session.get_one(Placement, task.placement_id).path
    over = own[:-PIECE]
    receiver = _path_of(session, task.receiver_id, on)
    return Place(own, tuple(dict.fromkeys(each for each in (over, receiver) if each)))


def place_of_cycle(session: Session, cycle: Cycle, on: date) -> Place:
    """The issuer's."""
    return Place(_path_of(session, cycle.issuer_id, on))


def place_of_unit(session: Session, unit_id: int, on: date) -> Place:
    """Where the unit stands on the day, or stood last."""
    return Place(_path_of(session, unit_id, on))


def actor_of(session: Session, user: User, on: date) -> Actor:
    """The user with the scopes that hold on the day.

    A unit that was closed gives no more rights than it has units below.
    """
    scopes = session.exec(select(UserScope).where(col(UserScope.user_id) == user.id)).all()
    return Actor(
        by=f"user:{user.id}",
        name=user.name,
        scopes=tuple(_scopes(session, scopes, on)),
        user_id=user.id,
        lang=user.lang,
        on=on,
    )


def everything(by: str, name: str, on: date = date.max) -> Actor:
    """Who may do all: the clerk of a playground."""
    return Actor(by, name, (Scope(UserRole.ADMIN, ""),), on=on)


def paths_of(session: Session, unit_ids: Iterable[int | None], on: date) -> dict[int, str]:
    """Where these units stand on the day, or stood last; a unit that has no place at all is left out."""
    wanted = {unit_id for unit_id in unit_ids if unit_id is not None}
    places = select(Placement).where(col(Placement.unit_id).in_(wanted)).order_by(col(Placement.valid_from))
    found: dict[int, str] = {}
    for place in session.exec(places) if wanted else ():
        if place.unit_id not in found or place.valid_from <= on:
            found[place.unit_id] = place.path
    return found


def _scopes(session: Session, scopes: Sequence[UserScope], on: date) -> Iterable[Scope]:
    paths = paths_of(session, (scope.unit_id for scope in scopes), on)
    for scope in scopes:
        if scope.unit_id is None or scope.unit_id in paths:
            yield Scope(UserRole(scope.role), paths[scope.unit_id] if scope.unit_id else "")


def _path_of(session: Session, unit_id: int | None, on: date) -> str:
    """The path of a unit on the day; empty when there is none."""
    return paths_of(session, [unit_id], on).get(unit_id or 0, "")

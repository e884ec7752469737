"""What does the board show? Its named queries: plans with what is pressing, the tree, sums by branch, cells."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Case, ColumnElement, Select, and_, case, exists, func, literal, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import col

from models.cycle import Cycle, CycleState
from models.day import CalendarSheet
from models.deadline import FIXED, Deadline
from models.entry import JournalHead
from models.plan import Plan
from models.task import OWING, Task, TaskState
from models.unit import BEYOND, Placement, Unit, subtree
from models.view import packed
from schedules.plan import SetBy

PIECE: Final = 9  #: characters of one unit in a path: eight digits and a dot
#: The condition on a Placement that its tasks may be seen; None: all may.
Reach = ColumnElement[bool] | None
#: Came late and was accepted since: what the shown state alone does not tell.
IS_ACCEPTED_LATE: Final = and_(col(Task.state) == TaskState.ACCEPTED.value, col(Task.is_late).is_(True))
_FIXED: Final = tuple(origin.value for origin in FIXED)


def has_passed(today: date, now: datetime) -> ColumnElement[bool]:
    """`Deadline.has_passed` for rows."""
    return or_(col(Deadline.due_on) < today, col(Deadline.due_at) < now)


def shown_state(today: date, now: datetime) -> Case[str]:
    """The shown state of a task row joined to its deadline: the rule of engine/shown.py for whole sets of rows.

    `missed` is shown as overdue; it is told apart so that "overdue" can be counted as what may still be chased.
    """
    state = col(Task.state)
    return case(
        (state.in_((TaskState.EXEMPTED.value, TaskState.CANCELLED.value)), literal("none")),
        (state == TaskState.ACCEPTED.value, literal("accepted")),
        (and_(state == TaskState.SUBMITTED.value, col(Task.is_late).is_(True)), literal("submitted_late")),
        (state == TaskState.SUBMITTED.value, literal("submitted_on_time")),
        (state == TaskState.MISSED.value, literal("missed")),
        (has_passed(today, now), literal("overdue")),
        (state == TaskState.RETURNED.value, literal("returned")),
        else_=literal("not_due"),
    )


def plans(today: date, now: datetime, reach: Reach = None, user_id: int | None = None) -> Select[Any]:
    """Every plan of which something within reach was opened, with what is pressing there.

    Rows (Plan, issuer_id, issuer_path, revision_id, first_on, last_on, to_review, overdue, next_on, calendars, head,
    views): `calendars` are the hashes of all calendars: other days off are another text; `head` is the number of the
    journal's last entry, `views` what models/view.py packs of the user's views of the board.
    """
    in_plan = col(Cycle.plan_id) == col(Plan.id)
    is_open = col(Cycle.state) == CycleState.OPEN.value
    newest, other = aliased(Cycle), aliased(Cycle)
    of_newest = col(newest.id) == (
        select(func.max(col(other.id))).where(col(other.plan_id) == col(Plan.id)).correlate(Plan).scalar_subquery()
    )

    is_owed = exists().where(
        col(Task.deadline_id) == col(Deadline.id),
        col(Task.state).in_([state.value for state in OWING]),
        *placed(reach),
    )
    issuer = aliased(Placement)
    issuer_path = (
        select(col(issuer.path))
        .where(col(issuer.unit_id) == col(newest.issuer_id))
        .order_by(col(issuer.valid_from).desc())
        .limit(1)
        .scalar_subquery()
    )

    def days(what: Any, *only: ColumnElement[bool]) -> Any:
        query = select(what).join(Cycle, col(Cycle.id) == col(Deadline.cycle_id)).where(in_plan, *only)
        return query.correlate(Plan).scalar_subquery()

    def tasks(*only: ColumnElement[bool]) -> Any:
        query = (
            select(func.count())
            .select_from(Task)
            .join(Cycle, col(Cycle.id) == col(Task.cycle_id))
            .join(Deadline, col(Deadline.id) == col(Task.deadline_id))
        )
        return query.where(in_plan, is_open, *placed(reach), *only).correlate(Plan).scalar_subquery()

    is_seen = exists().where(in_plan, col(Task.cycle_id) == col(Cycle.id), *placed(reach)).correlate(Plan)
    query = (
        select(
            Plan,
            col(newest.issuer_id),
            issuer_path.label("issuer_path"),
            col(newest.revision_id),
            days(func.min(Deadline.due_on)).label("first_on"),
            days(func.max(Deadline.due_on)).label("last_on"),
            tasks(col(Task.state) == TaskState.SUBMITTED.value).label("to_review"),
            tasks(col(Task.state).in_([state.value for state in OWING]), has_passed(today, now)).label("overdue"),
            days(func.min(Deadline.due_on), is_open, is_owed, col(Deadline.due_on) >= today).label("next_on"),
            select(func.aggregate_strings(col(CalendarSheet.hash), " ")).scalar_subquery().label("calendars"),
            select(col(JournalHead.number)).scalar_subquery().label("head"),
            packed(user_id, "board").label("views"),
        )
        .join(newest, of_newest)
        .order_by(col(Plan.id))
    )
    return query if reach is None else query.where(is_seen)


def around(
    superior: ColumnElement[bool], first: date, after: date, *, deep: bool = False, also: Collection[int] = ()
) -> Select[Any]:
    """A superior, those above it and those directly under it (`deep`: all below it), as they stood in [first, after).

    `superior` is a condition on Unit, `also` are units to name besides. Rows (unit_id, parent_id, path, code, name,
    has_units), top first.
    """
    top, below = aliased(Placement), aliased(Placement)
    tops = select(top).where(top.unit_id.in_(select(Unit.id).where(superior)), _during(top, first, after)).subquery()  # type: ignore[call-overload, attr-defined]
    here = aliased(Placement)
    is_below = (
        and_(col(here.path) > tops.c.path, col(here.path) < tops.c.path + BEYOND)
        if deep
        else col(here.parent_id) == tops.c.unit_id
    )
    is_above = and_(tops.c.path >= col(here.path), tops.c.path < col(here.path) + BEYOND)
    has_below = exists().where(col(below.parent_id) == col(here.unit_id), _during(below, first, after))
    return (
        select(
            col(here.unit_id),
            col(here.parent_id),
            col(here.path),
            col(Unit.code),
            col(Unit.name),
            has_below.label("has_units"),
        )
        .join(Unit, col(Unit.id) == col(here.unit_id))
        .where(_during(here, first, after), or_(exists().where(or_(is_below, is_above)), col(here.unit_id).in_(also)))
        .order_by(col(here.path), col(here.valid_from))
    )


def sums(plan_id: int, path: str, first: date, after: date, today: date, now: datetime) -> Select[Any]:
    """The tasks under a path, summed by cycle, branch and shown state, of the cycles of [first, after).

    A cycle belongs to the stretch in which a deadline of it lies; while the stretch holds today, every open one does.
    `branch` is the piece of the path below the superior, `direct` for the units directly under it, `self` for itself.
    Rows (id, obligation, period, title_vi, title_en, source, branch, shown, tasks, on_time, late, due_on, office_on,
    own_on): `due_on` is the first due day of the plan, None when all these tasks were extended or returned; `office_on`
    the first of those that the office set, since the document gives none; `own_on` counts all.
    """
    length = func.length(Placement.path)
    branch = case(
        (length > len(path) + PIECE, func.substr(Placement.path, len(path) + 1, PIECE)),
        (length == len(path) + PIECE, literal("direct")),
        else_=literal("self"),
    )
    other = aliased(Deadline)
    is_theirs = exists().where(
        col(other.cycle_id) == col(Cycle.id),
        col(other.origin).in_(_FIXED),
        col(other.due_on) >= first,
        col(other.due_on) < after,
    )
    if first <= today < after:
        is_theirs = or_(is_theirs, col(Cycle.state) == CycleState.OPEN.value)  # type: ignore[assignment]
    state, is_fixed = shown_state(today, now), col(Deadline.origin).in_(_FIXED)
    return (
        select(
            col(Cycle.id),
            col(Cycle.obligation),
            col(Cycle.period),
            col(Cycle.title_vi),
            col(Cycle.title_en),
            col(Cycle.source),
            branch.label("branch"),
            state.label("shown"),
            func.count().label("tasks"),
            func.sum(case((col(Task.is_late).is_(False), 1), else_=0)).label("on_time"),
            func.sum(case((col(Task.is_late).is_(True), 1), else_=0)).label("late"),
            func.min(case((is_fixed, col(Deadline.due_on)))).label("due_on"),
            func.min(case((and_(is_fixed, col(Deadline.set_by) == SetBy.OFFICE.value), col(Deadline.due_on)))).label(
                "office_on"
            ),
            func.min(Deadline.due_on).label("own_on"),
        )
        .select_from(Task)
        .join(Cycle, col(Cycle.id) == col(Task.cycle_id))
        .join(Deadline, col(Deadline.id) == col(Task.deadline_id))
        .join(Placement, col(Placement.id) == col(Task.placement_id))
        .where(col(Cycle.plan_id) == plan_id, *_under(path), is_theirs)
        .group_by(col(Cycle.id), "branch", "shown")
    )


def cells(
    cycle_ids: Sequence[int], unit_ids: Sequence[int], today: date, now: datetime, reach: Reach = None
) -> Select[Any]:
    """The tasks of these units in these cycles, as far as they are within reach.

    Rows (id, cycle_id, unit_id, shown, is_late, due_on, origin).
    """
    return _cells(cycle_ids, today, now).where(col(Task.unit_id).in_(unit_ids), *placed(reach))


def cells_in_state(
    cycle_ids: Sequence[int], path: str, today: date, now: datetime, states: Sequence[str]
) -> Select[Any]:
    """The tasks at or below a path in these shown states, the longest due first.

    Rows as of `cells`, then code and name of the unit, and above: the name of its superior.
    """
    above = aliased(Unit)
    return (
        _cells(cycle_ids, today, now)
        .add_columns(col(Unit.code), col(Unit.name), col(above.name).label("above"))
        .join(Unit, col(Unit.id) == col(Task.unit_id))
        .join(Placement, col(Placement.id) == col(Task.placement_id))
        .join(above, col(above.id) == col(Placement.parent_id), isouter=True)
        .where(*_under(path), came(states, today, now))
        .order_by(col(Deadline.due_on), col(Task.id))
    )


def came(states: Sequence[str], today: date, now: datetime) -> ColumnElement[bool]:
    """The task is in one of these shown states; who asks for what came late means what was accepted since as well."""
    shown = shown_state(today, now).in_(states)
    if "submitted_late" not in states:
        return shown
    return or_(shown, IS_ACCEPTED_LATE)


def _cells(cycle_ids: Sequence[int], today: date, now: datetime) -> Select[Any]:
    return (
        select(
            col(Task.id),
            col(Task.cycle_id),
            col(Task.unit_id),
            shown_state(today, now).label("shown"),
            col(Task.is_late),
            col(Deadline.due_on),
            col(Deadline.origin),
        )
        .join(Deadline, col(Deadline.id) == col(Task.deadline_id))
        .where(col(Task.cycle_id).in_(cycle_ids))
    )


def by_superior(cycle_id: int, today: date, now: datetime) -> Select[Any]:
    """The tasks of a cycle counted by superior and shown state: (code, name, shown, tasks, on_time, late)."""
    state = shown_state(today, now)
    return (
        select(
            col(Unit.code),
            col(Unit.name),
            state.label("shown"),
            func.count().label("tasks"),
            func.sum(case((col(Task.is_late).is_(False), 1), else_=0)).label("on_time"),
            func.sum(case((col(Task.is_late).is_(True), 1), else_=0)).label("late"),
        )
        .select_from(Task)
        .join(Deadline, col(Deadline.id) == col(Task.deadline_id))
        .join(Placement, col(Placement.id) == col(Task.placement_id))
        .join(Unit, col(Unit.id) == col(Placement.parent_id), isouter=True)
        .where(col(Task.cycle_id) == cycle_id)
        .group_by(col(Unit.code), col(Unit.name), "shown")
    )


def listed(cycle_id: int, today: date, now: datetime, states: Sequence[str]) -> Select[Any]:
    """The tasks of a cycle in one of these shown states (none given: in any), what presses first.

    Rows (Task, Unit, Deadline, shown).
    """
    state = shown_state(today, now)
    ranks = ("overdue", "submitted_late", "submitted_on_time", "returned", "not_due", "missed", "accepted", "none")
    rank = case(*((state == name, place) for place, name in enumerate(ranks)), else_=len(ranks))
    query = (
        select(Task, Unit, Deadline, state.label("shown"))
        .join(Unit, col(Unit.id) == col(Task.unit_id))
        .join(Deadline, col(Deadline.id) == col(Task.deadline_id))
        .where(col(Task.cycle_id) == cycle_id)
        .order_by(rank, col(Deadline.due_on), col(Unit.name), col(Task.id))
    )
    return query.where(came(states, today, now)) if states else query


def on_deadlines(cycle_id: int) -> Select[Any]:
    """How many tasks stand on each deadline of a cycle: (deadline_id, tasks)."""
    return (
        select(col(Task.deadline_id), func.count().label("tasks"))
        .where(col(Task.cycle_id) == cycle_id)
        .group_by(col(Task.deadline_id))
    )


def _under(path: str) -> Sequence[ColumnElement[bool]]:
    """The task, joined to its placement, stands at or below a path.

    Below the top its unit is asked for as well, which says nothing new: SQLite then looks up each unit in each cycle
    (their unique index) instead of all tasks of the cycles. From the top that would be the longer way.
    """
    if len(path) <= PIECE:
        return (subtree(path),)
    return subtree(path), col(Task.unit_id).in_(select(col(Placement.unit_id)).where(subtree(path)))


def placed(reach: Reach) -> Sequence[ColumnElement[bool]]:
    """The task's placement is within reach; asked only of a reader who does not see everything."""
    return () if reach is None else (exists().where(col(Placement.id) == col(Task.placement_id), reach),)


def _during(placement: Any, first: date, after: date) -> ColumnElement[bool]:
    return and_(placement.valid_from < after, or_(placement.valid_to.is_(None), placement.valid_to > first))

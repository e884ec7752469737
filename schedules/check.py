"""Is a file fit to be applied? What the loader finds, and what shows only when the dates are computed."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from schedules import load, nodes
from schedules.calendars import Calendar
from schedules.lint import Remark, remarks
from schedules.nodes import Node, Scalar
from schedules.plan import Plan
from schedules.problem import Problem, Severity
from schedules.reader import Known
from schedules.timeline import NO_MILESTONES, CollapsedChainError, Milestones, Timeline, attempted


def check(path: Path, known: Known | None, calendars: Mapping[str, Calendar]) -> list[Problem]:
    """Everything that is wrong with a plan or a calendar, each in its place."""
    if load.sort_of(path) == "calendar":
        return load.read_calendar(path)[1]
    plan, problems = load.read(path, known)
    return problems if plan is None else _with_dates(plan, problems, path.read_bytes(), str(path), calendars)


def check_plan(
    text: bytes, name: str, known: Known | None, calendars: Mapping[str, Calendar]
) -> tuple[Plan | None, list[Problem]]:
    """As `check`, of a plan that is no file yet; and the plan, when it can be read."""
    plan, problems = load.parse(text, name, known)
    return plan, problems if plan is None else _with_dates(plan, problems, text, name, calendars)


def _with_dates(
    plan: Plan, problems: list[Problem], text: bytes, name: str, calendars: Mapping[str, Calendar]
) -> list[Problem]:
    found = list(of_dates(plan, calendars.get(plan.calendar)))
    return sorted([*problems, *located(found, text, name)])


def of_dates(plan: Plan, calendar: Calendar | None) -> Iterator[Remark]:
    """What a plan's computed dates show; a plan with an error among it must not come into force."""
    if calendar is None:
        yield Remark(("calendar",), Severity.ERROR, "problem.unknown-calendar", {"got": plan.calendar})
        return
    yield from dated(plan, calendar, NO_MILESTONES)[1]


def dated(plan: Plan, calendar: Calendar, milestones: Milestones) -> tuple[Timeline | None, list[Remark]]:
    """The plan compiled, None when it cannot be, and what its dates show."""
    try:
        timeline, collapsed = attempted(plan, calendar, milestones)
    except (ValueError, OverflowError) as error:
        return None, [Remark(("obligations",), Severity.ERROR, "problem.uncompilable", {"got": str(error)})]
    found = [_collapsed(error) for error in collapsed]
    return timeline, [*found, *remarks(plan, timeline, calendar)]


def _collapsed(error: CollapsedChainError) -> Remark:
    params = dict(error.reason.params)
    return Remark(("obligations", params["obligation"], "levels"), Severity.ERROR, error.reason.code, params)


def located(remarks: Sequence[Remark], text: bytes, name: str) -> list[Problem]:
    """The remarks in their places of the file; `name` is how the problems call it."""
    if not remarks:
        return []
    root = nodes.compose(text, name)
    places = [(each, _place(root, each.keys)) for each in remarks]
    return [Problem(name, at.line, at.column, each.severity, each.code, each.params) for each, at in places]


def _place(node: Node, keys: tuple[str, ...]) -> Node:
    """Where the last of these keys stands, each within the one before it."""
    at = node
    for key in keys:
        if isinstance(node, nodes.Mapping):
            for name, value in node.entries:
                if isinstance(name, Scalar) and name.text == key:
                    at, node = name, value
                    break
    return at

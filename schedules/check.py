"""Is a file fit to be applied? What the loader finds, and what shows only when the dates are computed."""

from collections.abc import Mapping
from pathlib import Path

from schedules import load, nodes
from schedules.calendars import Calendar
from schedules.nodes import Node, Scalar
from schedules.plan import Plan
from schedules.problem import Problem, Severity
from schedules.reader import Known
from schedules.timeline import CollapsedChainError, compiled


def check(path: Path, known: Known | None, calendars: Mapping[str, Calendar]) -> list[Problem]:
    """Everything that is wrong with a plan or a calendar, each in its place."""
    if load.sort_of(path) == "calendar":
        return load.read_calendar(path)[1]
    plan, problems = load.read(path, known)
    return problems if plan is None else sorted([*problems, *_uncompilable(plan, path, calendars)])


def _uncompilable(plan: Plan, path: Path, calendars: Mapping[str, Calendar]) -> list[Problem]:
    calendar = calendars.get(plan.calendar)
    if calendar is None:
        return [_problem(path, ("calendar",), "problem.unknown-calendar", {"got": plan.calendar})]
    try:
        compiled(plan, calendar)
    except CollapsedChainError as error:
        params = dict(error.reason.params)
        return [_problem(path, ("obligations", params["obligation"], "levels"), error.reason.code, params)]
    except (ValueError, OverflowError) as error:
        return [_problem(path, ("obligations",), "problem.uncompilable", {"got": str(error)})]
    return []


def _problem(path: Path, keys: tuple[str, ...], code: str, params: Mapping[str, str]) -> Problem:
    at = _place(nodes.compose(path.read_bytes(), str(path)), keys)
    return Problem(str(path), at.line, at.column, Severity.ERROR, code, params)


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

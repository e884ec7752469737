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
from schedules.timeline import attempted


def check(path: Path, known: Known | None, calendars: Mapping[str, Calendar]) -> list[Problem]:
    """Everything that is wrong with a plan or a calendar, each in its place."""
    if load.sort_of(path) == "calendar":
        return load.read_calendar(path)[1]
    plan, problems = load.read(path, known)
    if plan is None:
        return problems
    found = list(of_dates(plan, calendars.get(plan.calendar)))
    return sorted([*problems, *located(found, path.read_bytes(), str(path))])


def of_dates(plan: Plan, calendar: Calendar | None) -> Iterator[Remark]:
    """What a plan's computed dates show; a plan with an error among it must not come into force."""
    if calendar is None:
        yield Remark(("calendar",), Severity.ERROR, "problem.unknown-calendar", {"got": plan.calendar})
        return
    try:
        timeline, collapsed = attempted(plan, calendar)
        for error in collapsed:
            params = dict(error.reason.params)
            keys = ("obligations", params["obligation"], "levels")
            yield Remark(keys, Severity.ERROR, error.reason.code, params)
        yield from remarks(plan, timeline, calendar)
    except (ValueError, OverflowError) as error:
        yield Remark(("obligations",), Severity.ERROR, "problem.uncompilable", {"got": str(error)})


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

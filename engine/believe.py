"""What does a sheet of units say that is new? The rows held against all that has been, every fault of every line."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cache
from typing import Final

from sqlalchemy import func
from sqlmodel import Session, col, select

from dondoc.clock import today
from engine.access import PIECE, Actor, Right, can, standing
from engine.access import Place as Where
from engine.coming import RENAME, concerned, orders
from engine.hand_over import awaited
from engine.sheets import BadRows, Line, Row, lines
from engine.tree import DEEPEST, FOREVER, Growth, Known, Place, Stretch, history_of, join, known_units, parts
from models.entry import Entry
from models.task import OWING, UNFINISHED, Task
from schedules.problem import Problem, meant

MOST_MEANT: Final = 20  #: unknown words for which the one meant is looked up among all that are known


@dataclass(frozen=True, slots=True)
class Belief:
    """What holds once a file is believed. Its places are those of the units that it moves, and of all below them."""

    said: tuple[Line, ...]
    known: Mapping[str, Known]
    before: Mapping[str, Sequence[Stretch]]
    after: Mapping[str, Sequence[Stretch]]
    wanted: Mapping[str, Sequence[Place]]
    owed: Mapping[str, int]  #: of a unit that ends on a day to come: open tasks, also those that it is still to inherit


def believe(session: Session, rows: Sequence[Row], *, now: datetime, zone: str, actor: Actor | None = None) -> Belief:
    """What the rows would make of the units; nothing is written. Raises BadRows with every fault of every line.

    An `actor` may speak of no units but their own, and of the highest of these not what lies with those above.
    """
    day = today(now, zone)
    read, problems = lines(rows)
    known = known_units(session, {line.code for line in read})
    before = history_of(known)
    history = dict(before)
    parents = _Parents(history.keys() | {line.code for line in read})
    coming = cache(lambda: [order for order in orders(session, day) if order.act != RENAME])
    said, changed = [], []
    for line in read:
        if actor is not None and line.code in known and not _is_theirs(actor, known[line.code]):
            problems.append(line.row.problem("code", "sheet.beyond", got=line.code))
            continue
        said.append(line)
        had = history.get(line.code, [])
        # A unit whose line is refused is taken as being there all the time: what hangs below it is not to blame.
        after = had or [Stretch(None, line.kind, date.min)]
        if parents.has(line, problems) and line.is_placed:
            believed = _after(line, had, known.get(line.code), day)
            if isinstance(believed, Problem):
                problems.append(believed)
            elif believed != had and _is_ordered(line.code, had, day, coming):
                problems.append(line.row.problem("code", "sheet.ordered", got=line.code))
            else:
                after = believed
        if after != had:
            history[line.code] = after
            changed.append(line.code)
    by_code = {line.code: line for line in said}

    def report(code: str, fault: str, params: Mapping[str, str | int]) -> None:
        found = _line_of(code, fault, by_code, history)
        if found is not None:
            line, key = found
            problems.append(line.row.problem(key, f"sheet.{fault}", unit=code, **params))

    growth = Growth(history, report)
    wanted = {code: list(growth.places(code)) for code in growth.below(changed)}
    problems += _still_owing(session, [line for line in said if line.code in wanted], known, day)
    if actor is not None:
        problems += _beyond(said, known, before, history, actor)
    if problems:
        raise BadRows(problems)
    owed = _owed(session, [line for line in said if line.code in wanted], known, day)
    return Belief(tuple(said), known, before, history, wanted, owed)


def _beyond(
    said: Sequence[Line],
    known: Mapping[str, Known],
    before: Mapping[str, Sequence[Stretch]],
    after: Mapping[str, Sequence[Stretch]],
    actor: Actor,
) -> Iterator[Problem]:
    """What the lines say of this actor's units that is not theirs to say.

    A unit goes below none but theirs. The highest of theirs is part of what lies above them: they do not end, move or
    turn it into something else. Its name and its contacts are their own affair.
    """
    ours = {line.code for line in said}
    for line in said:
        unit, had = known.get(line.code), before.get(line.code, [])
        is_same_parent = bool(had) and line.parent == had[-1].parent
        if unit is not None and not _is_theirs(actor, unit, above=True):
            if had != after[line.code]:
                key = "parent" if not is_same_parent else "kind" if line.kind != had[-1].kind else "valid_to"
                yield line.row.problem(key, "sheet.edge", got=line.code)
            if line.tags not in (None, unit.tags):
                yield line.row.problem("tags", "sheet.edge", got=line.code)
        elif not is_same_parent and line.parent not in ours:
            above = known.get(line.parent) if line.parent else Known(0, "")  # at the top there is nobody above
            if above is not None and not _is_theirs(actor, above):
                yield line.row.problem("parent", "sheet.beyond", got=line.parent or line.code)


def _is_theirs(actor: Actor, unit: Known, *, above: bool = False) -> bool:
    """Whether the unit, or the one `above` it, is the actor's to change. Where it stands, or stood last, decides."""
    place = standing(unit.placements, actor.on)
    path = place.path if place else ""
    return can(actor, Right.MANAGE, Where(path[:-PIECE] if above else path))


class _Parents:
    """The codes that a line may name above it."""

    def __init__(self, codes: Collection[str]) -> None:
        self._codes = codes
        self._sorted = sorted(codes)
        self._meant: dict[str, dict[str, str]] = {}

    def has(self, line: Line, problems: list[Problem]) -> bool:
        """Whether the unit above can be found; none is needed at the top."""
        if line.parent is None or not line.row.is_whole:
            return True
        if line.parent == line.code:
            problems.append(line.row.problem("parent", "sheet.own-parent", got=line.parent))
        elif line.parent not in self._codes:
            problems.append(line.row.problem("parent", "sheet.unknown-parent", got=line.parent, **self._alike(line)))
        return line.parent != line.code and line.parent in self._codes

    def _alike(self, line: Line) -> dict[str, str]:
        # Each look through 52,000 codes takes a tenth of a second; a file that is wrong all over gets no more of them.
        word = line.parent or ""
        if word not in self._meant and len(self._meant) < MOST_MEANT:
            self._meant[word] = meant(word, self._sorted)
        return self._meant.get(word, {})


def _after(line: Line, before: Sequence[Stretch], unit: Known | None, day: date) -> list[Stretch] | Problem:
    """The unit's history once the line is believed, or in what the line contradicts what has been."""
    end = line.valid_to or FOREVER
    if not before or unit is None:
        start = line.valid_from or day
        if end <= start:
            return line.row.problem("valid_to", "sheet.ends-first", start=f"{start}", got=f"{end}")
        return [Stretch(line.parent, line.kind, start, end)]
    last = before[-1]
    since = unit.placements[-1].valid_from  # what happened above it counts too: nothing is slipped in before that
    is_back = line.valid_from is not None and line.valid_from >= last.end
    if (line.parent, line.kind) == (last.parent, last.kind) and not is_back:
        # A day on which one of its placements begins is one on which a change was put right: it stands so since then.
        if line.valid_from not in (None, last.start, *(each.valid_from for each in unit.placements)):
            return line.row.problem("valid_from", "sheet.moved-start", start=f"{last.start}", got=f"{line.valid_from}")
        if line.valid_to is None:
            return list(before)
        if line.valid_to <= since:
            return line.row.problem("valid_to", "sheet.ends-first", start=f"{since}", got=f"{end}")
        return [*before[:-1], replace(last, end=line.valid_to)]
    start = line.valid_from or day
    end = line.valid_to or (last.end if start < last.end else FOREVER)
    # What begins today or later has not been yet: a slip in yesterday's file, or a move ahead, can be put right.
    if start <= since and not (start == since == last.start >= day):
        return line.row.problem("valid_from", "sheet.change-too-early", since=f"{since}", got=f"{start}")
    if end <= start:
        return line.row.problem("valid_to", "sheet.ends-first", start=f"{start}", got=f"{end}")
    after = [*before[:-1]] if start == last.start else [*before[:-1], replace(last, end=min(last.end, start))]
    join(after, Stretch(line.parent, line.kind, start, end))
    return after


def _is_ordered(code: str, had: Sequence[Stretch], day: date, coming: Callable[[], Sequence[Entry]]) -> bool:
    """Whether the unit is to change by an order that can still be called off: as it stands now, or not at all."""
    days = {f"{on}" for each in had[-1:] for on in (each.start, each.end) if day < on < FOREVER}
    return bool(days) and any(order.data["on"] in days and code in concerned(order) for order in coming())


def _line_of(
    code: str, fault: str, said: Mapping[str, Line], history: Mapping[str, Sequence[Stretch]]
) -> tuple[Line, str] | None:
    """Whose line is to blame, and its column: the unit's own; else the nearest one above, of whom it is the end."""
    key, at = "parent", code
    for _ in range(DEEPEST):
        if at in said or fault != "parent-gone":
            break
        key, at = "valid_to", history[at][-1].parent or at
    line = said.get(at)
    return (line, key) if line is not None and line.is_placed else None


def _still_owing(session: Session, said: Sequence[Line], known: Mapping[str, Known], day: date) -> Iterator[Problem]:
    """Units that the file closes while they still have unfinished tasks: those need an heir or a note first."""
    closing = {known[line.code].id: line for line in said if line.code in known and (line.valid_to or FOREVER) <= day}
    query = select(Task.unit_id, func.count()).where(col(Task.state).in_(UNFINISHED)).group_by(col(Task.unit_id))
    for some in parts(sorted(closing)):
        for unit_id, count in session.exec(query.where(col(Task.unit_id).in_(some))):
            yield closing[unit_id].row.problem("valid_to", "sheet.still-owing", tasks=count)


def _owed(session: Session, said: Sequence[Line], known: Mapping[str, Known], day: date) -> dict[str, int]:
    """By code: what the units that the file closes on a day to come owe today, or will owe as heirs of others."""
    closing = {known[line.code].id: line.code for line in said if line.code in known and line.valid_to is not None}
    owed: dict[str, int] = {}
    for some in parts(sorted(closing)):
        owners = {unit.id: closing[line.to_unit_id] for unit, line in awaited(session, some, day)}
        owners |= {id_: closing[id_] for id_ in some}
        query = select(Task.unit_id, func.count()).where(col(Task.state).in_([state.value for state in OWING]))
        for unit_id, count in session.exec(query.where(col(Task.unit_id).in_(owners)).group_by(col(Task.unit_id))):
            owed[owners[unit_id]] = owed.get(owners[unit_id], 0) + count
    return owed

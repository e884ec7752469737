"""Who owes what? The board: units by obligations and periods of a plan, summed up along the tree."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from itertools import islice
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import Row as Record
from sqlmodel import Session, col

from dondoc import alphabet
from engine.access import Actor, Place, Right, can, seen
from models import board
from models.board import PIECE
from models.deadline import Origin
from models.plan import Plan
from models.unit import Unit
from models.view import unpacked
from schedules.calendars import Calendar
from web import words
from web.access import InActor, needs
from web.matrix import Cell, Column, Roll, Row, Sum, groups
from web.office import InOffice, Office
from web.pages import language, page
from web.stretch import number_of

MAX_CELLS: Final = 4_000
ALL_YEARS: Final = "all"
#: What a filter by state means, where that is more than the state of the same name.
FILTERS: Final = {"submitted": ("submitted_on_time", "submitted_late")}
#: The board without filters, also for a user whose first view stands at the plain address.
WHOLE: Final = "/?view=all"
_DIGITS: Final = re.compile(r"\d+")
router = APIRouter()


@dataclass(frozen=True, slots=True)
class View:
    """What is looked at: each part is one parameter of the address, empty when it is the usual one."""

    plan: str = ""
    superior: str = ""
    year: str = ""
    state: str = ""
    find: str = ""
    order: str = ""
    page: str = ""

    @property
    def states(self) -> tuple[str, ...]:
        """The shown states to keep; empty: all."""
        return FILTERS.get(self.state, (self.state,) if self.state else ())

    @property
    def query(self) -> str:
        """What is kept when the view is: all of it but the page."""
        return self.href().partition("?")[2] if self.href() != WHOLE else ""

    def href(self, **changes: str) -> str:
        """The address with some parts changed; it starts again at the first page."""
        parts = asdict(self) | {"page": ""} | changes
        query = urlencode({name: value for name, value in parts.items() if value})
        return f"/?{query}" if query else WHOLE


@dataclass(frozen=True, slots=True)
class Frame:
    """What the view comes to: the plan, the stretch of time, and the superior with its tree of that time."""

    plan: Plan
    year: int | None  #: None: all years
    years: range
    first: date
    after: date
    top: Record[Any]  #: this and the following as `board.around` gives them
    tree: Sequence[Record[Any]]
    beside: Sequence[Record[Any]]  #: where else the actor has a role
    today: date
    now: datetime
    lang: str
    actor: Actor

    @property
    def above(self) -> list[Record[Any]]:
        """From the top of what the actor sees down to the superior's own superior."""
        path = self.top.path
        above = (each for each in self.tree if path.startswith(each.path) and path != each.path)
        return _once(each for each in above if _reaches(self.actor, each.path))

    @property
    def below(self) -> list[Record[Any]]:
        """The units that stand directly under the superior, in the order of their names."""
        return _by_name(each for each in self.tree if each.parent_id == self.top.unit_id)

    def found(self, wanted: str) -> list[Record[Any]]:
        """The units of every depth that are called so, in the order of their names; of very many the first.

        A name takes longer to be put in order than to be read, and a whole country has tens of thousands.
        """
        path = self.top.path
        below = (each for each in self.tree if not path.startswith(each.path))
        return _by_name(islice((each for each in below if _is_named(each.name, each.code, wanted)), MAX_CELLS))


@router.api_route("/", methods=["GET", "HEAD"], dependencies=[needs(Right.SEE)])
def show_board(request: Request, office: InOffice, actor: InActor) -> Response:
    names = View.__dataclass_fields__
    given = {name: words.clean(value) for name, value in request.query_params.items() if name in names}
    view = View(**given)
    with office.database.reading() as session:
        values = read(session, office, actor, view, language(request))
    first = next((each for each in values["views"] if each.is_first), None)
    if first and first.query and not request.query_params:
        return RedirectResponse(f"/?{first.query}", 303)
    if len(values["plans"]) > 1:  # the links stay with this plan, wherever most needs somebody by then
        view = replace(view, plan=values["chosen"].Plan.code)
    return page(request, "board.html", view=view, **values)


def read(session: Session, office: Office, actor: Actor, view: View, lang: str) -> dict[str, Any]:
    """Everything the page shows, in four queries (and two more after a calendar has changed)."""
    plans = session.execute(board.plans(office.today(), office.now(), _reach(actor), actor.user_id)).all()
    pressing = max(plans, key=lambda row: row.overdue + row.to_review, default=None)
    chosen = next((row for row in plans if row.Plan.code == view.plan), pressing)
    frame = _frame(session, view, chosen, office, actor, lang) if chosen else None
    views = sorted(unpacked(plans[0].views) if plans else [], key=lambda each: alphabet.order(each.name))
    found: dict[str, Any] = {"plans": plans, "chosen": chosen, "frame": frame, "views": views, "actor": actor}
    if chosen is None or frame is None:
        return found
    columns = _columns(session, frame)
    height = max(MAX_CELLS // max(len(columns), 1), 1)
    number = max(number_of(view.page) or 1, 1)
    here = slice((number - 1) * height, number * height)
    calendar = office.calendar(session, chosen.revision_id, chosen.calendars)
    wanted = alphabet.plain(view.find)
    rolls: list[Roll] = []
    if view.states:
        rows = _rows_in_state(session, columns, frame, calendar, view.states)
        rows = [row for row in rows if _is_named(row.name, row.code, wanted)]
        count = len(rows)
    else:
        units = frame.found(wanted) if wanted else [frame.top, *frame.below]
        if not wanted and number == 1:
            rolls = _rolls(columns, frame)
        count = len(units)
        # In the order of the names, only this page's cells are read; which units are late says their cells alone.
        rows = _rows(session, units if view.order else units[here], columns, frame, calendar)
    if view.order:
        rows.sort(key=lambda row: -row.pressing)
    if view.states or view.order:
        rows = rows[here]
    if view.states:
        rows, columns = _without_empty(rows, columns)
    rows = [row for row in rows if row.unit_id != frame.top.unit_id or any(row.cells)]
    return found | {
        "columns": columns,
        "groups": groups(columns),
        "starts": {column.cycle_id for column, _ in groups(columns)},
        "upcoming": min((column.due_on for column in columns if column.due_on >= frame.today), default=None),
        "rows": rows,
        "rolls": rolls,
        "count": f"{count}+" if wanted and count == MAX_CELLS else count,
        "number": number,
        "pages": range(1, -(-count // height) + 1),
    }


def _frame(session: Session, view: View, chosen: Record[Any], office: Office, actor: Actor, lang: str) -> Frame | None:
    """None when there is no such superior in that time, or the actor does not see it: the two look alike."""
    today = office.today()
    years = range(min(chosen.first_on.year, today.year), max(chosen.last_on.year, today.year) + 1)
    asked = number_of(view.year) or today.year
    year = None if view.year == ALL_YEARS else asked if asked in years else today.year
    first, after = (date(year or years[0], 1, 1), date((year or years[-1]) + 1, 1, 1))
    own = _own(actor)
    home = chosen.issuer_id if not own or _reaches(actor, chosen.issuer_path or "") else own[0]
    superior = col(Unit.code) == view.superior if view.superior else col(Unit.id) == home
    is_deep = bool(alphabet.plain(view.find)) and not view.states  # units in a state are found by their tasks
    tree = session.execute(board.around(superior, first, after, deep=is_deep, also=own)).all()
    tops = [
        each
        for each in tree
        if (each.code == view.superior if view.superior else each.unit_id == home) and _reaches(actor, each.path)
    ]
    if not tops:
        return None
    lines = tuple(each.path for each in tops)
    related = [
        each for each in tree if each.path.startswith(lines) or any(line.startswith(each.path) for line in lines)
    ]
    near = {each.unit_id for each in related}
    beside = _once(each for each in tree if each.unit_id not in near)
    return Frame(chosen.Plan, year, years, first, after, tops[-1], related, beside, today, office.now(), lang, actor)


def _reach(actor: Actor) -> board.Reach:
    return None if _reaches(actor, "") else seen(actor)


def _reaches(actor: Actor, path: str) -> bool:
    return can(actor, Right.SEE, Place(path))


def _own(actor: Actor) -> list[int]:
    """The units at which the actor has a role, from the top; none for who sees everything."""
    paths = actor.paths(Right.SEE)
    return [] if "" in paths else [int(path[-PIECE:-1]) for path in sorted(paths, key=lambda each: (len(each), each))]


def _columns(session: Session, frame: Frame) -> list[Column]:
    query = board.sums(frame.plan.id or 0, frame.top.path, frame.first, frame.after, frame.today, frame.now)
    rows = session.execute(query).all()
    days: dict[int, tuple[bool, date]] = {}
    of_office: set[tuple[int, date]] = set()
    found: dict[int, Column] = {}
    for row in rows:  # the day at the head is that of the units directly below, where they have one
        day = (row.branch != "direct" or row.due_on is None, row.due_on or row.own_on)
        days[row.id] = min(days.get(row.id, day), day)
        if row.office_on:
            of_office.add((row.id, row.office_on))
    for row in rows:
        title = row.title_en if frame.lang == "en" else row.title_vi
        sums = found[row.id].sums if row.id in found else {}
        each = Sum(on_time=row.on_time, late=row.late)
        each.states[row.shown] = row.tasks
        known = sums[row.branch].add(each) if row.branch in sums else each
        due_on = days[row.id][1]
        is_office_set = (row.id, due_on) in of_office
        found[row.id] = Column(
            row.id, row.obligation, row.period, title, row.source, due_on, is_office_set, {**sums, row.branch: known}
        )
    # The obligation with most work left stands first; without work left the order is the document's.
    left: Counter[str] = Counter()
    for column in found.values():
        left[column.obligation] += column.sum_of().waiting
    return sorted(
        found.values(),
        key=lambda each: (-left[each.obligation], _clause(each.source), each.obligation, each.due_on, each.period),
    )


def _rows(
    session: Session, units: Sequence[Record[Any]], columns: Sequence[Column], frame: Frame, calendar: Calendar
) -> list[Row]:
    place = {column.cycle_id: number for number, column in enumerate(columns)}
    cells: dict[int, list[Cell | None]] = {unit.unit_id: [None] * len(columns) for unit in units}
    found = session.execute(board.cells(list(place), list(cells), frame.today, frame.now, _reach(frame.actor)))
    for row, cell in _cells(found, frame.today, calendar):
        cells[row.unit_id][place[row.cycle_id]] = cell
    distant = {unit.parent_id for unit in units if not _is_direct(unit, frame)}
    names = {each.unit_id: each.name for each in frame.tree if each.unit_id in distant}
    return [
        Row(
            unit.unit_id,
            unit.code,
            unit.name,
            names.get(unit.parent_id, "") if not _is_direct(unit, frame) else "",
            unit.has_units and unit.unit_id != frame.top.unit_id,
            cells[unit.unit_id],
        )
        for unit in units
    ]


def _rows_in_state(
    session: Session, columns: Sequence[Column], frame: Frame, calendar: Calendar, states: Sequence[str]
) -> list[Row]:
    """Units of every depth that have a task in one of these states, with those cells alone, by name."""
    place = {column.cycle_id: number for number, column in enumerate(columns)}
    found: dict[int, Row] = {}
    query = board.cells_in_state(list(place), frame.top.path, frame.today, frame.now, states)
    for row, cell in _cells(session.execute(query.limit(MAX_CELLS)), frame.today, calendar):
        is_named = row.unit_id != frame.top.unit_id and row.above != frame.top.name
        above = (row.above or "") if is_named else ""
        unit = found.setdefault(row.unit_id, Row(row.unit_id, row.code, row.name, above, False, [None] * len(columns)))
        unit.cells[place[row.cycle_id]] = cell
    return sorted(found.values(), key=lambda row: alphabet.order(row.name))


def _cells(rows: Iterable[Record[Any]], today: date, calendar: Calendar) -> Iterator[tuple[Record[Any], Cell]]:
    """Each row with its cell; the days are counted once for all that were due on one day."""
    late_days: dict[date, int] = {}
    for row in rows:
        late = 0
        if row.shown == "overdue":
            if row.due_on not in late_days:
                late_days[row.due_on] = calendar.working_days(row.due_on, today)
            late = late_days[row.due_on]
        yield row, Cell(row.id, row.shown, row.is_late, late, row.due_on, row.origin == Origin.EXTENSION)


def _is_direct(unit: Record[Any], frame: Frame) -> bool:
    return frame.top.unit_id in {unit.unit_id, unit.parent_id}


def _rolls(columns: Sequence[Column], frame: Frame) -> list[Roll]:
    """All together, then the units directly below, then each superior below with its own."""
    deeper = {branch for column in columns for branch in column.sums} - {"self", "direct"}
    unit_of = {int(branch.rstrip(".")): branch for branch in deeper}
    below = [
        Roll(unit.name, unit.code, [column.sum_of([unit_of[unit.unit_id]]) for column in columns])
        for unit in frame.below
        if unit.unit_id in unit_of
    ]
    if not below:
        return [Roll("", "", [column.sum_of() for column in columns])]
    own = Roll("", "", [column.sum_of(["self", "direct"]) for column in columns])
    return [Roll("", "", [column.sum_of() for column in columns]), own, *below]


def _without_empty(rows: Sequence[Row], columns: Sequence[Column]) -> tuple[list[Row], list[Column]]:
    kept = [place for place in range(len(columns)) if any(row.cells[place] for row in rows)]
    return [
        Row(row.unit_id, row.code, row.name, row.above, row.has_units, [row.cells[place] for place in kept])
        for row in rows
    ], [columns[place] for place in kept]


def _is_named(name: str, code: str, wanted: str) -> bool:
    return wanted == code or wanted in alphabet.plain(name)


def _clause(source: str) -> tuple[object, ...]:
    """II.8.3 before II.10: roman numerals stay words, which sort rightly up to VIII."""
    return tuple(f"{int(part):04}" if _DIGITS.fullmatch(part) else part for part in re.split(r"[.\s;]+", source))


def _once(units: Iterable[Record[Any]]) -> list[Record[Any]]:
    """Each unit once, also when it stood at two places in that time: at the later."""
    return list({unit.unit_id: unit for unit in units}.values())


def _by_name(units: Iterable[Record[Any]]) -> list[Record[Any]]:
    return sorted(_once(units), key=lambda each: alphabet.order(each.name))

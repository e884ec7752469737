"""What is due this year, which days do not count, what comes after? The calendar of the plans or of one unit."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import Final
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response
from sqlmodel import Session, col, select

from dondoc import alphabet
from engine.access import Actor, Right, can, place_of_unit, seen
from engine.due import Due, falls_due
from engine.plans import active_plans
from models.day import calendar_of
from models.unit import Placement, Unit, unit_by_code, valid
from schedules.calendars import Calendar, Day
from web import icalendar, words
from web.access import InActor, demand, needs
from web.office import InOffice, Office
from web.pages import language, page

AHEAD: Final = 18  #: months of the timeline
MONTH: Final = 30  #: its units a month: months are drawn equally wide
FIRST_YEAR, LAST_YEAR = 2000, 2100
MOST: Final = 20  #: units offered when a name fits several
ONE_DAY: Final = timedelta(days=1)
router = APIRouter()


@dataclass(frozen=True, slots=True)
class View:
    """Each part is one parameter of the address."""

    plan: str = ""
    unit: str = ""  #: a code, or a part of a name
    year: str = ""

    def href(self, path: str = "/calendar", **changes: str) -> str:
        query = urlencode({name: value for name, value in (asdict(self) | changes).items() if value})
        return f"{path}?{query}" if query else path


@dataclass(frozen=True, slots=True)
class Square:
    """A day of a month: what the calendar says of it, and what is due."""

    on: date
    is_weekend: bool
    row: Day | None
    dues: Sequence[Due]


@dataclass(frozen=True, slots=True)
class Line:
    """The months ahead of one obligation: (start, length, class) of each stretch from opening to due day."""

    title: str
    dues: Sequence[Due]
    bars: Sequence[tuple[float, float, str]]


@router.api_route("/calendar", methods=["GET", "HEAD"], dependencies=[needs(Right.SEE)])
def show_year(request: Request, office: InOffice, actor: InActor) -> Response:
    view, year = _asked(request, office)
    lang = language(request)
    with office.database.reading() as session:
        unit, fitting = _unit(session, actor, view.unit, office.today())
        plans = [(plan, revision.calendar) for plan, revision, _ in active_plans(session)]
        code = next((calendar for plan, calendar in plans if view.plan in ("", plan.code)), None)
        calendar = calendar_of(session, code) if code else None
        dues = _dues(session, office, actor, view, unit, year)
        return page(
            request,
            "year.html",
            view=view,
            year=year,
            unit=unit,
            fitting=fitting,
            plans=[plan for plan, _ in plans],
            calendar=calendar,
            working=_working(calendar, year) if calendar else 0,
            months=_months(dues, calendar, year) if calendar else [],
            dues=[each for each in dues if each.on.year == year],
            by_month=[
                (month, list(each))
                for month, each in groupby((due for due in dues if due.on.year == year), key=lambda due: due.on.month)
            ],
            rows=sorted((row for row in calendar.days.values() if row.on.year == year), key=lambda row: row.on)
            if calendar
            else [],
            heads=[_month(office.today(), number) for number in range(AHEAD)],
            lines=_lines(dues, office.today(), lang),
        )


@router.api_route("/calendar.ics", methods=["GET", "HEAD"], dependencies=[needs(Right.SEE)])
def download(request: Request, office: InOffice, actor: InActor) -> Response:
    """The due days of one unit for the reader's own calendar program, from this year on."""
    view, _ = _asked(request, office)
    with office.database.reading() as session:
        unit = unit_by_code(session, view.unit)
        if unit is None:
            raise HTTPException(404)
        demand(actor, Right.SEE, place_of_unit(session, unit.id, actor.on))
        dues = _dues(session, office, actor, view, unit, office.today().year)
        text = icalendar.written(dues, unit, office.settings.url, office.now(), language(request))
    headers = {"Content-Disposition": f'attachment; filename="{unit.code}.ics"'}
    return Response(text, media_type="text/calendar; charset=utf-8", headers=headers)


def _asked(request: Request, office: Office) -> tuple[View, int]:
    names = View.__dataclass_fields__
    view = View(**{name: words.clean(value) for name, value in request.query_params.items() if name in names})
    is_year = view.year.isascii() and view.year.isdecimal() and len(view.year) == 4
    year = int(view.year) if is_year and FIRST_YEAR <= int(view.year) <= LAST_YEAR else office.today().year
    return view, year


def _unit(session: Session, actor: Actor, asked: str, today: date) -> tuple[Unit | None, list[Unit]]:
    """The unit of this code or the only one of this name; else those that the words may mean."""
    if not asked:
        return None, []
    unit = unit_by_code(session, asked)
    if unit is not None and can(actor, Right.SEE, place_of_unit(session, unit.id, actor.on)):
        return unit, []
    query = select(Unit).join(Placement, col(Placement.unit_id) == col(Unit.id)).where(valid(today), seen(actor))
    wanted = alphabet.plain(asked)
    fitting = [unit for unit in session.exec(query) if wanted in alphabet.plain(unit.name)]
    if len(fitting) == 1:
        return fitting[0], []
    return None, sorted(fitting, key=lambda each: alphabet.order(each.name))[:MOST]


def _dues(session: Session, office: Office, actor: Actor, view: View, unit: Unit | None, year: int) -> list[Due]:
    """Those of the year and of the months ahead."""
    if view.unit and unit is None:
        return []
    today = office.today()
    ahead = _month(today, 0), _month(today, AHEAD)
    return falls_due(
        session,
        actor,
        min(date(year, 1, 1), ahead[0]),
        max(date(year + 1, 1, 1), ahead[1]),
        today=today,
        now=office.now(),
        plan_code=view.plan,
        unit_id=unit.id if unit else None,
    )


def _working(calendar: Calendar, year: int) -> int:
    return calendar.working_days(date(year, 1, 1) - ONE_DAY, date(year, 12, 31))


def _months(dues: Sequence[Due], calendar: Calendar, year: int) -> list[list[list[Square | None]]]:
    """Twelve months of weeks from Monday to Sunday."""
    on: defaultdict[date, list[Due]] = defaultdict(list)
    for due in dues:
        on[due.on].append(due)
    months = []
    for number in range(1, 13):
        first, after = date(year, number, 1), date(year + number // 12, number % 12 + 1, 1)
        days = [first + timedelta(days=n) for n in range((after - first).days)]
        squares = [Square(day, day.weekday() > 4, calendar.row(day), on[day]) for day in days]
        cells: list[Square | None] = [*[None] * first.weekday(), *squares]
        cells += [None] * (-len(cells) % 7)
        months.append([cells[week : week + 7] for week in range(0, len(cells), 7)])
    return months


def _month(today: date, number: int) -> date:
    """The first day of the month that lies so many after today's."""
    months = today.year * 12 + today.month - 1 + number
    return date(months // 12, months % 12 + 1, 1)


def _lines(dues: Sequence[Due], today: date, lang: str) -> list[Line]:
    first, after = _month(today, 0), _month(today, AHEAD)
    found: defaultdict[tuple[str, str], list[Due]] = defaultdict(list)
    for due in dues:
        if first <= due.on < after and (due.task_id or not due.is_moved):
            found[due.plan.code, due.obligation].append(due)
    return [Line(each[0].title(lang), each, [_bar(due, first) for due in each]) for each in found.values()]


def _bar(due: Due, first: date) -> tuple[float, float, str]:
    start, end = max(_place(due.opens_on, first), 0.0), _place(due.on + ONE_DAY, first)
    look = "planned" if due.cycle_id is None else "done" if _is_done(due) else "running"
    return round(start, 1), round(max(end - start, 2.0), 1), look


def _is_done(due: Due) -> bool:
    return due.state in {"accepted", "none"} or (due.state is None and due.tasks == due.accepted)


def _place(day: date, first: date) -> float:
    """Where a day stands on the line, in months of MONTH units."""
    months = (day.year - first.year) * 12 + day.month - first.month
    length = (_month(day, 1) - day.replace(day=1)).days
    return months * MONTH + (day.day - 1) / length * MONTH

"""Where on the ladder are we? One cycle: its deadlines with their steps, its tasks, who holds it up."""

from collections import defaultdict
from typing import Any, Final

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response
from sqlmodel import Session, col, select

from engine.access import Right
from engine.plans import calendar_for
from models import board
from models.cycle import Cycle
from models.deadline import FIXED, Deadline
from models.plan import Plan
from models.step import Step, StepState
from models.unit import Unit
from web import alphabet
from web.access import needs
from web.matrix import Sum
from web.office import InOffice, Number, Office
from web.pages import page
from web.states import STATES

PAGE: Final = 100  #: tasks on one page
router = APIRouter()


@router.api_route("/cycles/{cycle_id}", methods=["GET", "HEAD"], dependencies=[needs(Right.SEE)])
def show_cycle(request: Request, cycle_id: Number, office: InOffice) -> Response:
    state = request.query_params.get("state", "")
    number = request.query_params.get("page", "1")
    with office.database.reading() as session:
        cycle = session.get(Cycle, cycle_id)
        if cycle is None:
            raise HTTPException(404)
        values = read(session, office, cycle, state * (state in STATES), int(number) if number.isdecimal() else 1)
    return page(request, "cycle.html", cycle=cycle, **values)


def read(session: Session, office: Office, cycle: Cycle, state: str, number: int) -> dict[str, Any]:
    today = office.today()
    superiors: defaultdict[tuple[str, str], Sum] = defaultdict(Sum)
    total = Sum()
    for row in session.execute(board.by_superior(cycle.id or 0, today, office.now())):
        each = Sum(on_time=row.on_time, late=row.late)
        each.states[row.shown] = row.tasks
        superiors[row.code or "", row.name or ""].add(each)
        total.add(each)
    count = total.states[state] if state else total.states.total()
    number = min(max(number, 1), max(-(-count // PAGE), 1))
    query = board.listed(cycle.id or 0, today, office.now(), [state] if state else [])
    calendar = calendar_for(session, cycle)
    tasks = [
        (task, unit, deadline, shown, calendar.working_days(deadline.due_on, today) if shown == "overdue" else 0)
        for task, unit, deadline, shown in session.execute(query.limit(PAGE).offset((number - 1) * PAGE))
    ]
    deadlines = _deadlines(session, cycle)
    return {
        "plan": session.get_one(Plan, cycle.plan_id),
        "issuer": session.get_one(Unit, cycle.issuer_id),
        "fixed": [each for each in deadlines if each[0].origin in FIXED],
        "own": [each for each in deadlines if each[0].origin not in FIXED],
        "superiors": sorted(superiors.items(), key=lambda each: alphabet.order(each[0][1])),
        "total": total,
        "tasks": tasks,
        "state": state,
        "number": number,
        "pages": range(1, -(-count // PAGE) + 1),
    }


def _deadlines(session: Session, cycle: Cycle) -> list[tuple[Deadline, list[Step], int]]:
    """Each deadline with its ladder and the number of tasks on it now."""
    steps: defaultdict[int, list[Step]] = defaultdict(list)
    of_cycle = select(Deadline.id).where(col(Deadline.cycle_id) == cycle.id)
    query = select(Step).where(col(Step.deadline_id).in_(of_cycle), col(Step.state) != StepState.REPLACED.value)
    for step in session.exec(query.order_by(col(Step.on), col(Step.at), col(Step.ordinal))):
        steps[step.deadline_id].append(step)
    counts = {row.deadline_id: row.tasks for row in session.execute(board.on_deadlines(cycle.id or 0))}
    deadlines = session.exec(select(Deadline).where(col(Deadline.cycle_id) == cycle.id)).all()
    ordered = sorted(deadlines, key=lambda each: (each.due_on, each.id))
    return [(each, steps[each.id or 0], counts.get(each.id, 0)) for each in ordered]

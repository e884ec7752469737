"""Where on the ladder are we? One cycle: its deadlines with their steps, its tasks, who holds it up, and its pause."""

from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any, Final

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import and_, func
from sqlmodel import Session, col, select

from dondoc import alphabet
from engine import pause
from engine.access import Actor, Right, can, may_tasks, place_of_cycle
from engine.errors import RefusedError
from engine.plans import calendar_for
from models import board
from models.cycle import Cycle, extended
from models.deadline import FIXED, Deadline
from models.entry import Entry
from models.extension import is_left
from models.inbox import Group, in_group
from models.note import Note
from models.plan import Plan
from models.step import Step, StepState
from models.submission import Review, ReviewVerdict, Submission
from models.task import OWING, Task, TaskState
from models.unit import Unit
from web import forms
from web.access import InActor, needs
from web.done import after, stand, told_done
from web.inbox import last_told
from web.matrix import Sum
from web.office import InOffice, Number, Office
from web.pages import page
from web.states import STATES

PAGE: Final = 100  #: tasks on one page
#: Whoever still has to do something before the level above can add up; a filter beside the states.
BLOCKING: Final = "blocking"
LATE: Final = "submitted_late"  #: as a filter also what was accepted since: who was late?
_BLOCKING: Final = ("overdue", "returned", "not_due")
router = APIRouter()


@router.api_route("/cycles/{cycle_id}", methods=["GET", "HEAD"], dependencies=[needs(Right.SEE)])
def show_cycle(request: Request, cycle_id: Number, office: InOffice, actor: InActor) -> Response:
    return _cycle_page(request, office, actor, cycle_id)


@router.post("/cycles/{cycle_id}/pause", dependencies=[needs(Right.CHASE)])
def pause_cycle(request: Request, cycle_id: Number, office: InOffice, actor: InActor, form: forms.Form) -> Response:
    return _done(request, office, actor, cycle_id, pause.pause, forms.text(form, "note"))


@router.post("/cycles/{cycle_id}/resumption", dependencies=[needs(Right.CHASE)])
def resume_cycle(request: Request, cycle_id: Number, office: InOffice, actor: InActor, form: forms.Form) -> Response:
    return _done(request, office, actor, cycle_id, pause.resume, forms.text(form, "note"))


def _done(
    request: Request, office: Office, actor: Actor, cycle_id: int, act: Callable[..., Cycle], note: str
) -> Response:
    """Does the act and goes back to the cycle; a refusal shows the page again with what was typed."""
    try:
        with office.database.writing() as session:
            cycle, _ = _seen(session, actor, cycle_id)
            if not can(actor, Right.CHASE, place_of_cycle(session, cycle, actor.on)):
                raise HTTPException(403)
            before = stand(session)
            act(session, cycle_id, by=actor.by, note=note, now=office.now())
            back = after(session, actor, f"/cycles/{cycle_id}", before)
    except RefusedError as error:
        return _cycle_page(request, office, actor, cycle_id, refused=error, typed={"note": note})
    return RedirectResponse(back, 303)


def _seen(session: Session, actor: Actor, cycle_id: int) -> tuple[Cycle, bool]:
    """The cycle, and whether all of it is seen: by who sees the issuer. Who sees a task of it sees that much of it."""
    cycle = session.get(Cycle, cycle_id)
    if cycle is None:
        raise HTTPException(404)
    if can(actor, Right.SEE, place_of_cycle(session, cycle, actor.on)):
        return cycle, True
    own = select(Task.id).where(col(Task.cycle_id) == cycle_id, may_tasks(actor, Right.SEE)).limit(1)
    if session.exec(own).first() is None:
        raise HTTPException(404)
    return cycle, False


def _cycle_page(
    request: Request,
    office: Office,
    actor: Actor,
    cycle_id: int,
    *,
    refused: RefusedError | None = None,
    typed: dict[str, str] | None = None,
) -> Response:
    state = request.query_params.get("state", "")
    number = request.query_params.get("page", "1")
    with office.database.reading() as session:
        cycle, is_whole = _seen(session, actor, cycle_id)
        here = int(number) if number.isascii() and number.isdigit() and len(number) < 7 else 1
        values = read(session, office, actor, cycle, state * (state in STATES or state == BLOCKING), here)
        values["may_pause"] = can(actor, Right.CHASE, place_of_cycle(session, cycle, actor.on))
        values["done"] = told_done(session, request, actor)
    values |= {"is_whole": is_whole, "refused": refused, "typed": typed or {}}
    return page(request, "cycle.html", status=422 if refused else 200, cycle=cycle, **values)


def read(session: Session, office: Office, actor: Actor, cycle: Cycle, state: str, number: int) -> dict[str, Any]:
    today, now, seen = office.today(), office.now(), may_tasks(actor, Right.SEE)
    superiors: defaultdict[tuple[str, str], Sum] = defaultdict(Sum)
    total = Sum()
    for row in session.execute(board.by_superior(cycle.id, today, now).where(seen)):
        each = Sum(on_time=row.on_time, late=row.late)
        each.states[row.shown] = row.tasks
        superiors[row.code or "", row.name or ""].add(each)
        total.add(each)
    states = _BLOCKING if state == BLOCKING else (state,) if state else ()
    blocking = sum(total.states[each] for each in _BLOCKING)
    accepted_late = select(func.count()).where(col(Task.cycle_id) == cycle.id, board.IS_ACCEPTED_LATE, seen)
    came_late = total.states[LATE] + session.exec(accepted_late).one()
    count = came_late if state == LATE else sum(total.states[each] for each in states or total.states)
    number = min(max(number, 1), max(-(-count // PAGE), 1))
    query = board.listed(cycle.id, today, now, states).where(seen)
    calendar = calendar_for(session, cycle)
    tasks = [
        (task, unit, deadline, shown, calendar.working_days(deadline.due_on, today) if shown == "overdue" else 0)
        for task, unit, deadline, shown in session.execute(query.limit(PAGE).offset((number - 1) * PAGE))
    ]
    deadlines = _deadlines(session, cycle, actor)
    mine = and_(in_group(Group.OWING, today, now), col(Task.cycle_id) == cycle.id, may_tasks(actor, Right.CHASE))
    return {
        "plan": session.get_one(Plan, cycle.plan_id),
        "issuer": session.get_one(Unit, cycle.issuer_id),
        "fixed": [each for each in deadlines if each[0].origin in FIXED],
        "own": [each for each in deadlines if each[0].origin not in FIXED],
        "fired": _fired(session, cycle),
        "superiors": sorted(superiors.items(), key=lambda each: alphabet.order(each[0][1])),
        "extended": {row.code or "": row.tasks for row in session.execute(extended(cycle.id).where(seen))},
        "to_remind": session.exec(select(func.count()).select_from(Task).where(mine)).one(),
        "total": total,
        "tasks": tasks,
        "situations": _situations(session, tasks),
        "state": state,
        "blocking": blocking,
        "counts": total.states | Counter({LATE: came_late}),
        "number": number,
        "pages": range(1, -(-count // PAGE) + 1),
    }


def _situations(session: Session, tasks: list[Any]) -> dict[int, dict[str, Any]]:
    """Of those who hold it up: the last message, what they promised, what was wrong with what came."""
    owing = [task.id for task, *_ in tasks if task.state in OWING]
    told = last_told(session, owing)
    promised = select(Note).where(col(Note.task_id).in_(owing), col(Note.promised_on).is_not(None))
    notes = {note.task_id: note for note in session.exec(promised.order_by(col(Note.id)))}
    returned = [task.id for task, *_ in tasks if task.state == TaskState.RETURNED]
    reviews = (
        select(Submission.task_id, Review.reason)
        .join(Submission, col(Submission.id) == col(Review.submission_id))
        .where(col(Submission.task_id).in_(returned), col(Review.verdict) == ReviewVerdict.RETURNED.value)
        .order_by(col(Review.id))
    )
    reasons = dict(session.exec(reviews).all())
    return {id_: {"told": told.get(id_), "note": notes.get(id_), "reason": reasons.get(id_)} for id_ in owing}


def _fired(session: Session, cycle: Cycle) -> dict[int, Entry]:
    """The journal's entry of each step that has fired."""
    query = select(Entry).where(col(Entry.cycle_id) == cycle.id, col(Entry.act) == "fired")
    return {entry.data["step"]: entry for entry in session.exec(query)}


def _deadlines(session: Session, cycle: Cycle, actor: Actor) -> list[tuple[Deadline, list[Step], int, int]]:
    """Each deadline with its ladder, the number of tasks on it now, and of those how many owe still."""
    steps: defaultdict[int, list[Step]] = defaultdict(list)
    of_cycle = select(Deadline.id).where(col(Deadline.cycle_id) == cycle.id)
    query = select(Step).where(col(Step.deadline_id).in_(of_cycle), col(Step.state) != StepState.REPLACED.value)
    for step in session.exec(query.order_by(col(Step.on), col(Step.at), col(Step.ordinal))):
        steps[step.deadline_id].append(step)
    seen = may_tasks(actor, Right.SEE)
    counts = {row.deadline_id: row.tasks for row in session.execute(board.on_deadlines(cycle.id).where(seen))}
    is_owing = col(Task.state).in_([state.value for state in OWING])
    owing = {row.deadline_id: row.tasks for row in session.execute(board.on_deadlines(cycle.id).where(seen, is_owing))}
    deadlines = session.exec(select(Deadline).where(col(Deadline.cycle_id) == cycle.id)).all()
    left = set(session.exec(select(Deadline.id).where(col(Deadline.cycle_id) == cycle.id, is_left())))
    ordered = sorted(deadlines, key=lambda each: (each.due_on, each.id))
    found = [(each, steps[each.id], counts.get(each.id, 0), owing.get(each.id, 0)) for each in ordered]
    everything = "" in actor.paths(Right.SEE)
    # Of a day that was decided for some unit a reader knows only when that unit is theirs to see.
    return [each for each in found if each[2] or (each[0].id not in left and (each[0].origin in FIXED or everything))]

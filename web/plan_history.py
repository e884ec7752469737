"""Who changed a plan, when and why? Its revisions, what each changed, and the way back."""

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response

from engine import history
from engine.access import Right
from engine.errors import RefusedError
from engine.plans import plan_of
from web.access import InActor, needs
from web.done import told_done
from web.office import InOffice, Number
from web.pages import page
from web.plan_dates import titles
from web.plans import found, names_of

SHOWN = 200  #: changes of one revision
router = APIRouter(dependencies=[needs(Right.MANAGE)])


@router.api_route("/plans/{plan}/history", methods=["GET", "HEAD"])
def show_history(request: Request, plan: str, office: InOffice, actor: InActor) -> Response:
    with office.database.reading() as session:
        opened = found(session, actor, plan)
        rows = history.revisions(session, plan)
        names = names_of(session, [by for row in rows for by in (row.by, row.agreed_by) if by])
        done = told_done(session, request, actor)
    return page(request, "plan_history.html", opened=opened, rows=rows, names=names, done=done)


@router.api_route("/plans/{plan}/revisions/{number}", methods=["GET", "HEAD"])
def show_revision(request: Request, plan: str, number: Number, office: InOffice, actor: InActor) -> Response:
    with office.database.reading() as session:
        opened = found(session, actor, plan)
        try:
            step = history.step(session, plan, number, office.settings.zone)
        except RefusedError as error:
            raise HTTPException(404) from error
        names = names_of(session, [by for by in (step.after.by, step.after.agreed_by) if by])
        policy = history.policy_of(session, plan, step.after) if step.before else None
        before = plan_of(session, step.before.id) if step.before else None
        obligations = titles(plan_of(session, step.after.id), before)
    return page(
        request,
        "plan_revision.html",
        policy=policy,
        opened=opened,
        step=step,
        changes=(step.changes or ())[:SHOWN],
        obligations=obligations,
        names=names,
    )


@router.api_route("/plans/{plan}/revisions/{number}/file", methods=["GET", "HEAD"])
def download_revision(plan: str, number: Number, office: InOffice, actor: InActor) -> Response:
    """The text of a revision as a file."""
    with office.database.reading() as session:
        found(session, actor, plan)
        row = next((each for each in history.revisions(session, plan) if each.number == number), None)
    if row is None:
        raise HTTPException(404)
    headers = {"Content-Disposition": f'attachment; filename="{plan}.{number}.yaml"'}
    return Response(row.text.encode(), media_type="application/yaml", headers=headers)

"""Which contacts should somebody look at? Units that nobody can be told of, addresses held twice, who leaves soon."""

from datetime import timedelta

from fastapi import APIRouter, Request
from fastapi.responses import Response

from dondoc.alphabet import order
from engine import reachable
from engine.access import Right
from web.access import InActor, needs
from web.office import InOffice
from web.pages import page

router = APIRouter(dependencies=[needs(Right.CHASE)])


@router.api_route("/units/contacts", methods=["GET", "HEAD"])
def show_contacts(request: Request, office: InOffice, actor: InActor) -> Response:
    given = {"now": office.now(), "zone": office.settings.zone}
    with office.database.reading() as session:
        silent = reachable.unreachable(session, actor, **given)  # type: ignore[arg-type]
        twice = reachable.doubled(session, actor, **given)  # type: ignore[arg-type]
        leaving = reachable.leaving(session, actor, **given)  # type: ignore[arg-type]
    return page(
        request,
        "unit_contacts.html",
        silent=sorted(silent, key=lambda row: (order(row.name), row.code)),
        doubled=twice,
        leaving=leaving,
        day_before=lambda day: day - timedelta(days=1),
    )

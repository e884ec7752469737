"""Which pages are there? The application, put together for one database and its settings."""

from functools import cache
from pathlib import Path
from typing import Final

from fastapi import APIRouter, FastAPI
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.routing import BaseRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from dondoc.database import Database
from dondoc.keys import secret_key
from dondoc.settings import TRIAL_ZALO, Settings
from web import (
    access,
    account,
    asks,
    behind,
    board,
    bulk,
    calendars,
    cycles,
    downloads,
    duties,
    health,
    inbox,
    journal,
    live,
    messages,
    milestones,
    oidc,
    people,
    people_review,
    plan_dates,
    plan_editor,
    plan_form,
    plan_history,
    plans,
    playground,
    proposals,
    reorganise,
    sign_in,
    submissions,
    tasks,
    trial,
    unit_asks,
    unit_changes,
    unit_contacts,
    units,
    units_import,
    verify,
    views,
    ways,
    webhooks,
    wording,
    wrong_person,
    year,
    zalo,
)
from web.errors import answer_errors, refusal
from web.log import mask_access_log
from web.office import Office, Player
from web.protection import MAX_BODY, Protection

STATIC: Final = Path(__file__).parent / "static"
#: For everybody, for whoever has a link, and for what is signed.
OPEN: Final = (submissions, unit_asks, duties, behind, wrong_person, verify, health, trial, webhooks)
#: The way in, what everybody keeps for themselves, and Zalo: each route says for whom.
OWN: Final = (sign_in, oidc, account, zalo)
OFFICE: Final = (
    board,
    cycles,
    tasks,
    downloads,
    live,
    playground,
    units_import,
    unit_contacts,
    unit_changes,
    units,
    reorganise,
    views,
    ways,
    people_review,
    people,
    inbox,
    bulk,
    asks,
    messages,
    journal,
    year,
    plans,
    plan_dates,
    plan_history,
    proposals,
    calendars,
    milestones,
    plan_editor,
    plan_form,
    wording,
)  #: pages for users of the office


def create_app(
    database: Database, settings: Settings, player: Player | None = None, trial_zalo: ASGIApp | None = None
) -> FastAPI:
    """`player` lets the sample units of a playground act while its clock moves, `trial_zalo` is the Zalo of it."""
    oidc.check(settings)
    app = FastAPI(
        title="dondoc", routes=[*_pages()], docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False
    )
    app.state.office = Office(database, settings, secret_key(settings.key), player)
    app.state.office.waiting.listen(database.engine)
    app.state.live = live.Live(app.state.office)
    app.add_middleware(RequestBodyLimitMiddleware, max_body_size=MAX_BODY)
    app.add_middleware(Protection, refuse=refusal)  # the outermost: nothing gets out without its headers
    answer_errors(app)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    access.check_routes(app)
    if trial_zalo is not None:  # no page of the office: it stands for servers elsewhere, to which people write
        app.mount(TRIAL_ZALO, trial_zalo)
    mask_access_log()
    return app


@cache
def _pages() -> tuple[BaseRoute, ...]:
    """What every application of this process answers; FastAPI takes longer to work it out than a page takes."""
    pages = APIRouter()
    for room in OPEN:
        pages.include_router(room.router, dependencies=[access.OpenToAll])
    for room in (*OWN, *OFFICE):
        pages.include_router(room.router)
    return tuple(pages.routes)

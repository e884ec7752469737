"""Who is it, and may they? Every route declares what it needs; what it shows is asked for piece by piece."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

from engine import access, sign_in
from engine.access import Actor, Place, Right, can
from engine.sign_in import Visitor
from web import trial
from web.cookies import session_token
from web.errors import NoWayInError
from web.office import InOffice, Office

#: Where somebody goes who has not said who they are, or not yet shown the second factor.
SIGN_IN: Final = "/sign-in"
GIVE_CODE: Final = "/sign-in/code"
SET_UP: Final = "/account/second-factor"
STREAM: Final = "text/event-stream"


def open_to_all() -> None:
    """Declares a route that needs no user: it has a key of its own in the address, or no secret to show."""


OpenToAll: Final = Depends(open_to_all)


def visitor_of(request: Request, office: Office) -> Visitor | None:
    """Whose session the request belongs to, if any; the second factor may still be missing."""
    token = session_token(request)
    if not token:
        return None
    with office.database.reading() as session:
        return sign_in.whose(session, token, office.lasting, office.wall())


def actor_of(request: Request, office: Office) -> Actor:
    """Who acts. Raises NoWayInError when nobody has signed in; a playground needs no sign-in."""
    found = visitor_of(request, office)
    if found is None:
        if office.is_demo:
            return trial.actor(request, office)
        raise NoWayInError(SIGN_IN)
    if not found.is_whole:
        raise NoWayInError(GIVE_CODE if found.user.totp else SET_UP)
    with office.database.reading() as session:
        actor = access.actor_of(session, found.user, office.today())
    request.state.visitor = found
    return actor


def acting(request: Request, office: InOffice) -> Actor:
    """As `actor_of`; and whoever asks for a page is using the session, but not a page that keeps itself up to date."""
    actor = actor_of(request, office)
    request.state.actor = actor
    if actor.user_id is not None and not _asks_by_itself(request):
        sign_in.see(office.database, request.state.visitor.sign_in, office.wall())
    return actor


def _asks_by_itself(request: Request) -> bool:
    """The stream of a page that stands open, and what the page fetches when the stream tells of a change."""
    return STREAM in request.headers.get("accept", "") or "hx-request" in request.headers


InActor = Annotated[Actor, Depends(acting)]


def needs(right: Right) -> Any:
    """Declares what a route needs somewhere at all; where, the route asks of each thing with `demand`."""

    def declared(actor: InActor) -> None:
        if not actor.holds(right):
            raise HTTPException(403)

    declared.right = right  # type: ignore[attr-defined]
    return Depends(declared)


def visiting(request: Request, office: InOffice) -> Visitor:
    """Whoever has signed in with a password, for the pages on which the second factor is given or set up."""
    found = visitor_of(request, office)
    if found is None:
        raise NoWayInError(SIGN_IN)
    request.state.visitor = found
    return found


InVisitor = Annotated[Visitor, Depends(visiting)]
#: Declares a page of the user's own account: whoever has signed in may see it, whatever their role.
OwnAccount: Final = Depends(visiting)


def demand(actor: Actor, right: Right, place: Place) -> None:
    """404 for what the actor may not see, 403 for what they may see and not do."""
    if not can(actor, Right.SEE, place):
        raise HTTPException(404)
    if not can(actor, right, place):
        raise HTTPException(403)


@dataclass(frozen=True, slots=True)
class Declared:
    """A route and what it declares: a Right, "all" for everybody, "own" for whoever has signed in; None: nothing."""

    path: str
    methods: frozenset[str]
    need: str | None


def check_routes(app: FastAPI) -> None:
    """A route that declares nothing stops the application from starting."""
    silent = [route.path for route in routes_of(app.routes) if route.need is None]
    if silent:
        raise RuntimeError(f"expected each route to declare what it needs, got nothing from: {', '.join(silent)}")


def routes_of(routes: Iterable[BaseRoute], around: Sequence[Any] = ()) -> Iterator[Declared]:
    """Every route of the application; `around`: what the routers declare in which it stands."""
    for route in routes:
        if isinstance(route, APIRoute):
            calls = [each.call for each in route.dependant.dependencies] + [each.dependency for each in around]
            yield Declared(route.path, frozenset(route.methods or ()), _need(calls))
        elif hasattr(route, "original_router"):  # how newer versions of FastAPI keep a router that is included
            included: Any = route
            inside = [*around, *included.include_context.dependencies]
            yield from routes_of(included.original_router.routes, inside)
        elif not (isinstance(route, Mount) and isinstance(route.app, StaticFiles)):
            yield Declared(getattr(route, "path", repr(route)), frozenset(), None)


def _need(calls: Sequence[Callable[..., Any] | None]) -> str | None:
    rights = [str(right) for call in calls if (right := getattr(call, "right", None))]
    if rights:
        return rights[-1]
    return "own" if visiting in calls else "all" if open_to_all in calls else None

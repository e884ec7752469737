"""Who is it, and may they? Every route declares what it needs; what it shows is asked for piece by piece."""

from collections.abc import Callable, Iterable
from typing import Annotated, Any, Final

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.routing import APIRoute

from engine.access import Actor, Place, Right, can, everything
from web.errors import NoWayInError
from web.gate import is_let_in
from web.office import InOffice

#: How the journal names the clerk of a playground, where nobody signs in.
CLERK: Final = "office"


def open_to_all() -> None:
    """Declares a route that needs no user: it has a key of its own in the address, or no secret to show."""


OpenToAll: Final = Depends(open_to_all)


def actor_of(request: Request, office: InOffice) -> Actor:
    """Who acts. Raises NoWayInError when nobody has signed in."""
    if not is_let_in(request, office):
        raise NoWayInError(401)
    return everything(CLERK, "")


InActor = Annotated[Actor, Depends(actor_of)]


def needs(right: Right) -> Any:
    """Declares what a route needs somewhere at all; where, the route asks of each thing with `demand`."""

    def declared(actor: InActor) -> None:
        if not actor.holds(right):
            raise HTTPException(403)

    declared.right = right  # type: ignore[attr-defined]
    return Depends(declared)


def demand(actor: Actor, right: Right, place: Place) -> None:
    """404 for what the actor may not see, 403 for what they may see and not do."""
    if not can(actor, Right.SEE, place):
        raise HTTPException(404)
    if not can(actor, right, place):
        raise HTTPException(403)


def check_routes(app: FastAPI) -> None:
    """A route that declares nothing stops the application from starting."""
    silent = [route.path for route in _routes(app) if not _declares(route)]
    if silent:
        raise RuntimeError(f"expected each route to declare what it needs, got nothing from: {', '.join(silent)}")


def _routes(app: FastAPI) -> Iterable[APIRoute]:
    return (route for route in app.routes if isinstance(route, APIRoute))


def _declares(route: APIRoute) -> bool:
    calls: list[Callable[..., Any] | None] = [each.call for each in route.dependant.dependencies]
    return any(call is open_to_all or hasattr(call, "right") for call in calls)

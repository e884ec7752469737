"""What has just changed? One stream a page: told that something did, the page looks again.

One look a second at the journal serves all who listen, and nothing is looked at while nobody does. What a listener may
not see is not named to it. Whoever cannot listen (no JavaScript, too many listeners) reloads the page.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Annotated, Any, Final

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import Response, StreamingResponse
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from engine.access import Actor, Right, seen
from models import change
from web.access import STREAM, InActor, actor_of, needs
from web.errors import NoWayInError
from web.office import InOffice, Office

EVERY: Final = 1.0  #: seconds between two looks
BEAT: Final = 20.0  #: seconds of silence after which the line is shown to be alive, and the session is looked at
MAX_LISTENERS: Final = 200  #: of one process
MAX_OF_ONE: Final = 20  #: of one user
RETRY_MS: Final = 5_000

Id = Annotated[int, Query(ge=0, le=2**31 - 1)]
router = APIRouter()
logger = logging.getLogger("dondoc.web")


@dataclass(slots=True)
class Change:
    """What a look found. `is_all`: another day, an act on more than tasks, or too much to name."""

    tasks: set[int] = field(default_factory=set)
    cycles: set[int] = field(default_factory=set)
    is_all: bool = False

    def add(self, other: "Change") -> None:
        self.tasks |= other.tasks
        self.cycles |= other.cycles
        self.is_all |= other.is_all

    def __bool__(self) -> bool:
        return bool(self.tasks or self.cycles or self.is_all)

    def event(self) -> str:
        told = {"tasks": sorted(self.tasks), "cycles": sorted(self.cycles), "all": self.is_all}
        return f"event: changed\ndata: {json.dumps(told)}\n\n"


@dataclass(eq=False, slots=True)
class Listener:
    """One open page: what its reader may see, and what it is about (0: anything)."""

    actor: Actor
    plan_id: int = 0
    cycle_id: int = 0
    task_id: int = 0
    is_gone: bool = False
    pending: Change = field(default_factory=Change)
    woken: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self, change: Change) -> None:
        if change:
            self.pending.add(change)
            self.woken.set()

    def end(self) -> None:
        self.is_gone = True
        self.woken.set()

    def take(self) -> Change:
        taken, self.pending = self.pending, Change()
        self.woken.clear()
        return taken


class Live:
    """Who listens in this process, and the one look for all of them."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.listeners: set[Listener] = set()
        self.looking: asyncio.Task[None] | None = None
        self.number = 0
        self.day = date.min

    def has_room(self, actor: Actor) -> bool:
        own = sum(each.actor.by == actor.by for each in self.listeners) if actor.user_id else 0
        return len(self.listeners) < MAX_LISTENERS and own < MAX_OF_ONE

    async def join(self, listener: Listener, since: int | None, day: date | None) -> None:
        """Tells at once what has come since the page was drawn, after entry `since` on `day`."""
        self.listeners.add(listener)  # before the look, so that nothing falls between this one and the next
        number, today = await asyncio.to_thread(self._standing)
        if since is not None and (since < number or day != today):
            found = await asyncio.to_thread(self._look, since, [listener])
            listener.tell(Change(is_all=True) if day not in (None, today) else found[listener])
        if self.looking is None or self.looking.done():
            self.number, self.day = number, today
            self.looking = asyncio.create_task(self._keep_looking())

    def leave(self, listener: Listener) -> None:
        self.listeners.discard(listener)
        if not self.listeners and self.looking is not None:
            self.looking.cancel()
            self.looking = None

    def close(self) -> None:
        """Ends every stream: the server is going down and would wait for them."""
        for listener in self.listeners:
            listener.end()

    async def look(self) -> None:
        """One look for all listeners."""
        number, today = await asyncio.to_thread(self._standing)
        if today != self.day:
            for listener in self.listeners:
                listener.tell(Change(is_all=True))
        elif number != self.number:
            listeners = list(self.listeners)
            for listener, found in (await asyncio.to_thread(self._look, self.number, listeners)).items():
                listener.tell(found)
        self.number, self.day = number, today

    async def _keep_looking(self) -> None:
        while self.listeners:
            await asyncio.sleep(EVERY)
            try:
                await self.look()
            except DBAPIError:  # a database that restarts is asked again; the pages stay as they are meanwhile
                logger.warning("no look at the journal", exc_info=True)

    def _standing(self) -> tuple[int, date]:
        with self.office.database.reading() as session:
            return session.execute(change.newest()).scalar_one(), self.office.today()

    def _look(self, after: int, listeners: Collection[Listener]) -> dict[Listener, Change]:
        with self.office.database.reading() as session:
            rows = session.execute(change.changed(after)).all()
            is_all = len(rows) > change.MOST or any(row.cycle_id is None for row in rows)
            known: dict[frozenset[str], Change] = {}
            found = {}
            for listener in listeners:
                paths = listener.actor.paths(Right.SEE)
                if paths not in known:
                    known[paths] = _visible(session, listener.actor, rows)
                found[listener] = _about(listener, known[paths], rows, is_all=is_all)
            return found


def _visible(session: Session, actor: Actor, rows: Collection[Any]) -> Change:
    """What of the rows the actor may see."""
    tasks = {row.task_id for row in rows if row.task_id is not None}
    cycles = {row.cycle_id for row in rows if row.cycle_id is not None and row.task_id is None}
    if "" in actor.paths(Right.SEE):
        return Change(tasks, cycles)
    own = session.execute(change.tasks_among(tasks, partial(seen, actor))).scalars()
    theirs = session.execute(change.cycles_among(cycles, seen(actor))).scalars()
    return Change(set(own), set(theirs))


def _about(listener: Listener, visible: Change, rows: Collection[Any], *, is_all: bool) -> Change:
    """What of the visible changes the listener's page is about."""
    about = Change(is_all=is_all)
    for row in rows:
        is_seen = row.cycle_id in visible.cycles if row.task_id is None else row.task_id in visible.tasks
        wanted = ((listener.plan_id, row.plan_id), (listener.cycle_id, row.cycle_id))
        is_of_task = not listener.task_id or row.task_id in (None, listener.task_id)
        if is_seen and is_of_task and all(not one or one == other for one, other in wanted):
            about.cycles.add(row.cycle_id)
            about.tasks.update(() if row.task_id is None else (row.task_id,))
    return about


@router.get("/live", dependencies=[needs(Right.SEE)])
async def listen(
    request: Request,
    office: InOffice,
    actor: InActor,
    plan: Id = 0,
    cycle: Id = 0,
    task: Id = 0,
    since: Id | None = None,
    day: date | None = None,
) -> Response:
    """`changed` for what this reader may see of the plan, cycle or task; `ended` when the session is over."""
    if STREAM not in request.headers.get("accept", ""):
        raise HTTPException(406)  # a stream has no end: whoever cannot read one would wait for ever
    live: Live = request.app.state.live
    if not live.has_room(actor):
        raise HTTPException(503, headers={"Retry-After": "60"})
    told = _told(
        live, Listener(actor, plan, cycle, task), since, day, partial(_is_still_let_in, request, office, actor)
    )
    return StreamingResponse(told, media_type=STREAM, headers={"X-Accel-Buffering": "no"})


async def _told(
    live: Live, listener: Listener, since: int | None, day: date | None, is_still_let_in: Callable[[], bool]
) -> AsyncIterator[str]:
    loop = asyncio.get_running_loop()
    asked = loop.time()
    try:
        yield f"retry: {RETRY_MS}\n\n"
        await live.join(listener, since, day)
        while not listener.is_gone:
            is_silent = not await _wakes(listener)
            if loop.time() - asked >= BEAT or is_silent:
                if not await asyncio.to_thread(is_still_let_in):
                    yield "event: ended\ndata: {}\n\n"
                    return
                asked = loop.time()
            found = listener.take()
            yield found.event() if found else ":\n\n"
    finally:
        live.leave(listener)


async def _wakes(listener: Listener) -> bool:
    try:
        await asyncio.wait_for(listener.woken.wait(), BEAT)
    except TimeoutError:
        return False
    return True


def _is_still_let_in(request: Request, office: Office, actor: Actor) -> bool:
    """The session has not ended, and means the same rights."""
    try:
        return actor_of(request, office) == actor
    except NoWayInError:
        return False

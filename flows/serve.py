"""How do the flows stay alive? `dondoc flows` waits for Prefect's server, registers, runs what is due, stops clean."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Coroutine
from datetime import datetime, timedelta
from typing import Any, Final

from dondoc import clock
from dondoc.clock import today
from dondoc.database import Database
from dondoc.settings import Settings
from flows import environment, straight_here

FIRST_ROUND: Final = timedelta(seconds=15)  # the server looks for new schedules every 5 seconds
#: A run that has not ended this long after SIGTERM ends with us; what it was doing, the next round finds in our tables.
GRACE_SECONDS: Final = 1.5
ROUND: Final = "round"
EVERY_FIVE_MINUTES: Final = "*/5 * * * *"


def main(settings: Settings, first: datetime | None = None) -> int:
    """Runs until SIGTERM or SIGINT. `first` is the moment of the round that catches up, by default in some seconds.

    What the environment already says about Prefect wins: that is how several machines share one server.
    """
    os.environ.update({**environment(settings), **os.environ, **straight_here()})
    return asyncio.run(_until_told(_serve(settings, first)))


async def _until_told(work: Coroutine[Any, Any, None]) -> int:
    """Does the work in a thread: in the main one Prefect takes SIGTERM to itself while a flow runs."""
    told, begun = asyncio.Event(), list[tuple[asyncio.AbstractEventLoop, asyncio.Task[None]]]()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)

    async def begin() -> None:
        begun.append((asyncio.get_running_loop(), asyncio.create_task(work)))
        with contextlib.suppress(asyncio.CancelledError):
            await begun[0][1]

    working, stopped = asyncio.create_task(asyncio.to_thread(asyncio.run, begin())), asyncio.create_task(told.wait())
    await asyncio.wait([working, stopped], return_when=asyncio.FIRST_COMPLETED)
    if working.done():
        stopped.cancel()
        working.result()
        return 1  # nobody asked it to end
    for loop, task in begun:
        loop.call_soon_threadsafe(task.cancel)
    await asyncio.wait([working], timeout=GRACE_SECONDS)
    if not working.done():
        os._exit(0)  # a thread cannot be killed, but its process can
    return 0


async def _serve(settings: Settings, first: datetime | None) -> None:
    # Here, not above: prefect reads its environment when it is imported.
    from prefect.client.orchestration import get_client

    from flows.runs import bury, run_what_is_due

    async with get_client() as client:
        while await client.api_healthcheck() is not None:
            await asyncio.sleep(0.5)
        await bury(client)
        await register(client, settings, first or clock.now() + FIRST_ROUND)
        await run_what_is_due(client)


async def register(client: Any, office: Settings, first: datetime) -> None:
    """Makes the deployments what they should be; again changes nothing but the moment of the first round.

    A round at `first` catches up with what was missed while nothing ran. With a demo clock nothing is scheduled: time
    passes there when somebody moves it. No concurrency limit of Prefect's own: its slot outlives a killed run and then
    holds up every later round. We take one run at a time, and our unique keys make two at once harmless.
    """
    from prefect.schedules import Cron

    from flows.deployments import at, follow, put
    from flows.round import one_round
    from flows.triggers import TAG

    always = [Cron(EVERY_FIVE_MINUTES, timezone=office.zone), at([first], office.zone)]
    schedules = [] if office.clock.exists() else always
    round_id = await put(
        client, one_round, ROUND, schedules=schedules, tags=[TAG], description=one_round.description or ""
    )
    with contextlib.closing(Database(office.database)) as database:
        await follow(client, round_id, office, database, today(clock.now(office.clock), office.zone))

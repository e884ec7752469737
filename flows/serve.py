"""How do the flows stay alive? `dondoc flows` waits for Prefect's server, registers, runs what is due, stops clean."""

import asyncio
import contextlib
import multiprocessing
import os
import signal
from collections.abc import Coroutine
from datetime import datetime, timedelta
from typing import Any, Final

from dondoc import clock
from dondoc.settings import Settings
from flows import environment

POLL_SECONDS: Final = 5
FIRST_ROUND: Final = timedelta(seconds=15)  # the server looks for new schedules every 5 seconds
#: A run that has not ended this long after SIGTERM is killed; what it was doing, the next round finds in our tables.
GRACE_SECONDS: Final = 1.0


def main(settings: Settings, first: datetime | None = None) -> int:
    """Runs until SIGTERM or SIGINT. `first` is the moment of the round that catches up, by default in some seconds.

    What the environment already says about Prefect wins: that is how several machines share one server.
    """
    for name, value in environment(settings).items():
        os.environ.setdefault(name, value)
    return asyncio.run(_until_told(_serve(settings, first)))


async def _until_told(work: Coroutine[Any, Any, None]) -> int:
    running = asyncio.create_task(work)
    _listen(running)
    try:
        await running
    except asyncio.CancelledError:
        return 0
    return 1  # nobody asked it to end


def _listen(running: asyncio.Task[None]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, running.cancel)


async def _serve(settings: Settings, first: datetime | None) -> None:
    # Here, not above: prefect reads its environment when it is imported.
    from prefect.runner import Runner

    from flows.deployments import apply

    await _answering()
    # pause_on_shutdown would delete the coming runs of every deployment each time we stop.
    runner = Runner(name="dondoc", query_seconds=POLL_SECONDS, limit=1, pause_on_shutdown=False)
    await apply(runner, settings, first or clock.now() + FIRST_ROUND)
    polling = asyncio.create_task(runner.start())
    await asyncio.sleep(0)
    # The runner has just set its own handler, which leaves through sys.exit in the middle of the loop.
    serving = asyncio.current_task()
    assert serving is not None
    _listen(serving)
    try:
        await asyncio.shield(polling)
    finally:
        await _stop(runner, polling)


async def _answering() -> None:
    """Returns when Prefect's server does."""
    from prefect.client.orchestration import get_client

    async with get_client() as client:
        while await client.api_healthcheck() is not None:
            await asyncio.sleep(0.5)


async def _stop(runner: Any, polling: asyncio.Task[None]) -> None:
    if runner.started:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(runner.astop(), GRACE_SECONDS)
    for run in multiprocessing.active_children():
        run.kill()
    polling.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await polling

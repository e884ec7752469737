"""Who runs what Prefect has scheduled? We do, in this process, one run after another.

Prefect's own Runner starts a process for every run, and that start alone costs some hundred times what a quiet round
does (docs/decisions/0005-prefect-thin.md has the figures).
"""

import asyncio
import socket
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
    FlowRunFilterTags,
)
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.flow_engine import run_flow_async
from prefect.flows import Flow
from prefect.logging import get_logger
from prefect.states import Cancelled, Crashed, Pending

from dondoc import clock
from flows.deployments import registered
from flows.opening import opening
from flows.round import one_round
from flows.triggers import TAG

#: How long a run that somebody starts by hand on Prefect's page may have to wait.
POLL_SECONDS: Final = 10.0
AHEAD: Final = timedelta(minutes=2)
BREATH: Final = 0.5  #: seconds between two looks when there is work
MACHINE: Final = "dondoc.machine"  #: the label of a run that says where it was taken
LONGEST: Final = timedelta(hours=1)  #: no run of ours takes that long


async def run_what_is_due(client: PrefectClient) -> None:
    """Never returns. While Prefect does not answer it asks again; what was missed, the next round catches up with."""
    log, deployments = get_logger("dondoc"), list[UUID]()
    while True:
        wait = POLL_SECONDS
        try:
            deployments = deployments or [each.id for each in await registered(client)]
            coming = await client.get_scheduled_flow_runs_for_deployments(deployments, clock.now() + AHEAD)
            due = await latest(client, [run for run in coming if moment_of(run) <= clock.now()])
            for run in due:
                await run_here(client, run)
                deployments = []  # a round may have made or removed some
            wait = BREATH if due else min([wait, *(_seconds_to(run) for run in coming)])
        except Exception:  # whatever it is, the rounds must go on
            log.exception("Prefect")
        await asyncio.sleep(wait)


async def latest(client: PrefectClient, due: Iterable[FlowRun]) -> list[FlowRun]:
    """Of the runs of one deployment that all came due, the last; it stands for the others, which are cancelled."""
    last: dict[UUID | None, FlowRun] = {}
    for run in sorted(due, key=moment_of):
        earlier = last.pop(run.deployment_id, None)
        if earlier is not None:
            superseded: State[Any] = Cancelled(message=f"The run of {moment_of(run):%Y-%m-%d %H:%M} UTC stands for it")
            await client.set_flow_run_state(earlier.id, superseded, force=True)
        last[run.deployment_id] = run
    return list(last.values())


async def bury(client: PrefectClient) -> None:
    """Calls crashed what a killed process left half done: to Prefect it would run for ever.

    To be called while nothing runs here. What another machine took is left to it, unless that is long ago.
    """
    begun = FlowRunFilterStateType(any_=[StateType.PENDING, StateType.RUNNING, StateType.CANCELLING])
    ours = FlowRunFilter(tags=FlowRunFilterTags(all_=[TAG]), state=FlowRunFilterState(type=begun))
    for run in await client.read_flow_runs(flow_run_filter=ours):
        is_old = clock.now() - moment_of(run) > LONGEST
        if is_old or run.labels.get(MACHINE, socket.gethostname()) == socket.gethostname():
            crashed: State[Any] = Crashed(message="Its process ended; what it was doing, the next round finds")
            await client.set_flow_run_state(run.id, crashed, force=True)


async def run_here(client: PrefectClient, run: FlowRun) -> None:
    """One run from its beginning to its end; how it ended is in Prefect and in the log."""
    if (await client.set_flow_run_state(run.id, Pending())).status != "ACCEPT":
        return  # somebody else took it, or cancelled it
    await client.update_flow_run_labels(run.id, {MACHINE: socket.gethostname()})
    claimed = await client.read_flow_run(run.id)
    await run_flow_async(flow_of(claimed), claimed, claimed.parameters, return_type="state")


def flow_of(run: FlowRun) -> Flow[..., Any]:
    """The triggers name their plan; the round takes no parameters."""
    plan = run.parameters.get("plan")
    return one_round if plan is None else opening.with_options(name=plan)


def moment_of(run: FlowRun) -> datetime:
    assert run.expected_start_time is not None
    return run.expected_start_time


def _seconds_to(run: FlowRun) -> float:
    return max((moment_of(run) - clock.now()).total_seconds(), 0.0)

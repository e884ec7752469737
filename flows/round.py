"""What happens every few minutes? A round as Prefect sees it: thin tasks over the use cases, one after another."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import asdict
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, TypeVar
from uuid import UUID

from prefect import flow, get_run_logger, task
from prefect.artifacts import acreate_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import get_client
from prefect.events import emit_event
from prefect.runtime import deployment, flow_run
from sqlmodel import Session

from dondoc import clock
from dondoc.clock import today
from dondoc.database import Database
from dondoc.keys import secret_key
from dondoc.settings import Settings, settings
from engine.fire import Fired, escalate, remind
from engine.open import Opened, open_due
from engine.round import begin_day, is_anything, is_to_sweep, remember
from engine.sweep import Place, Swept, sweep
from engine.track import Tracked, track
from flows import rates
from flows.deployments import follow
from flows.moment import moment, run_name
from flows.summary import Result, summary, upcoming
from models.entry import acting_run
from models.last_round import last_round
from notifications.channels import carriers_for
from notifications.channels.mailbox import mailbox_for
from notifications.deliver import Delivered, deliver
from notifications.pace import pace_of
from notifications.returned import Came, take_back

#: An act stands for the moment of its click, and is committed some seconds later.
LONGEST_ACT: Final = timedelta(minutes=1)
Counts = TypeVar("Counts", Opened, Fired, Tracked)


class StuckError(Exception):
    """The round came to its end, but somebody has to mend a plan."""


# Nothing here may be answered from a cache, and nothing is retried by Prefect: the next round is the retry.
@task(name="open", cache_policy=NO_CACHE)
async def opens(database: Database, office: Settings, now: datetime) -> Opened:
    """What the day itself changes; then cycles whose opening day has come, with a task for every unit concerned."""
    await asyncio.to_thread(begin_day, database, now, office.zone)
    return await _written(database, lambda session: open_due(session, now, office.zone))


@task(name="remind", cache_policy=NO_CACHE)
async def reminds(database: Database, office: Settings, now: datetime) -> Fired:
    """Ends of grace, reminders and due days whose moment has come."""
    return await _written(database, lambda session: remind(session, now, office.zone))


@task(name="escalate", cache_policy=NO_CACHE)
async def escalates(database: Database, office: Settings, now: datetime) -> Fired:
    """Rungs whose moment has come: what is late is told further up."""
    return await _written(database, lambda session: escalate(session, now, office.zone))


@task(name="track", cache_policy=NO_CACHE)
async def tracks(database: Database, _: Settings, now: datetime) -> Tracked:
    """What is finished is closed."""
    return await _written(database, lambda session: track(session, now))


@task(name="deliver", cache_policy=NO_CACHE)
async def delivers(database: Database, office: Settings, now: datetime) -> Delivered:
    """Notices that wait, bundled into messages and sent."""

    def work() -> Delivered:
        key = secret_key(office.key)
        tells = partial(clock.now, office.clock)
        carriers = carriers_for(office, database, key, tells)
        pace = pace_of(office)
        return deliver(database, carriers, now, zone=office.zone, url=office.url, key=key, pace=pace, clock=tells)

    return await asyncio.to_thread(work)


@task(name="take back", cache_policy=NO_CACHE)
async def takes_back(database: Database, office: Settings, now: datetime) -> Came:
    """Letters that came back: dead addresses are given up, and told above."""
    mailbox = mailbox_for(office)
    if mailbox is None:
        return Came()
    return await asyncio.to_thread(take_back, database, mailbox, secret_key(office.key), now, office.zone)


@task(name="sweep", cache_policy=NO_CACHE)
async def sweeps(database: Database, office: Settings, now: datetime) -> Swept:
    """What is past and asked for by nobody."""
    return await asyncio.to_thread(sweep, database, Place(office.files, clock.now()), now)


#: In their order.
STAGES: Final = (opens, reminds, escalates, tracks, delivers)
#: What they count in a round in which nothing is due.
QUIET: Final[tuple[Result, ...]] = (Opened(), Fired(), Fired(), Tracked(), Delivered())


@flow(name="round", flow_run_name=run_name, persist_result=False)
async def one_round() -> None:
    """Mở đợt, nhắc hạn, đôn đốc, theo dõi, gửi tin. Opens, reminds, escalates, tracks and delivers what is due now.

    Each stage is tried even when an earlier one failed: a broken plan must not silence the reminders of the others. A
    round with a plan that opens nothing did all it could, and yet Prefect shows it as failed until the plan is mended.
    Most rounds find nothing due: those run no stage, and Prefect shows their run and its log alone. The first round of
    a day sweeps, once all else is done.
    """
    office = settings()
    now = moment(office.clock, flow_run.get_scheduled_start_time())
    acting_run.set(flow_run.get_id())
    database = Database(office.database)
    try:
        since = await asyncio.to_thread(_since, database, office, now)
        is_first = await asyncio.to_thread(is_to_sweep, database, now, office.zone)
        came = await _tried("take back", takes_back(database, office, now)) if mailbox_for(office) else None
        done, swept = list(QUIET), None
        if await asyncio.to_thread(is_anything, database, now, office.zone):
            done = [await _tried(stage.name, stage(database, office, now)) for stage in STAGES]
        match done:
            case [Opened() as opened, Fired() as reminded, Fired() as escalated, Tracked(), Delivered() as delivered]:
                await asyncio.to_thread(remember, database, now, opened, reminded + escalated, delivered)
                if is_first:
                    swept = await _tried("sweep", sweeps(database, office, now))
        await _tell(database, office, now, done)
        for rate in await asyncio.to_thread(rates.changed_since, database, since):
            await rates.show(rate, office)
        await _follow(database, office, now)
    finally:
        database.close()
    if problems := [result for result in (came, *done, swept) if isinstance(result, BaseException)]:
        raise BaseExceptionGroup("the round did not come to its end", problems)
    if isinstance(done[0], Opened) and done[0].stuck:
        raise StuckError(f"plans whose dates cannot be worked out: {done[0].stuck}; dondoc doctor names them")


async def _written(database: Database, act: Callable[[Session], Counts]) -> Counts:
    """One use case, one transaction, in a thread."""

    def work() -> Counts:
        with database.writing() as session:
            return act(session)

    return await asyncio.to_thread(work)


async def _tried(name: str, stage: Coroutine[Any, Any, Result]) -> Result:
    """What a stage counted, or why it failed. What it did is committed by now: one event tells of the batch."""
    (outcome,) = await asyncio.gather(stage, return_exceptions=True)
    if not isinstance(outcome, BaseException) and any(asdict(outcome).values()):
        emit_event(f"dondoc.{name}", resource={"prefect.resource.id": f"dondoc.{name}"}, payload=asdict(outcome))
    return outcome


def _since(database: Database, office: Settings, now: datetime) -> datetime | None:
    """The last round's moment, less what an act may take; None when it was on another day: then all is told anew."""
    with database.reading() as session:
        last = last_round(session)
    if last is None or today(last.at, office.zone) != today(now, office.zone):
        return None
    return last.at - LONGEST_ACT


async def _tell(database: Database, office: Settings, now: datetime, done: list[Result]) -> None:
    """The log says every round; the artifact only one that did or failed something: there are 288 a day."""
    coming = await asyncio.to_thread(upcoming, database, now)
    text = summary(done, now, coming, office)
    get_run_logger().info(text)
    if any(isinstance(result, BaseException) or any(asdict(result).values()) for result in done):
        await acreate_markdown_artifact(text, key="round", description="Vòng · Round")


async def _follow(database: Database, office: Settings, now: datetime) -> None:
    if deployment.id is not None:
        async with get_client() as client:
            await follow(client, UUID(deployment.id), office, database, today(now, office.zone))

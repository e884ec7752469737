"""What happens every few minutes? A round as Prefect sees it: open, fire, deliver, thin tasks over the use cases."""

import asyncio
import multiprocessing
from collections.abc import Coroutine
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from prefect import flow, get_run_logger, task
from prefect.artifacts import acreate_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.runtime import flow_run

from dondoc import clock
from dondoc.database import Database
from dondoc.keys import secret_key
from dondoc.settings import Settings, settings
from engine.fire import Fired, fire
from engine.open import Opened, open_due
from engine.round import remember
from flows.orphans import die_with_parent
from flows.summary import summary, upcoming
from notifications.channels import carrier_for
from notifications.deliver import Delivered, deliver

Counts = TypeVar("Counts")


# Nothing here may be answered from a cache, and nothing is retried by Prefect: the next round is the retry.
@task(name="open", cache_policy=NO_CACHE)
async def opens(database: Database, office: Settings, now: datetime) -> Opened:
    """Cycles whose opening day has come, with a task for every unit concerned."""

    def work() -> Opened:
        with database.writing() as session:
            return open_due(session, now, office.zone)

    return await asyncio.to_thread(work)


@task(name="fire", cache_policy=NO_CACHE)
async def fires(database: Database, office: Settings, now: datetime) -> Fired:
    """Steps whose moment has come: reminders, due days, escalations, closings."""

    def work() -> Fired:
        with database.writing() as session:
            return fire(session, now, office.zone)

    return await asyncio.to_thread(work)


@task(name="deliver", cache_policy=NO_CACHE)
async def delivers(database: Database, office: Settings, now: datetime) -> Delivered:
    """Notices that wait, bundled into messages and sent."""

    def work() -> Delivered:
        key = secret_key(office.key)
        return deliver(database, carrier_for(office), now, zone=office.zone, url=office.url, key=key)

    return await asyncio.to_thread(work)


def _run_name() -> str:
    """A round is called by its moment: 2025-09-30 08:00."""
    scheduled = flow_run.get_scheduled_start_time().astimezone(ZoneInfo(settings().zone))
    return f"{scheduled:%Y-%m-%d %H:%M}"


@flow(name="round", flow_run_name=_run_name, persist_result=False)
async def one_round() -> None:
    """Mở đợt, nhắc và đôn đốc theo bước đến hạn, gửi tin. Opens, fires and delivers what is due at this moment.

    Each stage is tried even when an earlier one failed: a broken plan must not silence the reminders of the others.
    """
    if multiprocessing.parent_process():
        die_with_parent()
    office = settings()
    now = moment(office.clock, flow_run.get_scheduled_start_time())
    database = Database(office.database)
    try:
        opened = await _tried(opens(database, office, now))
        fired = await _tried(fires(database, office, now))
        delivered = await _tried(delivers(database, office, now))
        match opened, fired, delivered:
            case Opened(), Fired(), Delivered():
                await asyncio.to_thread(remember, database, now, opened, fired, delivered)
        coming = await asyncio.to_thread(upcoming, database, now)
    finally:
        database.close()
    done = (opened, fired, delivered)
    text = summary(done, now, coming, office)
    get_run_logger().info(text)
    await acreate_markdown_artifact(text, key="round", description="Vòng · Round")
    if problems := [result for result in done if isinstance(result, BaseException)]:
        raise BaseExceptionGroup("the round did not come to its end", problems)


def moment(clock_file: Path, scheduled: datetime | None) -> datetime:
    """The moment that a round stands for.

    Prefect begins a run up to half a second before its time; what is due at 08:00:00 sharp must not wait for the next.
    """
    now = clock.now(clock_file)
    return now if scheduled is None or clock_file.exists() else max(now, scheduled)


async def _tried(stage: Coroutine[Any, Any, Counts]) -> Counts | BaseException:
    """What a stage counted, or why it failed."""
    outcomes = await asyncio.gather(stage, return_exceptions=True)
    return outcomes[0]

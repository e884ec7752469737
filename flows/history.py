"""How does Prefect show a demonstration's history? As one flow run, in the process that plays it, a task a month."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from prefect import flow, tags, task
from prefect.artifacts import acreate_progress_artifact, acreate_table_artifact, aupdate_progress_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import get_client
from prefect.runtime import flow_run

from dondoc.database import Database
from dondoc.i18n import translate
from dondoc.settings import Settings
from flows import rates
from flows.triggers import TAG
from models.entry import acting_run

KEY: Final = "play-history"
TITLE: Final = "Lịch sử của sân thử, từng tháng một"


def play(
    months: Sequence[tuple[str, Callable[[], str]]],
    database: Database,
    office: Settings,
    report: Callable[[str], None],
) -> None:
    """Lives the months in their order; a month lives by being called, in a thread.

    They begin while Prefect's server is still starting: what is done until it answers has no run to lead to.
    """
    runs: list[str] = []

    def lived(live: Callable[[], str]) -> str:
        acting_run.set(runs[0] if runs else None)
        try:
            line = live()
        except BaseException:
            life.shutdown(wait=False, cancel_futures=True)  # no month may follow one that did not come to its end
            raise
        report(line)
        return line

    @task(name="month", task_run_name="{label}", cache_policy=NO_CACHE)
    async def month(label: str) -> str:
        return await asyncio.wrap_future(by_label[label])

    @flow(name=KEY, flow_run_name=f"{months[0][0]}..{months[-1][0]}" if months else KEY, persist_result=False)
    async def play_history() -> None:
        """Dựng lịch sử của sân thử. Plays the history of the demonstration through the real engine."""
        runs.append(str(flow_run.get_id()))
        told: list[dict[str, str]] = []
        done = await acreate_progress_artifact(0.0, key=f"{KEY}-progress", description=translate(TITLE, office.lang))
        for number, (label, _) in enumerate(months, 1):
            line = await month(label)
            name, _, counts = line.partition(": ")
            told.append({translate("Tháng", office.lang): name, translate("Kết quả", office.lang): counts})
            await aupdate_progress_artifact(done, 100.0 * number / len(months))
        await acreate_table_artifact(told, key=KEY, description=translate(TITLE, office.lang))
        for rate in await asyncio.to_thread(rates.changed_since, database, None):
            await rates.show(rate, office)

    async def when_answering() -> None:
        async with get_client() as client:
            while await client.api_healthcheck() is not None:
                await asyncio.sleep(0.5)
        await play_history()

    with ThreadPoolExecutor(1) as life, tags(TAG):
        by_label = {label: life.submit(lived, live) for label, live in months}
        try:
            asyncio.run(when_answering())
        finally:
            life.shutdown(cancel_futures=True)

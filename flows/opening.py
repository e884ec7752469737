"""What does a trigger do? Opens the cycles of one obligation whose day has come, as the round would have done."""

import asyncio

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.states import Completed

from dondoc.database import Database
from dondoc.i18n import translate
from dondoc.settings import settings
from engine.open import Opened, open_obligation
from flows.moment import moment, run_name
from models.entry import acting_run


@flow(name="open", flow_run_name=run_name, persist_result=False)
async def opening(plan: str, obligation: str | None = None) -> State[None]:
    """Mở những đợt đã đến ngày của một yêu cầu. Opens what is due of one obligation, or of a whole plan."""
    office = settings()
    now = moment(office.clock, flow_run.get_scheduled_start_time())
    acting_run.set(flow_run.get_id())

    def work() -> Opened:
        database = Database(office.database)
        try:
            with database.writing() as session:
                return open_obligation(session, plan, obligation, now, office.zone)
        finally:
            database.close()

    opened = await asyncio.to_thread(work)
    words = "{cycles} đợt, {tasks} nhiệm vụ, {steps} bước" if opened != Opened() else "không có việc đến hạn"
    counts = {"cycles": opened.cycles, "tasks": opened.tasks, "steps": opened.steps}
    return Completed(message=translate(words, office.lang, **counts))

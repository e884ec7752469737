"""Which deployments does Prefect know? The round, which is enough, and one trigger an obligation, to be looked at."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import DeploymentScheduleCreate, DeploymentUpdate
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterTags
from prefect.client.schemas.responses import DeploymentResponse
from prefect.flows import Flow
from prefect.logging import get_logger
from prefect.schedules import RRule, Schedule
from prefect.utilities.callables import parameter_schema

from dondoc.clock import moment
from dondoc.database import Database
from dondoc.settings import Settings
from flows.opening import opening
from flows.triggers import TAG, Trigger, fingerprint, triggers

PAGE: Final = 200


@dataclass(frozen=True, slots=True)
class Synchronised:
    """What was done to the triggers."""

    added: int = 0
    changed: int = 0
    removed: int = 0


async def follow(client: PrefectClient, round_id: UUID, office: Settings, database: Database, today: date) -> None:
    """Shows new revisions. Triggers are to be looked at: whatever is wrong with them, no work may be late for it."""
    log = get_logger("dondoc")
    try:
        done = await synchronise(client, round_id, office, database, today)
    except Exception:
        log.exception("The deployments of the obligations stay as they were")
    else:
        if done is not None:
            log.info("Obligations: %d added, %d changed, %d removed", done.added, done.changed, done.removed)


async def synchronise(
    client: PrefectClient, round_id: UUID, office: Settings, database: Database, today: date
) -> Synchronised | None:
    """Makes Prefect's triggers those of the active revisions; None when they have not changed since.

    What they were made from is kept as the version of the round's deployment, the hash of each as its own.
    """
    with database.reading() as session:
        made_from = fingerprint(session, today, office)
    if (await client.read_deployment(round_id)).version == made_from:
        return None
    with database.reading() as session:
        made_from = fingerprint(session, today, office)  # a plan may have been applied since
        wanted = {(each.plan, each.name): each for each in triggers(session, today, office)}
    known = {each.id: each for each in await registered(client) if each.id != round_id}
    flows = {flow_id: (await client.read_flow(flow_id)).name for flow_id in {each.flow_id for each in known.values()}}
    there = {(flows[each.flow_id], each.name): each for each in known.values()}
    gone = [there[key] for key in there.keys() - wanted.keys()]
    for each in gone:
        await client.delete_deployment(each.id)
    added = [trigger for key, trigger in wanted.items() if key not in there]
    changed = [trigger for key, trigger in wanted.items() if key in there and there[key].version != trigger.hash]
    for trigger in (*added, *changed):
        await _show(client, trigger, office)
    await client.update_deployment(round_id, DeploymentUpdate(version=made_from))
    return Synchronised(len(added), len(changed), len(gone))


async def registered(client: PrefectClient) -> list[DeploymentResponse]:
    """All deployments of ours."""
    found: list[DeploymentResponse] = []
    ours = DeploymentFilter(tags=DeploymentFilterTags(all_=[TAG]))
    while len(page := await client.read_deployments(deployment_filter=ours, limit=PAGE, offset=len(found))) == PAGE:
        found += page
    return [*found, *page]


def at(moments: Iterable[datetime], zone: str) -> Schedule:
    """A schedule of single moments.

    Prefect throws away a `Z` and reads the figures in the schedule's zone, which would make it seven hours early in
    Viet Nam; so the moments are written as wall time of that zone. Fractions of a second are cut off.
    """
    local = (moment.astimezone(ZoneInfo(zone)) for moment in sorted(moments))
    return RRule("RDATE:" + ",".join(f"{moment:%Y%m%dT%H%M%S}" for moment in local), timezone=zone)


async def put(
    client: PrefectClient,
    flow: Flow[Any, Any],
    name: str,
    *,
    schedules: Iterable[Schedule],
    tags: Iterable[str],
    description: str,
    parameters: dict[str, object] | None = None,
    version: str | None = None,
) -> UUID:
    """Creates the deployment, or brings the one of this name up to date."""
    return await client.create_deployment(
        await client.create_flow_from_name(flow.name),
        name,
        version=version,
        schedules=[DeploymentScheduleCreate.from_schedule(each) for each in schedules],
        parameters=parameters,
        description=description,
        tags=list(tags),
        entrypoint=f"{flow.fn.__module__}.{flow.fn.__name__}",
        parameter_openapi_schema=parameter_schema(flow).model_dump_for_openapi(),
    )


async def _show(client: PrefectClient, trigger: Trigger, office: Settings) -> None:
    midnights = [moment(day, "00:00", office.zone) for day in trigger.days]
    await put(
        client,
        opening.with_options(name=trigger.plan),
        trigger.name,
        schedules=[at(midnights, office.zone)] if midnights else [],
        tags=trigger.tags,
        description=trigger.description,
        parameters={"plan": trigger.plan, "obligation": trigger.obligation},
        version=trigger.hash,
    )

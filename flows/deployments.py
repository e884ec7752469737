"""Which deployments does Prefect know, and when do they run? One round every five minutes is all that is needed."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from prefect.runner import Runner
from prefect.schedules import Cron, RRule, Schedule
from prefect.types.entrypoint import EntrypointType

from dondoc.settings import Settings
from flows.round import one_round

ROUND: Final = "round"
EVERY_FIVE_MINUTES: Final = "*/5 * * * *"
TAG: Final = "dondoc"


async def apply(runner: Runner, office: Settings, first: datetime) -> UUID:
    """Registers the round with Prefect's server and with the runner; again changes nothing but the first moment.

    A round at `first` catches up with what was missed while nothing ran. With a demo clock nothing is scheduled: time
    passes there when somebody moves it. No concurrency limit of Prefect's own: its slot outlives a killed run and then
    holds up every later round. The runner takes one run at a time, and our unique keys make two at once harmless.
    """
    schedules = (
        [] if office.clock.exists() else [Cron(EVERY_FIVE_MINUTES, timezone=office.zone), at([first], office.zone)]
    )
    deployment: UUID = await runner.aadd_flow(
        one_round,
        name=ROUND,
        schedules=schedules,
        tags=[TAG],
        description=one_round.description,
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    return deployment


def at(moments: Iterable[datetime], zone: str) -> Schedule:
    """A schedule of single moments.

    Prefect throws away a `Z` and reads the figures in the schedule's zone, which would make it seven hours early in
    Viet Nam; so the moments are written as wall time of that zone. Fractions of a second are cut off.
    """
    local = (moment.astimezone(ZoneInfo(zone)) for moment in sorted(moments))
    return RRule("RDATE:" + ",".join(f"{moment:%Y%m%dT%H%M%S}" for moment in local), timezone=zone)

"""When do things run? The environment that Prefect needs here, its thin flows over engine/ beside this file."""

import os
from typing import Final
from urllib.parse import urlsplit

from dondoc.keys import password
from dondoc.settings import Settings

# Prefect's own login name; its password is random, in the data folder.
LOGIN: Final = "dondoc"
UNUSED: Final = (
    "CANCELLATION_CLEANUP", "CLEANUP_RECONCILER", "FOREMAN", "PAUSE_EXPIRATIONS", "REPOSSESSOR", "TRIGGERS"
)  # fmt: skip


def environment(settings: Settings) -> dict[str, str]:
    """What every process that touches Prefect must have in its environment before it imports prefect.

    Needs no Prefect itself. Durations are ISO 8601: bare seconds break every prefect command.
    """
    home = settings.data.absolute() / "prefect"
    login = f"{LOGIN}:{password(home / 'password')}"
    page = urlsplit(settings.url)
    return {
        # Prefect's own SQLite file and profile live here, never in the home folder of whoever starts us.
        "PREFECT_HOME": str(home),
        "PREFECT_API_URL": f"http://127.0.0.1:{settings.prefect_port}/api",
        # A missing address is an error, not a second database that nobody sees.
        "PREFECT_SERVER_EPHEMERAL_ENABLED": "false",
        "PREFECT_SERVER_API_AUTH_STRING": login,
        "PREFECT_API_AUTH_STRING": login,
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": f"{page.scheme}://{page.netloc}",
        # Where it looks for its own data: it may be opened from another machine.
        "PREFECT_SERVER_UI_API_URL": f"{settings.prefect}/api",
        # No calls home.
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        # Our tables are the record; Prefect only remembers lately. A round makes about 60 events, every 5 minutes.
        "PREFECT_SERVER_EVENTS_RETENTION_PERIOD": "P1D",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": "P14D",
        # They serve work pools, automations, pauses and slots, and cost a quarter of an idle server.
        **{f"PREFECT_SERVER_SERVICES_{service}_ENABLED": "false" for service in UNUSED},
        # Runs are made an hour ahead: to look every minute for more of them costs, and brings nothing.
        "PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS": "900",
        "PREFECT_SERVER_SERVICES_LATE_RUNS_LOOP_SECONDS": "60",
        "PREFECT_LOGGING_LEVEL": settings.log_level,
        "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
        **straight_here(),
    }


def straight_here() -> dict[str, str]:
    """No proxy on the way to this machine itself: with one set, the password went there and no round ran."""
    names = ("NO_PROXY", "no_proxy")
    known = next((given for name in names if (given := os.environ.get(name))), "")
    hosts = [host for host in known.split(",") if host]
    return dict.fromkeys(names, ",".join(dict.fromkeys([*hosts, "127.0.0.1"])))

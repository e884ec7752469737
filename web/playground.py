"""Where can the demo clock go? The buttons of its bar: a day, a week, the next step; every press is a walk."""

import contextlib
import fcntl
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from dondoc import clock
from engine.errors import RefusedError
from engine.round import Round, run
from engine.walk import walk
from notifications.channels import carriers_for
from notifications.pace import pace_of
from web import forms
from web.access import OpenToAll
from web.office import InOffice, Office

SPANS: Final = {"day": timedelta(days=1), "week": timedelta(days=7)}

router = APIRouter()


@router.post("/clock", dependencies=[OpenToAll])  # a playground's visitor moves it in whatever role
def move(office: InOffice, form: forms.Form) -> Response:
    """A press counts from the moment that its page showed: the second of two taps finds it gone, and is none."""
    if not office.is_demo:
        raise RefusedError("clock.real")
    with _alone(office.settings.clock.with_suffix(".lock")):
        now = office.now()
        to = _target(office, forms.text(form, "to"), now)
        if to is not None and forms.text(form, "from") == now.isoformat():
            office.walks.clear()
            office.walks[to] = _walk(office, now, to)
    return RedirectResponse(forms.own_address(forms.text(form, "back")), 303)


def _walk(office: Office, start: datetime, to: datetime) -> Round:
    settings, carrier = office.settings, carriers_for(office.settings, office.database, office.key)

    def live(moment: datetime) -> Round:
        clock.move(settings.clock, moment)
        if office.player:
            office.player(moment)
        url, pace = settings.url, pace_of(settings)
        return run(office.database, carrier, moment, zone=settings.zone, url=url, key=office.key, pace=pace)

    return walk(office.database, start, to, zone=settings.zone, live=live)


def _target(office: Office, to: str, now: datetime) -> datetime | None:
    """The same hour of a later day in the organisation's zone, or the next stop; None where there is none."""
    if to in SPANS:
        return (now.astimezone(ZoneInfo(office.settings.zone)) + SPANS[to]).astimezone(now.tzinfo)
    stop = office.next_stop(now) if to == "next" else None
    return stop.at if stop else None


@contextlib.contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """One walk at a time on this data folder, in whatever process; a killed one lets go."""
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield

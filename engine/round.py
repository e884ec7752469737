"""One pass of the engine: begin the day, open, fire, track, deliver; once a day, sweep. A second pass adds nothing."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import or_, select, update

from dondoc.database import Database
from engine.fire import IS_DUE, Fired, fire
from engine.new_day import IS_NEW_DAY, asked, begin
from engine.open import IS_TO_OPEN, Opened, open_due
from engine.sweep import Place, is_due, sweep
from engine.track import IS_OVER, track
from models.last_round import LastRound
from notifications.channels.carrier import Carrier
from notifications.channels.mailbox import Mailbox, MailboxError
from notifications.deliver import IS_TO_DELIVER, Delivered, deliver
from notifications.pace import Pace
from notifications.returned import take_back

logger = logging.getLogger("dondoc.engine")

#: One question for all parts, put together once: most rounds find nothing, and cost little more than this.
_IS_ANYTHING: Final = select(or_(IS_NEW_DAY, IS_TO_OPEN, IS_DUE, IS_OVER, IS_TO_DELIVER))


@dataclass(frozen=True, slots=True)
class Round:
    """What a pass added; then what its tries to send came to, messages made earlier among them."""

    cycles: int
    tasks: int
    steps: int
    notices: int
    messages: int
    sent: int = 0
    refused: int = 0
    unknown: int = 0


def run(
    database: Database,
    carrier: Carrier,
    now: datetime,
    *,
    zone: str,
    url: str,
    key: bytes,
    place: Place | None = None,
    pace: Pace | None = None,
    mailbox: Mailbox | None = None,
    clock: Callable[[], datetime] | None = None,
) -> Round:
    """Each part is its own transaction, so that a crash between two of them loses nothing: the next pass goes on.

    `clock` tells how late it is while messages go out; without one time stands still meanwhile.

    With a `place` the first pass of a day sweeps; it is the last part, so that nothing has to wait for it. With a
    `mailbox` the pass begins by looking what came back: nothing waits for one that cannot be read, the log says so.
    """
    if mailbox is not None:
        try:
            take_back(database, mailbox, key, now, zone)
        except MailboxError as error:
            logger.warning("the mailbox for letters that come back cannot be read: %s", error)
    is_first = place is not None and is_to_sweep(database, now, zone)
    done = _pass(database, carrier, now, zone, url, key, pace, clock)
    if place is not None and is_first:
        sweep(database, place, now)
    return done


def is_anything(database: Database, now: datetime, zone: str) -> bool:
    """Whether a pass would find something to begin, open, fire, close or deliver."""
    with database.reading() as session:
        return bool(session.scalar(_IS_ANYTHING, {**asked(session, now, zone), "now": now}))


def begin_day(database: Database, now: datetime, zone: str) -> int:
    """Says how much the day changed by itself; nothing after its first pass."""
    with database.writing() as session:
        return begin(session, now, zone)


def is_to_sweep(database: Database, now: datetime, zone: str) -> bool:
    """Whether this pass is the first of its day; to be asked before it is remembered."""
    with database.reading() as session:
        return is_due(session, now, zone)


def remember(database: Database, now: datetime, opened: Opened, fired: Fired, delivered: Delivered) -> Round:
    """Writes down that a pass came to its end, for whoever asks when the engine last looked."""
    added = {
        "cycles": opened.cycles,
        "tasks": opened.tasks,
        "steps": opened.steps,
        "notices": fired.notices,
        "messages": delivered.messages,
    }
    done = Round(**added, sent=delivered.sent, refused=delivered.refused, unknown=delivered.unknown)
    row: dict[str, Any] = {"at": now, **added}
    with database.writing() as session:
        if not session.connection().execute(update(LastRound).values(row)).rowcount:
            session.add(LastRound(**row))
    return done


def _pass(
    database: Database,
    carrier: Carrier,
    now: datetime,
    zone: str,
    url: str,
    key: bytes,
    pace: Pace | None,
    clock: Callable[[], datetime] | None,
) -> Round:
    if not is_anything(database, now, zone):
        return remember(database, now, Opened(), Fired(), Delivered())
    begin_day(database, now, zone)
    with database.writing() as session:
        opened = open_due(session, now, zone)
    with database.writing() as session:
        fired = fire(session, now, zone)
        track(session, now)
    delivered = deliver(database, carrier, now, zone=zone, url=url, key=key, pace=pace, clock=clock)
    return remember(database, now, opened, fired, delivered)

"""One pass of the engine: open, fire, track, deliver. Run as often as one likes; a second pass adds nothing."""

from dataclasses import asdict, dataclass
from datetime import datetime

from dondoc.database import Database
from engine.fire import Fired, fire
from engine.open import Opened, open_due
from engine.track import track
from models.last_round import LastRound
from notifications.channels.carrier import Carrier
from notifications.deliver import Delivered, deliver


@dataclass(frozen=True, slots=True)
class Round:
    """What a pass added."""

    cycles: int
    tasks: int
    steps: int
    notices: int
    messages: int


def run(database: Database, carrier: Carrier, now: datetime, *, zone: str, url: str, key: bytes) -> Round:
    """Each part is its own transaction, so that a crash between two of them loses nothing: the next pass goes on."""
    with database.writing() as session:
        opened = open_due(session, now, zone)
    with database.writing() as session:
        fired = fire(session, now, zone)
        track(session, now)
    delivered = deliver(database, carrier, now, zone=zone, url=url, key=key)
    return remember(database, now, opened, fired, delivered)


def remember(database: Database, now: datetime, opened: Opened, fired: Fired, delivered: Delivered) -> Round:
    """Writes down that a pass came to its end, for whoever asks when the engine last looked."""
    done = Round(opened.cycles, opened.tasks, opened.steps, fired.notices, delivered.messages)
    with database.writing() as session:
        session.merge(LastRound(at=now, **asdict(done)))
    return done

"""What does every page need? The database, the settings, the secret key, and the present moment."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Annotated, Any

from fastapi import Depends, Path, Request
from sqlmodel import Session

from dondoc import clock
from dondoc.database import Database
from dondoc.settings import Settings
from engine.round import Round
from engine.sign_in import Lasting
from engine.walk import Stop, next_stop
from models.day import calendar_of
from models.plan import Revision
from schedules.calendars import Calendar
from web.waiting import Waiting
from web.watch import Watch

#: Lets the sample units of a playground act: called with each moment that its clock comes to.
Player = Callable[[datetime], None]


@dataclass(frozen=True, slots=True)
class Office:
    database: Database
    settings: Settings
    key: bytes  #: signs the links of units and the way in for the office
    player: Player | None = None
    calendars: dict[tuple[int, str], Calendar] = field(default_factory=dict)
    providers: dict[str, Mapping[str, Any]] = field(default_factory=dict)  #: what an OpenID provider said of itself
    watch: Watch = field(default_factory=Watch)
    waiting: Waiting = field(default_factory=Waiting)
    walks: dict[datetime, Round] = field(default_factory=dict)  #: what the last walk added, by the moment it came to

    def now(self) -> datetime:
        return clock.now(self.settings.clock)

    def wall(self) -> datetime:
        """The real time, by which people sign in; work in a playground goes by its own clock."""
        return clock.now()

    @property
    def lasting(self) -> Lasting:
        settings = self.settings
        return Lasting(timedelta(minutes=settings.session_idle), timedelta(minutes=settings.session_life))

    def today(self) -> date:
        return clock.today(self.now(), self.settings.zone)

    def calendar(self, session: Session, revision_id: int, hashes: str) -> Calendar:
        """The calendar of a revision, read again when the hashes of the calendars have changed."""
        known = self.calendars.get((revision_id, hashes))
        if known is None:
            known = calendar_of(session, session.get_one(Revision, revision_id).calendar)
            self.calendars[revision_id, hashes] = known
        return known

    def next_stop(self, now: datetime) -> Stop | None:
        """Where the clock of a playground may go next."""
        with self.database.reading() as session:
            return next_stop(session, now, self.settings.zone)

    @property
    def is_demo(self) -> bool:
        """A playground: its data folder has a clock of its own."""
        return self.settings.clock.exists()


def office_of(request: Request) -> Office:
    office: Office = request.app.state.office
    return office


InOffice = Annotated[Office, Depends(office_of)]
#: The number of a row in an address; what no row can have is not found.
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]

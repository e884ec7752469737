"""Does the engine still look? Each round writes down when it was; one that is late is told on every page."""

from dataclasses import dataclass
from datetime import datetime

from dondoc.database import Database
from models.last_round import LATE, last_round


@dataclass(slots=True)
class Watch:
    """Remembers the newest round that it saw, so that the database is asked only when that one is old."""

    at: datetime | None = None

    def late(self, database: Database, now: datetime) -> "Late | None":
        if self._is_late(now):
            with database.reading() as session:
                last = last_round(session)
            self.at = last.at if last else None
        return Late(self.at) if self._is_late(now) else None

    def _is_late(self, now: datetime) -> bool:
        return self.at is None or now - self.at > LATE


@dataclass(frozen=True, slots=True)
class Late:
    """No round for too long."""

    at: datetime | None  #: the end of the last one; None: there was never any

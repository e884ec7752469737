"""What has had its day? Rows that nobody asks for any more go, and files that no report and no draft names."""

import os
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Delete, delete, or_, select
from sqlmodel import Session, SQLModel, col

from dondoc.clock import moment, today
from dondoc.database import Database
from engine.limits import FORGOTTEN
from engine.sign_in import KEPT
from models.address import LinkCode, WebhookEvent
from models.draft import Draft
from models.entry import append
from models.files import path_of
from models.last_round import last_round
from models.submission import SubmissionFile
from models.task import UNFINISHED, Task
from models.user import Invitation, SignIn
from models.visit import RateBucket, Visit

HOUR: Final = "03:00"  #: of the organisation's day: the first round after it sweeps
YOUNG: Final = timedelta(days=7)  #: a file is let be so long after it was written or asked for again, whatever names it
VISITS_KEPT: Final = timedelta(days=365)
DRAFTS_KEPT: Final = timedelta(days=30)  #: after the task's end, which may be undone; longer than its links open
EVENTS_KEPT: Final = timedelta(days=30)  #: longer than any other side repeats itself

_CONTENT: Final = re.compile(r"[0-9a-f]{64}")
_HALF_WRITTEN: Final = re.compile(r"\.\d+-[0-9a-f]{16}\.part")
_ASIDE: Final = ".aside"
_BRANCH: Final = re.compile(r"[0-9a-f]{2}")


@dataclass(frozen=True, slots=True)
class Place:
    """Where uploaded files lie, and the real time.

    Sessions, attempts and the dates of files are in real time also where a playground's clock stands elsewhere: one
    that runs ahead must not make a young file old.
    """

    files: Path
    wall: datetime


@dataclass(frozen=True, slots=True)
class Swept:
    """How much of each was removed; `size` is that of the files, in bytes."""

    visits: int = 0
    attempts: int = 0
    sessions: int = 0
    invitations: int = 0
    drafts: int = 0
    codes: int = 0
    events: int = 0
    files: int = 0
    size: int = 0


def is_due(session: Session, now: datetime, zone: str) -> bool:
    """Whether no round has come to its end since the last three o'clock in the morning: this is the first one."""
    hour = moment(today(now, zone), HOUR, zone)
    if hour > now:
        hour = moment(today(now - timedelta(days=1), zone), HOUR, zone)
    last = last_round(session)
    return last is not None and last.at < hour


def sweep(database: Database, place: Place, now: datetime) -> Swept:
    """Removes what is past: a short transaction a table, then the files, then one Entry when there was anything."""
    counts: dict[str, int] = {}
    for name, statement in _past(now, place.wall).items():
        with database.writing() as session:
            counts[name] = int(session.connection().execute(statement).rowcount)
    files, size = _sweep_files(database, place.files, place.wall - YOUNG)
    swept = Swept(**counts, files=files, size=size)
    removed = {name: count for name, count in asdict(swept).items() if count}
    if removed:
        with database.writing() as session:
            append(session, "swept", by="system", at=now, **removed)
    return swept


def _past(now: datetime, wall: datetime) -> Mapping[str, Delete]:
    finished = (
        select(col(Task.id))
        .where(
            col(Task.id) == col(Draft.task_id),
            col(Task.state).not_in([state.value for state in UNFINISHED]),
            col(Task.changed_at) < now - DRAFTS_KEPT,
        )
        .exists()
    )
    return {
        "visits": _gone(Visit, col(Visit.at) < now - VISITS_KEPT),
        "attempts": _gone(RateBucket, col(RateBucket.at) < wall - FORGOTTEN),
        "sessions": _gone(SignIn, or_(col(SignIn.ended_at) < wall - KEPT, col(SignIn.seen_at) < wall - KEPT)),
        "invitations": _gone(Invitation, or_(col(Invitation.used_at).is_not(None), col(Invitation.expires_at) <= wall)),
        "drafts": _gone(Draft, finished),
        "codes": _gone(LinkCode, or_(col(LinkCode.used_at).is_not(None), col(LinkCode.expires_at) <= now)),
        "events": _gone(WebhookEvent, ~col(WebhookEvent.is_open), col(WebhookEvent.at) < now - EVENTS_KEPT),
    }


def _gone(table: type[SQLModel], *past: Any) -> Delete:
    return delete(table).where(*past).execution_options(synchronize_session=False)


def _sweep_files(database: Database, folder: Path, before: datetime) -> tuple[int, int]:
    """How many files went, and their bytes.

    What is being handed in right now is young, though no row names it yet: whoever stores a file writes it anew,
    whoever goes on with one that lies there touches it first. So a look at the date, taken when nobody can reach the
    file any more, is all that is needed; no upload waits for the sweep.
    """
    limit = before.timestamp()
    old = {path.name for path in _old(folder, limit)}
    named = _named(database, old) if old else set()
    if not named:  # another office's database, or an empty one: then all these files are somebody's reports
        return 0, 0
    sizes = [size for hash_ in sorted(old - named) if (size := _remove(path_of(folder, hash_), limit)) is not None]
    return len(sizes), sum(sizes)


def _old(folder: Path, limit: float) -> Iterator[Path]:
    """The contents that were let be since the limit; what a killed process left half written goes on the way."""
    for entry in _entries(folder):
        if _HALF_WRITTEN.fullmatch(entry.name) and _is_old(entry, limit):
            Path(entry.path).unlink(missing_ok=True)
        if not _BRANCH.fullmatch(entry.name) or not entry.is_dir(follow_symlinks=False):
            continue
        for content in _entries(Path(entry.path)):
            path = Path(content.path)
            if content.name.endswith(_ASIDE):  # a sweep was killed before it had looked: back to where it was
                path.replace(path.with_name(content.name.removesuffix(_ASIDE)))
            elif _CONTENT.fullmatch(content.name) and content.name.startswith(entry.name) and _is_old(content, limit):
                yield path


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return list(found)
    except FileNotFoundError:  # nothing was uploaded so far
        return []


def _is_old(entry: os.DirEntry[str], limit: float) -> bool:
    try:
        return entry.is_file(follow_symlinks=False) and entry.stat(follow_symlinks=False).st_mtime < limit
    except FileNotFoundError:  # gone since it was listed
        return False


def _named(database: Database, hashes: Collection[str]) -> set[str]:
    """Those that a report or a draft names: both asked in one state of the database, as one becomes the other."""
    with database.reading() as session:
        rows = session.execute(select(col(SubmissionFile.hash)).execution_options(yield_per=1000)).scalars()
        named = {hash_ for hash_ in rows if hash_ in hashes}
        for files in session.execute(select(col(Draft.files))).scalars():
            named.update(file["hash"] for file in files)
    return named & set(hashes)


def _remove(path: Path, limit: float) -> int | None:
    """The bytes that are free now; None when the file has become young meanwhile, or could not be taken away."""
    aside = path.with_name(path.name + _ASIDE)
    try:
        path.rename(aside)
        found = aside.stat()
        if found.st_mtime >= limit:
            aside.replace(path)
            return None
        aside.unlink()
    except OSError:  # another sweep was quicker, or the folder is closed: `doctor` tells that, tomorrow is another day
        return None
    return found.st_size

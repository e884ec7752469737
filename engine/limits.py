"""How often is too often? Token buckets in the database: they outlive a restart and hold for all processes alike."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete
from sqlmodel import Session, col

from models.visit import RateBucket

FORGOTTEN: Final = timedelta(days=7)  #: a bucket that was left alone so long is full again, whatever its limit


@dataclass(frozen=True, slots=True)
class Limit:
    """So many at once; an empty bucket is full again after `per`."""

    name: str
    count: int
    per: timedelta


SIGN_IN_LOGIN: Final = Limit("sign-in", 10, timedelta(minutes=10))
SIGN_IN_NETWORK: Final = Limit("sign-in-from", 60, timedelta(minutes=10))
SECOND_FACTOR: Final = Limit("code", 5, timedelta(minutes=5))
PASSWORD: Final = Limit("password", 10, timedelta(minutes=10))
WRONG_LINK: Final = Limit("link", 20, timedelta(minutes=1))
#: Bytes of files sent in for one task, within the time that the sweep lets those be that nothing names.
UPLOAD: Final = Limit("upload", 200 * 1024 * 1024, timedelta(days=7))


def take(session: Session, limit: Limit, who: str, now: datetime, much: int = 1) -> timedelta:
    """Takes one, or so `much`. Zero when there was enough to take, else how long until there is."""
    bucket, level = _bucket(session, limit, who, now)
    bucket.at = now
    if level < much:
        bucket.level = level
        return (much - level) * limit.per / limit.count
    bucket.level = level - much
    return timedelta()


def give_back(session: Session, limit: Limit, who: str, now: datetime, much: int = 1) -> None:
    """What was no attempt to guess, or came to nothing, costs nothing."""
    bucket, level = _bucket(session, limit, who, now)
    bucket.level, bucket.at = min(level + much, limit.count), now


def _bucket(session: Session, limit: Limit, who: str, now: datetime) -> tuple[RateBucket, float]:
    """The bucket, and how much is in it now."""
    key = f"{limit.name}:{who}"
    bucket = session.get(RateBucket, key)
    if bucket is None:
        session.execute(delete(RateBucket).where(col(RateBucket.at) < now - FORGOTTEN))
        bucket = RateBucket(key=key, level=limit.count, at=now)
        session.add(bucket)
    passed = max(now - bucket.at, timedelta())
    return bucket, min(bucket.level + passed / limit.per * limit.count, limit.count)

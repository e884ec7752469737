"""What did a plan say before? Its revisions, and between two of them what changed in words and in dates."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import unified_diff

from sqlmodel import Session, col, select

from dondoc.clock import today
from engine.errors import RefusedError
from engine.plans import refused_dates, timeline_of
from models.entry import OF_NO_TASK, Entry
from models.plan import Plan, Revision
from schedules.diff import Change, compare

CONTEXT = 3  #: lines around each change


@dataclass(frozen=True, slots=True)
class Step:
    """From one revision to the next."""

    before: Revision | None  #: None: it was the first
    after: Revision
    lines: tuple[str, ...]  #: what differs in words
    changes: tuple[Change, ...] | None  #: of days due since it was applied, as it counts today; None: one has no dates


def revisions(session: Session, code: str) -> Sequence[Revision]:
    """The newest first."""
    query = select(Revision).join(Plan, col(Plan.id) == col(Revision.plan_id)).where(col(Plan.code) == code)
    return session.exec(query.order_by(col(Revision.number).desc())).all()


def step(session: Session, code: str, number: int, zone: str) -> Step:
    """Raises RefusedError when there is no such revision."""
    known = {each.number: each for each in revisions(session, code)}
    after = known.get(number)
    if after is None:
        raise RefusedError("refused.no_revision", plan=code, number=number)
    before = known.get(number - 1)
    lines = text_diff(before.text if before else "", after.text)
    try:
        with refused_dates():
            was = timeline_of(session, before) if before else None
            changes = compare(was, timeline_of(session, after), today(after.applied_at, zone))
    except RefusedError:  # the calendar or a milestone has changed since: one of the two cannot be by it any more
        return Step(before, after, lines, None)
    return Step(before, after, lines, changes)


def policy_of(session: Session, code: str, revision: Revision) -> str | None:
    """What was chosen for the cycles that were open, as the journal keeps it; None: nobody was asked."""
    query = select(Entry).where(OF_NO_TASK, col(Entry.act) == "plan_applied", col(Entry.at) == revision.applied_at)
    found = (entry.data for entry in session.exec(query))
    return next(
        (data.get("policy") for data in found if (data["plan"], data["number"]) == (code, revision.number)), None
    )


def text_diff(old: str, new: str) -> tuple[str, ...]:
    """The lines of a unified diff, without its head."""
    return tuple(unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=CONTEXT))[2:]

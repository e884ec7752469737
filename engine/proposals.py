"""Who agrees? A plan or a calendar proposed by one person comes into force when a second one agrees."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlmodel import Session

from models.proposal import Policy, Proposal, ProposalKind


def propose(
    session: Session,
    kind: ProposalKind,
    text: bytes,
    name: str,
    *,
    diff_hash: str,
    policy: Policy,
    by: str,
    reason: str,
    now: datetime,
    zone: str,
    from_on: date | None = None,
) -> Proposal:
    """Raises RefusedError when another diff holds now, or when something else waits for this plan or calendar."""
    raise NotImplementedError


def agree(session: Session, proposal_id: int, *, diff_hash: str, by: str, now: datetime, zone: str) -> Proposal:
    """Applies it. `diff_hash` is of the effect that this second person saw; the proposer cannot agree."""
    raise NotImplementedError


def refuse(session: Session, proposal_id: int, *, note: str, by: str, now: datetime) -> Proposal:
    raise NotImplementedError


def withdraw(session: Session, proposal_id: int, *, by: str, now: datetime) -> Proposal:
    """By the proposer alone."""
    raise NotImplementedError


def waiting(session: Session) -> Sequence[Proposal]:
    """What waits for a second person, the oldest first."""
    raise NotImplementedError

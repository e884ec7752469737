"""Who agrees? A plan or a calendar proposed by one person comes into force when a second one agrees."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlmodel import Session, col, select

from engine.calendar_change import apply_calendar_change, preview_calendar
from engine.errors import InvalidPlanError, RefusedError
from engine.plans import active_revision
from engine.preview import preview
from engine.revise import apply, end_draft
from models.entry import OF_NO_TASK, Entry, append
from models.plan_draft import PlanDraft, plan_draft_of
from models.proposal import Policy, Proposal, ProposalKind, ProposalState
from schedules import load
from schedules.calendars import Calendar


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
    restores: int | None = None,
) -> Proposal:
    """Raises RefusedError when another diff holds now, or when something else waits for this plan or calendar."""
    if not reason.strip():
        raise RefusedError("refused.no_reason")
    code, holds = effect_now(session, kind, text, name, now=now, zone=zone, from_on=from_on)
    if holds != diff_hash:
        raise RefusedError("refused.diff_changed", what=code)
    query = select(Proposal).where(col(Proposal.kind) == kind.value, col(Proposal.code) == code)
    if session.exec(query.where(col(Proposal.state) == ProposalState.WAITING.value)).first() is not None:
        raise RefusedError("refused.proposal_waits", what=code)
    proposal = Proposal(
        kind=kind.value,
        code=code,
        text=text.decode("utf-8-sig"),
        policy=policy.value,
        from_on=from_on,
        diff_hash=diff_hash,
        reason=reason.strip(),
        by=by,
        at=now,
    )
    session.add(proposal)
    session.flush()
    if kind is ProposalKind.PLAN:
        end_draft(session, code, by, text)
    said: dict[str, Any] = {"reason": proposal.reason, "policy": proposal.policy}
    said |= {"restores": restores} if restores else {}
    _say(session, "proposed", proposal, by=by, now=now, **said)
    return proposal


def agree(session: Session, proposal_id: int, *, diff_hash: str, by: str, now: datetime, zone: str) -> Proposal:
    """Applies it. `diff_hash` is of the effect that this second person saw; the proposer cannot agree."""
    proposal = _waiting(session, proposal_id)
    if proposal.by == by:
        raise RefusedError("refused.own_proposal")
    policy, text, name = Policy(proposal.policy), proposal.text.encode(), f"{proposal.code}.yaml"
    if proposal.kind == ProposalKind.CALENDAR:
        apply_calendar_change(
            session, _calendar(text, name), diff_hash=diff_hash, policy=policy, by=proposal.by, reason=proposal.reason,
            now=now, zone=zone, agreed_by=by,
        )  # fmt: skip
        proposal = session.get_one(Proposal, proposal_id)
    else:
        apply(
            session, text, name, diff_hash=diff_hash, policy=policy, by=proposal.by, reason=proposal.reason, now=now,
            zone=zone, from_on=proposal.from_on, agreed_by=by, restores=restored(session, proposal),
        )  # fmt: skip
    return _decide(session, proposal, ProposalState.APPLIED, by=by, now=now)


def refuse(session: Session, proposal_id: int, *, note: str, by: str, now: datetime) -> Proposal:
    """By anybody but the proposer, with a reason."""
    if not note.strip():
        raise RefusedError("refused.no_reason")
    proposal = _waiting(session, proposal_id)
    if proposal.by == by:
        raise RefusedError("refused.own_proposal")
    proposal.note = note.strip()
    _give_back(session, proposal, now)
    _say(session, "proposal_refused", proposal, by=by, now=now, note=proposal.note)
    return _decide(session, proposal, ProposalState.REFUSED, by=by, now=now)


def withdraw(session: Session, proposal_id: int, *, by: str, now: datetime) -> Proposal:
    """By the proposer alone."""
    proposal = _waiting(session, proposal_id)
    if proposal.by != by:
        raise RefusedError("refused.not_own_proposal")
    _give_back(session, proposal, now)
    _say(session, "proposal_withdrawn", proposal, by=by, now=now)
    return _decide(session, proposal, ProposalState.WITHDRAWN, by=by, now=now)


def waiting(session: Session) -> Sequence[Proposal]:
    """What waits for a second person, the oldest first."""
    query = select(Proposal).where(col(Proposal.state) == ProposalState.WAITING.value)
    return session.exec(query.order_by(col(Proposal.id))).all()


def restored(session: Session, proposal: Proposal) -> int | None:
    """The number of the revision or version that it brings back: the journal alone keeps what was asked for."""
    query = select(Entry).where(OF_NO_TASK, col(Entry.act) == "proposed", col(Entry.by) == proposal.by)
    entries = session.exec(query.order_by(col(Entry.id).desc()))
    return next((each.data.get("restores") for each in entries if each.data["proposal"] == proposal.id), None)


def effect_now(
    session: Session,
    kind: ProposalKind,
    text: bytes,
    name: str,
    *,
    now: datetime,
    zone: str,
    from_on: date | None = None,
) -> tuple[str, str]:
    """The code of the plan or the calendar, and the hash of what applying the text would do by now."""
    if kind is ProposalKind.CALENDAR:
        calendar = _calendar(text, name)
        return calendar.code, preview_calendar(session, calendar, now=now, zone=zone).diff_hash
    seen = preview(session, text, name, now=now, zone=zone, from_on=from_on)
    return seen.plan.code, seen.diff_hash


def _calendar(text: bytes, name: str) -> Calendar:
    calendar, problems = load.parse_calendar(text, name)
    if calendar is None:
        raise InvalidPlanError(problems)
    return calendar


def _waiting(session: Session, proposal_id: int) -> Proposal:
    proposal = session.get(Proposal, proposal_id, with_for_update=True)
    if proposal is None:
        raise RefusedError("refused.no_proposal", id=proposal_id)
    if proposal.state != ProposalState.WAITING:
        raise RefusedError("refused.proposal_decided", state=f"proposal.{proposal.state}")
    return proposal


def _give_back(session: Session, proposal: Proposal, now: datetime) -> None:
    """What was typed becomes its writer's draft again, unless they have begun another one since."""
    is_plan = proposal.kind == ProposalKind.PLAN
    if not is_plan or plan_draft_of(session, proposal.code, proposal.by) is not None:
        return
    active = active_revision(session, proposal.code)
    base = active.hash if active is not None else None
    session.add(PlanDraft(plan=proposal.code, by=proposal.by, text=proposal.text, base=base, saved_at=now))


def _decide(session: Session, proposal: Proposal, state: ProposalState, *, by: str, now: datetime) -> Proposal:
    proposal.state, proposal.decided_by, proposal.decided_at = state.value, by, now
    session.add(proposal)
    session.flush()
    return proposal


def _say(session: Session, act: str, proposal: Proposal, *, by: str, now: datetime, **data: Any) -> None:
    append(session, act, by=by, at=now, proposal=proposal.id, kind=proposal.kind, code=proposal.code, **data)

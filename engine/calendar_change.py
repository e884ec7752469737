"""What would a day off change? Every date of the active plans that count by the calendar; applied as a plan is."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from dondoc.clock import today
from engine.errors import RefusedError
from engine.move import Decision, move
from engine.plans import compiled_of, refused_dates, sound_timeline
from engine.preview import Effect, Moved, effect_of, lines_of, unreachable
from engine.revise import apply_calendar
from engine.transfers import Switch, Version
from models.cycle import Cycle
from models.day import CalendarSheet, CalendarVersion, calendar_of, hash_of, next_version
from models.plan import Plan, Revision
from models.proposal import Policy
from schedules import load
from schedules.calendars import Calendar, Day


@dataclass(frozen=True, slots=True)
class CalendarPreview:
    calendar: Calendar
    base: str | None  #: hash of the calendar in force; None: there is none
    added: tuple[Day, ...]  #: rows that are new or say something else
    dropped: tuple[Day, ...]  #: rows that are gone or said something else
    changes: tuple[Moved, ...]  #: of all active plans that count by it, in the order of their days
    unreachable: tuple[str, ...]  #: as in engine.preview.Preview
    diff_hash: str


def preview_calendar(session: Session, calendar: Calendar, *, now: datetime, zone: str) -> CalendarPreview:
    """What applying it would do. Raises RefusedError when a plan has no valid dates by it."""
    sheet = session.get(CalendarSheet, calendar.code)
    effect, base = _effect(session, calendar, now=now, zone=zone), sheet.hash if sheet is not None else None
    was = set(calendar_of(session, calendar.code).days.values()) if sheet is not None else set()
    becomes = set(calendar.days.values())
    return CalendarPreview(
        calendar,
        base,
        tuple(sorted(becomes - was, key=lambda day: day.on)),
        tuple(sorted(was - becomes, key=lambda day: day.on)),
        effect.changes,
        unreachable(session, effect.transfers),
        _hash(base, calendar, effect),
    )


def apply_calendar_change(
    session: Session,
    calendar: Calendar,
    *,
    diff_hash: str,
    policy: Policy,
    by: str,
    reason: str,
    now: datetime,
    zone: str,
    agreed_by: str | None = None,
) -> CalendarVersion:
    """Makes it the calendar in force, with the effect that was shown.

    Raises RefusedError("refused.diff_changed") when another diff holds now. The same calendar again changes nothing.
    """
    if not reason.strip():
        raise RefusedError("refused.no_reason")
    sheet = session.get(CalendarSheet, calendar.code, with_for_update=True)
    effect = _effect(session, calendar, now=now, zone=zone)
    if _hash(sheet.hash if sheet is not None else None, calendar, effect) != diff_hash:
        raise RefusedError("refused.diff_changed", what=calendar.code)
    if policy is not Policy.KEEP:
        move(session, effect.transfers, Decision(policy, by, reason.strip(), calendar, None, now, zone))
    apply_calendar(session, calendar, by=by, now=now, reason=reason.strip(), agreed_by=agreed_by)
    return session.get_one(CalendarVersion, (calendar.code, next_version(session, calendar.code) - 1))


def version_of(session: Session, code: str, number: int) -> Calendar:
    """A calendar as it was applied. Raises RefusedError when there is no such version."""
    version = session.get(CalendarVersion, (code, number))
    if version is None:
        raise RefusedError("refused.no_version", calendar=code, number=number)
    calendar, problems = load.parse_calendar(version.text.encode(), f"{code}.yaml")
    if calendar is None:  # it was valid when it was applied: the language has changed since
        raise ValueError("; ".join(problem.text("en") for problem in problems))
    return calendar


def restore_calendar(
    session: Session,
    code: str,
    number: int,
    *,
    diff_hash: str,
    policy: Policy,
    by: str,
    reason: str,
    now: datetime,
    zone: str,
    agreed_by: str | None = None,
) -> CalendarVersion:
    """Brings a version back. Preview it with `version_of(session, code, number)`."""
    return apply_calendar_change(
        session,
        version_of(session, code, number),
        diff_hash=diff_hash,
        policy=policy,
        by=by,
        reason=reason,
        now=now,
        zone=zone,
        agreed_by=agreed_by,
    )


def _effect(session: Session, calendar: Calendar, *, now: datetime, zone: str) -> Effect:
    """Of all active plans that count by it. A cycle that is open goes by the revision that it was opened by."""
    found: list[Effect] = []
    query = select(Revision, Plan.code).join(Plan, col(Plan.id) == col(Revision.plan_id))
    active = query.where(col(Revision.is_active), col(Revision.calendar) == calendar.code).order_by(col(Plan.code))
    for revision, code in session.exec(active).all():
        switches: dict[int, Switch] = {}

        def switch_of(cycle: Cycle, known: dict[int, Switch] = switches) -> Switch:
            if cycle.revision_id not in known:
                known[cycle.revision_id] = _switch(session, session.get_one(Revision, cycle.revision_id), calendar)
            return known[cycle.revision_id]

        switches[revision.id] = _switch(session, revision, calendar)
        first = max(today(now, zone), revision.from_on)
        found.append(effect_of(session, revision, code, switches[revision.id], switch_of, first, now=now, zone=zone))
    changes = [each for effect in found for each in effect.changes]
    return Effect(
        tuple(sorted(changes, key=lambda each: (each.change.in_order, each.plan))),
        tuple(each for effect in found for each in effect.transfers),
    )


def _switch(session: Session, revision: Revision, calendar: Calendar) -> Switch:
    """From the calendar in force to the new one; nothing changes for a revision that counts by another.

    Nor for one that is superseded and has no dates by it: its cycles keep their days, and nobody could mend its text.
    """
    in_force = calendar_of(session, revision.calendar)
    was = Version(sound_timeline(session, revision, in_force), in_force)
    if revision.calendar != calendar.code:
        return Switch(was, was)
    try:
        with refused_dates():
            return Switch(was, Version(compiled_of(session, revision, calendar), calendar))
    except RefusedError:
        if revision.is_active:
            raise
        return Switch(was, was)


def _hash(base: str | None, calendar: Calendar, effect: Effect) -> str:
    whole = json.dumps([base, hash_of(calendar), lines_of(effect.changes)], ensure_ascii=False)
    return hashlib.sha256(whole.encode()).hexdigest()

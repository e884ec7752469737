"""How does a plan or a calendar come into force? A file that is whole becomes the active revision, or nothing does."""

import hashlib
from datetime import date, datetime
from typing import Any

from sqlalchemy import delete, func, update
from sqlmodel import Session, col, select

from dondoc.clock import today
from engine.errors import RefusedError
from engine.move import Decision, move
from engine.plans import locked_revision
from engine.preview import Fit, effect_of_plan, fit_text, hash_of, is_in_force
from models.cycle import Cycle, CycleState
from models.day import CalendarDay, CalendarSheet, CalendarVersion, calendar_of, next_version
from models.day import hash_of as hash_of_calendar
from models.deadline import Deadline
from models.entry import OF_NO_TASK, Entry, append
from models.plan import Plan, Revision
from models.plan_draft import PlanDraft
from models.proposal import Policy
from schedules.calendars import Calendar
from schedules.written import as_file


def apply(
    session: Session,
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
    agreed_by: str | None = None,
    restores: int | None = None,
) -> Revision:
    """Makes the text the active revision, with the effect that was shown (`diff_hash` of engine.preview.preview).

    Raises RefusedError("refused.diff_changed") when another diff holds now: somebody else applied, units moved. The
    draft of whoever wrote it ends. What is in force already changes nothing.
    """
    if not reason.strip():
        raise RefusedError("refused.no_reason")
    fit = fit_text(session, text, name)
    active = locked_revision(session, fit.plan.code)
    effect = effect_of_plan(session, fit, now=now, zone=zone, from_on=from_on)
    if hash_of(active.hash if active else None, text, from_on, effect.changes) != diff_hash:
        raise RefusedError("refused.diff_changed", what=fit.plan.code)
    end_draft(session, fit.plan.code, by, text)
    if active is not None and is_in_force(active, text, from_on):
        return active
    revision = _activate(
        session,
        fit,
        text,
        by=by,
        reason=reason.strip(),
        now=now,
        from_on=from_on or today(now, zone),
        agreed_by=agreed_by,
        restores=restores,
    )
    decision = Decision(policy, by, reason.strip(), fit.calendar, revision, now, zone)
    moved = move(session, effect.transfers, decision) if policy is not Policy.KEEP else 0
    _say(session, revision, fit.plan.code, changes=len(effect.changes), policy=policy.value, moved=moved)
    return revision


def end_draft(session: Session, plan_code: str, by: str, text: bytes) -> None:
    """What its writer typed is in force, or proposed. Other words that they have typed since stay theirs."""
    own = (col(PlanDraft.plan) == plan_code, col(PlanDraft.by) == by)
    session.execute(delete(PlanDraft).where(*own, col(PlanDraft.text) == text.decode("utf-8-sig")))


def restore(
    session: Session,
    plan_code: str,
    number: int,
    *,
    diff_hash: str,
    policy: Policy,
    by: str,
    reason: str,
    now: datetime,
    zone: str,
    agreed_by: str | None = None,
) -> Revision:
    """Brings a revision's text back as a new revision. Preview it with `text_of(session, plan_code, number)`."""
    return apply(
        session,
        text_of(session, plan_code, number),
        f"{plan_code}.yaml",
        diff_hash=diff_hash,
        policy=policy,
        by=by,
        reason=reason,
        now=now,
        zone=zone,
        agreed_by=agreed_by,
        restores=number,
    )


def text_of(session: Session, plan_code: str, number: int) -> bytes:
    """The text of a revision. Raises RefusedError when there is none."""
    query = select(Revision.text).join(Plan, col(Plan.id) == col(Revision.plan_id))
    text = session.exec(query.where(col(Plan.code) == plan_code, col(Revision.number) == number)).first()
    if text is None:
        raise RefusedError("refused.no_revision", plan=plan_code, number=number)
    return text.encode()


def apply_plan(
    session: Session,
    text: bytes,
    name: str,
    *,
    by: str,
    now: datetime,
    zone: str,
    reason: str | None = None,
    from_on: date | None = None,
) -> Revision:
    """Makes a plan's file the active revision unseen. The same text again, from the same day, changes nothing.

    `from_on` is the day of adoption, today by default: what was due before it is not opened. Cycles that are open
    keep their days, and the revision they were opened by.
    """
    fit = fit_text(session, text, name)
    active = locked_revision(session, fit.plan.code)
    if active is not None and is_in_force(active, text, from_on):
        return active
    revision = _activate(session, fit, text, by=by, reason=reason, now=now, from_on=from_on or today(now, zone))
    _say(session, revision, fit.plan.code)
    return revision


def apply_calendar(
    session: Session,
    calendar: Calendar,
    *,
    by: str,
    now: datetime,
    reason: str | None = None,
    agreed_by: str | None = None,
) -> bool:
    """Makes a calendar's rows the ones in force; says whether anything changed. Open cycles keep their dates."""
    hash_ = hash_of_calendar(calendar)
    sheet = session.get(CalendarSheet, calendar.code)
    if sheet is not None and sheet.hash == hash_:
        return False
    if sheet is not None:
        _keep_first_version(session, sheet)
        _tell_provisional(session, sheet, calendar)
    session.execute(delete(CalendarDay).where(col(CalendarDay.calendar) == calendar.code))
    session.merge(
        CalendarSheet(
            code=calendar.code,
            title_vi=calendar.title.vi,
            title_en=calendar.title.en,
            decided=sorted(calendar.decided),
            hash=hash_,
        )
    )
    session.flush()
    session.expunge_all()  # rows of the old calendar may still be in the session's memory
    session.add_all(
        CalendarDay(
            calendar=calendar.code,
            on=day.on,
            is_off=day.off,
            name_vi=day.name.vi,
            name_en=day.name.en,
            source=day.source,
            decision=day.decision,
        )
        for day in calendar.days.values()
    )
    number = next_version(session, calendar.code)
    session.add(
        CalendarVersion(
            calendar=calendar.code,
            number=number,
            text=as_file(calendar),
            hash=hash_,
            applied_at=now,
            by=by,
            reason=reason,
            agreed_by=agreed_by,
        )
    )
    _look_again(session)
    append(
        session,
        "calendar_applied",
        by=by,
        at=now,
        calendar=calendar.code,
        number=number,
        hash=hash_,
        days=len(calendar.days),
        reason=reason,
    )
    return True


def _keep_first_version(session: Session, sheet: CalendarSheet) -> None:
    """A calendar that was applied before versions were kept is its own first one."""
    if next_version(session, sheet.code) > 1:
        return
    applied = select(Entry).where(OF_NO_TASK, col(Entry.act) == "calendar_applied")
    entries = session.exec(applied.order_by(col(Entry.id).desc()))
    entry = next(each for each in entries if each.data["calendar"] == sheet.code)
    text = as_file(calendar_of(session, sheet.code))
    first = CalendarVersion(calendar=sheet.code, number=1, text=text, hash=sheet.hash, applied_at=entry.at, by=entry.by)
    session.add(first)
    session.flush()


def _tell_provisional(session: Session, sheet: CalendarSheet, calendar: Calendar) -> None:
    """The due days of a year stop being provisional, or are so again, in the cycles that are open too."""
    by_it = select(col(Revision.id)).where(col(Revision.calendar) == calendar.code)
    cycles = select(col(Cycle.id)).where(col(Cycle.state) == CycleState.OPEN.value, col(Cycle.revision_id).in_(by_it))
    for year in calendar.decided.symmetric_difference(sheet.decided):
        session.execute(
            update(Deadline)
            .where(col(Deadline.cycle_id).in_(cycles))
            .where(col(Deadline.due_on) >= date(year, 1, 1), col(Deadline.due_on) <= date(year, 12, 31))
            .values(is_provisional=year not in calendar.decided)
        )


def _activate(
    session: Session,
    fit: Fit,
    text: bytes,
    *,
    by: str,
    reason: str | None,
    now: datetime,
    from_on: date,
    agreed_by: str | None = None,
    restores: int | None = None,
) -> Revision:
    row = session.exec(select(Plan).where(col(Plan.code) == fit.plan.code)).first()
    row = row or Plan(code=fit.plan.code, title_vi="", title_en="")
    row.title_vi, row.title_en = fit.plan.title.vi, fit.plan.title.en
    session.add(row)
    session.flush()
    active = session.exec(select(Revision).where(col(Revision.plan_id) == row.id, col(Revision.is_active))).first()
    if active is not None:
        active.is_active = False
        session.add(active)
        session.flush()  # the index allows one active revision at every moment
    number = session.exec(select(func.max(Revision.number)).where(col(Revision.plan_id) == row.id)).one() or 0
    revision = Revision(
        plan_id=row.id,
        number=number + 1,
        text=text.decode("utf-8-sig"),
        hash=hashlib.sha256(text).hexdigest(),
        calendar=fit.plan.calendar,
        applied_at=now,
        by=by,
        reason=reason,
        agreed_by=agreed_by,
        restores=restores,
        from_on=from_on,
        next_open_on=date.min,
    )
    session.add(revision)
    session.flush()
    return revision


def _say(session: Session, revision: Revision, code: str, **effect: Any) -> None:
    given = {"agreed_by": revision.agreed_by, "restores": revision.restores}
    told: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    append(
        session,
        "plan_applied",
        by=revision.by,
        at=revision.applied_at,
        plan=code,
        number=revision.number,
        hash=revision.hash,
        reason=revision.reason,
        **(told | effect),
    )


def _look_again(session: Session) -> None:
    """Dates may have moved: the next round looks at every active plan."""
    for revision in session.exec(select(Revision).where(col(Revision.is_active))):
        revision.next_open_on = date.min
        session.add(revision)

"""How does a plan or a calendar come into force? A file that is whole becomes the active revision, or nothing does."""

import hashlib
from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import delete, func
from sqlmodel import Session, col, select

from dondoc.clock import today
from engine.errors import RefusedError
from models.day import CalendarDay, CalendarSheet, calendar_of, hash_of
from models.entry import append
from models.plan import Plan, Revision
from models.proposal import Policy
from models.unit import unit_by_code
from schedules import load
from schedules.calendars import Calendar
from schedules.check import located, of_dates
from schedules.plan import Plan as PlanFile
from schedules.problem import Problem, Severity


class InvalidPlanError(RefusedError):
    """The file has errors, all of them located."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("refused.invalid_plan", count=len(self.problems))


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
    """Makes a plan's file the active revision. The same text again, from the same day, changes nothing.

    `from_on` is the day of adoption, today by default: what was due before it is not opened. Cycles that are open
    keep the revision they were opened by.
    """
    on = today(now, zone)
    plan, problems = load.parse(text, name)
    if plan is None:
        raise InvalidPlanError([problem for problem in problems if problem.is_error])
    _check(session, plan, text, name)
    row = session.exec(select(Plan).where(col(Plan.code) == plan.code).with_for_update()).first()
    row = row or Plan(code=plan.code, title_vi="", title_en="")
    row.title_vi, row.title_en = plan.title.vi, plan.title.en
    session.add(row)
    session.flush()
    active = session.exec(select(Revision).where(col(Revision.plan_id) == row.id, col(Revision.is_active))).first()
    hash_ = hashlib.sha256(text).hexdigest()
    if active is not None:
        if active.hash == hash_ and from_on in (None, active.from_on):
            return active
        active.is_active = False
        session.add(active)
        session.flush()  # the index allows one active revision at every moment
    number = session.exec(select(func.max(Revision.number)).where(col(Revision.plan_id) == row.id)).one() or 0
    revision = Revision(
        plan_id=row.id,
        number=number + 1,
        text=text.decode("utf-8-sig"),
        hash=hash_,
        calendar=plan.calendar,
        applied_at=now,
        by=by,
        reason=reason,
        from_on=from_on or on,
        next_open_on=date.min,
    )
    session.add(revision)
    session.flush()
    append(session, "plan_applied", by=by, at=now, plan=plan.code, number=revision.number, hash=hash_, reason=reason)
    return revision


def apply_calendar(session: Session, calendar: Calendar, *, by: str, now: datetime) -> bool:
    """Makes a calendar's rows the ones in force; says whether anything changed. Open cycles keep their dates."""
    hash_ = hash_of(calendar)
    sheet = session.get(CalendarSheet, calendar.code)
    if sheet is not None and sheet.hash == hash_:
        return False
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
    _look_again(session)
    append(session, "calendar_applied", by=by, at=now, calendar=calendar.code, hash=hash_, days=len(calendar.days))
    return True


def _check(session: Session, plan: PlanFile, text: bytes, name: str) -> None:
    """What the file cannot know by itself: its calendar, its issuer, and what its dates on that calendar show."""
    try:
        calendar = calendar_of(session, plan.calendar)
    except LookupError:
        raise RefusedError("refused.no_calendar", calendar=plan.calendar) from None
    if unit_by_code(session, plan.issuer) is None:
        raise RefusedError("refused.no_issuer", unit=plan.issuer, plan=plan.code)
    errors = [remark for remark in of_dates(plan, calendar) if remark.severity is Severity.ERROR]
    if errors:
        raise InvalidPlanError(located(errors, text, name))


def _look_again(session: Session) -> None:
    """Dates may have moved: the next round looks at every active plan."""
    for revision in session.exec(select(Revision).where(col(Revision.is_active))):
        revision.next_open_on = date.min
        session.add(revision)


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

    Raises RefusedError("refused.diff_changed") when another diff holds now: somebody else applied, units moved.
    """
    raise NotImplementedError


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
    raise NotImplementedError


def text_of(session: Session, plan_code: str, number: int) -> bytes:
    """The text of a revision. Raises RefusedError when there is none."""
    raise NotImplementedError

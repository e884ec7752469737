"""Which plan is meant? The active revision of a code, else the shipped plan, or a file; with what its dates need."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from dondoc.cli.office import has_database, office
from dondoc.cli.words import CommandFailedError, _, coded, lang

if TYPE_CHECKING:
    from datetime import datetime

    from sqlmodel import Session

    from schedules.calendars import Calendar
    from schedules.plan import Plan
    from schedules.timeline import Milestones, Timeline


@dataclass(frozen=True, slots=True)
class InForce:
    """A plan with what its dates depend on. `plan_id` is its row in the database, where it is applied."""

    plan: "Plan"
    calendar: "Calendar"
    milestones: "Milestones"
    plan_id: int | None = None

    def compiled(self) -> "Timeline":
        from schedules.timeline import CollapsedChainError, compiled

        try:
            return compiled(self.plan, self.calendar, self.milestones)
        except CollapsedChainError as error:
            raise CommandFailedError(coded(error.reason.code, dict(error.reason.params))) from error
        except (ValueError, OverflowError) as error:
            raise CommandFailedError(_("problem.uncompilable", got=error)) from error


@contextmanager
def reading() -> "Iterator[tuple[Session | None, datetime | None]]":
    """The office's rows and its time, or nothing where there is no office."""
    if not has_database():
        yield None, None
        return
    with office() as here, here.database.reading() as session:
        yield session, here.now


@contextmanager
def units(session: "Session | None") -> "Iterator[Session]":
    """The office's units, or the sample organisation where there is no office."""
    if session is not None:
        yield session
        return
    from dondoc import clock
    from dondoc.cli.office import read_settings
    from dondoc.database import Database
    from samples import organisation

    with TemporaryDirectory() as folder, ExitStack() as stack:
        database = Database(f"sqlite:///{folder}/sample.sqlite")
        stack.callback(database.close)
        database.upgrade()
        with database.writing() as sample:
            organisation.load(sample, now=clock.now(), zone=read_settings().zone)
        yield stack.enter_context(database.reading())


def plan_named(session: "Session | None", name: str) -> InForce:
    """The plan of a code or of a path."""
    from schedules import shipped

    if name.endswith((".yaml", ".yml")) or "/" in name:
        return _from_file(session, Path(name))
    found = _active(session, name) if session is not None else None
    if found is not None:
        return found
    if name in shipped.plans():
        return _from_file(session, shipped.plans()[name])
    known = ", ".join(sorted({*_codes(session), *shipped.plans()}))
    raise CommandFailedError(
        _("cần mã một kế hoạch ({known}) hoặc đường dẫn một tệp, gặp “{got}”", known=known, got=name)
    )


def calendar_named(session: "Session | None", name: str) -> "Calendar":
    """The applied calendar of a code, else the shipped one, or that of a file."""
    from schedules import load, shipped

    if session is not None:
        from engine.known import calendars

        applied = calendars(session)
        if name in applied:
            return applied[name]
    is_path = name.endswith((".yaml", ".yml")) or "/" in name
    path = Path(name) if is_path else shipped.calendars().get(name)
    if path is None:
        known = ", ".join(shipped.calendars())
        raise CommandFailedError(
            _("cần mã một lịch ({known}) hoặc đường dẫn một tệp, gặp “{got}”", known=known, got=name)
        )
    calendar, problems = load.read_calendar(path)
    if calendar is None:
        raise CommandFailedError(*(problem.text(lang()) for problem in problems))
    return calendar


def _from_file(session: "Session | None", path: Path) -> InForce:
    from schedules import load
    from schedules.timeline import NO_MILESTONES

    plan, problems = load.read(path)
    if plan is None:
        raise CommandFailedError(*(problem.text(lang()) for problem in problems))
    return InForce(plan, calendar_named(session, plan.calendar), NO_MILESTONES)


def _active(session: "Session", code: str) -> InForce | None:
    from engine.plans import active_revision, milestones_of, plan_of

    revision = active_revision(session, code)
    if revision is None:
        return None
    plan = plan_of(session, revision.id)
    calendar = calendar_named(session, plan.calendar)
    return InForce(plan, calendar, milestones_of(session, revision.plan_id), revision.plan_id)


def _codes(session: "Session | None") -> list[str]:
    if session is None:
        return []
    from engine.plans import active_plans

    return [row.code for row, _revision, _plan in active_plans(session)]

"""`dondoc plans|calendars|milestones ...`: what an office brings in."""

from datetime import date
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from dondoc.cli.app import BRING, UnitCode, group_of
from dondoc.cli.office import office
from dondoc.cli.words import CommandFailedError, _, lang, table, write
from dondoc.i18n import short_day

plans = group_of("plans", _("Kế hoạch đang có hiệu lực: áp dụng, liệt kê."), BRING)
calendars = group_of("calendars", _("Lịch nghỉ: áp dụng."), BRING)
milestones = group_of("milestones", _("Mốc: nhập ngày."), BRING)
BY = "office"
File = Annotated[Path, Parameter(help=_("Tệp."))]


@plans.command(help=_("Áp dụng một tệp kế hoạch: bản này có hiệu lực."))
def apply(
    file: File,
    /,
    *,
    from_: Annotated[
        date | None, Parameter(name="--from", help=_("Ngày bắt đầu áp dụng, mặc định hôm nay: hạn trước đó không mở."))
    ] = None,
    reason: Annotated[str | None, Parameter(name="--reason", help=_("Lý do."))] = None,
) -> None:
    from engine.revise import apply_plan
    from models.plan import Plan

    with office() as here:
        text = _read(file)
        with here.database.writing() as session:
            revision = apply_plan(session, text, str(file), by=BY, reason=reason, from_on=from_,
                                  now=here.now, zone=here.zone)  # fmt: skip
            code, number, day = session.get_one(Plan, revision.plan_id).code, revision.number, revision.from_on
    write(
        _("Kế hoạch {code}: bản {number} có hiệu lực, áp dụng từ {day}.", code=code, number=number, day=short_day(day))
    )


@plans.command(name="list", help=_("Các kế hoạch đang có hiệu lực."))
def list_plans() -> None:
    from engine.plans import active_plans

    with office() as here, here.database.reading() as session:
        rows = [
            [row.code, str(revision.number), short_day(revision.from_on), plan.title.in_(lang())]
            for row, revision, plan in active_plans(session)
        ]
    head = [_("Mã"), _("Bản"), _("Áp dụng từ"), _("Tên")]
    write(*(table([head, *rows]) if rows else [_("Chưa có kế hoạch nào; áp dụng: dondoc plans apply TỆP")]))


@calendars.command(name="apply", help=_("Áp dụng một tệp lịch; đợt đang mở giữ nguyên hạn."))
def apply_days(file: File, /) -> None:
    from engine.revise import apply_calendar
    from schedules.load import read_calendar

    with office() as here:
        calendar, problems = read_calendar(file)
        if calendar is None:
            raise CommandFailedError(*(problem.text(lang()) for problem in problems))
        with here.database.writing() as session:
            is_new = apply_calendar(session, calendar, by=BY, now=here.now)
    write(_("Lịch {code}: {days} ngày đã áp dụng." if is_new else "Lịch {code}: {days} ngày, không có gì thay đổi.",
            code=calendar.code, days=len(calendar.days)))  # fmt: skip


@milestones.command(help=_("Nhập ngày của một mốc, cho mọi đơn vị hoặc một đơn vị."))
def enter(
    plan: Annotated[str, Parameter(help=_("Mã kế hoạch đang có hiệu lực."))],
    milestone: Annotated[str, Parameter(help=_("Mã mốc."))],
    period: Annotated[str, Parameter(help=_("Kỳ, ví dụ 2023."))],
    day: Annotated[date, Parameter(help=_("Ngày của mốc."))],
    /,
    *,
    unit: UnitCode = None,
) -> None:
    from engine.milestones import enter

    with office() as here, here.database.writing() as session:
        entered = enter(session, plan, milestone, period, day, unit_code=unit, by=BY, now=here.now)
        label, on = entered.period, entered.on
    write(_("Mốc {milestone}, kỳ {period}: {day}.", milestone=milestone, period=label, day=short_day(on)))


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise CommandFailedError(f"{file}: {error.strerror}") from error

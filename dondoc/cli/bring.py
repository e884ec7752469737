"""`dondoc plans|calendars|units|milestones ...`: what an office brings in."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from dondoc.cli.app import BRING, UnitCode, group_of
from dondoc.cli.office import office
from dondoc.cli.words import CommandFailedError, _, lang, table, write
from dondoc.i18n import short_day

if TYPE_CHECKING:
    from sqlmodel import Session

    from engine.reorganise import Closing

plans = group_of("plans", _("Kế hoạch đang có hiệu lực: áp dụng, liệt kê."), BRING)
calendars = group_of("calendars", _("Lịch nghỉ: áp dụng."), BRING)
units = group_of("units", _("Đơn vị: nhập, xem cây, cho thôi hoạt động."), BRING)
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


@units.command(
    name="import",
    help=_(
        "Nhập đơn vị và đầu mối từ CSV hoặc XLSX: tất cả hoặc không gì cả. Cột: code, name, kind, parent, tags, "
        "valid_from, valid_to, và cho mỗi vai contact, head, secretariat, standing: contact_name, contact_email, "
        "contact_lang, ..."
    ),
)
def import_(file: File, /) -> None:
    from engine.units import import_units, read_rows

    with office() as here:
        try:
            rows = read_rows(file)
        except OSError as error:
            raise CommandFailedError(f"{file}: {error.strerror}") from error
        with here.database.writing() as session:
            made = import_units(session, rows, by=BY, now=here.now, zone=here.zone)
    write(_("Thêm hoặc đổi: {units} đơn vị, {placements} vị trí, {contacts} đầu mối.",
            units=made.units, placements=made.placements, contacts=made.contacts))  # fmt: skip


@units.command(help=_("Cây đơn vị của một ngày."))
def tree(*, on: Annotated[date | None, Parameter(name="--on", help=_("Ngày, mặc định hôm nay."))] = None) -> None:
    from dondoc.clock import today
    from engine.units import tree

    with office() as here, here.database.reading() as session:
        for depth, placement, unit in tree(session, on or today(here.now, here.zone)):
            write(f"{'  ' * depth}{unit.code}  {unit.name}  ({placement.kind})")


@units.command(
    help=_(
        "Cho một đơn vị thôi hoạt động: việc còn nợ giao cho đơn vị kế thừa, hoặc hủy kèm lý do. "
        "Không có --yes thì chỉ cho xem trước."
    )
)
def close(
    code: Annotated[str, Parameter(help=_("Mã đơn vị."))],
    /,
    *,
    on: Annotated[
        date | None, Parameter(name="--on", help=_("Ngày đầu tiên không còn đơn vị, mặc định hôm nay."))
    ] = None,
    heir: Annotated[str | None, Parameter(name="--heir", help=_("Mã đơn vị kế thừa."))] = None,
    note: Annotated[str | None, Parameter(name="--note", help=_("Lý do."))] = None,
    yes: Annotated[bool, Parameter(name="--yes", negative="", help=_("Làm thật."))] = False,
) -> None:
    from dondoc.clock import today
    from engine.reorganise import close_unit, closing

    if heir is None and not (note or "").strip():
        raise CommandFailedError(_("cần --heir MÃ (đơn vị kế thừa) hoặc --note LÝ-DO, không có cái nào"), code=2)
    with office() as here:
        day = on or today(here.now, here.zone)
        with here.database.reading() as session:
            lines = _closing(session, closing(session, code, on=day, heir_code=heir), day)
        if yes:
            with here.database.writing() as session:
                close_unit(session, code, on=day, heir_code=heir, note=note or _("Giao cho {unit}", unit=heir),
                           by=BY, now=here.now)  # fmt: skip
    write(*lines, _("Đã làm.") if yes else _("Chưa làm gì. Thêm --yes để làm."))


def _closing(session: "Session", found: "Closing", day: date) -> list[str]:
    """What becomes of each open task."""
    from models.cycle import Cycle
    from models.deadline import Deadline

    heir = found.heir.name if found.heir is not None else ""
    fates = (
        (found.inherited, _("giao cho {unit}", unit=heir)),
        (found.cancelled, _("hủy")),
        (found.waiting, _("đã nộp, chờ duyệt: giữ nguyên")),
    )
    rows = []
    for tasks, fate in fates:
        for task in tasks:
            cycle, due_on = session.get_one(Cycle, task.cycle_id), session.get_one(Deadline, task.deadline_id).due_on
            rows.append([f"{task.id}", cycle.title(lang()), cycle.period, short_day(due_on), fate])
    head = _("{unit} ({code}) thôi hoạt động từ {day}; {n} nhiệm vụ chưa xong:", unit=found.unit.name,
             code=found.unit.code, day=short_day(day), n=len(rows))  # fmt: skip
    return [head, *table(rows, indent="  ")] if rows else [head]


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

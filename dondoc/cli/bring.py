"""`dondoc milestones ...`: it has happened."""

from datetime import date
from typing import Annotated

from cyclopts import Parameter

from dondoc.cli.app import BRING, UnitCode, group_of
from dondoc.cli.office import office
from dondoc.cli.words import _, write
from dondoc.i18n import short_day

milestones = group_of("milestones", _("Mốc: nhập ngày."), BRING)
BY = "office"


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

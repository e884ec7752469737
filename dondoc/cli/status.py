"""`dondoc status`: how does the office stand?"""

from typing import Annotated

from cyclopts import Parameter

from dondoc.cli.app import ROUND, Json, app
from dondoc.cli.office import office
from dondoc.cli.words import _, coded, lang, table, write, write_json
from dondoc.i18n import short_day, whole_moment


@app.command(group=ROUND, help=_("Tình hình: đợt, nhiệm vụ theo trạng thái, việc quá hạn, thông báo, tin."))
def status(
    *,
    plan: Annotated[str | None, Parameter(name="--plan", help=_("Chỉ một kế hoạch, theo mã."))] = None,
    json: Json = False,
) -> None:
    from engine.status import status

    with office() as here, here.database.reading() as session:
        found = status(session, here.now, here.zone, plan)
    if json:
        write_json(found.as_json())
        return
    write(_("{cycles} đợt, {notices} thông báo, {messages} tin",
            cycles=found.cycles, notices=found.notices, messages=found.messages))  # fmt: skip
    if found.unsent:
        write("  " + _("trong đó {n} tin chưa đi", n=found.unsent))
    write(*table([[_(f"state.{state}"), str(count)] for state, count in found.tasks.items()], indent="  "))
    if found.held or found.retried:
        write("", _("Đang chờ, chưa gửi"))
        for tried in found.retried:
            why = _(f"waits.{tried.outcome}") + (f" ({tried.code})" if tried.code else "")
            since, at = (whole_moment(moment, here.zone, lang()) for moment in (tried.since, tried.until))
            write("  " + _("{n} tin qua {channel}: {why}, từ {since}, gửi lại từ {at}", n=tried.messages,
                           channel=_(f"channel.{tried.channel}"), why=why, since=since, at=at))  # fmt: skip
        for each in found.held:
            at = whole_moment(each.until, here.zone, lang())
            why = coded(each.why, {})
            write("  " + _("{n} thông báo: {why}, xem lại lúc {at}", n=each.notices, why=why, at=at))
    if found.overdue:
        rows = [
            [str(each.task), each.unit, each.obligation, each.period, short_day(each.due_on), str(each.late_days)]
            for each in found.overdue
        ]
        head = [_("Số"), _("Đơn vị"), _("Yêu cầu"), _("Kỳ"), _("Hạn"), _("Trễ (ngày làm việc)")]
        write("", _("Quá hạn"), *table([head, *rows], indent="  "))
    if found.ahead:
        rows = [
            [short_day(each.opens_on), each.obligation.code, each.period, ", ".join(unit.code for unit in each.units)]
            for each in found.ahead
        ]
        head = [_("Ngày mở"), _("Yêu cầu"), _("Kỳ"), _("Đơn vị không báo được")]
        write("", _("Sắp mở mà có đơn vị không báo được"), *table([head, *rows], indent="  "))

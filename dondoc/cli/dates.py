"""`dondoc timeline` and `dondoc calendar`: what falls due when, and is this a working day?"""

import re
from datetime import date
from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import Parameter

from dondoc.cli.app import LOOK, Json, PlanName, UnitCode, app
from dondoc.cli.inforce import InForce, calendar_named, plan_named, reading, units
from dondoc.cli.words import CommandFailedError, _, lang, table, write, write_json
from dondoc.i18n import short_day, whole_day

if TYPE_CHECKING:
    from schedules.audience import Audience
    from schedules.calendars import Calendar, Day
    from schedules.plan import Offset
    from schedules.timeline import Row, Waiting

_DISTANCE: Final = re.compile(r"([+-])([0-9]{1,5})wd")


@app.command(group=LOOK, help=_("Mọi hạn của một kế hoạch, xếp theo tháng."))
def timeline(
    plan: PlanName,
    /,
    *,
    from_: Annotated[date | None, Parameter(name="--from", help=_("Từ ngày (tính cả ngày này)."))] = None,
    to: Annotated[date | None, Parameter(name="--to", help=_("Đến ngày (tính cả ngày này)."))] = None,
    unit: UnitCode = None,
    json: Json = False,
) -> None:
    from schedules.timeline import timeline as rows_between

    if from_ is not None and to is not None and from_ > to:
        raise CommandFailedError(_("cần --from không muộn hơn --to, gặp {first} và {last}", first=from_, last=to))
    with reading() as (session, _now):
        meant = plan_named(session, plan)
        waiting = meant.compiled().waiting
        rows = rows_between(meant.plan, meant.calendar, meant.milestones, from_ or date.min, to or date.max)
        if unit is not None:
            from engine.concerned import rows_of

            with units(session) as organisation:
                rows = rows_of(organisation, rows, unit, meant.plan_id)
    if json:
        write_json([row.as_json(meant.plan) for row in rows])
    else:
        write(*_as_text(meant, rows), *_waiting(meant, waiting))


@app.command(group=LOOK, help=_("Ngày này có làm việc không, và cách đó bao nhiêu ngày làm việc là ngày nào?"))
def calendar(
    calendar: Annotated[str, Parameter(help=_("Mã lịch hoặc đường dẫn tệp."))],
    on: Annotated[date, Parameter(name="DATE", help=_("Ngày, ví dụ 2025-09-30."))],
    distance: Annotated[
        str | None, Parameter(name="+Nwd|-Nwd", allow_leading_hyphen=True, help=_("Khoảng cách, ví dụ +5wd hoặc -5wd."))
    ] = None,
    /,
    *,
    json: Json = False,
) -> None:
    with reading() as (session, _now):
        found = calendar_named(session, calendar)
    offset = _offset(distance) if distance is not None else None
    try:
        result = found.after(on, offset) if offset is not None else None
    except OverflowError as error:
        raise CommandFailedError(_("problem.uncompilable", got=error)) from error
    row = found.row(on)
    is_provisional = found.is_provisional(on) or (result is not None and found.is_provisional(result))
    if json:
        answer = {"date": on, "working": found.is_working(on), "name": row.name.in_(lang()) if row else None}
        write_json({**answer, "source": _source(row), "provisional": is_provisional, "result": result})
        return
    write(day_in_words(found, on))
    if offset is not None and result is not None:
        day = whole_day(result, lang())
        write(_("{count} ngày làm việc sau: {day}" if offset.count >= 0 else "{count} ngày làm việc trước: {day}",
                count=abs(offset.count), day=day))  # fmt: skip
    if is_provisional:
        write(_("Còn tạm tính: lịch {calendar} chưa có quyết định cho năm này.", calendar=found.code))


def day_in_words(calendar: "Calendar", on: date) -> str:
    """thứ Năm 01/05/2025: ngày nghỉ, Ngày Quốc tế lao động (Bộ luật Lao động 2019, ...)"""
    row = calendar.row(on)
    words = _("ngày làm việc") if calendar.is_working(on) else _("ngày nghỉ")
    if row is not None:
        words += f", {row.name.in_(lang())} ({_source(row)})"
    elif on.weekday() >= 5:
        words += f", {_('cuối tuần')}"
    return f"{whole_day(on, lang())}: {words}"


def who_in_words(who: "Audience", issuer: str) -> str:
    """dang-bo-co-so, chi-bo-co-so; trừ giang-day. That it is the issuer's own tree goes without saying."""
    parts = [", ".join(sorted(values)) for values in (who.kinds, who.tags, who.units) if values]
    if who.under and who.under != {issuer}:
        parts.append(_("dưới {units}", units=", ".join(sorted(who.under))))
    if who.both is not None:
        parts.append(_("trong số {who}", who=who_in_words(who.both, issuer)))
    if who.reached is not None:
        parts.append(_("có mốc {milestone} ngày {day}", milestone=who.reached.milestone, day=short_day(who.reached.on)))
    words = "; ".join(parts)
    return words + "".join("; " + _("trừ {who}", who=who_in_words(each, issuer)) for each in who.minus)


def marks(row: "Row", calendar: "Calendar") -> list[str]:
    """What a reader must not overlook about a due day."""
    day = row.day
    found = []
    if day.set_by.value == "office":
        found.append(_("⟨văn phòng đặt⟩"))
    if day.is_provisional:
        found.append(_("chưa có quyết định"))
    if day.nominal_on != day.due_on:
        found.append(_("dời từ {day}", day=short_day(day.nominal_on)))
    if not calendar.is_working(day.due_on):
        found.append(_("ngày nghỉ"))
    return found


def _as_text(meant: InForce, rows: "list[Row]") -> list[str]:
    """A table with a heading for each month."""
    plan = meant.plan
    lines = [f"{plan.code}  {plan.title.in_(lang())}", _("{count} hạn", count=len(rows)), ""]
    head = [_("Hạn"), _("Kỳ"), _("Yêu cầu"), _("Mở"), _("Nhận đến"), _("Căn cứ"), _("Ai"), _("Lưu ý")]
    ordered = sorted(rows, key=lambda row: row.day.due_on)
    aligned = table([head, *(_cells(row, meant) for row in ordered)], indent="  ")
    if ordered:
        lines += [aligned[0], ""]
    for month, group in groupby(
        zip(ordered, aligned[1:], strict=True), key=lambda each: each[0].day.due_on.replace(day=1)
    ):
        lines += [_("Tháng {month}", month=f"{month:%m/%Y}"), *(line for _row, line in group), ""]
    return lines


def _cells(row: "Row", meant: InForce) -> list[str]:
    day, obligation = row.day, row.occurrence.obligation
    return [
        whole_day(day.due_on, lang()),
        row.occurrence.period.label,
        f"{obligation.code}/{day.level}" if day.level else obligation.code,
        short_day(row.occurrence.opens_on),
        short_day(day.grace_until) if day.grace_until else "–",
        "; ".join(obligation.source),
        who_in_words(day.who, meant.plan.issuer),
        ", ".join(marks(row, meant.calendar)),
    ]


def _waiting(meant: InForce, waiting: "tuple[Waiting, ...]") -> list[str]:
    if not waiting:
        return []
    titles = {each.code: each.title.in_(lang()) for each in meant.plan.milestones}
    rows = [
        [
            each.obligation.code,
            each.period.label,
            each.milestone,
            titles[each.milestone],
            "; ".join(each.obligation.source),
        ]
        for each in waiting
    ]
    return [_("Chờ mốc, chưa có ngày"), *table(rows, indent="  ")]


def _offset(distance: str) -> "Offset":
    from schedules.plan import Offset

    found = _DISTANCE.fullmatch(distance)
    if found is None:
        raise CommandFailedError(_("cần khoảng cách như +5wd hoặc -5wd, gặp “{got}”", got=distance), code=2)
    return Offset(int(found[1] + found[2]), working=True)


def _source(row: "Day | None") -> str | None:
    if row is None:
        return None
    return f"{row.source}; {row.decision}" if row.decision else row.source

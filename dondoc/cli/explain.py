"""`dondoc explain`: why this date? The document, the clause, the rule and everything that moved it."""

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from dondoc.cli.app import LOOK, Json, PlanName, UnitCode, app
from dondoc.cli.dates import day_in_words, who_in_words
from dondoc.cli.inforce import InForce, plan_named, reading, units
from dondoc.cli.office import read_settings
from dondoc.cli.words import CommandFailedError, _, lang, write, write_json
from dondoc.i18n import by_when, short_day, whole_moment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlmodel import Session

    from engine.dossier import Dossier
    from models.cycle import Cycle
    from schedules.plan import Obligation
    from schedules.timeline import Occurrence, Row, Waiting


@app.command(group=LOOK, help=_("Vì sao là ngày này: văn bản, điều khoản, quy tắc, ngoại lệ, ngày nghỉ, gia hạn."))
def explain(
    plan: PlanName,
    obligation: Annotated[str, Parameter(help=_("Mã yêu cầu báo cáo."))],
    period: Annotated[str, Parameter(help=_("Kỳ, ví dụ 2023, 2023-H1, 2023-Q2, 2023-06, 2021..2023."))],
    /,
    *,
    unit: UnitCode = None,
    json: Json = False,
) -> None:
    from schedules.timeline import Row

    task = None
    with reading() as (session, now):
        meant = plan_named(session, plan)
        owed = _obligation(meant, obligation)
        compiled = meant.compiled()
        mine = [each for each in compiled.occurrences if each.obligation is owed and each.period.label == period]
        waiting = [each for each in compiled.waiting if each.obligation is owed and each.period.label == period]
        request = None
        if owed.is_on_request and not mine and not waiting:
            request, occurrence = _request(session, meant, owed, period)
            mine = [occurrence]
        rows = [Row(occurrence, day) for occurrence in mine for day in occurrence.days]
        if not rows and not waiting:
            periods = {each.period for each in compiled.occurrences if each.obligation is owed}
            periods |= {each.period for each in compiled.waiting if each.obligation is owed}
            known = ", ".join(each.label for each in sorted(periods))
            raise CommandFailedError(_("{obligation}: cần một kỳ trong {known}, gặp “{got}”",
                                       obligation=owed.code, known=known, got=period))  # fmt: skip
        if unit is not None:
            from engine.concerned import rows_of

            with units(session) as organisation:
                rows = rows_of(organisation, rows, unit, meant.plan_id)
            task = _task(session, now, meant, owed, period, unit)
    if json:
        asked = {"request": {"cycle": request.id, "opened_at": request.opened_at}} if request is not None else {}
        write_json(_as_json(meant, owed, period, rows, waiting, task) | asked)
    else:
        lines = _as_text(meant, owed, period, rows, waiting, unit)
        write(
            *lines[:1], *(_of_request(request) if request else ()), *lines[1:], *(_of_task(task, meant) if task else ())
        )


def _obligation(meant: InForce, code: str) -> "Obligation":
    for each in meant.plan.obligations:
        if each.code == code:
            return each
    known = ", ".join(each.code for each in meant.plan.obligations)
    raise CommandFailedError(_("{plan}: cần một yêu cầu trong {known}, gặp “{got}”",
                               plan=meant.plan.code, known=known, got=code))  # fmt: skip


def _request(session: "Session | None", meant: InForce, owed: "Obligation", period: str) -> "tuple[Cycle, Occurrence]":
    """What was opened under this name; a request that was not opened has no dates to explain."""
    if session is not None and meant.plan_id is not None:
        from engine.request import occurrence_of, request_named, requests

        cycle = request_named(session, meant.plan_id, owed.code, period)
        if cycle is not None:
            return cycle, occurrence_of(session, cycle, read_settings().zone)
        opened = requests(session, meant.plan_id, owed.code)
    else:
        opened = []
    raise CommandFailedError(
        _("{obligation} là yêu cầu đột xuất: không có kỳ, mỗi lần được mở bằng tay dưới một tên riêng: "
          "dondoc open {plan} {obligation} TÊN", obligation=owed.code, plan=meant.plan.code),
        _("cần một kỳ trong {known}, gặp “{got}”", known=", ".join(opened) or _("chưa mở lần nào"), got=period),
    )  # fmt: skip


def _of_request(cycle: "Cycle") -> list[str]:
    when = whole_moment(cycle.opened_at, read_settings().zone, lang())
    return [
        _("Đột xuất, mở bằng tay lúc {when}: đợt {id}, “{title}”", when=when, id=cycle.id, title=cycle.title(lang()))
    ]


def _task(
    session: "Session | None", now: "datetime | None", meant: InForce, owed: "Obligation", period: str, unit: str
) -> "Dossier | None":
    """The unit's task, when the cycle is open in this office."""
    if session is None or now is None or meant.plan_id is None:
        return None
    from engine.dossier import dossier, task_of

    task = task_of(session, meant.plan_id, owed.code, period, unit)
    return dossier(session, task.id, now, read_settings().zone) if task is not None else None


def _as_json(
    meant: InForce,
    owed: "Obligation",
    period: str,
    rows: "Sequence[Row]",
    waiting: "Sequence[Waiting]",
    task: "Dossier | None",
) -> dict[str, object]:
    plan = meant.plan
    return {
        "plan": plan.code,
        "obligation": owed.code,
        "period": period,
        "document": plan.document.in_(lang()),
        "source": "; ".join(owed.source),
        "rows": [
            {**row.as_json(plan), "reasons": [reason.as_json() for reason in row.day.reasons]} for row in rows
        ],
        "waiting": [{"level": each.level, "milestone": each.milestone} for each in waiting],
        "task": task.as_json() if task is not None else None,
    }  # fmt: skip


def _as_text(
    meant: InForce,
    owed: "Obligation",
    period: str,
    rows: "Sequence[Row]",
    waiting: "Sequence[Waiting]",
    unit: str | None,
) -> list[str]:
    lines = [
        _("{title}, kỳ {period}", title=owed.title.in_(lang()), period=period),
        _("Văn bản: {document}", document=meant.plan.document.in_(lang())),
        _("Căn cứ: {source}", source="; ".join(owed.source)),
    ]
    for row in rows:
        lines += ["", *_day(meant, row)]
    titles = {each.code: each.title.in_(lang()) for each in meant.plan.milestones}
    for each in waiting:
        lines += ["", _("Chưa có ngày: chờ mốc “{milestone}”", milestone=titles[each.milestone])]
    if unit is not None and not rows and not waiting:
        lines += ["", _("Đơn vị {unit} không phải báo cáo kỳ này.", unit=unit)]
    return lines


def _day(meant: InForce, row: "Row") -> list[str]:
    day, zone = row.day, read_settings().zone
    return [
        _("Hạn: {due}", due=by_when(day.due_on, day.due_at, zone, lang())) + (f" ({day.level})" if day.level else ""),
        "  " + _("Ai: {who}", who=who_in_words(day.who, meant.plan.issuer)),
        *(f"  - {_said(reason.code, dict(reason.params), meant)}" for reason in day.reasons),
        "  " + _("Mở: {day}", day=short_day(row.occurrence.opens_on)),
        "  " + _("Lịch {calendar}: {day}", calendar=meant.calendar.code, day=day_in_words(meant.calendar, day.due_on)),
    ]


def _said(code: str, params: "Mapping[str, str]", meant: InForce) -> str:
    """A link of the proof."""
    from engine.proof import in_words

    return in_words(code, params, meant.plan, meant.calendar, lang())


def _of_task(task: "Dossier", meant: InForce) -> list[str]:
    """What one unit's own deadline adds: an extension, a return with a date."""
    deadline, zone = task.deadline, read_settings().zone
    lines = [
        "",
        _("Nhiệm vụ {id}, {unit}: {state}", id=task.task.id, unit=task.unit.name, state=_(f"state.{task.task.state}")),
        "  " + _("Hạn của đơn vị: {due}", due=by_when(deadline.due_on, deadline.due_at, zone, lang())),
        *(f"  - {_said(each['code'], each['params'], meant)}" for each in deadline.reasons),
    ]
    moves = [
        _("{was} → {day}: {reason} ({document})", was=short_day(each.from_on), day=short_day(each.to_on),
          reason=each.reason, document=each.document or "–")
        for each in task.extensions
    ]  # fmt: skip
    return [*lines, *(f"  - {move}" for move in moves)]

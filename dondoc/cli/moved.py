"""How are dates that move printed? As JSON for programs, as a table for people, who may be asked."""

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from dondoc.cli.words import CommandFailedError, _, table, write
from dondoc.i18n import short_day, whole_period

if TYPE_CHECKING:
    from engine.preview import Moved
    from schedules.timeline import DueDay


def as_json(changes: "Iterable[Moved]") -> dict[str, list[dict[str, object]]]:
    """By way; what keeps its day and differs otherwise stands under `changed`, with the parts that do."""
    found: dict[str, list[dict[str, object]]] = {"added": [], "dropped": [], "moved": [], "changed": []}
    for each in changes:
        way = each.change.way.value
        row: dict[str, object] = each.as_json()
        if way not in found:
            row["parts"] = [part.value for part in each.change.parts]
        found[way if way in found else "changed"].append(row)
    return found


def as_text(changes: "Sequence[Moved]", *, with_plan: bool = False) -> list[str]:
    if not changes:
        return [_("Không ngày nào thay đổi.")]
    head = [_("Thay đổi"), _("Yêu cầu"), _("Kỳ"), _("Hạn cũ"), _("Hạn mới"), _("Đơn vị"), _("Đã báo"), _("Đã nộp")]
    return table([head, *(_row(each, with_plan) for each in changes)])


def allowed(
    lines: Sequence[str], changes: "Iterable[Moved]", *, reason: str | None, command: str, yes: bool, refusal: str
) -> str:
    """The reason to be kept, once somebody said yes to replacing what is in force; without `lines` nothing is.

    Where nobody is at the keyboard the effect is shown with the `refusal`. Where nothing that is open or was told
    changes, the command itself is reason enough.
    """
    given, is_asked = (reason or "").strip(), bool(lines) and not yes
    lacks = []
    if not given and any(each.cycle_id is not None or each.told for each in changes):
        lacks.append(_("Cần --reason LÝ-DO: có ngày đã mở hay đã báo thay đổi, và đơn vị đọc lý do ấy."))
    if is_asked and not sys.stdin.isatty():
        lacks.append(refusal)
    if lacks:
        raise CommandFailedError(*lines, *lacks)
    if is_asked:
        write(*lines)
        sys.stdout.write(_("Áp dụng? [c/K] "))
        sys.stdout.flush()
        if sys.stdin.readline().strip().lower() not in {"c", "có", "y", "yes"}:
            raise CommandFailedError(_("Chưa làm gì."))
    return given or command


def _row(each: "Moved", with_plan: bool) -> list[str]:
    from dondoc.cli.words import lang

    change = each.change
    name = f"{change.obligation} {change.level}".strip()
    return [
        _(f"way.{change.way}") + (f" ({_('đợt {id}', id=each.cycle_id)})" if each.cycle_id is not None else ""),
        f"{each.plan}/{name}" if with_plan else name,
        whole_period(change.period, lang()),
        _day(change.before),
        _day(change.after),
        str(each.units),
        str(each.told),
        str(each.submitted),
    ]


def _day(day: "DueDay | None") -> Any:
    return short_day(day.due_on) if day is not None else ""

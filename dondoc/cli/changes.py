"""`dondoc units changes` and `call-off`: which changes of units are still to come, and how is one taken back?"""

from datetime import date
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from dondoc.cli.app import Json, Reason
from dondoc.cli.office import office
from dondoc.cli.units import BY, Yes, done_or_not, units
from dondoc.cli.words import _, table, write, write_json
from dondoc.i18n import short_day

if TYPE_CHECKING:
    from models.entry import Entry


@units.command(help=_("Các thay đổi đã quyết định mà chưa đến ngày: chuyển, đổi tên, sáp nhập, tách, thôi hoạt động."))
def changes(*, json: Json = False) -> None:
    from dondoc.clock import today
    from engine.coming import orders

    with office() as here, here.database.reading() as session:
        found = orders(session, today(here.now, here.zone))
    if json:
        write_json([{"number": each.id, "act": each.act, "by": each.by, **each.data} for each in found])
        return
    if not found:
        write(_("Không có thay đổi nào sắp tới."))
    write(*table([[f"{each.id}", *_told(each), each.data["note"]] for each in found]))


@units.command(name="call-off", help=_("Bãi bỏ một thay đổi trước ngày của nó; không có --yes thì chỉ cho xem trước."))
def call_off(
    number: Annotated[int, Parameter(help=_("Số của thay đổi, như units changes in ra."))],
    /,
    *,
    reason: Reason,
    yes: Yes = False,
) -> None:
    from engine import call_off

    with office() as here:
        with here.database.reading() as session:
            found = call_off.preview(session, number, now=here.now, zone=here.zone)
        if yes:
            with here.database.writing() as session:
                call_off.call_off(session, number, reason=reason, by=BY, now=here.now, zone=here.zone)
    parts = [
        (_("Vẫn hoạt động như trước:"), found.goes_on),
        (_("Không thành lập nữa:"), found.never_begins),
        (_("Ở nguyên chỗ cũ:"), found.stays),
    ]
    if "name" in found.order.data:
        parts.append((_("Không mang tên mới nữa:"), (found.order.data["unit"],)))
    write(
        "  ".join(_told(found.order)),
        *(f"{head} {', '.join(codes)}" for head, codes in parts if codes),
        done_or_not(yes),
    )


def _told(order: "Entry") -> list[str]:
    """From which day, what, which units, and their new name."""
    from engine.coming import concerned

    day = short_day(date.fromisoformat(order.data["on"]))
    named = [_("tên mới: {name}", name=order.data["name"])] if "name" in order.data else []
    return [day, _(f"change.{order.act}"), "; ".join([", ".join(concerned(order)), *named])]

"""`dondoc units ...`: units come in, move, merge, split, close; who of them cannot be told."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

from cyclopts import Parameter

from dondoc.cli.app import BRING, Json, Reason, group_of
from dondoc.cli.office import Office, office
from dondoc.cli.words import CommandFailedError, _, lang, table, write, write_json
from dondoc.i18n import short_day

if TYPE_CHECKING:
    from engine.changes import Change
    from engine.hand_over import Fate
    from engine.reorganise import Effect, Order

units = group_of("units", _("Đơn vị: nhập, xem cây, chuyển, sáp nhập, tách, cho thôi hoạt động."), BRING)
BY = "office"
Code: TypeAlias = Annotated[str, Parameter(help=_("Mã đơn vị."))]
Day: TypeAlias = Annotated[date | None, Parameter(name="--on", help=_("Ngày đầu tiên có hiệu lực, mặc định hôm nay."))]
Yes: TypeAlias = Annotated[bool, Parameter(name="--yes", negative="", help=_("Làm thật."))]
Given: TypeAlias = Annotated[
    list[str] | None,
    Parameter(
        name="--give",
        negative="",
        help=_("Giao riêng một nhiệm vụ: SỐ=MÃ, hoặc SỐ= để hủy; lặp lại được."),
    ),
]


@units.command(
    name="import",
    help=_(
        "Nhập đơn vị và đầu mối từ CSV hoặc XLSX: tất cả hoặc không gì cả; --preview chỉ cho xem thay đổi. Cột: code, "
        "name, kind, parent, tags, valid_from, valid_to, và cho mỗi vai contact, head, secretariat, standing: "
        "contact_name, contact_email, contact_lang, ..."
    ),
)
def import_(
    file: Annotated[Path, Parameter(help=_("Tệp."))],
    /,
    *,
    preview: Annotated[bool, Parameter(name="--preview", negative="", help=_("Chỉ xem, không nhập."))] = False,
    reason: Annotated[
        str, Parameter(name="--reason", help=_("Lý do; cần khi tệp đổi những gì đang có, không chỉ thêm mới."))
    ] = "",
) -> None:
    from engine.believe import believe
    from engine.changes import changes
    from engine.units import import_units, read_rows

    with office() as here:
        try:
            rows = read_rows(file)
        except OSError as error:
            raise CommandFailedError(f"{file}: {error.strerror}") from error
        if preview:
            with here.database.reading() as session:
                found = changes(believe(session, rows, now=here.now, zone=here.zone))
            write(*_changes(found))
            return
        with here.database.writing() as session:
            made = import_units(session, rows, by=BY, now=here.now, zone=here.zone, reason=reason)
    write(_("Thêm hoặc đổi: {units} đơn vị, {placements} vị trí, {contacts} đầu mối.",
            units=made.units, placements=made.placements, contacts=made.contacts))  # fmt: skip


@units.command(help=_("Ghi các đơn vị đang có ra tệp CSV để sửa rồi nhập lại bằng units import."))
def export(file: Annotated[Path, Parameter(help=_("Tệp, chưa có."))], /) -> None:
    from dondoc.clock import today
    from engine.sheet_out import COLUMNS, csv_of, sheet_of_units

    with office() as here, here.database.reading() as session:
        rows = [COLUMNS, *sheet_of_units(session, today(here.now, here.zone))]
    try:
        with file.open("xb") as out:
            out.write(csv_of(rows))
    except OSError as error:
        raise CommandFailedError(f"{file}: {error.strerror}") from error
    write(_("{units} đơn vị: {file}", units=len(rows) - 1, file=str(file)))


@units.command(help=_("Cây đơn vị của một ngày."))
def tree(*, on: Annotated[date | None, Parameter(name="--on", help=_("Ngày, mặc định hôm nay."))] = None) -> None:
    from dondoc.clock import today
    from engine.units import tree

    with office() as here, here.database.reading() as session:
        for depth, placement, unit in tree(session, on or today(here.now, here.zone)):
            write(f"{'  ' * depth}{unit.code}  {unit.name}  ({placement.kind})")


@units.command(help=_("Chuyển một đơn vị sang cấp trên khác hoặc loại khác từ một ngày; cấp dưới đi theo."))
def move(
    code: Code,
    /,
    *,
    under: Annotated[
        str | None, Parameter(name="--under", help=_("Mã cấp trên mới; không có: ở cấp cao nhất."))
    ] = None,
    kind: Annotated[str, Parameter(name="--kind", help=_("Loại mới, mặc định giữ nguyên."))] = "",
    on: Day = None,
    follow: Annotated[
        bool, Parameter(name="--follow", negative="", help=_("Việc đang mở đi theo: cấp trên mới nhận."))
    ] = False,
    name: Annotated[str, Parameter(name="--name", help=_("Tên mới từ cùng ngày, mặc định giữ nguyên."))] = "",
    reason: Reason,
    yes: Yes = False,
) -> None:
    from engine import relocate

    with office() as here:
        asked = relocate.Move(code, _day(here, on), under, kind, follow, name)
        with here.database.reading() as session:
            found = relocate.preview(session, asked, now=here.now, zone=here.zone)
        if yes:
            with here.database.writing() as session:
                relocate.apply(session, asked, reason=reason, by=BY, now=here.now, zone=here.zone,
                               expected_hash=found.hash)  # fmt: skip
    before, after = (each.name if each else _("cấp cao nhất") for each in (found.before, found.after))
    write(
        _("{unit} ({code}), từ {day}: {before} → {after}; {n} đơn vị bên dưới đi theo.", unit=found.unit.name,
          code=code, day=short_day(asked.on), before=before, after=after, n=found.along),
        _("{n} việc đang mở đi theo." if follow else "{n} việc đang mở ở lại với nơi nhận cũ.", n=found.tasks),
        *([f"{found.unit.name} → {found.name}"] if found.name else []),
        done_or_not(yes),
    )  # fmt: skip


@units.command(help=_("Đổi tên một đơn vị; mã giữ nguyên, giấy tờ của các ngày trước giữ tên cũ."))
def rename(
    code: Code, name: Annotated[str, Parameter(help=_("Tên mới."))], /, *, on: Day = None, reason: Reason
) -> None:
    from engine import relocate
    from engine.coming import RENAME

    with office() as here, here.database.writing() as session:
        entry = relocate.rename(session, code, name, on=on, reason=reason, by=BY, now=here.now, zone=here.zone)
        act, data = entry.act, entry.data
    if act == RENAME:
        write(_("{name}, từ {day}", name=data["name"], day=short_day(date.fromisoformat(data["on"]))))
    else:
        write(f"{data['before']} → {data['after']}")


@units.command(
    help=_(
        "Cho một đơn vị thôi hoạt động: việc còn nợ giao cho đơn vị kế thừa, hoặc hủy kèm lý do. "
        "Không có --yes thì chỉ cho xem trước."
    )
)
def close(
    code: Code,
    /,
    *,
    on: Annotated[
        date | None, Parameter(name="--on", help=_("Ngày đầu tiên không còn đơn vị, mặc định hôm nay."))
    ] = None,
    heir: Annotated[str | None, Parameter(name="--heir", help=_("Mã đơn vị kế thừa."))] = None,
    note: Annotated[str | None, Parameter(name="--note", help=_("Lý do."))] = None,
    give: Given = None,
    yes: Yes = False,
) -> None:
    from engine.reorganise import Order
    from models.lineage import Succession

    if heir is None and not (note or "").strip():
        raise CommandFailedError(_("cần --heir MÃ (đơn vị kế thừa) hoặc --note LÝ-DO, không có cái nào"), code=2)
    with office() as here:
        order = Order(Succession.CLOSE, (code,), _day(here, on), heir, tasks=_given(give))
        found = _reorganise(here, order, note or _("Giao cho {unit}", unit=heir), yes=yes)
    write(
        _("{unit} ({code}) thôi hoạt động từ {day}; {n} nhiệm vụ chưa xong:" if found.fates else
          "{unit} ({code}) thôi hoạt động từ {day}; không còn nhiệm vụ nào chưa xong.",
          unit=found.units[0].name, code=code, day=short_day(order.on), n=len(found.fates)),
        *_fates(found), done_or_not(yes),
    )  # fmt: skip


@units.command(
    help=_("Sáp nhập các đơn vị vào một đơn vị, đã có hoặc mới (--name); không có --yes thì chỉ cho xem trước.")
)
def merge(
    *codes: Code,
    into: Annotated[str, Parameter(name="--into", help=_("Mã đơn vị nhận."))],
    name: Annotated[str | None, Parameter(name="--name", help=_("Tên, khi đơn vị nhận là đơn vị mới."))] = None,
    on: Day = None,
    give: Given = None,
    reason: Reason,
    yes: Yes = False,
) -> None:
    from engine.reorganise import Fresh, Order
    from models.lineage import Succession

    fresh = (Fresh(into, name),) if name else ()
    with office() as here:
        order = Order(
            Succession.MERGE, codes, _day(here, on), into, fresh, tasks=_given(give), with_contacts=bool(name)
        )
        found = _reorganise(here, order, reason, yes=yes)
    write(
        _("{units} sáp nhập vào {into} từ {day}; {n} nhiệm vụ chưa xong, {below} đơn vị bên dưới đi theo.",
          units=", ".join(unit.code for unit in found.ends), into=into, day=short_day(order.on), n=len(found.fates),
          below=found.along),
        *_fates(found), done_or_not(yes),
    )  # fmt: skip


@units.command(help=_("Tách một đơn vị thành các đơn vị mới; không có --yes thì chỉ cho xem trước."))
def split(
    code: Code,
    /,
    *,
    into: Annotated[list[str], Parameter(name="--into", negative="", help=_("Đơn vị mới: MÃ=TÊN; lặp lại được."))],
    stays: Annotated[
        bool, Parameter(name="--stays", negative="", help=_("Đơn vị cũ vẫn còn, bên cạnh các đơn vị mới."))
    ] = False,
    on: Day = None,
    give: Given = None,
    reason: Reason,
    yes: Yes = False,
) -> None:
    from engine.reorganise import Fresh, Order
    from models.lineage import Succession

    fresh = tuple(Fresh(each.partition("=")[0].strip(), each.partition("=")[2]) for each in into)
    with office() as here:
        order = Order(
            Succession.SPLIT, (code,), _day(here, on), None, fresh, stays, _given(give), with_contacts=not stays
        )
        found = _reorganise(here, order, reason, yes=yes)
    write(
        _("{unit} tách thành {into} từ {day}; {n} nhiệm vụ chưa xong, {below} đơn vị bên dưới đi theo.", unit=code,
          into=", ".join(found.heirs), day=short_day(order.on), n=len(found.fates), below=found.along),
        *_fates(found), done_or_not(yes),
    )  # fmt: skip


@units.command(help=_("Đơn vị không báo được cho ai, và địa chỉ đứng tên nhiều đầu mối."))
def contacts(*, json: Json = False) -> None:
    from engine.access import everything
    from engine.reachable import doubled, unreachable

    with office() as here, here.database.reading() as session:
        silent = unreachable(session, everything(BY, ""), now=here.now, zone=here.zone)
        twice = doubled(session, everything(BY, ""), now=here.now, zone=here.zone)
    if json:
        write_json({
            "unreachable": [{"unit": row.code, "reach": row.reach} for row in silent],
            "doubled": [
                {"way": each.way, "address": each.address,
                 "contacts": [{"unit": unit.code, "role": contact.role} for contact, unit in each.held]}
                for each in twice
            ],
        })  # fmt: skip
        return
    write(_("Đơn vị không báo được cho ai: {n}", n=len(silent)))
    write(*table([[row.code, row.name, _(f"reach.{row.reach}")] for row in silent], indent="  "))
    write(_("Địa chỉ đứng tên nhiều đầu mối: {n}", n=len(twice)))
    write(*table(
        [[each.address, ", ".join(f"{unit.code} ({_(f'role.{contact.role}')})" for contact, unit in each.held)]
         for each in twice], indent="  "))  # fmt: skip


def _day(here: Office, on: date | None) -> date:
    from dondoc.clock import today

    return on or today(here.now, here.zone)


def done_or_not(yes: bool) -> str:
    return _("Đã làm.") if yes else _("Chưa làm gì. Thêm --yes để làm.")


def _given(give: Sequence[str] | None) -> dict[int, str]:
    """Task -> code, as typed 12=stc."""
    found = {}
    for each in give or ():
        number, equals, code = each.partition("=")
        if not equals or not number.isdecimal():
            raise CommandFailedError(_("--give: cần SỐ=MÃ hoặc SỐ=, gặp “{got}”", got=each), code=2)
        found[int(number)] = code.strip()
    return found


def _reorganise(here: Office, order: "Order", reason: str, *, yes: bool) -> "Effect":
    """What the order does; done when `yes`."""
    from engine import reorganise

    with here.database.reading() as session:
        found = reorganise.preview(session, order, now=here.now, zone=here.zone)
    if yes:
        with here.database.writing() as session:
            reorganise.apply(session, order, reason=reason, by=BY, now=here.now, zone=here.zone,
                             expected_hash=found.hash)  # fmt: skip
    return found


def _fates(found: "Effect") -> list[str]:
    """What becomes of each open task."""
    rows = [
        [f"{fate.task.id}", fate.cycle.title(lang()), fate.cycle.period, short_day(fate.deadline.due_on), _fate(fate)]
        for fate in found.fates
    ]
    lines = table(rows, indent="  ") if rows else []
    lines += [
        _("việc của {unit}, nhận từ {day}, cũng do {heir} làm tiếp", unit=unit.code, day=short_day(on),
          heir=found.heirs[0])
        for unit, on in found.awaited
    ]  # fmt: skip
    lines += [_("Không báo được cho ai ở {unit}: chưa có đầu mối nhận được tin.", unit=code) for code in found.silent]
    return [*lines, _("Việc giao lại trong vòng chạy đầu tiên của ngày đó.")] if found.is_ahead and rows else lines


def _fate(fate: "Fate") -> str:
    return _(f"fate.{fate.outcome}", unit=fate.heir or "")


def _changes(found: Sequence["Change"]) -> list[str]:
    """The changes of an import, a line each."""
    if not found:
        return [_("Tệp không có gì mới.")]
    rows = []
    for each in found:
        turn = " → ".join(part for part in (each.before, each.after) if part)
        if each.owed:
            turn = _("{n} việc đang mở: chưa xong thì hủy", n=each.owed)
        on = short_day(each.on) if each.on else ""
        rows.append([f"{each.line}", each.code, _(f"import.{each.what}"), turn, on])
    return table([[_("Dòng"), _("Mã"), _("Thay đổi"), _("Từ và thành"), _("Từ ngày")], *rows])

"""`dondoc cycle ...`: a cycle is closed by hand, paused, resumed."""

from typing import Annotated

from cyclopts import Parameter

from dondoc.cli.app import ACT, CycleId, group_of
from dondoc.cli.office import office
from dondoc.cli.words import _, write

cycle = group_of("cycle", _("Việc trên một đợt: đóng, tạm dừng, tiếp tục."), ACT)
Note = Annotated[str, Parameter(name="--note", help=_("Ghi chú cho nhật ký."))]


@cycle.command(help=_("Đóng đợt: việc chưa nộp coi như không nộp."))
def close(cycle: CycleId, /, *, note: Note) -> None:
    from engine.close import close_cycle

    with office() as here, here.database.writing() as session:
        close_cycle(session, cycle, by="office", note=note, now=here.now)
    write(_("Đợt {id} đã đóng.", id=cycle))


@cycle.command(help=_("Tạm dừng: không nhắc, không đôn đốc; đơn vị vẫn nộp được."))
def pause(cycle: CycleId, /, *, note: Note) -> None:
    from engine.pause import pause

    with office() as here, here.database.writing() as session:
        pause(session, cycle, by="office", note=note, now=here.now)
    write(_("Đợt {id} đã tạm dừng.", id=cycle))


@cycle.command(help=_("Tiếp tục đợt đã tạm dừng."))
def resume(cycle: CycleId, /, *, note: Note) -> None:
    from engine.pause import resume

    with office() as here, here.database.writing() as session:
        resume(session, cycle, by="office", note=note, now=here.now)
    write(_("Đợt {id} đã tiếp tục.", id=cycle))

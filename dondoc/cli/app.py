"""Which commands are there? The program itself, and the words that its commands share."""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, Final, TypeAlias

from cyclopts import App, Group, Parameter

from dondoc.cli.usage import Columns
from dondoc.cli.words import _

LOOK: Final = Group(_("Xem trước"), sort_key=1)
BRING: Final = Group(_("Kế hoạch, lịch, đơn vị, mốc"), sort_key=2)
ACT: Final = Group(_("Nhiệm vụ và đợt"), sort_key=3)
ROUND: Final = Group(_("Vòng chạy"), sort_key=4)
RUN: Final = Group(_("Chạy"), sort_key=5)
CARE: Final = Group(_("Chăm sóc"), sort_key=6)
COMMANDS: Final = Group(_("Lệnh"), sort_key=7)
ARGUMENTS: Final = Group(_("Đối số"), sort_key=8)
OPTIONS: Final = Group(_("Tuỳ chọn"), sort_key=9)
ITSELF: Final = Group(_("Chương trình"), sort_key=10)


def own_version() -> str:
    """The installed version; a program that runs from its source without being installed has none."""
    try:
        return version("dondoc")
    except PackageNotFoundError:
        return "0+source"


app: Final = App(
    name="dondoc",
    help=_("Đôn đốc: giao việc báo cáo theo kế hoạch, nhắc hạn, nhận, trả lại, đôn đốc việc chậm."),
    version=own_version,
    help_format="plaintext",
    version_format="plaintext",
    help_formatter=Columns(),
    group_commands=COMMANDS,
    group_arguments=ARGUMENTS,
    group_parameters=OPTIONS,
)
for flag, help_ in (("--help", _("Xem hướng dẫn này.")), ("--version", _("Xem phiên bản."))):
    app[flag].help = help_
    app[flag].group = ITSELF

Json: TypeAlias = Annotated[bool, Parameter(name="--json", negative="", help=_("In JSON ra stdout, không gì khác."))]
PlanName: TypeAlias = Annotated[
    str, Parameter(help=_("Mã kế hoạch đang có hiệu lực, hoặc mã kế hoạch đi kèm, hoặc đường dẫn tệp."))
]
UnitCode: TypeAlias = Annotated[str | None, Parameter(name="--unit", help=_("Mã đơn vị."))]
TaskId: TypeAlias = Annotated[int, Parameter(help=_("Số của nhiệm vụ."))]
CycleId: TypeAlias = Annotated[int, Parameter(help=_("Số của đợt."))]
Reason: TypeAlias = Annotated[str, Parameter(name="--reason", help=_("Lý do."))]
Document: TypeAlias = Annotated[str | None, Parameter(name="--document", help=_("Số văn bản quyết định."))]
Answers: TypeAlias = Annotated[
    list[str] | None, Parameter(name="--answer", negative="", help=_("Câu trả lời: tên=giá trị; lặp lại được."))
]
Files: TypeAlias = Annotated[
    list[Path] | None, Parameter(name="--file", negative="", help=_("Tệp nộp kèm; lặp lại được."))
]
Host: TypeAlias = Annotated[str | None, Parameter(name="--host", help=_("Địa chỉ mà trang web lắng nghe."))]
Port: TypeAlias = Annotated[int | None, Parameter(name="--port", help=_("Cổng của trang web."))]
PrefectPort: TypeAlias = Annotated[int | None, Parameter(name="--prefect-port", help=_("Cổng của máy chủ Prefect."))]


def group_of(name: str, help_: str, group: Group) -> App:
    """A command that has commands of its own."""
    made = App(name=name, help=help_, group=group)
    app.command(made)
    return made

"""`dondoc open|fire|deliver|round`: one part of a pass of the engine, or the whole of it."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, TypeAlias
from zoneinfo import ZoneInfo

from cyclopts import Parameter

from dondoc.cli.app import ROUND, Json, app
from dondoc.cli.office import Office, office, read_settings
from dondoc.cli.words import CommandFailedError, _, write, write_json

if TYPE_CHECKING:
    from notifications.channels.carrier import Carrier

Now: TypeAlias = Annotated[
    str | None, Parameter(name="--now", help=_("Lúc nào, ví dụ 2021-12-01T08:00; chỉ khi có đồng hồ thử."))
]


@app.command(name="open", group=ROUND, help=_("Mở những đợt đã đến ngày mở."))
def open_(*, now: Now = None, json: Json = False) -> None:
    from engine.open import open_due

    with office(_moment(now)) as here, here.database.writing() as session:
        opened = open_due(session, here.now, here.zone)
    _tell(json, cycles=opened.cycles, tasks=opened.tasks, steps=opened.steps)


@app.command(group=ROUND, help=_("Thực hiện những bước đã đến giờ: nhắc, đôn đốc, kết thúc."))
def fire(*, now: Now = None, json: Json = False) -> None:
    from engine.fire import fire

    with office(_moment(now)) as here, here.database.writing() as session:
        fired = fire(session, here.now, here.zone)
    _tell(json, notices=fired.notices)


@app.command(group=ROUND, help=_("Gửi những thông báo đang chờ."))
def deliver(*, now: Now = None, json: Json = False) -> None:
    from notifications.deliver import deliver

    with office(_moment(now)) as here:
        carrier, key = _carrier(here)
        delivered = deliver(here.database, carrier, here.now, zone=here.zone, url=here.settings.url, key=key)
    _tell(json, messages=delivered.messages)


@app.command(name="round", group=ROUND, help=_("Một vòng đầy đủ: mở, thực hiện bước, gửi. Chạy lại không thêm gì."))
def round_(*, now: Now = None, json: Json = False) -> None:
    from engine.round import run

    with office(_moment(now)) as here:
        carrier, key = _carrier(here)
        done = run(here.database, carrier, here.now, zone=here.zone, url=here.settings.url, key=key)
    _tell(json, cycles=done.cycles, tasks=done.tasks, steps=done.steps, notices=done.notices, messages=done.messages)


def _carrier(here: Office) -> "tuple[Carrier, bytes]":
    from dondoc.keys import secret_key
    from notifications.channels import carrier_for

    return carrier_for(here.settings), secret_key(here.settings.key)


def _moment(text: str | None) -> datetime | None:
    """The moment of `--now`; without a zone of its own it is the organisation's."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandFailedError(_("--now: cần một lúc như 2021-12-01T08:00, gặp “{got}”", got=text), code=2) from error
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=ZoneInfo(read_settings().zone))


def _tell(
    as_json: bool, *, cycles: int = 0, tasks: int = 0, steps: int = 0, notices: int = 0, messages: int = 0
) -> None:
    """What was added; all 0 when there was nothing to do."""
    added = {"cycles": cycles, "tasks": tasks, "steps": steps, "notices": notices, "messages": messages}
    if as_json:
        write_json(added)
    else:
        write(_("Thêm: {cycles} đợt, {tasks} nhiệm vụ, {steps} bước, {notices} thông báo, {messages} tin.", **added))

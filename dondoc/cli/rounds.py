"""`dondoc open|fire|deliver|sweep|round`: one part of a pass of the engine, or the whole of it."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated, TypeAlias
from zoneinfo import ZoneInfo

from cyclopts import Parameter

from dondoc.cli.app import ROUND, Json, app
from dondoc.cli.office import Office, channels_of, key_of, office, read_settings
from dondoc.cli.words import CommandFailedError, _, coded, lang, write, write_json
from dondoc.i18n import by_when

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.round import Round
    from engine.sweep import Place
    from notifications.channels.carrier import Carrier
    from notifications.deliver import Delivered

Now: TypeAlias = Annotated[
    str | None, Parameter(name="--now", help=_("Lúc nào, ví dụ 2021-12-01T08:00; chỉ khi có đồng hồ thử."))
]


@app.command(
    name="open",
    group=ROUND,
    help=_("Mở những đợt đã đến ngày mở; nêu kế hoạch, yêu cầu và tên: mở một yêu cầu đột xuất, ngay bây giờ."),
)
def open_(
    plan: Annotated[str | None, Parameter(help=_("Mã kế hoạch đang có hiệu lực."))] = None,
    obligation: Annotated[str | None, Parameter(help=_("Mã một yêu cầu đột xuất (every: request)."))] = None,
    name: Annotated[str | None, Parameter(help=_("Tên của lần này: a-z, 0-9, -; ví dụ lu-dot-3."))] = None,
    /,
    *,
    title: Annotated[
        str | None, Parameter(name="--title", help=_("Tiêu đề của lần này, thay cho tiêu đề trong kế hoạch."))
    ] = None,
    now: Now = None,
    json: Json = False,
) -> None:
    from engine.open import open_due

    if plan is not None or title is not None:
        _open_request(plan, obligation, name, title, now, json)
        return
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
    from notifications.pace import pace_of

    with office(_moment(now)) as here:
        tells = _clock(here, now)
        carrier, key = _carrier(here, tells)
        url, pace = here.settings.url, pace_of(here.settings)
        delivered = deliver(here.database, carrier, here.now, zone=here.zone, url=url, key=key, pace=pace, clock=tells)
        tries = _tries(here, delivered)
    _tell(json, messages=delivered.messages, tries=tries)


@app.command(
    group=ROUND, help=_("Dọn những gì đã qua: lượt mở liên kết cũ, phiên đã hết, tệp không thuộc bản nộp hay nháp nào.")
)
def sweep(*, now: Now = None, json: Json = False) -> None:
    from dataclasses import asdict

    from engine.sweep import sweep

    with office(_moment(now)) as here:
        removed = asdict(sweep(here.database, _place(here), here.now))
    if json:
        write_json(removed)
        return
    rows = sum(count for name, count in removed.items() if name not in ("files", "size"))
    write(_("Đã dọn: {rows} dòng, {files} tệp ({size} byte).", rows=rows, files=removed["files"], size=removed["size"]))


@app.command(name="round", group=ROUND, help=_("Một vòng đầy đủ: mở, thực hiện bước, gửi. Chạy lại không thêm gì."))
def round_(*, now: Now = None, json: Json = False) -> None:
    from engine.round import run
    from notifications.channels.mailbox import mailbox_for
    from notifications.pace import pace_of

    with office(_moment(now)) as here:
        tells = _clock(here, now)
        carrier, key = _carrier(here, tells)
        done = run(
            here.database,
            carrier,
            here.now,
            zone=here.zone,
            url=here.settings.url,
            key=key,
            place=_place(here),
            pace=pace_of(here.settings),
            mailbox=mailbox_for(here.settings),
            clock=tells,
        )
        tries = _tries(here, done)
    added = {"cycles": done.cycles, "tasks": done.tasks, "steps": done.steps}
    _tell(json, **added, notices=done.notices, messages=done.messages, tries=tries)


def _open_request(
    plan: str | None, obligation: str | None, name: str | None, title: str | None, now: str | None, as_json: bool
) -> None:
    from engine.request import open_request

    if plan is None or obligation is None or name is None:
        words = "dondoc open kl01 bao-cao-nhanh lu-dot-3"
        raise CommandFailedError(_("cần đủ ba: kế hoạch, yêu cầu, tên; ví dụ {words}", words=words), code=2)
    with office(_moment(now)) as here, here.database.writing() as session:
        made = open_request(session, plan, obligation, name, by="office", now=here.now, zone=here.zone, title=title)
        heading = _("Đợt {id}: {title}", id=made.cycle.id, title=made.cycle.title(lang()))
        days = [
            (by_when(each.due_on, each.due_at, here.zone, lang()), each.level, each.reasons) for each in made.deadlines
        ]
    _tell(as_json, cycles=made.opened.cycles, tasks=made.opened.tasks, steps=made.opened.steps)
    if as_json:
        return
    write(heading)
    for due, level, reasons in days:
        write("  " + _("Hạn: {due}", due=due) + (f" ({level})" if level else ""))
        write(*(f"    - {coded(each['code'], each['params'])}" for each in reasons))
    write(_("Đầu mối được báo trong vòng tới: dondoc round, hoặc dondoc serve đang chạy."))


def _carrier(here: Office, clock: "Callable[[], datetime] | None") -> "tuple[Carrier, bytes]":
    key = key_of(here.settings)
    return channels_of(here, key, clock), key


def _clock(here: Office, now: str | None) -> "Callable[[], datetime] | None":
    """What tells how late it is meanwhile; with `--now` it stays that moment."""
    from dondoc import clock

    return None if now is not None else partial(clock.now, here.settings.clock)


def _place(here: Office) -> "Place":
    from dondoc import clock
    from engine.sweep import Place

    return Place(here.settings.files, clock.now())


def _moment(text: str | None) -> datetime | None:
    """The moment of `--now`; without a zone of its own it is the organisation's."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandFailedError(_("--now: cần một lúc như 2021-12-01T08:00, gặp “{got}”", got=text), code=2) from error
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=ZoneInfo(read_settings().zone))


def _tries(here: Office, done: "Delivered | Round") -> dict[str, int]:
    """What became of the messages, whenever they were made; `waiting`: those that are left to be sent."""
    from engine.status import unsent

    with here.database.reading() as session:
        return {"sent": done.sent, "waiting": unsent(session), "refused": done.refused, "unknown": done.unknown}


def _tell(
    as_json: bool,
    *,
    cycles: int = 0,
    tasks: int = 0,
    steps: int = 0,
    notices: int = 0,
    messages: int = 0,
    tries: Mapping[str, int] | None = None,
) -> None:
    """What was added; all 0 when there was nothing to do. `tries`: what was sent, where anything is."""
    added = {"cycles": cycles, "tasks": tasks, "steps": steps, "notices": notices, "messages": messages}
    if as_json:
        write_json({**added, **(tries or {})})
        return
    write(_("Thêm: {cycles} đợt, {tasks} nhiệm vụ, {steps} bước, {notices} thông báo, {messages} tin.", **added))
    if tries is not None:
        write(
            _(
                "Gửi: {sent} tin đã đi, {waiting} tin còn chờ, {refused} tin bị từ chối, {unknown} tin không rõ.",
                **tries,
            )
        )

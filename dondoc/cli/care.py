"""`dondoc db|audit|doctor`: is everything sound?"""

import os
import shutil
import sqlite3
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dondoc.cli.app import CARE, app, group_of, own_version
from dondoc.cli.office import Office, channel_of, office, opened, read_settings
from dondoc.cli.words import CommandFailedError, _, lang, write
from dondoc.i18n import short_day, whole_moment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.doctor import Rounds
    from models.message import Message

db = group_of("db", _("Cơ sở dữ liệu: nâng cấp, kiểm tra."), CARE)
audit = group_of("audit", _("Nhật ký: kiểm tra chuỗi."), CARE)
MEGABYTE: Final = 1024 * 1024
LITTLE: Final = 200  #: megabytes of free disk below which somebody should look
LISTED: Final = 20  #: unknown messages that are named
LIBRARIES = ("prefect", "sqlalchemy", "sqlmodel", "alembic", "fastapi", "apprise")


@db.command(help=_("Đưa các bảng lên bản của chương trình."))
def upgrade() -> None:
    with opened(read_settings()) as database:
        was = database.standing()
        if was == "newer":
            raise CommandFailedError(_("cơ sở dữ liệu mới hơn chương trình; hãy cài bản dondoc mới hơn"))
        database.upgrade()
    write(_("Các bảng đã đúng bản, không có gì phải làm.") if was == "current" else _("Các bảng đã được nâng cấp."))


@db.command(name="check", help=_("Kiểm tra tệp cơ sở dữ liệu có nguyên vẹn không."))
def check_database() -> None:
    from engine.doctor import faults

    with office() as here, here.database.reading() as session:
        found = faults(session)
    if found:
        raise CommandFailedError(*found)
    write(_("Cơ sở dữ liệu nguyên vẹn."))


@audit.command(help=_("Tính lại mọi mã băm của nhật ký."))
def verify() -> None:
    from models.entry import JournalHead, breaks

    with office() as here, here.database.reading() as session:
        found = list(breaks(session))
        head = session.get_one(JournalHead, 1)
        number, hash_ = head.number, head.hash
    if found:
        raise CommandFailedError(_("Chuỗi nhật ký bị đứt:"), *(f"  {line}" for line in found))
    write(_("Chuỗi nhật ký nguyên vẹn: {count} mục, mã băm cuối {hash}", count=number, hash=hash_))


@app.command(group=CARE, help=_("Xem xét: phiên bản, cơ sở dữ liệu, kênh gửi, lịch, đầu mối, đợt lệch hạn, vòng cuối."))
def doctor() -> None:
    from dondoc.database import WAL_SAFE, journal_mode
    from engine.doctor import examine
    from engine.wording import unusable
    from notifications.channels.look import lacking, silent, ways_in_use, zalo_silent

    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    python = ".".join(map(str, sys.version_info[:3]))
    write(f"dondoc {own_version()}, Python {python}, {libraries}")
    with office() as here:
        settings = here.settings
        if here.database.is_sqlite:
            mode, safe = journal_mode(), ".".join(map(str, WAL_SAFE))
            why = _("an toàn với WAL" if mode == "wal" else "WAL có thể hỏng tệp ở các bản trước {safe}", safe=safe)
            write(_("SQLite {version}: journal_mode={mode} ({why})",
                    version=sqlite3.sqlite_version, mode=mode, why=why))  # fmt: skip
        else:
            write(f"PostgreSQL {here.database.engine.url.render_as_string(hide_password=True)}")
        is_file = channel_of(settings).channel == "eml"
        channel = _("tệp .eml trong {folder}", folder=settings.eml) if is_file else "SMTP"
        write(_("Kênh gửi: {channel}", channel=channel))
        if settings.zalo_url is not None:
            write(_("! Zalo: không tin nào tới Zalo, mà tới {url} (DONDOC_ZALO_URL)", url=settings.zalo_url))
        with here.database.reading() as session:
            found, wordings = examine(session, here.now, here.zone), unusable(session)
            used = ways_in_use(session)
            at = whole_moment(found.round.at, here.zone, lang()) if found.round else _("chưa có")
        write(_("Vòng cuối: {at}", at=at), *_of_rounds(found.rounds, here), *_of_folder(settings.data))
        write(*(f"! {_of_server(kind, why)}" for kind, why in silent(settings)))
        write(*(_("! no_secret {name}: thiếu tệp bí mật này trong {folder} (DONDOC_SECRETS)", name=name,
                  folder=settings.secrets_folder or "–") for name in lacking(settings, used)))  # fmt: skip
        write(*(_("! Zalo không trả lời: {why}", why=why) for why in zalo_silent(settings, used)))
        for code, years in found.provisional.items():
            write(_("! lịch {code}: chưa có quyết định cho {years}", code=code, years=", ".join(map(str, years))))
        for unit in found.unreachable:
            write(_("! {unit}: không báo được cho đầu mối nào", unit=unit))
        for opening in found.ahead:
            units = ", ".join(unit.code for unit in opening.units)
            write(_("! {obligation} {period} mở {day}: không báo được {units}", obligation=opening.obligation.code,
                    period=opening.period, day=short_day(opening.opens_on), units=units))  # fmt: skip
        for plan, error in found.stuck:
            write(_("! kế hoạch {code} không tính được ngày, không đợt nào của nó được mở: {why}",
                    code=plan, why=error.text(lang())))  # fmt: skip
        for each in found.moved:
            write(_("! đợt {cycle} ({obligation} {period}): hạn đã mở {rows}, tính lại {fresh}", cycle=each.cycle,
                    obligation=each.obligation, period=each.period, rows="; ".join(each.rows) or "–",
                    fresh="; ".join(each.fresh) or "–"))  # fmt: skip
        write(*(f"! Zalo {alias}: {_(why)}" for alias, why in found.zalo))
        for kind, written in wordings:
            write(_("! lời thư {kind} ({lang}) không còn dùng được, thư đi với lời gốc: /wording/{kind}/{lang}",
                    kind=kind, lang=written))  # fmt: skip
        write(*_of_unknown(found.unknown, here))


def _of_rounds(rounds: "Rounds", here: Office) -> list[str]:
    from engine.doctor import Rounds

    now = whole_moment(here.now, here.zone, lang())
    match rounds:
        case Rounds.NEVER:
            return [_("! chưa có vòng nào: chạy dondoc serve, hoặc đặt dondoc round vào cron")]
        case Rounds.LATE:
            return [_("! vòng cuối đã quá 15 phút ({now}): chạy dondoc serve, hoặc đặt dondoc round vào cron", now=now)]
        case Rounds.AHEAD:
            return [_("! vòng cuối ở sau bây giờ ({now}): đồng hồ của máy đã lùi; không có gì gửi hai lần", now=now)]
    return []


def _of_server(kind: str, why: str) -> str:
    if kind == "smtp":
        return _("máy chủ thư không nhận: {why}", why=why)
    return _("không đọc được hộp thư trả về: {why}", why=why)


def _of_unknown(messages: "Sequence[Message]", here: Office) -> list[str]:
    """Each by what the mail server's log and the contact know it by."""
    if not messages:
        return []
    domain = here.settings.mail_from.rpartition("@")[2]
    lines = [_("! {count} tin không rõ đã đến chưa; không tự gửi lại", count=len(messages))]
    for each in messages[:LISTED]:
        when = whole_moment(each.sending_at or each.created_at, here.zone, lang())
        lines.append(f"    {when}  {each.address}  “{each.subject}”  <{each.reference}@{domain}>")
    return [*lines, "    …"] if len(messages) > LISTED else lines


def _of_folder(folder: Path) -> list[str]:
    """What would stop the next write: a folder that is closed, a disk that is full."""
    if not folder.is_dir():  # PostgreSQL alone, and nothing uploaded so far
        return []
    found = []
    if not os.access(folder, os.W_OK, effective_ids=os.access in os.supports_effective_ids):
        found.append(_("! thư mục dữ liệu {folder} không ghi được", folder=folder.absolute()))
    free = shutil.disk_usage(folder).free // MEGABYTE
    if free < LITTLE:
        found.append(_("! đĩa của {folder} chỉ còn {free} MB", folder=folder.absolute(), free=free))
    return found

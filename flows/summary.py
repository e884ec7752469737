"""What did a round do? A few lines that a person wants to read, with the way to our own page."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Final

from dondoc.database import Database
from dondoc.i18n import translate, whole_moment
from dondoc.settings import Settings
from engine.fire import Fired
from engine.open import Opened
from engine.sweep import Swept
from engine.track import Tracked
from models.cycle import Cycle
from models.step import Step, next_step
from notifications.deliver import Delivered
from notifications.returned import Came

Result = Opened | Fired | Tracked | Delivered | Swept | Came | BaseException

#: In the order of a round: what a stage is called, what it counted.
STAGES: Final = (
    ("Mở đợt", "{cycles} đợt, {tasks} nhiệm vụ, {steps} bước"),
    ("Nhắc hạn", "{steps} bước, {notices} thông báo, {skipped} bước bỏ qua"),
    ("Đôn đốc", "{steps} bước, {notices} thông báo, {skipped} bước bỏ qua"),
    ("Theo dõi", "{closed} đợt đã xong"),
    (
        "Gửi tin",
        "{messages} tin, {sent} đã gửi, {retried} gửi lại sau, {refused} bị từ chối, {unknown} chưa rõ, bỏ {dropped}",
    ),
)


def upcoming(database: Database, now: datetime) -> tuple[Step, Cycle] | None:
    """The next planned step and its cycle."""
    with database.reading() as session:
        row = session.execute(next_step(now)).first()
        session.expunge_all()
        return None if row is None else (row[0], row[1])


def summary(done: Sequence[Result], now: datetime, coming: tuple[Step, Cycle] | None, office: Settings) -> str:
    """Markdown: a line per stage, what failed with its error, what comes next."""
    lang = office.lang
    lines = [f"### {translate('Vòng lúc {moment}', lang, moment=whole_moment(now, office.zone, lang))}", ""]
    lines += [f"| {translate('Việc', lang)} | {translate('Kết quả', lang)} |", "|---|---|"]
    for (name, counted), result in zip(STAGES, done, strict=True):
        lines.append(f"| {translate(name, lang)} | {_outcome(result, counted, lang)} |")
    if isinstance(done[0], Opened) and done[0].stuck:
        lines += ["", translate("LỖI: {n} kế hoạch không tính được ngày, không mở được đợt nào", lang, n=done[0].stuck)]
    if coming:
        step, cycle = coming
        where = f"[{cycle.title(lang)}, {cycle.period}]({office.url}/cycles/{cycle.id})"
        then = whole_moment(step.at, office.zone, lang)
        lines += ["", translate("Bước tiếp theo: {then}, {where}", lang, then=then, where=where)]
    lines += ["", f"[{translate('Mở bảng theo dõi', lang)}]({office.url}/)"]
    return "\n".join(lines)


def _outcome(result: Result, counted: str, lang: str) -> str:
    if isinstance(result, BaseException):
        words = f"{type(result).__name__}: {result}".replace("\n", " ").replace("|", "\\|")
        return translate("LỖI: {error}", lang, error=words[:300])
    counts = asdict(result)
    return translate(counted, lang, **counts) if any(counts.values()) else translate("không có việc đến hạn", lang)

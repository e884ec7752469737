"""`dondoc simulate`: what would a plan mean for everybody, if it were lived through from day to day?"""

import sys
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import Parameter

from dondoc.cli.app import LOOK, Json, PlanName, app
from dondoc.cli.inforce import InForce, plan_named, reading
from dondoc.cli.office import in_words, read_settings
from dondoc.cli.words import CommandFailedError, _, lang, table, write, write_json
from dondoc.i18n import whole_day

if TYPE_CHECKING:
    from sqlmodel import Session

    from engine.sheets import Row
    from engine.simulated import Simulated, Work
    from notifications.pace import Pace

SOME: Final = 5  #: days and hours that are listed, the busiest
BUSIEST: Final = 10  #: contacts that are listed; --json has all of them
BAR: Final = 40  #: characters of the progress bar


@app.command(group=LOOK, help=_("Chạy thử một kế hoạch qua từng ngày trên một cơ sở dữ liệu tạm: việc, tin, đôn đốc."))
def simulate(
    plan: PlanName,
    /,
    *,
    from_: Annotated[date, Parameter(name="--from", help=_("Từ ngày (tính cả ngày này)."))],
    to: Annotated[date, Parameter(name="--to", help=_("Đến ngày (tính cả ngày này)."))],
    units: Annotated[
        Path | None,
        Parameter(
            name="--units",
            help=_(
                "Danh sách đơn vị (CSV, XLSX); không nêu: của văn phòng khi kế hoạch có hiệu lực, còn lại: tổ chức mẫu."
            ),
        ),
    ] = None,
    seed: Annotated[
        int, Parameter(name="--seed", help=_("Hạt giống: cùng hạt giống, cùng kết quả."), allow_leading_hyphen=True)
    ] = 1,
    json: Json = False,
) -> None:
    from engine.simulate import live, scratch
    from engine.simulated import simulated
    from notifications.pace import pace_of

    _check_days(from_, to)
    settings = read_settings()
    zone, pace = settings.zone, pace_of(settings)
    with scratch() as database, in_words(), database.writing() as here:
        with reading() as (session, _now):
            meant = plan_named(session, plan)
            meant.compiled()  # what cannot be compiled is refused before anything is brought in
            whose = _settle(session, here, meant, plan, units, from_, zone)
        bar = _Bar(from_, to)
        live(here, meant.calendar, first=from_, last=to, seed=seed, zone=zone, pace=pace, report=bar.reach)
        bar.clear()
        found = simulated(here, first=from_, last=to, seed=seed, zone=zone)
    if json:
        answer = {**found.as_json(), "pace": asdict(pace)}
        write_json({**answer, "units": {"of": whose, "first": found.units[0], "last": found.units[1]}})
    else:
        write(*_as_text(found, meant, whose, pace))


def _check_days(first: date, last: date) -> None:
    from schedules.reader import YEARS

    if last < first:
        raise CommandFailedError(_("--to: cần một ngày từ {first} trở đi, gặp {got}", first=first, got=last))
    for name, day in (("--from", first), ("--to", last)):
        if day.year not in YEARS:
            allowed = {"first": YEARS[0], "last": YEARS[-1]}
            raise CommandFailedError(
                _("{name}: cần năm từ {first} đến {last}, gặp {got}", name=name, got=day, **allowed)
            )


def _settle(
    office: "Session | None", here: "Session", meant: InForce, name: str, sheet: Path | None, first: date, zone: str
) -> str:
    """Brings units, calendar and plan in, and says whose units they are: those of a file, the office or the sample."""
    from engine.plans import active_revision
    from engine.simulate import copy_milestones, copy_units, settle
    from engine.units import import_units
    from samples import organisation
    from schedules import shipped

    revision = active_revision(office, meant.plan.code) if office is not None and meant.plan_id is not None else None

    def bring(session: "Session", now: datetime) -> None:
        if sheet is not None:
            import_units(session, _rows(sheet), by="system", now=now, zone=zone)
        elif office is not None and revision is not None:
            copy_units(office, session)
        else:
            organisation.load(session, now=now, zone=zone)

    file = shipped.plans().get(name, Path(name))
    text = file.read_bytes() if revision is None else revision.text.encode()
    own = settle(here, text, name, meant.calendar, bring, first=first, zone=zone)
    if office is not None and revision is not None:
        copy_milestones(office, here, revision.plan_id, own.plan_id)
    return "file" if sheet is not None else "office" if revision is not None else "sample"


def _rows(sheet: Path) -> "list[Row]":
    from engine.units import read_rows

    try:
        return list(read_rows(sheet))
    except OSError as error:
        raise CommandFailedError(f"{sheet}: {error.strerror}") from error


class _Bar:
    """How far the life has come, on a terminal; elsewhere nothing is written."""

    def __init__(self, first: date, last: date) -> None:
        self.first, self.days, self.shown = first, (last - first).days + 1, ""
        self.is_seen = sys.stderr.isatty()

    def reach(self, day: date) -> None:
        done = (day - self.first).days * BAR // self.days
        words = f"[{'#' * done}{'.' * (BAR - done)}] {day:%m/%Y}"
        if self.is_seen and words != self.shown:
            self.shown = words
            sys.stderr.write(f"\r{words}")
            sys.stderr.flush()

    def clear(self) -> None:
        if self.shown:
            sys.stderr.write(f"\r{'':{len(self.shown)}}\r")
            sys.stderr.flush()


def _as_text(found: "Simulated", meant: InForce, whose: str, pace: "Pace") -> list[str]:
    of = {"office": _("đơn vị của văn phòng"), "sample": _("tổ chức mẫu"), "file": _("danh sách đơn vị đã nêu")}
    total = found.total
    counts = [str(count) for count in sorted(set(found.units))]
    states = [[_(f"state.{state}"), str(count)] for state, count in found.states.items()]
    kinds = [[_(f"notice.{kind}"), str(count)] for kind, count in found.notices.items()]
    return [
        f"{found.plan}  {meant.plan.title.in_(lang())}",
        _("Từ {first} đến {last}; hạt giống {seed}", first=whole_day(found.first, lang()),
          last=whole_day(found.last, lang()), seed=found.seed),
        _("{of}: {count} đơn vị", of=of[whose], count="–".join(counts)),
        "",
        _("{cycles} đợt, {tasks} nhiệm vụ, {steps} bước, {notices} thông báo, {messages} tin", cycles=total.cycles,
          tasks=total.tasks, steps=found.steps["fired"], notices=sum(found.notices.values()), messages=found.messages),
        *_section(_("Theo yêu cầu"), _work(found)),
        *_section(_("Trạng thái cuối kỳ"), states),
        *_section(_("Từng tháng"), _months(found)),
        *_section(_("Thông báo"), kinds),
        *_section(_("Đôn đốc"), _escalations(found)),
        *_section(_("Đầu mối nhận nhiều tin nhất"), _contacts(found)),
        *_section(_("Ngày nhiều tin nhất"), _days(found)),
        *_section(_("Giờ nhiều tin nhất"), _hours(found)),
        *_section(_("Thông báo phải chờ"), _waits(found)),
        "",
        _("Mỗi đầu mối nhiều nhất {day} tin một ngày, {week} tin trong bảy ngày: {n} thông báo phải lùi lại.",
          day=pace.a_day, week=pace.a_week, n=found.traffic.deferred),
        *_section(_("Chờ mốc, chưa có ngày: không mở"), [list(each) for each in found.waiting]),
    ]  # fmt: skip


def _section(title: str, rows: list[list[str]]) -> list[str]:
    return ["", title, *table(rows, indent="  ")] if rows else []


def _work(found: "Simulated") -> list[list[str]]:
    head = [_("Yêu cầu"), _("Đợt"), _("Nhiệm vụ"), _("Đến hạn"), _("Đúng hạn"), _("Trễ"), _("Không nộp"),
            _("Bị trả lại"), _("Được gia hạn"), _("Đã nộp"), _("Tỷ lệ đúng hạn")]  # fmt: skip

    def cells(name: str, work: "Work") -> list[str]:
        counts = (
            work.cycles,
            work.tasks,
            work.due,
            work.on_time,
            work.late,
            work.missing,
            work.returned,
            work.extended,
        )
        return [name, *map(str, counts), _percent(work.complete_rate), _percent(work.on_time_rate)]

    return [head, *(cells(code, work) for code, work in found.obligations.items()), cells(_("Cộng"), found.total)]


def _months(found: "Simulated") -> list[list[str]]:
    head = [_("Tháng"), _("Nhiệm vụ mở"), _("Đến hạn"), _("Thông báo"), _("Tin"), _("Đôn đốc")]
    rows = [
        [f"{each.month[5:]}/{each.month[:4]}",
         *map(str, (each.opened, each.due, each.notices, each.messages, each.escalations))]
        for each in found.months
    ]  # fmt: skip
    return [head, *rows]


def _escalations(found: "Simulated") -> list[list[str]]:
    head = [_("Nấc"), _("Bước"), _("Thông báo"), _("Không có ai nhận")]
    rows = [[_(f"rung.{each.rung}"), *map(str, (each.steps, each.notices, each.unreachable))]
            for each in found.escalations]  # fmt: skip
    return [head, *rows] if rows else []


def _days(found: "Simulated") -> list[list[str]]:
    """The busiest ones; --json has all."""
    of = found.traffic
    head = [_("Ngày"), _("Tin"), _("Đầu mối"), _("Nhiều nhất một đầu mối"), *(_channel(each) for each in of.channels)]
    rows = [
        [f"{each.day:%d/%m/%Y}", str(each.messages), str(each.contacts), str(each.most),
         *(str(each.channels.get(channel, 0)) for channel in of.channels)]
        for each in of.busiest_days[:SOME]
    ]  # fmt: skip
    return [head, *rows] if rows else []


def _hours(found: "Simulated") -> list[list[str]]:
    head = [_("Giờ"), _("Tin"), _("Nhiều nhất một ngày")]
    rows = [
        [f"{each.hour:02}:00–{each.hour:02}:59", str(each.messages), str(each.most)]
        for each in found.traffic.busiest_hours[:SOME]
    ]
    return [head, *rows] if rows else []


def _waits(found: "Simulated") -> list[list[str]]:
    head = [_("Vì sao"), _("Thông báo"), _("Đầu mối"), _("Lâu nhất")]
    rows = [
        [_(each.why), str(each.notices), str(each.contacts), _("{n} giờ", n=each.hours)] for each in found.traffic.waits
    ]
    return [head, *rows] if rows else []


def _channel(name: str) -> str:
    return _(f"channel.{name}")


def _contacts(found: "Simulated") -> list[list[str]]:
    head = [_("Tin"), _("Thông báo"), _("Tháng nhiều nhất"), _("Ngày nhiều nhất"), _("Đầu mối"), _("Đơn vị")]
    rows = []
    for each in found.contacts[:BUSIEST]:
        month, messages = each.busiest
        most = _("{month}: {messages} tin", month=f"{month[5:]}/{month[:4]}", messages=messages)
        day = each.busiest_day
        on = f"{day[0]:%d/%m/%Y}: {day[1]}" if day else "–"
        rows.append([str(each.messages), str(each.notices), most, on, each.name, each.unit])
    return [head, *rows] if rows else []


def _percent(rate: float | None) -> str:
    """92,5 %; 92.5%: as each language writes it."""
    if rate is None:
        return "–"
    return f"{rate:.1%}" if lang() == "en" else f"{rate * 100:.1f} %".replace(".", ",")

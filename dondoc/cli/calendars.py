"""`dondoc calendars ...`: which dates a calendar's days off would move, and its way into force."""

from typing import TYPE_CHECKING, Any

from dondoc.cli.app import BRING, Json, group_of
from dondoc.cli.moved import allowed, as_text
from dondoc.cli.office import Office, office
from dondoc.cli.plans import BY, File, PolicyName, Why, Yes, read
from dondoc.cli.words import CommandFailedError, _, lang, write, write_json
from dondoc.i18n import short_day

if TYPE_CHECKING:
    from engine.calendar_change import CalendarPreview
    from schedules.calendars import Calendar, Day

calendars = group_of("calendars", _("Lịch nghỉ: xem tác động, áp dụng."), BRING)


@calendars.command(help=_("Hạn nào dời nếu áp dụng lịch này, ở mọi kế hoạch đang có hiệu lực."))
def diff(file: File, /, *, json: Json = False) -> None:
    with office() as here:
        seen = _seen(here, _read(file))
    if json:
        write_json(_as_json(seen))
    else:
        write(*_as_text(seen))


@calendars.command(help=_("Áp dụng một tệp lịch."))
def apply(file: File, /, *, policy: PolicyName = "tell", reason: Why = None, yes: Yes = False) -> None:
    from engine.calendar_change import apply_calendar_change
    from engine.proposals import propose
    from models.day import hash_of
    from models.proposal import Policy, ProposalKind

    calendar = _read(file)
    days = len(calendar.days)
    with office() as here:
        seen = _seen(here, calendar)
        if seen.base == hash_of(calendar):
            write(_("Lịch {code}: {days} ngày, không có gì thay đổi.", code=calendar.code, days=days))
            return
        why = allowed(
            _as_text(seen) if seen.base is not None else (),
            seen.changes,
            reason=reason,
            command=f"dondoc calendars apply {file.name}",
            yes=yes,
            refusal=_("Lịch đã có với nội dung khác. Thêm --yes để thay."),
        )
        given: dict[str, Any] = {
            "diff_hash": seen.diff_hash,
            "policy": Policy(policy),
            "by": BY,
            "reason": why,
            "now": here.now,
            "zone": here.zone,
        }
        with here.database.writing() as session:
            if here.settings.second_person and seen.base is not None:
                made = propose(session, ProposalKind.CALENDAR, read(file), str(file), **given)
                done = _("Lịch {code}: đã đề xuất (số {id}), chờ người thứ hai đồng ý.", code=calendar.code, id=made.id)
            else:
                apply_calendar_change(session, calendar, **given)
                done = _("Lịch {code}: {days} ngày đã áp dụng.", code=calendar.code, days=days)
    write(done)


def _read(file: File) -> "Calendar":
    from schedules.load import read_calendar

    calendar, problems = read_calendar(file)
    if calendar is None:
        raise CommandFailedError(*(problem.text(lang()) for problem in problems))
    return calendar


def _seen(here: Office, calendar: "Calendar") -> "CalendarPreview":
    from engine.calendar_change import preview_calendar

    with here.database.reading() as session:
        return preview_calendar(session, calendar, now=here.now, zone=here.zone)


def _as_json(seen: "CalendarPreview") -> dict[str, object]:
    """`from` and `to` are due days, after rolling: that is what a calendar moves."""
    moved = []
    for each in seen.changes:
        before, after = each.change.before, each.change.after
        row = {"plan": each.plan, "way": each.change.way.value, **each.as_json()}
        row |= {"from": before.due_on if before else None, "to": after.due_on if after else None}
        moved.append(row)
    return {"added": [_day(day) for day in seen.added], "dropped": [_day(day) for day in seen.dropped], "moved": moved}


def _as_text(seen: "CalendarPreview") -> list[str]:
    rows = [(day, "+") for day in seen.added] + [(day, "-") for day in seen.dropped]
    lines = [
        f"{sign} {short_day(day.on)} {_('nghỉ') if day.off else _('làm bù')}: {day.name.in_(lang())}"
        for day, sign in sorted(rows, key=lambda row: (row[0].on, row[1]))
    ]
    return [*lines, *as_text(seen.changes, with_plan=True)]


def _day(day: "Day") -> dict[str, object]:
    name = {"vi": day.name.vi, "en": day.name.en}
    return {"on": day.on, "off": day.off, "name": name, "source": day.source, "decision": day.decision}

"""What could a letter of a kind have to say? One made-up task in every state that its wording has to fit."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Final

from dondoc.clock import moment
from models.ask import AskState, ExtensionAsk
from models.contact import Contact, Role
from models.cycle import Cycle
from models.deadline import Deadline
from models.extension import Extension
from models.notice import Notice, NoticeKind
from models.step import Step, StepKind
from models.submission import Review, ReviewVerdict, Submission, SubmissionFile, Way
from models.task import Task, TaskState
from models.unit import Unit
from notifications.waiting import Dead, Waiting
from schedules.calendars import Calendar
from schedules.plan import Text

ZONE: Final = "Asia/Ho_Chi_Minh"
DUE: Final = date(2025, 9, 30)  #: a Tuesday
_BEFORE, _LATE = date(2025, 9, 23), date(2025, 10, 3)
_WEEKDAYS: Final = Calendar("specimen", Text("", ""), {}, frozenset({2025}))
_OFFICE: Final = "Đảng ủy Khối các cơ quan tỉnh"
_UNITS: Final = (
    "Chi bộ Sở Tài chính",
    "Đảng bộ Sở Nội vụ",
    "Đảng bộ Sở Y tế",
    "Chi bộ Thanh tra tỉnh",
    "Chi bộ Cảng vụ",
)
_DOCUMENT: Final = Text(
    "Kế hoạch của Ban Thường vụ Đảng ủy Khối thực hiện Kết luận số 01-KL/TW",
    "Plan of the bloc's Standing Board for Conclusion 01-KL/TW",
)


@dataclass(frozen=True, slots=True)
class Specimen:
    """What one contact is told in one message, and when that is."""

    contact: Contact
    waiting: tuple[Waiting, ...]
    now: datetime


def specimens(kind: str, lang: str) -> tuple[Specimen, ...]:
    """The most usual state first."""
    return tuple(Specimen(in_language(waiting[0].contact, lang), tuple(waiting), at) for at, waiting in _STATES[kind]())


def in_language(contact: Contact, lang: str) -> Contact:
    """The same person, written to in this language."""
    return Contact(**(contact.model_dump() | {"lang": lang}))


def _at(day: date, hour: str = "08:00") -> datetime:
    return moment(day, hour, ZONE)


def _told(kind: NoticeKind, number: int = 1, contact: Contact | None = None, **notice: Any) -> Waiting:
    unit = Unit(id=number, code=f"u-{number}", name=_UNITS[(number - 1) % len(_UNITS)])
    contact = contact or _person(number, unit.name)
    given = {"kind": kind.value, "rung": "unit.contact", "cause": f"step:{number}", "due_on": DUE} | notice
    return Waiting(
        notice=Notice(id=number, task_id=number, contact_id=contact.id, created_at=_at(_BEFORE), **given),
        contact=contact,
        contact_unit=unit if contact.unit_id == number else Unit(id=99, code="office", name=_OFFICE),
        task=Task(
            id=number,
            cycle_id=1,
            unit_id=number,
            placement_id=1,
            deadline_id=1,
            state=TaskState.OPEN,
            changed_at=_at(_BEFORE),
        ),
        unit=unit,
        deadline=_deadline(),
        cycle=_cycle(1, "annual-report", "Báo cáo kết quả hằng năm", "Yearly report"),
        office=Unit(id=99, code="office", name=_OFFICE),
        calendar=_WEEKDAYS,
        document=_DOCUMENT,
    )


def _taken() -> Waiting:
    """The unit goes on, and a part of it hands in."""
    owed, part = _told(NoticeKind.CANCELLED), _told(NoticeKind.CANCELLED, 2)
    return replace(owed, task=part.task, unit=part.unit, why="QĐ 12")


def _person(number: int, unit: str, role: Role = Role.CONTACT) -> Contact:
    name = f"Văn phòng {unit}" if role is Role.SECRETARIAT else f"Văn thư {unit}"
    return Contact(id=number, unit_id=number, role=role, name=name, email="van-thu@example.org")


def _deadline(**changes: Any) -> Deadline:
    given: dict[str, Any] = {"nominal_on": DUE, "due_on": DUE, "grace_until": DUE + timedelta(days=30)} | changes
    return Deadline(id=1, cycle_id=1, set_by="document", reasons=[], **given)


def _cycle(number: int, obligation: str, title_vi: str, title_en: str) -> Cycle:
    opened = date(2025, 8, 31)
    return Cycle(
        id=number,
        plan_id=1,
        revision_id=1,
        obligation=obligation,
        period="2025",
        title_vi=title_vi,
        title_en=title_en,
        source="II.8.3",
        issuer_id=99,
        opens_on=opened,
        opened_at=_at(opened),
    )


def _climbs() -> Step:
    on = DUE + timedelta(days=14)
    return Step(deadline_id=1, kind=StepKind.ESCALATE, ordinal=2, rung="issuer.standing", on=DUE, at=_at(on))


def _owing(kind: NoticeKind, *days: date) -> list[tuple[datetime, list[Waiting]]]:
    """Asked for on each of these days; then without grace, and with a next rung; then of a day that was moved."""
    found = [(_at(day), [_told(kind)]) for day in days]
    found += [(_at(days[0]), [replace(_told(kind), deadline=_deadline(grace_until=None), next_step=_climbs())])]
    moved = _deadline(nominal_on=DUE - timedelta(days=2))
    return [*found, (_at(days[0]), [replace(_told(kind), deadline=moved)])]


def _asked_within_hours(kind: NoticeKind) -> list[tuple[datetime, list[Waiting]]]:
    until = _deadline(due_at=_at(DUE, "14:30"), grace_until=None)
    return [(_at(DUE), [replace(_told(kind), deadline=until)])]


def _chased() -> list[tuple[datetime, list[Waiting]]]:
    return [(_at(_LATE), _behind(3)), (_at(_LATE), _behind(1)), (_at(_LATE), _behind(130)), (_at(_BEFORE), _behind(2))]


def _behind(count: int, contact: Contact | None = None) -> list[Waiting]:
    boss = contact or _person(99, _OFFICE, Role.SECRETARIAT)
    return [_told(NoticeKind.ESCALATION, number, boss, rung="superior.secretariat") for number in range(1, count + 1)]


def _unreviewed() -> list[tuple[datetime, list[Waiting]]]:
    boss = _person(99, _OFFICE, Role.SECRETARIAT)
    told = [_told(NoticeKind.UNREVIEWED, number, boss, rung="receiver.secretariat") for number in range(1, 4)]
    return [(_at(_LATE), told), (_at(_LATE), told[:1])]


def _returned() -> list[tuple[datetime, list[Waiting]]]:
    told = replace(_told(NoticeKind.RETURNED), review=_review("Thiếu biểu số 2.\nThiếu chữ ký."))
    hard = replace(told, review=_review("Tệp nộp là của năm trước. " * 40, does_not_count=True))
    return [(_at(_BEFORE), [told]), (_at(_BEFORE), [hard])]


def _review(reason: str, does_not_count: bool = False) -> Review:
    verdict = ReviewVerdict.RETURNED
    return Review(
        submission_id=1, verdict=verdict, reason=reason, does_not_count=does_not_count, at=_at(_BEFORE), by="office"
    )


def _moved(kind: NoticeKind) -> list[tuple[datetime, list[Waiting]]]:
    change: dict[str, Any] = {"from_on": date(2025, 9, 15), "to_on": DUE, "reason": "Mưa lũ", "at": _at(_BEFORE)}
    change |= {"task_id": 1, "from_deadline_id": 1, "to_deadline_id": 2, "by": "office"}
    told = _told(kind)
    return [
        (_at(_BEFORE), [replace(told, extension=Extension(**change, document="12-CV/ĐUK"))]),
        (_at(_BEFORE), [replace(told, extension=Extension(**change))]),
        (_at(_BEFORE), [told]),
    ]


def _not_extended() -> list[tuple[datetime, list[Waiting]]]:
    asked: dict[str, Any] = {"until": DUE + timedelta(days=10), "reason": "Đang chờ số liệu", "at": _at(_BEFORE)}
    asked |= {"task_id": 1, "contact_id": 1, "state": AskState.REFUSED, "answer": "Đã gia hạn một lần."}
    told = replace(_told(NoticeKind.EXTENSION_DECIDED), refused=ExtensionAsk(**asked))
    return [(_at(_BEFORE), [told]), (_at(_LATE), [told])]


def _receipt() -> list[tuple[datetime, list[Waiting]]]:
    def told(way: Way, on: date) -> list[Waiting]:
        handed: dict[str, Any] = {"way": way, "at": _at(on, "08:14"), "received_on": on, "due_on": DUE}
        handed |= {"by": "contact:1", "answers": {}, "key": "k", "receipt": "7K4M-2PXC"}
        version = Submission(id=1, task_id=1, number=1, **handed)
        file = SubmissionFile(submission_id=1, name="bao-cao.pdf", hash="3f9a" * 16, size=4120, media_type="")
        return [replace(_told(NoticeKind.RECEIPT), submission=version, files=(file,) if way is Way.LINK else ())]

    return [(_at(on), told(way, on)) for way in (Way.LINK, Way.PAPER) for on in (_BEFORE, _LATE)]


def _bounced() -> list[tuple[datetime, list[Waiting]]]:
    boss = _person(99, _OFFICE, Role.SECRETARIAT)
    told = _told(NoticeKind.BOUNCED, 1, boss, rung="superior.secretariat")
    return [(_at(_BEFORE), [replace(told, dead=Dead(1, _UNITS[0], f"Văn thư {_UNITS[0]}", "van-thu@example.org"))])]


def _digest() -> list[tuple[datetime, list[Waiting]]]:
    boss = _person(99, _OFFICE, Role.SECRETARIAT)
    unit = _told(NoticeKind.OPENED)
    other = _cycle(2, "three-year-review", "Sơ kết ba năm thực hiện", "Review of three years")
    owed = [_told(NoticeKind.OVERDUE), _of(_told(NoticeKind.REMINDER), 2, other)]
    behind = [*_behind(3, boss), *(_of(each, 10 + each.task.id, other) for each in _behind(2, boss))]
    accepted = [_told(NoticeKind.ACCEPTED), _of(_told(NoticeKind.ACCEPTED), 2, other)]
    many = [_of(unit, number, _cycle(number, "annual-report", *_long(number))) for number in range(1, 41)]
    return [
        (_at(_LATE), owed),
        (_at(_LATE), behind),
        (_at(_LATE), [*owed, *(replace(each, contact=unit.contact) for each in behind), *accepted]),
        (_at(_LATE), accepted),
        (_at(_BEFORE), many),
    ]


def _of(each: Waiting, number: int, cycle: Cycle) -> Waiting:
    """The same about another task, of this cycle."""
    task = Task(**(each.task.model_dump() | {"id": number, "cycle_id": cycle.id}))
    notice = Notice(**(each.notice.model_dump() | {"id": number, "task_id": number}))
    return replace(each, task=task, notice=notice, cycle=cycle)


def _long(number: int) -> tuple[str, str]:
    return f"Báo cáo chuyên đề số {number} về kết quả thực hiện", f"Report {number} on the results"


_STATES: Final = {
    "opened": lambda: _owing(NoticeKind.OPENED, date(2025, 9, 1), DUE - timedelta(days=1)),
    "reminder": lambda: _owing(NoticeKind.REMINDER, _BEFORE, DUE - timedelta(days=1)),
    "due_today": lambda: _owing(NoticeKind.DUE_TODAY, DUE) + _asked_within_hours(NoticeKind.DUE_TODAY),
    "overdue": lambda: _owing(NoticeKind.OVERDUE, _LATE, DUE + timedelta(days=1), DUE + timedelta(days=60)),
    "escalation": lambda: _owing(NoticeKind.ESCALATION, _LATE, DUE + timedelta(days=1)),
    "chased": _chased,
    "unreviewed": _unreviewed,
    "returned": _returned,
    "accepted": lambda: [(_at(_BEFORE), [_told(NoticeKind.ACCEPTED)])],
    "extension_decided": lambda: _moved(NoticeKind.EXTENSION_DECIDED),
    "extension_refused": _not_extended,
    "date_moved": lambda: _moved(NoticeKind.DATE_MOVED),
    "cancelled": lambda: [
        (_at(_BEFORE), [replace(_told(NoticeKind.CANCELLED), why="Kế hoạch không còn yêu cầu")]),
        (_at(_BEFORE), [_taken()]),
    ],
    "receipt": _receipt,
    "bounced": _bounced,
    "digest": _digest,
}

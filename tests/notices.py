"""What waits to be told in the tests? Notices of one cycle, made without a database."""

from datetime import date
from typing import Any

from models.contact import Contact, Role
from models.cycle import Cycle, CycleState
from models.deadline import Deadline
from models.notice import Notice, NoticeKind
from models.task import Task, TaskState
from models.unit import Unit
from notifications.item import Office
from notifications.waiting import Waiting
from schedules.plan import Text
from tests.builders import ZONE, at, vn_state

NOW = at("2025-09-23")
DUE = date(2025, 9, 30)
OFFICE = Office("email", "dondoc@example.org", "https://dondoc.example.org", ZONE, NOW)
CALENDAR = vn_state()


def waiting(
    number: int = 1, contact: Contact | None = None, state: TaskState = TaskState.OPEN, **notice: Any
) -> Waiting:
    """The notice of one unit about the yearly report, due on 30/09/2025."""
    unit = Unit(id=number, code=f"u-{number}", name=f"Chi bộ số {number}")
    told: dict[str, Any] = {"kind": NoticeKind.REMINDER, "rung": "unit.contact", "cause": "step:1", "due_on": DUE}
    contact = contact or person(number)
    is_own = str(notice.get("rung", "unit.")).startswith("unit.")
    owes = contact.unit_id if is_own else number
    return Waiting(
        notice=Notice(id=number, task_id=number, contact_id=contact.id, created_at=NOW, **(told | notice)),
        contact=contact,
        contact_unit=unit,
        task=Task(id=number, cycle_id=1, unit_id=owes, placement_id=1, deadline_id=1, state=state, changed_at=NOW),
        unit=unit,
        deadline=Deadline(id=1, cycle_id=1, nominal_on=DUE, due_on=DUE, set_by="document", reasons=[]),
        cycle=cycle(),
        office=Unit(id=99, code="duk", name="Đảng ủy Khối các cơ quan tỉnh"),
        calendar=CALENDAR,
        document=Text("Kế hoạch thực hiện Kết luận số 01-KL/TW", "Plan for Conclusion 01-KL/TW"),
    )


def person(number: int, **more: Any) -> Contact:
    known: dict[str, Any] = {"name": f"Văn thư Chi bộ số {number}", "email": f"van-thu.{number}@example.org"}
    return Contact(id=number, unit_id=number, role=Role.CONTACT, **(known | more))


def cycle(state: CycleState = CycleState.OPEN) -> Cycle:
    return Cycle(
        id=1,
        plan_id=1,
        revision_id=1,
        obligation="annual-report",
        period="2025",
        title_vi="Báo cáo kết quả hằng năm",
        title_en="Yearly report",
        source="II.8.3",
        issuer_id=99,
        state=state,
        opens_on=date(2025, 8, 31),
        opened_at=NOW,
    )

"""Which addresses are there? Every route of the application, with the numbers of the rows that are really there."""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any, Final

from sqlmodel import Session, col, select

from models.address import Address
from models.ask import ContactCorrection, ExtensionAsk
from models.contact import Contact
from models.cycle import Cycle
from models.draft import Draft
from models.link import Link, UnitLink, below_token, contact_token, unit_token
from models.message import Message
from models.milestone import MilestoneDay
from models.note import Note, NoteKind
from models.proposal import Policy, Proposal, ProposalKind
from models.submission import Submission, SubmissionFile
from models.task import Task
from models.unit import Unit
from models.user import User
from tests.builders import YEARLY, at
from tests.desk import Desk, day
from web.access import Declared, routes_of

#: What a part of an address counts; a new one is named here once.
TABLES: Final[dict[str, Any]] = {
    "ask_id": ExtensionAsk,
    "contact_id": Contact,
    "correction_id": ContactCorrection,
    "cycle_id": Cycle,
    "day_id": MilestoneDay,
    "file_id": SubmissionFile,
    "link_id": Link,
    "message_id": Message,
    "proposal_id": Proposal,
    "task_id": Task,
    "unit_id": Unit,
    "user_id": User,
    "way_id": Address,
}
#: What other parts may be.
NAMED: Final[dict[str, Sequence[Any]]] = {
    "alias": ["duk"],
    "calendar": ["vn-state"],
    "kind": ["overdue"],
    "number": [1],
    "plan": ["kl01"],
    "way": ["move", "merge", "split", "close"],
    "written": ["vi"],
}
#: What a page changes by being read.
PDF: Final = "application/pdf"
FREE: Final = {"session", "rate_bucket", "access_log"}
#: Something plausible for every field of every form.
FORM: Final[dict[str, str]] = {
    "act": "remind",
    "answer": "Chưa đủ căn cứ",
    "document": "01-CV/VP",
    "due_on": "30/12/2030",
    "email": "van-thu.moi@example.org",
    "kind": "note",
    "lang": "vi",
    "login": "van-thu.moi",
    "name": "Văn thư mới",
    "note": "Chờ bổ sung",
    "page": "board",
    "phone": "000",
    "query": "state=overdue",
    "reason": "Nêu thêm số liệu",
    "received_on": "01/12/2021",
    "role": "contact",
    "text": "Đã gọi",
    "unit": "*",
    "until": "30/12/2030",
}


def declared(desk: Desk) -> list[Declared]:
    found = list(routes_of(desk.app.routes))
    assert len(found) > 50
    return found


def names_of(path: str) -> list[str]:
    return [part.strip("{}") for part in path.split("/") if part.startswith("{")]


def filled(path: str, values: dict[str, Sequence[object]]) -> Iterator[str]:
    """The address with each of the values in each of its places."""
    names = names_of(path)
    for chosen in product(*(values[name] for name in names)):
        yield path.format(**dict(zip(names, chosen, strict=True)))


def first_values(desk: Desk) -> dict[str, Sequence[object]]:
    """One row of each table, and a right token."""
    found: dict[str, Sequence[object]] = {"token": [desk.link().removeprefix("/s/")], "id_": [1]}
    found |= NAMED
    with desk.database.writing() as session:
        unit_link = session.exec(select(UnitLink)).first() or UnitLink(contact_id=1)
        session.add(unit_link)
        session.flush()
        found["unit_token"] = [unit_token(desk.key, unit_link)]
        found["below_token"] = [below_token(desk.key, unit_link)]
        contact = session.get_one(Contact, 1)
        found["letter_token"] = [contact_token(desk.key, contact.id, contact.email)]
    with desk.database.reading() as session:
        for name, table in TABLES.items():
            first = session.exec(select(table).order_by(table.id)).first()
            assert first is not None, f"tests/routes.py: nothing in {name}"
            found[name] = [first.id]
    return found


def addresses(desk: Desk, method: str, values: dict[str, Sequence[object]]) -> list[tuple[Declared, str]]:
    return [(route, path) for route in declared(desk) if method in route.methods for path in filled(route.path, values)]


def fill(session: Session, task: Task) -> None:
    """A row of each kind about a task: handed in with a file, asked, noted, told, drafted."""
    contact = session.exec(select(Contact).where(col(Contact.unit_id) == task.unit_id)).first()
    if contact is None:
        return
    moment = at("2021-12-10")
    number = session.exec(select(Submission).where(col(Submission.task_id) == task.id)).first()
    submission = number or Submission(
        task_id=task.id, number=1, way="link", by=f"contact:{contact.id}", at=moment, received_on=day("2021-12-10"),
        due_on=day("2021-12-31"), key=f"fill:{task.id}", answers={}, receipt=f"FILL-{task.id}",
    )  # fmt: skip
    session.add(submission)
    session.flush()
    whom = contact.name
    message: dict[str, Any] = {
        "reference": f"fill:{task.id}",
        "subject": f"Gửi {whom}",
        "text": "",
        "html": "",
        "channel": "eml",
    }
    session.add_all(
        [
            SubmissionFile(submission_id=submission.id, name=f"{whom}.pdf", hash="0" * 64, size=1, media_type=PDF),
            ExtensionAsk(
                task_id=task.id, contact_id=contact.id, until=day("2022-01-10"), reason=f"Vì {whom}", at=moment
            ),
            ContactCorrection(contact_id=contact.id, name=f"Thay {whom}", at=moment),
            Note(task_id=task.id, kind=NoteKind.NOTE, text=f"Ghi {whom}", by="office", at=moment),
            Draft(task_id=task.id, contact_id=contact.id, answers={}, files=[], saved_at=moment),
            Message(contact_id=contact.id, address=f"{whom}@", created_at=moment, try_after=moment, **message),
            Address(
                contact_id=contact.id,
                channel="zalobot",
                address=f"Chat {whom}",
                consent_at=moment,
                consent_source="code",
            ),
        ]
    )
    if session.exec(select(Proposal)).first() is None:
        entered: dict[str, Any] = {"on": day("2022-01-10"), "entered_at": moment, "by": "office"}
        session.add(MilestoneDay(plan_id=1, milestone="congress", period="2022", **entered))
        text = YEARLY.replace("due: {end_of: Q3}", "due: {end_of: M10}")
        proposed: dict[str, Any] = {
            "text": text,
            "diff_hash": "",
            "reason": "Lùi một tháng",
            "by": "user:999",
            "at": moment,
        }
        session.add(Proposal(kind=ProposalKind.PLAN, code="kl01", policy=Policy.TELL, **proposed))
    if session.exec(select(Link).where(col(Link.task_id) == task.id)).first() is None:
        session.add(Link(task_id=task.id, contact_id=contact.id))
    session.flush()

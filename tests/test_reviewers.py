"""What climbs when the unit has handed in and nobody has looked at it? Word to the reviewer, and nothing else."""

from datetime import datetime

import pytest
from sqlmodel import Session, col, select

from dondoc.database import Database
from engine import review, submit
from models.contact import Contact
from models.message import Message
from models.notice import Notice, NoticeKind
from models.step import Step, StepState
from notifications.deliver import queue
from notifications.item import Office
from tests.builders import ANSWERS, ZONE, assert_counts_add_up, at, province, step_round, task_of

HEAD_TOLD = at("2025-10-01")  #: the first working day after 30/09: the unit's own head
ABOVE_TOLD = at("2025-10-03")  #: the third: the secretariat above


@pytest.fixture
def handed_in(database: Database) -> Database:
    """The yearly report of 2025 was due yesterday; of five units stc alone has handed in, and nobody has looked."""
    province(database, on="2025-08-01")
    step_round(database, at("2025-09-01"))
    with database.writing() as session:
        task = task_of(session, "stc", "2025")
        submit.submit(
            session, task.id, by="contact:1", answers=ANSWERS, files=[], key="k", now=at("2025-09-29"), zone=ZONE
        )
    step_round(database, HEAD_TOLD)
    return database


def told(database: Database, since: datetime) -> set[tuple[str, str, int]]:
    """Kind, rung, and how many units each contact above was told of."""
    with database.reading() as session:
        query = select(Notice, Contact).join(Contact, col(Contact.id) == col(Notice.contact_id))
        rows = session.exec(query.where(col(Notice.created_at) >= since)).all()
    counts: dict[tuple[str, str, str | None], int] = {}
    for notice, contact in rows:
        key = (notice.kind, notice.rung, contact.email)
        counts[key] = counts.get(key, 0) + 1
    return {(kind, rung, count) for (kind, rung, _), count in counts.items()}


def message_to(session: Session, address: str) -> str:
    query = select(Message.text).where(col(Message.address) == address).order_by(col(Message.id).desc())
    return session.exec(query).one()


def test_the_unit_that_handed_in_is_not_chased_and_its_reviewer_hears_of_it(handed_in: Database) -> None:
    assert NoticeKind.UNREVIEWED not in {kind for kind, _, _ in told(handed_in, HEAD_TOLD)}
    step_round(handed_in, ABOVE_TOLD)
    assert told(handed_in, ABOVE_TOLD) >= {(NoticeKind.UNREVIEWED, "receiver.secretariat", 1)}
    with handed_in.reading() as session:
        stc = task_of(session, "stc", "2025")
        kinds = session.exec(
            select(Notice.kind).where(col(Notice.task_id) == stc.id, col(Notice.created_at) >= HEAD_TOLD)
        ).all()
        steps = session.exec(select(Step).where(col(Step.fired_at) == ABOVE_TOLD)).all()
    assert set(kinds) == {NoticeKind.UNREVIEWED}
    assert [step.counts["submitted"] for step in steps if step.state == StepState.FIRED and step.counts] == [1]
    assert_counts_add_up(handed_in)
    assert step_round(handed_in, ABOVE_TOLD)[1].notices == 0


def test_the_list_of_what_waits_stands_beside_the_list_of_who_is_behind(handed_in: Database) -> None:
    step_round(handed_in, ABOVE_TOLD)
    queue(handed_in, Office("email", "dondoc@example.org", "https://dondoc.example.org", ZONE, ABOVE_TOLD))
    with handed_in.reading() as session:
        text = message_to(session, "secretariat.duk@example.org")
    assert text.index("Quá hạn 3 ngày làm việc") < text.index("1. Chi bộ Sở Tài chính: nộp 29/09/2025")


@pytest.mark.parametrize(("is_accepted", "why"), [(True, "moot.accepted"), (False, "moot.reviewed")])
def test_what_was_reviewed_meanwhile_is_not_told(handed_in: Database, is_accepted: bool, why: str) -> None:
    step_round(handed_in, ABOVE_TOLD)
    with handed_in.writing() as session:
        task, now = task_of(session, "stc", "2025"), at("2025-10-03", "08:30")
        if is_accepted:
            review.accept(session, task.id, by="office", now=now)
        else:
            review.send_back(
                session, task.id, by="office", reason="Thiếu biểu.", due_on=at("2025-10-20").date(), now=now, zone=ZONE
            )
    queue(
        handed_in, Office("email", "dondoc@example.org", "https://dondoc.example.org", ZONE, at("2025-10-03", "09:00"))
    )
    with handed_in.reading() as session:
        unreviewed = select(Notice.dropped).where(col(Notice.kind) == NoticeKind.UNREVIEWED.value)
        assert session.exec(unreviewed).all() == [why]

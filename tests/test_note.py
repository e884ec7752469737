"""Is what was said about a task kept, and does the journal stay free of it?"""

from datetime import date
from typing import Any

import pytest

from dondoc.database import Database
from engine.errors import RefusedError
from engine.note import MAX_NOTE, write_note
from models.entry import Entry
from models.note import Note, NoteKind, notes_of, promise
from tests.builders import act_of, at, everything, id_of, province, step_round

CALL: dict[str, Any] = {
    "kind": NoteKind.CALL,
    "text": "Đang chờ ký",
    "with_whom": "Văn thư Chi bộ Sở Tài chính",
    "promised_on": date(2021, 12, 24),
}


@pytest.fixture
def task_id(database: Database) -> int:
    province(database)
    step_round(database, at("2021-12-01"))
    return id_of(database, "stc")


def test_a_call_keeps_who_spoke_and_what_they_promised(database: Database, task_id: int) -> None:
    act_of(database, write_note, task_id, "2021-12-20", **CALL)
    with database.reading() as session:
        (note,) = session.scalars(notes_of(task_id)).all()
        assert (note.kind, note.with_whom, note.promised_on, note.by) == (
            "call", "Văn thư Chi bộ Sở Tài chính", date(2021, 12, 24), "office",
        )  # fmt: skip
        entry = session.get_one(Entry, 5)
        assert (entry.act, entry.task_id, entry.data) == (
            "called", task_id, {"note": note.id, "promised_on": "2021-12-24"},
        )  # fmt: skip


def test_a_remark_keeps_neither_a_name_nor_a_day(database: Database, task_id: int) -> None:
    act_of(database, write_note, task_id, "2021-12-20", **CALL | {"kind": NoteKind.NOTE})
    with database.reading() as session:
        (note,) = session.scalars(notes_of(task_id)).all()
    assert (note.kind, note.text, note.with_whom, note.promised_on) == ("note", "Đang chờ ký", None, None)


def test_the_newest_promise_is_the_one_that_holds(database: Database, task_id: int) -> None:
    act_of(database, write_note, task_id, "2021-12-20", **CALL)
    act_of(database, write_note, task_id, "2021-12-21", **CALL | {"promised_on": date(2021, 12, 28), "text": ""})
    act_of(database, write_note, task_id, "2021-12-22", kind=NoteKind.NOTE, text="Lãnh đạo đi công tác")
    with database.reading() as session:
        held = promise(session.scalars(notes_of(task_id)).all())
    assert held is not None
    assert held.promised_on == date(2021, 12, 28)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"with_whom": " "}, "refused.no_one_called"),
        ({"text": " ", "promised_on": None}, "refused.no_words"),
        ({"kind": NoteKind.NOTE, "text": ""}, "refused.no_words"),
        ({"text": "x" * (MAX_NOTE + 1)}, "refused.too_many_words"),
        ({"promised_on": date(2021, 12, 19)}, "refused.promised_in_past"),
    ],
)
def test_a_record_that_says_nothing_is_refused(
    database: Database, task_id: int, changes: dict[str, Any], code: str
) -> None:
    with database.reading() as session:
        before = everything(session)
    with pytest.raises(RefusedError) as refused:
        act_of(database, write_note, task_id, "2021-12-20", **CALL | changes)
    assert refused.value.reason.code == code
    with database.reading() as session:
        assert everything(session) == before


def test_there_is_no_promise_without_a_day() -> None:
    assert promise([Note(task_id=1, kind=NoteKind.NOTE, text="x", by="office", at=at("2021-12-20"))]) is None

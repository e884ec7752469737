"""Is whoever can be told again told what their unit owes?"""

from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, col, select

from dondoc.database import Database
from models.contact import Contact
from models.notice import Notice
from tests.builders import id_of, province, step_round
from tests.test_deliver import OPENED
from tests.test_redirect import Mend, by_hand, by_sheet, contact_of_stc


def told(session: Session) -> list[tuple[int, str]]:
    """What the contacts of stc were told by somebody's act."""
    query = select(Notice).join(Contact, col(Contact.id) == col(Notice.contact_id)).order_by(col(Notice.id))
    of_stc = query.where(col(Contact.role) == "contact", col(Notice.cause).startswith("entry:"))
    return [(each.task_id, each.kind) for each in session.exec(of_stc)]


@pytest.mark.parametrize("mend", [by_hand, by_sheet])
@pytest.mark.parametrize("before", [{"is_bouncing": True}, {"email": None}, None])
def test_whose_address_is_mended_is_told_what_opened_meanwhile(
    database: Database, tmp_path: Path, mend: Mend, before: dict[str, Any] | None
) -> None:
    """`before`: how the contact could not be told; None: they could."""
    province(database, on="2025-08-01")
    with database.writing() as session:
        contact = contact_of_stc(session)
        for name, value in (before or {}).items():
            setattr(contact, name, value)
        session.add(contact)
    step_round(database, OPENED)
    with database.writing() as session:
        assert told(session) == []
        mend(session, session.get_one(Contact, contact.id), tmp_path)
        assert told(session) == ([(id_of(database, "stc", "2025"), "opened")] if before else [])


def test_whom_a_sheet_brings_to_a_unit_is_told_what_it_owes(database: Database, tmp_path: Path) -> None:
    province(database, on="2025-08-01")
    step_round(database, OPENED)
    with database.writing() as session:
        contact = contact_of_stc(session)
        contact.is_active = False
        session.add(contact)
        session.flush()
        by_sheet(session, contact, tmp_path)
        assert told(session) == [(id_of(database, "stc", "2025"), "opened")]

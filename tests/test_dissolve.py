"""Is what waits still so when it goes out, and in the words of the day?"""

from datetime import timedelta

import pytest
from sqlmodel import col, select

from dondoc.database import Database
from engine.reorganise import Fresh, Order
from models.contact import Contact
from models.lineage import Succession
from models.link import Link
from models.notice import Notice
from tests.builders import id_of
from tests.sinks import running
from tests.test_deliver import STC, queued, send
from tests.test_reorganise import DAY, NOW, done, office  # noqa: F401  # a fixture

LATER = NOW + timedelta(hours=1)


@pytest.mark.parametrize("is_message", [False, True])
def test_a_unit_that_gave_its_report_away_is_not_told_of_it(office: Database, is_message: bool) -> None:  # noqa: F811
    """The cycle opened and the letters wait; a part of stc takes the report, and stc goes on."""
    task = id_of(office, "stc")
    if is_message:
        queued(office, NOW)
    done(
        office,
        Order(Succession.SPLIT, ("stc",), DAY, None, (Fresh("tc-b", "Chi bộ B"),), tasks={task: "tc-b"}, stays=True),
    )
    with running() as sink:
        assert (send(office, sink.url, LATER).dropped, sink.to(STC)) == (1, [])
    mine = select(Contact.id).where(col(Contact.email) == STC)
    with office.reading() as session:
        told = select(Notice.dropped).where(col(Notice.contact_id).in_(mine))
        assert session.exec(told).all() == ["moot.given_away"]
        ways = select(Link).where(col(Link.contact_id).in_(mine), col(Link.task_id) == task)
        assert [each.revoked_at for each in session.exec(ways)] == [NOW] * is_message

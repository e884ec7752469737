"""Is what waits still so when it goes out, and in the words of the day?"""

from datetime import date, timedelta

import pytest
from sqlmodel import col, select

from dondoc.database import Database
from engine.acknowledge import acknowledge
from engine.reorganise import Fresh, Order
from models.contact import Contact
from models.lineage import Succession
from models.link import Link
from models.notice import Notice
from tests.builders import ZONE, at, id_of, step_round
from tests.sinks import running
from tests.test_deliver import OVERDUE, STC, opened, queued, send, text_of
from tests.test_reorganise import DAY, NOW, done, office  # noqa: F401  # a fixture

__all__ = ["opened"]

LATER = NOW + timedelta(hours=1)
ABOVE = "secretariat.duk@example.org"


def test_what_somebody_knows_by_now_is_not_told_above_until_their_day_is_over(opened: Database) -> None:
    """The mail server is down when the rung is told; of one unit somebody says "đã biết" before it is up again."""
    with running() as sink:
        send(opened, sink.url)
        step_round(opened, at("2025-10-01"))
        send(opened, sink.url, at("2025-10-01"))
        step_round(opened, OVERDUE)
        queued(opened, OVERDUE)
        task, until = id_of(opened, "stc", "2025"), date(2025, 10, 6)
        with opened.writing() as session:
            acknowledge(session, task, until=until, note="Đã gọi", by="office", now=OVERDUE, zone=ZONE)
        sink.mails.clear()
        told = dict[str, list[str]]()
        for day in ("2025-10-03", "2025-10-06", "2025-10-07"):
            for hour in ("09:00", "09:10"):  # what is dissolved waits for the next round
                send(opened, sink.url, at(day, hour))
            told[day] = [str(mail["Subject"])[:8] for mail in sink.to(ABOVE)]
            sink.mails.clear()
    assert told == {"2025-10-03": ["5 đơn vị"], "2025-10-06": [], "2025-10-07": ["1 đơn vị"]}


@pytest.mark.parametrize("is_message", [False, True])
def test_a_unit_that_gave_its_report_away_is_told_just_that(office: Database, is_message: bool) -> None:  # noqa: F811
    """The cycle opened and the letters wait; a part of stc takes the report, and stc goes on."""
    task = id_of(office, "stc")
    if is_message:
        queued(office, NOW)
    done(
        office,
        Order(Succession.SPLIT, ("stc",), DAY, None, (Fresh("tc-b", "Chi bộ B"),), tasks={task: "tc-b"}, stays=True),
    )
    with running() as sink:
        assert send(office, sink.url, LATER).dropped == 1
        assert [str(each["Subject"])[:18] for each in sink.to(STC)] == ["Không phải nộp nữa"]
        words = text_of(sink, STC)
    assert "Từ nay Chi bộ B nộp báo cáo này" in words
    assert "Lý do: QĐ 12" in words
    assert "/s/" not in words
    mine = select(Contact.id).where(col(Contact.email) == STC)
    with office.reading() as session:
        told = select(Notice.dropped).where(col(Notice.contact_id).in_(mine))
        assert session.exec(told.order_by(col(Notice.id))).all() == ["moot.given_away", None]
        ways = select(Link).where(col(Link.contact_id).in_(mine), col(Link.task_id) == task)
        assert [each.revoked_at for each in session.exec(ways)] == [NOW] * is_message

"""Does a unit keep the names that it had, with their days, on its page and on the papers of those days?"""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from engine import relocate
from engine.errors import RefusedError
from engine.names import former_names, name_on
from models.entry import append
from models.submission import Submission
from models.unit import Unit
from models.user import UserRole
from tests.builders import ZONE, at, unit_id
from tests.desk import Desk, answers, sqlite_desk, upload
from tests.test_web_units import id_of_unit

NOW = at("2021-12-22")
OLD, NEW, NEWEST = "Chi bộ Sở Tài chính", "Chi bộ Tài chính", "Chi bộ Tài chính - Đầu tư"


@pytest.fixture
def desk(sqlite_template: Path, tmp_path: Path) -> Iterator[Desk]:
    with sqlite_desk(sqlite_template, tmp_path) as desk:
        yield desk


def renamed(desk: Desk, name: str, on: date | None, code: str = "stc") -> None:
    with desk.database.writing() as session:
        relocate.rename(session, code, name, on=on, reason="QĐ 9", by="user:1", now=NOW, zone=ZONE)


def test_each_day_has_the_name_that_held_then(desk: Desk) -> None:
    renamed(desk, NEW, date(2021, 6, 1))
    renamed(desk, NEWEST, None)
    renamed(desk, "Khác", None, "stt")
    with desk.database.reading() as session:
        unit = session.get_one(Unit, unit_id(session, "stc"))
        days = (date(2021, 5, 31), date(2021, 6, 1), date(2021, 12, 21), date(2021, 12, 22), date(2030, 1, 1))
        assert [name_on(session, unit, day, ZONE) for day in days] == [OLD, NEW, NEW, NEWEST, NEWEST]
        assert [(each.name, each.until) for each in former_names(session, unit, ZONE)] == [
            (OLD, date(2021, 6, 1)),
            (NEW, date(2021, 12, 22)),
        ]


def test_a_name_without_a_day_of_its_own_changed_on_the_day_of_its_entry(desk: Desk) -> None:
    with desk.database.writing() as session:
        append(session, "unit_renamed", by="office", at=at("2021-12-18", "00:30"), unit="stc", before="A", after=OLD)
        unit = session.get_one(Unit, unit_id(session, "stc"))
        assert [name_on(session, unit, date(2021, 12, day), ZONE) for day in (17, 18)] == ["A", OLD]


def test_a_name_of_a_day_before_the_name_of_today_is_refused(desk: Desk) -> None:
    renamed(desk, NEW, date(2021, 12, 1))
    with pytest.raises(RefusedError) as refused:
        renamed(desk, NEWEST, date(2021, 11, 30))
    assert refused.value.reason.code == "refused.name_too_early"
    renamed(desk, NEWEST, date(2021, 12, 1))


def test_the_page_of_the_unit_lists_its_names_with_who_and_why(desk: Desk) -> None:
    clerk, page = desk.seen_by(UserRole.ADMIN), f"/units/{id_of_unit(desk, 'stc')}"
    form = {"name": NEW, "since": "15/12/2021", "why": "QĐ 9"}
    wrong = clerk.post(f"{page}/name", form | {"since": "31/02/2021"})
    assert (wrong.status_code, 'value="31/02/2021"' in wrong.text) == (422, True)
    assert clerk.post(f"{page}/name", form).status_code == 303
    shown = clerk.get(page).text
    assert f"Tên đến hết ngày 14/12/2021: <b>{OLD}</b>" in " ".join(shown.split())
    assert "“QĐ 9”" in shown
    assert f"Name until the end of 14/12/2021: <b>{OLD}</b>" in " ".join(clerk.get(f"{page}?lang=en").text.split())


def test_the_papers_of_the_days_before_keep_the_old_name(desk: Desk) -> None:
    """The report of 1 December was opened and handed in under the old one."""
    link = desk.link()
    desk.post(link, answers(), files=upload())
    receipt = desk.all_of(Submission)[0].receipt
    assert "Khi mở đợt" not in desk.get(f"/tasks/{desk.task_id()}").text
    desk.move_clock("2021-12-22")
    renamed(desk, NEW, date(2021, 12, 21))
    assert f"<dd>{OLD}</dd>" in desk.get(f"/verify?code={receipt}").text
    assert f"<dd>{OLD}</dd>" in desk.get(link).text
    task = desk.get(f"/tasks/{desk.task_id()}").text
    assert (f"Khi mở đợt, tên đơn vị là {OLD}." in task, f"<h1>{NEW}: " in task) == (True, True)

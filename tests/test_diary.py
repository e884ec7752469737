"""Can people live with a year of it? Decent hours, a budget, one digest a day, nothing lost, nothing that is over."""

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import groupby

import pytest
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from dondoc.clock import moment
from dondoc.database import Database
from models.contact import Contact
from models.cycle import Cycle
from models.notice import Notice
from models.task import OWING, Task
from models.unit import Unit
from notifications.pace import Pace
from notifications.waiting import ASKING
from tests.builders import ZONE, vn_state
from tests.diary import GOLDEN, LAST, Diary, Page, day_of, diary_of, lived

PACE = Pace()
#: What both lives have in common: a winter with Tết in it.
WINTER_ENDS = date(2023, 2, 28)
#: What was told is who, of which task, as what, for which reason.
Key = tuple[str, str, str, str, str, str, str]
Year = tuple[Database, Diary]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Year]:
    """2023 at the usual pace."""
    database, diary = lived(tmp_path_factory.mktemp("year"), PACE)
    yield database, diary
    database.close()


@pytest.fixture(scope="module")
def winter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Year]:
    """Its first two months without any pace: everything at once, as it comes."""
    database, diary = lived(tmp_path_factory.mktemp("winter"), None, WINTER_ENDS)
    yield database, diary
    database.close()


def test_every_letter_of_some_readers_is_the_golden_one(year: Year) -> None:
    """bin/golden writes it anew; read the difference as the one who gets the letters."""
    assert diary_of(year[1].pages) == GOLDEN.read_text("utf-8")


def test_nothing_that_can_wait_goes_out_at_night_or_on_a_day_off(year: Year) -> None:
    pages = year[1].pages
    wrong = [
        page.letter.subject
        for page in pages
        if not page.is_urgent
        and not (
            vn_state().is_working(day_of(page))
            and moment(day_of(page), "07:30", ZONE) <= page.at < moment(day_of(page), "18:00", ZONE)
        )
    ]
    assert wrong == []
    assert 0 < sum(page.is_urgent for page in pages) < len(pages) / 10  # else the rule would be none


def test_no_contact_gets_more_than_the_budget(year: Year) -> None:
    for pages in by_contact(year[1].pages).values():
        days = [day_of(page) for page in pages]
        for number, page in enumerate(pages):
            if not page.is_urgent:
                before = days[:number]
                assert before.count(days[number]) < PACE.a_day, page
                assert sum(day > days[number] - timedelta(days=7) for day in before) < PACE.a_week, page


def test_what_the_calendar_says_comes_once_a_day(year: Year) -> None:
    asking = set(ASKING)
    for pages in by_contact(year[1].pages).values():
        for day, letters in groupby(pages, day_of):
            digests = [page for page in letters if not page.is_urgent and {told.kind for told in page.told} & asking]
            assert len(digests) <= 1, (day, digests)


def test_nobody_is_asked_for_what_is_in(year: Year) -> None:
    """Looked up at the moment at which the letter was handed over."""
    asking, owing = set(ASKING), {state.value for state in OWING}
    wrong = [
        (page.letter.subject, told)
        for page in year[1].pages
        for told in page.told
        if told.kind in asking and told.state not in owing
    ]
    assert wrong == []


def test_nobody_reads_the_same_words_twice_on_a_day(year: Year) -> None:
    for pages in by_contact(year[1].pages).values():
        for day, letters in groupby(pages, day_of):
            told = [(each.kind, each.task_id) for page in letters for each in page.told if each.kind in set(ASKING)]
            of_unit = [
                each for each in told if each[0] != "escalation"
            ]  # who is two rungs is told as both, in one letter
            assert len(of_unit) == len(set(of_unit)), (day, told)


def test_those_above_read_lists_with_names(year: Year) -> None:
    lists = [
        page
        for page in year[1].pages
        if page.contact.role == "secretariat" and [told.kind for told in page.told].count("escalation") > 1
    ]
    assert lists
    with year[0].reading() as session:
        names = {
            task.id: name
            for task, name in session.exec(select(Task, Unit.name).join(Unit, col(Unit.id) == col(Task.unit_id)))
        }
    for page in lists:
        behind = {names[told.task_id] for told in page.told if told.kind == "escalation"}
        assert all(name in page.letter.text for name in behind), page.letter.text


def test_every_letter_is_whole(year: Year) -> None:
    for page in year[1].pages:
        letter = page.letter
        assert page.contact.name in letter.text
        assert page.told, letter.subject
        assert not re.search(r"\{[a-z_%{]|None|Undefined", letter.text + letter.subject), letter.text
        assert "\n" not in letter.subject
        assert letter.html.count("<a ") >= 1
        assert letter.short


def test_nothing_is_lost(year: Year) -> None:
    """Each notice of the year was told, or has a reason why not, or waits for a day of the next year with a reason."""
    with year[0].reading() as session:
        waiting = session.exec(
            select(Notice).where(col(Notice.message_id).is_(None), col(Notice.dropped).is_(None))
        ).all()
        reasons = set(session.exec(select(Notice.dropped).where(col(Notice.dropped).is_not(None)).distinct()))
    new_year = moment(LAST + timedelta(days=1), "00:00", ZONE)
    assert all(each.held and each.held_until and each.held_until >= new_year for each in waiting)
    assert all(reason is not None and (reason.startswith("moot.") or reason == "unreachable") for reason in reasons)


def test_deferred_is_not_dropped(year: Year, winter: Year) -> None:
    """The same notices come of both lives; what only the quick one told was over before it could be said."""
    with year[0].reading() as session, winter[0].reading() as other:
        paced, quick = told_by(session), told_by(other)
    assert len(quick) > 1000
    assert paced.keys() == quick.keys()
    late = {key: paced[key] for key, why in quick.items() if why is None and paced[key] is not None}
    assert {why for why in late.values() if why is not None and not why.startswith("moot.")} == set()
    assert len(late) < len(quick) / 50
    assert [key for key, why in paced.items() if why is None and quick[key] is not None] == []


def by_contact(pages: list[Page]) -> dict[int, list[Page]]:
    found: defaultdict[int, list[Page]] = defaultdict(list)
    for page in pages:
        found[page.contact.id].append(page)
    return found


def told_by(session: Session) -> dict[Key, str | None]:
    """Every notice of the winter, and why it was not told."""
    rows = session.execute(
        select_columns(Notice, col(Contact.email), col(Unit.code), col(Cycle.obligation), col(Cycle.period))
        .join(Contact, col(Contact.id) == col(Notice.contact_id))
        .join(Task, col(Task.id) == col(Notice.task_id))
        .join(Unit, col(Unit.id) == col(Task.unit_id))
        .join(Cycle, col(Cycle.id) == col(Task.cycle_id))
        .where(col(Notice.created_at) < moment(WINTER_ENDS, "00:00", ZONE))
    )
    return {
        (email or "", unit, obligation, period, notice.kind, notice.rung, notice.cause): notice.dropped
        for notice, email, unit, obligation, period in rows
    }

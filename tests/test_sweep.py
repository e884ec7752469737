"""Does the sweep take what is past, all of it, and nothing that anybody still asks for?"""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlmodel import SQLModel, col

from dondoc import clock
from dondoc.cli import main
from dondoc.database import Database
from engine import draft, submit, sweep
from engine.errors import RefusedError
from engine.limits import FORGOTTEN, UPLOAD
from engine.round import is_anything, is_to_sweep, run
from engine.sign_in import KEPT
from engine.sweep import DRAFTS_KEPT, EVENTS_KEPT, VISITS_KEPT, YOUNG, Place, Swept
from models.address import LinkCode, WebhookEvent
from models.contact import Contact
from models.draft import Draft
from models.entry import Entry
from models.files import StoredFile, path_of, store
from models.last_round import LastRound
from models.link import Link
from models.task import Task, TaskState
from models.user import Invitation, SignIn, User
from models.visit import RateBucket, Visit
from notifications.channels.eml import EmlCarrier
from tests.builders import ANSWERS, ZONE, at, everything, id_of, province, step_round, task_of
from tests.desk import PDF, Desk, answers, sqlite_desk, upload
from web import kept

NOW = at("2021-12-20")
WALL = at("2026-11-20")  #: another day than NOW: a playground's clock stands elsewhere
SECOND = timedelta(seconds=1)


@pytest.fixture
def opened(database: Database) -> Database:
    province(database)
    step_round(database, at("2021-12-01"))
    return database


@pytest.fixture
def files(tmp_path: Path) -> Path:
    return tmp_path / "files"


def put(files: Path, words: str, age: timedelta = YOUNG + SECOND) -> StoredFile:
    """A file that was written so long before WALL."""
    stored = store(files, f"{words}.pdf", BytesIO(words.encode()), "application/pdf")
    aged(path_of(files, stored.hash), age)
    return stored


def aged(path: Path, age: timedelta) -> None:
    written = (WALL - age).timestamp()
    os.utime(path, (written, written))


def hand_in(database: Database, *files: StoredFile) -> None:
    with database.writing() as session:
        id_ = task_of(session, "snv", "2021").id
        submit.submit(session, id_, by="office", answers=ANSWERS, files=files, key="k", now=NOW, zone=ZONE)


def save(database: Database, *files: StoredFile, unit: str = "stc", role: str = "contact") -> None:
    with database.writing() as session:
        task = task_of(session, unit, "2021")
        whom = (col(Contact.unit_id) == task.unit_id, col(Contact.role) == role)
        contact = session.scalars(select(Contact).where(*whom)).one()
        link = Link(task_id=task.id, contact_id=contact.id)
        draft.save(session, link, answers={}, files=files, now=NOW)


def go(database: Database, files: Path) -> Swept:
    return sweep.sweep(database, Place(files, WALL), NOW)


def left(files: Path) -> set[str]:
    return {path.name for path in files.rglob("*") if path.is_file()}


def add(database: Database, *rows: SQLModel) -> None:
    with database.writing() as session:
        session.add_all(rows)


def count(database: Database, table: type[Any]) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def someone(database: Database) -> int:
    with database.writing() as session:
        user = User(login="vt", name="Văn thư Đảng ủy Khối", created_at=WALL)
        session.add(user)
        session.flush()
        return user.id


# Rows


def test_a_row_that_is_past_goes_and_one_that_is_not_quite_stays(opened: Database, files: Path) -> None:
    user = someone(opened)
    with opened.reading() as session:
        contact = session.scalars(select(col(Contact.id)).limit(1)).one()

    def visit(at: datetime) -> Visit:
        return Visit(contact_id=contact, at=at, act="opened", network="203.0.113.0/24", agent="")

    def signed(name: str, **given: Any) -> SignIn:
        seen = {"created_at": WALL, "seen_at": WALL} | given
        return SignIn(hash=name, user_id=user, agent="", **seen)

    def invited(name: str, **given: Any) -> Invitation:
        return Invitation(hash=name, user_id=user, **({"expires_at": WALL + SECOND} | given))

    def code(name: str, **given: Any) -> LinkCode:
        return LinkCode(hash=name, contact_id=contact, **({"expires_at": NOW + SECOND} | given))

    add(opened, visit(NOW - VISITS_KEPT), visit(NOW - VISITS_KEPT - SECOND))
    add(opened, *(RateBucket(key=f"{n}", level=0, at=WALL - FORGOTTEN - n * SECOND) for n in range(2)))
    add(opened, signed("lasts"), signed("ended", ended_at=WALL - KEPT), signed("long ended", ended_at=WALL - 2 * KEPT))
    add(opened, signed("forgotten", seen_at=WALL - KEPT - SECOND))
    add(opened, invited("waits"), invited("used", used_at=WALL - SECOND), invited("expired", expires_at=WALL))
    add(opened, code("waits"), code("used", used_at=NOW - SECOND), code("expired", expires_at=NOW))
    for name, is_open, age in (("new", False, EVENTS_KEPT), ("old", False, 2 * EVENTS_KEPT), ("open", True, 2 * KEPT)):
        add(opened, WebhookEvent(key=name, at=NOW - age, is_open=is_open))

    assert go(opened, files) == Swept(visits=1, attempts=1, sessions=2, invitations=2, codes=2, events=1)
    with opened.reading() as session:
        assert set(session.scalars(select(col(SignIn.hash)))) == {"lasts", "ended"}
        assert list(session.scalars(select(col(Invitation.hash)))) == ["waits"]
        assert list(session.scalars(select(col(LinkCode.hash)))) == ["waits"]
        assert set(session.scalars(select(col(WebhookEvent.key)))) == {"new", "open"}
    assert (count(opened, Visit), count(opened, RateBucket)) == (1, 1)


@pytest.mark.parametrize(
    ("state", "age", "stays"),
    [
        (TaskState.OPEN, 2 * DRAFTS_KEPT, 1),
        (TaskState.RETURNED, 2 * DRAFTS_KEPT, 1),
        (TaskState.MISSED, DRAFTS_KEPT, 1),  # an extension may open it again
        (TaskState.MISSED, DRAFTS_KEPT + SECOND, 0),
        (TaskState.EXEMPTED, DRAFTS_KEPT + SECOND, 0),
    ],
)
def test_a_draft_goes_some_time_after_its_task_is_finished(
    opened: Database, files: Path, state: TaskState, age: timedelta, stays: int
) -> None:
    save(opened)
    with opened.writing() as session:
        mine = col(Task.id) == task_of(session, "stc", "2021").id
        session.execute(update(Task).where(mine).values(state=state.value, changed_at=NOW - age))
    assert go(opened, files).drafts == 1 - stays
    assert count(opened, Draft) == stays


def test_what_went_stands_in_the_journal_once_and_nothing_stands_there_for_nothing(
    opened: Database, files: Path
) -> None:
    add(opened, RateBucket(key="old", level=0, at=WALL - 2 * FORGOTTEN))
    with opened.reading() as session:
        before = everything(session)
    go(opened, files)
    assert go(opened, files) == Swept()
    with opened.reading() as session:
        (entry,) = session.scalars(select(Entry).where(col(Entry.act) == "swept"))
        assert (entry.by, entry.at, entry.data) == ("system", NOW, {"attempts": 1})
        after = everything(session)
    assert {name for name in before if before[name] != after[name]} == {"entry", "journal_head", "rate_bucket"}


# Files


def test_files_that_no_report_and_no_draft_names_go_when_they_are_old(opened: Database, files: Path) -> None:
    reported, drafted, refused = (put(files, words) for words in ("reported", "drafted", "refused"))
    young = put(files, "young", YOUNG - SECOND)
    hand_in(opened, reported)
    save(opened, drafted)
    swept = go(opened, files)
    assert (swept.files, swept.size) == (1, len("refused"))
    assert left(files) == {reported.hash, drafted.hash, young.hash}
    assert not path_of(files, refused.hash).exists()


def test_a_draft_that_is_written_over_leaves_its_files_to_the_sweep(opened: Database, files: Path) -> None:
    first, second = put(files, "first"), put(files, "second")
    save(opened, first)
    save(opened, second)
    assert go(opened, files).files == 1
    assert left(files) == {second.hash}


def test_what_is_no_content_of_ours_is_let_be(opened: Database, files: Path) -> None:
    hand_in(opened, put(files, "reported"))
    strange = [files / "readme.txt", files / "ab" / "note.txt", files / "ab" / ("c" * 64), files / "abc" / ("a" * 64)]
    for path in strange:
        path.parent.mkdir(exist_ok=True)
        path.write_text("?")
        aged(path, 2 * YOUNG)
    assert go(opened, files).files == 0
    assert all(path.exists() for path in strange)


def test_what_a_killed_upload_left_half_written_goes_too(opened: Database, files: Path) -> None:
    hand_in(opened, put(files, "reported"))
    halves = [files / f".12-{letter * 16}.part" for letter in "ab"]
    for half, age in zip(halves, (YOUNG + SECOND, YOUNG - SECOND), strict=True):
        half.write_text("half")
        aged(half, age)
    go(opened, files)
    assert [half.exists() for half in halves] == [False, True]


def test_a_database_that_names_none_of_the_files_is_somebody_elses(opened: Database, files: Path) -> None:
    there = {put(files, words).hash for words in ("a", "b", "c")}
    assert go(opened, files) == Swept()
    assert left(files) == there


def test_without_a_folder_there_is_nothing_to_sweep(opened: Database, files: Path) -> None:
    assert go(opened, files) == Swept()
    assert not files.exists()


@pytest.mark.parametrize("how", ["stored again", "asked for again"])
def test_a_file_that_comes_back_into_use_while_the_sweep_runs_stays(
    opened: Database, files: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """The upload falls between the question of who names the file and its removal; its row comes after both."""
    hand_in(opened, put(files, "reported"))
    again = put(files, "again")
    ask = sweep._named

    def asked(*given: Any) -> set[str]:
        named = ask(*given)
        if how == "stored again":
            store(files, "again.pdf", BytesIO(b"again"), "application/pdf")
        else:
            assert kept.is_there(files, again)
        return named

    monkeypatch.setattr(sweep, "_named", asked)
    written = clock.now()
    place = Place(files, written + timedelta(minutes=1))
    for path in files.rglob("*"):
        os.utime(path, ((written - 2 * YOUNG).timestamp(),) * 2)
    assert sweep.sweep(opened, place, NOW).files == 0
    assert path_of(files, again.hash).read_bytes() == b"again"
    assert len(left(files)) == 2


def test_a_file_that_is_gone_cannot_go_along(opened: Database, files: Path) -> None:
    hand_in(opened, put(files, "reported"))
    gone = put(files, "gone")
    go(opened, files)
    assert not kept.is_there(files, gone)


def test_a_sweep_that_was_killed_in_between_has_lost_nothing(opened: Database, files: Path) -> None:
    reported = put(files, "reported")
    hand_in(opened, reported)
    place = path_of(files, reported.hash)
    place.rename(f"{place}.aside")
    go(opened, files)
    assert left(files) == {reported.hash}


# Once a day


@pytest.mark.parametrize(
    ("last", "now", "is_due"),
    [
        (("2021-12-19", "02:55"), ("2021-12-19", "03:00"), True),
        (("2021-12-19", "03:00"), ("2021-12-19", "03:05"), False),
        (("2021-12-19", "03:00"), ("2021-12-20", "02:55"), False),
        (("2021-12-19", "23:55"), ("2021-12-20", "09:00"), True),
        (("2021-12-17", "23:55"), ("2021-12-20", "01:00"), True),
    ],
)
def test_the_first_round_after_three_in_the_morning_sweeps(
    database: Database, last: tuple[str, str], now: tuple[str, str], is_due: bool
) -> None:
    assert not is_to_sweep(database, at(*now), ZONE)  # a new office has nothing
    add(database, LastRound(at=at(*last), cycles=0, tasks=0, steps=0, notices=0, messages=0))
    assert is_to_sweep(database, at(*now), ZONE) is is_due


def test_a_quiet_round_sweeps_once_and_is_still_a_quiet_one(opened: Database, files: Path, tmp_path: Path) -> None:
    def go_round(now: datetime, place: Place | None) -> None:
        carrier = EmlCarrier(tmp_path / "messages", "dondoc@example.org", "dondoc")
        run(opened, carrier, now, zone=ZONE, url="https://dondoc.example.org", key=b"k" * 32, place=place)

    def past() -> RateBucket:
        return RateBucket(key="old", level=0, at=WALL - 2 * FORGOTTEN)

    place, tomorrow = Place(files, WALL), at("2021-12-03")
    go_round(at("2021-12-02"), place)
    add(opened, past())
    go_round(tomorrow - timedelta(hours=6), place)
    assert count(opened, RateBucket) == 1
    assert not is_anything(opened, tomorrow, ZONE)
    go_round(tomorrow, place)
    assert count(opened, RateBucket) == 0
    add(opened, past())
    go_round(tomorrow + timedelta(minutes=5), place)
    go_round(tomorrow + timedelta(days=1), None)
    assert count(opened, RateBucket) == 1


def test_by_hand_it_says_what_went(
    opened: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DONDOC_DATA", str(tmp_path))
    monkeypatch.setenv("DONDOC_DATABASE_URL", opened.url)
    add(opened, RateBucket(key="old", level=0, at=clock.now() - 2 * FORGOTTEN))
    reported, refused = put(tmp_path / "files", "reported"), put(tmp_path / "files", "refused")
    hand_in(opened, reported)
    for stored in (reported, refused):
        os.utime(path_of(tmp_path / "files", stored.hash), (0, 0))
    assert main(["sweep", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == asdict(Swept(attempts=1, files=1, size=len("refused")))
    assert main(["sweep"]) == 0
    assert capsys.readouterr().out == "Đã dọn: 0 dòng, 0 tệp (0 byte).\n"


# How much there may be for one task


def test_one_task_takes_so_much_a_week_and_another_one_its_own(opened: Database) -> None:
    mine, other = id_of(opened, "stc"), id_of(opened, "snv")
    with opened.writing() as session:
        draft.admit(session, mine, UPLOAD.count - 10, wall=WALL)
        draft.admit(session, mine, 10, wall=WALL)
        with pytest.raises(RefusedError) as found:
            draft.admit(session, mine, 1_000, wall=WALL)
        assert found.value.reason.code == "refused.too_much"
        draft.admit(session, other, UPLOAD.count, wall=WALL)
        draft.admit(session, mine, UPLOAD.count, wall=WALL + UPLOAD.per)


def test_a_full_bucket_is_not_forgotten_before_it_is_full_again() -> None:
    assert UPLOAD.per <= FORGOTTEN
    assert UPLOAD.per <= YOUNG  # what is left lying counts as long as it lies there


def test_the_drafts_of_one_task_together_hold_no_more_either(opened: Database) -> None:
    def big(letter: str, size: int) -> StoredFile:
        return StoredFile(f"{letter}.pdf", letter * 64, size, "application/pdf")

    half = UPLOAD.count // 2
    save(opened, big("a", half))
    save(opened, big("b", half), role="head")
    with pytest.raises(RefusedError) as found:
        save(opened, big("b", half), big("c", 1), role="head")
    assert found.value.reason.code == "refused.too_much"
    save(opened, big("a", half), big("b", half), role="head")  # the same content lies there once
    save(opened, role="head")


@pytest.fixture
def desk(sqlite_template: Path, tmp_path: Path) -> Iterator[Desk]:
    with sqlite_desk(sqlite_template, tmp_path) as desk:
        yield desk


def test_a_file_too_many_is_refused_in_words_unwritten_and_nothing_typed_is_lost(desk: Desk) -> None:
    with desk.database.writing() as session:
        full_again = clock.now() + UPLOAD.per  # ahead of the time: nothing runs in until then
        session.add(RateBucket(key=f"{UPLOAD.name}:{desk.task_id()}", level=len(PDF) - 1, at=full_again))
    shown = desk.post(desk.link(), answers(), files=upload())
    assert shown.status_code == 422
    assert "mỗi nhiệm vụ nhận tối đa 200 MB tệp trong một tuần" in shown.text.lower().replace("mb", "MB")
    assert answers()["results"] in shown.text
    assert left(desk.settings.files) == set()
    assert desk.post(desk.link(), answers()).status_code == 303


def test_what_lies_in_the_draft_goes_along_for_nothing_and_what_the_draft_has_dropped_counts_anew(desk: Desk) -> None:
    def level() -> float:
        with desk.database.reading() as session:
            return session.scalars(select(col(RateBucket.level)).where(col(RateBucket.key).like("upload:%"))).one()

    def saved(again: str | None = None, **given: Any) -> str:
        typed = answers(studied="x") | ({"kept": again} if again else {})
        (field,) = re.findall(r'name="kept" value="([^"]+)"', desk.post(link, typed, **given).text)
        return str(field)

    link, large = desk.link(), b"%" * 500_000  # beside it, what runs in while the test lasts is nothing
    one, other = (PDF[:-6] + large + end + b"\n%%EOF\n" for end in (b"1", b"2"))
    first = saved(files=upload(content=one))
    after_first = level()
    assert after_first <= UPLOAD.count - 400_000
    assert saved(again=first) == first
    assert level() > after_first - 100_000

    saved(files=upload(content=other))
    before = level()
    assert saved(again=first) == first
    assert level() < before - 400_000

"""Whose units may a sheet change, what does it need a reason for, and is all told that it writes?"""

import random
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from functools import partial
from threading import Barrier

import pytest
from sqlmodel import Session, col, select

from dondoc.database import Database
from engine import call_off, relocate, reorganise
from engine.access import Actor, Scope
from engine.believe import believe
from engine.changes import changes, effect_hash
from engine.errors import RefusedError
from engine.relocate import Move
from engine.reorganise import Fresh, Order
from engine.sheets import BadRows, Row, rows_of
from engine.units import Imported, import_units
from models.contact import Contact
from models.entry import Entry, breaks
from models.lineage import Succession
from models.unit import Placement, Unit, placement_on
from models.user import UserRole
from tests.builders import ZONE, at, province, unit_id

NOW = at("2021-12-10")
NOTHING = Imported(0, 0, 0)
FEW = ("code", "name", "kind", "parent")
KEYS = ("code", "name", "kind", "parent", "tags", "valid_from", "valid_to", "contact_name", "contact_email")


@pytest.fixture
def office(database: Database) -> Database:
    province(database)
    return database


def sheet(*lines: Mapping[str, str], keys: tuple[str, ...] = KEYS) -> list[Row]:
    text = "\n".join([",".join(keys), *(",".join(line.get(key, "") for key in keys) for line in lines)])
    return rows_of("units.csv", text.encode())


def line(session: Session, code: str, **words: str) -> dict[str, str]:
    """What a sheet says that changes nothing, then the words that do."""
    unit = session.get_one(Unit, unit_id(session, code))
    place = session.exec(
        select(Placement).where(col(Placement.unit_id) == unit.id).order_by(col(Placement.valid_from).desc())
    ).first()
    assert place is not None
    above = session.get(Unit, place.parent_id) if place.parent_id else None
    return {"code": code, "name": unit.name, "kind": place.kind, "parent": above.code if above else "", **words}


def admin_of(session: Session, *codes: str) -> Actor:
    paths = [placement_on(session, unit_id(session, code), date(2021, 12, 10)) for code in codes]
    return Actor("user:3", "", tuple(Scope(UserRole.ADMIN, path.path) for path in paths if path))


def problems(
    session: Session, actor: Actor, *lines: Mapping[str, str], keys: tuple[str, ...] = KEYS, now: datetime = NOW
) -> list[str]:
    """`column:code` of each, as the sheet is refused."""
    try:
        believe(session, sheet(*lines, keys=keys), now=now, zone=ZONE, actor=actor)
    except BadRows as refused:
        return [f"{problem.params['at']}:{problem.code}" for problem in refused.problems]
    return []


WHOLE = Actor("user:1", "", (Scope(UserRole.ADMIN, ""),))
ENDS = {"valid_to": "2022-02-01"}
MOVES = {"parent": "syt", "valid_from": "2022-02-01"}
TURNS = {"kind": "chi-bo-co-so", "valid_from": "2022-02-01"}
RISES = {"parent": "", "valid_from": "2022-02-01"}
TAGGED = {"tags": "giang-day"}
CALLED = {"name": "Tên mới", "contact_name": "Văn thư", "contact_email": "van-thu@example.org"}


@pytest.mark.parametrize(
    ("words", "inside", "root", "outside"),
    [
        (ENDS, [], ["valid_to:sheet.edge"], ["code:sheet.beyond"]),
        (MOVES, ["parent:sheet.beyond"], ["parent:sheet.edge"], ["code:sheet.beyond"]),
        (RISES, ["parent:sheet.beyond"], ["parent:sheet.edge"], ["code:sheet.beyond"]),
        (TURNS, [], ["kind:sheet.edge"], ["code:sheet.beyond"]),
        (TAGGED, [], ["tags:sheet.edge"], ["code:sheet.beyond"]),
        (CALLED, [], [], ["code:sheet.beyond"]),
        ({}, [], [], ["code:sheet.beyond"]),
    ],
)
def test_the_admin_of_a_branch_changes_what_lies_below_its_top(
    office: Database, words: dict[str, str], inside: list[str], root: list[str], outside: list[str]
) -> None:
    keys = tuple(key for key in KEYS if key in words or key in ("code", "name", "kind", "parent"))
    with office.reading() as session:
        actor = admin_of(session, "snv")
        for code, wanted in (("snv-1", inside), ("snv", root), ("stc", outside), ("duk", outside)):
            found = problems(session, actor, line(session, code, **words), keys=keys)
            assert [each for each in found if each != "valid_to:sheet.parent-gone"] == wanted, code
        assert problems(session, WHOLE, line(session, "snv-1", **words), keys=keys) == []


def test_the_top_of_a_branch_goes_not_from_one_hand_to_the_other(office: Database) -> None:
    """Whoever keeps two branches moves units between them, not the tops: those hang below somebody else."""
    with office.reading() as session:
        both = admin_of(session, "snv", "syt")
        assert problems(session, both, line(session, "snv-1", **MOVES)) == []
        assert problems(session, both, line(session, "snv", **MOVES)) == ["parent:sheet.edge"]
        # under a unit that the same sheet brings in
        fresh = {"code": "moi", "name": "Mới", "kind": "dang-bo-co-so", "parent": "syt"}
        below = line(session, "snv", parent="moi", valid_from="2022-02-01")
        assert problems(session, both, fresh, below) == ["parent:sheet.edge"]
        assert problems(session, both, fresh | {"parent": ""}) == ["parent:sheet.beyond"]


def test_of_a_unit_that_is_not_theirs_nothing_is_told(office: Database) -> None:
    """Neither since when it stands so, nor what it owes: the first word of the line decides."""
    with office.reading() as session:
        actor = admin_of(session, "snv")
        for words in ({"valid_from": "2019-01-01"}, {"valid_to": "2021-12-01"}, {"parent": "snv-1"}):
            assert problems(session, actor, line(session, "stc", **words)) == ["code:sheet.beyond"]


def brought(
    database: Database, rows: list[Row], shown: str | None = None, *, reason: str = "", now: datetime = NOW
) -> Imported:
    with database.writing() as session:
        return import_units(session, rows, by="user:1", now=now, zone=ZONE, reason=reason, expected_hash=shown)


@pytest.mark.parametrize("words", [ENDS, MOVES, TURNS, TAGGED, CALLED, {"name": "Tên mới"}])
def test_what_alters_something_needs_a_reason(office: Database, words: dict[str, str]) -> None:
    with office.reading() as session:
        rows = sheet(line(session, "snv-1", **words))
        before = session.exec(select(Entry.id)).all()
    for nothing in ("", "  "):
        with pytest.raises(RefusedError) as refused:
            brought(office, rows, reason=nothing)
        assert refused.value.reason.code == "refused.no_reason"
    with office.reading() as session:
        assert session.exec(select(Entry.id)).all() == before
    assert brought(office, rows, reason=" QĐ 12 ") != NOTHING
    with office.reading() as session:
        entries = session.exec(select(Entry).where(col(Entry.id) > max(before))).all()
        assert {entry.data["note"] for entry in entries} == {"QĐ 12"}
    assert brought(office, rows) == NOTHING


def test_what_only_adds_needs_none(office: Database) -> None:
    fresh = {"code": "moi", "name": "Mới", "kind": "chi-bo", "parent": "snv", "tags": "giang-day"}
    people = {"contact_name": "Văn thư", "contact_email": "van-thu@example.org"}
    with office.reading() as session:
        rows = sheet(fresh | people, line(session, "cam", **people), keys=tuple(key for key in KEYS if key != "tags"))
    assert brought(office, rows) == Imported(units=1, placements=1, contacts=2)


def test_the_journal_keeps_each_thing_that_was_there_and_changed(office: Database) -> None:
    """Of contacts the number alone, as everywhere."""
    with office.reading() as session:
        keys = (*KEYS, "head_name")
        rows = sheet(
            line(session, "snv-1", name="Tên mới", parent="duk", kind="chi-bo-co-so", contact_name="Văn thư") | ENDS,
            line(session, "snv", tags="giang-day", contact_name="contact Đảng bộ Sở Nội vụ", head_name="A")
            | {"contact_email": "moi@example.org"},
            keys=keys,
        )
        contact = session.exec(select(Contact).where(col(Contact.unit_id) == unit_id(session, "snv-1"))).first()
        assert contact is not None
    brought(office, rows, reason="QĐ 12")
    with office.reading() as session:
        entries = session.exec(select(Entry).where(col(Entry.by) == "user:1").order_by(col(Entry.id))).all()
        (whole,) = (entry for entry in entries if entry.act == "import")
        told = [entry for entry in entries if entry.data.get("of_import") == whole.id]
        acts = [(entry.act, entry.data["unit"], entry.data.get("role", "")) for entry in told]
        assert acts == [
            ("unit_renamed", "snv-1", ""),
            ("sheet_ended", "snv-1", ""),
            ("unit_tagged", "snv", ""),
            ("sheet_moved", "snv-1", ""),
            ("contact_changed", "snv-1", "contact"),
            ("contact_changed", "snv", "contact"),
            ("contact_changed", "snv", "head"),
            ("contact_retired", "snv-1", "head"),
        ]
        assert (told[0].data["before"], told[0].data["on"]) == ("Chi bộ Văn phòng Sở Nội vụ", "2021-12-10")
        assert (told[3].data["before"], told[3].data["after"], told[3].data["on"]) == ("snv", "duk", "2021-12-10")
        assert "example.org" not in str([entry.data for entry in entries])
        assert list(breaks(session)) == []


WORDS = {
    "name": ("Tên mới",),
    "kind": ("chi-bo-co-so", "dang-bo-co-so"),
    "parent": ("duk", "snv", "syt", "snv-1", "moi"),
    "tags": ("giang-day",),
    "valid_from": ("2020-01-01", "2021-12-10", "2022-02-01", "2022-03-01"),
    "valid_to": ("2021-12-10", "2022-02-01", "2022-03-01"),
    "contact_name": ("Văn thư",),
    "contact_email": ("van-thu@example.org",),
}


def test_what_is_told_of_a_sheet_is_all_that_it_writes(office: Database) -> None:
    """Random sheets, one on top of the other: nothing told, nothing written; and the other way round."""
    pick, done = random.Random(12), 0
    for _ in range(60):
        now = NOW + timedelta(days=pick.randrange(2))
        with office.reading() as session:
            codes = [*pick.sample(["stc", "snv", "syt", "snv-1", "snv-2", "cam"], pick.randint(1, 3)), "moi"]
            there = set(session.exec(select(Unit.code)))
            lines = [line(session, code) if code in there else fresh(code) for code in codes]
            for each in pick.choices(lines, k=pick.randint(1, 4)):
                key = pick.choice([*WORDS])
                each[key] = pick.choice(WORDS[key])
            rows = sheet(*lines)
            try:
                found = changes(believe(session, rows, now=now, zone=ZONE))
            except BadRows:
                continue
        made = brought(office, rows, reason="QĐ 12", now=now)
        assert (made == NOTHING) == (not found), (found, lines)
        with office.reading() as session:
            # who is back on the very day of the end has been there all the time
            wrong = problems(session, WHOLE, *lines, now=now)
            assert wrong in ([], ["valid_from:sheet.moved-start"])
            assert wrong or changes(believe(session, rows, now=now, zone=ZONE)) == ()
        done += bool(found)
    assert done > 15


def fresh(code: str) -> dict[str, str]:
    return {"code": code, "name": "Mới", "kind": "chi-bo-co-so", "parent": "duk"}


def test_a_sheet_brought_in_twice_with_days_past_changes_nothing_more(office: Database) -> None:
    with office.reading() as session:
        moved = line(session, "snv-1", parent="syt", kind="chi-bo-co-so", valid_from="2021-11-01")
        rows = sheet(moved, line(session, "snv-2", valid_to="2021-12-01", valid_from="2020-01-01"))
    assert brought(office, rows, reason="QĐ 12") == Imported(units=0, placements=3, contacts=2)
    assert brought(office, rows) == NOTHING
    with office.reading() as session:
        there = [
            placement_on(session, unit_id(session, "snv-1"), day) for day in (date(2021, 10, 31), date(2021, 11, 1))
        ]
        assert [place.kind for place in there if place] == ["chi-bo-truc-thuoc", "chi-bo-co-so"]
        assert placement_on(session, unit_id(session, "snv-2"), date(2021, 12, 1)) is None


def test_what_has_not_been_yet_can_be_put_right(office: Database) -> None:
    """A unit put under the wrong one today, a move ahead that was decided otherwise."""
    fresh_unit = {"code": "moi", "name": "Mới", "kind": "chi-bo-co-so", "parent": "snv"}
    with office.reading() as session:
        ahead = line(session, "snv-1", parent="syt", valid_from="2022-02-01")
    brought(office, sheet(fresh_unit, ahead), reason="QĐ 12")
    with office.reading() as session:
        back = ahead | {"parent": "snv"}
        rows = sheet(fresh_unit | {"parent": "syt", "kind": "chi-bo"}, back)
        found = [(str(each.what), each.code, each.before, each.after, f"{each.on}") for each in changes(
            believe(session, rows, now=NOW, zone=ZONE)) if each.on]  # fmt: skip
        assert found == [
            ("moved", "moi", "snv", "syt", "2021-12-10"),
            ("kind", "moi", "chi-bo-co-so", "chi-bo", "2021-12-10"),
            ("moved", "snv-1", "syt", "snv", "2022-02-01"),
        ]
    brought(office, rows, reason="QĐ 13")
    assert brought(office, rows) == NOTHING
    with office.reading() as session:
        for code, above in (("moi", "syt"), ("snv-1", "snv")):
            for day in (date(2021, 12, 10), date(2022, 2, 1)):
                place = placement_on(session, unit_id(session, code), day)
                assert place is not None
                assert place.parent_id == unit_id(session, above)
    with pytest.raises(BadRows):  # what was yesterday stays
        brought(office, sheet(fresh_unit | {"valid_from": "2021-12-10"}), reason="x", now=at("2021-12-11"))


@pytest.mark.parametrize(
    "words",
    [
        {"parent": "syt", "valid_from": "2022-02-01"},
        {"kind": "x", "valid_from": "2022-03-01"},
        {"valid_to": "2022-04-01"},
    ],
)
def test_what_an_order_is_to_change_no_sheet_changes_before(office: Database, words: dict[str, str]) -> None:
    """Else the order could be neither called off nor carried out as it was shown."""
    with office.writing() as session:
        move = Move("snv-1", date(2022, 2, 1), "duk")
        entry = relocate.apply(session, move, reason="QĐ 1", by="user:2", now=NOW, zone=ZONE)
        now = {"code": "snv-1", "name": "Tên mới", "kind": "chi-bo-truc-thuoc", "parent": "duk"}
        assert problems(session, WHOLE, now, keys=FEW) == []
        keys = tuple(key for key in KEYS if key in words or key in FEW)
        assert problems(session, WHOLE, now | words, keys=keys) == ["code:sheet.ordered"]
        call_off.call_off(session, entry.id, reason="QĐ 2", by="user:2", now=NOW, zone=ZONE)
        assert problems(session, WHOLE, now | {"parent": "snv"} | words, keys=keys) == []


def test_a_unit_that_never_began_is_new_to_the_sheet_that_begins_it(office: Database) -> None:
    with office.writing() as session:
        part = Order(Succession.SPLIT, ("stc",), date(2022, 1, 10), None, (Fresh("stc-b", "Chi bộ B"),), stays=True)
        entry = reorganise.apply(session, part, reason="QĐ 1", by="user:2", now=NOW, zone=ZONE)
        call_off.call_off(session, entry.id, reason="QĐ 2", by="user:2", now=NOW, zone=ZONE)
    begins = {"code": "stc-b", "name": "Chi bộ C", "kind": "chi-bo-co-so", "parent": "duk", "valid_from": "2022-02-01"}
    with office.reading() as session:
        found = changes(believe(session, sheet(begins), now=NOW, zone=ZONE))
        assert [(each.what.value, each.before, each.after, f"{each.on}") for each in found] == [
            ("unit_added", "", "duk", "2022-02-01"),
            ("renamed", "Chi bộ B", "Chi bộ C", "None"),
        ]
    assert brought(office, sheet(begins)).placements == 1
    with office.reading() as session:
        assert changes(believe(session, sheet(begins), now=NOW, zone=ZONE)) == ()


def at_once(presses: Sequence[Callable[[], Imported]]) -> list[str]:
    start = Barrier(len(presses))

    def press(act: Callable[[], Imported]) -> str:
        start.wait()
        try:
            return str(act())
        except RefusedError as refused:
            return refused.reason.code

    with ThreadPoolExecutor(len(presses)) as pool:
        return sorted(pool.map(press, presses))


def test_of_two_admins_at_once_the_second_is_shown_what_has_changed(office: Database) -> None:
    with office.reading() as session:
        sheets = [sheet(line(session, "snv-1", name=name), keys=FEW) for name in ("Chi bộ A", "Chi bộ B")]
        shown = [effect_hash(changes(believe(session, rows, now=NOW, zone=ZONE))) for rows in sheets]
    both = [partial(brought, office, *each, reason="QĐ 12") for each in zip(sheets, shown, strict=True)]
    assert at_once(both) == [str(Imported(1, 0, 0)), "refused.effect_changed"]


def test_the_first_units_of_all_come_in_once_from_two_admins_at_once(database: Database) -> None:
    units = (fresh("duk") | {"parent": ""}, *(fresh(f"moi-{number}") for number in range(500)))
    both = [partial(brought, database, sheet(*units, keys=FEW))] * 2
    assert at_once(both) == [str(NOTHING), str(Imported(501, 501, 0))]

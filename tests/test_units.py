"""Does a sheet of units come in whole or not at all? Every fault has its line and column; nothing is half written."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from openpyxl import Workbook  # type: ignore[import-untyped]
from sqlmodel import Session, col, func, select

from dondoc.database import Database
from engine.units import BadRows, Imported, import_units, read_rows, tree
from models.contact import Contact, Role, holding
from models.cycle import Cycle
from models.deadline import Deadline
from models.entry import Entry, breaks
from models.plan import Plan, Revision
from models.task import Task, TaskState
from models.unit import Placement, Unit, UnitTag, matching, placement_on, unit_by_code
from samples import organisation
from schedules.audience import Audience

ZONE = "Asia/Ho_Chi_Minh"
NOW = datetime(2021, 10, 1, 1, tzinfo=UTC)
DAY = date(2021, 10, 1)
NOTHING = Imported(0, 0, 0)

PROVINCE = """\
code,name,kind,parent,tags,valid_from,valid_to,contact_name,contact_email,head_name,head_email
duk,Đảng ủy Khối,dang-uy-khoi,,,2020-01-01,,Văn thư Đảng ủy Khối,van-thu.duk@example.org,,
snv,Đảng bộ Sở Nội vụ,dang-bo-co-so,duk,,2020-01-01,,Văn thư Đảng bộ Sở Nội vụ,van-thu.snv@example.org,,
snv-1,Chi bộ Văn phòng,chi-bo-truc-thuoc,snv,,2020-01-01,,,,Bí thư Chi bộ Văn phòng,bi-thu.snv-1@example.org
stc,Chi bộ Sở Tài chính,chi-bo-co-so,duk,su-nghiep-dac-thu giang-day,2020-01-01,,,,,
"""


@pytest.fixture
def sheet(tmp_path: Path) -> "Sheet":
    return Sheet(tmp_path)


class Sheet:
    """Files to bring in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def csv(self, text: str | bytes, name: str = "units.csv") -> Path:
        path = self.folder / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def xlsx(self, rows: Iterable[Iterable[object]], name: str = "units.xlsx") -> Path:
        book = Workbook()
        for row in rows:
            book.active.append(list(row))
        book.save(self.folder / name)
        return self.folder / name


def bring(database: Database, path: Path, now: datetime = NOW) -> Imported:
    with database.writing() as session:
        return import_units(session, read_rows(path), by="office", now=now, zone=ZONE, reason="QĐ 12")


def changed(text: str, code: str, **words: str) -> str:
    """The sheet with some words of one line written over."""
    header, *rows = [line.split(",") for line in text.splitlines()]
    for row in rows:
        if row[0] == code:
            for key, word in words.items():
                row[header.index(key)] = word
    return "\n".join(",".join(row) for row in (header, *rows)) + "\n"


def refused(database: Database, path: Path, lang: str = "en") -> list[str]:
    """What was wrong, after making sure that nothing was written."""
    before = counts(database)
    with pytest.raises(BadRows) as caught:
        bring(database, path)
    assert counts(database) == before
    return [problem.text(lang) for problem in caught.value.problems]


def expected(*problems: str) -> list[str]:
    """`line:column key: words` as the problem is printed."""
    found = []
    for problem in problems:
        place, words = problem.replace("'", '"').split(" ", 1)
        is_of_column = words.split(" ", 1)[0].endswith(":")
        found.append(f"units.csv:{place}: error: {'column ' if is_of_column else ''}{words}")
    return found


def counts(database: Database) -> Mapping[str, int]:
    with database.reading() as session:
        tables = (Unit, UnitTag, Placement, Contact, Entry)
        return {table.__name__: session.exec(select(func.count()).select_from(table)).one() for table in tables}


def shape(session: Session, on: date) -> list[tuple[int, str, str]]:
    return [(depth, unit.code, placement.kind) for depth, placement, unit in tree(session, on)]


def test_a_sheet_comes_in_with_its_tree_tags_and_contacts(database: Database, sheet: Sheet) -> None:
    assert bring(database, sheet.csv(PROVINCE)) == Imported(units=4, placements=4, contacts=3)
    with database.reading() as session:
        assert shape(session, date(2021, 1, 1)) == [
            (0, "duk", "dang-uy-khoi"),
            (1, "snv", "dang-bo-co-so"),
            (2, "snv-1", "chi-bo-truc-thuoc"),
            (1, "stc", "chi-bo-co-so"),
        ]
        assert shape(session, date(2019, 12, 31)) == []
        assert sorted(session.exec(select(UnitTag.tag))) == ["giang-day", "su-nghiep-dac-thu"]
        heads = session.scalars(holding(Role.HEAD)).all()
        assert [(head.name, head.email, head.lang) for head in heads] == [
            ("Bí thư Chi bộ Văn phòng", "bi-thu.snv-1@example.org", "vi")
        ]
        entry = session.exec(select(Entry)).one()
        assert (entry.act, entry.by, entry.data["units"]) == ("import", "office", 4)
        assert list(breaks(session)) == []


def test_the_same_sheet_again_changes_nothing_and_leaves_no_entry(database: Database, sheet: Sheet) -> None:
    path = sheet.csv(PROVINCE)
    bring(database, path)
    before = counts(database)
    assert bring(database, path) == NOTHING
    assert counts(database) == before


def test_a_parent_may_stand_below_its_children(database: Database, sheet: Sheet) -> None:
    header, *rows = PROVINCE.splitlines()
    bring(database, sheet.csv("\n".join([header, *reversed(rows)])))
    with database.reading() as session:
        assert [code for _, code, _ in shape(session, date(2021, 1, 1))] == ["duk", "stc", "snv", "snv-1"]


def test_a_new_name_tag_and_address_are_written_over(database: Database, sheet: Sheet) -> None:
    bring(database, sheet.csv(PROVINCE))
    with database.writing() as session:
        contact = session.exec(select(Contact).where(col(Contact.email) == "van-thu.snv@example.org")).one()
        contact.is_bouncing = True
        session.add(contact)
    text = changed(PROVINCE, "snv", name="Đảng bộ Sở Nội vụ tỉnh", contact_email="moi.snv@example.org")
    text = changed(text, "stc", tags="giang-day moi")
    assert bring(database, sheet.csv(text)) == Imported(units=2, placements=0, contacts=1)
    with database.reading() as session:
        snv = unit_by_code(session, "snv")
        assert snv is not None
        assert snv.name == "Đảng bộ Sở Nội vụ tỉnh"
        contact = session.exec(select(Contact).where(col(Contact.unit_id) == snv.id)).one()
        assert (contact.email, contact.is_bouncing) == ("moi.snv@example.org", False)
        assert sorted(session.exec(select(UnitTag.tag))) == ["giang-day", "moi"]


def test_an_emptied_contact_is_told_nothing_more_but_a_column_left_out_says_nothing(
    database: Database, sheet: Sheet
) -> None:
    bring(database, sheet.csv(PROVINCE))
    assert bring(database, sheet.csv("code,name,kind,parent\nsnv,Đảng bộ Sở Nội vụ,dang-bo-co-so,duk\n")) == NOTHING
    without = changed(PROVINCE, "snv", contact_name="", contact_email="")
    assert bring(database, sheet.csv(without)) == Imported(0, 0, 1)
    with database.reading() as session:
        assert [each.name for each in session.scalars(holding(Role.CONTACT))] == ["Văn thư Đảng ủy Khối"]


def test_a_change_of_kind_begins_on_its_day_and_leaves_the_past_alone(database: Database, sheet: Sheet) -> None:
    bring(database, sheet.csv(PROVINCE))
    path = sheet.csv(changed(PROVINCE, "stc", kind="dang-bo-co-so", valid_from="2023-07-01"))
    assert bring(database, path) == Imported(units=0, placements=2, contacts=0)
    assert bring(database, path) == NOTHING
    with database.reading() as session:
        kinds = Audience(kinds=frozenset({"chi-bo-co-so"}))
        assert len(session.scalars(matching(kinds, date(2023, 6, 30))).all()) == 1
        assert len(session.scalars(matching(kinds, date(2023, 7, 1))).all()) == 0


def test_a_change_says_nothing_about_an_end_that_is_known(database: Database, sheet: Sheet) -> None:
    bring(database, sheet.csv(changed(PROVINCE, "stc", valid_to="2023-07-01")))
    bring(database, sheet.csv(changed(PROVINCE, "stc", kind="moi", valid_from="2022-01-01")))
    with database.reading() as session:
        days = (date(2021, 12, 31), date(2022, 1, 1), date(2023, 7, 1))
        found = [[kind for _, code, kind in shape(session, day) if code == "stc"] for day in days]
        assert found == [["chi-bo-co-so"], ["moi"], []]


def test_a_unit_that_moves_takes_what_hangs_below_along_from_that_day(database: Database, sheet: Sheet) -> None:
    bring(database, sheet.csv(PROVINCE))
    moved = "code,name,kind,parent,valid_from\nkhoi-2,Đảng ủy Khối 2,dang-uy-khoi,,2020-01-01\n"
    moved += "snv,Đảng bộ Sở Nội vụ,dang-bo-co-so,khoi-2,2022-01-01\n"
    path = sheet.csv(moved)
    assert bring(database, path) == Imported(units=1, placements=5, contacts=0)
    assert bring(database, path) == NOTHING
    with database.reading() as session:
        below = Audience(under=frozenset({"khoi-2"}))
        for on, members in ((date(2021, 12, 31), {"khoi-2"}), (date(2022, 1, 1), {"khoi-2", "snv", "snv-1"})):
            codes = dict(session.exec(select(Unit.id, Unit.code)).all())
            assert {codes[each.unit_id] for each in session.scalars(matching(below, on))} == members


def test_a_change_without_a_day_begins_today_where_the_office_is(database: Database, sheet: Sheet) -> None:
    bring(database, sheet.csv(PROVINCE))
    late = datetime(2022, 5, 31, 17, 30, tzinfo=UTC)  # 00:30 on 1 June in Hanoi
    bring(database, sheet.csv(changed(PROVINCE, "stc", kind="moi", valid_from="")), now=late)
    with database.reading() as session:
        stc = unit_by_code(session, "stc")
        assert stc is not None
        assert stc.id is not None
        places = [placement_on(session, stc.id, day) for day in (date(2022, 5, 31), date(2022, 6, 1))]
        assert [place.kind for place in places if place] == ["chi-bo-co-so", "moi"]


def test_an_old_sheet_opens_no_unit_again_that_was_closed_since(database: Database, sheet: Sheet) -> None:
    bring(database, sheet.csv(PROVINCE))
    assert bring(database, sheet.csv(changed(PROVINCE, "stc", valid_to="2023-07-01"))) == Imported(0, 1, 0)
    assert bring(database, sheet.csv(PROVINCE)) == NOTHING
    with database.reading() as session:
        assert "stc" not in [code for _, code, _ in shape(session, date(2023, 7, 1))]
        assert "stc" in [code for _, code, _ in shape(session, date(2023, 6, 30))]
    back = sheet.csv(changed(PROVINCE, "stc", valid_from="2024-01-01"))
    assert bring(database, back) == Imported(0, 1, 0)
    with database.reading() as session:
        days = (date(2023, 12, 31), date(2024, 1, 1))
        assert ["stc" in [code for _, code, _ in shape(session, day)] for day in days] == [False, True]


def test_a_unit_that_still_owes_something_is_not_closed_by_a_sheet(database: Database, sheet: Sheet) -> None:
    bring(database, sheet.csv(PROVINCE))
    give_task(database, "stc")
    assert refused(database, sheet.csv(changed(PROVINCE, "stc", valid_to="2021-09-30"))) == expected(
        "5:7 valid_to: 1 unfinished task needs an heir or an end before the unit closes"
    )
    assert bring(database, sheet.csv(changed(PROVINCE, "stc", valid_to="2023-07-01"))) == Imported(0, 1, 0)


def test_every_fault_of_every_line_is_listed_and_nothing_written(database: Database, sheet: Sheet) -> None:
    path = sheet.csv(
        "code,name,kind,parent,tags,valid_from,valid_to,contact_name,contact_email,contact_lang\n"
        "a,A,tinh,,,1.1.2020,,,,\n"
        "b,,,a,,,,,,\n"
        "a,B,xa,,,,,,,\n"
        "C d,C,xa,a,,,,,,\n"
        "e,E,xa,e,,,,,,\n"
        "f,F,xa,bb,,,,,,\n"
        "g,G,xa,h,,,,,,\n"
        "h,H,xa,g,,,,,,\n"
        "i,I,xa,a,,2021-02-30,01.05.2021,,,\n"
        "j,J,xa,a,,2021-05-01,01/05/2021,,,\n"
        "k,K,xa,a,ok Xấu,,,Văn thư,van-thu@,fr\n"
        "l,L,xa,a,,,,,van-thu.l@example.org,vi\n"
        "m,M,xa\n"
        "n,N,xa,a,,,,,,,,\n"
    )
    assert refused(database, path) == expected(
        "2:6 valid_from: expected a day that exists, as 2021-09-30 or 30/09/2021, got '1.1.2020'",
        "3:2 name: expected a word, got an empty cell",
        "3:3 kind: expected a word, got an empty cell",
        "4:1 code: the code a already stands in line 2",
        "5:1 code: expected a code of a-z, 0-9 and '-' in between, got 'C d'",
        "6:4 parent: expected the code of the unit above, got that of the unit itself, e",
        "7:4 parent: expected a code of this file or one already known, got 'bb'",
        "8:4 parent: expected a tree without a circle, got g → h → g",
        "9:4 parent: expected a tree without a circle, got h → g → h",
        "10:6 valid_from: expected a day that exists, as 2021-09-30 or 30/09/2021, got '2021-02-30'",
        "10:7 valid_to: expected a day that exists, as 2021-09-30 or 30/09/2021, got '01.05.2021'",
        "11:7 valid_to: expected a day after 2021-05-01, got 2021-05-01",
        "12:5 tags: expected a code of a-z, 0-9 and '-' in between, got 'Xấu'",
        "12:9 contact_email: expected one address such as van-thu@example.org, got 'van-thu@'",
        "12:10 contact_lang: expected vi or en, got 'fr'",
        "13:8 contact_name: expected the name that belongs to van-thu.l@example.org, got an empty cell",
        "14:1 expected 10 cells as in the header, got 3",
        "15:1 expected 10 cells as in the header, got 12",
    )


def test_the_clerk_reads_it_in_vietnamese(database: Database, sheet: Sheet) -> None:
    path = sheet.csv("code,name,kind,parent\na,,tinh,\nb,B,xa,\n")
    assert refused(database, path, "vi") == ["units.csv:2:2: error: cột name: cần điền, nhận ô trống"]


def test_a_change_that_contradicts_what_has_been_is_refused(database: Database, sheet: Sheet) -> None:
    bring(database, sheet.csv(PROVINCE))
    assert refused(database, sheet.csv(changed(PROVINCE, "stc", valid_from="2021-01-01"))) == expected(
        "5:6 valid_from: the unit has stood so since 2020-01-01, which cannot be moved; got 2021-01-01"
    )
    assert refused(database, sheet.csv(changed(PROVINCE, "stc", kind="dang-bo-co-so"))) == expected(
        "5:6 valid_from: a change of the unit above or of the kind must begin after 2020-01-01, got 2020-01-01"
    )


def test_a_unit_does_not_outlive_the_one_above_it(database: Database, sheet: Sheet) -> None:
    text = changed(PROVINCE, "snv", valid_to="2023-07-01")
    assert refused(database, sheet.csv(text)) == [
        "units.csv:4:4: error: column parent: snv-1 needs snv above it, which is not there on 2023-07-01"
    ]
    bring(database, sheet.csv(PROVINCE))
    alone = "\n".join(line for line in text.splitlines() if not line.startswith("snv-1"))
    assert refused(database, sheet.csv(alone)) == [
        "units.csv:3:7: error: column valid_to: snv-1 needs snv above it, which is not there on 2023-07-01"
    ]


def test_a_circle_through_units_already_known_is_found(database: Database, sheet: Sheet) -> None:
    bring(database, sheet.csv(PROVINCE))
    assert refused(database, sheet.csv(changed(PROVINCE, "duk", parent="snv-1", valid_from="2022-01-01")))[0] == (
        "units.csv:2:4: error: column parent: expected a tree without a circle, got duk → snv-1 → snv → duk"
    )


def test_two_units_may_change_places_on_a_day(database: Database, sheet: Sheet) -> None:
    """Over all days they are above each other; on no day are they at the same time."""
    bring(database, sheet.csv("code,name,kind,parent,valid_from\na,A,x,,2020-01-01\nb,B,x,a,2020-01-01\n"))
    bring(database, sheet.csv("code,name,kind,parent,valid_from\na,A,x,b,2022-01-01\nb,B,x,,2022-01-01\n"))
    with database.reading() as session:
        assert [code for _, code, _ in shape(session, date(2021, 12, 31))] == ["a", "b"]
        assert [code for _, code, _ in shape(session, date(2022, 1, 1))] == ["b", "a"]


def test_a_tree_deeper_than_any_office_is_refused(database: Database, sheet: Sheet) -> None:
    rows = "\n".join(f"u{number},U,x,{f'u{number - 1}' if number else ''}" for number in range(3000))
    found = refused(database, sheet.csv(f"code,name,kind,parent\n{rows}\n"))
    assert found[0] == "units.csv:22:4: error: column parent: expected a tree of at most 20 levels, u20 stands deeper"
    assert len(found) == 2980


def test_a_line_break_within_quotes_keeps_the_count_of_lines(database: Database, sheet: Sheet) -> None:
    path = sheet.csv('code,name,kind\na,"Một\nhai",x\n\nb,,x\n')
    assert refused(database, path) == ["units.csv:5:2: error: column name: expected a word, got an empty cell"]


def test_a_workbook_is_read_with_its_real_dates(database: Database, sheet: Sheet) -> None:
    path = sheet.xlsx(
        [
            ["code", "name", "kind", "parent", "valid_from", "valid_to", None],
            ["duk", "Đảng ủy Khối", "khoi", None, datetime(2020, 1, 1), None],  # noqa: DTZ001 (what Excel keeps)
            [None],
            [7, "Chi bộ 7", "cell", "duk", date(2021, 7, 1), "01/07/2023"],
        ]
    )
    assert bring(database, path) == Imported(2, 2, 0)
    with database.reading() as session:
        assert [code for _, code, _ in shape(session, date(2023, 6, 30))] == ["duk", "7"]
        assert [code for _, code, _ in shape(session, date(2023, 7, 1))] == ["duk"]
    bad = sheet.xlsx([["code", "name", "kind"], ["a", "A", "x", None, "over there"], ["b", None, "x"]])
    assert refused(database, bad) == [
        "units.xlsx:2:1: error: expected 3 cells as in the header, got 5",
        "units.xlsx:3:2: error: column name: expected a word, got an empty cell",
    ]


def test_the_sample_organisation_comes_in_once(database: Database) -> None:
    with database.writing() as session:
        assert organisation.load(session, now=NOW, zone=ZONE).units == 336
    with database.writing() as session:
        assert organisation.load(session, now=NOW, zone=ZONE) == NOTHING
    with database.reading() as session:
        assert [kinds(session, on) for on in (date(2021, 10, 1), date(2023, 1, 1), date(2023, 7, 1))] == [
            {"dang-bo-co-so": 36, "chi-bo-co-so": 23, "chi-bo-truc-thuoc": 200},
            {"dang-bo-co-so": 36, "chi-bo-co-so": 24, "chi-bo-truc-thuoc": 200},
            {"dang-bo-co-so": 36, "chi-bo-co-so": 23, "chi-bo-truc-thuoc": 200},
        ]
        silent = select(Unit.code).where(~col(Unit.id).in_(select(Contact.unit_id)))
        assert session.exec(silent).all() == ["kbnn-nv2"]
        addresses = session.exec(select(Contact.email)).all()
        assert len(set(addresses)) == len(addresses)
        assert all(address and address.endswith("@example.org") for address in addresses)


def kinds(session: Session, on: date) -> dict[str, int]:
    found: dict[str, int] = {}
    for _, placement, _ in tree(session, on):
        if "bo-" in placement.kind:
            found[placement.kind] = found.get(placement.kind, 0) + 1
    return found


def give_task(database: Database, code: str) -> None:
    """An open task, with the rows it stands on and nothing else."""
    with database.writing() as session:
        plan = Plan(code="kl01", title_vi="Kế hoạch", title_en="Plan")
        unit = unit_by_code(session, code)
        session.add(plan)
        session.flush()
        assert unit is not None
        assert unit.id is not None
        revision = Revision(
            plan_id=plan.id,
            number=1,
            text="",
            hash="",
            calendar="vn-state",
            applied_at=NOW,
            by="office",
            from_on=DAY,
            next_open_on=DAY,
        )
        session.add(revision)
        session.flush()
        cycle = Cycle(
            plan_id=plan.id,
            revision_id=revision.id,
            obligation="report",
            period="2021",
            title_vi="Báo cáo",
            title_en="Report",
            source="II.8.3",
            issuer_id=unit.id,
            opens_on=DAY,
            opened_at=NOW,
        )
        session.add(cycle)
        session.flush()
        deadline = Deadline(cycle_id=cycle.id, nominal_on=DAY, due_on=DAY, set_by="document", reasons=[])
        session.add(deadline)
        session.flush()
        placement = placement_on(session, unit.id, DAY)
        assert placement is not None
        session.add(
            Task(
                cycle_id=cycle.id,
                unit_id=unit.id,
                placement_id=placement.id,
                deadline_id=deadline.id,
                state=TaskState.OPEN,
                changed_at=NOW,
            )
        )

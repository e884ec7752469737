"""Is a sheet of units read as the office's spreadsheet wrote it? And does a file that is none say why not?"""

import unicodedata
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import pytest
from openpyxl import Workbook  # type: ignore[import-untyped]

from dondoc.i18n import catalogue
from engine import believe, sheets, units
from engine.sheets import LARGEST, BadRows, lines, read_rows

UNITS = """\
code,name,kind,parent,valid_from
duk,Đảng ủy Khối,dang-uy-khoi,,2020-01-01
snv,Đảng bộ Sở Nội vụ,dang-bo-co-so,duk,2020-01-01
"""
UNCLOSED = (
    "expected cells divided by commas, semicolons or tabs, with every double quote closed; got: unexpected end of data"
)


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "units.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "bom"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_what_spreadsheets_call_csv_is_read(tmp_path: Path, mark: bytes, delimiter: str, newline: str) -> None:
    text = UNITS.replace(",", delimiter).replace("\n", newline)
    rows = read_rows(written(tmp_path, mark + text.encode()))
    assert [(row.line, row.words["code"], row.words["name"]) for row in rows[:2]] == [
        (2, "duk", "Đảng ủy Khối"),
        (3, "snv", "Đảng bộ Sở Nội vụ"),
    ]


def test_vietnamese_headings_and_composed_names_are_read(tmp_path: Path) -> None:
    decomposed = unicodedata.normalize("NFD", "Đảng ủy Khối")
    text = "MÃ ĐƠN VỊ;Tên;loại;Trực thuộc;Từ ngày;Hết hiệu lực từ ngày;Đầu mối;Thư điện tử đầu mối\n"
    text += f"duk;{decomposed};khoi;;1/7/2021;30/09/2025;Văn thư;van-thu@example.org\n"
    found, problems = lines(read_rows(written(tmp_path, text)))
    assert problems == []
    assert [(each.code, each.name, each.valid_from, each.valid_to) for each in found] == [
        ("duk", "Đảng ủy Khối", date(2021, 7, 1), date(2025, 9, 30))
    ]
    person = found[0].people["contact"]
    assert person is not None
    assert (person.name, person.email) == ("Văn thư", "van-thu@example.org")


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "1:1: error: expected a header and at least one line with a unit, got none"),
        (b"\n \n;;\n", "1:1: error: expected a header and at least one line with a unit, got none"),
        (b"code,name,kind\n", "1:1: error: expected a header and at least one line with a unit, got none"),
        (
            "code,name,kind\na,Tỉnh,x\nb,Đoàn,x".encode("cp1258", "replace"),
            '3:3: error: expected text in UTF-8, got the byte 0xd0; in Excel save as "CSV UTF-8"',
        ),
        (
            b'code,name,kind\na,"A,x\nb,B,x\n',
            f"2:1: error: {UNCLOSED}",
        ),
        (b"code,name,kind,Name\na,A,x,A\n", '1:4: error: the column "name" already stands at 2, got "Name" as well'),
        (b"code,name\na,A\n", '1:1: error: expected a column "kind", the header has none'),
        (b"code,name,kind,\na,A,x,\n", '1:4: error: unknown column ""'),
        (b"PK\x03\x04nothing", "1:1: error: expected a readable XLSX sheet, got: File is not a zip file"),
        (
            b"code,name,kind\n" + b"x" * LARGEST,
            f"1:1: error: expected a file of at most {LARGEST} bytes, got {LARGEST + 15}",
        ),
    ],
    ids=["empty", "blank", "header", "cp1258", "quote", "twice", "missing", "nameless", "zip", "large"],
)
def test_a_file_that_is_no_sheet_says_what_is_wrong_with_it(tmp_path: Path, data: bytes, problem: str) -> None:
    with pytest.raises(BadRows) as caught:
        read_rows(written(tmp_path, data))
    assert [each.text("en") for each in caught.value.problems] == [f"units.csv:{problem}"]


def test_an_unknown_column_is_told_with_what_was_meant(tmp_path: Path) -> None:
    with pytest.raises(BadRows) as caught:
        read_rows(written(tmp_path, "code,name,kind,parnet,phone\na,A,x,,\n"))
    assert [(each.column, each.code, each.params.get("meant")) for each in caught.value.problems] == [
        (4, "sheet.unknown-column", "parent"),
        (5, "sheet.unknown-column", None),
    ]


HEAD = ("code", "name", "kind", "parent", "valid_from", "contact_email")


def faults(folder: Path, rows: Iterable[Iterable[object]], *merged: str) -> list[str]:
    """`line:column code` of each."""
    book = Workbook()
    for row in rows:
        book.active.append(list(row))
    for each in merged:
        book.active.merge_cells(each)
    book.save(folder / "units.xlsx")
    found = lines(read_rows(folder / "units.xlsx"))[1]
    return [f"{each.line}:{each.column} {each.code}" for each in found]


def test_cells_that_the_spreadsheet_shows_and_the_file_does_not_have_are_no_empty_ones(tmp_path: Path) -> None:
    """Taken for empty they would put a unit at the top, or end a contact. Every other fault is told beside them."""
    rows = [
        HEAD,
        ("u-1", "Một", "chi-bo", "duk", date(2021, 1, 1), "=A1"),
        ("u-2", "Hai", "chi-bo", None, "31/02/2021", "hai@example.org"),
        ("u-3", "Ba", "chi-bo", None, None, None),
        ("u-4", '="Chi bộ "&A5', "chi-bo", "duk", None, None),
    ]
    assert faults(tmp_path, rows, "D2:D4") == [
        "2:6 sheet.unreckoned",
        "2:4 sheet.merged",
        "3:4 sheet.merged",
        "3:5 sheet.bad-day",
        "3:6 sheet.nameless",
        "4:4 sheet.merged",
        "5:2 sheet.unreckoned",
    ]


def test_a_line_with_nothing_but_a_formula_is_not_left_out(tmp_path: Path) -> None:
    rows = [HEAD, ("u-1", "Một", "chi-bo", "duk", None, None), ("=A2", None, None, None, None, None)]
    assert faults(tmp_path, rows)[0] == "3:1 sheet.unreckoned"


def test_a_title_above_the_names_of_the_columns_is_passed_over(tmp_path: Path) -> None:
    rows: list[tuple[object, ...]] = [("DANH SÁCH ĐƠN VỊ",), ("Năm 2021",), (), HEAD]
    assert faults(tmp_path, [*rows, ("u-1", "Một", "chi-bo", "duk", None, None)], "A1:F1") == []
    found = lines(read_rows(tmp_path / "units.xlsx"))[0]
    assert [(each.code, each.row.line) for each in found] == [("u-1", 5)]
    text = ";;;\nmã;tên;loại;cấp trên\nu-1;Một;chi-bo;duk\n"
    assert [row.line for row in read_rows(written(tmp_path, "Danh sách;;;\n" + text))] == [4]


def test_a_day_as_a_number_and_a_formula_that_failed_say_what_they_are(tmp_path: Path) -> None:
    rows = [HEAD, ("u-1", "#N/A", "chi-bo", "duk", 44927, None), ("u-2", "Hai", "chi-bo", "#REF!", 7, None)]
    assert faults(tmp_path, rows) == [
        "2:5 sheet.bad-day",
        "2:2 sheet.failed-formula",
        "3:4 sheet.failed-formula",
        "3:5 sheet.bad-day",
    ]
    assert "2023-01-01" in lines(read_rows(tmp_path / "units.xlsx"))[1][0].text("en")


def test_an_old_excel_file_is_told_apart(tmp_path: Path) -> None:
    with pytest.raises(BadRows) as caught:
        read_rows(written(tmp_path, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500)))
    assert [each.code for each in caught.value.problems] == ["sheet.old-excel"]


def test_both_languages_have_words_for_every_problem() -> None:
    modules = (sheets.__file__, believe.__file__, units.__file__)
    source = "".join(Path(module or "").read_text("utf-8") for module in modules)
    codes = {word for word in source.split('"') if word.startswith("sheet.") and "{" not in word}
    assert len(codes) > 20
    for lang in ("vi", "en"):
        assert codes <= catalogue(lang).keys()

"""What stands in a sheet of units? A CSV or XLSX file as rows of words, and rows as lines of values, faults placed.

The columns, in any order; the header may use the English key or one of the Vietnamese names beside it:

    code          the unit's lasting code, a-z, 0-9 and "-"; never empty
    name          never empty
    kind          what sort of unit it is, as the plans' audiences say it; never empty
    parent        code of the unit above; empty at the top
    tags          words separated by spaces
    valid_from    first day; empty: the day of the import
    valid_to      first day on which it is no longer there; empty: nothing is said about an end
    contact_name  contact_email  contact_lang      who hands reports in; the same three for head (who leads),
                                                   secretariat (who chases the units below) and standing

Days are written 2021-09-30 or 30/09/2021, languages vi or en.
"""

import csv
import io
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeAlias

from dondoc.i18n import LANGUAGES
from engine.workbook import NoBookError, name_of, read_book, unpacked_size
from schedules.problem import Problem, Severity, meant

ROLES: Final = ("contact", "head", "secretariat", "standing")
NEEDED: Final = ("code", "name", "kind")
LARGEST: Final = 20_000_000  #: bytes of a file
LARGEST_UNPACKED: Final = 10 * LARGEST  #: bytes of what an XLSX file holds

_WORDS: Final = {
    "code": ("mã", "mã đơn vị"),
    "name": ("tên", "tên đơn vị"),
    "kind": ("loại", "loại hình"),
    "parent": ("cấp trên", "mã cấp trên", "trực thuộc"),
    "tags": ("nhãn",),
    "valid_from": ("từ ngày", "hiệu lực từ ngày"),
    "valid_to": ("hết hiệu lực từ ngày", "giải thể từ ngày"),
}
_ROLES: Final = {
    "contact": "đầu mối",
    "head": "người đứng đầu",
    "secretariat": "văn phòng",
    "standing": "thường trực",
}
PARTS: Final = {"name": "tên", "email": "thư điện tử", "lang": "ngôn ngữ"}

_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f]")
#: How a cell begins that a spreadsheet would reckon out (CSV injection, OWASP).
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
CODE: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_ISO_DAY: Final = re.compile(r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})")
_OUR_DAY: Final = re.compile(r"(?P<day>[0-9]{1,2})/(?P<month>[0-9]{1,2})/(?P<year>[0-9]{4})")
# What a mail server can be handed as it stands: one address, ASCII, a domain of at least two labels.
EMAIL: Final = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9]"
)
#: What a spreadsheet shows where a formula has no result.
_FAILED: Final = re.compile(r"#(N/A|REF!|VALUE!|NAME\?|DIV/0!|NULL!|NUM!|SPILL!|CALC!)")
_OLD_EXCEL: Final = b"\xd0\xcf\x11\xe0"
#: How spreadsheets count days: from this one on, and in the years 2000 to 2099.
_DAY_ZERO: Final = date(1899, 12, 30)
_DAY_NUMBER: Final = re.compile(r"3[6-9][0-9]{3}|[4-6][0-9]{4}|7[0-2][0-9]{3}")
_HEADER_WITHIN: Final = 10  #: filled lines: above the names of the columns there may be a title


Numbered: TypeAlias = tuple[int, list[str]]  #: a line and its cells


class BadRows(Exception):
    """The file cannot be taken as it stands, and nothing was written; the problems say why, line by line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(problems)
        super().__init__(*self.problems)

    def __str__(self) -> str:
        return "\n".join(problem.text("vi") for problem in self.problems)


@dataclass(frozen=True, slots=True)
class Row:
    """One line under the header: its words by column key, and which column of the file each key is (from 1)."""

    file: str
    line: int
    words: Mapping[str, str]
    columns: Mapping[str, int]
    cells: int  #: how many cells came
    header: int  #: how many the header has
    faults: Sequence[Problem] = ()  #: cells whose word is not what the spreadsheet shows

    @property
    def is_whole(self) -> bool:
        """Whether its words can be trusted to stand in their own columns."""
        return self.cells == self.header

    def problem(self, key: str, code: str, /, **params: str | int) -> Problem:
        column = self.columns.get(key, 1)
        return Problem(self.file, self.line, column, Severity.ERROR, code, {"at": key, **params})


@dataclass(frozen=True, slots=True)
class Person:
    """Who holds a role; `lang` None: the file has no such column."""

    name: str
    email: str | None
    lang: str | None


@dataclass(frozen=True, slots=True)
class Line:
    """What a row says about a unit. A word that cannot be read is reported and stood in for by nothing."""

    row: Row
    code: str
    name: str
    kind: str
    parent: str | None
    tags: frozenset[str] | None  #: None: the file has no such column
    valid_from: date | None
    valid_to: date | None
    is_placed: bool  #: code, kind, parent and days could be read
    people: Mapping[str, Person | None] = field(default_factory=dict)  #: by role; the file's roles only


def read_rows(path: Path) -> list[Row]:
    """The rows of a CSV (UTF-8; comma, semicolon or tab) or XLSX file (its first sheet), empty lines left out.

    Raises BadRows when it cannot be read as such, and OSError when it is not there.
    """
    size = path.stat().st_size
    if size > LARGEST:
        raise BadRows([_whole(path.name, "sheet.too-large", limit=LARGEST, got=size)])
    return rows_of(path.name, path.read_bytes())


def rows_of(file: str, data: bytes) -> list[Row]:
    """The same for the content of a file, which its problems name `file`."""
    if len(data) > LARGEST:
        raise BadRows([_whole(file, "sheet.too-large", limit=LARGEST, got=len(data))])
    if data.startswith(_OLD_EXCEL):
        raise BadRows([_whole(file, "sheet.old-excel")])
    is_book = data.startswith(b"PK\x03\x04")
    filled, faults = _sheet(data, file) if is_book else ([*_text(data, file)], {})
    if not filled:
        raise BadRows([_whole(file, "sheet.empty-file")])
    at = _header(filled)
    (line, header), rows = filled[at], filled[at + 1 :]
    columns = _columns(file, line, header)
    if not rows:
        raise BadRows([_whole(file, "sheet.empty-file")])
    places = MappingProxyType(columns)
    return [
        Row(
            file,
            number,
            {key: cells[at - 1] for key, at in columns.items() if at <= len(cells)},
            places,
            len(cells),
            len(header),
            faults.get(number, ()),
        )
        for number, cells in rows
    ]


def lines(rows: Sequence[Row]) -> tuple[list[Line], list[Problem]]:
    """What the rows say, one line a row with a readable code, and all that is wrong within single cells."""
    found: list[Line] = []
    problems: list[Problem] = []
    first: dict[str, int] = {}
    for row in rows:
        if not row.is_whole:
            problems.append(row.problem("", "sheet.cells", expected=row.header, got=row.cells))
        line = _line(row, problems)
        if line.code in first:
            problems.append(row.problem("code", "sheet.duplicate-code", got=line.code, first=first[line.code]))
        elif line.code:
            first[line.code] = row.line
            found.append(line)
    return found, problems


def _line(row: Row, problems: list[Problem]) -> Line:
    def refuse(key: str, code: str, **params: str | int) -> None:
        # A line with too few or too many cells has its words in the wrong columns; that one fault says it all.
        if row.is_whole:
            problems.append(row.problem(key, code, **params))

    before = len(problems)
    problems += row.faults
    told = {fault.column for fault in row.faults}

    def word(key: str, *, needed: bool = False) -> str:
        if row.columns.get(key) in told:
            return ""
        words = " ".join(unicodedata.normalize("NFC", row.words.get(key, "")).split())
        if _CONTROL.search(words):
            refuse(key, "sheet.control-character", got=_shown(words))
            return ""
        if _FAILED.fullmatch(words):
            refuse(key, "sheet.failed-formula", got=words)
            return ""
        if needed and not words:
            refuse(key, "sheet.missing")
        return words

    def coded(key: str, *, needed: bool = False) -> str:
        words = word(key, needed=needed)
        if words and not CODE.fullmatch(words):
            refuse(key, "sheet.bad-code", got=_shown(words))
            return ""
        return words

    def day(key: str) -> date | None:
        words = word(key)
        read = _day(words)
        if words and read is None:
            is_number = _DAY_NUMBER.fullmatch(words)
            alike = {"meant": f"{_DAY_ZERO + timedelta(int(words))}"} if is_number else {}
            refuse(key, "sheet.bad-day", got=_shown(words), **alike)
        return read

    def person(role: str) -> Person | None:
        name, email, lang = word(f"{role}_name"), word(f"{role}_email"), word(f"{role}_lang")
        if email and (len(email) > 254 or not EMAIL.fullmatch(email)):
            refuse(f"{role}_email", "sheet.bad-email", got=_shown(email))
        elif email and not name:
            refuse(f"{role}_name" if f"{role}_name" in row.columns else f"{role}_email", "sheet.nameless", got=email)
        if lang and lang not in LANGUAGES:
            refuse(f"{role}_lang", "sheet.bad-lang", got=_shown(lang))
        said = lang or LANGUAGES[0] if f"{role}_lang" in row.columns else None
        return Person(name, email or None, said) if name else None

    code, kind, parent = coded("code", needed=True), coded("kind", needed=True), coded("parent") or None
    valid_from, valid_to = day("valid_from"), day("valid_to")
    if valid_from and valid_to and valid_to <= valid_from:
        refuse("valid_to", "sheet.ends-first", start=f"{valid_from}", got=f"{valid_to}")
    is_placed = row.is_whole and len(problems) == before
    tags = word("tags").split()
    for tag in tags:
        if not CODE.fullmatch(tag):
            refuse("tags", "sheet.bad-code", got=_shown(tag))
    return Line(
        row,
        code,
        word("name", needed=True),
        kind,
        parent,
        frozenset(tags) if "tags" in row.columns else None,
        valid_from,
        valid_to,
        is_placed,
        {role: person(role) for role in ROLES if f"{role}_name" in row.columns or f"{role}_email" in row.columns},
    )


def _header(filled: Sequence[Numbered]) -> int:
    """Which of the lines names the columns: the first unless that is a title above them."""
    known = _headings()
    named = ({known.get(_plain(cell)) for cell in cells} for _, cells in filled[:_HEADER_WITHIN])
    return next((at for at, keys in enumerate(named) if keys.issuperset(NEEDED)), 0)


def _columns(file: str, line: int, header: Sequence[str]) -> dict[str, int]:
    """Key -> column number. Raises BadRows when a column is unknown, stands twice, or one that is needed is absent."""
    known = _headings()
    columns: dict[str, int] = {}
    problems: list[Problem] = []

    def refuse(column: int, code: str, /, **params: str | int) -> None:
        problems.append(Problem(file, line, column, Severity.ERROR, code, params))

    for column, heading in enumerate(header, 1):
        key = known.get(_plain(heading))
        if key is None:
            alike = meant(_plain(heading).replace(" ", "_"), [key for key, *_ in _keys()])
            refuse(column, "sheet.unknown-column", got=_shown(heading), **alike)
        elif key in columns:
            refuse(column, "sheet.duplicate-column", got=_shown(heading), at=key, first=columns[key])
        else:
            columns[key] = column
    for key in NEEDED:
        if key not in columns:
            refuse(1, "sheet.missing-column", at=key)
    if problems:
        raise BadRows(problems)
    return columns


def _keys() -> Iterator[tuple[str, ...]]:
    """Each key with its Vietnamese names."""
    for key, names in _WORDS.items():
        yield key, *names
    for role, who in _ROLES.items():
        for part, what in PARTS.items():
            yield f"{role}_{part}", f"{what} {who}", *([who] if part == "name" else [])


def _headings() -> dict[str, str]:
    return {_plain(name): names[0] for names in _keys() for name in names}


def _plain(heading: str) -> str:
    """A heading without what people write differently: case, "_" or space, composed or not."""
    return " ".join(unicodedata.normalize("NFC", heading).casefold().replace("_", " ").split())


def _text(data: bytes, file: str) -> Iterator[Numbered]:
    """The lines with something in them."""
    raw = data.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    faults = list(_not_utf8(raw, file))
    if faults:
        raise BadRows(faults)
    text = raw.decode()
    heading = next((line for line in text.split("\n") if line.strip()), "")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=heading.count), strict=True)
    line = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            problem = Problem(file, line, 1, Severity.ERROR, "sheet.not-csv", {"got": str(error)})
            raise BadRows([problem]) from error
        if any(cell.strip() for cell in cells):
            yield line, [_unmarked(cell.strip()) for cell in cells]
        line = reader.line_num + 1


def harmless(cell: str) -> str:
    """As spreadsheets mark that a cell is text: none takes it for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _unmarked(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA) else cell


def _not_utf8(raw: bytes, file: str) -> Iterator[Problem]:
    for number, line in enumerate(raw.split(b"\n"), 1):
        try:
            line.decode()
        except UnicodeDecodeError as error:
            got = {"got": f"0x{line[error.start]:02x}"}
            yield Problem(file, number, error.start + 1, Severity.ERROR, "sheet.not-utf8", got)


def _sheet(data: bytes, file: str) -> tuple[list[Numbered], Mapping[int, Sequence[Problem]]]:
    """The lines with something in them, and by line what would be taken for an empty cell and is none."""
    try:
        unpacked = unpacked_size(data)
        if unpacked > LARGEST_UNPACKED:
            raise BadRows([_whole(file, "sheet.too-large", limit=LARGEST_UNPACKED, got=unpacked)])
        book = read_book(data)
    except NoBookError as error:
        raise BadRows([_whole(file, "sheet.not-xlsx", got=_shown(str(error)))]) from error
    formulas = {row for row, _ in book.unreckoned}
    filled = [(line, [*row[: _filled(row)]]) for line, row in enumerate(book.rows, 1) if any(row) or line in formulas]
    top, header = filled[_header(filled)] if filled else (0, [])
    faults: defaultdict[int, list[Problem]] = defaultdict(list)
    for line, column in book.unreckoned:
        cell = {"got": name_of(line, column)}
        faults[line].append(Problem(file, line, column, Severity.ERROR, "sheet.unreckoned", cell))
    for each in book.merged:
        for line in range(max(each.first, top + 1), min(each.last, len(book.rows)) + 1):
            got = {"got": each.name}
            faults[line].append(Problem(file, line, each.column, Severity.ERROR, "sheet.merged", got))
    # A sheet has no ends of lines: cells beyond the last filled heading count only when something stands in them.
    return [(line, row + [""] * (len(header) - len(row))) for line, row in filled], faults


def _filled(cells: Sequence[str]) -> int:
    return max((at for at, cell in enumerate(cells, 1) if cell), default=0)


def _day(words: str) -> date | None:
    match = _ISO_DAY.fullmatch(words) or _OUR_DAY.fullmatch(words)
    try:
        return date(int(match["year"]), int(match["month"]), int(match["day"])) if match else None
    except ValueError:
        return None


def _whole(file: str, code: str, /, **params: str | int) -> Problem:
    return Problem(file, 1, 1, Severity.ERROR, code, params)


def _shown(words: str) -> str:
    return "".join(letter if letter.isprintable() else "�" for letter in words[:60])

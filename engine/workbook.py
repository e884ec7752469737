"""What stands in the first sheet of an XLSX file? Its cells as a clerk would type them, and those that mislead."""

import io
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from xml.etree.ElementTree import ParseError

from openpyxl import load_workbook  # type: ignore[import-untyped]
from openpyxl.utils.cell import get_column_letter, range_boundaries  # type: ignore[import-untyped]
from openpyxl.utils.exceptions import InvalidFileException  # type: ignore[import-untyped]

_UNREADABLE: Final = (
    zipfile.BadZipFile,
    InvalidFileException,
    IndexError,
    KeyError,
    ValueError,
    TypeError,
    OSError,
    ParseError,
)
_MERGED: Final = re.compile(rb'<mergeCell ref="([A-Z0-9:]+)"')
_FORMULA: Final = re.compile(rb"<f[ />]")


class NoBookError(ValueError):
    """The file cannot be read as a workbook."""


@dataclass(frozen=True, slots=True)
class Merged:
    """Cells that were made one: only the first of them has the words that all of them show."""

    name: str  #: as the spreadsheet says it: D2:D4
    column: int
    first: int  #: row
    last: int


@dataclass(frozen=True, slots=True)
class Book:
    rows: Sequence[Sequence[str]]
    merged: Sequence[Merged]
    unreckoned: Sequence[tuple[int, int]]  #: row and column of formulas whose result was never kept


def name_of(row: int, column: int) -> str:
    """As the spreadsheet calls a cell: D2."""
    return f"{get_column_letter(column)}{row}"


def unpacked_size(data: bytes) -> int:
    """Bytes of what the file holds. Raises NoBookError."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            return sum(each.file_size for each in package.infolist())
    except _UNREADABLE as error:
        raise NoBookError(str(error)) from error


def read_book(data: bytes) -> Book:
    """The first sheet. Raises NoBookError."""
    try:
        workbook = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        try:
            sheet = workbook.worksheets[0]
            rows = [[_cell(value) for value in row] for row in sheet.iter_rows(values_only=True)]
            # openpyxl reads row by row and leaves out which cells are merged; only it knows which part is the first.
            with zipfile.ZipFile(io.BytesIO(data)) as package:
                source = package.read(sheet._worksheet_path)
        finally:
            workbook.close()
        merged = [_merged(found.decode()) for found in _MERGED.findall(source)]
        return Book(rows, merged, _unreckoned(data, rows) if _FORMULA.search(source) else [])
    except _UNREADABLE as error:
        raise NoBookError(str(error)) from error


def _merged(name: str) -> Merged:
    column, first, _, last = range_boundaries(name)
    return Merged(name, column, first, last)


def _unreckoned(data: bytes, rows: Sequence[Sequence[str]]) -> list[tuple[int, int]]:
    workbook = load_workbook(io.BytesIO(data), read_only=True)
    try:
        return [
            (number, column)
            for number, (cells, words) in enumerate(zip(workbook.worksheets[0].iter_rows(), rows, strict=True), 1)
            for column, (cell, word) in enumerate(zip(cells, words, strict=True), 1)
            if cell.data_type == "f" and not word
        ]
    finally:
        workbook.close()


def _cell(value: object) -> str:
    """A day without an hour, a whole number without a point."""
    match value:
        case None:
            return ""
        case datetime():
            return value.date().isoformat() if value.time() == datetime.min.time() else value.isoformat(" ")
        case date():
            return value.isoformat()
        case float() if value.is_integer():
            return str(int(value))
        case _:
            return str(value).strip()

"""How is a table taken along? As a CSV file for a spreadsheet."""

from collections.abc import Iterable
from datetime import date

from fastapi.responses import Response

from engine.sheet_out import csv_of


def csv_file(rows: Iterable[Iterable[object]], stem: str, on: date) -> Response:
    """Downloads the rows, the heading among them, under a name with the day."""
    name = f"{stem}-{on:%Y-%m-%d}.csv"
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(csv_of(rows), media_type="text/csv; charset=utf-8", headers=disposition)

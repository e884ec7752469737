"""`dondoc check`: are these files right? Every problem at once, each in its place."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from dondoc.cli.app import LOOK, Json, app
from dondoc.cli.office import has_database, office
from dondoc.cli.words import CommandFailedError, _, lang, write, write_json

if TYPE_CHECKING:
    from schedules.calendars import Calendar
    from schedules.problem import Problem
    from schedules.reader import Known


@app.command(group=LOOK, help=_("Kiểm tra kế hoạch và lịch: mọi lỗi, đúng chỗ."))
def check(
    *files: Annotated[Path, Parameter(name="FILE", help=_("Tệp kế hoạch hoặc lịch; không nêu: mọi tệp đi kèm."))],
    units: Annotated[
        Path | None, Parameter(name="--units", help=_("Danh sách đơn vị (CSV, XLSX) để đối chiếu mã, loại, nhãn."))
    ] = None,
    schema: Annotated[
        bool, Parameter(name="--schema", negative="", help=_("Chỉ in JSON Schema của ngôn ngữ kế hoạch."))
    ] = False,
    json: Json = False,
) -> int:
    from schedules import shipped
    from schedules.check import check as check_file

    if schema:
        from schedules.schema import json_schema

        write_json(json_schema())
        return 0
    chosen = files or tuple(_near(path) for path in (*shipped.plans().values(), *shipped.calendars().values()))
    known, applied = _known(units)
    calendars = {**_calendars(shipped.calendars().values()), **applied, **_calendars(chosen)}
    problems = [problem for path in chosen for problem in check_file(path, known, calendars)]
    if known is None:
        problems += _unchecked(chosen)
    errors = sum(problem.is_error for problem in problems)
    if json:
        found = [problem.as_json() for problem in problems]
        write_json({"files": [str(path) for path in chosen], "errors": errors, "problems": found})
    else:
        write(*(problem.text(lang()) for problem in problems))
        write(_("{files} tệp, {errors} lỗi, {warnings} cảnh báo",
                files=len(chosen), errors=errors, warnings=len(problems) - errors))  # fmt: skip
    return 1 if errors else 0


def _known(sheet: Path | None) -> "tuple[Known | None, Mapping[str, Calendar]]":
    """The words of the organisation, from its sheet or its database; and the calendars that are applied there."""
    if sheet is not None:
        return _of_sheet(sheet), {}
    if not has_database():
        return None, {}
    from engine.known import calendars, known

    with office() as here, here.database.reading() as session:
        return known(session), calendars(session)


def _of_sheet(path: Path) -> "Known":
    from engine.sheets import BadRows, lines, read_rows
    from schedules.reader import Known

    try:
        rows = read_rows(path)
    except OSError as error:
        raise CommandFailedError(f"{path}: {error.strerror}") from error
    except BadRows as error:
        raise CommandFailedError(*(problem.text(lang()) for problem in error.problems)) from error
    said, problems = lines(rows)
    if problems:
        raise CommandFailedError(*(problem.text(lang()) for problem in problems))
    tags = frozenset(tag for line in said for tag in line.tags or ())
    return Known(frozenset(line.code for line in said), frozenset(line.kind for line in said), tags)


def _calendars(paths: "Iterable[Path]") -> "dict[str, Calendar]":
    from schedules import load

    read = (load.read_calendar(path)[0] for path in paths if load.sort_of(path) == "calendar")
    return {calendar.code: calendar for calendar in read if calendar is not None}


def _unchecked(files: tuple[Path, ...]) -> "list[Problem]":
    """One warning for all plans, since nobody can be asked who is there."""
    from schedules import load
    from schedules.problem import Problem, Severity

    plans = [path for path in files if load.sort_of(path) == "plan"]
    return [Problem(str(path), 1, 1, Severity.WARNING, "problem.units-unchecked") for path in plans[:1]]


def _near(path: Path) -> Path:
    """The path as a person here would write it."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path

"""In which language does the command line speak? In that of DONDOC_LANG, Vietnamese by default."""

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dondoc.i18n import LANGUAGES, say, translate


class CommandFailedError(Exception):
    """The command cannot do what it was asked; the lines are what the person reads."""

    def __init__(self, *lines: str, code: int = 1) -> None:
        super().__init__(*lines)
        self.lines, self.code = lines, code


def lang() -> str:
    given = os.environ.get("DONDOC_LANG", LANGUAGES[0])
    return given if given in LANGUAGES else LANGUAGES[0]


def _(message: str, /, **params: object) -> str:
    return translate(message, lang(), **params)


def coded(code: str, params: Mapping[str, object]) -> str:
    """A reason or a refusal in words."""
    return say(code, lang(), params)


def write(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))


def write_json(value: object) -> None:
    """One JSON document on standard output; days and moments as ISO text."""
    write(json.dumps(value, ensure_ascii=False, indent=2, default=_plain))


def table(rows: Iterable[Sequence[str]], indent: str = "") -> list[str]:
    """The rows with their columns under one another."""
    kept = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*kept, strict=True)]
    return [
        indent + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in kept
    ]


def _plain(value: Any) -> str:
    return str(value.isoformat())

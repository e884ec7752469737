"""Which plans and calendars come with the program? A file each, named by its code."""

from pathlib import Path
from typing import Final

ROOM: Final = Path(__file__).parent


def plans() -> dict[str, Path]:
    return {path.stem: path for path in sorted((ROOM / "plans").glob("*.yaml"))}


def calendars() -> dict[str, Path]:
    return {path.stem: path for path in sorted((ROOM / "calendars").glob("*.yaml"))}

"""Is what the docs show true? Every plan and calendar in them is read by the real loader."""

import re
from pathlib import Path

import pytest

from schedules import load

DOCS = Path(__file__).parent.parent / "docs"
BLOCKS = re.findall(r"^```yaml\n(.*?)^```$", (DOCS / "schedules.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS, ids=[block.partition("\n")[0] for block in BLOCKS])
def test_a_file_that_the_language_page_shows_has_no_problem(block: str) -> None:
    text = block.encode()
    read = load.parse_calendar if load.sort_of(text) == "calendar" else load.parse
    value, problems = read(text, "docs/schedules.md")
    assert [problem.text("en") for problem in problems] == []
    assert value is not None


def test_the_language_page_shows_a_plan_and_a_calendar() -> None:
    assert [load.sort_of(block.encode()) for block in BLOCKS] == ["plan", "calendar"]

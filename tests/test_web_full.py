"""Is a full disk told on the page, with nothing half stored and nothing typed lost?"""

import resource
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from engine.limits import UPLOAD
from tests.desk import PDF, Desk, answers, sqlite_desk, upload

ROOM = 800_000  #: bytes; the database of the test has less, the reports have more
SMALL = PDF[:-6] + b"%" + b"x" * ROOM + b"\n%%EOF\n"
SPOOLED = PDF[:-6] + b"%" + b"x" * 3_000_000 + b"\n%%EOF\n"  #: too large to be kept in memory while it comes in


@pytest.fixture
def desk(sqlite_template: Path, tmp_path: Path) -> Iterator[Desk]:
    with sqlite_desk(sqlite_template, tmp_path) as desk:
        yield desk


@contextmanager
def no_room_for_files() -> Iterator[None]:
    """No file may be longer than this, nor may the copy that is made while it comes in."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def no_room_for_rows() -> Iterator[None]:
    """What SQLite says of a full disk, of every connection that it opens."""

    def limit(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA max_page_count = 1")

    event.listen(Engine, "connect", limit)
    try:
        yield
    finally:
        event.remove(Engine, "connect", limit)


@pytest.mark.parametrize(
    ("full", "content", "lang"),
    [
        (no_room_for_files, SMALL, "vi"),
        (no_room_for_files, SMALL, "en"),
        (no_room_for_files, SPOOLED, "vi"),
        (no_room_for_rows, PDF, "vi"),
    ],
    ids=["files", "files, English", "coming in", "rows"],
)
def test_a_full_disk_is_told_keeps_what_was_typed_and_stores_nothing(
    desk: Desk, full: Callable[[], AbstractContextManager[None]], content: bytes, lang: str
) -> None:
    link, before = desk.link(), desk.rows()
    results = (
        "Tổ chức 4 buổi <b>" + "; thêm một buổi" * 600
    )  # more than fits in the pages that the database has already
    given: dict[str, Any] = {"data": answers(results=results), "files": upload(content=content)}
    desk.database.close()  # the connections that are there know no limit
    with full():
        refused = desk.ask("POST", f"{link}?lang={lang}", **given)
    desk.database.close()
    assert refused.status_code == 507
    assert {"vi": "đầy", "en": "full"}[lang] in refused.text
    if content is not SPOOLED:  # there the form itself could not be read: its page is still in the browser
        assert "Tổ chức 4 buổi &lt;b&gt;" in refused.text
        assert 'value="tab-1"' in refused.text
    after = desk.rows()
    for _, level, _ in after.pop("rate_bucket"):  # what was not written counts for nothing
        assert level >= UPLOAD.count - len(PDF)
    assert after == {name: rows for name, rows in before.items() if name != "rate_bucket"}
    assert [path for path in desk.settings.files.rglob("*") if path.suffix == ".part"] == []
    assert desk.post(link, **given).status_code == 303
    assert desk.get(f"{link}/receipt").status_code == 200

"""Does the way from an automatic act lead to the run behind it, and nowhere from what a person did?"""

from contextvars import copy_context
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from dondoc.database import Database
from dondoc.settings import Settings
from flows import environment
from models.entry import Entry, acting_run, append, breaks, digest
from web.pages import environment as templates
from web.pages import run_link

NOW = datetime(2025, 9, 30, 1, tzinfo=UTC)
RUN = str(uuid4())


def acted(run: str | None) -> Entry:
    return Entry(at=NOW, by="system", act="closed", data={}, previous="", hash="", run=run)


def entry_of(database: Database, act: str) -> Entry:
    with database.writing() as session:
        return append(session, act, by="system", at=NOW)


def test_an_entry_knows_the_run_that_acts_and_its_hash_does_not(database: Database) -> None:
    def in_a_run() -> Entry:
        acting_run.set(RUN)
        return entry_of(database, "closed")

    entry = copy_context().run(in_a_run)
    assert entry.run == RUN
    assert entry_of(database, "closed").run is None
    entry.run = None
    assert digest(entry) == entry.hash
    with database.reading() as session:
        assert list(breaks(session)) == []


@pytest.mark.parametrize(
    ("given", "page"),
    [
        ({}, "http://127.0.0.1:4200"),
        ({"prefect_port": 4321}, "http://127.0.0.1:4321"),
        ({"prefect_url": "https://prefect.example.org/"}, "https://prefect.example.org"),
    ],
)
def test_the_link_leads_to_prefects_own_page_of_the_run(given: dict[str, object], page: str, tmp_path: Path) -> None:
    settings = Settings.model_validate({"data": tmp_path, **given})
    assert settings.prefect == page
    assert environment(settings)["PREFECT_SERVER_UI_API_URL"] == f"{page}/api"
    assert run_link(settings.prefect, acted(RUN)) == f"{page}/v2/runs/flow-run/{RUN}"


@pytest.mark.parametrize("entry", [acted(None), None])
def test_nothing_leads_to_a_run_where_there_was_none(entry: Entry | None) -> None:
    assert run_link("http://127.0.0.1:4200", entry) is None
    assert "<a" not in part(entry)


def test_the_part_of_a_page_is_one_link_in_the_readers_words() -> None:
    href = f"http://127.0.0.1:4200/v2/runs/flow-run/{RUN}"
    assert part(acted(RUN)) == f'<a href="{href}" rel="noopener noreferrer">lượt chạy trong Prefect</a>'


def part(entry: Entry | None) -> str:
    template = templates().get_template("run_link.html")
    return template.render(entry=entry, run_link=lambda of: run_link("http://127.0.0.1:4200", of), _=str).strip()

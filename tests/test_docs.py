"""Is what the docs show true? Every plan is read by the real loader, and every command runs in a scratch office."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import indent
from typing import Final

import pytest

from dondoc.cli import main
from schedules import load, shipped
from tests.builders import HEAD
from tests.conftest import Postgres, postgres_folder
from tests.sinks import running

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
#: What does not end by itself, or is a run of these tests; tests/test_serve.py starts the servers.
STARTED_ELSEWHERE: Final = ("dondoc serve", "bin/run", "bin/test")
#: The address that the docs give a database server.
SERVER: Final = "dondoc@db.example.org/dondoc"


def blocks(page: Path, language: str, part: str | None = None) -> list[str]:
    """The fenced blocks of a page, or of the part of it under a heading."""
    text = page.read_text("utf-8")
    if part is not None:
        text = re.split(r"^#{2,3} ", text.partition(f"\n## {part}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def commands(text: str) -> list[str]:
    """The lines without their comments."""
    lines = (re.sub(r"(^|\s+)#\s.*$", "", line) for line in text.splitlines())
    return [line for line in lines if line]


#: What the language page shows, whole files all.
LANGUAGE = blocks(ROOT / "docs" / "schedules.md", "yaml")
YAML = [(page.name, block) for page in PAGES for block in blocks(page, "yaml")]


@pytest.mark.parametrize(("page", "block"), YAML, ids=[f"{page} {text.partition(chr(10))[0]}" for page, text in YAML])
def test_a_file_that_a_page_shows_has_no_problem(page: str, block: str) -> None:
    is_whole = re.match("(plan|calendar):", block) is not None
    text = (block if is_whole else f"{HEAD}obligations:\n{indent(block, '  ')}").encode()
    read = load.parse_calendar if load.sort_of(text) == "calendar" else load.parse
    value, problems = read(text, page)
    assert [problem.text("en") for problem in problems] == []
    assert value is not None


def test_the_language_page_shows_a_plan_and_a_calendar() -> None:
    assert [load.sort_of(block.encode()) for block in LANGUAGE] == ["plan", "calendar"]


def test_every_block_has_a_language_that_a_test_knows() -> None:
    fences = {fence for page in PAGES for fence in re.findall(r"^```(\w+)$", page.read_text("utf-8"), re.MULTILINE)}
    assert fences <= {"sh", "yaml", "csv", "cron", "ini"}


# Commands


class Scratch:
    """An empty folder in which a page's commands run one after another, as a person would type them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monkeypatch = monkeypatch
        self.monkeypatch.setenv("PYTHONPATH", str(ROOT))
        self.monkeypatch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))

    def run(self, line: str) -> None:
        words = shlex.split(line)
        if " ".join(words[:2]) in STARTED_ELSEWHERE or words[0] in STARTED_ELSEWHERE:
            return
        if words[0] == "export":
            for each in words[1:]:
                self.monkeypatch.setenv(*each.split("=", 1))
        elif words[0] == "dondoc":
            assert main(words[1:]) == 0, line
        else:
            ran = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False)
            assert (ran.returncode, ran.stderr) == (0, ""), line


@pytest.fixture
def scratch(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Scratch]:
    monkeypatch.chdir(tmp_path)
    yield Scratch(monkeypatch)
    assert capsys.readouterr().err == ""


def test_every_command_of_the_readme_runs(scratch: Scratch) -> None:
    Path("plan.yaml").write_bytes(shipped.plans()["kl01-khoi"].read_bytes())
    Path("units.csv").write_bytes((ROOT / "samples" / "units.csv").read_bytes())
    for block in blocks(ROOT / "README.md", "sh"):
        for line in commands(block):
            scratch.run(line)


def test_every_command_of_the_handbook_runs(scratch: Scratch, monkeypatch: pytest.MonkeyPatch) -> None:
    page = ROOT / "docs" / "operations.md"
    (sheet,), (plan,) = blocks(page, "csv"), blocks(page, "yaml")
    Path("units.csv").write_text(sheet, encoding="utf-8")
    Path("plan.yaml").write_text(plan, encoding="utf-8")
    of_postgres = blocks(page, "sh", "PostgreSQL")
    assert len(of_postgres) == 1
    with running() as sink:
        monkeypatch.setenv("DONDOC_SMTP_URL", sink.url)
        for block in blocks(page, "sh"):
            for line in commands(block) if block not in of_postgres else ():
                scratch.run(line)
        assert sink.to("van-thu.stc@example.org")
    assert Path("backup", "dondoc.sqlite").exists()


@pytest.mark.postgres
def test_every_command_of_the_handbook_about_postgresql_runs(
    scratch: Scratch, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    postgres.execute("CREATE DATABASE handbook")
    programs = postgres_folder()
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    (block,) = blocks(ROOT / "docs" / "operations.md", "sh", "PostgreSQL")
    for line in commands(block):
        scratch.run(line.replace(SERVER, f"dondoc@127.0.0.1:{postgres.port}/handbook"))
    assert Path("backup", "dondoc.dump").stat().st_size > 0
    postgres.execute("DROP DATABASE handbook WITH (FORCE)")


def test_the_line_for_cron_needs_nothing_but_what_it_says(
    scratch: Scratch, tmp_path: Path, sqlite_template: Path
) -> None:
    (block,) = blocks(ROOT / "docs" / "operations.md", "cron")
    (line,) = block.splitlines()
    minutes, command = re.fullmatch(r"(\S+) \* \* \* \*\s+(.*)", line).groups()  # type: ignore[union-attr]
    assert minutes == "*/5"
    (tmp_path / "office").mkdir()
    (tmp_path / "office" / "dondoc.sqlite").write_bytes(sqlite_template.read_bytes())
    program = f"{sys.executable} -m dondoc"
    command = command.replace("/srv/dondoc/.venv/bin/dondoc", program).replace("/srv/dondoc", str(tmp_path))
    bare = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "SHELL": "/bin/sh", "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(
        ["/bin/sh", "-c", f"{command} --json"], env=bare, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert json.loads(ran.stdout)["messages"] == 0
    assert {path.name for path in tmp_path.iterdir()} == {"office"}


def test_the_programs_that_only_a_person_starts_are_there() -> None:
    for command in STARTED_ELSEWHERE:
        if command.startswith("bin/"):
            assert os.access(ROOT / command, os.X_OK), command


def test_every_link_within_the_docs_leads_somewhere() -> None:
    for page in PAGES:
        for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)", page.read_text("utf-8")):
            found = (page.parent / target) if target else page
            assert found.exists(), f"{page.name}: {target}"
            if anchor:
                heads = re.findall(r"^#+ (.*)$", found.read_text("utf-8"), re.MULTILINE)
                names = {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}
                assert anchor in names, f"{page.name}: #{anchor}"

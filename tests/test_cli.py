"""Does the command line answer quickly, in the right language, and with the right exit code?"""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from dondoc.cli import main
from dondoc.cli.app import app
from dondoc.i18n import LANGUAGES, LOCALES, catalogue

ENTRY = "import sys; from dondoc.cli import main; sys.exit(main())"
HEAVY = (
    "alembic",
    "apprise",
    "babel",
    "fastapi",
    "jinja2",
    "openpyxl",
    "prefect",
    "pydantic",
    "sqlalchemy",
    "sqlmodel",
)
ROOT = Path(__file__).parent.parent


def run(*words: str, folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """The command as a program of its own."""
    return subprocess.run(
        [sys.executable, "-c", ENTRY, *words],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "DONDOC_LANG": "vi", **env},
        capture_output=True,
        text=True,
        check=False,
    )


def commands(above: object, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Every command and group of commands, as typed."""
    found = [path]
    for name in above:  # type: ignore[attr-defined]
        if not name.startswith("-"):
            found += commands(above[name], (*path, name))  # type: ignore[index]
    return found


# Starting


@pytest.mark.parametrize(
    "words", ["--help", "--version", "check", "check --schema", "calendar vn-state 2025-05-01 -5wd"]
)
def test_what_must_answer_at_once_imports_nothing_heavy(words: str, tmp_path: Path) -> None:
    watch = f"import sys; from dondoc.cli import main; main({words.split()}); print(*sys.modules, file=sys.stderr)"
    ran = subprocess.run(
        [sys.executable, "-c", watch],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(HEAVY) & set(ran.stderr.split()) == set()


def test_the_module_runs_as_the_program_does(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "dondoc", "--version"]
    ran = subprocess.run(
        command, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True
    )
    assert ran.stdout == run("--version", folder=tmp_path).stdout != ""


def test_a_reader_who_has_read_enough_ends_the_command_quietly(tmp_path: Path) -> None:
    pipe = f"'{sys.executable}' -c '{ENTRY}' timeline kl01-khoi; echo $? >code"
    ran = subprocess.run(
        ["sh", "-c", f"({pipe}) | head -n 1"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.startswith("kl01-khoi")
    assert ran.stderr == ""
    assert (tmp_path / "code").read_text() == "0\n"


# The language


@pytest.mark.parametrize("lang", LANGUAGES)
def test_catalogues_are_read_as_babel_reads_them(lang: str) -> None:
    theirs: dict[str, str] = {}
    for path in sorted((LOCALES / lang).glob("*.po")):
        with path.open("rb") as file:
            theirs |= {str(entry.id): str(entry.string) for entry in read_po(file) if entry.id and entry.string}
    assert catalogue(lang) == theirs


def test_help_speaks_the_language_of_the_environment(tmp_path: Path) -> None:
    vi, en = (run("--help", folder=tmp_path, DONDOC_LANG=lang).stdout for lang in LANGUAGES)
    assert "Cách dùng: dondoc LỆNH" in vi
    assert "Usage: dondoc COMMAND" in en
    assert not set("ăâđêôơưáàảãạ") & set(en)


def test_an_unknown_language_is_refused_in_the_first_one(tmp_path: Path) -> None:
    ran = run("--help", folder=tmp_path, DONDOC_LANG="fr")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == "DONDOC_LANG: cần một trong vi, en, gặp “fr”\n"


@pytest.mark.parametrize("path", [pytest.param(path, id=" ".join(path) or "dondoc") for path in commands(app)])
def test_every_command_and_every_option_says_what_it_is_for(
    path: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*path, "--help"]) == 0
    shown = capsys.readouterr().out
    usage, _blank, purpose, *rows = shown.splitlines()
    assert usage.startswith("Cách dùng: dondoc")
    assert purpose
    lines = [row for row in rows if row.startswith("  ") and not row.startswith("   ")]
    explained = [row for row in lines if len(row.strip().split("  ", 1)) == 2 or len(row) > 30]
    assert lines == explained


# What is typed wrongly


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("tmeline x", "không có lệnh “tmeline”; ý là “timeline”?"),
        ("task accpt 3", "không có lệnh “accpt”; ý là “accept”?"),
        ("timeline kl01-khoi --frm 2021-01-01", "không có tuỳ chọn “--frm”; ý là “--from”?"),
        ("timeline kl01-khoi --from 2021-13-01", "--from: cần một ngày như 2025-09-30, gặp “2021-13-01”"),
        ("timeline", "PLAN: cần một giá trị, không gặp gì"),
        ("timeline kl01-khoi extra", "thừa “extra”"),
        ("timeline kl01-khoi --unit stc --unit snv", "--unit: chỉ cần một lần, gặp lại “snv”"),
        ("task accept three", "TASK: cần một số nguyên, gặp “three”"),
        ("task return 3", "--reason: cần một giá trị, không gặp gì"),
        (
            "task record 3 --received 2021-12-01 --document 7 --way bird",
            "--way: cần một trong paper, eoffice, gặp “bird”",
        ),
        ("calendar vn-state 2025-05-01 -5", "cần khoảng cách như +5wd hoặc -5wd, gặp “-5”"),
        ("calendar vn-state 2025-05-01 +5days", "cần khoảng cách như +5wd hoặc -5wd, gặp “+5days”"),
        ("task submit 3 --answer studied", "--answer: cần tên=giá trị, gặp “studied”"),
        ("task submit 3 --answer a=1 --answer a=2", "--answer: “a” chỉ cần một lần"),
        ("round --now tomorrow", "--now: cần một lúc như 2021-12-01T08:00, gặp “tomorrow”"),
    ],
)
def test_usage_errors_say_what_was_expected_and_exit_with_2(
    words: str, told: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(words.split()) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.splitlines()[0] == told


def test_without_an_office_every_command_that_needs_one_says_how_to_make_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for words in (
        "status --json",
        "round",
        "task show 1",
        "plans list",
        "units tree",
        "db upgrade",
        "audit verify",
        "web",
    ):
        assert main(words.split()) == 1
        output = capsys.readouterr()
        assert output.out == ""
        assert "dondoc init" in output.err
    assert list(tmp_path.iterdir()) == []  # asking made nothing


def test_a_setting_that_cannot_be_used_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DONDOC_PORT", "eighty")
    assert main(["status"]) == 1
    assert capsys.readouterr().err.startswith("DONDOC_PORT: giá trị “eighty” không dùng được")


# JSON


@pytest.mark.parametrize(
    "words",
    ["check", "timeline kl01-khoi", "calendar vn-state 2025-05-01", "explain kl01-khoi annual-report 2023"],
)
def test_json_is_one_document_and_nothing_else(words: str, tmp_path: Path) -> None:
    ran = run(*words.split(), "--json", folder=tmp_path)
    assert (ran.returncode, ran.stderr) == (0, "")
    json.loads(ran.stdout)

"""Is the house in order? What no other tool holds: the wheel, the words, the locks, the shape of the files."""

import ast
import re
import subprocess
import sys
import sysconfig
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from string import Formatter
from zipfile import ZipFile

import pytest
from babel.messages.pofile import read_po
from jinja2.ext import babel_extract

from dondoc.i18n import LANGUAGES, catalogue
from dondoc.settings import Settings

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES: list[str] = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
CODED = re.compile(r"[a-z_]+(\.[a-z0-9_-]*[a-z0-9])+")


@cache
def committed() -> list[Path]:
    """The files that git knows or would add, from the root."""
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    return [Path(name) for name in sorted(filter(None, names)) if (ROOT / name).is_file()]


def read(path: Path) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def python(*rooms: str) -> Iterator[tuple[Path, ast.Module]]:
    for path in committed():
        if path.suffix == ".py" and (not rooms or path.parts[0] in rooms):
            yield path, ast.parse(read(path))


def nothing(found: Iterable[object]) -> None:
    """Fails with one finding a line."""
    lines = [str(finding) for finding in found]
    assert not lines, "\n".join(["", *lines])


# The database


def test_nothing_is_awaited_while_a_session_is_open() -> None:
    """On SQLite whoever reads keeps everybody from writing: a server that does not answer would stop the office."""
    sessions = {"reading", "writing"}
    waits = (ast.Await, ast.AsyncFor, ast.AsyncWith, ast.YieldFrom)
    nothing(
        f"{path}:{inner.lineno}"
        for path, tree in python("flows", "web", "engine", "notifications", "dondoc", "samples")
        for node in ast.walk(tree)
        if isinstance(node, ast.With | ast.AsyncWith)
        and any(
            isinstance(call, ast.Attribute) and call.attr in sessions
            for item in node.items
            for call in ast.walk(item.context_expr)
        )
        for part in node.body
        for inner in ast.walk(part)
        if isinstance(inner, waits)
    )


# The packages and the wheel


def test_every_root_package_is_in_the_wheel_under_mypy_and_under_the_import_contracts() -> None:
    found = sorted(path.parent.name for path in ROOT.glob("*/__init__.py"))
    assert found == PACKAGES
    assert [*PACKAGES, "tests"] == PROJECT["tool"]["mypy"]["packages"]
    assert set(PACKAGES) - {"locales", "migrations"} == set(PROJECT["tool"]["importlinter"]["root_packages"])


def test_every_module_of_the_application_has_its_place_in_the_layers() -> None:
    layers = PROJECT["tool"]["importlinter"]["contracts"][0]["layers"]
    placed = {name for layer in layers for name in layer.split(" | ") if name.startswith("dondoc.")}
    assert placed == {f"dondoc.{path.stem}" for path in (ROOT / "dondoc").glob("[!_]*")}


def test_no_init_file_in_tests_shadows_a_real_package() -> None:
    nothing((ROOT / "tests").rglob("__init__.py"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return next(folder.glob("dondoc-*.whl"))


def test_the_wheel_holds_every_file_of_the_packages_and_nothing_else(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert packed == {str(path) for path in committed() if path.parts[0] in PACKAGES}


@pytest.mark.slow
def test_the_installed_wheel_plays_the_demonstration_in_an_empty_folder(wheel: Path, tmp_path: Path) -> None:
    installed, empty = tmp_path / "installed", tmp_path / "empty"
    empty.mkdir()
    with ZipFile(wheel) as archive:
        archive.extractall(installed)
    # Without `site` no .pth file is read: the editable project cannot stand in for a file that the wheel lacks.
    path = f"{installed}:{sysconfig.get_path('purelib')}"
    entry = "import sys; from dondoc.cli import main; sys.exit(main())"
    command = [sys.executable, "-S", "-c", entry, "demo", "--no-serve"]
    played = subprocess.run(command, cwd=empty, env={"PYTHONPATH": path}, capture_output=True, text=True, check=False)
    assert played.returncode == 0, played.stdout + played.stderr


# The locks and the files


def pins(lock: str) -> set[str]:
    return set(re.findall(r"^[a-z0-9.-]+==\S+", read(Path(lock)), re.MULTILINE))


def test_what_runs_is_what_was_tested() -> None:
    assert pins("requirements.lock") < pins("requirements-dev.lock")


def test_no_file_names_a_package_registry_or_a_path_of_a_developer() -> None:
    host = r"(pypi|npmjs|rubygems|crates|pythonhosted|proxy\.golang)\.(org|com|io)\b"
    folder = r"(?<![\w.}>])/(home|root|Users|work|tmp|opt)/\w"
    told = re.compile(f"{host}|{folder}|{re.escape(str(ROOT))}")
    found = [f"{path}: {match[0]}" for path in committed() if is_text(path) for match in told.finditer(read(path))]
    nothing(found)


def test_files_stay_short_enough_to_be_read_at_once() -> None:
    code = (path for path in committed() if path.suffix in {".py", ".html", ".css", ".js"})
    written = (path for path in code if path.parts[:2] != ("migrations", "versions"))
    nothing(path for path in written if len(read(path).splitlines()) >= 500)


def test_every_python_file_begins_with_what_it_answers() -> None:
    nothing(path for path, tree in python() if not ast.get_docstring(tree))


def test_no_file_has_a_name_that_says_nothing() -> None:
    empty = {"base", "common", "helper", "helpers", "manager", "misc", "service", "services", "util", "utils"}
    nothing(path for path in committed() if empty & {part.split(".")[0] for part in path.parts})


def test_the_wall_clock_is_read_in_one_file() -> None:
    """What ruff's TID251 cannot see: the database's own clock and its relatives."""
    words = r"current_timestamp|func\.(now|current_\w+)\b|datetime\('now|time\.(time_ns|localtime|gmtime|ctime)\b"
    told = re.compile(words, re.IGNORECASE)
    sources = (path for path in committed() if path.parts[0] in PACKAGES and path.suffix in {".py", ".html"})
    nothing(path for path in sources if path != Path("dondoc/clock.py") and told.search(read(path)))


def is_text(path: Path) -> bool:
    return b"\0" not in (ROOT / path).read_bytes()


# The words


def sentences() -> Iterator[tuple[str, str]]:
    """(place, message) of every literal that the code puts into words: `_("...")`, `translate("...")`, templates."""
    for path, tree in python(*PACKAGES):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in {"_", "translate"}:
                for message in literals(node.args[:1]):
                    yield f"{path}:{node.lineno}", message
    for path in committed():
        if path.parts[0] in PACKAGES and path.suffix in {".html", ".txt", ".j2"}:
            with (ROOT / path).open("rb") as file:
                for line, _, written, _ in babel_extract(file, ["_"], [], {}):
                    said = written[0] if isinstance(written, tuple) else written  # else its parameters follow it
                    if said is not None:  # None: put together while rendering
                        yield f"{path}:{line}", said


def codes() -> Iterator[tuple[str, str]]:
    """(place, code) of every literal that looks like a code of the catalogues: the first word is a known one."""
    known = {message.split(".")[0] for message in catalogue("vi") if CODED.fullmatch(message)} - set(PACKAGES)
    for path, tree in python(*PACKAGES):
        for node in ast.walk(tree):
            is_reason = isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Reason.of")
            for code in literals(node.args[:1] if isinstance(node, ast.Call) and is_reason else [node]):
                is_key = code.endswith((".id", ".html"))  # of a table or a page whose name is a code too: message.id
                if is_reason or (CODED.fullmatch(code) and code.split(".")[0] in known and not is_key):
                    yield f"{path}:{getattr(node, 'lineno', 0)}", code


def literals(nodes: list[ast.expr] | list[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.IfExp):
            yield from literals([node.body, node.orelse])


def test_every_sentence_has_its_english() -> None:
    nothing(f"{place} {message}" for place, message in sentences() if message not in catalogue("en"))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_code_has_its_words(lang: str) -> None:
    nothing(f"{place} {code}" for place, code in codes() if code not in catalogue(lang))


def test_both_languages_fill_the_same_places() -> None:
    vi, en = catalogue("vi"), catalogue("en")
    nothing(message for message in en if places(vi.get(message, message)) != places(en[message]))
    nothing(message for message in vi if message not in en)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_each_message_stands_once_and_is_no_guess(lang: str) -> None:
    entries = []
    for path in (ROOT / "locales" / lang).glob("*.po"):
        with path.open("rb") as file:
            entries += [message for message in read_po(file, locale=lang, abort_invalid=True) if message.id]
    nothing(entry.id for entry in entries if entry.fuzzy or not entry.string)
    nothing(key for key, count in Counter(str(entry.id) for entry in entries).items() if count > 1)


def test_every_message_is_said_somewhere() -> None:
    """A code may also be put together, from any beginning of it that is written down: `"notice." ~ kind`."""
    sources = [path for path in committed() if path.parts[0] in PACKAGES]
    written = {text for _, tree in python(*PACKAGES) for text in strings(tree)}
    templates = "\n".join(read(path) for path in sources if path.suffix in {".html", ".txt", ".j2", ".yaml"})
    everything = "\n".join((*written, templates))
    unsaid = (message for message in catalogue("en") if message not in everything)
    nothing(
        message
        for message in unsaid
        if not CODED.fullmatch(message)
        or not any(each in written or f'"{each}"' in templates for each in beginnings(message))
    )


def strings(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def beginnings(code: str) -> list[str]:
    return [code[: found.end()] for found in re.finditer(r"[.-]", code)]


def places(words: str) -> set[str | None]:
    return {name for _, name, _, _ in Formatter().parse(words)} - {None}


# The README


def test_every_command_of_the_readme_exists() -> None:
    commands = re.findall(r"^(?:\$ )?(dondoc(?: [a-z]+)+|bin/\w+)", "\n".join(shell_blocks()), re.MULTILINE)
    assert commands
    for command in sorted(set(commands)):
        program, *words = command.split()
        if program != "dondoc":
            assert (ROOT / program).is_file(), command
            continue
        entry = "import sys; from dondoc.cli import main; sys.exit(main())"
        shown = subprocess.run(
            [sys.executable, "-c", entry, *words, "--help"], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert shown.returncode == 0, f"{command}: {shown.stdout}{shown.stderr}"
        assert " ".join(words[:1]) in shown.stdout, command


def test_the_readme_names_every_setting_and_no_other() -> None:
    named = set(re.findall(r"\bDONDOC_[A-Z_]+\b", read(Path("README.md")))) - {"DONDOC_TEST_REQUIRE"}
    assert named == {f"DONDOC_{name.upper()}" for name in Settings.model_fields}


def shell_blocks() -> list[str]:
    return re.findall(r"^```(?:sh|console|bash)\n(.*?)^```", read(Path("README.md")), re.MULTILINE | re.DOTALL)

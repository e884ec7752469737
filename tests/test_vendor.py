"""Are the vendored scripts the ones that were written down?"""

import hashlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
VENDOR = ROOT / "web" / "static" / "vendor"
ROW = re.compile(r"^\| (\S+\.js) \| [^|]+ \| [\d.]+ \| (0BSD|MIT), (\S+) \| ([0-9a-f]{64}) \|$", re.MULTILINE)
GRANTS = {"0BSD": "Zero-Clause BSD", "MIT": "MIT License"}


def rows() -> list[tuple[str, str, str, str]]:
    return ROW.findall((VENDOR / "README.md").read_text("utf-8"))


def test_the_committed_bytes_are_those_of_the_pinned_packages() -> None:
    recorded = {name: sum_ for name, _, _, sum_ in rows()}
    assert recorded == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in VENDOR.glob("*.js")}


def test_every_vendored_script_lies_beside_its_licence() -> None:
    for _, kind, licence, _ in rows():
        assert GRANTS[kind] in (VENDOR / licence).read_text("utf-8")


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
def test_bundling_codemirror_again_gives_the_same_bytes(tmp_path: Path) -> None:
    made = tmp_path / "codemirror.js"
    built = subprocess.run([ROOT / "bin" / "editor", made], capture_output=True, text=True, check=False)
    if built.returncode == 69:
        pytest.skip("npm cannot fetch the packages")
    assert built.returncode == 0, built.stderr
    assert made.read_bytes() == (VENDOR / "codemirror.js").read_bytes()

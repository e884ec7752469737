"""Are the vendored scripts the ones that were written down?"""

import hashlib
import re
from pathlib import Path

VENDOR = Path(__file__).parent.parent / "web" / "static" / "vendor"
ROW = re.compile(r"^\| (\S+\.js) \| \S+ \| [\d.]+ \| 0BSD, (\S+) \| ([0-9a-f]{64}) \|$", re.MULTILINE)


def test_the_committed_bytes_are_those_of_the_pinned_packages() -> None:
    recorded = {name: hash_ for name, _, hash_ in ROW.findall((VENDOR / "README.md").read_text("utf-8"))}
    assert recorded == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in VENDOR.glob("*.js")}


def test_every_vendored_script_lies_beside_its_licence() -> None:
    for _, licence, _ in ROW.findall((VENDOR / "README.md").read_text("utf-8")):
        assert "Zero-Clause BSD" in (VENDOR / licence).read_text("utf-8")

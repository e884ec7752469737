"""What must no uploaded file hold? Signatures of what runs or hides, and how to look for them in small pieces."""

import re
from collections.abc import Iterator
from typing import BinaryIO, Final

PIECE: Final = 1 << 18
#: The one file that every virus scanner knows and that harms nobody (eicar.org).
TEST_VIRUS: Final = rb"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!"
#: How what is no part of a document begins: programs, archives, documents of the old Office.
PROGRAM_STARTS: Final = (b"MZ", b"\x7fELF", b"\xca\xfe\xba\xbe", b"\xfe\xed\xfa", b"\xcf\xfa\xed\xfe", b"#!")
ARCHIVE_STARTS: Final = (
    b"PK\x03\x04",
    b"Rar!\x1a\x07",
    b"7z\xbc\xaf\x27\x1c",
    b"\x1f\x8b",
    b"BZh",
    b"\xfd7zXZ",
    b"MSCF",
)
OLD_OFFICE: Final = b"\xd0\xcf\x11\xe0"
#: What a browser or a server would run when a picture is taken for a page.
PAGES: Final = re.compile(rb"<(?:!doctype html|html|script|iframe|\?php)", re.IGNORECASE)
ZIP_END: Final = b"PK\x05\x06"
ZIP_END_WITHIN: Final = 22 + 65_535  #: bytes from the end, so long may its remark be


def pieces(content: BinaryIO, overlap: int, start: int = 0) -> Iterator[bytes]:
    """The content from `start` on, in pieces that each repeat the end of the one before: nothing hides at a seam."""
    content.seek(start)
    before = b""
    while piece := content.read(PIECE):
        yield before + piece
        before = (before + piece)[-overlap:]

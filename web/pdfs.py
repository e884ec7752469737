"""Is this a PDF that only shows something? Whole, without password, scripts, programs or other files in it."""

import io
import mmap
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Final

from engine.errors import RefusedError

MAX_UNPACKED: Final = 64 * 1024 * 1024
PIECE: Final = 1 << 20
TAIL: Final = 2048
LONGEST_NAME: Final = 64  #: of a name that is looked for, every letter of it written as #41
_TRAPS: Final = {
    "file.encrypted": ("Encrypt",),
    "file.script": ("JavaScript", "Launch", "RichMedia", "XFA", "Rendition", "ImportData"),
    "file.embedded": ("EmbeddedFile", "EmbeddedFiles"),
}
Bytes = bytes | mmap.mmap


def _name(word: str) -> bytes:
    """The pattern of a name; each of its letters may be written as a number: /Java#53cript."""
    letters = "".join(f"(?:{letter}|#{ord(letter):02x}|#{ord(letter):02X})" for letter in word)
    return rf"/{letters}(?=[\s/<>\[\](){{}}%]|$)".encode()


_TRAP: Final = re.compile(b"|".join(_name(word) for words in _TRAPS.values() for word in words))
_PACKED: Final = re.compile(_name("ObjStm"))
_DEFLATED: Final = re.compile(_name("FlateDecode"))
_FILTER: Final = re.compile(_name("Filter") + rb"\s*(\[[^\]]*\]|/[^\s/<>\[\]]+)")
_NUMBERED: Final = re.compile(rb"#([0-9A-Fa-f]{2})")


def is_sound(content: BinaryIO) -> bool:
    """Raises RefusedError where a PDF holds what it must not."""
    with _view(content) as view:
        if not re.match(rb"%PDF-\d\.\d", view[:16]) or not _ends(view):
            return False
        _search(view)
        for piece in _unpacked(view):
            _search(piece)
    return True


def _ends(view: Bytes) -> bool:
    """Nothing but space follows the end: an archive or a page would be read from there."""
    _, mark, after = view[max(len(view) - TAIL, 0) :].rpartition(b"%%EOF")
    return bool(mark) and not after.strip(b"\0 \t\r\n\f")


def _search(view: Bytes) -> None:
    found = _TRAP.search(view)
    if found is not None:
        word = _NUMBERED.sub(lambda letter: bytes([int(letter[1], 16)]), found[0]).decode("latin-1").lstrip("/")
        raise RefusedError(next(code for code, words in _TRAPS.items() if word in words), part=word)


def _unpacked(view: Bytes) -> Iterator[bytes]:
    """The objects that lie packed in streams, in pieces. Packed in a way that we do not read, they are refused."""
    left, end, found = MAX_UNPACKED, 0, _PACKED.search(view)
    while found is not None:
        earliest = max(found.start() - 4096, 0)
        about_from = max(view.rfind(b"obj", earliest, found.start()), earliest)
        start = view.find(b"stream", found.end(), found.end() + 4096)
        if start > end:
            end = view.find(b"endstream", start)
        if start < 0 or end < 0:
            raise ValueError("expected a stream")
        left = _spent(left, end - start)  # a stream that is read over and over costs as much as its content
        if _is_deflated(view[about_from:start]):
            for piece in _inflated(view, start + len(b"stream"), end):
                left = _spent(left, len(piece))
                yield piece
        found = _PACKED.search(view, found.end())


def _spent(left: int, count: int) -> int:
    if count > left:
        raise RefusedError("file.bomb", limit=MAX_UNPACKED // (1024 * 1024))
    return left - count


def _is_deflated(about: bytes) -> bool:
    """False: not packed, so that it was searched with all the rest."""
    filters = _FILTER.search(about)
    if filters is None:
        return False
    if b"/Predictor" in about or filters[1].count(b"/") != 1 or not _DEFLATED.search(filters[1].rstrip(b"]")):
        raise RefusedError("file.script", part="ObjStm")
    return True


def _inflated(view: Bytes, start: int, end: int) -> Iterator[bytes]:
    """In pieces that each repeat the end of the one before."""
    unpack, before = zlib.decompressobj(), b""
    while view[start : start + 1] in (b"\r", b"\n"):
        start += 1
    for place in range(start, end, PIECE):
        rest = view[place : min(place + PIECE, end)]
        while rest and not unpack.eof:
            piece = unpack.decompress(rest, PIECE)
            yield before + piece
            before, rest = piece[-LONGEST_NAME:], unpack.unconsumed_tail


@contextmanager
def _view(content: BinaryIO) -> Iterator[Bytes]:
    """The whole content; what is large is not read into memory."""
    if content.seek(0, 2) <= PIECE:
        content.seek(0)
        yield content.read()
        return
    try:
        descriptor = content.fileno()
    except (io.UnsupportedOperation, AttributeError):
        content.seek(0)
        yield content.read()
        return
    content.flush()
    with mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ) as view:
        yield view

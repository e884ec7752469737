"""Is this a picture, of a size that can be opened? JPEG and PNG by their own headers; nothing is decoded."""

import struct
import zlib
from typing import BinaryIO, Final

from engine.errors import RefusedError
from web.traps import ARCHIVE_STARTS, PAGES, PIECE, ZIP_END, ZIP_END_WITHIN, pieces

MOST_PIXELS: Final = 50_000_000
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_START, _SCAN, _END = 0xD8, 0xDA, 0xD9
#: Markers with the picture's size; C4, C8 and CC are tables.
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_APPENDED: Final = tuple(each for each in ARCHIVE_STARTS if len(each) > 4)  #: shorter ones come about by chance
_ALONE: Final = frozenset({0x01, *range(0xD0, 0xD9)})  #: markers without a length


def is_sound_png(content: BinaryIO) -> bool:
    """Chunk by chunk, each with its right sum; nothing after the end."""
    end = content.seek(0, 2)
    content.seek(0)
    if content.read(8) != _PNG:
        return False
    kind, has_data = b"", False
    while kind != b"IEND":
        length, kind = struct.unpack(">I4s", _exactly(content, 8))
        if length > end - content.tell() - 4 or (content.tell() == 16) != (kind == b"IHDR"):
            return False
        sum_ = zlib.crc32(kind)
        if kind == b"IHDR":
            header = _exactly(content, length)
            _check_size(*struct.unpack(">II", header[:8]))
            sum_, length = zlib.crc32(header, sum_), 0
        while length:
            piece = _exactly(content, min(length, PIECE))
            sum_, length = zlib.crc32(piece, sum_), length - len(piece)
        if struct.unpack(">I", _exactly(content, 4))[0] != sum_:
            return False
        has_data = has_data or kind == b"IDAT"
    return has_data and content.tell() == end


def is_sound_jpeg(content: BinaryIO) -> bool:
    """Marker by marker up to the picture itself, which has an end.

    Telephones put more pictures and films behind the end, so that something may follow, but no archive and no page.
    """
    content.seek(0)
    if content.read(2) != bytes((0xFF, _START)):
        return False
    has_size = False
    while True:
        marker = _marker(content)
        if marker == _END:
            return False
        if marker in _ALONE:
            continue
        (length,) = struct.unpack(">H", _exactly(content, 2))
        part = _exactly(content, length - 2)
        if marker in _FRAMES:
            height, width = struct.unpack(">HH", part[1:5])
            _check_size(width, height)
            has_size = True
        if marker == _SCAN:
            return has_size and _has_harmless_end(content)


def _has_harmless_end(content: BinaryIO) -> bool:
    start, has_end = content.tell(), False
    for piece in pieces(content, 16, start):
        place = 0 if has_end else piece.find(bytes((0xFF, _END)))
        if place >= 0:
            has_end = True
            if PAGES.search(piece[place:]) or any(each in piece[place:] for each in _APPENDED):
                return False
    content.seek(max(content.seek(0, 2) - ZIP_END_WITHIN, 0))
    return has_end and ZIP_END not in content.read()


def _marker(content: BinaryIO) -> int:
    """The next marker; it may be led by any number of FF."""
    if _exactly(content, 1) != b"\xff":
        raise ValueError("expected a marker")
    found = 0xFF
    while found == 0xFF:
        found = _exactly(content, 1)[0]
    return found


def _check_size(width: int, height: int) -> None:
    if not width or not height:
        raise ValueError("expected a picture with a size")
    if width * height > MOST_PIXELS:
        raise RefusedError("file.pixels", limit=MOST_PIXELS // 1_000_000, width=width, height=height)


def _exactly(content: BinaryIO, count: int) -> bytes:
    found = content.read(count) if count >= 0 else b""
    if count < 0 or len(found) != count:
        raise EOFError
    return found

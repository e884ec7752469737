"""Is this file what its name says? Magic and structure of the seven kinds that an office hands in."""

import re
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import BinaryIO, Final

from engine.errors import RefusedError

MEDIA_TYPES: Final = {
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "odt": "application/vnd.oasis.opendocument.text",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
    "jpg": "image/jpeg",
    "png": "image/png",
}
_OOXML_PART: Final = {"docx": "word/document.xml", "xlsx": "xl/workbook.xml"}
_OOXML_TYPE: Final = {
    "docx": b"wordprocessingml.document.main+xml",
    "xlsx": b"spreadsheetml.sheet.main+xml",
}
MAX_ENTRIES: Final = 2_000
MAX_UNPACKED: Final = 200 * 1024 * 1024
MAX_RATIO: Final = 100
MAX_SMALL_PART: Final = 1024 * 1024  #: parts that are read whole while checking
#: zipfile's ways of saying that this is no sound ZIP.
UNSOUND: Final = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    OSError,
    EOFError,
    ValueError,
    NotImplementedError,
    RuntimeError,
)
_UNSEEN: Final = re.compile(r"[\x00-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


def clean_name(name: str) -> str:
    """The file's own name, without folders, control or direction marks; NFC; at most 120 characters."""
    bare = _UNSEEN.sub("", unicodedata.normalize("NFC", name)).replace("\\", "/").rpartition("/")[2].strip(" .")
    stem, dot, ending = bare.rpartition(".")
    return f"{stem[:110]}{dot}{ending[:9]}" if dot else bare[:120]


def check(name: str, content: BinaryIO, *, types: Iterable[str], limit: int) -> str:
    """The media type of a good file; the content is left at its start. Raises RefusedError with a `file.` code."""
    kinds = tuple(types)
    ending = PurePosixPath(name).suffix.lower().removeprefix(".")
    kind = "jpg" if ending == "jpeg" else ending
    if kind not in kinds or kind not in MEDIA_TYPES:
        raise RefusedError("file.type", ending=ending or "?", allowed=", ".join(each.upper() for each in kinds))
    size = content.seek(0, 2)
    if size == 0:
        raise RefusedError("file.empty")
    if size > limit:
        raise RefusedError("file.too-large", limit=limit // (1024 * 1024))
    try:
        right = _is_kind(kind, content)
    except UNSOUND:
        right = False
    content.seek(0)
    if not right:
        raise RefusedError("file.content", ending=kind.upper())
    return MEDIA_TYPES[kind]


def _is_kind(kind: str, content: BinaryIO) -> bool:
    if kind == "pdf":
        return _start(content, 5) == b"%PDF-" and b"%%EOF" in _tail(content, 2048)
    if kind == "png":
        return _start(content, 16)[:8] == b"\x89PNG\r\n\x1a\n" and _start(content, 16)[12:16] == b"IHDR"
    if kind == "jpg":
        return _start(content, 3) == b"\xff\xd8\xff" and b"\xff\xd9" in _tail(content, 1024)
    return _is_office(kind, content)


def _is_office(kind: str, content: BinaryIO) -> bool:
    if _start(content, 4) != b"PK\x03\x04":
        return False
    content.seek(0)
    with zipfile.ZipFile(content) as package:
        entries = package.infolist()
        names = {entry.filename for entry in entries}
        if len(entries) > MAX_ENTRIES or len(names) != len(entries) or not all(map(_is_sound, entries)):
            return False
        if sum(entry.file_size for entry in entries) > MAX_UNPACKED:
            return False
        if kind in _OOXML_PART:
            types = _read(package, "[Content_Types].xml")
            return _OOXML_PART[kind] in names and _OOXML_TYPE[kind] in types and b"macroEnabled" not in types
        return _read(package, "mimetype").strip() == MEDIA_TYPES[kind].encode() and "content.xml" in names


def _is_sound(entry: zipfile.ZipInfo) -> bool:
    path = PurePosixPath(entry.filename)
    is_outside = path.is_absolute() or ".." in path.parts or "\\" in entry.filename or ":" in entry.filename
    is_encrypted, is_link = bool(entry.flag_bits & 1), (entry.external_attr >> 16) & 0o170000 == 0o120000
    is_bomb = entry.file_size > MAX_RATIO * max(entry.compress_size, 1) and entry.file_size > MAX_SMALL_PART
    is_program = path.name.lower() == "vbaproject.bin"
    return not (is_outside or is_encrypted or is_link or is_bomb or is_program)


def _read(package: zipfile.ZipFile, name: str) -> bytes:
    if name not in package.namelist() or package.getinfo(name).file_size > MAX_SMALL_PART:
        return b""
    with package.open(name) as part:
        return part.read(MAX_SMALL_PART)


def _start(content: BinaryIO, count: int) -> bytes:
    content.seek(0)
    return content.read(count)


def _tail(content: BinaryIO, count: int) -> bytes:
    content.seek(max(content.seek(0, 2) - count, 0))
    return content.read(count)

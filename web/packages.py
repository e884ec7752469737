"""Is this package a document, and only that? ZIP by its own records, then each part of DOCX, XLSX, ODT and ODS."""

import re
import struct
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import BinaryIO, Final, cast
from urllib.parse import urlsplit
from xml.parsers.expat import ParserCreate

from engine.errors import RefusedError
from web.traps import ARCHIVE_STARTS, OLD_OFFICE, PIECE, PROGRAM_STARTS, TEST_VIRUS, ZIP_END

MAX_ENTRIES: Final = 2_000
MAX_UNPACKED: Final = 200 * 1024 * 1024
MAX_RATIO: Final = 100
MAX_SMALL_PART: Final = 1024 * 1024  #: a part up to this size may be packed as tightly as it likes; also what is parsed
MAX_RECORD: Final = 1024  #: bytes of an entry's record in the list at the end, on average
_MAIN: Final = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
}
_MACRO: Final = re.compile(
    r"vbaproject|vbadata|macroenabled|macrosheet|activex|^basic/|^scripts/|^dialogs/", re.IGNORECASE
)
#: Endings of what documents really consist of: words, pictures, fonts, signatures.
_PARTS: Final = re.compile(
    "xml|rels|vml|rdf|png|jpe?g|jfif|gif|bmp|tiff?|emf|wmf|wdp|svg|svm|ttf|otf|odttf|fntdata|sigs"
)
_EMBEDDED: Final = frozenset({"docx", "xlsx"})  #: the figures behind a diagram; checked like the document itself
_NAMELESS: Final = re.compile(r"mimetype|(?:.*/)?layout-cache|ObjectReplacements/.*")  #: parts without an ending
_PRINTER: Final = re.compile(r"(?:word|xl)/printerSettings/printerSettings\d*\.bin", re.IGNORECASE)
_TEXT: Final = frozenset({"xml", "rels", "vml", "rdf", "svg"})
_ENTITY: Final = re.compile(rb"<!(?:DOCTYPE|ENTITY)")
_FETCHES: Final = re.compile(
    rb"DDEAUTO|<(?:\w+:)?ddeLink|<office:dde-source"
    rb"|<(?:draw:image|draw:object|draw:object-ole|draw:plugin|table:cell-range-source|table:table-source"
    rb"|text:section-source)\s[^>]{0,300}xlink:href=[\"'](?:https?:|ftp:|smb:|//|\\\\|file:)"
)
_RUNS: Final = re.compile(rb"<(?:svg:)?script|<presentation:event-listener")
_LOCKED: Final = re.compile(rb"<(?:\w+:)?encryption-data")
_HANDLERS: Final = frozenset({"javascript", "vbscript", "data", "mhtml", "search-ms"})
_OUTSIDE: Final = _HANDLERS | {"http", "https", "ftp", "smb", "ldap"}
_OWN_DRIVE: Final = re.compile(r"file:/*[a-z]:/")
_SEAM: Final = 512  #: bytes that two pieces of a part have in common


@dataclass(slots=True)
class Budget:
    """How much may still be unpacked, of the document and of what lies in it."""

    left: int = MAX_UNPACKED

    def spend(self, count: int) -> None:
        self.left -= count
        if self.left < 0:
            raise RefusedError("file.bomb", limit=MAX_UNPACKED // (1024 * 1024))


def is_sound(kind: str, media_type: str, content: BinaryIO, budget: Budget | None = None) -> bool:
    """Raises RefusedError where a package holds what it must not. `budget`: of the document that it lies in."""
    if not _is_listed_soundly(content):
        return False
    content.seek(0)
    with zipfile.ZipFile(content) as package:
        entries = package.infolist()
        names = {entry.filename.lower() for entry in entries}
        if len(names) != len(entries) or not _lies_soundly(content, package):
            return False
        for entry in entries:
            _check_entry(entry)
        size = sum(entry.file_size for entry in entries)
        if size > MAX_SMALL_PART and size > MAX_RATIO * content.seek(0, 2):
            raise RefusedError("file.bomb", limit=MAX_UNPACKED // (1024 * 1024))
        is_right = _is_office(package, kind) if kind in _MAIN else _is_open_document(package, media_type)
        if not is_right:
            return False
        unpacked = budget or Budget()
        return all(
            _is_sound_part(package, entry, unpacked, is_inner=budget is not None)
            for entry in entries
            if not entry.is_dir()
        )


def _is_listed_soundly(content: BinaryIO) -> bool:
    """The list of entries ends with the file, starts where it says, and is no longer than it says.

    Asked before the list is read: a list of a million entries would fill the memory.
    """
    size = content.seek(0, 2)
    content.seek(max(size - 22, 0))
    record = content.read(22)
    if len(record) != 22 or not record.startswith(ZIP_END):
        return False
    disk, first_disk, here, count, length, start, remark = struct.unpack("<4H2LH", record[4:])
    if count > MAX_ENTRIES:
        raise RefusedError("file.bomb", limit=MAX_UNPACKED // (1024 * 1024))
    is_whole = (disk, first_disk, remark, here) == (0, 0, 0, count)
    return is_whole and start + length == size - 22 and length <= count * MAX_RECORD


def _lies_soundly(content: BinaryIO, package: zipfile.ZipFile) -> bool:
    """Entry follows entry, from the first byte to the list: none in another, nothing between or before them.

    Each says of itself what the list says of it, so that no two programs see different documents.
    """
    place = slack = 0
    for entry in sorted(package.infolist(), key=lambda each: each.header_offset):
        if not 0 <= entry.header_offset - place <= slack:
            return False
        content.seek(entry.header_offset)
        header = content.read(30)
        if len(header) != 30 or not header.startswith(b"PK\x03\x04"):
            return False
        _, flags, method, _, _, sum_, packed, full, name_length, extra = struct.unpack("<5H3L2H", header[4:])
        name = content.read(name_length).decode("utf-8" if flags & 0x800 else "cp437")
        if (method, flags & 1, name) != (entry.compress_type, entry.flag_bits & 1, entry.orig_filename):
            return False
        is_told_later = bool(flags & 8)
        is_as_listed = (sum_, packed, full) == (entry.CRC, entry.compress_size, entry.file_size)
        if not (is_as_listed or is_told_later or 0xFFFFFFFF in (packed, full)):
            return False
        place = entry.header_offset + 30 + name_length + extra + entry.compress_size
        slack = 24 if is_told_later else 0  # sum and sizes may stand behind the data instead
    return 0 <= package.start_dir - place <= slack


def _check_entry(entry: zipfile.ZipInfo) -> None:
    name, path = entry.filename, PurePosixPath(entry.filename)
    part = _shown(name)
    is_link = (entry.external_attr >> 16) & 0o170000 == 0o120000
    if path.is_absolute() or ".." in path.parts or "\\" in entry.orig_filename or ":" in name or is_link:
        raise RefusedError("file.path", part=part)
    if entry.flag_bits & 1:
        raise RefusedError("file.encrypted")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError("expected a part that is stored or deflated")
    if entry.file_size > max(MAX_RATIO * max(entry.compress_size, 1), MAX_SMALL_PART) or entry.file_size > MAX_UNPACKED:
        raise RefusedError("file.bomb", limit=MAX_UNPACKED // (1024 * 1024))
    if _MACRO.search(name):
        raise RefusedError("file.macro")
    if entry.is_dir() and entry.file_size:
        raise ValueError("expected an empty folder")
    ending = _ending(name)
    is_known = _PARTS.fullmatch(ending) or ending in _EMBEDDED or _PRINTER.fullmatch(name) or _NAMELESS.fullmatch(name)
    if not entry.is_dir() and not is_known:
        raise RefusedError("file.embedded", part=part)


def _is_office(package: zipfile.ZipFile, kind: str) -> bool:
    """The list of content types names the document's main part, of the right type, and the part is there."""
    names, mains = {f"/{name}" for name in package.namelist()}, []
    for tag, attributes in _elements(package, "[Content_Types].xml"):
        content_type = attributes.get("ContentType", "")
        if _MACRO.search(content_type):
            raise RefusedError("file.macro")
        if tag == "Override" and content_type == _MAIN[kind]:
            mains.append(attributes.get("PartName", ""))
    return len(mains) == 1 and mains[0] in names


def _is_open_document(package: zipfile.ZipFile, media_type: str) -> bool:
    first = package.infolist()[0] if package.infolist() else None
    if (
        first is None
        or first.filename != "mimetype"
        or first.file_size > 100
        or "content.xml" not in package.namelist()
    ):
        return False
    return package.read(first).strip() == media_type.encode()


def _is_sound_part(package: zipfile.ZipFile, entry: zipfile.ZipInfo, budget: Budget, *, is_inner: bool) -> bool:
    ending = _ending(entry.filename)
    is_text, before, place = ending in _TEXT, b"", 0
    with package.open(entry) as part, tempfile.SpooledTemporaryFile(MAX_SMALL_PART) as inner:
        while piece := part.read(PIECE):
            budget.spend(len(piece))
            if not place and not _begins_soundly(piece, entry, ending, is_inner=is_inner):
                return False
            _search(before + piece, entry, is_text=is_text)
            before, place = (before + piece)[-_SEAM:], place + len(piece)
            if ending in _EMBEDDED:
                inner.write(piece)
        if place != entry.file_size:
            return False
        if ending in _EMBEDDED and not is_sound(ending, "", cast("BinaryIO", inner), budget):
            raise RefusedError("file.embedded", part=_shown(entry.filename))
    if ending == "rels":
        _check_relations(package, entry.filename)
    return True


def _begins_soundly(piece: bytes, entry: zipfile.ZipInfo, ending: str, *, is_inner: bool) -> bool:
    part = _shown(entry.filename)
    if piece.startswith(PROGRAM_STARTS):
        raise RefusedError("file.program", part=part)
    if ending in _EMBEDDED and not is_inner:
        return True
    if piece.startswith((OLD_OFFICE, b"%PDF-", *ARCHIVE_STARTS)):
        raise RefusedError("file.embedded", part=part)
    return ending not in _TEXT or piece.lstrip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n").startswith(b"<")


def _search(piece: bytes, entry: zipfile.ZipInfo, *, is_text: bool) -> None:
    if TEST_VIRUS in piece:
        raise RefusedError("file.virus")
    if not is_text:
        return
    words, part = piece.replace(b"\0", b""), _shown(entry.filename)  # UTF-16 as well
    if _ENTITY.search(words):
        raise RefusedError("file.entity", part=part)
    if _FETCHES.search(words):
        raise RefusedError("file.external", part="DDE")
    if _RUNS.search(words):
        raise RefusedError("file.script", part=part)
    if _LOCKED.search(words):
        raise RefusedError("file.encrypted")


def _check_relations(package: zipfile.ZipFile, name: str) -> None:
    """What is fetched from elsewhere when the document is opened; a link that a reader clicks is none."""
    for _, attributes in _elements(package, name):
        target, kind = attributes.get("Target", ""), attributes.get("Type", "").rpartition("/")[2]
        if attributes.get("TargetMode", "").lower() == "external" and _leads_out(target, kind):
            raise RefusedError("file.external", part=_shown(target))


def _leads_out(target: str, kind: str) -> bool:
    address = target.strip().replace("\\", "/").lower()
    scheme = urlsplit(address).scheme
    if kind == "hyperlink":
        return scheme in _HANDLERS or scheme.startswith("ms-")
    is_elsewhere = address.startswith("//") or (scheme == "file" and not _OWN_DRIVE.match(address))
    return is_elsewhere or scheme in _OUTSIDE or kind in {"oleObject", "frame", "subDocument", "aFChunk"}


def _elements(package: zipfile.ZipFile, name: str) -> list[tuple[str, Mapping[str, str]]]:
    """The elements of a small part with their attributes, one after the other. Raises on what is no plain XML."""
    if name not in package.namelist() or package.getinfo(name).file_size > MAX_SMALL_PART:
        raise ValueError("expected a small part")
    found: list[tuple[str, Mapping[str, str]]] = []

    def refuse(*_: object) -> None:
        raise RefusedError("file.entity", part=_shown(name))

    parser = ParserCreate()
    parser.StartElementHandler = lambda tag, attributes: found.append((tag.rpartition(":")[2], attributes))
    parser.StartDoctypeDeclHandler = refuse
    parser.Parse(package.read(name), True)
    return found


def _ending(name: str) -> str:
    """Of _rels/.rels as well, which pathlib says has none."""
    _, dot, ending = PurePosixPath(name).name.rpartition(".")
    return ending.lower() if dot else ""


def _shown(name: str) -> str:
    """A name from inside a package, for a sentence."""
    return "".join(letter for letter in name if letter.isprintable())[:80] or "?"

"""Is this file what its name says, and nothing more? The seven kinds that an office hands in, by name and structure."""

import re
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import BinaryIO, Final
from xml.parsers.expat import ExpatError

from dondoc.disk import FULL
from engine.errors import RefusedError
from web import images, packages, pdfs
from web.traps import TEST_VIRUS, pieces

MEDIA_TYPES: Final = {
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "odt": "application/vnd.oasis.opendocument.text",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
    "jpg": "image/jpeg",
    "png": "image/png",
}
#: Endings of programs, which some systems hide behind a second one: bao-cao.exe.pdf.
PROGRAMS: Final = re.compile(
    "bat|cmd|cpl|dll|docm|dotm|exe|hta|jar|jse?|lnk|msi|pif|ps1|scr|vb[es]|wsf|xlam|xlsm", re.IGNORECASE
)
#: The ways of saying that something is no sound ZIP, PDF or image.
UNSOUND: Final = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    ExpatError,
    OSError,
    EOFError,
    ValueError,
    NotImplementedError,
    RuntimeError,
)
_UNSEEN: Final = re.compile(r"[\x00-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
#: Characters that a name carries only to be read as another one.
_DECEIVING: Final = re.compile(r"[\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069]")


def clean_name(name: str) -> str:
    """The file's own name, without folders, control or direction marks; NFC; at most 120 characters."""
    bare = _UNSEEN.sub("", unicodedata.normalize("NFC", name)).replace("\\", "/").rpartition("/")[2].strip(" .")
    stem, dot, ending = bare.rpartition(".")
    return f"{stem[:110]}{dot}{ending[:9]}" if dot else bare[:120]


def check(name: str, content: BinaryIO, *, types: Iterable[str], limit: int) -> str:
    """The media type of a good file; the content is left at its start. Raises RefusedError with a `file.` code.

    `name` is as it came: what hides in it is seen here.
    """
    kind = _kind(name, tuple(types))
    size = content.seek(0, 2)
    if size == 0:
        raise RefusedError("file.empty")
    if size > limit:
        raise RefusedError("file.too-large", limit=limit // (1024 * 1024))
    try:
        if any(TEST_VIRUS in piece for piece in pieces(content, len(TEST_VIRUS))):
            raise RefusedError("file.virus")
        is_right = _is_kind(kind, content)
    except UNSOUND as error:
        if getattr(error, "errno", None) in FULL:
            raise  # the disk is at fault, not the file
        is_right = False
    content.seek(0)
    if not is_right:
        raise RefusedError("file.content", ending=kind.upper())
    return MEDIA_TYPES[kind]


def _kind(name: str, kinds: tuple[str, ...]) -> str:
    if _DECEIVING.search(name):
        raise RefusedError("file.name_hidden", name=clean_name(name))
    endings = [each.strip(" .").lower() for each in PurePosixPath(clean_name(name)).name.split(".")[1:]]
    ending = endings[-1] if endings and PurePosixPath(clean_name(name)).suffix else ""
    kind = "jpg" if ending == "jpeg" else ending
    if kind not in kinds or kind not in MEDIA_TYPES:
        raise RefusedError("file.type", ending=ending or "?", allowed=", ".join(each.upper() for each in kinds))
    if len(endings) > 1 and PROGRAMS.fullmatch(endings[-2]):
        raise RefusedError("file.name_double", ending=endings[-2])
    return kind


def _is_kind(kind: str, content: BinaryIO) -> bool:
    match kind:
        case "pdf":
            return pdfs.is_sound(content)
        case "png":
            return images.is_sound_png(content)
        case "jpg":
            return images.is_sound_jpeg(content)
        case _:
            return packages.is_sound(kind, MEDIA_TYPES[kind], content)

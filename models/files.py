"""Where does an uploaded file lie? Under the hash of its content, written whole or not at all."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from dondoc.disk import sync_folder

CHUNK: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that is already on disk; the database row comes after it, in the act's transaction."""

    name: str
    hash: str  #: SHA-256 of the content, hexadecimal
    size: int  #: bytes
    media_type: str


def store(folder: Path, name: str, content: BinaryIO, media_type: str) -> StoredFile:
    """Copies the content into the folder: temporary file, fsync, rename, fsync of the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".{os.getpid()}-{os.urandom(8).hex()}.part"
    sum_, size = hashlib.sha256(), 0
    try:
        with temporary.open("xb") as file:
            while chunk := content.read(CHUNK):
                file.write(chunk)
                sum_.update(chunk)
                size += len(chunk)
            file.flush()
            os.fsync(file.fileno())
        stored = StoredFile(name, sum_.hexdigest(), size, media_type)
        place = path_of(folder, stored.hash)
        place.parent.mkdir(exist_ok=True)
        temporary.replace(place)
        sync_folder(place.parent)
    finally:
        temporary.unlink(missing_ok=True)
    return stored


def path_of(folder: Path, hash_: str) -> Path:
    """The place of a content in the folder; two letters of the hash keep the folders small."""
    return folder / hash_[:2] / hash_

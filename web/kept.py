"""Which files go along without being chosen again? Those already on disk, named in the form under our seal."""

import base64
import hashlib
import hmac
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from models.files import StoredFile, path_of


def seal(key: bytes, link_id: int, file: StoredFile) -> str:
    """The file as a form field that only this link may hand back."""
    words = json.dumps([file.name, file.hash, file.size, file.media_type], ensure_ascii=False).encode()
    return f"{base64.urlsafe_b64encode(words).decode()}.{_signature(key, link_id, words)}"


def unseal(key: bytes, link_id: int, field: str) -> StoredFile | None:
    """The file of a sealed field; None when it was not sealed by us for this link."""
    packed, _, signature = field.partition(".")
    try:
        words = base64.urlsafe_b64decode(packed.encode())
    except ValueError:
        return None
    if not hmac.compare_digest(signature.encode(), _signature(key, link_id, words).encode()):
        return None
    name, hash_, size, media_type = json.loads(words)
    return StoredFile(name, hash_, size, media_type)


def unsealed(key: bytes, link_id: int, fields: Iterable[object]) -> Iterator[StoredFile]:
    """The files of all fields that we sealed for this link."""
    for field in fields:
        file = unseal(key, link_id, field) if isinstance(field, str) else None
        if file is not None:
            yield file


def is_there(folder: Path, file: StoredFile) -> bool:
    """It also stays: the sweep takes what was touched for new, until a row names it."""
    path = path_of(folder, file.hash)
    with suppress(OSError):  # a disk that is read-only for now: nothing can be removed from it either
        os.utime(path)
    return path.is_file()


def _signature(key: bytes, link_id: int, words: bytes) -> str:
    return hmac.new(key, f"kept:{link_id}:".encode() + words, hashlib.sha256).hexdigest()

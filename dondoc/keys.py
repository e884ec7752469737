"""What is kept secret? The key that signs links and the password of Prefect, made once, readable by the owner alone;
and what other services gave the office, in a folder of its own.
"""

import base64
import hashlib
import hmac
import os
import re
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dondoc.disk import sync_folder

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

KEY_BYTES: Final = 32
_SECRET_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


def secret_key(path: Path) -> bytes:
    """The 32 random bytes of this file, made on first use."""
    key = _made_once(path, secrets.token_bytes(KEY_BYTES))
    if len(key) != KEY_BYTES:
        raise ValueError(f"{path}: expected a key of {KEY_BYTES} bytes, got {len(key)}")
    return key


def password(path: Path) -> str:
    """The random password of this file, made on first use; text, because people type it."""
    word = _made_once(path, f"{secrets.token_urlsafe(24)}\n".encode()).decode("ascii").strip()
    if not word:
        raise ValueError(f"{path}: expected a password, got an empty file")
    return word


def seal_of(key: bytes, purpose: str) -> "Fernet":
    """Seals with the office's key; what is sealed for one purpose opens for no other."""
    from cryptography.fernet import Fernet

    return Fernet(base64.urlsafe_b64encode(hmac.new(key, f"seal:{purpose}".encode(), hashlib.sha256).digest()))


class Secrets:
    """A folder with one file a secret, as container and service managers hand them in; no folder, no secrets."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def read(self, name: str) -> str | None:
        """The words of a secret; None when there is no such file. `name` is one path component."""
        if self._folder is None or not _SECRET_NAME.fullmatch(name):
            return None
        try:
            return (self._folder / name).read_text("utf-8").strip() or None
        except FileNotFoundError:
            return None


def _made_once(path: Path, fresh: bytes) -> bytes:
    """The file's content; when there is no file, `fresh`, unless another process is quicker."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
    # Written whole beside its place, then linked: nobody ever reads half a key, and the first one in stays.
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(fresh)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
        sync_folder(path.parent)
    except FileExistsError:
        return path.read_bytes()
    finally:
        draft.unlink()
    return fresh

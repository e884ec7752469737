"""Is this a password to keep, and is it the right one? Argon2id, no more hashing at a time than there are cores."""

import os
import threading
import unicodedata
from functools import lru_cache
from typing import Final

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from engine.errors import RefusedError

SHORTEST: Final = 12
LONGEST: Final = 256  #: a sentence of any length that people type; no endless work for the hasher
#: Below so many guesses (as a power of ten) a password is among the first that anybody tries.
GUESSES: Final = 8
LOOKED_AT: Final = 72  #: the strength of what is longer is in its beginning already
#: What offices here choose first; the lists that come with zxcvbn are English.
USUAL: Final = (
    *("matkhau", "matkhaucuatoi", "anhyeuem", "emyeuanh", "vietnam", "hanoi", "saigon", "hochiminh", "bacho", "nguyen"),
    *(
        "quantri",
        "vanphong",
        "vanthu",
        "danguy",
        "chibo",
        "dangbo",
        "dangvien",
        "tinhuy",
        "thuongvu",
        "baocao",
        "dondoc",
    ),
)
_cores = threading.BoundedSemaphore(os.cpu_count() or 1)


@lru_cache
def hasher() -> PasswordHash:
    return PasswordHash((Argon2Hasher(),))


def clean(password: str) -> str:
    """One form for what looks the same: a Mac types ế as two characters."""
    return unicodedata.normalize("NFC", password)


def check(password: str, *about: str) -> None:
    """Refuses what is too short, or easily guessed; `about` is what a guesser knows: the login, the name."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise RefusedError("password.length", shortest=SHORTEST, longest=LONGEST, got=len(password))
    from zxcvbn import zxcvbn  # its lists take longer to load than a page

    known = [*USUAL, *(word for text in about for word in (text, *text.replace("@", " ").replace(".", " ").split()))]
    if zxcvbn(password[:LOOKED_AT], user_inputs=known)["guesses_log10"] < GUESSES:
        raise RefusedError("password.common")


def hashed(password: str) -> str:
    with _cores:
        return hasher().hash(clean(password))


def matches(password: str, known: str | None) -> bool:
    """Takes as long when there is nothing to compare with: an unknown login looks like a wrong password."""
    with _cores:
        return hasher().verify(clean(password[:LONGEST]), known or _nobodys()) and known is not None


@lru_cache
def _nobodys() -> str:
    return hasher().hash(os.urandom(16).hex())

"""What came with a form? Its fields as text, its file checked and stored."""

import unicodedata
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import date
from typing import Annotated, Any, Final

from fastapi import Depends, Request
from starlette.datastructures import FormData, ImmutableMultiDict, UploadFile

from dondoc.disk import is_full
from engine.errors import RefusedError
from models.files import StoredFile, store
from schedules.reason import Reason
from web import uploads, words
from web.office import Office
from web.protection import MAX_FILE

#: Asked for room, in bytes, around the writing of a file. Raises RefusedError when there is none.
Admit = Callable[[int], AbstractContextManager[None]]
MAX_ID: Final = 2**31 - 1  #: of a row
MAX_FIELDS: Final = 200
MAX_PARTS: Final = 50  #: files that are read at all; how many are taken, the obligation says
MAX_FIELD: Final = 256 * 1024  #: bytes of one text field


async def _form(request: Request) -> AsyncIterator[FormData]:
    async with request.form(max_files=MAX_PARTS, max_fields=MAX_FIELDS, max_part_size=MAX_FIELD) as form:
        yield form


Form = Annotated[FormData, Depends(_form)]


def text(form: FormData, name: str) -> str:
    """A field as typed, but clean; empty when absent."""
    value = form.get(name)
    return words.clean(value) if isinstance(value, str) else ""


def numbers(given: ImmutableMultiDict[str, Any], name: str) -> tuple[int, ...]:
    """The rows that were ticked, each once; what can be no row's number is none."""
    typed = [each for each in given.getlist(name) if isinstance(each, str) and each.isascii() and each.isdigit()]
    return tuple(dict.fromkeys(int(each) for each in typed if len(each) < 11 and int(each) <= MAX_ID))


def password(form: FormData, name: str) -> str:
    """Letter for letter, spaces too."""
    value = form.get(name)
    return unicodedata.normalize("NFC", value) if isinstance(value, str) else ""


def own_address(text: str, default: str = "/") -> str:
    """A page to go back to, when it is one of ours; else the default."""
    is_ours = text.startswith("/") and not text.startswith("//") and "\\" not in text and text.isprintable()
    return text if is_ours else default


def day(form: FormData, name: str) -> date | None:
    return read_day(text(form, name))


def needed_day(form: FormData, name: str) -> date:
    return read_needed_day(text(form, name))


def read_day(typed: str) -> date | None:
    """None when nothing is typed. Raises RefusedError when it is no day."""
    found = words.read_day(typed) if typed else None
    if typed and found is None:
        raise RefusedError("form.day", got=typed[:40])
    return found


def read_needed_day(typed: str) -> date:
    found = read_day(typed)
    if found is None:
        raise RefusedError("form.day_missing")
    return found


def file(form: FormData, office: Office, types: tuple[str, ...]) -> StoredFile | None:
    """The file, checked and already on disk; None when none was chosen. Raises RefusedError with a `file.` code."""
    sent = next(_sent(form), None)
    return _stored(sent, office, types) if sent is not None else None


def files(
    form: FormData, office: Office, types: tuple[str, ...], admit: Admit
) -> tuple[tuple[StoredFile, ...], tuple[tuple[str, Reason], ...]]:
    """The good files, checked, admitted and already on disk; and the names of the others, each with what is wrong."""
    good: list[StoredFile] = []
    bad: list[tuple[str, Reason]] = []
    for sent in _sent(form):
        try:
            good.append(_stored(sent, office, types, admit))
        except RefusedError as error:
            bad.append((uploads.clean_name(sent.filename or ""), error.reason))
    return tuple(good), tuple(bad)


def _sent(form: FormData) -> Iterator[UploadFile]:
    return (each for each in form.getlist("file") if isinstance(each, UploadFile) and each.filename)


def _stored(sent: UploadFile, office: Office, types: tuple[str, ...], admit: Admit | None = None) -> StoredFile:
    name = sent.filename or ""
    media_type = uploads.check(name, sent.file, types=types, limit=MAX_FILE)
    try:
        with admit(sent.size or 0) if admit is not None else nullcontext():
            return store(office.settings.files, uploads.clean_name(name), sent.file, media_type)
    except OSError as error:
        if is_full(error):
            raise RefusedError("file.no-room") from error
        raise

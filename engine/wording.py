"""In whose words are letters written? An office puts a text of its own in place of a shipped one, and takes it back."""

from datetime import datetime

from sqlalchemy import Update, update
from sqlmodel import Session, col

from dondoc.database import Database
from dondoc.i18n import LANGUAGES
from engine.errors import RefusedError
from models.entry import append
from models.wording import Wording, in_use
from notifications.preview import check
from notifications.wording import KINDS, InvalidWordingError, shipped


def put(database: Database, kind: str, lang: str, text: str, *, by: str, now: datetime) -> None:
    """In use from the next letter on. It is tried in every state before anything is written.

    Raises InvalidWordingError with all that is wrong with it, RefusedError for what changes nothing.
    """
    known(kind, lang)
    check(kind, lang, text)
    if text.strip() == shipped(kind, lang).strip():
        restore(database, kind, lang, by=by, now=now)
        return
    with database.writing() as session:
        if in_use(session).get((kind, lang)) == text:
            raise RefusedError("refused.wording_same")
        wording = Wording(kind=kind, lang=lang, text=text, by=by, at=now, is_used=False)
        session.add(wording)
        session.flush()
        append(session, "wording_changed", by=by, at=now, letter=kind, lang=lang, wording=wording.id)
        # The journal is ours from here on, so that of two who write at once the later one's words are in use.
        session.execute(_retire(kind, lang))
        wording.is_used = True
        session.add(wording)


def restore(database: Database, kind: str, lang: str, *, by: str, now: datetime) -> None:
    """The shipped text is in use again; the office's own stays in the history."""
    known(kind, lang)
    with database.writing() as session:
        if (kind, lang) not in in_use(session):
            raise RefusedError("refused.wording_shipped")
        append(session, "wording_restored", by=by, at=now, letter=kind, lang=lang)
        session.execute(_retire(kind, lang))


def unusable(session: Session) -> tuple[tuple[str, str], ...]:
    """Kind and language of each text that this version of the program refuses: the shipped one stands in for it."""
    return tuple(key for key, text in sorted(in_use(session).items()) if not _is_usable(*key, text))


def _is_usable(kind: str, lang: str, text: str) -> bool:
    try:
        known(kind, lang)
        check(kind, lang, text)
    except (InvalidWordingError, RefusedError):
        return False
    return True


def known(kind: str, lang: str) -> None:
    """Raises RefusedError for a letter that is not sent, or a language in which none is."""
    if kind not in KINDS:
        raise RefusedError("refused.wording_kind", got=kind[:40], allowed=", ".join(KINDS))
    if lang not in LANGUAGES:
        raise RefusedError("refused.wording_lang", got=lang[:40], allowed=", ".join(LANGUAGES))


def _retire(kind: str, lang: str) -> Update:
    used = (col(Wording.kind) == kind, col(Wording.lang) == lang, col(Wording.is_used))
    return update(Wording).where(*used).values(is_used=False)

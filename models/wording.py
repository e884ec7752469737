"""In the office's own words? Templates that an admin put in place of the shipped ones."""

from datetime import datetime

from sqlalchemy import Index, text
from sqlmodel import Field, Session, SQLModel, col, select

from models.columns import Moment


class Wording(SQLModel, table=True):
    """Every version is kept; one at most is in use for a kind and a language."""

    __table_args__ = (
        Index(
            "uq_wording_used",
            "kind",
            "lang",
            unique=True,
            sqlite_where=text("is_used"),
            postgresql_where=text("is_used"),
        ),
    )
    id: int = Field(default=None, primary_key=True)
    kind: str  #: one of notifications.wording.KINDS
    lang: str
    text: str  #: in the language of notifications.wording
    by: str
    at: datetime = Field(sa_type=Moment)
    is_used: bool = True


def in_use(session: Session) -> dict[tuple[str, str], str]:
    """The office's own texts, by kind and language."""
    rows = session.exec(select(Wording).where(col(Wording.is_used)))
    return {(each.kind, each.lang): each.text for each in rows}


def versions(session: Session, kind: str, lang: str) -> list[Wording]:
    """All that were ever in use, the newest first."""
    query = select(Wording).where(col(Wording.kind) == kind, col(Wording.lang) == lang)
    return list(session.exec(query.order_by(col(Wording.id).desc())))

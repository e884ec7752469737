"""In the office's own words? Templates that an admin put in place of the shipped ones."""

from datetime import datetime

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

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
    kind: str  #: a NoticeKind, or digest
    lang: str
    text: str  #: a Jinja template; it runs in a sandbox
    by: str
    at: datetime = Field(sa_type=Moment)
    is_used: bool = True

"""Which filters does a user come back to? Saved views: an address with a name."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Index, ScalarSelect, String, UniqueConstraint, case, cast, func, literal, null, select, text
from sqlmodel import Field, SQLModel, col

_FIELDS: Final = "\x1f"  # no form lets a control character into a name or a query
_VIEWS: Final = "\x1e"


class SavedView(SQLModel, table=True):
    __tablename__ = "saved_view"
    __table_args__ = (
        UniqueConstraint("user_id", "page", "name"),
        Index(
            "uq_saved_view_first",
            "user_id",
            "page",
            unique=True,
            sqlite_where=text("is_first"),
            postgresql_where=text("is_first"),
        ),
    )
    id: int = Field(default=None, primary_key=True)
    user_id: int = Field(foreign_key="user.id")
    page: str  #: board, inbox, messages: the page that it is a view of
    name: str
    query: str  #: the query string, without the question mark
    is_first: bool = False  #: shown when the page is opened without filters


@dataclass(frozen=True, slots=True)
class Kept:
    """A saved view as a page lists it."""

    id: int
    name: str
    query: str
    is_first: bool


def packed(user_id: int | None, page: str) -> ScalarSelect[Any]:
    """The user's views of a page in one value, which costs a page's query a column and no query of its own."""
    if user_id is None:
        return select(null()).scalar_subquery()
    line: Any = cast(SavedView.id, String)
    for part in (case((col(SavedView.is_first), "1"), else_=""), SavedView.name, SavedView.query):
        line = line + literal(_FIELDS) + part
    mine = (col(SavedView.user_id) == user_id, col(SavedView.page) == page)
    return select(func.aggregate_strings(line, _VIEWS)).where(*mine).scalar_subquery()


def unpacked(value: str | None) -> list[Kept]:
    lines = [line.split(_FIELDS) for line in value.split(_VIEWS)] if value else []
    return [Kept(int(id_), name, query, is_first == "1") for id_, is_first, name, query in lines]

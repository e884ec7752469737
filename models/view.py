"""Which filters does a user come back to? Saved views: an address with a name."""

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel


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

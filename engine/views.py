"""How does a user keep a way of looking? Named views of a page, one of which may stand first."""

from typing import Final
from urllib.parse import parse_qsl, urlencode

from sqlalchemy import update
from sqlmodel import Session, col, func, select

from engine.errors import RefusedError
from models.view import SavedView

#: Which pages have views, and where they stand.
PAGES: Final = {"board": "/", "inbox": "/inbox", "messages": "/messages"}
MOST: Final = 30  #: of one user and page
MAX_NAME: Final = 60
MAX_QUERY: Final = 1000


def keep(session: Session, user_id: int, page: str, name: str, query: str) -> SavedView:
    """The view by this name, from now on with this query; the language and the page number are not part of it."""
    if not name or len(name) > MAX_NAME or not name.isprintable():
        raise RefusedError("view.name", most=MAX_NAME)
    if page not in PAGES:
        raise RefusedError("view.page", got=page[:40])
    parts = [each for each in parse_qsl(query) if each[0] not in {"lang", "page", "view"}]
    tidy = urlencode(parts)
    if len(tidy) > MAX_QUERY:
        raise RefusedError("view.query")
    mine = select(SavedView).where(col(SavedView.user_id) == user_id, col(SavedView.page) == page)
    known = session.exec(mine.where(col(SavedView.name) == name)).first()
    if known is None and session.exec(select(func.count()).select_from(mine.subquery())).one() >= MOST:
        raise RefusedError("view.most", most=MOST)
    view = known or SavedView(user_id=user_id, page=page, name=name, query="")
    view.query = tidy
    session.add(view)
    session.flush()
    return view


def put_first(session: Session, user_id: int, view_id: int, *, is_first: bool) -> SavedView:
    """Makes it the view that the page opens with, in place of another; or no longer."""
    view = _own(session, user_id, view_id)
    same = (col(SavedView.user_id) == user_id, col(SavedView.page) == view.page)
    session.execute(update(SavedView).where(*same).values(is_first=False))
    view.is_first = is_first
    session.add(view)
    session.flush()
    return view


def drop(session: Session, user_id: int, view_id: int) -> SavedView:
    view = _own(session, user_id, view_id)
    session.delete(view)
    return view


def _own(session: Session, user_id: int, view_id: int) -> SavedView:
    view = session.get(SavedView, view_id)
    if view is None or view.user_id != user_id:
        raise RefusedError("view.unknown")
    return view

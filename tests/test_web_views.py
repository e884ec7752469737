"""Does a user come back to the views that they kept, and to nobody else's?"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import views
from models.user import UserRole
from models.view import SavedView, unpacked
from tests.desk import Desk, opened_desk, sqlite_desk

FORM = {"page": "board", "name": "Còn nợ", "query": "year=all&state=overdue&lang=en&page=3"}


@pytest.fixture
def desk(sqlite_template: Path, tmp_path: Path) -> Iterator[Desk]:
    with sqlite_desk(sqlite_template, tmp_path) as desk:
        yield desk


def test_a_view_is_kept_without_language_and_page_number(desk: Desk) -> None:
    answer = desk.seen_by(UserRole.VIEWER).post("/views", FORM)
    assert (answer.status_code, answer.headers["location"]) == (303, "/?year=all&state=overdue")
    [view] = desk.all_of(SavedView)
    assert (view.page, view.name, view.query, view.is_first) == ("board", "Còn nợ", "year=all&state=overdue", False)


def test_the_same_name_again_is_the_same_view_looked_at_otherwise(desk: Desk) -> None:
    clerk = desk.seen_by(UserRole.VIEWER)
    clerk.post("/views", FORM)
    clerk.post("/views", FORM | {"query": ""})
    assert [view.query for view in desk.all_of(SavedView)] == [""]
    assert '<a href="/?view=all" aria-current="true">Còn nợ</a>' in clerk.get("/").text


def test_one_view_of_a_page_stands_first_and_filters_go_before_it(desk: Desk) -> None:
    clerk = desk.seen_by(UserRole.VIEWER)
    for name in ("một", "hai"):
        clerk.post("/views", FORM | {"name": name, "query": f"find={name}"})
        clerk.post(f"/views/{len(desk.all_of(SavedView))}/first", {"first": "yes"})
    assert [view.is_first for view in desk.all_of(SavedView)] == [False, True]
    answer = clerk.get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/?find=hai")
    assert clerk.get("/?year=all").status_code == 200
    assert clerk.get("/?view=all").status_code == 200
    clerk.post("/views/2/first", {"first": "no"})
    assert clerk.get("/").status_code == 200


def test_views_are_ones_own(desk: Desk) -> None:
    desk.seen_by(UserRole.VIEWER).post("/views", FORM)
    other = desk.seen_by(UserRole.ADMIN)
    assert "Còn nợ" not in other.get("/").text
    for act in ("first", "drop"):
        assert other.post(f"/views/1/{act}", {"first": "yes"}).status_code == 422
    assert [view.is_first for view in desk.all_of(SavedView)] == [False]


def test_the_clerk_of_a_playground_keeps_none(desk: Desk) -> None:
    assert "Lưu cách xem" not in desk.get("/").text
    assert desk.post("/views", FORM).status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [{"name": ""}, {"name": "x" * 61}, {"name": "a\x1fb"}, {"page": "nowhere"}, {"query": "find=" + "x" * 1000}],
)
def test_what_is_no_view_is_refused(desk: Desk, wrong: dict[str, str]) -> None:
    assert desk.seen_by(UserRole.VIEWER).post("/views", FORM | wrong).status_code == 422
    assert desk.all_of(SavedView) == []


def test_there_is_an_end_to_views(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "MOST", 1)
    clerk = desk.seen_by(UserRole.VIEWER)
    assert [clerk.post("/views", FORM | {"name": name}).status_code for name in ("a", "b", "a")] == [303, 422, 303]


def test_odd_names_come_through_the_packing(database: object, tmp_path: Path) -> None:
    assert unpacked(None) == []
    with opened_desk(database, tmp_path / "data") as desk:  # type: ignore[arg-type]
        clerk = desk.seen_by(UserRole.VIEWER)
        for name in ("Đơn vị “chậm” & <nợ>", "b|c,d"):
            clerk.post("/views", FORM | {"name": name})
        text = clerk.get("/").text
        assert "Đơn vị “chậm” &amp; &lt;nợ&gt;</a>" in text
        assert "b|c,d</a>" in text

"""Is a page told of what changed, in time, once, and of nothing that its reader may not see?"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import update
from sqlmodel import col, select

from dondoc import clock
from engine.access import Actor, Scope, everything
from models import change
from models.entry import JournalHead, append
from models.unit import Placement
from models.user import SignIn, UserRole
from tests.builders import at, hand_in, unit_id
from tests.desk import Desk, opened_desk, sqlite_desk
from web import live as pages
from web.live import Change, Listener, Live

CLERK = everything("office", "")
HEADERS = {"accept": "text/event-stream"}


@pytest.fixture
def desk(sqlite_template: Path, tmp_path: Path) -> Iterator[Desk]:
    with sqlite_desk(sqlite_template, tmp_path) as desk:
        yield desk


@pytest.fixture
def desk_anywhere(database: Any, tmp_path: Path) -> Iterator[Desk]:
    with opened_desk(database, tmp_path / "data") as desk:
        yield desk


def told(desk: Desk, *listeners: Listener, acts: Callable[[], object]) -> list[Change]:
    """What each listener is told of the acts by one look."""

    async def listened() -> list[Change]:
        live: Live = desk.app.state.live
        for listener in listeners:
            await live.join(listener, None, None)
        acts()
        await live.look()
        found = [listener.take() for listener in listeners]
        for listener in listeners:
            live.leave(listener)
        return found

    return asyncio.run(listened())


def secretary_of(desk: Desk, unit: str) -> Actor:
    with desk.database.reading() as session:
        query = select(Placement.path).where(col(Placement.unit_id) == unit_id(session, unit))
        return Actor("user:1", "", (Scope(UserRole.SECRETARIAT, session.exec(query).one()),), 1)


def test_a_change_is_told_with_its_task_and_cycle(desk_anywhere: Desk) -> None:
    task = desk_anywhere.task_id("stc")
    [found] = told(desk_anywhere, Listener(CLERK), acts=lambda: hand_in(desk_anywhere.database, task, "2021-12-20"))
    assert found == Change({task}, {1})


def test_a_look_that_finds_nothing_new_tells_nothing(desk: Desk) -> None:
    assert told(desk, Listener(CLERK), acts=lambda: None) == [Change()]


def test_a_reader_is_told_of_nothing_that_they_may_not_see(desk_anywhere: Desk) -> None:
    desk = desk_anywhere
    stc, snv = desk.task_id("stc"), desk.task_id("snv")
    mine = Listener(secretary_of(desk, "snv"))
    assert told(desk, mine, acts=lambda: hand_in(desk.database, stc, "2021-12-20")) == [Change()]
    assert told(desk, mine, acts=lambda: hand_in(desk.database, snv, "2021-12-20")) == [Change({snv}, {1})]


@pytest.mark.parametrize(("unit", "is_told"), [("snv", True), ("snv-1", False)])
def test_a_cycle_is_named_to_those_who_see_a_task_of_it(desk: Desk, unit: str, is_told: bool) -> None:
    def whole() -> None:
        with desk.database.writing() as session:
            append(session, "paused", by="office", at=at("2021-12-20"), cycle_id=1)

    assert told(desk, Listener(secretary_of(desk, unit)), acts=whole) == [Change(set(), {1}) if is_told else Change()]


def test_a_page_is_told_of_its_own_plan_cycle_and_task_alone(desk: Desk) -> None:
    stc = desk.task_id("stc")
    listeners = [
        Listener(CLERK, plan_id=1), Listener(CLERK, cycle_id=1), Listener(CLERK, task_id=stc),
        Listener(CLERK, plan_id=2), Listener(CLERK, cycle_id=2), Listener(CLERK, task_id=stc + 1),
    ]  # fmt: skip
    found = told(desk, *listeners, acts=lambda: hand_in(desk.database, stc, "2021-12-20"))
    assert [bool(each) for each in found] == [True, True, True, False, False, False]


def test_an_act_on_no_task_and_another_day_make_every_page_look_again(desk: Desk) -> None:
    def renamed() -> None:
        with desk.database.writing() as session:
            append(session, "import", by="office", at=at("2021-12-20"))

    assert told(desk, Listener(CLERK, plan_id=2), acts=renamed) == [Change(is_all=True)]
    assert told(desk, Listener(CLERK, plan_id=2), acts=lambda: desk.move_clock("2021-12-21")) == [Change(is_all=True)]


def test_too_much_to_name_makes_every_page_look_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(change, "MOST", 1)

    def two() -> None:
        for unit in ("stc", "snv"):
            hand_in(desk.database, desk.task_id(unit), "2021-12-20")

    assert told(desk, Listener(CLERK), acts=two)[0].is_all


def test_what_came_between_the_drawing_of_a_page_and_its_stream_is_told_at_once(desk: Desk) -> None:
    with desk.database.reading() as session:
        drawn = session.exec(select(JournalHead.number)).one()
    stc = desk.task_id("stc")
    hand_in(desk.database, stc, "2021-12-20")

    async def joined(since: int, day: date) -> Change:
        live, listener = Live(desk.app.state.office), Listener(CLERK)
        await live.join(listener, since, day)
        live.leave(listener)
        return listener.take()

    today = date(2021, 12, 20)
    assert asyncio.run(joined(drawn, today)) == Change({stc}, {1})
    assert asyncio.run(joined(drawn + 1, today)) == Change()
    assert asyncio.run(joined(drawn + 1, date(2021, 12, 19))) == Change(is_all=True)


def test_nothing_is_looked_at_while_nobody_listens(desk: Desk) -> None:
    async def come_and_go() -> tuple[bool, bool, bool]:
        live, one, other = Live(desk.app.state.office), Listener(CLERK), Listener(CLERK)
        before = live.looking is None
        await live.join(one, None, None)
        await live.join(other, None, None)
        live.leave(one)
        during = live.looking is not None and not live.looking.done()
        live.leave(other)
        return before, during, live.looking is None

    assert asyncio.run(come_and_go()) == (True, True, True)


def test_a_stream_is_for_those_who_can_read_one(desk: Desk) -> None:
    assert desk.get("/live").status_code == 406


@pytest.mark.parametrize(
    ("path", "headers", "is_used"),
    [("/live", HEADERS, False), ("/", {"hx-request": "true"}, False), ("/", {}, True)],
)
def test_a_page_that_stands_open_is_no_use_of_the_session(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, path: str, headers: dict[str, str], is_used: bool
) -> None:
    """Else a screen that nobody looks at would never be signed out: its own stream would keep it signed in."""
    desk.into_real_time()
    monkeypatch.setattr(pages, "MAX_LISTENERS", 0)  # a stream that began would not end
    reader, earlier = desk.seen_by(UserRole.VIEWER, "snv"), clock.now() - timedelta(minutes=20)
    with desk.database.writing() as session:
        session.execute(update(SignIn).values(seen_at=earlier))
    reader.get(path, headers=headers)
    assert (desk.all_of(SignIn)[-1].seen_at > earlier) is is_used


def test_more_listeners_than_the_office_holds_are_sent_away(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "MAX_LISTENERS", 0)
    answer = desk.get("/live", headers=HEADERS)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")


def test_one_user_cannot_take_all_the_room(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "MAX_OF_ONE", 1)
    live, user = Live(desk.app.state.office), secretary_of(desk, "snv")
    live.listeners.add(Listener(user))
    assert not live.has_room(user)
    assert live.has_room(CLERK)


def lines(desk: Desk, is_still_let_in: Callable[[], bool], then: Callable[[Live], Awaitable[None]]) -> list[str]:
    """The lines of a stream until it ends; `then` happens once it is open."""

    async def read() -> list[str]:
        live, found = Live(desk.app.state.office), []
        async for line in pages._told(live, Listener(CLERK), None, None, is_still_let_in):
            found.append(line)
            if len(found) == 1:
                await then(live)
        assert not live.listeners
        return found

    return asyncio.run(read())


def test_a_stream_ends_with_the_session(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "BEAT", 0.01)
    answers = iter([True, False])

    async def nothing(live: Live) -> None:
        pass

    assert lines(desk, lambda: next(answers), nothing) == ["retry: 5000\n\n", ":\n\n", "event: ended\ndata: {}\n\n"]


def test_a_stream_over_the_wire_tells_of_a_change_and_does_not_hold_the_server_up(desk: Desk) -> None:
    stc = desk.task_id("stc")
    with desk.database.reading() as session:
        drawn = session.exec(select(JournalHead.number)).one()
    with httpx.Client(timeout=30) as browser, desk.served() as url:
        answer = browser.send(browser.build_request("GET", f"{url}/live?since={drawn}", headers=HEADERS), stream=True)
        assert answer.headers["content-type"].startswith("text/event-stream")
        read = answer.iter_lines()
        assert next(read) == "retry: 5000"
        hand_in(desk.database, stc, "2021-12-20")
        data = next(line for line in read if line.startswith("data: "))
        assert json.loads(data.removeprefix("data: ")) == {"tasks": [stc], "cycles": [1], "all": False}

"""Does Prefect run the round at its moment, and is the work in our tables?"""

import asyncio
import json
import os
import pkgutil
import socket
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from urllib.error import HTTPError
from urllib.request import Request, urlopen
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import Session, select

import dondoc
import engine
import models
import notifications
import schedules
import web
from dondoc import clock
from dondoc.database import Database
from dondoc.serve import children
from dondoc.settings import Settings
from engine import revise
from engine.fire import Fired
from engine.open import Opened
from engine.track import Tracked
from flows import environment
from flows.summary import Result, summary
from models.cycle import Cycle
from models.entry import Entry
from models.last_round import last_round
from models.plan import Revision
from models.task import Task
from tests.builders import UNITS, ZONE, province

Answer = TypeVar("Answer")

# One obligation that is open this month, whatever the month.
PLAN = """\
plan: thu-nghiem
title: {{vi: Kế hoạch thử, en: Trial plan}}
document: {{vi: Quyết định thử, en: Trial decision}}
issuer: duk
calendar: vn-state
term: {month:%Y}..{month:%Y}
defaults:
  roll: none
  at: "08:00"
  opens: 30 days before due
  remind: [due day]
obligations:
  report:
    title: {{vi: Báo cáo nhanh, en: Quick report}}
    source: II.1
    who: {{kinds: [chi-bo-co-so]}}
    once: {{period: {month:%Y-%m}, opens: {{start_of: period}}, due: {{end_of: period}}}}
"""
FLOWS = """
import sys
from datetime import datetime
from dondoc.settings import settings
from flows.serve import main

if __name__ == "__main__":
    sys.exit(main(settings(), datetime.fromisoformat(sys.argv[1])))
"""


@dataclass(frozen=True)
class Office:
    """A data folder with a Prefect server of its own, asked over its API like any client would."""

    settings: Settings
    env: dict[str, str]

    def ask(self, path: str, words: dict[str, Any] | None = None, login: bool = True) -> Any:
        headers = {"Content-Type": "application/json"}
        if login:
            word = b64encode(self.env["PREFECT_API_AUTH_STRING"].encode()).decode()
            headers["Authorization"] = f"Basic {word}"
        body = None if words is None else json.dumps(words).encode()
        request = Request(self.env["PREFECT_API_URL"] + path, body, headers)
        with urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def deployments(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ask("/deployments/filter", {})
        return found

    def deployment(self, name: str) -> dict[str, Any] | None:
        return next((found for found in self.deployments() if found["name"] == name), None)

    def runs(self, *states: str) -> list[dict[str, Any]]:
        wanted = {"flow_runs": {"state": {"type": {"any_": list(states)}}}, "sort": "EXPECTED_START_TIME_ASC"}
        found: list[dict[str, Any]] = self.ask("/flow_runs/filter", wanted)
        return found

    def artifact(self, key: str = "round") -> Any:
        """What the last round said, or what it said about a cycle."""
        wanted = {"artifacts": {"key": {"any_": [key]}}, "sort": "CREATED_DESC"}
        return self.ask("/artifacts/filter", wanted)[0]["data"]

    @contextmanager
    def reading(self) -> Iterator[Session]:
        database = Database(self.settings.database)
        with database.reading() as session:
            yield session
        database.close()

    @contextmanager
    def writing(self) -> Iterator[Session]:
        database = Database(self.settings.database)
        with database.writing() as session:
            yield session
        database.close()

    @contextmanager
    def flows(self, first: datetime) -> Iterator[None]:
        """`dondoc flows`, its first round at a moment; in the end it is told to stop, and does within five seconds."""
        with (self.settings.data / "flows.log").open("wb") as log:
            command = [sys.executable, "-c", FLOWS, first.isoformat()]
            process = subprocess.Popen(command, env=self.env, stdout=log, stderr=log)
            try:
                yield
                process.terminate()
                assert process.wait(5) == 0, (self.settings.data / "flows.log").read_text("utf-8")
            finally:
                process.kill()
                process.wait()


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A small office whose plan has a cycle to open, and its Prefect server, really answering."""
    folder = tmp_path_factory.mktemp("office")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        settings = Settings.model_validate({"data": folder, "prefect_port": listener.getsockname()[1]})
    today = clock.today(clock.now(), ZONE)
    plan = PLAN.format(month=today)
    database = Database(settings.database)
    database.upgrade()
    province(database, plan, today.isoformat())
    database.close()
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "DONDOC_"))}
    office = Office(settings, {**clean, "DONDOC_DATA": str(folder), **environment(settings)})
    server = children(settings)[0]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(server.argv, env=office.env, stdout=log, stderr=log)
        try:
            until(lambda: process.poll() is not None or answers(office))
            assert process.poll() is None, (folder / "server.log").read_text()
            yield office
        finally:
            process.terminate()
            process.wait()


@pytest.fixture
def quiet_prefect(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """For the tests that import prefect: it makes its home wherever it is first imported."""
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "prefect"))


def moment_of(run: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(run["expected_start_time"])


def answers(office: Office) -> bool:
    try:
        return bool(office.ask("/health", login=False))
    except OSError:
        return False


def until(asked: Callable[[], Answer], seconds: float = 90) -> Answer:
    """Asks again until the answer is not empty."""
    never = time.monotonic() + seconds
    while not (answer := asked()):
        assert time.monotonic() < never, "it did not happen"
        time.sleep(0.1)
    return answer


@pytest.mark.slow
def test_the_round_runs_at_its_moment_and_its_work_is_in_our_tables(office: Office) -> None:
    minutes = clock.now().replace(second=0, microsecond=0)
    tick = minutes + timedelta(minutes=5 - minutes.minute % 5)  # a round of its own, which must not come in between
    if tick - clock.now() < timedelta(seconds=60):
        until(lambda: clock.now() > tick, 70)
    first = (clock.now() + timedelta(seconds=20)).replace(microsecond=0)
    with office.flows(first):
        until(lambda: office.deployment("report"))
        # SQLAlchemy 2.1 breaks exactly this, without an error: deployments are there, and nothing is ever scheduled.
        scheduled = until(lambda: office.runs("SCHEDULED"), 10)
        assert moment_of(scheduled[0]) == first
        (run,) = until(lambda: office.runs("COMPLETED", "FAILED", "CRASHED"))
        assert (run["state_type"], moment_of(run)) == ("COMPLETED", first)
        with office.reading() as session:
            last = last_round(session)
        quiet = office.ask(f"/deployments/{run['deployment_id']}/create_flow_run", {})["id"]
        until(lambda: quiet in {each["id"] for each in office.runs("COMPLETED")})
    # A round in which nothing is due runs no stage, and is remembered all the same.
    assert {each["flow_run_id"] for each in office.ask("/task_runs/filter", {})} == {run["id"]}
    with office.reading() as session:
        cycle = session.exec(select(Cycle)).one()
        assert (cycle.obligation, cycle.period) == ("report", f"{first.astimezone(ZoneInfo(ZONE)):%Y-%m}")
        # A run begins up to half a second early; what it writes stands for its moment all the same.
        assert cycle.opened_at >= first
        assert last is not None
        assert (last.at, last.tasks) == (cycle.opened_at, 3)
        assert (later := last_round(session)) is not None
        assert (later.at > last.at, later.tasks) == (True, 0)
        (opened,) = session.exec(select(Entry).where(Entry.act == "opened"))
        assert opened.run == run["id"]
        assert {entry.run for entry in session.exec(select(Entry).where(Entry.by != "system"))} == {None}
        assert len(session.exec(select(Task)).all()) == 3
    text = office.artifact()
    assert "| Mở đợt | 1 đợt, 3 nhiệm vụ, " in text
    assert f"/cycles/{cycle.id})" in text
    assert f"[Mở bảng theo dõi]({office.settings.url}/)" in text
    key = f"thu-nghiem-report-{cycle.period}"
    assert office.artifact(f"{key}-progress") == 0
    (row,) = json.loads(office.artifact(key))
    assert row == {
        "Cấp trên": UNITS["duk"][0],
        "Còn thiếu": 3,
        "Đơn vị": ", ".join(UNITS[code][0] for code in ("stc", "stt", "cam")),
    }


@pytest.mark.slow
def test_a_broken_plan_fails_the_run_but_silences_nothing_and_a_new_start_leaves_one_deployment(office: Office) -> None:
    broken_at = clock.now()
    clock.move(office.settings.clock, broken_at)
    with office.writing() as session:
        revision = session.exec(select(Revision)).one()
        whole, revision.text, revision.next_open_on = revision.text, "plan: [", revision.from_on
    known = office.deployment("round")
    assert known is not None
    for _ in range(3):  # as after an outage
        office.ask(f"/deployments/{known['id']}/create_flow_run", {})
    with office.flows(broken_at):
        (run,) = until(lambda: office.runs("FAILED", "CRASHED"))
        assert run["state_type"] == "FAILED"
        assert "plans whose dates cannot be worked out: 1" in run["state"]["message"]
        assert len(office.runs("CANCELLED")) == 2  # the last stands for them
        deployment = office.deployment("round")
        assert deployment is not None
        assert deployment["id"] == known["id"]
        # With a demo clock, nothing runs by itself: time passes when somebody moves it.
        assert deployment["schedules"] == []
        assert not office.runs("SCHEDULED")
        # A slot that a killed run held would stop every later round.
        assert (deployment["concurrency_limit"], deployment["global_concurrency_limit"]) == (None, None)
    text = office.artifact()
    assert "LỖI: 1 kế hoạch không tính được ngày" in text
    assert "| LỖI" not in text  # each stage came to its end
    with office.writing() as session:
        session.exec(select(Revision)).one().text = whole
        assert (last := last_round(session)) is not None
        assert last.at == broken_at  # the others got all that was due


@pytest.mark.slow
def test_deployments_follow_the_revisions_by_hash(office: Office, quiet_prefect: None) -> None:
    from prefect.client.orchestration import PrefectClient

    from flows.deployments import Synchronised, synchronise
    from flows.serve import register

    today = clock.today(clock.now(), ZONE)
    coming = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
    text = PLAN.format(month=coming)
    more = text + text[text.index("  report:") :].replace("  report:", "  second:")
    office.settings.clock.unlink(missing_ok=True)
    database = Database(office.settings.database)

    def apply(text: str) -> None:
        with database.writing() as session:
            revise.apply_plan(session, text.encode(), "plan.yaml", by="office", now=clock.now(), zone=ZONE)

    async def follow() -> list[Synchronised | None]:
        api, login = office.env["PREFECT_API_URL"], office.env["PREFECT_API_AUTH_STRING"]
        async with PrefectClient(api, auth_string=login) as client:
            done = []
            await register(client, office.settings, clock.now() + timedelta(days=1))
            known = office.deployment("round")
            assert known is not None
            for each in (text, more, more, more.replace("Báo cáo nhanh", "Báo cáo chậm", 1), text):
                apply(each)
                done.append(await synchronise(client, UUID(known["id"]), office.settings, database, today))
            await client.delete_deployment((await client.read_deployment_by_name("thu-nghiem/report")).id)
            return done

    assert asyncio.run(follow()) == [
        Synchronised(changed=1),
        Synchronised(added=1),
        None,
        Synchronised(changed=1),
        Synchronised(changed=1, removed=1),
    ]
    database.close()
    assert [found["name"] for found in office.deployments()] == ["round"]


@pytest.mark.slow
def test_prefects_server_tells_nothing_without_the_password(office: Office) -> None:
    assert office.ask("/admin/version").startswith("3.")
    with pytest.raises(HTTPError, match="401"):
        office.ask("/admin/version", login=False)


def test_prefect_is_imported_by_the_flows_alone() -> None:
    rooms = (dondoc, engine, models, notifications, schedules, web)
    found = [module.name for room in rooms for module in pkgutil.walk_packages(room.__path__, f"{room.__name__}.")]
    assert {"dondoc.serve", "engine.open", "notifications.channels"} <= set(found)
    imports = "\n".join(f"import {name}" for name in found if not name.endswith("__main__"))
    check = f"import sys\n{imports}\nprint(*(name for name in sys.modules if name.partition('.')[0] == 'prefect'))"
    asked = subprocess.run([sys.executable, "-c", check], check=False, capture_output=True, text=True)
    assert (asked.stdout, asked.stderr) == ("\n", "")


def test_single_moments_are_written_as_wall_time_of_the_zone(quiet_prefect: None) -> None:
    from flows.deployments import at

    moments = [datetime(2025, 9, 30, 17, 30, tzinfo=UTC), datetime(2025, 9, 30, 1, 0, 5, 900_000, tzinfo=UTC)]
    schedule = at(moments, ZONE)
    assert (schedule.rrule, schedule.timezone) == ("RDATE:20250930T080005,20251001T003000", ZONE)


def test_a_run_that_begins_early_stands_for_its_moment_and_a_demo_clock_for_its_own(
    quiet_prefect: None, tmp_path: Path
) -> None:
    from flows.moment import moment

    demo, soon = tmp_path / "clock", clock.now() + timedelta(minutes=1)
    assert moment(demo, soon) == soon
    assert clock.now() <= moment(demo, soon - timedelta(minutes=2)) < soon
    assert clock.now() <= moment(demo, None) < soon
    clock.move(demo, datetime(2021, 12, 1, 1, tzinfo=UTC))
    assert moment(demo, soon) == datetime(2021, 12, 1, 1, tzinfo=UTC)


def test_a_quiet_round_says_so_in_either_language() -> None:
    done: list[Result] = [Opened(), Fired(), Fired(), Tracked(), ValueError("one | two\nthree")]
    now = datetime(2025, 9, 30, 1, tzinfo=UTC)
    office = Settings.model_validate({})
    assert summary(done, now, None, office).splitlines() == [
        "### Vòng lúc 08:00, thứ Ba 30/09/2025 (GMT+7)",
        "",
        "| Việc | Kết quả |",
        "|---|---|",
        "| Mở đợt | không có việc đến hạn |",
        "| Nhắc hạn | không có việc đến hạn |",
        "| Đôn đốc | không có việc đến hạn |",
        "| Theo dõi | không có việc đến hạn |",
        "| Gửi tin | LỖI: ValueError: one \\| two three |",
        "",
        "[Mở bảng theo dõi](http://127.0.0.1:8000/)",
    ]
    english = summary(done, now, None, office.model_copy(update={"lang": "en"}))
    assert english.startswith("### Round at 08:00, Tuesday 30/09/2025 (GMT+7)\n")
    assert "| Opening cycles | nothing was due |" in english

"""Does the proof of a date call milestones and days off by their names, on the page and on the command line?"""

from datetime import date
from pathlib import Path

import pytest

from dondoc import clock
from dondoc.cli import main
from engine.milestones import enter
from engine.proof import in_words
from schedules import load
from tests.builders import at, id_of, step_round, vn_state
from tests.desk import Desk, sqlite_desk
from tests.test_milestones import RESOLUTION


@pytest.fixture
def desk(sqlite_template: Path, tmp_path: Path) -> Desk:
    with sqlite_desk(sqlite_template, tmp_path, on="2022-02-10", plan=RESOLUTION) as desk:
        with desk.database.writing() as session:
            day, now = date(2022, 2, 7), at("2022-02-07")
            enter(session, "kl01", "resolution", "2022", day, unit_code=None, by="office", now=now)
        step_round(desk.database, at("2022-02-07", "09:00"))
        return desk


def test_a_link_names_what_the_plan_and_the_calendar_name() -> None:
    plan, _ = load.parse(RESOLUTION.encode(), "plan.yaml")
    assert plan is not None
    params = {"count": "10", "event": "resolution", "event_on": "2022-02-07", "day": "2022-02-21"}
    said = in_words("rule.after_working", params, plan, vn_state(), "vi")
    assert said == "10 ngày làm việc sau “Nghị quyết” (thứ Hai 07/02/2022): thứ Hai 21/02/2022"
    off = {"day": "2022-02-02", "why": "x"}
    assert "Tết" in in_words("roll.kept_day_off", off, plan, vn_state(), "vi")


def test_the_task_page_says_the_milestone_by_its_title(desk: Desk) -> None:
    shown = desk.get(f"/tasks/{id_of(desk.database, 'stc', '2022', 'ethics')}").text
    assert "10 ngày làm việc sau “Nghị quyết” (thứ Hai 07/02/2022)" in shown
    assert "resolution" not in shown.split('id="why"')[1].split("</section>")[0]


def test_the_command_says_it_too_for_one_unit(
    desk: Desk, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DONDOC_DATA", str(desk.settings.data))
    monkeypatch.setenv("DONDOC_DATABASE_URL", desk.settings.database)
    clock.move(desk.settings.clock, at("2022-02-10"))
    assert main(["explain", "kl01", "ethics", "2022", "--unit", "stc"]) == 0
    own = capsys.readouterr().out.split("Nhiệm vụ")[1]
    assert "“Nghị quyết”" in own
    assert "resolution" not in own

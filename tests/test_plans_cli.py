"""Do `dondoc plans` and `dondoc calendars` do what the pages do? Diff, apply, import, export, history, restore."""

from datetime import date
from pathlib import Path

import pytest
from sqlmodel import col, select

from dondoc.database import Database
from models.day import CalendarVersion
from models.plan import Revision
from models.proposal import Proposal
from schedules.written import as_file
from tests.builders import YEARLY
from tests.test_calendar_change import ROLLING, WITH_EVE
from tests.test_cli_office import Say, playground, refused, say, told
from tests.test_revise import LATER, due_days

__all__ = ["playground", "refused", "say"]


@pytest.fixture
def later(playground: Database, say: Say, tmp_path: Path) -> str:
    """A file that moves the open report of 2021 by two weeks."""
    say("round")
    (tmp_path / "kl01.yaml").write_text(LATER, encoding="utf-8")
    return "kl01.yaml"


def test_diff_prints_every_date_that_moves(later: str, say: Say) -> None:
    found = told(say("plans", "diff", later, "--json"))
    assert found["moved"] == [
        {
            "obligation": "annual-report", "period": "2021", "level": "", "from": "2021-12-31", "to": "2022-01-14",
            "units": 6, "told": 5, "submitted": 0,
        }
    ]  # fmt: skip
    assert (found["added"], found["dropped"], found["changed"]) == ([], [], [])
    assert "31/12/2021  14/01/2022  6       5       0" in say("plans", "diff", later)


def test_apply_keeps_or_moves_as_asked_and_history_says_why(later: str, say: Say, playground: Database) -> None:
    assert "bản 2 có hiệu lực" in say("plans", "apply", later, "--policy", "keep", "--reason", "Công văn 11", "--yes")
    assert set(due_days(playground).values()) == {date(2021, 12, 31)}
    assert "bản 3 có hiệu lực" in say("plans", "restore", "kl01", "1", "--reason", "nhầm", "--yes")
    assert "bản 4 có hiệu lực" in say("plans", "apply", later, "--reason", "Công văn 12", "--yes")
    assert set(due_days(playground).values()) == {date(2022, 1, 14)}
    found = told(say("plans", "history", "kl01", "--json"))
    assert [(each["number"], each["restores"], each["reason"]) for each in found] == [
        (4, None, "Công văn 12"), (3, 1, "nhầm"), (2, None, "Công văn 11"), (1, None, None)
    ]  # fmt: skip
    assert "khôi phục bản 1: nhầm" in say("plans", "history", "kl01")
    assert say("plans", "diff", later).strip() == "Không ngày nào thay đổi."
    assert say("plans", "apply", later, "--reason", "lại") == "Kế hoạch kl01: không có gì thay đổi.\n"
    with playground.reading() as session:
        assert len(session.exec(select(Revision)).all()) == 4


@pytest.mark.parametrize(
    ("given", "lacks"),
    [((), ["--reason", "--yes"]), (("--reason", "Công văn 12"), ["--yes"]), (("--yes",), ["--reason"])],
)
def test_what_is_open_moves_with_a_reason_and_a_yes_alone(
    later: str, say: Say, refused: Say, playground: Database, given: tuple[str, ...], lacks: list[str]
) -> None:
    """Nobody is at the keyboard here: what would move is shown and left alone."""
    for command in (("plans", "apply", later), ("plans", "import", later)):
        found = refused(*command, *given)
        assert "31/12/2021  14/01/2022  6       5       0" in found
        assert [each for each in ("--reason", "--yes") if each in found] == lacks
    assert set(due_days(playground).values()) == {date(2021, 12, 31)}
    say("plans", "apply", later, "--reason", "Công văn 12", "--yes")
    found = refused("plans", "restore", "kl01", "1", *given)
    assert [each for each in ("--reason", "--yes") if each in found] == lacks
    assert set(due_days(playground).values()) == {date(2022, 1, 14)}


@pytest.mark.parametrize(
    ("given", "lacks"),
    [((), ["--reason", "--yes"]), (("--reason", "Công văn 12"), ["--yes"]), (("--yes",), ["--reason"])],
)
def test_a_calendar_moves_what_is_open_with_a_reason_and_a_yes_alone(
    playground: Database, say: Say, refused: Say, given: tuple[str, ...], lacks: list[str]
) -> None:
    Path("rolling.yaml").write_text(ROLLING, encoding="utf-8")
    assert "bản 2" in say("plans", "apply", "rolling.yaml", "--yes")  # nothing is open: nobody is owed a reason
    say("round")
    Path("vn-state.yaml").write_text(as_file(WITH_EVE), encoding="utf-8")
    found = refused("calendars", "apply", "vn-state.yaml", *given)
    assert "31/12/2021 nghỉ: Nghỉ" in found
    assert [each for each in ("--reason", "--yes") if each in found] == lacks
    assert set(due_days(playground).values()) == {date(2021, 12, 31)}
    say("calendars", "apply", "vn-state.yaml", "--reason", "Công văn 12", "--yes")
    assert set(due_days(playground).values()) == {date(2022, 1, 4)}


def test_what_is_exported_comes_in_again_and_changes_nothing(later: str, say: Say, playground: Database) -> None:
    assert say("plans", "export", "folder") == "folder/kl01.yaml\n"
    assert Path("folder/kl01.yaml").read_text("utf-8") == YEARLY
    say("plans", "import", "folder")
    with playground.reading() as session:
        assert len(session.exec(select(Revision)).all()) == 1


def test_a_known_code_with_another_text_asks(later: str, say: Say, refused: Say, playground: Database) -> None:
    other = LATER.replace("plan: kl01", "plan: kl02")
    Path("kl02.yaml").write_text(other, encoding="utf-8")
    assert "Thêm --yes để thay" in refused("plans", "import", later, "kl02.yaml")
    with playground.reading() as session:
        assert len(session.exec(select(Revision)).all()) == 1
    done = say("plans", "import", later, "kl02.yaml", "--reason", "Công văn 12", "--yes")
    assert "kl01: bản 2" in done
    assert "kl02: bản 1" in done


def test_one_bad_file_of_a_folder_brings_nothing_in(later: str, refused: Say, playground: Database) -> None:
    Path("folder").mkdir()
    Path("folder/a.yaml").write_text(LATER.replace("plan: kl01", "plan: kl02"), encoding="utf-8")
    Path("folder/b.yaml").write_text(LATER.replace("every: year", "every: yaer"), encoding="utf-8")
    assert refused("plans", "import", "folder", "--yes").startswith("folder/b.yaml:")
    with playground.reading() as session:
        assert len(session.exec(select(Revision)).all()) == 1


def test_a_revision_that_is_not_there_is_named(playground: Database, refused: Say) -> None:
    assert "không có bản số 9" in refused("plans", "restore", "kl01", "9")


def test_where_two_persons_are_needed_the_command_proposes(
    later: str, say: Say, playground: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DONDOC_SECOND_PERSON", "1")
    assert "chờ người thứ hai" in say("plans", "apply", later, "--reason", "Công văn 12", "--yes")
    with playground.reading() as session:
        assert [(each.code, each.by) for each in session.exec(select(Proposal))] == [("kl01", "office")]
        assert len(session.exec(select(Revision)).all()) == 1


def test_a_calendar_is_seen_and_applied(playground: Database, say: Say) -> None:
    say("round")
    Path("vn-state.yaml").write_text(as_file(WITH_EVE), encoding="utf-8")
    found = told(say("calendars", "diff", "vn-state.yaml", "--json"))
    assert [day["on"] for day in found["added"]] == ["2021-12-31"]
    assert "31/12/2021 nghỉ: Nghỉ" in say("calendars", "diff", "vn-state.yaml")
    assert "đã áp dụng" in say("calendars", "apply", "vn-state.yaml", "--reason", "Công văn 12", "--yes")
    assert "không có gì thay đổi" in say("calendars", "apply", "vn-state.yaml")
    with playground.reading() as session:
        versions = session.exec(select(CalendarVersion).order_by(col(CalendarVersion.number)))
        assert [(each.number, each.reason) for each in versions] == [(1, None), (2, "Công văn 12")]

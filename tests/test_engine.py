"""Does the engine open, fire, take in, review and close as design §5 says?"""

import pytest
from sqlmodel import col, func, select

from dondoc.database import Database
from engine import close, extend, record, reorganise, review, submit
from engine.errors import RefusedError
from models.cycle import Cycle, CycleState
from models.deadline import Deadline
from models.entry import breaks
from models.notice import Notice
from models.step import Step
from models.submission import Submission, Way
from models.task import IllegalActError, Task
from tests.builders import ANSWERS, ZONE, at, province, step_round, task_of


def test_the_yearly_report_opens_thirty_days_before_its_due_day_for_every_unit_that_matches(database: Database) -> None:
    province(database)
    opened, _ = step_round(database, at("2021-11-30"))
    assert (opened.cycles, opened.tasks) == (0, 0)
    opened, fired = step_round(database, at("2021-12-01"))
    assert (opened.cycles, opened.tasks) == (1, 6)
    assert fired.notices == 5  # one unit has nobody to tell
    again = step_round(database, at("2021-12-01"))
    assert (again[0].cycles, again[0].tasks, again[1].steps, again[1].notices) == (0, 0, 0, 0)
    with database.reading() as session:
        deadline = session.exec(select(Deadline)).one()
        assert (deadline.due_on.isoformat(), deadline.set_by) == ("2021-12-31", "document")
        step = session.exec(select(Step).where(col(Step.ordinal) == 0)).one()
        assert step.counts == {"told": 5, "unreachable": 1, "moved": 0}
        assert list(breaks(session)) == []

"""W6: how long does a plan take to compile with its reasons, against a bare loop that finds the same days?

Processor time, because nothing here waits: what else the machine does is left out.
"""

from datetime import date, timedelta
from time import process_time

from bench.ground import HEAD, Figure, timed
from schedules import load
from schedules.timeline import compiled
from tests.builders import vn_state

FIRST_YEAR = 2021
YEARS = (1, 2, 5, 10, 20)
OBLIGATIONS = (5, 15, 45, 135)
RUNS = 15
#: (every, months, day of the month that follows): 15 of them make 1,090 occurrences in 10 years.
CADENCES = (
    *(("month", 1, day) for day in (5, 8, 10, 15, 20, 25, 28)),
    *(("quarter", 3, day) for day in (10, 12, 15, 20, 25)),
    ("half", 6, 15), ("half", 6, 20), ("year", 12, 28),
)  # fmt: skip
OBLIGATION = """\
  report-%d:
    title: {vi: Báo cáo, en: Report}
    source: II.8.3
    who: {kinds: [chi-bo]}
    every: %s
    due: {day: %d, of: next_month, roll: next}
"""
Day = tuple[int, date, date, date, date]


def compiling() -> list[Figure]:
    """Grown in years and grown in obligations; 15 times 10 years is in both."""
    return [
        *(measured("W6 compile, by years", 15, years) for years in YEARS),
        *(measured("W6 compile, by obligations", count, 10) for count in OBLIGATIONS),
    ]


def measured(work: str, count: int, years: int) -> Figure:
    chosen = [CADENCES[number % len(CADENCES)] for number in range(count)]
    words = (OBLIGATION % (number, every, day) for number, (every, _, day) in enumerate(chosen))
    head = HEAD.replace("2022..2022", f"{FIRST_YEAR}..{FIRST_YEAR + years - 1}")
    plan, problems = load.parse((head + "".join(words)).encode(), "bench.yaml")
    assert plan is not None, problems
    calendar = vn_state()
    found = compiled(plan, calendar).occurrences
    assert all(day.reasons for each in found for day in each.days)
    codes = {each.code: number for number, each in enumerate(plan.obligations)}
    ours = [
        (codes[each.obligation.code], each.period.start, each.opens_on, each.due_on, each.days[0].grace_until)
        for each in found
    ]
    off = {day for day, row in calendar.days.items() if row.off}
    worked = calendar.days.keys() - off
    cadences = [(months, day) for _, months, day in chosen]
    assert sorted(ours) == bare(cadences, years, off, worked)
    sides = (lambda: compiled(plan, calendar), lambda: bare(cadences, years, off, worked))
    pairs = [tuple(timed(side, process_time) for side in sides) for _ in range(RUNS)]
    return Figure(work, "no database", len(found), [each for each, _ in pairs], [each for _, each in pairs])


def bare(cadences: list[tuple[int, int]], years: int, off: set[date], worked: set[date]) -> list[Day]:
    """(obligation, start of the period, opens, due, end of grace); no label, no reason, no object."""
    month, thirty, one = 12 * FIRST_YEAR, timedelta(days=30), timedelta(days=1)
    found = []
    for number, (months, day) in enumerate(cadences):
        for first in range(month, month + 12 * years, months):
            after = first + months
            due = date(after // 12, after % 12 + 1, day)
            while due in off or (due.weekday() > 4 and due not in worked):
                due += one
            found.append((number, date(first // 12, first % 12 + 1, 1), due - thirty, due, due + thirty))
    return found

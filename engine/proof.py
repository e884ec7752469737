"""How does one link of the proof read? Obligations and milestones by their titles, days off by their names."""

from collections.abc import Mapping
from datetime import date

from dondoc.i18n import say
from schedules.calendars import Calendar
from schedules.plan import Plan


def in_words(code: str, params: Mapping[str, str], plan: Plan, calendar: Calendar, lang: str) -> str:
    """A Reason of a deadline, as the plan and the calendar call what it names."""
    titles = {each.code: each.title.in_(lang) for each in plan.obligations}
    titles |= {each.code: each.title.in_(lang) for each in plan.milestones}
    said = dict(params)
    if "event" in said:
        said["event"] = f"“{titles.get(said['event'], said['event'])}”"
    if code.startswith("roll.") and "why" in said:
        row = calendar.row(date.fromisoformat(said.get("off") or said["day"]))
        said["why"] = row.name.in_(lang) if row is not None else said["why"]
    return say(code, lang, said)
